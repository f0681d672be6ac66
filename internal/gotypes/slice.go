package gotypes

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Bounds of one look.
const (
	maxDepth    = 2
	maxEntries  = 4000
	maxPackages = 400
	maxFile     = 4 << 20
)

// slice is the part of a tree that some declarations lean on: those declarations, what they mention, what that mentions and so on, a few steps far. What
// is further away is left out, and types that need it are unknown, about which nothing is said.
type slice struct {
	ctx      context.Context //nolint:containedctx // a slice lives as long as one look
	checker  *Checker
	epoch    *epoch
	tree     Tree
	build    setting
	steps    int                  // how far what declarations mention is followed
	packages map[string]*pkg      // by directory; that of an external test by directory and suffix
	dirs     map[[2]string]string // where a directory's files find what they import; empty for what is not in the tree
	count    int
	whole    map[string]*source // files that are read in full, by path
}

// pkg is a package of a slice.
type pkg struct {
	dir     string
	path    string // how files of the slice import it
	name    string
	files   []*source
	blind   bool            // a file could not be read: that it lacks a name cannot be said
	entries map[*entry]bool // that are in; true for those that are in with their bodies
	binds   map[*source]binding
}

type binding struct {
	names map[string]imported
	dots  []imported
}

// variant says which files of a directory make a package.
type variant int

const (
	plain    variant = iota
	tested           // with its own tests
	external         // the tests that are a package of their own
)

func (v variant) suffix() string {
	if v == external {
		return "_test"
	}
	return ""
}

// pkg loads a package. It is nil if the directory has none.
func (s *slice) pkg(dir string, v variant) (*pkg, error) {
	key := dir + v.suffix()
	if p, ok := s.packages[key]; ok {
		return p, nil
	}
	if len(s.packages) >= maxPackages {
		return nil, nil //nolint:nilnil // nil means that there is no such package in the slice
	}
	files, err := s.tree.Files(s.ctx, dir)
	if err != nil {
		return nil, err
	}
	p := &pkg{dir: dir, path: "in/" + key, entries: map[*entry]bool{}, binds: map[*source]binding{}}
	for _, f := range files {
		if strings.HasSuffix(f.Name, "_test.go") && v == plain || strings.HasPrefix(f.Name, "_") || strings.HasPrefix(f.Name, ".") {
			continue
		}
		src, err := s.source(path.Join(dir, f.Name), f.OID)
		if unread(err) {
			p.blind = true
			continue
		}
		if err != nil {
			return nil, err
		}
		if src != nil && src.apart() == (v == external) && s.build.holds(src.cond) {
			p.files = append(p.files, src)
		}
	}
	p.settle()
	if len(p.files) == 0 {
		p = nil
	}
	s.packages[key] = p
	return p, nil
}

// apart reports whether a file is of a package for tests alone.
func (s *source) apart() bool {
	return strings.HasSuffix(s.name, "_test.go") && strings.HasSuffix(s.file.Name.Name, "_test")
}

// settle keeps the files of one package only, that which most files of the directory belong to.
func (p *pkg) settle() {
	votes := map[string]int{}
	for _, f := range p.files {
		votes[f.file.Name.Name]++
	}
	for name, n := range votes {
		if n > votes[p.name] || n == votes[p.name] && name < p.name {
			p.name = name
		}
	}
	p.files = slices.DeleteFunc(p.files, func(f *source) bool { return f.file.Name.Name != p.name })
}

// unread reports whether an object is not to be had, which is no reason to fail.
func unread(err error) bool {
	if _, absent := errors.AsType[*git.AbsentError](err); absent {
		return true
	}
	if _, large := errors.AsType[*git.OversizeError](err); large {
		return true
	}
	return errors.Is(err, errSyntax) || errors.Is(err, errGaveUp)
}

var errSyntax = errors.New("does not parse")

// source is a parsed file of the tree.
func (s *slice) source(file string, id git.OID) (*source, error) {
	if src, ok := s.whole[file]; ok {
		return src, nil
	}
	return s.checker.source(s.ctx, s.epoch, s.tree, File{Name: path.Base(file), OID: id})
}

