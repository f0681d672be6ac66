// Package git has git's objects as values: object names, trees, commits, refs and trailers, and the interfaces through which
// judgement reads and writes them.
//
// Nothing here runs a program or touches a disk: package gitrepo does, and implements [Objects] and [Store]. Formats are those of
// git's own documentation (gitformat-commit is spread over git-commit-tree(1), git-mktree(1) and git-interpret-trailers(1)).
// Values are plain data: copy them, share them, do not change what somebody else gave you. SHA-1 repositories only.
package git

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's object names are SHA-1
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/kubelts/kubelts/internal/errs"
)

// OID is an object's name, its SHA-1. The zero value names no object: git's null OID.
type OID [sha1.Size]byte

// ParseOID reads 40 hexadecimal digits.
func ParseOID(s string) (OID, error) {
	var id OID
	if len(s) != 2*len(id) {
		return OID{}, errs.New(errs.Invalid, "object name %q: want %d hexadecimal digits", s, 2*len(id))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return OID{}, errs.New(errs.Invalid, "object name %q: %w", s, err)
	}
	return id, nil
}

// MustOID is ParseOID for constants in tests; it panics on anything else.
func MustOID(s string) OID {
	id, err := ParseOID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func (id OID) String() string { return hex.EncodeToString(id[:]) }

// Short is the first ten digits, for people.
func (id OID) Short() string { return id.String()[:10] }

// IsZero reports whether id names no object. Encoders that know omitzero leave such a field out.
func (id OID) IsZero() bool { return id == OID{} }

// MarshalText writes 40 digits, or nothing for the null OID.
func (id OID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (id *OID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = OID{}
		return nil
	}
	parsed, err := ParseOID(string(b))
	if err == nil {
		*id = parsed
	}
	return err
}

// Type is the type of an object.
type Type string

// The types of objects.
const (
	TypeBlob   Type = "blob"
	TypeTree   Type = "tree"
	TypeCommit Type = "commit"
	TypeTag    Type = "tag"
)

// Hash returns the name that git gives an object with this content.
func Hash(t Type, content []byte) OID {
	h := sha1.New() //nolint:gosec // git's object names are SHA-1
	h.Write([]byte(string(t) + " " + strconv.Itoa(len(content)) + "\x00"))
	h.Write(content)
	return OID(h.Sum(nil))
}

// Objects reads a repository's objects. Implementations may be called from many goroutines.
// An object that the repository does not have is an [*AbsentError]; one that is too large to read is an [*OversizeError].
// What is returned is shared: callers must not change it.
type Objects interface {
	Blob(ctx context.Context, id OID) ([]byte, error)
	Tree(ctx context.Context, id OID) ([]TreeEntry, error)
	Commit(ctx context.Context, id OID) (*Commit, error)
}

// Store reads and writes objects. A write returns the object's name and is complete when it returns: a reader of the same
// store sees it. Writing what is there already changes nothing. Entries of a tree need not be sorted, and what they name need not be
// present in the store (a partial clone's absent blobs pass through a merge).
type Store interface {
	Objects
	WriteBlob(ctx context.Context, content []byte) (OID, error)
	WriteTree(ctx context.Context, entries []TreeEntry) (OID, error)
	WriteCommit(ctx context.Context, c *Commit) (OID, error)
}

// AbsentError says that an object is not in the repository. In a partial or damaged clone that is a fact to report for the commit
// at hand, never a reason to go on as if it were empty.
type AbsentError struct {
	OID  OID
	Type Type // what was looked for; empty when any type would have done
}

func (e *AbsentError) Error() string {
	what := string(e.Type)
	if what == "" {
		what = "object"
	}
	return fmt.Sprintf("%s %s is not in this repository", what, e.OID)
}

// OversizeError says that an object is larger than the reader was told to accept.
type OversizeError struct {
	OID         OID
	Size, Limit int64 // bytes
}

func (e *OversizeError) Error() string {
	return fmt.Sprintf("object %s has %d bytes, more than the limit of %d", e.OID, e.Size, e.Limit)
}

// Ref is a name for an object.
type Ref struct {
	Name   string // in full: refs/heads/main
	OID    OID    // what it points to: for an annotated tag, the tag object
	Commit OID    // the commit after peeling tags; zero when it is none
}

// Short is the name without refs/heads/, refs/tags/ or refs/remotes/.
func (r Ref) Short() string { return ShortRef(r.Name) }
