package backport

import (
	"bytes"
	"cmp"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/importmap"
	"github.com/kubelts/kubelts/internal/patch"
)

// translate gives base and theirs of a Go file the import paths of the target, and where a name is written or not written that is the package's
// own anyway, the target's spelling. The notes say what was done; without any, the contents are as they were.
func (k *moves) translate(ctx context.Context, it *item, contents [][]byte) (translated [][]byte, notes []string, err error) {
	versions, ok := importsOf(contents)
	if !ok {
		return contents, nil, nil // what does not parse is merged as it is
	}
	paths, err := k.translation(ctx, it, versions)
	if err != nil {
		return contents, nil, err
	}
	names, written, err := k.spelling(ctx, it, paths, versions, contents)
	if err != nil || len(paths)+len(names)+len(written) == 0 {
		return contents, nil, err
	}
	change := func(i importmap.Import) importmap.Import {
		if to, ok := paths[i.Path]; ok {
			i.Path = to
		}
		if s, ok := names[i]; ok {
			return s
		}
		return i
	}
	translated = slices.Clone(contents)
	for _, at := range []int{0, 2} {
		if contents[at] == nil {
			continue
		}
		if translated[at], err = importmap.Rewrite(contents[at], change); err != nil {
			return contents, nil, nil //nolint:nilerr // likewise
		}
	}
	if len(written) > 0 {
		name := func(i importmap.Import) importmap.Import { return cmp.Or(written[i], i) }
		if translated[1], err = importmap.Rewrite(contents[1], name); err != nil {
			return contents, nil, nil //nolint:nilerr // likewise
		}
	}
	if slices.EqualFunc(translated, contents, bytes.Equal) {
		return contents, nil, nil
	}
	return translated, []string{pathsNote(paths, versions[2])}, nil
}

// importsOf are what the versions import, as far as there are any. It is false if one does not parse.
func importsOf(contents [][]byte) (versions [3][]importmap.Import, ok bool) {
	for i, content := range contents {
		if content == nil {
			continue
		}
		list, err := importmap.Of(content)
		if err != nil {
			return versions, false
		}
		versions[i] = list
	}
	return versions, true
}

// pathsNote says which imports of the fix have other paths in the target.
func pathsNote(paths map[string]string, theirs []importmap.Import) string {
	var said []string
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if slices.ContainsFunc(theirs, func(i importmap.Import) bool { return i.Path == p }) {
			said = append(said, paths[p]+" for "+p)
		}
	}
	if len(said) == 0 {
		return "imports are spelled as in the target"
	}
	return "imports as the target does: " + strings.Join(said, ", ")
}

// spelling finds imports, in the target's paths, that base or theirs write with the package's own name and ours without it, or the other way round. Names says
// how base and theirs are to spell them, written how ours is: where the fix changes the imports, a name that the path does not tell is written, as
// goimports does for whoever saves such a file.
func (k *moves) spelling(ctx context.Context, it *item, paths map[string]string, versions [3][]importmap.Import, contents [][]byte) (names, written map[importmap.Import]importmap.Import, err error) {
	names, written = map[importmap.Import]importmap.Import{}, map[importmap.Import]importmap.Import{}
	changed := !sameImports(versions[0], versions[2])
	for _, at := range []int{0, 2} {
		for _, i := range versions[at] {
			to, moved := paths[i.Path]
			if !moved && slices.ContainsFunc(versions[0], func(b importmap.Import) bool { return b.Path == i.Path && b.Name != i.Name }) {
				continue // the fix itself spells it anew
			}
			i.Path = cmp.Or(to, i.Path)
			have := slices.IndexFunc(versions[1], func(o importmap.Import) bool { return o.Path == i.Path })
			if have < 0 {
				continue
			}
			same, err := k.alike(ctx, it, [2]importmap.Import{i, versions[1][have]}, [2][]byte{contents[at], contents[1]})
			if err != nil {
				return nil, nil, err
			}
			switch bare := versions[1][have]; {
			case same && changed && i.Name != "" && i.Name != path.Base(i.Path):
				written[bare] = i
			case same:
				names[i] = bare
			}
		}
	}
	return names, written, nil
}

// sameImports reports whether two lists of imports are the same set.
func sameImports(a, b []importmap.Import) bool {
	within := func(a, b []importmap.Import) bool {
		return !slices.ContainsFunc(a, func(i importmap.Import) bool { return !slices.Contains(b, i) })
	}
	return within(a, b) && within(b, a)
}

// alike reports whether one of two imports of a package, each in its file, writes the package's own name and the other does not.
func (k *moves) alike(ctx context.Context, it *item, imports [2]importmap.Import, files [2][]byte) (bool, error) {
	a, b := imports[0], imports[1]
	if !a.Plain() || !b.Plain() || (a.Name == "") == (b.Name == "") {
		return false, nil
	}
	own, err := k.packageName(ctx, it.path, a.Path)
	if err != nil {
		return false, err
	}
	written, bare := a.Name+b.Name, files[1]
	if a.Name == "" {
		bare = files[0]
	}
	return own == written || own == "" && a.Called() != written && qualifies(bare, written), nil
}

