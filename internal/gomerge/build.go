package gomerge

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// builder makes parts of a syntax tree.
type builder struct {
	src     *source
	tooDeep bool
	ordered map[*ast.BlockStmt]bool // of switches whose cases are tried in their order
}

// build makes the part for a syntax node, and all parts within.
func (b *builder) build(n ast.Node, depth int) *node {
	made := &node{src: b.src, kind: kindOf(n), lo: b.src.at(n.Pos()), hi: b.src.at(n.End())}
	if file, ok := n.(*ast.File); ok {
		made.lo, made.hi = 0, len(b.src.text)
		made.parts = []*node{b.build(file.Name, depth+1), b.decls(file, depth+1)}
		return made
	}
	if depth > maxDepth {
		b.tooDeep = true
		return made
	}
	made.key = key(n)
	b.noteOrder(n)
	l, listed := listIn(n)
	if block, ok := n.(*ast.BlockStmt); ok && b.ordered[block] {
		l.free = false
	}
	if _, whole := n.(*ast.FieldList); whole && listed {
		return b.listNode(l, depth) // its brackets are its parent's
	}
	children := direct(n)
	if listed {
		children = slices.DeleteFunc(children, func(c ast.Node) bool { return slices.Contains(l.elements, c) })
	}
	head, body := header(n)
	for _, c := range children {
		if body.IsValid() && c.Pos() < body {
			continue
		}
		made.parts = append(made.parts, b.build(c, depth+1))
	}
	if body.IsValid() {
		made.parts = append(made.parts, b.head(n, head, body, depth+1))
	}
	if listed {
		made.parts = append(made.parts, b.listNode(l, depth+1))
	}
	slices.SortStableFunc(made.parts, func(x, y *node) int { return cmp.Compare(x.lo, y.lo) })
	return made
}

// head makes a part of everything before the body of a function or compound statement.
func (b *builder) head(n ast.Node, from, body token.Pos, depth int) *node {
	made := &node{src: b.src, kind: kindOf(n) + " head", lo: b.src.at(from), hi: b.src.at(body)}
	for _, c := range direct(n) {
		if c.Pos() < body {
			made.parts = append(made.parts, b.build(c, depth+1))
		}
	}
	return made
}

func (b *builder) decls(file *ast.File, depth int) *node {
	elements := make([]ast.Node, len(file.Decls))
	for i, d := range file.Decls {
		elements[i] = d
	}
	l := list{elements: elements, lo: file.Name.End(), hi: token.Pos(len(b.src.text) + b.src.origin), kind: byLine, free: true}
	return b.listNode(l, depth)
}

func (b *builder) listNode(l list, depth int) *node {
	made := &node{src: b.src, kind: "list", lo: b.src.at(l.lo), hi: b.src.at(l.hi), list: l.kind, free: l.free, loose: l.loose}
	for _, e := range l.elements {
		made.parts = append(made.parts, b.build(e, depth+1))
	}
	uniqueKeys(made.parts)
	made.cut()
	return made
}

// uniqueKeys takes the keys away that do not identify anything.
func uniqueKeys(parts []*node) {
	count := map[string]int{}
	for _, p := range parts {
		count[p.key]++
	}
	for _, p := range parts {
		if count[p.key] > 1 {
			p.key = ""
		}
	}
}

// list is a run of elements within a syntax node, between two positions.
type list struct {
	elements []ast.Node
	lo, hi   token.Pos
	kind     listKind
	free     bool
	loose    bool
}

func nodes[T ast.Node](of []T) []ast.Node {
	out := make([]ast.Node, len(of))
	for i, n := range of {
		out[i] = n
	}
	return out
}

// listIn returns the list of a syntax node that has one.
func listIn(n ast.Node) (list, bool) {
	switch n := n.(type) {
	case *ast.GenDecl:
		return list{nodes(n.Specs), n.Lparen + 1, n.Rparen, byLine, !usesIota(n), false}, n.Lparen.IsValid()
	case *ast.BlockStmt:
		return list{nodes(n.List), n.Lbrace + 1, n.Rbrace, byLine, onlyCases(n), !hasCases(n)}, n.Lbrace.IsValid() && n.Rbrace.IsValid()
	case *ast.CaseClause:
		return list{nodes(n.Body), n.Colon + 1, n.End(), byLine, false, true}, true
	case *ast.CommClause:
		return list{nodes(n.Body), n.Colon + 1, n.End(), byLine, false, true}, true
	case *ast.CallExpr:
		return list{nodes(n.Args), n.Lparen + 1, n.Rparen, byComma, false, false}, true
	case *ast.CompositeLit:
		return list{nodes(n.Elts), n.Lbrace + 1, n.Rbrace, byComma, onlyKeyed(n.Elts), true}, true
	case *ast.StructType:
		return list{nodes(n.Fields.List), n.Fields.Opening + 1, n.Fields.Closing, byLine, true, false}, n.Fields.Opening.IsValid()
	case *ast.InterfaceType:
		return list{nodes(n.Methods.List), n.Methods.Opening + 1, n.Methods.Closing, byLine, true, false}, n.Methods.Opening.IsValid()
	case *ast.FieldList:
		return list{nodes(n.List), n.Opening + 1, n.Closing, byComma, false, false}, n.Opening.IsValid()
	}
	return list{}, false
}

