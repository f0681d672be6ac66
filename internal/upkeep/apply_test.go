package upkeep

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/lts"
)

// mailed makes a change in a repository that has base, and returns the mail of the change, the base's tree and the result's, and the store.
func mailed(t *testing.T, base, after func(r *gittest.Repo)) (content []byte, from, to git.OID, store *gitrepo.Store) {
	t.Helper()
	r := gittest.New(t)
	base(r)
	first := r.Commit("base")
	after(r)
	second := r.Commit("change\n\nWhy: because\n")
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	if store, err = gitrepo.OpenStore(t.Context(), &command.Runner{}, filepath.Join(t.TempDir(), "store.git"), repo); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if content, err = store.FormatPatch(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	return content, tree(t, store, first), tree(t, store, second), store
}

func tree(t *testing.T, store *gitrepo.Store, commit git.OID) git.OID {
	t.Helper()
	c, err := store.Commit(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	return c.Tree
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestApplyAgreesWithGitAm applies mails of all sorts of changes and wants the tree that git am makes of them.
func TestApplyAgreesWithGitAm(t *testing.T) {
	long := strings.Repeat("line\n", 200)
	files := func(r *gittest.Repo) {
		r.Write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")
		r.Write("dir/b.txt", long)
		r.Write("dir/deep/c.txt", "no newline at the end")
		r.Write("bin", "\x00\x01\x02"+long)
		r.Write("käse und \"brot\"\t.txt", "x\n")
	}
	tests := []struct {
		name  string
		after func(r *gittest.Repo)
	}{
		{"modify", func(r *gittest.Repo) { r.Write("a.txt", "1\n2\n3\nfour\n5\n6\n7\n8\n9\n10\n") }},
		{"two hunks", func(r *gittest.Repo) { r.Write("dir/b.txt", "first\n"+long+"last\n") }},
		{"end without newline", func(r *gittest.Repo) { r.Write("dir/deep/c.txt", "another end") }},
		{"newline at last", func(r *gittest.Repo) { r.Write("dir/deep/c.txt", "no newline at the end\n") }},
		{"new files", func(r *gittest.Repo) { r.Write("new/d.txt", "d\n"); r.Write("new/empty", "") }},
		{"delete", func(r *gittest.Repo) { r.Git("rm", "-q", "dir/deep/c.txt", "a.txt") }},
		{"delete everything", func(r *gittest.Repo) { r.Git("rm", "-q", "-r", ".") }},
		{"rename", func(r *gittest.Repo) { r.Git("mv", "dir/b.txt", "moved.txt") }},
		{"rename and change", func(r *gittest.Repo) { r.Git("mv", "dir/b.txt", "moved.txt"); r.Write("moved.txt", long+"more\n") }},
		{"file becomes directory", func(r *gittest.Repo) { r.Git("rm", "-q", "a.txt"); r.Write("a.txt/inner", "x\n") }},
		{"directory becomes file", func(r *gittest.Repo) { r.Git("rm", "-q", "-r", "dir"); r.Write("dir", "x\n") }},
		{"mode", func(r *gittest.Repo) { must(t, os.Chmod(filepath.Join(r.Dir, "a.txt"), 0o755)) }},
		{"link", func(r *gittest.Repo) { must(t, os.Symlink("a.txt", filepath.Join(r.Dir, "link"))) }},
		{"file becomes link", func(r *gittest.Repo) {
			must(t, os.Remove(filepath.Join(r.Dir, "a.txt")))
			must(t, os.Symlink("bin", filepath.Join(r.Dir, "a.txt")))
		}},
		{"binary", func(r *gittest.Repo) { r.Write("bin", "\x00\x03"+long) }},
		{"new binary", func(r *gittest.Repo) { r.Write("bin2", "\x00\x03") }},
		{"strange name", func(r *gittest.Repo) { r.Write("käse und \"brot\"\t.txt", "y\n") }},
		{"submodule", func(r *gittest.Repo) {
			r.Git("init", "-q", "sub")
			r.Write("sub/f", "x\n")
			r.Git("-C", "sub", "add", "f")
			r.Git("-C", "sub", "commit", "-q", "-m", "sub")
		}},
		{"CRLF", func(r *gittest.Repo) { r.Write("a.txt", "1\r\n2\r\n3\n4\n5\n6\n7\n8\n9\n") }},
		{"lines that look like a mail's end", func(r *gittest.Repo) { r.Write("a.txt", "---\n+++\n-- \nFrom x\ndiff --git a b\n") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content, from, to, store := mailed(t, files, tt.after)
			patch, err := lts.ParsePatch("0001-x.patch", content)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := applyDiff(t.Context(), store, from, patch.Diff)
			if err != nil {
				t.Fatalf("%v\n%s", err, content)
			}
			if got != to {
				t.Errorf("tree %s, want %s\n%s", got, to, content)
			}
			if am := gitAm(t, files, content); am != to {
				t.Errorf("git am gives tree %s, want %s", am, to)
			}
		})
	}
}

// gitAm applies a mail with git in a fresh repository and returns the tree.
func gitAm(t *testing.T, base func(r *gittest.Repo), mail []byte) git.OID {
	t.Helper()
	r := gittest.New(t)
	base(r)
	r.Commit("base")
	file := filepath.Join(t.TempDir(), "mail")
	must(t, os.WriteFile(file, mail, 0o600))
	r.Git("am", "-q", "--keep-cr", file)
	return r.Rev("HEAD^{tree}")
}

func TestApplyRefuses(t *testing.T) {
	base := func(r *gittest.Repo) { r.Write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n") }
	tests := []struct{ name, diff, want string }{
		{"shifted by a line", "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n 2\n-3\n+three\n 4\n", "a.txt: hunk 1, line 1 of the file"},
		{"other context", "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-2\n+two\n 3\n", "conflict"},
		{"file that is not there", "diff --git a/b.txt b/b.txt\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-1\n+2\n", "b.txt is not there"},
		{"new file that is there", "diff --git a/a.txt b/a.txt\nnew file mode 100644\n--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+1\n", "it is there already"},
		{"path outside", "diff --git a/../x b/../x\nnew file mode 100644\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+1\n", `path "../x"`},
		{"path in git", "diff --git a/.git/config b/.git/config\nnew file mode 100644\n--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+1\n", `path ".git/config"`},
		{"half a deletion", "diff --git a/a.txt b/a.txt\ndeleted file mode 100644\n--- a/a.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-1\n-2\n", "src still has content after full delete"},
		{"strange mode", "diff --git a/x b/x\nnew file mode 040000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+1\n", "mode 040000"},
		{"binary without content", "diff --git a/a.txt b/a.txt\nindex 1111111..2222222 100644\nBinary files a/a.txt and b/a.txt differ\n", "a.txt"},
		{"nothing", "no diff\n", "it has 0 files"},
		{"file below a file", "diff --git a/a.txt/x b/a.txt/x\nnew file mode 100644\n--- /dev/null\n+++ b/a.txt/x\n@@ -0,0 +1 @@\n+1\n", "is a file, not a directory"},
	}
	_, from, _, store := mailed(t, base, func(r *gittest.Repo) { r.Write("other", "x\n") })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := applyDiff(t.Context(), store, from, []byte(tt.diff))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestMakePatch makes patches of commits whose messages and authors are hostile to mail files, and wants a tree that git am makes too.
func TestMakePatch(t *testing.T) {
	base := func(r *gittest.Repo) { r.Write("a.txt", "1\n") }
	for _, message := range []string{
		"plain\n", "[release-1.0] subject: with a [PATCH]\n\nbody\n", "x\n\n---\ndiff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-1\n+evil\n",
		strings.Repeat("long ", 60) + "\n", "käse\n\nFrom nobody Mon Sep 17 00:00:00 2001\n", "\n", "x\n\n-- >8 --\nscissors\n", "x\n\nPicked-by: person\n", "From: someone <a@b>\n\nFrom: other <c@d>\n",
	} {
		t.Run(fmt.Sprintf("%.20q", message), func(t *testing.T) {
			_, from, to, store := mailed(t, base, func(r *gittest.Repo) { r.Write("a.txt", "2\n") })
			ctx := t.Context()
			who := git.Signature{Name: `A "B" <Ç`, Email: "a@b>", When: time.Unix(1577836800, 0).In(time.FixedZone("", -3*3600-1800))}
			onto, err := store.WriteCommit(ctx, &git.Commit{Tree: from, Author: who, Committer: who, Message: "base\n"})
			must(t, err)
			upstream, err := store.WriteCommit(ctx, &git.Commit{Tree: to, Parents: []git.OID{onto}, Author: who, Committer: who, Message: message})
			must(t, err)
			p := &Project{Store: testStore{store}}
			c := &chain{store: store, tip: onto, tree: from, baseTree: from}
			patch, content, err := p.makePatch(ctx, c, replant{upstream: upstream, tree: to, vulnerabilities: []string{"CVE-2020-0001"}, number: 1})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(patch.Fixes(), []string{"CVE-2020-0001"}) {
				t.Errorf("it fixes %q\n%s", patch.Fixes(), content)
			}
			if am := gitAm(t, base, content); am != to {
				t.Errorf("git am gives tree %s, want %s\n%s", am, to, content)
			}
			again := &chain{store: store, tip: onto, tree: from, baseTree: from}
			must(t, again.apply(ctx, patch))
			if again.tip != c.tip {
				t.Errorf("applied again it is commit %s, not %s", again.tip, c.tip)
			}
		})
	}
}

// testStore adds what the tests of this room do not use.
type testStore struct{ *gitrepo.Store }

// SetRef implements [Store].
func (testStore) SetRef(context.Context, string, git.OID) error { return nil }

func FuzzApply(f *testing.F) {
	f.Add([]byte("diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"))
	f.Add([]byte("diff --git a/dir/b b/c\nsimilarity index 100%\nrename from dir/b\nrename to c\n"))
	f.Add([]byte("diff --git a/a.txt b/a.txt\ndeleted file mode 100644\n--- a/a.txt\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-1\n-2\n-3\n"))
	store := gittest.NewMemory()
	ctx := f.Context()
	blob, err := store.WriteBlob(ctx, []byte("1\n2\n3\n"))
	if err != nil {
		f.Fatal(err)
	}
	inner, err := store.WriteTree(ctx, []git.TreeEntry{{Name: "b", Mode: git.ModeFile, OID: blob}})
	if err != nil {
		f.Fatal(err)
	}
	root, err := store.WriteTree(ctx, []git.TreeEntry{{Name: "a.txt", Mode: git.ModeFile, OID: blob}, {Name: "dir", Mode: git.ModeTree, OID: inner}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, diff []byte) {
		got, paths, err := applyDiff(t.Context(), store, root, diff)
		if err != nil {
			return
		}
		// Whatever was applied, the result is a tree of valid names, and paths that were not named are as they were.
		checkTree(t, store, got)
		for _, path := range []string{"a.txt", "dir/b"} {
			before, _ := lookup(t.Context(), store, root, path)
			after, err := lookup(t.Context(), store, got, path)
			if err != nil || !slices.Contains(paths, path) && (after == nil || *after != *before) {
				t.Errorf("%s is %v, was %v, and the patch names %q only (%v)", path, after, before, paths, err)
			}
		}
	})
}

func checkTree(t *testing.T, store git.Store, id git.OID) {
	t.Helper()
	entries, err := store.Tree(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := git.ParseTree(git.EncodeTree(entries)); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Mode.IsTree() {
			checkTree(t, store, e.OID)
		}
	}
}
