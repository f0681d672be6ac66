package explain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kubelts/kubelts/internal/visible"
)

// maxLine is how many bytes of a line are shown.
const maxLine = 2000

// line is a line of a text as it is shown: without its end, and cut if it is very long.
func line(s string) string {
	s = strings.TrimSuffix(s, "\n")
	s = strings.TrimSuffix(s, "\r")
	if len(s) <= maxLine {
		return visible.Text(s)
	}
	cut := maxLine
	for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return visible.Text(s[:cut]) + fmt.Sprintf(" ... (%d bytes more)", len(s)-cut)
}
