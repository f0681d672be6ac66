package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/lts"
)

// The steps of a verification, in order.
const (
	stepBuild = "build"
	stepVet   = "vet"
	stepTest  = "test"
)

// The kinds of failure.
const (
	kindBuild       = "build-failed" // the compiler or linker refused it
	kindSetup       = "setup-failed" // the go program could not load it: an import that is not there, a cycle
	kindVet         = "finding"      // vet objects
	kindFailed      = "failed"       // a test said so
	kindPanic       = "panic"        // the tests' process panicked; what came after did not run
	kindExit        = "exit"         // the tests' process ended while this test ran
	kindTimeout     = "timeout"      // the package's tests took too long
	kindNotRun      = "not-run"      // no result: time was up, or the process was killed
	kindNoTests     = "no-tests"     // the base runs tests here and the line, which has test files, none
	kindUnexplained = "unexplained"  // the go program failed and did not say at what
)

// maxOutput is how many bytes of the end of what a failure said are kept.
const maxOutput = 4 << 10

// observed is what a side showed.
type observed struct {
	failures []lts.Failure
	results  map[testName]string // pass, fail, skip or running, of every test that began
	tested   map[string]bool     // packages that have test files
	cutShort map[string]string   // packages whose tests did not all run, and why
	timeUp   bool
}

func newObserved() *observed {
	return &observed{results: map[testName]string{}, tested: map[string]bool{}, cutShort: map[string]string{}}
}

// testName is a test of a package, by import path; subtests are test/subtest.
type testName struct{ pkg, test string }

// progress counts packages through the steps of both sides.
type progress struct {
	report      func(done, total int, what string)
	done, total int
}

func newProgress(report func(done, total int, what string), packages int) *progress {
	if report == nil {
		report = func(int, int, string) {}
	}
	return &progress{report: report, total: 3 * packages}
}

func (p *progress) step(packages int, what string) {
	p.done += packages
	p.report(min(p.done, p.total), p.total, what)
}

// run builds, vets and, unless the job only compiles, tests the targets of a side, within the time for one side. What fails is in the result.
func (t *tool) run(ctx context.Context, s *side, p *progress) *observed {
	ctx, cancel := context.WithTimeout(ctx, t.builder.options.Time)
	defer cancel()
	o := newObserved()
	for _, u := range s.units {
		var ready []*pkg
		for _, target := range s.targets {
			switch {
			case target.unit != u:
			case target.broken != "":
				o.fail(s, lts.Failure{Step: stepBuild, Kind: kindSetup, Package: target.importPath, Output: target.broken})
			default:
				ready = append(ready, target)
			}
		}
		if len(ready) == 0 {
			continue
		}
		for _, target := range ready {
			o.tested[target.importPath] = target.hasTests
		}
		t.build1(ctx, s, u, ready, o)
		p.step(len(ready), "built")
		t.vet(ctx, s, u, ready, o)
		p.step(len(ready), "vetted")
		if t.compileOnly {
			continue
		}
		t.test(ctx, s, u, testRun{packages: ready, progress: p}, o)
		for _, target := range ready {
			t.resume(ctx, s, target, o)
		}
	}
	o.timeUp = ctx.Err() != nil
	return o
}

// fail adds a failure once. Paths of this machine are taken out of what it said.
func (o *observed) fail(s *side, f lts.Failure) {
	f.Output = s.scrub.Replace(f.Output)
	f.Output = strings.ToValidUTF8(strings.TrimSpace(f.Output), "\uFFFD")
	if over := len(f.Output) - maxOutput; over > 0 {
		f.Output = "... " + strings.ToValidUTF8(f.Output[over:], "")
	}
	same := func(g lts.Failure) bool { return g == f }
	if !slices.ContainsFunc(o.failures, same) {
		o.failures = append(o.failures, f)
	}
}

