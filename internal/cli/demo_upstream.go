package cli

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
)

// demoFiles are the history of the demonstration's upstream, one commit a file, and what is known of its vulnerabilities.
//
// A commit's file is a txtar archive: lines of "key: value" (branch; from, the branch that a new one starts at; move, from one directory to
// another; replace, OLD|NEW in all Go files; pick, the name of a commit to pick; name; tag), an empty line, the message, and the files that it writes.
//
//go:embed demo
var demoFiles embed.FS

// demoUpstream makes the repository.
type demoUpstream struct {
	store    *gitrepo.Store
	clock    time.Time
	branches map[string]*demoCommit // heads
	named    map[string]*demoCommit
	tags     map[string]git.OID
}

type demoCommit struct {
	oid     git.OID
	parent  *demoCommit
	files   map[string]string
	author  git.Signature
	message string
}

// makeUpstream makes the demonstration's upstream as a bare repository in dir and returns the commits that have a name.
func (a *app) makeUpstream(ctx context.Context, dir string) (_ map[string]git.OID, err error) {
	env := append(command.Environ("PATH"), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C")
	run := func(stdin string, args ...string) error {
		c := command.Cmd{Argv: append([]string{"git", "--git-dir=" + dir}, args...), Env: env, Stdin: strings.NewReader(stdin)}
		_, failed := a.runner.Run(ctx, c)
		return failed
	}
	if err = run("", "init", "--quiet", "--bare", "--template=", "--initial-branch=main"); err != nil {
		return nil, err
	}
	repo, err := gitrepo.Open(ctx, a.runner, dir)
	if err != nil {
		return nil, err
	}
	store := repo.WriteInto(ctx)
	defer func() { err = errors.Join(err, store.Close(), repo.Close()) }()
	u := &demoUpstream{
		store: store, clock: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
		branches: map[string]*demoCommit{}, named: map[string]*demoCommit{}, tags: map[string]git.OID{},
	}
	if err := u.history(ctx); err != nil {
		return nil, fmt.Errorf("make the demonstration's upstream: %w", err)
	}
	named := map[string]git.OID{}
	for name, c := range u.named {
		named[name] = c.oid
	}
	return named, run(u.refs(), "update-ref", "--stdin")
}

// refs is the input of git update-ref.
func (u *demoUpstream) refs() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(u.branches)) {
		fmt.Fprintf(&b, "create refs/heads/%s %s\n", name, u.branches[name].oid)
	}
	for _, name := range slices.Sorted(maps.Keys(u.tags)) {
		fmt.Fprintf(&b, "create refs/tags/%s %s\n", name, u.tags[name])
	}
	return b.String()
}

func (u *demoUpstream) history(ctx context.Context) error {
	names, err := demoFiles.ReadDir("demo")
	if err != nil {
		return err
	}
	for _, name := range names {
		if path.Ext(name.Name()) != ".txtar" {
			continue
		}
		content, err := demoFiles.ReadFile("demo/" + name.Name())
		if err != nil {
			return err
		}
		if err := u.commit(ctx, txtar.Parse(content)); err != nil {
			return fmt.Errorf("%s: %w", name.Name(), err)
		}
	}
	return nil
}

// commit makes one commit.
func (u *demoUpstream) commit(ctx context.Context, archive *txtar.Archive) error {
	head, message, _ := strings.Cut(string(archive.Comment), "\n\n")
	keys := map[string]string{}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		keys[key] = value
	}
	u.clock = u.clock.Add(26 * time.Hour)
	parent := u.branches[cmp.Or(keys["from"], keys["branch"])]
	c := &demoCommit{
		parent: parent, files: map[string]string{}, message: message, author: git.Signature{Name: "Sam Shelf", Email: "sam@example.org", When: u.clock},
	}
	if parent != nil {
		maps.Copy(c.files, parent.files)
	}
	if err := c.change(keys, archive.Files, u.named[keys["pick"]]); err != nil {
		return err
	}
	if err := u.write(ctx, c); err != nil {
		return err
	}
	u.branches[keys["branch"]] = c
	if name := keys["name"]; name != "" {
		u.named[name] = c
	}
	if tag := keys["tag"]; tag != "" {
		var err error
		u.tags[tag], err = u.store.WriteTag(ctx, tag, c.oid, git.Signature{Name: "Rita Release", Email: "rita@example.org", When: u.clock}, tag+"\n")
		return err
	}
	return nil
}

