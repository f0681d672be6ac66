package backport

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gomerge"
)

// vouch looks in the target for what the pick's Go files need: names in the rest of the package, imported packages in the tree or among its
// dependencies, and that functions are called with as many arguments as the target's have.
func (goRung) vouch(ctx context.Context, in *mergedTree) (map[string][]refusal, error) {
	v := &goVoucher{in: in, packages: map[string]*goPackage{}, refused: map[string][]refusal{}}
	if merged := in.mergedBy(goRung{}); len(merged) > 1 {
		for _, it := range merged {
			v.refused[it.path] = []refusal{{ReasonNear, "more than one Go file of the fix had to be merged by its parts, and they may lean on each other"}}
		}
		return v.refused, nil
	}
	for _, it := range in.merge.sorted() {
		if !strings.HasSuffix(it.path, ".go") || len(it.conflicts) > 0 || !it.result.Mode.IsRegular() || it.result == it.ours {
			continue
		}
		err := v.file(ctx, it)
		if large, ok := errors.AsType[*git.OversizeError](err); ok {
			v.refuse(it.path, "not all that it leans on can be read: %s", large)
			continue
		}
		if absent, ok := errors.AsType[*git.AbsentError](err); ok {
			v.refuse(it.path, "not all that it leans on can be read: %s", absent)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return v.refused, nil
}

// goVoucher is one look at a pick.
type goVoucher struct {
	in       *mergedTree
	packages map[string]*goPackage // by directory and package name
	refused  map[string][]refusal
}

func (v *goVoucher) refuse(file, note string, args ...any) {
	const most = 5
	if len(v.refused[file]) < most {
		v.refused[file] = append(v.refused[file], refusal{Reason(gomerge.ReasonUndeclared), fmt.Sprintf(note, args...)})
	}
}

func (v *goVoucher) file(ctx context.Context, it *item) error {
	var before []byte
	if it.ours.Mode.IsRegular() {
		var err error
		if before, err = v.in.merge.engine.store.Blob(ctx, it.ours.OID); err != nil {
			return err
		}
	}
	after, err := v.in.merge.engine.store.Blob(ctx, it.result.OID)
	if err != nil {
		return err
	}
	needs, err := gomerge.Check(before, after)
	if refused, ok := errors.AsType[*gomerge.RefusedError](err); ok {
		v.refuse(it.path, "%s", refused)
		return nil
	}
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", after, parser.SkipObjectResolution)
	if err != nil {
		return nil //nolint:nilerr // Check has refused what does not parse
	}
	pkg, err := v.pkg(ctx, path.Dir(it.path), file.Name.Name, strings.HasSuffix(it.path, "_test.go"))
	if err != nil {
		return err
	}
	was, err := parser.ParseFile(token.NewFileSet(), "", before, parser.SkipObjectResolution)
	if err != nil {
		was = nil // a new file
	}
	v.declarations(it, [2]*ast.File{was, file}, needs.Names, pkg, builtFor(it.path, after))
	for _, name := range needs.Gone {
		if pkg.used[name] && !pkg.fields[name] && !pkg.declared[name] {
			v.refuse(it.path, "the target uses %s, which the fix takes away", name)
		}
	}
	v.calls(it.path, needs.Calls, pkg.with(before))
	src, err := v.source(ctx, it, file)
	if err != nil {
		return err
	}
	return v.foreign(ctx, it.path, needs, surroundings{pkg, src})
}

// surroundings are the package of a file in the target, and the names that the fix's surroundings declare and the target's may lack.
type surroundings struct{ pkg, lost *goPackage }

// foreign looks at what belongs to other packages.
func (v *goVoucher) foreign(ctx context.Context, file string, needs gomerge.Needs, around surroundings) error {
	dirs := &importDirs{in: v.in, file: file}
	for _, imported := range needs.Imports {
		known, _, err := dirs.find(ctx, imported)
		if err != nil {
			return err
		}
		if !known && !around.pkg.imports[imported] {
			v.refuse(file, "the target is not known to have package %q", imported)
		}
	}
	return v.selectors(ctx, dirs, needs, around)
}

// selectors looks at names after a dot. What neither tree has belongs to a package outside of both: that it is there cannot be known.
func (v *goVoucher) selectors(ctx context.Context, dirs *importDirs, needs gomerge.Needs, around surroundings) error {
	file, pkg, src := dirs.file, around.pkg, around.lost
	for _, sel := range needs.Selectors {
		if sel.Import == "" {
			if !pkg.mentioned[sel.Name] && src.mentioned[sel.Name] {
				v.refuse(file, "nothing in the target's package has .%s", sel.Name)
			}
			continue
		}
		_, dir, err := dirs.find(ctx, sel.Import)
		if err != nil {
			return err
		}
		if dir == "" {
			if first, _, _ := strings.Cut(sel.Import, "/"); strings.Contains(first, ".") && !pkg.mentioned[sel.Name] && !fresh(sel.Import, needs) {
				v.refuse(file, "nothing in the target's package uses %s of %q", sel.Name, sel.Import)
			}
			continue
		}
		other, err := v.pkg(ctx, dir, "", false)
		if err != nil {
			return err
		}
		if !other.declared[sel.Name] {
			v.refuse(file, "the target's %q has no %s", sel.Import, sel.Name)
		}
	}
	return nil
}

// fresh reports whether an import is new to the file.
func fresh(imported string, needs gomerge.Needs) bool {
	return slices.Contains(needs.Imports, imported)
}

// calls compares the arguments of new calls with those of the package's functions and methods of that name, and with other calls on a value of
// the same name: names of values are chosen alike within a package.
func (v *goVoucher) calls(file string, calls []gomerge.Call, pkg *goPackage) {
	for _, c := range calls {
		if pkg.types[c.Name] || variadic(c.Name) {
			continue
		}
		seen := pkg.calls[gomerge.Call{On: c.On, Name: c.Name}]
		fits := seen[c.Arguments]
		for _, a := range pkg.arities[c.Name] {
			fits = fits || a.Accepts(c.Arguments) && len(seen) == 0
		}
		if !fits && len(seen)+len(pkg.arities[c.Name]) > 0 && (len(pkg.arities[c.Name]) > 0 || len(seen) == 1 && !pkg.imported[c.On]) {
			v.refuse(file, "%s is called with %d arguments, which the target's does not take", c.Name, c.Arguments)
		}
	}
}

// with is the package with the calls of one more version of a file.
func (p *goPackage) with(version []byte) *goPackage {
	f, err := parser.ParseFile(token.NewFileSet(), "", version, parser.SkipObjectResolution)
	if err != nil {
		return p // there is none
	}
	c := *p
	c.calls = maps.Clone(p.calls)
	for _, call := range gomerge.Calls(f) {
		key := gomerge.Call{On: call.On, Name: call.Name}
		seen := maps.Clone(c.calls[key])
		if seen == nil {
			seen = map[int]bool{}
		}
		seen[call.Arguments] = true
		c.calls[key] = seen
	}
	return &c
}

// variadic reports whether a function of this name commonly takes any number of arguments.
func variadic(name string) bool {
	switch name {
	case "Error", "Fatal", "Log", "Skip", "Print", "Sprint", "append", "Append", "Join", "Info", "Warn", "Debug", "Panic":
		return true
	}
	return strings.HasSuffix(name, "f") || strings.HasSuffix(name, "ln") || strings.HasSuffix(name, "S")
}

// goPackage is what the files of a package declare and mention, the merged ones as they will be.
type goPackage struct {
	declared  map[string]bool // names of the package
	by        map[string]declarers
	mentioned map[string]bool // names after a dot, fields and methods
	fields    map[string]bool // fields, methods and functions
	used      map[string]bool // any name, wherever it stands
	imports   map[string]bool // by files that the fix does not touch
	imported  map[string]bool // names of packages, as far as the paths tell
	types     map[string]bool
	arities   map[string][]gomerge.Arity
	calls     map[gomerge.Call]map[int]bool // of files that the fix does not touch: how many arguments
}

// source is what the fix's own tree declares where the target might not: the names of fields, methods and functions of the package of a
// file, and of the packages in the tree that the file imports, as far as the target does not have them.
func (v *goVoucher) source(ctx context.Context, it *item, file *ast.File) (*goPackage, error) {
	from := it.path
	if it.from != "" {
		from = it.from
	}
	there := &goVoucher{in: &mergedTree{merge: &treeMerge{engine: v.in.merge.engine, ours: v.in.merge.source.Tree}}, packages: map[string]*goPackage{}}
	tests := strings.HasSuffix(from, "_test.go")
	own, err := there.pkg(ctx, path.Dir(from), file.Name.Name, tests)
	if err != nil {
		return nil, err
	}
	missing := &goPackage{mentioned: maps.Clone(own.fields)}
	theirs, ours := &importDirs{in: there.in, file: from}, &importDirs{in: v.in, file: it.path}
	for _, i := range file.Imports {
		imported := strings.Trim(i.Path.Value, "\"`")
		_, dir, err := theirs.find(ctx, imported)
		if err != nil {
			return nil, err
		}
		known, here, err := ours.find(ctx, imported)
		if err != nil {
			return nil, err
		}
		if dir == "" || !known || here == "" {
			continue
		}
		was, err := there.pkg(ctx, dir, "", false)
		if err != nil {
			return nil, err
		}
		is, err := v.pkg(ctx, here, "", false)
		if err != nil {
			return nil, err
		}
		for name := range was.fields {
			if !is.fields[name] {
				missing.mentioned[name] = true
			}
		}
	}
	return missing, nil
}

// pkg reads a package. An empty name means whichever the directory has; tests says whether files of tests count.
func (v *goVoucher) pkg(ctx context.Context, dir, name string, tests bool) (*goPackage, error) {
	key := fmt.Sprintf("%s %s %t", dir, name, tests)
	if p := v.packages[key]; p != nil {
		return p, nil
	}
	contents, err := v.in.files(ctx, dir, func(name string) bool {
		return strings.HasSuffix(name, ".go") && !strings.HasPrefix(name, "_") && (tests || !strings.HasSuffix(name, "_test.go"))
	})
	if err != nil {
		return nil, err
	}
	p := &goPackage{
		declared: map[string]bool{}, by: map[string]declarers{}, mentioned: map[string]bool{}, fields: map[string]bool{}, used: map[string]bool{}, imports: map[string]bool{}, imported: map[string]bool{}, types: map[string]bool{},
		arities: map[string][]gomerge.Arity{}, calls: map[gomerge.Call]map[int]bool{},
	}
	for file, content := range contents {
		f, err := parser.ParseFile(token.NewFileSet(), "", content, parser.SkipObjectResolution)
		if err != nil || name != "" && f.Name.Name != name {
			continue // what does not parse declares nothing
		}
		p.add(f)
		built := builtFor(file, content)
		for _, name := range gomerge.Declared(f) {
			if p.by[name] == nil {
				p.by[name] = declarers{}
			}
			p.by[name][built]++
		}
		if v.in.merge.items[path.Join(dir, file)] == nil {
			p.addUses(f)
		}
	}
	v.packages[key] = p
	return p, nil
}

// add takes in what any file of the package declares.
func (p *goPackage) add(f *ast.File) {
	for _, name := range gomerge.Declared(f) {
		p.declared[name] = true
	}
	for name := range gomerge.Types(f) {
		p.types[name] = true
	}
	for name, a := range gomerge.Arities(f) {
		p.arities[name] = append(p.arities[name], a...)
	}
	for _, i := range f.Imports {
		p.imported[path.Base(strings.Trim(i.Path.Value, "\"`"))] = true
		if i.Name != nil {
			p.imported[i.Name.Name] = true
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			p.used[n.Name] = true
		case *ast.FuncDecl:
			p.mentioned[n.Name.Name], p.fields[n.Name.Name] = true, true
		case *ast.Field:
			for _, id := range n.Names {
				p.mentioned[id.Name], p.fields[id.Name] = true, true
			}
		}
		return true
	})
}

// addUses takes in what a file that the fix does not touch imports, calls and mentions.
func (p *goPackage) addUses(f *ast.File) {
	for _, i := range f.Imports {
		p.imports[strings.Trim(i.Path.Value, "\"`")] = true
	}
	for _, c := range gomerge.Calls(f) {
		key := gomerge.Call{On: c.On, Name: c.Name}
		if p.calls[key] == nil {
			p.calls[key] = map[int]bool{}
		}
		p.calls[key][c.Arguments] = true
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			p.mentioned[s.Sel.Name] = true
		}
		return true
	})
}
