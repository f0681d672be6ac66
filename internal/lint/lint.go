// Package lint says what is wrong with a repository of release lines, without changing it: one of KLTS, or a project of kubelts.
//
// A finding has a rule, a severity, a place and a sentence. An error is something that does other than it says, or lets anything in; a warning something that
// will do harm; a note something to know. What could not be looked at is listed as not observed, never as right.
//
// Everything is a pure function of what [Files] gives; order is that of severity, rule and place, so equal input gives equal reports. What is read was written
// by strangers: the readers of packages foreign and lts bound it, and a report escapes it in every format.
package lint

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
)

// The severities, the worst first.
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

// Severities are all of them, the worst first.
func Severities() []string { return []string{Error, Warning, Note} }

// kubernetes is the upstream that the facts are about.
const kubernetes = "kubernetes/kubernetes"

// The kinds of repositories.
const (
	KindKLTS    = "klts"
	KindProject = "project"
	KindEKSD    = "eksd"
	KindQuilt   = "quilt"
)

// Report is what is wrong with a repository.
type Report struct {
	Kind        string       `json:"kind"`
	Path        string       `json:"path"` // as it was named; its own name where that was "."
	Date        release.Date `json:"date"`
	Totals      Totals       `json:"totals"`
	Lines       []Line       `json:"lines"` // in the order of the repository
	Findings    []Finding    `json:"findings"`
	Compared    int          `json:"compared"`    // patches that were compared with what they say they carry
	NotObserved []string     `json:"notObserved"` // one sentence each
}

// Totals counts findings by severity.
type Totals struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
}

// Line is a line of the repository.
type Line struct {
	Name     string `json:"name"`
	Base     string `json:"base"`    // upstream's tag; empty when nothing tells
	Patches  int    `json:"patches"` // that it names
	Absent   int    `json:"absent"`  // of these, how many are not there, undefined or only on the network
	Errors   int    `json:"errors"`  // findings that name the line
	Warnings int    `json:"warnings"`
}

// Finding is one thing that is wrong.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity string   `json:"severity"`
	Subject  string   `json:"subject"`        // what it is about: a name, a path, a URL
	Message  string   `json:"message"`        // a sentence that begins with or contains the subject
	File     string   `json:"file,omitempty"` // relative to the repository
	Row      int      `json:"row,omitempty"`  // from 1
	Lines    []string `json:"lines,omitempty"`
	// Items are what the sentence counts: packages, vulnerabilities, releases.
	Items []string `json:"items,omitempty"`
	// Evidence is why, one sentence for each item, where it needs one.
	Evidence []string `json:"evidence,omitempty"`
	Hint     string   `json:"hint,omitempty"` // what to do
}

// Where is the place as people and editors write it.
func (f Finding) Where() string {
	if f.Row == 0 {
		return f.File
	}
	return f.File + ":" + itoa(f.Row)
}

// Text is the sentence with what it counts, where that is not in it already.
func (f Finding) Text() string {
	if len(f.Items) == 0 || told(f) {
		return f.Message
	}
	return f.Message + ": " + strings.Join(f.Items, ", ")
}

// Files is the folder to look at.
type Files = foreign.Files

// Trees is upstream's clone.
type Trees interface {
	// Tag returns the commit of a tag, and false when the clone has no such tag.
	Tag(name string) (git.OID, bool)
	// File returns a file of a commit; an absent one is an error of kind not-found, and so is one whose object the clone lacks.
	File(ctx context.Context, commit git.OID, path string) ([]byte, error)
}

// Options is what a repository is compared with.
type Options struct {
	Path string
	Date release.Date
	// Known returns the vulnerabilities that an upstream release of Kubernetes has, each with all its names. An error means that nothing is known of the release.
	Known func(tag string) ([][]string, error)
	Trees Trees // nil when no clone was named
	// Upstream is the repository that the clone is of, owner/name; empty for the upstream of what is looked at.
	Upstream string
	// Below is the directory of upstream that the clone holds at its root, with a slash at the end: staging/src/k8s.io/api/. Empty for all of it.
	Below string
	// Origins is the clone's history; nil when no clone was named.
	Origins Origins
	// Judge judges releases by triage: for each tag that the clone has the vulnerabilities of which it knows a fix. nil when no clone was named.
	Judge func(ctx context.Context, tags []string) (map[string][]Judged, error)
}

