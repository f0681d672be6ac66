package findings_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
)

func judge(tb testing.TB, s *cluster.Snapshot, o findings.Options) *findings.Report {
	tb.Helper()
	r, err := findings.Judge(s, facts(tb), o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// find returns the finding of that name, nil when there is none.
func find(r *findings.Report, id string) *findings.Finding {
	i := slices.IndexFunc(r.Findings, func(f findings.Finding) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Findings[i]
}

// healthy is a cluster of which everything was seen and nothing is wrong but what no release cures.
func healthy(tb testing.TB) (*cluster.Snapshot, findings.Options) {
	tb.Helper()
	s := base("fine", at(tb, "2026-10-01T08:00:00Z"))
	a := addServer(tb, s, "cp-1", "10.5.0.1:6443", "v1.37.1", at(tb, "2026-09-10T00:00:00Z"), 1096)
	a.Flags = map[string]string{"enable-admission-plugins": "NodeRestriction", "profiling": "false"}
	addNodes(s, 3, cluster.Node{Name: "w", Kubelet: "v1.37.1", Runtime: "containerd://2.1.4", Kernel: "6.8.0-45-generic", OS: "linux", Image: "Ubuntu 24.04.1 LTS", Ready: true})
	addComponents(s, "v1.37.1", "kube-controller-manager", "kube-scheduler", "kube-proxy")
	off(s)
	from := at(tb, "2026-09-01T00:00:00Z")
	s.Certificates = append(s.Certificates,
		chainOf(tb, cluster.ClusterCA, "kubeconfig", cert{cn: "kubernetes", from: from, to: from.AddDate(10, 0, 0), ca: true}),
		chainOf(tb, cluster.EtcdServing, "10.5.0.1:2379", cert{cn: "cp-1", from: from, to: from.AddDate(1, 0, 0), names: []string{"cp-1"}, addresses: []string{"10.5.0.1"}}),
	)
	return s, findings.Options{At: at(tb, "2026-10-01T09:00:00Z"), Acceptances: []findings.Acceptance{
		{Finding: "vulnerability-by-design", Owner: "platform", Reason: "read, and lessened", Expires: release.Date{Year: 2026, Month: 12, Day: 31}},
	}}
}

func TestWell(t *testing.T) {
	s, o := healthy(t)
	r := judge(t, s, o)
	if r.Verdict != findings.WellSeen || r.Score != 100 {
		t.Errorf("verdict %s, score %d; findings %+v, not observed %+v", r.Verdict, r.Score, r.Findings, r.NotObserved)
	}
	o.Acceptances = nil
	if r := judge(t, s, o); r.Verdict != findings.Attend || r.Score != 90 {
		t.Errorf("without the acceptance: verdict %s, score %d", r.Verdict, r.Score)
	}
}

// TestEtcdIsNamed: no pod shows an etcd that runs on machines of its own; then the report says that its certificates were not observed, and why.
func TestEtcdIsNamed(t *testing.T) {
	missing := func(s *cluster.Snapshot) {
		s.Certificates = slices.DeleteFunc(s.Certificates, func(c cluster.Chain) bool { return c.Kind == cluster.EtcdServing })
	}
	for _, tt := range []struct {
		name   string
		change func(*cluster.Snapshot)
		reason string // "" where nothing is to be said
	}{
		{"seen", func(*cluster.Snapshot) {}, ""},
		{"no pod", missing, "no pod shows etcd: it may run outside of the cluster"},
		{"pods, and no certificate", func(s *cluster.Snapshot) { missing(s); addComponents(s, "3.5.6-0", "etcd") }, "its pods are seen, and the snapshot does not say why their certificates are not"},
		{"a managed control plane", func(s *cluster.Snapshot) { missing(s); s.Distribution.Vendor = release.VendorEKS }, "AWS runs it out of sight"},
		{"k3s", func(s *cluster.Snapshot) { missing(s); s.Distribution.Vendor = release.VendorK3s }, "k3s has it inside its own process, or another database in its place"},
		{"pods that could not be read", func(s *cluster.Snapshot) {
			missing(s)
			s.NotObserved = append(s.NotObserved, cluster.NotObserved{What: "control-plane pods in kube-system", Area: "skew", Reason: "no right"})
		}, "no right"},
		{"told by the snapshot", func(s *cluster.Snapshot) {
			missing(s)
			s.NotObserved = append(s.NotObserved, cluster.NotObserved{What: "serving certificate of etcd at 10.5.0.1:2379", Area: "certificates", Reason: "no answer"})
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, o := healthy(t)
			tt.change(s)
			got := ""
			for _, n := range judge(t, s, o).NotObserved {
				if n.What == "certificates of etcd" {
					got = n.Reason
				}
			}
			if got != tt.reason {
				t.Errorf("%q, want %q", got, tt.reason)
			}
		})
	}
}

// TestGapsHaveTheirReason: what is missing because of something that the snapshot names has that reason, and not that nobody says why.
func TestGapsHaveTheirReason(t *testing.T) {
	s := base("cut off", at(t, "2026-10-01T08:00:00Z"))
	s.Groups = nil
	s.NotObserved = []cluster.NotObserved{{What: "the rest of the cluster", Area: "support", Reason: "no time", Hint: "wait", Asked: true}}
	r := judge(t, s, findings.Options{At: s.Taken})
	if len(r.NotObserved) < 8 {
		t.Errorf("only %+v", r.NotObserved)
	}
	for _, n := range r.NotObserved {
		if n.Reason != "no time" || n.Hint != "wait" || !n.Asked {
			t.Errorf("%+v", n)
		}
	}
	s.NotObserved = nil
	for _, n := range judge(t, s, findings.Options{At: s.Taken}).NotObserved {
		if n.Reason == "no time" {
			t.Errorf("%+v", n)
		}
	}
}

// TestNotObservedNeverHelps holds two laws: what was not observed keeps a cluster from being called well, and never makes its score better.
func TestNotObservedNeverHelps(t *testing.T) {
	fine, o := healthy(t)
	when := map[string]time.Time{"fine": o.At}
	all := map[string]*cluster.Snapshot{"fine": fine, "empty": base("empty", o.At), "nothing": {}}
	for name, s := range map[string]*cluster.Snapshot{"1.16": era116(t), "1.24": kubeadm124(t), "eks": eks(t), "k3s": k3s(t), "emulating": emulating(t), "denied": denied(t)} {
		s.Nodes = s.Nodes[:min(len(s.Nodes), 3)]
		all[name], when[name] = s, s.Taken.Add(time.Hour)
	}
	random := rand.New(rand.NewPCG(1, 2))
	what := []string{
		"everything", "", "nodes", "version of kube-proxy", "version of kube-scheduler", "kube-controller-manager", "loopback certificate of cp-1 at 10.0.0.11:6443 and of 10.5.0.1:6443",
		"deprecated APIs", "control-plane pods in kube-system", "the version of any kube-apiserver", "v1.37.1",
	}
	areas := []string{"", "strange"}
	for _, a := range cluster.Areas() {
		areas = append(areas, string(a))
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for k := range all {
			if !yield(k) {
				return
			}
		}
	}) {
		t.Run(name, func(t *testing.T) {
			options := findings.Options{At: when[name], Acceptances: o.Acceptances}
			if options.At.IsZero() {
				options.At = o.At
			}
			before := judge(t, all[name], options)
			for range 40 {
				s := *all[name]
				s.NotObserved = slices.Clone(s.NotObserved)
				for range 1 + random.IntN(3) {
					s.NotObserved = append(s.NotObserved, cluster.NotObserved{
						What: what[random.IntN(len(what))], Area: areas[random.IntN(len(areas))], Reason: "x", Asked: random.IntN(2) == 0,
					})
				}
				after := judge(t, &s, options)
				if after.Verdict == findings.WellSeen || after.Score > before.Score {
					t.Fatalf("with %+v: verdict %s, score %d, before %d", s.NotObserved, after.Verdict, after.Score, before.Score)
				}
			}
		})
	}
}

func TestNothingAtAll(t *testing.T) {
	garbage := base("garbage", time.Time{})
	garbage.APIServers = []cluster.APIServer{{Name: "cp-1", Version: "no version"}}
	for name, s := range map[string]*cluster.Snapshot{"zero": {}, "format only": base("x", time.Time{}), "a version that is none": garbage} {
		r := judge(t, s, findings.Options{At: at(t, "2026-09-20T08:00:00Z")})
		if r.Verdict != findings.Unclear || r.Score > 10 || len(r.NotObserved) == 0 || r.Support != nil || !slices.ContainsFunc(r.NotObserved, func(n cluster.NotObserved) bool {
			return n.What == "the version of any kube-apiserver" && n.Area == "skew"
		}) {
			t.Errorf("%s: verdict %s, score %d, %d not observed", name, r.Verdict, r.Score, len(r.NotObserved))
		}
	}
}

func TestGrouping(t *testing.T) {
	r := judge(t, kubeadm124(t), findings.Options{At: at(t, "2024-03-20T08:59:00Z")})
	for _, f := range r.Findings {
		if len(f.Subjects) > 20 || f.Count < len(f.Subjects) || f.Count == 0 || len(f.Evidence) > 40 || f.ID == "" || f.Rule == "" || f.Title == "" || f.Effect == "" {
			t.Errorf("%s: %d subjects of %d, %d of evidence, effect %q", f.ID, len(f.Subjects), f.Count, len(f.Evidence), f.Effect)
		}
	}
	h := r.Holes[slices.IndexFunc(r.Holes, func(h findings.Hole) bool { return h.Component == "kubelet" })]
	if h.Count != 5000 || len(h.Subjects) != 20 {
		t.Errorf("5,000 kubelets of one version are %d, %d of them named", h.Count, len(h.Subjects))
	}
	ids := map[string]bool{}
	for _, f := range r.Findings {
		if ids[f.ID] {
			t.Errorf("two findings are called %s", f.ID)
		}
		ids[f.ID] = true
	}
	later := judge(t, kubeadm124(t), findings.Options{At: at(t, "2024-03-21T23:00:00Z")})
	for id := range ids {
		if find(later, id) == nil {
			t.Errorf("%s has another name the day after", id)
		}
	}
}

// TestCureThatIsNotOut: what will be cured by a release of the next week cannot be taken today.
func TestCureThatIsNotOut(t *testing.T) {
	s := base("x", at(t, "2026-09-20T08:00:00Z"))
	s.APIServers = []cluster.APIServer{{Name: "cp", Version: "v1.37.0"}}
	addComponents(s, "v1.37.0", "kube-controller-manager")
	for day, want := range map[string]string{"2026-09-20T08:00:00Z": "Take v1.37.1 when it is out", "2026-10-01T08:00:00Z": "Take the patch release v1.37.1"} {
		f := find(judge(t, s, findings.Options{At: at(t, day)}), "vulnerability/CVE-2026-2270")
		if f == nil || len(f.Remedy) == 0 || !strings.HasPrefix(f.Remedy[0].Text, want) {
			t.Errorf("%s: %+v; want %q", day, f, want)
		}
	}
}

// TestBuilds asks of vendors' builds what is known of a flaw: upstream never cured CVE-2025-1767 (gitRepo) in the kubelet; KLTS did.
func TestBuilds(t *testing.T) {
	const hole = "CVE-2025-1767"
	lines := []findings.LineRelease{{Version: "v1.28.15+lts.2", Cures: []string{hole}}, {Version: "v1.28.15+lts.1"}}
	own := []findings.LineRelease{
		{Version: "v1.28.101", Base: "v1.28.15", Cures: []string{hole}}, {Version: "v1.28.102"}, {Version: "v1.28.103", Base: "v1.28.15"}, {Version: "v1.28.15-lts.9", Base: "v1.28.15", Unsure: []string{hole}},
	}
	tests := []struct {
		name, vendor, version string
		lines                 []findings.LineRelease
		want, line            string
	}{
		{"upstream", "", "v1.28.15", nil, findings.Affected, "v1.28.15-lts.2 of KLTS"},
		{"upstream, and a line that is known", "", "v1.28.15", lines, findings.Affected, "v1.28.15+lts.2"},
		{"upstream's release is older than the line's base", "", "v1.28.3", lines, findings.Affected, "v1.28.15+lts.2"},
		{"EKS", "eks", "v1.28.15-eks-2f46c53", nil, findings.UnderInvestigation, ""},
		{"AKS, spelled as upstream's", "aks", "v1.28.15", nil, findings.UnderInvestigation, ""},
		{"AKS, its own number", "aks", "v1.28.102-akslts", nil, findings.UnderInvestigation, ""},
		{"GKE", "gke", "v1.28.15-gke.100", nil, findings.UnderInvestigation, ""},
		{"OpenShift", "openshift", "v1.28.15+6783765", nil, findings.UnderInvestigation, ""},
		{"k3s", "k3s", "v1.28.15+k3s1", nil, findings.UnderInvestigation, ""},
		{"RKE2", "rke2", "v1.28.15+rke2r1", nil, findings.UnderInvestigation, ""},
		{"the newest of KLTS, by its image", "klts", "v1.28.15-lts.2", nil, findings.Cured, "v1.28.15-lts.2 of KLTS"},
		{"named as the newest of KLTS", "klts-by-name", "v1.28.15-lts.2", nil, findings.UnderInvestigation, "v1.28.15-lts.2 of KLTS"},
		{"named as KLTS' releases are, and newer than any", "", "v1.28.15-lts.7", nil, findings.UnderInvestigation, ""},
		{"a patch number of a line", "", "v1.28.101", nil, findings.UnderInvestigation, ""},
		{"a patch number of a line, which cures it by its manifest", "", "v1.28.101", own, findings.Cured, "v1.28.101"},
		{"a patch number of a line, without base", "", "v1.28.102", own, findings.UnderInvestigation, ""},
		{"a patch number of a line, which does not say that it cures it", "", "v1.28.103", own, findings.Affected, ""},
		{"a line release whose maker does not know", "", "v1.28.15-lts.9", own, findings.UnderInvestigation, "v1.28.101"},
		{"an older one of KLTS", "klts", "v1.28.15-lts.0", nil, findings.UnderInvestigation, "v1.28.15-lts.2 of KLTS"},
		{"a line release that cures it", "kubelts", "v1.28.15+lts.2", lines, findings.Cured, "v1.28.15+lts.2"},
		{"a line release that does not", "kubelts", "v1.28.15+lts.1", lines, findings.Affected, "v1.28.15+lts.2"},
		{"a line release that is not known", "kubelts", "v1.28.15+lts.3", lines, findings.UnderInvestigation, "v1.28.15+lts.2"},
		{"somebody's own build", "", "v1.28.15-dirty", nil, findings.UnderInvestigation, "v1.28.15-lts.2 of KLTS"},
		{"a build between tags", "", "v1.28.15-3+0123456789abcd", nil, findings.UnderInvestigation, ""},
		{"a release that is not known", "", "v1.28.77", nil, findings.UnderInvestigation, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", at(t, "2026-09-20T08:00:00Z"))
			s.Nodes = []cluster.Node{{Name: "n", Kubelet: tt.version, OS: "linux"}}
			s.APIServers = []cluster.APIServer{{Name: "cp", Version: tt.version}}
			s.Distribution.Vendor = strings.TrimSuffix(tt.vendor, "-by-name")
			if tt.vendor == release.VendorKLTS {
				s.APIServers[0].Image = "ghcr.io/klts-io/kubernetes-lts/kube-apiserver:" + tt.version
			}
			r := judge(t, s, findings.Options{At: s.Taken, Lines: tt.lines})
			i := slices.IndexFunc(r.Holes, func(h findings.Hole) bool { return h.ID == hole && h.Component == "kubelet" })
			if i < 0 {
				t.Fatalf("the hole is not there: %+v", r.Holes)
			}
			h := r.Holes[i]
			if (h.Status == findings.Cured) != strings.HasPrefix(h.Word, "by the word of its maker") {
				t.Errorf("status %s by %q", h.Status, h.Word)
			}
			if h.Status != tt.want || h.Line != tt.line || (h.Status == findings.UnderInvestigation) != (h.Unsure != "") {
				t.Errorf("status %s, line %q, unsure %q; want %s, %q", h.Status, h.Line, h.Unsure, tt.want, tt.line)
			}
			told := find(r, "vulnerability/"+hole) != nil
			if told != (tt.want == findings.Affected && tt.line != "") { // what no release of Kubernetes cures is told by itself where a line does
				t.Errorf("told as affected: %v", told)
			}
		})
	}
}

func TestApplicability(t *testing.T) {
	flags := func(f map[string]string) func(*cluster.Snapshot) {
		return func(s *cluster.Snapshot) { s.APIServers[0].Flags = f }
	}
	use := func(feature string, used bool) func(*cluster.Snapshot) {
		return func(s *cluster.Snapshot) { s.Uses = []cluster.Use{{Feature: feature, Used: used, By: "a list"}} }
	}
	nothing := func(*cluster.Snapshot) {}
	tests := []struct {
		name, id string
		change   func(*cluster.Snapshot)
		applies  bool
	}{
		{"Windows: no such node", "CVE-2021-25736", nothing, false},
		{"Windows: one", "CVE-2021-25736", func(s *cluster.Snapshot) { s.Nodes[0].OS = "windows" }, true},
		{"Windows: a node whose system is not known", "CVE-2021-25736", func(s *cluster.Snapshot) { s.Nodes[0].OS = "" }, true},
		{"Windows: not all nodes were seen", "CVE-2021-25736", func(s *cluster.Snapshot) { s.NotObserved = []cluster.NotObserved{{What: "nodes", Area: "nodes"}} }, true},
		{"kubelet on Linux, other nodes not seen", "CVE-2023-5528", func(s *cluster.Snapshot) { s.NotObserved = []cluster.NotObserved{{What: "nodes", Area: "nodes"}} }, false},
		{"kubelet on Windows", "CVE-2023-5528", func(s *cluster.Snapshot) { s.Nodes[0].OS = "Windows" }, true},
		{"a flaw of Linux on Windows", "CVE-2025-1767", func(s *cluster.Snapshot) { s.Nodes[0].OS = "windows" }, false},
		{"feature: not looked for", "CVE-2022-3172", nothing, true},
		{"feature: off", "CVE-2022-3172", use(cluster.UseAggregatedAPIs, false), false},
		{"feature: on", "CVE-2022-3172", use(cluster.UseAggregatedAPIs, true), true},
		{"plugin: flags not seen", "CVE-2023-2727", nothing, true},
		{"plugin: off", "CVE-2023-2727", flags(map[string]string{"enable-admission-plugins": "NodeRestriction"}), false},
		{"plugin: on", "CVE-2023-2727", flags(map[string]string{"enable-admission-plugins": "NodeRestriction,ImagePolicyWebhook"}), true},
		{"plugin: the environment tells which", "CVE-2023-2727", flags(map[string]string{"enable-admission-plugins": "NodeRestriction,$(PLUGINS)"}), true},
		{"plugin: the list was cut short", "CVE-2023-2727", flags(map[string]string{"enable-admission-plugins": "NodeRestriction,Image…"}), true},
		{"plugin: OpenShift has them in a file", "CVE-2023-2727", func(s *cluster.Snapshot) {
			s.Distribution.Vendor = "openshift"
			s.APIServers[0].Flags = map[string]string{"v": "2"}
		}, true},
		{"plugin: on, by the flag of old", "CVE-2023-2727", flags(map[string]string{"admission-control": "ImagePolicyWebhook"}), true},
		{"plugin: another server's flags were not seen", "CVE-2023-2727", func(s *cluster.Snapshot) {
			s.APIServers[0].Flags = map[string]string{"profiling": "true"}
			s.APIServers = append(s.APIServers, cluster.APIServer{Name: "cp-2", Version: "v1.24.9"})
		}, true},
		{"plugin that prevents: on", "CVE-2025-5187", flags(map[string]string{"enable-admission-plugins": "OwnerReferencesPermissionEnforcement"}), false},
		{"plugin that prevents: off", "CVE-2025-5187", flags(map[string]string{"enable-admission-plugins": "NodeRestriction"}), true},
		{"verbosity or profiling: both low", "CVE-2020-8561", flags(map[string]string{"v": "2", "profiling": "false"}), false},
		{"verbosity or profiling: profiling as it is by default", "CVE-2020-8561", flags(map[string]string{"v": "2"}), true},
		{"verbosity or profiling: verbose", "CVE-2020-8561", flags(map[string]string{"v": "10", "profiling": "false"}), true},
		{"verbosity or profiling: verbose in some files", "CVE-2020-8561", flags(map[string]string{"vmodule": "httplog=10", "profiling": "false"}), true},
		{"verbosity or profiling: not a number", "CVE-2020-8561", flags(map[string]string{"v": "x", "profiling": "false"}), true},
		{"verbosity or profiling: profiling in another spelling", "CVE-2020-8561", flags(map[string]string{"v": "2", "profiling": "1"}), true},
		{"verbosity or profiling: off in another spelling", "CVE-2020-8561", flags(map[string]string{"v": "2", "profiling": "F"}), false},
		{"verbosity or profiling: the environment tells", "CVE-2020-8561", flags(map[string]string{"v": "2", "profiling": "$(PROFILING)"}), true},
		{"no webhooks", "CVE-2020-8561", use(cluster.UseWebhooks, false), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", at(t, "2024-03-20T08:00:00Z"))
			s.APIServers = []cluster.APIServer{{Name: "cp", Version: "v1.22.0"}}
			s.Nodes = []cluster.Node{{Name: "n", Kubelet: "v1.22.0", OS: "linux"}}
			addComponents(s, "v1.20.0", "kube-proxy")
			tt.change(s)
			r := judge(t, s, findings.Options{At: s.Taken})
			i := slices.IndexFunc(r.Holes, func(h findings.Hole) bool { return h.ID == tt.id })
			if i < 0 {
				t.Fatalf("%s is not in the report", tt.id)
			}
			h := r.Holes[i]
			if (h.Status == findings.NotAffected) == tt.applies || (h.NotApplicable == "") != tt.applies {
				t.Errorf("status %s, not applicable because %q; want it to apply: %v", h.Status, h.NotApplicable, tt.applies)
			}
		})
	}
}

