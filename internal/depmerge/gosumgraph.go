package depmerge

import "maps"

// What go.sum has to hold follows from what all modules require, which is not in the files. This file has what can be told without it.

// Localised are the modules in whose place the merged go.mod has directories, and the target's has not. A go.mod that cannot be read has none.
func (m *Modules) Localised() []string {
	var s sumMerge
	var err error
	for _, side := range []struct {
		text []byte
		to   **mods
	}{{m.Ours, &s.mods.ours}, {m.Merged, &s.mods.merged}} {
		if *side.to, err = parseMods(side.text); err != nil {
			return nil
		}
	}
	return s.localised()
}

// HasDirectories reports whether directories stand in for modules in a go.mod: for each of these that it requires, and for one at least.
func HasDirectories(text []byte, modules []string) bool {
	m, err := parseMods(text)
	if err != nil {
		return false
	}
	found := false
	for _, path := range modules {
		_, required := m.require[path]
		if required && !m.local(path) {
			return false
		}
		found = found || required
	}
	return found
}

func (m *sumMerge) localised() []string {
	var out []string
	for _, path := range keys(m.mods.merged.require, nil) {
		if m.mods.merged.local(path) && !m.mods.ours.local(path) {
			out = append(out, path)
		}
	}
	return out
}

// compareEarlier asks the past for what directories need. When directories last stood in for the modules, go.sum held what they require; what it held
// of a module that go.mod has had at the same version since holds again. A second merge starts from there. If both agree, they are right. If the second
// one says something else, they are refused; if it does not know either, the first one stands unless the merge gives the target versions that no
// branch had beside its modules.
func (m *sumMerge) compareEarlier(modules *Modules) {
	if modules.BaseEarlier == nil || modules.OursEarlier == nil {
		if m.leaps() {
			m.refuse("the fix replaces modules by directories, and the target has other modules beside them: what go.sum has to hold depends on what the directories require")
		}
		m.doubt("the target has other modules than the fix's parent: what the directories require is not known")
		return
	}
	second := &sumMerge{theirs: m.theirs, merged: sums{}, mods: m.mods}
	second.merge(m.asOf(m.base, m.mods.base, modules.BaseEarlier), m.asOf(m.ours, m.mods.ours, modules.OursEarlier))
	switch {
	case maps.Equal(m.merged, second.merged):
		m.doubt("the target has other modules than the fix's parent: go.sum follows what it held when directories last stood in for these modules")
	case len(second.Refusals) == 0:
		m.refuse("the fix replaces modules by directories, and go.sum would hold something else than when the target last had them")
	case m.leaps():
		m.refuse("the fix replaces modules by directories, and the target has other modules beside them: what go.sum has to hold depends on what the directories require")
	default:
		m.doubt("the target has other modules than the fix's parent: what the directories require is not known")
	}
}

// asOf are the hashes of an earlier time, for modules that go.mod has had at the same version since.
func (*sumMerge) asOf(now sums, mods *mods, earlier *Pair) map[string]map[string]string {
	out := now.byModule()
	then, err := parseMods(earlier.Mod)
	if err != nil {
		return out
	}
	hashes, err := parseSums(earlier.Sum)
	if err != nil {
		return out
	}
	was := hashes.byModule()
	for _, path := range keys(out, was) {
		a, inNow := mods.effective(path)
		b, inThen := then.effective(path)
		switch {
		case inNow != inThen || a != b:
		case was[path] == nil:
			delete(out, path)
		default:
			out[path] = was[path]
		}
	}
	return out
}

// leaps reports whether the merge moves a module on from a version that the fix's parent did not have.
func (m *sumMerge) leaps() bool {
	for path := range m.mods.merged.require {
		base, _ := m.mods.base.effective(path)
		ours, inOurs := m.mods.ours.effective(path)
		merged, inMerged := m.mods.merged.effective(path)
		if inOurs && inMerged && ours != merged && ours != base {
			return true
		}
	}
	return false
}

// surprise is for hashes that the fix changes without a change of its go.mod, where the target has other modules.
func (m *sumMerge) surprise(path string) {
	if m.leaps() || len(m.localised()) > 0 {
		m.refuse("the fix changes the hashes of %s, and its go.mod does not say why; the target has other modules", path)
		return
	}
	m.doubt("the fix changes the hashes of %s, and its go.mod does not say why", path)
}

// needed reports whether the fix moves a module on and keeps the hash of the go.mod of the version that its parent had: other modules require that.
func (m *sumMerge) needed(path string, base, theirs map[string]string) bool {
	from, inBase := m.mods.base.effective(path)
	to, inTheirs := m.mods.theirs.effective(path)
	if !inBase || !inTheirs || from == to || from.Path != path {
		return false
	}
	return base[from.Version] != "" && theirs[from.Version] == "" && theirs[from.Version+goModSuffix] != ""
}

// supersede drops the hashes of the target's version of a module that the merge moves on, where the fix drops those of its parent's.
func (m *sumMerge) supersede(path string, base, theirs, merged map[string]string) {
	from, inBase := m.mods.base.effective(path)
	was, inOurs := m.mods.ours.effective(path)
	now, inMerged := m.mods.merged.effective(path)
	if !inBase || !inOurs || !inMerged || was == now || from.Path != path || was.Path != path || now.Path != path {
		return
	}
	for _, suffix := range []string{"", goModSuffix} {
		if base[from.Version+suffix] != "" && theirs[from.Version+suffix] == "" && theirs[was.Version+suffix] == "" {
			delete(merged, was.Version+suffix)
		}
	}
}
