// Package cli is the command line: one file a command, and the only place where rooms are wired together.
//
// A command reads its flags, calls the middle with what the rim gives, and prints. Results go to standard output; logs, progress and
// hints to standard error. Errors are reported in one place, [Main], which also chooses the exit status: 0 done; 1 error; 2 the command
// line is wrong; 3 done, and there is something to act on.
package cli

import (
	"context"
	"io"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
)

// Process is what the command line may see of the process that it runs in.
type Process struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(name string) string
	Clock          func() time.Time
}

// app is what all commands share: the process, and the flags that every command has.
type app struct {
	Process

	at      string // --at
	dataDir string // --data
	trace   bool   // -x
	timeout time.Duration
	runner  *command.Runner
}

// Main runs one command line and returns its exit status.
func Main(args []string, p Process) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	a := &app{Process: p, runner: &command.Runner{}}
	root := newRoot(a)
	root.SetArgs(args)
	return a.report(root.ExecuteContext(ctx))
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubelts",
		Short: "Keep old Kubernetes alive, and know what ends when",
		Long: `kubelts is for Kubernetes past its end of life.

For those who run clusters it says what is supported until when, which holes will never be fixed for a version, and what ends.
For those who keep a version alive it finds which branches have which hole, carries the fixes over, proves them and makes packages.`,
		Example: `  kubelts check
  kubelts support 1.28 1.24
  kubelts vuln list --version v1.24.17 --unfixed
  kubelts triage --repo ~/kubernetes
  kubelts demo`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           version(),
		DisableAutoGenTag: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetVersionTemplate("kubelts {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	flags := root.PersistentFlags()
	flags.StringVar(&a.at, "at", "", "take `DATE` (2023-06-15, or RFC 3339) as the present time")
	flags.StringVar(&a.dataDir, "data", "", "read the facts from `DIR` instead of those built in")
	flags.BoolVarP(&a.trace, "trace", "x", false, "print every program that is run, so that it can be pasted")
	flags.DurationVar(&a.timeout, "timeout", 0, "give up after this long (0: no limit)")
	addGroup(root, "clusters", "For those who run clusters:", newCheck(a), newPlan(a), newProbe(a), newSupport(a), newVuln(a))
	addGroup(root, "lines", "For those who keep versions alive:", newTriage(a), newPick(a), newLine(a), newImport(a), newMemory(a))
	addGroup(root, "both", "For both:", newData(a), newDemo(a), newReplay(a), newDocs(a))
	root.SetHelpCommandGroupID("both")
	root.SetCompletionCommandGroupID("both")
	return root
}

// addGroup adds commands that the help shows below a title of their own.
func addGroup(root *cobra.Command, id, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, c := range commands {
		c.GroupID = id
	}
	root.AddCommand(commands...)
}

// prepare makes the flags that every command has take effect.
func (a *app) prepare(cmd *cobra.Command) error {
	if a.trace {
		a.runner.Trace = a.Stderr
	}
	if _, err := a.now(); err != nil {
		return usage(cmd, err)
	}
	if a.timeout > 0 {
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), a.timeout, errs.New(errs.Unavailable, "no end after %v (--timeout)", a.timeout))
		cobra.OnFinalize(cancel)
		cmd.SetContext(ctx)
	}
	return nil
}

// now is the present time: --at where it is given, the clock otherwise. A date alone means its first instant in UTC.
func (a *app) now() (time.Time, error) {
	if a.at == "" {
		return a.Clock().UTC(), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, a.at); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errs.WithHint(errs.New(errs.Invalid, "date %q: no such date", a.at), "write it as 2023-06-15 or 2023-06-15T12:00:00Z")
}

// version is what the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
