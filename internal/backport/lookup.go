package backport

import (
	"context"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
	"github.com/kubelts/kubelts/internal/recent"
)

// maxCachedEntries bounds the parsed trees that are remembered, twice: about 20 MB each.
const maxCachedEntries = 250_000

// treeCache is a store that remembers parsed trees: the same directories are read over and over in a batch.
type treeCache struct {
	git.Store

	known *recent.Cache[git.OID, []git.TreeEntry]
}

func newTreeCache(store git.Store) *treeCache {
	return &treeCache{store, recent.New[git.OID](maxCachedEntries, func(entries []git.TreeEntry) int { return len(entries) + 4 })}
}

// Tree implements [git.Objects].
func (c *treeCache) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	if entries, ok := c.known.Find(id); ok {
		return entries, nil
	}
	entries, err := c.Store.Tree(ctx, id)
	if err == nil {
		c.known.Keep(id, entries)
	}
	return entries, err
}

// lookup finds what stands at a path of a tree; a directory counts as an entry of its own mode.
func (e *Engine) lookup(ctx context.Context, tree git.OID, path string) (patch.Entry, error) {
	at := patch.Entry{Mode: git.ModeTree, OID: tree}
	for name := range strings.SplitSeq(path, "/") {
		if !at.Mode.IsTree() {
			return patch.Entry{}, nil
		}
		entries, err := patch.ReadTree(ctx, e.store, at.OID)
		if err != nil {
			return patch.Entry{}, err
		}
		at = find(entries, name)
	}
	return at, nil
}

func find(entries []git.TreeEntry, name string) patch.Entry {
	for i := range entries {
		if entries[i].Name == name {
			return patch.Entry{Mode: entries[i].Mode, OID: entries[i].OID}
		}
	}
	return patch.Entry{}
}
