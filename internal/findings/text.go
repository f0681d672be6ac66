package findings

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kubelts/kubelts/internal/cluster"
)

// bounded returns the first subjects in order, and how many there are, each counted once.
func bounded(subjects []string) ([]string, int) {
	seen := make(map[string]bool, len(subjects))
	kept := []string{}
	for _, s := range subjects {
		if s = cluster.Cut(s); !seen[s] {
			seen[s] = true
			if len(kept) < maxSubjects {
				kept = append(kept, s)
			}
		}
	}
	return kept, len(seen)
}

// quote makes one word for a shell of a name from a stranger. It refuses what no name has: control characters, which a terminal that
// one pastes into would obey, and a leading dash, which would be an option.
func quote(name string) (string, bool) {
	if name == "" || len(name) > cluster.MaxText || strings.HasPrefix(name, "-") || !utf8.ValidString(name) {
		return "", false
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return "", false
	}
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@%+=:,./_-", r))
	}
	if !strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return name, true
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'", true
}

// command puts quoted names into a command; the format has %s for each. It is "" when a name cannot be quoted.
func command(format string, names ...string) string {
	args := make([]any, 0, len(names))
	for _, n := range names {
		q, ok := quote(n)
		if !ok {
			return ""
		}
		args = append(args, q)
	}
	return fmt.Sprintf(format, args...)
}

// plural is a number with its word.
func plural(n int, word string) string {
	if n == 1 || n == -1 {
		return fmt.Sprintf("%d %s", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// over says how many days something is over. It counts as the days that are left do: on the first day after the end one day is over.
func over(days int) string { return plural(days, "day") + " over" }

// ends says when something ends or ended, in words.
func ends(left int, when time.Time) string {
	on := when.UTC().Format("2006-01-02")
	switch {
	case left < 0:
		return fmt.Sprintf("ended on %s, %s", on, over(-left))
	case left == 0:
		return "ends within a day, on " + on
	}
	return fmt.Sprintf("ends in %s, on %s", plural(left, "day"), on)
}

// list joins a few names for a sentence; the rest is counted.
func list(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// mentions reports whether a text has a name in it as a whole: cp-1 is not in what is said of cp-10.
func mentions(text, name string) bool {
	inName := func(b byte) bool {
		return b == '-' || b == '.' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= utf8.RuneSelf
	}
	for at := 0; name != ""; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		begin, end := at+i, at+i+len(name)
		if (begin == 0 || !inName(text[begin-1])) && (end == len(text) || !inName(text[end])) {
			return true
		}
		at = begin + 1
	}
	return false
}

// keys are a map's keys, sorted.
func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
