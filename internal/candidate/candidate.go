// Package candidate finds what an old release line should consider for backport: changes that newer release branches took, mostly as cherry-picks, after the line's
// last release, that the line does not have, and whose code the line has.
//
// [Open] reads a repository's history, [Finder.Find] answers for one line. A change is one [Candidate], however many branches took it and of however many commits its
// pull request is made. Each has a score, which is the sum of its [Sign]s: each sign says what was seen, where, and how many points that is. What is no candidate is counted
// in the [Report], by [Reason], and named; what could not be read is named apart. Every change that was looked at is in exactly one of the three.
//
// Messages, paths and code are strangers' text: they are data here, and bounded; who shows them must make them safe to look at. A candidate is no verdict: nobody says
// that the line is hurt, and nothing here proves it. The package does no I/O: it reads through [History]. A Finder must not be used from several goroutines at once.
package candidate

import (
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// History is a repository's past, as package gitrepo reads it.
type History = triage.History

// Branch is a branch, or any revision that is looked at as one.
type Branch struct {
	Name   string
	Commit git.OID
	Minor  release.Minor // the minor that it is for; zero for the main branch
}

// Repository is what candidates are looked for in.
type Repository struct {
	Name     string   // the upstream, owner/name
	Branches []Branch // release branches, in any order
	Main     Branch   // without a commit when there is none
	Records  []*vuln.Record
	// Pulls are facts about pull requests, by their numbers.
	Pulls map[int]Pull
}

// Pull is what is known about a pull request besides what commits say.
type Pull struct {
	Labels []string
	Names  []string // vulnerabilities that it names
}

// Options are what is looked for.
type Options struct {
	// Since is from when on newer branches must have taken a change; zero for the line's last release.
	Since time.Time
	// Main also finds changes that no release branch took, but the main branch has, when they speak of a severe fault.
	Main bool
}

// The classes of candidates.
const (
	ClassPicked = "picked" // a release branch took it as a cherry-pick: it says so, or it stands on the main branch or another release branch, too
	ClassBranch = "branch" // it was made for one release branch, as far as can be told
	ClassMain   = "main"   // only the main branch has it, and what was branched off since
)

// Candidate is a change to consider for backport.
type Candidate struct {
	Score    int      `json:"score"`    // the sum of the signs' points, at least 0
	Severity []string `json:"severity"` // what its words and its code speak of, the worst first: see the Severity constants
	Class    string   `json:"class"`    // see the Class constants
	Commit   git.OID  `json:"commit"`   // of Commits the one that says most
	Subject  string   `json:"subject"`  // its subject, as it stands
	Title    string   `json:"title,omitempty"`
	// Pulls are the pull requests that were carried over, or that brought it, lowest first.
	Pulls []int `json:"pullRequests,omitempty"`
	// Commits are what to carry over, oldest first, as they stand on Branch: the newer branch that is nearest to the line.
	Commits []git.OID `json:"commits"`
	Branch  string    `json:"branch"`
	First   time.Time `json:"first"` // when the first newer branch took it
	Last    time.Time `json:"last"`  // when the last one did
	Taken   []Taken   `json:"taken"` // by which newer branches, oldest first
	Code    Code      `json:"code"`
	Signs   []Sign    `json:"signs"` // most points first
}

// Headline is what to call a candidate in one line: the pull request's title where it brought several commits and the title says something, else the subject.
func (c *Candidate) Headline() string {
	if len(c.Commits) > 1 && len(strings.Fields(c.Title)) >= minSubject {
		return c.Title
	}
	return c.Subject
}

// Taken is a newer branch that has a change.
type Taken struct {
	Branch string  `json:"branch"`
	Commit git.OID `json:"commit"`
	Pull   int     `json:"pullRequest,omitempty"` // that brought it
	// Inherited says that the branch has it from the main branch: it was branched off later.
	Inherited bool `json:"inherited,omitempty"`
	// Reverted is the commit that took it back on this branch.
	Reverted git.OID   `json:"reverted,omitzero"`
	When     time.Time `json:"when"`
}

// Code is how the places that a change touches stand on the line, by how many there are of each.
type Code struct {
	Before  int `json:"before"`  // as the change found them
	Drifted int `json:"drifted"` // the declaration is there, and has other lines
	Absent  int `json:"absent"`  // no such declaration
	After   int `json:"after"`   // as the change left them
	// Paths are files of the line in which it was found before or drifted; at most a few.
	Paths []string `json:"paths,omitempty"`
}

// Sign is one part of a score.
type Sign struct {
	Kind     string `json:"kind"`               // see the Sign constants
	Severity string `json:"severity,omitempty"` // see the Severity constants
	Points   int    `json:"points"`             // may be negative
	Note     string `json:"note"`               // for people; may quote strangers' text
	Path     string `json:"path,omitempty"`     // of signs in the code
}

// Reason is why a change is no candidate.
type Reason string

// The reasons.
const (
	OnLine       Reason = "on_line"           // the line has it, by the evidence of package triage
	AlreadyThere Reason = "already_there"     // its lines stand on the line, whoever brought them
	RevertedHere Reason = "reverted_on_line"  // the line had it and took it back
	CodeAbsent   Reason = "code_absent"       // nothing of what it changes is on the line
	NewCode      Reason = "new_code"          // it only adds declarations or files
	Reverted     Reason = "reverted"          // every newer branch that took it took it back
	Known        Reason = "known"             // a record names it: plain triage judges it
	BeforeEnd    Reason = "before_end"        // newer branches took it before the line's last release
	Tests        Reason = "tests_only"        // it touches only tests
	Docs         Reason = "docs_only"         // only documents
	Generated    Reason = "generated_only"    // only what programs write
	Building     Reason = "build_only"        // only what builds and checks the project, or its version
	Dependencies Reason = "dependencies_only" // only what pins or copies dependencies, and no flaw is named
	NoSign       Reason = "no_sign"           // only the main branch has it, and its words do not speak of a severe fault
	Together     Reason = "with_a_candidate"  // it comes with a candidate, as a test does with a fix
	Variant      Reason = "variant"           // it is another change as it was carried over in other lines: counted with that one
	NothingKept  Reason = "empty"             // it changes nothing
)

// Left is a change that is no candidate.
type Left struct {
	Reason  Reason  `json:"reason"`
	Commit  git.OID `json:"commit"`
	Subject string  `json:"subject"`
	// Note says which: the commit on the line, the record, the revert.
	Note string `json:"note,omitempty"`
}

// Unseen is a change that could not be looked at.
type Unseen struct {
	Commit  git.OID `json:"commit"`
	Subject string  `json:"subject"`
	Why     string  `json:"why"`
}

// Report is the answer for one line.
type Report struct {
	Line        string         `json:"line"`
	Commit      git.OID        `json:"commit"`
	LastRelease string         `json:"lastRelease,omitempty"` // the tag; empty when none is known
	Since       time.Time      `json:"since"`
	Newer       []string       `json:"newer"` // the branches that were looked at, oldest first
	Changes     int            `json:"changes"`
	LeftOut     map[Reason]int `json:"leftOut"`
	Candidates  []Candidate    `json:"candidates"` // highest score first
	Left        []Left         `json:"left,omitempty"`
	NotObserved []Unseen       `json:"notObserved,omitempty"`
}
