package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

const (
	supportSoon = 90 // days before its end at which support's end is told
	releases    = "https://kubernetes.io/releases/"
)

// vendorOf is whose build a version is: by its spelling, and where the vendor's builds may be spelled as upstream's, by the distribution. A patch number that upstream
// never reached, and a spelling of KLTS' that KLTS has not released, are a line's: VendorKubelts stands for whoever keeps it.
func (j *judge) vendorOf(v release.Version) string {
	switch {
	case v.Vendor == "" && plainSpelling(j.s.Distribution.Vendor):
		return j.s.Distribution.Vendor
	case v.Vendor == "" && v.OwnNumbering():
		return release.VendorKubelts
	case v.Vendor == release.VendorKLTS:
		if newest, ok := j.kltsRelease(v.Minor); !ok || release.Compare(v, newest) > 0 {
			return release.VendorKubelts
		}
	}
	return v.Vendor
}

// supportOf is where a version stands. A release that the facts do not know stands where its minor does; exact is false then. A minor
// that they do not know gives nil.
func (j *judge) supportOf(v release.Version) (s *catalog.Support, exact bool, err error) {
	s, err = j.facts.Support(v, j.today(), "")
	if !errs.Is(err, errs.NotFound) {
		return s, true, err
	}
	s, err = j.facts.Support(release.Version{Minor: v.Minor, Patch: release.NoPatch, Vendor: v.Vendor}, j.today(), "")
	if errs.Is(err, errs.NotFound) {
		return nil, false, nil
	}
	return s, false, err
}

// product is the window of the product that a vendor's builds belong to, nil where none is known for the minor.
func (j *judge) product(vendor string, s *catalog.Support) *catalog.VendorSupport {
	if vendor == "" {
		return nil
	}
	for _, p := range j.facts.Products() {
		if !slices.Contains(p.Spellings, vendor) {
			continue
		}
		for i := range s.Vendors {
			if s.Vendors[i].ID == p.ID {
				return &s.Vendors[i]
			}
		}
	}
	return nil
}

// checkSupport looks at how long the control plane's minor, and older ones of nodes, are supported by upstream and by the vendor.
func (j *judge) checkSupport() error {
	servers := j.serverVersions()
	if len(servers) == 0 {
		return nil
	}
	oldest := servers[0]
	s, exact, err := j.supportOf(oldest)
	if err != nil {
		return err
	}
	if !exact {
		j.unseen(cluster.NotObserved{
			What: "what is known of " + oldest.String(), Area: string(cluster.Support), Reason: fmt.Sprintf("the facts of %s do not know this version", j.facts.Snapshot()),
			Hint: "bring newer facts with --data",
		})
	}
	if s == nil {
		return nil
	}
	vendor := j.vendorOf(oldest)
	own := j.product(vendor, s)
	j.r.Support, j.r.Vendor = s, own
	j.supportDeadlines(s, own)
	j.upstreamSupport(s, oldest, vendor, own)
	j.vendorSupport(s, oldest, vendor, own)
	j.newestPatch(s, oldest, vendor)
	return j.nodeSupport(oldest)
}

// dayEnd is the last moment of a day.
func dayEnd(d release.Date) time.Time { return d.AddDays(1).Time().Add(-time.Second) }

func (j *judge) supportDeadlines(s *catalog.Support, own *catalog.VendorSupport) {
	if !s.EndOfLife.IsZero() {
		j.end(Deadline{When: dayEnd(s.EndOfLife), What: "upstream's support of " + s.Minor, Area: cluster.Support, Severity: Info})
	}
	if !s.MaintenanceFrom.IsZero() && j.today().Before(s.MaintenanceFrom) {
		j.end(Deadline{When: dayEnd(s.MaintenanceFrom.AddDays(-1)), What: "upstream's active support of " + s.Minor, Area: cluster.Support, Severity: Info})
	}
	if own == nil {
		return
	}
	if !own.PhaseUntil.IsZero() && own.PhaseUntil != own.Until {
		j.end(Deadline{When: dayEnd(own.PhaseUntil), What: own.Vendor + "'s " + own.Phase + " support of " + s.Minor, Area: cluster.Support, Severity: Info})
	}
	if !own.Until.IsZero() {
		j.end(Deadline{When: dayEnd(own.Until), What: own.Vendor + "'s support of " + s.Minor, Area: cluster.Support, Severity: Info})
	}
}

// covered reports whether somebody other than upstream is known to support the build.
func covered(own *catalog.VendorSupport) bool { return own != nil && own.Supported() }

// withUpstream reports whether a vendor's builds follow upstream's releases, so that upstream's end is theirs where no other is known.
func withUpstream(vendor string, own *catalog.VendorSupport) bool {
	if vendor == "" || vendor == release.VendorK3s || vendor == release.VendorRKE2 || vendor == release.VendorEKSDistro {
		return true
	}
	return own == nil && vendor != release.VendorKubelts && vendor != release.VendorKLTS
}

