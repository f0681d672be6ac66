package gotypes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Question is a merge to look at.
type Question struct {
	Merged, Ours, Theirs Tree
	Files                []Change
	// Far says to look a step further than usual, which takes longer: for merges that are more than line by line.
	Far bool
}

// Change is a file that the merge changed in the target.
type Change struct {
	Path string // in the merged tree
	From string // in the fix's tree, if it is another path
	// Composed says that the file was put together from both sides by something else than a merge of lines. Then it is a fault as well to mention what
	// nothing in the target's directory mentions of a package outside of the tree.
	Composed bool
}

// Verdict is what was seen.
type Verdict struct {
	Faults []Fault  // sorted by path and line
	Unseen []string // what could not be looked at, and why
}

// Judge looks at the packages of the changed files. What cannot be looked at is no error but stands in the verdict; an error is one of reading, or that
// ctx has ended.
func (c *Checker) Judge(ctx context.Context, q Question) (Verdict, error) {
	var v Verdict
	byDir := map[string]*place{}
	for _, f := range q.Files {
		if !strings.HasSuffix(f.Path, ".go") {
			continue
		}
		dir, from := path.Dir(f.Path), path.Dir(cmp.Or(f.From, f.Path))
		if byDir[dir] == nil {
			byDir[dir] = &place{dir: dir, theirs: from, composed: map[string]bool{}}
		}
		byDir[dir].composed[path.Base(f.Path)] = f.Composed
	}
	dirs := make([]*place, 0, len(byDir))
	for _, p := range byDir {
		dirs = append(dirs, p)
	}
	slices.SortFunc(dirs, func(a, b *place) int { return strings.Compare(a.dir, b.dir) })
	for _, p := range dirs {
		l := &look{ctx: ctx, checker: c, epoch: c.current(), question: q, place: p, seen: map[Fault]bool{}}
		if err := l.guarded(&v); err != nil {
			return Verdict{}, err
		}
	}
	slices.SortStableFunc(v.Faults, func(a, b Fault) int { return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line)) })
	return v, nil
}

// place is a directory, and where the fix's tree has it.
type place struct {
	dir, theirs string
	composed    map[string]bool // files
}

// look is one look at a directory.
type look struct {
	ctx      context.Context //nolint:containedctx // lives as long as one call of Judge
	checker  *Checker
	epoch    *epoch
	question Question
	place    *place
	changed  []changedFile
	change   change
	altered  map[string]bool            // names
	rebound  map[string]map[string]bool // names of packages, by file
	seen     map[Fault]bool
}

// changedFile is a file of the directory that differs from the target's.
type changedFile struct {
	name    string
	was, is *source // nil where there is none
}

// guarded looks, and takes a panic of the type checker, or bytes that do not parse, for something that was not seen.
func (l *look) guarded(v *Verdict) (err error) {
	defer func() {
		if p := recover(); p != nil {
			v.Unseen, err = append(v.Unseen, fmt.Sprintf("%s: %s", l.place.dir, errGaveUp)), nil
		}
	}()
	faults, err := l.directory()
	if unread(err) {
		v.Unseen = append(v.Unseen, fmt.Sprintf("%s: %s", l.place.dir, err))
		return nil
	}
	v.Faults = append(v.Faults, faults...)
	return err
}

func (l *look) directory() ([]Fault, error) {
	if faults, err := l.differences(); len(faults) > 0 || err != nil {
		return faults, err
	}
	files, err := l.files(l.question.Merged, l.place.dir)
	if err != nil {
		return nil, err
	}
	same, err := l.asInFix(files)
	if same || err != nil {
		return nil, err
	}
	faults, err := l.clauses(files)
	if len(faults) > 0 || err != nil {
		return faults, err
	}
	if faults, err = l.unusedImports(); err != nil {
		return nil, err
	}
	l.change, l.rebound = changeOf(l.changed), rebound(l.changed)
	l.altered = l.change.altered()
	unknown, err := l.unknownPackages(files)
	if err != nil {
		return nil, err
	}
	faults = append(faults, unknown...)
	unproven, err := l.unproven()
	if err != nil {
		return nil, err
	}
	faults = append(faults, unproven...)
	leaners, err := l.leaners(files, l.altered)
	if err != nil {
		return nil, err
	}
	for _, build := range l.settings() {
		for _, v := range l.variants(leaners) {
			found, err := l.variant(v, build, leaners)
			if err != nil {
				return nil, err
			}
			faults = append(faults, found...)
		}
	}
	return faults, nil
}

