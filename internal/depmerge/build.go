package depmerge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A BUILD file is rules, name(key = value, ...). Only lists of strings are understood; what stands around them is merged as a whole. See
// https://bazel.build/concepts/build-files.

// stringList is a list of strings in a BUILD file.
type stringList struct {
	key    string // rule, its name and the attribute
	at, to int    // of the brackets, in the text
	items  []string
}

// buildFile is a BUILD file as its lists and what stands around them.
type buildFile struct {
	text  string
	lists []stringList
}

func parseBuild(text []byte) (*buildFile, error) {
	s := buildScanner{text: string(text)}
	f := &buildFile{text: s.text}
	seen := map[string]bool{}
	for {
		rule, ok := s.rule()
		if s.err != nil {
			return nil, s.err
		}
		if !ok {
			return f, nil
		}
		for _, l := range rule {
			if seen[l.key] {
				return nil, fmt.Errorf("%s is there twice", l.key)
			}
			seen[l.key] = true
			if f.lists = append(f.lists, l); len(f.lists) > maxEntries {
				return nil, fmt.Errorf("more than %d lists", maxEntries)
			}
		}
	}
}

// skeleton is the text without the entries of its lists.
func (f *buildFile) skeleton() string {
	var b strings.Builder
	at := 0
	for _, l := range f.lists {
		b.WriteString(f.text[at:l.at])
		b.WriteString("[]")
		at = l.to
	}
	b.WriteString(f.text[at:])
	return b.String()
}

func (f *buildFile) list(key string) ([]string, bool) {
	i := slices.IndexFunc(f.lists, func(l stringList) bool { return l.key == key })
	if i < 0 {
		return nil, false
	}
	return f.lists[i].items, true
}

// mergeBuild merges the lists of a BUILD file as sets. The rest may be changed by one side only.
func mergeBuild(s Sides) Result {
	var sides [3]*buildFile
	for i, side := range []struct {
		name string
		text []byte
	}{{"the fix's parent", s.Base}, {"the target", s.Ours}, {"the fix", s.Theirs}} {
		f, err := parseBuild(side.text)
		if err != nil {
			return refused("BUILD of %s: %v", side.name, err)
		}
		sides[i] = f
	}
	base, ours, theirs := sides[0], sides[1], sides[2]
	from := ours
	switch b, o, t := base.skeleton(), ours.skeleton(), theirs.skeleton(); {
	case b == t, o == t:
	case b == o:
		from = theirs
	default:
		return refused("both sides changed rules, not only lists of sources and dependencies")
	}
	var r Result
	var out strings.Builder
	at := 0
	for _, l := range from.lists {
		items := mergedList(base, ours, theirs, l)
		out.WriteString(from.text[at:l.at])
		if slices.Equal(items, l.items) {
			out.WriteString(from.text[l.at:l.to])
		} else {
			out.WriteString(printList(from.text[:l.at], items))
		}
		at = l.to
	}
	out.WriteString(from.text[at:])
	if _, err := parseBuild([]byte(out.String())); err != nil {
		r.refuse("the merged BUILD file cannot be printed")
	}
	return r.finish([]byte(out.String()))
}

// mergedList is what both sides made of a list. A list that one side lacks is the other's.
func mergedList(base, ours, theirs *buildFile, l stringList) []string {
	b, inBase := base.list(l.key)
	o, inOurs := ours.list(l.key)
	t, inTheirs := theirs.list(l.key)
	switch {
	case !inOurs, !inTheirs, !inBase && slices.Equal(o, t):
		return l.items
	case slices.Equal(b, t):
		return o
	case slices.Equal(b, o):
		return t
	}
	out := slices.DeleteFunc(slices.Clone(o), func(item string) bool { return slices.Contains(b, item) && !slices.Contains(t, item) })
	for _, item := range t {
		if slices.Contains(b, item) || slices.Contains(out, item) {
			continue
		}
		at := len(out)
		for at > 0 && lessLabel(item, out[at-1]) {
			at--
		}
		out = slices.Insert(out, at, item)
	}
	return out
}

// lessLabel is the order in which such lists are kept: files and labels of the package, then those of the repository, then those of others.
func lessLabel(a, b string) bool {
	rank := func(s string) int {
		switch {
		case strings.HasPrefix(s, ":"):
			return 1
		case strings.HasPrefix(s, "//"):
			return 2
		case strings.HasPrefix(s, "@"):
			return 3
		}
		return 0
	}
	if rank(a) != rank(b) {
		return rank(a) < rank(b)
	}
	return strings.ReplaceAll(a, ":", "\x00") < strings.ReplaceAll(b, ":", "\x00")
}

