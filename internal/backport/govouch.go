package backport

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/gotypes"
)

// stepVouch is how steps name the look at a whole pick.
const stepVouch = "vouch"

// vouch looks at the Go source of a pick in the tree as it will be, whoever merged it. What cannot stand and was merged by its parts goes back to the
// text merge's markers; a file that the text merge merged keeps its text and has a conflict. Where something is left to a person anyway, nothing is
// looked at: what a file lacks may be in the conflict of another.
func (m *treeMerge) vouch(ctx context.Context) error {
	if err := m.together(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(m.sorted(), func(it *item) bool { return len(it.conflicts) > 0 }) {
		return nil
	}
	verdict, err := m.judge(ctx)
	if err != nil {
		return err
	}
	if m.fileRungs != nil && len(verdict.Faults) > 0 {
		better, ok, err := m.again(ctx, verdict.Faults)
		if err != nil {
			return err
		}
		if ok {
			verdict = better
		}
	}
	for _, unseen := range verdict.Unseen {
		// What memory brings is looked at anew.
		if note := "not vouched for: " + unseen; len(m.notes) < maxNotes && !slices.Contains(m.notes, note) {
			m.notes = append(m.notes, note)
		}
	}
	const most = 5
	refused := map[*item][]refusal{}
	for _, f := range verdict.Faults {
		if it := m.blamed(f); it != nil && len(refused[it]) < most {
			refused[it] = append(refused[it], refusal{reasonOf(f.Kind), f.String()})
		}
	}
	for it, refusals := range refused {
		m.distrust(it, refusals)
	}
	return nil
}

// distrust takes back what was merged by parts, and leaves the item to a person.
func (m *treeMerge) distrust(it *item, refusals []refusal) {
	if it.by != nil {
		it.takeBack()
	}
	it.refuse(refusals)
	it.refused(stepVouch, Withdrawn, refusals)
}

// judge says what of the merge, as its items are now, does not compile in the target although it did in the fix's tree, as far as the trees tell. Files with
// conflicts have to be taken out of the items first, or nothing is to be made of what it says. It may be asked again when items have changed.
func (m *treeMerge) judge(ctx context.Context) (gotypes.Verdict, error) {
	var files []gotypes.Change
	far := false
	for _, it := range m.sorted() {
		far = far || it.by != nil
		if strings.HasSuffix(it.path, ".go") && it.result != it.ours {
			files = append(files, gotypes.Change{Path: it.path, From: it.from, Composed: it.by != nil && it.by.rung == fileRung(goRung{})})
		}
	}
	if len(files) == 0 {
		return gotypes.Verdict{}, nil
	}
	question := m.question(files, far)
	if v, asked := m.verdicts[question]; asked {
		return v, nil
	}
	v, err := m.engine.checker.Judge(ctx, gotypes.Question{
		Merged: m.merged(), Ours: &mergedTree{engine: m.engine, tree: m.ours}, Theirs: &mergedTree{engine: m.engine, tree: m.source.Tree}, Files: files, Far: far,
	})
	if err == nil {
		m.verdicts[question] = v
	}
	return v, err
}

// question tells one look at a merge from another: rungs of one pick often come to the same.
func (m *treeMerge) question(files []gotypes.Change, far bool) string {
	var b strings.Builder
	fmt.Fprintln(&b, m.ours, m.source.Tree, far)
	for _, it := range m.sorted() {
		fmt.Fprintf(&b, "%q %v %v\n", it.path, it.result.Mode, it.result.OID)
	}
	for _, f := range files {
		fmt.Fprintf(&b, "%q %q %t\n", f.Path, f.From, f.Composed)
	}
	return b.String()
}

// blamed is the item that a fault is reported with: that of the file, or the first changed one beside it if the fix does not touch the file.
func (m *treeMerge) blamed(f gotypes.Fault) *item {
	if it := m.items[f.Path]; it != nil {
		return it
	}
	var first *item
	for _, it := range m.sorted() {
		if !strings.HasSuffix(it.path, ".go") || it.result == it.ours {
			continue
		}
		if path.Dir(it.path) == path.Dir(f.Path) {
			return it
		}
		if first == nil {
			first = it
		}
	}
	return first
}

// reasonOf is the reason that a conflict has for a fault.
func reasonOf(k gotypes.Kind) Reason {
	switch k {
	case gotypes.Undeclared, gotypes.NoImport, gotypes.NoPackage, gotypes.Unproven, gotypes.Missing:
		return ReasonUndeclared
	case gotypes.Duplicate:
		return ReasonDuplicate
	case gotypes.Unused:
		return ReasonUnused
	case gotypes.Arguments:
		return ReasonArguments
	case gotypes.Syntax:
		return ReasonSyntax
	default:
		return ReasonMismatch
	}
}
