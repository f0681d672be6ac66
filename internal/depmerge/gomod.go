package depmerge

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// modMerge is one merge of go.mod files. It collects in merged what the target's file is to say, and edits the file in the end.
type modMerge struct {
	Result

	base, ours, theirs *mods
	alike              bool  // the target has the versions that the fix's parent has, siblings apart
	merged             *mods // its file is the target's, parsed once more
}

func mergeGoMod(s Sides) Result {
	m := &modMerge{}
	for _, side := range []struct {
		name string
		text []byte
		to   **mods
	}{{"the fix's parent", s.Base, &m.base}, {"the target", s.Ours, &m.ours}, {"the fix", s.Theirs, &m.theirs}, {"the target", s.Ours, &m.merged}} {
		parsed, err := parseMods(side.text)
		if err != nil {
			return refused("go.mod of %s: %v", side.name, err)
		}
		*side.to = parsed
	}
	m.alike = alikeMods(m.base, m.ours)
	for _, path := range keys(m.base.require, m.theirs.require) {
		m.requirement(path)
	}
	for _, old := range keys(m.base.replace, m.theirs.replace) {
		m.replacement(old)
	}
	for _, key := range keys(m.base.settings, m.theirs.settings) {
		m.setting(key)
	}
	for key := range m.theirs.sets {
		if !m.base.sets[key] {
			m.merged.sets[key] = true
		}
	}
	for key := range m.base.sets {
		if !m.theirs.sets[key] {
			delete(m.merged.sets, key)
		}
	}
	for _, old := range keys(m.base.comments, m.theirs.comments) {
		if m.ours.comments[old] == m.base.comments[old] && m.merged.replace[old] == m.theirs.replace[old] {
			m.merged.comments[old] = m.theirs.comments[old]
		}
	}
	m.stragglers()
	if len(m.Refusals) > 0 {
		return m.Result
	}
	return m.print(s)
}

// keys are those of both maps, each once, in an order that does not change.
func keys[K comparable, V any](a, b map[K]V) []K {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), func(x, y K) int { return strings.Compare(keyText(x), keyText(y)) })
}

func keyText(k any) string {
	switch k := k.(type) {
	case string:
		return k
	case module.Version:
		return k.Path + "@" + k.Version
	}
	return ""
}

// requirement carries what the fix changed about the requirement of a module.
func (m *modMerge) requirement(path string) {
	base, inBase := m.base.require[path]
	ours, inOurs := m.ours.require[path]
	theirs, inTheirs := m.theirs.require[path]
	switch {
	case inBase == inTheirs && base == theirs:
	case inTheirs && m.overruled(path, theirs.version):
	case inOurs == inTheirs && ours == theirs:
	case inOurs == inBase && ours == base:
		if inTheirs {
			m.follow(path, base.version, theirs.version)
			m.merged.require[path] = theirs
		} else {
			delete(m.merged.require, path)
		}
	case !inTheirs:
		m.refuse("the fix drops the requirement of %s %s, the target has %s", path, base.version, ours.version)
	case !inOurs:
		m.absent(path, theirs)
	default:
		merged := requirement{version: m.version(path), indirect: ours.indirect}
		if !inBase || base.indirect != theirs.indirect {
			merged.indirect = theirs.indirect && (inBase || ours.indirect)
		}
		m.merged.require[path] = merged
	}
}

// overruled reports whether the target replaces or excludes what the fix moves a requirement to, in a way of its own, and refuses then: the requirement
// would say one thing, and another one would be built.
func (m *modMerge) overruled(path, to string) bool {
	if m.base.require[path].version == to {
		return false
	}
	if m.ours.sets["exclude "+path+" "+to] && !m.theirs.sets["exclude "+path+" "+to] {
		m.refuse("the fix moves %s to %s, which the target excludes", path, to)
		return true
	}
	for _, old := range []module.Version{{Path: path, Version: to}, {Path: path}} {
		ours, replaced := m.ours.replace[old]
		if !replaced {
			continue
		}
		if ours == m.theirs.replace[old] || ours.Version == "" || m.theirs.local(path) {
			return false
		}
		if theirs, _ := m.theirs.effective(path); ours.Path == theirs.Path && atLeast(ours.Version, theirs.Version) {
			return false
		}
		_, inBase := m.base.replace[old]
		if _, inTheirs := m.theirs.replace[old]; inBase || inTheirs {
			return false // [modMerge.replacement] decides
		}
		m.refuse("the fix moves %s to %s, and the target replaces it by %s", path, to, ours)
		return true
	}
	return false
}

