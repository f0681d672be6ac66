package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// loadRecords reads all vulnerabilities. The result is in the order of their names, newest year last.
func loadRecords(fsys fs.FS) ([]*vuln.Record, error) {
	entries, err := fs.ReadDir(fsys, vulnerabilitiesDir)
	if err != nil {
		return nil, errs.New(errs.NotFound, "facts: %w", err)
	}
	if len(entries) > maxRecords {
		return nil, errs.New(errs.Invalid, "%s: more than %d files", vulnerabilitiesDir, maxRecords)
	}
	var records []*vuln.Record
	seen := map[string]string{}
	var faults []error
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".json" {
			continue
		}
		name := path.Join(vulnerabilitiesDir, e.Name())
		data, err := readFile(fsys, name)
		if err != nil {
			return nil, err
		}
		r, err := vuln.Parse(name, bytes.NewReader(data))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if r.ID+".json" != e.Name() {
			faults = append(faults, errs.New(errs.Invalid, "%s: holds %s", name, r.ID))
		}
		for _, n := range r.Names() {
			if other, taken := seen[strings.ToUpper(n)]; taken {
				faults = append(faults, errs.New(errs.Invalid, "%s: the name %s is also in %s", name, n, other))
			}
			seen[strings.ToUpper(n)] = name
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b *vuln.Record) int { return compareIDs(a.ID, b.ID) })
	return records, errors.Join(faults...)
}