func (j *judge) upstreamSupport(s *catalog.Support, v release.Version, vendor string, own *catalog.VendorSupport) {
	f := Finding{
		ID: "support-upstream", Rule: "support-upstream", Area: cluster.Support, Subjects: []string{"kube-apiserver " + v.String()}, References: []string{releases},
		Effect: "Nobody upstream cures vulnerabilities and faults of this minor any more: what is found from now on stays open here.",
		Remedy: j.leave(), Evidence: []string{cmp.Or(s.Policy, "support policy not known")},
	}
	switch {
	case s.Phase == release.EndOfLife:
		f.Severity, f.Title = High, fmt.Sprintf("Kubernetes %s has no upstream support", s.Minor)
		if !s.EndOfLife.IsZero() {
			end := dayEnd(s.EndOfLife)
			f.When = &end
			f.Title = fmt.Sprintf("upstream's support of Kubernetes %s ended on %s, %s", s.Minor, s.EndOfLife, over(s.EndOfLife.DaysUntil(j.today())))
		}
		if covered(own) || !withUpstream(vendor, own) {
			f.Severity = Info
			f.Effect = "Upstream cures nothing here any more; the vendor's own releases are what counts."
			f.Remedy = nil
		}
	case s.DaysLeft != nil && *s.DaysLeft < supportSoon:
		end := dayEnd(s.EndOfLife)
		f.Severity, f.When = Medium, &end
		f.Title = fmt.Sprintf("upstream's support of Kubernetes %s ends in %s, on %s", s.Minor, plural(*s.DaysLeft, "day"), s.EndOfLife)
		if covered(own) {
			f.Severity = Info
		}
	default:
		return
	}
	j.add(f)
}

func (j *judge) vendorSupport(s *catalog.Support, v release.Version, vendor string, own *catalog.VendorSupport) {
	if vendor == release.VendorKubelts || j.line(v) != nil {
		j.lineSupport(v)
		return
	}
	if own == nil {
		if vendor != "" {
			j.add(Finding{
				ID: "support-vendor", Rule: "support-vendor", Area: cluster.Support, Severity: Info, Subjects: []string{"kube-apiserver " + v.String()},
				Title:  fmt.Sprintf("how long %s supports %s is not in the facts", vendorName(vendor), s.Minor),
				Effect: "Upstream's window is the only one that this report knows.",
			})
		}
		return
	}
	f := Finding{
		ID: "support-vendor", Rule: "support-vendor", Area: cluster.Support, Subjects: []string{"kube-apiserver " + v.String()}, Remedy: j.leave(),
		Effect: own.Vendor + " cures nothing in this version any more, and may upgrade it unasked.",
	}
	if own.Note != "" {
		f.Evidence = append(f.Evidence, own.Note)
	}
	name := own.Vendor + "'s support of " + own.Product + " " + cmp.Or(own.Release, s.Minor)
	switch {
	case own.Phase == catalog.VendorEnded:
		end := dayEnd(own.Until)
		f.Severity, f.When = High, &end
		f.Title = fmt.Sprintf("%s ended on %s", name, own.Until)
	case own.Phase == catalog.VendorUnknown:
		f.Severity, f.Effect, f.Remedy = Info, "Whether there will be another release is not published.", nil
		f.Title = name + " has no published end"
		if !own.LastRelease.IsZero() {
			f.Title += ": the newest release seen is of " + own.LastRelease.String()
		}
		if s.Phase == release.EndOfLife && !withUpstream(vendor, own) {
			f.Severity, f.Remedy = j.unpublished(own), j.leave()
		}
	case extra(own.Phase):
		end := dayEnd(own.PhaseUntil)
		f.When, f.Severity = &end, Medium
		f.Title = fmt.Sprintf("%s is in its phase %q until %s", name, own.Phase, own.PhaseUntil)
		f.Effect = "This phase is paid for, or asked for, beside the ordinary one. Whether this cluster has it was not observed: without it nothing is cured any more."
	case !own.PhaseUntil.IsZero() && j.today().DaysUntil(own.PhaseUntil) < supportSoon:
		end := dayEnd(own.PhaseUntil)
		f.When, f.Severity = &end, Medium
		f.Title = fmt.Sprintf("%s is in its phase %q, which ends on %s", name, own.Phase, own.PhaseUntil)
		if own.PhaseUntil != own.Until {
			f.Severity, f.Effect = Low, "Another phase follows, which may cost more, until "+cmp.Or(own.Until.String(), "a day that is not published")+"."
		}
	default:
		return
	}
	j.add(f)
}

// extra reports whether a phase is one that not every customer has.
func extra(phase string) bool {
	return strings.Contains(phase, "extended") || strings.Contains(phase, "long-term")
}

