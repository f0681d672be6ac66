package explain

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/visible"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Style says how a text is printed.
type Style struct {
	Width  int // columns; from 140 on the fix and the target's change stand beside each other
	Colour bool
}

// Bounds on a text.
const (
	wide   = 140
	folded = 40 // lines of one sign in a row that are shown whole
	shown  = 12 // of longer runs, at their start and at their end
)

// The colours, as SGR parameters.
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// signed is a line of a difference: its sign is ' ', '-', '+', or another one for what is no line.
type signed struct {
	sign byte
	text string
}

// printer writes a document as text.
type printer struct {
	bytes.Buffer

	style Style
}

// WriteText prints the document for a terminal.
func (d *Document) WriteText(w io.Writer, style Style) error {
	style.Width = max(style.Width, 40)
	p := &printer{style: style}
	p.head(d)
	for i := range d.Files {
		p.file(&d.Files[i])
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (p *printer) paint(s, colour string) string {
	if !p.style.Colour || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (p *printer) head(d *Document) {
	for _, s := range d.Result.Steps {
		fmt.Fprintf(p, "%s %s\n", p.paint(pad(Rung(s), 12), faint), Told(s))
	}
	for i, q := range d.Result.Prerequisites {
		if i == 0 {
			fmt.Fprintf(p, "\n%s\n", p.paint("what the fix leans on, and the target lacks", bold))
		}
		took := ""
		if q.Taken {
			took = p.paint(" (taken)", green)
		}
		fmt.Fprintf(p, "  %s %s%s\n", p.paint(q.Commit.Short(), yellow), visible.Text(q.Subject), took)
		for _, e := range q.Explains {
			fmt.Fprintf(p, "             %s\n", p.paint(visible.Text(e), faint))
		}
	}
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-len(s))) }

func (p *printer) file(f *File) {
	name := visible.Text(f.Path)
	if f.From != "" {
		name += " (from " + visible.Text(f.From) + ")"
	}
	rule := strings.Repeat("-", max(0, min(p.style.Width, 200)-text.StringWidth(name)-4))
	fmt.Fprintf(p, "\n%s %s %s\n", p.paint("--", cyan), p.paint(name, bold), p.paint(rule, cyan))
	for _, s := range f.Steps {
		fmt.Fprintf(p, "%s %s\n", p.paint(pad(Rung(s), 12), faint), Told(s))
	}
	for _, c := range f.Left {
		fmt.Fprintf(p, "%s %s\n", p.paint("left:       ", yellow), Reason(c))
	}
	for i := range f.Regions {
		p.region(&f.Regions[i])
	}
	if f.Why != "" {
		fmt.Fprintf(p, "%s\n", p.paint(visible.Text(f.Why), faint))
	}
}

// region prints what the fix changes and what the pick changes in the target; conflicts as they stand in the result.
func (p *printer) region(r *Region) {
	fix, target := unified(r.Rows, Base, Theirs), unified(r.Rows, Ours, Resulting)
	p.WriteString("\n")
	switch {
	case len(r.Blocks) > 0:
		if own := unified(r.Rows, Base, Ours); p.style.Width >= wide && len(changed(own)) > 0 {
			p.beside(column{"the fix" + at(r, Theirs), fold(fix)}, column{"the target's own change" + at(r, Ours), fold(own)})
		} else {
			p.heading(r, Theirs, "the fix")
			p.lines(fold(fix))
		}
		for _, b := range r.Blocks {
			p.conflict(b)
		}
	case slices.Equal(fix, target):
		p.heading(r, Resulting, "the fix, as it is")
		p.lines(fold(fix))
	case slices.Equal(changed(fix), changed(target)):
		p.heading(r, Resulting, "the fix, as it is, among lines of the target's own")
		p.lines(fold(target))
	case p.style.Width >= wide:
		p.beside(column{"the fix" + at(r, Theirs), fold(fix)}, column{"in the target" + at(r, Resulting), fold(target)})
	default:
		p.heading(r, Theirs, "the fix")
		p.lines(fold(fix))
		p.heading(r, Resulting, "in the target")
		p.lines(fold(target))
	}
}

func (p *printer) heading(r *Region, version int, what string) {
	fmt.Fprintf(p, "%s\n", p.paint("@@ "+what+at(r, version), cyan))
}

// at says at which lines of a version a region stands.
func at(r *Region, version int) string {
	first, last := 0, 0
	for _, row := range r.Rows {
		if n := row.Cells[version].Number; n > 0 {
			if first == 0 {
				first = n
			}
			last = n
		}
	}
	switch first {
	case 0:
		return ""
	case last:
		return ", line " + strconv.Itoa(first)
	}
	return ", lines " + strconv.Itoa(first) + " to " + strconv.Itoa(last)
}

func (p *printer) conflict(b Block) {
	fmt.Fprintf(p, "%s\n", p.paint("left at line "+strconv.Itoa(b.Line)+": "+Reason(b.Conflict), yellow))
	part := func(marker, label string, lines []string, colour string) {
		fmt.Fprintf(p, "%s\n", p.paint(strings.TrimRight(strings.Repeat(marker, 7)+" "+label, " "), yellow))
		in := make([]signed, len(lines))
		for i, l := range lines {
			in[i] = signed{' ', l}
		}
		for _, l := range fold(in) {
			fmt.Fprintf(p, "%s\n", p.paint(strings.TrimRight(expand(l.text), " "), colour))
		}
	}
	part("<", b.Labels[0], b.Ours, cyan)
	if b.HasBase {
		part("|", b.Labels[1], b.Base, red)
	}
	part("=", "", b.Theirs, green)
	part(">", b.Labels[2], nil, "")
}

func (p *printer) lines(lines []signed) {
	for _, l := range lines {
		fmt.Fprintf(p, "%s\n", p.signed(l, 0))
	}
}

// signed prints a line; padded with spaces to the width if that is not 0.
func (p *printer) signed(l signed, width int) string {
	s := string(l.sign) + expand(l.text)
	if width == 0 {
		s = strings.TrimRight(s, " ")
	} else {
		s += strings.Repeat(" ", max(0, width-text.StringWidth(s)))
	}
	switch l.sign {
	case '-':
		return p.paint(s, red)
	case '+':
		return p.paint(s, green)
	case '~':
		return p.paint(s, faint)
	}
	return s
}

// column is a difference with its heading.
type column struct {
	title string
	lines []signed
}

// beside prints two differences side by side.
func (p *printer) beside(a, b column) {
	half := (p.style.Width - 3) / 2
	left, right := wrap(a.lines, half), wrap(b.lines, half)
	bar := p.paint(" | ", faint)
	fmt.Fprintf(p, "%s%s%s\n", p.paint(pad("@@ "+a.title, half), cyan), bar, p.paint("@@ "+b.title, cyan))
	for i := range max(len(left), len(right)) {
		a, b := strings.Repeat(" ", half), ""
		if i < len(left) {
			a = p.signed(left[i], half)
		}
		if i < len(right) {
			b = p.signed(right[i], 0)
		}
		p.WriteString(strings.TrimRight(a+bar+b, " ") + "\n")
	}
}

// wrap breaks lines that are wider than width; what follows has the sign of its line.
func wrap(lines []signed, width int) []signed {
	var out []signed
	for _, l := range lines {
		rest, used := []rune(expand(l.text)), 1
		start := 0
		for i, r := range rest {
			w := text.RuneWidth(r)
			if used+w > width && i > start {
				out = append(out, signed{l.sign, string(rest[start:i])})
				start, used = i, 1
			}
			used += w
		}
		out = append(out, signed{l.sign, string(rest[start:])})
	}
	return out
}

// expand replaces tabs, which have no width of their own.
func expand(s string) string { return strings.ReplaceAll(s, "\t", "    ") }

// unified is the difference of two versions in rows. Lines that neither has are left out.
func unified(rows []Row, from, to int) []signed {
	var out, added []signed
	for _, r := range rows {
		a, b := r.Cells[from], r.Cells[to]
		if a.Number > 0 && b.Number > 0 && a.text() == b.text() {
			out = append(append(out, added...), signed{' ', a.text()})
			added = nil
			continue
		}
		if a.Number > 0 {
			out = append(out, signed{'-', a.text()})
		}
		if b.Number > 0 {
			added = append(added, signed{'+', b.text()})
		}
	}
	return append(out, added...)
}

// changed are the lines of a difference that are not in both.
func changed(lines []signed) []signed {
	return slices.DeleteFunc(slices.Clone(lines), func(l signed) bool { return l.sign == ' ' })
}

// fold leaves out the middle of long runs of one sign.
func fold(lines []signed) []signed {
	var out []signed
	for i := 0; i < len(lines); {
		n := i
		for n < len(lines) && lines[n].sign == lines[i].sign {
			n++
		}
		if n-i <= folded {
			out = append(out, lines[i:n]...)
		} else {
			out = append(out, lines[i:i+shown]...)
			out = append(out, signed{'~', fmt.Sprintf(" ... %d lines more ...", n-i-2*shown)})
			out = append(out, lines[n-shown:n]...)
		}
		i = n
	}
	return out
}
