package vuln_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

func TestFaults(t *testing.T) {
	rangeOf := func(pkg, kind, events string) string {
		return `{"id": "CVE-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "Kubernetes", "name": "` + pkg +
			`"}, "ranges": [{"type": "` + kind + `", "events": [` + events + `]}]}]}`
	}
	const kube = "k8s.io/kubernetes"
	tests := []struct {
		name, doc string
		want      []string
	}{
		{"nothing", rangeOf(kube, "SEMVER", `{"introduced": "0"}, {"fixed": "1.22.14"}, {"introduced": "1.23.0"}, {"last_affected": "1.23.2"}`), nil},
		{"newest first", rangeOf(kube, "SEMVER", `{"introduced": "1.23.0"}, {"fixed": "1.23.3"}, {"introduced": "0"}, {"fixed": "1.22.14"}`), nil},
		{"no version", rangeOf(kube, "SEMVER", `{"introduced": "<=v1.22.3"}`), []string{"no_version"}},
		{"not a semantic one", rangeOf(kube, "SEMVER", `{"introduced": "v1.22.3"}`), []string{"no_version"}},
		{"two in a row", rangeOf(kube, "SEMVER", `{"introduced": "1.22.0"}, {"introduced": "1.23.0"}, {"fixed": "1.23.1"}`), []string{"two_introduced", "overlapping_ranges"}},
		{"empty", rangeOf(kube, "SEMVER", `{"introduced": "1.22.0"}, {"fixed": "1.22.0"}`), []string{"empty_range"}},
		{"backwards", rangeOf(kube, "SEMVER", `{"introduced": "1.23.0"}, {"fixed": "1.22.5"}`), []string{"empty_range"}},
		{"one version is not empty", rangeOf(kube, "SEMVER", `{"introduced": "1.23.1"}, {"last_affected": "1.23.1"}`), nil},
		{"overlapping", rangeOf(kube, "SEMVER", `{"introduced": "0"}, {"fixed": "1.23.2"}, {"introduced": "1.22.0"}, {"fixed": "1.22.5"}`), []string{"overlapping_ranges"}},
		{
			"one range within another",
			rangeOf(kube, "SEMVER", `{"introduced": "0"}, {"fixed": "1.23.2"}]}, {"type": "SEMVER", "events": [{"introduced": "1.22.0"}, {"fixed": "1.22.5"}`), nil,
		},
		{
			"two ranges with a part in common",
			rangeOf(kube, "SEMVER", `{"introduced": "0"}, {"fixed": "1.22.2"}]}, {"type": "SEMVER", "events": [{"introduced": "1.21.0"}, {"fixed": "1.23.5"}`),
			[]string{"overlapping_ranges"},
		},
		{"never released", rangeOf(kube, "SEMVER", `{"introduced": "0"}, {"fixed": "1.22.99"}`), []string{"never_released"}},
		{"never released, as a module", rangeOf("k8s.io/client-go", "SEMVER", `{"introduced": "0"}, {"fixed": "0.22.99"}`), []string{"never_released"}},
		{
			"a version of Kubernetes for a module, as the project's feed has it",
			strings.Replace(rangeOf("k8s.io/apiserver", "SEMVER", `{"introduced": "0"}, {"fixed": "1.22.9"}`), "Kubernetes", "kubernetes", 1),
			[]string{"module_version"},
		},
		{"a component, as we name it", rangeOf("k8s.io/kubelet", "SEMVER", `{"introduced": "0"}, {"fixed": "1.22.9"}`), nil},
		{"another project's version", rangeOf("k8s.io/ingress-nginx", "SEMVER", `{"introduced": "0"}, {"fixed": "1.22.99"}`), nil},
		{"no versions", `{"id": "CVE-1", "modified": "2026-01-01T00:00:00Z"}`, []string{"no_range"}},
		{"no package", rangeOf("/ingress-nginx", "SEMVER", `{"introduced": "0"}`), []string{"package_name"}},
	}
	exists := func(v release.Version) (bool, bool) { return v.Patch < 20, v.Minor.Minor < 30 }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := vuln.Parse("x.json", strings.NewReader(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Faults(exists) {
				got = append(got, f.Kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
