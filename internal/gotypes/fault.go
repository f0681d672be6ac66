package gotypes

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"strings"
)

// complaints are those of the type checker that are no consequence of what we do not see.
func (s *slice) complaints(p *pkg) ([]complaint, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	all, info, err := s.check(p)
	if err != nil {
		return nil, err
	}
	var out []complaint
	for _, c := range all {
		if strings.Contains(c.err.Msg, "invalid type") || c.err.Msg == "missing type in composite literal" || p.blind && strings.HasPrefix(c.err.Msg, "undefined: ") {
			continue
		}
		if c.root != nil {
			c.node = innermost(c.root.decl, c.err.Pos)
		}
		if (strings.Contains(c.err.Msg, "undefined (type ") || strings.Contains(c.err.Msg, "missing method") || strings.Contains(c.err.Msg, "unknown field")) && s.dim(c, info) {
			continue
		}
		out = append(out, c)
	}
	return append(out, p.unfit(info, out)...), nil
}

// dim reports whether a complaint about fields or methods is about a type of which not all is known.
func (s *slice) dim(c complaint, info *types.Info) bool {
	if c.root == nil {
		return false
	}
	found := false
	ast.Inspect(c.root.decl, func(n ast.Node) bool {
		if n == nil || n.Pos() > c.err.Pos || n.End() < c.err.Pos {
			return false
		}
		if x, ok := n.(ast.Expr); ok {
			found = found || unknown(info, x)
		}
		if x, ok := n.(*ast.SelectorExpr); ok {
			found = found || unknown(info, x.X)
		}
		return true
	})
	return found
}

func unknown(info *types.Info, x ast.Expr) bool {
	t := info.Types[x].Type
	return t != nil && partial(t, map[types.Type]bool{})
}

// partial reports whether a type has fields or methods from types that are unknown.
func partial(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() == types.Invalid
	case *types.Pointer:
		return partial(t.Elem(), seen)
	case *types.Named, *types.Alias:
		return partial(t.Underlying(), seen)
	case *types.Struct:
		for f := range t.Fields() {
			if f.Embedded() && partial(f.Type(), seen) {
				return true
			}
		}
	case *types.Interface:
		for embedded := range t.EmbeddedTypes() {
			if partial(embedded, seen) {
				return true
			}
		}
	}
	return false
}

// innermost is the smallest node of a declaration that starts at a position.
func innermost(decl ast.Node, pos token.Pos) ast.Node {
	var out ast.Node
	ast.Inspect(decl, func(n ast.Node) bool {
		if n == nil || n.Pos() > pos || n.End() < pos {
			return false
		}
		if n.Pos() == pos {
			out = n
		}
		return true
	})
	return out
}

var place_ = regexp.MustCompile(`"?(?:in|out)/[^\s",()]*/([^\s",()/.]+)"?`)

// key tells complaints apart that mean something else, wherever they stand and whatever path a package has.
func (c complaint) key() string { return plainly(c.err.Msg) }

// plainly takes our own names of packages out of a message.
func plainly(msg string) string { return place_.ReplaceAllString(msg, "$1") }

var kinds = []struct {
	kind Kind
	msg  *regexp.Regexp // its group is the name
}{
	{Unused, regexp.MustCompile(`^declared and not used: (\S+)`)},
	{Duplicate, regexp.MustCompile(`^(?:method )?(?:\S+\.)?(\S+) (?:redeclared|already declared)`)},
	{Duplicate, regexp.MustCompile(`^duplicate (?:case|field name|key|method) (\S+)`)},
	{Arguments, regexp.MustCompile(`^(?:not enough|too many) arguments in call to (?:.*\.)?(\w+)`)},
	{Arguments, regexp.MustCompile(`^(?:not enough|too many) return values`)},
	{Arguments, regexp.MustCompile(`^assignment mismatch: `)},
	{Missing, regexp.MustCompile(`^unknown field (\w+) in struct literal`)},
	{Missing, regexp.MustCompile(`^[^\n]*\.(\w+) undefined \(`)},
	{Undeclared, regexp.MustCompile(`^undefined: (?:\w+\.)?(\w+)`)},
	{Undeclared, regexp.MustCompile(`^name (\w+) not exported by package`)},
}

// fault says what a complaint means.
func (s *slice) fault(p *pkg, c complaint) Fault {
	f := Fault{Kind: Mismatch, Note: firstLines(plainly(c.err.Msg))}
	for _, k := range kinds {
		if m := k.msg.FindStringSubmatch(c.err.Msg); m != nil {
			f.Kind = k.kind
			if len(m) > 1 {
				f.Name = m[1]
			}
			break
		}
	}
	src := s.sourceAt(p, c)
	if src == nil {
		return f
	}
	f.Path, f.Line = path.Join(p.dir, src.name), src.line(c.err.Pos)
	s.qualify(p, c, src, &f)
	return f
}

func (s *slice) sourceAt(p *pkg, c complaint) *source {
	if c.root != nil {
		return c.root.src
	}
	for _, src := range p.files {
		if src.file.FileStart <= c.err.Pos && c.err.Pos <= src.file.FileEnd {
			return src
		}
	}
	return nil
}

// qualify adds which package a name should be of, or that it is one itself.
func (s *slice) qualify(p *pkg, c complaint, src *source, f *Fault) {
	if c.root == nil || f.Kind != Undeclared && f.Kind != Arguments {
		return
	}
	ast.Inspect(c.root.decl, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch {
		case f.Kind == Undeclared && sel.Sel.Pos() == c.err.Pos:
			f.Import = p.binds[src].names[id.Name].path
		case f.Kind == Undeclared && id.Pos() == c.err.Pos:
			f.Kind = NoImport
		case f.Kind == Arguments && sel.Sel.Name == f.Name && sel.Pos() <= c.err.Pos && f.Import == "":
			f.Import = p.binds[src].names[id.Name].path
		}
		return true
	})
}

// firstLines makes one line of a message of the type checker.
func firstLines(msg string) string {
	lines := strings.Split(msg, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, ", ")
}
