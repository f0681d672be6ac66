package cluster

import (
	"strings"
	"unicode/utf8"
)

// MaxText is how many characters of a text from a stranger a report shows.
const MaxText = 300

// Cut shortens a text from a stranger to what a report shows.
func Cut(s string) string {
	if len(s) <= MaxText && utf8.ValidString(s) {
		return s
	}
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) > MaxText {
		return string(runes[:MaxText]) + "…"
	}
	return string(runes)
}

// FirstOf is the first name that there is.
func FirstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return "an unnamed one"
}
