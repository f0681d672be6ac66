package backport

import (
	"context"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// mergedTree is the resulting tree of a merge before it is written.
type mergedTree struct{ merge *treeMerge }

// mergedBy are the items that a rung merged.
func (t *mergedTree) mergedBy(rung fileRung) []*item {
	return slices.DeleteFunc(t.merge.sorted(), func(it *item) bool { return it.by == nil || it.by.rung != rung })
}

// entry is what stands at a path.
func (t *mergedTree) entry(ctx context.Context, file string) (patch.Entry, error) {
	if it := t.merge.items[file]; it != nil {
		return it.result, nil
	}
	return t.merge.engine.lookup(ctx, t.merge.ours, file)
}

// files returns the names and contents of the files in a directory, as far as keep wants them.
func (t *mergedTree) files(ctx context.Context, dir string, keep func(name string) bool) (map[string][]byte, error) {
	found := map[string]patch.Entry{}
	at := patch.Entry{Mode: git.ModeTree, OID: t.merge.ours}
	if dir != "." {
		var err error
		if at, err = t.merge.engine.lookup(ctx, t.merge.ours, dir); err != nil {
			return nil, err
		}
	}
	if at.Mode.IsTree() {
		entries, err := patch.ReadTree(ctx, t.merge.engine.store, at.OID)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			found[e.Name] = patch.Entry{Mode: e.Mode, OID: e.OID}
		}
	}
	for _, it := range t.merge.items {
		if path.Dir(it.path) == dir {
			found[path.Base(it.path)] = it.result
		}
	}
	out := map[string][]byte{}
	for name, e := range found {
		if !e.Mode.IsRegular() || !keep(name) {
			continue
		}
		content, err := t.merge.engine.store.Blob(ctx, e.OID)
		if err != nil {
			return nil, err
		}
		out[name] = content
	}
	return out, nil
}
