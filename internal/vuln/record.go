// Package vuln holds vulnerability records in the OSV format and answers what they say about a version.
//
// A [Record] is one vulnerability. It has aliases (the same flaw under other names), affected packages with ranges, and
// severities. A range is a list of events on a line of versions: introduced, fixed, last_affected, limit. What is ours
// stands under database_specific.kubelts and becomes an [Extension]: how sure the record is, where it comes from, and the
// fixes, each of which names commits by branch.
//
// [Parse] tolerates what it does not know in the OSV part, since that is other people's format, and refuses unknown keys in
// our part. What is relied on is checked: names, times, range events, commit names, branch names. Input is bounded to
// [MaxSize] bytes. Everything here is a value or a pure function; nothing keeps state. The package reads no files and
// fetches nothing.
//
// The format: https://ossf.github.io/osv-schema/.
package vuln

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// MaxSize is the largest document that Parse reads, in bytes.
const MaxSize = 4 << 20

// Record is one vulnerability.
type Record struct {
	SchemaVersion string      `json:"schema_version,omitempty"`
	ID            string      `json:"id"`
	Modified      time.Time   `json:"modified"`
	Published     time.Time   `json:"published,omitzero"`
	Withdrawn     time.Time   `json:"withdrawn,omitzero"`
	Aliases       []string    `json:"aliases,omitempty"`
	Related       []string    `json:"related,omitempty"`
	Summary       string      `json:"summary,omitempty"`
	Details       string      `json:"details,omitempty"`
	Severity      []Severity  `json:"severity,omitempty"`
	Affected      []Affected  `json:"affected,omitempty"`
	References    []Reference `json:"references,omitempty"`
	Kubelts       Extension   `json:"-"` // database_specific.kubelts
}

// Severity is a rating: the type names the scheme (CVSS_V3), the score is the vector.
type Severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// Affected says which versions of one package have the flaw.
type Affected struct {
	Package  Package  `json:"package,omitzero"`
	Ranges   []Range  `json:"ranges,omitempty"`
	Versions []string `json:"versions,omitempty"`
}

// Package names what is affected within an ecosystem, such as k8s.io/kubernetes in Kubernetes.
type Package struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	PURL      string `json:"purl,omitempty"`
}

// The types of ranges.
const (
	RangeSemver    = "SEMVER"
	RangeEcosystem = "ECOSYSTEM"
	RangeGit       = "GIT"
)

// Range is a set of versions, or for GIT a set of commits of the repository Repo, given by its events.
type Range struct {
	Type   string  `json:"type"`
	Repo   string  `json:"repo,omitempty"`
	Events []Event `json:"events"`
}

// Event is one point of a range. Exactly one field is set: a version, for GIT a commit; "0" is before everything.
type Event struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// Reference is a link; the type is OSV's (ADVISORY, FIX, REPORT, WEB, ...).
type Reference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// Extension is what kubelts adds to a record, under database_specific.kubelts.
type Extension struct {
	Class      string   `json:"class,omitempty"`      // who announced it: see the Class constants; "" when the record does not say
	Project    string   `json:"project,omitempty"`    // whose flaw it is, such as kubernetes/kubernetes
	Components []string `json:"components,omitempty"` // kube-apiserver, kubelet, ...
	OS         string   `json:"os,omitempty"`         // any, linux, windows: where the flaw can be met
	Confidence string   `json:"confidence,omitempty"` // high, medium, low
	Sources    []string `json:"sources,omitempty"`    // where the facts come from
	Conflicts  []string `json:"conflicts,omitempty"`  // where sources disagree, and which was followed
	// PracticalLowerBound says from when on the flaw can really be met, where ranges start at 0 for want of knowledge.
	PracticalLowerBound string           `json:"practical_lower_bound,omitempty"`
	Issue               int              `json:"issue,omitempty"`         // number in kubernetes/kubernetes
	Unfixed             bool             `json:"unfixed,omitempty"`       // by decision or without a fixed version: no release cures it
	PullRequests        map[string][]int `json:"pull_requests,omitempty"` // of the fix in kubernetes/kubernetes, by branch
	RelatedPullRequests []int            `json:"related_pull_requests,omitempty"`
	PullRequestSource   string           `json:"pull_request_source,omitempty"`
	// VerifiedFixed is the first release of each minor that was seen in git to carry the fix, in the staging repositories.
	VerifiedFixed map[string]string `json:"verified_fixed,omitempty"`
	// JudgedByGit are the minors (1.28) of which the ranges say what git shows. Where it stands in a record that was corrected by git, the ranges say nothing
	// but what was there before about the other minors.
	JudgedByGit     []string            `json:"judged_by_git,omitempty"`
	VendorBackports map[string][]string `json:"vendor_backports,omitempty"` // minors by vendor
	SeveritySource  string              `json:"severity_source,omitempty"`  // where the rating is not from the record's sources
	Fixes           []Fix               `json:"fixes,omitempty"`
}

