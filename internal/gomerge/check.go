package gomerge

import (
	"cmp"
	"go/ast"
	"maps"
	"slices"
)

// Needs are what a version of a file leans on and an earlier version did not: what the rest of the package and of the tree must provide.
type Needs struct {
	// Names are used, not declared in the file and no names of Go itself: another file of the package must declare them.
	Names []string
	// Selectors are names after a dot: fields, methods, names of other packages.
	Selectors []Selector
	// Imports are import paths.
	Imports []string
	// Calls are calls with a number of arguments that the earlier version does not have for that function.
	Calls []Call
	// Gone are names that the earlier version declares, as fields, methods or names of the package, and this one does not.
	Gone []string
}

// Selector is a use of Name in another package (Import is its path) or of something that a value has (Import is empty).
type Selector struct{ Import, Name string }

// Call is a call of a function or method by its name, whatever it belongs to.
type Call struct {
	On        string // the name before the dot, if there is just one
	Name      string
	Arguments int
}

// Check compares two versions of a file; before may be nil for a new file. An error is a [*RefusedError]: a version does not parse, or the later
// one declares or imports something twice.
func Check(before, after []byte) (Needs, error) {
	if before == nil {
		before = []byte("package p\n")
	}
	old, was, err := usageOf(before)
	if err != nil {
		return Needs{}, refuse(ReasonSyntax, "the target's version: %s", err)
	}
	file, is, err := usageOf(after)
	if err != nil {
		return Needs{}, refuse(ReasonSyntax, "the merged file: %s", err)
	}
	if err = duplicates(file, old); err != nil {
		return Needs{}, err
	}
	var n Needs
	if n.Imports, err = newImports(specs(file), specs(old)); err != nil {
		return Needs{}, err
	}
	n.Names, n.Selectors = unknown(file, old, was, is)
	for name := range declarations(old) {
		if !declarations(file)[name] {
			n.Gone = append(n.Gone, name)
		}
	}
	slices.Sort(n.Gone)
	known := map[Call]bool{}
	for _, c := range Calls(old) {
		known[c] = true
	}
	for _, c := range Calls(file) {
		if !known[c] {
			known[c] = true
			n.Calls = append(n.Calls, c)
		}
	}
	return n, nil
}

// declarations are the names of the package, fields and methods that a file declares.
func declarations(f *ast.File) map[string]bool {
	out := fieldNames(f)
	for _, name := range Declared(f) {
		out[name] = true
	}
	return out
}

// Calls lists the calls in a file, in the order of the source, without those that spread a slice.
func Calls(f *ast.File) []Call {
	var out []Call
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok || c.Ellipsis.IsValid() {
			return true
		}
		if len(c.Args) == 1 {
			if _, spread := c.Args[0].(*ast.CallExpr); spread {
				return true // f(g()) passes as many as g returns
			}
		}
		switch fun := c.Fun.(type) {
		case *ast.Ident:
			out = append(out, Call{Name: fun.Name, Arguments: len(c.Args)})
		case *ast.SelectorExpr:
			call := Call{Name: fun.Sel.Name, Arguments: len(c.Args)}
			if id, ok := fun.X.(*ast.Ident); ok {
				call.On = id.Name
			}
			out = append(out, call)
		}
		return true
	})
	return out
}

// Arity is how many arguments a function takes.
type Arity struct {
	Parameters int
	Variadic   bool
}

// Accepts reports whether a call with so many arguments fits.
func (a Arity) Accepts(arguments int) bool {
	if a.Variadic {
		return arguments >= a.Parameters-1
	}
	return arguments == a.Parameters
}

// Arities lists the functions and methods that a file declares by their names, and the methods of its interfaces.
func Arities(f *ast.File) map[string][]Arity {
	out := map[string][]Arity{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			out[n.Name.Name] = append(out[n.Name.Name], arity(n.Type))
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				if t, ok := m.Type.(*ast.FuncType); ok && len(m.Names) == 1 {
					out[m.Names[0].Name] = append(out[m.Names[0].Name], arity(t))
				}
			}
		}
		return true
	})
	return out
}

func arity(t *ast.FuncType) Arity {
	var a Arity
	for _, p := range t.Params.List {
		a.Parameters += max(1, len(p.Names))
		_, a.Variadic = p.Type.(*ast.Ellipsis)
	}
	return a
}

// Types lists the names of a file's types, and of values that hold functions: what is called by such a name need not be a function.
func Types(f *ast.File) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			out[n.Name.Name] = true
		case *ast.Field:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		}
		return true
	})
	return out
}

// unknown returns the names that the merged file uses, and ours does not, and that it does not declare; and the new names after a dot.
func unknown(merged, ours *ast.File, before, after usage) ([]string, []Selector) {
	byName := providers(specs(merged), after)
	var names []string
	for n := range after.unresolved {
		if !before.unresolved[n] && byName[n] == "" && !universe(n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	seen, fresh := map[Selector]bool{}, map[Selector]bool{}
	for q, path := range providers(specs(ours), before) {
		for name := range before.qualifiers[q] {
			seen[Selector{path, name}] = true
		}
	}
	known, declared := identifiers(ours), fieldNames(merged)
	ast.Inspect(merged, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		at := Selector{Name: s.Sel.Name}
		if id, ok := s.X.(*ast.Ident); ok && after.open[id] {
			at.Import = byName[id.Name]
		}
		if !seen[at] && (at.Import != "" || !known[at.Name] && !declared[at.Name]) {
			fresh[at] = true
		}
		return true
	})
	return names, slices.SortedFunc(maps.Keys(fresh), func(a, b Selector) int {
		return cmp.Or(cmp.Compare(a.Import, b.Import), cmp.Compare(a.Name, b.Name))
	})
}

// providers are the paths of imports by the names by which a file uses them.
func providers(imports []spec, u usage) map[string]string {
	out := map[string]string{}
	for _, s := range imports {
		for _, n := range s.callable() {
			if u.qualifiers[n] != nil && !s.effect() {
				out[n] = s.path
			}
		}
	}
	return out
}
