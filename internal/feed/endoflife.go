package feed

import (
	"bytes"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
)

// cycle is a minor as endoflife.date describes it (https://endoflife.date/docs/api/): dates, or true and false where no date is known.
type cycle struct {
	Cycle      string `json:"cycle"`
	Released   any    `json:"releaseDate"`
	Active     any    `json:"support"` // last day before maintenance mode
	End        any    `json:"eol"`
	Latest     string `json:"latest"`
	LatestDate any    `json:"latestReleaseDate"`
}

// product is the newer form of the same (API v1).
type product struct {
	Result struct {
		Releases []struct {
			Name     string `json:"name"`
			Released string `json:"releaseDate"`
			Active   string `json:"eoasFrom"`
			End      string `json:"eolFrom"`
			Latest   struct {
				Name string `json:"name"`
				Date string `json:"date"`
			} `json:"latest"`
		} `json:"releases"`
	} `json:"result"`
}

func parseEndOfLife(b *Batch, origin provenance.Origin, data []byte) error {
	var cycles []cycle
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '{' {
		var p product
		if err := decode(data, &p); err != nil {
			return err
		}
		for _, r := range p.Result.Releases {
			cycles = append(cycles, cycle{r.Name, r.Released, r.Active, r.End, r.Latest.Name, r.Latest.Date})
		}
	} else if err := decode(data, &cycles); err != nil {
		return err
	}
	for _, c := range cycles {
		d, err := c.read(origin)
		if err != nil {
			b.refuse(origin.URL+" "+bounded(c.Cycle), err)
			continue
		}
		b.Dates = append(b.Dates, d)
	}
	return nil
}

func (c cycle) read(origin provenance.Origin) (provenance.Dates, error) {
	minor, err := release.ParseMinor(c.Cycle)
	if err != nil {
		return provenance.Dates{}, err
	}
	d := provenance.Dates{Origin: origin, Minor: minor.String(), Released: day(c.Released), End: day(c.End), LatestDate: day(c.LatestDate)}
	if active := day(c.Active); !active.IsZero() {
		d.Maintenance = active
	}
	if c.Latest != "" {
		v, err := release.Parse(c.Latest)
		if err != nil || v.Minor != minor || !v.IsRelease() {
			return provenance.Dates{}, errs.New(errs.Invalid, "latest %q is no release of %s", bounded(c.Latest), minor)
		}
		d.Latest = strings.TrimPrefix(v.String(), "v")
	}
	if d.Released.IsZero() && d.End.IsZero() {
		return provenance.Dates{}, errs.New(errs.Invalid, "has neither a first nor a last day")
	}
	if !d.End.IsZero() && d.End.Before(d.Released) || !d.LatestDate.IsZero() && d.LatestDate.Before(d.Released) {
		return provenance.Dates{}, errs.New(errs.Invalid, "ends or has a patch before it began")
	}
	return d, nil
}

// day is a date where there is one; true and false are none.
func day(v any) release.Date {
	s, _ := v.(string)
	return date(s)
}
