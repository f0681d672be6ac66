package gomerge

import "bytes"

// chunk is an element of a list with what goes with it: blank lines and comments before it (the lead), the separator and comments on its line
// after it (the trail). The chunks of a list, its first line and its tail are all of it.
type chunk struct {
	node         *node
	lead, trail  []byte
	leads, trims []tok // comments in the lead, comments in the trail
}

// same reports whether two elements say the same, comments included.
func (c *chunk) same(o *chunk) bool {
	return sameTokens(c.node.tokens(), o.node.tokens()) && sameTokens(c.leads, o.leads) && sameTokens(c.trims, o.trims)
}

// cut finds the chunks of a list.
func (n *node) cut() {
	at := n.first()
	for i, p := range n.parts {
		end := n.chunkEnd(p)
		if i+1 < len(n.parts) {
			end = min(end, n.parts[i+1].lo) // an empty statement is its own semicolon
		}
		n.chunks = append(n.chunks, chunk{
			node: p, lead: n.src.text[at:p.lo], trail: n.src.text[p.hi:end],
			leads: n.src.within(at, p.lo), trims: comments(n.src.within(p.hi, end)),
		})
		at = end
	}
}

func comments(tokens []tok) []tok {
	var out []tok
	for _, t := range tokens {
		if t.comment {
			out = append(out, t)
		}
	}
	return out
}

// first is where the first chunk begins: on the line after the bracket, unless there is something on the bracket's line.
func (n *node) first() int {
	limit := n.hi
	if len(n.parts) > 0 {
		limit = n.parts[0].lo
	}
	at := n.lo
	for _, t := range n.src.within(n.lo, limit) {
		if bytes.IndexByte(n.src.text[at:t.lo], '\n') >= 0 {
			break
		}
		at = t.hi
	}
	if i := bytes.IndexByte(n.src.text[at:limit], '\n'); i >= 0 {
		return at + i + 1
	}
	return n.lo
}

// chunkEnd is where the line of an element ends, or where the next element on that line may begin.
func (n *node) chunkEnd(p *node) int {
	end := p.hi
	for _, t := range n.src.within(p.hi, n.hi) {
		s := n.src.text[t.lo:t.hi]
		if bytes.IndexByte(n.src.text[end:t.lo], '\n') >= 0 {
			break
		}
		if !t.comment && (end != p.hi || string(s) != "," && string(s) != ";") {
			break
		}
		if t.comment && !n.endsLine(t.hi) {
			break
		}
		end = t.hi
	}
	if n.endsLine(end) && end < n.hi {
		if i := bytes.IndexByte(n.src.text[end:n.hi], '\n'); i >= 0 {
			return end + i + 1
		}
	}
	return end
}

// endsLine reports whether nothing follows on the line.
func (n *node) endsLine(at int) bool {
	rest := n.src.text[at:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return len(bytes.TrimSpace(rest)) == 0
}

// head is what stands between the bracket and the first chunk, tail what follows the last chunk.
func (n *node) head() span {
	if n.bare {
		return span{n.src, n.lo, n.lo}
	}
	return span{n.src, n.lo, n.first()}
}

func (n *node) tail() span {
	if n.bare {
		return span{n.src, n.hi, n.hi}
	}
	at := n.first()
	if len(n.parts) > 0 {
		at = n.chunkEnd(n.parts[len(n.parts)-1])
	}
	return span{n.src, at, n.hi}
}

// span is a range of bytes of a source.
type span struct {
	src    *source
	lo, hi int
}

func (s span) bytes() []byte { return s.src.text[s.lo:s.hi] }

func (s span) tokens() []tok { return s.src.within(s.lo, s.hi) }
