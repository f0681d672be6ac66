package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/replay"
)

// replaying is the command's flags.
type replaying struct {
	*app

	repos, pairs []string
	store        string
	instances    []string
	withoutGit   bool
	format       string
}

func newReplay(a *app) *cobra.Command {
	r := &replaying{app: a}
	cmd := &cobra.Command{
		Use:   "replay --repo DIR --pairs FILE",
		Short: "Pick backports again that people have made, and compare",
		Long: `Pick backports again that people have made, one after another, and compare the trees with those that were landed; beside it what plain git makes of
them. Each fix is carried onto the backport's parent, alone: no other branch is seen, unless --instances names refs; then what was committed
there no later than the backport may serve as source.

FILE has the pairs, as one JSON array or an object a line, with "backport", "backport_parent" and "fix"; "kubelts replay pairs" finds them in a clone.
Give --repo and --pairs several times for several repositories.`,
		Example: `  kubelts replay pairs --repo ~/etcd --main main --branches 'release-*' >pairs.jsonl
  kubelts replay --repo ~/etcd --pairs pairs.jsonl
  kubelts replay --repo ~/etcd --pairs pairs.jsonl --instances 'release-*' -o json`,
		Hidden: true,
		Args:   needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(r.repos) == 0 || len(r.repos) != len(r.pairs) {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "replay: %d clones and %d lists of pairs", len(r.repos), len(r.pairs)),
					"give --pairs once for each --repo"))
			}
			return r.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&r.repos, "repo", nil, "the clone, `DIR`")
	flags.StringArrayVar(&r.pairs, "pairs", nil, "the pairs, `FILE`")
	flags.StringVar(&r.store, "store", "", "keep the trees in bare repositories below `DIR` (default: thrown away at the end)")
	flags.StringSliceVar(&r.instances, "instances", nil, "instances of the fix on these `REFS` (globs) may serve as source")
	flags.BoolVar(&r.withoutGit, "without-git", false, "do not try plain git")
	addOutput(cmd, &r.format, []string{"table", "json", "markdown"})
	cmd.AddCommand(newReplayPairs(a), newReplayCompile(a), newReplayEvidence(a))
	return cmd
}

func (r *replaying) run(ctx context.Context) (err error) {
	dir := r.store
	if dir == "" {
		if dir, err = os.MkdirTemp("", "kubelts-replay-"); err != nil {
			return errs.New(errs.Unavailable, "make a directory for trees: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	var trials []replay.Trial
	for i, repo := range r.repos {
		of, err := r.repository(ctx, repo, r.pairs[i], dir)
		if err != nil {
			return fmt.Errorf("replay %s: %w", r.pairs[i], err)
		}
		trials = append(trials, of...)
	}
	return r.report(trials)
}

// repository picks the pairs of one repository.
func (r *replaying) repository(ctx context.Context, dir, pairsFile, stores string) ([]replay.Trial, error) {
	pairs, err := readPairs(pairsFile)
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(filepath.Base(pairsFile), ".")
	p := &pick{app: r.app, repo: dir, store: filepath.Join(stores, name+".git"), instances: r.instances, stdin: true, jobs: 1}
	var trials []replay.Trial
	err = p.with(ctx, func(s *picking) error {
		t := &trying{picking: s, name: name, siblings: len(r.instances) > 0, withoutGit: r.withoutGit}
		step, end := r.progress(name)
		defer end()
		trials, err = t.all(ctx, pairs, step)
		return err
	})
	return trials, err
}

func readPairs(name string) (pairs []replay.Pair, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errs.New(errs.NotFound, "read pairs: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return replay.ReadPairs(f)
}

// trying is one repository at work.
type trying struct {
	*picking

	name       string
	siblings   bool // instances on other branches may serve as source
	withoutGit bool
}

// all tries pairs in their order.
func (t *trying) all(ctx context.Context, pairs []replay.Pair, step func(done, total int, what string)) ([]replay.Trial, error) {
	trials := make([]replay.Trial, 0, len(pairs))
	for i, pair := range pairs {
		trial, err := t.try(ctx, pair)
		if err != nil {
			return nil, fmt.Errorf("pair %d, %s: %w", i+1, pair.Backport.Short(), err)
		}
		trials = append(trials, trial)
		step(i+1, len(pairs), "")
	}
	return trials, nil
}

// try picks one pair and judges the result. An absent object is an error: a replay that leaves out pairs would count wrongly.
func (t *trying) try(ctx context.Context, p replay.Pair) (replay.Trial, error) {
	landed, err := t.store.Commit(ctx, p.Backport)
	if err != nil {
		return replay.Trial{}, err
	}
	asOf := ""
	if t.siblings {
		asOf = landed.Committer.When.UTC().Format(time.RFC3339)
	}
	begin := t.Clock()
	req, err := t.request(ctx, p.Backport.String(), p.Fix.String(), p.Parent.String(), asOf)
	if err != nil {
		return replay.Trial{}, err
	}
	res := t.engine.Pick(ctx, req)
	took := t.Clock().Sub(begin)
	if ctx.Err() != nil {
		return replay.Trial{}, context.Cause(ctx)
	}
	if res.Outcome == backport.Error && res.Error.Kind == errs.Unavailable {
		return replay.Trial{}, t.failure(res)
	}
	trial := replay.NewTrial(t.name, p, res)
	trial.Time = took
	if trial.Judgement, err = replay.Judge(ctx, t.store, replay.AnswerOf(res), landed.Tree); err != nil {
		return trial, err
	}
	if !t.withoutGit {
		err = t.plain(ctx, &trial, landed.Tree)
	}
	return trial, err
}

// plain lets git try the same.
func (t *trying) plain(ctx context.Context, trial *replay.Trial, landed git.OID) error {
	fix, err := t.store.Commit(ctx, trial.Fix)
	if err != nil {
		return err
	}
	target, err := t.store.Commit(ctx, trial.Parent)
	if err != nil {
		return err
	}
	base, err := t.before(ctx, fix)
	if err != nil {
		return err
	}
	begin := t.Clock()
	tree, conflicted, err := t.store.MergeTree(ctx, base, target.Tree, fix.Tree)
	if err != nil {
		return err
	}
	trial.GitTime = t.Clock().Sub(begin)
	j, err := replay.Judge(ctx, t.store, replay.Answer{Tree: tree, Conflicted: conflicted, Failed: len(conflicted) > 0}, landed)
	trial.Git = &j
	return err
}

// before is the tree that a commit changed: its first parent's, or the empty one.
func (t *trying) before(ctx context.Context, c *git.Commit) (git.OID, error) {
	if len(c.Parents) == 0 {
		return t.store.WriteTree(ctx, nil)
	}
	parent, err := t.store.Commit(ctx, c.Parents[0])
	if err != nil {
		return git.OID{}, err
	}
	return parent.Tree, nil
}
