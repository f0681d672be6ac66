// Package godialect learns by which other names one branch calls the same things as another, from the Go code that both have, and says what was
// written for the one in the names of the other.
//
// Base is the side from which code is carried, ours the side to which it goes. A [Pair] is a file as either side has it. [Library.Learn] lays the
// declarations of both versions side by side, token by token, and collects what stands where: a package's name for another package's, a
// function for another function, a field for a field, a call with other arguments. A mapping counts only if nothing speaks against it:
//
//   - everywhere the name stands in base, ours has the one other name, or something else altogether;
//   - ours does not know the old name at all, and base does not know the new one;
//   - no other old name became the same new one;
//   - two places agree, or both sides declare the thing itself, or only its package or the case of its letters is another.
//
// [Dialect.Translate] replaces names and arguments of calls in a text by spans of bytes, never in strings or comments. Imports follow.
//
// Promises: pure functions of their arguments, deterministic, safe for concurrent use; inputs are never changed; work is bounded. What does
// not parse teaches nothing and is not translated. Types are not known: a field is told by its name alone, so a name that ours uses for
// anything is left as it is.
package godialect

import "fmt"

// Bounds on what is looked at.
const (
	MaxBytes = 2 << 20 // of one text
	MaxFiles = 300     // of one side
	maxDepth = 250     // of expressions within each other
)

// Pair is a file on both sides. A side that does not have it is nil: it tells only which names that side knows.
type Pair struct{ Base, Ours []byte }

// Symbol is a name of a package. Path is empty for the package that the files belong to and for names of Go itself.
type Symbol struct{ Path, Name string }

func (s Symbol) String() string {
	if s.Path == "" {
		return s.Name
	}
	return fmt.Sprintf("%q.%s", s.Path, s.Name)
}

// Note is a mapping that was applied.
type Note struct {
	From, To string
	// Places is how many places of the two sides' code agree about it.
	Places int
}

func (n Note) String() string {
	if n.Places == 1 {
		return fmt.Sprintf("%s -> %s, as in 1 place", n.From, n.To)
	}
	return fmt.Sprintf("%s -> %s, as in %d places", n.From, n.To, n.Places)
}