// compareIDs orders names of vulnerabilities with their numbers by value: CVE-2019-9512 before CVE-2019-11243.
func compareIDs(a, b string) int {
	x, y := strings.Split(a, "-"), strings.Split(b, "-")
	for i := range min(len(x), len(y)) {
		order := strings.Compare(x[i], y[i])
		if digits(x[i]) && digits(y[i]) {
			order = cmp.Or(cmp.Compare(len(x[i]), len(y[i])), order)
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(len(x), len(y))
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Vulnerabilities returns all records, in order of their names. They are shared: the caller must not change them.
func (c *Catalog) Vulnerabilities() ([]*vuln.Record, error) {
	records, err := c.records()
	return slices.Clone(records), err
}

// Vulnerability returns the record of that name or alias, in any case. An unknown one is [errs.NotFound] with the nearest as a hint.
func (c *Catalog) Vulnerability(id string) (*vuln.Record, error) {
	records, err := c.records()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range records {
		for _, n := range r.Names() {
			if strings.EqualFold(n, id) {
				return r, nil
			}
			names = append(names, n)
		}
	}
	return nil, errs.WithHint(errs.New(errs.NotFound, "vulnerability %q is not known", id), "did you mean %s? \"kubelts vuln list\" lists all", nearest(id, names))
}

// Filter chooses among vulnerabilities.
type Filter struct {
	Component string // only those of the component; "" for all
	Unfixed   bool   // only those that no patch release (of the minor, where a version is asked about) cures
}

// CheckComponent refuses a component that no record names, with the nearest as a hint.
func (c *Catalog) CheckComponent(name string) error {
	records, err := c.records()
	if err != nil || name == "" {
		return err
	}
	var known []string
	for _, r := range records {
		if hasComponent(r, name) {
			return nil
		}
		known = append(known, r.Kubelts.Components...)
	}
	slices.Sort(known)
	return errs.WithHint(errs.New(errs.NotFound, "component %q is not known", name), "did you mean %s?", nearest(name, known))
}

func hasComponent(r *vuln.Record, name string) bool {
	return name == "" || slices.ContainsFunc(r.Kubelts.Components, func(c string) bool { return strings.EqualFold(c, name) })
}

// Outlook is how somebody on a version gets rid of a vulnerability.
type Outlook string

// The outlooks.
const (
	FixedInPatch Outlook = "fixed-in-patch" // a later patch release of the same minor has the fix
	FixedInNewer Outlook = "fixed-in-newer" // only a newer minor has it
	NeverFixed   Outlook = "never-fixed"    // no release has it
)

// Assessment is a vulnerability that a version has.
type Assessment struct {
	Record  *vuln.Record
	Outlook Outlook
	FixedIn release.Version // first release that has the fix; zero when none has
}

// Assess returns the vulnerabilities of Kubernetes that a version has, in order of their names, by upstream's ranges: what a vendor
// has cured on its own is not known. A version that names only a minor, and a vendor's own patch number, which does not tell what it
// is built on, have what any release of the minor has. A range that cannot be judged is an error, not an absence.
func (c *Catalog) Assess(v release.Version, f Filter) ([]Assessment, error) {
	m, err := c.Resolve(v)
	if err != nil {
		return nil, err
	}
	if !v.HasPatch() && len(m.Patches) == 0 {
		return nil, errs.WithHint(errs.New(errs.NotFound, "no release of %s is known", m.Minor), "the facts are of %s", c.snapshot)
	}
	records, err := c.records()
	if err != nil {
		return nil, err
	}
	found := []Assessment{}
	for _, r := range records {
		if !hasComponent(r, f.Component) || !r.Withdrawn.IsZero() {
			continue
		}
		a, affected, err := c.assess(r, v, m)
		if err != nil {
			return nil, err
		}
		if affected && (!f.Unfixed || a.Outlook != FixedInPatch) {
			found = append(found, a)
		}
	}
	return found, nil
}

func (c *Catalog) assess(r *vuln.Record, v release.Version, m Minor) (Assessment, bool, error) {
	ask := []release.Version{v}
	if _, known := v.Upstream(); len(m.Patches) > 0 && (!v.HasPatch() || !known) {
		ask = nil
		for _, p := range m.Patches {
			ask = append(ask, p.Version)
		}
	}
	i, err := lastAffected(r, ask)
	if err != nil || i < 0 {
		return Assessment{}, false, err
	}
	a := Assessment{Record: r, Outlook: NeverFixed}
	a.FixedIn, err = c.firstCured(r, ask[i])
	if err != nil {
		return Assessment{}, false, err
	}
	switch {
	case a.FixedIn.IsZero():
	case a.FixedIn.Minor == m.Minor:
		a.Outlook = FixedInPatch
	default:
		a.Outlook = FixedInNewer
	}
	return a, true, nil
}

// firstCured returns the first release after a version, in its minor or a newer one, that does not have the flaw; zero when none.
func (c *Catalog) firstCured(r *vuln.Record, after release.Version) (release.Version, error) {
	cured, err := c.curedReleases(r)
	if err != nil {
		return release.Version{}, err
	}
	i := slices.IndexFunc(cured, func(v release.Version) bool { return release.CompareUpstream(v, after) > 0 })
	if i < 0 {
		return release.Version{}, nil
	}
	return cured[i], nil
}

// curedReleases are all releases that do not have a flaw, in the order of minors. They are found once for each record of the catalogue: its ranges are text, and a fleet
// asks for the same ones again and again.
func (c *Catalog) curedReleases(r *vuln.Record) ([]release.Version, error) {
	if known, ok := c.cured.Load(r); ok {
		return known.([]release.Version), nil //nolint:forcetypeassert // nothing else is stored
	}
	out := []release.Version{}
	for _, m := range c.minors {
		for _, p := range m.Patches {
			has, err := r.Affects(Package, p.Version)
			if err != nil {
				return nil, fmt.Errorf("%s and %s: %w", r.ID, p.Version, err)
			}
			if !has {
				out = append(out, p.Version)
			}
		}
	}
	c.cured.Store(r, out)
	return out, nil
}

// lastAffected returns the index of the last version that has the flaw, -1 when none has.
func lastAffected(r *vuln.Record, versions []release.Version) (int, error) {
	for i, v := range slices.Backward(versions) {
		has, err := r.Affects(Package, v)
		if err != nil {
			return -1, fmt.Errorf("%s and %s: %w", r.ID, v, err)
		}
		if has {
			return i, nil
		}
	}
	return -1, nil
}

// nearest is the name that is spelled most like s; of sorted names of vulnerabilities that are alike, the newest.
func nearest(s string, names []string) string {
	name, _ := errs.Nearest(s, slices.Values(names))
	return name
}
