package godialect

import (
	"go/ast"
	"go/token"
)

// side is what the files of one side know.
type side struct {
	declared map[string]bool           // names of the package
	symbols  map[Symbol]int            // how often they are used or declared
	members  map[string]int            // fields and methods
	imports  map[string]map[string]int // by path: how often under which name
	funcs    map[string]*ast.FuncType  // functions of the package, nil if several have the name
	calls    map[callee]map[int]int    // by number of arguments: how often
	text     map[*ast.FuncType]*file
}

func newSide() *side {
	return &side{
		declared: map[string]bool{}, symbols: map[Symbol]int{}, members: map[string]int{}, imports: map[string]map[string]int{},
		funcs: map[string]*ast.FuncType{}, calls: map[callee]map[int]int{}, text: map[*ast.FuncType]*file{},
	}
}

func (s *side) add(f *file) {
	if f == nil {
		return
	}
	for _, i := range f.imports {
		if s.imports[i.path] == nil {
			s.imports[i.path] = map[string]int{}
		}
		s.imports[i.path][i.callName()]++
	}
	for _, a := range f.atoms {
		for i, name := range a.names {
			switch {
			case i > 0 || a.kind == member:
				s.members[name]++
			case a.kind == symbol:
				s.symbols[a.symbol]++
			}
		}
	}
	for _, d := range f.ast.Decls {
		s.declare(f, d)
	}
	for _, c := range f.called {
		if s.calls[c.to] == nil {
			s.calls[c.to] = map[int]int{}
		}
		s.calls[c.to][len(c.args)]++
	}
}

func (s *side) declare(f *file, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			return
		}
		name := d.Name.Name
		if s.declared[name] {
			s.funcs[name] = nil
		} else {
			s.funcs[name] = d.Type
			s.text[d.Type] = f
		}
		s.declared[name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			for _, id := range specNames(spec) {
				s.declared[id.Name] = true
			}
		}
	}
}

func specNames(spec ast.Spec) []*ast.Ident {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{spec.Name}
	case *ast.ValueSpec:
		return spec.Names
	}
	return nil
}

// knows reports whether the side's files use or declare a symbol.
func (s *side) knows(sym Symbol) bool {
	return s.symbols[sym] > 0 || sym.Path == "" && s.declared[sym.Name]
}

// unit is a declaration: what is laid beside its counterpart.
type unit struct {
	key   string // kind, receiver and name
	sort  token.Token
	atoms []atom
	lo    int
	hi    int
}

// units are the declarations of a file, imports left out; a group's specs are units of their own.
func (f *file) units() []unit {
	var out []unit
	for _, d := range f.ast.Decls {
		out = append(out, f.unitsOf(d)...)
	}
	at := 0
	for i := range out {
		for at < len(f.atoms) && f.atoms[at].lo < out[i].lo {
			at++
		}
		from := at
		for at < len(f.atoms) && f.atoms[at].lo < out[i].hi {
			at++
		}
		out[i].atoms = f.atoms[from:at]
	}
	return out
}

func (f *file) unitsOf(d ast.Decl) []unit {
	at := func(n ast.Node, sort token.Token, name string) unit {
		return unit{key: sort.String() + " " + name, sort: sort, lo: f.offset(n.Pos()), hi: f.offset(n.End())}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil && len(d.Recv.List) == 1 {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		return []unit{at(d, token.FUNC, name)}
	case *ast.GenDecl:
		var out []unit
		for _, spec := range d.Specs {
			sort := d.Tok
			if sort == token.CONST {
				sort = token.VAR
			}
			if names := specNames(spec); len(names) > 0 {
				out = append(out, at(spec, sort, names[0].Name))
			}
		}
		return out
	}
	return nil
}

func receiver(t ast.Expr) string {
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return "?"
		}
	}
}
