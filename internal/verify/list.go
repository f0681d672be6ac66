package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
)

// side is one of the two trees, with its packages.
type side struct {
	*tree
	units    []*unit
	packages map[string]*pkg // those of the tree and those that it imports, by key; the standard library left out
	targets  []*pkg          // what is to be verified, by unit and import path
	notes    []string
	scrub    *strings.Replacer // takes the paths of this machine out of a text
}

// unit is a directory in which the go program is called.
type unit struct {
	dir      string // relative to the root
	flag     string // -mod=vendor, or empty
	patterns []string
}

// pkg is a package as go list sees it.
type pkg struct {
	key        string
	importPath string
	unit       *unit
	version    string // of the module that it comes from, for packages outside of the tree
	imports    []string
	testOnly   []string // imports of its tests
	files      []string // embedded ones, as paths in the tree
	hasCode    bool     // other than tests
	hasTests   bool
	unbuilt    bool   // build constraints leave no file for this platform
	broken     string // why go list could not load it
	requested  bool   // by a pattern, not only as a dependency
}

// listed is what go list prints of a package; see "go help list".
type listed struct {
	Dir, ImportPath, Name                                        string
	Standard, DepOnly                                            bool
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles, IgnoredGoFiles []string
	EmbedFiles, TestEmbedFiles, XTestEmbedFiles                  []string
	Imports, TestImports, XTestImports                           []string
	ImportMap                                                    map[string]string
	Module                                                       *listedModule
	Error                                                        *listedError
	DepsErrors                                                   []*listedError
}

type listedModule struct {
	Path, Version string
	Replace       *listedModule
}

type listedError struct{ Err string }

const listFields = "Dir,ImportPath,Name,Standard,DepOnly,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,IgnoredGoFiles,EmbedFiles,TestEmbedFiles,XTestEmbedFiles," +
	"Imports,TestImports,XTestImports,ImportMap,Module,Error,DepsErrors"

// newSide looks at a tree and lists its packages.
func (t *tool) newSide(ctx context.Context, dir string, changed []string) (*side, error) {
	root, err := realPath(dir)
	if err != nil {
		return nil, err
	}
	if t.build.Mode == lts.ModeGOPATH && !strings.HasSuffix(filepath.ToSlash(root), "/src/"+t.build.ImportPath) {
		return nil, errs.New(errs.Internal, "directory %s does not end in /src/%s", root, t.build.ImportPath)
	}
	found, err := scan(ctx, root)
	if err != nil {
		return nil, err
	}
	s := &side{tree: found, packages: map[string]*pkg{}, scrub: t.scrubber(root)}
	if err := t.findUnits(s, changed); err != nil {
		return nil, err
	}
	for _, u := range s.units {
		err := t.list(ctx, s, u)
		if err != nil && strings.Contains(err.Error(), "inconsistent vendoring") {
			u.flag = "-mod=readonly"
			s.notes = append(s.notes, u.dir+": its vendor directory does not fit its go.mod, so modules are used instead")
			err = t.list(ctx, s, u)
		}
		if err != nil {
			holdsChange := slices.ContainsFunc(changed, func(p string) bool { return s.module(path.Dir(p)) == u.dir })
			if u.dir == "." || holdsChange {
				return nil, errs.WithHint(err, "%s", t.moduleHint())
			}
			s.notes = append(s.notes, fmt.Sprintf("module %s was not looked at: %s", u.dir, firstLine(err.Error())))
		}
	}
	return s, nil
}

// findUnits decides where the go program is called, and for which packages. What a vendor directory links to is listed through the link: only there
// it has the import path by which the rest of the tree knows it.
func (t *tool) findUnits(s *side, changed []string) error {
	if t.build.Mode == lts.ModeGOPATH {
		u := &unit{dir: ".", patterns: []string{"./..."}}
		for _, dir := range s.goDirs {
			for _, link := range s.linked(dir) {
				u.patterns = append(u.patterns, "./"+link)
			}
		}
		s.units = []*unit{u}
		return nil
	}
	if len(s.modules) == 0 {
		return errs.WithHint(errs.New(errs.NotFound, "no go.mod"), "set build.mode: gopath and build.importPath in line.yaml for sources from before modules")
	}
	for _, dir := range s.modules {
		if len(s.linked(dir)) > 0 || !s.needsListing(dir, changed) {
			continue
		}
		s.units = append(s.units, t.moduleUnit(s, dir))
	}
	return nil
}

func (t *tool) moduleUnit(s *side, dir string) *unit {
	u := &unit{dir: dir, patterns: []string{"./..."}}
	if flag, note := s.vendoring(dir); flag != "" && !t.linesMod() {
		u.flag = flag
		s.notes = append(s.notes, note)
	}
	for _, goDir := range s.goDirs {
		for _, link := range s.linked(goDir) {
			if importPath, ok := strings.CutPrefix(link, path.Join(dir, "vendor")+"/"); ok {
				u.patterns = append(u.patterns, importPath)
			}
		}
	}
	return u
}

