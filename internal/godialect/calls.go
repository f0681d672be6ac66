package godialect

import (
	"go/ast"
	"slices"
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
	// variable is the one that the text names. It must be there where the text is to stand.
	variable string
}

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
func (l *learner) callsOf(base, ours *file, al *alignment) {
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
		if o, ok := theirs[lo]; ok && len(o.args) != len(c.args) {
			l.calls = append(l.calls, callPair{base, ours, c, o})
		}
	}
}

// callPair are two calls that stand for each other.
type callPair struct {
	baseFile, oursFile *file
	base, ours         call
}

// within are the calls in a range of atoms.
func within(calls []call, atoms []atom) []call {
	lo, hi := atoms[0].lo, atoms[len(atoms)-1].hi
	return slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return c.at < lo || c.at >= hi })
}

// acceptCalls keeps the shapes that all calls of one function agree about.
func (l *learner) acceptCalls(d *Dialect) {
	refused := map[callee]bool{}
	for _, p := range l.calls {
		to, n := p.base.to, len(p.base.args)
		s, ok := d.shapeOf(p)
		was, seen := d.shapes[to]
		switch {
		case !ok, d.becomes(to.symbol) != p.ours.to.symbol, to.method != p.ours.to.method, seen && !was.equal(s), l.ours.calls[p.ours.to][n] > 0, l.base.calls[to][len(p.ours.args)] > 0:
			refused[to] = true
		case seen:
			was.places++
			d.shapes[to] = was
		default:
			s.places = 1
			d.shapes[to] = s
		}
	}
	for to, s := range d.shapes {
		if refused[to] || s.places < 2 && !l.signed(d, to, s) {
			delete(d.shapes, to)
		}
	}
}

// signed reports whether the declarations of a function on both sides take as many parameters as the calls have arguments.
func (l *learner) signed(d *Dialect, to callee, s shape) bool {
	if to.method != "" || to.symbol.Path != "" {
		return false
	}
	base := l.base.funcs[to.symbol.Name]
	ours := l.ours.funcs[d.becomes(to.symbol).Name]
	return base != nil && ours != nil && parameters(base) == s.takes && parameters(ours) == len(s.gives)
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
// to drop and to put in something would be to guess.
func (d *Dialect) shapeOf(p callPair) (shape, bool) {
	var was []string
	for _, a := range p.base.args {
		was = append(was, d.say(p.baseFile.between(a)))
	}
	s := shape{takes: len(was)}
	used := map[int]bool{}
	put := 0
	for j, a := range p.ours.args {
		atoms := p.oursFile.between(a)
		text := d.say(atoms)
		at := alone(was, text, j, len(p.ours.args))
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
			arg.text = string(p.oursFile.text[a.lo:a.hi])
		}
		s.gives = append(s.gives, arg)
	}
	return s, put == 0 || len(used) == len(was)
}

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
