package backport_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
)

// numbered is a file of lines, some replaced: numbered("2=two").
func numbered(changes ...string) string { return with(changes...).content }

// carried picks the tip of main onto release with at most n prerequisites.
func carried(t *testing.T, r *gittest.Repo, n int) (backport.Result, *gitrepo.Store) {
	t.Helper()
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if shut := repo.Close(); shut != nil {
			t.Error(shut)
		}
	})
	store, err := gitrepo.OpenStore(t.Context(), &command.Runner{}, filepath.Join(t.TempDir(), "store.git"), repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if shut := store.Close(); shut != nil {
			t.Error(shut)
		}
	})
	request := backport.Request{Commit: r.Rev("main"), Onto: r.Rev("release")}
	return backport.New(store, repo).PickWith(t.Context(), request, n, repo), store
}

// subjects are the prerequisites' subjects, each with what it explains.
func subjects(res backport.Result) []string {
	var out []string
	for _, p := range res.Prerequisites {
		s := p.Subject + ": " + strings.Join(p.Explains, ", ")
		if p.Taken {
			s += " (taken)"
		}
		out = append(out, s)
	}
	return out
}

func TestPrerequisitesAreNamed(t *testing.T) {
	commit := func(r *gittest.Repo, subject string, files ...string) git.OID {
		for i := 0; i < len(files); i += 2 {
			r.Write(files[i], files[i+1])
		}
		return r.Commit(subject)
	}
	const use, declare = "package a\n\nfunc One() int {\n\treturn 1\n}\n", "package a\n\nfunc Help() int { return 2 }\n"
	tests := []struct {
		name  string
		setup func(r *gittest.Repo) // main with the fix at its tip, and release
		want  []string
	}{
		{"the commit that wrote the line", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered())
			r.Git("branch", "release")
			commit(r, "elsewhere", "f", numbered("1=one"))
			commit(r, "needed", "f", numbered("1=one", "5=five"))
			commit(r, "later, elsewhere", "f", numbered("1=one", "5=five", "9=nine"))
			commit(r, "fix", "f", numbered("1=one", "5=five, fixed", "9=nine"))
		}, []string{"needed: f:5"}},
		{"the commit that took lines away", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered())
			r.Git("branch", "release")
			commit(r, "drop", "f", strings.ReplaceAll(numbered(), "5\n6\n", ""))
			commit(r, "fix", "f", strings.ReplaceAll(numbered(), "5\n6\n", "new\n"))
		}, []string{"drop: f:5"}},
		{"most first", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered(), "g", numbered())
			r.Git("branch", "release")
			commit(r, "one place", "g", numbered("8=eight"))
			commit(r, "two places", "f", numbered("2=two"), "g", numbered("2=two", "8=eight"))
			commit(r, "fix", "f", numbered("2=two!"), "g", numbered("2=two!", "8=eight!"))
		}, []string{"two places: f:2, g:2", "one place: g:14"}},
		{"under the name that the file had before", func(r *gittest.Repo) {
			commit(r, "base", "old/f", numbered())
			r.Git("branch", "release")
			commit(r, "needed", "old/f", numbered("5=five"))
			r.Git("mv", "old", "new")
			commit(r, "move", "x", "x\n")
			commit(r, "fix", "new/f", numbered("5=five, fixed"))
		}, []string{"needed: old/f:5"}},
		{"the commit that made the file", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered())
			r.Git("branch", "release")
			commit(r, "new file", "g", numbered("1=g"))
			commit(r, "change of it", "g", numbered("1=g", "2=g"))
			commit(r, "fix", "g", numbered("1=g", "2=g", "3=g"))
		}, []string{"new file: g"}},
		{"the commit that declared the name", func(r *gittest.Repo) {
			commit(r, "base", "a.go", use)
			r.Branch("release", "main")
			commit(r, "own", "a.go", strings.ReplaceAll(use, "return 1", "return 1 // ours"))
			r.Checkout("main")
			commit(r, "declare", "b.go", declare)
			commit(r, "touch", "b.go", strings.ReplaceAll(declare, "Help() int", "Help() (n int)"))
			commit(r, "fix", "a.go", strings.ReplaceAll(use, "return 1", "return Help()"))
		}, []string{"declare: Help (.)"}},
		{"not what the target has under another name", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered())
			r.Branch("release", "main")
			r.Checkout("main")
			picked := commit(r, "needed", "f", numbered("5=five"))
			commit(r, "fix", "f", numbered("5=five, fixed"))
			r.Checkout("release")
			r.CherryPick(picked)
			commit(r, "own", "f", numbered("5=ours"))
		}, nil},
		{"not what the target changed itself", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered())
			r.Branch("release", "main")
			commit(r, "own", "f", numbered("5=ours"))
			r.Checkout("main")
			commit(r, "fix", "f", numbered("5=fixed"))
		}, nil},
		{"through a merge", func(r *gittest.Repo) {
			commit(r, "base", "f", numbered())
			r.Git("branch", "release")
			r.Branch("topic", "main")
			commit(r, "needed", "f", numbered("5=five"))
			r.Checkout("main")
			commit(r, "elsewhere", "f", numbered("10=ten"))
			r.Merge("topic", "merge topic")
			commit(r, "fix", "f", numbered("5=five, fixed", "10=ten"))
		}, []string{"needed: f:5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := gittest.New(t)
			tt.setup(r)
			res, _ := carried(t, r, 0)
			if res.Outcome != backport.Conflicted {
				t.Fatalf("outcome %s, want a conflict: %v", res.Outcome, res.Error)
			}
			if diff := cmp.Diff(tt.want, subjects(res)); diff != "" {
				t.Errorf("prerequisites (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPrerequisitesAreTaken(t *testing.T) {
	r := gittest.New(t)
	r.Write("f", numbered())
	r.Commit("base")
	r.Git("branch", "release")
	for _, c := range [][]string{{"2=two"}, {"2=two", "8=eight"}, {"2=two!", "8=eight!"}} {
		r.Write("f", numbered(c...))
		r.Commit(strings.Join(c, " "))
	}
	want := map[int]backport.Outcome{0: backport.Conflicted, 1: backport.Conflicted, 2: backport.Resolved}
	for n, outcome := range want {
		res, store := carried(t, r, n)
		if res.Outcome != outcome || res.Confidence != backport.Review {
			t.Errorf("with %d: %s, %s; want %s for review", n, res.Outcome, res.Confidence, outcome)
		}
		if outcome != backport.Resolved {
			continue
		}
		if got := contents(read(t, store, res.Tree, ""))["f"]; got != numbered("2=two!", "8=eight!") {
			t.Errorf("f is\n%s", got)
		}
		if diff := cmp.Diff([]string{"2=two: f:2 (taken)", "2=two 8=eight: f:14 (taken)"}, subjects(res)); diff != "" {
			t.Errorf("prerequisites (-want +got):\n%s", diff)
		}
		if len(res.Notes) == 0 || !strings.HasPrefix(res.Notes[len(res.Notes)-1], "taken before it: ") {
			t.Errorf("notes %q", res.Notes)
		}
	}
}

// cutOff is a history of which nothing is known.
type cutOff struct{}

func (cutOff) PathHistory(context.Context, git.OID, git.OID, []string, int) ([]backport.Touch, error) {
	return nil, errs.New(errs.Unavailable, "history is cut off")
}

func (cutOff) IsAncestor(context.Context, git.OID, git.OID) (bool, error) { return false, nil }

func TestPrerequisitesThatCannotBeKnown(t *testing.T) {
	store := gittest.NewMemory()
	commit := func(content string, parents ...git.OID) git.OID {
		id, err := store.WriteCommit(t.Context(), &git.Commit{Tree: tree{"f": file{git.ModeFile, content}}.write(t, store), Parents: parents, Message: "c\n"})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	base := commit(numbered())
	parent := commit(numbered("5=five"), base)
	request := backport.Request{Commit: commit(numbered("5=five, fixed"), parent), Onto: base}
	res := backport.New(store, cutOff{}).PickWith(t.Context(), request, 2, cutOff{})
	if len(res.Prerequisites) != 0 || res.Outcome != backport.Conflicted {
		t.Errorf("outcome %s, prerequisites %v", res.Outcome, res.Prerequisites)
	}
	if len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "history is cut off") {
		t.Errorf("notes %q", res.Notes)
	}
}
