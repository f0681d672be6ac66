// Package triage judges vulnerability records against the branches of a repository, by what its history shows.
//
// For each record and each [Target] there is a [Verdict] in OpenVEX's words, with the evidence as data. The record names the commits of
// its fixes, mostly those on the main branch; the same change on other branches is found, not looked up: as an ancestor, by an equal
// patch-id, by the pull request that carried it over, by author, author date and subject, by what a commit message says of its origin,
// or as the same version of a dependency. An equal subject alone is never enough, and what only a message claims counts only for a
// commit that touches the fix's files. A later revert takes the fix away, and a revert of the revert gives it back.
//
// Unknown is never fixed: a fix that this repository does not know, a commit that it does not have and an object that cannot be
// read are named in the evidence and give [UnderInvestigation]. Verdicts come in the order of the records, then of the targets,
// and depend on nothing but the input. The package does no I/O: it reads through [History].
package triage

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Status is how a branch stands to a vulnerability, in the words of OpenVEX.
type Status string

// The statuses.
const (
	Affected           Status = "affected"            // the fix is known in this repository, and the branch lacks it or a part of it
	Fixed              Status = "fixed"               // every commit of the fix is on the branch and was not reverted
	NotAffected        Status = "not_affected"        // the flawed code is not on the branch and never was, by two kinds of evidence or by the record and history
	UnderInvestigation Status = "under_investigation" // nothing that can be known here decides it
)

// Validate refuses a text that is no status.
func (s Status) Validate() error {
	if slices.Contains([]Status{Affected, Fixed, NotAffected, UnderInvestigation}, s) {
		return nil
	}
	return errs.New(errs.Invalid, "status %q is none of affected, fixed, not_affected, under_investigation", string(s))
}

// NotPresent is OpenVEX's justification for code that is not there.
const NotPresent = "vulnerable_code_not_present"

// The kinds of evidence. Those from Ancestor to Dependency say how a commit of the fix, or one that repeats it, was found on the
// branch; they are in the order in which they are preferred.
const (
	KindAncestor          = "ancestor"                 // the fix's commit itself is an ancestor
	KindNamed             = "named"                    // the record names this commit as the fix's instance on a branch, mostly this one, and it is an ancestor
	KindPatchID           = "patch_id"                 // equal patch-id
	KindTrailer           = "trailer"                  // Kubernetes-commit or "(cherry picked from commit ...)" name the same commit
	KindAuthorDateSubject = "author_date_subject"      // equal author, author date and subject
	KindPullRequest       = "cherry_pick_pull_request" // came with a merge that says it is a cherry-pick of the fix's pull request
	KindDependency        = "dependency"               // equal subject, and brings the module that it names to the same version
	KindPlainPatch        = "normalized_patch_id"      // equal patch-id but for white space, comments, imports, context and directories
	KindFilePatch         = "file_patch_id"            // some files are changed just so, and the subject is equal or nearly all of them are
	KindLines             = "changed_lines"            // equal subject, and for the most part the same lines are changed
	KindPostImage         = "post_image"               // brought all of the fix's lines to where they belong, whatever it says of itself

	KindReverted      = "reverted"      // this commit reverts the fix, or an instance of it, on the branch; or it is the merge that brought it and took none of it
	KindRestored      = "restored"      // this commit reverts such a revert
	KindPartial       = "partial"       // some commits of the fix are on the branch, this one is not
	KindNotFound      = "not_found"     // this commit of the fix is neither on the branch nor repeated there
	KindNoFixKnown    = "no_fix_known"  // the record names no commit of this repository
	KindAbsentObject  = "absent_object" // something that had to be read is not in this clone; the note says what
	KindNotIntroduced = "introduced"    // the commit that brought the flaw in is not on the branch
	KindWithdrawn     = "withdrawn"     // the record was withdrawn by who published it
	KindAfter         = "fix_lines"     // lines of the fix are in this file
	KindBefore        = "hole_lines"    // lines as the fix found them are in this file
	KindDrifted       = "drifted"       // the declaration is in this file, and has neither the fix's lines nor those that the fix found
	KindAbsent        = "absent_symbol" // what the fix changed is not in the tree: neither the declaration nor a telling line of it
	KindKindred       = "kindred"       // this file uses a rare name that the fix's lines use: code of that kind is there
	KindUndone        = "undone"        // this commit put back lines that the fix took away, without saying so
)

