package backport

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gomerge"
	"github.com/kubelts/kubelts/internal/patch"
)

// goRung merges Go source by its parts.
type goRung struct{}

func (goRung) name() string { return "go" }

func (goRung) takes(p string) bool { return strings.HasSuffix(p, ".go") }

func (goRung) merge(_ context.Context, s fileSides) (fileMerge, error) {
	if s.added {
		return fileMerge{refusals: []refusal{{Reason(gomerge.ReasonBothAdded), "both sides have a new file there"}}}, nil
	}
	res, err := gomerge.Merge(s.base, s.ours, s.theirs)
	if refused, ok := errors.AsType[*gomerge.RefusedError](err); ok {
		return fileMerge{refusals: []refusal{{Reason(refused.Reason), refused.Note}}}, nil
	}
	if err != nil {
		return fileMerge{}, err
	}
	m := fileMerge{text: res.Text, confidence: Adapted, doubts: res.Doubts, missing: res.Missing, leftOut: res.LeftOut, notes: res.Notes}
	if res.Additions && strings.HasSuffix(s.path, "_test.go") {
		m.doubts = append(m.doubts, onlyNewTests)
	}
	if bytes.Equal(res.Text, s.ours) {
		m.doubts = append(m.doubts, nothingLeft)
	}
	if note := distrust(m.doubts, res.LeftOut, s); note != "" {
		return fileMerge{refusals: []refusal{{ReasonNear, note}}}, nil
	}
	if len(m.doubts) > 0 {
		m.confidence = Review
		m.notes = append(m.notes, "to be looked at: "+words(m.doubts))
	}
	return m, nil
}

// Doubts that the merge of one file cannot know.
const (
	onlyNewTests gomerge.Doubt = "tests"   // new tests, where the target has not what stands around them
	nothingLeft  gomerge.Doubt = "nothing" // all that the fix changes was left out
)

func words(doubts []gomerge.Doubt) string {
	out := make([]string, len(doubts))
	for i, d := range doubts {
		out[i] = string(d)
	}
	return strings.Join(out, ", ")
}

// distrust says why a merged file is not handed out, not even to be looked at; empty if it is. What is refused here was other than what people
// landed too often (docs/decisions/0007-grading-merged-go.md).
func distrust(doubts []gomerge.Doubt, leftOut int, s fileSides) string {
	const mostLeftOut = 2
	has := func(of ...gomerge.Doubt) bool {
		return slices.ContainsFunc(doubts, func(d gomerge.Doubt) bool { return slices.Contains(of, d) })
	}
	switch {
	case has(nothingLeft):
		return "nothing of the fix's change would be left"
	case has(gomerge.DoubtLeftOutUse):
		return "what the fix adds would not be used, for what uses it would be left out"
	case leftOut > mostLeftOut:
		return "too much of the fix would be left out"
	case has(gomerge.DoubtLeftOutElement, gomerge.DoubtLeftOutReplacement):
		return "the target has other elements or statements where the fix changes some"
	case leftOut > 0 && has(gomerge.DoubtOneNeighbour):
		return "part of the fix would be left out, and for another part the place is not sure"
	case has(gomerge.DoubtChangedNeighbour, gomerge.DoubtMoved, gomerge.DoubtFallsThrough):
		return "the order of statements, fields or cases is not sure"
	case has(gomerge.DoubtDeletedChanged) && words(doubts) != string(gomerge.DoubtDeletedChanged), has(gomerge.DoubtDeletedReplaced, gomerge.DoubtDeletedElement, gomerge.DoubtDeletedBeside):
		return "the fix deletes or replaces what the target changed, or what stands beside that"
	case has(gomerge.DoubtDeletedUnlike) && (leftOut > 0 || has(gomerge.DoubtStatement)):
		return "the fix deletes what the target has otherwise, and that is not all that is in doubt"
	case words(doubts) == "inserted, reshaped", (s.moved || s.translated || !isCode(s.path)) && words(doubts) == string(gomerge.DoubtInserted):
		return "the fix puts statements into a block that the target changed elsewhere, and nothing tells whether they belong together"
	case has(onlyNewTests) && (s.moved || has(gomerge.DoubtOrder)):
		return "new tests, where the target has not what stands around them"
	}
	return ""
}

// together looks at all files of a pick that were merged by their parts: they may lean on each other, and what one of them lacks another file of
// the target may have.
func (m *treeMerge) together(ctx context.Context) error {
	merged := slices.DeleteFunc(m.sorted(), func(it *item) bool { return it.by == nil || it.by.rung != fileRung(goRung{}) })
	for _, it := range merged {
		name, err := m.elsewhere(ctx, it)
		if err != nil {
			return err
		}
		if len(merged) > 1 {
			it.by.confidence = Review
		}
		if name != "" {
			m.distrust(it, []refusal{{ReasonNear, "the fix changes " + name + ", which the target has in another file"}})
			continue
		}
		lacks := func(o *item) bool { return o != it && o.by != nil && o.by.merged.leftOut > 0 }
		if words(it.by.merged.doubts) == string(gomerge.DoubtInserted) && slices.ContainsFunc(merged, lacks) {
			m.distrust(it, []refusal{{ReasonNear, "the fix puts statements into a block that the target changed elsewhere, and in another file some of it would be left out"}})
		}
	}
	return nil
}

// elsewhere finds a declaration that the fix changes in this file and that the target has in another one of the directory; empty if there is none.
func (m *treeMerge) elsewhere(ctx context.Context, it *item) (string, error) {
	if len(it.by.merged.missing) == 0 {
		return "", nil
	}
	files, err := m.goFiles(ctx, m.ours, path.Dir(it.path))
	if err != nil {
		return "", err
	}
	delete(files, path.Base(it.path))
	for _, file := range slices.Sorted(maps.Keys(files)) {
		for _, name := range m.declared(ctx, patch.Entry{Mode: git.ModeFile, OID: files[file]}) {
			if slices.Contains(it.by.merged.missing, name) {
				return name, nil
			}
		}
	}
	return "", nil
}
