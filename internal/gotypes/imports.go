package gotypes

import (
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/importmap"
)

// unusedImports finds imports that the merged files do not use, by names alone: an import that the files of a side seem not to use either has another
// name than we think.
func (l *look) unusedImports() ([]Fault, error) {
	var out []Fault
	var theirs map[string]bool
	for _, c := range l.changed {
		if c.is == nil {
			continue
		}
		var was map[string]imported
		if c.was != nil {
			was = c.was.unused()
		}
		for _, i := range c.is.unused() {
			if _, ok := was[i.path]; ok {
				continue
			}
			if theirs == nil {
				var err error
				if theirs, err = l.unusedThere(); err != nil {
					return nil, err
				}
			}
			if !theirs[i.path] {
				out = append(out, Fault{
					Path: path.Join(l.place.dir, c.name), Line: c.is.line(i.spec.Pos()), Kind: Unused, Import: i.path, Note: "imports " + i.path + " and does not use it",
				})
			}
		}
	}
	return out, nil
}

// unusedThere are the imports that the fix's files seem not to use.
func (l *look) unusedThere() (map[string]bool, error) {
	out := map[string]bool{}
	files, err := l.files(l.question.Theirs, l.place.theirs)
	if err != nil {
		return nil, err
	}
	for _, c := range l.changed {
		id, ok := files[c.name]
		if !ok {
			continue
		}
		src, err := l.read(l.question.Theirs, c.name, id, text)
		if unread(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for p := range src.unused() {
			out[p] = true
		}
	}
	return out, nil
}

// unused are the imports of a file that nothing in it seems to use, by path.
func (s *source) unused() map[string]imported {
	qualifiers := s.qualifiers()
	out := map[string]imported{}
	for name, i := range s.bind(qualifiers, func(string) string { return "" }) {
		if !qualifiers[name] && i.path != "C" {
			out[i.path] = i
		}
	}
	bound := map[string]bool{}
	for _, i := range s.bind(qualifiers, func(string) string { return "" }) {
		bound[i.path] = true
	}
	for _, i := range s.imports() {
		if i.name == "" && !bound[i.path] && i.path != "C" {
			out[i.path] = i
		}
	}
	return out
}

// unknownPackages are packages that changed files import anew and that the merged tree is not known to have, although the fix's is.
func (l *look) unknownPackages(files map[string]git.OID) ([]Fault, error) {
	var out []Fault
	for _, c := range l.changed {
		if c.is == nil {
			continue
		}
		for _, i := range c.is.imports() {
			if c.was != nil && slices.ContainsFunc(c.was.imports(), func(o imported) bool { return o.path == i.path }) {
				continue
			}
			note, err := l.unimportable(files, c.is, i.path)
			if err != nil {
				return nil, err
			}
			if note != "" {
				out = append(out, Fault{Path: path.Join(l.place.dir, c.name), Line: c.is.line(i.spec.Pos()), Kind: NoPackage, Import: i.path, Note: note})
			}
		}
	}
	return out, nil
}

// unimportable says why a file cannot import a package that it did not import before; empty if it can.
func (l *look) unimportable(files map[string]git.OID, file *source, imp string) (string, error) {
	lost, err := l.lost(files, imp)
	if err != nil {
		return "", err
	}
	if lost {
		return "imports " + imp + ", which the target is not known to have", nil
	}
	dir, _, err := l.question.Merged.Package(l.ctx, l.place.dir, imp)
	if dir == "" || err != nil || file.apart() {
		return "", err
	}
	if dir == l.place.dir {
		return "imports " + imp + ", which is its own package", nil
	}
	back, err := l.importsBack(dir)
	if back {
		return "imports " + imp + ", which imports this package", err
	}
	return "", err
}

// importsBack reports whether a package imports the one that is looked at.
func (l *look) importsBack(dir string) (bool, error) {
	files, err := l.files(l.question.Merged, dir)
	if err != nil {
		return false, err
	}
	build := setting{system: "linux", arch: "amd64"}
	for name, id := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := l.checker.source(l.ctx, l.epoch, l.question.Merged, File{Name: name, OID: id})
		if unread(err) || err == nil && !build.holds(src.cond) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, i := range src.imports() {
			at, _, err := l.question.Merged.Package(l.ctx, dir, i.path)
			if err != nil || at == l.place.dir {
				return at == l.place.dir, err
			}
		}
	}
	return false, nil
}

