package catalog

import (
	"io/fs"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Toolchain is the Go version that upstream built a range of patch releases with.
type Toolchain struct {
	From       release.Version // first patch release
	To         release.Version // last one, of the same minor
	Go         string          // such as 1.20.7
	Source     string          // in words
	Confidence string          // high, medium, low
}

type (
	toolchainFile struct {
		From       versionName `yaml:"from"`
		To         versionName `yaml:"to"`
		Go         string      `yaml:"go"`
		Source     string      `yaml:"source"`
		Confidence string      `yaml:"confidence"`
	}
	toolchainsDoc struct {
		Sources map[string]string `yaml:"sources"`
		Ranges  []toolchainFile   `yaml:"ranges"`
	}
)

func loadToolchains(fsys fs.FS) ([]Toolchain, error) {
	var doc toolchainsDoc
	if err := decode(fsys, toolchainsFile, &doc); err != nil {
		return nil, err
	}
	var ranges []Toolchain
	var last release.Version
	for _, t := range doc.Ranges {
		where := toolchainsFile + ": " + t.From.String()
		if err := sourced(where, t.Source, t.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		if t.From.Minor != t.To.Minor || release.Compare(t.From.Version, t.To.Version) > 0 || !last.IsZero() && release.Compare(last, t.From.Version) >= 0 {
			return nil, errs.New(errs.Invalid, "%s: the range is not in order", where)
		}
		last = t.To.Version
		ranges = append(ranges, Toolchain{t.From.Version, t.To.Version, t.Go, doc.Sources[t.Source], t.Confidence})
	}
	return ranges, nil
}

// Toolchain returns the Go version that upstream built a release with, and false when no source tells.
func (c *Catalog) Toolchain(v release.Version) (Toolchain, bool, error) {
	ranges, err := c.toolchains()
	if err != nil {
		return Toolchain{}, false, err
	}
	base, known := v.Upstream()
	if !known || !base.HasPatch() {
		return Toolchain{}, false, nil
	}
	for _, t := range ranges {
		if release.Compare(t.From, base) <= 0 && release.Compare(base, t.To) <= 0 {
			return t, true, nil
		}
	}
	return Toolchain{}, false, nil
}
