package backport

import (
	"context"
	"strings"
	"sync"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// maxCachedEntries bounds the parsed trees that are remembered, twice: about 20 MB each.
const maxCachedEntries = 250_000

// treeCache is a store that remembers parsed trees: the same directories are read over and over in a batch.
type treeCache struct {
	git.Store

	mu         sync.Mutex
	young, old map[git.OID][]git.TreeEntry
	size       int
}

func newTreeCache(store git.Store) *treeCache {
	return &treeCache{Store: store, young: map[git.OID][]git.TreeEntry{}}
}

// Tree implements [git.Objects].
func (c *treeCache) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	if entries, ok := c.known(id); ok {
		return entries, nil
	}
	entries, err := c.Store.Tree(ctx, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(id, entries)
	return entries, nil
}

func (c *treeCache) known(id git.OID) ([]git.TreeEntry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if entries, ok := c.young[id]; ok {
		return entries, true
	}
	entries, ok := c.old[id]
	if ok {
		c.keep(id, entries)
	}
	return entries, ok
}

func (c *treeCache) keep(id git.OID, entries []git.TreeEntry) {
	if c.size += len(entries) + 4; c.size > maxCachedEntries {
		c.old, c.young, c.size = c.young, map[git.OID][]git.TreeEntry{}, len(entries)
	}
	c.young[id] = entries
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
