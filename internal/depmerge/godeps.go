package depmerge

import (
	"bytes"
	"encoding/json"
	"go/version"
	"maps"
	"slices"
	"strings"
)

// godeps is a Godeps.json file. The fields stand in godep's order.
type godeps struct {
	ImportPath   string
	GoVersion    string   `json:",omitempty"`
	GodepVersion string   `json:",omitempty"`
	Packages     []string `json:",omitempty"`
	Deps         []godep
}

type godep struct {
	ImportPath string
	Comment    string `json:",omitempty"`
	Rev        string
}

// maxDeps bounds the packages of a Godeps.json; Kubernetes' own has 3,000.
const maxDeps = 50_000

func parseGodeps(text []byte) (*godeps, string) {
	var g godeps
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&g); err != nil {
		return nil, err.Error()
	}
	if len(g.Deps) > maxDeps {
		return nil, "it has too many packages"
	}
	return &g, ""
}

// layout is how a file is written: godep indents by a tab and ends with a newline; other programs and people had other habits.
type layout struct{ indent, end string }

// layoutOf finds the layout in which a file is written; ok is false for one that does not print back the same bytes.
func (g *godeps) layoutOf(text []byte) (found layout, ok bool) {
	for _, indent := range []string{"\t", "  ", "    "} {
		for _, end := range []string{"\n", ""} {
			if l := (layout{indent, end}); bytes.Equal(g.print(l), text) {
				return l, true
			}
		}
	}
	return layout{}, false
}

// print writes the file in a layout.
func (g *godeps) print(l layout) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", l.indent)
	if err := e.Encode(g); err != nil {
		return nil
	}
	return append(bytes.TrimSuffix(b.Bytes(), []byte("\n")), l.end...)
}

// pkg is a package of the list. Old files name a package twice: the second time is another entry.
type pkg struct {
	path string
	nth  int
}

func (g *godeps) entries() map[pkg]godep {
	out, seen := map[pkg]godep{}, map[string]int{}
	for _, d := range g.Deps {
		out[pkg{d.ImportPath, seen[d.ImportPath]}] = d
		seen[d.ImportPath]++
	}
	return out
}

// recorded reports whether a revision names a commit, and is no placeholder such as xxxxxxxx.
func recorded(rev string) bool { return rev != "" && strings.Trim(rev, "0123456789abcdef") == "" }

// godepsMerge is one merge of Godeps.json files.
type godepsMerge struct {
	Result

	base, ours, theirs map[pkg]godep
	merged             map[pkg]godep
	alike              bool
	placed             map[string]string // by revision of the target: the placeholder that the fix has for that repository
}

func mergeGodeps(s Sides) Result {
	var sides [3]*godeps
	for i, text := range [][]byte{s.Base, s.Ours, s.Theirs} {
		g, why := parseGodeps(text)
		if g == nil {
			return refused("Godeps.json: %s", why)
		}
		sides[i] = g
	}
	base, ours, theirs := sides[0], sides[1], sides[2]
	written, ok := ours.layoutOf(s.Ours)
	if !ok {
		return refused("Godeps.json of the target is not as godep prints it")
	}
	m := &godepsMerge{base: base.entries(), ours: ours.entries(), theirs: theirs.entries(), placed: map[string]string{}}
	m.merged = maps.Clone(m.ours)
	if ours.ImportPath != base.ImportPath || theirs.ImportPath != base.ImportPath || !slices.Equal(base.Packages, theirs.Packages) && !slices.Equal(base.Packages, ours.Packages) {
		m.refuse("the sides describe other packages")
	}
	out := &godeps{
		ImportPath: ours.ImportPath, Packages: pickSlice(base.Packages, ours.Packages, theirs.Packages),
		GoVersion: ours.GoVersion, GodepVersion: ours.GodepVersion,
	}
	m.place()
	m.alike = m.compare()
	m.stamp(out, base, ours, theirs)
	for _, p := range m.packages(m.base, m.theirs) {
		m.entry(p)
	}
	m.rest()
	m.repositories()
	out.Deps = m.list(ours)
	return m.finish(out.print(written))
}

// stamp decides by which programs the list says that it was made. Where the target has other packages, it was made by the target's; where it was made by a later
// go than that of the fix's parent, and the fix moves to other programs, by the fix's.
func (m *godepsMerge) stamp(out, base, ours, theirs *godeps) {
	was := [2]string{base.GoVersion, base.GodepVersion}
	mine, fixed := [2]string{ours.GoVersion, ours.GodepVersion}, [2]string{theirs.GoVersion, theirs.GodepVersion}
	switch {
	case was == fixed || mine == fixed:
	case mine == was && m.alike:
		out.GoVersion, out.GodepVersion = theirs.GoVersion, theirs.GodepVersion
	case mine == was:
	case version.IsValid(was[0]) && version.IsValid(mine[0]) && version.Compare(mine[0], was[0]) > 0:
		m.doubt("the list is said to be made by the fix's %s, godep %s; the target's was by %s, godep %s", fixed[0], fixed[1], mine[0], mine[1])
		out.GoVersion, out.GodepVersion = theirs.GoVersion, theirs.GodepVersion
	default:
		m.refuse("the list of the target was made by other programs (%s, godep %s) than the fix's (%s, godep %s)", mine[0], mine[1], fixed[0], fixed[1])
	}
}

