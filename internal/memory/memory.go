// Package memory keeps resolutions that people made of merge conflicts, and finds them again where the same conflict arises.
//
// A [Record] is one file of one pick that a person resolved: the places that were in conflict with all three sides, the places beside
// them that the person changed too, the lines around each, and what the person made of them. [Learn] makes a record, [Record.Format]
// writes it as text for review, [Parse] reads it. A [Library] is a set of records; [Library.Resolve] answers a file in conflict.
//
// Words: ours is the target's side and theirs the fix's, as in package merge. Surroundings are the lines before and after a place in the merged
// text, and for Go the declaration around it.
//
// What fits: first exactly, every byte of sides and surroundings, wherever in the file they stand. Otherwise but for white space, and in Go source
// token by token with a renaming of identifiers that is one-to-one over all places of the file; the renaming is applied to the resolution too. A record
// answers with all of its places or not at all, and a file is answered only if every conflict in it is. Two records that answer one conflict differently are an
// [*AmbiguousError].
//
// Promises: pure functions of their arguments, deterministic; a Library is read-only once it is made and may be used from many goroutines. A
// record that was learned answers the sides that it was learned from with the very bytes of the person. Records come from anybody: parsing is strict,
// their sizes are bounded, and a formatted record holds no control characters.
package memory

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on records.
const (
	MaxRecord  = 1 << 20 // bytes of a record's text
	MaxRecords = 20_000  // of a library
	maxPlaces  = 200     // of a record
	maxValue   = 4 << 10 // bytes of a header's value
)

// Suffix ends the file names of records.
const Suffix = ".resolution"

// Record is a file that a person resolved.
type Record struct {
	Path    string  // of the file, in the tree that was resolved
	Commit  git.OID // the fix that was carried over
	Subject string  // of the fix
	Target  git.OID // commit or tree that it was carried onto
	Author  string  // who resolved it
	Date    string  // when: 2023-07-28
	Reason  string  // why it is right; may be empty
	// Also are other paths that the person changed in the same pick: the record alone is not all that was done.
	Also   []string
	Places []Place // in the order of the file
}

// Place is a run of the merged text that the person replaced.
type Place struct {
	// In is the declaration of a Go file in which ours has the place, such as "func Store.Put"; empty at the top level and in other files.
	In            string
	Before, After []string // lines around the place that stayed as they were
	Pieces        []Piece  // what was replaced; none for a mere insertion
	Resolved      []string // what stands there instead
}

// Piece is a part of a place: a conflict, or lines beside one that the merge left alone and the person changed.
type Piece struct {
	Text     []string // lines with their ends
	Conflict *Conflict
}

// Conflict are the three sides of a conflict, as lines with their ends.
type Conflict struct{ Base, Ours, Theirs []string }

// Name is the record's name: a digest of the path and the places, so that the same answer has one name, whoever gave it.
func (r *Record) Name() string {
	const digits = 20
	sum := sha256.Sum256(append([]byte(title+"\n"), r.matter()...))
	return hex.EncodeToString(sum[:])[:digits]
}

// FileName is the name of the file that keeps the record.
func (r *Record) FileName() string { return r.Name() + Suffix }

// conflicts reports whether a place holds a conflict.
func (p *Place) conflicts() bool {
	for _, piece := range p.Pieces {
		if piece.Conflict != nil {
			return true
		}
	}
	return false
}

// Kind is the kind of a file: the ending of its name in lower case, or the name where it has none. Records answer files of their own kind only.
func Kind(file string) string {
	name := path.Base(file)
	if ext := path.Ext(name); len(ext) > 1 {
		return strings.ToLower(ext[1:])
	}
	return name
}
