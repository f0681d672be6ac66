package backport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gotypes"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// Rung is one method to carry a fix over.
type Rung interface {
	// Name is how results name it.
	Name() string
	// Try returns a result; nil if the method has nothing to say about this job. A result with conflicts is kept, and the next rung is
	// tried: when no rung succeeds, the first rung's conflicts are reported, as far as later rungs left them from the same source. An error
	// ends the pick.
	Try(ctx context.Context, e *Engine, job *Job) (*Result, error)
}

// Job is a pick, with what was read for it.
type Job struct {
	Request

	Fix  Source
	Ours git.OID // the target's tree

	verdicts map[string]gotypes.Verdict // what the Go check said, by question
}

// Source is a commit as a change.
type Source struct {
	Commit     git.OID
	Subject    string
	Base, Tree git.OID // before and after

	notes []string // what is to be known of it, for the result
	// partial says that the change is not all of the commit's, or not everywhere where its files stand: a person should look.
	partial bool
}

const (
	rungPresent  = "present"
	rungVerbatim = "verbatim"
	rungInstance = "instance"
	rungFiles    = "files" // stands in no result: each file names its rung
)

// presentRung finds the fix, or an instance of it, in the target's history.
type presentRung struct{}

func (presentRung) Name() string { return rungPresent }

func (p presentRung) Try(ctx context.Context, e *Engine, job *Job) (*Result, error) {
	commits := []git.OID{job.Commit}
	for _, i := range job.Instances {
		commits = append(commits, i.Commit)
	}
	for _, id := range commits {
		there, err := e.history.IsAncestor(ctx, id, job.Onto)
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		res, err := p.judge(ctx, e, job, id)
		if res != nil || err != nil {
			return res, err
		}
	}
	return nil, nil //nolint:nilnil // nil means that the rung has nothing to say
}

// judge looks at what became of a commit that history has. If the target has every file as it was before it, it was undone and is not
// there any more. If merging it would change nothing, it is there beyond doubt. Otherwise its lines were changed since, or some of them
// undone: only a person can tell.
func (p presentRung) judge(ctx context.Context, e *Engine, job *Job, id git.OID) (*Result, error) {
	source, err := e.change(ctx, id)
	if err != nil {
		return nil, err
	}
	undone, files, err := p.undone(ctx, e, source, job.Ours)
	if undone || err != nil {
		return nil, err
	}
	res := &Result{Outcome: Present, Confidence: Verbatim, Tree: job.Ours, Rung: rungPresent, Source: id, Files: files}
	merged, err := e.merge(ctx, job, source, rungPresent)
	if err != nil {
		return nil, err
	}
	if merged.Outcome != Empty {
		res.Confidence = Review
		res.Notes = append(res.Notes, "the target's history has "+id.Short()+", but not all of its lines stand there: they were changed since, or undone")
	}
	return res, nil
}

func (presentRung) undone(ctx context.Context, e *Engine, source Source, ours git.OID) (bool, []File, error) {
	diff, err := patch.DiffTrees(ctx, e.store, source.Base, source.Tree)
	if err != nil {
		return false, nil, err
	}
	undone := len(diff.Changes) > 0
	files := make([]File, 0, len(diff.Changes))
	for _, c := range diff.Changes {
		o, err := e.lookup(ctx, ours, c.Path)
		if err != nil {
			return false, nil, err
		}
		undone = undone && o == c.Old
		files = append(files, File{Path: c.Path, Rung: rungPresent})
	}
	return undone, files, nil
}

// verbatimRung merges the fix itself.
type verbatimRung struct{}

func (verbatimRung) Name() string { return rungVerbatim }

func (verbatimRung) Try(ctx context.Context, e *Engine, job *Job) (*Result, error) {
	return e.merge(ctx, job, job.Fix, rungVerbatim)
}

// instanceRung merges what upstream landed on the branch that is nearest to the target.
type instanceRung struct{}

func (instanceRung) Name() string { return rungInstance }

func (r instanceRung) Try(ctx context.Context, e *Engine, job *Job) (*Result, error) {
	var best *near
	for _, i := range job.Instances {
		ok, err := r.usable(ctx, e, job, i)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		n, err := r.measure(ctx, e, job, i.Commit)
		if _, absent := errors.AsType[*git.AbsentError](err); absent {
			continue // another instance may do; without any, the verbatim rung's conflicts stand
		}
		if err != nil {
			return nil, err
		}
		if best == nil || n.compare(best) < 0 {
			best = n
		}
	}
	if best == nil {
		return nil, nil //nolint:nilnil // nil means that the rung has nothing to say
	}
	res, err := e.merge(ctx, job, best.source, rungInstance)
	if err == nil && res.Outcome == Clean {
		res.Outcome, res.Confidence = Resolved, Adapted
	}
	return res, err
}

// usable keeps out what would give the answer away or comes from the future.
func (instanceRung) usable(ctx context.Context, e *Engine, job *Job, i Instance) (bool, error) {
	if i.Commit == job.Commit || !job.AsOf.IsZero() && i.Committed.After(job.AsOf) {
		return false, nil
	}
	descends, err := e.history.IsAncestor(ctx, job.Onto, i.Commit)
	return !descends, err
}

// near is how far an instance's surroundings are from the target.
type near struct {
	source Source
	lines  int // that differ, in the files that the instance touches, between the target and what was before the instance
	files  int // that differ in all
}

func (n *near) compare(o *near) int {
	return cmp.Or(cmp.Compare(n.lines, o.lines), cmp.Compare(n.files, o.files), slices.Compare(n.source.Commit[:], o.source.Commit[:]))
}

func (r instanceRung) measure(ctx context.Context, e *Engine, job *Job, id git.OID) (*near, error) {
	source, err := e.change(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read instance: %w", err)
	}
	diff, err := patch.DiffTrees(ctx, e.store, source.Base, source.Tree)
	if err != nil {
		return nil, err
	}
	touched := map[string]bool{}
	for _, c := range diff.Changes {
		touched[c.Path] = true
	}
	distance, err := patch.DiffTrees(ctx, e.store, source.Base, job.Ours)
	if err != nil {
		return nil, err
	}
	n := &near{source: source, files: len(distance.Changes)}
	for _, c := range distance.Changes {
		if !touched[c.Path] {
			continue
		}
		lines, err := r.lines(ctx, e, c)
		if err != nil {
			return nil, err
		}
		n.lines += lines
	}
	return n, nil
}

// lines counts how many lines of both versions of a file the other does not have.
func (instanceRung) lines(ctx context.Context, e *Engine, c patch.Change) (int, error) {
	var contents [2][]byte
	for i, entry := range []patch.Entry{c.Old, c.New} {
		if !entry.Mode.IsRegular() {
			continue
		}
		var err error
		if contents[i], err = e.store.Blob(ctx, entry.OID); err != nil {
			return 0, err
		}
	}
	changes, err := merge.Diff(contents[0], contents[1], merge.Myers)
	if _, large := errors.AsType[*merge.LimitError](err); large {
		return merge.MaxLines, nil
	}
	n := 0
	for _, c := range changes {
		n += c.Old.Hi - c.Old.Lo + c.New.Hi - c.New.Lo
	}
	return n, err
}
