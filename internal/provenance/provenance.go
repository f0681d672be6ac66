// Package provenance joins what several sources say about vulnerabilities and releases, and keeps where each statement is from.
//
// Words: a candidate is one source's document about one vulnerability, read into the common form ([vuln.Record]), with its [Origin]. The
// reviewed facts are those that people keep under data/. A side is one of the two that disagree in a [Conflict].
//
// Who is followed is decided by [Rank]: git evidence, then the reviewed facts, then the project's own announcements, then other feeds. Of equal
// ranks a release is affected when one of them says so. What the project announces after the review, and what it calls affected beyond the review, is
// added unless git shows the fix: a wrong "affected" costs a look, a wrong "not affected" costs a cluster. Nothing that disagrees is dropped: it
// becomes a conflict with both sides and the reason.
//
// Everything here is a value or a pure function. The caller must not change what it passed in while a function works.
package provenance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Rank is how far a source is followed.
type Rank string

// The ranks, from the one that is followed first.
const (
	Git       Rank = "git"       // read off the project's commits and tags
	Reviewed  Rank = "reviewed"  // the facts that people keep, with a source each
	Announced Rank = "announced" // the project's own announcement
	Other     Rank = "other"     // everybody else's feed
)

// Ranks returns the ranks in order, the one that is followed first at the beginning.
func Ranks() []Rank { return []Rank{Git, Reviewed, Announced, Other} }

// Validate refuses a rank that does not exist.
func (r Rank) Validate() error {
	if !slices.Contains(Ranks(), r) {
		return errs.New(errs.Invalid, "rank %q is not known", r)
	}
	return nil
}

func (r Rank) order() int { return slices.Index(Ranks(), r) }

// words says a rank in a sentence.
func (r Rank) words() string {
	return map[Rank]string{
		Git: "git evidence", Reviewed: "the reviewed facts", Announced: "the project's own announcement", Other: "another feed",
	}[r]
}

// Origin is where a statement is from.
type Origin struct {
	Source  string    `json:"source"`  // the source's name, such as kubernetes-osv
	Rank    Rank      `json:"rank"`    // how far it is followed
	URL     string    `json:"url"`     // address or file, within an archive with "#" and the path
	Fetched time.Time `json:"fetched"` // when it was fetched, for a file when it was written
	Digest  string    `json:"digest"`  // sha256: and the digest of the document
}

// Candidate is what one source says about one vulnerability.
type Candidate struct {
	Origin Origin       `json:"origin"`
	Record *vuln.Record `json:"record"`
	// Faults are what could not be read as versions. Where there are any, that a version is not in a range does not mean that it is not affected.
	Faults []string `json:"faults,omitempty"`
}

// UnmarshalJSON reads a candidate as it was written. The record is read as strictly as any OSV document; what stands there in kubelts' own name is
// taken from git evidence only.
func (c *Candidate) UnmarshalJSON(data []byte) error {
	var w struct {
		Origin Origin          `json:"origin"`
		Record json.RawMessage `json:"record"`
		Faults []string        `json:"faults"`
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	if err := w.Origin.Rank.Validate(); err != nil {
		return err
	}
	rec, err := vuln.Parse(w.Origin.URL, strings.NewReader(string(w.Record)))
	if err != nil {
		return err
	}
	*c = Candidate{Origin: w.Origin, Record: rec, Faults: w.Faults}
	c.distrust()
	return nil
}

// distrust takes away what a stranger said in our name.
func (c *Candidate) distrust() {
	if c.Origin.Rank != Git {
		c.Record.Kubelts = vuln.Extension{}
	}
}

// New makes a candidate. What a stranger's record says in kubelts' own name is taken away from it.
func New(origin Origin, record *vuln.Record, faults ...string) Candidate {
	c := Candidate{Origin: origin, Record: record, Faults: faults}
	c.distrust()
	return c
}

// Dates is what a source says about a minor's life. What it does not say is zero.
type Dates struct {
	Origin      Origin       `json:"origin"`
	Minor       string       `json:"minor"` // 1.28
	Released    release.Date `json:"released,omitzero"`
	Maintenance release.Date `json:"maintenance,omitzero"` // first day of maintenance mode
	End         release.Date `json:"end,omitzero"`         // last day
	Latest      string       `json:"latest,omitempty"`     // newest patch release, 1.28.15
	LatestDate  release.Date `json:"latestDate,omitzero"`
}

// PullRequest is a merged pull request that may be a fix.
type PullRequest struct {
	Origin Origin    `json:"origin"`
	Number int       `json:"number"`
	Title  string    `json:"title"`
	URL    string    `json:"url"`
	Closed time.Time `json:"closed"`
	Names  []string  `json:"names"` // the vulnerabilities that its title and text name
	Labels []string  `json:"labels,omitempty"`
}

// Items is what was read from a source.
type Items struct {
	Candidates   []Candidate   `json:"candidates,omitempty"`
	Dates        []Dates       `json:"dates,omitempty"`
	PullRequests []PullRequest `json:"pullRequests,omitempty"`
}

// Len returns the number of statements.
func (i Items) Len() int { return len(i.Candidates) + len(i.Dates) + len(i.PullRequests) }

// Add appends the statements of another.
func (i *Items) Add(more Items) {
	i.Candidates = append(i.Candidates, more.Candidates...)
	i.Dates = append(i.Dates, more.Dates...)
	i.PullRequests = append(i.PullRequests, more.PullRequests...)
}

// Conflict is where two sources say different things.
type Conflict struct {
	ID       string   `json:"id"`              // the vulnerability, or the minor
	Field    string   `json:"field"`           // affected, severity, withdrawn, released, maintenance, end; malformed for what is wrong with a record by itself
	Followed Side     `json:"followed"`        // what the facts say now
	Other    Side     `json:"other"`           // what was not followed, or was added
	More     []string `json:"more,omitempty"`  // releases that only the other calls affected
	Fewer    []string `json:"fewer,omitempty"` // releases that only the one followed calls affected
	Added    bool     `json:"added,omitempty"` // the releases under More were added to the facts
	Newer    bool     `json:"newer,omitempty"` // the other is later than the review: somebody should look at it
	Reason   string   `json:"reason"`
}

// Malformed is the field of conflicts in which a record is at odds with itself: ranges that are empty or overlap, bounds that are no version or were never released.
const Malformed = "malformed"

// Side is one source in a conflict.
type Side struct {
	Source string `json:"source"`
	Rank   Rank   `json:"rank"`
	URL    string `json:"url,omitempty"`
	Says   string `json:"says,omitempty"`
}

// String says the conflict in one line.
func (c Conflict) String() string {
	if c.Field == Malformed {
		return c.Other.Source + ": " + c.Reason + ": " + c.Other.Says
	}
	var says []string
	if len(c.More) > 0 {
		says = append(says, "calls "+strings.Join(c.More, ", ")+" affected, which "+c.Followed.Source+" does not")
	}
	if len(c.Fewer) > 0 {
		says = append(says, "does not call "+strings.Join(c.Fewer, ", ")+" affected, which "+c.Followed.Source+" does")
	}
	if len(says) == 0 {
		says = append(says, fmt.Sprintf("%s is %s, by %s %s", c.Field, c.Other.Says, c.Followed.Source, c.Followed.Says))
	}
	return c.Other.Source + " " + strings.Join(says, "; ") + ": " + c.Reason
}
