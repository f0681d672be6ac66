package gotypes

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kubelts/kubelts/internal/gomerge"
)

// source is one parsed file: what it declares and imports. It is shared and not changed.
type source struct {
	name    string // of the file, without directory
	file    *ast.File
	tok     *token.File
	content []byte // nil but for files that the look is about
	whole   bool   // whether functions have bodies
	cond    condition
	decls   map[string][]*entry // by name; what has none is not there
	methods map[string][]*entry // by the name of the receiver's type
	entries []*entry            // all, in order
	weight  int                 // a measure of the memory it takes

	once   sync.Once
	before map[string]bool // names before a dot
}

// entry is one declaration, or one spec of a group of variables or types; constants stay together.
type entry struct {
	src   *source
	key   string    // tells it from others of the package: kind, receiver, names
	names []string  // it declares
	recv  string    // of a method
	end   token.Pos // also where the body is left out
	decl  ast.Decl

	once sync.Once
	uses []use
}

// use is a name that a declaration mentions, which may or may not be one of the package or of an import.
type use struct {
	qualifier string // before the dot, if it may be an import
	name      string
	within    bool // what is declared with it belongs to who uses it: an embedded type, the type behind a name
}

// extent says how much of a file is kept.
type extent int

const (
	outline extent = iota // declarations without the bodies of functions
	text                  // the same, and the file's text
	full                  // everything
)

// parse reads a file.
func parse(fset *token.FileSet, name string, content []byte, keep extent) (*source, error) {
	src := content
	if keep != full {
		src = skeleton(content, keep == text)
	}
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if f == nil || f.Name == nil {
		return nil, err
	}
	s := &source{name: path.Base(name), file: f, tok: fset.File(f.FileStart), cond: conditionOf(name, content), decls: map[string][]*entry{}, methods: map[string][]*entry{}}
	if keep != outline {
		s.content, s.whole = content, keep == full
	}
	for _, d := range f.Decls {
		s.add(d)
	}
	f.Decls = nil
	for _, e := range s.entries {
		s.weight += int(e.decl.End()-e.decl.Pos()) + 64
	}
	return s, err
}

func (s *source) add(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		e := &entry{src: s, decl: d, end: d.End(), names: []string{d.Name.Name}, recv: gomerge.Receiver(d)}
		e.key = "func " + e.recv + "." + d.Name.Name
		if !s.whole {
			e.decl = bare(d)
		}
		s.take(e)
	case *ast.GenDecl:
		if d.Tok == token.CONST {
			s.constants(d)
		}
		if d.Tok == token.VAR || d.Tok == token.TYPE {
			s.specs(d)
		}
	}
}

// constants takes a group as one: what one of them is may depend on where it stands.
func (s *source) constants(d *ast.GenDecl) {
	e := &entry{src: s, decl: d, end: d.End()}
	for _, spec := range d.Specs {
		e.names = append(e.names, specNames(spec)...)
	}
	e.key = "const " + strings.Join(e.names, " ")
	s.take(e)
}

func (s *source) specs(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		e := &entry{src: s, end: spec.End(), names: specNames(spec)}
		e.key = d.Tok.String() + " " + strings.Join(e.names, " ")
		if v, ok := spec.(*ast.ValueSpec); ok && !s.whole {
			spec = bareValue(v)
		}
		e.decl = &ast.GenDecl{TokPos: spec.Pos(), Tok: d.Tok, Specs: []ast.Spec{spec}}
		s.take(e)
	}
}

func (s *source) take(e *entry) {
	s.entries = append(s.entries, e)
	if e.recv != "" {
		s.methods[e.recv] = append(s.methods[e.recv], e)
		return
	}
	for _, n := range e.names {
		s.decls[n] = append(s.decls[n], e)
	}
}

