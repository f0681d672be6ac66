package patch

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Section is the part of a unified diff that is about one file.
type Section struct {
	Path string // where the file stands, or stood when it is gone; empty when the diff does not say so in git's form
	Text []byte // from its "diff --git" line on
	// Content reports that the section says how the content changed, line by line: not so for binary files, changed modes and files that come empty.
	Content bool
}

// Sections cuts a unified diff as git prints it, renames not detected, into its files' parts. The texts are parts of diff.
func Sections(diff []byte) []Section {
	var all []Section
	mark := []byte("\ndiff --git ")
	if !bytes.HasPrefix(diff, mark[1:]) {
		at := bytes.Index(diff, mark)
		if at < 0 {
			return nil
		}
		diff = diff[at+1:]
	}
	for len(diff) > 0 {
		text := diff
		if next := bytes.Index(diff, mark); next >= 0 {
			text = diff[:next+1]
		}
		diff = diff[len(text):]
		all = append(all, newSection(text))
	}
	return all
}

func newSection(text []byte) Section {
	s := Section{Text: text}
	head, rest, _ := bytes.Cut(text, []byte("\n"))
	old := ""
	for line := range bytes.Lines(rest) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if name, ok := bytes.CutPrefix(line, []byte("--- ")); ok {
			old = fileName(name, "a/")
			continue
		}
		if name, ok := bytes.CutPrefix(line, []byte("+++ ")); ok {
			if s.Path = fileName(name, "b/"); s.Path == "" {
				s.Path = old
			}
			s.Content = true
			return s
		}
	}
	s.Path = headName(string(head[len("diff --git "):]))
	return s
}

// fileName reads what stands behind "--- " and "+++ "; nothing for /dev/null.
func fileName(text []byte, prefix string) string {
	name := strings.TrimSuffix(string(text), "\t")
	if strings.HasPrefix(name, `"`) {
		plain, err := strconv.Unquote(name)
		if err != nil {
			return ""
		}
		name = plain
	}
	name, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return ""
	}
	return name
}

// headName reads "a/NAME b/NAME", in which both names are the same one.
func headName(text string) string {
	if strings.HasPrefix(text, `"`) {
		half, err := strconv.QuotedPrefix(text)
		if err != nil {
			return ""
		}
		return fileName([]byte(half), "a/")
	}
	if len(text)%2 == 0 {
		return ""
	}
	before, after := text[:len(text)/2], text[len(text)/2+1:]
	name, ok := strings.CutPrefix(before, "a/")
	if !ok || after != "b/"+name {
		return ""
	}
	return name
}

// IDs returns the patch-id of a diff as [ID] does, and those of its sections alone, in their order.
func IDs(diff []byte, sections []Section) (total git.OID, each []git.OID) {
	each = make([]git.OID, len(sections))
	whole, sum := false, newIDSum()
	for i, s := range sections {
		each[i] = sum.of(s.Text)
		total = add(total, each[i])
		whole = whole || !s.Content
	}
	if whole || len(sections) == 0 {
		total = sum.of(diff) // git takes such a part together with the one behind it
	}
	return total, each
}

// add adds two numbers of 20 bytes, the first of which is the smallest.
func add(a, b git.OID) git.OID {
	carry := 0
	for i := range a {
		carry += int(a[i]) + int(b[i])
		a[i] = byte(carry) //nolint:gosec // the rest is carried
		carry >>= 8
	}
	return a
}
