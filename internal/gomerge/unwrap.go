package gomerge

import (
	"bytes"
	"slices"
)

// minUnwrapped is how alike a statement of ours must be to one within a statement of base to be the same without what stands around it.
const minUnwrapped = 0.6

// unwrapped looks whether ours has, in place of an element of base, only what a list of statements within it has (a call without the condition
// around it, say). Then ours is merged with that list of theirs.
func (l *listMerge) unwrapped(base, j int) (bool, error) {
	if l.b.list != byLine || l.b.free {
		return false, nil
	}
	lo, hi := l.oursBetween(base)
	b, t := l.b.chunks[base].node, l.t.chunks[j].node
	var inner, theirs *node
	var at cover
	for _, path := range lists(b, nil, 0) {
		is, will := follow(b, path), follow(t, path)
		if will == nil || will.list != is.list {
			continue
		}
		if c := l.covers(is, lo, hi); c.alike > at.alike {
			inner, theirs, at = is, will, c
		}
	}
	if inner == nil {
		return false, nil
	}
	l.placed[j], l.first[j] = at.to, at.from
	if !sameTokens(inner.tokens(), theirs.tokens()) {
		return true, l.mergeWithin(inner, theirs, at.from, at.to)
	}
	if !sameTokens(b.tokens(), t.tokens()) {
		l.leaveOut(b, t)
	}
	return true, nil
}

// mergeWithin replaces some elements of ours by their merge with a list of theirs.
func (l *listMerge) mergeWithin(inner, theirs *node, from, to int) error {
	chunks := l.o.chunks[from : to+1]
	part := &node{
		src: l.o.src, kind: inner.kind, list: inner.list, chunks: slices.Clone(chunks),
		lo: chunks[0].node.lo - len(chunks[0].lead), hi: chunks[len(chunks)-1].node.hi + len(chunks[len(chunks)-1].trail),
	}
	for _, c := range chunks {
		part.parts = append(part.parts, c.node)
	}
	part.bare = true
	text, err := l.list(inner, part, theirs, l.depth+1)
	if err != nil {
		return err
	}
	l.doubt(DoubtUnwrapped)
	at := l.at(from)
	body := bytes.TrimSuffix(text, []byte("\n"))
	l.out[at].lead, l.out[at].body, l.out[at].trail = nil, body, text[len(body):]
	for i := from + 1; i <= to; i++ {
		l.out[l.at(i)] = piece{number: i}
	}
	return nil
}

// oursBetween are the elements of ours without partner that stand where an element of base would.
func (l *listMerge) oursBetween(base int) (lo, hi int) {
	hi = len(l.o.chunks)
	for k := base - 1; k >= 0; k-- {
		if i := l.ob.toSide[k]; i >= 0 {
			lo = i + 1
			break
		}
	}
	for k := base + 1; k < len(l.b.chunks); k++ {
		if i := l.ob.toSide[k]; i >= 0 {
			hi = i
			break
		}
	}
	return lo, hi
}

// cover is a run of elements of ours, and how alike they are to those of another list.
type cover struct {
	from, to int
	alike    float64
}

// covers finds the elements of ours, within a range, that correspond to all of a list, in order.
func (l *listMerge) covers(inner *node, lo, hi int) cover {
	c := cover{from: -1}
	at := lo
	for n, chunk := range inner.chunks {
		x := code(chunk.node.tokens())
		best, found := minUnwrapped, -1
		for i := at; i <= hi-(len(inner.chunks)-n); i++ {
			o := l.o.chunks[i].node
			if s := similarity(x, code(o.tokens())); o.kind == chunk.node.kind && s > best {
				best, found = s, i
			}
		}
		if found < 0 {
			return cover{}
		}
		if c.from < 0 {
			c.from = found
		}
		c.to, at = found, found+1
		c.alike += best / float64(len(inner.chunks))
	}
	return c
}

// lists returns the ways to the lists of statements within a node, outer ones first.
func lists(n *node, way []int, depth int) [][]int {
	const most = 4
	var out [][]int
	if depth > most {
		return nil
	}
	for i, p := range n.parts {
		here := append(slices.Clone(way), i)
		if p.list == byLine && !p.free && len(p.chunks) > 0 {
			out = append(out, here)
		}
		out = append(out, lists(p, here, depth+1)...)
	}
	return out
}

func follow(n *node, way []int) *node {
	for _, i := range way {
		if i >= len(n.parts) {
			return nil
		}
		n = n.parts[i]
	}
	return n
}
