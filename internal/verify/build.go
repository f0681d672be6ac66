package verify

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// Build implements [upkeep.Builder]. The program is written under a name beside the output and renamed when it is complete. Only the compiler
// and the linker run, nothing of the repository's.
func (b *Builder) Build(ctx context.Context, job upkeep.BuildJob) (upkeep.Built, error) {
	version, err := b.build(ctx, job)
	b.trimmed()
	if err != nil {
		return upkeep.Built{}, fmt.Errorf("build %s for %s: %w", job.Component.Name, job.Platform, err)
	}
	return upkeep.Built{Toolchain: version}, nil
}

func (b *Builder) build(ctx context.Context, job upkeep.BuildJob) (string, error) {
	outputDir, err := realPath(filepath.Dir(job.Output))
	if err != nil {
		return "", err
	}
	t, err := b.newTool(ctx, toolConfig{
		toolchain: job.Toolchain, build: job.Build, network: job.Network, cache: buildCache, visible: []string{job.Source},
	})
	if err != nil {
		return "", err
	}
	defer t.close()
	root, err := realPath(job.Source)
	if err != nil {
		return "", err
	}
	s := &side{tree: &tree{root: root}}
	if job.Build.Mode == lts.ModeModule {
		if s.modules, err = modulesAbove(root, job.Component.Package); err != nil {
			return "", err
		}
	}
	u, pattern := t.buildUnit(s, job.Component.Package)
	args, err := t.buildArgs(u, job)
	if err != nil {
		return "", err
	}
	program := filepath.Join(t.work, "program")
	c := t.command(s, u, append(args, "-o", program, pattern))
	c.Env = append(c.Env, "GOOS="+job.Platform.OS(), "GOARCH="+job.Platform.Arch(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(job.SourceDate.Unix(), 10))
	c.Limits.Time = b.options.Time
	if _, err := b.runner.Run(ctx, c); err != nil {
		return "", errs.WithHint(err, "%s", t.moduleHint())
	}
	return t.version, install(program, filepath.Join(outputDir, filepath.Base(job.Output)))
}

// modulesAbove returns those directories with a go.mod that hold the package, relative to the root.
func modulesAbove(root, pattern string) ([]string, error) {
	var modules []string
	for dir := path.Clean(pattern); ; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(root, dir, "go.mod")); err == nil {
			modules = append(modules, dir)
		}
		if dir == "." || !filepath.IsLocal(dir) {
			break
		}
	}
	if len(modules) == 0 {
		return nil, errs.WithHint(errs.New(errs.NotFound, "no go.mod above %s", pattern),
			"set build.mode: gopath and build.importPath in line.yaml for sources from before modules")
	}
	return modules, nil
}

// buildUnit returns where the go program is called for a package, and what it calls the package there.
func (t *tool) buildUnit(s *side, pattern string) (*unit, string) {
	dir := path.Clean(pattern)
	u := &unit{dir: "."}
	if t.build.Mode == lts.ModeModule {
		u.dir = s.module(dir)
		if !t.linesMod() {
			u.flag, _ = s.vendoring(u.dir)
		}
	}
	if u.dir != "." {
		dir = strings.TrimPrefix(strings.TrimPrefix(dir, u.dir), "/")
	}
	return u, "./" + dir
}

// linesMod reports whether the line itself says how modules are found.
func (t *tool) linesMod() bool {
	return slices.ContainsFunc(t.build.Flags, func(f string) bool { return strings.HasPrefix(strings.TrimLeft(f, "-"), "mod=") })
}

func (t *tool) buildArgs(u *unit, job upkeep.BuildJob) ([]string, error) {
	args := u.args("build")
	if t.minor >= 13 {
		args = append(args, "-trimpath")
	}
	if t.minor >= 18 {
		args = append(args, "-buildvcs=false")
	}
	var words []string
	for _, flag := range job.Component.LDFlags {
		name, value, pair := strings.Cut(job.Stamp.Expand(flag), " ")
		words = append(words, name)
		if pair {
			quoted, err := quoteGo(strings.TrimSpace(value))
			if err != nil {
				return nil, err
			}
			words = append(words, quoted)
		}
	}
	if len(words) > 0 {
		args = append(args, "-ldflags="+strings.Join(words, " "))
	}
	return args, nil
}

// install moves a program to its place, also from one file system to another, so that it is there as a whole or not at all.
func install(program, output string) error {
	if err := os.Chmod(program, 0o755); err != nil { //nolint:gosec // it is a program for everybody
		return err
	}
	if os.Rename(program, output) == nil {
		return nil
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	part := output + ".part"
	if err = os.WriteFile(part, content, 0o755); err == nil { //nolint:gosec // likewise
		err = os.Rename(part, output)
	}
	if err != nil {
		os.Remove(part)
	}
	return err
}
