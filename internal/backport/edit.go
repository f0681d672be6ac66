package backport

import (
	"context"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// Entry is what a tree has at a path; the zero entry where it has nothing.
func (e *Engine) Entry(ctx context.Context, tree git.OID, path string) (patch.Entry, error) {
	return e.lookup(ctx, tree, path)
}

// Edit writes a tree in which other entries stand at some paths, or none for the zero entry. Directories that become empty go away. It is an error of kind conflict
// if a file and a directory would have one name.
func (e *Engine) Edit(ctx context.Context, tree git.OID, edits map[string]patch.Entry) (git.OID, error) {
	b := builder{store: e.store, root: &node{}}
	for p, entry := range edits {
		b.root.set(p, entry)
	}
	out, err := b.build(ctx, tree)
	if err == nil && len(b.clashes) > 0 {
		err = errs.New(errs.Conflict, "a file and a directory would have the name %s", strings.Join(b.clashes, ", "))
	}
	return out, err
}
