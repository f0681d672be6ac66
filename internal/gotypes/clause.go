package gotypes

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// clauses are the files that the merge puts beside those of another package. The go command refuses such a directory, and the type checker does not
// see it: it looks at the files of one package.
func (l *look) clauses(files map[string]git.OID) ([]Fault, error) {
	if strings.Contains("/"+l.place.dir+"/", "/testdata/") {
		return nil, nil // which is no package
	}
	var faults []Fault
	for _, c := range l.changed {
		if c.is == nil || c.was != nil && c.was.clause() == c.is.clause() || c.is.clause() == "" {
			continue
		}
		fault, err := l.clauseOf(c, files)
		if err != nil {
			return nil, err
		}
		faults = append(faults, fault...)
	}
	return faults, nil
}

// clauseOf is the fault of a file that no side has beside those of the other package, if there is one.
func (l *look) clauseOf(c changedFile, files map[string]git.OID) ([]Fault, error) {
	build, ok := settingFor(c.is.cond)
	if !ok || len(build.tags) > 0 {
		return nil, nil // a file that is built only when asked for by a tag may be a program of its own
	}
	beside, err := l.clausesIn(l.question.Merged, files, build)
	if err != nil {
		return nil, err
	}
	is := c.is.clause()
	for _, other := range slices.Sorted(maps.Keys(beside)) {
		if other == is || other == "" {
			continue
		}
		fine, err := l.stoodTogether(is, other, build)
		if err != nil {
			return nil, err
		}
		if !fine {
			return []Fault{{
				Path: path.Join(l.place.dir, c.name), Line: c.is.line(c.is.file.Package), Kind: Mismatch,
				Note: fmt.Sprintf("package %s beside %s, which is package %s", is, beside[other], other),
			}}, nil
		}
	}
	return nil, nil
}

// stoodTogether reports whether a side has files of both packages in the directory.
func (l *look) stoodTogether(a, b string, build setting) (bool, error) {
	for _, side := range []struct {
		tree Tree
		dir  string
	}{{l.question.Ours, l.place.dir}, {l.question.Theirs, l.place.theirs}} {
		files, err := l.files(side.tree, side.dir)
		if err != nil {
			return false, err
		}
		names, err := l.clausesIn(side.tree, files, build)
		if err != nil {
			return false, err
		}
		if names[a] != "" && names[b] != "" {
			return true, nil
		}
	}
	return false, nil
}

// clausesIn are the packages that files belong to, each with its first file.
func (l *look) clausesIn(t Tree, files map[string]git.OID, build setting) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		src, err := l.checker.source(l.ctx, l.epoch, t, File{Name: name, OID: files[name]})
		if unread(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if clause := src.clause(); build.holds(src.cond) && out[clause] == "" {
			out[clause] = name
		}
	}
	return out, nil
}

// clause is the package that a file belongs to, for an external test the one that it tests; empty for one that the go command passes over.
func (s *source) clause() string {
	name := s.file.Name.Name
	if s.apart() {
		name = strings.TrimSuffix(name, "_test")
	}
	if name == "documentation" {
		return ""
	}
	return name
}
