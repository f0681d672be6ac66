package upkeep

import (
	"context"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// lookup finds what a tree has at a path; nil when there is nothing.
func lookup(ctx context.Context, objects git.Objects, tree git.OID, path string) (*git.TreeEntry, error) {
	name, rest, deeper := strings.Cut(path, "/")
	entries, err := objects.Tree(ctx, tree)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(entries, func(e git.TreeEntry) bool { return e.Name == name })
	switch {
	case at < 0 || deeper && !entries[at].Mode.IsTree():
		return nil, nil //nolint:nilnil // absence is an answer
	case deeper:
		return lookup(ctx, objects, entries[at].OID, rest)
	}
	found := entries[at]
	return &found, nil
}

// editTree writes a tree in which some paths have other entries (their names are taken from the paths) or none. Directories that
// become empty go away.
func editTree(ctx context.Context, store git.Store, tree git.OID, edits map[string]*git.TreeEntry) (git.OID, error) {
	edited, err := editDirectory(ctx, store, tree, edits)
	if err == nil && edited.IsZero() {
		return store.WriteTree(ctx, nil)
	}
	return edited, err
}

// editDirectory takes a zero tree as an empty one, and returns it when nothing is left.
func editDirectory(ctx context.Context, store git.Store, tree git.OID, edits map[string]*git.TreeEntry) (git.OID, error) {
	var entries []git.TreeEntry
	if !tree.IsZero() {
		read, err := store.Tree(ctx, tree)
		if err != nil {
			return git.OID{}, err
		}
		entries = slices.Clone(read)
	}
	here, below := split(edits)
	for name, entry := range here {
		entries = slices.DeleteFunc(entries, func(e git.TreeEntry) bool { return e.Name == name && (entry == nil || !e.Mode.IsTree()) })
	}
	for name, inner := range below {
		var err error
		if entries, err = editBelow(ctx, store, entries, name, inner); err != nil {
			return git.OID{}, err
		}
	}
	for name, entry := range here {
		if entry == nil {
			continue
		}
		if slices.ContainsFunc(entries, func(e git.TreeEntry) bool { return e.Name == name }) {
			return git.OID{}, errs.New(errs.Conflict, "%s is a directory", name)
		}
		entries = append(entries, git.TreeEntry{Name: name, Mode: entry.Mode, OID: entry.OID})
	}
	if len(entries) == 0 {
		return git.OID{}, nil
	}
	return store.WriteTree(ctx, entries)
}

// split tells the edits of a directory's own names from those below it, by the name of the subdirectory.
func split(edits map[string]*git.TreeEntry) (here map[string]*git.TreeEntry, below map[string]map[string]*git.TreeEntry) {
	here, below = map[string]*git.TreeEntry{}, map[string]map[string]*git.TreeEntry{}
	for path, entry := range edits {
		name, rest, deeper := strings.Cut(path, "/")
		switch {
		case !deeper:
			here[name] = entry
			continue
		case below[name] == nil:
			below[name] = map[string]*git.TreeEntry{}
		}
		below[name][rest] = entry
	}
	return here, below
}

func editBelow(ctx context.Context, store git.Store, entries []git.TreeEntry, name string, edits map[string]*git.TreeEntry) ([]git.TreeEntry, error) {
	at := slices.IndexFunc(entries, func(e git.TreeEntry) bool { return e.Name == name })
	var tree git.OID
	if at >= 0 {
		if !entries[at].Mode.IsTree() {
			return nil, errs.New(errs.Conflict, "%s is a file, not a directory", name)
		}
		tree = entries[at].OID
	}
	edited, err := editDirectory(ctx, store, tree, edits)
	if err != nil {
		return nil, err
	}
	if at >= 0 {
		entries = slices.Delete(entries, at, at+1)
	}
	if edited.IsZero() {
		return entries, nil
	}
	return append(entries, git.TreeEntry{Name: name, Mode: git.ModeTree, OID: edited}), nil
}