// change makes the commit's files out of its parent's.
func (c *demoCommit) change(keys map[string]string, written []txtar.File, picked *demoCommit) error {
	if from, to, ok := strings.Cut(keys["move"], " "); ok {
		c.move(from+"/", to+"/")
	}
	if before, after, ok := strings.Cut(keys["replace"], "|"); ok && !c.replace(before, after) {
		return errs.New(errs.Internal, "nothing holds %q", before)
	}
	for _, f := range written {
		c.files[f.Name] = string(f.Data)
	}
	if picked != nil {
		c.pick(picked)
	}
	return nil
}

func (c *demoCommit) move(from, to string) {
	for name, content := range maps.Clone(c.files) {
		if rest, inside := strings.CutPrefix(name, from); inside {
			delete(c.files, name)
			c.files[to+rest] = content
		}
	}
}

// replace changes all Go files and reports whether there was something to change.
func (c *demoCommit) replace(before, after string) bool {
	found := false
	for name, content := range c.files {
		if path.Ext(name) == ".go" && strings.Contains(content, before) {
			c.files[name], found = strings.ReplaceAll(content, before, after), true
		}
	}
	return found
}

// pick takes the files that a commit changed; its branch and ours have the same content there.
func (c *demoCommit) pick(picked *demoCommit) {
	for name, content := range picked.files {
		if picked.parent.files[name] != content {
			c.files[name] = content
		}
	}
	c.author, c.message = picked.author, picked.message+"\n(cherry picked from commit "+picked.oid.String()+")\n"
}

func (u *demoUpstream) write(ctx context.Context, c *demoCommit) error {
	tree, err := u.tree(ctx, c.files, "")
	if err != nil {
		return err
	}
	commit := &git.Commit{Tree: tree, Author: c.author, Committer: git.Signature{Name: "Rita Release", Email: "rita@example.org", When: u.clock}, Message: c.message}
	if c.parent != nil {
		commit.Parents = []git.OID{c.parent.oid}
	}
	c.oid, err = u.store.WriteCommit(ctx, commit)
	return err
}

// tree writes the files below a directory, whose name ends in a slash, or is empty for all.
func (u *demoUpstream) tree(ctx context.Context, files map[string]string, dir string) (git.OID, error) {
	entries := map[string]git.TreeEntry{}
	for name, content := range files {
		rest, ok := strings.CutPrefix(name, dir)
		if !ok {
			continue
		}
		first, _, nested := strings.Cut(rest, "/")
		if _, have := entries[first]; have {
			continue
		}
		e := git.TreeEntry{Name: first, Mode: git.ModeFile}
		var err error
		if nested {
			e.Mode = git.ModeTree
			e.OID, err = u.tree(ctx, files, dir+first+"/")
		} else {
			e.OID, err = u.store.WriteBlob(ctx, []byte(content))
		}
		if err != nil {
			return git.OID{}, err
		}
		entries[first] = e
	}
	return u.store.WriteTree(ctx, slices.Collect(maps.Values(entries)))
}

// writeRecords writes the demonstration's vulnerabilities into dir, with the names of the commits in their places.
func writeRecords(dir string, commits map[string]git.OID) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a project is for everybody who reviews it
		return err
	}
	names, err := demoFiles.ReadDir("demo")
	if err != nil {
		return err
	}
	for _, name := range names {
		if path.Ext(name.Name()) != ".json" {
			continue
		}
		content, err := demoFiles.ReadFile("demo/" + name.Name())
		if err != nil {
			return err
		}
		text := string(content)
		for commit, oid := range commits {
			text = strings.ReplaceAll(text, "COMMIT-"+commit, oid.String())
		}
		if err := os.WriteFile(filepath.Join(dir, name.Name()), []byte(text), 0o644); err != nil { //nolint:gosec // likewise
			return err
		}
	}
	return nil
}
