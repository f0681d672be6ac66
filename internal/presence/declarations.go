package presence

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// span is a declaration: from its first line up to the next one's.
type span struct {
	from int // line, from 1
	decl string
}

var (
	funcForm  = regexp.MustCompile(`^func\s+(?:\(\s*(?:[\pL_][\pL\d_]*\s+)?\*?\s*([\pL_][\pL\d_]*)[^)]*\)\s*)?([\pL_][\pL\d_]*)`)
	oneForm   = regexp.MustCompile(`^(type|var|const)\s+([\pL_][\pL\d_]*)`)
	groupForm = regexp.MustCompile(`^(type|var|const|import)\s*\(`)
	entryForm = regexp.MustCompile(`^(?:\t|    )([\pL_][\pL\d_]*)`)
)

// spans finds the declarations of Go source by the lines with which they begin; those in parentheses one by one. Of other files there are none.
func spans(name, content string) []span {
	if !isGo(name) {
		return nil
	}
	var all []span
	group := ""
	n := 0
	for line := range strings.Lines(content) {
		if n++; n > maxLines {
			break
		}
		decl, begins := "", false
		if decl, group, begins = begin(line, group); begins {
			all = append(all, span{n, decl})
		}
	}
	return all
}

// begin says which declaration begins with a line, if any, and in what parentheses the next line stands.
func begin(line, group string) (decl, inside string, begins bool) {
	// Most lines begin nothing: a look at the first letter spares the patterns.
	if group == "" && (line == "" || !strings.ContainsRune("ftvci", rune(line[0]))) {
		return "", "", false
	}
	if group != "" {
		if strings.HasPrefix(line, ")") {
			return "", "", false
		}
		if group == "import" || strings.HasPrefix(line, "\t\t") || strings.HasPrefix(line, "\t//") {
			return "", group, false
		}
		m := entryForm.FindStringSubmatch(line)
		if m == nil {
			return "", group, false
		}
		return group + " " + m[1], group, true
	}
	if m := funcForm.FindStringSubmatch(line); m != nil {
		if m[1] != "" {
			return "func (" + m[1] + ") " + m[2], "", true
		}
		return "func " + m[2], "", true
	}
	if m := groupForm.FindStringSubmatch(line); m != nil {
		return "", m[1], true
	}
	if m := oneForm.FindStringSubmatch(line); m != nil {
		return m[1] + " " + m[2], "", true
	}
	return "", "", false
}

// at is the declaration in which a line stands; empty before the first.
func at(all []span, line int) string {
	i, found := slices.BinarySearchFunc(all, line, func(s span, line int) int { return cmp.Compare(s.from, line) })
	if !found {
		i--
	}
	if i < 0 {
		return ""
	}
	return all[i].decl
}

func has(all []span, decl string) bool {
	return decl == "" || slices.ContainsFunc(all, func(s span) bool { return s.decl == decl })
}