// asInFix reports whether the directory, and those that its changed files import, are as the fix's tree has them: what compiles there compiles here.
func (l *look) asInFix(files map[string]git.OID) (bool, error) {
	theirs, err := l.files(l.question.Theirs, l.place.theirs)
	if err != nil || l.place.theirs != l.place.dir || !maps.Equal(files, theirs) {
		return false, err
	}
	seen := map[string]bool{}
	for _, c := range l.changed {
		if c.is == nil {
			continue
		}
		for _, i := range c.is.imports() {
			if seen[i.path] {
				continue
			}
			seen[i.path] = true
			if same, err := l.importAsInFix(i.path); !same || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (l *look) importAsInFix(imported string) (bool, error) {
	here, known, err := l.question.Merged.Package(l.ctx, l.place.dir, imported)
	if err != nil || !known {
		return false, err
	}
	there, known, err := l.question.Theirs.Package(l.ctx, l.place.theirs, imported)
	if err != nil || !known || here != there {
		return false, err
	}
	if here == "" {
		return true, nil
	}
	a, err := l.files(l.question.Merged, here)
	if err != nil {
		return false, err
	}
	b, err := l.files(l.question.Theirs, there)
	return maps.Equal(a, b), err
}

// variants are the packages of the directory that have something to look at.
func (l *look) variants(leaners map[string]*source) []variant {
	sources := slices.Collect(maps.Values(leaners))
	for _, c := range l.changed {
		if c.is != nil {
			sources = append(sources, c.is)
		}
	}
	var out []variant
	if slices.ContainsFunc(sources, func(s *source) bool { return !s.apart() }) {
		out = append(out, tested)
	}
	if slices.ContainsFunc(sources, (*source).apart) {
		out = append(out, external)
	}
	return out
}

func (l *look) files(t Tree, dir string) (map[string]git.OID, error) {
	list, err := t.Files(l.ctx, dir)
	if err != nil {
		return nil, err
	}
	out := map[string]git.OID{}
	for _, f := range list {
		out[f.Name] = f.OID
	}
	return out, nil
}

// differences reads the files in which the merged directory differs from the target's. A fault is a file that does not parse.
func (l *look) differences() ([]Fault, error) {
	ours, err := l.files(l.question.Ours, l.place.dir)
	if err != nil {
		return nil, err
	}
	merged, err := l.files(l.question.Merged, l.place.dir)
	if err != nil {
		return nil, err
	}
	names := maps.Clone(ours)
	maps.Copy(names, merged)
	var faults []Fault
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if ours[name] == merged[name] {
			continue
		}
		c, err := l.changedFile(name, ours, merged)
		if errors.Is(err, errSyntax) {
			if c.was != nil && !l.brokenThere(name) {
				faults = append(faults, Fault{Path: path.Join(l.place.dir, name), Kind: Syntax, Note: err.Error()})
			}
			continue // what is no Go on either side need not be any here
		}
		if err != nil {
			return nil, err
		}
		l.changed = append(l.changed, c)
	}
	return faults, nil
}

// changedFile reads both versions of a file. An error is about the merged one.
func (l *look) changedFile(name string, ours, merged map[string]git.OID) (changedFile, error) {
	c := changedFile{name: name}
	var err error
	if id, ok := ours[name]; ok {
		if c.was, err = l.read(l.question.Ours, name, id, text); err != nil && !unread(err) {
			return c, err
		}
	}
	if id, ok := merged[name]; ok {
		if c.is, err = l.read(l.question.Merged, name, id, full); err != nil {
			return c, err
		}
	}
	return c, nil
}

// brokenThere reports whether the fix's file of that name does not parse.
func (l *look) brokenThere(name string) bool {
	files, err := l.files(l.question.Theirs, l.place.theirs)
	if err != nil {
		return false
	}
	_, err = l.read(l.question.Theirs, name, files[name], full)
	return errors.Is(err, errSyntax)
}

// read parses a file that the look is about.
func (l *look) read(t Tree, name string, id git.OID, keep extent) (*source, error) {
	content, err := t.Blob(l.ctx, id)
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, &git.OversizeError{OID: id, Size: int64(len(content)), Limit: maxFile}
	}
	s, err := parse(l.epoch.fset, name, content, keep)
	if err != nil || s == nil {
		return nil, fmt.Errorf("%w: %w", errSyntax, err)
	}
	return s, nil
}

// settings are the builds that have the changed files, the usual one first if any file is in it.
func (l *look) settings() []setting {
	var out []setting
	for _, c := range l.changed {
		for _, s := range []*source{c.is, c.was} {
			if s == nil {
				continue
			}
			build, ok := settingFor(s.cond)
			if ok && !slices.ContainsFunc(out, func(o setting) bool { return o.holds(s.cond) }) {
				out = append(out, build)
			}
			break
		}
	}
	const most = 3
	return out[:min(len(out), most)]
}

// variant looks at one package of the directory in one build.
func (l *look) variant(v variant, build setting, leaners map[string]*source) ([]Fault, error) {
	s := l.slice(l.question.Merged, build)
	for _, c := range l.changed {
		if c.is != nil {
			s.whole[path.Join(l.place.dir, c.name)] = c.is
		}
	}
	for name, src := range leaners {
		s.whole[path.Join(l.place.dir, name)] = src
	}
	p, err := s.root(l.place.dir, v)
	if p == nil || err != nil {
		return nil, err
	}
	roots := l.roots(p)
	found, err := s.look(p, roots)
	if len(found) == 0 || err != nil {
		return nil, err
	}
	known, err := l.known(v, build, keysOf(found, roots))
	if err != nil {
		return nil, err
	}
	var out []Fault
	for _, c := range found {
		f := s.fault(p, c)
		if known[c.key()] || l.seen[f] {
			continue
		}
		l.seen[f] = true
		out = append(out, f)
	}
	return out, nil
}

// keysOf tells the declarations that are complained about; all roots where a complaint is about none of them.
func keysOf(found []complaint, roots []*entry) map[string]bool {
	keys := map[string]bool{}
	for _, c := range found {
		if c.root != nil {
			keys[c.root.key] = true
			continue
		}
		for _, e := range roots {
			keys[e.key] = true
		}
	}
	return keys
}

// look type-checks some declarations of a package.
func (s *slice) look(p *pkg, roots []*entry) ([]complaint, error) {
	if len(roots) == 0 {
		return nil, nil
	}
	if err := s.grow(p, roots); err != nil {
		return nil, err
	}
	return s.complaints(p)
}

// known are the complaints about the same declarations in the target as it was and in the fix's tree: what we do not see.
func (l *look) known(v variant, build setting, keys map[string]bool) (map[string]bool, error) {
	out := map[string]bool{}
	for _, side := range []struct {
		tree Tree
		dir  string
	}{{l.question.Ours, l.place.dir}, {l.question.Theirs, l.place.theirs}} {
		found, err := l.knownOf(l.slice(side.tree, build), side.dir, v, keys)
		if err != nil && !unread(err) {
			return nil, err
		}
		for _, c := range found {
			out[c.key()] = true
		}
	}
	return out, nil
}

func (l *look) knownOf(s *slice, dir string, v variant, keys map[string]bool) ([]complaint, error) {
	p, err := s.root(dir, v)
	if p == nil || err != nil {
		return nil, err
	}
	if p, err = l.reread(s, p, v, keys); p == nil || err != nil {
		return nil, err
	}
	var roots []*entry
	for _, f := range p.files {
		for _, e := range f.entries {
			if f.whole && keys[e.key] {
				roots = append(roots, e)
			}
		}
	}
	return s.look(p, roots)
}

// reread reads the files of a package that have entries of some keys in full.
func (l *look) reread(s *slice, p *pkg, v variant, keys map[string]bool) (*pkg, error) {
	files, err := l.files(s.tree, p.dir)
	if err != nil {
		return nil, err
	}
	for _, f := range p.files {
		if !slices.ContainsFunc(f.entries, func(e *entry) bool { return keys[e.key] }) {
			continue
		}
		name := f.name
		if s.whole[path.Join(p.dir, name)], err = l.read(s.tree, name, files[name], full); err != nil {
			return nil, err
		}
	}
	clear(s.packages)
	return s.root(p.dir, v)
}

func (l *look) slice(t Tree, build setting) *slice {
	steps := maxDepth
	if l.question.Far {
		steps++
	}
	return &slice{
		steps: steps, ctx: l.ctx, checker: l.checker, epoch: l.epoch, tree: t, build: build,
		packages: map[string]*pkg{}, dirs: map[[2]string]string{}, whole: map[string]*source{},
	}
}

// root loads the package that is looked at. An external test sees the package beside it with its own tests.
func (s *slice) root(dir string, v variant) (*pkg, error) {
	p, err := s.pkg(dir, tested)
	if v == tested || err != nil {
		return p, err
	}
	return s.pkg(dir, v)
}