func usesIota(d *ast.GenDecl) bool {
	if d.Tok != token.CONST {
		return false
	}
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 0 {
			found = true
		}
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == "iota"
		return !found
	})
	return found
}

func onlyKeyed(elements []ast.Expr) bool {
	return !slices.ContainsFunc(elements, func(e ast.Expr) bool { _, ok := e.(*ast.KeyValueExpr); return !ok })
}

// noteOrder notes the body of a switch in which more than one case may hold: one without a value to compare with, or of types that may be interfaces.
func (b *builder) noteOrder(n ast.Node) {
	switch n := n.(type) {
	case *ast.SwitchStmt:
		if n.Tag == nil {
			b.ordered[n.Body] = true
		}
	case *ast.TypeSwitchStmt:
		b.ordered[n.Body] = slices.ContainsFunc(n.Body.List, func(s ast.Stmt) bool {
			c, ok := s.(*ast.CaseClause)
			return !ok || slices.ContainsFunc(c.List, func(e ast.Expr) bool {
				_, pointer := e.(*ast.StarExpr)
				id, ok := e.(*ast.Ident)
				return !pointer && (!ok || !universe(id.Name) || id.Name == "any" || id.Name == "error")
			})
		})
	}
}

func hasCases(b *ast.BlockStmt) bool {
	return slices.ContainsFunc(b.List, func(s ast.Stmt) bool { _, ok := s.(*ast.CaseClause); return ok })
}

// onlyCases reports whether a block holds cases that are constants and end where they end, so that their order does not matter.
func onlyCases(b *ast.BlockStmt) bool {
	return len(b.List) > 0 && !slices.ContainsFunc(b.List, func(s ast.Stmt) bool {
		c, ok := s.(*ast.CaseClause)
		return !ok || fallsThrough(c) || slices.ContainsFunc(c.List, func(e ast.Expr) bool {
			switch e.(type) {
			case *ast.BasicLit, *ast.Ident, *ast.SelectorExpr, *ast.StarExpr:
				return false
			}
			return true
		})
	})
}

func fallsThrough(c *ast.CaseClause) bool {
	if len(c.Body) == 0 {
		return false
	}
	last, ok := c.Body[len(c.Body)-1].(*ast.BranchStmt)
	return ok && last.Tok == token.FALLTHROUGH
}

// direct returns the syntax nodes right below n, in order, without comments. A function's type begins before its receiver and name, so its
// own parts stand for it.
func direct(n ast.Node) []ast.Node {
	var out []ast.Node
	ast.Inspect(n, func(c ast.Node) bool {
		switch c := c.(type) {
		case nil, *ast.CommentGroup:
			return false
		case *ast.FuncType:
			if _, decl := n.(*ast.FuncDecl); decl {
				out = append(out, direct(c)...)
				return false
			}
		case *ast.FieldList:
			switch n.(type) {
			case *ast.StructType, *ast.InterfaceType:
				out = append(out, nodes(c.List)...)
				return false
			}
		}
		if c == n {
			return true
		}
		out = append(out, c)
		return false
	})
	slices.SortStableFunc(out, func(a, b ast.Node) int { return cmp.Compare(a.Pos(), b.Pos()) })
	return out
}

// header says where the head of a function or compound statement begins and where its body does.
func header(n ast.Node) (from, body token.Pos) {
	var block *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncDecl:
		block = n.Body
	case *ast.FuncLit:
		block = n.Body
	case *ast.IfStmt:
		block = n.Body
	case *ast.ForStmt:
		block = n.Body
	case *ast.RangeStmt:
		block = n.Body
	case *ast.SwitchStmt:
		block = n.Body
	case *ast.TypeSwitchStmt:
		block = n.Body
	}
	if block == nil {
		return token.NoPos, token.NoPos
	}
	return n.Pos(), block.Pos()
}

func kindOf(n ast.Node) string {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast.")
	if d, ok := n.(*ast.GenDecl); ok {
		kind += " " + d.Tok.String()
	}
	return kind
}
