package vuln

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Affects reports whether the record says that a version of a package has the flaw. Of ranges, SEMVER is judged by upstream's
// number alone, so that a vendor's suffix changes nothing; ECOSYSTEM is judged by the whole version. A version that is named in
// the explicit list has the flaw whatever the ranges say. GIT ranges say nothing about versions.
//
// A range whose events are not versions in our order is an [errs.Invalid] error: then it is not known whether the version is
// affected, which is not the same as no.
func (r *Record) Affects(pkg string, v release.Version) (bool, error) {
	var fault error
	for _, a := range r.Affected {
		if a.Package.Name != pkg {
			continue
		}
		if slices.ContainsFunc(a.Versions, func(s string) bool { return strings.TrimPrefix(s, "v") == strings.TrimPrefix(v.String(), "v") }) {
			return true, nil
		}
		for _, rg := range a.Ranges {
			if rg.Type == RangeGit {
				continue
			}
			in, err := rg.Contains(v)
			if err != nil {
				fault = fmt.Errorf("%s: %w", r.ID, err)
			}
			if in {
				return true, nil
			}
		}
	}
	return false, fault
}

// Packages returns the names of the affected packages, each once, in the record's order.
func (r *Record) Packages() []string {
	var names []string
	for _, a := range r.Affected {
		if !slices.Contains(names, a.Package.Name) {
			names = append(names, a.Package.Name)
		}
	}
	return names
}

// The kinds of events, in the order in which events at the same version take effect: a version that is named as introduced and
// as fixed is fixed.
const (
	introduced = iota
	fixed
	lastAffected
)

type point struct {
	at   release.Version // the zero Version is before everything
	kind int
}

// Contains reports whether a version lies in a SEMVER or ECOSYSTEM range, by the algorithm of the OSV specification.
func (rg Range) Contains(v release.Version) (bool, error) {
	compare := release.Compare
	if rg.Type == RangeSemver {
		compare = release.CompareUpstream
	}
	points, limits, err := rg.points()
	if err != nil {
		return false, err
	}
	if len(limits) > 0 && !slices.ContainsFunc(limits, func(l release.Version) bool { return l.IsZero() || compare(v, l) < 0 }) {
		return false, nil
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Or(compareFrom(a.at, b.at, compare), cmp.Compare(a.kind, b.kind)) })
	affected := false
	for _, p := range points {
		order := compareFrom(v, p.at, compare)
		switch {
		case p.kind == introduced && order >= 0:
			affected = true
		case p.kind == fixed && order >= 0, p.kind == lastAffected && order > 0:
			affected = false
		}
	}
	return affected, nil
}

// compareFrom orders versions with the zero Version first.
func compareFrom(a, b release.Version, compare func(a, b release.Version) int) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return -1
	case b.IsZero():
		return 1
	}
	return compare(a, b)
}

// points parses the events; a limit without bound is the zero Version.
func (rg Range) points() (points []point, limits []release.Version, err error) {
	for _, e := range rg.Events {
		text := cmp.Or(e.Introduced, e.Fixed, e.LastAffected, e.Limit)
		var at release.Version
		if text != "0" && text != "*" {
			if at, err = release.Parse(text); err != nil {
				return nil, nil, errs.New(errs.Invalid, "range event: %w", err)
			}
			if !at.HasPatch() {
				at.Patch = 0
			}
		}
		switch {
		case e.Limit != "":
			limits = append(limits, at)
		case e.Introduced != "":
			points = append(points, point{at, introduced})
		case e.Fixed != "":
			points = append(points, point{at, fixed})
		default:
			points = append(points, point{at, lastAffected})
		}
	}
	return points, limits, nil
}

// RangeOf writes a range for the releases that are affected. All are the releases that were made, in order; a run of affected ones ends with the release that follows, also where that is
// the first of the next minor: what may still be released of the minor before has no fix. A run that begins with the first release of all begins at 0. Without any it has no events.
func RangeOf(all []release.Version, affected []bool) Range {
	text := func(v release.Version) string { return strings.TrimPrefix(v.String(), "v") }
	out := Range{Type: RangeSemver}
	for i := range all {
		before := i > 0 && affected[i-1]
		switch {
		case affected[i] && i == 0:
			out.Events = append(out.Events, Event{Introduced: "0"})
		case affected[i] && !before:
			out.Events = append(out.Events, Event{Introduced: text(all[i])})
		case before && !affected[i]:
			out.Events = append(out.Events, Event{Fixed: text(all[i])})
		}
	}
	return out
}
