// Package explain makes a pick's result readable: for each file the lines that matter in all versions beside each other, what each rung did
// and why, and what is left.
//
// Words: the versions of a file are base (before the fix), ours (the target), theirs (the fix) and the result. A row has the lines of the
// versions that correspond; a region is a run of rows in which the fix changes something or the result is not as the target is, with some lines
// around it. A block is a conflict as it stands in the result, between markers.
//
// [New] reads contents and makes a [Document], a value; [Document.WriteText] and [Document.WriteHTML] print it. Contents, names and messages come from
// strangers: what could move a terminal's cursor or turn the direction of text is shown as its number, HTML is escaped, and the page loads nothing.
// Sizes are bounded, and what is left out is said. The same input gives the same output.
package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/visible"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
)

// Bounds on a document.
const (
	maxFiles   = 300     // whose lines are shown
	maxContent = 4 << 20 // bytes of a version
	maxRows    = 30_000  // in all
	around     = 3       // lines before and after what matters
)

// Input is what a document is made from.
type Input struct {
	Result backport.Result // with steps and versions: see [backport.Request]
	// Fix is the commit that was carried; OntoName is what the caller named the target.
	Fix      *git.Commit
	OntoName string
}

// Document is a pick, to be read.
type Document struct {
	Result   backport.Result
	Subject  string
	Author   string
	When     time.Time
	OntoName string
	Files    []File
}

// File is one file of a document.
type File struct {
	backport.File

	// Left are the conflicts that have no place in the text and that no step says.
	Left []backport.Conflict
	// Regions are what matters of the contents, in order.
	Regions []Region
	// Why says why contents are not shown, or not all of them.
	Why string
	// Added and Deleted count the lines by which the result differs from the target.
	Added, Deleted int
}

// Region is a part of a file.
type Region struct {
	Rows   []Row
	Blocks []Block // the conflicts in it
	// Skipped are the lines of the target between the region before, or the file's start, and this one.
	Skipped int
}

// The versions, as indexes of a row's cells.
const (
	Base = iota
	Ours
	Theirs
	Resulting
	versions
)

// Row has a line of each version.
type Row struct{ Cells [versions]Cell }

// Mark says how a line relates to the others of its row.
type Mark string

// The marks.
const (
	Plain    Mark = ""
	Gone     Mark = "gone"     // of base: the fix takes it away or changes it
	Own      Mark = "own"      // of ours: the target's own
	Fresh    Mark = "new"      // of theirs and the result: what the fix, or the pick, puts there
	Conflict Mark = "conflict" // of the result: markers stand there
)

// Cell is a line of a version. Without a number there is none.
type Cell struct {
	Number int // counted from 1
	Mark   Mark
	Parts  []Part
}

// Part is a piece of a line. Strong ones are the words that differ.
type Part struct {
	Text   string
	Strong bool
}

// Block is a conflict as it stands in the result, between markers.
type Block struct {
	backport.Conflict

	Ours, Base, Theirs []string
	// Labels stand behind the markers of ours, base and theirs.
	Labels [3]string
	// HasBase says that the block shows base, also when base has no line there.
	HasBase bool

	end int // the line behind its last marker, counted from 0
}

// New makes a document. An object that is absent or too large is said in the file's place; other errors of reading end it.
func New(ctx context.Context, objects git.Objects, in Input) (*Document, error) {
	d := &Document{Result: in.Result, OntoName: visible.Text(in.OntoName), Files: make([]File, 0, len(in.Result.Files))}
	if in.Fix != nil {
		d.Subject, d.Author, d.When = visible.Text(in.Fix.Subject()), visible.Text(in.Fix.Author.Name), in.Fix.Author.When.UTC()
	}
	left := maxRows
	for i, f := range in.Result.Files {
		file := File{File: f}
		if i >= maxFiles || left <= 0 {
			file.Why = "not shown: there is too much to show"
			file.leave(f.Conflicts)
		} else if err := file.read(ctx, objects, left); err != nil {
			return nil, fmt.Errorf("explain %q: %w", f.Path, err)
		}
		for _, r := range file.Regions {
			left -= len(r.Rows)
		}
		d.Files = append(d.Files, file)
	}
	return d, nil
}

