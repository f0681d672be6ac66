package findings

import (
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// Severity is how bad a finding is.
type Severity string

// The severities, worst first. Info findings are worth knowing and need no act.
const (
	Critical Severity = "critical" // it is broken or can be exploited now, or will be within days
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Severities are all severities, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// Finding is something to act on, or with severity Info something to know.
type Finding struct {
	// ID stays the same from run to run while the same thing is wrong with the same subject: acceptances and other systems name it.
	ID       string       `json:"id"`
	Rule     string       `json:"rule"` // what looked, such as loopback-certificate; docs/check.md lists all
	Area     cluster.Area `json:"area"`
	Severity Severity     `json:"severity"`
	Title    string       `json:"title"`    // one line
	Subjects []string     `json:"subjects"` // what it is about: instances, nodes, objects; at most maxSubjects of them
	Count    int          `json:"count"`    // how many subjects there are in all
	Effect   string       `json:"effect"`   // what is lost, in a sentence or two
	// When is the time at which the effect begins or began; nil when it holds already without a known beginning.
	When       *time.Time  `json:"when,omitempty"`
	DaysLeft   *int        `json:"daysLeft,omitempty"` // whole days to When, negative after it
	Remedy     []Step      `json:"remedy"`
	Evidence   []string    `json:"evidence"`
	References []string    `json:"references,omitempty"` // URLs
	Hole       *Hole       `json:"vulnerability,omitempty"`
	Accepted   *Acceptance `json:"accepted,omitempty"` // set when somebody accepted the risk, and that has not expired
	// Broken says that something has stopped working, or will within a day.
	Broken bool `json:"broken,omitempty"`
}

// Step is one thing to do, with a command that can be pasted where there is one.
type Step struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// Hole is a vulnerability at the exact version of a component.
type Hole struct {
	ID        string          `json:"id"`
	Component string          `json:"component"`
	Version   string          `json:"version"`
	Outlook   catalog.Outlook `json:"outlook"`
	FixedIn   string          `json:"fixedIn,omitempty"` // the release that one would take
	// Line is a line release that cures it, where one is known.
	Line string `json:"line,omitempty"`
	// Status is affected, not_affected, fixed or under_investigation, as OpenVEX has them; NotApplicable says by what the snapshot
	// shows that the hole cannot be used here, Unsure why it is not known whether this build has the flaw.
	Status        string   `json:"status"`
	NotApplicable string   `json:"notApplicable,omitempty"`
	Unsure        string   `json:"unsure,omitempty"`
	Word          string   `json:"word,omitempty"`   // by whose word it is fixed, where it is
	Rating        string   `json:"rating,omitempty"` // as vuln.Rating; "" when nobody rated it
	Score         float64  `json:"score,omitempty"`  // the CVSS base score, 0 when nobody rated it
	Summary       string   `json:"summary"`
	Subjects      []string `json:"subjects"` // where the component runs at this version; at most maxSubjects
	Count         int      `json:"count"`    // in how many places
}

// The statuses of holes.
const (
	Affected           = "affected"
	NotAffected        = "not_affected"
	Cured              = "fixed"
	UnderInvestigation = "under_investigation"
)

// Deadline is a day on which something ends.
type Deadline struct {
	When     time.Time         `json:"when"`
	DaysLeft int               `json:"daysLeft"`
	What     string            `json:"what"` // such as "upstream's support of 1.24", "loopback certificate of cp-2"
	Area     cluster.Area      `json:"area"`
	Severity Severity          `json:"severity"` // as of the finding that it belongs to, Info where there is none
	Finding  string            `json:"finding,omitempty"`
	Kind     cluster.ChainKind `json:"kind,omitempty"` // of certificates; "" for all else that ends
}

// Verdict is the report in a word.
type Verdict string

// The verdicts, worst first. A cluster of which something that was asked for was not observed is never well.
const (
	Broken   Verdict = "broken"  // something has stopped working, or will today
	AtRisk   Verdict = "at-risk" // a finding of severity critical or high
	Attend   Verdict = "attend"  // a finding of severity medium or low
	Unclear  Verdict = "unclear" // nothing found, and not all was observed
	WellSeen Verdict = "well"    // nothing found, and all was observed
)

// Report is what a snapshot means at a time.
type Report struct {
	Cluster Summary   `json:"cluster"`
	At      time.Time `json:"at"`
	Verdict Verdict   `json:"verdict"`
	// Score is 0 to 100; docs/check.md says how it is made.
	Score     int              `json:"score"`
	Findings  []Finding        `json:"findings"`        // worst first, then soonest
	Deadlines []Deadline       `json:"deadlines"`       // soonest first
	Holes     []Hole           `json:"vulnerabilities"` // all that concern a component, also those that do not apply
	Support   *catalog.Support `json:"support"`         // of the oldest API server; nil when no version was seen
	// Vendor is how long the vendor whose build this is supports it; nil for upstream's builds and where nothing is known.
	Vendor      *catalog.VendorSupport `json:"vendorSupport,omitempty"`
	NotObserved []cluster.NotObserved  `json:"notObserved"`
	// Deductions say how Score came about: it is 100 less these, and no more than what the verdict allows.
	Deductions []Deduction `json:"deductions"`
}

// Deduction is what an area takes off the score.
type Deduction struct {
	Area   cluster.Area `json:"area"`
	Points int          `json:"points"`
	Why    string       `json:"why"`
}

// Summary is a cluster in a few lines.
type Summary struct {
	Context      string               `json:"context"`
	Names        []string             `json:"names,omitempty"` // other contexts of the same cluster
	Server       string               `json:"server"`
	UID          string               `json:"uid"`
	Taken        time.Time            `json:"taken"`
	Version      string               `json:"version"`  // of the oldest API server seen; "" when none was
	Versions     []string             `json:"versions"` // of all API servers, oldest first
	Distribution cluster.Distribution `json:"distribution"`
	APIServers   []InstanceLine       `json:"apiServers"`
	Instances    int                  `json:"instances"`         // how many kube-apiservers were seen, each counted once
	AtLeast      bool                 `json:"atLeast,omitempty"` // there may be more of them
	Nodes        int                  `json:"nodes"`
	Kubelets     map[string]int       `json:"kubelets"` // nodes by kubelet version
	DataDay      release.Date         `json:"dataDay"`  // the day of the facts
}

// InstanceLine is one kube-apiserver in a report: the loopback certificate that ends first at its address.
type InstanceLine struct {
	Name         string     `json:"name"`
	Address      string     `json:"address"`
	Version      string     `json:"version"`
	ProcessStart *time.Time `json:"processStart,omitempty"`
	LoopbackEnds *time.Time `json:"loopbackEnds,omitempty"` // nil: not observed
	DaysLeft     *int       `json:"daysLeft,omitempty"`
	Instances    int        `json:"instances"` // how many were seen at the address that no other line has
}

// Acceptance is a risk that somebody accepted, until a day.
type Acceptance struct {
	Finding string       `json:"finding" yaml:"finding"` // a finding's ID, or a rule
	Owner   string       `json:"owner" yaml:"owner"`
	Reason  string       `json:"reason" yaml:"reason"`
	Expires release.Date `json:"expires" yaml:"expires"`           // the last day on which it holds
	Cluster string       `json:"cluster,omitempty" yaml:"cluster"` // a context or a UID; "" for all
}

// maxSubjects is how many subjects a finding or a hole lists; Count has them all.
const maxSubjects = 20