// follow moves a requirement in the target as the fix moves it. A requirement is a lower bound: the fix's branch may have come from above, and what else
// the version needs is known only for the requirements that the fix's parent has.
func (m *modMerge) follow(path, from, to string) {
	switch {
	case from == to, m.placeholder(path), m.ours.sibling(path, to):
	case !atLeast(to, from):
		m.doubt("the fix lowers %s from %s to %s: another module of the target may need the higher one", path, from, to)
	case !m.alike:
		m.doubt("the fix moves %s from %s to %s, and the target has other versions of other modules: it may need more", path, from, to)
	}
}

// alikeMods reports whether ours requires what base requires at the same versions, siblings apart.
func alikeMods(base, ours *mods) bool {
	for path, was := range base.require {
		if r, both := ours.require[path]; both && r.version != was.version && !ours.beside(path) {
			return false
		}
	}
	return true
}

// absent is for a module that the fix has at another version than its parent, and that the target does not require.
func (m *modMerge) absent(path string, theirs requirement) {
	if theirs.indirect || m.placeholder(path) || m.theirs.sibling(path, theirs.version) {
		m.note("the target does not require %s: %s was not carried", path, theirs.version)
		return
	}
	m.refuse("the target does not require %s, of which the fix wants %s", path, theirs.version)
}

// placeholder reports whether the fix lets a directory stand in for a module, so that the version it requires says nothing.
func (m *modMerge) placeholder(path string) bool { return m.theirs.local(path) }

// version decides between two changed versions of a requirement.
func (m *modMerge) version(path string) string {
	base, ours, theirs := m.base.require[path].version, m.ours.require[path].version, m.theirs.require[path].version
	switch {
	case base == theirs, ours == theirs:
		return ours
	case ours == base:
		return theirs
	case m.placeholder(path):
		if m.ours.local(path) {
			return ours
		}
		return theirs
	case m.theirs.sibling(path, theirs) || m.ours.sibling(path, ours):
		m.doubt("the fix wants commit %s of %s, which is of its own branch: %s of the target was kept", theirs, path, ours)
	case atLeast(ours, theirs) && otherBranch(ours, theirs):
		m.doubt("%s stays at %s, which is of another branch than the fix's %s and may lack what that has", path, ours, theirs)
	case atLeast(ours, theirs):
		m.note("%s stays at %s, which is at least the fix's %s", path, ours, theirs)
	case semver.IsValid(base) && semver.MajorMinor(ours) == semver.MajorMinor(base) && atLeast(base, ours):
		// A step within a minor leads to where the fix goes from: what the version needs is near what the target has.
		m.doubt("the fix moves %s from %s to %s, the target had %s: it may need more", path, base, theirs, ours)
		return theirs
	default:
		m.refuse("the fix moves %s from %s to %s, the target has %s", path, or(base, "nothing"), theirs, ours)
	}
	return ours
}

