package vuln

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"
)

// The kinds of faults that a record shows by itself.
const (
	FaultNoVersion     = "no_version"         // a bound is no version in the range's own spelling
	FaultTwice         = "two_introduced"     // an introduced event follows another one, and what stood between is lost
	FaultEmpty         = "empty_range"        // a range ends where it starts, or before
	FaultOverlap       = "overlapping_ranges" // two ranges of one package have versions in common
	FaultNeverReleased = "never_released"     // a bound is a version that was never released
	FaultNoRange       = "no_range"           // the record names no versions at all
	FaultPackage       = "package_name"       // a package's name is none
	FaultModule        = "module_version"     // a bound counts from 1, and the package is a Go module whose versions count from 0
)

// Fault is something that is wrong with a record, seen by reading it.
type Fault struct {
	Kind    string `json:"kind"` // see the Fault constants
	Package string `json:"package"`
	Note    string `json:"note"` // for people
}

// KubernetesPackage reports whether a package's name is that of Kubernetes or of one of its parts, whose versions are those of Kubernetes or, for Go
// modules, the same with a zero in front.
func KubernetesPackage(name string) bool {
	part, ok := strings.CutPrefix(name, "k8s.io/")
	return name == "kubernetes" || ok && slices.Contains([]string{
		"kubernetes", "apiserver", "apimachinery", "apiextensions-apiserver", "client-go", "cloud-provider", "component-base", "controller-manager", "kube-aggregator",
		"kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm", "kubectl", "kubelet", "legacy-cloud-providers", "mount-utils",
	}, part)
}

// KubernetesVersion is the version of Kubernetes for one of a package: 0.24.5 of a Go module is 1.24.5.
func KubernetesVersion(v release.Version) release.Version {
	if v.Minor.Major == 0 && !v.IsZero() {
		v.Minor.Major = 1
	}
	return v
}

// isModule reports whether a package is a Go module of Kubernetes whose versions never counted from 1: 0.24.5 came with Kubernetes 1.24.5. client-go did once. In
// the ecosystem that OSV calls Kubernetes, and only there, the name stands for the component, as in our own readings of other formats.
func isModule(p Package) bool {
	return p.Ecosystem != "Kubernetes" && KubernetesPackage(p.Name) && slices.Contains([]string{
		"apiserver", "apimachinery", "apiextensions-apiserver", "cloud-provider", "component-base", "controller-manager", "kube-aggregator", "kubectl", "kubelet",
		"legacy-cloud-providers", "mount-utils",
	}, strings.TrimPrefix(p.Name, "k8s.io/"))
}

// interval is a part of a range: from a version on, up to one that is fixed or the last one.
type interval struct {
	from, to release.Version // the zero Version is before everything, or without end
	last     bool            // to is affected itself
	of       int             // the range that it is of
	text     string
}

// Faults reads a record for what is wrong with it. exists says whether a release of Kubernetes was ever made, and whether it can know.
func (r *Record) Faults(exists func(v release.Version) (is, known bool)) []Fault {
	var all []Fault
	ranges := 0
	for _, a := range r.Affected {
		if strings.HasPrefix(a.Package.Name, "/") || strings.HasSuffix(a.Package.Name, "/") || a.Package.Name == "" && len(a.Ranges)+len(a.Versions) > 0 && !onlyGit(a) {
			all = append(all, Fault{FaultPackage, a.Package.Name, fmt.Sprintf("%q names no package", a.Package.Name)})
		}
		ranges += len(a.Ranges) + len(a.Versions)
		var intervals []interval
		for n, rg := range a.Ranges {
			if rg.Type == RangeGit {
				continue
			}
			found, faults := rg.read(a.Package.Name, exists)
			for i := range found {
				found[i].of = n
			}
			intervals = append(intervals, found...)
			all = append(all, faults...)
		}
		all = append(all, overlaps(a.Package.Name, intervals)...)
		if i := slices.IndexFunc(intervals, func(v interval) bool { return v.to.Minor.Major == 1 }); i >= 0 && isModule(a.Package) {
			all = append(all, Fault{FaultModule, a.Package.Name, fmt.Sprintf("%s is a Go module that never had version %s", a.Package.Name, intervals[i].to)})
		}
	}
	if ranges == 0 {
		all = append(all, Fault{Kind: FaultNoRange, Note: "it names no version that is affected"})
	}
	return all
}

