package upgrade_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upgrade"
)

var update = flag.Bool("update", false, "write the golden files anew")

func facts(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(data.Files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	when, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func version(t *testing.T, s string) release.Version {
	t.Helper()
	if s == "" {
		return release.Version{}
	}
	v, err := release.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// snapshot is a cluster with kube-apiservers of the given versions, started 100 days before it was taken, and nodes.
func snapshot(t *testing.T, taken string, servers ...string) *cluster.Snapshot {
	t.Helper()
	s := &cluster.Snapshot{Format: cluster.Format, Context: "c", Taken: at(t, taken), Groups: []string{"v1", "apps/v1"}}
	start := s.Taken.AddDate(0, 0, -100)
	for i, v := range servers {
		s.APIServers = append(s.APIServers, cluster.APIServer{Name: fmt.Sprintf("cp-%d", i+1), Address: fmt.Sprintf("10.0.0.%d:6443", i+1), Version: v, ProcessStart: &start})
	}
	return s
}

func nodes(s *cluster.Snapshot, n int, kubelet, runtime, image string) *cluster.Snapshot {
	for range n {
		s.Nodes = append(s.Nodes, cluster.Node{Name: fmt.Sprintf("n-%d", len(s.Nodes)+1), Kubelet: kubelet, Runtime: runtime, Kernel: "5.15.0-60-generic", OS: "linux", Image: image, Ready: true})
	}
	return s
}

func component(s *cluster.Snapshot, name, version string) *cluster.Snapshot {
	s.Components = append(s.Components, cluster.Component{Name: name, Object: "pod/" + name, Version: version, Count: 1})
	return s
}

// authority puts a CA into a snapshot that ends on a day.
func authority(t *testing.T, s *cluster.Snapshot, end string) *cluster.Snapshot {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: at(t, "2015-01-01"), NotAfter: at(t, end), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s.Certificates = append(s.Certificates, cluster.Chain{ID: "ca", Kind: cluster.ClusterCA, Where: "kubeconfig", Bundle: true, DER: [][]byte{der}})
	return s
}

func TestPlans(t *testing.T) {
	kubeadm := func(s *cluster.Snapshot) *cluster.Snapshot {
		s.Distribution.Installer = "kubeadm"
		return s
	}
	old := kubeadm(nodes(nodes(snapshot(t, "2020-07-01", "v1.14.10"), 2, "v1.12.10", "docker://18.9.7", "Ubuntu 18.04.4 LTS"), 1, "v1.14.10", "docker://18.9.7", "Ubuntu 18.04.4 LTS"))
	old.Groups = append(old.Groups, "extensions/v1beta1", "apps/v1beta1")

	asked := kubeadm(authority(t, nodes(snapshot(t, "2024-03-20", "v1.24.9", "v1.24.9", "v1.24.9"), 3, "v1.24.9", "containerd://1.6.12", "Ubuntu 20.04.6 LTS"), "2024-09-01"))
	asked.Groups = append(asked.Groups, "policy/v1beta1", "batch/v1beta1", "autoscaling/v2beta2")
	asked.Deprecated = []cluster.DeprecatedAPI{
		{Group: "policy", Version: "v1beta1", Resource: "podsecuritypolicies", Removed: "1.25", Instance: "cp-1"},
		{Group: "own.example", Version: "v1beta1", Resource: "things", Removed: "1.26", Instance: "cp-1"},
	}
	asked.Stored = []cluster.StoredVersion{{Resource: "things.example.com", Stored: []string{"v1alpha1", "v1"}, Served: []string{"v1"}, Storage: "v1"}}

	eks := nodes(snapshot(t, "2024-10-01", "v1.28.13-eks-a737599"), 2, "v1.28.11-eks-1552ad0", "containerd://1.7.11", "Amazon Linux 2023")
	eks.Distribution.Vendor = "eks"
	k3s := nodes(snapshot(t, "2024-05-01", "v1.27.3+k3s1"), 2, "v1.27.3+k3s1", "containerd://1.7.1-k3s1", "Debian GNU/Linux 12 (bookworm)")
	k3s.Distribution.Vendor = "k3s"
	openshift := nodes(snapshot(t, "2025-02-01", "v1.25.16+9946c63"), 2, "v1.25.16+9946c63", "cri-o://1.25.5", "Red Hat Enterprise Linux CoreOS 412.86")
	openshift.Distribution.Vendor = "openshift"
	emulating := component(nodes(snapshot(t, "2026-09-20", "v1.36.3"), 1, "v1.35.7", "containerd://1.7.27", "Ubuntu 24.04.1 LTS"), "kube-controller-manager", "v1.36.3")
	emulating.APIServers[0].Emulated, emulating.APIServers[0].MinCompatible = "1.35", "1.34"
	patch := kubeadm(nodes(snapshot(t, "2024-03-20", "v1.28.2"), 1, "v1.28.2", "containerd://1.7.11", "Ubuntu 22.04.1 LTS"))
	mixed := nodes(snapshot(t, "2024-03-20", "v1.27.2", "v1.28.2"), 1, "v1.27.2", "containerd://1.7.11", "Ubuntu 22.04.1 LTS")

	runtimes := nodes(nodes(snapshot(t, "2026-09-20", "v1.23.17"), 2, "v1.23.17", "docker://20.10.7", "Ubuntu 20.04.6 LTS"), 1, "v1.23.17", "containerd://1.6.12", "Ubuntu 22.04.1 LTS")

	tests := []struct {
		name string
		s    *cluster.Snapshot
		to   string
		at   string
	}{
		{"runtimes-1.23-to-1.35", runtimes, "1.35", "2026-09-20"},
		{"kubeadm-1.14-to-1.19", old, "1.19", "2020-09-01"},
		{"kubeadm-1.24-to-newest", asked, "", "2024-03-20"},
		{"eks-1.28", eks, "", "2024-10-01"},
		{"k3s-1.27", k3s, "1.29", "2024-05-01"},
		{"openshift-4.12", openshift, "1.27", "2025-02-01"},
		{"emulating-1.36", emulating, "1.37", "2026-09-20"},
		{"patch-only", patch, "1.28", "2024-03-20"},
		{"mixed-servers", mixed, "1.29", "2024-03-20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := upgrade.New(tt.s, facts(t), upgrade.Options{To: version(t, tt.to), At: at(t, tt.at)})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, p)
		})
	}
}

func golden(t *testing.T, name string, p *upgrade.Plan) {
	t.Helper()
	got, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "plans", name+".json")
	if *update {
		if err = os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err = os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestRefuses(t *testing.T) {
	tests := []struct {
		name string
		s    *cluster.Snapshot
		to   string
		kind errs.Kind
		want string
	}{
		{"no version", snapshot(t, "2024-03-20", ""), "1.30", errs.Invalid, "the version of no kube-apiserver"},
		{"back", snapshot(t, "2024-03-20", "v1.28.2"), "1.27", errs.Invalid, "not taken back"},
		{"back within the minor", snapshot(t, "2024-03-20", "v1.28.2"), "v1.28.1", errs.Invalid, "which is newer"},
		{"behind the newest of mixed servers", snapshot(t, "2024-03-20", "v1.27.2", "v1.28.2"), "1.27", errs.Invalid, "not taken back"},
		{"from a minor that is not known", snapshot(t, "2024-03-20", "v0.5.1"), "1.28", errs.NotFound, "plan from v0.5.1: minor 0.5 is not known"},
		{"not known", snapshot(t, "2024-03-20", "v1.28.2"), "1.99", errs.NotFound, "1.99"},
		{"not out yet", snapshot(t, "2024-03-20", "v1.28.2"), "1.30", errs.NotFound, "no release on 2024-03-20"},
		{"a release that is not known", snapshot(t, "2024-03-20", "v1.28.2"), "v1.28.99", errs.NotFound, "v1.28.99"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := upgrade.New(tt.s, facts(t), upgrade.Options{To: version(t, tt.to), At: at(t, "2024-03-20")})
			if !errs.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s with %q", err, tt.kind, tt.want)
			}
		})
	}
}

// TestNoMinorIsSkipped plans from every minor to the newest one.
func TestNoMinorIsSkipped(t *testing.T) {
	c := facts(t)
	when := at(t, "2026-09-20")
	for _, from := range c.Minors() {
		if _, out := from.Latest(release.DateOf(when)); !out || from.Minor.Minor < 6 {
			continue
		}
		s := snapshot(t, "2026-09-20", release.Of(from.Minor, 0).String())
		p, err := upgrade.New(s, c, upgrade.Options{At: when})
		if err != nil {
			t.Fatal(err)
		}
		last := from.Minor
		for _, h := range p.Hops {
			next := version(t, h.To).Minor
			if h.Minor != next.String() || next != last.Plus(1) && next != from.Minor {
				t.Fatalf("from %s: a hop from %s to %s", from.Minor, last, h.To)
			}
			last = next
		}
		if last != version(t, p.To).Minor || last.String() != "1.37" {
			t.Fatalf("from %s: ends at %s", from.Minor, last)
		}
	}
}

// FuzzNew holds: a plan that is made reaches its target minor by minor, whatever versions a cluster tells.
func FuzzNew(f *testing.F) {
	for _, v := range []string{"v1.24.9", "v1.28.13-eks-a737599", "v1.27.3+k3s1", "v1.28.102-akslts", "1.28+", "v1.36.3"} {
		f.Add(v, v, "1.35", "1.30")
	}
	c, err := catalog.Load(data.Files)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, server, kubelet, emulated, target string) {
		to, err := release.Parse(target)
		if err != nil {
			to = release.Version{}
		}
		s := nodes(snapshot(t, "2026-09-20", server), 1, kubelet, "docker://1", "Ubuntu 20.04")
		s.APIServers[0].Emulated = emulated
		p, err := upgrade.New(s, c, upgrade.Options{To: to, At: at(t, "2026-09-20")})
		if err != nil {
			return
		}
		last := version(t, p.From).Minor
		for i, h := range p.Hops {
			next := version(t, h.To).Minor
			if next != last.Plus(1) && (i > 0 || next != last) {
				t.Fatalf("a hop from %s to %s", last, next)
			}
			last = next
		}
		if last != version(t, p.To).Minor {
			t.Fatalf("the plan to %s ends at %s", p.To, last)
		}
	})
}

