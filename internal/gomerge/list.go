package gomerge

import (
	"bytes"
	"slices"
)

// listMerge is the merge of one list.
type listMerge struct {
	*merger
	b, o, t *node
	ob, tb  alignment
	depth   int
	out     []piece
	placed  []int // by element of theirs: its piece's number, or -1
	by      sidesChanged
}

// piece is an element of the merged list.
type piece struct {
	number            int // elements of ours come first
	lead, body, trail []byte
	fromTheirs        bool
	kept              bool // an import declaration of ours
}

func (m *merger) list(b, o, t *node, depth int) ([]byte, error) {
	lm := &listMerge{merger: m, b: withoutImports(b), o: o, t: withoutImports(t), depth: depth}
	lm.b.free = b.free && o.free && t.free // a side may have given the order a meaning
	var err error
	if lm.ob, err = m.align(lm.b, lm.o); err != nil {
		return nil, err
	}
	if lm.tb, err = m.align(lm.b, lm.t); err != nil {
		return nil, err
	}
	lm.placed = fill(len(lm.t.chunks))
	if err = lm.ours(); err != nil {
		return nil, err
	}
	if err = lm.lost(); err != nil {
		return nil, err
	}
	for j := range lm.t.chunks {
		if lm.tb.toBase[j] < 0 {
			if err = lm.insert(j); err != nil {
				return nil, err
			}
		}
	}
	lm.doubt()
	return lm.render()
}

// doubt takes certainty away where both sides changed a list and theirs did more than experience trusts: new statements lean on what stands
// around them, and an element that theirs deletes may be one that ours still needs.
func (l *listMerge) doubt() {
	statements := l.b.list == byLine && !l.b.free
	inserted := slices.ContainsFunc(l.out, func(p piece) bool { return p.fromTheirs })
	deleted := slices.Contains(l.tb.toSide, -1)
	arguments := l.b.list == byComma && !l.b.free
	reshaped := inserted || deleted || slices.Contains(l.ob.toBase, -1) || slices.Contains(l.ob.toSide, -1)
	moved := l.b.free && l.depth > 1 && !slices.IsSorted(slices.DeleteFunc(slices.Clone(l.tb.toSide), func(j int) bool { return j < 0 }))
	if moved || l.fallsThrough() || statements && inserted || arguments && reshaped || l.b.free && l.depth > 1 && deleted {
		l.certain = false
	}
	changed := false
	for base, j := range l.tb.toSide {
		changed = changed || j >= 0 && !sameTokens(l.b.chunks[base].node.tokens(), l.t.chunks[j].node.tokens())
	}
	l.edited = l.edited || deleted || changed
}

// fallsThrough reports whether a side has a case that goes on in the next one, whichever that is after the merge.
func (l *listMerge) fallsThrough() bool {
	return slices.ContainsFunc(slices.Concat(l.o.chunks, l.t.chunks), func(c chunk) bool {
		tokens := code(c.node.tokens())
		if c.node.kind != "CaseClause" || len(tokens) == 0 {
			return false
		}
		last := tokens[len(tokens)-1]
		return string(c.node.src.text[last.lo:last.hi]) == "fallthrough"
	})
}

// withoutImports leaves import declarations to [merger.imports].
func withoutImports(n *node) *node {
	c := *n
	c.chunks = slices.DeleteFunc(slices.Clone(n.chunks), func(c chunk) bool { return c.node.kind == importKind })
	return &c
}

const importKind = "GenDecl import"

