package backport

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gotypes"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// item is one file in a three-way merge of trees.
type item struct {
	path               string // in the result
	from               string // in the fix, if it is another one
	base, ours, theirs patch.Entry
	result             patch.Entry
	added              bool // the fix adds it, and the target has nothing there
	settled            bool // result is decided
	conflicts          []Conflict
	moved              string     // from where to where the target moved the directory that a new file belongs to
	by                 *settledBy // nil unless a file rung merged it
	left               *leftText  // nil unless the text merge left conflicts
	steps              []Step     // of the file rungs that did not settle it
}

// conflict leaves the item to a person.
func (it *item) conflict(reason Reason, note string) {
	it.conflicts = append(it.conflicts, Conflict{
		Reason: reason, Note: note, Base: it.base.OID, Ours: it.ours.OID, Theirs: it.theirs.OID,
	})
}

// settle decides what stands at the item's path.
func (it *item) settle(e patch.Entry) { it.result, it.settled = e, true }

// treeMerge is one three-way merge of trees. It is used once.
type treeMerge struct {
	engine *Engine
	source Source
	ours   git.OID // the target's tree
	onto   git.OID // the target
	labels merge.Labels

	items      map[string]*item
	theirsDiff *patch.Diff
	oursDiff   *patch.Diff // nil unless it is needed
	wanted     map[string]bool
	notes      []string
	fileRungs  []fileRung          // for what the text merge leaves in conflict
	vouching   bool                // whether Go source is looked at once more
	foreign    bool                // the fix's objects are in another repository
	moves      *moves              // nil if moves are followed no further than git does
	known      map[[2]git.OID]bool // files of both sides whose names were learned, or refused
	studied    int                 // bytes that were looked at for that
	// verdicts are what the Go check said in this pick.
	verdicts map[string]gotypes.Verdict
}

// merge carries the source over to the target's tree.
func (e *Engine) merge(ctx context.Context, job *Job, source Source, rung string) (*Result, error) {
	m := e.treeMerge(job, source)
	m.vouching = rung != rungPresent
	tree, err := m.run(ctx)
	if err != nil {
		return nil, err
	}
	res := m.result(rung, tree)
	if job.Explain {
		m.explain(res)
	}
	return res, nil
}

func (e *Engine) treeMerge(job *Job, source Source) *treeMerge {
	return &treeMerge{
		engine: e, source: source, ours: job.Ours, onto: job.Onto, items: map[string]*item{}, wanted: map[string]bool{}, notes: slices.Clone(source.notes), foreign: job.Foreign,
		verdicts: job.verdicts,
		labels: merge.Labels{
			Base: "parent of " + source.Commit.Short(), Ours: "onto " + job.Onto.Short(),
			Theirs: source.Commit.Short() + " " + printable(source.Subject),
		},
	}
}

// run merges and writes the resulting tree.
func (m *treeMerge) run(ctx context.Context) (git.OID, error) {
	var err error
	if m.theirsDiff, err = patch.DiffTrees(ctx, m.engine.store, m.source.Base, m.source.Tree); err != nil {
		return git.OID{}, err
	}
	if err = m.collect(ctx); err != nil {
		return git.OID{}, err
	}
	if err = m.follow(ctx); err != nil {
		return git.OID{}, err
	}
	for _, it := range m.sorted() {
		if err = m.resolve(ctx, it); err != nil {
			return git.OID{}, err
		}
	}
	if err = m.substance(ctx); err != nil {
		return git.OID{}, err
	}
	if m.vouching {
		if err = m.vouch(ctx); err != nil {
			return git.OID{}, err
		}
	}
	if err = m.remember(ctx); err != nil {
		return git.OID{}, err
	}
	if err = m.adopt(ctx); err != nil {
		return git.OID{}, err
	}
	return m.build(ctx)
}

// printable takes control characters out of a commit's subject and cuts it, for it stands in conflict markers and on terminals.
func printable(s string) string {
	const limit = 60
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s))
	if len(runes) > limit {
		return string(runes[:limit-3]) + "..."
	}
	return string(runes)
}

func (m *treeMerge) sorted() []*item {
	out := make([]*item, 0, len(m.items))
	for _, p := range slices.Sorted(maps.Keys(m.items)) {
		out = append(out, m.items[p])
	}
	return out
}

// collect makes an item of each file that the fix changes.
func (m *treeMerge) collect(ctx context.Context) error {
	for _, c := range m.theirsDiff.Changes {
		it := &item{path: c.Path, base: c.Old, theirs: c.New}
		ours, err := m.engine.lookup(ctx, m.ours, c.Path)
		if err != nil {
			return err
		}
		if !ours.Mode.IsTree() { // a directory there is dealt with when the tree is built
			it.ours = ours
		}
		it.added = !c.Old.Exists() && !ours.Exists()
		m.items[c.Path] = it
	}
	return nil
}

// build writes the resulting tree. What wants a name that is taken is a conflict, and the target keeps the name.
func (m *treeMerge) build(ctx context.Context) (git.OID, error) {
	b := builder{store: m.engine.store, root: &node{}}
	for p, it := range m.items {
		b.root.set(p, it.result)
	}
	tree, err := b.build(ctx, m.ours)
	if err != nil {
		return git.OID{}, err
	}
	for _, p := range b.clashes {
		m.items[p].conflict(ReasonFileDirectory, "a file and a directory want this name")
	}
	return tree, nil
}

func (m *treeMerge) result(rung string, tree git.OID) *Result {
	res := &Result{
		Outcome: Clean, Confidence: Verbatim, Tree: tree, Rung: rung, Source: m.source.Commit, Notes: m.notes,
		Files: make([]File, 0, len(m.items)),
	}
	left := false
	for _, it := range m.sorted() {
		f := File{Path: it.path, From: it.from, Rung: rung, Conflicts: it.conflicts}
		if it.ours == it.theirs && it.ours == it.result {
			f.Rung = rungPresent
		}
		res.Files = append(res.Files, f)
		left = left || len(it.conflicts) > 0
	}
	switch {
	case left:
		res.Outcome, res.Confidence = Conflicted, Review
	case tree == m.ours:
		res.Outcome = Empty
	}
	return res
}

// needsOurs reports whether the files that the target added and deleted matter: whether a file of the fix is missing there and may stand
// elsewhere. It notes the directories that are missing and that the fix has new files for.
func (m *treeMerge) needsOurs(ctx context.Context) (bool, error) {
	need := false
	for _, it := range m.items {
		if it.base.Exists() && !it.ours.Exists() {
			need = true
		}
		if !it.added {
			continue
		}
		gone, err := m.missingDirectory(ctx, it.path)
		if err != nil {
			return false, err
		}
		if gone != "" {
			m.wanted[gone] = true
			need = true
		}
	}
	return need || len(m.theirsDiff.Removed) > 0 && slices.ContainsFunc(m.theirsDiff.Changes, func(c patch.Change) bool { return !c.Old.Exists() }), nil
}

// missingDirectory is the nearest directory above file that the fix's parent has, if the target does not have it.
func (m *treeMerge) missingDirectory(ctx context.Context, file string) (string, error) {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		before, err := m.engine.lookup(ctx, m.source.Base, dir)
		if err != nil {
			return "", err
		}
		if !before.Mode.IsTree() {
			continue
		}
		ours, err := m.engine.lookup(ctx, m.ours, dir)
		if err != nil || ours.Mode.IsTree() {
			return "", err
		}
		return dir, nil
	}
	return "", nil
}
