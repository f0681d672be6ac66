package depmerge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Modules are the go.mod files beside a go.sum: in the three versions, and merged.
type Modules struct {
	Base, Ours, Theirs, Merged []byte
	// BaseEarlier and OursEarlier are how the two files stood when directories last stood in for the modules of [Modules.Localised], in the history of
	// the fix's parent and in that of the target. They are nil if that is not known.
	BaseEarlier, OursEarlier *Pair
}

// Pair are a go.mod and the go.sum beside it, at one time.
type Pair struct{ Mod, Sum []byte }

// sums is a go.sum file: the hashes by module and version, where the version of a go.mod file's hash ends in /go.mod.
type sums map[module.Version]string

func parseSums(text []byte) (sums, error) {
	out := sums{}
	for i, line := range lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d has %d words", i+1, len(fields))
		}
		if !semver.IsValid(strings.TrimSuffix(fields[1], goModSuffix)) {
			return nil, fmt.Errorf("line %d: version %q", i+1, fields[1])
		}
		key := module.Version{Path: fields[0], Version: fields[1]}
		if was, twice := out[key]; twice && was != fields[2] {
			return nil, fmt.Errorf("line %d: %s has two hashes", i+1, key)
		}
		out[key] = fields[2]
	}
	return out, nil
}

// sumMerge is one merge of go.sum files.
type sumMerge struct {
	Result

	base, ours, theirs, merged sums
	sameGraph                  bool // the target has the hashes that the fix's parent has, but for siblings
	mods                       struct{ base, ours, theirs, merged *mods }
}

func mergeGoSum(s Sides, modules *Modules) Result {
	if modules == nil {
		return refused("the go.mod beside it is not merged")
	}
	m := &sumMerge{merged: sums{}}
	for _, side := range []struct {
		name       string
		text, mods []byte
		to         *sums
		toMods     **mods
	}{
		{"the fix's parent", s.Base, modules.Base, &m.base, &m.mods.base},
		{"the target", s.Ours, modules.Ours, &m.ours, &m.mods.ours},
		{"the fix", s.Theirs, modules.Theirs, &m.theirs, &m.mods.theirs},
		{"the result", nil, modules.Merged, &m.merged, &m.mods.merged},
	} {
		var err error
		if *side.to, err = parseSums(side.text); err != nil {
			return refused("go.sum of %s: %v", side.name, err)
		}
		if *side.toMods, err = parseMods(side.mods); err != nil {
			return refused("go.mod of %s: %v", side.name, err)
		}
	}
	m.merge(m.base.byModule(), m.ours.byModule())
	if !m.sameGraph && len(m.localised()) > 0 {
		m.compareEarlier(modules)
	}
	return m.finish(m.merged.print())
}

// merge merges the hashes of each module. Base and ours may be others than those of the files: see [sumMerge.compareEarlier].
func (m *sumMerge) merge(base, ours map[string]map[string]string) {
	theirs := m.theirs.byModule()
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	maps.Copy(all, base)
	m.sameGraph = !slices.ContainsFunc(keys(all, nil), func(path string) bool {
		return !m.mods.theirs.local(path) && !m.mods.ours.beside(path) && !maps.Equal(base[path], ours[path])
	})
	for _, path := range keys(all, nil) {
		for version, hash := range m.module(path, base[path], ours[path], theirs[path]) {
			m.merged[module.Version{Path: path, Version: version}] = hash
		}
	}
	m.check()
}

// byModule are the hashes of each module, by version.
func (s sums) byModule() map[string]map[string]string {
	out := map[string]map[string]string{}
	for key, hash := range s {
		if out[key.Path] == nil {
			out[key.Path] = map[string]string{}
		}
		out[key.Path][key.Version] = hash
	}
	return out
}

const goModSuffix = "/go.mod"

// module carries what the fix changed about the hashes of one module.
func (m *sumMerge) module(path string, base, ours, theirs map[string]string) map[string]string {
	switch {
	case maps.Equal(base, theirs), maps.Equal(ours, theirs):
		return ours
	case len(theirs) == 0 && m.mods.merged.localAll(path):
		return nil // no version of it is ever downloaded
	case m.kept(path):
		return ours
	case !m.sameGraph && m.needed(path, base, theirs):
		m.refuse("the fix moves %s, and something else needs the version that it had: whether that holds for the target is not known", path)
		return ours
	case maps.Equal(base, ours):
		if !m.sameGraph && m.unexplained(path) {
			m.surprise(path)
		}
		return theirs
	case maps.Equal(m.moved(path, base), versions(ours)):
		// The target has of its own version what the fix's parent has of its: which versions the fix adds and drops holds for it.
		return m.follow(path, base, ours, theirs)
	}
	return m.byVersion(path, base, ours, theirs)
}

