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
	ProductFacts
	Windows []Window
}

// ProductFacts is what is known of a product beside its windows.
type ProductFacts struct {
	ID         string   `yaml:"id"`
	Vendor     string   `yaml:"vendor"`
	Name       string   `yaml:"product"`
	Spellings  []string `yaml:"spellings"` // vendors as [release.Version] tells them from the spelling
	Phases     []string `yaml:"phases"`    // the names of the phases, in order
	Note       string   `yaml:"note"`
	Source     string   `yaml:"source"`
	Confidence string   `yaml:"confidence"`
}

// Window is how long a product supports a minor. Days that no source gives are zero.
type Window struct {
	Minor   release.Minor  // zero for a product whose releases are not those of one minor
	Release string         // the product's own name for it
	From    release.Date   // first day
	Ends    []release.Date // last days of the phases, in order; zero where the end is not published
	Last    release.Date   // day of the newest release seen, where no end is published
	Latest  string         // name of the newest release seen
	// Upgraded is from when on clusters are upgraded without being asked.
	Upgraded release.Date
	Patches  int // how many patches of its own it carries in public
	Note     string
}

type (
	windowFile struct {
		Minor    minorName `yaml:"minor"`
		Release  string    `yaml:"release"`
		From     day       `yaml:"from"`
		Ends     []*day    `yaml:"ends"`
		Last     day       `yaml:"last"`
		Latest   string    `yaml:"latest"`
		Upgraded day       `yaml:"upgraded"`
		Patches  int       `yaml:"patches"`
		Note     string    `yaml:"note"`
	}
	productFile struct {
		ProductFacts `yaml:",inline"`
		Windows      []windowFile `yaml:"windows"`
	}
	vendorsDoc struct {
		Snapshot day               `yaml:"snapshot"`
		Sources  map[string]string `yaml:"sources"`
		Products []productFile     `yaml:"products"`
	}
)

func (f windowFile) window() Window {
	w := Window{
		Minor: f.Minor.Minor, Release: f.Release, From: f.From.Date, Last: f.Last.Date, Latest: f.Latest,
		Upgraded: f.Upgraded.Date, Patches: f.Patches, Note: f.Note,
	}
	for _, end := range f.Ends {
		if end == nil {
			end = &day{}
		}
		w.Ends = append(w.Ends, end.Date)
	}
	return w
}

func loadVendors(fsys fs.FS) ([]Product, error) {
	var doc vendorsDoc
	if err := decode(fsys, vendorsFile, &doc); err != nil {
		return nil, err
	}
	var products []Product
	for i, f := range doc.Products {
		where := vendorsFile + ": product " + f.ID
		if err := sourced(where, f.Source, f.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		if i > 0 && doc.Products[i-1].ID >= f.ID {
			return nil, errs.New(errs.Invalid, "%s: not in order", where)
		}
		p := Product{ProductFacts: f.ProductFacts}
		p.Source = doc.Sources[f.Source]
		for _, w := range f.Windows {
			if len(w.Ends) == 0 || len(w.Ends) > len(f.Phases) {
				return nil, errs.New(errs.Invalid, "%s: window %s %s has %d ends for %d phases", where, w.Minor.Minor, w.Release, len(w.Ends), len(f.Phases))
			}
			p.Windows = append(p.Windows, w.window())
		}
		products = append(products, p)
	}
	return products, nil
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
		From: w.From, LastRelease: w.Last, Note: w.Note, Until: w.Ends[len(w.Ends)-1],
	}
	if !w.From.IsZero() && at.Before(w.From) {
		s.Phase = VendorUnreleased
		return s
	}
	for i, end := range w.Ends {
		if end.IsZero() {
			s.Phase = VendorUnknown
			return s
		}
		if !at.After(end) {
			s.Phase, s.PhaseUntil = p.Phases[i], end
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
			if w.Minor == m && (best == nil || w.From.IsZero() || !at.Before(w.From)) {
				best = &p.Windows[i]
			}
		}
		if best != nil {
			support = append(support, best.on(at, p))
		}
	}
	return support
}
