package gomerge

import (
	"go/ast"
	"go/parser"
	"go/token"
)

// check refuses a merged text that does not parse, or that declares or imports something twice that ours does not.
func check(ours, merged []byte) error {
	old, err := parser.ParseFile(token.NewFileSet(), "", ours, parser.SkipObjectResolution)
	if err != nil {
		return refuse(ReasonSyntax, "the target's version: %s", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", merged, parser.SkipObjectResolution)
	if err != nil {
		return refuse(ReasonSyntax, "the merged file: %s", err)
	}
	seen, before := map[string]bool{}, specs(old)
	for _, s := range specs(file) {
		if seen[s.String()] && !twice(before, s) {
			return refuse(ReasonDuplicate, "the merged file imports %s twice", s)
		}
		seen[s.String()] = true
	}
	return duplicates(file, old)
}

// twice reports whether a file imports a package more than once.
func twice(in []spec, s spec) bool {
	n := 0
	for _, o := range in {
		if o.path == s.path && o.name == s.name {
			n++
		}
	}
	return n > 1
}

// Declared are the names that a file declares for its package. Methods are named with their receiver, T.Name.
func Declared(f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if of := Receiver(d); of != "" {
				name = of + "." + name
			}
			out = append(out, name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					out = append(out, s.Name.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						out = append(out, id.Name)
					}
				}
			}
		}
	}
	return out
}

// duplicates refuses what the merged file declares more often than ours does: names of the package, fields and methods of a type, cases and
// keys that are constants.
func duplicates(merged, ours *ast.File) error {
	before := counts(ours)
	for name, n := range counts(merged) {
		if n > 1 && n > before[name] {
			return refuse(ReasonDuplicate, "the merged file has %s twice", name)
		}
	}
	return nil
}

func counts(f *ast.File) map[string]int {
	n := map[string]int{}
	for _, name := range Declared(f) {
		if name != "_" && name != "init" {
			n[name]++
		}
	}
	most := func(keys []string) {
		within := map[string]int{}
		for _, k := range keys {
			within[k]++
			n[k] = max(n[k], within[k])
		}
	}
	ast.Inspect(f, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.TypeSpec:
			for _, k := range members(node.Type) {
				n[node.Name.Name+"'s "+k]++
			}
		case *ast.CompositeLit:
			most(literalKeys(node))
		case *ast.BlockStmt:
			most(caseKeys(node))
		}
		return true
	})
	return n
}

func literalKeys(lit *ast.CompositeLit) []string {
	var out []string
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && exprKey(kv.Key) != "" {
			out = append(out, "the key "+exprKey(kv.Key))
		}
	}
	return out
}

func caseKeys(b *ast.BlockStmt) []string {
	var out []string
	for _, s := range b.List {
		if c, ok := s.(*ast.CaseClause); ok && caseKey(c) != "" {
			out = append(out, caseKey(c))
		}
	}
	return out
}

func members(t ast.Expr) []string {
	var fields *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return nil
	}
	var out []string
	for _, f := range fields.List {
		for _, id := range f.Names {
			if id.Name != "_" {
				out = append(out, id.Name)
			}
		}
	}
	return out
}

// universe reports whether every file knows the name.
func universe(name string) bool {
	if token.IsKeyword(name) {
		return true
	}
	switch name {
	case "any", "bool", "byte", "comparable", "complex64", "complex128", "error", "float32", "float64", "int", "int8", "int16", "int32", "int64",
		"rune", "string", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "true", "false", "iota", "nil", "append", "cap", "clear", "close",
		"complex", "copy", "delete", "imag", "len", "make", "max", "min", "new", "panic", "print", "println", "real", "recover", "_":
		return true
	}
	return false
}
