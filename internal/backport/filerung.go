package backport

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gomerge"
)

// fileRung is a method to merge one file that the text merge leaves in conflict, by knowing what its lines mean. Its files are tried after
// the rung instance, from the fix itself. The first rung that takes a path decides about it.
type fileRung interface {
	// name is how results name it.
	name() string
	// takes reports whether the method knows files of this path.
	takes(path string) bool
	// merge merges the sides. It refuses what it cannot vouch for; it may be called from many goroutines. An error ends the pick.
	merge(ctx context.Context, s fileSides) (fileMerge, error)
}

// fileSides are three versions of a file. They are shared: a rung must not change them.
type fileSides struct {
	path               string // in the resulting tree
	from               string // in the fix, if it is another one
	added              bool   // both sides have the file, base has none
	faulty             bool   // a merge of them does not compile
	translated         bool   // base and theirs are in the target's names
	moved              bool   // base and theirs import what they do by the target's paths, which are others than their own
	base, ours, theirs []byte
}

// fileMerge is what a rung made of a file: a text, or refusals.
type fileMerge struct {
	text       []byte
	confidence Confidence      // adapted or review
	doubts     []gomerge.Doubt // about merged Go source
	leftOut    int             // how many of the fix's changes are not in it
	missing    []string        // declarations that the fix changes and the target's file does not have
	notes      []string        // what was done, for the result's notes
	records    []string        // resolutions of memory that were used
	refusals   []refusal       // any means that the file stays in conflict
}

// refusal is why a file rung leaves a file to a person.
type refusal struct {
	reason Reason
	note   string
}

// namedRung is a method that results name.
type namedRung interface{ name() string }

// settledBy is what a file rung did to an item, and how to take it back.
type settledBy struct {
	rung       namedRung
	sides      fileSides
	merged     fileMerge
	markers    git.OID    // the text merge's result, with markers
	mode       git.Mode   // of it, if it is another one
	conflicts  []Conflict // that the text merge left
	keep       int        // how many conflicts the item had before
	confidence Confidence
	leftOut    bool // the target never had the file
}

// fileRungs are all methods for single files, in the order in which they are asked.
func fileRungs() []fileRung {
	return []fileRung{generatedRung{}, depRung{}, goRung{}, textRung{}}
}

// byFile asks the file rungs about a text that has conflicts; markers is its text with markers, keep how many conflicts the item had before
// it. It returns the name of the content that is to stand in the tree.
func (m *treeMerge) byFile(ctx context.Context, it *item, s fileSides, markers git.OID, keep int) (git.OID, error) {
	it.left = &leftText{s, markers, keep}
	at := slices.IndexFunc(m.fileRungs, func(r fileRung) bool { return taken(r, s) })
	if at < 0 {
		return markers, nil
	}
	rung := m.fileRungs[at]
	merged, err := m.askRung(ctx, rung, it, s)
	if err != nil {
		return git.OID{}, err
	}
	if len(merged.refusals) > 0 {
		translated, ok, err := m.inDialect(ctx, s)
		if err != nil {
			return git.OID{}, err
		}
		it.refused(rung.name(), Refused, merged.refusals)
		if !ok {
			it.refuse(merged.refusals)
			return markers, nil
		}
		rung, merged = dialectRung{}, translated
	}
	it.by = &settledBy{
		rung: rung, sides: s, merged: merged, markers: markers, keep: keep,
		conflicts: slices.Clone(it.conflicts[keep:]), confidence: merged.confidence,
	}
	it.conflicts = it.conflicts[:keep]
	return m.engine.store.WriteBlob(ctx, merged.text)
}

// refuse notes why a rung left a file.
func (it *item) refuse(refusals []refusal) {
	for _, r := range refusals {
		it.conflict(r.reason, r.note)
	}
}

// takeBack gives an item back what the text merge made of it.
func (it *item) takeBack() {
	it.result.OID = it.by.markers
	if it.by.mode != 0 {
		it.result.Mode = it.by.mode
	}
	it.conflicts = slices.Insert(it.conflicts, it.by.keep, it.by.conflicts...)
	it.by = nil
}

// fileRungsRung merges the fix itself as the verbatim rung does, and lets file rungs look at what is left.
type fileRungsRung struct{}

func (fileRungsRung) Name() string { return rungFiles }

func (fileRungsRung) Try(ctx context.Context, e *Engine, job *Job) (*Result, error) {
	if len(e.fileRungs) == 0 {
		return nil, nil //nolint:nilnil // nil means that the rung has nothing to say
	}
	m := e.treeMerge(job, job.Fix)
	m.fileRungs, m.vouching, m.moves = e.fileRungs, true, newMoves(m)
	tree, err := m.run(ctx)
	if err != nil {
		return nil, err
	}
	res := m.result(rungVerbatim, tree)
	m.resolved(res)
	if job.Explain {
		m.explain(res)
	}
	return res, nil
}

// resolved says in a result what the file rungs did.
func (m *treeMerge) resolved(res *Result) {
	var names []string
	confidence := Adapted
	for i, it := range m.sorted() {
		if it.by == nil {
			continue
		}
		name := it.by.rung.name()
		res.Files[i].Rung, res.Files[i].Resolutions = name, it.by.merged.records
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if it.by.confidence == Review {
			confidence = Review
		}
		for _, note := range it.by.merged.notes {
			if len(res.Notes) < maxNotes {
				res.Notes = append(res.Notes, it.path+": "+note)
			}
		}
	}
	if len(names) == 0 || res.Outcome == Conflicted {
		return
	}
	slices.Sort(names)
	res.Rung = names[len(names)-1]
	res.Confidence = confidence
	if res.Outcome == Clean {
		res.Outcome = Resolved
	}
}