// printList writes a list behind a text as the formatter does: one entry on the line, more on lines of their own.
func printList(before string, items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	if len(items) == 1 {
		return "[" + items[0] + "]"
	}
	line := before[strings.LastIndexByte(before, '\n')+1:]
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	var b strings.Builder
	b.WriteString("[\n")
	for _, item := range items {
		b.WriteString(indent + "    " + item + ",\n")
	}
	b.WriteString(indent + "]")
	return b.String()
}

// buildScanner reads rules. It knows names, strings, comments and brackets, and nothing of expressions.
type buildScanner struct {
	text string
	at   int
	err  error
}

// next is the next token, with its kind: 'a' for a name or number, '"' for a string, 0 for the end, else the byte itself.
func (s *buildScanner) next() (kind byte, token string) {
	for s.at < len(s.text) {
		c, from := s.text[s.at], s.at
		switch {
		case strings.IndexByte(" \t\r\n\\", c) >= 0:
			s.at++
		case c == '#':
			end := strings.IndexByte(s.text[s.at:], '\n')
			if end < 0 {
				end = len(s.text) - s.at
			}
			s.at += end
		case c == '"', c == '\'':
			return '"', s.quoted(c)
		case nameByte(c):
			for s.at < len(s.text) && nameByte(s.text[s.at]) {
				s.at++
			}
			return 'a', s.text[from:s.at]
		default:
			s.at++
			return c, s.text[from:s.at]
		}
	}
	return 0, ""
}

func nameByte(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// quoted reads a string of one line. Strings in three quotes are refused.
func (s *buildScanner) quoted(quote byte) string {
	from := s.at
	if strings.HasPrefix(s.text[from:], strings.Repeat(string(quote), 3)) {
		s.err = errors.New("a string over several lines is not understood")
	}
	for s.at++; s.at < len(s.text) && s.text[s.at] != quote && s.text[s.at] != '\n'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	if s.at >= len(s.text) || s.text[s.at] == '\n' {
		s.err = errors.New("a string does not end")
		return ""
	}
	s.at++
	return s.text[from:s.at]
}

// call is the rule that is being read.
type call struct {
	depth            int
	rule, name       string
	word, key        string // the last word, and the last one before an equals sign
	lists            []stringList
	closed, finished bool
}

// rule reads up to the end of the next call and returns its lists; ok is false at the end of the file.
func (s *buildScanner) rule() (lists []stringList, ok bool) {
	var c call
	for s.err == nil && !c.closed && !c.finished {
		s.step(&c)
	}
	for i := range c.lists {
		c.lists[i].key = c.rule + " " + c.name + " " + c.lists[i].key
	}
	return c.lists, c.closed && s.err == nil
}

func (s *buildScanner) step(c *call) {
	switch kind, token := s.next(); kind {
	case 0:
		c.finished = true
		if c.depth > 0 {
			s.err = errors.New("a bracket does not close")
		}
	case 'a':
		c.word = token
	case '(', '{':
		if c.depth++; c.depth == 1 {
			c.rule = c.word
		}
	case ')', '}':
		c.depth--
		c.closed = c.depth == 0
		if c.depth < 0 {
			s.err = errors.New("a bracket closes that is not open")
		}
	case '=':
		c.key = c.word
	case '"':
		if c.depth == 1 && c.key == "name" {
			c.name, c.key = token, ""
		}
	case '[':
		from := s.at - 1
		if items, plain := s.items(); plain && c.depth == 1 && c.key != "" {
			c.lists = append(c.lists, stringList{key: c.key, at: from, to: s.at, items: items})
		}
		c.key = ""
	case ']':
		s.err = errors.New("a bracket closes that is not open")
	}
}

// items reads a list up to its closing bracket; plain says that it holds strings only, and no comment.
func (s *buildScanner) items() (items []string, plain bool) {
	from, depth, comma := s.at, 1, true
	plain = true
	for s.err == nil {
		kind, token := s.next()
		switch kind {
		case 0:
			s.err = errors.New("a bracket does not close")
		case '[', '(', '{':
			depth++
			plain = false
		case ']', ')', '}':
			if depth--; depth == 0 {
				return items, plain && !strings.Contains(s.text[from:s.at], "#")
			}
		case ',':
			comma = true
		case '"':
			plain = plain && comma && !slices.Contains(items, token)
			if items, comma = append(items, token), false; len(items) > maxEntries {
				s.err = fmt.Errorf("a list has more than %d entries", maxEntries)
			}
		default:
			plain = false
		}
	}
	return nil, false
}
