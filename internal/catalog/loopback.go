package catalog

import (
	"io/fs"
	"slices"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Loopback is what is known of the certificate that kube-apiserver makes for its own client, in memory.
type Loopback struct {
	Upstream []LoopbackRange
	Vendors  []LoopbackRange
}

// LoopbackRange is how that certificate is made in a range of versions. It explains what is seen, and never replaces looking.
type LoopbackRange struct {
	From   release.Version // first version; zero for all before
	Before release.Version // first version that it does not hold for; zero for all that follow
	LoopbackFacts
}

// LoopbackFacts is what is known of the certificate in a range of versions.
type LoopbackFacts struct {
	// Begins and Ends are NotBefore and NotAfter, in hours after the process started; Ends is 0 when it is not published.
	Begins  int      `yaml:"begins"`
	Ends    int      `yaml:"ends"`
	Chain   string   `yaml:"chain"`        // what is served, in words
	Livez   bool     `yaml:"livez"`        // whether /livez exists
	Log     string   `yaml:"log"`          // text of the log line that gives its times; "" when there is none
	Check   string   `yaml:"health_check"` // name of the health check that fails when it has ended; "" when there is none
	Paths   []string `yaml:"health_paths"` // where that check is
	Late    int      `yaml:"health_late"`  // how many hours the check comes late
	Note    string   `yaml:"note"`
	Vendors []string `yaml:"vendors"` // for whose builds it holds, as [release.Version] names vendors; none for upstream's
	// AsUpstream says that the vendors' builds are as upstream's.
	AsUpstream bool   `yaml:"as_upstream"`
	Source     string `yaml:"source"`
	Confidence string `yaml:"confidence"`
}

type (
	loopbackFileRange struct {
		From          versionName `yaml:"from"`
		Before        versionName `yaml:"before"`
		LoopbackFacts `yaml:",inline"`
	}
	loopbackDoc struct {
		Snapshot day                 `yaml:"snapshot"`
		Sources  map[string]string   `yaml:"sources"`
		Upstream []loopbackFileRange `yaml:"upstream"`
		Vendors  []loopbackFileRange `yaml:"vendors"`
	}
)

func loadLoopback(fsys fs.FS) (*Loopback, error) {
	var doc loopbackDoc
	if err := decode(fsys, loopbackFile, &doc); err != nil {
		return nil, err
	}
	var ranges []LoopbackRange
	for i, r := range slices.Concat(doc.Upstream, doc.Vendors) {
		if err := sourced(loopbackFile+": range "+r.From.String(), r.Source, r.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		if i > 0 && i < len(doc.Upstream) && doc.Upstream[i-1].Before != r.From {
			return nil, errs.New(errs.Invalid, "%s: upstream's ranges do not meet at %s", loopbackFile, r.From.Version)
		}
		facts := r.LoopbackFacts
		facts.Source = doc.Sources[facts.Source]
		ranges = append(ranges, LoopbackRange{r.From.Version, r.Before.Version, facts})
	}
	return &Loopback{ranges[:len(doc.Upstream)], ranges[len(doc.Upstream):]}, nil
}

func (r LoopbackRange) holds(v release.Version) bool {
	if !v.HasPatch() {
		v.Patch = 0
	}
	return (r.From.IsZero() || release.CompareUpstream(v, r.From) >= 0) &&
		(r.Before.IsZero() || release.CompareUpstream(v, r.Before) < 0)
}

// Loopback returns what is known of the loopback certificate of a version: the range of the vendor whose build it is, where the
// vendor differs, otherwise upstream's. It returns false when nothing is known. A result whose Ends is 0 says that the validity is
// not published. Whatever it says, NotAfter as served is the truth.
func (c *Catalog) Loopback(v release.Version) (LoopbackRange, bool, error) {
	facts, err := c.loopback()
	if err != nil {
		return LoopbackRange{}, false, err
	}
	for _, r := range facts.Vendors {
		if v.Vendor != "" && slices.Contains(r.Vendors, v.Vendor) && !r.AsUpstream && r.holds(v) {
			return r, true, nil
		}
	}
	for _, r := range facts.Upstream {
		if r.holds(v) {
			return r, true, nil
		}
	}
	return LoopbackRange{}, false, nil
}
