package backport

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// Prefix says that a directory of the fix's repository is another one of the target. The empty path is the root.
type Prefix struct{ From, To string }

// ParsePrefix reads FROM=TO. Slashes at the ends do not matter.
func ParsePrefix(s string) (Prefix, error) {
	from, to, ok := strings.Cut(s, "=")
	p := Prefix{From: strings.Trim(from, "/"), To: strings.Trim(to, "/")}
	for _, dir := range []string{p.From, p.To} {
		if ok && dir != "" && (path.Clean(dir) != dir || slices.ContainsFunc(strings.Split(dir, "/"), func(name string) bool { return !git.ValidName(name) })) {
			return p, errs.New(errs.Invalid, "prefix %q: %q is no path of a directory", s, dir)
		}
	}
	if !ok || p.From == p.To {
		return p, errs.WithHint(errs.New(errs.Invalid, "prefix %q: not of the form FROM=TO", s), "for a commit of a staging repository: =staging/src/k8s.io/apiserver/")
	}
	return p, nil
}

func (p Prefix) String() string { return p.From + "=" + p.To }

// grafted is a store in which trees stand that are only for reading: the target's tree with directories of the fix's side in it.
type grafted struct {
	git.Store

	trees map[git.OID][]git.TreeEntry
}

// Tree implements [git.Objects].
func (g *grafted) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	if entries, ok := g.trees[id]; ok {
		return entries, nil
	}
	return g.Store.Tree(ctx, id)
}

func (g *grafted) add(entries []git.TreeEntry) git.OID {
	encoded := git.EncodeTree(entries)
	id := git.Hash(git.TypeTree, encoded)
	if sorted, err := git.ParseTree(encoded); err == nil {
		g.trees[id] = sorted
	}
	return id
}

// with returns the tree with a directory put in place of what stands at a path.
func (g *grafted) with(ctx context.Context, tree git.OID, dir string, sub git.OID) (git.OID, error) {
	if dir == "" {
		return sub, nil
	}
	entries, err := patch.ReadTree(ctx, g, tree)
	if err != nil {
		return git.OID{}, err
	}
	name, rest, _ := strings.Cut(dir, "/")
	was := find(entries, name)
	if was.Exists() && !was.Mode.IsTree() {
		return git.OID{}, errs.New(errs.Invalid, "prefix: %s is no directory in the target", name)
	}
	below := sub
	if rest != "" {
		if below, err = g.with(ctx, was.OID, rest, sub); err != nil {
			return git.OID{}, err
		}
	}
	edited := slices.DeleteFunc(slices.Clone(entries), func(e git.TreeEntry) bool { return e.Name == name })
	if !below.IsZero() {
		edited = append(edited, git.TreeEntry{Name: name, Mode: git.ModeTree, OID: below})
	}
	return g.add(edited), nil
}

// elsewhere is the history of a target that knows nothing of the fix. Instances are of the fix's repository, and do not serve either.
type elsewhere struct{}

func (elsewhere) IsAncestor(context.Context, git.OID, git.OID) (bool, error) { return false, nil }

// across prepares a pick from other directories, or another repository: it gives the fix as a change of the target's own tree.
func (e *Engine) across(ctx context.Context, job *Job) (*Engine, error) {
	if len(job.Prefixes) == 0 && !job.Foreign {
		return e, nil
	}
	own := &Engine{
		store: e.store, history: elsewhere{}, detector: e.detector, checker: e.checker, rungs: e.rungs, fileRungs: e.fileRungs, memory: e.memory,
	}
	job.Instances = nil
	if len(job.Prefixes) == 0 {
		return own, nil
	}
	g := &grafted{Store: e.store, trees: map[git.OID][]git.TreeEntry{}}
	own.store = g
	for _, p := range job.Prefixes {
		for _, q := range job.Prefixes {
			if p != q && within(p.To, q.To) {
				return nil, errs.New(errs.Invalid, "prefixes %s and %s: one's target lies within the other's", p, q)
			}
		}
	}
	fix, err := own.graft(ctx, g, job.Fix, job)
	job.Fix = fix
	return own, err
}

func within(file, dir string) bool {
	return dir == "" || file == dir || strings.HasPrefix(file, dir+"/")
}

// graft makes a change of the target's tree out of a change elsewhere.
func (e *Engine) graft(ctx context.Context, g *grafted, fix Source, job *Job) (Source, error) {
	out := fix
	out.Base, out.Tree = job.Ours, job.Ours
	for _, p := range job.Prefixes {
		before, after, err := e.sides(ctx, fix, p)
		if err != nil {
			return out, err
		}
		if before, after, err = e.leaveMetadata(ctx, g, &out, p, [2]git.OID{before, after}); err != nil {
			return out, err
		}
		to, err := e.places(ctx, &out, job.Ours, p)
		if err != nil {
			return out, err
		}
		for _, dir := range to {
			if out.Base, err = g.with(ctx, out.Base, dir, before); err != nil {
				return out, err
			}
			if out.Tree, err = g.with(ctx, out.Tree, dir, after); err != nil {
				return out, err
			}
		}
	}
	return out, e.noteOutside(ctx, &out, fix, job.Prefixes)
}

