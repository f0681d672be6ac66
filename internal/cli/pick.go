package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
)

// pick is the command's flags.
type pick struct {
	*app

	onto, repo, store string
	write, stdin      bool
	instances         []string
	asOf              string
	jobs              int
	explain           bool
	prerequisites     bool
	withPrerequisites int
	format            string

	handwork
	otherTree
}

func newPick(a *app) *cobra.Command {
	p := &pick{app: a}
	cmd := &cobra.Command{
		Use:   "pick COMMIT --onto REV",
		Short: "Carry one commit over to another branch",
		Long: `Carry one commit over to another branch, or many with --stdin, without a work tree.

The result is a tree object in a store of kubelts' own (in the cache directory; it borrows the clone's objects), or with --write in the clone
itself. No ref of the clone is ever changed. When something is left for a person the tree has conflict markers, and the exit status is 3.

With --stdin, each line of input is a JSON object {"id", "commit", "onto"}, with "as_of" if wanted, and each line of output its result, in
the same order. A line that cannot be read gives a result too.

With --to, the files of the result are laid out in a directory for a person to edit; --continue takes them back, makes the resulting tree, and
records in the directory of --memory how each conflict was resolved. Picks use what is recorded there.`,
		Example: `  kubelts pick 3f2a9c1b --onto release-1.27 --repo ~/kubernetes
  kubelts pick 3f2a9c1b --onto release-1.27 --instances 'release-1.2*' -o json
  kubelts pick 3f2a9c1b --onto release-1.27 --explain
  kubelts pick 3f2a9c1b --onto release-1.27 -o html >pick.html
  kubelts pick 3f2a9c1b --onto release-1.27 --with-prerequisites 1
  kubelts pick --stdin --repo ~/kubernetes <picks.jsonl >results.jsonl
  kubelts pick 5478c0cd --from ~/apimachinery --onto v1.8.14 --prefix =staging/src/k8s.io/apimachinery/ --repo ~/kubernetes
  kubelts pick 3f2a9c1b --onto release-1.27 --repo ~/kubernetes --to work
  kubelts pick --continue work --author "Ada Author <ada@example.org>" --memory ~/k8s-lines/memory`,
		Args: needArgs(0, 1, "the commit"),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			return p.check(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&p.onto, "onto", "", "carry the commit over to `REV`, a branch, tag or commit")
	flags.StringVar(&p.repo, "repo", ".", "the clone, `DIR`")
	flags.StringVar(&p.store, "store", "", "keep results in the bare repository `DIR` (default: one in the cache directory)")
	p.acrossFlags(flags)
	flags.BoolVar(&p.write, "write", false, "write results into the clone itself, objects only")
	flags.BoolVar(&p.stdin, "stdin", false, "read picks from standard input, one JSON object a line")
	flags.StringSliceVar(&p.instances, "instances", nil, "instances of the commit on these `REFS` (globs) may serve as source")
	flags.StringVar(&p.asOf, "as-of", "", "no instance that was committed after `TIME` (2023-06-15, or RFC 3339)")
	flags.IntVar(&p.jobs, "jobs", 0, "do `N` picks at the same time (0: one for each processor)")
	flags.BoolVar(&p.explain, "explain", false, "show what each rung did and why, and the versions of each file beside each other")
	flags.BoolVar(&p.prerequisites, "prerequisites", false, "name the earlier commits that a conflict comes from and the target lacks (reads history)")
	flags.IntVar(&p.withPrerequisites, "with-prerequisites", 0, "take at most `N` of them before the commit, where that leaves no conflict")
	p.add(cmd)
	addOutput(cmd, &p.format, []string{"table", "json", "yaml", formatHTML})
	return cmd
}

// check finds faults of the command line.
func (p *pick) check(cmd *cobra.Command, args []string) error {
	if err := p.handwork.check(p, args); err != nil || p.resume != "" {
		return usage(cmd, err)
	}
	switch {
	case p.stdin && (len(args) > 0 || p.onto != ""):
		return usage(cmd, errs.New(errs.Invalid, "--stdin reads the commits and targets: no COMMIT or --onto beside it"))
	case !p.stdin && len(args) == 0:
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "pick: the commit is missing"), "usage: %s", cmd.UseLine()))
	case !p.stdin && p.onto == "":
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "pick: the target is missing"), "name it with --onto"))
	case p.write && p.store != "":
		return usage(cmd, errs.New(errs.Invalid, "--write and --store exclude each other"))
	case p.stdin && p.format == formatHTML:
		return usage(cmd, errs.New(errs.Invalid, "-o html is for one pick: --stdin prints a JSON object a line"))
	case p.withPrerequisites < 0 || p.withPrerequisites > maxTaken:
		return usage(cmd, errs.New(errs.Invalid, "--with-prerequisites %d: not between 0 and %d", p.withPrerequisites, maxTaken))
	case p.jobs < 0:
		return usage(cmd, errs.New(errs.Invalid, "--jobs %d: less than 0", p.jobs))
	}
	if err := p.checkAcross(); err != nil {
		return usage(cmd, err)
	}
	if p.asOf != "" {
		if _, err := parseMoment(p.asOf); err != nil {
			return usage(cmd, err)
		}
	}
	return nil
}

// parseMoment reads a date (its last second in UTC, since what was committed on that day counts) or a time.
func parseMoment(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.Add(24*time.Hour - time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errs.WithHint(errs.New(errs.Invalid, "time %q: no such time", s), "write it as 2023-06-15 or 2023-06-15T12:00:00Z")
	}
	return t, nil
}

