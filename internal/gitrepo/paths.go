package gitrepo

import (
	"context"

	"github.com/kubelts/kubelts/internal/git"
)

// Paths visits, for each commit in the order given, the paths that it changed against its first parent, without renames: [Repo.Changes] for
// those who need no more, and merge commits included. The slice is the visitor's to keep.
func (r *Repo) Paths(ctx context.Context, commits []git.OID, visit func(commit git.OID, paths []string) error) error {
	return r.changes(ctx, commits, func(commit git.OID, changes []Change) error {
		paths := make([]string, len(changes))
		for i, c := range changes {
			paths[i] = c.Path
		}
		return visit(commit, paths)
	}, "--diff-merges=first-parent")
}
