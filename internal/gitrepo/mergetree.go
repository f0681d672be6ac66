package gitrepo

import (
	"context"
	"errors"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// MergeTree merges three trees as plain git does, for comparison: git merge-tree of two commits that share a parent, which are made for this
// and have no ref. It returns the merged tree, with git's markers where there are conflicts, and the conflicted paths in git's order. It needs git 2.38.
func (s *Store) MergeTree(ctx context.Context, base, ours, theirs git.OID) (git.OID, []string, error) {
	for _, tree := range []git.OID{base, ours, theirs} {
		if _, err := s.Tree(ctx, tree); err != nil {
			return git.OID{}, nil, err // git 2.39 would say so on standard error and take the tree for empty
		}
	}
	nobody := git.Signature{Name: "kubelts", Email: "kubelts"}
	parent, err := s.WriteCommit(ctx, &git.Commit{Tree: base, Author: nobody, Committer: nobody, Message: "base\n"})
	if err != nil {
		return git.OID{}, nil, err
	}
	argv := []string{"merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"}
	for _, tree := range []git.OID{ours, theirs} {
		var side git.OID
		side, err = s.WriteCommit(ctx, &git.Commit{Tree: tree, Parents: []git.OID{parent}, Author: nobody, Committer: nobody, Message: "side\n"})
		if err != nil {
			return git.OID{}, nil, err
		}
		argv = append(argv, side.String())
	}
	out, err := s.run.Run(ctx, ownGit(s.gitDir, argv...))
	if failed, ok := errors.AsType[*command.Error](err); err != nil && (!ok || failed.ExitStatus != 1) {
		return git.OID{}, nil, err
	}
	fields := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	tree, parseErr := git.ParseOID(fields[0])
	if parseErr != nil {
		return git.OID{}, nil, errs.New(errs.Unavailable, "git merge-tree printed %q: %w", fields[0], parseErr)
	}
	return tree, fields[1:], nil
}