// At counts the findings that are at least as bad as a severity.
func (r *Report) At(severity string) int {
	n := 0
	for _, f := range r.Findings {
		if slices.Index(Severities(), f.Severity) <= slices.Index(Severities(), severity) {
			n++
		}
	}
	return n
}

// Rules returns the rules that the report's findings are of, the worst first, each with its findings.
func (r *Report) Rules() []Group {
	var groups []Group
	for _, rule := range rules() {
		g := Group{Rule: rule}
		for _, f := range r.Findings {
			if f.Rule == rule.ID {
				g.Findings = append(g.Findings, f)
			}
		}
		if len(g.Findings) > 0 {
			g.Severity = g.Findings[0].Severity // the worst: they are sorted
			groups = append(groups, g)
		}
	}
	slices.SortStableFunc(groups, func(a, b Group) int {
		return cmp.Compare(slices.Index(Severities(), a.Severity), slices.Index(Severities(), b.Severity))
	})
	return groups
}

// Group is a rule with what it found.
type Group struct {
	Rule

	Findings []Finding
}

// collector gathers a report.
type collector struct {
	report  *Report
	options Options
	files   Files
	wanted  []wanted
	groups  []group // of what was not observed
}

// group is things that were not observed for one reason.
type group struct {
	what, why string // the sentence is: what, the items, why
	items     []string
}

func newCollector(kind string, files Files, o Options) *collector {
	return &collector{
		report:  &Report{Kind: kind, Path: o.Path, Date: o.Date, Lines: []Line{}, Findings: []Finding{}, NotObserved: []string{}},
		options: o, files: files,
	}
}

// add puts a finding in; its severity is the rule's unless it has one.
func (c *collector) add(f Finding) {
	if f.Severity == "" {
		f.Severity = ruleOf(f.Rule).Severity
	}
	c.report.Findings = append(c.report.Findings, f)
}

func (c *collector) unseen(sentence string) {
	if !slices.Contains(c.report.NotObserved, sentence) {
		c.report.NotObserved = append(c.report.NotObserved, sentence)
	}
}

// unseenOf adds to what was not observed for one reason.
func (c *collector) unseenOf(what, item, why string) {
	at := slices.IndexFunc(c.groups, func(g group) bool { return g.what == what && g.why == why })
	if at < 0 {
		at = len(c.groups)
		c.groups = append(c.groups, group{what: what, why: why})
	}
	if !slices.Contains(c.groups[at].items, item) {
		c.groups[at].items = append(c.groups[at].items, item)
	}
}

// finish sorts and counts.
func (c *collector) finish() *Report {
	order := map[string]int{}
	for i, r := range rules() {
		order[r.ID] = i
	}
	for _, g := range c.groups {
		c.unseen(g.what + " " + few(g.items) + ": " + g.why)
	}
	r := c.report
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Severities(), a.Severity), slices.Index(Severities(), b.Severity)), cmp.Compare(order[a.Rule], order[b.Rule]),
			strings.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), strings.Compare(a.Subject, b.Subject),
		)
	})
	for _, f := range r.Findings {
		switch f.Severity {
		case Error:
			r.Totals.Errors++
		case Warning:
			r.Totals.Warnings++
		default:
			r.Totals.Notes++
		}
		for i := range r.Lines {
			if !slices.Contains(f.Lines, r.Lines[i].Name) {
				continue
			}
			switch f.Severity {
			case Error:
				r.Lines[i].Errors++
			case Warning:
				r.Lines[i].Warnings++
			}
		}
	}
	return r
}

// sentence is an error as a part of a finding.
func sentence(err error) string {
	text := err.Error()
	if hints := errs.Hints(err); len(hints) > 0 {
		text += " (" + hints[0] + ")"
	}
	return text
}
