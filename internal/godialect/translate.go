package godialect

import (
	"bytes"
	"go/format"
	"go/parser"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/importmap"
)

// Translation is what became of two texts.
type Translation struct {
	Base, Theirs []byte
	Notes        []Note // what was applied to either, by name
}

// Translate says base and theirs in the names of ours. Base is nil for a new file, ours if the target has none. Both texts come back as they
// are if nothing applies, or if one of them cannot be translated: the same names must change in both.
func (d *Dialect) Translate(base, ours, theirs []byte) Translation {
	same := Translation{Base: base, Theirs: theirs}
	b, o, t := read(base), readImports(ours, parser.SkipObjectResolution), read(theirs)
	if t == nil || b == nil && base != nil {
		return same
	}
	w := &words{d: d, theirs: t, ours: o, skip: map[Symbol]bool{}, notes: map[Note]bool{}}
	w.keep(b, t)
	out := same
	var ok bool
	if out.Theirs, ok = w.text(t); !ok {
		return same
	}
	if b != nil {
		if out.Base, ok = w.text(b); !ok {
			return same
		}
	}
	for n := range w.notes {
		out.Notes = append(out.Notes, n)
	}
	slices.SortFunc(out.Notes, func(a, b Note) int { return strings.Compare(a.From+a.To, b.From+b.To) })
	return out
}

// words is one translation.
type words struct {
	d            *Dialect
	theirs, ours *file
	skip         map[Symbol]bool // what the fix itself declares, or means by a name that ours uses as well
	notes        map[Note]bool
	left         map[string]bool // packages that the text at hand goes on using under the same name
}

// edit replaces a range of bytes.
type edit struct {
	span

	text string
}

// keep finds what must not be translated: names that theirs declares, and mappings to names that the fix's side uses as well.
func (w *words) keep(base, theirs *file) {
	was, is := newSide(), newSide()
	was.add(base)
	is.add(theirs)
	for name := range is.declared {
		if !was.declared[name] {
			w.skip[Symbol{Name: name}] = true
		}
	}
	for from := range is.symbols {
		if to, ok := w.d.lookup(from); ok && is.knows(to) && !was.knows(to) {
			w.skip[from] = true
		}
	}
}

// lookup finds what a symbol became.
func (d *Dialect) lookup(s Symbol) (Symbol, bool) {
	if t, ok := d.symbols[s]; ok {
		return t.symbol, true
	}
	if p, ok := d.paths[s.Path]; ok && s.Path != "" && !d.unclear[s] {
		to := Symbol{p.name, s.Name}
		return to, p.name != "" || d.ours.declared[s.Name]
	}
	return Symbol{}, false
}

func (d *Dialect) becomes(s Symbol) Symbol {
	if to, ok := d.lookup(s); ok {
		return to
	}
	return s
}

// say is the text of atoms in ours' names, with paths for packages, to compare by.
func (d *Dialect) say(atoms []atom) string {
	var b strings.Builder
	for i := range atoms {
		a := &atoms[i]
		switch a.kind {
		case symbol:
			b.WriteString(d.becomes(a.symbol).String())
			for _, name := range a.names[1:] {
				b.WriteString("." + d.field(name))
			}
		case member:
			b.WriteString(d.field(a.text))
		case local, other:
			b.WriteString(a.text)
		}
		b.WriteByte(' ')
	}
	return b.String()
}

func (d *Dialect) field(name string) string {
	if t, ok := d.members[name]; ok {
		return t.name
	}
	return name
}

// text translates one text.
func (w *words) text(f *file) ([]byte, bool) {
	before := f
	w.left = map[string]bool{}
	var edits []edit
	var want []importSpec
	for _, u := range f.units() {
		e, i, ok := w.unit(u)
		if !ok {
			return nil, false
		}
		edits, want = append(edits, e...), append(want, i...)
	}
	text := apply(f.text, edits)
	for range 4 { // calls may stand within calls
		if len(edits) > 0 {
			f = read(text)
		}
		if f == nil {
			return nil, false
		}
		edits = w.callEdits(f)
		if len(edits) == 0 {
			break
		}
		text = apply(text, edits)
	}
	if len(want) == 0 && bytes.Equal(text, before.text) {
		return before.text, true
	}
	if text = imports(before, text, want, w.left); text == nil {
		return nil, false
	}
	return formatted(before.text, text), true
}

// formatted formats what was made of a formatted text.
func formatted(before, after []byte) []byte {
	was, err := format.Source(before)
	if err != nil || !bytes.Equal(was, before) {
		return after
	}
	if is, err := format.Source(after); err == nil {
		return is
	}
	return after
}

