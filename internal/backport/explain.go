package backport

import (
	"slices"
	"strconv"

	"github.com/kubelts/kubelts/internal/git"
)

// Deed says what a rung did about a pick or a file.
type Deed string

// The deeds.
const (
	Decided   Deed = "decided"   // its result stands
	Left      Deed = "left"      // it merged what it could, and conflicts are left
	Refused   Deed = "refused"   // it knows files of this kind, and would not guess
	Withdrawn Deed = "withdrawn" // what was merged was taken back, or distrusted, after a look at the whole pick
	Passed    Deed = "passed"    // it had nothing to say
)

// Step is one thing that a rung did. A result has steps where [Request.Explain] asks for them.
type Step struct {
	Rung   string `json:"rung"`
	Did    Deed   `json:"did"`
	Reason Reason `json:"reason,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Versions are the contents of a file, as names of blobs (for a submodule, of the commit): in the tree before the fix, in the target, in the fix
// and in the resulting tree. Null where the file is not there.
type Versions struct {
	Base   git.OID `json:"base,omitzero"`
	Ours   git.OID `json:"ours,omitzero"`
	Theirs git.OID `json:"theirs,omitzero"`
	Result git.OID `json:"result,omitzero"`
}

// refused notes why a rung would not merge an item, or why its result cannot stand.
func (it *item) refused(rung string, did Deed, refusals []refusal) {
	for _, r := range refusals {
		it.steps = append(it.steps, Step{Rung: rung, Did: did, Reason: r.reason, Note: r.note})
	}
}

// explain adds to a result's files, which are those of the merge in order, what led to them.
func (m *treeMerge) explain(res *Result) {
	for i, it := range m.sorted() {
		f := &res.Files[i]
		f.Versions = &Versions{Base: it.base.OID, Ours: it.ours.OID, Theirs: it.theirs.OID, Result: it.result.OID}
		text := m.textStep(it, res.Rung)
		f.Steps = append([]Step{text}, it.steps...)
		if it.by != nil {
			step := Step{Rung: it.by.rung.name(), Did: Decided}
			for n, note := range it.by.merged.notes {
				if n > 0 {
					step.Note += "; "
				}
				step.Note += note
			}
			f.Steps = append(f.Steps, step)
		}
	}
}

// textStep says what the merge of trees and text did about a file. What rungs for single files refused is among the item's conflicts too.
func (m *treeMerge) textStep(it *item, rung string) Step {
	if m.fileRungs != nil {
		rung = rungVerbatim
	}
	left := it.conflicts
	if it.by != nil {
		left = it.by.conflicts
	}
	for _, c := range left {
		byRung := slices.ContainsFunc(it.steps, func(s Step) bool { return s.Reason == c.Reason && s.Note == c.Note })
		if !byRung {
			return Step{Rung: rung, Did: Left, Reason: c.Reason, Note: c.Note}
		}
	}
	return Step{Rung: rung, Did: Decided, Note: it.plain()}
}

// plain says what became of an item that needed no thought.
func (it *item) plain() string {
	switch {
	case it.ours == it.theirs:
		return "the target has it already"
	case !it.result.Exists():
		return "deleted"
	case it.ours == it.base && it.base.Exists():
		return "as the fix has it"
	case it.added:
		return "new file"
	case it.result == it.ours:
		return "as the target has it"
	}
	return "merged by line"
}

// pickStep says what a rung did about a whole pick; res is nil where it had nothing to say.
func pickStep(rung Rung, res *Result) Step {
	switch {
	case res == nil:
		return Step{Rung: rung.Name(), Did: Passed}
	case res.Outcome != Conflicted:
		return Step{Rung: rung.Name(), Did: Decided}
	}
	files := 0
	var first Conflict
	for _, f := range res.Files {
		if len(f.Conflicts) == 0 {
			continue
		}
		if files++; files == 1 {
			first = f.Conflicts[0]
		}
	}
	return Step{Rung: rung.Name(), Did: Left, Reason: first.Reason, Note: strconv.Itoa(files) + " of " + strconv.Itoa(len(res.Files)) + " files"}
}
