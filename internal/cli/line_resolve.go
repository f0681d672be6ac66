package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// lineResolve is the command's flags.
type lineResolve struct {
	*lines

	author, reason      string
	removed, kept, also []string
}

func newLineResolve(a *app) *cobra.Command {
	l := &lineResolve{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "resolve MINOR [CONFLICT] --author NAME --reason TEXT",
		Short: "Make a patch of a conflict's edited files",
		Long: `Make a patch of a conflict that a person resolved, and record the decision in the ledger.

The files below lines/MINOR/conflicts/CONFLICT/files have to be edited before, until no conflict marker is left. What the fix needs beside them
goes there too, under its own path, and is named with --also. The next "kubelts line update" carries over what waited for it.`,
		Example: `  kubelts line resolve 3.4 --author "Ada Author <ada@example.org>" --reason "the old client has no context argument"
  kubelts line resolve 1.28 2-3f2a9c1b0d --author "Ada Author <ada@example.org>" --reason "the file is not in 1.28" --remove pkg/new_test.go`,
		Args: needArgs(1, 2, "the minor"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.author == "" || l.reason == "" {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "line resolve: a decision needs an author and a reason"), "name them with --author and --reason"))
			}
			return l.run(cmd.Context(), args)
		},
	}
	l.addProject(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&l.author, "author", "", "who decided, `NAME <ADDRESS>`")
	flags.StringVar(&l.reason, "reason", "", "why it is right, `TEXT`")
	flags.StringSliceVar(&l.removed, "remove", nil, "the result shall not have the conflict's file `PATH`")
	flags.StringSliceVar(&l.kept, "keep", nil, "the conflict's file `PATH` is right as it was laid out")
	flags.StringSliceVar(&l.also, "also", nil, "take in `PATH`, a file beside the conflict's")
	return cmd
}

func (l *lineResolve) run(ctx context.Context, args []string) (err error) {
	r := upkeep.Resolution{Removed: l.removed, Kept: l.kept, Also: l.also, Reason: l.reason}
	if r.Author, err = lts.ParsePerson(l.author); err != nil {
		return err
	}
	if r.Date, err = l.today(); err != nil {
		return err
	}
	minor, err := release.ParseMinor(args[0])
	if err != nil {
		return err
	}
	if len(args) > 1 {
		r.Conflict = args[1]
	}
	o, err := l.work(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	done, err := o.Resolve(ctx, minor, r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(l.Stdout, "resolved %s: lines/%s/patches/%s\n", done.Conflict, minor, done.Patch); err != nil {
		return err
	}
	if err := printRecorded(l.Stdout, done.Recorded, done.NotRecorded); err != nil {
		return err
	}
	fmt.Fprintf(l.Stderr, "kubelts: hint: next is: kubelts line update %s\n", minor)
	return nil
}

// lineDecide is the command's flags.
type lineDecide struct {
	*lines

	decision lts.Decision
}

func newLineDecide(a *app) *cobra.Command {
	l := &lineDecide{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "decide MINOR VULNERABILITY|verification --status STATUS --author NAME --reason TEXT",
		Short: "Record a person's decision on a vulnerability",
		Long: `Record a person's decision on a vulnerability in the line's ledger. No update changes it.

The status is fixed (which also accepts picks that wait for a review), not_affected (with a justification in OpenVEX's words), affected (the risk
is accepted, and does not block a release) or under_investigation. "verification" in place of a vulnerability lets the series as it stands into a
release although no verification of it passed; it takes no status.`,
		Example: `  kubelts line decide 3.4 CVE-2021-28235 --status not_affected --justification component_not_present --author "Ada Author <ada@example.org>" --reason "auth is not built in"
  kubelts line decide 3.4 verification --author "Ada Author <ada@example.org>" --reason "TestX needs a network that the builder lacks"`,
		Args: needArgs(2, 2, "the minor and the vulnerability"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] != upkeep.SubjectVerification && l.decision.Status == "" {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "line decide: the status is missing"), "name it with --status"))
			}
			if args[1] == upkeep.SubjectVerification && l.decision.Status+l.decision.Justification != "" {
				return usage(cmd, errs.New(errs.Invalid, "line decide: verification takes no --status and no --justification"))
			}
			return l.run(args)
		},
	}
	l.addProject(cmd, false)
	flags := cmd.Flags()
	flags.StringVar(&l.decision.Status, "status", "", "`STATUS`: fixed, not_affected, affected, under_investigation")
	flags.StringVar(&l.decision.Justification, "justification", "", "why not_affected, in OpenVEX's `WORD`")
	flags.StringVar(&l.decision.Author, "author", "", "who decided, `NAME <ADDRESS>`")
	flags.StringVar(&l.decision.Reason, "reason", "", "why it is right, `TEXT`")
	return cmd
}

func (l *lineDecide) run(args []string) (err error) {
	today, err := l.today()
	if err != nil {
		return err
	}
	l.decision.Date = today.String()
	minor, err := release.ParseMinor(args[0])
	if err != nil {
		return err
	}
	o, err := l.write()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if err = o.Decide(minor, args[1], l.decision); err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.Stdout, "recorded for %s: lines/%s/ledger.yaml\n", args[1], minor)
	return err
}

// printRecorded says where a resolution is kept for the next time, and what of it is not.
func printRecorded(w io.Writer, recorded, not []string) error {
	for _, name := range recorded {
		if _, err := fmt.Fprintf(w, "recorded %s\n", name); err != nil {
			return err
		}
	}
	for _, why := range not {
		if _, err := fmt.Fprintf(w, "not recorded: %s\n", clean(why)); err != nil {
			return err
		}
	}
	return nil
}
