package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

func newLineList(a *app) *cobra.Command {
	l := newLines(a)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the lines of a project",
		Example: `  kubelts line list
  kubelts line list -o json`,
		Args: needArgs(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			found, err := l.statuses(nil)
			if err != nil {
				return err
			}
			return l.print(l.format, found, listGrid(found))
		},
	}
	l.addProject(cmd, false)
	addOutput(cmd, &l.format, tableFormats)
	return cmd
}

func newLineStatus(a *app) *cobra.Command {
	l := newLines(a)
	cmd := &cobra.Command{
		Use:   "status [MINOR...]",
		Short: "Tell how lines stand, and what keeps them from a release",
		Example: `  kubelts line status
  kubelts line status 1.28 -o json`,
		Args: needArgs(0, -1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			found, err := l.statuses(args)
			if err != nil {
				return err
			}
			if l.format != "table" && l.format != "wide" {
				return l.print(l.format, found, ledgerGrid(found))
			}
			return l.describe(found)
		},
	}
	l.addProject(cmd, false)
	addOutput(cmd, &l.format, tableFormats)
	return cmd
}

// statuses reads how the named lines stand, or all.
func (l *lines) statuses(args []string) (found []*upkeep.Status, err error) {
	o, err := l.read()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	wanted, err := minors(o.Project, args, false)
	if err == nil && len(args) == 0 {
		wanted, err = o.Minors()
	}
	if err != nil {
		return nil, err
	}
	found = []*upkeep.Status{}
	for _, minor := range wanted {
		s, err := o.Status(minor)
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, nil
}

func listGrid(found []*upkeep.Status) grid {
	g := grid{
		header: []string{"line", "base", "patches", "fixed", "affected", "unknown", "conflicts", "verified", "latest release", "releasable", "toolchain"}, narrow: 10,
	}
	for _, s := range found {
		latest, ready := "-", "yes"
		if len(s.Releases) > 0 {
			latest = s.Releases[len(s.Releases)-1]
		}
		switch {
		case len(s.Blocks) > 0:
			ready = "no"
		case !s.Unreleased:
			ready = "released"
		}
		g.rows = append(g.rows, []string{
			s.Minor.String(), s.Base, strconv.Itoa(s.Patches), strconv.Itoa(s.Statuses[lts.StatusFixed]), strconv.Itoa(s.Statuses[lts.StatusAffected]),
			strconv.Itoa(s.Statuses[lts.StatusUnderInvestigation]), strconv.Itoa(len(s.Conflicts)), s.Verified, latest, ready, s.Toolchain,
		})
	}
	return g
}

func ledgerGrid(found []*upkeep.Status) grid {
	g := grid{header: []string{"line", "vulnerability", "status", "base", "commit", "outcome", "by", "patch or conflict", "confidence", "source", "note"}, narrow: 8}
	for _, s := range found {
		for _, e := range s.Vulnerability {
			for _, row := range entryRows(e) {
				g.rows = append(g.rows, append([]string{s.Minor.String()}, row...))
			}
		}
	}
	return g
}

// describe prints each line for people.
func (l *lines) describe(found []*upkeep.Status) error {
	var b strings.Builder
	for i, s := range found {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "line %s on %s, %d patches, %s\n", s.Minor, s.Base, s.Patches, s.Toolchain)
		fmt.Fprintf(&b, "  vulnerabilities  %d fixed, %d affected, %d not affected, %d under investigation\n", s.Statuses[lts.StatusFixed],
			s.Statuses[lts.StatusAffected], s.Statuses[lts.StatusNotAffected], s.Statuses[lts.StatusUnderInvestigation])
		fmt.Fprintf(&b, "  verification     %s\n", s.Verified)
		releases := "none"
		if len(s.Releases) > 0 {
			releases = strings.Join(s.Releases, ", ")
		}
		if s.Unreleased && len(s.Releases) > 0 {
			releases += " (there are changes since)"
		}
		fmt.Fprintf(&b, "  releases         %s\n", releases)
		for _, c := range s.Conflicts {
			fmt.Fprintf(&b, "  conflict         %s\n", c)
		}
		for _, e := range s.Vulnerability {
			if d := e.Decision; d != nil {
				fmt.Fprintf(&b, "  decided          %s %s on %s by %s: %s\n", e.ID, strings.TrimSuffix(d.Status+", "+d.Justification, ", "), d.Date, d.Author, d.Reason)
			}
		}
		for _, alarm := range s.Alarms {
			fmt.Fprintf(&b, "  alarm            %s: %s\n", alarm.Vulnerability, alarm.Note)
		}
		for _, block := range s.Blocks {
			fmt.Fprintf(&b, "  blocks a release %s\n", block)
		}
	}
	if len(found) == 0 {
		b.WriteString("no lines\n")
	}
	_, err := fmt.Fprint(l.Stdout, clean(b.String()))
	return err
}