// otherBranch reports whether a version that is higher may still lack what another one has: a commit that was recorded by its date, or a release of a
// later minor than that of a patch release.
func otherBranch(ours, theirs string) bool {
	return module.IsPseudoVersion(ours) || module.IsPseudoVersion(theirs) ||
		semver.MajorMinor(ours) != semver.MajorMinor(theirs) && !strings.HasPrefix(strings.TrimPrefix(theirs, semver.MajorMinor(theirs)), ".0")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// replacement carries what the fix changed about a replacement.
func (m *modMerge) replacement(old module.Version) {
	base, inBase := m.base.replace[old]
	ours, inOurs := m.ours.replace[old]
	theirs, inTheirs := m.theirs.replace[old]
	switch {
	case inBase == inTheirs && base == theirs, inOurs == inTheirs && ours == theirs:
	case inTheirs && theirs.Version == "":
		m.directory(old, theirs)
	case inOurs == inBase && ours == base:
		if inTheirs {
			m.merged.replace[old] = theirs
		} else {
			delete(m.merged.replace, old)
		}
	case inOurs && inTheirs && ours.Path == theirs.Path && m.theirs.sibling(ours.Path, theirs.Version):
		m.doubt("the fix replaces %s by its commit %s, which is of its own branch: %s of the target was kept", old.Path, theirs.Version, ours.Version)
	case inOurs && inTheirs && ours.Path == theirs.Path && ours.Version != "" && atLeast(ours.Version, theirs.Version):
		m.note("%s stays replaced by %s, which is at least the fix's %s", old.Path, ours, theirs.Version)
	case !inOurs && m.merged.require[old.Path] == (requirement{}) && old.Path != m.ours.path():
		m.note("the target does not require %s: its replacement was not carried", old.Path)
	default:
		m.refuse("the fix changes the replacement of %s, and the target has another one", old.Path)
	}
}

// directory carries a replacement by a directory. It stands in for whatever version was recorded.
func (m *modMerge) directory(old, theirs module.Version) {
	base, inBase := m.base.replace[old]
	ours, inOurs := m.ours.replace[old]
	switch {
	case inBase && base.Version == "" && (!inOurs || ours != base),
		inOurs && ours.Version == "",
		inOurs && ours.Path != old.Path && ours.Path != base.Path:
		m.refuse("the fix replaces %s by directory %s, and the target has another replacement", old.Path, theirs.Path)
		return
	case !inOurs && m.needless(old.Path):
		m.note("the target does not require %s: directory %s was not carried", old.Path, theirs.Path)
		return
	}
	m.merged.replace[old] = theirs
}

// needless reports whether the fix requires a module that the target does not.
func (m *modMerge) needless(path string) bool {
	_, theirs := m.theirs.require[path]
	_, merged := m.merged.require[path]
	return theirs && !merged
}

// setting carries what the fix changed about a directive of which there is one.
func (m *modMerge) setting(key string) {
	base, ours, theirs := m.base.settings[key], m.ours.settings[key], m.theirs.settings[key]
	switch {
	case base == theirs, ours == theirs:
	case ours == base && theirs == "":
		delete(m.merged.settings, key)
	case ours == base:
		m.merged.settings[key] = theirs
	case key == "go" && ours != "" && theirs != "" && semver.Compare("v"+ours, "v"+theirs) >= 0:
		m.note("the target stays at go %s, which is at least the fix's %s", ours, theirs)
	default:
		m.refuse("the fix changes %s from %q to %q, the target has %q", key, base, theirs, ours)
	}
}

// stragglers refuses a merge that leaves some siblings at recorded commits where the fix moved all of its siblings to directories: they
// belong to one state of one tree.
func (m *modMerge) stragglers() {
	moved := false
	for old, v := range m.merged.replace {
		moved = moved || v.Version == "" && m.ours.replace[old] != v && old.Path != m.ours.path() && strings.HasPrefix(m.theirs.require[old.Path].version, "v0.0.0")
	}
	if !moved {
		return
	}
	for path, r := range m.merged.require {
		_, known := m.theirs.require[path]
		if !known && m.ours.sibling(path, r.version) && !m.merged.local(path) {
			m.refuse("the fix replaces its siblings by directories, and does not know %s, which the target requires", path)
		}
	}
	for old, v := range m.merged.replace {
		_, known := m.theirs.replace[old]
		if !known && v.Path == old.Path && m.ours.sibling(old.Path, v.Version) {
			m.refuse("the fix replaces its siblings by directories, and does not know %s, which the target replaces", old.Path)
		}
	}
	slices.Sort(m.Refusals)
}

// print edits the target's file and prints it as the go command does. What is printed is read again: it has to say what was decided.
func (m *modMerge) print(s Sides) Result {
	if m.merged.equal(m.ours) {
		return m.finish(s.Ours)
	}
	if err := m.edit(m.merged.file); err != nil {
		return refused("go.mod of the target cannot be edited: %v", err)
	}
	m.merged.file.SortBlocks()
	m.merged.file.Cleanup()
	text := modfile.Format(m.merged.file.Syntax)
	again, err := parseMods(text)
	if err != nil || !again.equal(m.merged) {
		return refused("the merged go.mod cannot be printed")
	}
	return m.finish(text)
}

func (m *mods) equal(o *mods) bool {
	return maps.Equal(m.require, o.require) && maps.Equal(m.replace, o.replace) && maps.Equal(m.settings, o.settings) &&
		maps.Equal(m.sets, o.sets) && m.sameComments(o)
}

// sameComments compares the comments behind replacements that there are.
func (m *mods) sameComments(o *mods) bool {
	for old := range m.replace {
		if m.comments[old] != o.comments[old] {
			return false
		}
	}
	return true
}
