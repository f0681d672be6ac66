package foreign

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Release returns the entry of that name, or nil. Of several the first.
func (k *KLTS) Release(name string) *Release {
	for i := range k.Releases {
		if k.Releases[i].Value == name {
			return &k.Releases[i]
		}
	}
	return nil
}

// Define returns all definitions of a name: KLTS applies each of them.
func (k *KLTS) Define(name string) []*Definition {
	var found []*Definition
	for i := range k.Patches {
		if k.Patches[i].Value == name {
			found = append(found, &k.Patches[i])
		}
	}
	return found
}

// Chain returns the entries that a release is made of, the one on the upstream tag first, and that tag.
func (k *KLTS) Chain(name string) (entries []*Release, tag string, err error) {
	seen := map[string]bool{}
	at := name
	for {
		entry := k.Release(at)
		if entry == nil {
			break
		}
		if seen[at] {
			return nil, "", errs.New(errs.Invalid, "%s:%d: the bases of %q go in a circle", k.File, entry.Row, name)
		}
		seen[at] = true
		entries = append(entries, entry)
		at = entry.Base
	}
	if len(entries) == 0 {
		return nil, "", errs.New(errs.NotFound, "%s: has no release %q", k.File, name)
	}
	if !IsTag(at) {
		last := entries[len(entries)-1]
		return nil, "", errs.New(errs.Invalid, "%s:%d: base %q of %q is neither an entry nor an upstream tag", k.File, last.Row, at, last.Value)
	}
	slices.Reverse(entries)
	return entries, at, nil
}

// Leaves returns the entries that are the base of no other: what the project releases. Order is the file's.
func (k *KLTS) Leaves() []*Release {
	bases := map[string]bool{}
	for _, r := range k.Releases {
		bases[r.Base] = true
	}
	var leaves []*Release
	for i := range k.Releases {
		if !bases[k.Releases[i].Value] {
			leaves = append(leaves, &k.Releases[i])
		}
	}
	return leaves
}

// Circles returns the entries that stand on each other and have nobody above them, so that they are neither leaves nor below one.
func (k *KLTS) Circles() []*Release {
	below := map[string]bool{}
	for _, leaf := range k.Leaves() {
		for entry := leaf; entry != nil && !below[entry.Value]; entry = k.Release(entry.Base) {
			below[entry.Value] = true
		}
	}
	var found []*Release
	for i := range k.Releases {
		if !below[k.Releases[i].Value] {
			found = append(found, &k.Releases[i])
		}
	}
	return found
}

// Skipped is a release that did not become a line.
type Skipped struct {
	Name   string `json:"name"`
	Row    int    `json:"row,omitempty"`
	Reason string `json:"reason"`
}

// Lines flattens the chains: one line for each minor, the newest release on its newest upstream tag. What is older or broken is skipped, and said.
func (k *KLTS) Lines() ([]Line, []Skipped) {
	var (
		skipped []Skipped
		best    = map[release.Minor]Line{}
	)
	for _, leaf := range k.Leaves() {
		line, minor, err := k.line(leaf)
		if err != nil {
			skipped = append(skipped, Skipped{leaf.Value, leaf.Row, err.Error()})
			continue
		}
		other, there := best[minor]
		switch {
		case !there:
			best[minor] = line
		case newer(line, other):
			skipped = append(skipped, Skipped{other.Name, k.Release(other.Name).Row, line.Name + " is newer"})
			best[minor] = line
		default:
			skipped = append(skipped, Skipped{leaf.Value, leaf.Row, other.Name + " is newer"})
		}
	}
	for _, entry := range k.Circles() {
		skipped = append(skipped, Skipped{entry.Value, entry.Row, "its bases go in a circle"})
	}
	var lines []Line
	for _, line := range best {
		lines = append(lines, line)
	}
	sortLines(lines)
	return lines, skipped
}

func sortLines(lines []Line) {
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Or(compareTags(a.Tag, b.Tag), strings.Compare(a.Name, b.Name)) })
}

func (k *KLTS) line(leaf *Release) (Line, release.Minor, error) {
	chain, tag, err := k.Chain(leaf.Value)
	if err != nil {
		return Line{}, release.Minor{}, err
	}
	version, err := release.Parse(tag)
	if err != nil {
		return Line{}, release.Minor{}, err
	}
	line := Line{Name: leaf.Value, Tag: tag, File: k.File}
	for _, entry := range chain {
		for _, name := range entry.Patches {
			line.Steps = append(line.Steps, k.steps(name)...)
		}
		for _, t := range entry.Tolerated {
			line.Tolerated = append(line.Tolerated, Tolerated{t.Value, t.Row, entry.Value, false})
		}
		for _, t := range entry.Integration {
			line.Tolerated = append(line.Tolerated, Tolerated{t.Value, t.Row, entry.Value, true})
		}
	}
	if len(line.Steps) > maxSteps {
		return Line{}, release.Minor{}, errs.New(errs.Invalid, "%s: %q has more than %d patches", k.File, leaf.Value, maxSteps)
	}
	return line, version.Minor, nil
}

// steps is what a name stands for.
func (k *KLTS) steps(name Text) []Step {
	found := k.Define(name.Value)
	if len(found) == 0 {
		return []Step{{Name: name.Value, Row: name.Row, Gap: k.File + " defines no patch of this name"}}
	}
	var steps []Step
	for _, d := range found {
		step := Step{Name: name.Value, Row: name.Row, Items: d.Items}
		if len(d.Items) == 0 {
			step.Gap = "its definition in row " + strconv.Itoa(d.Row) + " names no file and no URL"
		}
		steps = append(steps, step)
	}
	return steps
}

var lastNumber = regexp.MustCompile(`[0-9]{1,9}$`)

// newer compares two releases of one minor: by upstream's tag, then by the number at the end of their names.
func newer(a, b Line) bool {
	if c := compareTags(a.Tag, b.Tag); c != 0 {
		return c > 0
	}
	x, _ := strconv.Atoi(lastNumber.FindString(a.Name))
	y, _ := strconv.Atoi(lastNumber.FindString(b.Name))
	return x > y
}

func compareTags(a, b string) int {
	x, errX := release.Parse(a)
	y, errY := release.Parse(b)
	if errX != nil || errY != nil {
		return strings.Compare(a, b)
	}
	return release.Compare(x, y)
}
