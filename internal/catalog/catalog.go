// Package catalog joins the facts: releases, support policy, vendors' windows, vulnerabilities with their fixes, Go versions and
// the loopback certificate.
//
// A [Catalog] is read by [Load] from files in the forms that docs/data.md describes: those built into the program, or a person's
// own. Reading is strict: an unknown key, an unknown source or an order that is broken is an error with file and line. What is
// unknown stays unknown: a day that no source gives is the zero [release.Date], never a computed one. Releases and vendors are
// read at once; the rest when it is first asked for.
//
// A Catalog does not change and may be used from many goroutines. It knows the files as they were at its snapshot day and reads
// no clock: the day that matters is always an argument.
package catalog

import (
	"io/fs"
	"slices"
	"sync"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Package is the name of Kubernetes itself in the records' affected packages.
const Package = "k8s.io/kubernetes"

// Catalog is the facts.
type Catalog struct {
	snapshot release.Date
	minors   []Minor
	sources  map[string]string // of releases.yaml
	policy   release.Policy
	products []Product

	records    func() ([]*vuln.Record, error)
	loopback   func() (*Loopback, error)
	toolchains func() ([]Toolchain, error)

	applicability func() ([]Applicability, error)
	removals      func() ([]Removal, error)

	cured sync.Map // of a *vuln.Record: the releases that do not have the flaw, once they were asked for
}

// Fact is a day with where it comes from and how sure it is.
type Fact struct {
	Date       release.Date
	Source     string // a key of the file's table of sources
	Confidence string // high, medium, low
}

// Minor is a minor version with its life.
type Minor struct {
	Minor       release.Minor
	Released    Fact
	Maintenance Fact     // first day of maintenance mode
	End         Fact     // last day of support
	Why         string   // why the last day is not the policy's, where no rule explains it
	Note        string   // what else is to know
	Conflicts   []string // where sources disagree
	Patches     []Patch  // in order
}

// Patch is a patch release.
type Patch struct {
	Version    release.Version
	Date       release.Date
	Source     string
	Confidence string
}

// Window returns the supported life of the minor.
func (m Minor) Window() release.Window {
	return release.Window{Released: m.Released.Date, MaintenanceFrom: m.Maintenance.Date, EndOfLife: m.End.Date}
}

// Load reads a catalog from a directory of facts. Errors are [errs.Invalid] for what is wrong in a file, and [errs.NotFound] for a
// file that is missing. Vulnerabilities, toolchains and the loopback certificate are read and checked when they are asked for.
func Load(fsys fs.FS) (*Catalog, error) {
	c := &Catalog{
		records:    sync.OnceValues(func() ([]*vuln.Record, error) { return loadRecords(fsys) }),
		loopback:   sync.OnceValues(func() (*Loopback, error) { return loadLoopback(fsys) }),
		toolchains: sync.OnceValues(func() ([]Toolchain, error) { return loadToolchains(fsys) }),

		applicability: sync.OnceValues(func() ([]Applicability, error) { return loadApplicability(fsys) }),
		removals:      sync.OnceValues(func() ([]Removal, error) { return loadRemovals(fsys) }),
	}
	if err := c.loadReleases(fsys); err != nil {
		return nil, err
	}
	var err error
	if c.policy, err = loadPolicy(fsys); err != nil {
		return nil, err
	}
	if c.products, err = loadVendors(fsys); err != nil {
		return nil, err
	}
	return c, nil
}

// Snapshot returns the day on which the facts about releases were collected.
func (c *Catalog) Snapshot() release.Date { return c.snapshot }

// Policy returns the support policy of upstream.
func (c *Catalog) Policy() release.Policy { return c.policy }

// Minors returns all minors, oldest first. The caller must not change what is in them.
func (c *Catalog) Minors() []Minor { return slices.Clone(c.minors) }

// Products returns the products of vendors, in order of their names.
func (c *Catalog) Products() []Product { return slices.Clone(c.products) }

// Source returns what a key in a [Fact] or [Patch] stands for.
func (c *Catalog) Source(key string) string { return c.sources[key] }

// Minor returns what is known of a minor. An unknown one is [errs.NotFound], with the nearest known one as a hint.
func (c *Catalog) Minor(m release.Minor) (Minor, error) {
	i, ok := slices.BinarySearchFunc(c.minors, m, func(a Minor, b release.Minor) int { return release.CompareMinors(a.Minor, b) })
	if ok {
		return c.minors[i], nil
	}
	near := c.minors[min(i, len(c.minors)-1)].Minor
	return Minor{}, errs.WithHint(errs.New(errs.NotFound, "minor %s is not known", m), "the nearest known minor is %s; the facts are of %s", near, c.snapshot)
}

// Resolve returns the minor of a version, and refuses versions that upstream never released: with [errs.NotFound] and the nearest
// known one as a hint. Pre-releases, builds between tags and vendors' own patch numbers are not listed anywhere; of them only the
// minor is asked for.
func (c *Catalog) Resolve(v release.Version) (Minor, error) {
	m, err := c.Minor(v.Minor)
	if err != nil {
		return Minor{}, err
	}
	if !v.IsRelease() || v.OwnNumbering() {
		return m, nil
	}
	if _, ok := m.patch(v.Patch); ok {
		return m, nil
	}
	fault := errs.New(errs.NotFound, "version %s is not a known release", v)
	if len(m.Patches) == 0 {
		return Minor{}, errs.WithHint(fault, "no release of %s is known; the facts are of %s", m.Minor, c.snapshot)
	}
	near := slices.MinFunc(m.Patches, func(a, b Patch) int { return distance(a.Version.Patch, v.Patch) - distance(b.Version.Patch, v.Patch) })
	return Minor{}, errs.WithHint(fault, "the nearest known release is %s; the facts are of %s", near.Version, c.snapshot)
}

func distance(a, b int) int { return max(a-b, b-a) }

func (m Minor) patch(number int) (Patch, bool) {
	i, ok := slices.BinarySearchFunc(m.Patches, number, func(p Patch, n int) int { return p.Version.Patch - n })
	if !ok {
		return Patch{}, false
	}
	return m.Patches[i], true
}

// Latest returns the newest patch release of the minor on a day, and false when there was none yet.
func (m Minor) Latest(on release.Date) (Patch, bool) {
	for _, p := range slices.Backward(m.Patches) {
		if !p.Date.After(on) {
			return p, true
		}
	}
	return Patch{}, false
}

// released tells when a minor was released; zero when that is unknown or to come.
func (c *Catalog) released(m release.Minor) release.Date {
	known, err := c.Minor(m)
	if err != nil {
		return release.Date{}
	}
	return known.Released.Date
}
