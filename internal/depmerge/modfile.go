package depmerge

import (
	"fmt"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// requirement is what a require directive says of a module.
type requirement struct {
	version  string
	indirect bool
}

// mods is a go.mod file as a set of entries.
type mods struct {
	file     *modfile.File
	require  map[string]requirement
	replace  map[module.Version]module.Version
	settings map[string]string         // module, go, toolchain, godebug KEY: of which there is one
	sets     map[string]bool           // exclude, retract, tool, ignore: which are there or not
	comments map[module.Version]string // behind replacements: why they are there
}

func parseMods(text []byte) (*mods, error) {
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	m := &mods{
		file: f, require: map[string]requirement{}, replace: map[module.Version]module.Version{},
		settings: map[string]string{}, sets: map[string]bool{}, comments: map[module.Version]string{},
	}
	for _, r := range f.Require {
		if _, twice := m.require[r.Mod.Path]; twice {
			return nil, fmt.Errorf("%s is required twice", r.Mod.Path)
		}
		m.require[r.Mod.Path] = requirement{version: r.Mod.Version, indirect: r.Indirect}
	}
	for _, r := range f.Replace {
		if _, twice := m.replace[r.Old]; twice {
			return nil, fmt.Errorf("%s is replaced twice", r.Old)
		}
		m.replace[r.Old] = r.New
		for _, c := range r.Syntax.Suffix {
			m.comments[r.Old] += c.Token
		}
	}
	m.rest()
	return m, nil
}

// rest reads the directives other than require and replace.
func (m *mods) rest() {
	f := m.file
	if f.Module != nil {
		m.settings["module"] = f.Module.Mod.Path
	}
	if f.Go != nil {
		m.settings["go"] = f.Go.Version
	}
	if f.Toolchain != nil {
		m.settings["toolchain"] = f.Toolchain.Name
	}
	for _, g := range f.Godebug {
		m.settings["godebug "+g.Key] = g.Value
	}
	for _, e := range f.Exclude {
		m.sets["exclude "+e.Mod.Path+" "+e.Mod.Version] = true
	}
	for _, r := range f.Retract {
		m.sets["retract "+r.Low+" "+r.High] = true
	}
	for _, t := range f.Tool {
		m.sets["tool "+t.Path] = true
	}
	for _, i := range f.Ignore {
		m.sets["ignore "+i.Path] = true
	}
}

// path of the module that the file describes.
func (m *mods) path() string { return m.settings["module"] }

// replacement is what stands in for a required module, if anything does.
func (m *mods) replacement(path string) (module.Version, bool) {
	if v, ok := m.replace[module.Version{Path: path, Version: m.require[path].version}]; ok {
		return v, true
	}
	v, ok := m.replace[module.Version{Path: path}]
	return v, ok
}

// effective is the module whose content is used for a required one; ok is false for a directory, or if it is not required.
func (m *mods) effective(path string) (module.Version, bool) {
	if v, ok := m.replacement(path); ok {
		return v, v.Version != ""
	}
	r, ok := m.require[path]
	return module.Version{Path: path, Version: r.version}, ok
}

// local reports whether a directory stands in for the module.
func (m *mods) local(path string) bool {
	v, ok := m.replacement(path)
	return ok && v.Version == ""
}

// sibling reports whether the module at path lives beside the file's own and is recorded by commit, not by release: k8s.io/api is one to
// k8s.io/client-go. Such versions are those of one branch: they tell nothing about another branch, however their dates compare.
func (m *mods) sibling(path, version string) bool { return m.beside(path) && unreleased(version) }

// beside reports whether the path of a module differs from the file's own in its last element only.
func (m *mods) beside(path string) bool {
	own := m.path()
	slash := strings.LastIndexByte(own, '/')
	return slash > 0 && strings.HasPrefix(path, own[:slash+1]) && !strings.Contains(path[slash+1:], "/")
}

// unreleased reports whether a version names a commit in a history without releases, as v0.0.0-20200131112707-d64dbec685a4 does.
func unreleased(version string) bool {
	return module.IsPseudoVersion(version) && strings.HasPrefix(version, "v0.0.0-")
}

// atLeast reports whether v is as new as w. A version with and without +incompatible are alike.
func atLeast(v, w string) bool { return semver.Compare(v, w) >= 0 }

// localAll reports whether a directory stands in for every version of the module.
func (m *mods) localAll(path string) bool {
	v, ok := m.replace[module.Version{Path: path}]
	return ok && v.Version == ""
}
