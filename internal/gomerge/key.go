package gomerge

import (
	"go/ast"
	"go/token"
	"strings"
)

// key identifies a syntax node among its siblings: a declaration by kind, receiver and name, a field by its names, a case by what it
// compares with, a keyed element by its key, a row of a table by its first string. It is empty where nothing does.
func key(n ast.Node) string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if of := Receiver(n); of != "" {
			return "func " + of + "." + n.Name.Name
		}
		return "func " + n.Name.Name
	case *ast.GenDecl:
		return declKey(n)
	case *ast.ValueSpec:
		return names(n.Names)
	case *ast.TypeSpec:
		return n.Name.Name
	case *ast.Field:
		if len(n.Names) == 0 {
			return exprKey(PlainType(n.Type))
		}
		return names(n.Names)
	case *ast.CaseClause:
		return caseKey(n)
	case *ast.KeyValueExpr:
		return exprKey(n.Key)
	case *ast.CompositeLit:
		return firstString(n)
	}
	return ""
}

func names(ids []*ast.Ident) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Name
	}
	if len(out) == 1 && out[0] == "_" {
		return ""
	}
	return strings.Join(out, ",")
}

func declKey(d *ast.GenDecl) string {
	if d.Tok == token.IMPORT {
		return "import"
	}
	if len(d.Specs) == 0 {
		return ""
	}
	name := key(d.Specs[0])
	if name == "" {
		return ""
	}
	return d.Tok.String() + " " + name
}

func caseKey(c *ast.CaseClause) string {
	if c.List == nil {
		return "default"
	}
	keys := make([]string, len(c.List))
	for i, e := range c.List {
		if keys[i] = exprKey(e); keys[i] == "" {
			return ""
		}
	}
	return "case " + strings.Join(keys, ",")
}

// exprKey is the text of a name or literal.
func exprKey(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.BasicLit:
		return e.Value
	case *ast.SelectorExpr:
		if x := exprKey(e.X); x != "" {
			return x + "." + e.Sel.Name
		}
	case *ast.StarExpr:
		if x := exprKey(e.X); x != "" {
			return "*" + x
		}
	}
	return ""
}

// Receiver is the name of the type that a method belongs to: empty for a function, a question mark where the type has no plain name.
func Receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) != 1 {
		return ""
	}
	if id, ok := PlainType(d.Recv.List[0].Type).(*ast.Ident); ok {
		return id.Name
	}
	return "?"
}

// PlainType is a type without what may stand around its name: pointers, parentheses, type arguments.
func PlainType(t ast.Expr) ast.Expr {
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		default:
			return t
		}
	}
}

// firstString is a row's first element, or that element's value, if it is a string literal.
func firstString(row *ast.CompositeLit) string {
	if len(row.Elts) == 0 {
		return ""
	}
	e := row.Elts[0]
	if kv, ok := e.(*ast.KeyValueExpr); ok {
		e = kv.Value
	}
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		return lit.Value
	}
	return ""
}
