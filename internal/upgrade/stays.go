package upgrade

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
)

// stays are the lines on which the cluster could remain at its minor: its own vendor's, and those whose builds replace upstream's in place.
// Products that a cluster would have to move to are left out unless it is there.
func (pl *planner) stays(from release.Version) []Stay {
	out := []Stay{}
	known, err := pl.facts.Support(release.Version{Minor: from.Minor, Patch: release.NoPatch}, pl.today(), "")
	if err == nil {
		for _, v := range known.Vendors {
			own := pl.product != nil && pl.product.ID == v.ID
			inPlace := pl.vendor == "" && (v.ID == release.VendorKLTS || v.ID == release.VendorEKSDistro)
			if v.Phase == catalog.VendorEnded || v.Phase == catalog.VendorUnreleased || !own && !inPlace {
				continue
			}
			out = append(out, Stay{
				Minor: from.Minor.String(), Vendor: v.Vendor, Product: v.Product, Release: v.Release, Phase: v.Phase, Until: v.Until, LastRelease: v.LastRelease,
				Own: own, Note: v.Note,
			})
		}
		if known.Phase.Supported() && pl.product == nil {
			out = append(out, Stay{Minor: from.Minor.String(), Vendor: "Kubernetes", Product: "Kubernetes", Release: known.Latest, Phase: string(known.Phase), Until: known.EndOfLife, LastRelease: known.LatestReleased, Own: true})
		}
	}
	if line, ok := pl.line(from.Minor); ok {
		out = append(out, Stay{
			Minor: from.Minor.String(), Vendor: "kubelts", Product: "line", Release: line.String(), Phase: "releases", Own: pl.vendor == release.VendorKubelts,
			Note: "until when is for the line's project to say",
		})
	} else if pl.vendor == "" || pl.vendor == release.VendorKubelts {
		out = append(out, Stay{
			Minor: from.Minor.String(), Vendor: "kubelts", Product: "line", Phase: "to be made",
			Note: "no release is known here: \"kubelts line init " + from.Minor.String() + "\" begins one",
		})
	}
	for i := range out {
		if !out[i].Until.IsZero() {
			left := pl.today().DaysUntil(out[i].Until)
			out[i].DaysLeft = &left
		}
	}
	slices.SortStableFunc(out, func(a, b Stay) int {
		return cmp.Or(b.Until.Compare(a.Until), b.LastRelease.Compare(a.LastRelease), strings.Compare(a.Product, b.Product))
	})
	return out
}

// line is the newest release of a line of a minor that is known.
func (pl *planner) line(m release.Minor) (release.Version, bool) {
	var newest release.Version
	for _, l := range pl.o.Lines {
		if v, err := release.Parse(l.Version); err == nil && v.Minor == m && (newest.IsZero() || release.Compare(v, newest) > 0) {
			newest = v
		}
	}
	return newest, !newest.IsZero()
}
