package godialect

import (
	"cmp"
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// shape says from which arguments of base's call ours takes its own.
type shape struct {
	takes  int        // how many base's call has
	gives  []argument // ours
	places int
}

// argument is one of base's, or a text.
type argument struct {
	from int // -1 for a text
	text string
	// instead is the constant of base for which a text stands in a call with as many arguments.
	instead string
	// variable is the one that the text names. It must be there where the text is to stand.
	variable string
}

// shapeKey is the calls that a shape is for.
type shapeKey struct {
	to      callee
	takes   int
	instead string // the constants that it replaces
}

func (k shapeKey) compare(o shapeKey) int {
	return cmp.Or(
		strings.Compare(k.to.symbol.Path, o.to.symbol.Path), strings.Compare(k.to.symbol.Name, o.to.symbol.Name), strings.Compare(k.to.method, o.to.method),
		k.takes-o.takes, strings.Compare(k.instead, o.instead),
	)
}

func (s shape) instead() string {
	var out []string
	for i, a := range s.gives {
		if a.instead != "" {
			out = append(out, place(i, a.instead))
		}
	}
	return strings.Join(out, ";")
}

// same reports whether a shape changes nothing.
func (s shape) same() bool {
	for i, a := range s.gives {
		if a.from != i {
			return false
		}
	}
	return s.takes == len(s.gives)
}

// callEdits gives calls the arguments that ours takes.
func (w *words) callEdits(f *file) []edit {
	var edits []edit
	for _, key := range slices.SortedFunc(maps.Keys(w.d.shapes), shapeKey.compare) {
		s, to := w.d.shapes[key], key.to
		if to.method == "" {
			to.symbol = w.d.becomes(to.symbol)
		}
		for _, c := range f.called {
			if c.to != to || len(c.args) != s.takes || !f.has(c, s) {
				continue
			}
			if e, ok := f.reshape(c, s); ok {
				edits = append(edits, e)
				name := string(f.text[f.offset(c.node.Fun.Pos()):f.offset(c.node.Fun.End())])
				w.notes[Note{From: name + s.before(), To: name + s.after(), Places: s.places}] = true
			}
		}
	}
	return edits
}

// has reports whether a call has the constants for which a shape has others.
func (f *file) has(c call, s shape) bool {
	for i, a := range s.gives {
		if a.instead == "" {
			continue
		}
		if atoms := f.between(c.args[i]); len(atoms) != 1 || atoms[0].text != a.instead {
			return false
		}
	}
	return true
}

func (s shape) before() string {
	names := placeholders(s.takes)
	for i, a := range s.gives {
		if a.instead != "" {
			names[i] = a.instead
		}
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func (s shape) after() string {
	names := placeholders(s.takes)
	var out []string
	for _, a := range s.gives {
		if a.from < 0 {
			out = append(out, a.text)
		} else {
			out = append(out, names[a.from])
		}
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func placeholders(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "_"
		if i < 26 {
			out[i] = string(rune('a' + i))
		}
	}
	return out
}

// reshape writes the arguments of a call anew.
func (f *file) reshape(c call, s shape) (edit, bool) {
	var parts []string
	for _, a := range s.gives {
		switch {
		case a.from >= 0:
			at := c.args[a.from]
			parts = append(parts, string(f.text[at.lo:at.hi]))
		case a.variable != "" && !f.sees(c, a.variable):
			return edit{}, false
		default:
			parts = append(parts, a.text)
		}
	}
	if len(c.args) == 0 {
		at := f.offset(c.node.Rparen)
		return edit{span{at, at}, strings.Join(parts, ", ")}, true
	}
	return edit{span{c.args[0].lo, c.args[len(c.args)-1].hi}, strings.Join(parts, ", ")}, true
}

// sees reports whether the function around a call has a variable.
func (f *file) sees(c call, name string) bool {
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Pos() <= c.node.Pos() && c.node.End() <= fn.End() {
			found := false
			ast.Inspect(fn, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == name && id.Obj != nil && id.Pos() < c.node.Pos() {
					found = true
				}
				return !found
			})
			return found
		}
	}
	return false
}