// grow takes in what roots lean on.
func (s *slice) grow(p *pkg, roots []*entry) error {
	level := make([]at, 0, len(roots))
	for _, e := range roots {
		level = append(level, at{p, e})
		p.entries[e] = true
		s.count++
	}
	for _, e := range roots {
		if e.recv == "" {
			for _, name := range e.names {
				level = append(level, s.take(p, name)...) // what else is declared by this name
			}
		}
	}
	for depth := 0; depth <= s.steps && len(level) > 0; depth++ {
		var next []at
		for i := 0; i < len(level); i++ {
			if err := s.ctx.Err(); err != nil {
				return err
			}
			near, far, err := s.leansOn(level[i], s.steps-depth)
			if err != nil {
				return err
			}
			level, next = append(level, near...), append(next, far...)
		}
		level = next
	}
	return nil
}

// at is an entry of a package.
type at struct {
	pkg   *pkg
	entry *entry
}

// leansOn takes in what an entry mentions: near is what belongs to it, far what is a step away, if there is a step left.
func (s *slice) leansOn(a at, steps int) (near, far []at, err error) {
	b, err := s.binding(a.pkg, a.entry.src)
	if err != nil {
		return nil, nil, err
	}
	uses := a.entry.used()
	for _, u := range uses {
		if !u.within && steps == 0 {
			continue
		}
		found, err := s.find(a.pkg, b, u)
		if err != nil {
			return nil, nil, err
		}
		if u.within {
			near = append(near, found...)
		} else {
			far = append(far, found...)
		}
	}
	if a.entry.recv == "" {
		for _, name := range a.entry.names {
			near = append(near, s.takeMethods(a.pkg, name)...)
		}
	}
	return near, far, nil
}

// find takes in what a use may mean.
func (s *slice) find(p *pkg, b binding, u use) ([]at, error) {
	if u.qualifier == "" {
		found := s.take(p, u.name)
		for _, i := range b.dots {
			other, err := s.imported(p, i.path)
			if other == nil || err != nil {
				return found, err
			}
			found = append(found, s.take(other, u.name)...)
		}
		return found, nil
	}
	i, ok := b.names[u.qualifier]
	if !ok {
		return nil, nil
	}
	other, err := s.imported(p, i.path)
	if other == nil || err != nil {
		return nil, err
	}
	return s.take(other, u.name), nil
}

// imported is the package that files of p import by a path; nil if it is not in the tree.
func (s *slice) imported(p *pkg, imported string) (*pkg, error) {
	dir, err := s.where(p, imported)
	if dir == "" || err != nil {
		return nil, err
	}
	return s.pkg(dir, plain)
}

// where is the directory that files of p import by a path; empty if it is not in the tree.
func (s *slice) where(p *pkg, imported string) (string, error) {
	key := [2]string{p.dir, imported}
	dir, ok := s.dirs[key]
	if ok {
		return dir, nil
	}
	dir, _, err := s.tree.Package(s.ctx, p.dir, imported)
	if err == nil {
		s.dirs[key] = dir
	}
	return dir, err
}

// take puts what is declared by a name into the slice, and returns what was not in it.
func (s *slice) take(p *pkg, name string) []at {
	var out []at
	for _, f := range p.files {
		out = s.add(out, p, f.decls[name])
	}
	return out
}

// takeMethods does the same with the methods of a type.
func (s *slice) takeMethods(p *pkg, name string) []at {
	var out []at
	for _, f := range p.files {
		out = s.add(out, p, f.methods[name])
	}
	return out
}

func (s *slice) add(to []at, p *pkg, entries []*entry) []at {
	for _, e := range entries {
		if _, in := p.entries[e]; in || s.count >= maxEntries {
			continue
		}
		s.count++
		p.entries[e] = false
		to = append(to, at{p, e})
	}
	return to
}

// binding finds out what the imports of a file are.
func (s *slice) binding(p *pkg, src *source) (binding, error) {
	if b, ok := p.binds[src]; ok {
		return b, nil
	}
	var b binding
	for _, i := range src.imports() {
		if i.name == "." {
			b.dots = append(b.dots, i)
		}
	}
	var failed error
	b.names = src.bind(src.qualifiers(), func(imported string) string {
		other, err := s.imported(p, imported)
		if err != nil {
			failed = err
		}
		if other == nil {
			return ""
		}
		return other.name
	})
	p.binds[src] = b
	return b, failed
}

// qualifiers are the names before a dot in a file, as far as it is kept.
func (s *source) qualifiers() map[string]bool {
	s.once.Do(func() {
		if s.content != nil {
			s.before = dotted(s.content)
			return
		}
		s.before = map[string]bool{}
		for _, e := range s.entries {
			for _, u := range e.used() {
				if u.qualifier != "" {
					s.before[u.qualifier] = true
				}
			}
		}
	})
	return s.before
}
