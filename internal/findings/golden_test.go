package findings_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

var update = flag.Bool("update", false, "write the golden files anew")

// era16 is a cluster of 2017, binaries under systemd, seen years later.
func era16(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("old", at(tb, "2017-11-01T08:00:00Z"))
	s.Groups = append(s.Groups, "extensions/v1beta1", "apps/v1beta1")
	addServer(tb, s, "10.1.0.1:6443", "10.1.0.1:6443", "v1.6.13", at(tb, "2017-10-02T10:00:00Z"), 365)
	addNodes(s, 3, cluster.Node{Name: "n", Kubelet: "v1.6.13", Runtime: "docker://1.12.6", Kernel: "3.10.0-514.el7.x86_64", OS: "linux", Image: "CentOS Linux 7 (Core)", Architecture: "amd64", Ready: true})
	s.Certificates = append(s.Certificates, chainOf(tb, cluster.ClusterCA, "kubeconfig", cert{cn: "kube-ca", from: at(tb, "2016-06-01T00:00:00Z"), to: at(tb, "2019-06-01T00:00:00Z"), ca: true}))
	s.NotObserved = []cluster.NotObserved{{What: "version of kube-controller-manager", Area: "vulnerabilities", Reason: "no pod shows it"}}
	return s
}

// era116 runs kubelets that are too old and asks for APIs that 1.22 removes.
func era116(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("staging", at(tb, "2020-07-01T08:00:00Z"))
	s.Distribution = cluster.Distribution{Installer: "kubeadm"}
	s.Groups = append(s.Groups, "extensions/v1beta1", "networking.k8s.io/v1beta1")
	a := addServer(tb, s, "cp-1", "10.2.0.1:6443", "v1.16.15", at(tb, "2020-05-01T10:00:00Z"), 365)
	a.Flags = map[string]string{"enable-admission-plugins": "NodeRestriction", "profiling": "false"}
	addNodes(s, 2, cluster.Node{Name: "w", Kubelet: "v1.13.12", Runtime: "docker://18.9.7", Kernel: "4.15.0-20-generic", OS: "linux", Image: "Ubuntu 18.04.4 LTS", Ready: true})
	addNodes(s, 1, cluster.Node{Name: "win", Kubelet: "v1.16.15", Runtime: "docker://19.3.5", Kernel: "10.0.17763.1098", OS: "windows", Image: "Windows Server 2019 Datacenter", Ready: true})
	addComponents(s, "v1.16.15", "kube-controller-manager", "kube-scheduler", "kube-proxy")
	s.Certificates = append(s.Certificates, chainOf(tb, cluster.ClusterCA, "kubeconfig", cert{cn: "kubernetes", from: at(tb, "2019-12-01T00:00:00Z"), to: at(tb, "2029-12-01T00:00:00Z"), ca: true}))
	s.Tokens = []cluster.Token{{Kind: "bootstrap", Name: "bootstrap-token-abcdef", Uses: []string{"authentication"}}}
	s.Signing = []cluster.SigningReq{
		{Name: "csr-1", Signer: "kubernetes.io/kubelet-serving", Requester: "system:node:w-1", Created: at(tb, "2020-06-20T00:00:00Z"), State: "pending"},
		{Name: "csr-2", Signer: "kubernetes.io/kubelet-serving", Requester: "system:node:w-2", Created: at(tb, "2020-07-01T07:59:00Z"), State: "pending"},
	}
	return s
}

