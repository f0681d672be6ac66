package report

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/upgrade"
	"github.com/kubelts/kubelts/internal/visible"
)

// WritePlanMarkdown prints a plan with all steps.
func WritePlanMarkdown(w io.Writer, plan *upgrade.Plan) error {
	l := visible.Copy(plan)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s.\n\n", mark(planTitle(l)), mark(planLead(l)), planFacts(l))
	if len(l.Now) > 0 {
		b.WriteString("## Before the first hop\n\n")
		markBlockers(&b, l.Now)
	}
	if len(l.Hops) > 0 {
		b.WriteString("## Hops\n\n")
		markRow(&b, hopHeader())
		b.WriteString(strings.Repeat("| --- ", len(hopHeader())) + "|\n")
		for i := range l.Hops {
			markRow(&b, hopRow(i+1, &l.Hops[i]))
		}
		b.WriteByte('\n')
	}
	for i := range l.Hops {
		markHop(&b, i+1, &l.Hops[i])
	}
	if len(l.Stays) > 0 {
		b.WriteString("## Or stay\n\n| on | until | days | phase | note |\n| --- | --- | --- | --- | --- |\n")
		for i := range l.Stays {
			markRow(&b, stayRow(&l.Stays[i]))
		}
		b.WriteByte('\n')
	}
	if len(l.Notes) > 0 {
		b.WriteString("## Notes\n\n")
		for _, n := range l.Notes {
			b.WriteString("* " + mark(n) + "\n")
		}
		b.WriteByte('\n')
	}
	markUnseen(&b, l.NotObserved)
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func planTitle(l *upgrade.Plan) string {
	return "Plan for " + cmp.Or(l.Context, l.Server, "the cluster")
}

func markHop(b *strings.Builder, n int, h *upgrade.Hop) {
	fmt.Fprintf(b, "### %d. %s to %s\n\n", n, mark(h.From), mark(h.To))
	markBlockers(b, h.Blockers)
	for i := range h.Removed {
		b.WriteString("* " + mark(removedText(&h.Removed[i])) + "\n")
	}
	for _, s := range h.Notes {
		b.WriteString("* " + mark(s) + "\n")
	}
	if len(h.Removed)+len(h.Notes) > 0 {
		b.WriteByte('\n')
	}
	for i, s := range h.Steps {
		markStep(b, fmt.Sprintf("%d. **%s**: ", i+1, mark(s.Component)), findings.Step{Text: s.Text, Command: s.Command})
	}
	b.WriteByte('\n')
}

func markBlockers(b *strings.Builder, all []upgrade.Blocker) {
	for i := range all {
		x := &all[i]
		word := "blocked"
		if !x.Certain {
			word = "perhaps blocked"
		}
		b.WriteString("* **" + word + "**: " + mark(x.What))
		if about := blockerSubjects(x, len(x.Subjects)); about != "" {
			b.WriteString(" (" + mark(about) + ")")
		}
		b.WriteByte('\n')
		for _, s := range x.Remedy {
			var nested strings.Builder
			markStep(&nested, "* ", s)
			b.WriteString("  " + strings.ReplaceAll(strings.TrimRight(nested.String(), "\n"), "\n", "\n  ") + "\n")
		}
	}
	if len(all) > 0 {
		b.WriteByte('\n')
	}
}

// markStep prints a step behind its mark, with its command in a fence.
func markStep(b *strings.Builder, first string, s findings.Step) {
	b.WriteString(first + mark(s.Text) + "\n")
	if s.Command != "" {
		fence := fence(s.Command)
		b.WriteString("\n   " + fence + "sh\n   " + strings.ReplaceAll(strings.TrimRight(s.Command, "\n"), "\n", "\n   ") + "\n   " + fence + "\n")
	}
}

// planPage is what the plan's template sees.
type planPage struct {
	*upgrade.Plan

	Title, Lead, Facts string
	CSS                template.CSS
}

// WritePlanHTML prints a plan as one page that needs nothing else and runs nothing.
func WritePlanHTML(w io.Writer, plan *upgrade.Plan) error {
	l := visible.Copy(plan)
	p := planPage{Plan: l, Title: planTitle(l), Lead: planLead(l), Facts: planFacts(l)}
	return execute(w, "plan.html.tmpl", &p.CSS, &p)
}
