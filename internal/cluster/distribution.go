package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"
)

// sign is something by which a distribution is told.
type sign struct {
	vendor    string // one of release's vendors, "" where it only tells the installer
	installer string
	strong    bool // it alone is enough; a weak one only where nothing else speaks
}

// labelSigns are the beginnings of label and annotation keys that tell a distribution, the strongest first.
func labelSigns() []struct {
	prefix string
	sign   sign
} {
	return []struct {
		prefix string
		sign   sign
	}{
		{"eks.amazonaws.com/", sign{release.VendorEKS, "", true}},
		{"alpha.eksctl.io/", sign{release.VendorEKS, "eksctl", true}},
		{"kubernetes.azure.com/cluster", sign{release.VendorAKS, "", true}},
		{"cloud.google.com/gke-", sign{release.VendorGKE, "", true}},
		{"alibabacloud.com/nodepool-id", sign{release.VendorACK, "", true}},
		{"ack.aliyun.com", sign{release.VendorACK, "", true}},
		{"cloud.tencent.com/", sign{release.VendorTKE, "", true}},
		{"tke.cloud.tencent.com/", sign{release.VendorTKE, "", true}},
		{"node.openshift.io/", sign{release.VendorOpenShift, "", true}},
		{"machineconfiguration.openshift.io/", sign{release.VendorOpenShift, "", true}},
		{"ibm-cloud.kubernetes.io/", sign{release.VendorIKS, "", true}},
		{"rke2.io/", sign{release.VendorRKE2, "", true}},
		{"node.kubernetes.io/instance-type=rke2", sign{release.VendorRKE2, "", true}},
		{"k3s.io/", sign{release.VendorK3s, "", false}}, // RKE2 has them too
		{"node.kubernetes.io/instance-type=k3s", sign{release.VendorK3s, "", true}},
		{"kops.k8s.io/", sign{"", "kops", true}},
		{"microk8s.io/", sign{"", "microk8s", true}},
		{"minikube.k8s.io/", sign{"", "minikube", true}},
		{"talos.dev/", sign{"", "talos", true}},
		{"node.gardener.cloud/", sign{"", "gardener", true}},
		{"worker.gardener.cloud/", sign{"", "gardener", true}},
		{"rke.cattle.io/", sign{"", "rancher", false}},
		{"kubeadm.alpha.kubernetes.io/", sign{"", "kubeadm", false}},
		{"cluster.x-k8s.io/", sign{"", "cluster-api", false}},
	}
}

// Telling says whether the key of a node's label or annotation tells a distribution.
func Telling(key string) bool {
	return slices.ContainsFunc(labelSigns(), func(s struct {
		prefix string
		sign   sign
	},
	) bool {
		return strings.HasPrefix(key, s.prefix)
	})
}

// DetectDistribution says whose Kubernetes a snapshot is of: by the spelling of versions first, which no installer writes by chance, then by labels of nodes, API groups,
// images and objects. Where signs speak against each other the versions' word counts, and all signs are listed. Where nothing tells, the vendor is empty: upstream's.
func DetectDistribution(s *Snapshot) Distribution {
	d := &detection{votes: map[string]int{}}
	d.versions(s)
	d.labels(s)
	d.groups(s)
	d.marks(s)
	d.nodes(s)
	d.components(s)
	return d.result()
}

// detection gathers signs.
type detection struct {
	Distribution

	votes      map[string]int // for vendors
	order      []string       // vendors as they were first seen
	installers []string
}

const (
	weak   = 1
	strong = 10
	sure   = 100
)

func (d *detection) vote(vendor string, weight int, format string, args ...any) {
	if vendor != "" {
		if _, ok := d.votes[vendor]; !ok {
			d.order = append(d.order, vendor)
		}
		d.votes[vendor] += weight
	}
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(d.Signs, text) && len(d.Signs) < 20 {
		d.Signs = append(d.Signs, text)
	}
}

func (d *detection) install(name string) {
	if name != "" && !slices.Contains(d.installers, name) {
		d.installers = append(d.installers, name)
	}
}

// versions looks at how the API servers and kubelets spell their version.
func (d *detection) versions(s *Snapshot) {
	for _, a := range s.APIServers {
		if v, err := release.Parse(a.Version); err == nil && v.Vendor != "" {
			d.vote(v.Vendor, sure, "an API server calls its version %s", a.Version)
		}
	}
	kubelets := map[string]string{}
	for _, n := range s.Nodes {
		if v, err := release.Parse(n.Kubelet); err == nil && v.Vendor != "" && kubelets[v.Vendor] == "" {
			kubelets[v.Vendor] = n.Kubelet
		}
	}
	for _, vendor := range sortedKeys(kubelets) {
		d.vote(vendor, strong, "a kubelet calls its version %s", kubelets[vendor])
	}
}

func (d *detection) labels(s *Snapshot) {
	keys := map[string]int{}
	for _, n := range s.Nodes {
		for _, key := range n.Labels {
			keys[key]++
		}
	}
	names := make([]string, 0, len(keys))
	for key := range keys {
		names = append(names, key)
	}
	slices.Sort(names)
	for _, one := range labelSigns() {
		for _, key := range names {
			if !strings.HasPrefix(key, one.prefix) {
				continue
			}
			weight := strong
			if !one.sign.strong {
				weight = weak
			}
			d.vote(one.sign.vendor, weight, "%d of %d nodes have %s", keys[key], len(s.Nodes), key)
			d.install(one.sign.installer)
			break
		}
	}
}

