package godialect

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/importmap"
)

// kind is what a name stands for.
type kind byte

const (
	other  kind = iota // punctuation, literals, keywords
	symbol             // a name of a package
	local              // a variable of a function
	member             // a field or method
)

// atom is what texts are compared by: a token, or a name with the members behind it (a.b.c).
type atom struct {
	text    string
	lo, hi  int
	line    int
	kind    kind   // of the first name
	symbol  Symbol // if it is one
	foreign bool   // the first name is an import, and names[0] what stands behind it
	names   []string
	at      []int // where each of names begins
}

// importSpec is one import.
type importSpec struct {
	alias, path string // alias as written, or empty
	node        *ast.ImportSpec
}

// callName is the name by which a file uses the import, as far as the path tells.
func (s importSpec) callName() string {
	if s.alias != "" {
		return s.alias
	}
	return importmap.PackageName(s.path)
}

// file is a parsed text.
type file struct {
	text    []byte
	ast     *ast.File
	origin  int
	imports []importSpec
	open    map[*ast.Ident]bool // names that nothing in the file declares
	atoms   []atom
	called  []call
}

// read parses a text; nil if it does not parse or is too large.
func read(text []byte) *file {
	f := readImports(text, parser.ParseComments)
	if f == nil {
		return nil
	}
	for _, id := range f.ast.Unresolved {
		f.open[id] = true
	}
	f.scan()
	f.called = f.calls()
	return f
}

// readImports does no more than parse, and note the imports.
func readImports(text []byte, mode parser.Mode) *file {
	if text == nil || len(text) > MaxBytes {
		return nil
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, "", text, mode)
	if err != nil {
		return nil
	}
	f := &file{text: text, ast: parsed, origin: int(parsed.FileStart), open: map[*ast.Ident]bool{}}
	for _, i := range parsed.Imports {
		s := importSpec{node: i}
		s.path, _ = strconv.Unquote(i.Path.Value) // the parser has checked it
		if i.Name != nil {
			s.alias = i.Name.Name
		}
		if s.path == "C" || s.alias == "." {
			return nil // names may come from anywhere
		}
		f.imports = append(f.imports, s)
	}
	return f
}

// name is that of the package; empty without a file.
func (f *file) name() string {
	if f == nil {
		return ""
	}
	return f.ast.Name.Name
}

func (f *file) offset(p token.Pos) int { return int(p) - f.origin }

// qualifier is the path of the import that a name means.
func (f *file) qualifier(id *ast.Ident) (string, bool) {
	if !f.open[id] {
		return "", false
	}
	for _, s := range f.imports {
		if s.callName() == id.Name && s.alias != "_" {
			return s.path, true
		}
	}
	return "", false
}

// scan cuts the text into atoms.
func (f *file) scan() {
	named := f.named()
	set := token.NewFileSet()
	tf := set.AddFile("", -1, len(f.text))
	var sc scanner.Scanner
	sc.Init(tf, f.text, func(token.Position, string) {}, 0)
	const bytesOfAnAtom = 6
	f.atoms = make([]atom, 0, len(f.text)/bytesOfAnAtom)
	upTo, line, counted := 0, 1, 0
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			return
		}
		lo := tf.Offset(pos)
		if lo < upTo || tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		line, counted = line+bytes.Count(f.text[counted:lo], []byte{'\n'}), lo
		a := atom{lo: lo, line: line}
		if n := named.at(lo); n != nil {
			a = *n
			a.line = line
		} else {
			if a.text = lit; lit == "" || tok.IsOperator() {
				a.text = tok.String()
			}
			a.hi = lo + len(a.text)
		}
		upTo = a.hi
		f.atoms = append(f.atoms, a)
	}
}

// named finds the names in the file, with the members behind them.
func (f *file) named() *namer {
	n := &namer{f: f, index: make([]int32, len(f.text)+1), seen: make([]bool, len(f.text)+1)}
	ast.Inspect(f.ast, n.visit)
	return n
}

// namer is what names a file has, by where they begin.
type namer struct {
	f     *file
	index []int32 // in atoms, from 1, by where they begin
	atoms []atom
	seen  []bool   // by where a name begins: it is in atoms, alone or in a chain
	names []string // room for the names of atoms, and for their places
	where []int
}

