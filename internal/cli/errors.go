package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
)

// The exit statuses.
const (
	exitDone  = 0
	exitError = 1
	exitUsage = 2
	exitAct   = 3 // done, and there is something to act on
)

// errAct is returned by a command that did its work and found something to act on. It has been printed already.
var errAct = errors.New("there is something to act on")

// usageError is a fault of the command line itself.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usage marks err as a fault of the command line.
func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return &usageError{command: cmd.CommandPath(), err: err}
}

// report prints an error with its hints and returns the exit status.
func (a *app) report(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errAct) {
		return exitAct
	}
	message := err.Error()
	if errors.Is(err, context.Canceled) && !errs.Is(err, errs.Unavailable) {
		message = "interrupted"
	}
	fmt.Fprintf(a.Stderr, "kubelts: %s\n", clean(message)) // nowhere to report a failure to
	hints := errs.Hints(err)
	status := exitError
	if u, ok := errors.AsType[*usageError](err); ok {
		status = exitUsage
		if len(hints) == 0 {
			hints = []string{fmt.Sprintf("see %q", u.command+" --help")}
		}
	} else if strings.HasPrefix(message, "unknown command ") { // cobra has no type for it
		status = exitUsage
		hints = append(hints, `see "kubelts --help"`)
	}
	for _, h := range hints {
		fmt.Fprintf(a.Stderr, "kubelts: hint: %s\n", clean(h))
	}
	return status
}

// clean makes text from strangers safe for a terminal: control characters other than newline and tab, and those that turn or hide text, are shown, not sent.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// needArgs is a cobra.PositionalArgs that wants between low and high arguments; high below zero means any number.
func needArgs(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "%s: %s is missing", cmd.CommandPath(), what), "usage: %s", cmd.UseLine()))
		case high >= 0 && len(args) > high:
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "%s: argument %q is one too many", cmd.CommandPath(), args[high]), "usage: %s", cmd.UseLine()))
		}
		return nil
	}
}

// parent is the RunE of a command that only has others below it: without an argument it is a question for help, with one it is a mistake.
func parent(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := errs.New(errs.Invalid, "unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = errs.WithHint(err, "did you mean %s?", strings.Join(near, " or "))
	}
	return usage(cmd, err)
}
