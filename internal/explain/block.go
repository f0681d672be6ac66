package explain

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
)

// blocks finds the conflicts that stand in a result's text at the lines that they name. One whose markers are not there is left out.
func blocks(lines []string, conflicts []backport.Conflict) []Block {
	var out []Block
	next := 0
	sorted := slices.SortedStableFunc(slices.Values(conflicts), func(a, b backport.Conflict) int { return a.Line - b.Line })
	for _, c := range sorted {
		if c.Line-1 < next || c.Line > len(lines) {
			continue
		}
		b, ok := block(lines, c.Line-1)
		if !ok {
			continue
		}
		b.Conflict = c
		out = append(out, b)
		next = b.end
	}
	return out
}

// block reads the conflict whose opening marker is line at.
func block(lines []string, at int) (Block, bool) {
	var b Block
	label, ok := marker(lines[at], '<')
	if !ok {
		return b, false
	}
	b.Labels[0] = label
	part, state := &b.Ours, '<'
	for i := at + 1; i < len(lines); i++ {
		if label, ok := marker(lines[i], '|'); ok && state == '<' {
			b.Labels[1], b.HasBase = label, true
			part, state = &b.Base, '|'
			continue
		}
		if label, ok := marker(lines[i], '='); ok && label == "" && state != '=' {
			part, state = &b.Theirs, '='
			continue
		}
		if label, ok := marker(lines[i], '>'); ok && state == '=' {
			b.Labels[2], b.end = label, i+1
			return b, true
		}
		*part = append(*part, lines[i])
	}
	return b, false
}

// marker reads a line of seven times c and a label.
func marker(s string, c rune) (label string, ok bool) {
	rest, ok := strings.CutPrefix(s, strings.Repeat(string(c), 7))
	if !ok || rest != "" && !strings.HasPrefix(rest, " ") {
		return "", false
	}
	return strings.TrimPrefix(rest, " "), true
}
