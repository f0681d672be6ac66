package gomerge

import (
	"bytes"
)

// node merges a part.
func (m *merger) node(b, o, t *node, depth int) ([]byte, error) {
	switch {
	case sameTokens(b.tokens(), t.tokens()), sameTokens(o.tokens(), t.tokens()):
		return o.bytes(), nil
	case sameTokens(b.tokens(), o.tokens()):
		return t.bytes(), nil
	case depth > 2*maxDepth:
		return nil, refuse(ReasonTooLarge, "line %d: parts within each other deeper than %d", o.line(), maxDepth)
	case b.kind != o.kind || b.kind != t.kind || b.list != o.list || b.list != t.list:
		return nil, m.bothChanged(o)
	case b.list != noList:
		return m.list(b, o, t, depth)
	case len(b.parts) == 0 || len(b.parts) != len(o.parts) || len(b.parts) != len(t.parts):
		return nil, m.bothChanged(o)
	}
	return m.parts(b, o, t, depth)
}

func (m *merger) bothChanged(o *node) *RefusedError {
	return refuse(ReasonBothChanged, "line %d of the target's version: both sides changed this %s", o.line(), o.kind)
}

// parts merges parts one by one, and the gaps between them.
func (m *merger) parts(b, o, t *node, depth int) ([]byte, error) {
	var out []byte
	var by sidesChanged
	for i := range len(b.parts) + 1 {
		gb, g, gt := b.gap(i), o.gap(i), t.gap(i)
		text, err := m.gap(gb, g, gt)
		if err != nil {
			return nil, err
		}
		by.note(gb.tokens(), g.tokens(), gt.tokens())
		out = append(out, text...)
		if i == len(b.parts) {
			break
		}
		pb, po, pt := b.parts[i], o.parts[i], t.parts[i]
		by.note(pb.tokens(), po.tokens(), pt.tokens())
		if text, err = m.node(pb, po, pt, depth+1); err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	if !container(b.kind) && by.ours && by.theirs {
		m.doubt(DoubtStatement)
	}
	return out, nil
}

// sidesChanged says which sides changed something that the other side left alone.
type sidesChanged struct{ ours, theirs bool }

func (s *sidesChanged) note(b, o, t []tok) {
	byOurs, byTheirs := !sameTokens(b, o), !sameTokens(b, t)
	s.ours = s.ours || byOurs && !byTheirs
	s.theirs = s.theirs || byTheirs && !byOurs
}

// container reports whether the parts of such a node are independent of each other.
func container(kind string) bool {
	switch kind {
	case "File", "FuncDecl", "TypeSpec", "StructType", "InterfaceType", "GenDecl var", "GenDecl const", "GenDecl type", "list":
		return true
	}
	return false
}

// gap is what stands before the i-th part, or after the last one.
func (n *node) gap(i int) span {
	s := span{n.src, n.lo, n.hi}
	if i > 0 {
		s.lo = n.parts[i-1].hi
	}
	if i < len(n.parts) {
		s.hi = n.parts[i].lo
	}
	return s
}

// gap merges text without parts: at least one side must have left it alone, or all of it is comments that can be merged by line.
func (m *merger) gap(b, o, t span) ([]byte, error) {
	switch {
	case sameTokens(b.tokens(), t.tokens()), sameTokens(o.tokens(), t.tokens()):
		return o.bytes(), nil
	case sameTokens(b.tokens(), o.tokens()):
		return t.bytes(), nil
	case len(code(b.tokens())) == 0 && len(code(o.tokens())) == 0 && len(code(t.tokens())) == 0:
		return m.comments(b.bytes(), o.bytes(), t.bytes()), nil
	}
	return nil, refuse(ReasonBothChanged, "line %d of the target's version: both sides changed this", o.line())
}

func (s span) line() int { return bytes.Count(s.src.text[:s.lo], []byte("\n")) + 1 }
