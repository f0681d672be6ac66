package provenance

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/vuln"
)

// maxReferences bounds the links of a record that is made of several.
const maxReferences = 60

// draft is the record before ranges are decided: a copy of the reviewed one, or one made of the candidates; nil where nothing is about Kubernetes.
func (m *merger) draft(g *group, opinions []*opinion) *vuln.Record {
	if g.base != nil {
		record := *g.base
		for _, c := range g.candidates {
			if c.Origin.Rank == Git {
				record.Kubelts.VerifiedFixed = joined(record.Kubelts.VerifiedFixed, c.Record.Kubelts.VerifiedFixed)
				record.Kubelts.JudgedByGit = m.minors(record.Kubelts.JudgedByGit, c.Record.Kubelts.JudgedByGit)
			}
		}
		return &record
	}
	first := g.candidates[0]
	if len(opinions) == 0 && first.Origin.Rank == Other {
		return nil
	}
	record := &vuln.Record{SchemaVersion: "1.7.0", ID: g.id}
	var sources []string
	for _, c := range g.candidates {
		fill(record, c.Record)
		if from := c.Origin.Source + ": " + c.Origin.URL; !slices.Contains(sources, from) {
			sources = append(sources, from)
		}
	}
	record.Withdrawn = taken(g.candidates)
	record.Kubelts = vuln.Extension{Sources: sources, Confidence: confidence(first.Origin.Rank), Class: class(first.Origin.Rank, len(opinions) > 0)}
	if first.Origin.Rank == Git {
		git := first.Record.Kubelts
		record.Kubelts.Fixes, record.Kubelts.VerifiedFixed, record.Kubelts.JudgedByGit = git.Fixes, git.VerifiedFixed, m.minors(git.JudgedByGit, nil)
	}
	m.packages(record, g, opinions)
	return record
}

// taken is when the record was taken back: not before all sources of the first one's rank did so. Of two advisories for one flaw the second is often withdrawn as a
// duplicate, and that cures nothing.
func taken(candidates []Candidate) (at time.Time) {
	for _, c := range candidates {
		if c.Origin.Rank != candidates[0].Origin.Rank {
			break
		}
		if c.Record.Withdrawn.IsZero() {
			return time.Time{}
		}
		if c.Record.Withdrawn.After(at) {
			at = c.Record.Withdrawn
		}
	}
	return at
}

// minors are those of two lists, in order.
func (m *merger) minors(a, b []string) []string {
	var all []string
	for _, v := range m.Releases {
		if name := v.Minor.String(); !slices.Contains(all, name) && (slices.Contains(a, name) || slices.Contains(b, name)) {
			all = append(all, name)
		}
	}
	return all
}

// joined is a map with what another one has.
func joined(a, b map[string]string) map[string]string {
	if len(b) == 0 {
		return a
	}
	out := maps.Clone(b)
	for k, v := range a {
		if _, ok := out[k]; !ok {
			out[k] = v
		}
	}
	return out
}

// fill takes from a candidate what the record does not have yet.
func fill(record, r *vuln.Record) {
	record.Summary = cmp.Or(record.Summary, r.Summary)
	record.Details = cmp.Or(record.Details, r.Details)
	if len(record.Severity) == 0 {
		record.Severity = r.Severity
	}
	if record.Published.IsZero() || !r.Published.IsZero() && r.Published.Before(record.Published) {
		record.Published = r.Published
	}
	if latest(r).After(record.Modified) {
		record.Modified = latest(r)
	}
	for _, ref := range r.References {
		if len(record.References) < maxReferences && !slices.Contains(record.References, ref) {
			record.References = append(record.References, ref)
		}
	}
}

func confidence(r Rank) string {
	switch r {
	case Git:
		return vuln.ConfidenceHigh
	case Announced:
		return vuln.ConfidenceMedium
	default:
		return vuln.ConfidenceLow
	}
}

func class(r Rank, core bool) string {
	switch {
	case r == Other:
		return vuln.ClassNotInFeed
	case core:
		return vuln.ClassOfficial
	}
	return vuln.ClassOfficialSubproject
}

// packages says what a new record is about. What the project announced without any version that can be read, every release has until somebody says
// better: to leave it out would clear them all.
func (m *merger) packages(record *vuln.Record, g *group, opinions []*opinion) {
	var components []string
	for _, c := range g.candidates {
		if c.Origin.Rank != g.candidates[0].Origin.Rank {
			break
		}
		for _, a := range c.Record.Affected {
			if !IsPart(a.Package.Name) && a.Package.Name != "" {
				record.Affected = append(record.Affected, a)
				continue
			}
			name := a.Package.Name[strings.LastIndex(a.Package.Name, "/")+1:]
			if name = component(name); name != "" && !slices.Contains(components, name) {
				components = append(components, name)
			}
		}
	}
	record.Kubelts.Components = components
	if len(opinions) > 0 {
		record.Kubelts.Project = "kubernetes/kubernetes"
	}
	if len(opinions)+len(record.Affected) > 0 {
		return
	}
	record.Kubelts.Project, record.Kubelts.Class, record.Kubelts.Confidence = "kubernetes/kubernetes", vuln.ClassOfficial, vuln.ConfidenceLow
	record.Kubelts.Conflicts = []string{"no source names versions that can be read: every release is taken to be affected until one does"}
	record.Affected = []vuln.Affected{{
		Package: vuln.Package{Ecosystem: Ecosystem, Name: Package},
		Ranges:  []vuln.Range{{Type: vuln.RangeSemver, Events: []vuln.Event{{Introduced: "0"}}}},
	}}
}

// component is the program that a package is in, as far as the package's name tells.
func component(name string) string {
	switch name {
	case "kubernetes", "api", "apimachinery", "client-go", "component-base", "component-helpers":
		return ""
	case "apiserver", "apiextensions-apiserver", "kube-aggregator":
		return "kube-apiserver"
	case "controller-manager":
		return "kube-controller-manager"
	}
	return name
}

// fields returns where candidates disagree with the record about its rating, or about whether it stands at all.
func fields(record *vuln.Record, g *group) []Conflict {
	var conflicts []Conflict
	followed := Side{Source: string(Reviewed), Rank: Reviewed}
	if g.base == nil {
		followed = side(g.candidates[0].Origin)
	}
	ours, rated := record.Score()
	for _, c := range g.candidates {
		if c.Origin.Rank == Git { // commits tell nothing of it: what such a record says is what it was corrected from
			continue
		}
		if score, ok := c.Record.Score(); ok && rated && score != ours {
			conflict := Conflict{ID: g.id, Field: "severity", Followed: followed, Other: side(c.Origin), Reason: reason(followed.Rank, &opinion{origin: c.Origin})}
			conflict.Followed.Says, conflict.Other.Says = number(ours), number(score)
			if followed.Rank == c.Origin.Rank {
				conflict.Reason = "of sources of equal rank, the latest is followed"
			}
			conflicts = append(conflicts, conflict)
		}
		if c.Record.Withdrawn.IsZero() != record.Withdrawn.IsZero() {
			conflict := Conflict{ID: g.id, Field: "withdrawn", Followed: followed, Other: side(c.Origin), Reason: "a record stands until the one followed withdraws it"}
			conflict.Followed.Says, conflict.Other.Says = withdrawn(record), withdrawn(c.Record)
			conflicts = append(conflicts, conflict)
		}
	}
	return conflicts
}

func number(score float64) string { return strconv.FormatFloat(score, 'f', 1, 64) }

func withdrawn(r *vuln.Record) string {
	if r.Withdrawn.IsZero() {
		return "standing"
	}
	return "withdrawn"
}