// first is the first thing that a failing compiler said, without the line that only names the package.
func (o *observed) first() string {
	for _, f := range o.failures {
		if f.Output != "" {
			return firstLine(f.Output)
		}
	}
	return "no reason was given"
}

// has reports whether a step failed for a package.
func (o *observed) has(step, importPath string) bool {
	return slices.ContainsFunc(o.failures, func(f lts.Failure) bool { return f.Step == step && f.Package == importPath })
}

// buildsNone reports whether there are packages and none of them builds, with or without its tests.
func (o *observed) buildsNone(packages []*pkg) bool {
	builds := func(p *pkg) bool {
		return !slices.ContainsFunc(o.failures, func(f lts.Failure) bool {
			return f.Package == p.importPath && f.Step != stepVet && (f.Kind == kindBuild || f.Kind == kindSetup)
		})
	}
	return len(packages) > 0 && !slices.ContainsFunc(packages, builds)
}

// build1 compiles the packages. A package of the standard library goes along, since the go program would write the program of a
// single main package into the tree.
func (t *tool) build1(ctx context.Context, s *side, u *unit, packages []*pkg, o *observed) {
	args := append(u.args("build"), "errors")
	for _, p := range packages {
		if p.hasCode {
			args = append(args, p.importPath)
		}
	}
	t.compile(ctx, s, t.command(s, u, args), compileStep{name: stepBuild, kind: kindBuild, whole: true}, o)
}

// vet looks at the packages that were built.
func (t *tool) vet(ctx context.Context, s *side, u *unit, packages []*pkg, o *observed) {
	args := u.args("vet")
	none := len(args)
	for _, p := range packages {
		if !o.has(stepBuild, p.importPath) {
			args = append(args, p.importPath)
		}
	}
	if len(args) > none {
		t.compile(ctx, s, t.command(s, u, args), compileStep{name: stepVet, kind: kindVet}, o)
	}
}

type compileStep struct {
	name, kind string
	whole      bool // everything that is said of a package is one failure; otherwise each finding is
}

// compile runs a step whose output is sections of messages, each under a line with # and an import path.
func (t *tool) compile(ctx context.Context, s *side, c command.Cmd, step compileStep, o *observed) {
	c.Merge = true
	var sections []section
	err := t.builder.runner.Stream(ctx, c, func(r io.Reader) error {
		var err error
		sections, err = readSections(r)
		return err
	})
	before := len(o.failures)
	sections = s.attribute(c.Dir, sections)
	for _, sec := range sections {
		if sec.importPath != "" && (step.name != stepVet || !o.has(stepBuild, sec.importPath)) {
			o.said(s, step, sec)
		}
	}
	if err == nil || len(o.failures) > before {
		return
	}
	f := lts.Failure{Step: step.name, Kind: kindUnexplained, Package: s.name(c.Dir), Output: unattributed(sections, err)}
	if ctx.Err() != nil {
		f.Kind = kindNotRun
	}
	if !(step.name == stepVet && slices.ContainsFunc(o.failures, func(f lts.Failure) bool { return f.Step == stepBuild })) || f.Kind == kindNotRun {
		o.fail(s, f)
	}
}

// said adds what a step said of a package.
func (o *observed) said(s *side, step compileStep, sec section) {
	f := lts.Failure{Step: step.name, Kind: step.kind, Package: sec.importPath}
	if step.whole {
		f.Output = strings.Join(sec.lines, "\n")
		o.fail(s, f)
		return
	}
	seen, count := map[string]bool{}, map[string]int{}
	for _, line := range sec.lines {
		if seen[line] || strings.HasPrefix(line, "\t") {
			continue
		}
		seen[line] = true // a package is looked at with and without its tests
		f.Output = withoutPosition(line)
		if count[f.Output]++; count[f.Output] > 1 {
			f.Output += fmt.Sprintf(" (%d times)", count[f.Output])
		}
		o.fail(s, f)
	}
}

