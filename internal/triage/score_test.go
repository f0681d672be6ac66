package triage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/triage"
)

// TestScores has three fixes on main: one picked to the branch, one carried by its pull request in other words, one not there.
func TestScores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	picked := w.fix("Fix it")
	w.bring("main", merged, w.commits("Fix more", "20=safe", "30=safe"))
	carried := w.Rev("main^2")
	w.Write("server.go", text("20=safe", "30=safe", "35=safe"))
	absent := w.Commit("Fix the rest")
	w.Checkout("release-1.0")
	pick := w.CherryPick(picked)
	w.bring("release-1.0", merged, w.commits("Fix more", "20=safe", "30=safe", "32=adapted"))
	carry := w.Rev("release-1.0^2")
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, w.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	targets := []triage.Target{{Name: "release-1.0", Commit: w.Rev("release-1.0")}}
	brief := func(known ...triage.Known) map[string][4]int {
		scores, err := triage.Scores(t.Context(), repo, upstream, known, targets)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][4]int{}
		for _, s := range scores {
			if len(s.Taken) != s.Another {
				t.Errorf("%s: %d of another's, %d listed", s.Evidence, s.Another, len(s.Taken))
			}
			if s.First+s.Found+s.Another+s.Unknown > 0 {
				got[s.Evidence] = [4]int{s.First, s.Found, s.Another, s.Unknown}
			}
		}
		return got
	}
	want := map[string][4]int{
		triage.ScoreAll: {0, 2, 0, 0}, triage.ScoreContent: {0, 2, 0, 0}, triage.KindPatchID: {1, 1, 0, 0}, triage.KindPlainPatch: {0, 1, 0, 0},
		triage.KindAuthorDateSubject: {0, 1, 0, 0}, triage.KindPullRequest: {1, 1, 0, 0},
	}
	got := brief(
		triage.Known{Change: picked, Repeat: pick, Target: "release-1.0"}, triage.Known{Change: carried, Repeat: carry, Target: "release-1.0"},
		triage.Known{Change: absent, Repeat: w.Rev("release-1.0~2"), Target: "release-1.0"},
	)
	delete(got, triage.KindFilePatch)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	// A list that has two commits the wrong way round: what is found is another's by it.
	wrong := brief(triage.Known{Change: picked, Repeat: carry, Target: "release-1.0"}, triage.Known{Change: carried, Repeat: pick, Target: "release-1.0"})
	if got := wrong[triage.ScoreAll]; got != [4]int{0, 0, 2, 0} {
		t.Errorf("of a wrong list: %v", got)
	}
	if _, err := triage.Scores(t.Context(), repo, upstream, []triage.Known{{Change: git.MustOID("1212121212121212121212121212121212121212"), Repeat: pick, Target: "release-1.0"}}, targets); !errs.Is(err, errs.NotFound) {
		t.Errorf("a change that is not in the clone: %v", err)
	}
}