// unit finds what changes in a declaration, and what it has to import for that. It reports false where a variable of the declaration has a name that is
// to stand for something else.
func (w *words) unit(u unit) ([]edit, []importSpec, bool) {
	var edits []edit
	var want []importSpec
	locals := map[string]bool{}
	for i := range u.atoms {
		if u.atoms[i].kind == local {
			locals[u.atoms[i].names[0]] = true
		}
	}
	for i := range u.atoms {
		a := &u.atoms[i]
		if len(a.names) == 0 {
			continue
		}
		e, whole := w.chain(a)
		if !whole {
			var spec *importSpec
			if e, spec = w.symbol(a); spec != nil {
				want = append(want, *spec)
			}
			edits = append(edits, w.fields(a)...)
		}
		if e != nil {
			if first, _, _ := strings.Cut(e.text, "."); locals[first] {
				return nil, nil, false
			}
			edits = append(edits, *e)
		}
	}
	return edits, want, true
}

// chain translates members that are a name of the package in ours.
func (w *words) chain(a *atom) (*edit, bool) {
	for n := len(a.names); n > 1 && !a.foreign; n-- {
		if t, ok := w.d.chains[a.first(n)]; ok {
			w.notes[Note{From: a.first(n), To: t.name, Places: t.places}] = true
			return &edit{span{a.lo, a.at[n-1] + len(a.names[n-1])}, t.name}, true
		}
	}
	return nil, false
}

// symbol translates the name of a package's thing.
func (w *words) symbol(a *atom) (*edit, *importSpec) {
	if a.kind != symbol {
		return nil, nil
	}
	where := span{a.lo, a.at[0] + len(a.names[0])}
	to, ok := w.d.lookup(a.symbol)
	if !ok || w.skip[a.symbol] {
		if !a.foreign {
			return nil, nil
		}
		to = a.symbol
	}
	text := to.Name
	var spec *importSpec
	if to.Path != "" {
		if spec = w.here(to.Path); spec == nil && to == a.symbol {
			w.left[to.Path] = true
			return nil, nil
		}
		if spec == nil {
			spec = w.imported(to.Path)
		}
		text = spec.callName() + "." + text
	}
	was := a.text[:len(a.text)-suffix(a)]
	if to == a.symbol && was == text {
		w.left[to.Path] = true
		return nil, nil
	}
	if to == a.symbol {
		from, _, _ := strings.Cut(was, ".")
		w.notes[Note{From: from, To: spec.callName(), Places: 1}] = true // ours' file imports it under this name
	} else {
		w.notes[w.note(a.symbol, was, text)] = true
	}
	return &edit{where, text}, spec
}

// note is the note about a symbol that is written otherwise.
func (w *words) note(from Symbol, was, is string) Note {
	n := Note{From: was, To: is, Places: w.d.symbols[from].places}
	p, ok := w.d.paths[from.Path]
	if !ok || n.Places > 0 && was != is {
		return n
	}
	n = Note{From: strconv.Quote(from.Path), To: strconv.Quote(p.name), Places: p.places}
	if p.name == "" {
		n.To = "the package itself"
	}
	return n
}

// suffix is how many bytes of an atom's text are members behind its first name.
func suffix(a *atom) int {
	n := 0
	for _, name := range a.names[1:] {
		n += 1 + len(name)
	}
	return n
}

// here is how ours' file imports a package; nil if it does not.
func (w *words) here(p string) *importSpec {
	if w.ours == nil {
		return nil
	}
	for _, s := range w.ours.imports {
		if s.path == p && s.alias != "_" {
			return &importSpec{alias: s.alias, path: p}
		}
	}
	return nil
}

// imported is how the other files of ours import a package.
func (w *words) imported(p string) *importSpec {
	spec := &importSpec{path: p}
	if name := w.d.names[p]; name != "" && name != importmap.PackageName(p) {
		spec.alias = name
	}
	return spec
}

// fields translates the members in an atom.
func (w *words) fields(a *atom) []edit {
	var edits []edit
	for i, name := range a.names {
		t, ok := w.d.members[name]
		if !ok || i == 0 && a.kind != member {
			continue
		}
		w.notes[Note{From: "." + name, To: "." + t.name, Places: t.places}] = true
		edits = append(edits, edit{span{a.at[i], a.at[i] + len(name)}, t.name})
	}
	return edits
}

// apply makes edits that do not overlap; of those that do, the outer one.
func apply(text []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int {
		if a.lo != b.lo {
			return a.lo - b.lo
		}
		return b.hi - a.hi
	})
	var out []byte
	at := 0
	for _, e := range edits {
		if e.lo < at {
			continue
		}
		out = append(append(out, text[at:e.lo]...), e.text...)
		at = e.hi
	}
	return append(out, text[at:]...)
}
