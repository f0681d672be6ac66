package backport

import (
	"bytes"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gomerge"
	"github.com/kubelts/kubelts/internal/patch"
)

// counterparts finds Go files of the target for files of the fix that it does not have and that are not similar enough to any: the file of the
// same name where the directory is now, if it declares some of the same; otherwise the one file that declares what the fix changes.
func (k *moves) counterparts(ctx context.Context, known []patch.Rename) ([]patch.Rename, error) {
	taken := map[string]bool{}
	for _, r := range known {
		taken[r.From], taken[r.To] = true, true
	}
	var out []patch.Rename
	for _, it := range k.merge.sorted() {
		if taken[it.path] || it.ours.Exists() || !it.base.Mode.IsRegular() || !it.theirs.Mode.IsRegular() || !strings.HasSuffix(it.path, ".go") {
			continue
		}
		to, err := k.counterpart(ctx, it, taken)
		if _, large := errors.AsType[*git.OversizeError](err); large {
			continue
		}
		if err != nil {
			return nil, err
		}
		if to.To != "" {
			taken[to.To] = true
			out = append(out, to)
		}
	}
	return out, nil
}

func (k *moves) counterpart(ctx context.Context, it *item, taken map[string]bool) (patch.Rename, error) {
	m := k.merge
	base, theirs, err := m.fixed(ctx, it)
	if err != nil {
		return patch.Rename{}, err
	}
	before, after := declared(base), declared(theirs)
	dir, err := k.dir(ctx, path.Dir(it.path))
	if err != nil || len(before) == 0 {
		return patch.Rename{}, err
	}
	free := func(p string) bool { return !taken[p] && m.items[p] == nil }
	if p := path.Join(dir, path.Base(it.path)); dir != "" && p != it.path && free(p) {
		entry, has, err := k.declares(ctx, p, slices.Collect(maps.Keys(before)))
		if err != nil {
			return patch.Rename{}, err
		}
		if has*3 >= len(before) {
			k.how[p] = "this is " + it.path + " of the fix, by its name and what it declares"
			return patch.Rename{From: it.path, To: p, Old: it.base, New: entry}, nil
		}
	}
	changed := changedDeclarations(before, after)
	if len(changed) == 0 {
		return patch.Rename{}, nil
	}
	if to, err := k.namesake(ctx, it, changed, before, free); to.To != "" || err != nil {
		return to, err
	}
	return k.declarer(ctx, it, changed, []string{dir, path.Dir(it.path)}, free)
}

// namesake is the one file of that name that only the target has, in whatever directory, if it declares what the fix changes and a third of the rest. A
// directory that was split may have been left by half of its files, and names that are used from outside now may not have been exported.
func (k *moves) namesake(ctx context.Context, it *item, changed []string, before map[string]string, free func(string) bool) (patch.Rename, error) {
	if err := k.index(ctx); err != nil {
		return patch.Rename{}, err
	}
	var found []patch.Rename
	for _, dir := range k.added[path.Base(it.path)] {
		p := path.Join(dir, path.Base(it.path))
		if vendored(p) || !free(p) {
			continue
		}
		entry, err := k.merge.engine.lookup(ctx, k.merge.ours, p)
		if err != nil || !entry.Mode.IsRegular() {
			return patch.Rename{}, err
		}
		content, err := k.merge.engine.store.Blob(ctx, entry.OID)
		if err != nil {
			return patch.Rename{}, err
		}
		has := map[string]bool{}
		for name := range declared(content) {
			has[strings.ToLower(name)] = true
		}
		lacks := func(name string) bool { return !has[strings.ToLower(name)] }
		names := slices.DeleteFunc(slices.Collect(maps.Keys(before)), lacks)
		if !slices.ContainsFunc(changed, lacks) && len(names)*3 >= len(before) {
			found = append(found, patch.Rename{From: it.path, To: p, Old: it.base, New: entry})
		}
	}
	if len(found) != 1 {
		return patch.Rename{}, nil
	}
	k.how[found[0].To] = "this is " + it.path + " of the fix, by its name and what it declares"
	return found[0], nil
}

