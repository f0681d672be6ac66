package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"

	"github.com/kubelts/kubelts/internal/cluster"
)

// assessed is what the facts say of a version, once for all places that have it.
type assessed struct {
	version release.Version
	list    []catalog.Assessment
	unsure  string // why the list may be too long: the release is not known, or its builder's work is not
	vendor  string
	known   bool
}

// componentNames are how records name what is in a component, beside its own name.
func componentNames(component string) []string {
	everywhere := []string{component, "all components (gogo/protobuf)"}
	switch component {
	case nameServer:
		return append(everywhere, "all HTTP/2 servers", "all Go HTTP servers", "apiextensions-apiserver", "kube-aggregator", "openshift build / kubernetes API")
	case nameKubelet:
		return append(everywhere, "all HTTP/2 servers", "all Go HTTP servers", "mount-utils", "CNI plugins (packaged with kubelet)", "CNI portmap plugin")
	}
	return everywhere
}

// elsewhere are what records name that no component of a cluster's snapshot is: programs of people and libraries.
func elsewhere() []string {
	return []string{"kubectl", "client-go", "kube-dns (dnsmasq)", "aggregated API servers"}
}

// concerns reports whether a record is about a component. What it names that nobody here knows is taken to be in kube-apiserver, so that
// it is not lost.
func concerns(r *vuln.Record, component string) bool {
	names := r.Kubelts.Components
	if slices.ContainsFunc(names, func(n string) bool { return slices.Contains(componentNames(component), n) }) {
		return true
	}
	if component != nameServer {
		return false
	}
	known := elsewhere()
	for _, c := range []string{nameServer, nameKubelet, nameProxy, nameController, nameScheduler} {
		known = append(known, componentNames(c)...)
	}
	return !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(known, n) })
}

// assess asks the facts about a version, once.
func (j *judge) assess(text string) (*assessed, error) {
	if a := j.versions[text]; a != nil {
		return a, nil
	}
	a := &assessed{}
	j.versions[text] = a
	v, ok := cluster.ParseVersion(text)
	if !ok {
		return a, nil
	}
	a.version, a.vendor = v, j.vendorOf(v)
	base := v
	if l := j.line(v); l != nil {
		if known, ok := cluster.ParseVersion(l.Base); ok {
			base = known // its own number does not tell which of upstream's cures it has
		}
	}
	list, err := j.facts.Assess(base, catalog.Filter{})
	if errs.Is(err, errs.NotFound) {
		list, err = j.facts.Assess(release.Version{Minor: v.Minor, Patch: release.NoPatch}, catalog.Filter{})
		a.unsure = fmt.Sprintf("the facts of %s do not know %s: these are what any release of %s has", j.facts.Snapshot(), v, v.Minor)
	}
	if errs.Is(err, errs.NotFound) {
		return a, nil
	}
	a.list, a.known = list, true
	if a.unsure == "" {
		a.unsure = j.builtBy(v, a.vendor)
	}
	return a, err
}

// builtBy says why upstream's ranges do not decide about a build, "" where they do.
func (j *judge) builtBy(v release.Version, vendor string) string {
	switch {
	case j.line(v) != nil:
		if _, based := cluster.ParseVersion(j.line(v).Base); based || !v.OwnNumbering() {
			return ""
		}
		return "which release it is built on is not known, and so not which of upstream's cures it has"
	case vendor == release.VendorKLTS && j.kltsNewest(v):
		if j.kltsImage() {
			return ""
		}
		return "by its name it is KLTS' newest release of " + v.Minor.String() + ", but lines of others are named so too, and no image of KLTS is seen"
	case vendor != "":
		return "a build of " + vendorName(vendor) + ", which may have cured it on its own: its bulletins say"
	case v.Commit != "" || v.Suffix != "":
		return "a build of its own between releases: what is in it only its maker knows"
	case v.OwnNumbering() || !v.HasPatch():
		return "the version does not tell which release it is built on"
	}
	return ""
}

// line is the line release that a version is, nil where none is known.
func (j *judge) line(v release.Version) *LineRelease {
	for i, l := range j.o.Lines {
		if w, ok := cluster.ParseVersion(l.Version); ok && w == v {
			return &j.o.Lines[i]
		}
	}
	return nil
}

// kltsRelease is the newest release of KLTS for a minor, by the facts.
func (j *judge) kltsRelease(m release.Minor) (release.Version, bool) {
	var newest release.Version
	for _, p := range j.facts.Products() {
		if !slices.Contains(p.Spellings, release.VendorKLTS) {
			continue
		}
		for _, w := range p.Windows {
			if v, ok := cluster.ParseVersion(w.Release); ok && w.Minor == m && (newest.IsZero() || release.Compare(v, newest) > 0) {
				newest = v
			}
		}
	}
	return newest, !newest.IsZero()
}

// kltsNewest reports whether a version is KLTS' newest of its minor: only of that one it is known that it has all of its patches.
func (j *judge) kltsNewest(v release.Version) bool {
	newest, ok := j.kltsRelease(v.Minor)
	return ok && v == newest
}

// kltsImage reports whether an image of KLTS is seen: the spelling of its versions is not its alone.
func (j *judge) kltsImage() bool {
	of := func(image string) bool { return strings.Contains(image, "klts-io/") }
	return slices.ContainsFunc(j.s.APIServers, func(a cluster.APIServer) bool { return of(a.Image) }) ||
		slices.ContainsFunc(j.s.Components, func(c cluster.Component) bool { return of(c.Image) })
}

