package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/upgrade"
	"github.com/kubelts/kubelts/internal/visible"
)

// WritePlan prints a plan for a terminal: the hops as a table, then each with what blocks it and what the first one's steps are; with All
// those of every hop.
func WritePlan(w io.Writer, plan *upgrade.Plan, style Style) error {
	p := newPrinter(style)
	p.plan(visible.Copy(plan))
	_, err := w.Write(p.Bytes())
	return err
}

func (p *printer) plan(l *upgrade.Plan) {
	p.line(p.paint(cut(cmp.Or(l.Context, l.Server, "cluster"), p.style.Width), bold))
	p.wrapped("", hanging, planLead(l))
	p.faint(planFacts(l))
	if len(l.Now) > 0 {
		p.title("BEFORE THE FIRST HOP")
		for i := range l.Now {
			p.blocker(&l.Now[i])
		}
	}
	if len(l.Hops) > 0 {
		p.title("HOPS")
		rows, paints := [][]string{hopHeader()}, []string{""}
		for i := range l.Hops {
			rows, paints = append(rows, hopRow(i+1, &l.Hops[i])), append(paints, hopColour(&l.Hops[i]))
		}
		if p.style.Width < 100 {
			for i, row := range rows {
				rows[i] = slices.Delete(row, 4, 5)
			}
		}
		p.columns(table{rows: rows, paints: paints})
	}
	for i := range l.Hops {
		p.hop(i, &l.Hops[i])
	}
	p.stays(l.Stays)
	if len(l.Notes) > 0 {
		p.title("NOTES")
		for _, n := range l.Notes {
			p.wrapped("- ", "  ", n)
		}
	}
	p.unseen(l.NotObserved)
}

// planLead says in a sentence from where to where, and how hard it is.
func planLead(l *upgrade.Plan) string {
	if len(l.Hops) == 0 {
		return fmt.Sprintf("%s: there is no hop to make", orDash(l.From))
	}
	blocked, late := 0, 0
	for i := range l.Hops {
		if certain, _ := blockers(l.Hops[i].Blockers); certain > 0 {
			blocked++
		}
		if l.Hops[i].Late {
			late++
		}
	}
	return fmt.Sprintf("%s to %s in %s; %d blocked, %d late; %s", orDash(l.From), orDash(l.To), plural(len(l.Hops), "hop"), blocked, late, distribution(l.Distribution))
}

func planFacts(l *upgrade.Plan) string {
	facts := "planned for " + l.At.UTC().Format(minute) + " UTC"
	if !l.DataDay.IsZero() {
		facts += "; facts of " + l.DataDay.String()
	}
	return facts
}

// blockers counts those that are certain and those that may be.
func blockers(all []upgrade.Blocker) (certain, perhaps int) {
	for _, b := range all {
		if b.Certain {
			certain++
		} else {
			perhaps++
		}
	}
	return certain, perhaps
}

func blockerWords(all []upgrade.Blocker) string {
	certain, perhaps := blockers(all)
	switch {
	case certain == 0 && perhaps == 0:
		return "-"
	case perhaps == 0:
		return strconv.Itoa(certain)
	case certain == 0:
		return fmt.Sprintf("%d perhaps", perhaps)
	}
	return fmt.Sprintf("%d, %d perhaps", certain, perhaps)
}

func hopHeader() []string {
	return []string{"HOP", "TO", "DO IT BY", "DAYS", "SUPPORTED UNTIL", "BLOCKERS", "APIS THAT GO"}
}

func hopRow(n int, h *upgrade.Hop) []string {
	days := "-"
	if h.DaysLeft != nil {
		days = left(*h.DaysLeft)
	}
	return []string{strconv.Itoa(n), h.To, dayOf(h.By), days, hopUntil(h), blockerWords(h.Blockers), removedWords(h.Removed)}
}

// hopUntil is until when the minor that a hop ends at is supported: by the vendor where there is one.
func hopUntil(h *upgrade.Hop) string {
	if !h.VendorUntil.IsZero() {
		return h.VendorUntil.String() + " (vendor)"
	}
	return day(h.SupportUntil)
}

