package cli

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/lint"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// look finds out what the path is, and reads it.
func (l *lineLint) look(ctx context.Context, name string, o lint.Options) (report *lint.Report, err error) {
	dir, file := name, kltsFile
	if base := filepath.Base(name); strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml") {
		dir, file = filepath.Dir(name), base
	}
	files, err := openFiles(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	bounded := foreign.Bounded(files, foreign.MaxProject)
	if _, absent := files.root.Lstat(upkeep.ProjectFile); absent == nil && (file == kltsFile || file == upkeep.ProjectFile) {
		return l.project(ctx, files, o)
	}
	content, err := files.Read(file, foreign.MaxConfig)
	if err == nil {
		return l.klts(ctx, file, content, bounded, o)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	projects, err := l.eksdProjects(files, dir)
	if err != nil {
		return nil, err
	}
	if len(projects) > 0 {
		return l.eksd(ctx, projects, bounded, o)
	}
	line, below, err := foreign.ReadQuilt(files, l.base)
	if errs.Is(err, errs.NotFound) {
		return nil, errs.WithHint(errs.New(errs.NotFound, "%q holds neither %s nor %s, no directories of EKS Distro and no quilt series", name, upkeep.ProjectFile, kltsFile),
			"name a project of kubelts, a repository of KLTS, a checkout of EKS Distro, or a directory with patches/series")
	}
	if err != nil {
		return nil, err
	}
	return l.quilt(ctx, line, below, bounded, o)
}

// project looks at a project of kubelts. Its own records of vulnerabilities are judged too.
func (l *lineLint) project(ctx context.Context, files *projectFiles, o lint.Options) (*lint.Report, error) {
	from := cloneOf{dir: l.repo}
	if project, err := upkeep.Open(files); err == nil { // what is wrong with kubelts.yaml is a finding
		from.project, from.upstream = &opened{Project: project, files: files}, project.Config.Upstream.Name
		if clone := project.Config.Upstream.Clone; from.dir == "" && clone != "" {
			if from.dir = clone; !filepath.IsAbs(clone) {
				from.dir = filepath.Join(files.dir, clone)
			}
		}
	}
	return l.with(ctx, from, &o, func() (*lint.Report, error) {
		return lint.Project(ctx, foreign.Bounded(files, foreign.MaxProject), o)
	})
}

// cloneOf is where upstream's clone is, and what is known of it.
type cloneOf struct {
	dir      string // empty for none
	upstream string // owner/name; empty when nothing tells
	project  *opened
}

func (l *lineLint) klts(ctx context.Context, file string, content []byte, files foreign.Files, o lint.Options) (*lint.Report, error) {
	config, err := foreign.ParseKLTS(file, content)
	if err != nil {
		return nil, err
	}
	return l.with(ctx, cloneOf{dir: l.repo, upstream: config.Upstream()}, &o, func() (*lint.Report, error) { return lint.KLTS(ctx, config, files, o) })
}

var (
	eksdProject   = regexp.MustCompile(`/projects/([^/]+/[^/]+)$`)
	eksdDirectory = regexp.MustCompile(`^[0-9]{1,3}-[0-9]{1,3}/$`)
)

// eksdProjects are the projects of a checkout of EKS Distro, or the one that the directory is; none for any other directory.
func (l *lineLint) eksdProjects(files *projectFiles, dir string) ([]string, error) {
	found, err := foreign.EKSDProjects(files)
	if err != nil || len(found) > 0 {
		if l.upstream != "" && slices.Contains(found, l.upstream) {
			return []string{l.upstream}, err
		}
		return found, err
	}
	names, err := files.List(".")
	if err != nil || !slices.ContainsFunc(names, eksdDirectory.MatchString) {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if m := eksdProject.FindStringSubmatch(filepath.ToSlash(abs)); m != nil && l.upstream == "" {
		return []string{m[1]}, nil
	}
	if l.upstream == "" {
		return []string{foreign.Kubernetes}, nil
	}
	return []string{l.upstream}, nil
}

func (l *lineLint) eksd(ctx context.Context, projects []string, files foreign.Files, o lint.Options) (*lint.Report, error) {
	var lines []lint.Series
	for _, project := range projects {
		minors, err := foreign.EKSDMinors(files, project)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(minors, func(a, b foreign.EKSDMinor) int { return compareNames(a.Name, b.Name) })
		for _, m := range minors {
			if len(m.Steps)+len(m.Outside) == 0 {
				continue // built from upstream as it is, or from what the checkout does not show
			}
			s := lint.Series{Line: m.Line, Upstream: project, Base: m.Dir + "/GIT_TAG", Problem: m.Problem, Outside: m.Outside, Missing: foreign.Numbers(m.Line)}
			if len(projects) > 1 {
				s.Name = project[strings.LastIndexByte(project, '/')+1:] + " " + m.Name
			}
			lines = append(lines, s)
		}
	}
	upstream := projects[0]
	if len(projects) > 1 {
		upstream = ""
	}
	return l.with(ctx, cloneOf{dir: l.repo, upstream: upstream}, &o, func() (*lint.Report, error) { return lint.Lines(ctx, lint.KindEKSD, lines, files, o) })
}

// compareNames orders 1-9 before 1-10.
func compareNames(a, b string) int {
	x, errX := release.ParseMinor(strings.ReplaceAll(a, "-", "."))
	y, errY := release.ParseMinor(strings.ReplaceAll(b, "-", "."))
	if errX != nil || errY != nil {
		return strings.Compare(a, b)
	}
	return release.CompareMinors(x, y)
}

func (l *lineLint) quilt(ctx context.Context, line foreign.Line, below string, files foreign.Files, o lint.Options) (*lint.Report, error) {
	outside, err := foreign.QuiltOutside(files, below, line)
	if err != nil {
		return nil, err
	}
	series := []lint.Series{{Line: line, Upstream: l.upstream, Dir: below, Outside: outside}}
	return l.with(ctx, cloneOf{dir: l.repo, upstream: l.upstream}, &o, func() (*lint.Report, error) { return lint.Lines(ctx, lint.KindQuilt, series, files, o) })
}

// with looks with upstream's clone: the one of --repo, which must be there, or the one that a project names, if it is.
func (l *lineLint) with(ctx context.Context, from cloneOf, o *lint.Options, look func() (*lint.Report, error)) (report *lint.Report, err error) {
	if from.dir == "" {
		return look()
	}
	repo, err := gitrepo.Open(ctx, l.runner, from.dir)
	if err != nil {
		if l.repo == "" {
			return look() // it is not on this machine: the report says what was not looked at
		}
		return nil, err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	clone := &lintClone{lineLint: l, repo: repo, dir: from.dir}
	if err := clone.identify(ctx, from.upstream, from.project); err != nil {
		return nil, err
	}
	o.Trees, o.Origins, o.Judge, o.Upstream, o.Below = clone, clone, clone.judge, clone.upstream, clone.below
	return look()
}