// lost reports whether the fix's tree is known to have a package and the merged one is not.
func (l *look) lost(files map[string]git.OID, imp string) (bool, error) {
	known, err := l.has(l.question.Merged, l.place.dir, imp)
	if known || err != nil {
		return false, err
	}
	known, err = l.has(l.question.Theirs, l.place.theirs, imp)
	if !known || err != nil {
		return false, err
	}
	beside, err := l.importedBeside(files, imp)
	return !beside, err
}

// has reports whether a tree is known to have a package. A directory without Go files is none.
func (l *look) has(t Tree, from, imp string) (bool, error) {
	dir, known, err := t.Package(l.ctx, from, imp)
	if !known || dir == "" || err != nil {
		return known, err
	}
	files, err := t.Files(l.ctx, dir)
	return slices.ContainsFunc(files, func(f File) bool { return !strings.HasSuffix(f.Name, "_test.go") }), err
}

// importedBeside reports whether a file of the directory that the merge did not change imports a package.
func (l *look) importedBeside(files map[string]git.OID, imp string) (bool, error) {
	for name, id := range files {
		if slices.ContainsFunc(l.changed, func(c changedFile) bool { return c.name == name }) {
			continue
		}
		src, err := l.checker.source(l.ctx, l.epoch, l.question.Merged, File{Name: name, OID: id})
		if unread(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(src.imports(), func(i imported) bool { return i.path == imp }) {
			return true, nil
		}
	}
	return false, nil
}

// unproven are names of packages outside of the tree that composed files mention anew and nothing in the target's directory does. A package that is new to
// the file is taken as it comes: there is nothing to compare with.
func (l *look) unproven() ([]Fault, error) {
	var out []Fault
	for _, c := range l.changed {
		if c.is == nil || c.was == nil || !l.place.composed[c.name] {
			continue
		}
		for _, e := range c.is.entries {
			if has(l.change.was[e.key], e) {
				continue
			}
			faults, err := l.unprovenIn(c, e)
			if err != nil {
				return nil, err
			}
			out = append(out, faults...)
		}
	}
	return out, nil
}

func (l *look) unprovenIn(c changedFile, e *entry) ([]Fault, error) {
	var out []Fault
	names := c.is.bind(c.is.qualifiers(), func(string) string { return "" })
	for _, u := range e.used() {
		i, ok := names[u.qualifier]
		if !ok || importmap.Standard(i.path) || !slices.ContainsFunc(c.was.imports(), func(o imported) bool { return o.path == i.path }) {
			continue
		}
		proven, err := l.proven(i.path, u.name)
		if err != nil {
			return nil, err
		}
		if !proven {
			out = append(out, Fault{
				Path: path.Join(l.place.dir, c.name), Line: c.is.line(e.decl.Pos()), Kind: Unproven, Name: u.name, Import: i.path,
				Note: "nothing in the target's directory uses " + u.name + " of " + i.path,
			})
		}
	}
	return out, nil
}

// proven reports whether the target's directory mentions a name, or its package is in the tree, where it is looked up.
func (l *look) proven(imp, name string) (bool, error) {
	dir, _, err := l.question.Merged.Package(l.ctx, l.place.dir, imp)
	if dir != "" || err != nil {
		return true, err
	}
	files, err := l.files(l.question.Ours, l.place.dir)
	if err != nil {
		return false, err
	}
	for _, id := range files {
		content, err := l.question.Ours.Blob(l.ctx, id)
		if unread(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		if mentions(string(content), map[string]bool{name: true}) {
			return true, nil
		}
	}
	return false, nil
}
