package triage

import (
	"fmt"
	"maps"
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
	Repository    string        `json:"repository"`
	Evidence      []Evidence    `json:"evidence"`
}

// Judged is a verdict on the release branch of a minor, in one repository.
type Judged struct {
	Verdict

	Minor      release.Minor
	Repository string // owner/name
	// Review is what the reviewed facts say of the minor's releases: all or some affected, none, or nothing. It decides where git alone cannot: whether a record
	// that leaves a minor out is wrong, when the code that the fix changes stands there.
	Review Review
}

// Review is what people found out about a minor.
type Review string

// What the reviewed facts say.
const (
	ReviewNone     Review = ""
	ReviewAffected Review = "affected"
	ReviewClear    Review = "clear"
)

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

// sides are the verdicts on one minor, of all repositories in which the vulnerability is cured. Kubernetes is made of all of them.
type sides []*Judged

// byMinor sorts verdicts.
func byMinor(judged []Judged) map[release.Minor]sides {
	minors := map[release.Minor]sides{}
	for i := range judged {
		minors[judged[i].Minor] = append(minors[judged[i].Minor], &judged[i])
	}
	return minors
}

// truth is what git says of a release, with the verdict that decides: one repository that is affected suffices, and all must be cured or never have had the flaw for it to be
// gone. An affected branch on which no lines were seen decides only where no other says so with better reason.
func (s sides) truth(at release.Version) (affected bool, by *Judged) {
	var cured, weak *Judged
	unsure := false
	for _, v := range s {
		switch in, known := v.truth(at); {
		case !known:
			unsure = true
		case in && (v.Status != Affected || v.linesSeen()):
			return true, v
		case in:
			weak = v
		case cured == nil || v.Status == Fixed && cured.Status != Fixed:
			cured = v
		}
	}
	switch {
	case weak != nil:
		return true, weak
	case unsure:
		return false, nil
	}
	return false, cured
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

// Compare finds the minors on which a feed's record and git disagree, in order. Releases are those that were made, by minor. That a branch is affected counts only where the
// lines were seen; of a minor that the record leaves out they prove nothing, for the flaw may have other causes: that is told, and corrected only where the reviewed facts say the same.
func Compare(r *vuln.Record, judged []Judged, releases map[release.Minor][]release.Version) []Disagreement {
	minors := byMinor(judged)
	var all []Disagreement
	for _, m := range slices.SortedFunc(maps.Keys(minors), release.CompareMinors) {
		runs, cured := minors[m].differing(r, releases[m])
		for _, run := range runs {
			if run.by.Status == Affected && !run.by.linesSeen() && (cured || !run.by.has(KindDrifted)) {
				continue
			}
			d := run.disagreement(r.ID)
			if run.by.Status == Affected && !cured {
				switch run.by.Review {
				case ReviewClear:
					continue // nothing speaks against the record but code that may be harmless
				case ReviewAffected:
					d.Git = "affected (what the fix changes is there, and the reviewed facts say so)"
				case ReviewNone:
					d.Git = "may be affected (what the fix changes is there)"
				}
			}
			all = append(all, d)
		}
	}
	return all
}

// run are releases of one minor on which record and git differ in the same way.
type run struct {
	by       *Judged // the verdict that decides for git
	feed     bool    // what the record says: affected
	versions []release.Version
}

// differing are the releases of which record and git say different things; cured is whether the record calls any of them affected.
func (s sides) differing(r *vuln.Record, releases []release.Version) (runs []*run, cured bool) {
	for _, at := range releases {
		feed, known := feedSays(r, at)
		if !known {
			return nil, false
		}
		cured = cured || feed
		git, by := s.truth(at)
		if by == nil || git == feed {
			continue
		}
		i := slices.IndexFunc(runs, func(x *run) bool { return x.by == by && x.feed == feed })
		if i < 0 {
			i = len(runs)
			runs = append(runs, &run{by: by, feed: feed})
		}
		runs[i].versions = append(runs[i].versions, at)
	}
	return runs, cured
}

func (x *run) disagreement(record string) Disagreement {
	v := x.by
	d := Disagreement{
		Vulnerability: v.Vulnerability, Record: record, Minor: v.Minor, Versions: x.versions[0].String(), Feed: notAffected, Git: isAffected,
		Repository: v.Repository, Evidence: v.Evidence,
	}
	if n := len(x.versions); n > 1 {
		d.Versions += " to " + x.versions[n-1].String()
	}
	if x.feed {
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

// Correct returns a copy of a feed's record whose ranges for Kubernetes are what git says where git can say it, and the record's own elsewhere; under
// [vuln.Extension.JudgedByGit] stand the minors of which git says all, and the fixed releases under VerifiedFixed. ok is false when the record's own ranges cannot be
// read: then nothing can be kept of them.
func Correct(r *vuln.Record, judged []Judged, minors []release.Minor, releases map[release.Minor][]release.Version) (corrected vuln.Record, ok bool) {
	verdicts := byMinor(judged)
	var all []release.Version
	var affected []bool
	corrected = *r
	corrected.Kubelts.VerifiedFixed, corrected.Kubelts.JudgedByGit = maps.Clone(r.Kubelts.VerifiedFixed), nil
	for _, m := range minors {
		left := !anyOf(r, releases[m])
		whole := len(releases[m]) > 0
		for _, at := range releases[m] {
			in, known := feedSays(r, at)
			if !known {
				return vuln.Record{}, false
			}
			git, by := verdicts[m].truth(at)
			if by == nil || by.Status == Affected && !by.certain(left) {
				whole = false
			} else {
				in = git
			}
			all, affected = append(all, at), append(affected, in)
		}
		if whole {
			note(&corrected.Kubelts, m, verdicts[m])
		}
	}
	corrected.Affected = slices.DeleteFunc(slices.Clone(r.Affected), func(a vuln.Affected) bool { return vuln.KubernetesPackage(a.Package.Name) })
	if rg := vuln.RangeOf(all, affected); len(rg.Events) > 0 {
		corrected.Affected = slices.Insert(corrected.Affected, 0, vuln.Affected{
			Package: vuln.Package{Ecosystem: "Kubernetes", Name: "k8s.io/kubernetes"}, Ranges: []vuln.Range{rg},
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

// certain reports whether an affected branch is sure enough to correct a record by, one that leaves the minor out or not.
func (v *Judged) certain(left bool) bool { //nolint:revive // flag-parameter: it is data
	if left {
		return v.Review == ReviewAffected && (v.linesSeen() || v.has(KindDrifted))
	}
	return v.linesSeen()
}

// note writes down that git says all of a minor, and which release has the fix: of several repositories, the last of their releases.
func note(x *vuln.Extension, m release.Minor, verdicts sides) {
	x.JudgedByGit = append(x.JudgedByGit, m.String())
	var last release.Version
	for _, v := range verdicts {
		if first, ok := release.OfTag(v.FixedIn); ok && v.Status == Fixed && (last.IsZero() || release.Compare(first, last) > 0) {
			last = first
		}
	}
	if last.IsZero() {
		return
	}
	if x.VerifiedFixed == nil {
		x.VerifiedFixed = map[string]string{}
	}
	x.VerifiedFixed[m.String()] = last.String()[1:]
}
