package upkeep

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// chain is a series being applied: commits in the store, one upon the other, that have the same names wherever they are made.
type chain struct {
	store    git.Store
	tip      git.OID
	tree     git.OID
	baseTree git.OID
	paths    map[string]bool
}

// committer is who makes the commits of a chain. With the author's date it makes their names the same everywhere.
func committer() lts.Person { return lts.Person{Name: "kubelts", Email: "kubelts@localhost"} }

// apply puts one patch upon the tip.
func (c *chain) apply(ctx context.Context, p *lts.Patch) error {
	tree, paths, err := applyDiff(ctx, c.store, c.tree, p.Diff)
	if err != nil {
		return err
	}
	id, err := c.store.WriteCommit(ctx, &git.Commit{
		Tree: tree, Parents: []git.OID{c.tip}, Message: p.Message(),
		Author:    git.Signature{Name: p.Author.Name, Email: p.Author.Email, When: p.Date},
		Committer: git.Signature{Name: committer().Name, Email: committer().Email, When: p.Date},
	})
	if err != nil {
		return err
	}
	c.tip, c.tree = id, tree
	if c.paths == nil {
		c.paths = map[string]bool{}
	}
	for _, path := range paths {
		c.paths[path] = true
	}
	return nil
}

// changed are the paths that the patches touch, sorted.
func (c *chain) changed() []string {
	var paths []string
	for path := range c.paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
