package triage_test

import (
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/vuln"
)

func TestAlarms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		build func(w *world)
		want  string // kinds, on release-1.0 and release-1.1
	}{
		{"none", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.1")
			w.CherryPick(c)
		}, ""},
		{"the older line has it, the newer has not", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(c)
		}, "release-1.1 newer_lacks_fix"},
		{"reverted", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.1")
			w.CherryPick(c)
			w.Git("revert", "--no-edit", "HEAD")
		}, "release-1.1 reverted"},
		{"a part", func(w *world) {
			first := w.fix("Fix it")
			w.Checkout("main")
			w.Write("other.go", text("20=safe"))
			w.names("main", first, w.Commit("Fix the rest"))
			w.Checkout("release-1.1")
			w.CherryPick(first)
		}, "release-1.1 partial"},
		{"the follow-up is missing", func(w *world) {
			c := w.fix("Fix it")
			w.Write("server.go", text("20=safer"))
			after := w.Commit("Fix the fix")
			w.record.Kubelts.Fixes = append(w.record.Kubelts.Fixes, vuln.Fix{Kind: vuln.KindRegressionFix, Commits: map[string][]string{"main": {after.String()}}})
			w.Checkout("release-1.1")
			w.CherryPick(c)
		}, "release-1.1 follow_up_missing"},
		{"the follow-up is there", func(w *world) {
			c := w.fix("Fix it")
			w.Write("server.go", text("20=safer"))
			after := w.Commit("Fix the fix")
			w.record.Kubelts.Fixes = append(w.record.Kubelts.Fixes, vuln.Fix{Kind: vuln.KindFollowUp, Commits: map[string][]string{"main": {after.String()}}})
			w.Checkout("release-1.1")
			w.CherryPick(c)
			w.CherryPick(after)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Branch("release-1.1", "main")
			c.build(w)
			var got []string
			for _, v := range judge(t, w.Dir, []*vuln.Record{&w.record}, "release-1.0", "release-1.1") {
				for _, a := range v.Alarms {
					got = append(got, v.Branch+" "+a.Kind)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("alarms %q, want %q", got, c.want)
			}
		})
	}
}
