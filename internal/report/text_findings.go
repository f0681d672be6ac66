package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

const indent = "          " // of what belongs to a finding

// detail is how much is said of a finding.
type detail int

const (
	headline detail = iota // what is wrong
	brief                  // and what is lost, in a line, and the first command
	full                   // and all that one needs to act
)

// findings prints the worst with what one needs to act, as far as there is room, the others with a line each. Critical and high ones are never left out, other than
// vulnerabilities, which are named in their own part. What is only worth knowing is counted.
func (p *printer) findings(all []findings.Finding, room int) {
	if len(all) == 0 {
		return
	}
	p.title("FINDINGS")
	if p.style.All {
		for i := range all {
			p.finding(&all[i], full)
		}
		return
	}
	var worst, lesser []*findings.Finding
	hidden := tally{of: map[findings.Severity]int{}}
	for i := range all {
		switch f := &all[i]; {
		case inHoles(f):
		case f.Accepted == nil && rank(f.Severity) <= rank(findings.High):
			worst = append(worst, f)
		case f.Accepted == nil && f.Severity == findings.Info:
			hidden.of[f.Severity]++
		default:
			lesser = append(lesser, f)
		}
	}
	const around = 3 // the title, and what is left out
	chosen, shown := p.choose(worst, lesser, room-around)
	for i, f := range worst {
		p.finding(f, chosen[i])
	}
	for _, f := range lesser[:shown] {
		p.heading(f)
	}
	for _, f := range lesser[shown:] {
		if f.Accepted != nil {
			hidden.accepted++
		} else {
			hidden.of[f.Severity]++
		}
	}
	if words := hidden.words(); words != nothing {
		p.line(p.paint("and "+words+" more: -o wide shows all", faint))
	}
}

// choose says how much is told of each of the worst findings, and how many of the others have a line, so that all of it has room.
func (p *printer) choose(worst, lesser []*findings.Finding, room int) (chosen []detail, shown int) {
	cost := func(f *findings.Finding, d detail) int { return height(p.part(func(q *printer) { q.finding(f, d) })) }
	chosen = make([]detail, len(worst))
	for _, f := range worst {
		room -= cost(f, headline)
	}
	raise := func(to detail, kept int) {
		for i, f := range worst {
			if more := cost(f, to) - cost(f, chosen[i]); room-kept >= more {
				chosen[i], room = to, room-more
			}
		}
	}
	add := func(most int) {
		for ; shown < min(len(lesser), most) && room > 0; shown++ {
			room -= cost(lesser[shown], headline)
		}
	}
	raise(brief, min(len(lesser), lesserLines))
	add(lesserLines)
	raise(full, 0)
	add(len(lesser))
	return chosen, shown
}

// inHoles says that a finding is told enough of among the vulnerabilities.
func inHoles(f *findings.Finding) bool { return f.Hole != nil && f.Severity != findings.Critical }

