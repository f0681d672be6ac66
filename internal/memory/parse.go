package memory

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Parse reads a record. The file is for messages; if it ends in [Suffix], it must be the record's own name: otherwise the content was changed after
// it was named.
func Parse(file string, content []byte) (*Record, error) {
	if len(content) > MaxRecord {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", file, MaxRecord)
	}
	p := &reader{file: file, lines: strings.SplitAfter(string(content), "\n")}
	r, err := p.record()
	if err != nil {
		return nil, err
	}
	if err := p.canonical(r.Format()); err != nil {
		return nil, err
	}
	if name := path.Base(file); strings.HasSuffix(name, Suffix) && name != r.FileName() {
		return nil, errs.WithHint(errs.New(errs.Invalid, "%s: is not what its name says: its content was changed", file),
			"if that was meant, rename it to %s", r.FileName())
	}
	return r, nil
}

// reader reads one record.
type reader struct {
	file  string
	lines []string // with their ends; the last one is empty
	at    int
}

func (p *reader) fail(format string, args ...any) error {
	return errs.New(errs.Invalid, "%s:%d: "+format, slices.Concat([]any{p.file, p.at + 1}, args)...)
}

// peek is the line at hand without its end; ok is false behind the last one.
func (p *reader) peek() (line string, ok bool) {
	if p.at >= len(p.lines) || p.lines[p.at] == "" {
		return "", false
	}
	return strings.TrimSuffix(p.lines[p.at], "\n"), true
}

// canonical refuses what Format would write otherwise: such differences are hard to see, and the name would not cover them.
func (p *reader) canonical(formatted []byte) error {
	content := []byte(strings.Join(p.lines, ""))
	if bytes.Equal(formatted, content) {
		return nil
	}
	n := 0
	for n < len(formatted) && n < len(content) && formatted[n] == content[n] {
		n++
	}
	p.at = bytes.Count(content[:n], []byte("\n"))
	return p.fail("is not written as kubelts writes it (white space, quotes or the end of the line)")
}

func (p *reader) record() (*Record, error) {
	if line, _ := p.peek(); line != title {
		return nil, p.fail("is no resolution: it does not begin with %q", title)
	}
	p.at++
	r := &Record{}
	if err := p.headers(r); err != nil {
		return nil, err
	}
	for {
		line, ok := p.peek()
		if !ok {
			break
		}
		if len(r.Places) == maxPlaces {
			return nil, p.fail("more than %d places", maxPlaces)
		}
		in, ok := placeIn(line)
		if !ok {
			return nil, p.fail("want %q", placeLine)
		}
		p.at++
		place, err := p.place(in)
		if err != nil {
			return nil, err
		}
		r.Places = append(r.Places, place)
	}
	if !slices.ContainsFunc(r.Places, func(place Place) bool { return place.conflicts() }) {
		return nil, p.fail("has no place with a conflict")
	}
	return r, nil
}

// placeIn reads the first line of a place: the declaration that it stands in, if any.
func placeIn(first string) (in string, ok bool) {
	if first == placeLine {
		return "", true
	}
	in, ok = strings.CutPrefix(first, placeLine+" in ")
	return in, ok && in != "" && plain(in) && len(in) <= maxValue
}

func (p *reader) headers(r *Record) error {
	for _, key := range []string{"path", "commit", "subject", "target", "author", "date", "reason", "also"} {
		for {
			value, ok, err := p.header(key)
			if err != nil {
				return err
			}
			if !ok && key != "reason" && key != "also" {
				return p.fail("want %q", key+": ...")
			}
			if !ok {
				break
			}
			if err := r.set(key, value); err != nil {
				return p.fail("%w", err)
			}
			p.at++
			if key != "also" {
				break
			}
		}
	}
	return nil
}

