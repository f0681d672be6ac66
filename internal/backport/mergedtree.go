package backport

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gotypes"
	"github.com/kubelts/kubelts/internal/patch"
)

// mergedTree is a tree and what a merge puts into it, before it is written. It implements [gotypes.Tree], and remembers what it found out about
// modules: make a new one when items have changed.
type mergedTree struct {
	engine *Engine
	tree   git.OID
	items  map[string]*item // nil for a tree as it stands

	byDir   map[string][]*item
	modules map[string]*module // by directory
	found   map[string]found   // by directory of the module, and import path
	root    *string            // where packages of the tree are imported from when there are no modules; nil until it is asked for
}

// merged is the resulting tree of a merge, before it is written.
func (m *treeMerge) merged() *mergedTree {
	return &mergedTree{engine: m.engine, tree: m.ours, items: m.items}
}

// entry is what stands at a path.
func (t *mergedTree) entry(ctx context.Context, file string) (patch.Entry, error) {
	if it := t.items[file]; it != nil {
		return it.result, nil
	}
	return t.engine.lookup(ctx, t.tree, file)
}

// below are the items directly in a directory.
func (t *mergedTree) below(dir string) []*item {
	if t.byDir == nil {
		t.byDir = map[string][]*item{}
		for p, it := range t.items {
			t.byDir[path.Dir(p)] = append(t.byDir[path.Dir(p)], it)
		}
	}
	return t.byDir[dir]
}

// Files implements [gotypes.Tree].
func (t *mergedTree) Files(ctx context.Context, dir string) ([]gotypes.File, error) {
	at := patch.Entry{Mode: git.ModeTree, OID: t.tree}
	if dir != "." {
		var err error
		if at, err = t.engine.lookup(ctx, t.tree, dir); err != nil {
			return nil, err
		}
	}
	var out []gotypes.File
	touched := t.below(dir)
	if at.Mode.IsTree() {
		entries, err := patch.ReadTree(ctx, t.engine.store, at.OID)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Mode.IsRegular() && strings.HasSuffix(e.Name, ".go") && !slices.ContainsFunc(touched, func(it *item) bool { return path.Base(it.path) == e.Name }) {
				out = append(out, gotypes.File{Name: e.Name, OID: e.OID})
			}
		}
	}
	for _, it := range touched {
		if it.result.Mode.IsRegular() && strings.HasSuffix(it.path, ".go") {
			out = append(out, gotypes.File{Name: path.Base(it.path), OID: it.result.OID})
		}
	}
	slices.SortFunc(out, func(a, b gotypes.File) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Blob implements [gotypes.Tree].
func (t *mergedTree) Blob(ctx context.Context, id git.OID) ([]byte, error) {
	return t.engine.store.Blob(ctx, id)
}

// content reads a file of the tree; nil if it is not there.
func (t *mergedTree) content(ctx context.Context, file string) ([]byte, error) {
	entry, err := t.entry(ctx, file)
	if err != nil || !entry.Mode.IsRegular() {
		return nil, err
	}
	content, err := t.engine.store.Blob(ctx, entry.OID)
	if _, large := errors.AsType[*git.OversizeError](err); large {
		return nil, nil
	}
	return content, err
}

// directory finds a directory, also behind a link; empty if there is none.
func (t *mergedTree) directory(ctx context.Context, dir string) (string, error) {
	if strings.HasPrefix(dir, "../") || dir == ".." {
		return "", nil
	}
	if dir == "." || slices.ContainsFunc(t.below(dir), func(it *item) bool { return it.result.Exists() }) {
		return dir, nil
	}
	parts := strings.Split(dir, "/")
	at := patch.Entry{Mode: git.ModeTree, OID: t.tree}
	for i, name := range parts {
		entries, err := patch.ReadTree(ctx, t.engine.store, at.OID)
		if err != nil {
			return "", err
		}
		switch at = find(entries, name); {
		case at.Mode == git.ModeSymlink:
			return t.behind(ctx, path.Join(parts[:i]...), at.OID, path.Join(parts[i+1:]...))
		case !at.Mode.IsTree():
			return "", nil
		}
	}
	return dir, nil
}

// behind finds the directory that a link in a vendored tree leads to.
func (t *mergedTree) behind(ctx context.Context, dir string, link git.OID, rest string) (string, error) {
	to, err := t.engine.store.Blob(ctx, link)
	if err != nil || len(to) > 1024 || strings.HasPrefix(string(to), "/") {
		return "", nil //nolint:nilerr // a link that cannot be read leads nowhere
	}
	target := path.Join(dir, string(to), rest)
	if strings.HasPrefix(target, "../") || target == ".." {
		return "", nil
	}
	at, err := t.engine.lookup(ctx, t.tree, target)
	if target == "." || at.Mode.IsTree() {
		return target, err
	}
	return "", err
}
