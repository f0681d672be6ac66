package gomerge

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/merge"
)

// listMerge is the merge of one list.
type listMerge struct {
	*merger
	b, o, t *node
	ob, tb  alignment
	depth   int
	out     []piece
	placed  []int // by element of theirs: its piece's number, or -1
	first   []int // by element of theirs: the number of the first of its pieces, or -1
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
	lm.placed, lm.first = fill(len(lm.t.chunks)), fill(len(lm.t.chunks))
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
	lm.doubts()
	return lm.render()
}

// doubts notes where both sides changed a list and theirs did more than experience trusts: new statements lean on what stands around
// them, and an element that theirs deletes may be one that ours still needs.
func (l *listMerge) doubts() {
	inserted := slices.ContainsFunc(l.out, func(p piece) bool { return p.fromTheirs })
	deleted := slices.Contains(l.tb.toSide, -1)
	reshaped := inserted || deleted || slices.Contains(l.ob.toBase, -1) || slices.Contains(l.ob.toSide, -1)
	within := l.b.free && l.depth > 1
	if within && !slices.IsSorted(slices.DeleteFunc(slices.Clone(l.tb.toSide), func(j int) bool { return j < 0 })) {
		l.doubt(DoubtMoved)
	}
	if l.fallsThrough() {
		l.doubt(DoubtFallsThrough)
	}
	if l.b.list == byComma && !l.b.free && reshaped {
		l.doubt(DoubtReshaped)
	}
	if within && deleted {
		l.doubt(DoubtDeletedElement)
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
		base := l.ob.toBase[i]
		if base < 0 {
			l.out = append(l.out, piece{number: i, lead: o.lead, body: o.node.bytes(), trail: o.trail, kept: o.node.kind == importKind})
			continue
		}
		j := l.tb.toSide[base]
		if j < 0 {
			if err := l.deleted(base, i); err != nil {
				return err
			}
			continue
		}
		p, err := l.both(base, i, j)
		if err != nil {
			return err
		}
		l.placed[j], l.first[j] = i, i
		l.out = append(l.out, p)
	}
	if l.b.list == byComma && !l.b.free && l.by.ours && l.by.theirs {
		l.doubt(DoubtReshaped)
	}
	return nil
}

// both merges an element that all three versions have.
func (l *listMerge) both(base, i, j int) (piece, error) {
	b, o, t := &l.b.chunks[base], &l.o.chunks[i], &l.t.chunks[j]
	p := piece{number: i, lead: o.lead, body: o.node.bytes(), trail: o.trail, kept: o.node.kind == importKind}
	var err error
	p.lead = l.around(b.lead, o.lead, t.lead, [3][]tok{b.leads, o.leads, t.leads})
	if p.body, err = l.node(b.node, o.node, t.node, l.depth+1); err != nil {
		return p, err
	}
	p.trail = l.around(b.trail, o.trail, t.trail, [3][]tok{b.trims, o.trims, t.trims})
	l.by.note(b.node.tokens(), o.node.tokens(), t.node.tokens())
	if l.ob.renamed[base] != l.tb.renamed[base] && !sameTokens(b.node.tokens(), t.node.tokens()) {
		l.doubt(DoubtRenamed)
	}
	return p, nil
}

// deleted decides about an element of ours that theirs deleted: it goes, if ours did not make something else of it.
func (l *listMerge) deleted(base, i int) error {
	b, o := &l.b.chunks[base], &l.o.chunks[i]
	x, y := code(b.node.tokens()), code(o.node.tokens())
	if b.same(o) || sameTokens(x, y) {
		l.besideOurs(base)
		return nil
	}
	switch {
	case !l.b.free && !l.b.loose:
		return refuse(ReasonDeletedChanged, "line %d of the target's version: the fix deletes what the target changed", o.node.line())
	case l.replaced(base):
		l.doubt(DoubtDeletedReplaced)
	case similarity(x, y) < minDeleted:
		l.doubt(DoubtDeletedUnlike)
	default:
		l.doubt(DoubtDeletedChanged)
	}
	l.note("line %d of the target's version: deleted, as the fix does, though the target has it otherwise", o.node.line())
	return nil
}

