package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// Style says how a text is printed.
type Style struct {
	Width  int // columns
	Colour bool
	All    bool // everything: not only what fits one screen
}

// Bounds on what one screen shows. The rest is counted; what is critical or high always has its line.
const (
	screen       = 40 // lines
	findingsRoom = 24 // lines that findings have at least, whatever else there is
	lesserLines  = 2  // of these for findings that are neither critical nor high
	shownSteps   = 5  // of a finding
	shownEnds    = 6  // deadlines
	shownUnseen  = 5
	shownServers = 5
	textLines    = 8 // of one text
	narrowest    = 60
	widest       = 220
)

// The colours, as SGR parameters.
const (
	bold     = "1"
	faint    = "2"
	red      = "31"
	green    = "32"
	yellow   = "33"
	cyan     = "36"
	alarming = "1;31"
)

// colour is that of a severity.
func colour(s findings.Severity) string {
	switch s {
	case findings.Critical:
		return alarming
	case findings.High:
		return red
	case findings.Medium:
		return yellow
	case findings.Low:
		return cyan
	default:
		return green
	}
}

// printer writes a report as text. Everything that it is given must have been cleaned.
type printer struct {
	bytes.Buffer

	style Style
}

// WriteText prints one cluster's report for a terminal.
func WriteText(w io.Writer, r *findings.Report, style Style) error {
	p := newPrinter(style)
	p.report((&Fleet{Clusters: []*findings.Report{r}}).Clean().Clusters[0])
	_, err := w.Write(p.Bytes())
	return err
}

func newPrinter(style Style) *printer {
	style.Width = min(max(style.Width, narrowest), widest)
	return &printer{style: style}
}

