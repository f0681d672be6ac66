package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/replay"
	"github.com/kubelts/kubelts/internal/triage"
)

// replayEvidence is the command's flags.
type replayEvidence struct {
	*app

	repo, repository, pairs, format string
}

func newReplayEvidence(a *app) *cobra.Command {
	e := &replayEvidence{app: a}
	cmd := &cobra.Command{
		Use:   "evidence --repo DIR --pairs FILE",
		Short: "How well triage finds backports that people have made",
		Long: `Look for the backports of a list of pairs as kubelts triage does, from the commits on the main branch alone, and count what is found by each kind of evidence:
first, as the best evidence when all kinds are looked at; alone, when no other kind is. A commit that is found for one fix and listed for another is counted, and
listed with -o json: people must look at it, for a commit may repeat two. So are commits that the list does not have.`,
		Example: `  kubelts replay pairs --repo ~/etcd --main main --branches 'release-*' >pairs.jsonl
  kubelts replay evidence --repo ~/etcd --repository etcd-io/etcd --pairs pairs.jsonl`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&e.repo, "repo", ".", "the clone, `DIR`")
	flags.StringVar(&e.repository, "repository", "", "the upstream that it is a clone of, `OWNER/NAME`")
	flags.StringVar(&e.pairs, "pairs", "", "the pairs, `FILE`")
	addOutput(cmd, &e.format, []string{"table", "json", "markdown"})
	return cmd
}

func (e *replayEvidence) run(ctx context.Context) (err error) {
	pairs, err := readPairs(e.pairs)
	if err != nil {
		return err
	}
	repo, err := gitrepo.Open(ctx, e.runner, e.repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	known, targets, err := knownOf(ctx, repo, pairs)
	if err != nil {
		return err
	}
	step, end := e.progress("evidence")
	repo.KeepIndex(e.indexCache(step))
	scores, err := triage.Scores(ctx, repo, e.repository, known, targets)
	end()
	if err != nil {
		return err
	}
	g := grid{header: []string{"EVIDENCE", "FOUND FIRST", "FOUND ALONE", "OF " + strconv.Itoa(len(known)), "ANOTHER'S", "NOT LISTED"}}
	for _, s := range scores {
		share := strconv.FormatFloat(100*float64(s.Found)/float64(len(known)), 'f', 1, 64) + " %"
		g.rows = append(g.rows, []string{s.Evidence, strconv.Itoa(s.First), strconv.Itoa(s.Found), share, strconv.Itoa(s.Another), strconv.Itoa(s.Unknown)})
	}
	return e.print(e.format, scores, g)
}

// knownOf are the pairs as triage knows them, and the branches that they are of.
func knownOf(ctx context.Context, repo *gitrepo.Repo, pairs []replay.Pair) ([]triage.Known, []triage.Target, error) {
	var known []triage.Known
	var targets []triage.Target
	for i, p := range pairs {
		if p.Branch == "" {
			return nil, nil, errs.WithHint(errs.New(errs.Invalid, "pair %d names no branch", i+1), `kubelts replay pairs writes "branch" into each`)
		}
		if !slices.ContainsFunc(targets, func(t triage.Target) bool { return t.Name == p.Branch }) {
			tip, err := repo.Resolve(ctx, p.Branch)
			if err != nil {
				return nil, nil, err
			}
			targets = append(targets, triage.Target{Name: p.Branch, Commit: tip})
		}
		known = append(known, triage.Known{Change: p.Fix, Repeat: p.Backport, Target: p.Branch})
	}
	return known, targets, nil
}
