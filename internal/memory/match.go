package memory

import (
	"crypto/sha256"
	"go/token"
	"slices"
	"strings"
)

// shape is what conflicts that may be the same have in common: the sides without white space that means nothing, and in Go without names.
func shape(kind string, c *Conflict) string {
	h := sha256.New()
	write := func(s string) { h.Write([]byte(s + "\x00")) }
	write(kind)
	for _, side := range [][]string{c.Ours, c.Base, c.Theirs} {
		write("side")
		lexemes, ok := lexSide(kind, side)
		if !ok {
			for _, l := range side {
				if text := squeeze(l); text != "" {
					write(text)
				}
			}
			continue
		}
		for _, l := range lexemes {
			switch {
			case l.kind == token.COMMENT:
				write("//")
			case l.kind == token.IDENT && !universal(l.text):
				write("name")
			default:
				write(l.text)
			}
		}
	}
	return string(h.Sum(nil))
}

func lexSide(kind string, lines []string) ([]lexeme, bool) {
	if kind != "go" {
		return nil, false
	}
	return lex(strings.Join(lines, ""))
}

// squeeze takes white space out of a line that means nothing in any kind of file: at its end, and more than one space between words. Indentation
// stays.
func squeeze(l string) string {
	l = strings.TrimRight(l, " \t\r\n")
	words := strings.TrimLeft(l, " \t")
	if words == "" {
		return ""
	}
	return l[:len(l)-len(words)] + strings.Join(strings.Fields(words), " ")
}

// exact puts a record upon the file where all of it stands to the byte.
func (q *question) exact(r *Record) (use, bool) {
	u := use{record: r, whole: true}
	for i := range r.Places {
		p := &r.Places[i]
		pat := p.pattern()
		found := slices.DeleteFunc(pat.find(q.elements), func(at int) bool { return !q.in(p, pat, at) })
		switch twins := r.twins(p); {
		case len(found) == 0 && q.settled(p):
			u.whole = false
		case len(found) == 0, pat.anchor < 0 && len(found) != twins:
			return use{}, false
		default:
			for _, at := range found {
				if !u.put(swap{at + pat.lo, at + pat.hi, slices.Concat([]string{}, p.Resolved), r.Name()}) {
					return use{}, false
				}
			}
		}
	}
	return u, len(u.swaps) > 0
}

// in reports whether the declaration around a place at an index is the recorded one.
func (q *question) in(p *Place, pat pattern, at int) bool {
	return pat.anchor < 0 || q.declaration(pat, at) == p.In
}

func (q *question) declaration(pat pattern, at int) string {
	return q.source.declaration(q.elements[at+pat.anchor].ours)
}

// put adds a swap, unless another one stands in its way. The same one may be put twice: places of a record may be alike.
func (u *use) put(s swap) bool {
	for _, d := range u.swaps {
		if s.lo == d.lo && s.hi == d.hi && s.lines != nil && slices.Equal(s.lines, d.lines) {
			return true
		}
		if s.lo < d.hi && d.lo < s.hi || s.lo == d.lo && s.hi == d.hi {
			return false
		}
	}
	u.swaps = append(u.swaps, s)
	return true
}

// twins is how many places of the record cannot be told from p.
func (r *Record) twins(p *Place) int {
	n := 0
	mine := p.pattern()
	for i := range r.Places {
		other := r.Places[i].pattern()
		if mine.lo == other.lo && mine.hi == other.hi && slices.EqualFunc(mine.elements, other.elements, same) {
			n++
		}
	}
	return n
}

// settled reports whether the file needs nothing of a place: what the person made of it stands there already, or the fix's own lines do,
// for the target did not change what they replace.
func (q *question) settled(p *Place) bool {
	wants := [][]string{p.Resolved}
	if len(p.Pieces) == 1 && p.Pieces[0].Conflict != nil {
		wants = append(wants, p.Pieces[0].Conflict.Theirs)
	}
	for _, lines := range wants {
		done := Place{Before: p.Before, After: p.After, Pieces: []Piece{{Text: lines}}}
		pat := done.pattern()
		if len(p.Before) > 0 && len(p.After) > 0 && len(pat.find(q.elements)) == 1 {
			return true
		}
	}
	return false
}

