package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
)

// statusForms are how a status is shown in the matrix: a word where there is room, else a letter; and its colour.
var statusForms = []struct { //nolint:gochecknoglobals // a constant table
	status               triage.Status
	word, letter, colour string
}{
	{triage.Affected, "affected", "A", "31"},
	{triage.Fixed, "fixed", "F", "32"},
	{triage.NotAffected, "not affected", "N", "36"},
	{triage.UnderInvestigation, "unknown", "?", "33"},
}

// show prints verdicts, which come by vulnerability and then by branch.
func (t *triageRun) show(verdicts []triage.Verdict, branches []triage.Target) error {
	switch t.format {
	case "table":
		return t.matrix(verdicts, branches)
	case "json", "yaml":
		return t.print(t.format, slices.Concat([]triage.Verdict{}, verdicts), grid{})
	}
	g := grid{header: []string{"vulnerability", "branch", "status", "fixed in", "commit", "evidence"}}
	for _, v := range verdicts {
		commit := ""
		if !v.Commit.IsZero() {
			commit = v.Commit.Short()
			if t.format == "csv" {
				commit = v.Commit.String()
			}
		}
		g.rows = append(g.rows, []string{v.Vulnerability, v.Branch, string(v.Status), v.FixedIn, commit, evidenceText(v.Evidence)})
	}
	return t.print(t.format, nil, g)
}

func evidenceText(evidence []triage.Evidence) string {
	texts := make([]string, len(evidence))
	for i, e := range evidence {
		texts[i] = e.Kind
		if !e.Commit.IsZero() {
			texts[i] += " " + e.Commit.Short()
		}
		if e.Path != "" {
			texts[i] += " " + e.Path
		}
		if e.Note != "" {
			texts[i] += " (" + e.Note + ")"
		}
	}
	return strings.Join(texts, "; ")
}

// matrix prints a row for each vulnerability and a column for each branch, in blocks as wide as the terminal. Vulnerabilities without a known fix
// are the same everywhere, and come as one list below.
func (t *triageRun) matrix(verdicts []triage.Verdict, branches []triage.Target) error {
	var rows [][]triage.Verdict
	var unknown []string
	for row := range slices.Chunk(verdicts, len(branches)) {
		if slices.ContainsFunc(row, func(v triage.Verdict) bool { return v.Evidence[0].Kind != triage.KindNoFixKnown }) {
			rows = append(rows, row)
		} else {
			unknown = append(unknown, row[0].Vulnerability)
		}
	}
	m := matrix{colour: t.colour(), width: t.width(), rows: rows}
	for _, b := range branches {
		m.headers = append(m.headers, cmp.Or(shortBranch(t.repository, b.Name), clean(b.Name)))
	}
	var out strings.Builder
	m.write(&out)
	if len(unknown) > 0 {
		fmt.Fprintf(&out, "%s: no fix is known in %s\n%s\n", statusCount(len(unknown)), cmp.Or(t.repository, "this repository"), wrap(unknown, m.width))
	}
	writeAlarms(&out, verdicts)
	_, err := io.WriteString(t.Stdout, out.String())
	return err
}

// writeAlarms lists below the matrix what a person should look at.
func writeAlarms(out *strings.Builder, verdicts []triage.Verdict) {
	const limit = 40
	n := 0
	for _, v := range verdicts {
		for _, a := range v.Alarms {
			if n++; n > limit {
				continue
			}
			if n == 1 {
				out.WriteString("\nto look at:\n")
			}
			commit := ""
			if !a.Commit.IsZero() {
				commit = " " + a.Commit.Short()
			}
			fmt.Fprintf(out, "  %s %s: %s%s: %s\n", clean(v.Vulnerability), clean(v.Branch), a.Kind, commit, clean(a.Note))
		}
	}
	if n > limit {
		fmt.Fprintf(out, "  and %d more: -o json has all\n", n-limit)
	}
}

func statusCount(n int) string {
	if n == 1 {
		return "1 vulnerability is under investigation on every branch"
	}
	return fmt.Sprintf("%d vulnerabilities are under investigation on every branch", n)
}

// shortBranch is the minor that a release branch is for.
func shortBranch(repository, branch string) string {
	if m, ok := release.MinorOfBranch(repository, branch); ok && branch == m.Branch() {
		return m.String()
	}
	return ""
}

// wrap lays words out in lines.
func wrap(words []string, width int) string {
	var out strings.Builder
	column := 0
	for _, w := range words {
		if column > 0 && column+1+len(w) > width-2 {
			out.WriteString("\n")
			column = 0
		}
		if column == 0 {
			out.WriteString("  ")
		} else {
			out.WriteString(" ")
		}
		out.WriteString(clean(w))
		column += 1 + len(w)
	}
	return out.String()
}

// matrix is the table of statuses.
type matrix struct {
	colour  bool
	letters bool // not words: there is no room for them
	width   int
	headers []string
	rows    [][]triage.Verdict
}

const idHeader = "VULNERABILITY"

func (m *matrix) write(out *strings.Builder) {
	if len(m.rows) == 0 {
		return
	}
	first := len(idHeader)
	for _, row := range m.rows {
		first = max(first, len(row[0].Vulnerability))
	}
	words := first
	for i := range m.headers {
		words += 2 + m.column(i)
	}
	m.letters = words > m.width
	for from := 0; from < len(m.headers); {
		to, used := from, first
		for to < len(m.headers) && (to == from || used+2+m.column(to) <= m.width) {
			used += 2 + m.column(to)
			to++
		}
		m.block(out, first, [2]int{from, to})
		from = to
	}
	if m.letters {
		var legend []string
		for _, f := range statusForms {
			legend = append(legend, f.letter+" "+strings.ReplaceAll(string(f.status), "_", " "))
		}
		fmt.Fprintf(out, "%s; \"-o wide\" shows the evidence\n", strings.Join(legend, ", "))
		return
	}
	out.WriteString("unknown: under investigation; \"-o wide\" shows the evidence\n")
}

// column is the width of a column.
func (m *matrix) column(i int) int {
	width := len(m.headers[i])
	for _, row := range m.rows {
		cell, _ := m.cell(row[i])
		width = max(width, len(cell))
	}
	return width
}

func (m *matrix) block(out *strings.Builder, first int, columns [2]int) {
	line := []string{fmt.Sprintf("%-*s", first, idHeader)}
	for i := columns[0]; i < columns[1]; i++ {
		line = append(line, fmt.Sprintf("%-*s", m.column(i), m.headers[i]))
	}
	writeLine(out, line)
	for _, row := range m.rows {
		line := []string{fmt.Sprintf("%-*s", first, clean(row[0].Vulnerability))}
		for i := columns[0]; i < columns[1]; i++ {
			cell, colour := m.cell(row[i])
			padded := fmt.Sprintf("%-*s", m.column(i), cell)
			if m.colour {
				padded = "\x1b[" + colour + "m" + padded + "\x1b[0m"
			}
			line = append(line, padded)
		}
		writeLine(out, line)
	}
	out.WriteString("\n")
}

func writeLine(out *strings.Builder, cells []string) {
	out.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
}

// cell is what the matrix shows for a verdict: for a fix also the release that has it, where there is room.
func (m *matrix) cell(v triage.Verdict) (cell, colour string) {
	for _, f := range statusForms {
		if f.status != v.Status {
			continue
		}
		if m.letters {
			return f.letter, f.colour
		}
		if v.FixedIn != "" {
			return f.word + " " + clean(strings.TrimPrefix(v.FixedIn, "kubernetes-")), f.colour
		}
		return f.word, f.colour
	}
	return clean(string(v.Status)), "0"
}