// sides are the two versions of the directory that a prefix names.
func (e *Engine) sides(ctx context.Context, fix Source, p Prefix) (before, after git.OID, err error) {
	if p.From == "" {
		return fix.Base, fix.Tree, nil
	}
	var sides [2]git.OID
	for i, tree := range []git.OID{fix.Base, fix.Tree} {
		at, err := e.lookup(ctx, tree, p.From)
		if err != nil {
			return git.OID{}, git.OID{}, err
		}
		if at.Mode.IsTree() {
			sides[i] = at.OID
		}
	}
	if sides[0].IsZero() && sides[1].IsZero() {
		return git.OID{}, git.OID{}, errs.New(errs.NotFound, "prefix %s: commit %s has no directory %s", p, fix.Commit.Short(), p.From)
	}
	return sides[0], sides[1], nil
}

// leaveMetadata takes the change to what says where a repository's dependencies are out of the change of a directory: the other repository has
// dependencies of its own.
func (e *Engine) leaveMetadata(ctx context.Context, g *grafted, out *Source, p Prefix, sides [2]git.OID) (before, after git.OID, err error) {
	var lists [2][]git.TreeEntry
	for i, side := range sides {
		if lists[i], err = patch.ReadTree(ctx, g, side); err != nil {
			return before, after, err
		}
	}
	kept := slices.Clone(lists[1])
	var left []string
	for _, name := range []string{"Godeps", "go.mod", "go.sum", "vendor"} {
		was := find(lists[0], name)
		if was == find(lists[1], name) {
			continue
		}
		left = append(left, path.Join(p.From, name))
		kept = slices.DeleteFunc(kept, func(entry git.TreeEntry) bool { return entry.Name == name })
		if was.Exists() {
			kept = append(kept, git.TreeEntry{Name: name, Mode: was.Mode, OID: was.OID})
		}
	}
	if len(left) == 0 {
		return sides[0], sides[1], nil
	}
	out.notes = append(out.notes, "left out: "+strings.Join(left, ", ")+": the dependencies of the repository that the fix is from")
	return sides[0], g.add(kept), nil
}

// places are where the target has the directory of a prefix: behind a link, where the link leads; and a vendored copy that is the same.
func (e *Engine) places(ctx context.Context, out *Source, ours git.OID, p Prefix) ([]string, error) {
	if p.To == "" {
		return []string{""}, nil
	}
	target := &mergedTree{engine: e, tree: ours}
	to, err := target.directory(ctx, p.To)
	if err != nil {
		return nil, err
	}
	if to == "" {
		return nil, errs.WithHint(errs.New(errs.NotFound, "prefix %s: the target has no directory %s", p, p.To), "name the directory that the fix belongs to, as staging/src/k8s.io/apiserver")
	}
	if to != p.To {
		out.notes = append(out.notes, p.To+" leads to "+to+" in the target")
	}
	places := []string{to}
	staged, ok := strings.CutPrefix(to, "staging/src/")
	if !ok {
		return places, nil
	}
	copied, err := e.lookup(ctx, ours, path.Join("vendor", staged))
	if err != nil || !copied.Mode.IsTree() {
		return places, err
	}
	own, err := e.lookup(ctx, ours, to)
	if err != nil {
		return nil, err
	}
	if copied.OID == own.OID {
		return append(places, path.Join("vendor", staged)), nil
	}
	out.partial = true
	out.notes = append(out.notes, "vendor/"+staged+" is a copy of its own in the target: it was not changed")
	return places, nil
}

// noteOutside says which files of the fix no prefix takes along.
func (e *Engine) noteOutside(ctx context.Context, out *Source, fix Source, prefixes []Prefix) error {
	diff, err := patch.DiffTrees(ctx, e.store, fix.Base, fix.Tree)
	if err != nil {
		return err
	}
	var outside []string
	for _, c := range diff.Changes {
		if !slices.ContainsFunc(prefixes, func(p Prefix) bool { return within(c.Path, p.From) }) {
			outside = append(outside, c.Path)
		}
	}
	out.partial = out.partial || len(outside) > 0
	const named = 5
	switch n := len(outside); {
	case n > named:
		out.notes = append(out.notes, fmt.Sprintf("left out: %s and %d more files outside of the prefix", strings.Join(outside[:named], ", "), n-named))
	case n > 0:
		out.notes = append(out.notes, "left out, outside of the prefix: "+strings.Join(outside, ", "))
	}
	return nil
}

// adopt writes what the result takes from a foreign repository into the store, so that the tree is whole there.
func (m *treeMerge) adopt(ctx context.Context) error {
	if !m.foreign {
		return nil
	}
	for _, it := range m.sorted() {
		if !it.result.Exists() || it.result == it.ours || it.result.Mode == git.ModeSubmodule {
			continue
		}
		content, err := m.engine.store.Blob(ctx, it.result.OID)
		if _, large := errors.AsType[*git.OversizeError](err); large {
			return fmt.Errorf("take over %s: %w", it.path, err)
		}
		if err != nil {
			return err
		}
		if _, err = m.engine.store.WriteBlob(ctx, content); err != nil {
			return err
		}
	}
	return nil
}
