package cli

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
)

// otherTree is the flags that say where else the commit or the target's tree is.
type otherTree struct {
	prefixes       []string
	from, ontoTree string
}

func (o *otherTree) acrossFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.prefixes, "prefix", nil, "a directory of the commit's repository is another one of the target's, `FROM=TO`; either may be empty (repeatable)")
	flags.StringVar(&o.from, "from", "", "the commit is in the clone `DIR`, not in that of --repo")
	flags.StringVar(&o.ontoTree, "onto-tree", "", "put it upon `TREE`, the result of an earlier pick onto the same target")
}

// checkAcross finds faults of these flags.
func (p *pick) checkAcross() error {
	for _, prefix := range p.prefixes {
		if _, err := backport.ParsePrefix(prefix); err != nil {
			return err
		}
	}
	switch elsewhere := len(p.prefixes) > 0 || p.from != ""; {
	case p.stdin && p.ontoTree != "":
		return errs.New(errs.Invalid, `--onto-tree is for one pick: with --stdin, a line says "onto_tree"`)
	case elsewhere && p.withPrerequisites > 0:
		return errs.New(errs.Invalid, "--with-prerequisites looks through one history: it cannot be used with --prefix or --from")
	case elsewhere && p.to != "":
		return errs.New(errs.Invalid, "--to is for picks within one clone: it cannot be used with --prefix or --from")
	case elsewhere && len(p.instances) > 0:
		return errs.New(errs.Invalid, "--instances are of the target's repository: they cannot be used with --prefix or --from")
	}
	return nil
}

// joined is a store that also reads what another clone has. Nothing is written there.
type joined struct {
	*gitrepo.Store

	other *gitrepo.Repo
}

// Blob implements [git.Objects].
func (j *joined) Blob(ctx context.Context, id git.OID) ([]byte, error) {
	return either(ctx, id, j.Store.Blob, j.other.Blob)
}

// Tree implements [git.Objects].
func (j *joined) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	return either(ctx, id, j.Store.Tree, j.other.Tree)
}

// Commit implements [git.Objects].
func (j *joined) Commit(ctx context.Context, id git.OID) (*git.Commit, error) {
	return either(ctx, id, j.Store.Commit, j.other.Commit)
}

func either[T any](ctx context.Context, id git.OID, first, second func(context.Context, git.OID) (T, error)) (T, error) {
	found, err := first(ctx, id)
	if _, absent := errors.AsType[*git.AbsentError](err); absent {
		return second(ctx, id)
	}
	return found, err
}

// across fills in the commit, from whichever clone has it, and how its directories lie in the target.
func (s *picking) across(ctx context.Context, r *backport.Request, commit string) (err error) {
	if r.Foreign = s.foreign != nil; r.Foreign {
		r.Commit, err = s.foreign.Resolve(ctx, commit)
	} else {
		r.Commit, err = s.resolve(ctx, commit)
	}
	if err != nil {
		return err
	}
	for _, prefix := range s.prefixes {
		p, err := backport.ParsePrefix(prefix)
		if err != nil {
			return err
		}
		r.Prefixes = append(r.Prefixes, p)
	}
	return nil
}

// upon resolves a tree to pick onto. What an earlier pick made is in the store, by its full name.
func (s *picking) upon(ctx context.Context, tree string) (git.OID, error) {
	if tree == "" {
		return git.OID{}, nil
	}
	if id, err := git.ParseOID(tree); err == nil {
		if _, err := s.store.Tree(ctx, id); err == nil {
			return id, nil
		}
	}
	id, err := s.repo.ResolveTree(ctx, tree)
	if err != nil {
		return id, errs.WithHint(err, "give the whole name of the tree, as -o json prints it")
	}
	return id, nil
}
