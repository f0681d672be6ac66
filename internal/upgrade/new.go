package upgrade

import (
	"fmt"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/skew"
)

// Options say where a plan goes.
type Options struct {
	To    release.Version // a minor or a patch release; zero for the newest minor that is out
	At    time.Time       // the time that counts as now
	Lines []findings.LineRelease
}

// planner is one plan under way.
type planner struct {
	s        *cluster.Snapshot
	facts    *catalog.Catalog
	o        Options
	report   *findings.Report
	servers  []skew.Server
	removals []catalog.Removal
	vendor   string
	product  *catalog.Product // of the vendor whose build this is; nil for upstream's and where none is known
	p        *Plan
}

// New makes a plan for a cluster. Errors are [errs.Invalid] where no kube-apiserver's version was observed or the target is older, and
// [errs.NotFound] for a target that is not known or not out yet, with a hint.
func New(s *cluster.Snapshot, facts *catalog.Catalog, o Options) (*Plan, error) {
	o.At = o.At.UTC()
	report, err := findings.Judge(s, facts, findings.Options{At: o.At, Lines: o.Lines})
	if err != nil {
		return nil, err
	}
	removals, err := facts.Removals()
	if err != nil {
		return nil, err
	}
	pl := &planner{s: s, facts: facts, o: o, report: report, servers: s.Servers(), removals: removals}
	if len(pl.servers) == 0 {
		return nil, errs.WithHint(errs.New(errs.Invalid, "plan: the version of no kube-apiserver was observed"), "see what was not observed with kubelts check")
	}
	slices.SortStableFunc(pl.servers, func(a, b skew.Server) int { return release.Compare(a.Version, b.Version) })
	from := pl.servers[0].Version
	if _, err = facts.Minor(from.Minor); err != nil {
		return nil, fmt.Errorf("plan from %s: %w", from, err)
	}
	pl.setVendor(from)
	to, err := pl.target(from)
	if err != nil {
		return nil, err
	}
	pl.p = &Plan{
		Context: report.Cluster.Context, Server: report.Cluster.Server, Distribution: s.Distribution, At: o.At, From: from.String(), To: to.String(),
		Hops: []Hop{}, Now: []Blocker{}, Notes: []string{}, NotObserved: pl.unseen(), DataDay: facts.Snapshot(),
	}
	pl.before()
	if err := pl.hops(from, to); err != nil {
		return nil, err
	}
	pl.certificates()
	pl.p.Stays = pl.stays(from)
	pl.notes(from)
	return pl.p, nil
}

func (pl *planner) today() release.Date { return release.DateOf(pl.o.At) }

// setVendor finds out whose windows count.
func (pl *planner) setVendor(from release.Version) {
	pl.vendor = from.Vendor
	if pl.vendor == "" {
		pl.vendor = pl.s.Distribution.Vendor
	}
	for _, p := range pl.facts.Products() {
		if pl.vendor != "" && slices.Contains(p.Spellings, pl.vendor) {
			pl.product = &p
			return
		}
	}
}

// unseen is what was not observed and could hide a blocker.
func (pl *planner) unseen() []cluster.NotObserved {
	out := []cluster.NotObserved{}
	areas := []cluster.Area{cluster.Skew, cluster.Nodes, cluster.APIs, cluster.Certificates, cluster.Loopback}
	for _, n := range pl.report.NotObserved {
		if slices.Contains(areas, cluster.Area(n.Area)) {
			out = append(out, n)
		}
	}
	return out
}

// target is the patch release that the plan ends at.
func (pl *planner) target(from release.Version) (release.Version, error) {
	to := pl.o.To
	if to.IsZero() {
		to = pl.newest(pl.servers[len(pl.servers)-1].Version)
	}
	newest := pl.servers[len(pl.servers)-1].Version
	if v, back := skew.CheckUpgrade(newest, to); back && v.Rule.ID == skew.RuleUpgradeBack {
		return to, errs.WithHint(errs.New(errs.Invalid, "plan to %s: the cluster runs %s, and kube-apiservers are not taken back", to, newest), "restore a backup of etcd to go back")
	}
	m, err := pl.facts.Resolve(to)
	if err != nil {
		return to, err
	}
	if to.HasPatch() {
		if to.Minor == from.Minor && release.CompareUpstream(to, from) < 0 {
			return to, errs.New(errs.Invalid, "plan to %s: the cluster runs %s, which is newer", to, from)
		}
		return to, nil
	}
	latest, ok := m.Latest(pl.today())
	if !ok {
		return to, errs.WithHint(errs.New(errs.NotFound, "plan to %s: it has no release on %s", to, pl.today()), "the facts are of %s", pl.facts.Snapshot())
	}
	if to.Minor == from.Minor && release.CompareUpstream(latest.Version, from) < 0 {
		return from, nil
	}
	return latest.Version, nil
}