// The classes of records.
const (
	ClassOfficial           = "official"             // announced by Kubernetes' response committee for kubernetes/kubernetes
	ClassOfficialThirdParty = "official-third-party" // the same, for a dependency or a packaged component
	ClassOfficialSubproject = "official-subproject"  // the same, for another repository of the project
	ClassThirdParty         = "third-party"          // a dependency's flaw that Kubernetes announced
	ClassPreFeed            = "pre-feed"             // from before that process
	ClassNotInFeed          = "not-in-feed"          // assigned by somebody else
	ClassFault              = "fault"                // no vulnerability: a fault so critical that lines should carry its cure
)

// How sure a fact is.
const (
	ConfidenceHigh   = "high"
	ConfidenceMedium = "medium"
	ConfidenceLow    = "low"
)

// The kinds of fixes.
const (
	KindFix           = "fix"
	KindFixDependency = "fix-dependency" // takes in a cured dependency
	KindFollowUp      = "follow-up"
	KindTest          = "test"
	KindHardening     = "hardening"
	KindRegressionFix = "regression-fix" // repairs what the fix broke
)

// Fix is one way the vulnerability is cured in one repository: commits that belong together (a pull request's), in
// upstream's order, on the main branch and instances on other branches.
type Fix struct {
	// Repository is owner/name, such as kubernetes/apiserver; "" in a project's file means the project's upstream.
	Repository string `json:"repository,omitempty"`
	Subject    string `json:"subject,omitempty"` // what it does, for people
	Kind       string `json:"kind"`              // see the Kind constants
	// PullRequest is the number on the main branch, 0 when it is not known.
	PullRequest int `json:"pull_request,omitempty"`
	// Commits are full or abbreviated commit names by branch, in order; the main branch is there under its own name. A
	// commit that comes from a GIT range, which names no branch, is filed under its own name.
	Commits map[string][]string `json:"commits,omitempty"`
	// PullRequests are the cherry-picks by branch.
	PullRequests map[string]int `json:"pull_requests,omitempty"`
	Confidence   string         `json:"confidence,omitempty"`
	Source       string         `json:"source,omitempty"`
}

// Main returns the fix's commits on the main branch, which is called master or main, with the branch. Where neither is
// there, and only one branch is, it is that one. Otherwise it returns nothing.
func (f Fix) Main() (branch string, commits []string) {
	for _, name := range []string{"master", "main"} {
		if c := f.Commits[name]; len(c) > 0 {
			return name, c
		}
	}
	if len(f.Commits) == 1 {
		for name, c := range f.Commits {
			return name, c
		}
	}
	return "", nil
}

// FixesIn returns the fixes for a repository (owner/name), fixes that name no repository included, in the record's order.
func (r *Record) FixesIn(repository string) []Fix {
	var fixes []Fix
	for _, f := range r.Kubelts.Fixes {
		if f.Repository == "" || strings.EqualFold(f.Repository, repository) {
			fixes = append(fixes, f)
		}
	}
	return fixes
}

// RequiredFixes returns the fixes that must all be on a branch of the repository for the branch to be called fixed: those of
// kind fix; where the repository has none, those of kind fix-dependency. Tests, follow-ups, hardening and repairs of
// regressions are never required. None at all means that no fix is known for that repository.
func (r *Record) RequiredFixes(repository string) []Fix {
	all := r.FixesIn(repository)
	for _, kind := range []string{KindFix, KindFixDependency} {
		required := slices.Clone(all)
		required = slices.DeleteFunc(required, func(f Fix) bool { return f.Kind != kind || len(f.Commits) == 0 })
		if len(required) > 0 {
			return required
		}
	}
	return nil
}

// Names returns the record's name and its aliases.
func (r *Record) Names() []string {
	return append([]string{r.ID}, r.Aliases...)
}

type plainRecord Record

type wireRecord struct {
	*plainRecord
	DatabaseSpecific wireSpecific `json:"database_specific,omitzero"`
}

type wireSpecific struct {
	Kubelts json.RawMessage `json:"kubelts,omitempty"`
}

// MarshalJSON writes the record as an OSV document with the extension in its place.
func (r Record) MarshalJSON() ([]byte, error) {
	w := wireRecord{plainRecord: (*plainRecord)(&r)}
	ext, err := json.Marshal(r.Kubelts)
	if err != nil {
		return nil, err
	}
	if string(ext) != "{}" {
		w.DatabaseSpecific.Kubelts = ext
	}
	return json.Marshal(w)
}
