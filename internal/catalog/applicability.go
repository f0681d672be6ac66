package catalog

import (
	"io/fs"
	"slices"

	"github.com/kubelts/kubelts/internal/errs"
)

// Applicability says what a cluster must have for some vulnerabilities to be usable in it, as their announcements tell.
type Applicability struct {
	IDs        []string    `yaml:"ids"`
	Components []string    `yaml:"components"` // for which it holds; none for all
	Needs      []Condition `yaml:"needs"`      // all of these; where one is known not to hold, the flaw cannot be used
	Why        string      `yaml:"why"`
	Source     string      `yaml:"source"`
	Confidence string      `yaml:"confidence"`
}

// Condition is one thing that a cluster must have. Exactly one field is set; Any stands at the top only.
type Condition struct {
	Use           string         `yaml:"use"`            // a feature that a snapshot tells of
	NodeOS        string         `yaml:"node_os"`        // there is a node with this operating system
	Plugin        string         `yaml:"plugin"`         // an admission plugin, off by default, is switched on
	WithoutPlugin string         `yaml:"without_plugin"` // an admission plugin, off by default, is not switched on
	Flag          *FlagCondition `yaml:"flag"`
	Any           []Condition    `yaml:"any"` // one of these is enough
}

// FlagCondition is what a component's flag must be. Exactly one of AtLeast and Is is set.
type FlagCondition struct {
	Component string `yaml:"component"`
	Name      string `yaml:"name"` // without dashes
	AtLeast   int    `yaml:"at_least"`
	Is        string `yaml:"is"`
	Default   string `yaml:"default"` // what an absent flag stands for
}

type applicabilityDoc struct {
	Snapshot day               `yaml:"snapshot"`
	Sources  map[string]string `yaml:"sources"`
	Rules    []Applicability   `yaml:"rules"`
}

func loadApplicability(fsys fs.FS) ([]Applicability, error) {
	var doc applicabilityDoc
	if err := decode(fsys, applicabilityFile, &doc); err != nil {
		return nil, err
	}
	for i, r := range doc.Rules {
		if len(r.IDs) == 0 || len(r.Needs) == 0 || r.Why == "" {
			return nil, errs.New(errs.Invalid, "%s: rule %d names no vulnerability, needs nothing or has no reason", applicabilityFile, i+1)
		}
		where := applicabilityFile + ": " + r.IDs[0]
		if err := sourced(where, r.Source, r.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(r.Needs, func(c Condition) bool { return !c.valid() }) {
			return nil, errs.New(errs.Invalid, "%s: a condition must have one of use, node_os, plugin, without_plugin, flag and any", where)
		}
		doc.Rules[i].Source = doc.Sources[r.Source]
	}
	return doc.Rules, nil
}

func (c Condition) valid() bool {
	if len(c.Any) > 0 {
		nested := func(n Condition) bool { return len(n.Any) > 0 || !n.valid() }
		return len(c.Any) > 1 && !slices.ContainsFunc(c.Any, nested) && c.Use+c.NodeOS+c.Plugin+c.WithoutPlugin == "" && c.Flag == nil
	}
	set := 0
	for _, s := range []string{c.Use, c.NodeOS, c.Plugin, c.WithoutPlugin} {
		if s != "" {
			set++
		}
	}
	if f := c.Flag; f != nil {
		set++
		if f.Component == "" || f.Name == "" || (f.AtLeast > 0) == (f.Is != "") {
			return false
		}
	}
	return set == 1
}

// Applicability returns what clusters must have for vulnerabilities to be usable in them. The caller must not change what is in it.
func (c *Catalog) Applicability() ([]Applicability, error) {
	rules, err := c.applicability()
	return slices.Clone(rules), err
}
