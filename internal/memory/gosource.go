package memory

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"

	"github.com/kubelts/kubelts/internal/gomerge"
	"github.com/kubelts/kubelts/internal/merge"
)

// maxGo bounds the Go source that is parsed, in bytes.
const maxGo = 4 << 20

// goSource is ours of a Go file, as far as it can be parsed. The nil value knows nothing.
type goSource struct {
	text  []byte
	decls []goDecl
	dark  []merge.Span // lines of literals and comments that go over several lines
}

// goDecl is a declaration, and the lines that it stands on, its comment included.
type goDecl struct {
	name  string
	lines merge.Span
}

// readGo reads ours of a Go file; nil for others and what does not parse.
func readGo(s Sides) *goSource {
	if Kind(s.Path) != "go" || len(s.Ours) > maxGo {
		return nil
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "", s.Ours, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil
	}
	g := &goSource{text: s.Ours}
	span := func(from, to token.Pos) merge.Span {
		return merge.Span{Lo: files.PositionFor(from, false).Line - 1, Hi: files.PositionFor(to, false).Line}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			g.add(funcName(d), d.Doc, d, span)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if name, doc := specName(d.Tok, s); name != "" {
					g.add(name, doc, s, span)
				}
			}
			g.add(d.Tok.String(), d.Doc, d, span)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if n, ok := n.(*ast.BasicLit); ok {
			g.darken(span(n.Pos(), n.End()))
		}
		return true
	})
	for _, group := range f.Comments {
		for _, c := range group.List {
			g.darken(span(c.Pos(), c.End()))
		}
	}
	return g
}

func (g *goSource) darken(lines merge.Span) {
	if lines.Hi-lines.Lo > 1 {
		g.dark = append(g.dark, lines)
	}
}

func (g *goSource) add(name string, doc *ast.CommentGroup, n ast.Node, span func(from, to token.Pos) merge.Span) {
	from := n.Pos()
	if doc != nil {
		from = doc.Pos()
	}
	g.decls = append(g.decls, goDecl{name, span(from, n.End())})
}

func funcName(d *ast.FuncDecl) string {
	if of := gomerge.Receiver(d); of != "" {
		return "func " + of + "." + d.Name.Name
	}
	return "func " + d.Name.Name
}

func specName(kind token.Token, s ast.Spec) (string, *ast.CommentGroup) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		return kind.String() + " " + s.Name.Name, s.Doc
	case *ast.ValueSpec:
		return kind.String() + " " + s.Names[0].Name, s.Doc
	}
	return "", nil
}

// declaration names the declaration that the lines stand in: the smallest one; empty if there is none.
func (g *goSource) declaration(lines merge.Span) string {
	if g == nil {
		return ""
	}
	for _, d := range g.decls { // specs stand before the group that they are in
		inside := d.lines.Lo <= lines.Lo && lines.Hi <= d.lines.Hi
		if lines.Lo == lines.Hi { // between two lines
			inside = d.lines.Lo < lines.Lo && lines.Lo < d.lines.Hi
		}
		if inside {
			return d.name
		}
	}
	return ""
}

// hidden reports whether the lines, or their neighbours, are part of a literal or comment of several lines: they may look like code and be none.
func (g *goSource) hidden(lines merge.Span) bool {
	if g == nil {
		return true
	}
	for _, d := range g.dark {
		if d.Lo < lines.Hi+contextLines && lines.Lo-contextLines < d.Hi {
			return true
		}
	}
	return false
}

// formatted formats a text if ours was formatted.
func (g *goSource) formatted(text []byte) []byte {
	if g == nil {
		return text
	}
	if was, err := format.Source(g.text); err != nil || !bytes.Equal(was, g.text) {
		return text
	}
	if out, err := format.Source(text); err == nil {
		return out
	}
	return text
}

// lexeme is a token of Go source. Semicolons that nobody wrote are left out.
type lexeme struct {
	kind   token.Token
	text   string
	offset int
}

// lex cuts Go source into tokens; ok is false if it does not consist of whole ones.
func lex(text string) (out []lexeme, ok bool) {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(text))
	ok = true
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) { ok = false }, scanner.ScanComments)
	for {
		pos, kind, lit := s.Scan()
		if kind == token.EOF {
			return out, ok
		}
		if kind == token.SEMICOLON && lit != ";" {
			continue
		}
		if kind == token.COMMENT {
			lit = strings.TrimRight(lit, " \t\r\n")
		}
		if lit == "" {
			lit = kind.String()
		}
		out = append(out, lexeme{kind, lit, file.Offset(pos)})
	}
}
