package replay

import (
	"bytes"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// source is what a Go file says: its imports, and its other tokens and directives in order.
type source struct {
	imports []string // sorted
	tokens  []string
}

// compareGo compares two Go files. One that the scanner does not accept is like none other.
func compareGo(a, b []byte) likeness {
	x, ok := readGo(a)
	if !ok {
		return different
	}
	y, ok := readGo(b)
	switch {
	case !ok || !slices.Equal(x.imports, y.imports):
		return different
	case slices.Equal(x.tokens, y.tokens):
		return same
	case slices.Equal(withoutLayout(x.tokens), withoutLayout(y.tokens)):
		return sameButLayout
	}
	return different
}

// readGo scans a file.
func readGo(content []byte) (source, bool) {
	file := token.NewFileSet().AddFile("", -1, len(content))
	ok := true
	var s scanner.Scanner
	s.Init(file, content, func(token.Position, string) { ok = false }, scanner.ScanComments)
	r := goReader{}
	for {
		_, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		r.take(tok, literal)
	}
	slices.Sort(r.imports)
	return r.source, ok
}

// goReader sorts a file's tokens into imports and the rest.
type goReader struct {
	source

	importing bool // within an import declaration
	grouped   bool // within its parentheses
	spec      []string
}

func (r *goReader) take(tok token.Token, literal string) {
	switch {
	case tok == token.COMMENT:
		if isDirective(literal) {
			r.tokens = append(r.tokens, literal)
		}
	case r.importing:
		r.takeImport(tok, literal)
	case tok == token.IMPORT:
		r.importing = true
	default:
		r.tokens = append(r.tokens, spell(tok, literal))
	}
}

func (r *goReader) takeImport(tok token.Token, literal string) {
	switch tok {
	case token.LPAREN:
		r.grouped = true
	case token.RPAREN, token.SEMICOLON:
		if len(r.spec) > 0 {
			r.imports = append(r.imports, strings.Join(r.spec, " "))
			r.spec = nil
		}
		if tok == token.RPAREN {
			r.grouped = false
		}
		r.importing = r.grouped
	default:
		r.spec = append(r.spec, spell(tok, literal))
	}
}

// spell is a token's text; a semicolon that a line's end stands for is one.
func spell(tok token.Token, literal string) string {
	if literal == "" || tok == token.SEMICOLON {
		return tok.String()
	}
	return literal
}

func isDirective(comment string) bool {
	return strings.HasPrefix(comment, "//go:") || strings.HasPrefix(comment, "// +build") || strings.HasPrefix(comment, "//export ")
}

// withoutLayout drops what only tells how a list is broken into lines: commas and semicolons before a closing bracket.
func withoutLayout(tokens []string) []string {
	kept := make([]string, 0, len(tokens))
	for i, t := range tokens {
		if (t == "," || t == ";") && i+1 < len(tokens) && strings.Contains(")]}", tokens[i+1]) {
			continue
		}
		kept = append(kept, t)
	}
	return kept
}

// compareLines compares files as sets of lines.
func compareLines(a, b []byte) likeness {
	if slices.Equal(lineSet(a), lineSet(b)) {
		return same
	}
	return different
}

func lineSet(content []byte) []string {
	var lines []string
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		if text := strings.TrimSpace(string(line)); text != "" {
			lines = append(lines, text)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
