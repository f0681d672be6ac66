package backport

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// Bounds on a search for prerequisites.
const (
	maxTouches       = 5000 // commits of a history
	maxHistoryPaths  = 100
	maxPrerequisites = 10 // that are named
	maxSized         = 40 // whose sizes are measured: the others rank behind
	historyTime      = 60 * time.Second
)

// Prerequisite is a commit of the fix's side that the fix leans on and the target lacks.
type Prerequisite struct {
	Commit  git.OID `json:"commit"`
	Subject string  `json:"subject"`
	// Explains are the conflicts that it introduced lines of, as "path:line", and the names that it declared.
	Explains []string `json:"explains"`
	Files    []string `json:"files"`
	// Taken says that the result has it: it was picked before the fix.
	Taken bool `json:"taken,omitempty"`
}

// Touch is a commit in the history of some paths.
type Touch struct {
	Commit git.OID
	// Parents are the nearest ancestors that touch the paths too, or that the question left out.
	Parents []git.OID
}

// PathHistory answers which commits touched paths. It may be called from many goroutines.
type PathHistory interface {
	// PathHistory lists the commits that can be reached from one commit and not from another (none if it is null) and that touch one of the
	// paths, as git simplifies history: children before parents, at most limit, the newest. Where history is cut off (a shallow clone) it is an error.
	PathHistory(ctx context.Context, from, without git.OID, paths []string, limit int) ([]Touch, error)
}

// Prerequisites finds, for what a result left in conflict, the commits of the fix's side that introduced the lines and names that the fix leans on and
// the target lacks: first those that explain most, then small ones, then old ones. What cannot be known is left out and said in a note.
func (e *Engine) Prerequisites(ctx context.Context, r Request, res Result, history PathHistory) ([]Prerequisite, []string) {
	if res.Outcome != Conflicted {
		return nil, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, historyTime, errs.New(errs.Unavailable, "no answer after %v", historyTime))
	defer cancel()
	s, err := e.search(ctx, r, history)
	if err == nil {
		err = s.run(ctx, res)
	}
	var found []Prerequisite
	if err == nil {
		found, err = s.rank(ctx)
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, []string{"prerequisites are not known: " + err.Error()}
	}
	return found, s.notes
}

// search is one search for prerequisites.
type search struct {
	engine  *Engine
	job     *Job
	history PathHistory
	parent  git.OID // the fix's parent, where the search starts

	units []unit
	// found says for each commit which units it explains.
	found map[git.OID][]string
	notes []string
}

// unit is something to explain: lines of a file, at the fix's parent.
type unit struct {
	label string
	path  string // before the fix
	// lines are counted from 0. None means the whole file: the commit that made it explains it.
	lines []int
	// gone are lines that the target has and that were taken away on the fix's side.
	gone []string
	name string // that is declared there
}

func (e *Engine) search(ctx context.Context, r Request, history PathHistory) (*search, error) {
	job, err := e.job(ctx, r)
	if err != nil {
		return nil, err
	}
	fix, err := e.store.Commit(ctx, r.Commit)
	if err != nil {
		return nil, err
	}
	if len(fix.Parents) == 0 {
		return nil, errs.New(errs.NotFound, "the fix has no parent")
	}
	return &search{engine: e, job: job, history: history, parent: fix.Parents[0], found: map[git.OID][]string{}}, nil
}

// run collects what is to be explained and attributes it.
func (s *search) run(ctx context.Context, res Result) error {
	for _, f := range res.Files {
		if len(f.Conflicts) == 0 {
			continue
		}
		if err := s.file(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err := s.names(ctx, res); err != nil {
		return err
	}
	paths := map[string]bool{}
	for _, u := range s.units {
		if len(paths) < maxHistoryPaths {
			paths[u.path] = true
		}
	}
	if len(paths) == 0 {
		return nil
	}
	return s.attribute(ctx, paths)
}

// candidate is a commit that explains something.
type candidate struct {
	Prerequisite

	when time.Time
	size int // lines that it changes, as far as they were counted
}

// rank puts the commits in order and leaves out those that the target has in another form.
func (s *search) rank(ctx context.Context) ([]Prerequisite, error) {
	all, err := s.candidates(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(len(b.Explains), len(a.Explains)) })
	for i := range all {
		if all[i].size = 1 << 30; i < maxSized {
			if err := s.measure(ctx, &all[i]); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(len(b.Explains), len(a.Explains)), cmp.Compare(a.size, b.size), a.when.Compare(b.when), slices.Compare(a.Commit[:], b.Commit[:]))
	})
	var out []Prerequisite
	for _, c := range all {
		if len(out) == maxPrerequisites {
			break
		}
		there, err := s.present(ctx, c.Commit)
		if err != nil {
			return nil, err
		}
		if !there {
			out = append(out, c.Prerequisite)
		}
	}
	return out, nil
}

// candidates reads the commits that were found, without those of which the target's side has an instance.
func (s *search) candidates(ctx context.Context) ([]candidate, error) {
	landed, err := s.landed(ctx)
	if err != nil {
		return nil, err
	}
	var all []candidate
	for id, explains := range s.found {
		c, err := s.engine.store.Commit(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(landed.Of(c)) > 0 {
			continue
		}
		slices.Sort(explains)
		p := Prerequisite{Commit: id, Subject: printable(c.Subject()), Explains: slices.Compact(explains), Files: []string{}}
		all = append(all, candidate{Prerequisite: p, when: c.Committer.When})
	}
	slices.SortFunc(all, func(a, b candidate) int { return slices.Compare(a.Commit[:], b.Commit[:]) })
	return all, nil
}

// landed are the commits of the target's side that touch what is to be explained.
func (s *search) landed(ctx context.Context) (*Instances, error) {
	landed := NewInstances()
	if len(s.found) == 0 {
		return landed, nil
	}
	var paths []string
	for _, u := range s.units {
		if !slices.Contains(paths, u.path) && len(paths) < maxHistoryPaths {
			paths = append(paths, u.path)
		}
	}
	touches, err := s.history.PathHistory(ctx, s.job.Onto, s.parent, paths, maxTouches)
	if err != nil {
		return nil, err
	}
	for _, t := range touches {
		c, err := s.engine.store.Commit(ctx, t.Commit)
		if err != nil {
			return nil, err
		}
		landed.Add(c)
	}
	return landed, nil
}

// measure counts what a commit changes.
func (s *search) measure(ctx context.Context, c *candidate) error {
	const manyFiles, perFile = 50, 100
	change, err := s.engine.change(ctx, c.Commit)
	if err != nil {
		return err
	}
	diff, err := patch.DiffTrees(ctx, s.engine.store, change.Base, change.Tree)
	if err != nil {
		return err
	}
	c.size = 0
	for i, d := range diff.Changes {
		if i < manyFiles {
			c.Files = append(c.Files, d.Path)
		}
		lines := perFile
		if i < manyFiles {
			if lines, err = (instanceRung{}).lines(ctx, s.engine, d); err != nil {
				return err
			}
		}
		c.size += lines
	}
	return nil
}

// present reports whether merging a commit would change nothing.
func (s *search) present(ctx context.Context, id git.OID) (bool, error) {
	source, err := s.engine.change(ctx, id)
	if err != nil {
		return false, err
	}
	job := *s.job
	job.Explain = false
	res, err := s.engine.merge(ctx, &job, source, rungVerbatim)
	return err == nil && res.Outcome == Empty, err
}
