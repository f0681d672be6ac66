package gomerge

import "bytes"

// listWriter puts the elements of a list together and sets separators between them.
type listWriter struct {
	out    []byte
	kind   listKind
	lines  bool // the last element ended its line
	opened bool // nothing was written yet
}

func (w *listWriter) write(p *piece, last bool) {
	lead, trail := p.lead, p.trail
	switch {
	case w.opened:
	case w.kind == byLine && !w.lines:
		w.out = append(w.out, '\n')
	case w.kind == byComma && !w.lines && len(bytes.TrimSpace(lead)) == 0:
		lead = []byte(" ")
	}
	if w.opened && p.fromTheirs && len(bytes.TrimSpace(lead)) == 0 {
		lead = nil
	}
	w.opened = false
	w.out = append(append(w.out, lead...), p.body...)
	w.lines = bytes.HasSuffix(trail, []byte("\n"))
	if w.kind == byComma {
		trail = w.comma(trail, last)
	}
	w.out = append(w.out, trail...)
}

// comma sets or takes away the comma in what follows an element. The last one needs it only if its line ends.
func (w *listWriter) comma(trail []byte, last bool) []byte {
	at := bytes.IndexByte(trail, ',')
	if before := bytes.Index(trail, []byte("/")); before >= 0 && before < at {
		at = -1
	}
	switch {
	case at < 0 && (!last || w.lines):
		return append([]byte(","), trail...)
	case at == 0 && last && !w.lines:
		return trail[1:]
	}
	return trail
}

// close ends the list as ours ends: with its line, or not.
func (w *listWriter) close(line, want bool) []byte {
	switch {
	case !want || w.lines == line:
	case line:
		w.out = append(w.out, '\n')
	default:
		w.out = bytes.TrimSuffix(w.out, []byte("\n"))
	}
	return w.out
}
