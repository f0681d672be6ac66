package gitrepo_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
)

// trap is a program that leaves a mark when it runs.
func trap(t *testing.T) (program, mark string) {
	t.Helper()
	dir := t.TempDir()
	program, mark = filepath.Join(dir, "trap"), filepath.Join(dir, "mark")
	script := "#!/bin/sh\necho \"$0 $*\" >> " + mark + "\nexit 1\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, mark
}

// everything reads a repository in all the ways that the package has.
func everything(t *testing.T, r *gitrepo.Repo) error {
	t.Helper()
	ctx := t.Context()
	tip, err := r.Resolve(ctx, "main")
	if err != nil {
		return err
	}
	var all []git.OID
	failures := []error{r.Commits(ctx, []git.OID{tip}, nil, func(c *git.Commit) error {
		all = append(all, c.OID)
		return nil
	})}
	failures = append(failures, r.Changes(ctx, all, func(git.OID, []gitrepo.Change) error { return nil }))
	failures = append(failures, r.Patches(ctx, all, func(git.OID, []byte) error { return nil }))
	_, err = r.Graph(ctx)
	failures = append(failures, err)
	c, err := r.Commit(ctx, tip)
	if err != nil {
		return errors.Join(append(failures, err)...)
	}
	failures = append(failures, gitrepo.Export(ctx, r, c.Tree, t.TempDir()))
	return errors.Join(failures...)
}

// config names the trap wherever git's configuration can name a program.
func config(program string) string {
	return fmt.Sprintf(`[core]
	hooksPath = %[2]s
	fsmonitor = %[1]s
	pager = %[1]s
	editor = %[1]s
	sshCommand = %[1]s
	gitProxy = %[1]s
	askPass = %[1]s
	alternateRefsCommand = %[1]s
[diff]
	external = %[1]s
[diff "trap"]
	textconv = %[1]s
	command = %[1]s
[filter "trap"]
	clean = %[1]s
	smudge = %[1]s
	process = %[1]s
	required = true
[merge "trap"]
	driver = %[1]s
[gpg]
	program = %[1]s
[log]
	showSignature = true
[credential]
	helper = !%[1]s
[uploadpack]
	packObjectsHook = %[1]s
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[alias]
	rev-parse = !%[1]s
	cat-file = !%[1]s
`, program, filepath.Dir(program))
}

func TestConfigurationOfAStrangerRunsNothing(t *testing.T) {
	program, mark := trap(t)
	r := gittest.New(t)
	r.Write(".gitattributes", "* diff=trap filter=trap merge=trap\n")
	r.Git("-c", "filter.trap.required=false", "add", "-A")
	r.Write("a.go", "package a\n")
	r.Commit("one")
	r.Write("a.go", "package a\n\nvar A = 1\n")
	r.Commit("two")
	old, err := os.ReadFile(filepath.Join(r.Dir, ".git", "config"))
	if err != nil {
		t.Fatal(err)
	}
	r.Write(".git/config", string(old)+config(program))
	r.Write(".git/info/attributes", "* diff=trap filter=trap\n")
	for _, hook := range []string{"post-index-change", "pre-auto-gc", "reference-transaction", "post-checkout", "fsmonitor-watchman"} {
		r.Write(".git/hooks/"+hook, "#!/bin/sh\nexec "+program+" hook\n")
		if os.Chmod(filepath.Join(r.Dir, ".git/hooks", hook), 0o755) != nil {
			t.Fatal("chmod", hook)
		}
	}
	repo := open(t, r.Dir)
	if err = everything(t, repo); err != nil {
		t.Error(err)
	}
	store, err := gitrepo.OpenStore(t.Context(), runner(), filepath.Join(t.TempDir(), "store.git"), repo)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.UpdateRefs(t.Context(), []gitrepo.RefUpdate{{Name: "refs/kubelts/x", New: r.Rev("main")}}); err != nil {
		t.Error(err)
	}
	untouched(t, mark)
	fires(t, mark, func() { r.TryGit("log", "-p", "main") })
}

// fires is the control: plain git, used without care, does fall into the trap.
func fires(t *testing.T, mark string, careless func()) {
	t.Helper()
	careless()
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the trap does not work, so the test shows nothing: %v", err)
	}
}

func untouched(t *testing.T, mark string) {
	t.Helper()
	if ran, err := os.ReadFile(mark); err == nil {
		t.Errorf("the repository's own program was run:\n%s", ran)
	}
}