func (d *detection) groups(s *Snapshot) {
	for _, one := range []struct {
		group     string
		vendor    string
		installer string
		weight    int
	}{
		{"config.openshift.io/", release.VendorOpenShift, "", strong},
		{"k3s.cattle.io/", release.VendorK3s, "", weak}, // RKE2 serves it too
		{"helm.cattle.io/", "", "", weak},
		{"rke.cattle.io/", "", "rancher", weak},
		{"vpcresources.k8s.aws/", release.VendorEKS, "", strong},
		{"networking.gke.io/", release.VendorGKE, "", weak},
		{"nodemanagement.gke.io/", release.VendorGKE, "", strong},
		{"alert.alibabacloud.com/", release.VendorACK, "", weak},
		{"networking.tke.cloud.tencent.com/", release.VendorTKE, "", weak},
	} {
		if one.vendor == "" && one.installer == "" {
			continue
		}
		if i := slices.IndexFunc(s.Groups, func(g string) bool { return strings.HasPrefix(g, one.group) }); i >= 0 {
			d.vote(one.vendor, one.weight, "the API group %s is served", strings.TrimSuffix(one.group, "/"))
			d.install(one.installer)
		}
	}
}

// marks looks at objects whose presence tells something.
func (d *detection) marks(s *Snapshot) {
	for _, m := range s.Marks {
		if version, ok := strings.CutPrefix(m, "openshift-release/"); ok {
			d.Release = version
			d.vote(release.VendorOpenShift, sure, "the object clusterversion/version names release %s", version)
		}
		if m == "configmap/kube-system/kubeadm-config" {
			d.vote("", 0, "there is the ConfigMap kube-system/kubeadm-config")
			d.install("kubeadm")
		}
	}
}

// nodes looks at operating systems and clouds: weak signs, since anybody may run there what they like.
func (d *detection) nodes(s *Snapshot) {
	images := map[string]int{}
	for _, n := range s.Nodes {
		images[n.Image]++
		if n.Provider == "kind" || n.Provider == "k3s" {
			d.vote(map[string]string{"k3s": release.VendorK3s}[n.Provider], weak, "nodes have the provider ID %s://", n.Provider)
			if n.Provider == "kind" {
				d.install(n.Provider)
			}
		}
	}
	for _, image := range sortedKeys(images) {
		switch {
		case strings.HasPrefix(image, "Red Hat Enterprise Linux CoreOS"):
			d.vote(release.VendorOpenShift, weak, "a node runs %s", image)
		case strings.HasPrefix(image, "Container-Optimized OS"):
			d.vote(release.VendorGKE, weak, "a node runs %s", image)
		case strings.HasPrefix(image, "Talos"):
			d.vote("", 0, "a node runs %s", image)
			d.install("talos")
		}
	}
}

// components looks at images and at pods that only some installers make.
func (d *detection) components(s *Snapshot) {
	objects := map[string]bool{}
	for _, c := range s.Components {
		objects[c.Object] = true
		for _, one := range []struct{ part, vendor, installer string }{
			{"/eks/", release.VendorEKS, ""},
			{".rancher/hardened-", release.VendorRKE2, ""},
			{"rancher/hardened-", release.VendorRKE2, ""},
			{"rancher/mirrored-coredns", release.VendorK3s, ""},
			{"mcr.microsoft.com/oss/kubernetes/", release.VendorAKS, ""},
			{"gke.gcr.io/", release.VendorGKE, ""},
			{"/acs/", release.VendorACK, ""},
			{"ccr.ccs.tencentyun.com/tkeimages/", release.VendorTKE, ""},
			{"ghcr.io/klts-io/", release.VendorKLTS, ""},
		} {
			if strings.Contains(c.Image, one.part) {
				d.vote(one.vendor, weak, "the image of %s is %s", c.Name, c.Image)
				break
			}
		}
		if strings.HasPrefix(c.Object, "pod/kube-apiserver-ip-") || strings.HasPrefix(c.Object, "daemonset/kops-") {
			d.install("kops")
		}
	}
	for _, one := range []struct{ object, installer string }{
		{"daemonset/kops-controller", "kops"}, {"daemonset/nodelocaldns", "kubespray"}, {"deployment/dns-autoscaler", "kubespray"},
	} {
		if objects[one.object] && (one.installer != "kubespray" || objects["daemonset/nodelocaldns"] && objects["deployment/dns-autoscaler"]) {
			d.vote("", 0, "there is %s", one.object)
			d.install(one.installer)
		}
	}
}

// result is the vendor with most weight, and the installer that says most: what uses kubeadm counts more than kubeadm.
func (d *detection) result() Distribution {
	for _, vendor := range d.order {
		if d.Vendor == "" || d.votes[vendor] > d.votes[d.Vendor] {
			d.Vendor = vendor
		}
	}
	if d.Vendor != "" && d.votes[d.Vendor] < 2*weak && len(d.order) > 1 {
		d.vote("", 0, "the signs are weak and speak for several vendors, so none is named")
		d.Vendor = ""
	}
	for _, name := range d.installers {
		if d.Installer == "" || rank(name) > rank(d.Installer) {
			d.Installer = name
		}
	}
	if d.Signs == nil {
		d.Signs = []string{}
	}
	return d.Distribution
}

// rank orders installers that use each other.
func rank(installer string) int {
	switch installer {
	case "kubeadm":
		return 0
	case "cluster-api", "rancher":
		return 1
	case "kubespray":
		return 2
	}
	return 3
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	return keys
}
