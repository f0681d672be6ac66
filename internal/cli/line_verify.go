package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubelts/kubelts/internal/errs"
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
--network is given, and within limits of time and memory.

What was built, and modules that were downloaded, are kept for later runs in the user's cache directory, in kubelts/go (below $XDG_CACHE_HOME or
~/.cache). After a run what was not used for longest is taken away until 6Gi are left, or $KUBELTS_GO_CACHE_LIMIT. All of it may be removed.`,
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
	o, err := l.building(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
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

// building opens the project to run the go program on its lines.
func (l *lines) building(ctx context.Context) (*opened, error) {
	o, err := l.work(ctx)
	if err != nil {
		return nil, err
	}
	if o.Builder, err = l.goBuilder(o.files.Path(upkeep.BuildDir)); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// cacheLimit is the variable that bounds the caches of the go program.
const cacheLimit = "KUBELTS_GO_CACHE_LIMIT"

// goBuilder runs the go program, with its caches in the user's cache directory.
func (a *app) goBuilder(work string) (*verify.Builder, error) {
	cache, err := userCache()
	if err != nil {
		return nil, err
	}
	o := verify.Options{Work: work, Cache: filepath.Join(cache, "go"), Warn: func(note string) { fmt.Fprintf(a.Stderr, "kubelts: note: %s\n", clean(note)) }}
	if text := a.Getenv(cacheLimit); text != "" {
		limit, err := resource.ParseQuantity(text)
		if err != nil || limit.Value() < minCacheLimit {
			return nil, errs.WithHint(errs.New(errs.Invalid, "%s %q is no size of 64Mi or more", cacheLimit, text), "write it as 6Gi or 500Mi")
		}
		o.CacheBytes = limit.Value()
	}
	return verify.New(a.runner, o)
}

// minCacheLimit is less than one verification needs; below that nothing would be cached at all.
const minCacheLimit = 64 << 20

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