// at is the name that begins there; nil if none does.
func (n *namer) at(lo int) *atom {
	if i := n.index[lo]; i > 0 {
		return &n.atoms[i-1]
	}
	return nil
}

func (n *namer) put(a atom) {
	n.atoms = append(n.atoms, a)
	n.index[a.lo] = int32(len(n.atoms)) //nolint:gosec // texts are not that long
}

// room gives an atom room for so many names: one slice for many atoms costs less than one for each.
func (n *namer) room(a *atom, names int) {
	const many = 256
	if cap(n.names)-len(n.names) < names {
		n.names, n.where = make([]string, 0, max(many, names)), make([]int, 0, max(many, names))
	}
	at := len(n.names)
	n.names, n.where = n.names[:at+names], n.where[:at+names]
	a.names, a.at = n.names[at:at:at+names], n.where[at:at:at+names]
}

func (n *namer) visit(node ast.Node) bool {
	f := n.f
	switch node := node.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.SelectorExpr:
		if !n.seen[f.offset(node.Sel.Pos())] && !n.chain(node) {
			n.add(node.Sel, member)
		}
	case *ast.InterfaceType:
		if len(node.Methods.List) == 0 {
			lo := f.offset(node.Pos())
			const name = "interface{}"
			n.put(atom{text: name, lo: lo, hi: f.offset(node.End()), kind: symbol, symbol: Symbol{Name: name}, names: []string{name}, at: []int{lo}})
		}
		n.fields(node.Methods)
	case *ast.StructType:
		n.fields(node.Fields)
	case *ast.CompositeLit:
		n.keys(node)
	case *ast.FuncDecl:
		if node.Recv != nil {
			n.add(node.Name, member)
		}
	case *ast.Ident:
		if lo := f.offset(node.Pos()); n.index[lo] == 0 && !n.seen[lo] && node != f.ast.Name {
			n.add(node, f.kindOf(node))
		}
	}
	return true
}

func (n *namer) add(id *ast.Ident, k kind) {
	lo := n.f.offset(id.Pos())
	a := atom{text: id.Name, lo: lo, hi: lo + len(id.Name), kind: k}
	n.room(&a, 1)
	a.names, a.at = append(a.names, id.Name), append(a.at, lo)
	if k == symbol {
		a.symbol = Symbol{Name: id.Name}
	}
	n.put(a)
	n.seen[lo] = true
}

func (n *namer) fields(list *ast.FieldList) {
	for _, field := range list.List {
		for _, id := range field.Names {
			n.add(id, member)
		}
	}
}

// keys notes the keys of a literal that look like fields. The elements of maps and slices have values for keys.
func (n *namer) keys(lit *ast.CompositeLit) {
	switch lit.Type.(type) {
	case *ast.MapType, *ast.ArrayType:
		return
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				n.add(id, member)
			}
		}
	}
}

// chain notes a.b.c as one atom, if a is a name.
func (n *namer) chain(sel *ast.SelectorExpr) bool {
	var parts []*ast.Ident
	var x ast.Expr = sel
	for depth := 0; ; depth++ {
		s, ok := x.(*ast.SelectorExpr)
		if !ok {
			break
		}
		if depth > maxDepth {
			return false
		}
		parts = append(parts, s.Sel)
		x = s.X
	}
	root, ok := x.(*ast.Ident)
	if !ok {
		return false
	}
	parts = append(parts, root)
	slices.Reverse(parts)
	f := n.f
	a := atom{lo: f.offset(root.Pos()), hi: f.offset(sel.End()), kind: f.kindOf(root)}
	n.room(&a, len(parts))
	for _, id := range parts {
		at := f.offset(id.Pos())
		n.seen[at] = true
		a.names, a.at = append(a.names, id.Name), append(a.at, at)
	}
	a.text = strings.Join(a.names, ".")
	if p, ok := f.qualifier(root); ok {
		a.foreign, a.symbol = true, Symbol{p, a.names[1]}
		a.names, a.at = a.names[1:], a.at[1:]
	} else if a.kind == symbol {
		a.symbol = Symbol{Name: a.names[0]}
	}
	n.put(a)
	return true
}

func (f *file) kindOf(id *ast.Ident) kind {
	switch {
	case f.open[id]:
		return symbol
	case id.Obj == nil:
		return other // labels, the blank name
	case f.ast.Scope.Lookup(id.Name) == id.Obj:
		return symbol
	}
	return local
}
