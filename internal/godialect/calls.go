package godialect

import (
	"go/ast"
	"slices"
	"strconv"
)

// callee is what a call calls: a symbol, or a method by the text before it.
type callee struct {
	symbol Symbol
	method string
}

// call is one call.
type call struct {
	to   callee
	node *ast.CallExpr
	args []span
	at   int // where the name of what is called begins
}

// span is a range of bytes.
type span struct{ lo, hi int }

// calls lists the calls of a file, as far as what they call has a name and no argument is spread.
func (f *file) calls() []call {
	named := map[int]int{}
	for i, a := range f.atoms {
		if len(a.names) > 0 {
			named[a.lo] = i
		}
	}
	var out []call
	ast.Inspect(f.ast, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok || c.Ellipsis.IsValid() {
			return true
		}
		i, ok := named[f.offset(c.Fun.Pos())]
		if !ok || f.atoms[i].hi != f.offset(c.Fun.End()) {
			return true
		}
		a := &f.atoms[i]
		k := call{node: c, at: a.lo}
		switch {
		case len(a.names) == 1 && a.kind == symbol:
			k.to = callee{symbol: a.symbol}
		case len(a.names) > 1:
			k.to = callee{method: a.text}
		default:
			return true // a variable
		}
		for _, arg := range c.Args {
			k.args = append(k.args, span{f.offset(arg.Pos()), f.offset(arg.End())})
		}
		out = append(out, k)
		return true
	})
	return out
}

// between are the atoms in a range.
func (f *file) between(s span) []atom {
	from, _ := slices.BinarySearchFunc(f.atoms, s.lo, func(a atom, at int) int { return a.lo - at })
	to := from
	for to < len(f.atoms) && f.atoms[to].hi <= s.hi {
		to++
	}
	return f.atoms[from:to]
}

// callsOf notes calls that stand for each other and have another number of arguments.
func (l *lesson) callsOf(base, ours *file, al *alignment) {
	if len(al.a) == 0 || len(al.b) == 0 {
		return
	}
	there := map[int]int{} // atoms of base by where they begin, to where those of ours begin
	for i, m := range al.match {
		if m >= 0 {
			there[al.a[i].lo] = al.b[m].lo
		}
	}
	for _, s := range al.swaps {
		there[al.a[s[0]].lo] = al.b[s[1]].lo
	}
	theirs := map[int]call{}
	for _, c := range within(ours.called, al.b) {
		theirs[c.at] = c
	}
	for _, c := range within(base.called, al.a) {
		lo, ok := there[c.at]
		if !ok {
			continue
		}
		if o, ok := theirs[lo]; ok {
			if p := (callPair{base: base.said(c), ours: ours.said(o)}); len(c.args) != len(o.args) || p.differ() {
				l.calls = append(l.calls, p)
			}
		}
	}
}

// callPair are two calls that stand for each other.
type callPair struct {
	base, ours said
	declared   bool // they are the declarations of a function
}

// said is a call by what its arguments say.
type said struct {
	to    callee
	args  [][]atom
	texts []string
}

func (f *file) said(c call) said {
	s := said{to: c.to}
	for _, a := range c.args {
		s.args = append(s.args, slices.Clone(f.between(a)))
		s.texts = append(s.texts, string(f.text[a.lo:a.hi]))
	}
	return s
}

// within are the calls in a range of atoms.
func within(calls []call, atoms []atom) []call {
	lo, hi := atoms[0].lo, atoms[len(atoms)-1].hi
	var out []call
	for i := range calls {
		if calls[i].at >= lo && calls[i].at < hi {
			out = append(out, calls[i])
		}
	}
	return out
}

// differ reports whether a constant stands for one of another kind.
func (p callPair) differ() bool {
	for i, a := range p.base.args {
		if i < len(p.ours.args) && exchanged(a, p.ours.args[i]) {
			return true
		}
	}
	return false
}

func exchanged(a, b []atom) bool {
	return len(a) == 1 && len(b) == 1 && constant(a[0]) && constant(b[0]) && sort(a[0]) != sort(b[0])
}

// acceptCalls keeps the shapes that all calls of one function agree about.
func (l *learner) acceptCalls(d *Dialect) {
	refused := map[shapeKey]bool{}
	for _, p := range l.calls {
		s, ok := d.shapeOf(p)
		if ok && s.same() || !ok && p.declared {
			continue // nothing changes, or only calls can tell
		}
		to := p.base.to
		key := shapeKey{to, len(p.base.args), s.instead()}
		was, seen := d.shapes[key]
		switch {
		case !ok, d.becomes(to.symbol) != p.ours.to.symbol, to.method != p.ours.to.method, seen && !was.equal(s), l.usual(p, s):
			refused[key] = true
		case seen:
			was.places++
			d.shapes[key] = was
		default:
			s.places = 1
			d.shapes[key] = s
		}
		if p.declared && ok && !refused[key] {
			s := d.shapes[key]
			s.places++ // the declaration itself is a place of its own kind
			d.shapes[key] = s
		}
	}
	for key, s := range d.shapes {
		if refused[key] || s.places < 2 && !l.signed(d, key.to, s) {
			delete(d.shapes, key)
		}
	}
}

// signatures notes the parameters of a function that takes others on both sides.
func (l *lesson) signatures(base, ours *file, c couple) {
	b, o := base.signature(c.base), ours.signature(c.ours)
	if b == nil || o == nil || len(b.args) == len(o.args) {
		return
	}
	l.calls = append(l.calls, callPair{base: *b, ours: *o, declared: true})
}

