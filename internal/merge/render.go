package merge

import (
	"bytes"
	"strings"
)

const markerSize = 7

// render writes the merged text.
func (m *merger) render(regions []region) Result {
	var res Result
	w := writer{}
	next := 0 // the next line of ours to write
	for _, r := range regions {
		w.lines(m.ours.lines[next:r.ours.Lo])
		switch r.choice {
		case takeOurs:
			w.lines(m.ours.lines[r.ours.Lo:r.ours.Hi])
		case takeTheirs:
			w.lines(m.theirs.lines[r.theirs.Lo:r.theirs.Hi])
		case conflicting:
			res.Conflicts = append(res.Conflicts, Conflict{Line: w.count + 1, Base: r.base, Ours: r.ours, Theirs: r.theirs})
			m.conflict(&w, r)
		}
		next = r.ours.Hi
	}
	w.lines(m.ours.lines[next:])
	res.Text = w.text.Bytes()
	return res
}

func (m *merger) conflict(w *writer, r region) {
	end := "\n"
	if m.crlf(r) {
		end = "\r\n"
	}
	w.marker('<', m.options.Labels.Ours, end)
	w.closed(m.ours.lines[r.ours.Lo:r.ours.Hi], end)
	if m.options.Style == Diff3 {
		w.marker('|', m.options.Labels.Base, end)
		w.closed(m.base.lines[r.base.Lo:r.base.Hi], end)
	}
	w.marker('=', "", end)
	w.closed(m.theirs.lines[r.theirs.Lo:r.theirs.Hi], end)
	w.marker('>', m.options.Labels.Theirs, end)
}

// crlf reports whether markers end in CR LF: the lines before the conflict do in both sides, and so does base's first line. One LF
// among them settles it; a text without any line end says nothing, but base has the last word.
func (m *merger) crlf(r region) bool {
	last := false
	for _, v := range []struct {
		lines []string
		at    int
	}{{m.ours.lines, r.ours.Lo - 1}, {m.theirs.lines, r.theirs.Lo - 1}, {m.base.lines, 0}} {
		crlf, decided := lineEnd(v.lines, max(v.at, 0))
		if decided && !crlf {
			return false
		}
		last = crlf
	}
	return last
}

// lineEnd says whether line i ends in CR LF. The last line may have no end; then the line before it tells.
func lineEnd(lines []string, i int) (crlf, decided bool) {
	if i < len(lines) && !strings.HasSuffix(lines[i], "\n") {
		i--
	}
	if i < 0 || i >= len(lines) {
		return false, false
	}
	return strings.HasSuffix(lines[i], "\r\n"), true
}

// writer collects lines and counts them.
type writer struct {
	text  bytes.Buffer
	count int
}

func (w *writer) lines(lines []string) {
	for _, l := range lines {
		w.text.WriteString(l)
	}
	w.count += len(lines)
}

// closed writes lines and gives the last one an end if it has none, since a marker follows.
func (w *writer) closed(lines []string, end string) {
	w.lines(lines)
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		w.text.WriteString(end)
	}
}

func (w *writer) marker(c byte, label, end string) {
	w.text.Write(bytes.Repeat([]byte{c}, markerSize))
	if label != "" {
		w.text.WriteString(" " + label)
	}
	w.text.WriteString(end)
	w.count++
}