// quiet is after how many days without a release a vendor's line may have been given up.
const quiet = 180

// unpublished is how bad it is that nobody says how long a vendor goes on, now that upstream does not.
func (j *judge) unpublished(own *catalog.VendorSupport) Severity {
	if own.LastRelease.IsZero() || own.LastRelease.DaysUntil(j.today()) > quiet {
		return Medium
	}
	return Low
}

// lineSupport looks at a release of a kubelts line: the newest one that is known is what to run.
func (j *judge) lineSupport(v release.Version) {
	newest := v
	known := false
	for _, l := range j.o.Lines {
		if w, ok := cluster.ParseVersion(l.Version); ok && w.Minor == v.Minor {
			known = known || w == v
			if release.Compare(w, newest) > 0 {
				newest = w
			}
		}
	}
	f := Finding{ID: "support-line", Rule: "support-line", Area: cluster.Support, Subjects: []string{"kube-apiserver " + v.String()}}
	switch {
	case newest != v:
		f.Severity, f.Title = Medium, fmt.Sprintf("the line has a newer release: %s", newest)
		f.Effect = "The newer release cures more than the one that runs."
		f.Remedy = []Step{{Text: "Take " + newest.String() + "."}}
	case !known:
		f.Severity, f.Title = Low, fmt.Sprintf("%s is a line release that this report knows nothing of", v)
		f.Effect = "Whether the line is still kept, and what this release cures, is for its project to say."
		f.Remedy = []Step{{Text: "Ask in the line's project.", Command: "kubelts line status " + v.Minor.String()}}
	default:
		return
	}
	j.add(f)
}

// newestPatch tells of a newer patch release of the minor. Vendors number for themselves.
func (j *judge) newestPatch(s *catalog.Support, v release.Version, vendor string) {
	latest, ok := cluster.ParseVersion(s.Latest)
	if !ok || vendor != "" || !v.IsRelease() || release.CompareUpstream(v, latest) >= 0 {
		return
	}
	j.add(Finding{
		ID: "support-patch", Rule: "support-patch", Area: cluster.Support, Severity: Low, Subjects: []string{"kube-apiserver " + v.String()},
		Title:  fmt.Sprintf("%s is not the newest patch release of %s: %s is, of %s", v, s.Minor, s.Latest, s.LatestReleased),
		Effect: "Faults and vulnerabilities that are cured in the newer patch release stay open.", Remedy: []Step{j.takePatch(latest)}, References: []string{releases},
	})
}

// takePatch is how a patch release is taken.
func (j *judge) takePatch(v release.Version) Step {
	s := Step{Text: "Take the patch release " + v.String() + ": control plane first, one node at a time, then the other nodes."}
	if d := j.s.Distribution; d.Vendor == "" && d.Installer == installerKubeadm {
		s.Command = "sudo kubeadm upgrade apply " + v.String()
	}
	return s
}

// leave is what to do about a minor that ends.
func (j *judge) leave() []Step {
	return []Step{{Text: "Plan the way to a supported minor, and see which lines there are to stay on.", Command: j.command("kubelts plan")}}
}

// nodeSupport looks at kubelets of older minors than the control plane, which have windows of their own.
func (j *judge) nodeSupport(server release.Version) error {
	older := map[release.Version][]string{}
	for _, n := range j.s.Nodes {
		if v, ok := cluster.ParseVersion(n.Kubelet); ok && release.CompareMinors(v.Minor, server.Minor) < 0 {
			minor := release.Version{Minor: v.Minor, Patch: release.NoPatch, Vendor: j.vendorOf(v)}
			older[minor] = append(older[minor], n.Name)
		}
	}
	minors := make([]release.Version, 0, len(older))
	for m := range older {
		minors = append(minors, m)
	}
	slices.SortFunc(minors, func(a, b release.Version) int { return cmp.Or(release.Compare(a, b), cmp.Compare(a.Vendor, b.Vendor)) })
	for _, m := range minors {
		s, _, err := j.supportOf(m)
		if err != nil {
			return err
		}
		if s == nil || s.Phase != release.EndOfLife {
			continue
		}
		own := j.product(m.Vendor, s)
		if covered(own) || own == nil && !withUpstream(m.Vendor, own) {
			continue
		}
		nodes := older[m]
		id := "support-nodes/" + m.Minor.String()
		if m.Vendor != "" {
			id += "/" + m.Vendor
		}
		j.add(Finding{
			ID: id, Rule: "support-nodes", Area: cluster.Support, Severity: Medium, Subjects: nodes,
			Title:  fmt.Sprintf("%s with kubelet %s, which is not supported any more", plural(len(nodes), "node"), m.Minor),
			Effect: "Vulnerabilities of these kubelets stay open although the control plane is newer.",
			Remedy: []Step{{Text: "Drain these nodes one after the other and bring them to the control plane's minor."}},
		})
	}
	return nil
}
