package memory

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The words of the format. A line of content has a space before it, so none of them can be mistaken for one.
const (
	title     = "kubelts resolution 1"
	placeLine = "@@ place"
	noNewline = `\ no newline at the end`

	sectionBefore   = "@ before"
	sectionOurs     = "@ ours"
	sectionBase     = "@ base"
	sectionTheirs   = "@ theirs"
	sectionText     = "@ text"
	sectionAfter    = "@ after"
	sectionResolved = "@ resolved"
)

// Format writes the record as Parse reads it:
//
//	kubelts resolution 1
//	path: pkg/store/store.go
//	commit: 3f2a9c1b...           the fix
//	subject: Lock before reading
//	target: 81da5ac1...           what it was carried onto
//	author: Ada Author <ada@example.org>
//	date: 2026-11-22
//	reason: 1.28 calls it Foo     may be missing
//	also: pkg/store/other.go      another file of the same resolution; any number of them
//	@@ place in func Store.Put    once for each place, without "in ..." outside of declarations
//	@ before
//	 	s.mu.Lock()
//	@ ours                        a conflict has ours, base and theirs; merged lines that were changed too are "@ text"
//	@ base
//	@ theirs
//	@ after
//	@ resolved                    what stands there instead
//
// Each line of content has a space before it. One that holds what cannot be seen (control characters, bytes that are no UTF-8, white space at its end)
// is a Go string in double quotes; an empty one is an empty line.
func (r *Record) Format() []byte {
	var b bytes.Buffer
	b.WriteString(title + "\n")
	header(&b, "path", r.Path)
	header(&b, "commit", r.Commit.String())
	header(&b, "subject", r.Subject)
	header(&b, "target", r.Target.String())
	header(&b, "author", r.Author)
	header(&b, "date", r.Date)
	if r.Reason != "" {
		header(&b, "reason", r.Reason)
	}
	b.Write(r.places())
	return b.Bytes()
}

// matter is what the record's name is a digest of.
func (r *Record) matter() []byte {
	var b bytes.Buffer
	header(&b, "path", r.Path)
	b.Write(r.places())
	return b.Bytes()
}

// places writes the places, and before them the other files that belong to them.
func (r *Record) places() []byte {
	var b bytes.Buffer
	for _, also := range r.Also {
		header(&b, "also", also)
	}
	for _, p := range r.Places {
		b.WriteString(placeLine)
		if p.In != "" {
			b.WriteString(" in " + p.In)
		}
		b.WriteByte('\n')
		section(&b, sectionBefore, p.Before)
		for _, piece := range p.Pieces {
			if c := piece.Conflict; c != nil {
				section(&b, sectionOurs, c.Ours)
				section(&b, sectionBase, c.Base)
				section(&b, sectionTheirs, c.Theirs)
				continue
			}
			section(&b, sectionText, piece.Text)
		}
		section(&b, sectionAfter, p.After)
		section(&b, sectionResolved, p.Resolved)
	}
	return b.Bytes()
}

func header(b *bytes.Buffer, key, value string) {
	if !plain(value) || value != strings.TrimSpace(value) || strings.HasPrefix(value, `"`) || value == "" {
		value = quote(value)
	}
	b.WriteString(key + ": " + value + "\n")
}

func section(b *bytes.Buffer, name string, lines []string) {
	b.WriteString(name + "\n")
	for _, l := range lines {
		text, ended := strings.CutSuffix(l, "\n")
		switch {
		case text == "":
		case plain(text) && !unicode.IsSpace(rune(text[len(text)-1])):
			b.WriteString(" " + text)
		default:
			b.WriteString(quote(text))
		}
		b.WriteByte('\n')
		if !ended {
			b.WriteString(noNewline + "\n")
		}
	}
}

// quote writes a string so that nothing in it is hidden.
func quote(s string) string { return strconv.QuoteToASCII(s) }

// plain reports whether a person sees all that is in a line.
func plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r != '\t' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