// kubeadm124 is a highly available cluster of kubeadm, its three kube-apiservers started at different times.
func kubeadm124(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("prod", at(tb, "2024-03-20T08:00:00Z"))
	s.Distribution = cluster.Distribution{Installer: "kubeadm", Signs: []string{"ConfigMap kube-system/kubeadm-config"}}
	for i, start := range []string{"2023-04-02T10:00:00Z", "2023-06-11T09:00:00Z", "2024-02-01T00:00:00Z"} {
		name := []string{"cp-1", "cp-2", "cp-3"}[i]
		a := addServer(tb, s, name, "10.0.0.1"+string(rune('1'+i))+":6443", "v1.24.9", at(tb, start), 365)
		a.Flags = map[string]string{"enable-admission-plugins": "NodeRestriction", "profiling": "true"}
	}
	addNodes(s, 5000, cluster.Node{Name: "w", Kubelet: "v1.24.9", Runtime: "containerd://1.6.12", Kernel: "5.15.0-60-generic", OS: "linux", Image: "Ubuntu 22.04.1 LTS", Ready: true})
	addComponents(s, "v1.24.9", "kube-controller-manager", "kube-scheduler", "kube-proxy")
	for i := range s.Components {
		s.Components[i].Flags = map[string]string{"leader-elect": "true"}
	}
	addComponents(s, "3.5.6-0", "etcd")
	addComponents(s, "v1.9.4", "ingress-nginx")
	off(s)
	from := at(tb, "2023-04-02T09:00:00Z")
	s.Certificates = append(s.Certificates,
		chainOf(tb, cluster.ClusterCA, "ConfigMap kube-public/cluster-info", cert{cn: "kubernetes", from: from, to: from.AddDate(10, 0, 0), ca: true}),
		chainOf(tb, cluster.APIServerServing, "10.0.0.11:6443", cert{cn: "kube-apiserver", from: from, to: from.AddDate(1, 0, 0), names: []string{"cp-1", "kubernetes"}, addresses: []string{"10.0.0.11"}}),
		chainOf(tb, cluster.EtcdServing, "10.0.0.11:2379", cert{cn: "cp-1", from: from, to: from.AddDate(2, 0, 0), names: []string{"cp-1"}, addresses: []string{"10.0.0.11"}}),
		chainOf(tb, cluster.HostFile, "/etc/kubernetes/pki/apiserver.crt", cert{cn: "kube-apiserver", from: from.AddDate(0, 11, 0), to: from.AddDate(1, 11, 0), names: []string{"cp-1", "kubernetes"}, addresses: []string{"10.0.0.11"}}),
		chainOf(tb, cluster.WebhookCA, "validatingwebhookconfiguration/policy", cert{cn: "policy-ca", from: from, to: at(tb, "2024-03-19T00:00:00Z"), ca: true}),
	)
	s.Webhooks = []cluster.Webhook{
		{Object: "validatingwebhookconfiguration/policy", Name: "check.policy.example", Target: "policy/webhook:443", Failure: "Fail", Chain: "webhook-ca validatingwebhookconfiguration/policy"},
		{Object: "apiservice/v1beta1.metrics.k8s.io", Name: "v1beta1.metrics.k8s.io", Target: "kube-system/metrics-server:443", Available: new(bool), Reason: "MissingEndpoints", Insecure: true},
	}
	s.Deprecated = []cluster.DeprecatedAPI{{Group: "policy", Version: "v1beta1", Resource: "podsecuritypolicies", Removed: "1.25", Instance: "cp-1"}}
	s.Stored = []cluster.StoredVersion{{Resource: "certificates.cert-manager.io", Stored: []string{"v1alpha2", "v1"}, Served: []string{"v1"}, Storage: "v1"}}
	return s
}

func eks(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("arn:aws:eks:eu-west-1:111122223333:cluster/shop", at(tb, "2024-10-01T08:00:00Z"))
	s.Server = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"
	s.Distribution = cluster.Distribution{Vendor: "eks", Signs: []string{"the version says eks"}}
	a := addServer(tb, s, "", "0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com:443", "v1.28.13-eks-a737599", at(tb, "2024-08-20T00:00:00Z"), 365)
	a.Shared, a.Source = true, "kubeconfig"
	addNodes(s, 6, cluster.Node{Name: "ip-10-0-0", Kubelet: "v1.28.11-eks-1552ad0", Runtime: "containerd://1.7.11", Kernel: "5.10.220-209.869.amzn2.x86_64", OS: "linux", Image: "Amazon Linux 2", Provider: "aws", Ready: true})
	addComponents(s, "v1.28.12-eksbuild.5", "kube-proxy")
	off(s)
	return s
}

func openshift(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("admin", at(tb, "2025-02-01T08:00:00Z"))
	s.Distribution = cluster.Distribution{Vendor: "openshift", Release: "4.12.30", Signs: []string{"ClusterVersion"}}
	addServer(tb, s, "master-0", "10.3.0.5:6443", "v1.25.16+9946c63", at(tb, "2024-03-01T00:00:00Z"), 365)
	addNodes(s, 3, cluster.Node{Name: "master", Kubelet: "v1.25.16+9946c63", Runtime: "cri-o://1.25.5", Kernel: "4.18.0-372.el8", OS: "linux", Image: "Red Hat Enterprise Linux CoreOS 412.86", Ready: true, ControlPlane: true})
	addComponents(s, "v1.25.16+9946c63", "kube-controller-manager", "kube-scheduler")
	return s
}

