// Package backport carries one commit onto another tree: the pick engine.
//
// Everything happens on objects, through [git.Store]: trees and blobs are read, merged in memory and written; there is no work tree, and
// no commit is made. A pick tries rungs in order and names the one that did it:
//
//   - present: the change is already there;
//   - verbatim: a three-way merge of trees and text in which base is the parent of the fix, theirs the fix and ours the target, with renamed
//     files and moved directories followed, as git cherry-pick does it;
//   - instance: the same from another landed instance of the fix, the one nearest to the target;
//   - for what is left in conflict, by file: generated, dep, text, go, dialect (the fix said in the target's names), moves (files brought
//     together that stand elsewhere), memory (what a person resolved before).
//
// Whatever merged it, the Go source of a result is type-checked in the tree as it will be; what does not compile there is a conflict.
//
// Words: the fix is the commit that is carried, onto is where it goes (the target); an instance is a commit that upstream made of
// the same fix on another branch. In the merge, ours is the target's side and theirs the fix's.
//
// Promises: the same objects give the same result. Where plain git merge-tree and the verbatim rung both call a pick clean, the trees
// are the same (docs/pick.md lists what this package refuses though git calls it clean). What the engine cannot decide is a conflict with a reason, laid out in the tree; an
// object that is needed and absent is an error of kind unavailable for that pick. An Engine may be used from many goroutines.
package backport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/godialect"
	"github.com/kubelts/kubelts/internal/gotypes"
	"github.com/kubelts/kubelts/internal/memory"
	"github.com/kubelts/kubelts/internal/patch"
)

// History answers what the rungs ask about ancestry. It may be called from many goroutines.
type History interface {
	// IsAncestor reports whether ancestor can be reached from commit. A commit is its own ancestor. Where history is cut off (a shallow
	// clone) and the answer therefore unknown, it is an error.
	IsAncestor(ctx context.Context, ancestor, commit git.OID) (bool, error)
}

// Parting is a History that also knows where two branches parted. Without it, no file is known to be newer than that.
type Parting interface {
	// MergeBase returns a best common ancestor; an error if there is none.
	MergeBase(ctx context.Context, a, b git.OID) (git.OID, error)
}

// Instance is a landed instance of a fix that may serve as source.
type Instance struct {
	Commit    git.OID
	Committed time.Time
}

// Request is one pick.
type Request struct {
	ID     string  // the caller's name for it
	Commit git.OID // the fix: a merge is picked against its first parent, a root commit against the empty tree
	Onto   git.OID // the target commit
	// OntoTree replaces the target commit's tree, when picks are put upon each other. Onto still tells what is present.
	OntoTree git.OID
	// Prefixes say which directories of the fix's repository are which of the target's; with any, nothing else of the fix is carried.
	Prefixes []Prefix
	// Foreign says that the fix is of another repository: the store has its objects, but the target's history knows nothing of it.
	Foreign bool
	// Instances may serve as sources, except descendants of Onto and those committed after AsOf (if AsOf is not zero).
	Instances []Instance
	AsOf      time.Time
	// Explain asks for what led to the result: the steps of the pick and of each file, and the files' versions.
	Explain bool
}

// Engine carries out picks. It remembers what it read, so one Engine should serve many picks in one repository.
type Engine struct {
	store    git.Store
	history  History
	detector *patch.Detector
	checker  *gotypes.Checker
	rungs    []Rung
	// fileRungs are for what the text merge leaves in conflict.
	fileRungs []fileRung
	// dialects remembers what files taught about the names of branches.
	dialects godialect.Library
	memory   *memory.Library
}

// New returns an engine that reads from and writes to store.
func New(store git.Store, history History) *Engine {
	cached := newTreeCache(store)
	return &Engine{
		store: cached, history: history, detector: patch.NewDetector(cached), checker: gotypes.NewChecker(),
		rungs: []Rung{presentRung{}, verbatimRung{}, instanceRung{}, fileRungsRung{}}, fileRungs: fileRungs(),
	}
}

// Pick carries one commit over. It always gives a result: what went wrong is in its Error.
func (e *Engine) Pick(ctx context.Context, r Request) Result {
	res, err := e.pick(ctx, r)
	if err != nil {
		return Failed(r, err)
	}
	res.ID, res.Commit, res.Onto = r.ID, r.Commit.String(), r.Onto.String()
	return res
}

// Failed is the result of a pick that could not be tried because of err.
func Failed(r Request, err error) Result {
	res := Result{ID: r.ID, Outcome: Error, Error: &Problem{Kind: kindOf(err), Message: err.Error()}, Files: []File{}}
	if !r.Commit.IsZero() {
		res.Commit = r.Commit.String()
	}
	if !r.Onto.IsZero() {
		res.Onto = r.Onto.String()
	}
	return res
}

func kindOf(err error) errs.Kind {
	if _, ok := errors.AsType[*git.AbsentError](err); ok {
		return errs.Unavailable
	}
	return errs.KindOf(err)
}

func (e *Engine) pick(ctx context.Context, r Request) (Result, error) {
	job, err := e.job(ctx, r)
	if err != nil {
		return Result{}, err
	}
	e, err = e.across(ctx, job)
	if err != nil {
		return Result{}, fmt.Errorf("pick %s onto %s: %w", r.Commit.Short(), r.Onto.Short(), err)
	}
	var left *Result
	var steps []Step
	for _, rung := range e.rungs {
		res, err := rung.Try(ctx, e, job)
		if err != nil {
			return Result{}, fmt.Errorf("pick %s onto %s: %w", r.Commit.Short(), r.Onto.Short(), err)
		}
		if r.Explain {
			steps = append(steps, pickStep(rung, res))
		}
		if res == nil {
			continue
		}
		res.Steps = steps
		if res.Outcome != Conflicted {
			if job.Fix.partial && res.Outcome != Empty {
				res.Confidence = Review
			}
			return *res, nil
		}
		if left == nil || left.Source == res.Source {
			left = res
		}
	}
	if left == nil {
		return Result{}, errs.New(errs.Internal, "pick %s onto %s: no rung answered", r.Commit.Short(), r.Onto.Short())
	}
	left.Steps = steps
	return *left, nil
}

// job reads what every rung needs.
func (e *Engine) job(ctx context.Context, r Request) (*Job, error) {
	fix, err := e.change(ctx, r.Commit)
	if err != nil {
		return nil, fmt.Errorf("read fix: %w", err)
	}
	job := &Job{Request: r, Fix: fix, Ours: r.OntoTree, verdicts: map[string]gotypes.Verdict{}}
	if job.Ours.IsZero() {
		onto, err := e.store.Commit(ctx, r.Onto)
		if err != nil {
			return nil, fmt.Errorf("read target: %w", err)
		}
		job.Ours = onto.Tree
	}
	return job, nil
}

// change is a commit as the difference of two trees.
func (e *Engine) change(ctx context.Context, id git.OID) (Source, error) {
	c, err := e.store.Commit(ctx, id)
	if err != nil {
		return Source{}, err
	}
	s := Source{Commit: c.OID, Subject: c.Subject(), Tree: c.Tree, Base: patch.EmptyTree()}
	if len(c.Parents) > 0 {
		parent, err := e.store.Commit(ctx, c.Parents[0])
		if err != nil {
			return Source{}, fmt.Errorf("read parent: %w", err)
		}
		s.Base = parent.Tree
	}
	return s, nil
}
