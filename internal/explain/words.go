package explain

import (
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/merge"
)

// maxWords bounds the words of two lines that are compared.
const maxWords = 400

// emphasize marks in a region's lines the words that differ: base's against theirs, those of theirs and the target's own
// against base, the result's against ours, or against theirs where the target has no line.
func (r *Region) emphasize() {
	for i := range r.Rows {
		c := &r.Rows[i].Cells
		plain := [versions]string{}
		for v := range c {
			plain[v] = c[v].text()
		}
		pair := func(v, against int) {
			if c[v].Number == 0 || c[against].Number == 0 || c[v].Mark == Plain || plain[v] == plain[against] {
				return
			}
			c[v].Parts = differing(plain[v], plain[against])
		}
		if c[Ours].Mark == Own {
			pair(Ours, Base)
		} else {
			pair(Ours, Resulting)
		}
		pair(Theirs, Base)
		pair(Base, Theirs)
		switch {
		case c[Resulting].Mark == Conflict:
		case c[Ours].Number > 0:
			pair(Resulting, Ours)
		default:
			pair(Resulting, Theirs)
		}
	}
}

// differing cuts a into parts, of which those are strong that b does not have. Where the lines have little in common nothing is strong: that they
// differ says the mark.
func differing(a, b string) []Part {
	x, y := words(a), words(b)
	if len(x) > maxWords || len(y) > maxWords {
		return []Part{{Text: a}}
	}
	changes, err := merge.Diff([]byte(strings.Join(x, "\n")+"\n"), []byte(strings.Join(y, "\n")+"\n"), merge.Myers)
	if err != nil {
		return []Part{{Text: a}}
	}
	var parts []Part
	add := func(words []string, strong bool) {
		if text := strings.Join(words, ""); text != "" {
			parts = append(parts, Part{Text: text, Strong: strong})
		}
	}
	at, strong := 0, 0
	for _, c := range changes {
		add(x[at:min(c.Old.Lo, len(x))], false)
		lo, hi := min(c.Old.Lo, len(x)), min(c.Old.Hi, len(x))
		add(x[lo:hi], true)
		strong += len(strings.TrimSpace(strings.Join(x[lo:hi], "")))
		at = hi
	}
	add(x[at:], false)
	if 4*strong > 3*len(strings.TrimSpace(a)) {
		return []Part{{Text: a}}
	}
	return parts
}

// words cuts a line into words, runs of white space and single signs.
func words(s string) []string {
	var out []string
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '_':
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	start, last := 0, -1
	for i, r := range s {
		if k := kind(r); i > 0 && (k != last || k == 0) {
			out = append(out, s[start:i])
			start, last = i, k
		} else {
			last = k
		}
	}
	if s != "" {
		out = append(out, s[start:])
	}
	return out
}

// text is a cell's line without what is marked in it.
func (c Cell) text() string {
	if len(c.Parts) == 1 {
		return c.Parts[0].Text
	}
	var b strings.Builder
	for _, p := range c.Parts {
		b.WriteString(p.Text)
	}
	return b.String()
}
