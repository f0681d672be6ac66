package report

import (
	"fmt"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/timeline"
)

const notPublished = "not published"

// SupportPicture is what upstream and vendors support until when, as a drawing.
func SupportPicture(states []*catalog.Support, at release.Date) timeline.Picture {
	p := timeline.Picture{Title: "Support of Kubernetes minors on " + at.String(), At: at}
	for _, s := range states {
		row := timeline.Row{Label: s.Version, Parts: supportParts(s), Text: supportText(s)}
		for _, v := range s.Vendors {
			row.Lanes = append(row.Lanes, vendorLane(s, v))
		}
		p.Rows = append(p.Rows, row)
		for _, n := range s.Notes {
			p.Notes = append(p.Notes, s.Version+": "+n)
		}
	}
	return p
}

// supportText is the last day and how far away it is.
func supportText(s *catalog.Support) string {
	switch {
	case s.Released.IsZero():
		return "not released"
	case s.DaysLeft == nil:
		return day(s.EndOfLife)
	case *s.DaysLeft < 0:
		return fmt.Sprintf("%s, %d days over", s.EndOfLife, -*s.DaysLeft)
	}
	return fmt.Sprintf("%s, %d days left", s.EndOfLife, *s.DaysLeft)
}

// day is a day, or that none was published.
func day(d release.Date) string {
	if d.IsZero() {
		return notPublished
	}
	return d.String()
}

// dayOf is a day, or "-" for one that is not known.
func dayOf(d release.Date) string {
	if d.IsZero() {
		return "-"
	}
	return d.String()
}

// supportParts are upstream's: active, then maintenance; or what is known where the last day was never published.
func supportParts(s *catalog.Support) []timeline.Part {
	if s.EndOfLife.IsZero() {
		return []timeline.Part{{
			From: s.Released, To: s.LatestReleased, Kind: timeline.Unknown,
			Title: fmt.Sprintf("released %s, latest release %s; the last day is not published", dayOf(s.Released), dayOf(s.LatestReleased)),
		}}
	}
	active := timeline.Part{From: s.Released, To: s.EndOfLife, Kind: timeline.Active, Title: fmt.Sprintf("released %s, last day %s", s.Released, s.EndOfLife)}
	if s.MaintenanceFrom.IsZero() {
		return []timeline.Part{active}
	}
	active.To = s.MaintenanceFrom.AddDays(-1)
	active.Title = fmt.Sprintf("active from %s to %s", active.From, active.To)
	return []timeline.Part{active, {
		From: s.MaintenanceFrom, To: s.EndOfLife, Kind: timeline.Maintenance, Title: fmt.Sprintf("maintenance from %s to %s", s.MaintenanceFrom, s.EndOfLife),
	}}
}

// vendorLane is a vendor's support. One whose end is not published lasts until the last release that was seen.
func vendorLane(s *catalog.Support, v catalog.VendorSupport) timeline.Thin {
	name := strings.TrimSpace(v.Product + " " + v.Release)
	lane := timeline.Thin{Part: timeline.Part{From: v.From, To: v.Until, Kind: timeline.Lane}, Text: name + "  " + v.Until.String()}
	if lane.From.IsZero() {
		lane.From = s.Released
	}
	lane.Title = fmt.Sprintf("%s: %s, until %s", name, v.Phase, day(v.Until))
	if v.Until.IsZero() {
		lane.To, lane.Kind, lane.Text = v.LastRelease, timeline.Unknown, name+"  "+notPublished
		if !v.LastRelease.IsZero() {
			lane.Title += ", last release seen " + v.LastRelease.String()
		}
	}
	return lane
}