// replaced reports whether theirs has something new where it deleted an element of base.
func (l *listMerge) replaced(base int) bool {
	lo, hi := -1, len(l.t.chunks)
	for k := base - 1; k >= 0 && lo < 0; k-- {
		lo = l.tb.toSide[k]
	}
	for k := base + 1; k < len(l.b.chunks) && hi == len(l.t.chunks); k++ {
		if j := l.tb.toSide[k]; j >= 0 {
			hi = j
		}
	}
	return slices.ContainsFunc(l.tb.toBase[min(lo+1, hi):hi], func(k int) bool { return k < 0 })
}

// minDeleted is how alike ours and base must be for a deletion by theirs to mean ours too.
const minDeleted = 0.7

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
		l.doubt(DoubtDeletedBeside)
	}
}

// around merges what stands before or after an element: blank lines and comments. Where the comments do not merge the target's stays.
func (l *listMerge) around(b, o, t []byte, tokens [3][]tok) []byte {
	switch {
	case sameTokens(tokens[0], tokens[2]), sameTokens(tokens[1], tokens[2]):
		return o
	case sameTokens(tokens[0], tokens[1]):
		return t
	}
	return l.comments(b, o, t)
}

// comments merges by line what holds no code.
func (m *merger) comments(b, o, t []byte) []byte {
	res, err := merge.Merge(b, o, t, merge.Options{})
	if err == nil && len(res.Conflicts) == 0 {
		return res.Text
	}
	m.note("both sides changed a comment, the target's stays: %.60q", bytes.TrimSpace(o))
	return o
}

// lost looks at what ours deleted or never had: what theirs changes of it is left out.
func (l *listMerge) lost() error {
	for base := range l.b.chunks {
		i, j := l.ob.toSide[base], l.tb.toSide[base]
		if i >= 0 || j < 0 {
			continue
		}
		b, t := &l.b.chunks[base], &l.t.chunks[j]
		if done, err := l.unwrapped(base, j); done || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if sameTokens(code(b.node.tokens()), code(t.node.tokens())) {
			continue
		}
		if !l.b.free && !l.b.loose {
			return refuse(ReasonDeletedChanged, "line %d of the fix's version: the target does not have this %s, which the fix changes", t.node.line(), t.node.kind)
		}
		if other := l.counterpart(b.node); other != nil {
			return refuse(ReasonDeletedChanged, "line %d of the fix's version: the target does not have this %s, which the fix changes, but something like it in line %d", t.node.line(), t.node.kind, other.line())
		}
		l.leaveOut(b.node, t.node)
	}
	return nil
}

// leaveOut leaves out what theirs, t, made of an element of base.
func (l *listMerge) leaveOut(b, t *node) {
	l.edited = true
	l.unused(b, t)
	if _, name, ok := strings.Cut(t.key, " "); ok && (t.kind == "FuncDecl" || strings.HasPrefix(t.kind, "GenDecl")) {
		l.missing = append(l.missing, name)
	}
	switch {
	case l.b.list == byComma:
		l.doubt(DoubtLeftOutElement)
	case l.b.free:
		l.doubt(DoubtLeftOutDeclaration)
	default:
		l.doubt(DoubtLeftOutStatement)
	}
	l.leftOut("line %d of the fix's version: its change of this %s is left out, for the target does not have it", t.line(), t.kind)
}

// minCounterpart is how alike a part of ours must be to one of base to be the same under another name or in another place.
const minCounterpart = 0.8

// counterpart finds a new element of ours that may be what became of an element of base.
func (l *listMerge) counterpart(b *node) *node {
	x := code(b.tokens())
	for i := range l.o.chunks {
		o := l.o.chunks[i].node
		if l.ob.toBase[i] < 0 && o.kind == b.kind && len(x) >= 12 && similarity(x, code(o.tokens())) >= minCounterpart {
			return o
		}
	}
	return nil
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
