package upkeep

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// ProjectFile is the file that makes a directory a project.
const ProjectFile = "kubelts.yaml"

// Project is a project that was opened. Its methods belong to one goroutine.
type Project struct {
	Config *lts.Project
	Files  Files

	// What follows is needed by some methods only, which say so by failing without it.
	Upstream Upstream
	Store    Store
	Builder  Builder
	Packager Packager
	State    State
	Progress Progress
}

// Open reads the project in a directory. A directory without one is an error of kind not-found.
func Open(files Files) (*Project, error) {
	content, err := files.Read(ProjectFile, lts.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.WithHint(errs.New(errs.NotFound, "%s is not there: this is no project of release lines", files.Path(ProjectFile)),
			"name the project with --project, or make one with: kubelts line init MINOR --base TAG --repo DIR")
	}
	if err != nil {
		return nil, err
	}
	config, err := lts.ParseProject(ProjectFile, content)
	if err != nil {
		return nil, err
	}
	return &Project{Config: config, Files: files}, nil
}

// Minors returns the minors that have a line, in order.
func (p *Project) Minors() ([]release.Minor, error) {
	names, err := p.Files.List("lines")
	if err != nil {
		return nil, err
	}
	var minors []release.Minor
	for _, name := range names {
		dir, ok := strings.CutSuffix(name, "/")
		minor, err := release.ParseMinor(dir)
		if !ok || err != nil || minor.String() != dir {
			return nil, errs.WithHint(errs.New(errs.Invalid, "lines/%s: is no line", name), "a line is a directory named for its minor, such as lines/1.28")
		}
		minors = append(minors, minor)
	}
	slices.SortFunc(minors, release.CompareMinors)
	return minors, nil
}

// lineState is all files of a line, read and checked against each other.
type lineState struct {
	dir       string
	line      *lts.Line
	lineText  []byte
	series    *lts.Series
	patches   []*lts.Patch // in the order of the series
	contents  [][]byte     // of the patch files
	ledger    *lts.Ledger
	noLedger  bool // the file is missing
	conflicts []conflictState
	verified  *lts.Verification // nil when there is none
}

type conflictState struct {
	name string
	*lts.Conflict
}

// changes names what the series does, and how it is built and judged.
func (s *lineState) changes() string { return lts.Changes(s.line, s.patches) }

// load reads a line. Every fault of its files is an error that names the file.
func (p *Project) load(minor release.Minor) (*lineState, error) {
	s := &lineState{dir: "lines/" + minor.String()}
	if err := p.loadLine(s, minor); err != nil {
		return nil, err
	}
	if err := p.loadSeries(s); err != nil {
		return nil, err
	}
	if err := p.loadLedger(s); err != nil {
		return nil, err
	}
	return s, p.loadConflicts(s)
}

func (p *Project) loadLine(s *lineState, minor release.Minor) error {
	name := s.dir + "/line.yaml"
	content, err := p.Files.Read(name, lts.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return p.unknownLine(minor)
	}
	if err != nil {
		return err
	}
	s.lineText = content
	if s.line, err = lts.ParseLine(name, content); err != nil {
		return err
	}
	if s.line.Minor != minor {
		return errs.New(errs.Invalid, "%s: is for %s", name, s.line.Minor)
	}
	return nil
}

func (p *Project) unknownLine(minor release.Minor) error {
	err := errs.New(errs.NotFound, "this project has no line %s", minor)
	minors, listErr := p.Minors()
	if listErr != nil || len(minors) == 0 {
		return errs.WithHint(err, "make it with: kubelts line init %s --base TAG", minor)
	}
	nearest := slices.MinFunc(minors, func(a, b release.Minor) int { return distance(a, minor) - distance(b, minor) })
	return errs.WithHint(err, "the nearest line is %s; make a new one with: kubelts line init %s --base TAG", nearest, minor)
}

func distance(a, b release.Minor) int {
	d := 1000*(a.Major-b.Major) + a.Minor - b.Minor
	return max(d, -d)
}

