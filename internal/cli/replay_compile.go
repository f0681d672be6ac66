package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/patch"
	"github.com/kubelts/kubelts/internal/replay"
	"github.com/kubelts/kubelts/internal/upkeep"
	"github.com/kubelts/kubelts/internal/verify"
)

// replayCompile is the command's flags.
type replayCompile struct {
	*app

	repo, pairs, importPath, format string
	rungs                           []string
	sample, seed                    int
	network                         bool
}

func newReplayCompile(a *app) *cobra.Command {
	c := &replayCompile{app: a}
	cmd := &cobra.Command{
		Use:   "compile --repo DIR --pairs FILE",
		Short: "Compile a sample of replayed picks, beside what was landed",
		Long: `Pick backports again, and compile the packages that a sample of the results touches, with their tests, beside the same packages of the landed trees. Only
what the given rungs did is looked at. A pick counts when the landed packages compile on this machine, until the sample is full.

No test is run. The compiler sees strangers' code: in a folder of its own, with a scrubbed environment, and without network unless --network is given.`,
		Example: `  kubelts replay compile --repo ~/etcd --pairs pairs.jsonl --sample 20 --network`,
		Args:    needArgs(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.repo, "repo", ".", "the clone, `DIR`")
	flags.StringVar(&c.pairs, "pairs", "", "the pairs, `FILE`")
	flags.StringSliceVar(&c.rungs, "rungs", []string{"go", "moves", "dialect", "text"}, "picks that one of these `RUNGS` did")
	flags.IntVar(&c.sample, "sample", 60, "`N` picks that compile here")
	flags.IntVar(&c.seed, "seed", 1, "another `NUMBER` gives another sample")
	flags.StringVar(&c.importPath, "import-path", "", "trees without go.mod are compiled in GOPATH mode as `PATH`")
	flags.BoolVar(&c.network, "network", false, "modules may be fetched")
	addOutput(cmd, &c.format, tableFormats)
	return cmd
}

// compiled is a pick with how it compiles.
type compiled struct {
	Backport git.OID         `json:"backport"`
	Fix      git.OID         `json:"fix"`
	Method   string          `json:"method"`
	Class    replay.Class    `json:"class"`
	Compiled replay.Compiled `json:"compiled"`
	Packages []string        `json:"packages"`
	Output   string          `json:"output,omitempty"` // what the compiler said first
}

func (c *replayCompile) run(ctx context.Context) (err error) {
	work, err := os.MkdirTemp("", "kubelts-compile-")
	if err != nil {
		return errs.New(errs.Unavailable, "make a directory for trees: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	pairs, err := readPairs(c.pairs)
	if err != nil {
		return err
	}
	builder, err := c.goBuilder(filepath.Join(work, "job"))
	if err != nil {
		return err
	}
	p := &pick{app: c.app, repo: c.repo, store: filepath.Join(work, "store.git"), stdin: true, jobs: 1}
	return p.with(ctx, func(s *picking) error {
		step, end := c.progress("pick")
		trials, err := (&trying{picking: s, withoutGit: true}).all(ctx, pairs, step)
		end()
		if err != nil {
			return err
		}
		list, err := (&compiling{replayCompile: c, store: s.store, builder: builder, work: work}).all(ctx, replay.Sample(trials, c.rungs, c.seed))
		return errors.Join(err, c.report(list)) // what was compiled before an end that came early is told
	})
}

// compiling is a sample at work.
type compiling struct {
	*replayCompile

	store   *gitrepo.Store
	builder *verify.Builder
	work    string
}

// all compiles picks until enough of them count.
func (c *compiling) all(ctx context.Context, sample []replay.Trial) ([]compiled, error) {
	step, end := c.progress("compile")
	defer end()
	var list []compiled
	counted := 0
	for _, t := range sample {
		if counted == c.sample {
			break
		}
		step(counted, c.sample, t.Backport.Short())
		one, err := c.one(ctx, t)
		if err != nil {
			return list, err
		}
		if list = append(list, one); one.Compiled != replay.CompilesNot {
			counted++
		}
	}
	return list, nil
}

// one compiles a pick and what was landed. What cannot be compiled is told in the result.
func (c *compiling) one(ctx context.Context, t replay.Trial) (compiled, error) {
	one := compiled{Backport: t.Backport, Fix: t.Fix, Method: t.Method, Class: t.Code.Class}
	landed, err := c.store.Commit(ctx, t.Backport)
	if err != nil {
		return one, err
	}
	target, err := c.store.Commit(ctx, t.Parent)
	if err != nil {
		return one, err
	}
	job := upkeep.VerifyJob{CompileOnly: true, Network: c.network, Toolchain: "local"}
	if job.Build, err = c.config(ctx, landed.Tree); err != nil {
		return one, err
	}
	if job.Changed, err = c.changed(ctx, target.Tree, t.Tree, landed.Tree); err != nil {
		return one, err
	}
	dir := filepath.Join(c.work, "trees")
	defer os.RemoveAll(dir) // at the latest the command's end takes it away
	if job.Line, err = c.export(ctx, t.Tree, filepath.Join(dir, "pick")); err != nil {
		return one, err
	}
	if job.Base, err = c.export(ctx, landed.Tree, filepath.Join(dir, "landed")); err != nil {
		return one, err
	}
	v, err := c.builder.Verify(ctx, job)
	if ctx.Err() != nil {
		return one, context.Cause(ctx)
	}
	one.judge(v, err)
	return one, nil
}

// judge says how a pick compiles beside what was landed.
func (one *compiled) judge(v *lts.Verification, err error) {
	if err != nil {
		one.Compiled, one.Output = replay.CompilesNot, lastLine(err.Error())
		return
	}
	one.Packages = v.Packages
	inBuild := func(f lts.Failure) bool { return f.Step == "build" }
	switch {
	case slices.ContainsFunc(v.Old, inBuild):
		one.Compiled, one.Output = replay.CompilesNot, firstLine(v.Old[slices.IndexFunc(v.Old, inBuild)].Output)
	case len(v.New) > 0:
		one.Compiled, one.Output = replay.CompilesWorse, firstLine(v.New[0].Output)
	case len(v.Cured) > 0:
		one.Compiled, one.Output = replay.CompilesBetter, firstLine(v.Cured[0].Output)
	default:
		one.Compiled = replay.CompilesAlike
	}
}

func lastLine(s string) string {
	return s[strings.LastIndexByte(strings.TrimRight(s, "\n"), '\n')+1:]
}

// config says how a tree is to be compiled: from its vendor directory or workspace as they are, otherwise with modules as far as its go.mod goes.
func (c *compiling) config(ctx context.Context, tree git.OID) (lts.BuildConfig, error) {
	entries, err := c.store.Tree(ctx, tree)
	if err != nil {
		return lts.BuildConfig{}, err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(entries, func(e git.TreeEntry) bool { return e.Name == name })
	}
	switch {
	case !has("go.mod") && c.importPath != "":
		return lts.BuildConfig{Mode: lts.ModeGOPATH, ImportPath: c.importPath}, nil
	case has("vendor") || has("go.work"):
		return lts.BuildConfig{Mode: lts.ModeModule}, nil
	}
	return lts.BuildConfig{Mode: lts.ModeModule, Flags: []string{"-mod=mod"}}, nil // go.sum of such trees is seldom complete
}

// changed are the Go files in which the target's tree and one of the others differ.
func (c *compiling) changed(ctx context.Context, target git.OID, others ...git.OID) ([]string, error) {
	var paths []string
	for _, other := range others {
		diff, err := patch.DiffTrees(ctx, c.store, target, other)
		if err != nil {
			return nil, err
		}
		for _, change := range diff.Changes {
			if strings.HasSuffix(change.Path, ".go") {
				paths = append(paths, change.Path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// export writes a tree below dir, at its import path if it has one.
func (c *compiling) export(ctx context.Context, tree git.OID, dir string) (string, error) {
	dir = filepath.Join(dir, "src", filepath.FromSlash(c.importPath))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, gitrepo.Export(ctx, c.store, tree, dir)
}

func (c *replayCompile) report(list []compiled) error {
	g := grid{header: []string{"backport", "method", "class", "compiles", "packages", "output"}}
	counts := map[replay.Compiled]int{}
	for _, one := range list {
		counts[one.Compiled]++
		g.rows = append(g.rows, []string{one.Backport.Short(), one.Method, string(one.Class), string(one.Compiled), strconv.Itoa(len(one.Packages)), one.Output})
	}
	if err := c.print(c.format, list, g); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.Stderr, "%d picks compiled: %d as the landed, %d worse, %d better; %d more do not compile here either way\n",
		len(list)-counts[replay.CompilesNot], counts[replay.CompilesAlike], counts[replay.CompilesWorse], counts[replay.CompilesBetter], counts[replay.CompilesNot])
	return err
}
