package gomerge

import (
	"go/ast"
	"go/parser"
	"go/token"
)

// SettleImports gives a text that was merged in another way the imports that it needs, as [Merge] does: what it uses of theirs is imported,
// what ours used and it does not use is not. The error is a [*RefusedError].
func SettleImports(base, ours, theirs, merged []byte) (text []byte, notes []string, err error) {
	m := &merger{ids: map[string]int32{}}
	if err = m.versions(base, ours, theirs); err != nil {
		return nil, nil, err
	}
	if text, err = m.imports(merged); err != nil {
		return nil, nil, err
	}
	if err = check(ours, text); err != nil {
		return nil, nil, err
	}
	return m.format(text), m.notes, nil
}

// WithImports is a text with the import declarations of ours in the place of its own, for comparing what else is in it. A text that does not parse,
// or has no imports where ours has some, comes back as it is.
func WithImports(text, ours []byte) []byte {
	lo, hi := importsAt(text)
	from, to := importsAt(ours)
	if hi == 0 || to == 0 {
		return text
	}
	out := append([]byte{}, text[:lo]...)
	return append(append(out, ours[from:to]...), text[hi:]...)
}

// importsAt is where the import declarations of a text are; zero if there are none.
func importsAt(text []byte) (lo, hi int) {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly|parser.SkipObjectResolution)
	if err != nil {
		return 0, 0
	}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			if hi == 0 {
				lo = int(g.Pos() - f.FileStart)
			}
			hi = int(g.End() - f.FileStart)
		}
	}
	return lo, hi
}