func TestLines(t *testing.T) {
	s := snapshot(t, "2026-09-20", "v1.28.15")
	p, err := upgrade.New(s, facts(t), upgrade.Options{At: at(t, "2026-09-20"), Lines: []findings.LineRelease{{Version: "v1.28.15+lts.2"}, {Version: "v1.28.15+lts.10"}, {Version: "v1.27.16+lts.1"}}})
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, stay := range p.Stays {
		if stay.Vendor == "kubelts" {
			found = stay.Release
		}
	}
	if found != "v1.28.15+lts.10" {
		t.Errorf("the line is %q; stays: %+v", found, p.Stays)
	}
}

// TestUnseenMayBlock holds the package's promise: nothing that was not observed is called free of blockers.
func TestUnseenMayBlock(t *testing.T) {
	missed := func(area cluster.Area, what string) func(*cluster.Snapshot) {
		return func(s *cluster.Snapshot) {
			s.NotObserved = append(s.NotObserved, cluster.NotObserved{What: what, Area: string(area), Reason: "no right to"})
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*cluster.Snapshot)
		kind   upgrade.Kind // "" for nothing
	}{
		{"all was seen", func(*cluster.Snapshot) {}, ""},
		{"no nodes", func(s *cluster.Snapshot) { s.Nodes = nil }, upgrade.ByRuntime},
		{"some nodes", missed(cluster.Nodes, "nodes"), upgrade.ByRuntime},
		{"a kube-apiserver's version", missed(cluster.Skew, "version of cp-2"), upgrade.BySkew},
		{"definitions", missed(cluster.APIs, "custom resource definitions"), upgrade.ByStored},
		{"which groups are served", func(s *cluster.Snapshot) { s.Groups = []string{"v1"}; s.APIServers[0].ProcessStart = nil }, upgrade.ByAPI},
		{"what others behind the address were asked for", func(s *cluster.Snapshot) {
			s.APIServers[0].Shared = true
			s.Groups = append(s.Groups, "policy/v1beta1")
		}, upgrade.ByAPI},
		{"all instances counted", func(s *cluster.Snapshot) { s.Groups = append(s.Groups, "policy/v1beta1") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := nodes(snapshot(t, "2023-01-01", "v1.24.9"), 1, "v1.24.9", "containerd://1.6.12", "Ubuntu 22.04.1 LTS")
			tt.change(s)
			p, err := upgrade.New(s, facts(t), upgrade.Options{To: version(t, "1.25"), At: at(t, "2023-01-01")})
			if err != nil {
				t.Fatal(err)
			}
			blockers := p.Hops[0].Blockers
			if tt.kind == "" && len(blockers) > 0 || tt.kind != "" && (len(blockers) != 1 || blockers[0].Kind != tt.kind || blockers[0].Certain) {
				t.Errorf("blockers %+v, want perhaps one of kind %q", blockers, tt.kind)
			}
		})
	}
}
