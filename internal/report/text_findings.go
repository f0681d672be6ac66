package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
)

const indent = "          " // of what belongs to a finding

// findings prints the worst with all that one needs to act, the others with a line each. On one screen, vulnerabilities that are not
// critical are left to their own part, and what is only worth knowing is counted.
func (p *printer) findings(all []cluster.Finding) {
	if len(all) == 0 {
		return
	}
	p.title("FINDINGS")
	full, short, rest := 0, 0, 0
	for i := range all {
		f := &all[i]
		switch {
		case p.style.All || full < fullFindings && rank(f.Severity) <= rank(cluster.High) && f.Accepted == nil && !inHoles(f):
			p.finding(f)
			full++
		case short < shortFindings && !inHoles(f) && f.Severity != cluster.Info:
			p.heading(f)
			short++
		default:
			rest++
		}
	}
	p.rest(rest, "finding")
}

// inHoles says that a finding is told enough of among the vulnerabilities.
func inHoles(f *cluster.Finding) bool { return f.Hole != nil && f.Severity != cluster.Critical }

func (p *printer) heading(f *cluster.Finding) {
	severity := cut(string(f.Severity), len(indent)-2)
	paint := colour(f.Severity)
	if f.Accepted != nil {
		severity, paint = "accepted", faint
	}
	title := f.Title
	if when := when(f); when != "" && !strings.Contains(title, f.When.UTC().Format(time.DateOnly)) {
		title += " (" + when + ")"
	}
	lines := p.lines(title, p.style.Width-len(indent))
	p.line(p.paint(fmt.Sprintf("%-*s", len(indent), severity), paint), p.paint(lines[0], bold))
	for _, l := range lines[1:] {
		p.line(indent, p.paint(l, bold))
	}
}

// when is the day of a finding and how far away it is, "" when it has none.
func when(f *cluster.Finding) string {
	switch {
	case f.When == nil:
		return ""
	case f.DaysLeft == nil:
		return f.When.UTC().Format(time.DateOnly)
	}
	return f.When.UTC().Format(time.DateOnly) + ", " + left(*f.DaysLeft)
}

func (p *printer) finding(f *cluster.Finding) {
	p.heading(f)
	if f.Accepted != nil {
		p.wrapped(indent, indent, fmt.Sprintf("accepted by %s until %s: %s", f.Accepted.Owner, f.Accepted.Expires, f.Accepted.Reason))
	}
	if len(f.Subjects) > 1 || len(f.Subjects) == 1 && !strings.Contains(f.Title, f.Subjects[0]) {
		p.wrapped(indent, indent, "about: "+subjects(f, p.limit(len(f.Subjects), 6)))
	}
	if f.Effect != "" {
		p.wrapped(indent, indent, f.Effect)
	}
	if p.style.All {
		for _, e := range f.Evidence {
			p.wrapped(indent+"seen: ", indent+"      ", e)
		}
	}
	steps := p.limit(len(f.Remedy), shownSteps)
	for i, s := range f.Remedy[:steps] {
		number := fmt.Sprintf("%d. ", i+1)
		p.wrapped(indent+number, indent+strings.Repeat(" ", len(number)), s.Text)
		p.command(s.Command, indent+strings.Repeat(" ", len(number)+2))
	}
	if more := len(f.Remedy) - steps; more > 0 {
		p.line(indent, p.paint(fmt.Sprintf("and %s more: -o wide shows all", plural(more, "step")), faint))
	}
	if p.style.All {
		for _, u := range f.References {
			p.line(indent, "see ", flat(u))
		}
		p.line(indent, p.paint("id "+flat(f.ID), faint))
	}
}

// subjects are the first n of what a finding is about, and how many more there are.
func subjects(f *cluster.Finding, n int) string {
	return few(f.Subjects, n, max(f.Count, len(f.Subjects)))
}

// few joins the first n of a list and counts the rest of all.
func few(list []string, n, all int) string {
	out := strings.Join(list[:n], ", ")
	if n < all {
		out += fmt.Sprintf(" and %d more", all-n)
	}
	return out
}

// holes prints vulnerabilities by what one can do about them.
func (p *printer) holes(all []cluster.Hole) {
	if len(all) == 0 {
		return
	}
	p.title("VULNERABILITIES")
	for _, g := range groupHoles(all) {
		var names []string
		lines := 0
		for _, h := range g.Holes {
			if h.Line != "" {
				lines++
			}
			n := h.ID
			if h.Rating != "" {
				n += " (" + h.Rating + ")"
			}
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		told := fmt.Sprintf("%s: %s", g.Title, few(names, p.limit(len(names), 6), len(names)))
		if lines > 0 {
			told += fmt.Sprintf("; %d of them by a line release", lines)
		}
		p.wrapped(fmt.Sprintf("%5d  ", len(names)), "       ", told)
	}
	if p.style.All {
		p.holeTable(all)
	}
}

func (p *printer) holeTable(all []cluster.Hole) {
	rows := [][]string{{"ID", "COMPONENT", "VERSION", "RATING", "CURE", "FIXED IN", "LINE RELEASE", "SUMMARY"}}
	for _, g := range groupHoles(all) {
		for _, h := range g.Holes {
			rows = append(rows, []string{h.ID, h.Component, h.Version, orDash(h.Rating), g.Title, orDash(h.FixedIn), orDash(h.Line), cmp.Or(h.NotApplicable, h.Unsure, h.Summary)})
		}
	}
	p.line()
	p.columns(table{rows: rows})
}

// unseen prints what could not be observed, first what was asked for. It is never left out.
func (p *printer) unseen(all []cluster.NotObserved) {
	if len(all) == 0 {
		return
	}
	p.title("NOT OBSERVED")
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b cluster.NotObserved) int { return cmp.Compare(asked(a), asked(b)) })
	shown := p.limit(len(all), shownUnseen)
	for _, n := range all[:shown] {
		mark := "- "
		if n.Asked {
			mark = p.paint("! ", alarming)
		}
		told := n.What + ": " + n.Reason
		if n.Hint != "" {
			told += " (" + n.Hint + ")"
		}
		p.wrapped(mark, "  ", told)
	}
	p.rest(len(all)-shown, "thing")
}

// asked orders what was asked for before the rest.
func asked(n cluster.NotObserved) int {
	if n.Asked {
		return 0
	}
	return 1
}
