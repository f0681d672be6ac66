package gitrepo_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
)

func runner() *command.Runner { return &command.Runner{} }

func open(t *testing.T, dir string) *gitrepo.Repo {
	t.Helper()
	r, err := gitrepo.Open(t.Context(), runner(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestCloseTwice: the second time does nothing, and who reads later is refused.
func TestCloseTwice(t *testing.T) {
	w := history(t)
	tests := []struct {
		name string
		open func(*gitrepo.Repo) (git.Objects, func() error)
	}{
		{"repository", func(r *gitrepo.Repo) (git.Objects, func() error) { return r, r.Close }},
		{"store", func(r *gitrepo.Repo) (git.Objects, func() error) {
			s := r.WriteInto(t.Context())
			return s, s.Close
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := gitrepo.Open(t.Context(), runner(), w.Dir)
			if err != nil {
				t.Fatal(err)
			}
			main, err := r.Resolve(t.Context(), "main")
			if err != nil {
				t.Fatal(err)
			}
			objects, shut := tt.open(r)
			if _, err := objects.Commit(t.Context(), main); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := shut(); err != nil {
					t.Error(err)
				}
			}
			if _, err := objects.Blob(t.Context(), git.OID{1}); !errs.Is(err, errs.Internal) {
				t.Errorf("read from what is closed: %v, want an error of kind internal", err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// history is a repository with a branch, a merge, a rename and a tag.
func history(t *testing.T) *gittest.Repo {
	t.Helper()
	r := gittest.New(t)
	r.Write("a.go", "package a\n")
	r.Write("pkg/b/b.go", strings.Repeat("// b is a package.\n", 20)+"package b\n")
	r.Commit("Start\n\nWith a body.\n\nSigned-off-by: Ada\n")
	r.Branch("release-1.0", "main")
	r.Write("a.go", "package a\n\nvar A = 1\n")
	r.Commit("Fix a")
	r.Tag("v1.0.1")
	r.Checkout("main")
	r.Git("mv", "pkg/b", "pkg/c")
	r.Commit("Move b")
	r.Merge("release-1.0", "Merge release")
	return r
}

func TestReads(t *testing.T) {
	r := history(t)
	for name, dir := range map[string]string{"work tree": r.Dir, "git directory": filepath.Join(r.Dir, ".git"), "subdirectory": filepath.Join(r.Dir, "pkg")} {
		t.Run(name, func(t *testing.T) {
			repo := open(t, dir)
			tip, err := repo.Resolve(t.Context(), "main")
			if err != nil {
				t.Fatal(err)
			}
			c, err := repo.Commit(t.Context(), tip)
			if err != nil {
				t.Fatal(err)
			}
			if c.Subject() != "Merge release" || len(c.Parents) != 2 || c.Author.Email != "ada@example.org" {
				t.Errorf("commit %+v", c)
			}
			blob, err := repo.Blob(t.Context(), r.Rev("main:a.go"))
			if err != nil || string(blob) != "package a\n\nvar A = 1\n" {
				t.Errorf("blob %q, %v", blob, err)
			}
			tree, err := repo.Tree(t.Context(), c.Tree)
			if err != nil || len(tree) != 2 || tree[0].Name != "a.go" || !tree[1].Mode.IsTree() {
				t.Errorf("tree %v, %v", tree, err)
			}
		})
	}
}

func TestRefsArePeeled(t *testing.T) {
	r := history(t)
	var got []string
	for _, ref := range open(t, r.Dir).Refs() {
		got = append(got, fmt.Sprintf("%s %t", ref.Short(), ref.Commit == r.Rev(ref.Name+"^{commit}")))
	}
	if diff := cmp.Diff([]string{"main true", "release-1.0 true", "v1.0.1 true"}, got); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
}

func TestResolveSaysWhatIsNear(t *testing.T) {
	repo := open(t, history(t).Dir)
	tests := []struct{ rev, want, hint string }{
		{"release-1.1", `has no revision "release-1.1"`, "did you mean release-1.0?"},
		{"v1.0.2", `has no revision "v1.0.2"`, "did you mean v1.0.1?"},
		{"main\x00", `has no revision "main\x00"`, ""},
		{"nothing-like-it", `has no revision "nothing-like-it"`, ""},
		{strings.Repeat("5", 40), "is not in this repository", "fetch it into the clone, or name a commit that is there"},
	}
	for _, tt := range tests {
		t.Run(tt.rev, func(t *testing.T) {
			_, err := repo.Resolve(t.Context(), tt.rev)
			if !errs.Is(err, errs.NotFound) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if got := strings.Join(errs.Hints(err), ""); got != tt.hint {
				t.Errorf("hint %q, want %q", got, tt.hint)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoRepository(t *testing.T) {
	for name, dir := range map[string]string{"absent": filepath.Join(t.TempDir(), "no"), "empty": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			_, err := gitrepo.Open(t.Context(), runner(), dir)
			if !errs.Is(err, errs.NotFound) || len(errs.Hints(err)) == 0 || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v with hints %v", err, errs.Hints(err))
			}
		})
	}
}

func TestShallowCloneMakesNoStatementAboutAncestry(t *testing.T) {
	r := history(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	r.Git("clone", "-q", "--depth=1", "file://"+r.Dir, shallow)
	repo := open(t, shallow)
	if !repo.Shallow() {
		t.Fatal("not seen as shallow")
	}
	tip := r.Rev("main")
	if _, err := repo.IsAncestor(t.Context(), tip, tip); !errs.Is(err, errs.Unavailable) {
		t.Errorf("IsAncestor: %v, want kind unavailable", err)
	}
	if err := repo.Commits(t.Context(), []git.OID{tip}, nil, func(*git.Commit) error { return nil }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("Commits: %v, want kind unavailable", err)
	}
}

func TestHistoryAgreesWithGit(t *testing.T) {
	r := history(t)
	repo := open(t, r.Dir)
	var got []string
	var all []git.OID
	err := repo.Commits(t.Context(), []git.OID{r.Rev("main")}, nil, func(c *git.Commit) error {
		got = append(got, c.OID.String()+" "+c.Subject())
		all = append(all, c.OID)
		whole, err := repo.Commit(t.Context(), c.OID)
		if diff := cmp.Diff(whole, c, cmp.Comparer(func(a, b git.Signature) bool { return a.String() == b.String() })); diff != "" || err != nil {
			t.Errorf("rev-list and cat-file disagree: %v\n%s", err, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Git("log", "--topo-order", "--format=%H %s", "main"), strings.Join(got, "\n")); diff != "" {
		t.Errorf("history (-git +ours):\n%s", diff)
	}
	graph, err := repo.Graph(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		for _, b := range all {
			_, notAncestor := r.TryGit("merge-base", "--is-ancestor", a.String(), b.String())
			ours, err := repo.IsAncestor(t.Context(), a, b)
			if want := notAncestor == nil; err != nil || ours != want || graph.IsAncestor(a, b) != want {
				t.Errorf("%s ancestor of %s: git %v, IsAncestor %v (%v), graph %v", a, b, want, ours, err, graph.IsAncestor(a, b))
			}
		}
	}
}

func TestChangesAndPatches(t *testing.T) {
	r := history(t)
	repo := open(t, r.Dir)
	commits := []git.OID{r.Rev("release-1.0"), r.Rev("main^1"), r.Rev("main"), r.Rev("main~2")}
	var got []string
	err := repo.Changes(t.Context(), commits, func(c git.OID, changes []gitrepo.Change) error {
		for _, ch := range changes {
			got = append(got, fmt.Sprintf("%s %s %t %t", c.Short(), ch.Path, ch.Old.IsZero(), ch.New.IsZero()))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		commits[0].Short() + " a.go false false",
		commits[1].Short() + " pkg/b/b.go false true", commits[1].Short() + " pkg/c/b.go true false",
		commits[3].Short() + " a.go true false", commits[3].Short() + " pkg/b/b.go true false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	i := 0
	err = repo.Patches(t.Context(), commits, func(c git.OID, diff []byte) error {
		want := r.Git("diff-tree", "-r", "--root", "-p", "--full-index", "--no-commit-id", c.String())
		if diff := cmp.Diff(want, strings.TrimSuffix(string(diff), "\n")); diff != "" || c != commits[i] {
			t.Errorf("patch of %s (-git +ours):\n%s", c, diff)
		}
		i++
		return nil
	})
	if err != nil || i != len(commits) {
		t.Errorf("%d patches, %v", i, err)
	}
}

func TestStoreKeepsWhatIsWritten(t *testing.T) {
	r := history(t)
	repo := open(t, r.Dir)
	dir := filepath.Join(t.TempDir(), "a \"quoted\" store.git")
	store, err := gitrepo.OpenStore(t.Context(), runner(), dir, repo)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ctx := t.Context()
	blob, err := store.WriteBlob(ctx, []byte("new\n"))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := store.WriteTree(ctx, []git.TreeEntry{{Name: "sub", Mode: git.ModeTree, OID: r.Rev("main^{tree}")}, {Name: "sub.go", Mode: git.ModeFile, OID: blob}})
	if err != nil {
		t.Fatal(err)
	}
	who := git.ParseSignature("K <k@example.org> 1577836800 +0100")
	commit, err := store.WriteCommit(ctx, &git.Commit{Tree: tree, Parents: []git.OID{r.Rev("main")}, Author: who, Committer: who, Message: "New\n"})
	if err != nil {
		t.Fatal(err)
	}
	tag, err := store.WriteTag(ctx, "v9", commit, who, "v9\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.UpdateRefs(ctx, []gitrepo.RefUpdate{{Name: "refs/tags/v9", New: tag, MustBeNew: true}}); err != nil {
		t.Fatal(err)
	}
	if err := store.UpdateRefs(ctx, []gitrepo.RefUpdate{{Name: "refs/tags/v9", New: commit, MustBeNew: true}}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a tag was made twice: %v", err)
	}
	if got, ok, err := store.Ref(ctx, "refs/tags/v9"); err != nil || !ok || got != tag {
		t.Errorf("tag %s %v %v, want %s", got, ok, err, tag)
	}
	if out := r.Git("--git-dir="+dir, "fsck", "--strict", "--no-dangling"); strings.Contains(out, "error") {
		t.Errorf("git fsck: %s", out)
	}
	if out := r.Git("--git-dir="+dir, "show", "v9:sub/a.go"); out != "package a\n\nvar A = 1" {
		t.Errorf("git sees %q through the store", out)
	}
	if out := r.Git("for-each-ref", "--format=%(refname:short)"); out != "main\nrelease-1.0\nv1.0.1" {
		t.Errorf("the clone's refs changed: %s", out)
	}
}

func TestManyReadersAtOnce(t *testing.T) {
	r := history(t)
	repo := open(t, r.Dir)
	absent := git.MustOID(strings.Repeat("5", 40))
	blob := r.Rev("main:a.go")
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 50 {
				if _, err := repo.Blob(t.Context(), blob); err != nil {
					t.Error(err)
				}
				_, err := repo.Blob(t.Context(), absent)
				if _, ok := errors.AsType[*git.AbsentError](err); !ok {
					t.Errorf("absent object: %v", err)
				}
				if _, err := repo.Tree(t.Context(), blob); !errs.Is(err, errs.Invalid) {
					t.Errorf("a blob read as a tree: %v", err)
				}
			}
		})
	}
	wait.Wait()
}

func TestExportAgreesWithGit(t *testing.T) {
	r := gittest.New(t)
	r.Write("a/b/c.txt", "c\n")
	r.Write("run.sh", "#!/bin/sh\n")
	r.Git("update-index", "--add", "--chmod=+x", "run.sh")
	if err := os.Symlink("a/b", filepath.Join(r.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(r.Dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Commit("one")
	dir := t.TempDir()
	repo := open(t, r.Dir)
	if err := gitrepo.Export(t.Context(), repo, r.Rev("main^{tree}"), dir); err != nil {
		t.Fatal(err)
	}
	if out := r.Git("--git-dir="+filepath.Join(r.Dir, ".git"), "--work-tree="+dir, "status", "--porcelain"); out != "" {
		t.Errorf("git sees differences in the export:\n%s", out)
	}
}
