// Package errs says what kind of fault an error is and what a person can do about it.
//
// An error made here has a [Kind], by which callers decide and the command line chooses its exit status, and may carry
// hints: one sentence each, the way out. Both survive wrapping with %w. The package does no I/O and is safe for concurrent use.
package errs

import (
	"errors"
	"fmt"
)

// Kind is what sort of fault an error is.
type Kind string

// The kinds. An error that nobody classified is Internal.
const (
	Invalid     Kind = "invalid"     // the input cannot mean anything, or breaks a rule
	NotFound    Kind = "not-found"   // the input is well formed and names nothing that is there
	Conflict    Kind = "conflict"    // the state of things forbids it until a person acts
	Denied      Kind = "denied"      // there is no right to do it
	Unavailable Kind = "unavailable" // something outside did not answer, or an object is absent here
	Internal    Kind = "internal"    // a fault of ours
)

type classified struct {
	kind Kind
	err  error
}

func (e *classified) Error() string { return e.err.Error() }
func (e *classified) Unwrap() error { return e.err }

type hinted struct {
	hint string
	err  error
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

// New returns an error of the given kind. The format is that of [fmt.Errorf], %w included.
func New(kind Kind, format string, args ...any) error {
	return &classified{kind: kind, err: fmt.Errorf(format, args...)}
}

// WithHint adds a hint to err: what the person who meets the error can do. A nil err stays nil.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{hint: fmt.Sprintf(format, args...), err: err}
}

// KindOf returns the outermost kind that err was given, Internal when there is none, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if c, ok := errors.AsType[*classified](err); ok {
		return c.kind
	}
	return Internal
}

// Is reports whether err has the given kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Hints returns the hints that err carries, outermost first, joined errors in their order.
func Hints(err error) []string {
	var hints []string
	for err != nil {
		if h, ok := err.(*hinted); ok { //nolint:errorlint // this walk is what errors.As would hide: every hint is wanted, not the first
			hints = append(hints, h.hint)
		}
		switch u := err.(type) { //nolint:errorlint // as above
		case interface{ Unwrap() error }:
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				hints = append(hints, Hints(e)...)
			}
			return hints
		default:
			return hints
		}
	}
	return hints
}