// byVersion carries the hashes of single versions of a module, as far as the merged go.mod says that they are needed.
func (m *sumMerge) byVersion(path string, base, ours, theirs map[string]string) map[string]string {
	merged := map[string]string{}
	maps.Copy(merged, ours)
	m.supersede(path, base, theirs, merged)
	for _, version := range keys(theirs, nil) {
		hash := theirs[version]
		if was, both := ours[version]; both && was != hash {
			m.refuse("the fix and the target have different hashes of %s %s", path, version)
		}
		if base[version] == hash || ours[version] != "" {
			continue
		}
		if !m.uses(path, version) {
			m.refuse("the fix adds the hash of %s %s, and go.mod does not say whether the target needs it", path, version)
		}
		merged[version] = hash
	}
	for _, version := range keys(base, nil) {
		if theirs[version] == "" && merged[version] != "" && !m.uses(path, version) {
			m.refuse("the fix drops the hash of %s %s, and go.mod does not say whether the target needs it", path, version)
		}
	}
	return merged
}

// kept reports whether the fix moves the module to another version and the merged go.mod leaves it at the target's.
func (m *sumMerge) kept(path string) bool {
	base, _ := m.mods.base.effective(path)
	theirs, _ := m.mods.theirs.effective(path)
	ours, inOurs := m.mods.ours.effective(path)
	merged, inMerged := m.mods.merged.effective(path)
	return base != theirs && inOurs && inMerged && ours == merged && merged != theirs
}

// unexplained reports whether the fix leaves the module as it was in go.mod: then its hashes change because of what other modules require.
func (m *sumMerge) unexplained(path string) bool {
	base, _ := m.mods.base.effective(path)
	theirs, _ := m.mods.theirs.effective(path)
	return base == theirs && m.mods.base.local(path) == m.mods.theirs.local(path)
}

// uses reports whether the merged go.mod names exactly this version.
func (m *sumMerge) uses(path, version string) bool {
	v, ok := m.mods.merged.effective(path)
	return ok && v.Path == path && v.Version == strings.TrimSuffix(version, goModSuffix)
}

func versions(hashes map[string]string) map[string]bool {
	out := map[string]bool{}
	for version := range hashes {
		out[version] = true
	}
	return out
}

// moved are the versions of base, with the target's version of the module in the place of that of the fix's parent.
func (m *sumMerge) moved(path string, base map[string]string) map[string]bool {
	from, inBase := m.mods.base.effective(path)
	to, inOurs := m.mods.ours.effective(path)
	if !inBase || !inOurs || from.Path != path || to.Path != path {
		return nil
	}
	out := map[string]bool{}
	for version := range base {
		if bare := strings.TrimSuffix(version, goModSuffix); bare == from.Version {
			version = to.Version + strings.TrimPrefix(version, bare)
		}
		out[version] = true
	}
	return out
}

// follow does to the target's hashes what the fix does to its parent's.
func (m *sumMerge) follow(path string, base, ours, theirs map[string]string) map[string]string {
	merged := map[string]string{}
	for version := range base {
		if _, kept := theirs[version]; !kept {
			continue
		}
		for moved := range m.moved(path, map[string]string{version: ""}) {
			merged[moved] = ours[moved]
		}
	}
	for version, hash := range theirs {
		if _, old := base[version]; !old {
			merged[version] = hash
		}
	}
	return merged
}

// check refuses a result without the hash of a version that the merge brought into go.mod.
func (m *sumMerge) check() {
	for _, path := range keys(m.mods.merged.require, nil) {
		v, ok := m.mods.merged.effective(path)
		was, had := m.mods.ours.effective(path)
		if !ok || had && was == v {
			continue
		}
		key := module.Version{Path: v.Path, Version: v.Version + goModSuffix}
		if theirs, _ := m.mods.theirs.effective(path); theirs == v && m.theirs[key] == "" {
			continue // the fix does without it
		}
		if m.merged[key] == "" {
			m.refuse("neither side has the hash of %s", v)
		}
	}
}

// compareSums orders as the go command does: by path and version, the hash of a go.mod file behind that of its module.
func compareSums(a, b module.Version) int {
	return cmp.Or(strings.Compare(a.Path, b.Path),
		semver.Compare(strings.TrimSuffix(a.Version, goModSuffix), strings.TrimSuffix(b.Version, goModSuffix)), strings.Compare(a.Version, b.Version))
}

// print writes the hashes in the order in which the go command writes them.
func (s sums) print() []byte {
	all := make([]module.Version, 0, len(s))
	for key := range s {
		all = append(all, key)
	}
	slices.SortFunc(all, compareSums)
	var b strings.Builder
	for _, key := range all {
		b.WriteString(key.Path + " " + key.Version + " " + s[key] + "\n")
	}
	return []byte(b.String())
}
