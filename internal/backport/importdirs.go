package backport

import (
	"context"
	"errors"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/kubelts/kubelts/internal/git"
)

// importDirs finds packages for the imports of one file: in its module, in modules beside it, in vendored trees, among the dependencies.
type importDirs struct {
	in   *mergedTree
	file string

	read bool
	root string // the directory of go.mod
	mod  *modfile.File
}

var majorVersion = regexp.MustCompile(`^v[0-9]+(/|$)`)

// find says whether the target has the package, as far as its files tell, and in which directory of the tree it is, if it is in the tree.
func (d *importDirs) find(ctx context.Context, imported string) (known bool, dir string, err error) {
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true, "", nil
	}
	if err := d.load(ctx); err != nil {
		return false, "", err
	}
	if d.mod != nil {
		return d.inModules(ctx, imported)
	}
	return d.inGopath(ctx, imported)
}

// load reads the go.mod of the module that the file belongs to.
func (d *importDirs) load(ctx context.Context) error {
	if d.read {
		return nil
	}
	d.read = true
	for dir := path.Dir(d.file); ; dir = path.Dir(dir) {
		content, err := d.in.content(ctx, path.Join(dir, "go.mod"))
		if err != nil {
			return err
		}
		if content != nil {
			d.root = dir
			d.mod, _ = modfile.ParseLax("go.mod", content, nil) // one that does not parse says nothing
			return nil
		}
		if dir == "." {
			return nil
		}
	}
}

func (d *importDirs) inModules(ctx context.Context, imported string) (known bool, dir string, err error) {
	local := map[string]string{}
	if d.mod.Module != nil {
		local[d.mod.Module.Mod.Path] = d.root
	}
	for _, r := range d.mod.Replace {
		if strings.HasPrefix(r.New.Path, "./") || strings.HasPrefix(r.New.Path, "../") {
			local[r.Old.Path] = path.Join(d.root, r.New.Path)
		}
	}
	best, required := "", false
	for module := range local {
		if below(imported, module) && len(module) > len(best) {
			best = module
		}
	}
	for _, r := range d.mod.Require {
		if below(imported, r.Mod.Path) && len(r.Mod.Path) > len(best) {
			best, required = r.Mod.Path, true
		}
	}
	switch {
	case best == "":
		return false, "", nil
	case required:
		rest := strings.TrimPrefix(strings.TrimPrefix(imported, best), "/")
		return !majorVersion.MatchString(rest), "", nil
	}
	dir = path.Join(local[best], strings.TrimPrefix(imported, best))
	there, err := d.in.isDirectory(ctx, dir)
	return there, dir, err
}

func below(imported, module string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

// inGopath looks into vendored trees, and takes a path whose end is a directory of the tree for one of its own packages.
func (d *importDirs) inGopath(ctx context.Context, imported string) (known bool, dir string, err error) {
	for _, vendor := range []string{"vendor", "cmd/vendor", "Godeps/_workspace/src"} {
		dir = path.Join(vendor, imported)
		if known, err = d.in.isDirectory(ctx, dir); known || err != nil {
			return known, dir, err
		}
	}
	parts := strings.Split(imported, "/")
	for from := 2; from <= 3 && from < len(parts); from++ {
		dir = strings.Join(parts[from:], "/")
		if known, err = d.in.isDirectory(ctx, dir); known || err != nil {
			return known, dir, err
		}
	}
	deps, err := d.in.content(ctx, "Godeps/Godeps.json")
	return strings.Contains(string(deps), `"`+imported+`"`), "", err
}

// content reads a file of the resulting tree; nil if it is not there.
func (t *mergedTree) content(ctx context.Context, file string) ([]byte, error) {
	entry, err := t.entry(ctx, file)
	if err != nil || !entry.Mode.IsRegular() {
		return nil, err
	}
	content, err := t.merge.engine.store.Blob(ctx, entry.OID)
	if _, large := errors.AsType[*git.OversizeError](err); large {
		return nil, nil
	}
	return content, err
}

// isDirectory reports whether the target, or the fix in it, has such a directory.
func (t *mergedTree) isDirectory(ctx context.Context, dir string) (bool, error) {
	for p, it := range t.merge.items {
		if it.result.Exists() && path.Dir(p) == dir {
			return true, nil
		}
	}
	if strings.HasPrefix(dir, "../") || dir == ".." {
		return false, nil
	}
	entry, err := t.merge.engine.lookup(ctx, t.merge.ours, dir)
	return entry.Mode.IsTree(), err
}