// TestLoopbackIsReadNotGuessed gives a server of 1.36 a certificate of one year, and one of 1.24 ten years: what is served counts.
func TestLoopbackIsReadNotGuessed(t *testing.T) {
	tests := []struct {
		name, version string
		days          int
		want          findings.Severity
		evidence      string
	}{
		{"a year where three are expected", "v1.36.3", 365, findings.High, "of v1.36.3 one expects 1096 days; this one has 365"},
		{"ten years where one is expected", "v1.24.17", 3650, "", ""},
		{"as expected", "v1.24.17", 365, findings.High, "of v1.24.17 one expects 365 days"},
		{"version not known", "", 365, findings.High, "started"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", at(t, "2026-09-20T08:00:00Z"))
			addServer(t, s, "cp", "10.0.0.1:6443", tt.version, at(t, "2025-10-01T00:00:00Z"), tt.days)
			f := find(judge(t, s, findings.Options{At: s.Taken}), "loopback-certificate")
			if (f == nil) != (tt.want == "") {
				t.Fatalf("finding: %+v", f)
			}
			if f != nil && (f.Severity != tt.want || !strings.Contains(strings.Join(f.Evidence, "\n"), tt.evidence)) {
				t.Errorf("severity %s, evidence %q", f.Severity, f.Evidence)
			}
		})
	}
}