func (p *printer) paint(s, colour string) string {
	if !p.style.Colour || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (p *printer) line(parts ...string) {
	p.WriteString(strings.TrimRight(strings.Join(parts, ""), " ") + "\n")
}

func (p *printer) title(s string) { p.line("\n", p.paint(cut(s, p.style.Width), bold)) }

// wrapped prints text after a first and before further indents, which have the same width.
func (p *printer) wrapped(first, indent, s string) {
	for i, l := range p.lines(s, p.style.Width-text.StringWidthWithoutEscSequences(indent)) {
		if i > 0 {
			first = indent
		}
		p.line(first, l)
	}
}

// lines wraps text. On one screen nobody's text takes more than some lines.
func (p *printer) lines(s string, width int) []string {
	lines := wrap(s, width)
	if p.style.All || len(lines) <= textLines {
		return lines
	}
	lines = lines[:textLines]
	lines[textLines-1] = goesOn(lines[textLines-1], width)
	return lines
}

// goesOn marks a line of which there is more.
func goesOn(line string, width int) string {
	line = cut(line, width-2)
	if strings.HasSuffix(line, "…") {
		return line
	}
	return line + " …"
}

// hanging stands before the second and further lines of a text, so that no stranger's word begins a line.
const hanging = "  "

// faint prints text that is not the point.
func (p *printer) faint(s string) {
	for i, l := range p.lines(s, p.style.Width-len(hanging)) {
		if i > 0 {
			l = hanging + l
		}
		p.line(p.paint(l, faint))
	}
}

// report prints what matters most first: the verdict, what is wrong, by when. Findings have the lines of a screen that the rest leaves.
func (p *printer) report(r *findings.Report) {
	p.head(r)
	rest := p.part(func(q *printer) {
		q.deadlines(r.Deadlines)
		q.servers(r.Cluster.APIServers)
		q.holes(r.Holes)
		q.unseen(r.NotObserved)
	})
	p.findings(r.Findings, max(screen-height(p.String())-height(rest), findingsRoom))
	p.WriteString(rest)
}

// part prints apart from the rest.
func (p *printer) part(f func(q *printer)) string {
	q := &printer{style: p.style}
	f(q)
	return q.String()
}

// height is how many lines a text has.
func height(s string) int { return strings.Count(s, "\n") }

func (p *printer) head(r *findings.Report) {
	c := &r.Cluster
	n, more := instances(r)
	servers := plural(n, "API server")
	if more {
		servers = "at least " + servers
	}
	version := c.Version
	if len(c.Versions) > 1 {
		version = strings.Join(c.Versions, " and ")
	}
	if version == "" {
		version = "version not observed"
	}
	p.line(p.paint(cut(name(r), p.style.Width), bold))
	p.wrapped("", hanging, strings.Join([]string{version, distribution(c.Distribution), servers, plural(c.Nodes, "node")}, "; "))
	verdict := verdictWords(r.Verdict)
	seen := unseenWords(r.NotObserved)
	p.wrapped(p.paint(verdict, verdictColour(r.Verdict))+"  ", strings.Repeat(" ", len(verdict)+2), fmt.Sprintf("score %d of 100; %s; %s", r.Score, count(r).words(), seen))
	if p.style.All {
		for _, d := range r.Deductions {
			p.wrapped("  ", "  ", fmt.Sprintf("%s: %d less, %s", d.Area, d.Points, d.Why))
		}
	}
	facts := ""
	if !c.DataDay.IsZero() {
		facts = "; facts of " + c.DataDay.String()
	}
	p.faint(fmt.Sprintf("seen %s, judged for %s UTC%s", c.Taken.UTC().Format(minute), r.At.UTC().Format(minute), facts))
}

// unseenWords counts what was not observed.
func unseenWords(all []cluster.NotObserved) string {
	n := 0
	for _, one := range all {
		if one.Asked {
			n++
		}
	}
	switch {
	case len(all) == 0:
		return "all observed"
	case n == 0:
		return plural(len(all), "thing") + " not observed"
	}
	return fmt.Sprintf("%s not observed, %d of them asked for", plural(len(all), "thing"), n)
}

func verdictColour(v findings.Verdict) string {
	switch v {
	case findings.Broken, findings.AtRisk:
		return alarming
	case findings.WellSeen:
		return green
	default:
		return yellow
	}
}

func (p *printer) servers(all []findings.InstanceLine) {
	if len(all) == 0 {
		return
	}
	p.title("API SERVERS")
	rows := [][]string{{"NAME", "ADDRESS", "VERSION", "STARTED", "LOOPBACK CERTIFICATE ENDS"}}
	if p.style.Width < 100 {
		rows[0] = []string{"NAME", "VERSION", "STARTED", "LOOPBACK CERTIFICATE ENDS"}
	}
	shown := p.limit(len(all), shownServers)
	for _, s := range all[:shown] {
		row := []string{cmp.Or(s.Name, s.Address), address(&s), orDash(s.Version), stamp(s.ProcessStart), loopbackText(&s)}
		if p.style.Width < 100 {
			row = slices.Delete(row, 1, 2)
		}
		rows = append(rows, row)
	}
	p.columns(table{rows: rows, whole: true})
	p.rest(len(all)-shown, "API server")
}

// address is an API server's address, or "-" where that is its name already.
func address(s *findings.InstanceLine) string {
	if s.Name == "" || s.Name == s.Address {
		return "-"
	}
	return orDash(s.Address)
}

// loopbackText says when the loopback certificate ends that ends first behind an address.
func loopbackText(s *findings.InstanceLine) string {
	ends := "not observed"
	if s.LoopbackEnds != nil {
		ends = stamp(s.LoopbackEnds)
		if s.DaysLeft != nil {
			ends += ", " + left(*s.DaysLeft)
		}
	}
	if s.Instances > 1 {
		ends += fmt.Sprintf(" (first of %d seen)", s.Instances)
	}
	return ends
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// limit is how many of n things are shown.
func (p *printer) limit(n, most int) int {
	if p.style.All {
		return n
	}
	return min(n, most)
}

func (p *printer) rest(n int, what string) {
	if n > 0 {
		p.line(p.paint(fmt.Sprintf("and %d more %s: -o wide shows all", n, words(n, what)), faint))
	}
}

// table is rows beside each other, the first as header.
type table struct {
	rows   [][]string
	paints []string // a colour for each row, or none at all
	whole  bool     // the last column is never cut
	tail   bool     // of the first column the end is kept
}

// columns prints a table. What is too wide for the terminal is cut where it is widest.
func (p *printer) columns(t table) {
	widths := t.widths(p.style.Width)
	for n, row := range t.rows {
		var b strings.Builder
		for i, cell := range row {
			shorten := cut
			if t.tail && i == 0 {
				shorten = cutLeft
			}
			b.WriteString(text.Pad(shorten(cell, widths[i]), widths[i]+columnGap, ' '))
		}
		line := cut(strings.TrimRight(b.String(), " "), p.style.Width)
		switch {
		case n == 0:
			line = p.paint(line, faint)
		case len(t.paints) > 0 && t.paints[n] != "":
			line = p.paint(line, t.paints[n])
		}
		p.line(line)
	}
}

// widths are those of the columns, so that all fit if they can.
func (t *table) widths(room int) []int {
	widths := make([]int, len(t.rows[0]))
	total := -columnGap
	for i := range widths {
		for _, row := range t.rows {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(row[i]))
		}
		total += widths[i] + columnGap
	}
	may := widths
	if t.whole {
		may = widths[:len(widths)-1]
	}
	for ; total > room; total-- {
		widest := slices.Index(may, slices.Max(may))
		if may[widest] <= narrowestColumn {
			break
		}
		may[widest]--
	}
	return widths
}

// Of columns, in characters.
const (
	columnGap       = 3
	narrowestColumn = 8
)

// The scale of the deadlines' bars: by the logarithm, since days matter at its start and years at its end.
const (
	scaleEnd  = 3653.0
	scaleUnit = 4.0
)

// along is where on the scale a number of days is, from 0 to 1.
func along(days int) float64 {
	return min(math.Log1p(float64(max(days, 0))/scaleUnit)/math.Log1p(scaleEnd/scaleUnit), 1)
}

// ticks are the marks of the scale.
func ticks() []struct {
	Days int
	Text string
} {
	return []struct {
		Days int
		Text string
	}{{0, "now"}, {7, "7d"}, {30, "30d"}, {90, "90d"}, {365, "1y"}, {1096, "3y"}, {3653, "10y"}}
}

func (p *printer) deadlines(all []findings.Deadline) {
	if len(all) == 0 {
		return
	}
	p.title("DAYS LEFT")
	bar := min(max(p.style.Width*3/10, 20), 60)
	axis := []byte(strings.Repeat(" ", bar+4))
	free := 0
	for _, t := range ticks() {
		if at := int(along(t.Days) * float64(bar-1)); at >= free {
			copy(axis[at:], t.Text)
			free = at + len(t.Text) + 1
		}
	}
	const before = "    12  2026-12-04  "
	p.line(p.paint(strings.Repeat(" ", len(before))+string(axis), faint))
	shown := p.limit(len(all), shownEnds)
	for i := range all[:shown] {
		d := &all[i]
		length := int(along(d.DaysLeft) * float64(bar-1))
		drawn := strings.Repeat("█", length) + "▌"
		if d.DaysLeft < 0 {
			drawn = "over"
		}
		p.line(fmt.Sprintf("%6d  %s  ", d.DaysLeft, deadlineAt(d)), p.paint(text.Pad(drawn, bar+2, ' '), colour(d.Severity)), cut(d.What, p.style.Width-len(before)-bar-2))
	}
	p.rest(len(all)-shown, "day")
}
