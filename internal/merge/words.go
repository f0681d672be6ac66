package merge

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxWordTokens bounds one conflict that is merged by words.
const maxWordTokens = 20_000

// Words merges as [Merge] does, and what is left in conflict by words: changes of both sides to one line, or to lines beside each other, are joined where an
// unchanged word or line end stands between them. It reports false where that cannot be done for each conflict, and where
//
//   - either side kept less than half of the words at a conflict: words that are alike by chance say nothing;
//   - the fix brings a word that ours replaced there: it would stand beside the new one.
//
// Joining is a choice: each side's change was made without the other.
func Words(base, ours, theirs []byte) ([]byte, bool, error) {
	if bytes.Equal(base, ours) || bytes.Equal(ours, theirs) {
		return theirs, true, nil
	}
	if bytes.Equal(base, theirs) {
		return ours, true, nil
	}
	if slices.ContainsFunc([][]byte{base, ours, theirs}, IsBinary) {
		return nil, false, nil
	}
	in := newInterner()
	var m merger
	for _, v := range []struct {
		content []byte
		to      *text
	}{{base, &m.base}, {ours, &m.ours}, {theirs, &m.theirs}} {
		read, err := in.read(v.content)
		if err != nil {
			return nil, false, err
		}
		*v.to = read
	}
	m.differ = newDiffer(Histogram, in.classes())
	a, err := m.differ.diff(m.base.classes, m.ours.classes)
	if err != nil {
		return nil, false, err
	}
	b, err := m.differ.diff(m.base.classes, m.theirs.classes)
	if err != nil {
		return nil, false, err
	}
	return m.words(m.overlay(a, b))
}

// words writes the merged text.
func (m *merger) words(regions []region) ([]byte, bool, error) {
	var out strings.Builder
	at := 0
	for _, r := range regions {
		out.WriteString(joined(m.ours, Span{at, r.ours.Lo}))
		at = r.ours.Hi
		switch r.choice {
		case takeOurs:
			out.WriteString(joined(m.ours, r.ours))
		case takeTheirs:
			out.WriteString(joined(m.theirs, r.theirs))
		case conflicting:
			merged, ok, err := mergeWords(joined(m.base, r.base), joined(m.ours, r.ours), joined(m.theirs, r.theirs))
			if !ok || err != nil {
				return nil, false, err
			}
			out.WriteString(merged)
		}
	}
	out.WriteString(joined(m.ours, Span{at, len(m.ours.lines)}))
	return []byte(out.String()), true, nil
}

func joined(t text, s Span) string { return strings.Join(t.lines[s.Lo:s.Hi], "") }

// mergeWords merges the texts of one conflict.
func mergeWords(base, ours, theirs string) (string, bool, error) {
	in := newInterner()
	b, o, t := in.tokens(base), in.tokens(ours), in.tokens(theirs)
	if max(len(b.lines), len(o.lines), len(t.lines)) > maxWordTokens {
		return "", false, nil
	}
	m := merger{base: b, ours: o, theirs: t, differ: newDiffer(Myers, in.classes())}
	x, err := m.differ.diff(b.classes, o.classes)
	if err != nil {
		return "", false, err
	}
	y, err := m.differ.diff(b.classes, t.classes)
	if err != nil || !alike(b, x) || !alike(b, y) || brings(b, o, t, x, y) {
		return "", false, err
	}
	var out strings.Builder
	at, last := 0, region{choice: conflicting}
	for i, r := range m.overlay(x, y) {
		apart := i == 0 || r.choice == last.choice || separated(b.lines[last.base.Hi:r.base.Lo])
		if r.choice == conflicting || !apart {
			return "", false, nil
		}
		out.WriteString(joined(o, Span{at, r.ours.Lo}))
		if r.choice == takeOurs {
			out.WriteString(joined(o, r.ours))
		} else {
			out.WriteString(joined(t, r.theirs))
		}
		at, last = r.ours.Hi, r
	}
	out.WriteString(joined(o, Span{at, len(o.lines)}))
	return out.String(), true, nil
}

// tokens cuts a text into words and single other bytes, and gives equal ones the same number.
func (in *interner) tokens(s string) text {
	var t text
	for s != "" {
		n := 0
		for n < len(s) && wordByte(s[n]) {
			n++
		}
		n = max(n, 1)
		t.lines = append(t.lines, s[:n])
		s = s[n:]
	}
	t.classes = make([]int32, len(t.lines))
	for i, token := range t.lines {
		number, ok := in.numbers[token]
		if !ok {
			number = int32(len(in.numbers)) //nolint:gosec // at most three times MaxBytes
			in.numbers[token] = number
		}
		t.classes[i] = number
	}
	return t
}

func wordByte(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || hasWord(string(rune(c)))
}

// alike reports whether a side kept at least half of the words.
func alike(base text, changes []Change) bool {
	words, gone := countWords(base.lines), 0
	for _, c := range changes {
		gone += countWords(base.lines[c.Old.Lo:c.Old.Hi])
	}
	return words > 0 && 2*(words-gone) >= words && words-gone > 0
}

func countWords(tokens []string) int {
	n := 0
	for _, token := range tokens {
		if wordByte(token[0]) {
			n++
		}
	}
	return n
}

// separated reports whether a word or the end of a line is among tokens.
func separated(tokens []string) bool {
	return countWords(tokens) > 0 || strings.Contains(strings.Join(tokens, ""), "\n")
}

// brings reports whether theirs has a new run of text that holds what ours replaced.
func brings(base, ours, theirs text, x, y []Change) bool {
	for _, c := range x {
		was := around(base, c.Old)
		if c.Old.Lo == c.Old.Hi || was == "" || was == around(ours, c.New) {
			continue
		}
		for _, d := range y {
			if strings.Contains(joined(theirs, d.New), was) {
				return true
			}
		}
	}
	return false
}

// around is what a range of tokens stands in: all up to the next blanks.
func around(t text, s Span) string {
	blank := func(token string) bool { return strings.TrimSpace(token) == "" }
	for s.Lo > 0 && !blank(t.lines[s.Lo-1]) {
		s.Lo--
	}
	for s.Hi < len(t.lines) && !blank(t.lines[s.Hi]) {
		s.Hi++
	}
	return strings.TrimSpace(joined(t, s))
}
