package catalog

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Removal is a version of some resources that a minor no longer serves.
type Removal struct {
	Minor      release.Minor
	API        string   // group/version
	Resources  []string // plural, in lower case
	Instead    string   // the group/version that replaces it; "" when nothing does
	Source     string
	Confidence string // medium for minors that are not out yet
}

type (
	removalFile struct {
		Minor      minorName `yaml:"minor"`
		API        string    `yaml:"api"`
		Resources  []string  `yaml:"resources"`
		Instead    string    `yaml:"instead"`
		Source     string    `yaml:"source"`
		Confidence string    `yaml:"confidence"`
	}
	removalsDoc struct {
		Snapshot day               `yaml:"snapshot"`
		Sources  map[string]string `yaml:"sources"`
		Removals []removalFile     `yaml:"removals"`
	}
)

func loadRemovals(fsys fs.FS) ([]Removal, error) {
	var doc removalsDoc
	if err := decode(fsys, removalsFile, &doc); err != nil {
		return nil, err
	}
	var all []Removal
	for _, f := range doc.Removals {
		where := removalsFile + ": " + f.Minor.String() + " " + f.API
		if err := sourced(where, f.Source, f.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		if n := len(all); n > 0 && release.CompareMinors(all[n-1].Minor, f.Minor.Minor) > 0 {
			return nil, errs.New(errs.Invalid, "%s: not in order", where)
		}
		if !strings.Contains(f.API, "/") || len(f.Resources) == 0 {
			return nil, errs.New(errs.Invalid, "%s: an API is group/version with resources", where)
		}
		all = append(all, Removal{f.Minor.Minor, f.API, f.Resources, f.Instead, doc.Sources[f.Source], f.Confidence})
	}
	return all, nil
}

// Removals returns the API versions that minors no longer serve, oldest minor first. The caller must not change what is in them.
func (c *Catalog) Removals() ([]Removal, error) {
	all, err := c.removals()
	return slices.Clone(all), err
}
