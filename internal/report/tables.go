package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// WriteCSV prints a line for each finding, each thing that was not observed and each cluster of which nothing was seen. Cells that a
// spreadsheet would take for a formula begin with an apostrophe.
func (f *Fleet) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"cluster", "kind", "severity", "area", "rule", "title", "when", "days left", "subjects", "effect", "remedy", "accepted by", "accepted until", "id"}) //nolint:errcheck // Flush has it
	clean := f.Clean()
	for _, r := range clean.Clusters {
		for i := range r.Findings {
			out.Write(cells(findingRow(r, &r.Findings[i]))) //nolint:errcheck // likewise
		}
		for _, n := range r.NotObserved {
			out.Write(cells([]string{name(r), "not observed", "", n.Area, "", n.What, "", "", "", n.Reason, n.Hint, "", "", ""})) //nolint:errcheck // likewise
		}
	}
	for _, m := range clean.Missed {
		out.Write(cells([]string{m.Context, "not observed", "", "", "", "the cluster", "", "", "", m.Reason, m.Hint, "", "", ""})) //nolint:errcheck // likewise
	}
	out.Flush()
	return out.Error()
}

func findingRow(r *findings.Report, f *findings.Finding) []string {
	days, when, owner, until := "", "", "", ""
	if f.When != nil {
		when = f.When.UTC().Format("2006-01-02T15:04:05Z")
	}
	if f.DaysLeft != nil {
		days = strconv.Itoa(*f.DaysLeft)
	}
	if f.Accepted != nil {
		owner, until = f.Accepted.Owner, f.Accepted.Expires.String()
	}
	return []string{
		name(r), "finding", string(f.Severity), string(f.Area), f.Rule, f.Title, when, days, strings.Join(f.Subjects, "; "), f.Effect, remedy(f, "; "), owner, until, f.ID,
	}
}

// remedy is what to do in one text, with commands behind what they are for.
func remedy(f *findings.Finding, between string) string {
	var steps []string
	for _, s := range f.Remedy {
		step := s.Text
		if s.Command != "" {
			step += ": " + s.Command
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, between)
}

// cells keeps spreadsheets from running what a stranger wrote.
func cells(row []string) []string {
	for i, c := range row {
		if c == "" || !strings.ContainsAny(c[:1], "=+-@\t") {
			continue
		}
		if _, err := strconv.Atoi(c); err != nil {
			row[i] = "'" + c
		}
	}
	return row
}

// WriteMarkdown prints the fleet's table, if it is more than one cluster, and then each report.
func (f *Fleet) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	clean := f.Clean()
	if len(clean.Clusters) != 1 || len(clean.Missed) > 0 {
		b.WriteString("# Clusters on " + f.At.UTC().Format(minute) + " UTC\n\n")
		markRow(&b, fleetHeader())
		b.WriteString(strings.Repeat("| --- ", len(fleetHeader())) + "|\n")
		for _, r := range clean.Clusters {
			markRow(&b, fleetRow(r))
		}
		for _, m := range clean.Missed {
			markRow(&b, []string{m.Context, "-", "NOT OBSERVED", "-", "-", "-", "-", "-", "-", "-", m.Reason})
		}
		b.WriteString("\n" + mark(clean.summary()) + "\n\n")
	}
	for _, r := range clean.Clusters {
		markReport(&b, r)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func markRow(b *strings.Builder, row []string) {
	for _, c := range row {
		b.WriteString("| " + mark(c) + " ")
	}
	b.WriteString("|\n")
}

// mark escapes what Markdown, or HTML in it, would take for more than text.
func mark(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r == '@': // a name behind it would be told on some forges
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_[]<>|~#&!", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func markReport(b *strings.Builder, r *findings.Report) {
	fmt.Fprintf(b, "# %s: %s\n\nVersion %s, %s. Score %d of 100: %s; %s not observed. Seen %s, judged for %s UTC.\n\n", mark(name(r)), strings.ToLower(verdictWords(r.Verdict)),
		mark(orDash(r.Cluster.Version)), mark(distribution(r.Cluster.Distribution)), r.Score, count(r).words(), plural(len(r.NotObserved), "thing"), r.Cluster.Taken.UTC().Format(minute), r.At.UTC().Format(minute))
	if len(r.Cluster.APIServers) > 0 {
		b.WriteString("| API server | address | version | started | loopback certificate ends |\n| --- | --- | --- | --- | --- |\n")
		for _, s := range r.Cluster.APIServers {
			markRow(b, []string{s.Name, orDash(s.Address), orDash(s.Version), stamp(s.ProcessStart), loopbackText(&s)})
		}
		b.WriteByte('\n')
	}
	if len(r.Deadlines) > 0 {
		b.WriteString("## Days left\n\n| days | day | what |\n| ---: | --- | --- |\n")
		for i := range r.Deadlines {
			d := &r.Deadlines[i]
			markRow(b, []string{strconv.Itoa(d.DaysLeft), deadlineAt(d), d.What})
		}
		b.WriteByte('\n')
	}
	markFindings(b, r.Findings)
	markHoles(b, r.Holes)
	markUnseen(b, r.NotObserved)
}

func markHoles(b *strings.Builder, all []findings.Hole) {
	if len(all) == 0 {
		return
	}
	b.WriteString("## Vulnerabilities\n\n| | | component | version | rating | fixed in | line release | summary |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, g := range groupHoles(all) {
		for _, h := range g.Holes {
			markRow(b, []string{g.Title, h.ID, h.Component, h.Version, orDash(h.Rating), orDash(h.FixedIn), orDash(h.Line), cmp.Or(h.NotApplicable, h.Unsure, h.Word, h.Summary)})
		}
	}
	b.WriteByte('\n')
}

func markUnseen(b *strings.Builder, all []cluster.NotObserved) {
	if len(all) == 0 {
		return
	}
	b.WriteString("## Not observed\n\n")
	for _, n := range all {
		b.WriteString("* " + mark(n.What) + ": " + mark(n.Reason))
		if n.Hint != "" {
			b.WriteString(" (" + mark(n.Hint) + ")")
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}

func markFindings(b *strings.Builder, all []findings.Finding) {
	if len(all) == 0 {
		return
	}
	b.WriteString("## Findings\n\n")
	for i := range all {
		f := &all[i]
		b.WriteString("### " + mark(string(f.Severity)) + ": " + mark(f.Title) + "\n\n")
		if w := when(f); w != "" {
			b.WriteString(w + ". ")
		}
		b.WriteString(mark(f.Effect) + "\n\n")
		if f.Accepted != nil {
			fmt.Fprintf(b, "Accepted by %s until %s: %s\n\n", mark(f.Accepted.Owner), f.Accepted.Expires, mark(f.Accepted.Reason))
		}
		if len(f.Subjects) > 0 {
			b.WriteString("About: " + mark(subjects(f, len(f.Subjects))) + "\n\n")
		}
		for n, s := range f.Remedy {
			markStep(b, fmt.Sprintf("%d. ", n+1), s)
		}
		b.WriteByte('\n')
	}
}

// fence is a fence of code that the code does not contain.
func fence(code string) string {
	f := "```"
	for strings.Contains(code, f) {
		f += "`"
	}
	return f
}
