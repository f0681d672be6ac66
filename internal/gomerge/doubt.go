package gomerge

import (
	"fmt"
	"slices"
)

// Doubt is a kind of choice in a merge that follows from the three versions less surely than the rest.
type Doubt string

// The doubts.
const (
	// DoubtStatement is that both sides edited different parts of one statement or expression.
	DoubtStatement Doubt = "statement"
	// DoubtReshaped is that both sides changed a list of arguments or rows, and elements came or went.
	DoubtReshaped Doubt = "reshaped"
	// DoubtInserted is that theirs put statements into a block that ours changed elsewhere.
	DoubtInserted Doubt = "inserted"
	// DoubtOneNeighbour is that only one of the statements between which theirs put something is there, and ours left that one alone.
	DoubtOneNeighbour Doubt = "one-neighbour"
	// DoubtChangedNeighbour is that only one of them is there, and ours changed it.
	DoubtChangedNeighbour Doubt = "changed-neighbour"
	// DoubtFar is that none of them is there, but others of the block are.
	DoubtFar Doubt = "far"
	// DoubtOrder is that the order of what both sides added was chosen.
	DoubtOrder Doubt = "order"
	// DoubtMoved is that theirs moved elements of a list without order.
	DoubtMoved Doubt = "moved"
	// DoubtFallsThrough is a switch with cases that fall through to the next.
	DoubtFallsThrough Doubt = "falls-through"
	// DoubtDeletedElement is that theirs deleted an element of a literal, type or switch that both sides changed.
	DoubtDeletedElement Doubt = "deleted-element"
	// DoubtDeletedBeside is that theirs deleted a statement beside one that ours changed.
	DoubtDeletedBeside Doubt = "deleted-beside"
	// DoubtDeletedReplaced is that theirs put something in place of what ours changed.
	DoubtDeletedReplaced Doubt = "deleted-replaced"
	// DoubtDeletedChanged is that theirs deleted what ours changed a little.
	DoubtDeletedChanged Doubt = "deleted-changed"
	// DoubtDeletedUnlike is that theirs deleted what ours changed much.
	DoubtDeletedUnlike Doubt = "deleted-unlike"
	// DoubtLeftOutDeclaration is that theirs changed a declaration, field or case that ours does not have: that change is left out.
	DoubtLeftOutDeclaration Doubt = "left-out-declaration"
	// DoubtLeftOutStatement is the same of a statement.
	DoubtLeftOutStatement Doubt = "left-out-statement"
	// DoubtLeftOutElement is the same of an element of a literal.
	DoubtLeftOutElement Doubt = "left-out-element"
	// DoubtLeftOutReplacement is that theirs replaced what ours does not have: the replacement is left out.
	DoubtLeftOutReplacement Doubt = "left-out-replacement"
	// DoubtLeftOutUse is that all uses of something that theirs declares anew are in what is left out.
	DoubtLeftOutUse Doubt = "left-out-use"
	// DoubtRenamed is that an element was found under another name.
	DoubtRenamed Doubt = "renamed"
	// DoubtUnwrapped is that ours has a statement of theirs without the one around it.
	DoubtUnwrapped Doubt = "unwrapped"
)

// doubt takes certainty away.
func (m *merger) doubt(d Doubt) {
	if !slices.Contains(m.doubts, d) {
		m.doubts = append(m.doubts, d)
	}
}

func (m *merger) note(format string, args ...any) {
	const most = 20
	if len(m.notes) < most {
		m.notes = append(m.notes, fmt.Sprintf(format, args...))
	}
}

// leftOut notes what of theirs is not in the result.
func (m *merger) leftOut(format string, args ...any) {
	m.left++
	m.note(format, args...)
}

// kinds are the doubts, sorted.
func (m *merger) kinds() []Doubt { return slices.Sorted(slices.Values(m.doubts)) }

// unused notes the words that theirs put into an element that is left out.
func (m *merger) unused(b, t *node) {
	had := map[int32]bool{}
	for _, tok := range b.tokens() {
		had[tok.id] = true
	}
	for _, tok := range t.tokens() {
		if !had[tok.id] {
			m.leftWords = append(m.leftWords, tok.id)
		}
	}
}

// doubtUses doubts a merge that declares what only the part of theirs uses that is left out: a test without its entry in the list of tests, say.
func (m *merger) doubtUses(merged []byte) {
	if len(m.leftWords) == 0 {
		return
	}
	before := Declared(m.base.file)
	text := &source{text: merged}
	m.scan(text)
	for _, name := range Declared(m.theirs.file) {
		if slices.Contains(before, name) || !slices.Contains(m.leftWords, m.id(name)) {
			continue
		}
		uses := 0
		for _, tok := range text.tokens {
			if tok.id == m.id(name) {
				uses++
			}
		}
		if uses == 1 {
			m.doubt(DoubtLeftOutUse)
		}
	}
}