// newest is the newest minor that the vendor, or upstream, has out on the day of the plan; the cluster's own where there is none newer.
func (pl *planner) newest(from release.Version) release.Version {
	best := from.Minor
	for _, m := range pl.facts.Minors() {
		if _, out := m.Latest(pl.today()); out && release.CompareMinors(m.Minor, best) > 0 && pl.offered(m.Minor) {
			best = m.Minor
		}
	}
	return release.Version{Minor: best, Patch: release.NoPatch}
}

// offered reports whether the vendor has a minor out; where the facts have no vendor's windows, upstream's releases are what there is.
func (pl *planner) offered(m release.Minor) bool {
	if pl.product == nil || pl.vendor == release.VendorKLTS {
		return true
	}
	return slices.ContainsFunc(pl.product.Windows, func(w catalog.Window) bool { return w.Minor == m && !pl.today().Before(w.From) })
}

// hops makes a hop for each minor up to the target, and one within the minor where only the patch release is newer.
func (pl *planner) hops(from, to release.Version) error {
	start := pl.servers[len(pl.servers)-1].Version
	if start.Minor == to.Minor {
		if release.CompareUpstream(start, to) < 0 || release.CompareUpstream(from, to) < 0 {
			return pl.hop(from, to)
		}
		return nil
	}
	last := start
	for _, m := range skew.Hops(start.Minor, to.Minor) {
		next := to
		if m != to.Minor {
			known, err := pl.facts.Minor(m)
			if err != nil {
				return err
			}
			latest, ok := known.Latest(pl.today())
			if !ok {
				return errs.New(errs.NotFound, "plan to %s: %s has no release on %s", to, m, pl.today())
			}
			next = latest.Version
		}
		if err := pl.hop(last, next); err != nil {
			return err
		}
		last = next
	}
	return nil
}

func (pl *planner) hop(from, to release.Version) error {
	h := Hop{From: from.String(), To: to.String(), Minor: to.Minor.String(), Blockers: []Blocker{}, Removed: []Removed{}, Notes: []string{}}
	known, err := pl.facts.Minor(to.Minor)
	if err != nil {
		return err
	}
	for _, p := range known.Patches {
		if p.Version == to {
			h.Released = p.Date
		}
	}
	h.SupportUntil = known.End.Date
	h.VendorUntil = pl.vendorUntil(to.Minor)
	if to.Minor != from.Minor {
		h.By = pl.lastDay(from.Minor)
		if !h.By.IsZero() {
			left := pl.today().DaysUntil(h.By)
			h.DaysLeft, h.Late = &left, left < 0
		}
		pl.removed(&h, to.Minor)
		pl.limits(&h, to.Minor)
	}
	if len(pl.p.Hops) == 0 {
		pl.oldNodes(&h, to.Minor)
		pl.hidden(&h)
	}
	if pl.product != nil && to.Minor != from.Minor && !pl.offered(to.Minor) {
		h.Notes = append(h.Notes, fmt.Sprintf("%s %s is not in the facts as released by %s", pl.product.Name, to.Minor, pl.product.Vendor))
	}
	h.Steps = pl.steps(to)
	pl.p.Hops = append(pl.p.Hops, h)
	return nil
}

// vendorUntil is the last day of the vendor's support of a minor; zero where none is known.
func (pl *planner) vendorUntil(m release.Minor) release.Date {
	if pl.product == nil {
		return release.Date{}
	}
	for _, w := range pl.product.Windows {
		if w.Minor == m {
			return w.Ends[len(w.Ends)-1]
		}
	}
	return release.Date{}
}

// lastDay is the last day on which a minor is supported: by the vendor where its window is known, else by upstream.
func (pl *planner) lastDay(m release.Minor) release.Date {
	if d := pl.vendorUntil(m); !d.IsZero() {
		return d
	}
	known, err := pl.facts.Minor(m)
	if err != nil {
		return release.Date{}
	}
	return known.End.Date
}

// notes say what holds for the plan as a whole.
func (pl *planner) notes(from release.Version) {
	note := func(format string, args ...any) { pl.p.Notes = append(pl.p.Notes, fmt.Sprintf(format, args...)) }
	if len(pl.p.Hops) == 0 {
		note("%s is the newest that can be taken: there is no hop", from)
		return
	}
	late := 0
	for _, h := range pl.p.Hops {
		if h.Late {
			late++
		}
	}
	if late > 0 {
		note("%d of %d hops are late: the minor before them is not supported any more. Until the first hop that is not late is reached, the cluster runs without support", late, len(pl.p.Hops))
	}
	last := pl.p.Hops[len(pl.p.Hops)-1]
	if !last.SupportUntil.IsZero() && pl.today().After(last.SupportUntil) && last.VendorUntil.Before(pl.today()) {
		note("the target %s is not supported by upstream any more, since %s: choose a newer one", last.Minor, last.SupportUntil)
	}
	if pl.today().After(pl.facts.Snapshot()) {
		note("the facts are of %s: newer patch releases are not known", pl.facts.Snapshot())
	}
	if pl.vendor != "" && pl.product == nil {
		note("the facts know no windows of the vendor %q: upstream's count here", pl.vendor)
	}
	if pl.vendor != "" {
		note("versions are upstream's: take the vendor's build of the same minor")
	}
}