// header reads the line at hand if it has the key.
func (p *reader) header(key string) (value string, ok bool, err error) {
	line, _ := p.peek()
	value, ok = strings.CutPrefix(line, key+": ")
	if !ok {
		return "", false, nil
	}
	if strings.HasPrefix(value, `"`) {
		if value, err = strconv.Unquote(value); err != nil {
			return "", false, p.fail("%s: is no string in quotes", key)
		}
	}
	if len(value) > maxValue {
		return "", false, p.fail("%s: longer than %d bytes", key, maxValue)
	}
	return value, true, nil
}

func (r *Record) set(key, value string) error {
	var err error
	switch key {
	case "path", "also":
		if !git.ValidPath(value) || path.Clean(value) != value {
			return errs.New(errs.Invalid, "path %q is not well formed", value)
		}
		if key == "also" {
			if len(r.Also) >= maxPlaces {
				return errs.New(errs.Invalid, "more than %d other paths", maxPlaces)
			}
			r.Also = append(r.Also, value)
			return nil
		}
		r.Path = value
	case "commit":
		r.Commit, err = git.ParseOID(value)
	case "target":
		r.Target, err = git.ParseOID(value)
	case "subject":
		r.Subject = value
	case "author":
		r.Author = value
	case "reason":
		r.Reason = value
	case "date":
		r.Date = value
		if _, bad := time.Parse(time.DateOnly, value); bad != nil {
			return errs.New(errs.Invalid, "date %q: want one such as 2023-07-28", value)
		}
	}
	return err
}

// place reads a place, from the line behind its first one.
func (p *reader) place(in string) (Place, error) {
	out := Place{In: in}
	var err error
	if out.Before, err = p.section(sectionBefore); err != nil {
		return out, err
	}
	for {
		line, _ := p.peek()
		if line != sectionOurs && line != sectionText {
			break
		}
		piece, bad := p.piece(line)
		if bad != nil {
			return out, bad
		}
		out.Pieces = append(out.Pieces, piece)
	}
	if out.After, err = p.section(sectionAfter); err != nil {
		return out, err
	}
	out.Resolved, err = p.section(sectionResolved)
	return out, err
}

func (p *reader) piece(first string) (Piece, error) {
	var piece Piece
	var err error
	if first == sectionText {
		piece.Text, err = p.section(sectionText)
		if err == nil && len(piece.Text) == 0 {
			err = p.fail("%q has no lines", sectionText)
		}
		return piece, err
	}
	c := &Conflict{}
	for _, s := range []struct {
		name string
		to   *[]string
	}{{sectionOurs, &c.Ours}, {sectionBase, &c.Base}, {sectionTheirs, &c.Theirs}} {
		if *s.to, err = p.section(s.name); err != nil {
			return piece, err
		}
	}
	if slices.Equal(c.Ours, c.Theirs) {
		return piece, p.fail("ours and theirs are the same: that is no conflict")
	}
	piece.Conflict = c
	return piece, nil
}

// section reads a section of this name.
func (p *reader) section(name string) ([]string, error) {
	if line, _ := p.peek(); line != name {
		return nil, p.fail("want %q", name)
	}
	p.at++
	var out []string
	for {
		line, ok := p.peek()
		switch {
		case !ok || strings.HasPrefix(line, "@"):
			return out, nil
		case line == noNewline:
			if len(out) == 0 || !strings.HasSuffix(out[len(out)-1], "\n") {
				return nil, p.fail("has no line before it")
			}
			out[len(out)-1] = strings.TrimSuffix(out[len(out)-1], "\n")
		default:
			text, err := p.content(line)
			if err != nil {
				return nil, err
			}
			if n := len(out); n > 0 && !strings.HasSuffix(out[n-1], "\n") {
				return nil, p.fail("stands behind a line without an end")
			}
			out = append(out, text+"\n")
		}
		p.at++
	}
}

func (p *reader) content(line string) (string, error) {
	switch {
	case line == "":
		return "", nil
	case line[0] == ' ':
		return line[1:], nil
	case line[0] == '"':
		text, err := strconv.Unquote(line)
		if err != nil || strings.Contains(text, "\n") {
			return "", p.fail("is no line in quotes")
		}
		return text, nil
	}
	return "", p.fail("want a section, or content with a space before it")
}
