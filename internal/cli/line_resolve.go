package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
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
			if l.reason == "" {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "line resolve: a decision needs a reason"), "give it with --reason"))
			}
			return l.run(cmd.Context(), args)
		},
	}
	l.addProject(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&l.author, "author", "", authorHelp)
	flags.StringVar(&l.reason, "reason", "", "why it is right, `TEXT`")
	flags.StringSliceVar(&l.removed, "remove", nil, "the result shall not have the conflict's file `PATH`")
	flags.StringSliceVar(&l.kept, "keep", nil, "the conflict's file `PATH` is right as it was laid out")
	flags.StringSliceVar(&l.also, "also", nil, "take in `PATH`, a file beside the conflict's")
	return cmd
}

func (l *lineResolve) run(ctx context.Context, args []string) (err error) {
	r := upkeep.Resolution{Removed: l.removed, Kept: l.kept, Also: l.also, Reason: l.reason}
	if r.Author, err = l.who(ctx, l.author); err != nil {
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
