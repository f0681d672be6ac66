package triage_test

import (
	"fmt"
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

// TestFilesLeftOut has picks that do not touch a file of the fix which the branch has, or had.
func TestFilesLeftOut(t *testing.T) {
	t.Parallel()
	const (
		start  = "package server\n\nfunc start() {\n\tlistenOnAllAddresses()\n\tserveForEverThere()\n}\n"
		more   = "\nfunc finish() {\n\tcloseAllConnections()\n\tos.Exit(statusOfFailure)\n}\n"
		cured  = "\nfunc finish() {\n\tcloseAllConnections()\n\tos.Exit(statusOfSuccess)\n}\n"
		picked = "Fix both\n\n(cherry picked from commit %s)\n"
	)
	// both fixes handler.go and start.go on main, where start.go has another function; release-1.0 gets a pick of handler.go.
	both := func(w *world, there string) {
		w.Checkout("release-1.0")
		w.Write("handler.go", handler())
		w.Write("start.go", start)
		w.Commit("Serve")
		w.Checkout("main")
		w.CherryPick(w.Rev("release-1.0"))
		w.Write("start.go", start+more)
		w.Commit("Finish")
		w.Write("start.go", start+cured)
		w.Write("handler.go", handler("read", "write", "remove"))
		c := w.Commit("Fix both")
		w.names("main", c)
		w.Checkout("release-1.0")
		if there == "" {
			w.Git("rm", "-q", "start.go")
		} else {
			w.Write("start.go", there+"\n// More.\n")
		}
		w.Commit("Go on")
		w.Write("handler.go", handler("read", "write", "remove")+"\n// Adapted.\nfunc adapted() {\n\tdoSomethingElseAsWell()\n}\n")
		w.Commit(fmt.Sprintf(picked, c))
		w.Tag("v1.0.1")
	}
	run(t, []scenario{
		{"it has nothing of what the fix changes there", func(w *world) { both(w, start) }, "fixed v1.0.1 trailer changed_lines"},
		{"it has it as before the fix", func(w *world) { both(w, start+more) }, "affected trailer changed_lines partial"},
		{"it has it in another form", func(w *world) { both(w, start+"\nfunc finish() {\n\tendAll(statusOfFailure)\n}\n") }, "under_investigation trailer changed_lines partial"},
		{"the file went", func(w *world) { both(w, "") }, "under_investigation trailer changed_lines partial"},
	})
}
