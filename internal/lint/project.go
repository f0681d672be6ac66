package lint

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// project looks at a project of kubelts.
type project struct {
	*collector

	upstream string
}

// Project looks at a project of kubelts. What its own commands refuse is a finding here, and so is what they let pass.
func Project(ctx context.Context, files Files, o Options) (*Report, error) {
	p := &project{collector: newCollector(KindProject, files, o)}
	content, err := files.Read(upkeep.ProjectFile, lts.MaxFile)
	if err != nil {
		return nil, err
	}
	config, err := lts.ParseProject(upkeep.ProjectFile, content)
	if err != nil {
		p.bad(upkeep.ProjectFile, nil, err)
	}
	if config != nil {
		p.upstream = config.Upstream.Name
	}
	dirs, err := files.List("lines")
	if err != nil {
		return nil, err
	}
	var minors []release.Minor
	for _, name := range dirs {
		dir, isDir := strings.CutSuffix(name, "/")
		minor, err := release.ParseMinor(dir)
		if !isDir || err != nil || minor.String() != dir {
			p.add(Finding{Rule: BadFile, Subject: "lines/" + name, Message: "lines/" + name + " is no line: a line is a directory named for its minor", File: "lines/" + name})
			continue
		}
		minors = append(minors, minor)
	}
	slices.SortFunc(minors, release.CompareMinors)
	for _, minor := range minors {
		if err := p.line(ctx, minor); err != nil {
			return nil, err
		}
	}
	if err := p.vulnerabilities(ctx); err != nil {
		return nil, err
	}
	if p.options.Trees == nil {
		p.unseen("whether tags moved: no clone of upstream was named, or it is not there")
	}
	return p.finish(), nil
}

// bad reports a file that cannot be read.
func (c *collector) bad(file string, lines []string, err error) {
	c.add(Finding{Rule: BadFile, Subject: file, Message: sentence(err), File: file, Lines: lines})
}

// ownLine is a line that is being looked at.
type ownLine struct {
	name, dir string
	line      *lts.Line // nil when it cannot be read
	tag       string    // of the base; empty when nothing tells
	spoken    []string  // vulnerabilities that patches or the ledger name
	patches   []applied
}

func (p *project) line(ctx context.Context, minor release.Minor) error {
	l := &ownLine{name: minor.String(), dir: "lines/" + minor.String()}
	p.lineFile(l)
	entry, err := p.series(l)
	if err != nil {
		return err
	}
	p.report.Lines = append(p.report.Lines, Line{Name: l.name, Base: l.tag, Patches: entry.Patches, Absent: entry.Absent})
	p.ledger(l)
	if l.line != nil {
		p.knownFailures(l)
	}
	if l.tag == "" {
		return nil
	}
	w := wanted{line: l.name, tag: l.tag, upstream: p.upstream, spoken: l.spoken, at: Finding{File: l.dir + "/ledger.yaml"}}
	for _, one := range l.patches {
		for _, c := range one.changes {
			w.changes = append(w.changes, c.told)
		}
		if err := p.origins(ctx, one, []string{l.name}, p.upstream); err != nil {
			return err
		}
	}
	p.wanted = append(p.wanted, w)
	return p.stand(ctx, l.name, l.tag, l.patches)
}

// baseOnly is what of a line.yaml is looked at even where the rest is wrong.
type baseOnly struct {
	Base struct {
		Tag    string `yaml:"tag"`
		Commit string `yaml:"commit"`
	} `yaml:"base"`
}

func (p *project) lineFile(l *ownLine) {
	file := l.dir + "/line.yaml"
	content, err := p.files.Read(file, lts.MaxFile)
	if err != nil {
		p.bad(file, []string{l.name}, err)
		return
	}
	var loose baseOnly
	if yaml.Unmarshal(content, &loose) == nil {
		l.tag = loose.Base.Tag
	}
	if l.tag != "" && loose.Base.Commit == "" {
		p.add(Finding{
			Rule: BaseNotPinned, Subject: l.tag, Message: "base " + l.tag + " of line " + l.name + " has no commit", File: file, Lines: []string{l.name},
			Hint: "write the commit of the tag as base.commit: git rev-parse " + l.tag + "^{commit}",
		})
		return
	}
	if l.line, err = lts.ParseLine(file, content); err != nil {
		p.bad(file, []string{l.name}, err)
		return
	}
	if p.options.Trees == nil {
		return
	}
	at, there := p.options.Trees.Tag(l.tag)
	switch {
	case !there:
		p.unseen("whether " + l.tag + " moved: the clone has no such tag")
	case at != l.line.Base.Commit:
		p.add(Finding{
			Rule: BaseMoved, Subject: l.tag, Message: "base " + l.tag + " of line " + l.name + " is at " + at.Short() + " in the clone, not at " + l.line.Base.Commit.Short(), File: file,
			Lines: []string{l.name},
		})
	}
}

