package godialect

import (
	"bytes"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// Dialect is what was learned. It is not changed after [Library.Learn].
type Dialect struct {
	symbols map[Symbol]target
	members map[string]target
	unclear map[Symbol]bool   // what became this and that
	chains  map[string]target // a.b.c for a name of the package
	paths   map[string]target // one package's names for another's, where no single name speaks against it
	shapes  map[shapeKey]shape
	names   map[string]string // by which name ours imports a package
	base    *side
	ours    *side
}

// target is what a name becomes, and how many places say so.
type target struct {
	symbol Symbol
	name   string
	places int
}

// Empty reports whether nothing was learned.
func (d *Dialect) Empty() bool {
	return len(d.symbols)+len(d.chains)+len(d.members)+len(d.paths)+len(d.shapes) == 0
}

// lesson is what one pair of files teaches.
type lesson struct {
	base, ours *side
	symbols    map[Symbol]map[Symbol]int
	members    map[string]map[string]int
	chains     map[string]map[string]int
	paths      map[string]map[string]int
	renamed    map[Symbol]Symbol // declarations with other names
	calls      []callPair
	packages   [2]string // whose files they are on either side
}

func newLesson() *lesson {
	return &lesson{
		base: newSide(), ours: newSide(), symbols: map[Symbol]map[Symbol]int{}, members: map[string]map[string]int{},
		chains: map[string]map[string]int{}, paths: map[string]map[string]int{}, renamed: map[Symbol]Symbol{},
	}
}

// learner adds lessons up.
type learner struct{ *lesson }

// take takes a lesson in, as far as it is about packages of these names.
func (l learner) take(o *lesson, base, ours string) {
	if o.packages[0] == base {
		l.base.merge(o.base)
	}
	if o.packages[1] == ours {
		l.ours.merge(o.ours)
	}
	if o.packages != [2]string{base, ours} {
		return
	}
	addAll(l.symbols, o.symbols)
	addAll(l.members, o.members)
	addAll(l.chains, o.chains)
	addAll(l.paths, o.paths)
	maps.Copy(l.renamed, o.renamed)
	l.calls = append(l.calls, o.calls...)
}

// Carried is what is to be translated.
type Carried struct {
	Package  string   // the name in its package clause
	Declares []string // names that come with it
}

// Learn looks at what both sides have. Main is the file that is to be translated, as base and ours have it; others are the other files of its
// directory. Only those of the same package count.
func (lib *Library) Learn(main Pair, others []Pair, carried Carried) *Dialect {
	lessons := []*lesson{lib.lesson(main)}
	for i, p := range others {
		if i >= MaxFiles {
			break
		}
		lessons = append(lessons, lib.lesson(p))
	}
	here := lessons[0].packages[1]
	if here == "" {
		votes := map[string]int{}
		for _, o := range lessons {
			if o.packages[0] == carried.Package && o.packages[1] != "" {
				votes[o.packages[1]]++
			}
		}
		here = most(votes)
	}
	l := learner{newLesson()}
	for _, o := range lessons {
		l.take(o, carried.Package, here)
	}
	for _, name := range carried.Declares {
		l.ours.declared[name] = true
	}
	d := &Dialect{
		symbols: map[Symbol]target{}, unclear: map[Symbol]bool{}, members: map[string]target{}, chains: map[string]target{}, paths: map[string]target{}, shapes: map[shapeKey]shape{},
		names: map[string]string{}, base: l.base, ours: l.ours,
	}
	for p, names := range l.ours.imports {
		d.names[p] = most(names)
	}
	l.accept(d)
	return d
}

// most is the name with the most votes.
func most(votes map[string]int) string {
	best, n := "", 0
	for _, name := range slices.Sorted(maps.Keys(votes)) {
		if votes[name] > n {
			best, n = name, votes[name]
		}
	}
	return best
}

// teach reads a pair.
func teach(p Pair) *lesson {
	l := newLesson()
	base := read(p.Base)
	l.base.add(base)
	l.packages[0] = base.name()
	if bytes.Equal(p.Base, p.Ours) {
		l.ours, l.packages[1] = l.base, l.packages[0]
		return l
	}
	ours := read(p.Ours)
	l.ours.add(ours)
	l.packages[1] = ours.name()
	if base != nil && ours != nil {
		l.pair(base, ours)
	}
	return l
}

func (l *lesson) pair(base, ours *file) {
	for _, i := range base.imports {
		for _, j := range ours.imports {
			if i.path != j.path && i.callName() == j.callName() && i.alias != "_" {
				count(l.paths, i.path, j.path)
			}
		}
	}
	for _, c := range couples(base, ours) {
		al := align(c.base.atoms, c.ours.atoms)
		for _, s := range al.swaps {
			l.vote(&al.a[s[0]], &al.b[s[1]])
		}
		for i, j := range al.match {
			if j >= 0 && al.a[i].foreign && al.b[j].foreign && al.a[i].symbol != al.b[j].symbol {
				l.vote(&al.a[i], &al.b[j]) // one name, two packages
			}
		}
		if c.renamed {
			l.rename(c)
		}
		if !al.same { // otherwise no call has other arguments
			l.callsOf(base, ours, &al)
			l.signatures(base, ours, c)
		}
	}
}

// rename notes that a declaration has another name on each side.
func (l *lesson) rename(c couple) {
	_, from, _ := strings.Cut(c.base.key, " ")
	_, to, _ := strings.Cut(c.ours.key, " ")
	if !strings.Contains(from+to, ".") {
		l.renamed[Symbol{Name: from}] = Symbol{Name: to}
	}
}

// vote takes what two atoms that stand for each other have in common away, and notes what is left.
func (l *lesson) vote(a, b *atom) {
	if a.kind == other || b.kind == other {
		return
	}
	an, bn := a.names, b.names
	for len(an) > 1 && len(bn) > 1 && an[len(an)-1] == bn[len(bn)-1] {
		an, bn = an[:len(an)-1], bn[:len(bn)-1]
	}
	same := a.kind == b.kind && an[0] == bn[0] && a.symbol == b.symbol && a.kind != member
	for same && len(an) > 2 && len(bn) > 2 && an[1] == bn[1] {
		an, bn = an[1:], bn[1:]
	}
	switch {
	case len(an) == 1 && len(bn) == 1 && a.kind == symbol && b.kind == symbol:
		count(l.symbols, a.symbol, b.symbol)
	case len(an) == 1 && len(bn) == 1 && a.kind == member && b.kind == member:
		count(l.members, an[0], bn[0])
	case same && len(an) == 2 && len(bn) == 2:
		count(l.members, an[1], bn[1])
	case len(a.names) > 1 && !a.foreign && len(bn) == 1 && b.kind == symbol && !b.foreign:
		count(l.chains, a.first(len(an)), bn[0])
	}
}

// first is the text of the first n names.
func (a *atom) first(n int) string {
	if n >= len(a.names) {
		return a.text
	}
	return strings.TrimSuffix(a.text, "."+strings.Join(a.names[n:], "."))
}

func count[K, V comparable](votes map[K]map[V]int, from K, to V) {
	if votes[from] == nil {
		votes[from] = map[V]int{}
	}
	votes[from][to]++
}

// accept turns votes that nothing speaks against into mappings.
func (l *learner) accept(d *Dialect) {
	for from, to := range l.renamed {
		if len(l.symbols[from]) > 1 {
			continue
		}
		count(l.symbols, from, to)
		if l.symbols[from][to] == 1 {
			l.symbols[from][to] = 2 // the declaration itself is a place of its own kind
		}
	}
	reached := map[Symbol]int{}
	for from, votes := range l.symbols {
		if to, n, ok := l.symbol(from, votes); ok {
			d.symbols[from] = target{to, to.Name, n}
			reached[to]++
		} else {
			d.unclear[from] = len(votes) > 1 || n == 0
		}
	}
	maps.DeleteFunc(d.symbols, func(_ Symbol, t target) bool { return reached[t.symbol] > 1 })
	l.packages(d)
	taken := map[string]int{}
	for from, votes := range l.members {
		if to, n, ok := l.member(from, votes); ok {
			d.members[from] = target{name: to, places: n}
			taken[to]++
		}
	}
	maps.DeleteFunc(d.members, func(_ string, t target) bool { return taken[t.name] > 1 })
	for from, votes := range l.chains {
		if to, n, ok := l.chain(from, votes); ok {
			d.chains[from] = target{name: to, places: n}
		}
	}
	l.acceptCalls(d)
}

// symbol decides about a symbol: all its places agree, the target does not know it, and the fix's side does not know what it became. One
// place is enough where the name itself stayed.
func (l *learner) symbol(from Symbol, votes map[Symbol]int) (Symbol, int, bool) {
	to, n := leading(votes)
	old := l.base.knows(to)
	switch {
	case l.opposite(from, to, l.base.symbols[from], l.ours.symbols[to]):
		return Symbol{}, 0, false
	case n == 0, l.ours.knows(from), token.IsKeyword(from.Name), !l.ours.knows(to):
		return Symbol{}, 0, false
	case old && (to.Path == "" && l.base.declared[to.Name] || n < 3), n < 2 && !strings.EqualFold(from.Name, to.Name):
		return Symbol{}, n, false
	}
	return to, n, true
}

// opposite reports whether one side mostly says a name and the other mostly denies its counterpart: "!Denied(x)" for "Allowed(x)".
func (l *learner) opposite(from, to Symbol, before, after int) bool {
	was, some := l.base.mostlyDenied(from, before)
	is, too := l.ours.mostlyDenied(to, after)
	return some && too && was != is
}

// leading is what nearly all votes are for: all of them, or ten of eleven.
func leading(votes map[Symbol]int) (Symbol, int) {
	const many = 10
	all := 0
	var best Symbol
	for to, n := range votes {
		all += n
		if n > votes[best] {
			best = to
		}
	}
	if n := votes[best]; n == all || (all-n)*many <= n {
		return best, n
	}
	return Symbol{}, 0
}

// member decides about a field or method in the same way.
func (l *learner) member(from string, votes map[string]int) (string, int, bool) {
	if len(votes) != 1 || l.ours.members[from] > 0 || l.ours.declared[from] {
		return "", 0, false
	}
	for to, n := range votes {
		opposite := l.opposite(Symbol{Name: from}, Symbol{Name: to}, l.base.members[from], l.ours.members[to])
		return to, n, !opposite && l.base.members[to] == 0 && (n >= 2 || strings.EqualFold(from, to))
	}
	return "", 0, false
}

// chain decides about members that became a name of the package.
func (l *learner) chain(from string, votes map[string]int) (string, int, bool) {
	last := from[strings.LastIndexByte(from, '.')+1:]
	to := most(votes)
	opposite := l.opposite(Symbol{Name: last}, Symbol{Name: to}, l.base.members[last], l.ours.symbols[Symbol{Name: to}])
	fits := !opposite && len(votes) == 1 && l.ours.members[last] == 0 && l.ours.declared[to]
	same, old := strings.EqualFold(last, to), l.base.knows(Symbol{Name: to})
	return to, votes[to], fits && (same || !old) && (votes[to] >= 2 || same && !old)
}

// packages finds packages all of whose known names became names of one other package, or that are imported under one name where the
// target imports another package.
func (l *learner) packages(d *Dialect) {
	votes, places := map[string]map[string]int{}, map[string]int{}
	for from, to := range d.symbols {
		if from.Path != "" && from.Name == to.symbol.Name && from.Path != to.symbol.Path {
			count(votes, from.Path, to.symbol.Path)
			places[from.Path] += to.places
			if to.places > 1 && to.symbol.Path != "" && l.base.imports[to.symbol.Path] == nil {
				votes[from.Path][to.symbol.Path]++
			}
		}
	}
	for from, to := range l.paths {
		for p := range to {
			if l.base.imports[p] == nil {
				count(votes, from, p)
				places[from] += to[p]
				votes[from][p]++ // an import counts for two names
			}
		}
	}
	for from, to := range votes {
		if p := most(to); len(to) == 1 && to[p] >= 2 && l.ours.imports[from] == nil {
			d.paths[from] = target{name: p, places: places[from]}
		}
	}
}
