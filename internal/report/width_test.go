package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/kubelts/kubelts/internal/report"
)

// TestNothingIsWiderThanTheTerminal but commands, which are there to be pasted.
func TestNothingIsWiderThanTheTerminal(t *testing.T) {
	f := fleet()
	long := strings.Repeat("叢集-kluster-", 12)
	r := f.Clusters[0]
	r.Cluster.Context, r.Cluster.APIServers[0].Name, r.Cluster.APIServers[1].Address = long, long, long
	r.Deadlines[1].What, r.Findings[0].Title, r.Findings[0].Effect, r.NotObserved[0].Reason = long, long, strings.Repeat(long, 300), strings.Repeat(long, 300)
	r.Findings[1].Subjects = []string{long, long, long}
	for i := range r.Findings {
		for n := range r.Findings[i].Remedy {
			r.Findings[i].Remedy[n].Command = ""
		}
	}
	l := plan()
	l.Context, l.Hops[0].Blockers[0].What, l.Stays[0].Note = long, long, long
	l.Now = nil
	for i := range l.Hops {
		l.Hops[i].Steps = nil
	}
	for _, width := range []int{60, 80, 100, 132, 200} {
		for _, colour := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %t", width, colour), func(t *testing.T) {
				style := report.Style{Width: width, Colour: colour}
				var b bytes.Buffer
				for _, write := range []func() error{
					func() error { return report.WriteText(&b, r, style) },
					func() error { return f.WriteText(&b, style) },
					func() error { return report.WritePlan(&b, l, style) },
				} {
					if err := write(); err != nil {
						t.Fatal(err)
					}
				}
				if n := strings.Count(b.String(), "\n"); n > 200 {
					t.Errorf("%d lines are no screen", n)
				}
				for line := range strings.SplitSeq(b.String(), "\n") {
					if w := text.StringWidthWithoutEscSequences(line); w > width {
						t.Errorf("%d columns: %q", w, line)
					}
				}
				if colour != strings.Contains(b.String(), "\x1b[") {
					t.Error("colours are not as asked")
				}
			})
		}
	}
}
