package gotypes

import (
	"go/ast"
	"go/token"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/importmap"
)

// change is what became of the declarations of the changed files.
type change struct {
	was, is map[string][]*entry // by key
}

func changeOf(files []changedFile) change {
	c := change{map[string][]*entry{}, map[string][]*entry{}}
	for _, f := range files {
		if f.was != nil {
			for _, e := range f.was.entries {
				c.was[e.key] = append(c.was[e.key], e)
			}
		}
		if f.is != nil {
			for _, e := range f.is.entries {
				c.is[e.key] = append(c.is[e.key], e)
			}
		}
	}
	return c
}

// has reports whether an entry stands among others as it is, in the file of that name.
func has(entries []*entry, e *entry) bool {
	return slices.ContainsFunc(entries, func(o *entry) bool { return o.src.name == e.src.name && o.text() == e.text() })
}

// altered are names that other code may lean on and that the merge took away, or gave another type: of the package, fields and methods.
func (c change) altered() map[string]bool {
	out := map[string]bool{}
	for key, entries := range c.was {
		for _, e := range entries {
			if slices.ContainsFunc(c.is[key], func(o *entry) bool { return o.text() == e.text() }) {
				continue
			}
			if len(c.is[key]) == 0 {
				for _, n := range e.names {
					out[n] = true
				}
				continue
			}
			alteredBy(e, c.is[key][0], out)
		}
	}
	delete(out, "_")
	delete(out, "init")
	return out
}

// alteredBy compares two versions of a declaration.
func alteredBy(was, is *entry, out map[string]bool) {
	switch d := was.decl.(type) {
	case *ast.FuncDecl:
		other, ok := is.decl.(*ast.FuncDecl)
		if !ok || signature(was, d) != signature(is, other) {
			out[d.Name.Name] = true
		}
	case *ast.GenDecl:
		if d.Tok == token.TYPE {
			alteredType(was, is, out)
			return
		}
		for _, n := range was.names {
			out[n] = true
		}
	}
}

func signature(e *entry, d *ast.FuncDecl) string {
	return e.src.slice(d.Pos(), d.Type.End())
}

// alteredType takes fields and methods that are gone or have another type. A type that demands more than it did, or is altogether another one, is
// altered itself.
func alteredType(was, is *entry, out map[string]bool) {
	before, after := members(was), members(is)
	if before == nil || after == nil {
		out[was.names[0]] = true
		return
	}
	for name, text := range before {
		if after[name] != text {
			out[name] = true
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			out[was.names[0]] = true
		}
	}
}

// members are the fields or methods of a declared type with their types as text; nil if it has none.
func members(e *entry) map[string]string {
	d, ok := e.decl.(*ast.GenDecl)
	if !ok || len(d.Specs) != 1 {
		return nil
	}
	spec, ok := d.Specs[0].(*ast.TypeSpec)
	if !ok {
		return nil
	}
	var list *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return nil
	}
	out := map[string]string{}
	for _, f := range list.List {
		text := e.src.slice(f.Type.Pos(), f.Type.End())
		for _, n := range f.Names {
			out[n.Name] = text
		}
		if len(f.Names) == 0 {
			out[text] = text
		}
	}
	return out
}

// leaners are the files of the directory that the merge did not change and that mention an altered name, read in full.
func (l *look) leaners(files map[string]git.OID, names map[string]bool) (map[string]*source, error) {
	out := map[string]*source{}
	if len(names) == 0 {
		return out, nil
	}
	for name, id := range files {
		if slices.ContainsFunc(l.changed, func(c changedFile) bool { return c.name == name }) {
			continue
		}
		content, err := l.question.Merged.Blob(l.ctx, id)
		if unread(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !mentions(string(content), names) {
			continue
		}
		src, err := l.read(l.question.Merged, name, id, full)
		if err == nil {
			out[path.Base(name)] = src
		} else if !unread(err) {
			return nil, err
		}
	}
	return out, nil
}

// mentions reports whether a text has one of some names as a word.
func mentions(text string, names map[string]bool) bool {
	for i := 0; i < len(text); i++ {
		if !letter(text[i]) {
			continue
		}
		start := i
		for i < len(text) && (letter(text[i]) || '0' <= text[i] && text[i] <= '9') {
			i++
		}
		if names[text[start:i]] {
			return true
		}
	}
	return false
}

// roots are the declarations of a package to look at: those that the merge changed, and those that mention what it altered.
func (l *look) roots(p *pkg) []*entry {
	c, names, rebound := l.change, l.altered, l.rebound
	var out []*entry
	for _, f := range p.files {
		if !f.whole {
			continue
		}
		changed := slices.ContainsFunc(l.changed, func(c changedFile) bool { return c.is == f })
		for _, e := range f.entries {
			text := e.text()
			if changed && !has(c.was[e.key], e) || mentions(text, names) || len(rebound[f.name]) > 0 && mentions(text, rebound[f.name]) {
				out = append(out, e)
			}
		}
	}
	return out
}

// rebound are the names of packages that a changed file no longer imports, or from elsewhere.
func rebound(files []changedFile) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, c := range files {
		if c.was == nil || c.is == nil {
			continue
		}
		is := map[string]bool{}
		for _, i := range c.is.imports() {
			is[i.path+" "+i.name] = true
		}
		for _, i := range c.was.imports() {
			if is[i.path+" "+i.name] {
				continue
			}
			if out[c.name] == nil {
				out[c.name] = map[string]bool{}
			}
			name := i.name
			if name == "" {
				name = importmap.PackageName(i.path)
			}
			out[c.name][name] = true
		}
	}
	return out
}
