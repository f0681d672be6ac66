// Package verify proves a line with the go program: it finds the packages that a series touches and those that import them, builds, vets and
// tests them on the line and on its base, and says what newly fails. It also builds the programs of a release.
//
// This package runs the repository's code. Tests are programs by strangers; they run with an environment that holds nothing of the
// caller's but PATH, with a HOME and a temporary directory of their own, the homes of the machine's users and /run hidden, no
// capabilities, no network but their own loopback unless the job says so, and limits on memory, processes and time. They see no process but their own, and
// none of these outlives its call; where the system allows no process namespace a note says so. That keeps
// secrets from them and mistakes harmless; it is not a virtual machine. On systems other than Linux a job needs Network, for nothing there takes
// the network away, and nothing is hidden.
//
// Words: a unit is a directory in which the go program is called: the root of a GOPATH tree, or a module's root. A package's key is its real
// directory in the tree, or @ and its import path when it is not in the tree: by it the same package is recognised through the symbolic links
// of vendor directories and through replace directives.
//
// Promises: what cannot be observed is a failure or a note, never silence: an empty set of packages is an error, a package without a result did not
// pass. A failure counts as the base's own only when the base fails in the same way each time it is tried. Module downloads are shared by all runs and
// are read-only for tests; the build caches of tests and of releases are apart, so that no test can reach into a release. After a job the caches hold no more
// than they may, unless another job is at work.
package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// Options say where a Builder may write and how much a job may use. Zero limits mean the defaults.
type Options struct {
	Work  string // an existing directory for what lives as long as one job
	Cache string // a directory of ours that outlives jobs, made when absent: modules and build caches, never the user's own

	Time        time.Duration // of each side of a verification, and of a build; DefaultTime
	PackageTime time.Duration // of one package's tests; DefaultPackageTime
	Memory      int64         // bytes of memory that each process may write to; DefaultMemory
	Processes   int           // of the user, threads included; DefaultProcesses
	CacheBytes  int64         // that Cache may hold after a job; DefaultCacheBytes

	Warn func(note string) // told what went wrong beside a job; may be nil
}

// The default limits.
const (
	DefaultTime        = 2 * time.Hour
	DefaultPackageTime = 10 * time.Minute
	DefaultMemory      = 8 << 30
	DefaultProcesses   = 20_000
)

// retries is how often a test that failed is run again.
const retries = 2

// Builder implements [upkeep.Builder]. It may be used from many goroutines.
type Builder struct {
	runner  *command.Runner
	options Options
}

var _ upkeep.Builder = (*Builder)(nil)

// New returns a Builder.
func New(runner *command.Runner, o Options) (*Builder, error) {
	for _, dir := range []*string{&o.Work, &o.Cache} {
		if *dir == "" {
			return nil, errs.New(errs.Internal, "verify: no directory to work in")
		}
		if err := os.MkdirAll(*dir, 0o700); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		path, err := realPath(*dir)
		if err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		*dir = path
	}
	if o.Time == 0 {
		o.Time = DefaultTime
	}
	if o.PackageTime == 0 {
		o.PackageTime = DefaultPackageTime
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Processes == 0 {
		o.Processes = DefaultProcesses
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return &Builder{runner: runner, options: o}, nil
}

func realPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// Verify implements [upkeep.Builder].
func (b *Builder) Verify(ctx context.Context, job upkeep.VerifyJob) (*lts.Verification, error) {
	v, err := b.verify(ctx, job)
	b.trimmed()
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return v, nil
}

func (b *Builder) verify(ctx context.Context, job upkeep.VerifyJob) (*lts.Verification, error) {
	t, err := b.newTool(ctx, toolConfig{
		toolchain: job.Toolchain, build: job.Build, network: job.Network, cache: verifyCache, visible: []string{job.Line, job.Base},
		compileOnly: job.CompileOnly,
	})
	if err != nil {
		return nil, err
	}
	defer t.close()
	line, base, err := t.newSides(ctx, job)
	if err != nil {
		return nil, err
	}
	scope := touched(line.packages, base.packages, job.Changed)
	if !job.CompileOnly {
		scope = affected(line.packages, base.packages, job.Changed, job.Transitive)
	}
	line.choose(scope.keys)
	base.choose(scope.keys)
	if len(line.targets) == 0 {
		return nil, errs.WithHint(errs.New(errs.Invalid, "no Go package belongs to the %d changed paths, so nothing can be proved", len(job.Changed)),
			"see whether build.mode and build.tags in line.yaml fit the tree")
	}
	p := newProgress(job.Progress, len(line.targets)+len(base.targets))
	lineSeen := t.run(ctx, line, p)
	baseSeen := t.run(ctx, base, p)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if lineSeen.buildsNone(line.targets) && baseSeen.buildsNone(base.targets) {
		return nil, errs.WithHint(errs.New(errs.Invalid, "none of the %d packages builds, on the line or on its base, so nothing can be proved: %s", len(line.targets), baseSeen.first()),
			"see whether toolchain and build in line.yaml fit the tree, and whether its modules are here (--network)")
	}
	again := t.confirm(ctx, line, base, [2]*observed{lineSeen, baseSeen})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v := compare(lineSeen, baseSeen, again, job.KnownFailures)
	v.Toolchain, v.Scope = t.version, lts.ScopeDirect
	switch {
	case job.CompileOnly:
		v.Scope = "" // nobody is to take it for the proof of a line
	case job.Transitive:
		v.Scope = lts.ScopeTransitive
	}
	v.Packages = line.importPaths()
	v.Notes = slices.Concat(t.notes, line.notes, scope.notes, v.Notes)
	return v, nil
}

// newSides looks at both trees, within the time for one side.
func (t *tool) newSides(ctx context.Context, job upkeep.VerifyJob) (line, base *side, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.builder.options.Time, errs.New(errs.Unavailable, "no end of listing packages after %v", t.builder.options.Time))
	defer cancel()
	if line, err = t.newSide(ctx, job.Line, job.Changed); err != nil {
		return nil, nil, fmt.Errorf("line: %w", err)
	}
	if base, err = t.newSide(ctx, job.Base, job.Changed); err != nil {
		return nil, nil, fmt.Errorf("base: %w", err)
	}
	return line, base, nil
}
