package gitrepo_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
)

const upstream = "example/server"

// indexed is what an index says, by commit.
type indexed map[string]equiv.Commit

// indexOf opens a clone and reads its index, with a cache when one is named. notes are what was said about the cache.
func indexOf(t *testing.T, dir, cache string) (found indexed, notes []string) {
	t.Helper()
	r, err := gitrepo.Open(t.Context(), runner(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.KeepIndex(gitrepo.IndexCache{Dir: cache, Note: func(text string) { notes = append(notes, text) }})
	tips := equiv.RefTips(r.Refs())
	table, err := r.Index(t.Context(), upstream, tips)
	if err != nil {
		t.Fatal(err)
	}
	found = indexed{}
	table.Reach(tips, nil, func(c *equiv.Commit) { found[c.OID.String()] = *c })
	return found, notes
}

func cacheFiles(t *testing.T, cache string) []string {
	t.Helper()
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, filepath.Join(cache, e.Name()))
	}
	return names
}

// TestIndexOfEveryLayout: how a clone is laid out, and what it says about its own history, changes nothing.
func TestIndexOfEveryLayout(t *testing.T) {
	w := history(t)
	want, _ := indexOf(t, w.Dir, "")
	if len(want) < 4 {
		t.Fatalf("only %d commits", len(want))
	}
	copied := func() string {
		dir := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(dir, os.DirFS(w.Dir)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	clone := func(args ...string) string {
		dir := filepath.Join(t.TempDir(), "clone")
		w.Git(append(append([]string{"clone", "-q", "--mirror"}, args...), w.Dir, dir)...)
		return dir
	}
	parent := w.Rev("main~1").String()
	tests := []struct {
		name string
		dir  func() string
	}{
		{"a work tree", func() string { return copied() }},
		{"a directory within a work tree", func() string { return filepath.Join(copied(), "pkg") }},
		{"bare", func() string { return clone() }},
		{"borrowed objects", func() string { return clone("--shared") }},
		{"packed", func() string {
			dir := clone("--no-hardlinks")
			w.Git("-C", dir, "gc", "-q", "--prune=now")
			return dir
		}},
		{"a linked work tree", func() string {
			dir, linked := copied(), filepath.Join(t.TempDir(), "linked")
			w.Git("-C", dir, "worktree", "add", "-q", "--detach", linked)
			return linked
		}},
		{"grafts", func() string {
			dir := copied()
			write(t, filepath.Join(dir, ".git", "info", "grafts"), w.Rev("main").String()+"\n")
			return dir
		}},
		{"a replaced commit", func() string {
			dir := copied()
			w.Git("-C", dir, "update-ref", "refs/replace/"+w.Rev("main").String(), parent)
			return dir
		}},
		{"a commit-graph that lies", func() string {
			dir := copied()
			w.Git("-C", dir, "commit-graph", "write", "--reachable")
			write(t, filepath.Join(dir, ".git", "objects", "info", "commit-graphs", "commit-graph-chain"), strings.Repeat("0", 40)+"\n")
			return dir
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, cache := tt.dir(), t.TempDir()
			t.Setenv("GIT_DIR", "/nonexistent") // a shell's environment that leads elsewhere
			t.Setenv("GIT_OBJECT_DIRECTORY", "/nonexistent")
			for _, run := range []string{"first", "second"} {
				got, notes := indexOf(t, dir, cache)
				if diff := cmp.Diff(want, got); diff != "" || notes != nil {
					t.Errorf("%s run, notes %q (-want +got):\n%s", run, notes, diff)
				}
			}
		})
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o700)
	if err == nil {
		err = os.WriteFile(name, []byte(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestIndexOfSubmodules: a submodule is one line of a patch, and is not looked into.
func TestIndexOfSubmodules(t *testing.T) {
	w := history(t)
	w.Git("update-index", "--add", "--cacheinfo", "160000,"+w.Rev("main").String()+",sub")
	w.Git("commit", "-q", "-m", "Take in a submodule")
	got, _ := indexOf(t, w.Dir, t.TempDir())
	c := got[w.Rev("main").String()]
	if c.Change == nil || c.Change.Unread != "" || len(c.Change.Files) != 1 || c.Change.Files[0].Path != "sub" {
		t.Errorf("the commit: %+v", c)
	}
}

// TestIndexIsRefusedByName: what cannot be judged says why.
func TestIndexIsRefusedByName(t *testing.T) {
	w := history(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	w.Git("clone", "-q", "--depth=1", "file://"+w.Dir, shallow)
	r := open(t, shallow)
	if _, err := r.Index(t.Context(), upstream, equiv.RefTips(r.Refs())); !errs.Is(err, errs.Unavailable) || !strings.Contains(err.Error(), "shallow") {
		t.Errorf("of a shallow clone: %v", err)
	}
	other := filepath.Join(t.TempDir(), "sha256")
	w.Git("init", "-q", "--object-format=sha256", other)
	if _, err := gitrepo.Open(t.Context(), runner(), other); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("of other object names: %v", err)
	}
}

// TestIndexFollowsTheClone: whatever happens to a clone between two runs, the cache gives what a run without it gives.
func TestIndexFollowsTheClone(t *testing.T) {
	w, cache := history(t), t.TempDir()
	change := func(name, message string) {
		w.Write(name, "package a\n\nvar B = \""+message+"\"\n")
		w.Commit(message)
	}
	steps := []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"a commit", func() { change("a.go", "Go on") }},
		{"everything in a pack", func() { w.Git("gc", "-q", "--prune=now") }},
		{"a branch and a tag", func() {
			w.Branch("release-2.0", "main~1")
			w.Checkout("release-2.0")
			change("b.go", "On the branch")
			w.Tag("v2.0.0")
			w.Checkout("main")
		}},
		{"the branch gone, the tag there", func() { w.Git("branch", "-q", "-D", "release-2.0") }},
		{"a main branch that was rewritten", func() {
			w.Git("reset", "-q", "--hard", "main~2")
			change("a.go", "Another way")
		}},
		{"what was there before gone for good", func() {
			w.Git("tag", "-d", "v2.0.0")
			w.Git("reflog", "expire", "--expire=all", "--all")
			w.Git("gc", "-q", "--prune=now")
		}},
		{"packed anew", func() { w.Git("repack", "-q", "-a", "-d", "-f") }},
		{"another root", func() {
			w.Git("checkout", "-q", "--orphan", "other")
			change("z.go", "Begin anew")
			w.Checkout("main")
		}},
	}
	for _, s := range steps {
		s.do()
		want, _ := indexOf(t, w.Dir, "")
		got, notes := indexOf(t, w.Dir, cache)
		if diff := cmp.Diff(want, got); diff != "" || notes != nil {
			t.Fatalf("%s, notes %q (-without a cache +with it):\n%s", s.name, notes, diff)
		}
	}
	if files := cacheFiles(t, cache); len(files) != 1 {
		t.Errorf("the cache holds %q, want one file", files)
	}
}

// TestIndexTriesAgainWhatIsBorrowed: an object that was absent comes to the repository that the clone borrows from.
func TestIndexTriesAgainWhatIsBorrowed(t *testing.T) {
	w, cache := history(t), t.TempDir()
	clone := filepath.Join(t.TempDir(), "clone")
	w.Git("clone", "-q", "--mirror", "--shared", w.Dir, clone)
	name := w.Rev("release-1.0:a.go").String()
	file := filepath.Join(w.Dir, ".git", "objects", name[:2], name[2:])
	aside := filepath.Join(t.TempDir(), "aside")
	if err := os.Rename(file, aside); err != nil {
		t.Fatal(err)
	}
	unread := func() int {
		n := 0
		got, _ := indexOf(t, clone, cache)
		for _, c := range got {
			if c.Change != nil && c.Change.Unread != "" {
				n++
			}
		}
		return n
	}
	if unread() == 0 {
		t.Fatal("nothing lacks the object")
	}
	if err := os.Rename(aside, file); err != nil {
		t.Fatal(err)
	}
	if n := unread(); n != 0 {
		t.Errorf("the object is there again, and %d commits are unread", n)
	}
}

// TestIndexRunsAtOnce: many runs on one clone and one cache, of which some are broken off, do each other no harm.
func TestIndexRunsAtOnce(t *testing.T) {
	w, cache := history(t), t.TempDir()
	want, _ := indexOf(t, w.Dir, "")
	var runs sync.WaitGroup
	for n := range 12 {
		runs.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := gitrepo.Open(ctx, runner(), w.Dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			r.KeepIndex(gitrepo.IndexCache{Dir: cache, Note: func(text string) { t.Error(text) }, Step: func(int, int) {
				if n%3 == 0 {
					cancel()
				}
			}})
			tips := equiv.RefTips(r.Refs())
			table, err := r.Index(ctx, upstream, tips)
			if err != nil {
				if ctx.Err() == nil {
					t.Error(err)
				}
				return
			}
			count := 0
			table.Reach(tips, nil, func(c *equiv.Commit) {
				if count++; !cmp.Equal(want[c.OID.String()], *c) {
					t.Errorf("commit %s: %+v", c.OID, c)
				}
			})
			if count != len(want) {
				t.Errorf("%d commits, want %d", count, len(want))
			}
		})
	}
	runs.Wait()
	got, notes := indexOf(t, w.Dir, cache)
	if diff := cmp.Diff(want, got); diff != "" || notes != nil || len(cacheFiles(t, cache)) != 1 {
		t.Errorf("afterwards, notes %q, files %q:\n%s", notes, cacheFiles(t, cache), diff)
	}
}

// TestIndexWithoutAUsableCache: the answer is the same, and it is said once why nothing is kept.
func TestIndexWithoutAUsableCache(t *testing.T) {
	w := history(t)
	want, _ := indexOf(t, w.Dir, "")
	replace := func(by func(name string) error) func(string) string {
		return func(cache string) string {
			indexOf(t, w.Dir, cache)
			if err := by(cacheFiles(t, cache)[0]); err != nil {
				t.Fatal(err)
			}
			return cache
		}
	}
	tests := []struct {
		name  string
		cache func(cache string) string
		note  string
	}{
		{"below a file", func(cache string) string {
			write(t, filepath.Join(cache, "file"), "")
			return filepath.Join(cache, "file", "index")
		}, "is not kept"},
		{"in a directory that takes no files", func(string) string { return "/proc/self/fdinfo" }, "is not kept"},
		{"others may write it", replace(func(name string) error { return os.Chmod(name, 0o622) }), "others can write it"},
		{"a link", replace(func(name string) error {
			if err := os.Rename(name, name+".moved"); err != nil {
				return err
			}
			return os.Symlink(name+".moved", name)
		}), "is made anew"},
		{"a pipe that nobody writes into", replace(func(name string) error {
			if err := os.Remove(name); err != nil {
				return err
			}
			return syscall.Mkfifo(name, 0o600)
		}), "is made anew"},
		{"far too large", replace(func(name string) error { return os.Truncate(name, equiv.MaxSize+1) }), "is made anew"},
		{"cut off", replace(func(name string) error { return os.Truncate(name, 100) }), "is made anew"},
		{"empty", replace(func(name string) error { return os.Truncate(name, 0) }), "is made anew"},
		{"that of another clone", replace(func(name string) error {
			other, cache := history(t), t.TempDir()
			other.Write("a.go", "package other\n")
			other.Commit("Another")
			indexOf(t, other.Dir, cache)
			return os.Rename(cacheFiles(t, cache)[0], name)
		}), "is made anew"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cache := tt.cache(t.TempDir())
			got, notes := indexOf(t, w.Dir, cache)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(notes) != 1 || !strings.Contains(notes[0], tt.note) {
				t.Errorf("notes %q, want one with %q", notes, tt.note)
			}
		})
	}
}

// TestIndexIsKeptByUpstream: as which upstream a clone is read changes what its messages claim.
func TestIndexIsKeptByUpstream(t *testing.T) {
	w, cache := gittest.New(t), t.TempDir()
	w.Write("a.go", "package a\n")
	w.Commit("Start\n\nCherry pick of https://github.com/example/server/pull/12 on release-1.0.\n")
	for range 2 {
		for repository, want := range map[string]int{upstream: 1, "another/name": 0} {
			r := open(t, w.Dir)
			r.KeepIndex(gitrepo.IndexCache{Dir: cache, Note: func(text string) { t.Error(text) }})
			table, err := r.Index(t.Context(), repository, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, ok := table.Find(w.Rev("main"))
			picks := 0
			if ok && c.Claims != nil {
				picks = len(c.Claims.Picks)
			}
			if picks != want {
				t.Errorf("as %s it claims to pick %d pull requests, want %d", repository, picks, want)
			}
		}
	}
	if n := len(cacheFiles(t, cache)); n != 2 {
		t.Errorf("%d files for two upstreams", n)
	}
}

// TestIndexOfManyCommits reads more than one git process is given, with several at once.
func TestIndexOfManyCommits(t *testing.T) {
	w := gittest.New(t)
	var in strings.Builder
	const commits = 700
	for i := range commits {
		text := fmt.Sprintf("package a\n\nvar N = %d\n", i)
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 3\nOne\nM 100644 inline a%d.go\ndata %d\n%s\n", 1e9+i, i%5, len(text), text)
	}
	write(t, filepath.Join(w.Dir, ".git", "stream"), in.String())
	w.Git("-c", "alias.x=!git fast-import --quiet <.git/stream", "x")
	got, _ := indexOf(t, w.Dir, t.TempDir())
	ids := map[git.OID]bool{}
	for _, c := range got {
		if c.Change == nil || c.Change.Unread != "" || len(c.Change.Files) != 1 {
			t.Fatalf("commit %+v", c)
		}
		ids[c.Change.Patch] = true
	}
	if len(got) != commits || len(ids) != commits {
		t.Errorf("%d commits with %d patch-ids, want %d of each", len(got), len(ids), commits)
	}
}