// packageName is the name of a package of the target's tree; empty if it is not there.
func (k *moves) packageName(ctx context.Context, file, imported string) (string, error) {
	dir, _, err := k.target.Package(ctx, path.Dir(file), imported)
	if err != nil || dir == "" {
		return "", err
	}
	return k.clause(ctx, k.target, dir)
}

// clause is the package clause of a tree's files in a directory, tests left out; empty if there are none, or they do not agree.
func (k *moves) clause(ctx context.Context, tree *mergedTree, dir string) (string, error) {
	files, err := tree.Files(ctx, dir)
	if err != nil {
		return "", err
	}
	found := ""
	for _, f := range files {
		if strings.HasSuffix(f.Name, "_test.go") {
			continue
		}
		content, err := tree.Blob(ctx, f.OID)
		if err != nil {
			return "", err
		}
		name := importmap.Package(content)
		if bytes.Contains(content, []byte("build ignore")) || name == "" {
			continue
		}
		if found != "" && found != name {
			return "", nil
		}
		found = name
	}
	return found, nil
}

// qualifies reports whether a file uses a name before a dot that it does not declare, and imports nothing else that is likely called so.
func qualifies(content []byte, name string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", content, 0)
	if err != nil {
		return false
	}
	if imports, err := importmap.Of(content); err != nil || slices.ContainsFunc(imports, func(i importmap.Import) bool { return i.Called() == name }) {
		return false
	}
	open := map[*ast.Ident]bool{}
	for _, id := range f.Unresolved {
		open[id] = id.Name == name
	}
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			id, plain := s.X.(*ast.Ident)
			found = found || plain && open[id]
		}
		return !found
	})
	return found
}

// putPlaced settles a new file of the fix in the directory to which the target moved its surroundings: it imports and is called what they do.
func (m *treeMerge) putPlaced(ctx context.Context, it *item) error {
	note := "the target has the directory of " + it.from + " here"
	by := &settledBy{
		rung: movesRung{}, markers: it.theirs.OID, confidence: Review, merged: fileMerge{notes: []string{note}},
		conflicts: []Conflict{{Reason: ReasonDirectoryMoved, Note: it.moved + ": a new file may name others by where they were", Theirs: it.theirs.OID}},
	}
	it.by = by
	it.settle(it.theirs)
	if !strings.HasSuffix(it.path, ".go") || !it.theirs.Mode.IsRegular() {
		return nil
	}
	content, err := m.engine.store.Blob(ctx, it.theirs.OID)
	if err != nil {
		return err
	}
	translated, notes, err := m.moves.translate(ctx, it, [][]byte{nil, nil, content})
	if err != nil {
		return err
	}
	by.merged.notes = append(by.merged.notes, notes...)
	text, err := m.moves.ownClause(ctx, it, translated[2])
	if err != nil || bytes.Equal(text, content) {
		return err
	}
	id, err := m.engine.store.WriteBlob(ctx, text)
	it.settle(patch.Entry{Mode: it.theirs.Mode, OID: id})
	return err
}

// ownClause gives a file the package clause of its new neighbours, if it had that of its old ones.
func (k *moves) ownClause(ctx context.Context, it *item, content []byte) ([]byte, error) {
	here, err := k.clause(ctx, k.target, path.Dir(it.path))
	if err != nil || here == "" {
		return content, err
	}
	base := &mergedTree{engine: k.merge.engine, tree: k.merge.source.Base}
	before, err := k.clause(ctx, base, path.Dir(it.from))
	if err != nil || before == "" || before == here {
		return content, err
	}
	name := importmap.Package(content)
	switch name {
	case before:
		name = here
	case before + "_test":
		name = here + "_test"
	default:
		return content, nil
	}
	renamed, err := importmap.RenamePackage(content, name)
	if err != nil {
		return content, nil //nolint:nilerr // the Go check says what is wrong with it
	}
	return renamed, nil
}

// byMove notes that a text merge was clean because imports were translated first, or files brought together.
func (m *treeMerge) byMove(it *item, id git.OID, notes []string) {
	if m.moves == nil {
		return
	}
	confidence := Adapted
	if how := m.moves.how[it.path]; how != "" {
		notes, confidence = append([]string{how}, notes...), Review
	}
	if len(notes) > 0 {
		it.by = &settledBy{rung: movesRung{}, markers: id, merged: fileMerge{notes: notes}, confidence: confidence}
	}
}

// movedToo notes the same of a text that a file rung merged.
func (m *treeMerge) movedToo(it *item, notes []string) {
	if it.by == nil || m.moves == nil {
		return
	}
	it.by.merged.notes = slices.Concat(notes, it.by.merged.notes)
	if how := m.moves.how[it.path]; how != "" {
		it.by.merged.notes, it.by.confidence = append(it.by.merged.notes, how), Review
	}
}
