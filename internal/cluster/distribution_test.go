package cluster_test

import (
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/release"
)

func TestDetectDistribution(t *testing.T) {
	version := func(v string) []cluster.APIServer { return []cluster.APIServer{{Version: v}} }
	nodes := func(kubelet, provider string, labels ...string) []cluster.Node {
		return []cluster.Node{{Kubelet: kubelet, Provider: provider, Labels: labels}}
	}
	for _, tt := range []struct {
		name              string
		s                 cluster.Snapshot
		vendor, installer string
		sign              string // in one of the signs
	}{
		{"nothing tells", cluster.Snapshot{APIServers: version("v1.28.1"), Nodes: nodes("v1.28.1", "")}, "", "", ""},
		{"EKS", cluster.Snapshot{APIServers: version("v1.28.15-eks-7f9249a"), Nodes: nodes("v1.28.15-eks-aeac579", "aws", "eks.amazonaws.com/nodegroup")}, release.VendorEKS, "", "an API server calls its version"},
		{"EKS with own nodes", cluster.Snapshot{APIServers: version("v1.28.15-eks-7f9249a"), Nodes: nodes("v1.28.15", "aws", "alpha.eksctl.io/cluster-name")}, release.VendorEKS, "eksctl", "eksctl"},
		{"GKE", cluster.Snapshot{APIServers: version("v1.28.3-gke.1286000"), Nodes: nodes("v1.28.3-gke.1286000", "gce", "cloud.google.com/gke-nodepool")}, release.VendorGKE, "", "gke-nodepool"},
		{"AKS, whose versions are upstream's", cluster.Snapshot{APIServers: version("v1.28.3"), Nodes: nodes("v1.28.3", "azure", "kubernetes.azure.com/cluster")}, release.VendorAKS, "", "kubernetes.azure.com/cluster"},
		{"ACK", cluster.Snapshot{APIServers: version("v1.26.3-aliyun.1"), Nodes: nodes("v1.26.3-aliyun.1", "cn-hangzhou.i-1", "alibabacloud.com/nodepool-id")}, release.VendorACK, "", "aliyun"},
		{"TKE", cluster.Snapshot{APIServers: version("v1.26.1-tke.2"), Nodes: nodes("v1.26.1-tke.2", "qcloud", "cloud.tencent.com/node-instance-id")}, release.VendorTKE, "", "tke"},
		{
			"OpenShift",
			cluster.Snapshot{APIServers: version("v1.27.6+f67aeb3"), Groups: []string{"config.openshift.io/v1"}, Marks: []string{"openshift-release/4.14.12"}},
			release.VendorOpenShift, "", "4.14.12",
		},
		{"RKE2, which k3s is part of", cluster.Snapshot{APIServers: version("v1.28.9+rke2r1"), Nodes: nodes("v1.28.9+rke2r1", "rke2", "k3s.io/hostname", "rke2.io/node-args"), Groups: []string{"k3s.cattle.io/v1"}}, release.VendorRKE2, "", "rke2r1"},
		{"k3s", cluster.Snapshot{APIServers: version("v1.28.9+k3s1"), Nodes: nodes("v1.28.9+k3s1", "k3s", "k3s.io/hostname")}, release.VendorK3s, "", "k3s1"},
		{"KLTS", cluster.Snapshot{APIServers: version("v1.18.20-lts.2")}, release.VendorKLTS, "", "v1.18.20-lts.2"},
		{"a line release of kubelts", cluster.Snapshot{APIServers: version("v1.28.15+lts.3"), Marks: []string{"configmap/kube-system/kubeadm-config"}}, release.VendorKubelts, "kubeadm", "v1.28.15+lts.3"},
		{"kubeadm", cluster.Snapshot{APIServers: version("v1.28.1"), Marks: []string{"configmap/kube-system/kubeadm-config"}}, "", "kubeadm", "kubeadm-config"},
		{"kubespray, which uses kubeadm", cluster.Snapshot{
			APIServers: version("v1.28.1"), Marks: []string{"configmap/kube-system/kubeadm-config"},
			Components: []cluster.Component{{Object: "daemonset/nodelocaldns"}, {Object: "deployment/dns-autoscaler"}},
		}, "", "kubespray", "nodelocaldns"},
		{"kops", cluster.Snapshot{APIServers: version("v1.28.1"), Nodes: nodes("v1.28.1", "aws", "kops.k8s.io/instancegroup")}, "", "kops", "kops.k8s.io/instancegroup"},
		{"kind", cluster.Snapshot{APIServers: version("v1.28.0"), Nodes: nodes("v1.28.0", "kind"), Marks: []string{"configmap/kube-system/kubeadm-config"}}, "", "kind", "kind://"},
		{"an old GKE that only nodes tell", cluster.Snapshot{APIServers: version(""), Nodes: nodes("v1.6.13", "gce", "cloud.google.com/gke-nodepool")}, release.VendorGKE, "", "gke-nodepool"},
		{"weak signs for two vendors", cluster.Snapshot{
			APIServers: version("v1.28.1"), Groups: []string{"k3s.cattle.io/v1"},
			Components: []cluster.Component{{Name: "x", Image: "gke.gcr.io/x:v1"}},
		}, "", "", "signs are weak"},
		{"versions count more than labels", cluster.Snapshot{APIServers: version("v1.28.15-eks-7f9249a"), Nodes: nodes("v1.28.15", "gce", "cloud.google.com/gke-nodepool")}, release.VendorEKS, "", "gke-nodepool"},
		{"a version that is none", cluster.Snapshot{APIServers: version("\x1b[31m")}, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := cluster.DetectDistribution(&tt.s)
			if d.Vendor != tt.vendor || d.Installer != tt.installer {
				t.Errorf("vendor %q, installer %q; want %q, %q (%q)", d.Vendor, d.Installer, tt.vendor, tt.installer, d.Signs)
			}
			if all := strings.Join(d.Signs, "\n"); !strings.Contains(all, tt.sign) || tt.sign == "" && len(d.Signs) > 0 {
				t.Errorf("signs %q, want one with %q", d.Signs, tt.sign)
			}
		})
	}
}

func TestTelling(t *testing.T) {
	for key, want := range map[string]bool{"eks.amazonaws.com/nodegroup": true, "k3s.io/hostname": true, "kubernetes.io/os": false, "team": false, "": false} {
		if got := cluster.Telling(key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
}