func onlyGit(a Affected) bool {
	return len(a.Versions) == 0 && !slices.ContainsFunc(a.Ranges, func(rg Range) bool { return rg.Type != RangeGit })
}

// read reads the events of a range in their order.
func (rg Range) read(pkg string, exists func(release.Version) (bool, bool)) (intervals []interval, faults []Fault) {
	var open *interval
	add := func(kind, format string, args ...any) {
		faults = append(faults, Fault{kind, pkg, fmt.Sprintf(format, args...)})
	}
	for _, e := range rg.Events {
		text := cmp.Or(e.Introduced, e.Fixed, e.LastAffected, e.Limit)
		at, why := rg.bound(text)
		if why != "" {
			add(FaultNoVersion, "%s", why)
		}
		if is, known := exists(KubernetesVersion(at)); KubernetesPackage(pkg) && at.IsRelease() && known && !is {
			add(FaultNeverReleased, "%s was never released", text)
		}
		switch {
		case e.Limit != "":
		case e.Introduced != "":
			if open != nil {
				add(FaultTwice, "introduced %s, then introduced %s: how far the first one goes is lost", open.text, text)
				intervals = append(intervals, *open)
			}
			open = &interval{from: at, text: text}
		case open != nil:
			open.to, open.last = at, e.LastAffected != ""
			open.text += " to " + text
			order := compareFrom(open.from, at, release.CompareUpstream)
			if why == "" && !at.IsZero() && (order > 0 || order == 0 && !open.last) {
				add(FaultEmpty, "from %s: nothing lies between", open.text)
			} else {
				intervals = append(intervals, *open)
			}
			open = nil
		}
	}
	if open != nil {
		intervals = append(intervals, *open)
	}
	return intervals, faults
}

// bound reads the version of an event, and says what is wrong with it.
func (rg Range) bound(text string) (at release.Version, why string) {
	if text == "0" || text == "*" {
		return at, ""
	}
	at, err := release.Parse(text)
	switch {
	case err != nil:
		return release.Version{}, fmt.Sprintf("%q is no version", text)
	case rg.Type == RangeSemver && (strings.HasPrefix(text, "v") || !at.HasPatch()):
		why = fmt.Sprintf("%q is no semantic version", text)
	}
	if !at.HasPatch() {
		at.Patch = 0
	}
	return at, why
}

// overlaps finds the intervals of one package that have versions in common with an earlier one. That one range lies within another is no fault: people write "before 1.7.14, and all of 1.3".
func overlaps(pkg string, intervals []interval) []Fault {
	var faults []Fault
	slices.SortStableFunc(intervals, func(a, b interval) int { return compareFrom(a.from, b.from, release.CompareUpstream) })
	for i := 1; i < len(intervals); i++ {
		a, b := intervals[i-1], intervals[i]
		order := compareFrom(b.from, a.to, release.CompareUpstream)
		if a.to.IsZero() && strings.Contains(a.text, " to ") {
			continue // its end could not be read
		}
		if a.of != b.of && !b.to.IsZero() && (a.to.IsZero() || release.CompareUpstream(b.to, a.to) <= 0) {
			continue
		}
		if a.to.IsZero() || order < 0 || order == 0 && a.last {
			faults = append(faults, Fault{FaultOverlap, pkg, fmt.Sprintf("%s and %s have versions in common", a.text, b.text)})
		}
	}
	return faults
}
