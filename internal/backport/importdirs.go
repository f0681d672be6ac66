package backport

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
)

// module is a go.mod that files belong to.
type module struct {
	dir  string
	file *modfile.File // nil if it does not parse
}

var majorVersion = regexp.MustCompile(`^v[0-9]+(/|$)`)

// Package implements [gotypes.Tree]: it looks in the module of the file, in modules beside it, in vendored trees, among the dependencies.
func (t *mergedTree) Package(ctx context.Context, from, imported string) (dir string, known bool, err error) {
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "", true, nil
	}
	mod, err := t.moduleOf(ctx, from)
	if err != nil {
		return "", false, err
	}
	key := imported
	if mod != nil {
		key = mod.dir + " " + imported
	}
	f, ok := t.found[key]
	switch {
	case ok:
		return f.dir, f.known, nil
	case mod != nil:
		dir, known, err = t.inModules(ctx, mod, imported)
	default:
		dir, known, err = t.inGopath(ctx, from, imported)
	}
	if t.found == nil {
		t.found = map[string]found{}
	}
	if err == nil {
		t.found[key] = found{dir, known}
	}
	return dir, known, err
}

// found is what is known of an imported package.
type found struct {
	dir   string
	known bool
}

// moduleOf reads the go.mod that files of a directory belong to. It is nil if there is none.
func (t *mergedTree) moduleOf(ctx context.Context, dir string) (*module, error) {
	if m, ok := t.modules[dir]; ok {
		return m, nil
	}
	if t.modules == nil {
		t.modules = map[string]*module{}
	}
	content, err := t.content(ctx, path.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	var m *module
	switch {
	case content != nil:
		m = &module{dir: dir}
		if m.file, err = modfile.Parse("go.mod", content, nil); err != nil {
			m.file, _ = modfile.ParseLax("go.mod", content, nil) // without replacements; one that does not parse at all says nothing
		}
	case dir != ".":
		if m, err = t.moduleOf(ctx, path.Dir(dir)); err != nil {
			return nil, err
		}
	}
	t.modules[dir] = m
	return m, nil
}

func (t *mergedTree) inModules(ctx context.Context, mod *module, imported string) (dir string, known bool, err error) {
	if mod.file == nil {
		return "", true, nil
	}
	best, at, required := "", "", false
	better := func(module string) bool { return below(imported, module) && len(module) > len(best) }
	if m := mod.file.Module; m != nil && better(m.Mod.Path) {
		best, at = m.Mod.Path, mod.dir
	}
	for _, r := range mod.file.Replace {
		if (strings.HasPrefix(r.New.Path, "./") || strings.HasPrefix(r.New.Path, "../")) && better(r.Old.Path) {
			best, at = r.Old.Path, path.Join(mod.dir, r.New.Path)
		}
	}
	for _, r := range mod.file.Require {
		if better(r.Mod.Path) {
			best, required = r.Mod.Path, true
		}
	}
	switch {
	case best == "":
		return "", false, nil
	case required:
		rest := strings.TrimPrefix(strings.TrimPrefix(imported, best), "/")
		dir, err = t.directory(ctx, path.Join(mod.dir, "vendor", imported))
		return dir, dir != "" || !majorVersion.MatchString(rest), err
	}
	if at = path.Join(at, strings.TrimPrefix(imported, best)); strings.HasPrefix(at, "../") {
		return "", true, nil // a module that is no part of the tree
	}
	dir, err = t.directory(ctx, at)
	return dir, dir != "", err
}

func below(imported, module string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

// inGopath looks into vendored trees, and below the path that the tree's own packages are imported by.
func (t *mergedTree) inGopath(ctx context.Context, from, imported string) (dir string, known bool, err error) {
	for _, vendor := range []string{"vendor", "cmd/vendor", "Godeps/_workspace/src"} {
		if dir, err = t.directory(ctx, path.Join(vendor, imported)); dir != "" || err != nil {
			return dir, dir != "", err
		}
	}
	root, err := t.ownRoot(ctx, from)
	if err != nil {
		return "", false, err
	}
	if root != "" && below(imported, root) {
		dir, err = t.directory(ctx, path.Join(".", strings.TrimPrefix(imported, root)))
		return dir, dir != "", err
	}
	deps, err := t.content(ctx, "Godeps/Godeps.json")
	const repository = 3 // elements of a path: a host, an owner and a name
	parts := strings.SplitN(imported, "/", repository+1)
	return "", strings.Contains(string(deps), `"`+strings.Join(parts[:min(len(parts), repository)], "/")), err
}

// ownRoot is the path by which packages of the tree import each other: as Godeps.json says, or else the beginning of paths whose ends are directories
// of the tree, that which most imports of a directory have.
func (t *mergedTree) ownRoot(ctx context.Context, from string) (string, error) {
	if t.root != nil {
		return *t.root, nil
	}
	var deps struct{ ImportPath string }
	content, err := t.content(ctx, "Godeps/Godeps.json")
	if err != nil {
		return "", err
	}
	if json.Unmarshal(content, &deps) == nil && deps.ImportPath != "" {
		t.root = &deps.ImportPath
		return deps.ImportPath, nil
	}
	root, err := t.vote(ctx, from)
	if err == nil && root != "" {
		t.root = &root
	}
	return root, err
}

func (t *mergedTree) vote(ctx context.Context, from string) (string, error) {
	files, err := t.Files(ctx, from)
	if err != nil {
		return "", err
	}
	votes, best := map[string]int{}, ""
	const most = 50
	for _, f := range files[:min(len(files), most)] {
		content, err := t.engine.store.Blob(ctx, f.OID)
		if err != nil {
			continue
		}
		parsed, _ := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly)
		if parsed == nil {
			continue
		}
		for _, spec := range parsed.Imports {
			roots, err := t.rootsOf(ctx, strings.Trim(spec.Path.Value, "\"`"))
			if err != nil {
				return "", err
			}
			for _, root := range roots {
				if votes[root]++; votes[root] > votes[best] || votes[root] == votes[best] && root < best {
					best = root
				}
			}
		}
	}
	return best, nil
}

// rootsOf are the beginnings of an import path, of a host and one or two names, behind which a directory of the tree is named.
func (t *mergedTree) rootsOf(ctx context.Context, imported string) ([]string, error) {
	parts := strings.Split(imported, "/")
	if !strings.Contains(parts[0], ".") {
		return nil, nil
	}
	var out []string
	for n := 2; n <= 3 && n < len(parts); n++ {
		dir, err := t.directory(ctx, path.Join(parts[n:]...))
		if err != nil {
			return nil, err
		}
		if dir != "" {
			out = append(out, path.Join(parts[:n]...))
		}
	}
	return out, nil
}
