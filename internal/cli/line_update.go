package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// lineUpdate is the command's flags.
type lineUpdate struct {
	*lines

	all   bool
	vulns []string
}

func newLineUpdate(a *app) *cobra.Command {
	l := &lineUpdate{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "update MINOR...|--all",
		Short: "Judge lines, and carry over the fixes that they lack",
		Long: `Judge lines by the history of upstream's clone, and carry over the fixes that they lack.

For each vulnerability that affects a line, all commits of its fix are picked in upstream's order, and become patches of the line's series. What
cannot be carried over is laid out below lines/MINOR/conflicts for a person (see "kubelts line resolve"), and the exit status is 3. A second
update changes nothing.

Vulnerabilities are those of the facts that concern the upstream, and the OSV files in the project's directory vulnerabilities.`,
		Example: `  kubelts line update 1.28
  kubelts line update --all --at 2026-11-22
  kubelts line update 3.4 --vuln CVE-2021-28235`,
		Args: needArgs(0, -1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.all == (len(args) > 0) {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "line update: name lines, or all of them"), "usage: %s", cmd.UseLine()))
			}
			return l.run(cmd.Context(), args)
		},
	}
	l.addProject(cmd, true)
	cmd.Flags().BoolVar(&l.all, "all", false, "update all lines")
	cmd.Flags().StringSliceVar(&l.vulns, "vuln", nil, "only these vulnerabilities, `ID`")
	addOutput(cmd, &l.format, tableFormats)
	return cmd
}

func (l *lineUpdate) run(ctx context.Context, args []string) (err error) {
	today, err := l.today()
	if err != nil {
		return err
	}
	o, err := l.work(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	wanted, err := minors(o.Project, args, l.all)
	if err != nil {
		return err
	}
	records, err := l.records(o, l.vulns)
	if err != nil {
		return err
	}
	done := []*upkeep.Updated{}
	var failed []error
	left := 0
	for _, minor := range wanted {
		step, end := l.progress("line " + minor.String())
		o.Progress = step
		u, fault := o.Update(ctx, minor, records, today)
		end()
		if fault != nil {
			failed = append(failed, fmt.Errorf("update line %s: %w", minor, fault))
			continue
		}
		done = append(done, u)
		left += len(u.Conflicts) + len(u.Alarms)
	}
	if len(done) > 0 || len(failed) == 0 {
		if err = l.print(l.format, done, updateGrid(done)); err != nil {
			return err
		}
	}
	l.summarize(done)
	if len(failed) > 0 {
		if len(wanted) > 1 {
			failed = append(failed, fmt.Errorf("%d of %d lines could not be updated", len(failed), len(wanted)))
		}
		return errors.Join(failed...)
	}
	if left > 0 {
		return errAct
	}
	return nil
}

func updateGrid(done []*upkeep.Updated) grid {
	g := grid{header: []string{"line", "vulnerability", "status", "base", "commit", "outcome", "by", "patch or conflict", "confidence", "source", "note"}, narrow: 8}
	for _, u := range done {
		for _, e := range u.Entries {
			rows := entryRows(e)
			for _, row := range rows {
				g.rows = append(g.rows, append([]string{u.Minor.String()}, row...))
			}
		}
	}
	return g
}

// entryRows are the rows of a ledger entry: one for each pick, or one.
func entryRows(e lts.Entry) [][]string {
	if len(e.Picks) == 0 {
		note := ""
		if len(e.Evidence) > 0 {
			note = e.Evidence[0].Kind + " " + e.Evidence[0].Note
		}
		return [][]string{{e.ID, e.Status, e.Base, "", "", "", "", "", "", note}}
	}
	var rows [][]string
	for _, p := range e.Picks {
		where, source := p.Patch, ""
		if where == "" {
			where = p.Conflict
		}
		if !p.Source.IsZero() {
			source = p.Source.Short()
		}
		rows = append(rows, []string{e.ID, e.Status, e.Base, p.Commit.Short(), p.Outcome, p.Rung, where, p.Confidence, source, p.Note})
	}
	return rows
}

// summarize tells on standard error what changed and what is next.
func (l *lineUpdate) summarize(done []*upkeep.Updated) {
	for _, u := range done {
		text := "nothing changed"
		if u.Changed {
			text = fmt.Sprintf("%d new patches, %d open conflicts", len(u.Patches), len(u.Conflicts))
		}
		fmt.Fprintf(l.Stderr, "kubelts: line %s on %s: %s\n", u.Minor, u.Base, text)
		for _, alarm := range u.Alarms {
			fmt.Fprintf(l.Stderr, "kubelts: alarm: %s: %s; decide again with: kubelts line decide %s %s\n", clean(alarm.Vulnerability), clean(alarm.Note), u.Minor, clean(alarm.Vulnerability))
		}
		if len(u.Conflicts) > 0 {
			fmt.Fprintf(l.Stderr, "kubelts: hint: edit the files of %s below lines/%s/conflicts, then: kubelts line resolve %s\n",
				strings.Join(u.Conflicts, ", "), u.Minor, u.Minor)
		}
	}
}
