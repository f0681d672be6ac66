package catalog

import (
	"fmt"

	"github.com/kubelts/kubelts/internal/release"
)

// Support is where a version stands on a day. As JSON it is what "kubelts support -o json" prints.
type Support struct {
	Version         string          `json:"version"`
	Minor           string          `json:"minor"`
	Phase           release.Phase   `json:"phase"`
	Released        release.Date    `json:"released"` // of the minor
	MaintenanceFrom release.Date    `json:"maintenanceFrom"`
	EndOfLife       release.Date    `json:"endOfLife"` // last day; null when it is not published
	DaysLeft        *int            `json:"daysLeft"`  // to the last day, negative after it; null when that is not known
	Policy          string          `json:"policy"`    // the era that decided it
	Latest          string          `json:"latest"`    // newest patch release on that day; "" when there was none
	Vendors         []VendorSupport `json:"vendors"`

	At             release.Date `json:"at"`
	Era            string       `json:"era"`            // the era's short name
	PatchReleased  release.Date `json:"patchReleased"`  // of the version, where it names a patch release
	LatestReleased release.Date `json:"latestReleased"` // of the latest patch release
	Vendor         string       `json:"vendor"`         // whose build the spelling says it is; "" for upstream's
	Upstream       string       `json:"upstream"`       // the upstream version that it is built on; "" when the spelling does not tell
	Confidence     string       `json:"confidence"`     // how sure the last day is
	Source         string       `json:"source"`         // of the last day
	Notes          []string     `json:"notes"`
}

// Support returns where a version stands on a day. With a vendor (a product, its vendor, or the vendor of a spelling), only that
// one is told; with none, all are. Versions and vendors that are not known are [errs.NotFound] with a hint.
func (c *Catalog) Support(v release.Version, at release.Date, vendor string) (*Support, error) {
	m, err := c.Resolve(v)
	if err != nil {
		return nil, err
	}
	products := c.products
	if vendor != "" {
		if products, err = c.productsNamed(vendor); err != nil {
			return nil, err
		}
	}
	w := m.Window()
	s := &Support{
		Version: v.String(), Minor: m.Minor.String(), Phase: c.phase(m, at), Released: w.Released, MaintenanceFrom: w.MaintenanceFrom,
		EndOfLife: w.EndOfLife, Vendors: vendorSupport(m.Minor, at, products), At: at, Vendor: v.Vendor,
		Confidence: m.End.Confidence, Source: c.sources[m.End.Source], Notes: []string{},
	}
	if era, ok := c.policy.Era(m.Minor); ok {
		s.Policy, s.Era = era.Name, era.ID
	}
	if !w.EndOfLife.IsZero() {
		left := at.DaysUntil(w.EndOfLife)
		s.DaysLeft = &left
	}
	if latest, ok := m.Latest(at); ok {
		s.Latest, s.LatestReleased = latest.Version.String(), latest.Date
	}
	s.describePatch(v, m, at)
	if m.Note != "" {
		s.Notes = append(s.Notes, m.Note)
	}
	if at.After(c.snapshot) && s.Phase.Supported() {
		s.Notes = append(s.Notes, fmt.Sprintf("the facts are of %s: newer patch releases are not known", c.snapshot))
	}
	return s, nil
}

// describePatch tells what is known of the very version, beyond its minor.
func (s *Support) describePatch(v release.Version, m Minor, at release.Date) {
	if base, ok := v.Upstream(); ok {
		s.Upstream = base.String()
	} else {
		s.Notes = append(s.Notes, "the patch number is the vendor's own: which upstream release it is built on is not known")
	}
	if !v.IsRelease() {
		return
	}
	if p, ok := m.patch(v.Patch); ok {
		s.PatchReleased = p.Date
		if p.Date.After(at) {
			s.Phase = release.Unreleased
		}
	}
}

// phase is the minor's phase on a day. Where no last day was published, a minor has ended at the latest when the policy of its time
// pushed it out.
func (c *Catalog) phase(m Minor, at release.Date) release.Phase {
	w := m.Window()
	if w.EndOfLife.IsZero() && !w.Released.IsZero() {
		if end := c.policy.Dates(m.Minor, c.released).EndOfLife; !end.IsZero() && at.After(end) {
			return release.EndOfLife
		}
	}
	return w.Phase(at)
}

// Comparison is a minor's real days beside those that the policy gives.
type Comparison struct {
	Minor             string       `json:"minor"`
	Era               string       `json:"era"`
	Released          release.Date `json:"released"`
	PolicyMaintenance release.Date `json:"policyMaintenanceFrom"`
	Maintenance       release.Date `json:"maintenanceFrom"`
	PolicyEnd         release.Date `json:"policyEndOfLife"`
	End               release.Date `json:"endOfLife"`
	Days              *int         `json:"days"` // real minus policy; null when one of them is not known
	Why               string       `json:"why"`
}

// usualDay is the day of the month on which upstream ends minors since it plans last days.
const usualDay = 28

// ComparePolicy returns a minor's real days beside the policy's, with what explains the difference.
func (c *Catalog) ComparePolicy(m Minor) Comparison {
	era, _ := c.policy.Era(m.Minor)
	p, w := c.policy.Dates(m.Minor, c.released), m.Window()
	d := Comparison{
		Minor: m.Minor.String(), Era: era.ID, Released: w.Released, PolicyMaintenance: p.MaintenanceFrom, Maintenance: w.MaintenanceFrom,
		PolicyEnd: p.EndOfLife, End: w.EndOfLife, Why: m.Why,
	}
	if !p.EndOfLife.IsZero() && !w.EndOfLife.IsZero() {
		days := p.EndOfLife.DaysUntil(w.EndOfLife)
		d.Days = &days
	}
	if d.Why == "" {
		d.Why = m.explain(era, d)
	}
	return d
}

// explain finds the rule that accounts for the difference; "" when none does.
func (m Minor) explain(era release.Era, d Comparison) string {
	switch {
	case d.Released.IsZero():
		return "not released"
	case d.Days == nil:
		return ""
	case *d.Days == 0:
		return "as the policy says"
	case era.Newest > 0:
		last := m.Patches[len(m.Patches)-1]
		if after := last.Date.DaysUntil(d.End); after == 0 || after == 1 {
			return fmt.Sprintf("no last day was planned then: it ended with its last patch release, %s of %s", last.Version, last.Date)
		}
	case d.End.Day == usualDay && d.End.Month == d.PolicyEnd.Month && d.End.Year == d.PolicyEnd.Year:
		return "upstream ends a minor on the 28th of the month"
	}
	return ""
}
