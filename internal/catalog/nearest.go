package catalog

import "strings"

// maxCompared bounds the length of names that are compared by edit distance.
const maxCompared = 64

// nearest returns the name that is spelled most like s, for hints; "" when there are no names. Of equals it is the last, which for
// sorted names of vulnerabilities is the newest.
func nearest(s string, names []string) string {
	best, least := "", 1<<30
	s = strings.ToUpper(s[:min(len(s), maxCompared)])
	for _, n := range names {
		if d := editDistance(s, strings.ToUpper(n[:min(len(n), maxCompared)])); d <= least {
			best, least = n, d
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
