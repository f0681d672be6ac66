package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// scope is what a change reaches.
type scope struct {
	keys  map[string]bool
	notes []string
}

// touched returns the packages that the changed paths belong to.
func touched(line, base map[string]*pkg, changed []string) scope {
	s := scope{keys: map[string]bool{}}
	for _, packages := range []map[string]*pkg{line, base} {
		for _, p := range changed {
			for _, key := range owners(packages, p) {
				s.keys[key] = true
			}
		}
	}
	return s
}

// affected returns the packages that the changed paths belong to and those that import them, seen from both trees: a package that
// only the base has still has importers on the line. Packages from outside of the tree count as changed when the two trees use different
// versions of their module.
func affected(line, base map[string]*pkg, changed []string, transitive bool) scope {
	s := scope{keys: map[string]bool{}}
	for _, packages := range []map[string]*pkg{line, base} {
		start := map[string]bool{}
		for _, p := range changed {
			for _, key := range owners(packages, p) {
				start[key] = true
			}
		}
		for key, p := range packages {
			if other, ok := base[key]; strings.HasPrefix(key, "@") && ok && line[key] != nil && other.version != line[key].version {
				start[key] = true
				s.notes = append(s.notes, fmt.Sprintf("%s comes from another version of its module: %s", p.importPath, line[key].version))
			}
		}
		for key := range importers(packages, start, transitive) {
			s.keys[key] = true
		}
	}
	slices.Sort(s.notes)
	s.notes = slices.Compact(s.notes)
	return s
}

// owners returns the keys of the packages that a path belongs to: those that embed it, the one in its directory, or else the one in the
// nearest directory above, short of the tree's root, whose tests may read it.
func owners(packages map[string]*pkg, name string) []string {
	var keys []string
	for key, p := range packages {
		if slices.Contains(p.files, name) {
			keys = append(keys, key)
		}
	}
	dir := path.Dir(name)
	if packages[dir] != nil {
		return append(keys, dir)
	}
	testdata := strings.HasPrefix(name, "testdata/")
	for dir != "." {
		dir = path.Dir(dir)
		if packages[dir] != nil && (dir != "." || testdata) {
			return append(keys, dir)
		}
	}
	return keys
}

// importers returns start and the packages that import one of it, or with transitive depend on it. A test's import concerns only the
// package that the test is in.
func importers(packages map[string]*pkg, start map[string]bool, transitive bool) map[string]bool { //nolint:revive // it is the flag that people give
	by := reverse(packages, func(p *pkg) []string { return p.imports })
	byTests := reverse(packages, func(p *pkg) []string { return p.testOnly })
	reached := map[string]bool{}
	var next []string
	for key := range start {
		reached[key] = true
		next = append(next, key)
	}
	tested := map[string]bool{}
	for len(next) > 0 {
		var found []string
		for _, key := range next {
			for _, importer := range by[key] {
				if !reached[importer] {
					reached[importer] = true
					found = append(found, importer)
				}
			}
			for _, importer := range byTests[key] {
				tested[importer] = true
			}
		}
		if next = found; !transitive {
			break
		}
	}
	for key := range tested {
		reached[key] = true
	}
	return reached
}

// reverse returns by key which packages have it among their imports.
func reverse(packages map[string]*pkg, imports func(*pkg) []string) map[string][]string {
	by := map[string][]string{}
	for key, p := range packages {
		for _, i := range imports(p) {
			by[i] = append(by[i], key)
		}
	}
	return by
}