func removedWords(all []upgrade.Removed) string {
	if len(all) == 0 {
		return "-"
	}
	seen := 0
	for _, r := range all {
		if r.Use == upgrade.UseSeen {
			seen++
		}
	}
	if seen == 0 {
		return strconv.Itoa(len(all))
	}
	return fmt.Sprintf("%d, %d in use", len(all), seen)
}

func hopColour(h *upgrade.Hop) string {
	if certain, perhaps := blockers(h.Blockers); certain > 0 {
		return red
	} else if perhaps > 0 {
		return yellow
	}
	return ""
}

func (p *printer) hop(i int, h *upgrade.Hop) {
	steps := h.Steps
	if i > 0 && !p.style.All {
		steps = nil
	}
	if len(h.Blockers)+len(h.Removed)+len(h.Notes)+len(steps) == 0 {
		return
	}
	p.title(fmt.Sprintf("HOP %d: %s TO %s", i+1, h.From, h.To))
	for n := range h.Blockers {
		p.blocker(&h.Blockers[n])
	}
	for _, r := range h.Removed {
		p.wrapped("gone      ", indent, removedText(&r))
	}
	for _, n := range h.Notes {
		p.wrapped("note      ", indent, n)
	}
	for n, s := range steps {
		number := fmt.Sprintf("%9d ", n+1)
		p.wrapped(number, indent, p.paint(s.Component, bold)+": "+s.Text)
		p.command(s.Command, indent+"  ")
	}
}

func removedText(r *upgrade.Removed) string {
	out := r.API + " is not served any more"
	if r.Replacement != "" {
		out += ", use " + r.Replacement
	}
	switch r.Use {
	case upgrade.UseSeen:
		return out + ": it was asked for"
	case upgrade.UseNotSeen:
		return out + ": nobody asked for it since the API servers started"
	}
	return out + ": whether it is used is not observed"
}

func (p *printer) blocker(b *upgrade.Blocker) {
	first, paint := "blocked", red
	if !b.Certain {
		first, paint = "perhaps", yellow
	}
	about := blockerSubjects(b, p.limit(len(b.Subjects), 4))
	if about != "" {
		about = " (" + about + ")"
	}
	lines := p.lines(b.What+about, p.style.Width-len(indent))
	p.line(p.paint(fmt.Sprintf("%-*s", len(indent), first), paint), lines[0])
	for _, l := range lines[1:] {
		p.line(indent, l)
	}
	for _, s := range b.Remedy {
		p.wrapped(indent+"- ", indent+"  ", s.Text)
		p.command(s.Command, indent+"  ")
	}
}

// blockerSubjects are the first n of what a blocker is about, "" where it says so already.
func blockerSubjects(b *upgrade.Blocker, n int) string {
	if len(b.Subjects) == 0 || len(b.Subjects) == 1 && strings.Contains(b.What, b.Subjects[0]) {
		return ""
	}
	return few(b.Subjects, n, max(b.Count, len(b.Subjects)))
}

// command prints commands, never broken: they are there to be pasted.
func (p *printer) command(text, indent string) {
	for l := range strings.Lines(text) {
		p.line(indent, p.paint(strings.TrimRight(l, "\n"), cyan))
	}
}

func (p *printer) stays(all []upgrade.Stay) {
	if len(all) == 0 {
		return
	}
	p.title("OR STAY")
	rows := [][]string{{"ON", "UNTIL", "DAYS", "PHASE", "NOTE"}}
	shown := p.limit(len(all), 8)
	for i := range all[:shown] {
		rows = append(rows, stayRow(&all[i]))
	}
	p.columns(table{rows: rows})
	p.rest(len(all)-shown, "line")
}

func stayRow(s *upgrade.Stay) []string {
	until, days, note := day(s.Until), "-", s.Note
	if s.Until.IsZero() && !s.LastRelease.IsZero() {
		until += ", last release " + s.LastRelease.String()
	}
	if s.DaysLeft != nil {
		days = left(*s.DaysLeft)
	}
	if s.Own {
		note = strings.TrimSuffix("this cluster runs it; "+note, "; ")
	}
	return []string{stayName(s), until, days, orDash(s.Phase), orDash(note)}
}

func stayName(s *upgrade.Stay) string {
	return strings.Join(strings.Fields(strings.Join([]string{s.Minor, s.Product, s.Release}, " ")), " ")
}