// leftOut finds the patch's name in a comment that an import left.
var leftOut = regexp.MustCompile(`^` + regexp.QuoteMeta(upkeep.LeftOut) + `(.+)$`)

func (p *project) series(l *ownLine) (Line, error) {
	file := l.dir + "/series"
	content, err := p.files.Read(file, lts.MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.bad(file, []string{l.name}, err)
		return Line{}, nil
	}
	there, err := p.files.List(l.dir + "/patches")
	if err != nil {
		return Line{}, err
	}
	row := 0
	for text := range strings.Lines(string(content)) {
		row++
		if m := leftOut.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
			p.add(Finding{Rule: LeftOut, Subject: m[1], Message: "line " + l.name + " was imported without " + m[1], File: file, Row: row, Lines: []string{l.name}})
		}
	}
	series, err := lts.ParseSeries(file, content)
	if err != nil {
		p.bad(file, []string{l.name}, err)
		return Line{}, nil
	}
	entry := Line{Patches: len(series.Entries)}
	named := map[string]bool{}
	for _, e := range series.Entries {
		named[e.Name] = true
		if !slices.Contains(there, e.Name) {
			entry.Absent++
			l.patches = append(l.patches, applied{gap: true})
			p.add(Finding{
				Rule: MissingFile, Subject: e.Name, Message: "patch " + e.Name + " of line " + l.name + " is not there", File: file, Row: e.Line, Lines: []string{l.name},
				Hint: "bring the file to " + l.dir + "/patches, or take the line out of the series",
			})
			continue
		}
		p.patch(l, l.dir+"/patches/"+e.Name)
	}
	for _, name := range there {
		if !named[name] {
			at := l.dir + "/patches/" + name
			p.add(Finding{Rule: OrphanFile, Severity: Error, Subject: at, Message: at + " is not in the series: no command on the line works", File: at, Lines: []string{l.name}})
		}
	}
	return entry, nil
}

// patch looks at one patch of the series.
func (p *project) patch(l *ownLine, file string) {
	at := Finding{Subject: file, File: file, Lines: []string{l.name}}
	content, err := p.files.Read(file, lts.MaxPatch)
	var patch *lts.Patch
	if err == nil {
		patch, err = lts.ParsePatch(path.Base(file), content)
	}
	var c *change
	if err == nil {
		c, err = look(patch.Diff)
	}
	if err != nil {
		at.Rule, at.Message = BadPatch, file+": "+sentence(err)
		p.add(at)
		l.patches = append(l.patches, applied{file: file, gap: true})
		return
	}
	c.tell("", patch)
	l.spoken = append(l.spoken, patch.Fixes()...)
	l.patches = append(l.patches, applied{file: file, changes: []*change{c}})
	if patch.Upstream().IsZero() {
		at.Rule, at.Message = NoUpstreamCommit, file+" has no trailer "+lts.TrailerUpstream
		p.add(at)
	}
	if little := c.little(); len(little) > 0 {
		at.Rule, at.Items = LittleContext, little
		at.Message = file + ": " + itoa(len(little)) + " of " + plural(len(c.hunks), "hunk has", "hunks have") + " fewer than three lines above the change"
		p.add(at)
	}
}

func (p *project) ledger(l *ownLine) {
	file := l.dir + "/ledger.yaml"
	content, err := p.files.Read(file, lts.MaxFile)
	var ledger *lts.Ledger
	if err == nil {
		ledger, err = lts.ParseLedger(file, content)
	}
	if err != nil {
		p.bad(file, []string{l.name}, err)
		return
	}
	for _, e := range ledger.Vulnerabilities {
		l.spoken = append(l.spoken, e.ID)
		if why := e.Contradiction(); why != "" {
			p.add(Finding{
				Rule: Contradicted, Subject: e.ID, Message: e.ID + ": " + why, File: file, Lines: []string{l.name},
				Hint: "look again and decide anew: kubelts line decide " + l.name + " " + e.ID,
			})
		}
	}
}

// knownFailures finds packages whose failures do not count, and patches that change them.
func (p *project) knownFailures(l *ownLine) {
	f := Finding{Rule: ToleratedPackage, Subject: l.name, File: l.dir + "/line.yaml", Lines: []string{l.name}, Hint: "name the tests that fail"}
	for _, known := range l.line.KnownFailures {
		if known.Test != "" || slices.Contains(f.Items, known.Package) {
			continue
		}
		f.Items = append(f.Items, known.Package)
		for _, one := range l.patches {
			if slices.ContainsFunc(one.changes, func(c *change) bool { return c.touches(known.Package) }) {
				p.add(Finding{
					Rule: ToleratedOwn, Subject: known.Package, Message: "line " + l.name + " tolerates failures of " + known.Package + ", which " + one.file + " changes",
					File: f.File, Lines: f.Lines, Items: []string{one.file},
				})
			}
		}
	}
	if len(f.Items) > 0 {
		f.Message = "line " + l.name + " tolerates all failures of " + plural(len(f.Items), "package", "packages")
		p.add(f)
	}
}
