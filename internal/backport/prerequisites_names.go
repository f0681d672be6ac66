package backport

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// Bounds on the names that are looked for.
const (
	maxNames    = 60
	maxPackages = 40
)

// names notes the names that the fix's Go files use in new lines, that packages of the fix's parent declare and those of the target do not. Only files
// with conflicts are looked at.
func (s *search) names(ctx context.Context, res Result) error {
	n := &nameSearch{search: s, wanted: map[string]bool{}, dirs: map[string]string{}}
	for _, f := range res.Files {
		if len(f.Conflicts) == 0 || !strings.HasSuffix(f.Path, ".go") {
			continue
		}
		if err := n.file(ctx, f); err != nil {
			return err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(n.dirs))[:min(len(n.dirs), maxPackages)] {
		if err := n.compare(ctx, dir, n.dirs[dir]); err != nil {
			return err
		}
	}
	return nil
}

// nameSearch looks for names that the target lacks.
type nameSearch struct {
	search *search
	wanted map[string]bool
	dirs   map[string]string // directories of packages at the fix's parent, and where they are in the target
}

// file takes in the names of a file's new lines, and the packages that they may belong to.
func (n *nameSearch) file(ctx context.Context, f File) error {
	s := n.search
	v, before, err := s.sides(ctx, f)
	if err != nil || !v.theirs.Mode.IsRegular() {
		return err
	}
	texts, ok, err := s.texts(ctx, v.theirs)
	if err != nil || !ok {
		return err
	}
	base := []byte{}
	if v.base.Mode.IsRegular() {
		var both [][]byte
		if both, ok, err = s.texts(ctx, v.base); err != nil || !ok {
			return err
		}
		base = both[0]
	}
	changes, err := merge.Diff(base, texts[0], merge.Histogram)
	if err != nil {
		return nil //nolint:nilerr // a text without lines has no names
	}
	lines := textLines(texts[0])
	for _, c := range changes {
		for _, l := range lines[c.New.Lo:c.New.Hi] {
			for w := range identifiers(l) {
				n.wanted[w] = true
			}
		}
	}
	if err = n.known(ctx, v.ours); err != nil {
		return err
	}
	n.dirs[path.Dir(before)] = path.Dir(f.Path)
	return n.imports(ctx, texts[0], before, f.Path)
}

// known takes out what the target's version of the file has: it is there, whatever it means.
func (n *nameSearch) known(ctx context.Context, ours patch.Entry) error {
	texts, ok, err := n.search.texts(ctx, ours)
	if err != nil || !ok {
		return err
	}
	for w := range identifiers(string(texts[0])) {
		delete(n.wanted, w)
	}
	return nil
}

func identifiers(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// imports takes in the packages in the tree that a file imports.
func (n *nameSearch) imports(ctx context.Context, text []byte, before, after string) error {
	e := n.search.engine
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return nil //nolint:nilerr // what does not parse imports nothing
	}
	tree := func(id git.OID) *mergedTree { return &mergedTree{engine: e, tree: id} }
	theirs, ours := tree(n.search.job.Fix.Base), tree(n.search.job.Ours)
	for _, i := range file.Imports {
		imported := strings.Trim(i.Path.Value, "\"`")
		dir, _, err := theirs.Package(ctx, path.Dir(before), imported)
		if err != nil {
			return err
		}
		if dir == "" {
			continue
		}
		there, _, err := ours.Package(ctx, path.Dir(after), imported)
		if err != nil {
			return err
		}
		if there == "" {
			there = dir
		}
		if n.dirs[dir] == "" {
			n.dirs[dir] = there
		}
	}
	return nil
}

// compare notes the wanted names that a package declares before the fix and not in the target.
func (n *nameSearch) compare(ctx context.Context, before, after string) error {
	s := n.search
	theirs, err := s.declared(ctx, s.job.Fix.Base, before)
	if err != nil {
		return err
	}
	ours, err := s.declared(ctx, s.job.Ours, after)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if !n.wanted[name] || len(ours[name].file) > 0 || len(s.units) > maxNames {
			continue
		}
		d := theirs[name]
		label := name + " (" + before + ")"
		s.units = append(s.units, unit{label: label, path: path.Join(before, d.file), lines: []int{d.line}, name: name})
	}
	return nil
}

// place is where a name is declared.
type place struct {
	file string // in its directory
	line int    // counted from 0
}

// declared lists what the Go files of a directory declare, fields and methods too. Tests count.
func (s *search) declared(ctx context.Context, tree git.OID, dir string) (map[string]place, error) {
	out := map[string]place{}
	at := patch.Entry{Mode: git.ModeTree, OID: tree}
	if dir != "." {
		var err error
		if at, err = s.engine.lookup(ctx, tree, dir); err != nil || !at.Mode.IsTree() {
			return out, err
		}
	}
	entries, err := patch.ReadTree(ctx, s.engine.store, at.OID)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name, ".go") {
			continue
		}
		texts, ok, err := s.texts(ctx, patch.Entry{Mode: e.Mode, OID: e.OID})
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		for name, line := range declarationLines(texts[0]) {
			if _, twice := out[name]; !twice {
				out[name] = place{e.Name, line}
			}
		}
	}
	return out, nil
}

// declarationLines finds where a Go file declares names: those of the package, methods, fields of its structs and methods of its interfaces. A file that does
// not parse declares what could be read.
func declarationLines(text []byte) map[string]int {
	out := map[string]int{}
	set := token.NewFileSet()
	file, _ := parser.ParseFile(set, "", text, parser.SkipObjectResolution)
	if file == nil {
		return out
	}
	add := func(id *ast.Ident) {
		if _, twice := out[id.Name]; !twice && id.Name != "_" {
			out[id.Name] = set.PositionFor(id.Pos(), false).Line - 1
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			add(n.Name)
			return false
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				add(id)
			}
			return false
		case *ast.StructType:
			fields(n.Fields, add)
		case *ast.InterfaceType:
			fields(n.Methods, add)
		case *ast.FuncType:
			return false
		}
		return true
	})
	return out
}

func fields(list *ast.FieldList, add func(*ast.Ident)) {
	for _, f := range list.List {
		for _, id := range f.Names {
			add(id)
		}
	}
}