func k3s(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("edge", at(tb, "2024-05-01T08:00:00Z"))
	s.Distribution = cluster.Distribution{Vendor: "k3s", Signs: []string{"the version says k3s"}}
	s.APIServers = []cluster.APIServer{{Name: "edge-1", Address: "192.168.1.2:6443", Source: "kubeconfig", Version: "v1.27.3+k3s1"}}
	addNodes(s, 2, cluster.Node{Name: "edge", Kubelet: "v1.27.3+k3s1", Runtime: "containerd://1.7.1-k3s1", Kernel: "6.1.0-18-amd64", OS: "linux", Image: "Debian GNU/Linux 12 (bookworm)", Ready: true})
	s.NotObserved = []cluster.NotObserved{{
		What: "loopback certificate of 192.168.1.2:6443", Area: "loopback", Reason: "what answers is k3s' listener, which may add a name that it is asked for to its certificate", Hint: "look at it on the node: kubelts probe 127.0.0.1:6444",
	}}
	return s
}

// emulating runs 1.36 that behaves as 1.35 beside a controller manager that is 1.36 already.
func emulating(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("new", at(tb, "2026-09-20T08:00:00Z"))
	s.Distribution = cluster.Distribution{Installer: "kubeadm"}
	a := addServer(tb, s, "cp-1", "10.4.0.1:6443", "v1.36.3", at(tb, "2026-09-01T00:00:00Z"), 1096)
	a.Emulated, a.MinCompatible = "1.35", "1.34"
	a.Flags = map[string]string{"emulated-version": "1.35", "enable-admission-plugins": "NodeRestriction"}
	addNodes(s, 2, cluster.Node{Name: "w", Kubelet: "v1.35.7", Runtime: "containerd://1.7.27", Kernel: "6.8.0-45-generic", OS: "linux", Image: "Ubuntu 24.04.1 LTS", Ready: true})
	addComponents(s, "v1.36.3", "kube-controller-manager")
	addComponents(s, "v1.34.10", "kube-scheduler")
	addComponents(s, "v1.35.7", "kube-proxy")
	off(s)
	from := at(tb, "2026-09-01T00:00:00Z")
	s.Certificates = append(s.Certificates, chainOf(tb, cluster.ClusterCA, "kubeconfig", cert{cn: "kubernetes", from: from, to: from.AddDate(10, 0, 0), ca: true}))
	return s
}

// denied is what one sees without any right.
func denied(tb testing.TB) *cluster.Snapshot {
	tb.Helper()
	s := base("guest", at(tb, "2024-05-01T08:00:00Z"))
	s.Groups = nil
	for _, area := range cluster.Areas() {
		s.NotObserved = append(s.NotObserved, cluster.NotObserved{What: "everything", Area: string(area), Reason: "forbidden: there is no right to get /version", Asked: true})
	}
	return s
}

func TestReports(t *testing.T) {
	tests := []struct {
		name string
		s    *cluster.Snapshot
		at   string
	}{
		{"era-1.6", era16(t), "2017-11-02T00:00:00Z"},
		{"era-1.16", era116(t), "2020-07-02T00:00:00Z"},
		{"kubeadm-1.24-12-days-left", kubeadm124(t), "2024-03-20T08:59:00Z"},
		{"kubeadm-1.24-a-day-after", kubeadm124(t), "2024-04-02T09:30:00Z"},
		{"eks-1.28", eks(t), "2024-10-01T08:00:00Z"},
		{"openshift-4.12", openshift(t), "2025-02-02T00:00:00Z"},
		{"k3s-1.27", k3s(t), "2024-05-01T08:00:00Z"},
		{"emulating-1.36", emulating(t), "2026-09-21T00:00:00Z"},
		{"denied", denied(t), "2024-05-01T09:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := findings.Judge(tt.s, facts(t), findings.Options{At: at(t, tt.at)})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, r)
		})
	}
}

func golden(t *testing.T, name string, r *findings.Report) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(r); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "reports", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestJudgeWantsATime(t *testing.T) {
	if _, err := findings.Judge(base("x", time.Time{}), facts(t), findings.Options{}); err == nil {
		t.Error("no time, and no error")
	}
}