// pickSlice is a three-way merge in which one side at least has base.
func pickSlice(base, ours, theirs []string) []string {
	if slices.Equal(ours, base) {
		return theirs
	}
	return ours
}

func (*godepsMerge) packages(a, b map[pkg]godep) []pkg {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), comparePkg)
}

func comparePkg(a, b pkg) int {
	if c := strings.Compare(a.path, b.path); c != 0 {
		return c
	}
	return a.nth - b.nth
}

// place learns which repositories the fix gives a placeholder, by their revisions in the target.
func (m *godepsMerge) place() {
	for p, theirs := range m.theirs {
		base, inBase := m.base[p]
		ours, inOurs := m.ours[p]
		if inBase && inOurs && recorded(base.Rev) && recorded(ours.Rev) && !recorded(theirs.Rev) {
			m.placed[ours.Rev] = theirs.Rev
		}
	}
}

// compare reports whether the target has the revisions that the fix's parent has, but for repositories with a placeholder.
func (m *godepsMerge) compare() bool {
	for _, p := range m.packages(m.base, m.ours) {
		base, inBase := m.base[p]
		ours, inOurs := m.ours[p]
		theirs, inTheirs := m.theirs[p]
		if inOurs && m.placed[ours.Rev] != "" || !inOurs && inBase && inTheirs && !recorded(theirs.Rev) {
			continue
		}
		if inBase != inOurs || base != ours {
			return false
		}
	}
	return true
}

// entry carries what the fix changed about a package.
func (m *godepsMerge) entry(p pkg) {
	base, inBase := m.base[p]
	ours, inOurs := m.ours[p]
	theirs, inTheirs := m.theirs[p]
	switch {
	case inBase == inTheirs && base == theirs, inOurs == inTheirs && ours == theirs:
	case inOurs && m.placed[ours.Rev] != "" && (!inTheirs || !recorded(theirs.Rev)):
		if inTheirs {
			m.merged[p] = theirs
		} else {
			delete(m.merged, p)
		}
	case inOurs == inBase && ours == base:
		if !m.alike {
			m.doubt("the fix changes %s, and the target has other packages than the fix's parent: it may need more", p.path)
		}
		if inTheirs {
			m.merged[p] = theirs
		} else {
			delete(m.merged, p)
		}
	case inBase && inTheirs && !inOurs:
		m.note("the target does not use %s: its revision was not carried", p.path)
	case !inTheirs:
		m.refuse("the fix drops %s, which the target has at %s", p.path, ours.Rev)
	default:
		m.refuse("the fix moves %s to %s, the target has %s", p.path, or(theirs.Comment, theirs.Rev), or(ours.Comment, ours.Rev))
	}
}

// rest refuses packages of a repository with a placeholder that only the target uses: nobody said what becomes of them.
func (m *godepsMerge) rest() {
	for _, p := range m.packages(m.merged, nil) {
		if d := m.merged[p]; m.placed[d.Rev] != "" {
			m.refuse("the fix gives a placeholder to the repository of %s, which only the target uses", p.path)
		}
	}
}

// repositories refuses a result in which packages that had one revision in the target, and so are of one repository, have several.
func (m *godepsMerge) repositories() {
	became := map[string]string{}
	for _, p := range m.packages(m.ours, nil) {
		d, kept := m.merged[p]
		if !kept || !recorded(m.ours[p].Rev) {
			continue
		}
		if was, seen := became[m.ours[p].Rev]; seen && was != d.Rev {
			m.refuse("%s would have another revision than the rest of its repository", p.path)
		}
		became[m.ours[p].Rev] = d.Rev
	}
}

// list is the target's list with the changes. New packages are put in their alphabetic place.
func (m *godepsMerge) list(ours *godeps) []godep {
	out, seen := make([]godep, 0, len(m.merged)), map[string]int{}
	for _, d := range ours.Deps {
		p := pkg{d.ImportPath, seen[d.ImportPath]}
		seen[d.ImportPath]++
		if merged, ok := m.merged[p]; ok {
			out = append(out, merged)
		}
	}
	for _, p := range m.packages(m.merged, nil) {
		if _, old := m.ours[p]; old {
			continue
		}
		at := slices.IndexFunc(out, func(d godep) bool { return d.ImportPath > p.path })
		if at < 0 {
			at = len(out)
		}
		out = slices.Insert(out, at, m.merged[p])
	}
	return out
}
