package foreign

import (
	"bytes"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// maxFiles bounds one patch.
const maxFiles = 20_000

// plain makes a patch of a diff without a mail's head, as quilt keeps them: what stands before the diff is its message, with the fields of DEP-3
// (https://dep-team.pages.debian.net/deps/dep3/) where it has them. Author and date that it does not tell are the source's.
func (s *Source) plain(item Item, content []byte) (*lts.Patch, error) {
	gitStyle := bytes.HasPrefix(content, []byte("diff --git ")) || bytes.Contains(content, []byte("\ndiff --git "))
	if gitStyle && item.Strip != 1 {
		return nil, errs.New(errs.Invalid, "a diff of git's with -p%d", item.Strip)
	}
	files, preamble, err := gitdiff.Parse(bytes.NewReader(content))
	switch {
	case err != nil:
		return nil, errs.New(errs.Invalid, "is neither a mail of git format-patch nor a diff: %w", err)
	case len(files) == 0 || len(files) > maxFiles:
		return nil, errs.New(errs.Invalid, "is neither a mail of git format-patch nor a diff: it has %d files", len(files))
	}
	var diff strings.Builder
	for _, f := range files {
		if !gitStyle {
			asGit(f, item.Strip)
		}
		for _, name := range []string{f.OldName, f.NewName} {
			if name != "" && !git.ValidPath(name) {
				return nil, errs.New(errs.Denied, "path %q in it", name)
			}
		}
		diff.WriteString(f.String())
	}
	p := &lts.Patch{Name: item.Base, Author: s.Author, Date: s.Date, Diff: []byte(diff.String())}
	if !utf8.ValidString(preamble) {
		return nil, errs.New(errs.Invalid, "its description is not UTF-8")
	}
	describe(p, preamble)
	return p, nil
}

// asGit makes a file of a traditional diff one of git's.
func asGit(f *gitdiff.File, strip int) {
	f.OldName, f.NewName = stripped(f.OldName, strip), stripped(f.NewName, strip)
	if f.IsNew {
		f.NewMode = 0o100644
	}
	if f.IsDelete {
		f.OldMode = 0o100644
	}
}

func stripped(name string, n int) string {
	name = strings.TrimPrefix(name, "./")
	for range n {
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			return name
		}
		name = strings.TrimLeft(rest, "/")
	}
	return name
}

var (
	fieldForm = regexp.MustCompile(`^([A-Za-z][A-Za-z-]{1,30}):[ \t]*(.*)$`)
	furniture = regexp.MustCompile(`^(Index: |={10,}|-{3} ?$)`)
)

// describe reads what stands before a diff.
func describe(p *lts.Patch, preamble string) {
	var text []string
	for line := range strings.SplitSeq(strings.ReplaceAll(preamble, "\r", ""), "\n") {
		m := fieldForm.FindStringSubmatch(line)
		switch {
		case furniture.MatchString(line):
		case m != nil && field(p, strings.ToLower(m[1]), strings.TrimSpace(m[2])):
		default:
			text = append(text, line)
		}
	}
	body := strings.TrimSpace(strings.Join(text, "\n"))
	if p.Subject == "" {
		first, rest, _ := strings.Cut(body, "\n")
		p.Subject, body = strings.Join(strings.Fields(first), " "), strings.TrimSpace(rest)
	}
	if p.Subject == "" {
		p.Subject = strings.TrimSuffix(strings.TrimSuffix(p.Name, ".patch"), ".diff")
	}
	p.Body = body
}

// field takes one field of DEP-3 and reports whether it says something of its own; others stay in the text.
func field(p *lts.Patch, key, value string) bool {
	switch key {
	case "from", "author":
		person, err := lts.ParsePerson(value)
		if err == nil {
			p.Author = person
		}
		return err == nil
	case "subject", "description":
		if p.Subject != "" || value == "" {
			return false
		}
		p.Subject = value
		return true
	case "last-update":
		when, err := time.Parse(time.DateOnly, value)
		if err == nil {
			p.Date = when
		}
		return err == nil
	case "date":
		when, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", value)
		if err == nil {
			p.Date = when
		}
		return err == nil
	}
	return false
}