// signature is a function of the package as if its parameters were arguments; nil if it is none, or takes any number of them.
func (f *file) signature(u unit) *said {
	for _, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || f.offset(fn.Pos()) != u.lo {
			continue
		}
		if fn.Recv != nil || parameters(fn.Type) < 0 {
			return nil
		}
		s := &said{to: callee{symbol: Symbol{Name: fn.Name.Name}}}
		for _, p := range fn.Type.Params.List {
			of := f.between(span{f.offset(p.Type.Pos()), f.offset(p.Type.End())})
			for _, id := range p.Names {
				name := atom{text: id.Name, kind: local, names: []string{id.Name}}
				s.args = append(s.args, append([]atom{name, name}, of...)) // nothing that could stand in a call
				s.texts = append(s.texts, id.Name)
			}
		}
		return s
	}
	return nil
}

// usual reports whether the target has calls as base has them, or base calls as the target has them.
func (l *learner) usual(p callPair, s shape) bool {
	if s.takes != len(s.gives) {
		return l.ours.calls[p.ours.to][s.takes] > 0 || l.base.calls[p.base.to][len(s.gives)] > 0
	}
	for i, a := range s.gives {
		if a.from < 0 && (l.ours.literals[p.ours.to][place(i, a.instead)] > 0 || l.base.literals[p.base.to][place(i, a.text)] > 0) {
			return true
		}
	}
	return false
}

// signed reports whether the declarations of a function on both sides take as many parameters as the calls have arguments.
func (l *learner) signed(d *Dialect, to callee, s shape) bool {
	if to.method != "" || to.symbol.Path != "" || s.takes == len(s.gives) {
		return false
	}
	base, known := l.base.funcs[to.symbol.Name]
	ours, here := l.ours.funcs[d.becomes(to.symbol).Name]
	return known && here && base == s.takes && ours == len(s.gives)
}

func parameters(t *ast.FuncType) int {
	n := 0
	for _, p := range t.Params.List {
		if _, variadic := p.Type.(*ast.Ellipsis); variadic {
			return -1
		}
		n += max(1, len(p.Names))
	}
	return n
}

func (s shape) equal(o shape) bool { return s.takes == o.takes && slices.Equal(s.gives, o.gives) }

// shapeOf compares the arguments of two calls. Each of ours is one of base's, in whatever order, or something that can stand anywhere. Both
// to drop and to put in something would be to guess, except where one constant stands for another.
func (d *Dialect) shapeOf(p callPair) (shape, bool) {
	var was []string
	for _, a := range p.base.args {
		was = append(was, d.say(a))
	}
	if len(was) == len(p.ours.args) {
		return constants(p), true
	}
	s := shape{takes: len(was)}
	used := map[int]bool{}
	put := 0
	for j, atoms := range p.ours.args {
		at := alone(was, d.say(atoms), j, len(p.ours.args))
		if at < -1 || used[at] {
			return shape{}, false
		}
		arg := argument{from: at}
		if at >= 0 {
			used[at] = true
		} else {
			ok := false
			if arg.variable, ok = anywhere(atoms); !ok {
				return shape{}, false
			}
			put++
			arg.text = p.ours.texts[j]
		}
		s.gives = append(s.gives, arg)
	}
	return s, put == 0 || len(used) == len(was)
}

// constants compares calls with as many arguments: other values of constants are another way to say the same, anything else is what the callers do.
func constants(p callPair) shape {
	s := shape{takes: len(p.base.args)}
	for j, atoms := range p.ours.args {
		arg := argument{from: j}
		if before := p.base.args[j]; exchanged(before, atoms) {
			arg = argument{from: -1, text: atoms[0].text, instead: before[0].text}
		}
		s.gives = append(s.gives, arg)
	}
	return s
}

// constant reports whether an argument is a literal, or a name of Go itself that is like one.
func constant(a atom) bool { return sort(a) != "" }

// sort is the kind of value that a constant has.
func sort(a atom) string {
	switch {
	case a.text == "true" || a.text == "false":
		return "bool"
	case a.text == "nil":
		return "nil"
	case a.kind == other && (a.text[0] == '"' || a.text[0] == '`'):
		return "string"
	case a.kind == other && a.text[0] >= '0' && a.text[0] <= '9':
		return "number"
	}
	return ""
}

// place is a constant as an argument of a call.
func place(at int, text string) string { return strconv.Itoa(at) + " " + text }

// alone finds the argument with a text: -1 if there is none, -2 if there are several and no place of them is the same from either end.
func alone(was []string, text string, at, length int) int {
	found := -1
	for i, w := range was {
		if w != text {
			continue
		}
		if found >= 0 {
			found = -2
			break
		}
		found = i
	}
	if found != -2 {
		return found
	}
	prefix, suffix := at < len(was) && was[at] == text, false
	if back := len(was) - (length - at); back >= 0 && was[back] == text {
		suffix = true
		if !prefix {
			return back
		}
	}
	if prefix && !suffix {
		return at
	}
	return -2
}

// anywhere reports whether an argument can stand in any place, or in any in which there is one variable.
func anywhere(atoms []atom) (string, bool) {
	variable := ""
	for _, a := range atoms {
		switch a.kind {
		case local:
			if len(atoms) > 1 || len(a.names) > 1 {
				return "", false
			}
			variable = a.names[0]
		case member, symbol, other:
		}
	}
	return variable, len(atoms) > 0 && len(atoms) < 8
}