// changedDeclarations are those of before that after has not, or not so.
func changedDeclarations(before, after map[string]string) []string {
	var changed []string
	for key, text := range before {
		if after[key] != text {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	return changed
}

// declarer is the one file of the target, in one of some directories, that declares all of what the fix changes in a file, and did not on the
// fix's side.
func (k *moves) declarer(ctx context.Context, it *item, changed, dirs []string, free func(string) bool) (patch.Rename, error) {
	var found []patch.Rename
	for _, dir := range slices.Compact(dirs) {
		if dir == "" {
			continue
		}
		in, err := k.declarers(ctx, it, changed, dir)
		if err != nil {
			return patch.Rename{}, err
		}
		found = append(found, in...)
	}
	if len(found) != 1 || !free(found[0].To) {
		return patch.Rename{}, nil
	}
	k.how[found[0].To] = "this has " + strings.Join(changed[:min(len(changed), 3)], ", ") + " of " + it.path + ", which the target does not have"
	return found[0], nil
}

// declarers are the files of one directory that do, and are tests if the fix's file is.
func (k *moves) declarers(ctx context.Context, it *item, changed []string, dir string) ([]patch.Rename, error) {
	names, err := k.goFiles(ctx, k.merge.ours, dir)
	if err != nil {
		return nil, err
	}
	var found []patch.Rename
	for _, name := range names {
		p := path.Join(dir, name)
		if strings.HasSuffix(p, "_test.go") != strings.HasSuffix(it.path, "_test.go") {
			continue
		}
		entry, has, err := k.declares(ctx, p, changed)
		if err != nil {
			return nil, err
		}
		if has < len(changed) {
			continue
		}
		if was, err := k.declaredBefore(ctx, p, changed); err != nil {
			return nil, err
		} else if was == 0 {
			found = append(found, patch.Rename{From: it.path, To: p, Old: it.base, New: entry})
		}
	}
	return found, nil
}

// declares says how many of some declarations a file of the target has.
func (k *moves) declares(ctx context.Context, file string, keys []string) (patch.Entry, int, error) {
	entry, err := k.merge.engine.lookup(ctx, k.merge.ours, file)
	if err != nil || !entry.Mode.IsRegular() {
		return entry, 0, err
	}
	n, err := k.count(ctx, entry, keys)
	return entry, n, err
}

// declaredBefore is the same of the tree before the fix.
func (k *moves) declaredBefore(ctx context.Context, file string, keys []string) (int, error) {
	entry, err := k.merge.engine.lookup(ctx, k.merge.source.Base, file)
	if err != nil || !entry.Mode.IsRegular() {
		return 0, err
	}
	return k.count(ctx, entry, keys)
}

func (k *moves) count(ctx context.Context, entry patch.Entry, keys []string) (int, error) {
	content, err := k.merge.engine.store.Blob(ctx, entry.OID)
	if err != nil {
		return 0, err
	}
	name := keys[0][strings.LastIndexByte(keys[0], '.')+1:]
	if len(keys) == 1 && !bytes.Contains(content, []byte(name)) {
		return 0, nil
	}
	has, n := declared(content), 0
	for _, key := range keys {
		if _, ok := has[key]; ok {
			n++
		}
	}
	return n, nil
}

// goFiles are the names of the Go files right in a directory, sorted and bounded in number.
func (k *moves) goFiles(ctx context.Context, tree git.OID, dir string) ([]string, error) {
	at := patch.Entry{Mode: git.ModeTree, OID: tree}
	if dir != "." {
		var err error
		if at, err = k.merge.engine.lookup(ctx, tree, dir); err != nil || !at.Mode.IsTree() {
			return nil, err
		}
	}
	entries, err := patch.ReadTree(ctx, k.merge.engine.store, at.OID)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.Mode.IsRegular() && strings.HasSuffix(e.Name, ".go") && len(out) < maxNeighbours {
			out = append(out, e.Name)
		}
	}
	return out, nil
}

// declared are the texts of a file's declarations by name, methods with their receiver. Nil if it does not parse.
func declared(content []byte) map[string]string {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "", content, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	text := func(n ast.Node) string { return string(content[n.Pos()-f.FileStart : n.End()-f.FileStart]) }
	for _, d := range f.Decls {
		one := &ast.File{Decls: []ast.Decl{d}}
		if g, ok := d.(*ast.GenDecl); ok {
			for _, s := range g.Specs {
				for _, name := range gomerge.Declared(&ast.File{Decls: []ast.Decl{&ast.GenDecl{Tok: g.Tok, Specs: []ast.Spec{s}}}}) {
					out[name] = text(s)
				}
			}
			continue
		}
		for _, name := range gomerge.Declared(one) {
			out[name] = text(d)
		}
	}
	delete(out, "_")
	delete(out, "init")
	return out
}
