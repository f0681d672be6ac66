package findings_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
)

func TestReadGivesWhatWasWritten(t *testing.T) {
	for name, s := range map[string]*cluster.Snapshot{"1.6": era16(t), "1.16": era116(t), "eks": eks(t), "emulating": emulating(t), "denied": denied(t)} {
		var b bytes.Buffer
		if err := cluster.Write(&b, s); err != nil {
			t.Fatal(err)
		}
		back, err := cluster.Read(name, &b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, back); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
	}
}

func fewFacts(f *testing.F) *catalog.Catalog {
	f.Helper()
	fsys := fstest.MapFS{"releases.yaml": {Data: []byte(`snapshot: 2026-01-01
sources: {a: b}
minors:
  - {minor: "1.24", released: {date: 2022-05-03, source: a, confidence: high}, end: {date: 2023-07-28, source: a, confidence: high}, patches: [{version: 1.24.0, date: 2022-05-03, source: a, confidence: high}]}
  - {minor: "1.25", released: {date: 2022-08-23, source: a, confidence: high}, patches: [{version: 1.25.0, date: 2022-08-23, source: a, confidence: high}]}
  - {minor: "1.36", released: {date: 2026-04-22, source: a, confidence: high}, patches: [{version: 1.36.0, date: 2026-04-22, source: a, confidence: high}]}
`)}}
	for _, name := range []string{
		"support.yaml", "vendors.yaml", "loopback.yaml", "applicability.yaml", "removals.yaml",
		"vulnerabilities/CVE-2020-8561.json", "vulnerabilities/CVE-2023-5528.json", "vulnerabilities/CVE-2025-1974.json",
	} {
		b, err := data.Files.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: b}
	}
	c, err := catalog.Load(fsys)
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// FuzzRead holds: what is read can be written, and reads back as the same; a report can be made of it, and is never a wrong word.
func FuzzRead(f *testing.F) {
	for _, s := range []*cluster.Snapshot{era16(f), era116(f), eks(f), k3s(f), emulating(f), denied(f)} {
		s.Certificates = s.Certificates[:min(len(s.Certificates), 2)]
		var b bytes.Buffer
		if err := cluster.Write(&b, s); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	c := fewFacts(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := cluster.Read("fuzz", bytes.NewReader(text))
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err = cluster.Write(&once, s); err != nil {
			t.Fatal(err)
		}
		back, err := cluster.Read("again", bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err = cluster.Write(&twice, back); err != nil || once.String() != twice.String() {
			t.Fatalf("written again it differs: %v", err)
		}
		r, err := findings.Judge(s, c, findings.Options{At: at(t, "2026-09-20T08:00:00Z")})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict == findings.WellSeen && (len(r.NotObserved) > 0 || r.Score != 100) || r.Score < 0 || r.Score > 100 {
			t.Fatalf("verdict %s, score %d, %d not observed", r.Verdict, r.Score, len(r.NotObserved))
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadAcceptances(t *testing.T) {
	got, err := findings.ReadAcceptances("a.yaml", strings.NewReader("acceptances:\n  - finding: support-upstream\n    owner: platform\n    reason: we leave in June\n    expires: 2026-06-30\n    cluster: prod\n"))
	want := []findings.Acceptance{{Finding: "support-upstream", Owner: "platform", Reason: "we leave in June", Expires: release.Date{Year: 2026, Month: 6, Day: 30}, Cluster: "prod"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	tests := []struct{ name, text, want string }{
		{"nothing", "", "holds nothing"},
		{"unknown key", "acceptances: [{finding: a, owner: b, reason: c, expires: 2026-01-01, why: d}]", "why"},
		{"no owner", "acceptances: [{finding: a, reason: c, expires: 2026-01-01}]", "acceptance 1 (a) has no owner"},
		{"blank reason", "acceptances: [{finding: a, owner: b, reason: ' ', expires: 2026-01-01}]", "has no reason"},
		{"no end", "acceptances: [{finding: a, owner: b, reason: c}]", "has no expires"},
		{"no finding", "acceptances: [{owner: b, reason: c, expires: 2026-01-01}]", "has no finding"},
		{"not a day", "acceptances: [{finding: a, owner: b, reason: c, expires: 2026-02-30}]", "2026-02-30"},
		{"not a list", "acceptances: all", "a.yaml"},
		{"two documents", "acceptances: []\n---\nacceptances: []\n", "more than one document"},
		{"too large", strings.Repeat("#", 1<<20+1), "larger than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := findings.ReadAcceptances("a.yaml", strings.NewReader(tt.text)); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestAcceptances(t *testing.T) {
	now := at(t, "2024-03-20T08:59:00Z")
	accept := func(finding, where string, day int) findings.Acceptance {
		return findings.Acceptance{Finding: finding, Owner: "ann", Reason: "known", Expires: release.Date{Year: 2024, Month: 3, Day: day}, Cluster: where}
	}
	tests := []struct {
		name     string
		a        findings.Acceptance
		accepted string // the finding that is accepted
		over     bool
	}{
		{"by name", accept("support-upstream", "", 21), "support-upstream", false},
		{"on its last day", accept("support-upstream", "", 20), "support-upstream", false},
		{"the day after", accept("support-upstream", "", 19), "", true},
		{"by rule", accept("vulnerability", "", 21), "vulnerability/CVE-2024-10220", false},
		{"for this cluster by context", accept("support-upstream", "prod", 21), "support-upstream", false},
		{"for this cluster by UID", accept("support-upstream", "00000000-0000-0000-0000-000000000001", 21), "support-upstream", false},
		{"for another cluster", accept("support-upstream", "test", 21), "", false},
		{"for another cluster, over", accept("support-upstream", "test", 19), "", false},
		{"of nothing that was found", accept("no-such", "", 21), "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain := judge(t, kubeadm124(t), findings.Options{At: now})
			r := judge(t, kubeadm124(t), findings.Options{At: now, Acceptances: []findings.Acceptance{tt.a}})
			for _, f := range r.Findings {
				if (f.Accepted != nil) != (tt.accepted != "" && (f.ID == tt.a.Finding || f.Rule == tt.a.Finding)) {
					t.Errorf("%s is accepted: %v", f.ID, f.Accepted)
				}
			}
			if tt.accepted != "" && (find(r, tt.accepted) == nil || find(r, tt.accepted).Accepted == nil) {
				t.Errorf("%s is not accepted", tt.accepted)
			}
			if over := find(r, "acceptance-over/"+tt.a.Finding) != nil; over != tt.over {
				t.Errorf("a finding that it is over: %v", over)
			}
			if len(r.Findings) < len(plain.Findings) {
				t.Error("a finding is gone")
			}
		})
	}
}