func (p *pick) run(ctx context.Context, args []string) error {
	if p.resume != "" {
		return p.takeBack(ctx)
	}
	known, err := p.memory.library()
	if err != nil {
		return err
	}
	return p.with(ctx, func(s *picking) error {
		s.engine.UseMemory(known)
		if p.stdin {
			return s.batch(ctx)
		}
		return s.one(ctx, args[0])
	})
}

// with opens the clone and the store for work.
func (p *pick) with(ctx context.Context, work func(*picking) error) (err error) {
	repo, err := gitrepo.Open(ctx, p.runner, p.repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	store, err := p.openStore(ctx, repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := &picking{pick: p, repo: repo, store: store}
	s.objects = store
	if p.from != "" {
		if s.foreign, err = gitrepo.Open(ctx, p.runner, p.from); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.foreign.Close()) }()
		s.objects = &joined{Store: store, other: s.foreign}
	}
	s.engine = backport.New(s.objects, s)
	if err := s.index(ctx); err != nil {
		return err
	}
	return work(s)
}

// openStore opens where results go.
func (p *pick) openStore(ctx context.Context, repo *gitrepo.Repo) (*gitrepo.Store, error) {
	if p.write {
		return repo.WriteInto(ctx), nil
	}
	dir := p.store
	if dir == "" {
		var err error
		if dir, err = cachedStore(p.repo); err != nil {
			return nil, err
		}
	}
	return gitrepo.OpenStore(ctx, p.runner, dir, repo)
}

// cachedStore is the directory for results from a clone.
func cachedStore(repo string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", errs.WithHint(errs.New(errs.Unavailable, "find the cache directory: %w", err), "name a directory for the results with --store")
	}
	path, err := filepath.Abs(repo)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(cache, "kubelts", "stores", hex.EncodeToString(sum[:8])), nil
}

// picking is a run of the command.
type picking struct {
	*pick

	repo  *gitrepo.Repo
	store *gitrepo.Store
	// foreign is the clone that has the commits, if it is another one, and objects reads it beside the store.
	foreign *gitrepo.Repo
	objects git.Store
	engine  *backport.Engine
	landed  *backport.Instances // nil when none are wanted

	loading sync.Once
	graph   *git.Graph
	err     error
}

// IsAncestor implements [backport.History]. A batch asks so often that the whole graph is read once.
func (s *picking) IsAncestor(ctx context.Context, ancestor, commit git.OID) (bool, error) {
	if !s.stdin {
		return s.repo.IsAncestor(ctx, ancestor, commit)
	}
	s.loading.Do(func() { s.graph, s.err = s.repo.Graph(ctx) })
	if s.err != nil {
		return false, s.err
	}
	if s.graph.Has(ancestor) && s.graph.Has(commit) {
		return s.graph.IsAncestor(ancestor, commit), nil
	}
	return s.repo.IsAncestor(ctx, ancestor, commit)
}

// MergeBase implements [backport.Parting].
func (s *picking) MergeBase(ctx context.Context, a, b git.OID) (git.OID, error) {
	if s.stdin {
		s.loading.Do(func() { s.graph, s.err = s.repo.Graph(ctx) })
		if base, ok := s.graph.MergeBase(a, b); s.err == nil && ok {
			return base, nil
		}
	}
	return s.repo.MergeBase(ctx, a, b)
}

// index reads the commits of the refs on which instances may be.
func (s *picking) index(ctx context.Context) error {
	if len(s.instances) == 0 {
		return nil
	}
	var tips []git.OID
	for _, glob := range s.instances {
		before := len(tips)
		for _, ref := range s.repo.Refs() {
			if matchRef(glob, ref) && !ref.Commit.IsZero() {
				tips = append(tips, ref.Commit)
			}
		}
		if len(tips) == before {
			return errs.WithHint(errs.New(errs.NotFound, "--instances %q: no ref of that name", glob), "globs are matched against names like release-1.27")
		}
	}
	s.landed = backport.NewInstances()
	return s.repo.Commits(ctx, tips, nil, func(c *git.Commit) error {
		s.landed.Add(c)
		return nil
	})
}

func matchRef(glob string, ref git.Ref) bool {
	for _, name := range []string{ref.Short(), ref.Name} {
		if ok, err := filepath.Match(glob, name); ok && err == nil {
			return true
		}
	}
	return false
}

// request resolves what a person or a line named.
func (s *picking) request(ctx context.Context, id, commit, onto, asOf string) (backport.Request, error) {
	r := backport.Request{ID: id, Explain: s.explain || s.format == formatHTML}
	var err error
	if err = s.across(ctx, &r, commit); err != nil {
		return r, err
	}
	if r.Onto, err = s.resolve(ctx, onto); err != nil {
		return r, err
	}
	if asOf != "" {
		if r.AsOf, err = parseMoment(asOf); err != nil {
			return r, err
		}
	}
	if s.landed != nil && s.foreign == nil {
		fix, err := s.store.Commit(ctx, r.Commit)
		if err != nil {
			return r, err
		}
		r.Instances = s.landed.Of(fix)
	}
	return r, nil
}

// resolve spares a process for each full name.
func (s *picking) resolve(ctx context.Context, rev string) (git.OID, error) {
	if oid, err := git.ParseOID(rev); err == nil {
		if _, err := s.store.Commit(ctx, oid); err == nil {
			return oid, nil
		}
	}
	return s.repo.Resolve(ctx, rev)
}

func (s *picking) parallel() int {
	if s.jobs > 0 {
		return s.jobs
	}
	return runtime.NumCPU()
}
