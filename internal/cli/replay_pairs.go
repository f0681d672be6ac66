package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/replay"
)

// replayPairs is the command's flags.
type replayPairs struct {
	*app

	repo, main string
	branches   []string
}

func newReplayPairs(a *app) *cobra.Command {
	p := &replayPairs{app: a}
	cmd := &cobra.Command{
		Use:   "pairs --repo DIR --main REV --branches GLOBS",
		Short: "Find the backports of a clone, for kubelts replay",
		Long: `Find the backports of a clone: commits of release branches that are not on the main branch, with the one commit there that has the same author, author
date and subject, as a cherry-pick keeps them, or that a "cherry picked from" line names. A pair a line is printed.`,
		Example: `  kubelts replay pairs --repo ~/etcd --main main --branches 'release-*' >pairs.jsonl`,
		Args:    needArgs(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&p.repo, "repo", ".", "the clone, `DIR`")
	flags.StringVar(&p.main, "main", "HEAD", "the main branch, `REV`")
	flags.StringSliceVar(&p.branches, "branches", []string{"release-*"}, "the release branches, `GLOBS`")
	return cmd
}

func (p *replayPairs) run(ctx context.Context) (err error) {
	repo, err := gitrepo.Open(ctx, p.runner, p.repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	main, err := repo.Resolve(ctx, p.main)
	if err != nil {
		return err
	}
	finder := replay.NewFinder()
	if err = repo.Commits(ctx, []git.OID{main}, nil, func(c *git.Commit) error {
		finder.AddMain(c)
		return nil
	}); err != nil {
		return err
	}
	var pairs []replay.Pair
	refs, commits := 0, 0
	for _, ref := range repo.Refs() {
		if ref.Commit.IsZero() || !p.wanted(ref) {
			continue
		}
		refs++
		if err = repo.Commits(ctx, []git.OID{ref.Commit}, []git.OID{main}, func(c *git.Commit) error {
			commits++
			if pair, ok := finder.Find(ref.Short(), c); ok {
				pairs = append(pairs, pair)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if refs == 0 {
		return errs.WithHint(errs.New(errs.NotFound, "--branches %q: no ref of that name", p.branches), "globs are matched against names like release-1.27")
	}
	fmt.Fprintf(p.Stderr, "%d branches, %d commits on them, %d pairs\n", refs, commits, len(pairs))
	return replay.WritePairs(p.Stdout, pairs)
}

func (p *replayPairs) wanted(ref git.Ref) bool {
	for _, glob := range p.branches {
		if matchRef(glob, ref) {
			return true
		}
	}
	return false
}