// Evidence is one fact that a verdict rests on.
type Evidence struct {
	Kind   string  `json:"kind"`   // see the Kind constants
	Commit git.OID `json:"commit"` // the commit that shows it; zero where there is none
	Path   string  `json:"path"`   // a path that it is about; mostly empty
	Note   string  `json:"note"`   // for people
	// Strength says of evidence that a commit is the fix how much it is worth: see the constants. Empty for other evidence.
	Strength string `json:"strength,omitempty"`
}

// How much evidence that a commit is the fix is worth. Strong says enough alone; medium is a claim that the commit's files bear out; weak needs what stands beside
// it.
const (
	Strong = "strong"
	Medium = "medium"
	Weak   = "weak"
)

// Target is what is judged: a branch, or any revision, such as the tag that a line is based on.
type Target struct {
	Name   string
	Commit git.OID
}

// Match says that a commit of a fix is on a target.
type Match struct {
	Fix    int     // the fix's place in what [vuln.Record.RequiredFixes] returns for the repository
	Commit git.OID // the fix's commit: the one on the main branch where the record names it
	On     git.OID // the commit that can be reached from the target; equal to Commit when that is an ancestor
	Kind   string  // KindAncestor to KindDependency
}

// Verdict is the judgement of one record on one target.
type Verdict struct {
	Vulnerability string     `json:"vulnerability"`
	Branch        string     `json:"branch"` // the target's name
	Status        Status     `json:"status"`
	FixedIn       string     `json:"fixed_in"` // the first release tag from which on the fix is there; empty when none has it yet
	Commit        git.OID    `json:"commit"`   // the last of the fix's commits to come onto the branch; zero unless fixed
	Evidence      []Evidence `json:"evidence"` // never empty
	// Justification is OpenVEX's reason for NotAffected: always NotPresent, with the evidence for it.
	Justification string `json:"justification,omitempty"`
	// Alarms are what a person should look at, whatever the status.
	Alarms []Alarm `json:"alarms,omitempty"`

	// Matches are the fix's commits that are on the target and not reverted, in the fixes' order; for a partial fix, those that are there.
	Matches []Match `json:"-"`
}

// History is a repository's past, as package gitrepo reads it. All methods report refs and objects of one state.
type History interface {
	// Refs returns all refs with the commits that they lead to.
	Refs() []git.Ref
	// Resolve returns the commit that a revision names; an error of kind not-found when it names none here, whatever is absent.
	Resolve(ctx context.Context, rev string) (git.OID, error)
	// Index returns the equivalence index, complete for what the tips lead to.
	Index(ctx context.Context, repository string, tips []git.OID) (*equiv.Table, error)
	// Objects are read where lines are looked for.
	git.Objects
	// Grep visits the lines of a commit's files, of those with a suffix only unless it is empty, that have one of some texts in them, until visit returns
	// false. A file that cannot be read is an error.
	Grep(ctx context.Context, commit git.OID, texts []string, suffix string, visit func(path, line string) bool) error
	// Commits visits what can be reached from include and not from exclude, children before parents.
	Commits(ctx context.Context, include, exclude []git.OID, visit func(*git.Commit) error) error
	// Paths visits, in the order given, the paths that each commit changed against its first parent, merge commits included.
	Paths(ctx context.Context, commits []git.OID, visit func(commit git.OID, paths []string) error) error
	// Patches visits, in the order given, the unified diff of each commit, without renames; the diff is the visitor's only until it returns. It ends with an error at
	// the first commit that it cannot read.
	Patches(ctx context.Context, commits []git.OID, visit func(commit git.OID, diff []byte) error) error
}
