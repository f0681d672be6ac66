package backport

import (
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Outcome says how a pick ended.
type Outcome string

// The outcomes.
const (
	Present    Outcome = "present"  // history shows that the fix is there
	Empty      Outcome = "empty"    // merging it changes nothing
	Clean      Outcome = "clean"    // carried over by the rung verbatim
	Resolved   Outcome = "resolved" // carried over with adaptation; the rungs say which
	Conflicted Outcome = "conflict" // something is left for a person
	Error      Outcome = "error"    // it could not be tried
)

// Confidence says how much a person should look at a result.
type Confidence string

// The confidences, the highest first.
const (
	Verbatim Confidence = "verbatim" // the fix's own lines, in their own places
	Adapted  Confidence = "adapted"  // what was changed about the fix follows from the repository
	Review   Confidence = "review"   // not to be released before a person decides
)

// Result is what became of one pick. Its JSON form is what kubelts pick prints: fields may be added, not changed.
type Result struct {
	ID         string     `json:"id"`
	Commit     string     `json:"commit"` // object names; in a batch, whatever stood in the line when it was none
	Onto       string     `json:"onto"`
	Outcome    Outcome    `json:"outcome"`
	Confidence Confidence `json:"confidence,omitempty"`
	// Tree is the target's tree with the change, also when there are conflicts: files that could be merged by line have markers.
	Tree git.OID `json:"tree,omitzero"`
	// Rung is the method that decided.
	Rung string `json:"rung,omitempty"`
	// Source is the commit whose change is in the tree: the fix or an instance of it.
	Source git.OID `json:"source,omitzero"`
	// Files are those that the fix touches, sorted by path.
	Files []File   `json:"files"`
	Notes []string `json:"notes,omitempty"`
	// Steps are what the rungs for whole picks did, in order, where the request asks for an explanation.
	Steps []Step `json:"steps,omitempty"`
	// Prerequisites are the commits that the fix leans on and the target lacks, best first, where they were asked for.
	Prerequisites []Prerequisite `json:"prerequisites,omitempty"`

	Error *Problem `json:"error,omitempty"`
}

// File is one file of a result.
type File struct {
	// Path is where it stands in the resulting tree (or would stand, or stood before it was deleted).
	Path string `json:"path"`
	// From is its path in the tree before the fix, or the path the fix gives it, where that is another one.
	From      string     `json:"from,omitempty"`
	Rung      string     `json:"rung"`
	Conflicts []Conflict `json:"conflicts,omitempty"`
	// Resolutions are the names of recorded resolutions that the rung memory used.
	Resolutions []string `json:"resolutions,omitempty"`
	// Steps are what the rungs did about it, in order, and Versions its contents: only where the request asks for an explanation.
	Steps    []Step    `json:"steps,omitempty"`
	Versions *Versions `json:"versions,omitempty"`
}

// Reason is why something is left for a person.
type Reason string

// The reasons.
const (
	ReasonContent         Reason = "content"           // both sides changed the same lines: markers
	ReasonAdded           Reason = "added-by-both"     // both sides have a new file there, with different content: markers
	ReasonDeletedInTarget Reason = "deleted-in-target" // the target does not have the file: the fix's version is in the tree
	ReasonDeletedByFix    Reason = "deleted-by-fix"    // the fix deletes what the target changed: the target's version is kept
	ReasonBinary          Reason = "binary"            // both sides changed a file that is no text: the target's is kept
	ReasonTooLarge        Reason = "too-large"         // too large to be merged by line: the target's is kept
	ReasonSymlink         Reason = "symlink"           // both sides changed where a link points: the target's is kept
	ReasonSubmodule       Reason = "submodule"         // both sides moved a submodule: the target's is kept
	ReasonType            Reason = "type"              // file, link or submodule: the sides do not agree, the target's is kept
	ReasonMode            Reason = "mode"              // both sides changed the mode: the target's is kept
	ReasonRenameDelete    Reason = "rename-delete"     // one side renamed what the other deleted
	ReasonRenameRename    Reason = "rename-rename"     // each side gave it another name: it has the target's
	ReasonRenameAdd       Reason = "rename-add"        // one side renamed a file to where the other has a different one
	ReasonFileDirectory   Reason = "file-directory"    // a file and a directory want the same name: the target's is kept
	ReasonDirectorySplit  Reason = "directory-split"   // the file's directory went to several places: it stands where the fix has it
	ReasonDirectoryMoved  Reason = "directory-moved"   // one side moved a directory in which the other has a new file
	ReasonNear            Reason = "near"              // Go source could be merged, but in a way that is wrong too often: markers
	ReasonDependency      Reason = "dependency"        // an entry of a dependency file that nobody can decide without knowing more: markers
	ReasonMemory          Reason = "memory"            // resolutions are recorded for the conflict, and none can be used: markers
	ReasonGenerated       Reason = "generated"         // both sides changed a generated file, and it was not made again: markers
	ReasonUndeclared      Reason = "undeclared-name"   // Go source mentions what the target does not have
	ReasonDuplicate       Reason = "duplicate-name"    // Go source declares or imports something twice
	ReasonUnused          Reason = "unused"            // Go source has an import or variable that is not used
	ReasonArguments       Reason = "arguments"         // Go source calls or assigns with another number of values than the target's function has
	ReasonMismatch        Reason = "mismatch"          // Go source has types that do not fit
	ReasonSyntax          Reason = "syntax"            // Go source does not parse
)

// Conflict is something that is left for a person.
type Conflict struct {
	Reason Reason `json:"reason"`
	// Line is where the opening marker stands in the file, counted from 1; 0 where there is none.
	Line int    `json:"line,omitempty"`
	Note string `json:"note,omitempty"`
	// Base, Ours and Theirs are the three versions of the file; null where a side has none.
	Base   git.OID `json:"base,omitzero"`
	Ours   git.OID `json:"ours,omitzero"`
	Theirs git.OID `json:"theirs,omitzero"`
}

// Problem is why a pick could not be tried.
type Problem struct {
	Kind    errs.Kind `json:"kind"`
	Message string    `json:"message"`
}