func TestLoopbackNotObserved(t *testing.T) {
	other := func(s *cluster.Snapshot) {
		c := chainOf(t, cluster.APIServerLoopback, "10.0.0.1:6443", cert{cn: "kube-apiserver", from: s.Taken.AddDate(0, -1, 0), to: s.Taken.AddDate(1, 0, 0), names: []string{"x"}})
		s.Certificates = append(s.Certificates, c)
		s.APIServers = []cluster.APIServer{{Name: "cp", Address: "10.0.0.1:6443", Version: "v1.30.1", Loopback: []string{c.ID, "a name that is not there"}}}
	}
	tests := []struct {
		name   string
		change func(*cluster.Snapshot)
		want   string
	}{
		{"none, and no reason", func(s *cluster.Snapshot) {
			s.APIServers = []cluster.APIServer{{Name: "cp", Address: "10.0.0.1:6443", Version: "v1.30.1"}}
		}, "loopback certificate of 10.0.0.1:6443"},
		{"what was served is another certificate", other, "loopback certificate of 10.0.0.1:6443"},
		{"a shared address alone", func(s *cluster.Snapshot) {
			addServer(t, s, "", "lb:6443", "v1.30.1", s.Taken.AddDate(0, -1, 0), 365).Shared = true
		}, "kube-apiservers behind lb:6443 beyond the 1 seen"},
		{"a shared address beside known instances", func(s *cluster.Snapshot) {
			addServer(t, s, "cp", "10.0.0.1:6443", "v1.30.1", s.Taken.AddDate(0, -1, 0), 365)
			s.APIServers = append(s.APIServers, cluster.APIServer{Address: "lb:6443", Version: "v1.30.1", Shared: true, Loopback: s.APIServers[0].Loopback})
		}, ""},
		{"a shared address that shows one more", func(s *cluster.Snapshot) {
			addServer(t, s, "cp", "10.0.0.1:6443", "v1.30.1", s.Taken.AddDate(0, -1, 0), 365)
			addServer(t, s, "", "lb:6443", "v1.30.1", s.Taken.AddDate(0, -1, 0), 365).Shared = true
		}, "kube-apiservers behind lb:6443 beyond the 1 seen"},
		{"a reason of another", func(s *cluster.Snapshot) {
			s.APIServers = []cluster.APIServer{{Name: "cp-1", Version: "v1.30.1"}}
			s.NotObserved = []cluster.NotObserved{{What: "loopback certificate of cp-10", Area: "loopback", Reason: "a proxy answers"}}
		}, "loopback certificate of cp-10|loopback certificate of cp-1"},
		{"with a reason of its own", func(s *cluster.Snapshot) {
			s.APIServers = []cluster.APIServer{{Name: "cp", Address: "10.0.0.1:6443", Version: "v1.30.1"}}
			s.NotObserved = []cluster.NotObserved{{What: "loopback certificate of cp at 10.0.0.1:6443", Area: "loopback", Reason: "a proxy answers"}}
		}, "loopback certificate of cp at 10.0.0.1:6443"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", at(t, "2026-09-20T08:00:00Z"))
			tt.change(s)
			var got []string
			for _, n := range judge(t, s, findings.Options{At: s.Taken}).NotObserved {
				if n.Area == "loopback" {
					got = append(got, n.What)
				}
			}
			if strings.Join(got, "|") != tt.want {
				t.Errorf("not observed: %q, want %q", got, tt.want)
			}
		})
	}
}

