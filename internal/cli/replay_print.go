package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/replay"
)

// replayed is what a replay prints as JSON.
type replayed struct {
	replay.Report

	PeakMB int            `json:"peak_mb,omitempty"` // resident set of this process, where the system tells
	Trials []replay.Trial `json:"picks"`
}

// report prints what the trials show.
func (r *replaying) report(trials []replay.Trial) error {
	out := replayed{Report: replay.Summarize(trials), PeakMB: peakMB(), Trials: trials}
	if r.format == "json" {
		return r.printJSON(out)
	}
	for i, part := range r.sections(out) {
		title := strings.ToUpper(part.title[:1]) + part.title[1:]
		if r.format == "markdown" {
			title = "## " + title + "\n\n"
		} else {
			title += ":\n\n"
		}
		if i > 0 {
			title = "\n" + title
		}
		if _, err := io.WriteString(r.Stdout, title); err != nil {
			return err
		}
		if err := r.print(r.format, nil, part.grid); err != nil {
			return err
		}
	}
	return nil
}

// section is a table with its title.
type section struct {
	title string
	grid  grid
}

func (r *replaying) sections(out replayed) []section {
	list := []section{
		{"without dependency metadata", r.tallies(out.Rows, func(row replay.Row) (git, ours replay.Tally) { return row.GitCode, row.Code })},
		{"all files", r.tallies(out.Rows, func(row replay.Row) (git, ours replay.Tally) { return row.GitAll, row.All })},
		{"what did it (without dependency metadata)", parts("method", out.Methods)},
		{"how sure it was", parts("confidence", out.Confidences)},
	}
	if !r.withoutGit {
		g := grid{header: []string{"git", "kubelts", "pairs"}}
		for _, m := range out.Moves {
			g.rows = append(g.rows, []string{string(m.Git), string(m.Ours), strconv.Itoa(m.Pairs)})
		}
		list = append(list, section{"pair by pair (without dependency metadata)", g})
	}
	g := grid{header: []string{"reason", "first of picks", "files"}}
	for _, c := range out.Reasons {
		g.rows = append(g.rows, []string{c.Name, strconv.Itoa(c.Picks), strconv.Itoa(c.Files)})
	}
	return append(list, section{"why picks were refused (all files)", g}, section{"time and memory", r.costs(out)})
}

// tallies is the table of repositories.
func (r *replaying) tallies(rows []replay.Row, of func(replay.Row) (git, ours replay.Tally)) grid {
	g := grid{header: []string{"repository", "pairs"}}
	for _, tool := range []string{"git", "kubelts"} {
		if tool == "git" && r.withoutGit {
			continue
		}
		g.header = append(g.header, tool+": landed", "differs", "but layout", "refused")
	}
	for _, row := range rows {
		git, ours := of(row)
		line := []string{row.Repository, strconv.Itoa(ours.Pairs)}
		if !r.withoutGit {
			line = append(line, tallyCells(git)...)
		}
		g.rows = append(g.rows, append(line, tallyCells(ours)...))
	}
	return g
}

func tallyCells(t replay.Tally) []string {
	return []string{
		fmt.Sprintf("%d (%.1f %%)", t.Landed, percent(t.Landed, t.Pairs)),
		fmt.Sprintf("%d (%.1f %%)", t.Differs, percent(t.Differs, t.Pairs)), strconv.Itoa(t.Layout),
		strconv.Itoa(t.Refused),
	}
}

func percent(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

func parts(title string, list []replay.Part) grid {
	g := grid{header: []string{title, "done", "landed", "differs", "share that differs", "landed where git refuses"}}
	for _, p := range list {
		g.rows = append(g.rows, []string{
			p.Name, strconv.Itoa(p.Pairs), strconv.Itoa(p.Landed), strconv.Itoa(p.Differs), fmt.Sprintf("%.1f %%", percent(p.Differs, p.Pairs)), strconv.Itoa(p.GitRefused),
		})
	}
	return g
}

func (r *replaying) costs(out replayed) grid {
	g := grid{header: []string{"tool", "median", "99th percentile", "longest", "peak memory"}}
	memory := "not known"
	if out.PeakMB > 0 {
		memory = fmt.Sprintf("%d MB", out.PeakMB)
	}
	if !r.withoutGit {
		g.rows = append(g.rows, append([]string{"git"}, timeCells(out.GitTimes, "")...))
	}
	g.rows = append(g.rows, append([]string{"kubelts"}, timeCells(out.Times, memory)...))
	return g
}

func timeCells(t replay.Times, memory string) []string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
	return []string{ms(t.Median), ms(t.P99), ms(t.Max), memory}
}

// peakMB is the largest resident set that this process had, in megabytes; 0 where the system does not tell.
func peakMB() int {
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(content), "VmHWM:")
	return parseInt(strings.TrimSuffix(strings.TrimSpace(firstLine(rest)), " kB")) >> 10
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