// list adds the packages of a unit, and those that they import, to the side's.
func (t *tool) list(ctx context.Context, s *side, u *unit) error {
	fields := "-json=" + listFields
	if t.minor < 19 {
		fields = "-json"
	}
	byPath := map[string]*pkg{}
	raw := map[string]*listed{}
	var order []*listed
	c := t.command(s, u, append(append(u.args("list"), "-e", "-deps", fields), u.patterns...))
	err := t.builder.runner.Stream(ctx, c, func(r io.Reader) error {
		for dec := json.NewDecoder(r); ; {
			l := &listed{}
			if err := dec.Decode(l); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if !l.Standard {
				order = append(order, l)
			}
		}
	})
	if err != nil {
		return fmt.Errorf("list packages in %s: %w", u.dir, err)
	}
	for _, l := range order {
		p := t.newPkg(s, u, l)
		if len(p.key) > 0 && p.requested && t.shadowed(s, p) {
			continue
		}
		byPath[l.ImportPath], raw[l.ImportPath] = p, l
	}
	for importPath, p := range byPath {
		p.resolve(raw[importPath], t.finder(raw[importPath], byPath))
		if have := s.packages[p.key]; have == nil || p.requested && !have.requested {
			s.packages[p.key] = p
		}
	}
	return nil
}

// shadowed reports whether a package of a GOPATH tree was listed by a path that nothing imports it by, because a vendor directory links to it.
func (t *tool) shadowed(s *side, p *pkg) bool {
	return t.build.Mode == lts.ModeGOPATH && len(s.linked(p.key)) > 0 && !strings.Contains(p.importPath, "/vendor/")
}

func (t *tool) newPkg(s *side, u *unit, l *listed) *pkg {
	p := &pkg{
		key: "@" + l.ImportPath, importPath: l.ImportPath, unit: u, requested: !l.DepOnly,
		hasCode: len(l.GoFiles)+len(l.CgoFiles) > 0, hasTests: len(l.TestGoFiles)+len(l.XTestGoFiles) > 0,
	}
	if l.Dir != "" {
		if real, err := filepath.EvalSymlinks(l.Dir); err == nil {
			if rel, err := filepath.Rel(s.root, real); err == nil && filepath.IsLocal(rel) {
				p.key = filepath.ToSlash(rel)
			}
		}
	}
	if m := l.Module; m != nil {
		p.version = m.Path + "@" + m.Version
		if m.Replace != nil {
			p.version += "=>" + m.Replace.Path + "@" + m.Replace.Version
		}
	}
	for _, f := range slices.Concat(l.EmbedFiles, l.TestEmbedFiles, l.XTestEmbedFiles) {
		p.files = append(p.files, path.Join(p.key, f))
	}
	switch {
	case l.Error != nil && !p.hasCode && !p.hasTests && len(l.IgnoredGoFiles) > 0:
		p.unbuilt = true
	case l.Error != nil && !p.hasCode && p.hasTests && strings.Contains(l.Error.Err, "no non-test Go files"):
	case l.Error != nil:
		p.broken = l.Error.Err
	case len(l.DepsErrors) > 0:
		p.broken = l.DepsErrors[0].Err
	}
	return p
}

// finder finds what a package imports by a path. In a GOPATH tree the vendor directories on the way up are looked at first, as the go program does.
func (t *tool) finder(l *listed, byPath map[string]*pkg) func(name string) (key string, ok bool) {
	return func(name string) (string, bool) {
		if mapped, ok := l.ImportMap[name]; ok {
			name = mapped
		}
		if t.build.Mode == lts.ModeGOPATH {
			for dir := l.ImportPath; dir != "."; dir = path.Dir(dir) {
				if found, ok := byPath[dir+"/vendor/"+name]; ok {
					return found.key, true
				}
			}
		}
		found, ok := byPath[name]
		if !ok {
			return "", false
		}
		return found.key, true
	}
}

// resolve turns import paths into keys.
func (p *pkg) resolve(l *listed, key func(string) (string, bool)) {
	for _, name := range l.Imports {
		if k, ok := key(name); ok {
			p.imports = append(p.imports, k)
		}
	}
	for _, name := range slices.Concat(l.TestImports, l.XTestImports) {
		if k, ok := key(name); ok {
			p.testOnly = append(p.testOnly, k)
		}
	}
}

// choose sets what is to be verified on this side.
func (s *side) choose(keys map[string]bool) {
	for key := range keys {
		p, ok := s.packages[key]
		switch {
		case !ok || strings.HasPrefix(key, "@"):
		case p.unbuilt:
			s.notes = append(s.notes, p.importPath+" has no file for this platform: not verified")
		default:
			s.targets = append(s.targets, p)
		}
	}
	slices.SortFunc(s.targets, func(a, b *pkg) int {
		if c := strings.Compare(a.unit.dir, b.unit.dir); c != 0 {
			return c
		}
		return strings.Compare(a.importPath, b.importPath)
	})
	slices.Sort(s.notes)
}

func (s *side) importPaths() []string {
	paths := make([]string, len(s.targets))
	for i, p := range s.targets {
		paths[i] = p.importPath
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// args starts the arguments of a call in the unit.
func (u *unit) args(verb string) []string {
	if u.flag == "" {
		return []string{verb}
	}
	return []string{verb, u.flag}
}

// command is a call of the go program in a unit of a tree.
func (t *tool) command(s *side, u *unit, args []string) command.Cmd {
	dir := filepath.Join(s.root, filepath.FromSlash(u.dir))
	return command.Cmd{Argv: append([]string{t.program}, args...), Dir: dir, Env: t.environment(s.root, dir), Limits: t.limits}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
