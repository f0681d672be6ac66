package memory

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/merge"
)

// Sides are the three versions of a file in conflict.
type Sides struct {
	Path               string // in the resulting tree
	Added              bool   // both sides have the file, base has none
	Base, Ours, Theirs []byte
}

// text reports whether all sides are text: no NUL in any.
func (s *Sides) text() bool {
	return bytes.IndexByte(s.Base, 0) < 0 && bytes.IndexByte(s.Ours, 0) < 0 && bytes.IndexByte(s.Theirs, 0) < 0
}

// element is a line of the merged text, or a conflict in it.
type element struct {
	line     string
	conflict *Conflict
	ours     merge.Span // where ours has the conflict
}

// layout merges the sides and cuts the result at its conflicts.
func layout(s Sides) ([]element, error) {
	options := merge.Options{Style: merge.Diff3}
	if s.Added {
		options.Style = merge.Plain // as the engine shows it to people: there is no base
	}
	res, err := merge.Merge(s.Base, s.Ours, s.Theirs, options)
	if err != nil {
		return nil, err
	}
	text, base, ours, theirs := split(res.Text), split(s.Base), split(s.Ours), split(s.Theirs)
	out := make([]element, 0, len(text))
	next := 0
	for _, c := range res.Conflicts {
		for _, line := range text[next : c.Line-1] {
			out = append(out, element{line: line})
		}
		conflict := &Conflict{Ours: ours[c.Ours.Lo:c.Ours.Hi], Theirs: theirs[c.Theirs.Lo:c.Theirs.Hi]}
		next = c.Line - 1 + 3 + len(conflict.Ours) + len(conflict.Theirs)
		if options.Style == merge.Diff3 {
			conflict.Base = base[c.Base.Lo:c.Base.Hi]
			next += 1 + len(conflict.Base)
		}
		out = append(out, element{conflict: conflict, ours: c.Ours})
	}
	for _, line := range text[next:] {
		out = append(out, element{line: line})
	}
	return out, nil
}

// narrowed cuts conflicts down to the lines that the fix changed, so that they are the same where the target changed lines beside them. Lines that the
// fix left alone are as ours has them: as many at the start and at the end of ours as in base.
func narrowed(in []element) []element {
	var out []element
	for _, e := range in {
		c := e.conflict
		if c == nil {
			out = append(out, e)
			continue
		}
		head, tail := ends(c)
		for _, line := range c.Ours[:head] {
			out = append(out, element{line: line})
		}
		out = append(out, element{conflict: c.core(), ours: merge.Span{Lo: e.ours.Lo + head, Hi: e.ours.Hi - tail}})
		for _, line := range c.Ours[len(c.Ours)-tail:] {
			out = append(out, element{line: line})
		}
	}
	return out
}

// core is the part of a conflict that the fix changed.
func (c *Conflict) core() *Conflict {
	head, tail := ends(c)
	return &Conflict{
		Base: c.Base[head : len(c.Base)-tail], Ours: c.Ours[head : len(c.Ours)-tail], Theirs: c.Theirs[head : len(c.Theirs)-tail],
	}
}

// ends is how many lines the fix left alone at the start and at the end of a conflict; none if ours has fewer.
func ends(c *Conflict) (head, tail int) {
	head = common(c.Base, c.Theirs)
	base, theirs := slices.Clone(c.Base[head:]), slices.Clone(c.Theirs[head:])
	slices.Reverse(base)
	slices.Reverse(theirs)
	tail = common(base, theirs)
	if head+tail > len(c.Ours) {
		return 0, 0
	}
	return head, tail
}

// common is how many lines a and b have in common at their start.
func common(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// split cuts a text after each newline.
func split(text []byte) []string {
	return slices.Collect(strings.Lines(string(text)))
}

// pattern is a place as the elements that it was: surroundings and what is replaced between them.
type pattern struct {
	elements []element
	lo, hi   int // what is replaced
	anchor   int // a conflict among the elements; -1 if there is none
}

func (p *Place) pattern() pattern {
	before, after := lineElements(p.Before), lineElements(p.After)
	var inner []element
	for _, piece := range p.Pieces {
		if piece.Conflict != nil {
			inner = append(inner, element{conflict: piece.Conflict})
			continue
		}
		inner = append(inner, lineElements(piece.Text)...)
	}
	return patternOf(before, inner, after)
}

// narrowed is the pattern with its conflicts cut down.
func (p *pattern) narrowed() pattern {
	return patternOf(p.elements[:p.lo], narrowed(p.elements[p.lo:p.hi]), p.elements[p.hi:])
}

func patternOf(before, inner, after []element) pattern {
	out := pattern{elements: slices.Concat(before, inner, after), lo: len(before), hi: len(before) + len(inner)}
	out.anchor = slices.IndexFunc(out.elements, func(e element) bool { return e.conflict != nil })
	return out
}

func lineElements(lines []string) []element {
	out := make([]element, len(lines))
	for i, line := range lines {
		out[i] = element{line: line}
	}
	return out
}

// same reports whether two elements are equal to the byte.
func same(a, b element) bool {
	if a.conflict == nil || b.conflict == nil {
		return a.conflict == b.conflict && a.line == b.line
	}
	return a.conflict.equal(b.conflict)
}

func (c *Conflict) equal(o *Conflict) bool {
	return slices.Equal(c.Ours, o.Ours) && slices.Equal(c.Theirs, o.Theirs) && slices.Equal(c.Base, o.Base)
}

// starts are the indices of in at which the pattern may begin: those that bring its conflict upon one of in, or all.
func (p *pattern) starts(in []element) []int {
	var out []int
	for i := range in {
		at := i - max(p.anchor, 0)
		if p.anchor >= 0 && in[i].conflict == nil || at < 0 || at+len(p.elements) > len(in) {
			continue
		}
		out = append(out, at)
	}
	return out
}

// find returns where in has the pattern, to the byte.
func (p *pattern) find(in []element) []int {
	return slices.DeleteFunc(p.starts(in), func(at int) bool { return !p.at(in, at) })
}

func (p *pattern) at(in []element, at int) bool {
	return slices.EqualFunc(p.elements, in[at:at+len(p.elements)], same)
}
