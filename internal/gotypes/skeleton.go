package gotypes

import "bytes"

// skeleton is a copy of a source without the bodies of functions: most of a file, which nobody needs who only wants to know what it declares. What stands
// elsewhere stays in its line, and with inPlace at its position too, behind blanks. What it does not understand stays as it is.
func skeleton(src []byte, inPlace bool) []byte {
	s := skimmer{src: src, inPlace: inPlace, out: make([]byte, 0, len(src))}
	for s.at < len(s.src) {
		s.step()
	}
	return append(s.out, s.src[s.copied:]...)
}

// skimmer goes through a source without looking at more than it must.
type skimmer struct {
	src     []byte
	inPlace bool
	out     []byte
	copied  int // what of src is in out
	at      int
	depth   int    // of brackets of any kind
	word    string // the word that ended just before, if nothing but space stands between
	fresh   bool   // something else than space has been seen in this line at depth 0
	inFunc  bool   // between func at the start of a line and the end of its signature
}

func (s *skimmer) step() {
	c := s.src[s.at]
	switch {
	case c == '\n':
		if s.depth == 0 {
			s.fresh, s.inFunc = false, false
		}
		s.at++
	case c == ' ' || c == '\t' || c == '\r':
		s.at++
	case s.skip():
		s.word = ""
	case letter(c):
		start := s.at
		for s.at < len(s.src) && (letter(s.src[s.at]) || '0' <= s.src[s.at] && s.src[s.at] <= '9') {
			s.at++
		}
		s.word = ""
		if s.depth == 0 {
			s.word = string(s.src[start:s.at])
		}
		if s.word == "func" && s.depth == 0 && !s.fresh {
			s.inFunc = true
		}
		s.fresh = true
	default:
		s.bracket(c)
		s.word, s.fresh = "", true
	}
}

func (s *skimmer) bracket(c byte) {
	switch c {
	case '{':
		if s.inFunc && s.depth == 0 && s.word != "struct" && s.word != "interface" {
			s.body()
			return
		}
		s.depth++
	case '(', '[':
		s.depth++
	case ')', ']', '}':
		s.depth = max(0, s.depth-1)
	}
	s.at++
}

// body leaves out what stands between the brace at hand and its counterpart. If there is none, nothing is left out.
func (s *skimmer) body() {
	start, depth := s.at+1, 0
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case '{':
			depth++
		case '}':
			depth--
		case '/', '"', '\'', '`':
			if s.skip() {
				continue
			}
		}
		s.at++
		if depth == 0 {
			s.blank(start, s.at-1)
			s.inFunc = false
			return
		}
	}
}

// blank leaves a part of the source out, but for its lines.
func (s *skimmer) blank(from, to int) {
	s.out = append(s.out, s.src[s.copied:from]...)
	s.copied = to
	if !s.inPlace {
		for range bytes.Count(s.src[from:to], []byte("\n")) {
			s.out = append(s.out, '\n')
		}
		return
	}
	for _, c := range s.src[from:to] {
		if c != '\n' {
			c = ' '
		}
		s.out = append(s.out, c)
	}
}

// skip passes over a comment, string or rune that starts here.
func (s *skimmer) skip() bool {
	rest := s.src[s.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		s.until(2, "\n", false) // the newline counts
	case bytes.HasPrefix(rest, []byte("/*")):
		s.until(2, "*/", true)
	case rest[0] == '`':
		s.until(1, "`", true)
	case rest[0] == '"' || rest[0] == '\'':
		i := 1
		for i < len(rest) && rest[i] != rest[0] && rest[i] != '\n' {
			if rest[i] == '\\' {
				i++
			}
			i++
		}
		s.at += min(i+1, len(rest))
	default:
		return false
	}
	return true
}

// until goes to the end of what starts here, or behind it.
func (s *skimmer) until(from int, end string, behind bool) {
	i := bytes.Index(s.src[s.at+from:], []byte(end))
	switch {
	case i < 0:
		s.at = len(s.src)
	case behind:
		s.at += from + i + len(end)
	default:
		s.at += from + i
	}
}

func letter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80 }

// dotted are the words of a source that a dot follows, without those in comments and strings.
func dotted(src []byte) map[string]bool {
	out := map[string]bool{}
	s := skimmer{src: src}
	for s.at < len(src) {
		switch c := src[s.at]; {
		case letter(c):
			start := s.at
			for s.at < len(src) && (letter(src[s.at]) || '0' <= src[s.at] && src[s.at] <= '9') {
				s.at++
			}
			if s.at < len(src) && src[s.at] == '.' {
				out[string(src[start:s.at])] = true
			}
		case (c == '/' || c == '"' || c == '\'' || c == '`') && s.skip():
		default:
			s.at++
		}
	}
	return out
}
