package feed_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/feed"
)

// TestRecordedShapes reads documents that have all the fields, in the nesting and with the odd values, that the services send; see testdata/recorded/README.md.
func TestRecordedShapes(t *testing.T) {
	tests := []struct {
		source, file string
		want         []string
	}{
		{"nvd", "nvd-page.json", []string{
			`CVE-2099-0001 [] other 6.8 published 2026-10-01 ""`,
			"  Kubernetes k8s.io/kubernetes [>=1.6.0 <=1.15.0] [>=1.16.0 <1.16.13] [>=1.20.0 <=1.20.0]",
			`CVE-2099-0003 [] other 0.0 published 2026-10-01 ""`,
			"  Kubernetes k8s.io/kubernetes [>=1.21.0-beta1 <=1.21.0-beta1]",
			"skipped 1",
		}},
		{"nvd", "nvd-single.json", []string{
			`CVE-2099-0004 [] other 7.8 published 2026-10-01 ""`,
			"  Kubernetes k8s.io/kubernetes [>=0 <1.13.10]",
			"skipped 0",
		}},
		{"cve", "cve-5.2.json", []string{
			`CVE-2099-0001 [] announced 5.9 published 2026-10-01 ""`,
			"  Kubernetes k8s.io/kubelet [>=0 <=1.29.12] [>=1.30.0 <=1.30.8] [>=1.31.0 <=1.31.4]",
			"skipped 0",
		}},
		{"kubernetes-osv", "osv-2025.json", []string{
			`CVE-2099-0001 [] announced 5.9 published 2026-10-01 "v before a version"`,
			"  kubernetes k8s.io/kubelet [>=v1.29.12 <v1.29.13 >=1.30.0 <1.30.9]",
			`CVE-2099-0002 [] announced 0.0 published 2026-10-01 "Two introduced in a row"`,
			"  kubernetes k8s.io/controller-manager [>=1.30.0 >=1.31.0 <=1.31.14]",
			`CVE-2099-0003 [] announced 3.1 published 2026-10-01 "No ranges & a package"`,
			"  kubernetes k8s.io/kubectl",
			`CVE-2099-0004 [] announced 0.0 published 2026-10-01 "A package without an owner, and an empty range"`,
			"  kubernetes /ingress-nginx [>=0 <1.13.8 >=1.15.0 <1.15.0]",
			"skipped 0",
		}},
		{"kubernetes-cve-feed", "cve-feed-2023.json", []string{
			`CVE-2099-0001 [] announced 3.4 published 2026-10-01 "A hole"`,
			"  Kubernetes k8s.io/kubernetes [>=1.27.0 <=1.27.1]",
			"  Kubernetes k8s.io/kubernetes [>=1.26.0 <=1.26.4]",
			"  Kubernetes k8s.io/kubernetes [>=0 <=1.24.13]",
			"skipped 0",
		}},
		{"github-advisories", "advisories-global.json", []string{
			`GHSA-aaaa-bbbb-cccc [CVE-2099-0001] other 0.0 published 2026-10-01 "A hole"`,
			"  Go k8s.io/kubernetes [>=0 <1.16.13]",
			"  Go k8s.io/apimachinery [>=0.17.0 <0.17.9]",
			"  Go k8s.io/client-go [>=0.20.0-alpha.1 <=0.20.0-alpha.1]",
			"skipped 0",
		}},
		{"kubernetes-advisories", "advisories-repository.json", []string{
			`GHSA-dddd-eeee-ffff [CVE-2099-0002] announced 0.0 published 2026-10-01 "Of the repository"`,
			"  Go k8s.io/kubernetes [>=0 <=1.29.12] [>=1.30.0 <=1.30.8]",
			"  Kubernetes k8s.io/kubernetes [>=0 <=1.2.3]",
			"  fault: k8s.io/kubelet: no versions are named",
			"skipped 0",
		}},
		{"pull-requests", "search.json", []string{
			"#101 [CVE-2099-0001] 2026-10-01 https://github.com/kubernetes/kubernetes/pull/101 [cherry-pick-approved]",
			"skipped 0",
		}},
		{"endoflife", "endoflife-v0.json", []string{
			"1.39: 2026-12-16, 2027-12-28, 2028-02-28, latest 1.39.0 of 2026-12-16",
			"1.16: 2019-09-18, , 2020-08-04, latest 1.16.15 of 2020-09-02",
			"skipped 0",
		}},
		{"endoflife", "endoflife-v1.json", []string{
			"1.39: 2026-12-16, 2027-12-28, 2028-02-28, latest 1.39.0 of 2026-12-16",
			"1.38: 2026-08-16, , , latest  of ",
			"1.16: 2019-09-18, , 2020-08-04, latest 1.16.15 of 2020-09-02",
			"skipped 0",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b, err := feed.Parse(source(t, tt.source), document(t, "recorded/"+tt.file), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, summary(b)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
