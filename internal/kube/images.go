package kube

import (
	"regexp"
	"strings"
)

// Image is an image's name taken apart.
type image struct {
	path string // with the registry
	name string // its last part
	tag  string
}

func parseImage(s string) image {
	s, _, _ = strings.Cut(s, "@")
	var out image
	out.path = s
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, '/') {
		out.path, out.tag = s[:colon], s[colon+1:]
	}
	out.name = program(out.path)
	return out
}

var (
	platformSuffix = regexp.MustCompile(`-(amd64|arm64|arm|ppc64le|s390x|linux-amd64)$`)
	tagVersion     = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z-]*-)?(v?[0-9]+\.[0-9]+(?:\.[0-9]+)?(?:[-_.+][0-9A-Za-z._+-]*)?)$`)
)

// imageVersion is the version that an image's tag names, "" where it names none. Tags cannot have a +, so an underscore stands for it.
func imageVersion(s string) string {
	m := tagVersion.FindStringSubmatch(parseImage(bounded(s)).tag)
	if m == nil {
		return ""
	}
	return strings.Replace(m[1], "_", "+", 1)
}

// renamed are components whose images are called otherwise: by the last parts of the image's path.
func renamed() map[string]string {
	return map[string]string{
		"ingress-nginx/controller":              "ingress-nginx",
		"nginx-ingress-controller":              "ingress-nginx",
		"nginx-ingress-controller-amd64":        "ingress-nginx",
		"csi-secrets-store/driver":              "secrets-store-csi-driver",
		"secrets-store-sync/controller":         "secrets-store-sync-controller",
		"sig-storage/nfsplugin":                 "csi-driver-nfs",
		"sig-storage/smbplugin":                 "csi-driver-smb",
		"nfsplugin":                             "csi-driver-nfs",
		"smbplugin":                             "csi-driver-smb",
		"azurefile-csi":                         "azurefile-csi-driver",
		"azuredisk-csi":                         "azuredisk-csi-driver",
		"calico/node":                           "calico",
		"calico-node":                           "calico",
		"calico/kube-controllers":               "calico-kube-controllers",
		"cilium/cilium":                         "cilium",
		"weaveworks/weave-kube":                 "weave-net",
		"kubernetes-dashboard-amd64":            "kubernetes-dashboard",
		"kubernetesui/dashboard":                "kubernetes-dashboard",
		"dns/k8s-dns-node-cache":                "nodelocaldns",
		"k8s-dns-node-cache":                    "nodelocaldns",
		"k8s-dns-kube-dns":                      "kube-dns",
		"k8s-dns-kube-dns-amd64":                "kube-dns",
		"kubedns-amd64":                         "kube-dns",
		"autoscaling/cluster-autoscaler":        "cluster-autoscaler",
		"provider-aws/cloud-controller-manager": "cloud-controller-manager",
		"openstack-cloud-controller-manager":    "cloud-controller-manager",
		"azure-cloud-controller-manager":        "cloud-controller-manager",
		"etcd-manager/etcd-manager-slim":        "etcd-manager",
		"kubeadm-etcd":                          "etcd",
	}
}

// component is what a component is called by its image, and whether it is one that is known anywhere in a cluster, not only in kube-system.
func component(s string) (name string, known bool) {
	i := parseImage(bounded(s))
	parts := strings.Split(i.path, "/")
	names := renamed()
	if len(parts) > 1 {
		if n, ok := names[strings.Join(parts[len(parts)-2:], "/")]; ok {
			return n, true
		}
	}
	if n, ok := names[i.name]; ok {
		return n, true
	}
	base := platformSuffix.ReplaceAllString(i.name, "")
	return base, everywhere()[base]
}

// everywhere are components that are kept in whichever namespace they are.
func everywhere() map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(`
		kube-proxy kube-apiserver kube-controller-manager kube-scheduler cloud-controller-manager etcd coredns kube-dns metrics-server kube-state-metrics kubernetes-dashboard
		flannel cilium calico kube-router kube-ovn antrea weave-kube weave-npc multus-cni kindnetd konnectivity-agent proxy-agent proxy-server cluster-autoscaler
		aws-iam-authenticator aws-load-balancer-controller aws-ebs-csi-driver aws-efs-csi-driver gcp-compute-persistent-disk-csi-driver vsphere-csi-driver snapshot-controller
		csi-provisioner csi-attacher csi-snapshotter csi-resizer csi-node-driver-registrar livenessprobe csi-proxy node-problem-detector descheduler external-dns
		cert-manager-controller cert-manager-webhook headlamp tiller`) {
		out[name] = true
	}
	return out
}
