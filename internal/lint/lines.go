package lint

import (
	"context"
	"path"
	"regexp"
	"slices"

	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// Series is a line of EKS Distro or quilt, and what lies around it.
type Series struct {
	foreign.Line

	Upstream string   // owner/name; empty when nothing tells
	Dir      string   // in which the paths of its steps begin
	Base     string   // the file that names the base; empty when none does
	Problem  string   // why it is no line: no release tag, no directory
	Outside  []string // files beside its patches that nothing applies
	Missing  []int    // numbers that are missing among its patches
}

// Lines looks at lines of EKS Distro or at a quilt series.
func Lines(ctx context.Context, kind string, lines []Series, files Files, o Options) (*Report, error) {
	s := &seriesLines{newCollector(kind, files, o)}
	s.pins(lines)
	for i := range lines {
		if err := s.line(ctx, &lines[i]); err != nil {
			return nil, err
		}
	}
	if err := s.vulnerabilities(ctx); err != nil {
		return nil, err
	}
	s.withoutClone()
	return s.finish(), nil
}

type seriesLines struct{ *collector }

// releaseTag is a name that people give to a release and do not move.
var releaseTag = regexp.MustCompile(`^([a-z]+[-/])?v?[0-9]+(\.[0-9]+){1,3}([-+.][0-9A-Za-z.+-]+)?$`)

// pins looks at what lines stand on.
func (s *seriesLines) pins(lines []Series) {
	var tags, names []string
	file := ""
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Tag == "":
			s.unseen("the base of " + l.Name + ": nothing says which release it is for")
		case isCommit(l.Tag):
		case !releaseTag.MatchString(l.Tag):
			s.add(Finding{
				Rule: MutableBase, Severity: Error, Subject: l.Tag, Message: l.Name + " stands on " + l.Tag + ", which is no release: a branch changes whenever somebody pushes",
				File: l.Base, Lines: []string{l.Name}, Hint: "name the tag of a release, and its commit",
			})
		default:
			if !slices.Contains(tags, l.Tag) {
				tags = append(tags, l.Tag)
			}
			names = append(names, l.Name)
			if file = l.Base; file == "" {
				file = l.File
			}
		}
	}
	if len(tags) == 0 {
		return
	}
	if len(names) > 1 {
		file = path.Dir(path.Dir(file)) + "/*/" + path.Base(file)
	}
	s.add(Finding{
		Rule: BaseNotPinned, Subject: file, Message: plural(len(tags), "upstream tag is a base", "upstream tags are bases") + ", none with its commit", File: file, Items: tags,
	})
}

func isCommit(name string) bool {
	_, err := git.ParseOID(name)
	return err == nil
}

func (s *seriesLines) line(ctx context.Context, l *Series) error {
	entry := Line{Name: l.Name, Base: l.Tag, Patches: len(l.Steps)}
	at := Finding{File: l.File, Lines: []string{l.Name}}
	if l.Problem != "" {
		own := at
		own.Rule, own.Subject, own.Message = BrokenBase, l.Name, l.Name+": "+l.Problem
		s.add(own)
	}
	for _, name := range l.Outside {
		own := at
		own.Rule, own.Subject, own.File, own.Message = OrphanFile, name, name, name+" is applied by nothing"
		s.add(own)
	}
	if len(l.Missing) > 0 {
		own := at
		own.Rule, own.Subject = MissingNumber, l.File
		own.Message = l.File + ": among the numbers of its patches " + plural(len(l.Missing), "is missing", "are missing")
		for _, n := range l.Missing {
			own.Items = append(own.Items, itoa(n))
		}
		s.add(own)
	}
	s.twice(l)
	var patches []applied
	claim := wanted{line: l.Name, tag: l.Tag, upstream: l.Upstream, at: at}
	for _, step := range l.Steps {
		claim.spoken = append(claim.spoken, step.Fixes()...)
		one, err := s.step(ctx, l, step, &claim)
		if err != nil {
			return err
		}
		if one.gap {
			entry.Absent++
		}
		patches = append(patches, one)
	}
	s.report.Lines = append(s.report.Lines, entry)
	s.wanted = append(s.wanted, claim)
	if s.options.Upstream != "" && l.Upstream != s.options.Upstream {
		return nil
	}
	return s.stand(ctx, l.Name, l.Tag, patches)
}

// twice finds steps that stand twice: quilt refuses the second, and who reads the series believes that there are two.
func (s *seriesLines) twice(l *Series) {
	seen := map[string]int{}
	for _, step := range l.Steps {
		if first, there := seen[step.Name]; there {
			s.add(Finding{
				Rule: Duplicate, Subject: step.Name, Message: "patch " + step.Name + " stands in row " + itoa(first) + " too", File: l.File, Row: step.Row, Lines: []string{l.Name},
			})
		}
		seen[step.Name] = step.Row
	}
}