// TestStrangersNames puts names into a snapshot that would do harm in a shell or an endless line in a report.
func TestStrangersNames(t *testing.T) {
	evil := []string{"a b; touch x", "$(touch x)", "it's", "-rf", "a\x1b[31mb", "x\ny", "`id`", strings.Repeat("long", 10_000), "\xff\xfe", ""}
	for _, name := range evil {
		t.Run(fmt.Sprintf("%.12q", name), func(t *testing.T) {
			s := kubeadm124(t)
			s.Nodes = s.Nodes[:1]
			s.Context, s.Nodes[0].Name = name, name
			for i := range s.APIServers {
				s.APIServers[i].Name, s.APIServers[i].Address = name, name
			}
			s.Webhooks[0].Object, s.Webhooks[1].Object = "validatingwebhookconfiguration/"+name, "apiservice/"+name
			s.Certificates[len(s.Certificates)-1].Object = "validatingwebhookconfiguration/" + name
			s.Stored[0].Resource, s.Stored[0].Storage = name, name
			s.Signing = []cluster.SigningReq{{Name: name, Signer: name, State: name}}
			s.Tokens = []cluster.Token{{Kind: "bootstrap", Name: name}}
			r := judge(t, s, findings.Options{At: at(t, "2024-03-20T08:59:00Z")})
			for _, f := range r.Findings {
				for _, line := range append(append([]string{f.Title}, f.Subjects...), f.Evidence...) {
					if len(line) > 2500 {
						t.Errorf("%s: a line of %d bytes", f.ID, len(line))
					}
				}
				for _, step := range f.Remedy {
					if bare := unquoted(step.Command); name != "" && strings.Contains(bare, name) && strings.ContainsAny(name, " ;$`'\n\x1b") {
						t.Errorf("%s: the command %q has the name unquoted", f.ID, step.Command)
					}
					if strings.ContainsAny(step.Command, "\n\x1b\uFFFD") || !utf8.ValidString(step.Command) {
						t.Errorf("%s: the command %q has control characters", f.ID, step.Command)
					}
				}
			}
		})
	}
}

