package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
	"github.com/kubelts/kubelts/internal/verify"
)

// lineVerify is the command's flags.
type lineVerify struct {
	*lines

	options upkeep.VerifyOptions
}

func newLineVerify(a *app) *cobra.Command {
	l := &lineVerify{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "verify MINOR",
		Short: "Build, vet and test what the series touches, on the line and on its base",
		Long: `Build, vet and test the packages that the series touches and those that import them directly, on the line and on its base. Only what
newly fails blocks a release; then the exit status is 3. The result is kept in lines/MINOR/verification.yaml.

This command runs what upstream's repository contains: in a folder of its own, with a scrubbed environment, without keys, without network unless
--network is given, and within limits of time and memory.`,
		Example: `  kubelts line verify 1.28
  kubelts line verify 3.4 --transitive --network`,
		Args: needArgs(1, 1, "the minor"),
		RunE: func(cmd *cobra.Command, args []string) error { return l.run(cmd.Context(), args[0]) },
	}
	l.addProject(cmd, true)
	cmd.Flags().BoolVar(&l.options.Transitive, "transitive", false, "all packages that import a changed one, not only those that do directly")
	cmd.Flags().BoolVar(&l.options.Network, "network", false, "builds and tests may reach the network, for modules that are not here yet")
	addOutput(cmd, &l.format, tableFormats)
	return cmd
}

func (l *lineVerify) run(ctx context.Context, arg string) (err error) {
	minor, err := release.ParseMinor(arg)
	if err != nil {
		return err
	}
	o, err := l.work(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if o.Builder, err = l.goBuilder(o.files.Path(upkeep.BuildDir)); err != nil {
		return err
	}
	step, end := l.progress("verify " + arg)
	o.Progress = step
	v, err := o.Verify(ctx, minor, l.options)
	end()
	if err != nil {
		return err
	}
	if err := l.print(l.format, v, verifyGrid(v)); err != nil {
		return err
	}
	fmt.Fprintf(l.Stderr, "kubelts: line %s with %s: %d packages, %d tests, %d newly fail, %d fail on the base too, %d known, %d flaky\n",
		minor, v.Toolchain, len(v.Packages), v.Tests, len(v.New), len(v.Old), len(v.Known), len(v.Flaky))
	for _, note := range v.Notes {
		fmt.Fprintf(l.Stderr, "kubelts: note: %s\n", clean(note))
	}
	if !v.Passed() {
		return errAct
	}
	return nil
}

// goBuilder runs the go program, with its caches in the user's cache directory.
func (a *app) goBuilder(work string) (*verify.Builder, error) {
	cache, err := userCache()
	if err != nil {
		return nil, err
	}
	return verify.New(a.runner, verify.Options{Work: work, Cache: filepath.Join(cache, "go")})
}

func verifyGrid(v *lts.Verification) grid {
	g := grid{header: []string{"what", "step", "package", "test", "kind", "output"}, narrow: 5}
	for _, part := range []struct {
		what     string
		failures []lts.Failure
	}{{"newly fails", v.New}, {"fails on the base too", v.Old}, {"known", v.Known}, {"flaky", v.Flaky}, {"cured", v.Cured}} {
		for _, f := range part.failures {
			output, _, _ := strings.Cut(f.Output, "\n")
			g.rows = append(g.rows, []string{part.what, f.Step, f.Package, f.Test, f.Kind, output})
		}
	}
	if len(g.rows) == 0 {
		g.rows = append(g.rows, []string{"nothing fails", "", "", "", "", ""})
	}
	return g
}
