package cli

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
)

// importClone is upstream's clone, for an import. It implements [foreign.History].
type importClone struct {
	repo  *gitrepo.Repo // nil when none was named
	store *gitrepo.Store
	// merges are the merges of pull requests that the main branch has; nil until somebody asks.
	merges map[int][]pullRequest
}

// pullRequest is the merge of one: what was there before, and the tip that came.
type pullRequest struct{ before, tip git.OID }

// clone opens upstream's clone, if one was named.
func (i *importing) clone(ctx context.Context, source *foreign.Source) (*importClone, error) {
	c := &importClone{}
	if i.repo == "" {
		return c, nil
	}
	var err error
	if c.repo, err = gitrepo.Open(ctx, i.runner, i.repo); err != nil {
		return nil, err
	}
	c.store = c.repo.WriteInto(ctx) // only to format patches: nothing is written
	source.History, source.Upstream = c, i.upstream
	return c, nil
}

// Close closes the clone.
func (c *importClone) Close() error {
	if c.repo == nil {
		return nil
	}
	return errors.Join(c.store.Close(), c.repo.Close())
}

var pullMerge = regexp.MustCompile(`^Merge pull request #([1-9][0-9]{0,8}) from `)

// Pull implements [foreign.History].
func (c *importClone) Pull(ctx context.Context, number int) ([]git.OID, error) {
	if err := c.readMerges(ctx); err != nil {
		return nil, err
	}
	found := c.merges[number]
	if len(found) != 1 {
		return nil, errs.New(errs.NotFound, "it is only on the network, where it can change: the clone's main branch has %d merges of pull request %d", len(found), number)
	}
	var commits []git.OID
	merges := 0
	err := c.repo.Commits(ctx, []git.OID{found[0].tip}, []git.OID{found[0].before}, func(commit *git.Commit) error {
		commits = append(commits, commit.OID)
		if len(commit.Parents) != 1 {
			merges++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if merges > 0 || len(commits) == 0 {
		return nil, errs.New(errs.NotFound, "pull request %d brought %d commits and %d merges in the clone: no row of patches", number, len(commits)-merges, merges)
	}
	slices.Reverse(commits) // children came before their parents
	return commits, nil
}

// readMerges finds the merges of pull requests on the main branch.
func (c *importClone) readMerges(ctx context.Context) error {
	if c.merges != nil {
		return nil
	}
	names := []string{"refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"}
	refs := c.repo.Refs()
	at := -1
	for _, name := range names {
		if at = slices.IndexFunc(refs, func(r git.Ref) bool { return r.Name == name && !r.Commit.IsZero() }); at >= 0 {
			break
		}
	}
	if at < 0 {
		return errs.New(errs.NotFound, "the clone has no branch main or master in which pull requests could be looked for")
	}
	merges := map[int][]pullRequest{}
	err := c.repo.Commits(ctx, []git.OID{refs[at].Commit}, nil, func(commit *git.Commit) error {
		if m := pullMerge.FindStringSubmatch(commit.Subject()); m != nil && len(commit.Parents) == 2 {
			number, err := strconv.Atoi(m[1])
			if err != nil {
				return err
			}
			merges[number] = append(merges[number], pullRequest{commit.Parents[0], commit.Parents[1]})
		}
		return nil
	})
	if err == nil {
		c.merges = merges
	}
	return err
}

// Mail implements [foreign.History].
func (c *importClone) Mail(ctx context.Context, commit git.OID) ([]byte, error) {
	if _, err := c.repo.Commit(ctx, commit); err != nil {
		return nil, errs.New(errs.NotFound, "it is only on the network: the clone has no commit %s", commit)
	}
	return c.store.FormatPatch(ctx, commit)
}
