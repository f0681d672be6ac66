package triage

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
)

// tag is a release tag: kubernetes-1.28.15 in a staging repository, v1.28.15 elsewhere.
type tag struct {
	name    string
	version release.Version
	oid     git.OID // its commit
}

// releaseTags returns the tags of upstream's releases and pre-releases, lowest version first.
func releaseTags(refs []git.Ref) []tag {
	var tags []tag
	staging := false
	for _, ref := range refs {
		name, ok := strings.CutPrefix(ref.Name, "refs/tags/")
		if !ok || ref.Commit.IsZero() {
			continue
		}
		v, ok := release.OfTag(name)
		if !ok || v.Suffix != "" || v.Commit != "" {
			continue
		}
		staging = staging || strings.HasPrefix(name, "kubernetes-")
		tags = append(tags, tag{name, v, ref.Commit})
	}
	if staging {
		// Beside them stand the tags of the Go module, v0.28.15.
		tags = slices.DeleteFunc(tags, func(t tag) bool { return !strings.HasPrefix(t.name, "kubernetes-") })
	}
	slices.SortFunc(tags, func(a, b tag) int { return release.Compare(a.version, b.version) })
	return tags
}

func compareOIDs(a, b git.OID) int { return bytes.Compare(a[:], b[:]) }

// minorOf is the minor that a target is for: by the name of a release branch or of a tag.
func (j *judge) minorOf(target string) (release.Minor, bool) {
	if m, ok := release.MinorOfBranch(j.repository, target); ok {
		return m, true
	}
	if v, ok := release.OfTag(target); ok {
		return v.Minor, true
	}
	return release.Minor{}, false
}

// fixedIn is the first release from which on the fixes are there. Of a release branch, those of its minor count; of any other target all releases
// that have the very commits which the target has. A pre-release is named only when no release has the fix.
func (j *judge) fixedIn(target string, s *subject, on []int32) string {
	minor, ok := j.minorOf(target)
	if !ok {
		return j.firstWith(target, s, on)
	}
	first, pre := "", ""
	for _, t := range slices.Backward(j.tags) {
		if t.version.Minor != minor {
			continue
		}
		here := j.fixedAt(s, target, j.x.reach(j.x.at[t.oid]))
		switch {
		case !here && t.version.IsRelease():
			return firstOf(first, pre)
		case !here:
			// A pre-release without it does not matter to the releases behind it.
			if first != "" || pre != "" {
				return firstOf(first, pre)
			}
		case t.version.IsRelease():
			first = t.name
		default:
			pre = t.name
		}
	}
	return firstOf(first, pre)
}

func firstOf(release, pre string) string {
	if release != "" {
		return release
	}
	return pre
}

func (j *judge) firstWith(target string, s *subject, on []int32) string {
	pre := ""
	for _, t := range j.tags {
		root := j.x.reach(j.x.at[t.oid])
		if slices.ContainsFunc(on, func(i int32) bool { return !root.has(i) }) {
			continue
		}
		here := j.fixedAt(s, target, root)
		switch {
		case here && t.version.IsRelease():
			return t.name
		case here && pre == "":
			pre = t.name
		}
	}
	return pre
}
