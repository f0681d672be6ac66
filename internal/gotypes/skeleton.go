package gotypes

import "bytes"

// skeleton is a copy of a source in which the bodies of functions are blank: most of a file, which nobody needs who only wants to know what it
// declares. Positions and lines stay. What it does not understand stays as it is.
func skeleton(src []byte) []byte {
	s := skimmer{out: bytes.Clone(src)}
	for s.at < len(s.out) {
		s.step()
	}
	return s.out
}

// skimmer goes through a source without looking at more than it must.
type skimmer struct {
	out    []byte
	at     int
	depth  int    // of brackets of any kind
	word   string // the word that ended just before, if nothing but space stands between
	fresh  bool   // something else than space has been seen in this line at depth 0
	inFunc bool   // between func at the start of a line and the end of its signature
}

func (s *skimmer) step() {
	c := s.out[s.at]
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
		for s.at < len(s.out) && (letter(s.out[s.at]) || '0' <= s.out[s.at] && s.out[s.at] <= '9') {
			s.at++
		}
		s.word = string(s.out[start:s.at])
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

// body blanks what stands between the brace at hand and its counterpart. If there is none, nothing is blanked.
func (s *skimmer) body() {
	start, depth := s.at+1, 0
	for s.at < len(s.out) {
		if s.skip() {
			continue
		}
		switch s.out[s.at] {
		case '{':
			depth++
		case '}':
			depth--
		}
		s.at++
		if depth == 0 {
			for i := start; i < s.at-1; i++ {
				if s.out[i] != '\n' {
					s.out[i] = ' '
				}
			}
			s.inFunc = false
			return
		}
	}
}

// skip passes over a comment, string or rune that starts here.
func (s *skimmer) skip() bool {
	rest := s.out[s.at:]
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
	i := bytes.Index(s.out[s.at+from:], []byte(end))
	switch {
	case i < 0:
		s.at = len(s.out)
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
	s := skimmer{out: src}
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
