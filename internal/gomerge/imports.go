package gomerge

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/importmap"
)

// spec is one import.
type spec struct {
	name string // as written; empty if the package's own name serves
	path string
	node *ast.ImportSpec
}

func (s spec) String() string {
	if s.name == "" {
		return strconv.Quote(s.path)
	}
	return s.name + " " + strconv.Quote(s.path)
}

// effect reports whether it is imported for what importing does, so that no use of a name tells whether it is needed.
func (s spec) effect() bool { return s.name == "_" || s.name == "." || s.path == "C" }

func specs(f *ast.File) []spec {
	out := make([]spec, 0, len(f.Imports))
	for _, i := range f.Imports {
		s := spec{node: i}
		s.path, _ = strconv.Unquote(i.Path.Value) // the parser has checked it
		if i.Name != nil {
			s.name = i.Name.Name
		}
		out = append(out, s)
	}
	return out
}

// callable are the names by which a file may use an import: the one that is written, or what the path suggests.
func (s spec) callable() []string {
	if s.name != "" {
		return []string{s.name}
	}
	return importmap.PackageNames(s.path)
}

// usage is what a file uses without declaring it.
type usage struct {
	unresolved map[string]bool            // names
	qualifiers map[string]map[string]bool // names that stand before a dot, and what stands behind it
	open       map[*ast.Ident]bool        // the uses themselves
}

// usageOf reads a file anew, for the parser resolves names only when asked to.
func usageOf(text []byte) (*ast.File, usage, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments)
	if err != nil {
		return nil, usage{}, err
	}
	u := usage{unresolved: map[string]bool{}, qualifiers: map[string]map[string]bool{}, open: map[*ast.Ident]bool{}}
	for _, id := range f.Unresolved {
		u.open[id] = true
		u.unresolved[id.Name] = true
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := s.X.(*ast.Ident); ok && u.open[id] {
			if u.qualifiers[id.Name] == nil {
				u.qualifiers[id.Name] = map[string]bool{}
			}
			u.qualifiers[id.Name][s.Sel.Name] = true
		}
		return true
	})
	return f, u, nil
}

func (u usage) uses(s spec) bool {
	return slices.ContainsFunc(s.callable(), func(n string) bool { return u.qualifiers[n] != nil })
}

// importMerge settles the imports of a merged text: what it uses is imported, what it imports is used, and what is imported for its
// effect is merged as a set.
type importMerge struct {
	base, ours, theirs []spec
	before, after      usage // of ours, of the merged text
	file               *ast.File
	add                []spec
	drop               []spec
	named              []naming
}

// naming is an import of ours that gets its package's own name written out, as the fix does it.
type naming struct{ have, want spec }

func (m *merger) imports(text []byte) ([]byte, error) {
	_, before, err := usageOf(m.ours.text)
	if err != nil {
		return nil, refuse(ReasonSyntax, "the target's version: %s", err)
	}
	file, after, err := usageOf(text)
	if err != nil {
		return nil, refuse(ReasonSyntax, "the merged file: %s", err)
	}
	im := &importMerge{
		base: specs(m.base.file), ours: specs(file), theirs: specs(m.theirs.file), before: before, after: after, file: file,
	}
	if err = im.needed(); err != nil {
		return nil, err
	}
	im.unneeded()
	im.effects()
	if len(im.add)+len(im.drop)+len(im.named) == 0 {
		return text, nil
	}
	for _, s := range im.add {
		m.notes = append(m.notes, "imports "+s.String())
	}
	for _, s := range im.drop {
		m.notes = append(m.notes, "no longer imports "+s.String())
	}
	return im.write(text)
}

// needed adds the imports of theirs that the merged text uses and ours does not have.
func (im *importMerge) needed() error {
	for _, q := range slices.Sorted(maps.Keys(im.after.qualifiers)) {
		provides := func(s spec) bool { return !s.effect() && slices.Contains(s.callable(), q) }
		at := slices.IndexFunc(im.theirs, provides)
		if at < 0 {
			continue
		}
		want := im.theirs[at]
		if have := slices.IndexFunc(im.ours, provides); have >= 0 {
			if im.ours[have].path != want.path && !slices.ContainsFunc(im.base, func(s spec) bool { return s.path == want.path && provides(s) }) {
				return refuse(ReasonImport, "the fix means %q by %s, the target %q", want.path, q, im.ours[have].path)
			}
			continue
		}
		have := slices.IndexFunc(im.ours, func(s spec) bool { return s.path == want.path && !s.effect() })
		if have < 0 {
			im.add = append(im.add, want)
			continue
		}
		if im.ours[have].name != "" || im.before.qualifiers[q] == nil {
			return refuse(ReasonImport, "the fix calls %q %s, the target %s", want.path, q, im.ours[have])
		}
		im.ownName(im.ours[have], want)
	}
	return nil
}

// ownName has ours write the package's own name out, which its path does not tell, if that is what the fix does.
func (im *importMerge) ownName(have, want spec) {
	if slices.ContainsFunc(im.base, func(s spec) bool { return s.path == want.path && s.name == "" }) {
		im.named = append(im.named, naming{have, want})
	}
}

