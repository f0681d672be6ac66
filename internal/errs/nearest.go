package errs

import (
	"iter"
	"strings"
)

// maxCompared bounds the length of names that are compared, in bytes.
const maxCompared = 64

// Nearest returns the name that is spelled most like word, for hints, and how many single-character edits lie between them, letter case
// apart (Levenshtein's distance). Of names alike it is the last. Without names it is "".
func Nearest(word string, names iter.Seq[string]) (name string, edits int) {
	least := -1
	word = fold(word)
	for n := range names {
		if d := distance(word, fold(n), least); least < 0 || d <= least {
			name, least = n, d
		}
	}
	return name, max(least, 0)
}

func fold(s string) string { return strings.ToUpper(s[:min(len(s), maxCompared)]) }

// distance is Levenshtein's, or more than limit where it is at least known to be so; a limit below zero is none.
func distance(a, b string, limit int) int {
	if apart := max(len(a)-len(b), len(b)-len(a)); limit >= 0 && apart > limit {
		return apart
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
