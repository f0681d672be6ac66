package lint

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/kubelts/kubelts/internal/visible"
)

// leastWidth is the narrowest that lines are broken to.
const leastWidth = 30

// Text writes the report for people at a terminal of so many columns; 0 breaks no lines. All findings are there, each with where it is and what to do, by rule, the
// worst first.
func (r *Report) Text(w io.Writer, width int) error {
	p := &plain{width: width}
	for _, g := range r.Rules() {
		p.line("", fmt.Sprintf("%s: %s (%d, %s)", strings.ToUpper(g.Severity), g.Title, len(g.Findings), g.ID))
		p.line("  ", g.Why+" "+g.Do)
		p.b.WriteByte('\n')
		for i, f := range g.Findings {
			p.finding(g, f, i == 0 || f.Hint != g.Findings[i-1].Hint)
		}
		p.b.WriteByte('\n')
	}
	p.line("", r.Summary()+" of the "+r.What())
	if r.Compared > 0 {
		p.line("", fmt.Sprintf("patches that were compared with what they say they carry: %d", r.Compared))
	}
	for _, missing := range r.NotObserved {
		p.line("", "not observed: "+missing)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// plain writes lines of text.
type plain struct {
	b     strings.Builder
	width int
}

// line writes one line, broken where it is too long; what follows stands two columns further in.
func (p *plain) line(indent, s string) {
	s = visible.Text(s)
	if p.width > 0 {
		room := max(p.width-len(indent)-2, leastWidth)
		s = text.WrapSoft(s, room)
	}
	for i, part := range strings.Split(s, "\n") {
		if i > 0 {
			p.b.WriteString("  ")
		}
		p.b.WriteString(indent + strings.TrimRight(part, " ") + "\n")
	}
}

func (p *plain) finding(g Group, f Finding, hint bool) { //nolint:revive // a hint that stands above already is not said again
	head := ""
	if where := f.Where(); where != "" && !strings.HasPrefix(f.Message, where) {
		head = where + ": "
	}
	if f.Severity != g.Severity {
		head = f.Severity + ": " + head
	}
	p.line("  ", "* "+head+f.Message)
	if len(f.Items) > 0 && len(f.Evidence) == 0 && !told(f) {
		p.line("    ", few(f.Items))
	}
	for i, item := range f.Items {
		switch {
		case i >= len(f.Evidence):
		case i == shownItems:
			p.line("    ", fmt.Sprintf("and %d more", len(f.Items)-i))
		case i < shownItems:
			p.line("    ", item+": "+f.Evidence[i])
		}
	}
	if f.Hint != "" && hint {
		p.line("    ", "-> "+f.Hint)
	}
}
