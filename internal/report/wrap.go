package report

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// wrap breaks text into lines of at most width columns, at spaces where it can. Ends of lines in it are spaces like others: a stranger's
// text must not look like the next line of a report.
func wrap(s string, width int) []string {
	width = max(width, 10)
	var out []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		w := text.StringWidth(word)
		if used > 0 && used+1+w > width {
			out = append(out, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		for w > width { // a word that no line holds
			head := firstColumns(word, width-used)
			out = append(out, line+head)
			word = word[len(head):]
			line, used, w = "", 0, w-text.StringWidth(head)
		}
		line, used = line+word, used+w
	}
	return append(out, line)
}

// firstColumns is as much of s as fits into so many columns, and one character at least.
func firstColumns(s string, width int) string {
	used := 0
	for i, r := range s {
		if used += text.RuneWidth(r); used > width && i > 0 {
			return s[:i]
		}
	}
	return s
}

// flat makes one line of s.
func flat(s string) string { return strings.NewReplacer("\n", " ", "\t", " ").Replace(s) }

// cut shortens s to so many columns, with a mark where it was cut. Ends of lines and tabs become spaces.
func cut(s string, width int) string {
	s = flat(s)
	if text.StringWidth(s) <= width {
		return s
	}
	if width <= 1 {
		return "…"
	}
	return strings.TrimRight(firstColumns(s, width-1), " ") + "…"
}

// cutLeft is cut at the start of s.
func cutLeft(s string, width int) string {
	s = flat(s)
	used := text.StringWidth(s)
	if used <= width {
		return s
	}
	for i, r := range s {
		if used < max(width, 1) {
			return "…" + s[i:]
		}
		used -= text.RuneWidth(r)
	}
	return "…"
}
