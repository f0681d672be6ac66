package backport

import (
	"context"
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// mergedTree is the resulting tree of a merge before it is written.
type mergedTree struct{ merge *treeMerge }

// siblings returns the names and contents of the files beside a path, without the file itself, as far as keep wants them.
func (t *mergedTree) siblings(ctx context.Context, file string, keep func(name string) bool) (map[string][]byte, error) {
	dir := path.Dir(file)
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
		if !e.Mode.IsRegular() || name == path.Base(file) || strings.HasPrefix(name, ".") || !keep(name) {
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
