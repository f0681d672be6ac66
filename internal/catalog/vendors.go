package catalog

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Product is something of a vendor that contains Kubernetes, with its own windows of support.
type Product struct {
	ID         string   `yaml:"id"`
	Vendor     string   `yaml:"vendor"`
	Name       string   `yaml:"product"`
	Spellings  []string `yaml:"spellings"` // vendors as [release.Version] tells them from the spelling
	Phases     []string `yaml:"phases"`    // the names of the phases, in order
	Note       string   `yaml:"note"`
	Source     string   `yaml:"source"`
	Confidence string   `yaml:"confidence"`
	Windows    []Window `yaml:"windows"`
}

// Window is how long a product supports a minor. Days that no source gives are zero.
type Window struct {
	Minor   minorName `yaml:"minor"`   // zero for a product whose releases are not those of one minor
	Release string    `yaml:"release"` // the product's own name for it
	From    day       `yaml:"from"`    // first day
	Ends    []*day    `yaml:"ends"`    // last days of the phases, in order; nil where the end is not published
	Last    day       `yaml:"last"`    // day of the newest release seen, where no end is published
	Latest  string    `yaml:"latest"`  // name of the newest release seen
	// Upgraded is from when on clusters are upgraded without being asked.
	Upgraded day    `yaml:"upgraded"`
	Patches  int    `yaml:"patches"` // how many patches of its own it carries in public
	Note     string `yaml:"note"`
}

type vendorsDoc struct {
	Snapshot day               `yaml:"snapshot"`
	Sources  map[string]string `yaml:"sources"`
	Products []Product         `yaml:"products"`
}

func loadVendors(fsys fs.FS) ([]Product, error) {
	var doc vendorsDoc
	if err := decode(fsys, vendorsFile, &doc); err != nil {
		return nil, err
	}
	for i, p := range doc.Products {
		where := vendorsFile + ": product " + p.ID
		if err := sourced(where, p.Source, p.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		if i > 0 && doc.Products[i-1].ID >= p.ID {
			return nil, errs.New(errs.Invalid, "%s: not in order", where)
		}
		for _, w := range p.Windows {
			if len(w.Ends) == 0 || len(w.Ends) > len(p.Phases) {
				return nil, errs.New(errs.Invalid, "%s: window %s%s has %d ends for %d phases", where, w.Minor.Minor, w.Release, len(w.Ends), len(p.Phases))
			}
		}
	}
	return doc.Products, nil
}

// The phases of a vendor's window beside the product's own names.
const (
	VendorUnreleased = string(release.Unreleased)
	VendorEnded      = string(release.EndOfLife)
	VendorUnknown    = "unknown" // it is not published whether it is still supported
)

// VendorSupport is where a minor stands with a vendor on a day.
type VendorSupport struct {
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
	// Phase is the product's own word (standard, extended, ...), or unreleased, end-of-life, unknown.
	Phase string `json:"phase"`
	// Until is the last day of all support, null when it is not published.
	Until release.Date `json:"until"`

	ID          string       `json:"id"`
	Release     string       `json:"release,omitempty"`
	From        release.Date `json:"from"`
	PhaseUntil  release.Date `json:"phaseUntil"`
	LastRelease release.Date `json:"lastRelease"` // the newest release seen, where no end is published
	Note        string       `json:"note,omitempty"`
}

// Supported reports whether the vendor is known to support it on that day.
func (s VendorSupport) Supported() bool {
	return s.Phase != VendorUnreleased && s.Phase != VendorEnded && s.Phase != VendorUnknown
}

// on returns where the window stands on a day.
func (w Window) on(at release.Date, p Product) VendorSupport {
	s := VendorSupport{
		ID: p.ID, Vendor: p.Vendor, Product: p.Name, Phase: VendorEnded, Release: w.Release,
		From: w.From.Date, LastRelease: w.Last.Date, Note: w.Note,
	}
	if last := w.Ends[len(w.Ends)-1]; last != nil {
		s.Until = last.Date
	}
	if !w.From.IsZero() && at.Before(w.From.Date) {
		s.Phase = VendorUnreleased
		return s
	}
	for i, end := range w.Ends {
		if end == nil {
			s.Phase = VendorUnknown
			return s
		}
		if !at.After(end.Date) {
			s.Phase, s.PhaseUntil = p.Phases[i], end.Date
			return s
		}
	}
	return s
}

// product finds a product by its name, its vendor's name or the vendor's spelling, in any case. Unknown is [errs.NotFound].
func (c *Catalog) productsNamed(name string) ([]Product, error) {
	var found []Product
	for _, p := range c.products {
		if strings.EqualFold(p.ID, name) || strings.EqualFold(p.Name, name) || strings.EqualFold(p.Vendor, name) || slices.Contains(p.Spellings, strings.ToLower(name)) {
			found = append(found, p)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	var ids []string
	for _, p := range c.products {
		ids = append(ids, p.ID)
	}
	return nil, errs.WithHint(errs.New(errs.NotFound, "vendor %q is not known", name), "did you mean %s? known are %s", nearest(name, ids), strings.Join(ids, ", "))
}

// vendorSupport returns where a minor stands with the given products, in their order.
func vendorSupport(m release.Minor, at release.Date, products []Product) []VendorSupport {
	support := []VendorSupport{}
	for _, p := range products {
		var best *Window
		for i, w := range p.Windows {
			// Several releases of one product may carry the same minor; the newest that was out speaks for it.
			if w.Minor.Minor == m && (best == nil || w.From.IsZero() || !at.Before(w.From.Date)) {
				best = &p.Windows[i]
			}
		}
		if best != nil {
			support = append(support, best.on(at, p))
		}
	}
	return support
}
