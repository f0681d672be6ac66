package triage

import (
	"fmt"
	"slices"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Disagreement is one minor on which a feed's record and git disagree.
type Disagreement struct {
	Vulnerability string        `json:"vulnerability"`
	Record        string        `json:"record"` // the feed's name for it
	Minor         release.Minor `json:"minor"`
	Versions      string        `json:"versions"` // the releases on which they disagree: one, or the first and the last
	Feed          string        `json:"feed"`     // affected or not affected, as the record has it
	Git           string        `json:"git"`      // likewise, as git has it, with the first release that has the fix
	Evidence      []Evidence    `json:"evidence"`
}

// Judged is a verdict on the release branch of a minor.
type Judged struct {
	Verdict

	Minor release.Minor
}

const (
	isAffected  = "affected"
	notAffected = "not affected"
)

// truth is what git says of a release: whether it has the flaw, and whether that can be said.
func (v *Judged) truth(at release.Version) (affected, known bool) {
	switch v.Status {
	case Fixed:
		first, ok := release.OfTag(v.FixedIn)
		return ok && release.Compare(at, first) < 0, ok && first.Minor == v.Minor
	case NotAffected:
		return false, true
	case Affected:
		return true, true
	case UnderInvestigation:
	}
	return false, false
}

// linesSeen reports whether the lines that the fix changes were seen on the branch, or the fix itself, in part or taken back.
func (v *Judged) linesSeen() bool {
	return v.has(KindBefore) || v.has(KindReverted) || v.has(KindPartial)
}

func (v *Judged) has(kind string) bool {
	return slices.ContainsFunc(v.Evidence, func(e Evidence) bool { return e.Kind == kind })
}

// feedSays is what a record says of a release, by all packages of Kubernetes that it names; known is false when it names none, or its ranges cannot be read.
func feedSays(r *vuln.Record, at release.Version) (affected, known bool) {
	for _, pkg := range r.Packages() {
		if !vuln.KubernetesPackage(pkg) {
			continue
		}
		for _, v := range []release.Version{at, moduleVersion(at)} {
			in, err := r.Affects(pkg, v)
			if err != nil {
				return false, false
			}
			if v.Minor.Major == 0 && !countsFromZero(r, pkg) {
				continue
			}
			affected, known = affected || in, true
		}
	}
	return affected, known
}

func moduleVersion(v release.Version) release.Version {
	v.Minor.Major = 0
	return v
}

// countsFromZero reports whether a package's bounds are versions of a Go module, 0.24.5.
func countsFromZero(r *vuln.Record, pkg string) bool {
	for _, a := range r.Affected {
		for _, rg := range a.Ranges {
			for _, e := range rg.Events {
				for _, text := range []string{e.Introduced, e.Fixed, e.LastAffected} {
					if v, err := release.Parse(text); a.Package.Name == pkg && text != "0" && err == nil && v.Minor.Major == 0 {
						return true
					}
				}
			}
		}
	}
	return false
}

// Compare finds the minors on which a feed's record and git disagree. Releases are those that were made, by minor. That a branch is affected counts only where the
// lines were seen; of a minor that the record leaves out they prove nothing, for the flaw may have other causes: that is told, and not corrected.
func Compare(r *vuln.Record, judged []Judged, releases map[release.Minor][]release.Version) []Disagreement {
	var all []Disagreement
	for i := range judged {
		v := &judged[i]
		runs, cured := v.differing(r, releases[v.Minor])
		for _, feed := range []bool{false, true} {
			versions := runs[feed]
			if len(versions) == 0 || v.Status == Affected && !v.linesSeen() && (cured || !v.has(KindDrifted)) {
				continue
			}
			d := v.disagreement(r.ID, feed, versions)
			if v.Status == Affected && !cured {
				d.Git = "may be affected (what the fix changes is there, and the record leaves the minor out)"
			}
			all = append(all, d)
		}
	}
	return all
}

// differing are the releases of which record and git say different things, by what the record says; cured is whether the record calls any of them affected.
func (v *Judged) differing(r *vuln.Record, releases []release.Version) (runs map[bool][]release.Version, cured bool) {
	runs = map[bool][]release.Version{}
	for _, at := range releases {
		feed, known := feedSays(r, at)
		if !known {
			return nil, false
		}
		cured = cured || feed
		if git, sure := v.truth(at); sure && git != feed {
			runs[feed] = append(runs[feed], at)
		}
	}
	return runs, cured
}

func (v *Judged) disagreement(record string, feed bool, versions []release.Version) Disagreement { //nolint:revive // flag-parameter: it is data
	d := Disagreement{Vulnerability: v.Vulnerability, Record: record, Minor: v.Minor, Versions: versions[0].String(), Feed: notAffected, Git: isAffected, Evidence: v.Evidence}
	if len(versions) > 1 {
		d.Versions += " to " + versions[len(versions)-1].String()
	}
	if feed {
		d.Feed, d.Git = isAffected, notAffected
	}
	switch v.Status {
	case Fixed:
		d.Git += fmt.Sprintf(" (fixed in %s by %s)", v.FixedIn, v.Commit.Short())
	case Affected:
		d.Git += " (no release of the branch has the fix)"
	case NotAffected:
		d.Git += " (the code was never there)"
	case UnderInvestigation:
	}
	return d
}

// Correct returns a copy of a feed's record whose ranges for Kubernetes are what git says where git can say it, and the record's own elsewhere. ok is false when
// the record's own ranges cannot be read: then nothing can be kept of them.
func Correct(r *vuln.Record, judged []Judged, minors []release.Minor, releases map[release.Minor][]release.Version) (corrected vuln.Record, ok bool) {
	byMinor := map[release.Minor]*Judged{}
	for i := range judged {
		byMinor[judged[i].Minor] = &judged[i]
	}
	var all []release.Version
	for _, m := range minors {
		all = append(all, releases[m]...)
	}
	affected := make([]bool, len(all))
	for i, at := range all {
		feed, known := feedSays(r, at)
		if !known {
			return vuln.Record{}, false
		}
		affected[i] = feed
		if v := byMinor[at.Minor]; v != nil {
			if git, sure := v.truth(at); sure && (v.Status != Affected || v.linesSeen() && anyOf(r, releases[at.Minor])) {
				affected[i] = git
			}
		}
	}
	corrected = *r
	corrected.Affected = slices.DeleteFunc(slices.Clone(r.Affected), func(a vuln.Affected) bool { return vuln.KubernetesPackage(a.Package.Name) })
	if events := eventsOf(all, affected); len(events) > 0 {
		corrected.Affected = slices.Insert(corrected.Affected, 0, vuln.Affected{
			Package: vuln.Package{Ecosystem: "Kubernetes", Name: "k8s.io/kubernetes"},
			Ranges:  []vuln.Range{{Type: vuln.RangeSemver, Events: events}},
		})
	}
	return corrected, true
}

func anyOf(r *vuln.Record, versions []release.Version) bool {
	return slices.ContainsFunc(versions, func(v release.Version) bool {
		in, known := feedSays(r, v)
		return in && known
	})
}

// eventsOf writes the events of the releases that are affected, given in order: a run of them ends with the release that follows in the same minor, or with its last one.
func eventsOf(all []release.Version, affected []bool) []vuln.Event {
	text := func(v release.Version) string { return v.String()[1:] }
	var events []vuln.Event
	for i := range all {
		starts := affected[i] && (i == 0 || !affected[i-1])
		ends := affected[i] && (i+1 == len(all) || !affected[i+1])
		if starts && i == 0 {
			events = append(events, vuln.Event{Introduced: "0"})
		} else if starts {
			events = append(events, vuln.Event{Introduced: text(all[i])})
		}
		switch {
		case !ends:
		case i+1 < len(all) && all[i+1].Minor == all[i].Minor:
			events = append(events, vuln.Event{Fixed: text(all[i+1])})
		case i+1 < len(all):
			events = append(events, vuln.Event{LastAffected: text(all[i])})
		}
	}
	return events
}
