package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// lineDecide is the command's flags.
type lineDecide struct {
	*lines

	decision lts.Decision
	undo     bool
}

func newLineDecide(a *app) *cobra.Command {
	l := &lineDecide{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "decide MINOR VULNERABILITY|verification --status STATUS --reason TEXT",
		Short: "Record a person's decision on a vulnerability",
		Long: `Record a person's decision on a vulnerability in the line's ledger. No update changes it; deciding again replaces it, --undo takes it back. The author is, unless
--author says so, the person of git's environment and global configuration.

The status is fixed (which also accepts picks that wait for a review, or else rests on the patches of the series that name the vulnerability), not_affected (with a justification in OpenVEX's words), affected (the risk
is accepted, and does not block a release) or under_investigation. "verification" in place of a vulnerability lets the series as it stands into a
release although no verification of it passed; it takes no status.

A decision is made in view of the evidence of its day. When a later update finds evidence that contradicts it, update and status raise an alarm.`,
		Example: `  kubelts line decide 3.4 CVE-2021-28235 --status not_affected --justification component_not_present --author "Ada Author <ada@example.org>" --reason "auth is not built in"
  kubelts line decide 3.4 CVE-2021-28235 --undo
  kubelts line decide 3.4 verification --author "Ada Author <ada@example.org>" --reason "TestX needs a network that the builder lacks"`,
		Args: needArgs(2, 2, "the minor and the vulnerability"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := l.check(args[1]); err != nil {
				return usage(cmd, err)
			}
			return l.run(cmd.Context(), args)
		},
	}
	l.addProject(cmd, false)
	flags := cmd.Flags()
	flags.StringVar(&l.decision.Status, "status", "", "`STATUS`: fixed, not_affected, affected, under_investigation")
	flags.StringVar(&l.decision.Justification, "justification", "", "why not_affected, in OpenVEX's `WORD`: "+strings.Join(lts.Justifications(), ", "))
	flags.StringVar(&l.decision.Author, "author", "", authorHelp)
	flags.StringVar(&l.decision.Reason, "reason", "", "why it is right, `TEXT`")
	flags.BoolVar(&l.undo, "undo", false, "take the decision back")
	return cmd
}

// check looks at the flags together.
func (l *lineDecide) check(subject string) error {
	d := l.decision
	switch {
	case l.undo && d.Status+d.Justification+d.Author+d.Reason != "":
		return errs.New(errs.Invalid, "line decide: --undo takes no other words")
	case l.undo:
		return nil
	case subject == upkeep.SubjectVerification && d.Status+d.Justification != "":
		return errs.New(errs.Invalid, "line decide: verification takes no --status and no --justification")
	case subject != upkeep.SubjectVerification && d.Status == "":
		return errs.WithHint(errs.New(errs.Invalid, "line decide: the status is missing"), "name it with --status")
	}
	return nil
}

func (l *lineDecide) run(ctx context.Context, args []string) (err error) {
	today, err := l.today()
	if err != nil {
		return err
	}
	minor, err := release.ParseMinor(args[0])
	if err != nil {
		return err
	}
	if !l.undo {
		author, unknown := l.who(ctx, l.decision.Author)
		if unknown != nil {
			return unknown
		}
		l.decision.Author, l.decision.Date = author.String(), today.String()
	}
	o, err := l.write()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if l.undo {
		if err = o.Undo(minor, args[1], today); err != nil {
			return err
		}
		_, err = fmt.Fprintf(l.Stdout, "taken back for %s: lines/%s/ledger.yaml\n", args[1], minor)
		return err
	}
	if err = o.Decide(minor, args[1], l.decision); err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.Stdout, "recorded for %s: lines/%s/ledger.yaml\n", args[1], minor)
	return err
}

// authorHelp describes --author.
const authorHelp = "who decided, `NAME <ADDRESS>` (default: git's user.name and user.email)"

// who is the person of --author, or the one that git would name: by its environment, then by its global configuration. The configuration of no repository is
// asked: it may be a stranger's.
func (a *app) who(ctx context.Context, author string) (lts.Person, error) {
	if author != "" {
		return lts.ParsePerson(author)
	}
	name := cmp.Or(a.Getenv("GIT_AUTHOR_NAME"), a.gitSays(ctx, "user.name"))
	email := cmp.Or(a.Getenv("GIT_AUTHOR_EMAIL"), a.gitSays(ctx, "user.email"))
	if name == "" || email == "" {
		return lts.Person{}, errs.WithHint(errs.New(errs.Invalid, "nobody is named as the author"), "name who decides with --author 'NAME <ADDRESS>', or set git's global user.name and user.email")
	}
	return lts.ParsePerson(name + " <" + email + ">")
}

// gitSays is a value of git's global configuration; empty when it has none.
func (a *app) gitSays(ctx context.Context, key string) string {
	out, err := a.runner.Run(ctx, command.Cmd{Argv: []string{"git", "config", "--global", "--get", key}, Dir: "/", Env: command.Environ("PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")})
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
