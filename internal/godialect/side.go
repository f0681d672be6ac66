package godialect

import (
	"go/ast"
	"go/token"
	"maps"

	"github.com/kubelts/kubelts/internal/gomerge"
)

// side is what files of one side know.
type side struct {
	declared map[string]bool           // names of the package
	symbols  map[Symbol]int            // how often they are used or declared
	members  map[string]int            // fields and methods
	denied   map[Symbol]int            // how often the symbol, or a member of that name without path, stands behind a "!"
	imports  map[string]map[string]int // by path: how often under which name
	funcs    map[string]int            // how many parameters the package's functions have, -1 for any number
	calls    map[callee]map[int]int    // by number of arguments: how often
	literals map[callee]map[string]int // arguments that are constants: how often they stand where
}

func newSide() *side {
	return &side{
		declared: map[string]bool{}, symbols: map[Symbol]int{}, members: map[string]int{}, denied: map[Symbol]int{}, imports: map[string]map[string]int{},
		funcs: map[string]int{}, calls: map[callee]map[int]int{}, literals: map[callee]map[string]int{},
	}
}

// merge takes in what another one knows.
func (s *side) merge(o *side) {
	maps.Copy(s.declared, o.declared)
	add(s.symbols, o.symbols)
	add(s.members, o.members)
	add(s.denied, o.denied)
	addAll(s.imports, o.imports)
	addAll(s.calls, o.calls)
	addAll(s.literals, o.literals)
	for name, n := range o.funcs {
		if have, twice := s.funcs[name]; twice && have != n {
			n = -1
		}
		s.funcs[name] = n
	}
}

func add[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

func addAll[K, V comparable](to, from map[K]map[V]int) {
	for k, counts := range from {
		if to[k] == nil {
			to[k] = map[V]int{}
		}
		add(to[k], counts)
	}
}

func (s *side) add(f *file) {
	if f == nil {
		return
	}
	for _, i := range f.imports {
		count(s.imports, i.path, i.callName())
	}
	for at, a := range f.atoms {
		if at > 0 && f.atoms[at-1].text == "!" && len(a.names) > 0 {
			s.denied[a.last()]++
		}
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
		s.declare(d)
	}
	for _, c := range f.called {
		count(s.calls, c.to, len(c.args))
		for i, a := range c.args {
			if atoms := f.between(a); len(atoms) == 1 && constant(atoms[0]) {
				count(s.literals, c.to, place(i, atoms[0].text))
			}
		}
	}
}

// last is what a "!" before an atom denies: a symbol, or the name of a member.
func (a *atom) last() Symbol {
	if len(a.names) == 1 && a.kind == symbol {
		return a.symbol
	}
	return Symbol{Name: a.names[len(a.names)-1]}
}

func (s *side) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			s.funcs[d.Name.Name] = parameters(d.Type)
			s.declared[d.Name.Name] = true
		}
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

// mostlyDenied reports whether most uses of a name stand behind a "!"; false for ok if there are none.
func (s *side) mostlyDenied(name Symbol, uses int) (denied, ok bool) {
	if name.Path == "" && s.declared[name.Name] {
		uses-- // its declaration
	}
	return 2*s.denied[name] > uses, uses > 0
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
		if of := gomerge.Receiver(d); of != "" {
			name = of + "." + name
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
