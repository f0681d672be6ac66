package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// demo is the command's flags, and where it works.
type demo struct {
	*app

	dir               string
	upstream, project string
	started           time.Time
}

// demoLine is the line that the demonstration keeps alive, and its base.
const (
	demoLine = "1.0"
	demoBase = "v1.0.1"
)

func newDemo(a *app) *cobra.Command {
	d := &demo{app: a}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "The whole road on a small repository that is made on the spot",
		Long: `Make a small upstream with release branches, a directory that was moved, and a hole whose fix is on the newest branch only; then go the whole
road with the commands that you would use: init, triage, update, verify, release. Each is printed before it runs, so that it can be pasted.

Nothing is fetched. What is made stays in --dir for you to look at. The upstream's tests run as "kubelts line verify" runs them.`,
		Example: `  kubelts demo
  kubelts demo --dir /tmp/road`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	cmd.Flags().StringVar(&d.dir, "dir", "", "work in `DIR`, which is empty or not there yet (default: a new temporary directory)")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	d.started = d.Clock()
	if err := d.prepareDir(); err != nil {
		return err
	}
	d.say("make an upstream with the branches main, release-1.0, release-1.1 and release-1.2 in %s", d.upstream)
	commits, err := d.makeUpstream(ctx, d.upstream)
	if err != nil {
		return err
	}
	records := filepath.Join(d.project, "vulnerabilities")
	if err := d.kubelts(ctx, exitDone, "line", "init", demoLine, "--base", demoBase, "--repo", d.upstream, "--project", d.project, "--upstream", "example/shelf",
		"--main-branch", "main", "--platform", "linux/"+runtime.GOARCH, "--maintainer", "Dora Demo <dora@example.org>"); err != nil {
		return err
	}
	d.say("two advisories come in: %s", records)
	if err := writeRecords(records, commits); err != nil {
		return err
	}
	if err := d.kubelts(ctx, exitAct, "triage", "--repo", d.upstream, "--repository", "example/shelf", "--vulnerabilities", records); err != nil {
		return err
	}
	if err := d.pick(ctx, commits["fix"]); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"line", "update", demoLine}, {"line", "verify", demoLine}, {"line", "release", demoLine},
	} {
		if err := d.kubelts(ctx, exitDone, append(args, "--project", d.project)...); err != nil {
			return err
		}
	}
	return d.end(ctx)
}

// pick shows how one commit is carried over.
func (d *demo) pick(ctx context.Context, commit git.OID) error {
	d.say("the fix is in internal/shelf, which the base has as pkg/shelf: the rename is followed")
	return d.kubelts(ctx, exitDone, "pick", commit.Short(), "--onto", demoBase, "--repo", d.upstream, "--store", filepath.Join(d.dir, "store.git"))
}

// prepareDir makes the directories. One that holds something is refused.
func (d *demo) prepareDir() error {
	if d.dir == "" {
		dir, err := os.MkdirTemp("", "kubelts-demo-")
		if err != nil {
			return err
		}
		d.dir = dir
	}
	dir, err := filepath.Abs(d.dir)
	if err != nil {
		return err
	}
	d.dir, d.upstream, d.project = dir, filepath.Join(dir, "upstream.git"), filepath.Join(dir, "project")
	if err = os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // it holds nothing secret
		return err
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return errs.WithHint(errs.New(errs.Conflict, "demo: directory %q is not empty", dir), "name one that is not there yet with --dir")
	}
	return errors.Join(os.Mkdir(d.upstream, 0o755), os.Mkdir(d.project, 0o755)) //nolint:gosec // likewise
}

// say tells on standard error what happens next.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.Stderr, "\n# %s\n", clean(fmt.Sprintf(format, args...)))
}

// kubelts runs a command as if a person had typed it, with what it prints on standard error. An exit status other than the one that is meant is
// an error.
func (d *demo) kubelts(ctx context.Context, status int, args ...string) error {
	fmt.Fprintf(d.Stderr, "\n$ kubelts %s\n", command.Quote(args))
	return d.sub(ctx, &app{Process: d.Process, runner: d.runner}, status, args)
}

func (d *demo) sub(ctx context.Context, a *app, status int, args []string) error {
	if a.Stdout == d.Stdout {
		a.Stdout = d.Stderr
	}
	if d.at != "" {
		args = append(args, "--at", d.at)
	}
	if d.trace {
		args = append(args, "--trace")
	}
	root := newRoot(a) //nolint:contextcheck // cobra hands the context of ExecuteContext to the commands
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	acted := errors.Is(err, errAct)
	if err != nil && !acted {
		return err
	}
	if acted != (status == exitAct) {
		return errs.New(errs.Internal, "demo: kubelts %s ended as it should not: there is something to act on: %t", strings.Join(args, " "), acted)
	}
	return nil
}

// end prints what was made and what to look at.
func (d *demo) end(ctx context.Context) error {
	var status strings.Builder
	sub := &app{Process: d.Process, runner: d.runner}
	sub.Stdout = &status
	if err := d.sub(ctx, sub, exitDone, []string{"line", "status", demoLine, "--project", d.project}); err != nil {
		return err
	}
	releases, err := filepath.Glob(filepath.Join(d.project, "releases", "*", "*"))
	if err != nil {
		return err
	}
	ledger, err := os.ReadFile(filepath.Join(d.project, "lines", demoLine, "ledger.yaml"))
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(status.String())
	b.WriteString("\nPackages\n")
	deb := ""
	for _, name := range releases {
		info, gone := os.Stat(name)
		if gone != nil {
			return gone
		}
		fmt.Fprintf(&b, "  %9d  %s\n", info.Size(), name)
		if filepath.Ext(name) == ".deb" {
			deb = name
		}
	}
	fmt.Fprintf(&b, "\nLedger (lines/%s/ledger.yaml)\n", demoLine)
	for line := range strings.Lines(string(ledger)) {
		b.WriteString("  " + line)
	}
	fmt.Fprintf(&b, `
What to look at next
  the patches      ls %[1]s/lines/%[2]s/patches
  the upstream     git --git-dir=%[3]s log --graph --oneline --all
  the package      dpkg-deb -c %[4]s
  the other line   kubelts line init 1.1 --base v1.1.0 --project %[1]s, then update, verify and release it
  your own         kubelts line init MINOR --base TAG --repo CLONE --project DIR

Done in %.0[5]f seconds. Everything is in %[6]s; remove it when you have seen enough.
`, d.project, demoLine, d.upstream, deb, d.Clock().Sub(d.started).Seconds(), d.dir)
	_, err = d.Stdout.Write([]byte(clean(b.String())))
	return err
}