// ours puts down what ours has: kept, merged, or dropped because theirs deleted it.
func (l *listMerge) ours() error {
	for i := range l.o.chunks {
		o := &l.o.chunks[i]
		p := piece{number: i, lead: o.lead, body: o.node.bytes(), trail: o.trail, kept: o.node.kind == importKind}
		base := l.ob.toBase[i]
		if base < 0 {
			l.out = append(l.out, p)
			continue
		}
		b, j := &l.b.chunks[base], l.tb.toSide[base]
		if j < 0 {
			if !b.same(o) && !sameTokens(code(b.node.tokens()), code(o.node.tokens())) {
				return refuse(ReasonDeletedChanged, "line %d of the target's version: the fix deletes what the target changed", o.node.line())
			}
			l.besideOurs(base)
			continue
		}
		var err error
		t := &l.t.chunks[j]
		if p.lead, err = l.around(b.lead, o.lead, t.lead, [3][]tok{b.leads, o.leads, t.leads}); err != nil {
			return err
		}
		if p.body, err = l.node(b.node, o.node, t.node, l.depth+1); err != nil {
			return err
		}
		if p.trail, err = l.around(b.trail, o.trail, t.trail, [3][]tok{b.trims, o.trims, t.trims}); err != nil {
			return err
		}
		l.by.note(b.node.tokens(), o.node.tokens(), t.node.tokens())
		var within sidesChanged
		within.note(b.node.tokens(), o.node.tokens(), t.node.tokens())
		within.note(b.leads, o.leads, t.leads)
		if within.ours && within.theirs {
			l.certain = false
		}
		l.placed[j] = i
		l.out = append(l.out, p)
	}
	if l.b.list == byComma && !l.b.free && l.by.ours && l.by.theirs {
		l.certain = false
	}
	return nil
}

// besideOurs doubts a deletion by theirs in a bound list if ours changed what stands right beside it.
func (l *listMerge) besideOurs(base int) {
	if l.b.free {
		return
	}
	i := l.ob.toSide[base]
	before, after := -1, len(l.b.chunks)
	if i > 0 {
		before = l.ob.toBase[i-1]
	}
	if i+1 < len(l.o.chunks) {
		after = l.ob.toBase[i+1]
	}
	if before != base-1 || after != base+1 {
		l.certain = false
	}
}

// around merges what stands before or after an element.
func (l *listMerge) around(b, o, t []byte, tokens [3][]tok) ([]byte, error) {
	switch {
	case sameTokens(tokens[0], tokens[2]), sameTokens(tokens[1], tokens[2]):
		return o, nil
	case sameTokens(tokens[0], tokens[1]):
		return t, nil
	}
	res, err := textMerge(b, o, t)
	if err != nil {
		return nil, err
	}
	return res, nil
}

// lost looks at what ours deleted: theirs must not have changed it.
func (l *listMerge) lost() error {
	for base := range l.b.chunks {
		i, j := l.ob.toSide[base], l.tb.toSide[base]
		if i >= 0 || j < 0 {
			continue
		}
		b, t := &l.b.chunks[base], &l.t.chunks[j]
		if !sameTokens(code(b.node.tokens()), code(t.node.tokens())) {
			return refuse(ReasonDeletedChanged, "line %d of the fix's version: the target does not have this %s, which the fix changes", t.node.line(), t.node.kind)
		}
	}
	return nil
}

// insert puts an element of theirs, which base does not have, into its place.
func (l *listMerge) insert(j int) error {
	t := &l.t.chunks[j]
	for i := range l.o.chunks {
		o := &l.o.chunks[i]
		mine := l.ob.toBase[i] < 0
		switch {
		case mine && sameTokens(o.node.tokens(), t.node.tokens()) && (l.b.free || l.sameGap(i, j)):
			l.placed[j] = i
			return nil
		case l.b.free && t.node.key != "" && t.node.key == o.node.key && t.node.kind == o.node.kind:
			return refuse(ReasonBothAdded, "line %d of the fix's version: the target has another %s", t.node.line(), t.node.key)
		}
	}
	at, err := l.place(j)
	if err != nil {
		return err
	}
	l.placed[j] = len(l.o.chunks) + j
	l.out = slices.Insert(l.out, at, piece{
		number: l.placed[j], lead: t.lead, body: t.node.bytes(), trail: t.trail, fromTheirs: true,
	})
	return nil
}

// gapOf is the element of base before which an inserted element stands.
func gapOf(al alignment, i, end int) int {
	for k := i + 1; k < len(al.toBase); k++ {
		if al.toBase[k] >= 0 {
			return al.toBase[k]
		}
	}
	return end
}

