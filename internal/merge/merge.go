// Package merge merges three versions of a text, line by line.
//
// Base is the common ancestor, ours and theirs are what two sides made of it. A change is a run of lines that a side replaced; where
// changes of both sides overlap or touch, and are not the same, there is a conflict. The results are meant to agree with git's: the
// same two ways of finding the changes (see [Algorithm]), the same sliding of changes that could stand in several places, the same
// rules for what conflicts (git's "zealous" level, see git-merge-file(1)).
//
// Promises: pure functions of their arguments, safe for concurrent use; inputs are never changed; the same input gives the same
// output; with one side equal to base the other side comes out, byte for byte; whether a merge is clean does not depend on which
// side is called ours; bytes are kept as they are (line ends, a missing newline at the end). Work is bounded: what is too large or
// too tangled is a [*LimitError], what is no text a [*BinaryError].
//
// It does not look at what the lines mean, and not at trees or files: package backport does.
package merge

import (
	"bytes"
	"fmt"

	"github.com/kubelts/kubelts/internal/errs"
)

// Algorithm is a way to find which lines of a text changed.
type Algorithm string

// The algorithms. The zero value means Histogram.
const (
	// Histogram anchors on the longest run of lines around the rarest common line. It is what git merge uses.
	Histogram Algorithm = "histogram"
	// Myers looks for the shortest edit script. It is what git merge-file and git diff use.
	Myers Algorithm = "myers"
)

// Style is how a conflict is laid out.
type Style string

// The styles. The zero value means Plain.
const (
	// Plain shows ours and theirs, with what both have in common moved out of the conflict. Git calls it "merge".
	Plain Style = "merge"
	// Diff3 shows base too; conflicts are not narrowed, since base could not be narrowed with them.
	Diff3 Style = "diff3"
)

// Joining says when two conflicts that stand close to each other become one.
type Joining string

// The ways of joining. The zero value means JoinNear.
const (
	// JoinNear joins conflicts with at most three lines between them, as git merge does.
	JoinNear Joining = "near"
	// JoinBlank also joins those with any number of lines between them that hold no letter or digit, as git merge-file does.
	JoinBlank Joining = "blank"
)

// Bounds on one merge or diff. They are far above what source code needs.
const (
	MaxBytes = 64 << 20 // of one version
	MaxLines = 4 << 20  // of one version
	maxSteps = 1 << 28  // comparisons of lines, about a second
)

// Labels stand behind the markers of a conflict.
type Labels struct{ Base, Ours, Theirs string }

// Options say how to merge. The zero value is what git merge does.
type Options struct {
	Algorithm Algorithm
	Style     Style
	Joining   Joining
	Labels    Labels
}

// Span is a range of lines, counted from 0, without Hi.
type Span struct{ Lo, Hi int }

// Conflict is one place where both sides changed the same lines differently.
type Conflict struct {
	// Line is the line of the opening marker in the merged text, counted from 1.
	Line int
	// Base is where it stands in base. A conflict that was narrowed names the lines of the whole of it.
	Base Span
	// Ours and Theirs are its lines in the sides.
	Ours, Theirs Span
}

// Result is a merged text.
type Result struct {
	// Text has markers where there are conflicts.
	Text []byte
	// Conflicts are in the order of the text; none means that the merge is clean.
	Conflicts []Conflict
}

// BinaryError says that a version is no text: it has a NUL among its first 8,000 bytes. Callers treat it as a conflict.
type BinaryError struct {
	Version string // base, ours or theirs
}

func (e *BinaryError) Error() string { return e.Version + " is binary" }

// LimitError says that a merge was refused because of its size.
type LimitError struct {
	What  string // bytes, lines or steps
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("merge: more than %d %s", e.Limit, e.What)
}

// IsBinary reports whether git would call the content binary: a NUL among the first 8,000 bytes.
func IsBinary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0
}

// Merge merges ours and theirs, which were both made from base. A [*BinaryError] is returned only where the answer is not plain
// without reading lines: one side may replace a binary file that the other left alone.
func Merge(base, ours, theirs []byte, o Options) (Result, error) {
	switch {
	case bytes.Equal(base, ours), bytes.Equal(ours, theirs):
		return Result{Text: theirs}, nil
	case bytes.Equal(base, theirs):
		return Result{Text: ours}, nil
	}
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	for _, v := range []struct {
		name string
		text []byte
	}{{"base", base}, {"ours", ours}, {"theirs", theirs}} {
		if IsBinary(v.text) {
			return Result{}, &BinaryError{Version: v.name}
		}
	}
	in := newInterner()
	b, err := in.read(base)
	if err != nil {
		return Result{}, err
	}
	x, err := in.read(ours)
	if err != nil {
		return Result{}, err
	}
	y, err := in.read(theirs)
	if err != nil {
		return Result{}, err
	}
	m := merger{base: b, ours: x, theirs: y, options: o, differ: newDiffer(o.Algorithm, in.classes())}
	return m.run()
}

func (o Options) validate() error {
	switch {
	case o.Algorithm != "" && o.Algorithm != Histogram && o.Algorithm != Myers:
		return errs.New(errs.Invalid, "merge algorithm %q", o.Algorithm)
	case o.Style != "" && o.Style != Plain && o.Style != Diff3:
		return errs.New(errs.Invalid, "conflict style %q", o.Style)
	case o.Joining != "" && o.Joining != JoinNear && o.Joining != JoinBlank:
		return errs.New(errs.Invalid, "conflict joining %q", o.Joining)
	}
	return nil
}
