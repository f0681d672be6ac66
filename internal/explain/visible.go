package explain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is how many bytes of a line are shown.
const maxLine = 2000

// visible shows what would not be seen, or would do something to who looks at it: control characters, marks that turn the direction of text, bytes
// that are no characters. Tabs stay.
func visible(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "<%02x>", s[0])
		case r == '\t', !hidden(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
		s = s[size:]
	}
	return b.String()
}

// plain reports whether all of s is printable ASCII or tabs.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] != '\t' && (s[i] < 0x20 || s[i] > 0x7e) {
			return false
		}
	}
	return true
}

func hidden(r rune) bool {
	return !unicode.IsPrint(r) && r != '\u00a0' && !unicode.In(r, unicode.Zs) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// line is a line of a text as it is shown: without its end, and cut if it is very long.
func line(s string) string {
	s = strings.TrimSuffix(s, "\n")
	s = strings.TrimSuffix(s, "\r")
	if len(s) <= maxLine {
		return visible(s)
	}
	cut := maxLine
	for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return visible(s[:cut]) + fmt.Sprintf(" ... (%d bytes more)", len(s)-cut)
}