func specNames(spec ast.Spec) []string {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []string{spec.Name.Name}
	case *ast.ValueSpec:
		names := make([]string, 0, len(spec.Names))
		for _, id := range spec.Names {
			names = append(names, id.Name)
		}
		return names
	}
	return nil
}

// bare is a function without its body.
func bare(d *ast.FuncDecl) *ast.FuncDecl {
	c := *d
	c.Body, c.Doc = nil, nil
	return &c
}

// bareValue leaves out of a variable's value what its type does not depend on.
func bareValue(v *ast.ValueSpec) *ast.ValueSpec {
	c := *v
	c.Doc, c.Comment = nil, nil
	if v.Type != nil {
		c.Values = nil
		return &c
	}
	c.Values = slices.Clone(v.Values)
	for i, x := range c.Values {
		c.Values[i] = bareExpr(x)
	}
	return &c
}

func bareExpr(x ast.Expr) ast.Expr {
	switch x := x.(type) {
	case *ast.UnaryExpr:
		c := *x
		c.X = bareExpr(x.X)
		return &c
	case *ast.FuncLit:
		return &ast.FuncLit{Type: x.Type, Body: &ast.BlockStmt{Lbrace: x.Body.Lbrace, Rbrace: x.Body.Rbrace}}
	case *ast.CompositeLit:
		if a, ok := x.Type.(*ast.ArrayType); ok && a.Len != nil {
			return x // its length may be counted
		}
		c := *x
		c.Elts = nil
		return &c
	}
	return x
}

// used lists what a declaration mentions.
func (e *entry) used() []use {
	e.once.Do(func() { e.uses = usesOf(e.decl) })
	return e.uses
}

func usesOf(decl ast.Node) []use {
	within := withinOf(decl)
	seen := map[use]bool{}
	var out []use
	add := func(u use) {
		if !seen[u] {
			seen[u] = true
			out = append(out, u)
		}
	}
	selected := map[*ast.Ident]bool{}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			selected[n.Sel] = true
			if id, ok := n.X.(*ast.Ident); ok {
				add(use{qualifier: id.Name, name: n.Sel.Name, within: within[n]})
			}
		case *ast.Ident:
			if !selected[n] {
				add(use{name: n.Name, within: within[n]})
			}
		}
		return true
	})
	return out
}

// withinOf are the types that a declared type has its fields and methods from.
func withinOf(decl ast.Node) map[ast.Node]bool {
	out := map[ast.Node]bool{}
	embedded := func(list *ast.FieldList) {
		for _, f := range list.List {
			if len(f.Names) == 0 {
				out[gomerge.PlainType(f.Type)] = true
			}
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return false
		case *ast.TypeSpec:
			out[gomerge.PlainType(n.Type)] = true
		case *ast.StructType:
			embedded(n.Fields)
		case *ast.InterfaceType:
			embedded(n.Methods)
		}
		return true
	})
	return out
}

// imported is an import of a file.
type imported struct {
	spec *ast.ImportSpec
	path string
	name string // as the file says; empty if it does not
}

func (s *source) imports() []imported {
	out := make([]imported, 0, len(s.file.Imports))
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil || p == "" {
			continue
		}
		i := imported{spec: spec, path: p}
		if spec.Name != nil {
			i.name = spec.Name.Name
		}
		out = append(out, i)
	}
	return out
}

// line is where something stands in a file, from 1.
func (s *source) line(pos token.Pos) int {
	if s.tok == nil || pos < s.file.FileStart || pos > s.file.FileEnd {
		return 0
	}
	return s.tok.PositionFor(pos, false).Line
}

// text is how an entry reads.
func (e *entry) text() string { return e.src.slice(e.decl.Pos(), e.end) }

// slice is a part of the file's text; empty for files that are not read in full.
func (s *source) slice(from, to token.Pos) string {
	i, j := int(from-s.file.FileStart), int(to-s.file.FileStart)
	if i < 0 || j > len(s.content) || i > j {
		return ""
	}
	return string(s.content[i:j])
}
