package upkeep

import (
	"context"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/triage"
)

// Files is a project's directory. Names are relative to it, with slashes; nothing outside it can be reached, whatever links it holds.
type Files interface {
	// Read returns a file's content; an absent file is an error that is fs.ErrNotExist. Files of more than limit bytes are refused.
	Read(name string, limit int64) ([]byte, error)
	// Write puts content in place at once or not at all, directories included.
	Write(name string, content []byte) error
	// Rename moves a file or directory to a name that is not there. It makes the directory of the new name.
	Rename(from, to string) error
	// Remove takes a file or a whole directory away. What is not there needs no removing.
	Remove(name string) error
	// List returns the names in a directory, sorted, those of directories with a slash at the end. An absent directory has none.
	List(dir string) ([]string, error)
	// MakeDir makes a directory and those above it.
	MakeDir(dir string) error
	// Path is where the world finds a name.
	Path(name string) string
	// Digest is the SHA-256 of a regular file, in hexadecimal digits, and its size in bytes. A link is an error.
	Digest(name string) (sha256 string, size int64, err error)
	// Export writes the files of a tree into a directory, which it makes anew. A file whose object is absent is an error, unless its path is in leaveOut.
	Export(ctx context.Context, objects git.Objects, tree git.OID, dir string, leaveOut ...string) error
}

// State keeps what a run leaves to the next one of the same project on this machine. It lies outside of the project, where whoever hands a project over
// puts nothing. The methods are those of [Files].
type State interface {
	Read(name string, limit int64) ([]byte, error)
	Write(name string, content []byte) error
	Remove(name string) error
}

// Upstream is the clone of the upstream repository, for judging and picking.
type Upstream interface {
	triage.History
	backport.History
}

// Store is the project's own repository. It borrows the clone's objects, so everything of upstream's can be read through it.
type Store interface {
	git.Store
	// FormatPatch returns a commit with one parent as a mail file, as git format-patch --zero-commit --no-signature --full-index
	// --binary writes it. The same commit always gives the same bytes.
	FormatPatch(ctx context.Context, commit git.OID) ([]byte, error)
	// WriteTag writes an annotated tag object.
	WriteTag(ctx context.Context, name string, target git.OID, tagger git.Signature, message string) (git.OID, error)
	// SetRef makes a ref or moves it.
	SetRef(ctx context.Context, name string, target git.OID) error
}

// Progress is told how far long work is; a total of 0 means that the end is not known.
type Progress func(done, total int, what string)

func (p Progress) step(done, total int, what string) {
	if p != nil {
		p(done, total, what)
	}
}