// leave keeps conflicts that are shown without contents, but for those that a step says already.
func (f *File) leave(conflicts []backport.Conflict) {
	for _, c := range conflicts {
		said := slices.ContainsFunc(f.Steps, func(s backport.Step) bool { return s.Reason == c.Reason && s.Note == c.Note && s.Note != "" })
		if !said {
			f.Left = append(f.Left, c)
		}
	}
}

// read fills in a file's regions, at most so many rows.
func (f *File) read(ctx context.Context, objects git.Objects, rows int) error {
	v := f.Versions
	if v == nil {
		f.leave(f.Conflicts)
		return nil
	}
	var texts [versions][]byte
	for i, id := range [versions]git.OID{v.Base, v.Ours, v.Theirs, v.Result} {
		if id.IsZero() {
			continue
		}
		content, err := objects.Blob(ctx, id)
		why := unreadable(content, err)
		if err != nil && why == "" {
			return err
		}
		if why != "" {
			f.Why = "not shown: " + why
			f.leave(f.Conflicts)
			return nil
		}
		texts[i] = content
	}
	f.compare(texts, rows)
	return nil
}

// unreadable says why a content is not shown; empty if it is, or if the error is another one.
func unreadable(content []byte, err error) string {
	if absent, ok := errors.AsType[*git.AbsentError](err); ok {
		return absent.Error() // a submodule's commit is none of the repository's objects
	}
	if large, ok := errors.AsType[*git.OversizeError](err); ok {
		return large.Error()
	}
	switch {
	case err != nil:
		return ""
	case merge.IsBinary(content):
		return "no text"
	case len(content) > maxContent:
		return fmt.Sprintf("more than %d bytes", maxContent)
	}
	return ""
}

// compare finds the regions.
func (f *File) compare(texts [versions][]byte, rows int) {
	w, err := weave(texts, f.Conflicts)
	if err != nil {
		f.Why = "not shown: " + err.Error()
		f.leave(f.Conflicts)
		return
	}
	for _, c := range f.Conflicts {
		if !w.has(c) {
			f.leave([]backport.Conflict{c})
		}
	}
	f.Added, f.Deleted = w.counts()
	f.Regions = w.regions()
	for i := range f.Regions {
		if rows -= len(f.Regions[i].Rows); rows < 0 {
			f.Why = fmt.Sprintf("%d more regions are not shown", len(f.Regions)-i)
			f.Regions = f.Regions[:i]
			break
		}
	}
	for i := range f.Regions {
		f.Regions[i].emphasize()
	}
}

// Title names a document in a line.
func (d *Document) Title() string {
	return "pick, " + string(d.Result.Outcome) + ": " + short(d.Result.Commit) + " " + d.Subject
}

// short cuts an object's name.
func short(id string) string { return id[:min(len(id), 10)] }

// Onto names the target.
func (d *Document) Onto() string {
	if d.OntoName == "" || d.OntoName == d.Result.Onto {
		return short(d.Result.Onto)
	}
	return d.OntoName + " (" + short(d.Result.Onto) + ")"
}

// Reason is a conflict's reason, with its note.
func Reason(c backport.Conflict) string {
	if c.Note == "" {
		return string(c.Reason)
	}
	return string(c.Reason) + ": " + visible.Text(c.Note)
}

// Rung names a step's rung.
func Rung(s backport.Step) string {
	if s.Rung == "files" {
		return "by file"
	}
	return visible.Text(s.Rung)
}

// Told says a step in words.
func Told(s backport.Step) string {
	text := map[backport.Deed]string{
		backport.Decided: "decided", backport.Left: "left a conflict", backport.Refused: "refused",
		backport.Withdrawn: "taken back", backport.Passed: "nothing to say",
	}[s.Did]
	text = cmp.Or(text, string(s.Did))
	if s.Reason != "" {
		text += " (" + string(s.Reason) + ")"
	}
	if s.Note != "" {
		text += ": " + visible.Text(s.Note)
	}
	return text
}
