package triage_test

import (
	"testing"
)

const (
	merged  = "Merge pull request #7 from ada/fix\n\nFix the server"
	another = "Merge pull request #7 from bob/fix\n\nFix the server"
)

// bring merges commits into a branch, each made by one of some steps.
func (w *world) bring(branch, message string, steps ...func()) {
	w.Branch(branch+"-topic", branch)
	for _, step := range steps {
		step()
	}
	w.Checkout(branch)
	w.Merge(branch+"-topic", message)
	w.Git("branch", "-qD", branch+"-topic")
}

// commits writes server.go and commits it; without changes it commits nothing.
func (w *world) commits(subject string, changes ...string) func() {
	return func() {
		if len(changes) > 0 {
			w.Write("server.go", text(changes...))
		}
		w.Commit(subject)
	}
}

// TestSamePullRequest has branches that were published by themselves: the pull request of the main branch has a merge there, too.
func TestSamePullRequest(t *testing.T) {
	t.Parallel()
	// land merges a fix of some commits as pull request 7, of which the record names the last but some.
	land := func(w *world, before int, steps ...func()) {
		w.bring("main", merged, steps...)
		w.names("main", w.Rev("main^2~"+string(rune('0'+before))))
	}
	adapted := []string{"20=safe", "22=adapted"}
	run(t, []scenario{
		{"another merge of the pull request", func(w *world) {
			land(w, 0, w.commits("Fix it", "20=safe"))
			w.bring("release-1.0", merged, w.commits("Fix it", adapted...))
		}, "fixed cherry_pick_pull_request"},
		{"one commit of several", func(w *world) {
			land(w, 1, w.commits("Fix it", "20=safe"), w.commits("Go on", "20=safe", "30=more"))
			w.bring("release-1.0", merged, w.commits("Fix it", adapted...), w.commits("Go on", "20=safe", "22=adapted", "30=more"))
		}, "fixed cherry_pick_pull_request"},
		{"merges that were flattened", func(w *world) {
			w.fix("Fix it")
			w.Commit(merged)
			w.onBranch("Fix it")
			w.Commit(merged)
		}, "fixed cherry_pick_pull_request"},
		{"the number of another pull request", func(w *world) {
			land(w, 0, w.commits("Fix it", "20=safe"))
			w.bring("release-1.0", another, w.commits("Fix it", adapted...))
		}, "under_investigation not_found fix_lines"},
		{"another subject", func(w *world) {
			land(w, 0, w.commits("Fix it", "20=safe"))
			w.bring("release-1.0", merged, w.commits("Make it safe", adapted...))
		}, "under_investigation not_found fix_lines"},
		{"two commits of that subject in the pull request", func(w *world) {
			land(w, 1, w.commits("Fix it", "20=safe"), w.commits("Fix it", "20=safe", "30=more"))
			w.bring("release-1.0", merged, w.commits("Fix it", adapted...))
		}, "under_investigation not_found fix_lines"},
		{"two commits of that subject on the branch", func(w *world) {
			land(w, 0, w.commits("Fix it", "20=safe"))
			w.bring("release-1.0", merged, w.commits("Fix it", "22=first"), w.commits("Fix it", adapted...))
		}, "under_investigation not_found fix_lines"},
	})
}

// TestAmbiguousCarry has pull requests that carry several others, each with a commit of the same subject.
func TestAmbiguousCarry(t *testing.T) {
	t.Parallel()
	const carried = "Merge pull request #9 from ada/automated-cherry-pick-of-#5-#7-upstream-release-1.0\n\nAutomated cherry pick"
	twice := func(w *world) {
		w.bring("main", "Merge pull request #5 from ada/one\n\nOne", w.commits("Update generated files", "30=one"))
		w.bring("main", merged, w.commits("Update generated files", "20=safe", "30=one"))
		w.names("main", w.Rev("main^2"))
	}
	run(t, []scenario{
		{"both were carried", func(w *world) {
			twice(w)
			w.bring("release-1.0", carried, w.commits("Update generated files", "30=one", "31=x"), w.commits("Update generated files", "20=safe", "22=adapted", "30=one", "31=x"))
		}, "under_investigation not_found fix_lines"},
		{"no other commit of that subject was landed", func(w *world) {
			w.bring("main", merged, w.commits("Fix it", "20=safe"))
			w.names("main", w.Rev("main^2"))
			w.bring("release-1.0", carried, w.commits("Fix it", "22=first"), w.commits("Fix it", "20=safe", "22=adapted"))
		}, "fixed cherry_pick_pull_request"},
	})
}

// TestChangesNothing has commits of which publishing left nothing.
func TestChangesNothing(t *testing.T) {
	t.Parallel()
	land := func(w *world) {
		w.bring("main", merged, w.commits("Fix it", "20=safe"), w.commits("Update generated files"))
	}
	run(t, []scenario{
		{"named, and another merge of the pull request", func(w *world) {
			land(w)
			w.names("main", w.Rev("main^2"))
			w.bring("release-1.0", merged, w.commits("Update generated files"))
		}, "fixed cherry_pick_pull_request"},
		{"named, with author, date and subject", func(w *world) {
			land(w)
			w.names("main", w.Rev("main^2"))
			w.Checkout("release-1.0")
			w.Git("commit", "-q", "--allow-empty", "-C", "main^2")
		}, "fixed author_date_subject"},
		{"named, with the subject only", func(w *world) {
			land(w)
			w.names("main", w.Rev("main^2"))
			w.Checkout("release-1.0")
			w.Commit("Update generated files")
		}, "affected not_found"},
		{"named, and something that changes a file", func(w *world) {
			land(w)
			w.names("main", w.Rev("main^2"))
			w.bring("release-1.0", merged, w.commits("Update generated files", "30=generated"))
		}, "affected not_found"},
		{"one of the pull request that is named", func(w *world) {
			land(w)
			w.names("main", w.Rev("main"))
			w.Checkout("release-1.0")
			w.Git("cherry-pick", "main^2~1")
		}, "fixed patch_id author_date_subject"},
		{"one of the pull request that is named, which the branch has nothing of", func(w *world) {
			land(w)
			w.names("main", w.Rev("main"))
			w.bring("release-1.0", another, w.commits("Update generated files"))
		}, "affected not_found hole_lines"},
	})
}
