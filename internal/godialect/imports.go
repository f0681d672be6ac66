package godialect

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

func (s importSpec) String() string {
	if s.alias == "" {
		return strconv.Quote(s.path)
	}
	return s.alias + " " + strconv.Quote(s.path)
}

// uses are the names by which a text uses packages.
func (f *file) uses() map[string]bool {
	out := map[string]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && f.open[id] {
				out[id.Name] = true
			}
		}
		return true
	})
	return out
}

// imports lets a translated text import what it uses; nil if that cannot be settled. Left are packages that it goes on using as before.
func imports(before *file, text []byte, want []importSpec, left map[string]bool) []byte {
	f := read(text)
	if f == nil {
		return nil
	}
	was := map[string]bool{}
	for i := range before.atoms {
		if a := &before.atoms[i]; a.foreign {
			was[a.symbol.Path] = true
		}
	}
	is := f.uses()
	var drop, add []importSpec
	for _, s := range f.imports {
		if s.alias != "_" && was[s.path] && (!left[s.path] || !is[s.callName()]) {
			drop = append(drop, s)
		}
	}
	for _, w := range want {
		has := func(s importSpec) bool { return s.path == w.path && s.callName() == w.callName() }
		if slices.ContainsFunc(add, has) {
			continue
		}
		if slices.ContainsFunc(f.imports, has) {
			drop = slices.DeleteFunc(drop, has)
			continue
		}
		if slices.ContainsFunc(f.imports, func(s importSpec) bool {
			return s.callName() == w.callName() && !slices.ContainsFunc(drop, func(d importSpec) bool { return d.node == s.node })
		}) {
			return nil // the name means another package
		}
		add = append(add, w)
	}
	return apply(text, f.importEdits(drop, add))
}

func (f *file) importEdits(drop, add []importSpec) []edit {
	var edits []edit
	for len(drop) > 0 && len(add) > 0 {
		n := drop[0].node
		edits = append(edits, edit{span{f.offset(n.Pos()), f.offset(n.End())}, add[0].String()})
		drop, add = drop[1:], add[1:]
	}
	for _, s := range drop {
		edits = append(edits, edit{span: f.line(s.node)})
	}
	for _, s := range add {
		edits = append(edits, f.place(s))
	}
	return edits
}

// line is the line of an import, or its whole declaration if it stands alone.
func (f *file) line(n *ast.ImportSpec) span {
	lo, hi := f.offset(n.Pos()), f.offset(n.End())
	for _, d := range f.ast.Decls {
		if g, ok := d.(*ast.GenDecl); ok && len(g.Specs) == 1 && g.Specs[0] == ast.Spec(n) {
			lo, hi = f.offset(g.Pos()), f.offset(g.End())
		}
	}
	start := bytes.LastIndexByte(f.text[:lo], '\n') + 1
	end := bytes.IndexByte(f.text[hi:], '\n')
	if end < 0 || len(bytes.TrimSpace(f.text[start:lo])) > 0 {
		return span{lo, hi}
	}
	return span{start, hi + end + 1}
}

// place puts an import behind the last one.
func (f *file) place(s importSpec) edit {
	at, text := f.offset(f.ast.Name.End()), "\n\nimport "+s.String()
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		at, text = f.offset(g.End()), "\nimport "+s.String()
		if g.Lparen.IsValid() && len(g.Specs) > 0 {
			at, text = f.offset(g.Specs[len(g.Specs)-1].End()), "\n\t"+s.String()
		}
	}
	if end := bytes.IndexByte(f.text[at:], '\n'); end >= 0 && text[0] == '\n' && text[1] != '\n' {
		at += end // behind a comment
	}
	return edit{span{at, at}, text}
}
