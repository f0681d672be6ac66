package findings_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// TestSupport holds the support state by upstream and by the vendor whose build it is, at days around their ends.
func TestSupport(t *testing.T) {
	line := []findings.LineRelease{{Version: "v1.28.15+lts.2"}, {Version: "v1.28.15+lts.10"}}
	tests := []struct {
		name, vendor, version, at string
		lines                     []findings.LineRelease
		want                      []string // rule and severity
	}{
		{"upstream, active", "", "v1.28.8", "2024-03-20", nil, nil},
		{"upstream, not the newest patch release", "", "v1.28.7", "2024-03-20", nil, []string{"support-patch low"}},
		{"upstream, 89 days left", "", "v1.28.12", "2024-07-25", nil, []string{"support-upstream medium"}},
		{"upstream, the last day", "", "v1.28.15", "2024-10-22", nil, []string{"support-upstream medium"}},
		{"upstream, the day after", "", "v1.28.15", "2024-10-23", nil, []string{"support-upstream high"}},
		{"upstream, by the policy of old", "", "v1.16.15", "2021-01-01", nil, []string{"support-upstream high"}},
		{"EKS, standard", "eks", "v1.28.15-eks-2f46c53", "2024-08-01", nil, []string{"support-upstream info"}},
		{"EKS, standard support ends soon", "eks", "v1.28.15-eks-2f46c53", "2024-10-25", nil, []string{"support-upstream info", "support-vendor low"}},
		{"EKS, extended", "eks", "v1.28.15-eks-2f46c53", "2024-12-01", nil, []string{"support-upstream info", "support-vendor medium"}},
		{"EKS, over", "eks", "v1.28.15-eks-2f46c53", "2025-11-27", nil, []string{"support-upstream info", "support-vendor high"}},
		{"AKS, long-term support, which not everybody has", "aks", "v1.28.15", "2025-06-01", nil, []string{"support-upstream info", "support-vendor medium"}},
		{"GKE, extended, until when is not published", "gke", "v1.28.15-gke.3290000", "2025-06-01", nil, []string{"support-upstream info", "support-vendor medium"}},
		{"OpenShift, maintenance", "openshift", "v1.27.16+03a907c", "2024-11-15", nil, []string{"support-upstream info"}},
		{"OpenShift, extended update support", "openshift", "v1.27.16+03a907c", "2025-06-01", nil, []string{"support-upstream info", "support-vendor medium"}},
		{"KLTS, alive", "klts", "v1.28.15-lts.2", "2026-05-01", nil, []string{"support-upstream info", "support-vendor low"}},
		{"KLTS, given up", "klts", "v1.10.13-lts.2", "2026-05-01", nil, []string{"support-upstream info", "support-vendor medium"}},
		{"RKE2 follows upstream", "rke2", "v1.28.15+rke2r1", "2025-01-01", nil, []string{"support-upstream high", "support-vendor info"}},
		{"k3s follows upstream", "k3s", "v1.28.15+k3s1", "2025-01-01", nil, []string{"support-upstream high", "support-vendor info"}},
		{"a vendor of which nothing is known", "tke", "v1.28.3-tke.5", "2025-01-01", nil, []string{"support-upstream high", "support-vendor info"}},
		{"a line, its newest release", "kubelts", "v1.28.15+lts.10", "2026-05-01", line, []string{"support-upstream info"}},
		{"a line, an older release", "kubelts", "v1.28.15+lts.2", "2026-05-01", line, []string{"support-line medium", "support-upstream info"}},
		{"a line of which nothing is known", "kubelts", "v1.28.15+lts.2", "2026-05-01", nil, []string{"support-line low", "support-upstream info"}},
		{"a release that the facts do not know", "", "v1.28.99", "2024-03-20", nil, nil},
		{"a minor that they do not know", "", "v1.99.0", "2024-03-20", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", at(t, tt.at+"T12:00:00Z"))
			s.Distribution.Vendor = tt.vendor
			s.APIServers = []cluster.APIServer{{Name: "cp", Version: tt.version}}
			r := judge(t, s, findings.Options{At: s.Taken, Lines: tt.lines})
			got := map[string]bool{}
			for _, f := range r.Findings {
				if f.Area == cluster.Support {
					got[fmt.Sprintf("%s %s", f.Rule, f.Severity)] = true
				}
			}
			want := map[string]bool{}
			for _, w := range tt.want {
				want[w] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			unknown := strings.HasSuffix(tt.version, ".99") || strings.Contains(tt.version, "1.99.")
			seen := false
			for _, n := range r.NotObserved {
				seen = seen || n.Area == "support"
			}
			if seen != unknown {
				t.Errorf("not observed: %+v", r.NotObserved)
			}
		})
	}
}
