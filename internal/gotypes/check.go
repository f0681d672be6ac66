package gotypes

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// complaint is what the type checker says about a root.
type complaint struct {
	err  types.Error
	root *entry // nil for what belongs to no root
	node ast.Node
}

// check type-checks the slice from its package p, whose entries marked true have bodies, and returns what is wrong with those.
func (s *slice) check(p *pkg) ([]complaint, *types.Info, error) {
	c := &checking{slice: s, done: map[*pkg]*types.Package{}, byPath: map[string]*pkg{}}
	for _, q := range s.packages {
		if q != nil {
			c.byPath[q.path] = q
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	var found []types.Error
	err := s.checker.bounded(s.ctx, func() {
		_, _ = c.pkg(p, info, func(err error) { // what is wrong is reported
			if e, ok := errors.AsType[types.Error](err); ok {
				found = append(found, e)
			}
		})
	})
	if err != nil {
		return nil, nil, err
	}
	var out []complaint
	for _, e := range found {
		if strings.HasPrefix(e.Msg, "could not import ") || strings.HasPrefix(e.Msg, "\t") {
			continue
		}
		at := complaint{err: e}
		for root, whole := range p.entries {
			if whole && root.decl.Pos() <= e.Pos && e.Pos <= root.decl.End() {
				at.root = root
			}
		}
		if at.root != nil || isDuplicate(e.Msg) {
			out = append(out, at)
		}
	}
	return out, info, nil
}

// Types can be written whose checking takes practically for ever, and the type checker cannot be stopped.
const (
	maxTime      = 10 * time.Second
	maxAbandoned = 2 // how often it is left running before nothing is checked any more
)

var errGaveUp = errors.New("the type checker gave up")

// bounded runs the type checker, and leaves it to itself when it takes too long.
func (c *Checker) bounded(ctx context.Context, check func()) error {
	if c.abandoned.Load() >= maxAbandoned {
		return errGaveUp
	}
	limited, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if recover() != nil {
				err = errGaveUp
			}
			done <- err
		}()
		check()
	}()
	select {
	case err := <-done:
		return err
	case <-limited.Done():
		c.abandoned.Add(1)
		if err := ctx.Err(); err != nil {
			return err
		}
		return errGaveUp
	}
}

func isDuplicate(msg string) bool {
	return strings.Contains(msg, " redeclared in this block") || strings.Contains(msg, "already declared")
}

// checking is one run of the type checker over a slice: every package is checked once.
type checking struct {
	slice  *slice
	done   map[*pkg]*types.Package // nil while it is being checked
	byPath map[string]*pkg
}

var errOutside = errors.New("not looked at")

// Import implements [types.Importer]. With an error the checker takes the package for one about which nothing is known.
func (c *checking) Import(imported string) (*types.Package, error) {
	if p := c.byPath[imported]; p != nil {
		return c.pkg(p, nil, func(error) {})
	}
	name := imported[strings.LastIndexByte(imported, '/')+1:]
	return types.NewPackage(imported, name), errOutside
}

func (c *checking) pkg(p *pkg, info *types.Info, report func(error)) (*types.Package, error) {
	if t, ok := c.done[p]; ok {
		if t == nil {
			return types.NewPackage(p.path, p.name), errOutside // packages that import each other
		}
		if p.blind {
			return t, errOutside
		}
		return t, nil
	}
	c.done[p] = nil
	conf := types.Config{Importer: c, Error: report, FakeImportC: true, DisableUnusedImportCheck: true}
	t, _ := conf.Check(p.path, c.slice.epoch.fset, c.files(p), info) // errors are reported
	c.done[p] = t
	if p.blind && info == nil {
		return t, errOutside
	}
	return t, nil
}

// files are the files of a package with nothing but the entries that are in the slice.
func (c *checking) files(p *pkg) []*ast.File {
	bySource := map[*source][]*entry{}
	for e := range p.entries {
		bySource[e.src] = append(bySource[e.src], e)
	}
	var out []*ast.File
	for _, src := range p.files {
		entries := bySource[src]
		if len(entries) == 0 && src != p.files[0] {
			continue // one file there must be, to give the package its name
		}
		slices.SortFunc(entries, func(a, b *entry) int { return int(a.decl.Pos() - b.decl.Pos()) })
		f := &ast.File{Package: src.file.Package, Name: src.file.Name, FileStart: src.file.FileStart, FileEnd: src.file.FileEnd}
		if specs := c.imports(p, src, entries); len(specs) > 0 {
			f.Decls = append(f.Decls, &ast.GenDecl{TokPos: specs[0].Pos(), Tok: token.IMPORT, Specs: specs})
		}
		for _, e := range entries {
			decl := e.decl
			if d, ok := decl.(*ast.FuncDecl); ok && !p.entries[e] {
				decl = bare(d)
			}
			f.Decls = append(f.Decls, decl)
		}
		out = append(out, f)
	}
	return out
}

// imports are the imports that some entries of a file use, each by a path that tells which package of the slice it is.
func (c *checking) imports(p *pkg, src *source, entries []*entry) []ast.Spec {
	b := p.binds[src]
	used := map[string]bool{}
	for _, e := range entries {
		for _, u := range e.used() {
			used[u.qualifier] = true
		}
	}
	var out []ast.Spec
	add := func(name string, i imported) {
		spec := &ast.ImportSpec{Name: &ast.Ident{NamePos: i.spec.Pos(), Name: name}, EndPos: i.spec.End()}
		spec.Path = &ast.BasicLit{ValuePos: i.spec.Path.Pos(), Kind: token.STRING, Value: strconv.Quote(c.slice.pathFor(p, i.path, name))}
		out = append(out, spec)
	}
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		if used[name] {
			add(name, b.names[name])
		}
	}
	for _, i := range b.dots {
		add(".", i)
	}
	return out
}

// settle finds out where all that the slice's declarations mention is imported from, also by those that are followed no further: it may be in the slice
// on another way.
func (s *slice) settle() error {
	for _, p := range s.packages {
		if p == nil {
			continue
		}
		for e := range p.entries {
			b, err := s.binding(p, e.src)
			if err != nil {
				return err
			}
			for _, u := range e.used() {
				i, ok := b.names[u.qualifier]
				if !ok {
					continue
				}
				if _, err := s.where(p, i.path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pathFor is how files in a slice import a package.
func (s *slice) pathFor(p *pkg, imported, name string) string {
	if imported == "C" || imported == "unsafe" {
		return imported
	}
	if dir := s.dirs[[2]string{p.dir, imported}]; dir != "" {
		if q := s.packages[dir]; q != nil {
			return q.path
		}
	}
	return fmt.Sprintf("out/%x/%s", imported, strings.Trim(name, "."))
}
