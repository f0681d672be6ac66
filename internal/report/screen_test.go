package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/report"
)

// ill is a cluster with so many findings of each severity, all with long texts, and as many holes and things that were not observed.
func ill(critical, high, medium int) *findings.Report {
	r := sample()
	r.Findings = nil
	for _, g := range []struct {
		severity findings.Severity
		n        int
	}{{findings.Critical, critical}, {findings.High, high}, {findings.Medium, medium}} {
		for i := range g.n {
			r.Findings = append(r.Findings, findings.Finding{
				ID: fmt.Sprintf("%s/%d", g.severity, i), Rule: "r", Area: cluster.Support, Severity: g.severity, Title: fmt.Sprintf("the %s thing number %d, %s", g.severity, i, strings.Repeat("word ", 20)),
				Effect: strings.Repeat("It hurts. ", 40), Remedy: []findings.Step{{Text: "Think."}, {Text: "Do it.", Command: "do it"}, {Text: "See.", Command: "see it"}},
			})
		}
	}
	for i := range high {
		r.Holes = append(r.Holes, findings.Hole{ID: fmt.Sprintf("CVE-2030-%04d", i), Component: "kubelet", Version: "v1.24.17", Outlook: catalog.FixedInNewer, Status: findings.Affected, Rating: "high"})
	}
	for i := range 3 * medium {
		r.Deadlines = append(r.Deadlines, findings.Deadline{When: r.At.AddDate(0, i, 0), DaysLeft: 30 * i, What: "a thing", Area: cluster.Support, Severity: findings.Info})
		r.NotObserved = append(r.NotObserved, cluster.NotObserved{What: fmt.Sprintf("thing %d", i), Area: "nodes", Reason: "a reason", Asked: i%2 == 0})
	}
	return r
}

// TestFirstScreen: verdict, everything that is critical or high, and the days that are left stand in the first 40 lines; what is folded is counted.
func TestFirstScreen(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		critical, high, medium int
	}{
		{"one", 1, 0, 0}, {"some", 3, 3, 11}, {"nothing grave", 0, 0, 40}, {"as many as there is room for", 4, 6, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := report.WriteText(&b, ill(tt.critical, tt.high, tt.medium), report.Style{Width: 100}); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(b.String(), "\n")
			first := strings.Join(lines[:min(len(lines), 40)], "\n")
			for _, want := range []string{"AT RISK", "DAYS LEFT", "upstream's support of 1.24", "loopback certificate of cp-1"} {
				if !strings.Contains(first, want) {
					t.Errorf("the first screen has no %q", want)
				}
			}
			for severity, n := range map[string]int{"critical": tt.critical, "high": tt.high} {
				if got := strings.Count(first, "the "+severity+" thing number "); got != n {
					t.Errorf("%d of %d %s findings are on the first screen", got, n, severity)
				}
			}
			if tt.medium > 10 && (!strings.Contains(first, " medium") || !strings.Contains(first, "more: -o wide shows all")) {
				t.Error("what is folded is not counted")
			}
			if len(lines) > 65 {
				t.Errorf("%d lines", len(lines))
			}
			if t.Failed() {
				t.Log(b.String())
			}
		})
	}
}

// TestNothingGraveIsFolded: however many there are, each critical or high finding and vulnerability has its name in the text, and so has each reason that something asked
// for was not observed.
func TestNothingGraveIsFolded(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteText(&b, ill(70, 90, 5), report.Style{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for i := range 90 {
		if id := fmt.Sprintf("CVE-2030-%04d", i); !strings.Contains(b.String(), id) {
			t.Errorf("%s is not there", id)
		}
		if want := fmt.Sprintf("high thing number %d,", i); !strings.Contains(b.String(), want) {
			t.Errorf("the %s is not there", want)
		}
		if want := fmt.Sprintf("critical thing number %d,", i); i < 70 && !strings.Contains(b.String(), want) {
			t.Errorf("the %s is not there", want)
		}
	}
	if !strings.Contains(b.String(), "! loopback certificate of 10.0.0.13:6443: connection refused") || !strings.Contains(b.String(), "! thing 0, thing 2, thing 4, thing 6 and 4 more: a reason") {
		t.Error("what was asked for and not observed is not there")
	}
}
