package gomerge

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"sort"
)

// source is one version of the file: its tokens and its parts.
type source struct {
	text   []byte
	file   *ast.File
	origin int // the position of the first byte
	tokens []tok
	root   *node
}

// tok is a token or comment. Semicolons that stand for a line end are none.
type tok struct {
	lo, hi  int
	id      int32 // equal for equal texts
	comment bool
}

// node is a part of a file: a range of bytes with smaller parts within. Parts do not overlap and are in order. What lies between them (the
// gaps) belongs to the node itself. A list's parts are its elements.
type node struct {
	src    *source
	kind   string
	lo, hi int
	key    string // what identifies it among its siblings; empty if nothing does
	parts  []*node
	list   listKind
	free   bool // a list in which order means nothing
	loose  bool // a list in order that can lack an element and still mean what it says: statements, rows
	chunks []chunk
	bare   bool // elements cut out of a list, without anything around them
}

type listKind byte

const (
	noList listKind = iota
	byLine          // elements end with their lines: declarations, statements, fields
	byComma
)

func (m *merger) read(name string, text []byte) (*source, error) {
	if len(text) > MaxBytes {
		return nil, refuse(ReasonTooLarge, "%s has more than %d bytes", name, MaxBytes)
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		return nil, refuse(ReasonSyntax, "%s has carriage returns", name)
	}
	s := &source{text: text}
	set := token.NewFileSet()
	var err error
	if s.file, err = parser.ParseFile(set, "", text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, refuse(ReasonSyntax, "%s: %s", name, err)
	}
	if slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"C"` }) {
		return nil, refuse(ReasonImport, "%s has C before an import", name)
	}
	s.origin = int(s.file.FileStart)
	m.scan(s)
	b := builder{src: s, ordered: map[*ast.BlockStmt]bool{}}
	s.root = b.build(s.file, 0)
	if b.tooDeep {
		return nil, refuse(ReasonTooLarge, "%s: parts within each other deeper than %d", name, maxDepth)
	}
	return s, nil
}

func (m *merger) scan(s *source) {
	set := token.NewFileSet()
	var sc scanner.Scanner
	file := set.AddFile("", set.Base(), len(s.text))
	sc.Init(file, s.text, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, t, lit := sc.Scan()
		if t == token.EOF {
			return
		}
		if t == token.SEMICOLON && lit != ";" {
			continue
		}
		if lit == "" {
			lit = t.String()
		}
		lo := file.Offset(pos)
		s.tokens = append(s.tokens, tok{lo: lo, hi: lo + len(lit), id: m.id(lit), comment: t == token.COMMENT})
	}
}

func (m *merger) id(text string) int32 {
	n, ok := m.ids[text]
	if !ok {
		n = int32(len(m.ids)) //nolint:gosec // less than three times MaxBytes
		m.ids[text] = n
	}
	return n
}

func (s *source) at(p token.Pos) int { return int(p) - s.origin }

// bodyStart is where the package clause begins.
func (s *source) bodyStart() int { return s.at(s.file.Package) }

// within returns the tokens that begin in a range of bytes.
func (s *source) within(lo, hi int) []tok {
	i := sort.Search(len(s.tokens), func(i int) bool { return s.tokens[i].lo >= lo })
	j := sort.Search(len(s.tokens), func(i int) bool { return s.tokens[i].lo >= hi })
	return s.tokens[i:max(i, j)]
}

func sameTokens(a, b []tok) bool {
	return slices.EqualFunc(a, b, func(x, y tok) bool { return x.id == y.id })
}

// code leaves comments out.
func code(tokens []tok) []tok {
	return slices.DeleteFunc(slices.Clone(tokens), func(t tok) bool { return t.comment })
}

func (n *node) tokens() []tok { return n.src.within(n.lo, n.hi) }

func (n *node) bytes() []byte { return n.src.text[n.lo:n.hi] }

func (n *node) line() int { return bytes.Count(n.src.text[:n.lo], []byte("\n")) + 1 }