func (p *Project) loadSeries(s *lineState) error {
	name := s.dir + "/series"
	content, err := p.Files.Read(name, lts.MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.series, err = lts.ParseSeries(name, content); err != nil {
		return err
	}
	there, err := p.Files.List(s.dir + "/patches")
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, e := range s.series.Entries {
		named[e.Name] = true
		if !slices.Contains(there, e.Name) {
			return errs.WithHint(errs.New(errs.Invalid, "%s:%d: patch %s is missing in %s/patches", name, e.Line, e.Name, s.dir),
				"bring the file back, or take the line out of the series")
		}
	}
	for _, file := range there {
		if !named[file] {
			return errs.WithHint(errs.New(errs.Invalid, "%s/patches/%s: the series does not name it", s.dir, file),
				"name it in %s, or remove the file", name)
		}
	}
	for _, e := range s.series.Entries {
		file := s.dir + "/patches/" + e.Name
		content, err := p.Files.Read(file, lts.MaxPatch)
		if err != nil {
			return err
		}
		patch, err := lts.ParsePatch(e.Name, content)
		if err != nil {
			return errs.New(errs.Invalid, "%s/patches/%w", s.dir, err)
		}
		s.patches, s.contents = append(s.patches, patch), append(s.contents, content)
	}
	return nil
}

func (p *Project) loadLedger(s *lineState) error {
	name := s.dir + "/ledger.yaml"
	s.ledger = &lts.Ledger{Minor: s.line.Minor}
	content, err := p.Files.Read(name, lts.MaxFile)
	if err == nil {
		s.ledger, err = lts.ParseLedger(name, content)
	}
	if s.noLedger = errors.Is(err, fs.ErrNotExist); err != nil && !s.noLedger {
		return err
	}
	name = s.dir + "/verification.yaml"
	content, err = p.Files.Read(name, lts.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		s.verified, err = lts.ParseVerification(name, content)
	}
	return err
}

func (p *Project) loadConflicts(s *lineState) error {
	names, err := p.Files.List(s.dir + "/conflicts")
	if err != nil {
		return err
	}
	for _, entry := range names {
		name := strings.TrimSuffix(entry, "/")
		file := path.Join(s.dir, "conflicts", name, "conflict.yaml")
		content, err := p.Files.Read(file, lts.MaxFile)
		if err != nil {
			return errs.New(errs.Invalid, "%s/conflicts/%s: is no conflict: %w", s.dir, name, err)
		}
		c, err := lts.ParseConflict(file, content)
		if err != nil {
			return err
		}
		s.conflicts = append(s.conflicts, conflictState{name, c})
	}
	return nil
}

// open opens a line and applies its series in the store.
func (p *Project) open(ctx context.Context, minor release.Minor) (*lineState, *chain, error) {
	s, err := p.load(minor)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.startChain(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	for i, patch := range s.patches {
		if err := c.apply(ctx, patch); err != nil {
			return nil, nil, errs.WithHint(errs.New(errs.Invalid, "%s/patches/%s does not apply after %d others on %s: %w", s.dir, patch.Name, i, s.line.Base.Tag, err),
				"patches are applied strictly: make it again on the patches before it, or take it out of %s/series", s.dir)
		}
	}
	return s, c, nil
}

// startChain begins at the base, whose tag must still be where line.yaml says.
func (p *Project) startChain(ctx context.Context, s *lineState) (*chain, error) {
	base := s.line.Base
	for _, ref := range p.Upstream.Refs() {
		if ref.Name == "refs/tags/"+base.Tag && ref.Commit.IsZero() {
			return nil, errs.WithHint(errs.New(errs.Unavailable, "%s/line.yaml: base %s: the clone's tag names no commit that is there", s.dir, base.Tag),
				"objects are missing: fetch into the clone, or name another with --repo")
		}
		if ref.Name == "refs/tags/"+base.Tag && ref.Commit != base.Commit {
			return nil, errs.WithHint(errs.New(errs.Conflict, "%s/line.yaml: base %s is at %s in the clone, not at %s", s.dir, base.Tag, ref.Commit, base.Commit),
				"somebody moved the tag: find out who is right before anything else")
		}
	}
	commit, err := p.Store.Commit(ctx, base.Commit)
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.Unavailable, "%s/line.yaml: base %s: %w", s.dir, base.Tag, err), "name a clone that has it with --repo")
	}
	return &chain{store: p.Store, tip: base.Commit, tree: commit.Tree, baseTree: commit.Tree}, nil
}