// backported returns the minors that a vendor says it cured a vulnerability in.
func backported(r *vuln.Record, vendor string) []string {
	names := map[string]string{release.VendorKLTS: "KLTS", release.VendorEKSDistro: "EKS-D", release.VendorEKS: "EKS-D", release.VendorAKS: "AKS LTS"}
	return r.Kubelts.VendorBackports[names[vendor]]
}

// hole judges one vulnerability at one place.
func (j *judge) hole(a *assessed, as catalog.Assessment, p place, rules []catalog.Applicability) Hole {
	r := as.Record
	h := Hole{ID: r.ID, Component: p.component, Version: a.version.String(), Outlook: as.Outlook, Summary: r.Summary, Status: Affected}
	h.Subjects, h.Count = bounded(p.subjects)
	if !as.FixedIn.IsZero() {
		h.FixedIn = as.FixedIn.String()
	}
	if score, ok := r.Score(); ok {
		h.Score, h.Rating = score, vuln.Rating(score)
	}
	h.Line = j.curedBy(r, a.version, a.vendor)
	minor := a.version.Minor.String()
	switch {
	case curesName(j.line(a.version), r):
		h.Status, h.Word = Cured, "by the word of its maker: the manifest of "+a.version.String()+" names it"
	case a.unsure == "" && a.vendor == release.VendorKLTS && slices.Contains(backported(r, release.VendorKLTS), minor):
		h.Status, h.Word = Cured, "by the word of its maker, KLTS"
	default:
		h.NotApplicable = cmp.Or(elsewhereOnly(r, p), j.notApplicable(rules, r.ID, p.component))
		h.Unsure = j.doubt(a, r)
		if h.NotApplicable != "" {
			h.Status, h.Unsure = NotAffected, ""
		} else if h.Unsure != "" {
			h.Status = UnderInvestigation
		}
	}
	return h
}

// elsewhereOnly says that a flaw can be met on another system only than that of a place; "" where it cannot be excluded.
func elsewhereOnly(r *vuln.Record, p place) string {
	on := r.Kubelts.OS
	if p.system == "" || on == "" || on == "any" || on == p.system {
		return ""
	}
	return "it can be met on " + on + " only, and these run " + p.system
}

// doubt says why it is not known whether a build has a flaw.
func (j *judge) doubt(a *assessed, r *vuln.Record) string {
	minor := a.version.Minor.String()
	if slices.Contains(backported(r, a.vendor), minor) && a.unsure != "" {
		return a.unsure + "; a cure for " + minor + " is known, not since which release"
	}
	if a.unsure != "" {
		return a.unsure
	}
	if l := j.line(a.version); l != nil && slices.ContainsFunc(r.Names(), func(n string) bool { return slices.Contains(l.Unsure, n) }) {
		return "its maker does not know whether it has it"
	}
	if bound := r.Kubelts.PracticalLowerBound; bound != "" {
		from, _, _ := strings.Cut(bound, ":")
		if m, err := release.ParseMinor(from); err == nil && release.CompareMinors(a.version.Minor, m) < 0 {
			return "the ranges begin at 0 for want of knowledge: " + bound
		}
	}
	return ""
}

func curesName(l *LineRelease, r *vuln.Record) bool {
	return l != nil && slices.ContainsFunc(r.Names(), func(n string) bool { return slices.Contains(l.Cures, n) })
}

// curedBy names a line release of the same minor that cures a vulnerability and could be taken; "" where none is known.
func (j *judge) curedBy(r *vuln.Record, v release.Version, vendor string) string {
	best := release.Version{}
	for _, l := range j.o.Lines {
		w, ok := cluster.ParseVersion(l.Version)
		if ok && w.Minor == v.Minor && release.CompareUpstream(w, v) >= 0 && curesName(&l, r) && (best.IsZero() || release.Compare(w, best) > 0) {
			best = w
		}
	}
	if !best.IsZero() {
		return best.String()
	}
	if vendor != "" && vendor != release.VendorKLTS || !slices.Contains(backported(r, release.VendorKLTS), v.Minor.String()) {
		return ""
	}
	if w, ok := j.kltsRelease(v.Minor); ok && release.CompareUpstream(w, v) >= 0 {
		return w.String() + " of KLTS"
	}
	return ""
}

// checkHoles looks up the vulnerabilities of every component at its version.
func (j *judge) checkHoles() error {
	rules, err := j.facts.Applicability()
	if err != nil {
		return err
	}
	for _, p := range j.places() {
		if err = j.holesAt(p, rules); err != nil {
			return err
		}
	}
	judged, err := j.addonHoles(rules)
	if err != nil {
		return err
	}
	slices.SortStableFunc(j.r.Holes, func(a, b Hole) int { return cmp.Compare(b.Score, a.Score) })
	j.tellHoles()
	j.notJudged(judged)
	return nil
}

// holesAt looks up the vulnerabilities of one component at one version.
func (j *judge) holesAt(p place, rules []catalog.Applicability) error {
	a, err := j.assess(p.text)
	if err != nil {
		return err
	}
	if !a.known {
		if !j.told(cluster.Vulnerabilities, p.text) {
			j.unseen(cluster.NotObserved{
				What: "vulnerabilities of " + p.component + " " + cluster.Cut(p.text), Area: string(cluster.Vulnerabilities),
				Reason: fmt.Sprintf("the facts of %s do not know this version", j.facts.Snapshot()), Hint: "bring newer facts with --data",
			})
		}
		return nil
	}
	for _, as := range a.list {
		if concerns(as.Record, p.component) {
			j.r.Holes = append(j.r.Holes, j.hole(a, as, p, rules))
		}
	}
	return nil
}