func (l *listMerge) sameGap(i, j int) bool {
	return gapOf(l.ob, i, len(l.b.chunks)) == gapOf(l.tb, j, len(l.b.chunks))
}

// at is the index of the piece with this number, or -1.
func (l *listMerge) at(number int) int {
	if number < 0 {
		return -1
	}
	return slices.IndexFunc(l.out, func(p piece) bool { return p.number == number })
}

// place finds where an inserted element of theirs goes.
func (l *listMerge) place(j int) (int, error) {
	if !l.b.free {
		return l.placeBound(j)
	}
	for k := j - 1; k >= 0; k-- {
		at := l.at(l.placed[k])
		if at < 0 {
			continue
		}
		for at++; at < len(l.out) && !l.out[at].fromTheirs && l.ob.toBase[l.out[at].number] < 0; at++ {
			l.certain = false
		}
		return at, nil
	}
	for k := j + 1; k < len(l.placed); k++ {
		if at := l.at(l.placed[k]); at >= 0 {
			l.certain = l.certain && (at == 0 || l.out[at-1].fromTheirs || l.out[at-1].kept || l.ob.toBase[l.out[at-1].number] >= 0)
			return at, nil
		}
	}
	l.certain = l.certain && !slices.ContainsFunc(l.out, func(p piece) bool { return !p.kept })
	return len(l.out), nil
}

// placeBound wants the neighbours of theirs to stand beside each other in ours too. If only one of them is there, it is enough, but a person
// should look.
func (l *listMerge) placeBound(j int) (int, error) {
	before, after := j-1, j+1
	for after < len(l.placed) && l.tb.toBase[after] < 0 {
		after++
	}
	lower, upper := -1, len(l.out)
	if before >= 0 {
		lower = l.at(l.placed[before])
	}
	if after < len(l.placed) {
		upper = l.at(l.placed[after])
	}
	if line := l.t.chunks[j].node.line(); l.goneBetween(before, after) {
		return 0, refuse(ReasonNoPlace, "line %d of the fix's version: the target does not have what this replaces", line)
	}
	hasLower, hasUpper := lower >= 0 || before < 0, upper >= 0
	switch {
	case hasLower && hasUpper && lower+1 == upper:
	case hasLower && hasUpper:
		return 0, refuse(ReasonBothAdded, "line %d of the fix's version: both sides changed what stands here", l.t.chunks[j].node.line())
	case hasLower && before >= 0:
		l.certain = false
		upper = lower + 1
	case hasUpper && after < len(l.placed):
		l.certain = false
	default:
		return 0, refuse(ReasonNoPlace, "line %d of the fix's version: the target has nothing of what stands around this", l.t.chunks[j].node.line())
	}
	return upper, nil
}

// goneBetween reports whether base has something between two elements of theirs that ours does not have.
func (l *listMerge) goneBetween(before, after int) bool {
	lo, hi := -1, len(l.b.chunks)
	for ; before >= 0 && lo < 0; before-- {
		lo = l.tb.toBase[before]
	}
	if after < len(l.tb.toBase) {
		hi = l.tb.toBase[after]
	}
	for k := lo + 1; k < hi; k++ {
		if l.ob.toSide[k] < 0 {
			return true
		}
	}
	return false
}

// render writes the merged list.
func (l *listMerge) render() ([]byte, error) {
	head, err := l.gap(l.b.head(), l.o.head(), l.t.head())
	if err != nil {
		return nil, err
	}
	tail, err := l.gap(l.b.tail(), l.o.tail(), l.t.tail())
	if err != nil {
		return nil, err
	}
	w := listWriter{out: slices.Clone(head), kind: l.o.list, lines: bytes.HasSuffix(head, []byte("\n")), opened: len(head) == 0}
	for i := range l.out {
		w.write(&l.out[i], i+1 == len(l.out))
	}
	ends := len(l.o.chunks) > 0 && bytes.HasSuffix(l.o.chunks[len(l.o.chunks)-1].trail, []byte("\n"))
	return append(w.close(ends, l.o.list == byLine && len(l.out) > 0), tail...), nil
}
