// Package equiv knows which commits of a repository are the same change: the equivalence index.
//
// A [Table] holds for each commit that a branch or tag leads to what stays recognisable when the change is carried over: the patch-id as git
// computes it, for the whole and for each file; a plain patch-id, in which paths are base names and white space, comments, imports and context do not
// count; author, author date and subject; and what the message claims ([Claims]). [Build] reads only commits that an older table does not
// have, for what a commit's name stands for never changes. [Encode] and [Decode] are the file format: versioned, with a checksum.
//
// The table says what is equal, not what that is worth: package triage weighs it. A table is read-only once built and may be used from many goroutines.
// The package does no I/O: it reads through [Source].
package equiv

import (
	"context"

	"github.com/kubelts/kubelts/internal/git"
)

// Commit is what is kept of a commit.
type Commit struct {
	OID     git.OID
	Kube    git.OID // its Kubernetes-commit
	Parents []git.OID
	When    int64  // author date, seconds
	Author  string // name
	Subject string // as it stands
	Claims  *Claims
	Change  *Change // nil for a merge
}

// PlainID names a change without what differs from branch to branch. The zero value names none: nothing is left.
type PlainID [16]byte

// IsZero reports whether the id names no change.
func (id PlainID) IsZero() bool { return id == PlainID{} }

// Change is what a commit changed against its only parent.
type Change struct {
	Patch   git.OID // as git patch-id --stable; zero when nothing changed or the patch could not be read
	Plain   PlainID // of the source files; where there are none, of what is no dependency, else of what there is
	Inverse PlainID // the plain patch-id of what takes the change back
	Weight  int     // bytes that Plain rests on: few make it common
	Files   []File  // in the order of the patch
	// Unread says why the patch could not be read. Files then have paths only, or there are none.
	Unread string
}

// File is what a commit changed in one file.
type File struct {
	Path   string
	Patch  uint64 // the first bytes of the file's own patch-id
	Plain  uint64 // the same of its plain patch-id; 0 when nothing is left
	Weight uint32 // bytes that Plain rests on
}

// Source is a repository that is read into a table. Package gitrepo implements it; the methods are those of the same names there. A diff is the visitor's only
// until it returns.
type Source interface {
	Commits(ctx context.Context, include, exclude []git.OID, visit func(*git.Commit) error) error
	Paths(ctx context.Context, commits []git.OID, visit func(commit git.OID, paths []string) error) error
	Patches(ctx context.Context, commits []git.OID, visit func(commit git.OID, diff []byte) error) error
}

// Digest takes from a commit what the table keeps, but for its change. The repository (owner/name) says which addresses in the message count.
func Digest(c *git.Commit, repository string) Commit {
	return Commit{
		OID: c.OID, Kube: KubernetesCommit(c.Message), Parents: c.Parents, When: c.Author.When.Unix(), Author: c.Author.Name,
		Subject: c.Subject(), Claims: ParseClaims(c.Message, repository),
	}
}
