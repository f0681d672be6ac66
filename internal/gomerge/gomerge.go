// Package gomerge merges three versions of a Go source file by what its parts are: imports, declarations, fields, cases, elements,
// arguments, statements.
//
// Base is the common ancestor, ours the target's version, theirs the fix's. Parts that correspond are merged three-way: where one side left a
// part alone the other side's stands; where both changed it, its own parts are merged; where nothing smaller is left, the merge is
// refused. A list is free when the order of its elements means nothing to the program (declarations, specs, fields with names, keyed elements,
// cases of constants), and bound otherwise (statements, arguments).
//
// The result is ours with pieces of theirs put in, byte by byte, and formatted only if ours is formatted as gofmt does it. A merged file
// parses, declares nothing twice, imports what it uses and uses what it imports, as far as the file itself tells. What only the rest of the
// package can tell is for the caller.
//
// What had to be chosen, and what of theirs was left out because ours never had it, is in the result's doubts and notes: the caller decides what it
// trusts.
//
// Promises: pure functions of their arguments, safe for concurrent use, deterministic; inputs are never changed; with one side equal to base
// the other side comes out; work is bounded. What cannot be merged is a [*RefusedError]. It does not look for types, and
// not at other files.
package gomerge

import (
	"bytes"
	"fmt"
	"go/format"
	"regexp"
)

// Bounds on one merge.
const (
	MaxBytes = 4 << 20 // of one version
	maxDepth = 250     // of parts within each other
	maxCells = 1 << 24 // comparisons of elements
)

// Reason is why a merge was refused.
type Reason string

// The reasons.
const (
	// ReasonSyntax is a version, or the merged file, that does not parse.
	ReasonSyntax Reason = "syntax"
	// ReasonGenerated is a file that a program wrote: it is to be made again, not merged.
	ReasonGenerated Reason = "generated"
	// ReasonBothChanged is a part that both sides changed and that has no smaller parts.
	ReasonBothChanged Reason = "both-changed"
	// ReasonDeletedChanged is a part that one side deleted and the other changed.
	ReasonDeletedChanged Reason = "deleted-changed"
	// ReasonBothAdded is that both sides put different things into one place of a bound list, or different things of one name.
	ReasonBothAdded Reason = "both-added"
	// ReasonNoPlace is something new of theirs whose surroundings ours does not have.
	ReasonNoPlace Reason = "no-place"
	// ReasonDuplicate is a name that the merged file would declare twice.
	ReasonDuplicate Reason = "duplicate-name"
	// ReasonImport is an import that cannot be settled.
	ReasonImport Reason = "import"
	// ReasonTooLarge is a file beyond the bounds.
	ReasonTooLarge Reason = "too-large"
)

// RefusedError says why there is no merged file.
type RefusedError struct {
	Reason Reason
	Note   string // for people: what and where
}

func (r *RefusedError) Error() string { return string(r.Reason) + ": " + r.Note }

func refuse(reason Reason, note string, args ...any) *RefusedError {
	return &RefusedError{Reason: reason, Note: fmt.Sprintf(note, args...)}
}

// Result is a merged file.
type Result struct {
	Text []byte
	// Certain is that nothing had to be chosen: there are no doubts.
	Certain bool
	// Doubts are what had to be chosen or is wrong more often than the rest, sorted: a person should look.
	Doubts []Doubt
	// LeftOut is how many of theirs' changes are not in the text, for ours does not have what they change.
	LeftOut int
	// Missing are the names of declarations, as [Declared] gives them, that theirs changes and ours does not have: another file may.
	Missing []string
	// Additions is true when all that theirs brought are whole declarations, which lean on nothing that the merge could look at.
	Additions bool
	// Notes say, for people, what was left out or chosen, and what was done about imports.
	Notes []string
}

// Merge merges ours and theirs, which were both made from base. The error is a [*RefusedError].
func Merge(base, ours, theirs []byte) (Result, error) {
	switch {
	case bytes.Equal(base, ours), bytes.Equal(ours, theirs):
		return Result{Text: theirs, Certain: true}, nil
	case bytes.Equal(base, theirs):
		return Result{Text: ours, Certain: true}, nil
	}
	m := &merger{ids: map[string]int32{}}
	text, err := m.run(base, ours, theirs)
	if err != nil {
		return Result{}, err
	}
	if err := check(ours, text); err != nil {
		return Result{}, err
	}
	return Result{Text: text, Certain: len(m.doubts) == 0, Doubts: m.kinds(), LeftOut: m.left, Missing: m.missing, Additions: !m.edited && len(m.notes) == 0, Notes: m.notes}, nil
}

// merger is one merge. It is used once.
type merger struct {
	ids                map[string]int32 // token texts, numbered
	base, ours, theirs *source
	cells              int // spent on alignments
	doubts             []Doubt
	notes              []string
	left               int      // changes of theirs that are left out
	missing            []string // names of declarations among them
	leftWords          []int32  // words of theirs in them that base does not have there
	edited             bool     // theirs did more than add declarations
}

// generated is the convention of https://go.dev/s/generatedcode, in the looser form that older generators wrote.
var generated = regexp.MustCompile(`(?m)^(//|/\*).*(DO NOT EDIT|[Gg]enerated by .* [Dd]o not edit|[Aa]utogenerated by)`)

// versions reads the three versions of a file.
func (m *merger) versions(base, ours, theirs []byte) error {
	for _, v := range []struct {
		name string
		text []byte
		to   **source
	}{{"base", base, &m.base}, {"the target's version", ours, &m.ours}, {"the fix's version", theirs, &m.theirs}} {
		var err error
		if *v.to, err = m.read(v.name, v.text); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) run(base, ours, theirs []byte) ([]byte, error) {
	if err := m.versions(base, ours, theirs); err != nil {
		return nil, err
	}
	if generated.Match(m.ours.text[:m.ours.bodyStart()]) || generated.Match(m.theirs.text[:m.theirs.bodyStart()]) {
		return nil, refuse(ReasonGenerated, "the file says that a program wrote it")
	}
	text, err := m.node(m.base.root, m.ours.root, m.theirs.root, 0)
	if err != nil {
		return nil, err
	}
	if text, err = m.imports(text); err != nil {
		return nil, err
	}
	m.doubtUses(text)
	return m.format(text), nil
}

// format formats the merged text if the target's own was formatted.
func (m *merger) format(text []byte) []byte {
	was, err := format.Source(m.ours.text)
	if err != nil || !bytes.Equal(was, m.ours.text) {
		return text
	}
	if formatted, err := format.Source(text); err == nil {
		return formatted
	}
	return text // it does not parse: vouching says so
}
