package backport

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// node is a directory or file to edit: edit says what is to stand there (the zero value: nothing); nil leaves it as it is.
type node struct {
	edit     *patch.Entry
	children map[string]*node
}

func (n *node) set(path string, e patch.Entry) {
	for name := range strings.SplitSeq(path, "/") {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[name] == nil {
			n.children[name] = &node{}
		}
		n = n.children[name]
	}
	n.edit = &e
}

// builder writes a tree that differs from another one in some files, writing only directories that change.
type builder struct {
	store   git.Store
	root    *node
	clashes []string // paths of files that could not be put, for a directory or file of that name stands in the way
}

func (b *builder) build(ctx context.Context, onto git.OID) (git.OID, error) {
	id, err := b.directory(ctx, "", onto, b.root)
	if err == nil && id.IsZero() {
		return b.store.WriteTree(ctx, nil)
	}
	return id, err
}

// directory edits a directory and returns its new name; null if nothing is left in it.
func (b *builder) directory(ctx context.Context, prefix string, id git.OID, n *node) (git.OID, error) {
	entries, err := patch.ReadTree(ctx, b.store, id)
	if err != nil {
		return git.OID{}, err
	}
	changed := map[string]patch.Entry{}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		existing := find(entries, name)
		replacement, err := b.entry(ctx, prefix+name, existing, n.children[name])
		if err != nil {
			return git.OID{}, err
		}
		if replacement != existing {
			changed[name] = replacement
		}
	}
	if len(changed) == 0 {
		return id, nil
	}
	edited := make([]git.TreeEntry, 0, len(entries)+len(changed))
	for _, e := range entries {
		if _, ok := changed[e.Name]; !ok {
			edited = append(edited, e)
		}
	}
	for name, e := range changed {
		if e.Exists() {
			edited = append(edited, git.TreeEntry{Name: name, Mode: e.Mode, OID: e.OID})
		}
	}
	if len(edited) == 0 {
		return git.OID{}, nil
	}
	return b.store.WriteTree(ctx, edited)
}

// entry edits what stands at a path.
func (b *builder) entry(ctx context.Context, path string, existing patch.Entry, n *node) (patch.Entry, error) {
	if len(n.children) > 0 {
		var err error
		if existing, err = b.below(ctx, path+"/", existing, n); err != nil {
			return patch.Entry{}, err
		}
	}
	switch {
	case n.edit == nil:
		return existing, nil
	case existing.Mode.IsTree():
		if n.edit.Exists() {
			b.clashes = append(b.clashes, path)
		}
		return existing, nil
	}
	return *n.edit, nil
}

// below edits what stands below a path. A file that stays there has nothing below it.
func (b *builder) below(ctx context.Context, prefix string, existing patch.Entry, n *node) (patch.Entry, error) {
	dir := patch.Entry{Mode: git.ModeTree}
	switch {
	case existing.Mode.IsTree():
		dir.OID = existing.OID
	case existing.Exists() && (n.edit == nil || n.edit.Exists()):
		b.clash(prefix, n)
		return existing, nil
	}
	var err error
	if dir.OID, err = b.directory(ctx, prefix, dir.OID, n); err != nil || dir.OID.IsZero() {
		return patch.Entry{}, err
	}
	return dir, nil
}

// clash notes all files below n that were to be put.
func (b *builder) clash(prefix string, n *node) {
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		child := n.children[name]
		if child.edit != nil && child.edit.Exists() {
			b.clashes = append(b.clashes, prefix+name)
		}
		b.clash(prefix+name+"/", child)
	}
}
