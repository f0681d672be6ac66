package memory

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
)

// Surroundings of a place: so many lines that are not blank, and no more than so many in all.
const (
	contextWords = 3
	contextLines = 8
)

// About says where a resolution comes from.
type About struct {
	Commit  git.OID
	Subject string
	Target  git.OID
	Author  string
	Date    time.Time
	Reason  string
	Also    []string // other paths that the person changed
}

// Learn makes a record of what a person made of a file in conflict. The error is of kind invalid when there is nothing to remember: no
// conflict by lines, no text, or a record that would be too large or could not tell its places apart.
func Learn(s Sides, resolved []byte, about About) (*Record, error) {
	if bytes.IndexByte(resolved, 0) >= 0 || !s.text() {
		return nil, errs.New(errs.Invalid, "%s: is no text", s.Path)
	}
	elements, err := layout(s)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(elements, func(e element) bool { return e.conflict != nil }) {
		return nil, errs.New(errs.Invalid, "%s: has no conflict by lines", s.Path)
	}
	changes, err := changed(elements, resolved)
	if err != nil {
		return nil, err
	}
	r := &Record{
		Path: s.Path, Commit: about.Commit, Subject: line(about.Subject), Target: about.Target, Author: line(about.Author),
		Date: about.Date.UTC().Format(time.DateOnly), Reason: line(about.Reason), Also: about.Also,
	}
	lines := split(resolved)
	source := readGo(s)
	for _, c := range changes {
		r.Places = append(r.Places, place(elements, c, lines[c.New.Lo:c.New.Hi], source))
	}
	return r, r.check(s, resolved)
}

// check proves that the record can be written and read, and answers its own conflict with what the person wrote.
func (r *Record) check(s Sides, resolved []byte) error {
	if _, err := Parse(r.FileName(), r.Format()); err != nil {
		return fmt.Errorf("%s: cannot be remembered: %w", s.Path, err)
	}
	library, err := NewLibrary([]*Record{r})
	if err != nil {
		return err
	}
	answer, err := library.Resolve(s)
	if err != nil || answer == nil || !bytes.Equal(answer.Text, resolved) {
		return errs.New(errs.Invalid, "%s: cannot be remembered: its places cannot be told apart", s.Path)
	}
	return nil
}

// line makes one line of a text, cut to what a header may hold.
func line(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	for len(s) > maxValue/2 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// changed are the changes from the merged text, in which each conflict counts as one line, to the resolved one.
func changed(elements []element, resolved []byte) ([]merge.Change, error) {
	var before bytes.Buffer
	for i, e := range elements {
		if e.conflict == nil {
			before.WriteString(e.line)
			continue
		}
		if n := before.Len(); n > 0 && before.Bytes()[n-1] != '\n' {
			return nil, errs.New(errs.Internal, "a conflict stands behind a line without an end")
		}
		fmt.Fprintf(&before, "\x00conflict %d\n", i) // no line of a text has a NUL
	}
	return merge.Diff(before.Bytes(), resolved, merge.Histogram)
}

// place makes a place of a change.
func place(elements []element, c merge.Change, resolved []string, source *goSource) Place {
	p := Place{Resolved: resolved}
	for _, e := range elements[c.Old.Lo:c.Old.Hi] {
		last := len(p.Pieces) - 1
		switch {
		case e.conflict != nil:
			if p.In == "" {
				p.In = source.declaration(e.ours)
			}
			p.Pieces = append(p.Pieces, Piece{Conflict: e.conflict})
		case last >= 0 && p.Pieces[last].Conflict == nil:
			p.Pieces[last].Text = append(p.Pieces[last].Text, e.line)
		default:
			p.Pieces = append(p.Pieces, Piece{Text: []string{e.line}})
		}
	}
	before := slices.Clone(elements[max(0, c.Old.Lo-contextLines):c.Old.Lo])
	slices.Reverse(before)
	p.Before = around(before, p.In != "")
	slices.Reverse(p.Before)
	p.After = around(elements[c.Old.Hi:], p.In != "")
	return p
}

// around takes the nearest lines, up to another conflict. Within a declaration it ends with the first line that is not indented: what stands beyond
// is another declaration, which may well be another one elsewhere.
func around(elements []element, within bool) []string { //nolint:revive // a place is in a declaration or it is not
	var out []string
	words := 0
	for _, e := range elements {
		if e.conflict != nil || words == contextWords || len(out) == contextLines {
			break
		}
		out = append(out, e.line)
		if strings.TrimSpace(e.line) != "" {
			words++
			if within && e.line[0] != ' ' && e.line[0] != '\t' {
				break
			}
		}
	}
	return out
}