// unneeded drops imports of ours that it used and the merged text does not.
func (im *importMerge) unneeded() {
	for _, s := range im.ours {
		if !s.effect() && im.before.uses(s) && !im.after.uses(s) {
			im.drop = append(im.drop, s)
		}
	}
}

// effects takes over what theirs changed among the imports that no name uses.
func (im *importMerge) effects() {
	has := func(in []spec, s spec) bool {
		return slices.ContainsFunc(in, func(o spec) bool { return o.path == s.path && o.name == s.name })
	}
	for _, s := range im.theirs {
		if s.effect() && !has(im.base, s) && !has(im.ours, s) {
			im.add = append(im.add, s)
		}
	}
	for _, s := range im.ours {
		if s.effect() && has(im.base, s) && !has(im.theirs, s) {
			im.drop = append(im.drop, s)
		}
	}
}

// edit replaces a range of bytes.
type edit struct {
	lo, hi int
	text   string
}

func apply(text []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.lo - b.lo })
	var out []byte
	at := 0
	for _, e := range edits {
		if e.lo < at {
			continue // within what an earlier edit took away
		}
		out = append(append(out, text[at:e.lo]...), e.text...)
		at = e.hi
	}
	return append(out, text[at:]...)
}

// write edits the import declarations.
func (im *importMerge) write(text []byte) ([]byte, error) {
	var decls []*ast.GenDecl
	for _, d := range im.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			decls = append(decls, g)
		}
	}
	origin := int(im.file.FileStart)
	var edits []edit
	for _, n := range im.named {
		at := int(n.have.node.Pos()) - origin
		edits = append(edits, edit{at, at, n.want.name + " "})
	}
	for _, s := range im.drop {
		edits = append(edits, im.without(text, origin, decls, s))
	}
	for _, s := range im.add {
		edits = append(edits, im.place(text, origin, decls, s))
	}
	return apply(text, edits), nil
}

// without takes an import away with its line, or its whole declaration if it stands alone.
func (im *importMerge) without(text []byte, origin int, decls []*ast.GenDecl, s spec) edit {
	lo, hi := int(s.node.Pos())-origin, int(s.node.End())-origin
	for _, d := range decls {
		if len(d.Specs) == 1 && d.Specs[0] == ast.Spec(s.node) {
			lo, hi = int(d.Pos())-origin, int(d.End())-origin
		}
	}
	start := bytes.LastIndexByte(text[:lo], '\n') + 1
	end := bytes.IndexByte(text[hi:], '\n')
	if end < 0 || len(bytes.TrimSpace(text[start:lo])) > 0 {
		return edit{lo, hi, ""}
	}
	return edit{start, hi + end + 1, ""}
}

// place puts an import into the group of its nearest kin, by path.
func (im *importMerge) place(text []byte, origin int, decls []*ast.GenDecl, s spec) edit {
	at := slices.IndexFunc(decls, func(d *ast.GenDecl) bool { return d.Lparen.IsValid() && !dropsAll(d, im.drop) })
	if at < 0 {
		after := int(im.file.Name.End()) - origin
		if len(decls) > 0 {
			after = int(decls[len(decls)-1].End()) - origin
		}
		return edit{after, after, fmt.Sprintf("\n\nimport %s", s)}
	}
	best, near := -1, -1
	for i, o := range im.ours {
		if o.node.Pos() < decls[at].Lparen || o.node.Pos() > decls[at].Rparen || slices.ContainsFunc(im.drop, func(d spec) bool { return d.node == o.node }) {
			continue
		}
		if k := kinship(o.path, s.path); k > near || k == near && o.path < s.path {
			best, near = i, k
		}
	}
	if best < 0 {
		after := int(decls[at].Lparen) + 1 - origin
		return edit{after, after, "\n\t" + s.String() + "\n"}
	}
	o := im.ours[best]
	before := "\n\t"
	if near == 0 {
		before = "\n\n\t"
	}
	lo, hi := int(o.node.Pos())-origin, int(o.node.End())-origin
	if o.path > s.path && near > 0 {
		return edit{lo, lo, s.String() + "\n\t"}
	}
	if end := bytes.IndexByte(text[hi:], '\n'); end >= 0 {
		hi += end
	}
	return edit{hi, hi, before + s.String()}
}

func dropsAll(d *ast.GenDecl, drop []spec) bool {
	return len(d.Specs) == 1 && slices.ContainsFunc(drop, func(s spec) bool { return d.Specs[0] == ast.Spec(s.node) })
}

// kinship is how many elements of their paths two imports have in common, and one more if they are of the same kind: of the standard library
// or not.
func kinship(a, b string) int {
	if importmap.Standard(a) != importmap.Standard(b) {
		return 0
	}
	n := 1
	if importmap.Standard(a) {
		return n
	}
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for i := 0; i < min(len(x), len(y)) && x[i] == y[i]; i++ {
		n++
	}
	return n
}