// alike puts a record upon the file, whose conflicts are cut down, where it stands but for white space and, in Go, names.
func (q *question) alike(r *Record) (use, bool) {
	u := use{record: r, whole: true, rank: 1, names: newRenaming()}
	var places []*Place
	for i := range r.Places {
		p := &r.Places[i]
		pat := p.pattern()
		pat = pat.narrowed()
		lo, hi, ok := q.alikeAt(p, pat, &u)
		switch {
		case ok && u.put(swap{lo, hi, nil, r.Name()}):
			places = append(places, p)
		case !ok && q.settled(p):
			u.whole = false
		default:
			return use{}, false
		}
	}
	if len(u.swaps) == 0 || !u.names.sound() {
		return use{}, false
	}
	for i, p := range places {
		lines, ok := q.adapted(p.Resolved, u.names)
		if !ok {
			return use{}, false
		}
		if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") && u.swaps[i].hi < len(q.elements) {
			lines[n-1] += "\n" // it was the end of the file there, and is not here
		}
		u.swaps[i].lines = lines
	}
	return u, true
}

// alikeAt finds the one range that a place stands at, and takes its names into the use's renaming.
func (q *question) alikeAt(p *Place, pat pattern, u *use) (lo, hi int, ok bool) {
	if pat.anchor < 0 { // only a conflict can be known again under other names
		found := pat.find(q.elements)
		if len(found) != 1 {
			return 0, 0, false
		}
		return found[0] + pat.lo, found[0] + pat.hi, true
	}
	var names *renaming
	dense, at := compact(q.elements)
	wanted, from := compact(pat.elements)
	sparse := patternOf(nil, wanted, nil)
	first := slices.IndexFunc(from, func(i int) bool { return i >= pat.lo })
	last := first - 1
	for _, i := range from[first:] {
		if i < pat.hi {
			last++
		}
	}
	for _, start := range sparse.starts(dense) {
		try := u.names.clone()
		if !q.alikeElements(wanted, dense[start:start+len(wanted)], try) || !q.alikeDeclaration(p.In, dense[start+sparse.anchor], try) || !try.sound() {
			continue
		}
		alone := first == 0 && last == len(wanted)-1 // nothing around it tells that it is the same
		if ok || alone && len(try.renamed()) > 0 {
			return 0, 0, false
		}
		lo, hi, ok, names = at[start+first], at[start+last]+1, true, try
	}
	if ok {
		u.names = names
	}
	return lo, hi, ok
}

func (q *question) alikeElements(recorded, here []element, names *renaming) bool {
	return slices.EqualFunc(recorded, here, func(a, b element) bool { return q.alikeElement(a, b, names) })
}

// compact leaves blank lines out, and says where the others stood.
func compact(in []element) (out []element, at []int) {
	for i, e := range in {
		if e.conflict != nil || strings.TrimSpace(e.line) != "" {
			out, at = append(out, e), append(at, i)
		}
	}
	return out, at
}

func (q *question) alikeElement(recorded, here element, names *renaming) bool {
	switch {
	case recorded.conflict == nil && here.conflict == nil:
		return q.alikeText([]string{recorded.line}, []string{here.line}, names)
	case recorded.conflict == nil || here.conflict == nil:
		return false
	}
	a, b := recorded.conflict, here.conflict
	if Kind(q.sides.Path) == "go" && q.source.hidden(here.ours) && !a.equal(b) {
		return false
	}
	return q.alikeText(a.Ours, b.Ours, names) && q.alikeText(a.Base, b.Base, names) && q.alikeText(a.Theirs, b.Theirs, names)
}

func (q *question) alikeText(recorded, here []string, names *renaming) bool {
	kind := Kind(q.sides.Path)
	a, ok := lexSide(kind, recorded)
	b, too := lexSide(kind, here)
	if ok && too {
		return names.lexemes(a, b)
	}
	return slices.Equal(squeezed(recorded), squeezed(here))
}

func squeezed(lines []string) []string {
	var out []string
	for _, l := range lines {
		if text := squeeze(l); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// alikeDeclaration compares the declarations around a place: of one kind, and of one name but for the renaming.
func (q *question) alikeDeclaration(recorded string, here element, names *renaming) bool {
	a, ok := lex(recorded)
	b, too := lex(q.source.declaration(here.ours))
	return ok && too && names.lexemes(a, b)
}

// adapted is a resolution with the names and line ends of the file at hand.
func (q *question) adapted(lines []string, names *renaming) ([]string, bool) {
	text, ok := names.apply(strings.ReplaceAll(strings.Join(lines, ""), "\r\n", "\n"))
	if first := split(q.sides.Ours); len(first) > 0 && strings.HasSuffix(first[0], "\r\n") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return split([]byte(text)), ok
}
