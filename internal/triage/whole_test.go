package triage_test

import (
	"testing"
)

// both lands a fix of two files on main.
func (w *world) both() string {
	w.Checkout("main")
	w.Write("server.go", text("20=safe"))
	w.Write("other.go", text("20=safe"))
	c := w.Commit("Fix it")
	w.names("main", c)
	return c.String()
}

func TestPartOfACommit(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{"one file of two, by author, date and subject", func(w *world) {
			w.both()
			w.Checkout("release-1.0")
			w.Git("cherry-pick", "main")
			w.Git("checkout", "-q", "HEAD~1", "--", "other.go")
			w.Git("commit", "-q", "--amend", "--no-edit")
		}, "affected author_date_subject partial"},
		{"one file of two, by what the message says", func(w *world) {
			c := w.both()
			w.onBranch("Make it safe\n\n(cherry picked from commit " + c + ")\n")
		}, "affected trailer partial"},
		{"the other file in another commit", func(w *world) {
			c := w.both()
			w.onBranch("Make it safe\n\n(cherry picked from commit " + c + ")\n")
			w.Write("other.go", text("20=safe"))
			w.Commit("Make the other safe\n\n(cherry picked from commit " + c + ")\n")
		}, "fixed trailer"},
		{"a file that the branch does not have, and a test", func(w *world) {
			w.Checkout("main")
			w.Write("server.go", text("20=safe"))
			w.Write("new.go", "package server // safe\n")
			w.Write("server_test.go", "package server\n")
			c := w.Commit("Fix it")
			w.names("main", c)
			w.onBranch("Make it safe\n\n(cherry picked from commit " + c.String() + ")\n")
		}, "fixed trailer"},
		{"as few files as the instance that the record names, but not its lines", func(w *world) {
			c := w.both()
			w.Branch("release-1.1", "main~1")
			w.Write("server.go", text("20=safe", "24=other"))
			w.record.Kubelts.Fixes[0].Commits["release-1.1"] = []string{w.Commit("Make it safe").String()}
			w.onBranch("Make it safe\n\n(cherry picked from commit " + c + ")\n")
		}, "under_investigation trailer hole_lines fix_lines"},
	})
}

func TestTakenBackWithoutAWord(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{"the inverse of a commit", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Tag("v1.0.1")
			w.Write("server.go", text())
			w.Commit("Clean up")
			w.Tag("v1.0.2")
		}, "affected reverted"},
		{"the inverse, and the fix again", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Write("server.go", text())
			w.Commit("Clean up")
			w.Tag("v1.0.1")
			w.Write("server.go", text("20=safe"))
			w.Commit("Once more")
			w.Tag("v1.0.2")
		}, "fixed v1.0.2 patch_id"},
		{"merged with the branch's own files", func(w *world) {
			w.fix("Fix it")
			w.Checkout("release-1.0")
			w.Commit("Go on here")
			w.Git("merge", "-q", "-s", "ours", "-m", "Merge main", "main")
			w.Tag("v1.0.1")
		}, "affected reverted"},
		{"picked, then merged with the branch's own files", func(w *world) {
			c := w.fix("Fix it")
			w.Checkout("release-1.0")
			w.CherryPick(c)
			w.Tag("v1.0.1")
			w.Git("merge", "-q", "-s", "ours", "-m", "Merge main", "main")
			w.Tag("v1.0.2")
		}, "fixed v1.0.1 patch_id author_date_subject"},
	})
}
