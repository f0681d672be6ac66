package verify

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/kubelts/kubelts/internal/errs"
)

// tree is what is known of a source directory before the go program looks at it. Paths are relative to the root, with slashes.
type tree struct {
	root    string
	goDirs  []string          // directories with Go files, without vendor and what the go program ignores; sorted
	modules []string          // directories with a go.mod, outside of vendor; sorted, the root first as "."
	links   map[string]string // symbolic links to directories of the tree that stand in a vendor directory, and where they lead
}

// maxEntries bounds how many files a tree may have.
const maxEntries = 1_000_000

func scan(ctx context.Context, root string) (*tree, error) {
	t := &tree{root: root, links: map[string]string{}}
	goDirs := map[string]bool{}
	entries := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entries++; entries > maxEntries {
			return errs.New(errs.Invalid, "more than %d files", maxEntries)
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		vendored := inVendor(rel)
		switch {
		case d.IsDir():
			if rel != "." && ignoredDir(d.Name()) && !vendored {
				return fs.SkipDir
			}
		case d.Type()&fs.ModeSymlink != 0:
			if vendored {
				t.link(rel)
			}
		case vendored || !d.Type().IsRegular():
		case d.Name() == "go.mod":
			t.modules = append(t.modules, path.Dir(rel))
		case strings.HasSuffix(rel, ".go"):
			goDirs[path.Dir(rel)] = true
		}
		return ctx.Err()
	})
	for dir := range goDirs {
		t.goDirs = append(t.goDirs, dir)
	}
	slices.Sort(t.goDirs)
	slices.Sort(t.modules)
	return t, err
}

func ignoredDir(name string) bool {
	return name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func inVendor(rel string) bool { return strings.Contains("/"+rel+"/", "/vendor/") }

// link notes a link in a vendor directory that leads to a directory of the tree outside of it: staging repositories are laid out so.
func (t *tree) link(rel string) {
	real, err := filepath.EvalSymlinks(filepath.Join(t.root, rel))
	if err != nil {
		return
	}
	target, err := filepath.Rel(t.root, real)
	if err != nil || !filepath.IsLocal(target) || target == "." || inVendor(filepath.ToSlash(target)) {
		return
	}
	if info, err := os.Stat(real); err == nil && info.IsDir() {
		t.links[rel] = filepath.ToSlash(target)
	}
}

// linked returns the paths through links at which a directory of the tree can be reached; all of them, sorted.
func (t *tree) linked(dir string) []string {
	var through []string
	for link, target := range t.links {
		if dir == target {
			through = append(through, link)
		} else if rest, ok := strings.CutPrefix(dir, target+"/"); ok {
			through = append(through, link+"/"+rest)
		}
	}
	slices.Sort(through)
	return through
}

// module returns the directory of the module that a directory belongs to, "" when there is none.
func (t *tree) module(dir string) string {
	best := ""
	for _, m := range t.modules {
		if under(dir, m) && len(m) > len(best) || m == "." && best == "" {
			best = m
		}
	}
	return best
}

// under reports whether dir is parent or in it.
func under(dir, parent string) bool {
	return parent == "." || dir == parent || strings.HasPrefix(dir, parent+"/")
}

// vendoring decides whether a module is built from its vendor directory, and says why. An empty flag leaves it to the go program.
func (t *tree) vendoring(dir string) (flag, note string) {
	if _, err := os.Stat(filepath.Join(t.root, dir, "vendor", "modules.txt")); err != nil {
		return "", ""
	}
	goVersion := ""
	if content, err := os.ReadFile(filepath.Join(t.root, dir, "go.mod")); err == nil {
		if m, err := modfile.ParseLax("go.mod", content, nil); err == nil && m.Go != nil {
			goVersion = m.Go.Version
		}
	}
	if goVersion == "" || semver.Compare("v"+goVersion, "v1.14") < 0 {
		return "-mod=vendor", dir + ": built from vendor; its go.mod is older than go 1.14, so the go program does not compare the two"
	}
	return "-mod=vendor", dir + ": built from vendor"
}

// needsListing reports whether a module can hold a package that a change matters to: it holds a changed path, or takes modules from
// the tree itself.
func (t *tree) needsListing(dir string, changed []string) bool {
	for _, p := range changed {
		if t.module(path.Dir(p)) == dir {
			return true
		}
	}
	if _, err := os.Stat(filepath.Join(t.root, "go.work")); err == nil {
		return true
	}
	content, err := os.ReadFile(filepath.Join(t.root, dir, "go.mod"))
	if err != nil {
		return true
	}
	m, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(m.Replace, func(r *modfile.Replace) bool { return modfile.IsDirectoryPath(r.New.Path) })
}
