// Package gotypes says whether Go source that was carried into a tree fits there: whether what it mentions is declared, takes those arguments and
// has those types, as far as the tree tells.
//
// It type-checks (go/types) the declarations that a merge changed, those that lean on what it changed, and the declarations that these mention, a few
// steps far: a slice of the tree. What is outside of the tree (the standard library, other modules), or further away, is unknown, and nothing is said
// about what has to do with it.
//
// A complaint counts only if neither the target as it was nor the fix's own tree has it, both looked at in the same way: those compile, so what is
// wrong with them is only our blindness. That makes a [Fault] a statement about the merge.
//
// Words as in package backport: ours is the target's side, theirs the fix's.
//
// Promises: no I/O but through [Tree]; sizes, depths and counts are bounded; any bytes may be given as files. A [Checker] may be used from many
// goroutines, and remembers what it parsed.
package gotypes

import (
	"context"
	"fmt"
	"go/token"
	"sync"
	"sync/atomic"

	"github.com/kubelts/kubelts/internal/git"
)

// Tree is one version of the repository.
type Tree interface {
	// Files returns the regular files of a directory whose names end in .go; none if there is no such directory.
	Files(ctx context.Context, dir string) ([]File, error)
	// Blob reads a file. An absent or oversize one is a *git.AbsentError or *git.OversizeError.
	Blob(ctx context.Context, id git.OID) ([]byte, error)
	// Package finds the package that files in directory from import by a path: its directory, empty if it is outside of the tree, and whether it is
	// known to be there at all, in the tree or among the dependencies that the tree names.
	Package(ctx context.Context, from, imported string) (dir string, known bool, err error)
}

// File is a file of a directory.
type File struct {
	Name string
	OID  git.OID
}

// Kind is what is wrong.
type Kind string

// The kinds of faults.
const (
	Undeclared Kind = "undeclared" // nothing declares a name, or a package lacks it
	NoImport   Kind = "no-import"  // a name is used as that of a package, and the file does not import it
	NoPackage  Kind = "no-package" // a package is imported that the tree is not known to have
	Unproven   Kind = "unproven"   // a name of a package outside of the tree that the target does not mention so far
	Unused     Kind = "unused"     // an import or a variable that is not used
	Missing    Kind = "missing"    // a type has no such field or method
	Arguments  Kind = "arguments"  // a function takes, or returns, another number of values
	Duplicate  Kind = "duplicate"  // something is declared twice
	Mismatch   Kind = "type"       // types do not fit, or anything else that the type checker says
	Syntax     Kind = "syntax"     // a file does not parse
)

// Fault is something in the merged tree that does not compile, and did on either side.
type Fault struct {
	Path   string // of the file in the merged tree
	Line   int    // in that file, from 1; 0 if unknown
	Kind   Kind
	Name   string // the name at fault, without qualifier; empty if there is none
	Import string // the import path of the package that the name should belong to, or which is missing or unused; empty for the file's own
	Note   string // for people, without path and line
}

// String is the fault as a note for people, with file and line.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.Note
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Note)
}

// Checker looks at merges. Its zero value is not ready: use [NewChecker].
type Checker struct {
	mu    sync.Mutex
	epoch *epoch

	abandoned atomic.Int32 // runs of the type checker that did not end in time
}

// NewChecker returns a checker that remembers nothing yet.
func NewChecker() *Checker { return &Checker{} }

// maxWeight bounds what is remembered: bytes of source without the bodies of functions.
const maxWeight = 8 << 20

// epoch is what a checker remembers for a while. When it is too much, everything is forgotten at once, for all positions are of one set.
type epoch struct {
	fset *token.FileSet

	mu      sync.Mutex
	sources map[sourceKey]*source // nil for what does not parse
	weight  int
}

// sourceKey names a file for what its parsed form depends on.
type sourceKey struct {
	name string
	oid  git.OID
}

// current is the epoch for a new look.
func (c *Checker) current() *epoch {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch == nil || c.epoch.full() {
		c.epoch = &epoch{fset: token.NewFileSet(), sources: map[sourceKey]*source{}}
	}
	return c.epoch
}

func (e *epoch) full() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.weight > maxWeight
}

// source parses a file without the bodies of its functions. It is nil if it has no package clause.
func (c *Checker) source(ctx context.Context, e *epoch, tree Tree, f File) (*source, error) {
	key := sourceKey{f.Name, f.OID}
	e.mu.Lock()
	s, ok := e.sources[key]
	e.mu.Unlock()
	if ok {
		if s == nil {
			return nil, errSyntax
		}
		return s, nil
	}
	content, err := tree.Blob(ctx, f.OID)
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, &git.OversizeError{OID: f.OID, Size: int64(len(content))}
	}
	s, err = parse(e.fset, f.Name, content, outline)
	if err != nil {
		s = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sources[key] = s
	e.weight += 1024
	if s == nil {
		return nil, errSyntax
	}
	e.weight += s.weight
	return s, nil
}