// unquoted takes what stands in single quotes out of a command.
func unquoted(command string) string {
	var out strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(command, `'\''`, ""), "'") {
		if i%2 == 0 {
			out.WriteString(part)
		}
	}
	return out.String()
}

// TestZones: the zone in which a time is given changes nothing.
func TestZones(t *testing.T) {
	utc := at(t, "2024-03-31T23:30:00Z")
	here := judge(t, kubeadm124(t), findings.Options{At: utc})
	there := judge(t, kubeadm124(t), findings.Options{At: utc.In(time.FixedZone("", 14*3600))})
	if diff := cmp.Diff(here, there); diff != "" {
		t.Errorf("another zone (-UTC +14h):\n%s", diff)
	}
}

func TestSnapshotsOfOtherDays(t *testing.T) {
	s, o := healthy(t)
	for _, tt := range []struct {
		at   string
		want string
	}{
		{"2026-10-01T09:00:00Z", ""}, {"2026-10-08T07:59:00Z", ""}, {"2026-10-10T08:00:00Z", "snapshot-age"}, {"2026-09-29T07:00:00Z", "snapshot-future"},
	} {
		o.At = at(t, tt.at)
		r := judge(t, s, o)
		got := ""
		for _, f := range r.Findings {
			if f.Rule == "snapshot-age" {
				got = f.ID
			}
		}
		if got != tt.want {
			t.Errorf("on %s: %q, want %q", tt.at, got, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name string
		node cluster.Node
		want []string
	}{
		{"Docker before 1.24", cluster.Node{Kubelet: "v1.23.1", Runtime: "docker://20.10.7"}, []string{"node-dockershim 1.24 true"}},
		{"Docker from 1.24 on is cri-dockerd", cluster.Node{Kubelet: "v1.24.1", Runtime: "docker://20.10.7"}, nil},
		{"containerd 1", cluster.Node{Kubelet: "v1.36.0", Runtime: "containerd://1.7.27"}, []string{"node-containerd-1 1.38 true"}},
		{"containerd 2", cluster.Node{Kubelet: "v1.36.0", Runtime: "containerd://2.0.1"}, nil},
		{"CRI-O", cluster.Node{Kubelet: "v1.36.0", Runtime: "cri-o://1.25.5"}, nil},
		{"a kernel without cgroup v2", cluster.Node{Kubelet: "v1.30.0", Kernel: "3.10.0-1160.el7.x86_64", OS: "linux"}, []string{"node-cgroup-v1 1.35 true"}},
		{"a system that starts with cgroup v1", cluster.Node{Kubelet: "v1.30.0", Kernel: "5.10.220-209.869.amzn2.x86_64", OS: "linux", Image: "Amazon Linux 2"}, []string{"node-cgroup-v1 1.35 false"}},
		{"its successor", cluster.Node{Kubelet: "v1.30.0", Kernel: "6.1.0", OS: "linux", Image: "Amazon Linux 2023.5"}, nil},
		{"Windows has no cgroups", cluster.Node{Kubelet: "v1.30.0", Kernel: "10.0.17763.1098", OS: "windows"}, nil},
		{"a kernel that is no number", cluster.Node{Kubelet: "v1.30.0", Kernel: "x", OS: "linux"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, l := range findings.Limits(tt.node) {
				got = append(got, fmt.Sprintf("%s %s %v", l.Rule, l.From, l.Certain))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	s, c := kubeadm124(b), facts(b)
	for b.Loop() {
		if _, err := findings.Judge(s, c, findings.Options{At: s.Taken}); err != nil {
			b.Fatal(err)
		}
	}
}

// hostileMegabytes is what the judgement of such a snapshot may take in memory altogether. What grows with the square of a snapshot's size takes many times as much.
const hostileMegabytes = 2000

// TestHostileSizes judges a snapshot that is large, each object of it with a fault of its own.
func TestHostileSizes(t *testing.T) {
	now := at(t, "2026-09-20T08:00:00Z")
	s := base("x", now)
	ended := make1(t, cert{cn: "x", from: now.AddDate(-2, 0, 0), to: now.AddDate(-1, 0, 0)})
	for i := range cluster.MaxAPIServers {
		s.APIServers = append(s.APIServers, cluster.APIServer{Name: fmt.Sprintf("cp-%d", i), Address: fmt.Sprintf("10.0.%d.%d:6443", i/250, i%250), Version: fmt.Sprintf("v1.%d.0", i)})
	}
	for i := range 4000 {
		name := fmt.Sprintf("n-%d", i)
		s.Nodes = append(s.Nodes, cluster.Node{Name: name, Kubelet: fmt.Sprintf("v1.%d.0", i), Runtime: "docker://1", OS: name})
		s.Components = append(s.Components,
			cluster.Component{Name: "kube-proxy", Object: name, Version: fmt.Sprintf("v1.%d.1", i)}, cluster.Component{Name: "ingress-nginx", Object: name, Version: fmt.Sprintf("v0.%d.1", i)},
		)
		s.Certificates = append(s.Certificates, cluster.Chain{ID: name, Kind: []cluster.ChainKind{cluster.HostFile, cluster.EtcdServing, cluster.WebhookCA}[i%3], Where: name, DER: [][]byte{ended}})
		s.Webhooks = append(s.Webhooks, cluster.Webhook{Object: "w/" + name, Name: name, Failure: "Fail", Target: "a/b", Available: new(bool)})
		s.NotObserved = append(s.NotObserved, cluster.NotObserved{What: name, Area: "vulnerabilities", Reason: "x"})
		s.Deprecated = append(s.Deprecated, cluster.DeprecatedAPI{Group: name, Version: "v1", Resource: "r", Removed: "1.2000"})
		s.Stored = append(s.Stored, cluster.StoredVersion{Resource: name, Stored: []string{"v1"}})
		s.Signing = append(s.Signing, cluster.SigningReq{Name: name, Signer: name, State: name})
		s.Tokens = append(s.Tokens, cluster.Token{Kind: name, Name: name})
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := judge(t, s, findings.Options{At: now})
	runtime.ReadMemStats(&after)
	if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > hostileMegabytes {
		t.Errorf("it took %d MB in all, more than %d", made, hostileMegabytes)
	}
	if text, err := json.Marshal(r); err != nil || len(text) > 8<<20 {
		t.Errorf("the report has %d bytes, %v", len(text), err)
	}
	t.Logf("%d MB in %d pieces", (after.TotalAlloc-before.TotalAlloc)>>20, after.Mallocs-before.Mallocs)
	if len(r.Findings) > 2000 || len(r.Deadlines) > 2000 || r.Verdict != findings.Broken {
		t.Errorf("%d findings, %d deadlines, verdict %s", len(r.Findings), len(r.Deadlines), r.Verdict)
	}
}
