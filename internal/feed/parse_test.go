package feed_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/feed"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
)

var fetched = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func source(tb testing.TB, name string) feed.Source {
	tb.Helper()
	s, err := feed.SourceNamed(name)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func document(tb testing.TB, file string) feed.Document {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	return feed.Document{URL: "https://example.org/" + file, Fetched: fetched, Data: data}
}

// summary says a batch in lines that can be compared.
func summary(b feed.Batch) []string {
	var lines []string
	for _, c := range b.Candidates {
		score, _ := c.Record.Score()
		lines = append(lines, fmt.Sprintf("%s %v %s %.1f published %s %q", c.Record.ID, c.Record.Aliases, c.Origin.Rank, score, release.DateOf(c.Record.Published), c.Record.Summary))
		for _, a := range c.Record.Affected {
			text := "  " + a.Package.Ecosystem + " " + a.Package.Name
			for _, r := range a.Ranges {
				text += " ["
				for _, e := range r.Events {
					text += strings.TrimSpace(strings.Join([]string{mark(">=", e.Introduced), mark("<", e.Fixed), mark("<=", e.LastAffected)}, "")) + " "
				}
				text = strings.TrimRight(text, " ") + "]"
			}
			lines = append(lines, text)
		}
		for _, f := range c.Faults {
			lines = append(lines, "  fault: "+f)
		}
	}
	for _, d := range b.Dates {
		lines = append(lines, fmt.Sprintf("%s: %s, %s, %s, latest %s of %s", d.Minor, d.Released, d.Maintenance, d.End, d.Latest, d.LatestDate))
	}
	for _, p := range b.PullRequests {
		lines = append(lines, fmt.Sprintf("#%d %v %s %s %v", p.Number, p.Names, release.DateOf(p.Closed), p.URL, p.Labels))
	}
	for _, r := range b.Refused {
		lines = append(lines, "refused: "+strings.TrimPrefix(r.What, "https://example.org/")+": "+r.Reason)
	}
	return append(lines, fmt.Sprintf("skipped %d", b.Skipped))
}

func mark(op, version string) string {
	if version == "" {
		return ""
	}
	return op + version
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, source, file string
		want               []string
	}{
		{"official feed", "kubernetes-cve-feed", "cve-feed.json", []string{
			`CVE-2099-0001 [] announced 8.8 published 2026-10-01 "One announcement"`,
			"  Kubernetes k8s.io/kubelet [>=1.34.0 <=1.34.11]",
			"  Kubernetes k8s.io/kubelet [>=0 <=1.33.9]",
			`  fault: versions "kubelet before the great flood of 1.2" cannot be read`,
			`CVE-2099-0002 [] announced 0.0 published 2026-10-01 "Two in one"`,
			"  Kubernetes k8s.io/kubernetes [>=1.30.0 <1.31.0]",
			`CVE-2099-0003 [] announced 0.0 published 2026-10-01 "Two in one"`,
			"  Kubernetes k8s.io/secrets-store-csi-driver [>=0 <1.3.3]",
			`CVE-2099-0007 [] announced 0.0 published 2026-10-01 "No versions"`,
			"  Kubernetes k8s.io/kube-apiserver [>=0 <=1.31.11]",
			"  Kubernetes k8s.io/kube-apiserver [>=1.32.0 <=1.32.7]",
			"  Kubernetes k8s.io/kube-apiserver [>=1.33.0 <1.34.2]",
			`CVE-2099-0008 [] announced 0.0 published 2026-10-01 "No versions"`,
			`refused: cve-feed.json: item "no name at all" names no CVE`,
			"skipped 0",
		}},
		{"osv", "kubernetes-osv", "osv.json", []string{
			`CVE-2099-0001 [GHSA-aaaa-bbbb-cccc] announced 8.8 published 0001-01-01 "One record"`,
			"  kubernetes k8s.io/kubelet [>=0 <1.34.12 >=1.29.12 or so]",
			`  fault: k8s.io/kubelet: bound "1.29.12 or so" is no version`,
			`CVE-2099-0004 [] announced 0.0 published 0001-01-01 ""`,
			"  Go example.com/other [>=0]",
			"refused: osv.json: record: CVE-2099-0005: affected 0, range 0: has no introduced event",
			"skipped 0",
		}},
		{"cve", "cve", "cve.json", []string{
			`CVE-2099-0001 [] announced 7.4 published 2026-10-01 "One CVE record"`,
			"  Kubernetes k8s.io/kubelet [>=1.25.0 <=1.29.12] [>=1.30.0 <=1.30.8] [>=1.31.0 <=1.31.4] [>=1.10.0 <=1.24.14] [>=0 <1.9.4] [>=1.15.0 <1.16.0]",
			`  fault: versions "n/a" cannot be read`,
			"skipped 0",
		}},
		{"nvd", "nvd", "nvd.json", []string{
			`CVE-2099-0001 [] other 8.8 published 2026-10-01 ""`,
			"  Kubernetes k8s.io/kubernetes [>=1.24.0 <1.24.14] [>=1.22.1 <=1.22.3] [>=1.20.0-alpha.1 <=1.20.0-alpha.1]",
			"  Kubernetes k8s.io/ingress-nginx [>=0]",
			`  fault: criteria "not a cpe" is no CPE 2.3 name`,
			"skipped 1",
		}},
		{"advisories", "github-advisories", "advisories.json", []string{
			`GHSA-aaaa-bbbb-cccc [CVE-2099-0001] other 8.8 published 2026-10-01 "An advisory"`,
			"  Go k8s.io/kubernetes [>=1.24.0 <1.24.14]",
			"  Go k8s.io/kubernetes [>=1.22.0 <=1.22.0]",
			"  Go k8s.io/apiserver [>=0 <0.24.14]",
			`  fault: versions "some" cannot be read`,
			`GHSA-dddd-eeee-ffff [] other 0.0 published 2026-10-01 "Of the repository"`,
			"  Kubernetes k8s.io/kubelet [>=0 <=1.33.2]",
			`refused: advisories.json GHSA-gggg-hhhh-iiii: its state is "draft", not published`,
			"refused: advisories.json: not the expected JSON: json: cannot unmarshal number into Go struct field advisory.ghsa_id of type string",
			"skipped 0",
		}},
		{"pull requests", "pull-requests", "pull-requests.json", []string{
			"#101 [CVE-2099-0001 CVE-2099-0009] 2026-10-01 https://github.com/kubernetes/kubernetes/pull/101 [cherry-pick-approved]",
			"refused: pull-requests.json: item 103 is no pull request",
			"skipped 1",
		}},
		{"end of life", "endoflife", "endoflife.json", []string{
			"1.38: 2026-12-09, 2027-12-28, 2028-02-28, latest 1.38.0 of 2026-12-09",
			"1.37: 2026-08-12, , 2027-10-28, latest 1.37.2 of 2026-10-14",
			"1.2: 2016-03-16, , , latest 1.2.7 of 2016-10-23",
			"refused: endoflife.json 1.99: ends or has a patch before it began",
			`refused: endoflife.json 1.98: latest "1.97.0" is no release of 1.98`,
			`refused: endoflife.json newest: version "newest" is not well formed`,
			"skipped 0",
		}},
		{"end of life, newer API", "endoflife", "endoflife-v1.json", []string{
			"1.37: 2026-08-12, 2027-08-28, 2027-10-28, latest 1.37.2 of 2026-10-14",
			"skipped 0",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := feed.Parse(source(t, tt.source), document(t, tt.file), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, summary(b)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, c := range b.Candidates {
				if c.Origin.Rank != provenance.Git && (c.Record.Kubelts.Class != "" || c.Record.Kubelts.VerifiedFixed != nil) {
					t.Errorf("%s: a stranger speaks in our name: %+v", c.Record.ID, c.Record.Kubelts)
				}
			}
		})
	}
}

func TestParseRefusesOtherFormats(t *testing.T) {
	for _, s := range feed.Sources() {
		for _, text := range []string{"", "{", "<html>", `"text"`, "7", `{"version": "https://example.org"}`} {
			t.Run(s.Name+" "+text, func(t *testing.T) {
				b, err := feed.Parse(s, feed.Document{URL: "x", Fetched: fetched, Data: []byte(text)}, nil)
				if err == nil && b.Len() > 0 {
					t.Errorf("%d statements of nothing", b.Len())
				}
				if err != nil && !errs.Is(err, errs.Invalid) {
					t.Errorf("error of kind %s: %v", errs.KindOf(err), err)
				}
			})
		}
	}
}

func TestSources(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range feed.Sources() {
		if seen[s.Name] || s.Name == "" || s.About == "" || s.Rank.Validate() != nil {
			t.Errorf("source %+v is not well formed", s)
		}
		seen[s.Name] = true
		if s.URL == "" {
			continue
		}
		if err := feed.CheckURL(s.URL); err != nil {
			t.Error(err)
		}
	}
	if _, err := feed.SourceNamed("nowhere"); !errs.Is(err, errs.NotFound) || len(errs.Hints(err)) == 0 {
		t.Errorf("an unknown source: %v", err)
	}
}

// fuzz checks the laws of every parser: what it takes is well formed, is bounded, and survives being written and read.
func fuzz(f *testing.F, name string, files ...string) {
	f.Helper()
	s := source(f, name)
	for _, file := range files {
		f.Add(document(f, file).Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := feed.Parse(s, feed.Document{URL: "https://example.org/x", Fetched: fetched, Data: data}, nil)
		if err != nil {
			if b.Len() > 0 || errs.KindOf(err) == errs.Internal {
				t.Fatalf("error %v (%s) with %d statements", err, errs.KindOf(err), b.Len())
			}
			return
		}
		written, err := json.Marshal(b.Items)
		if err != nil {
			t.Fatal(err)
		}
		var again provenance.Items
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, written)
		}
		if again.Len() != b.Len() {
			t.Fatalf("%d statements, %d after writing and reading", b.Len(), again.Len())
		}
		for _, c := range b.Candidates {
			if err := c.Record.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzCVEFeed(f *testing.F) {
	fuzz(f, "kubernetes-cve-feed", "cve-feed.json", "recorded/cve-feed-2023.json")
}

func FuzzOSV(f *testing.F) { fuzz(f, "kubernetes-osv", "osv.json", "recorded/osv-2025.json") }
func FuzzCVE(f *testing.F) { fuzz(f, "cve", "cve.json", "recorded/cve-5.2.json") }
func FuzzNVD(f *testing.F) {
	fuzz(f, "nvd", "nvd.json", "recorded/nvd-page.json", "recorded/nvd-single.json")
}

func FuzzAdvisories(f *testing.F) {
	fuzz(f, "github-advisories", "advisories.json", "recorded/advisories-global.json")
}

func FuzzRepositoryAdvisories(f *testing.F) {
	fuzz(f, "kubernetes-advisories", "advisories.json", "recorded/advisories-repository.json")
}

func FuzzPullRequests(f *testing.F) {
	fuzz(f, "pull-requests", "pull-requests.json", "recorded/search.json")
}

func FuzzEndOfLife(f *testing.F) {
	fuzz(f, "endoflife", "endoflife.json", "endoflife-v1.json", "recorded/endoflife-v0.json", "recorded/endoflife-v1.json")
}