func (p *printer) heading(f *findings.Finding) {
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
func when(f *findings.Finding) string {
	switch {
	case f.When == nil:
		return ""
	case f.DaysLeft == nil:
		return f.When.UTC().Format(time.DateOnly)
	}
	return f.When.UTC().Format(time.DateOnly) + ", " + left(*f.DaysLeft)
}

func (p *printer) finding(f *findings.Finding, d detail) {
	p.heading(f)
	if d == headline {
		return
	}
	if d == brief {
		p.effect(f.Effect, 1)
		p.steps(f.Remedy, firstCommand(f.Remedy), 1)
		return
	}
	if f.Accepted != nil {
		p.wrapped(indent, indent, fmt.Sprintf("accepted by %s until %s: %s", f.Accepted.Owner, f.Accepted.Expires, f.Accepted.Reason))
	}
	if len(f.Subjects) > 1 || len(f.Subjects) == 1 && !strings.Contains(f.Title, f.Subjects[0]) {
		p.wrapped(indent, indent, "about: "+subjects(f, p.limit(len(f.Subjects), 6)))
	}
	p.effect(f.Effect, textLines)
	if p.style.All {
		for _, e := range f.Evidence {
			p.wrapped(indent+"seen: ", indent+"      ", e)
		}
	}
	p.steps(f.Remedy, 0, p.limit(len(f.Remedy), shownSteps))
	if p.style.All {
		for _, u := range f.References {
			p.line(indent, "see ", flat(u))
		}
		p.line(indent, p.paint("id "+flat(f.ID), faint))
	}
}

// firstCommand is the first step that has a command, the first of all where none has.
func firstCommand(steps []findings.Step) int {
	return max(slices.IndexFunc(steps, func(s findings.Step) bool { return s.Command != "" }), 0)
}

// steps prints so many steps from one on, and how many there are beside them.
func (p *printer) steps(all []findings.Step, from, n int) {
	end := min(from+n, len(all))
	for i, s := range all[from:end] {
		number := fmt.Sprintf("%d. ", from+i+1)
		p.wrapped(indent+number, indent+strings.Repeat(" ", len(number)), s.Text)
		p.command(s.Command, indent+strings.Repeat(" ", len(number)+2))
	}
	if more := len(all) - (end - from); more > 0 {
		p.line(indent, p.paint(fmt.Sprintf("and %d more %s: -o wide shows all", more, words(more, "step")), faint))
	}
}

// effect prints what is lost, in so many lines at most.
func (p *printer) effect(s string, most int) {
	lines := p.lines(s, p.style.Width-len(indent))
	if len(lines) > most && !p.style.All {
		lines = lines[:most]
		lines[most-1] = goesOn(lines[most-1], p.style.Width-len(indent))
	}
	for _, l := range lines {
		p.line(indent, l)
	}
}

// subjects are the first n of what a finding is about, and how many more there are.
func subjects(f *findings.Finding, n int) string {
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

// holes prints vulnerabilities by what one can do about them. Those that are critical or high and may be used are all named, others as far as they have room in a line.
func (p *printer) holes(all []findings.Hole) {
	if len(all) == 0 {
		return
	}
	p.title("VULNERABILITIES")
	for _, g := range groupHoles(all) {
		p.holeGroup(&g)
	}
	if p.style.All {
		p.holeTable(all)
	}
}

// holeGroup prints the vulnerabilities of a group by their names.
func (p *printer) holeGroup(g *holeGroup) {
	var names []string
	grave, lines := 0, 0
	for _, h := range g.Holes {
		if h.Line != "" {
			lines++
		}
		n := h.ID
		if h.Rating != "" {
			n += " (" + h.Rating + ")"
		}
		if slices.Contains(names, n) {
			continue
		}
		names = append(names, n)
		if ratingRank(h.Rating) <= ratingRank("high") && (h.Status == findings.Affected || h.Status == findings.UnderInvestigation) {
			grave = len(names) // they come first
		}
	}
	tail := ""
	if lines > 0 {
		tail = fmt.Sprintf("; %d of them by a line release", lines)
	}
	const before = 7
	told := g.Title + ": " + p.some(names, grave, p.style.Width-before-len(g.Title)-2-len(tail)) + tail
	for i, l := range wrap(told, p.style.Width-before) { // the names are of the facts, and none is folded away
		first := strings.Repeat(" ", before)
		if i == 0 {
			first = fmt.Sprintf("%5d  ", len(names))
		}
		p.line(first, l)
	}
}

// some joins names, the first of them whatever room they take, others while they have room.
func (p *printer) some(names []string, first, room int) string {
	if p.style.All {
		return few(names, len(names), len(names))
	}
	n := max(first, 1)
	for n < len(names) && len(few(names, n+1, len(names))) <= room {
		n++
	}
	return few(names, n, len(names))
}

func (p *printer) holeTable(all []findings.Hole) {
	rows := [][]string{{"ID", "COMPONENT", "VERSION", "RATING", "CURE", "FIXED IN", "LINE RELEASE", "SUMMARY"}}
	for _, g := range groupHoles(all) {
		for _, h := range g.Holes {
			rows = append(rows, []string{h.ID, h.Component, h.Version, orDash(h.Rating), g.Title, orDash(h.FixedIn), orDash(h.Line), cmp.Or(h.NotApplicable, h.Unsure, h.Word, h.Summary)})
		}
	}
	p.line()
	p.columns(table{rows: rows})
}

// unseen prints what could not be observed, first what was asked for, which is never left out. What has one reason is one line.
func (p *printer) unseen(all []cluster.NotObserved) {
	if len(all) == 0 {
		return
	}
	p.title("NOT OBSERVED")
	groups := groupUnseen(all)
	left := 0
	for i, g := range groups {
		if !p.style.All && !g.Asked && i >= shownUnseen {
			left += g.count
			continue
		}
		mark := "- "
		if g.Asked {
			mark = p.paint("! ", alarming)
		}
		switch {
		case p.style.All:
			p.wrapped(mark, "  ", g.told(g.count)+hint(g.Hint))
		case g.Asked:
			p.wrapped(mark, "  ", g.told(4)+hint(g.Hint))
		default:
			p.line(mark, cut(g.told(2), p.style.Width-2))
		}
	}
	p.rest(left, "thing")
}

func hint(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// unseenGroup is what was not observed for one reason.
type unseenGroup struct {
	cluster.NotObserved

	whats []string
	count int
}

// told names the first n things and the reason.
func (g *unseenGroup) told(n int) string {
	return few(g.whats, min(n, len(g.whats)), len(g.whats)) + ": " + g.Reason
}

// groupUnseen puts together what has one reason; what was asked for comes first.
func groupUnseen(all []cluster.NotObserved) []*unseenGroup {
	type key struct {
		reason, hint string
		asked        bool
	}
	at := map[key]*unseenGroup{}
	var out []*unseenGroup
	for _, n := range all {
		k := key{n.Reason, n.Hint, n.Asked}
		g := at[k]
		if g == nil {
			g = &unseenGroup{NotObserved: n}
			at[k], out = g, append(out, g)
		}
		g.count++
		if !slices.Contains(g.whats[:min(len(g.whats), 50)], n.What) {
			g.whats = append(g.whats, n.What)
		}
	}
	slices.SortStableFunc(out, func(a, b *unseenGroup) int { return cmp.Compare(asked(a.NotObserved), asked(b.NotObserved)) })
	return out
}

// asked orders what was asked for before the rest.
func asked(n cluster.NotObserved) int {
	if n.Asked {
		return 0
	}
	return 1
}