// step looks at one patch of a line.
func (s *seriesLines) step(ctx context.Context, l *Series, step foreign.Step, claim *wanted) (applied, error) {
	at := Finding{Subject: step.Name, File: l.File, Row: step.Row, Lines: []string{l.Name}}
	if step.Gap != "" {
		at.Rule, at.Message = BadPatch, "patch "+step.Name+" of "+l.Name+": "+step.Gap
		s.add(at)
		return applied{gap: true}, nil
	}
	source := &foreign.Source{Files: s.files, Dir: l.Dir}
	pieces, err := source.Pieces(ctx, foreign.Line{Steps: []foreign.Step{step}})
	if err != nil {
		return applied{}, err
	}
	one := applied{file: path.Join(l.Dir, step.Items[0].Path)}
	for _, piece := range pieces {
		var c *change
		problem := piece.Gap
		if piece.Patch != nil {
			if c, err = look(piece.Patch.Diff); err != nil {
				problem = sentence(err)
			}
		}
		if c == nil {
			at.Rule, at.Message = s.why(l, step), one.file+" of "+l.Name+": "+problem
			s.add(at)
			one.gap = true
			return one, nil
		}
		c.tell(step.Name, piece.Patch)
		claim.spoken = append(claim.spoken, append(foreign.CVEs(piece.Patch.Subject+"\n"+piece.Patch.Body), piece.Patch.Fixes()...)...)
		claim.changes = append(claim.changes, c.told)
		one.changes = append(one.changes, c)
	}
	s.patch(one, l.Name)
	return one, s.origins(ctx, one, []string{l.Name}, l.Upstream)
}

// why is the rule of a step that cannot be had.
func (s *seriesLines) why(l *Series, step foreign.Step) string {
	item := step.Items[0]
	switch {
	case item.Kind == foreign.KindFile && item.Path == "":
		return BadPath
	case item.Kind != foreign.KindFile:
		return MissingFile
	}
	name := path.Join(l.Dir, item.Path)
	if names, err := s.files.List(path.Dir(name)); err == nil && !slices.Contains(names, path.Base(name)) {
		return MissingFile
	}
	return BadPatch
}

// patch looks at a patch file by itself.
func (c *collector) patch(one applied, name string) {
	at := Finding{Subject: one.file, File: one.file, Lines: []string{name}}
	var little []string
	hunks := 0
	told := false
	for _, change := range one.changes {
		little = append(little, change.little()...)
		hunks += len(change.hunks)
		told = told || len(change.claims) > 0 || change.addressed
	}
	if !told {
		own := at
		own.Rule, own.Message = NoUpstreamCommit, one.file+" names neither commit nor pull request"
		c.add(own)
	}
	if len(little) > 0 {
		at.Rule, at.Items = LittleContext, little
		at.Message = one.file + ": " + itoa(len(little)) + " of " + plural(hunks, "hunk has", "hunks have") + " fewer than three lines above the change"
		c.add(at)
	}
}

// origins compares what a file's patches say that they carry with the clone.
func (c *collector) origins(ctx context.Context, one applied, lines []string, upstream string) error {
	if c.options.Upstream != "" && upstream != c.options.Upstream {
		return nil
	}
	for _, change := range one.changes {
		told := change.claims
		if len(told) == 0 {
			told = change.cures
		}
		if err := c.origin(ctx, claimed{file: one.file, lines: lines, claims: told, diff: change.diff}); err != nil {
			return err
		}
	}
	return nil
}

// withoutClone says what was not looked at for want of a clone.
func (c *collector) withoutClone() {
	if c.options.Trees == nil {
		c.unseen("whether hunks fit, and whether patches are what they say they are: no clone of upstream was named (--repo)")
	}
}

var addressForm = regexp.MustCompile(`/(?:pull|commit)/[0-9a-f]|(?i:origin|applied-upstream|bug|forwarded): *\S`)

// tell keeps what a patch says of itself. The name is what the line calls it.
func (c *change) tell(name string, p *lts.Patch) {
	c.claims = claims(p.Subject, p.Body, p.Upstream())
	for _, id := range append(foreign.CVEs(name+"\n"+p.Subject), p.Fixes()...) {
		c.cures = append(c.cures, claim{text: id, cures: id})
	}
	c.told = NewChange(p.Subject, p.Diff)
	c.addressed = addressForm.MatchString(p.Subject + "\n" + p.Body)
}