func TestPartialCloneFetchesNothing(t *testing.T) {
	program, mark := trap(t)
	upstream := gittest.New(t)
	upstream.Write("a.go", "package a\n")
	upstream.Commit("one")
	upstream.Write("a.go", "package a\n\nvar A = 1\n")
	tip := upstream.Commit("two")
	blob := upstream.Rev("main~1:a.go")
	upstream.Git("config", "uploadpack.allowFilter", "true")
	clone := gittest.New(t)
	dir := filepath.Join(clone.Dir, "partial.git")
	clone.Git("clone", "-q", "--bare", "--filter=blob:none", "file://"+upstream.Dir, dir)
	clone.Git("-C", dir, "config", "remote.origin.uploadpack", program)
	clone.Git("-C", dir, "config", "remote.origin.url", "ext::"+program+" %s")
	clone.Git("-C", dir, "config", "protocol.ext.allow", "always")
	repo := open(t, dir)

	_, err := repo.Blob(t.Context(), blob)
	if absent, ok := errors.AsType[*git.AbsentError](err); !ok || absent.OID != blob {
		t.Errorf("reading an absent blob: %v, want *git.AbsentError for %s", err, blob)
	}
	err = repo.Patches(t.Context(), []git.OID{tip}, func(git.OID, []byte) error {
		t.Error("a patch of absent blobs was handed out")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), tip.String()) {
		t.Errorf("patch of absent blobs: %v, want an error that names commit %s", err, tip)
	}
	tree := upstream.Rev("main~1^{tree}")
	if err := gitrepo.Export(t.Context(), repo, tree, t.TempDir()); err == nil || !strings.Contains(err.Error(), "a.go") {
		t.Errorf("export with an absent blob: %v, want an error that names a.go", err)
	}
	if err := gitrepo.Export(t.Context(), repo, tree, t.TempDir(), "a.go"); err != nil {
		t.Errorf("export with an absent blob that may be left out: %v", err)
	}
	if err := repo.Changes(t.Context(), []git.OID{tip}, func(git.OID, []gitrepo.Change) error { return nil }); err != nil {
		t.Errorf("changed paths need no blob: %v", err)
	}
	untouched(t, mark)
	clone.Git("-C", dir, "config", "remote.origin.url", "file://"+upstream.Dir)
	fires(t, mark, func() { clone.TryGit("-C", dir, "cat-file", "blob", blob.String()) })
}

func TestLyingObjectIsRefused(t *testing.T) {
	r := gittest.New(t)
	r.Write("a.go", "package a // harmless\n")
	r.Commit("one")
	blob := r.Rev("main:a.go")
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	content := "package a // harmful\n"
	fmt.Fprintf(z, "blob %d\x00%s", len(content), content)
	z.Close()
	path := filepath.Join(r.Dir, ".git/objects", blob.String()[:2], blob.String()[2:])
	os.Remove(path)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	repo := open(t, r.Dir)
	if content, err := repo.Blob(t.Context(), blob); err == nil {
		t.Errorf("blob %s was read as %q", blob, content)
	}
}

func TestReplaceRefsGraftsAndCommitGraphAreNotBelieved(t *testing.T) {
	r := gittest.New(t)
	r.Write("a.go", "package a\n")
	first := r.Commit("one")
	r.Branch("other", "main")
	r.Write("fix.go", "package a\n")
	fix := r.Commit("fix")
	r.Checkout("main")
	r.Write("b.go", "package a\n")
	tip := r.Commit("two")
	r.Git("replace", "--graft", tip.String(), fix.String())
	r.Write(".git/info/grafts", tip.String()+" "+fix.String()+"\n")
	repo := open(t, r.Dir)
	for name, ask := range map[string]func() (bool, error){
		"merge-base": func() (bool, error) { return repo.IsAncestor(t.Context(), fix, tip) },
		"graph": func() (bool, error) {
			g, err := repo.Graph(t.Context())
			return err == nil && g.IsAncestor(fix, tip), err
		},
	} {
		if is, err := ask(); err != nil || is {
			t.Errorf("%s: the fix is an ancestor: %v, %v; a replace ref was believed", name, is, err)
		}
	}
	if _, err := r.TryGit("merge-base", "--is-ancestor", fix.String(), tip.String()); err != nil {
		t.Error("plain git does not believe the replace ref either, so the test shows nothing")
	}
	if is, err := repo.IsAncestor(t.Context(), first, tip); err != nil || !is {
		t.Errorf("the first commit is an ancestor: %v, %v", is, err)
	}
}

func TestExportStaysInItsDirectory(t *testing.T) {
	r := gittest.New(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	repo := open(t, r.Dir)
	store, err := gitrepo.OpenStore(t.Context(), runner(), filepath.Join(t.TempDir(), "store.git"), repo)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	blob, err := store.WriteBlob(t.Context(), []byte("escaped\n"))
	if err != nil {
		t.Fatal(err)
	}
	link, err := store.WriteBlob(t.Context(), []byte(outside))
	if err != nil {
		t.Fatal(err)
	}
	sub, err := store.WriteTree(t.Context(), []git.TreeEntry{{Name: "file", Mode: git.ModeFile, OID: blob}})
	if err != nil {
		t.Fatal(err)
	}
	// A link and a directory of the same name: checked out naively, the file goes through the link.
	double, err := store.WriteTree(t.Context(), []git.TreeEntry{
		{Name: "d", Mode: git.ModeSymlink, OID: link}, {Name: "d", Mode: git.ModeTree, OID: sub},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := gitrepo.Export(t.Context(), store, double, t.TempDir()); err == nil {
		t.Error("a tree with a link and a directory of one name was exported")
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) != 0 {
		t.Errorf("written outside: %v, %v", left, err)
	}
	for _, name := range []string{"..", ".git", ".GIT", "git~1", "a/b", ".git ", ""} {
		if _, err := store.WriteTree(t.Context(), []git.TreeEntry{{Name: name, Mode: git.ModeFile, OID: blob}}); err == nil {
			t.Errorf("a tree entry named %q was written", name)
		}
	}
}

func TestNamesFromOutsideAreNoOptions(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one")
	repo := open(t, r.Dir)
	mark := filepath.Join(t.TempDir(), "mark")
	for _, rev := range []string{"--output=" + mark, "-h", "--git-dir", "--exec-path=/tmp", "main --output=" + mark, "$(touch " + mark + ")"} {
		if oid, err := repo.Resolve(t.Context(), rev); err == nil {
			t.Errorf("revision %q resolved to %s", rev, oid)
		}
	}
	untouched(t, mark)
}