// name is what stands for the package where a failure is of none in particular: the unit's directory.
func (s *side) name(dir string) string {
	if rest := strings.TrimPrefix(dir, s.root); strings.Trim(rest, "/") != "" {
		return "." + rest
	}
	return "."
}

func unattributed(sections []section, err error) string {
	for _, sec := range sections {
		if sec.importPath == "" && len(sec.lines) > 0 {
			return strings.Join(sec.lines, "\n")
		}
	}
	if failed, ok := errors.AsType[*command.Error](err); ok {
		return failed.Err.Error() + "\n" + failed.Stderr
	}
	return err.Error()
}

// testRun is one call of go test.
type testRun struct {
	packages []*pkg
	only     string // value of -run; all tests when empty
	skip     string // value of -skip; none when empty
	progress *progress
}

func (t *tool) test(ctx context.Context, s *side, u *unit, r testRun, o *observed) {
	args := append(u.args("test"), "-json", "-vet=off", "-count=1", "-timeout="+t.builder.options.PackageTime.String())
	if r.only != "" {
		args = append(args, "-run="+r.only)
	}
	if r.skip != "" {
		args = append(args, "-skip="+r.skip)
	}
	for _, p := range r.packages {
		args = append(args, p.importPath)
	}
	c := t.command(s, u, args)
	c.Limits = t.forTests()
	w := newWatch(r.packages, func(importPath string) {
		if r.progress != nil {
			r.progress.step(1, importPath)
		}
	})
	err := t.builder.runner.Stream(ctx, c, w.read)
	var said string
	if failed, ok := errors.AsType[*command.Error](err); ok {
		said = failed.Err.Error() + "\n" + failed.Stderr
	} else if err != nil {
		said = err.Error()
	}
	if ctx.Err() != nil {
		said = "the time for the whole verification was up"
	}
	failures := w.finish(said)
	for _, f := range failures {
		o.fail(s, f)
	}
	maps.Copy(o.results, w.results)
	if err != nil && len(failures) == 0 {
		o.fail(s, lts.Failure{Step: stepTest, Kind: kindUnexplained, Package: s.name(c.Dir), Output: said})
	}
}

// maxResumes bounds how often the tests of a package are run again without those that stopped them.
const maxResumes = 5

// resume runs a package's tests again without the one that stopped them by a panic or by taking too long, for the sake of those after it.
func (t *tool) resume(ctx context.Context, s *side, p *pkg, o *observed) {
	if slices.ContainsFunc(o.failures, func(f lts.Failure) bool { return f.Step == stepTest && f.Package == p.importPath && f.Test == "" }) {
		o.cutShort[p.importPath] = "failed as a whole"
	}
	var stoppers []string
	for range maxResumes {
		before := len(stoppers)
		if stoppers = o.stoppers(p); len(stoppers) == before {
			return
		}
		o.cutShort[p.importPath] = "stopped at " + strings.Join(stoppers, ", ")
		if t.minor < 20 || ctx.Err() != nil {
			return // there is no -skip, or no time
		}
		again := newObserved()
		t.test(ctx, s, p.unit, testRun{packages: []*pkg{p}, skip: "^(" + strings.Join(stoppers, "|") + ")$"}, again)
		maps.Copy(o.results, again.results)
		stopped := false
		for _, f := range again.failures {
			stopped = stopped || f.Kind != kindFailed
			if !o.shows(identify(f)) {
				o.fail(s, f)
			}
		}
		if !stopped {
			delete(o.cutShort, p.importPath)
			return
		}
	}
}

// stoppers are the tests of a package that kept others from running.
func (o *observed) stoppers(p *pkg) []string {
	var names []string
	for _, f := range o.failures {
		top, _, _ := strings.Cut(f.Test, "/")
		if f.Package == p.importPath && slices.Contains([]string{kindPanic, kindTimeout, kindExit}, f.Kind) && top != "" && !slices.Contains(names, top) {
			names = append(names, top)
		}
	}
	return names
}
