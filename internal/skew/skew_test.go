package skew_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/skew"
)

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

// server reads "v1.34.2", "v1.34.2 emulates 1.33" and "v1.34.2 emulates 1.33 bears 1.32".
func server(t *testing.T, text string) skew.Server {
	t.Helper()
	f := strings.Fields(text)
	s := skew.Server{Name: text, Version: version(t, f[0])}
	for i := 1; i+1 < len(f); i += 2 {
		m := version(t, f[i+1]).Minor
		switch f[i] {
		case "emulates":
			s.Emulated = m
		case "bears":
			s.MinCompatible = m
		}
	}
	return s
}

type skewCase struct {
	name      string
	servers   []string
	component skew.Component
	version   string
	kubelet   string
	want      []string // rules
}

// cases are the rules of the policy, each at its edge and over it, with vendors' spellings among them.
func cases() []skewCase {
	const (
		kcm   = skew.ControllerManager
		sched = skew.Scheduler
		ccm   = skew.CloudControllerManager
	)
	one := func(s string) []string { return []string{s} }
	return []skewCase{
		{"one server", one("v1.30.1"), "", "", "", nil},
		{"servers of one minor", []string{"v1.30.1", "v1.30.9"}, "", "", "", nil},
		{"servers one apart", []string{"v1.30.1", "v1.31.0"}, "", "", "", one(skew.RuleServersMixed)},
		{"servers two apart", []string{"v1.29.9", "v1.30.1", "v1.31.0"}, "", "", "", one(skew.RuleServersApart)},
		{"a server without version does not count", []string{"v1.30.1"}, "", "", "", nil},

		{"kubelet as the server", one("v1.30.1"), skew.Kubelet, "v1.30.9", "", nil},
		{"kubelet newer", one("v1.30.1"), skew.Kubelet, "v1.31.0", "", one(skew.RuleKubeletNewer)},
		{"kubelet three older, first time allowed", one("v1.28.0"), skew.Kubelet, "v1.25.16", "", nil},
		{"kubelet three older and before 1.25", one("v1.27.0"), skew.Kubelet, "v1.24.17", "", one(skew.RuleKubeletOlder)},
		{"kubelet two older and before 1.25", one("v1.26.0"), skew.Kubelet, "v1.24.17", "", nil},
		{"kubelet four older", one("v1.30.1"), skew.Kubelet, "v1.26.15", "", one(skew.RuleKubeletOlder)},
		{"kubelet two older, long ago", one("v1.8.0"), skew.Kubelet, "v1.6.13", "", nil},
		{"kubelet three older, long ago", one("v1.9.0"), skew.Kubelet, "v1.6.13", "", one(skew.RuleKubeletOlder)},
		{"mixed servers: newer than the older one", []string{"v1.30.1", "v1.31.0"}, skew.Kubelet, "v1.31.0", "", []string{skew.RuleServersMixed, skew.RuleKubeletNewer}},
		{"mixed servers: too old for the newer one", []string{"v1.30.1", "v1.31.0"}, skew.Kubelet, "v1.27.0", "", []string{skew.RuleServersMixed, skew.RuleKubeletOlder}},
		{"mixed servers: in what both allow", []string{"v1.30.1", "v1.31.0"}, skew.Kubelet, "v1.28.0", "", one(skew.RuleServersMixed)},

		{"proxy three older", one("v1.30.1"), skew.Proxy, "v1.27.1", "", nil},
		{"proxy newer", one("v1.30.1"), skew.Proxy, "v1.31.0", "v1.30.1", one(skew.RuleProxyNewer)},
		{"proxy four older", one("v1.30.1"), skew.Proxy, "v1.26.1", "", one(skew.RuleProxyOlder)},
		{"proxy three older and before 1.25", one("v1.27.0"), skew.Proxy, "v1.24.1", "", one(skew.RuleProxyOlder)},
		{"proxy three newer than its kubelet", one("v1.30.1"), skew.Proxy, "v1.30.1", "v1.27.1", nil},
		{"proxy three older than its kubelet", one("v1.30.1"), skew.Proxy, "v1.27.1", "v1.30.1", nil},
		{"proxy four newer than its kubelet", one("v1.30.1"), skew.Proxy, "v1.30.1", "v1.26.1", one(skew.RuleProxyKubelet)},
		{"proxy before 1.25, two older than its kubelet", one("v1.28.0"), skew.Proxy, "v1.24.1", "v1.27.1", []string{skew.RuleProxyOlder, skew.RuleProxyKubelet}},
		{"proxy before 1.25, three older than its kubelet, server old", one("v1.26.0"), skew.Proxy, "v1.23.0", "v1.26.0", []string{skew.RuleProxyOlder, skew.RuleProxyKubelet}},
		{"the rule of that time: same minor as the kubelet", one("v1.19.0"), skew.Proxy, "v1.19.0", "v1.18.0", one(skew.RuleProxyKubeletThen)},
		{"the rule of that time, last minor", one("v1.26.0"), skew.Proxy, "v1.26.0", "v1.25.0", one(skew.RuleProxyKubeletThen)},
		{"the rule of that time is over", one("v1.27.0"), skew.Proxy, "v1.27.0", "v1.26.0", nil},
		{"mixed servers narrow kube-proxy", []string{"v1.30.1", "v1.31.0"}, skew.Proxy, "v1.31.0", "", []string{skew.RuleServersMixed, skew.RuleProxyNewer}},

		{"controller manager newer", one("v1.30.1"), kcm, "v1.31.0", "", one(skew.RuleControlNewer)},
		{"scheduler one older", one("v1.30.1"), sched, "v1.29.0", "", one(skew.RuleControlSame)},
		{"scheduler as the server", one("v1.30.1"), sched, "v1.30.0", "", nil},
		{"cloud controller manager two older", one("v1.30.1"), ccm, "v1.28.0", "", one(skew.RuleControlOlder)},
		{"mixed servers: of the older", []string{"v1.30.1", "v1.31.0"}, kcm, "v1.30.1", "", []string{skew.RuleServersMixed, skew.RuleControlSame}},
		{"mixed servers: of the newer", []string{"v1.30.1", "v1.31.0"}, kcm, "v1.31.0", "", []string{skew.RuleServersMixed, skew.RuleControlNewer}},
		{"mixed servers: one before the older", []string{"v1.30.1", "v1.31.0"}, kcm, "v1.29.0", "", []string{skew.RuleServersMixed, skew.RuleControlOlder}},

		{"emulation: controller manager as emulated", one("v1.36.0 emulates 1.35"), kcm, "v1.35.2", "", nil},
		{"emulation: controller manager of the binary", one("v1.36.0 emulates 1.35"), kcm, "v1.36.0", "", one(skew.RuleEmulationControl)},
		{"emulation: controller manager as old as it bears", one("v1.36.0 emulates 1.35 bears 1.34"), kcm, "v1.34.2", "", nil},
		{"emulation: compatibility raised", one("v1.36.0 emulates 1.36 bears 1.36"), kcm, "v1.35.2", "", one(skew.RuleEmulationControl)},
		{"emulation: compatibility lowered", one("v1.36.0 emulates 1.36 bears 1.33"), sched, "v1.33.2", "", nil},
		{"emulation: kubelet of the binary", one("v1.36.0 emulates 1.35"), skew.Kubelet, "v1.36.0", "", one(skew.RuleEmulationNode)},
		{"emulation: kubelet two before what it bears", one("v1.36.0 emulates 1.35 bears 1.34"), skew.Kubelet, "v1.32.0", "", nil},
		{"emulation: kubelet three before what it bears", one("v1.36.0 emulates 1.36 bears 1.36"), skew.Kubelet, "v1.33.0", "", one(skew.RuleEmulationNode)},
		{"emulation: proxy of the binary", one("v1.36.0 emulates 1.35"), skew.Proxy, "v1.36.0", "", one(skew.RuleEmulationNode)},
		{"emulation: too old in any case", one("v1.36.0 emulates 1.35"), skew.Kubelet, "v1.29.0", "", one(skew.RuleKubeletOlder)},
		{"a server that says what it is anyway", one("v1.33.0 emulates 1.33 bears 1.32"), kcm, "v1.32.0", "", one(skew.RuleControlSame)},

		{"EKS: three older", one("v1.28.5-eks-5e0fdde"), skew.Kubelet, "v1.25.16-eks-59bf375", "", nil},
		{"EKS: three older before 1.25", one("v1.27.16-eks-2f46c53"), skew.Kubelet, "v1.24.17-eks-5e0fdde", "", one(skew.RuleKubeletOlder)},
		{"EKS: image of kube-proxy", one("v1.28.5-eks-5e0fdde"), skew.Proxy, "v1.24.10-eksbuild.2", "", one(skew.RuleProxyOlder)},
		{"EKS: a minor with a plus", one("1.28+"), skew.Kubelet, "v1.29.0-eks-5e0fdde", "", one(skew.RuleKubeletNewer)},
		{"GKE", one("v1.30.5-gke.1014001"), skew.Kubelet, "v1.26.15-gke.4901000", "", one(skew.RuleKubeletOlder)},
		{"AKS, its own patch numbers", one("v1.28.102-akslts"), skew.Kubelet, "v1.25.6", "", nil},
		{"OpenShift", one("v1.27.6+b49f9d1"), skew.Kubelet, "v1.25.16+9946c63", "", nil},
		{"OpenShift, kubelet newer", one("v1.25.16+9946c63"), skew.Kubelet, "v1.27.6+b49f9d1", "", one(skew.RuleKubeletNewer)},
		{"k3s", one("v1.28.4+k3s2"), skew.Kubelet, "v1.29.0+k3s1", "", one(skew.RuleKubeletNewer)},
		{"RKE2", one("v1.28.15+rke2r1"), skew.Kubelet, "v1.28.15+rke2r1", "", nil},
		{"lines", one("v1.28.15+lts.3"), kcm, "v1.28.15-lts.1", "", nil},
		{"ACK", one("v1.20.11-aliyun.1"), skew.Kubelet, "v1.17.2-aliyun.1", "", one(skew.RuleKubeletOlder)},
		{"TKE", one("v1.26.1-tke.3"), skew.Kubelet, "v1.24.4-tke.5", "", nil},
		{"pre-release", one("v1.31.0-rc.1"), skew.Kubelet, "v1.31.0", "", nil},
		{"a part without version does not count", one("v1.30.1"), skew.Kubelet, "", "", nil},
		{"another component", one("v1.30.1"), "etcd", "v3.5.9", "", nil},
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range cases() {
		t.Run(tt.name, func(t *testing.T) {
			var servers []skew.Server
			for _, s := range tt.servers {
				servers = append(servers, server(t, s))
			}
			var parts []skew.Part
			if tt.component != "" {
				parts = append(parts, skew.Part{Component: tt.component, Name: "it", Version: version(t, tt.version), Kubelet: version(t, tt.kubelet)})
			}
			var got []string
			for _, v := range skew.Check(append(servers, skew.Server{Name: "silent"}), parts) {
				got = append(got, v.Rule.ID)
				if v.Why == "" || v.Rule.Text == "" {
					t.Errorf("%+v says nothing", v)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
	if got := skew.Check(nil, []skew.Part{{Component: skew.Kubelet, Version: version(t, "v1.2.0")}}); got != nil {
		t.Errorf("without servers: %v", got)
	}
}

func TestKubectlKubeadmUpgrade(t *testing.T) {
	kubectl := func(a, b string) (skew.Violation, bool) {
		return skew.CheckKubectl(version(t, a), []skew.Server{{Version: version(t, b)}})
	}
	kubeadm := func(a, b string) (skew.Violation, bool) { return skew.CheckKubeadm(version(t, a), version(t, b)) }
	upgrade := func(a, b string) (skew.Violation, bool) { return skew.CheckUpgrade(version(t, a), version(t, b)) }
	tests := []struct {
		name  string
		check func(a, b string) (skew.Violation, bool)
		a, b  string
		want  string
	}{
		{"kubectl one newer", kubectl, "v1.31.0", "v1.30.1", ""},
		{"kubectl two newer", kubectl, "v1.32.0", "v1.30.1", skew.RuleKubectl},
		{"kubectl one older", kubectl, "v1.29.0", "v1.30.1", ""},
		{"kubectl two older", kubectl, "v1.28.0", "v1.30.1", skew.RuleKubectl},
		{"kubeadm 1.29 and a kubelet three older", kubeadm, "v1.29.0", "v1.26.0", ""},
		{"kubeadm 1.29 and a kubelet four older", kubeadm, "v1.29.0", "v1.25.0", skew.RuleKubeadm},
		{"kubeadm 1.28 and a kubelet one older", kubeadm, "v1.28.0", "v1.27.0", ""},
		{"kubeadm 1.28 and a kubelet two older", kubeadm, "v1.28.0", "v1.26.0", skew.RuleKubeadm},
		{"kubeadm and a newer kubelet", kubeadm, "v1.28.0", "v1.29.0", skew.RuleKubeadm},
		{"upgrade to the next minor", upgrade, "v1.29.3", "v1.30.0", ""},
		{"upgrade within the minor", upgrade, "v1.29.3", "v1.29.9", ""},
		{"upgrade over a minor", upgrade, "v1.29.3-eks-1", "v1.31.0-eks-1", skew.RuleUpgradeSkips},
		{"back", upgrade, "v1.29.3", "v1.28.9", skew.RuleUpgradeBack},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v, broken := tt.check(tt.a, tt.b); v.Rule.ID != tt.want || broken != (tt.want != "") {
				t.Errorf("rule = %q, %v; want %q", v.Rule.ID, broken, tt.want)
			}
		})
	}
}

// TestEveryRuleHasACase fails for a rule that nothing above breaks.
func TestEveryRuleHasACase(t *testing.T) {
	broken := map[string]bool{
		skew.RuleKubectl: true, skew.RuleKubeadm: true, skew.RuleUpgradeSkips: true, skew.RuleUpgradeBack: true, // TestKubectlKubeadmUpgrade
	}
	for _, c := range cases() {
		for _, id := range c.want {
			broken[id] = true
		}
	}
	for _, r := range skew.Rules() {
		if !broken[r.ID] {
			t.Errorf("no case breaks rule %s", r.ID)
		}
		delete(broken, r.ID)
	}
	if len(broken) != 0 {
		t.Errorf("cases want rules that there are not: %v", broken)
	}
}

func TestHopsAndOldestNode(t *testing.T) {
	m := func(s string) release.Minor { return version(t, s).Minor }
	if diff := cmp.Diff([]release.Minor{m("1.25"), m("1.26"), m("1.27")}, skew.Hops(m("1.24"), m("1.27"))); diff != "" {
		t.Error(diff)
	}
	if got := skew.Hops(m("1.27"), m("1.27")); got != nil {
		t.Errorf("hops to where it is: %v", got)
	}
	for server, want := range map[string]string{"1.24": "1.22", "1.27": "1.25", "1.28": "1.25", "1.36": "1.33"} {
		if got := skew.OldestNode(m(server)); got != m(want) {
			t.Errorf("oldest node beside %s is %s, want %s", server, got, want)
		}
		if r := skew.Allowed(skew.Kubelet, m(want), []skew.Server{{Version: version(t, server+".0")}}); r.Oldest != m(want) && r.Oldest != m(want).Plus(-1) {
			t.Errorf("the range beside %s begins at %s, and the oldest node is %s", server, r.Oldest, want)
		}
	}
}

// TestNarrowing: another server never makes a range wider.
func TestNarrowing(t *testing.T) {
	for a := 6; a < 38; a++ {
		for b := 6; b < 38; b++ {
			sa, sb := skew.Server{Version: release.Of(release.Minor{Major: 1, Minor: a}, 0)}, skew.Server{Version: release.Of(release.Minor{Major: 1, Minor: b}, 0)}
			for _, c := range []skew.Component{skew.Kubelet, skew.Proxy, skew.ControllerManager} {
				part := release.Minor{Major: 1, Minor: a}
				alone, both := skew.Allowed(c, part, []skew.Server{sa}), skew.Allowed(c, part, []skew.Server{sa, sb})
				if release.CompareMinors(both.Newest, alone.Newest) > 0 || release.CompareMinors(both.Oldest, alone.Oldest) < 0 {
					t.Fatalf("%s beside 1.%d: %v; and 1.%d: %v", c, a, alone, b, both)
				}
			}
		}
	}
}
