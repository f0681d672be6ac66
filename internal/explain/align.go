package explain

import (
	"slices"

	"github.com/kubelts/kubelts/internal/merge"
)

// maxPairs bounds the pairs of lines that are compared to align a change.
const maxPairs = 20_000

// alignment lays a version beside base.
type alignment struct {
	pair []int        // for each line of base the version's line beside it, or -1
	gaps []merge.Span // for each line of base, and behind the last, the version's lines before it that have none of base's beside them
}

// align pairs lines: unchanged ones, within changes those that are most alike, and between these one after the other.
func align(base, other []source, changes []merge.Change) alignment {
	a := alignment{pair: make([]int, len(base)), gaps: make([]merge.Span, len(base)+1)}
	i, j := 0, 0
	for _, c := range append(slices.Clone(changes), merge.Change{Old: merge.Span{Lo: len(base), Hi: len(base)}, New: merge.Span{Lo: len(other), Hi: len(other)}}) {
		for ; i < c.Old.Lo; i, j = i+1, j+1 {
			a.pair[i] = j
		}
		x, y := cut(base[c.Old.Lo:c.Old.Hi]), cut(other[c.New.Lo:c.New.Hi])
		for _, m := range matches(x, y) {
			i, j = a.run(merge.Span{Lo: i, Hi: c.Old.Lo + m[0]}, merge.Span{Lo: j, Hi: c.New.Lo + m[1]})
			a.pair[i] = j
			i, j = i+1, j+1
		}
		i, j = a.run(merge.Span{Lo: i, Hi: c.Old.Hi}, merge.Span{Lo: j, Hi: c.New.Hi})
	}
	return a
}

// run pairs two runs of lines that have nothing in common one by one; what is left of the version stands behind.
func (a *alignment) run(base, other merge.Span) (i, j int) {
	i, j = base.Lo, other.Lo
	for ; i < base.Hi; i++ {
		a.pair[i] = -1
		if j < other.Hi {
			a.pair[i] = j
			j++
		}
	}
	if j < other.Hi {
		a.gaps[base.Hi] = merge.Span{Lo: j, Hi: other.Hi}
	}
	return base.Hi, other.Hi
}

// matches pairs lines of two lists in order: equal ones at both ends, and between them those that share most words in sum. Where there are too many
// between, these are not paired.
func matches(x, y [][]string) [][2]int {
	start, end := 0, 0
	for start < min(len(x), len(y)) && slices.Equal(x[start], y[start]) {
		start++
	}
	for end < min(len(x), len(y))-start && slices.Equal(x[len(x)-1-end], y[len(y)-1-end]) {
		end++
	}
	var out [][2]int
	for i := range start {
		out = append(out, [2]int{i, i})
	}
	for _, m := range likest(x[start:len(x)-end], y[start:len(y)-end]) {
		out = append(out, [2]int{start + m[0], start + m[1]})
	}
	for i := end; i > 0; i-- {
		out = append(out, [2]int{len(x) - i, len(y) - i})
	}
	return out
}

// likest pairs lines so that the sum of words that the pairs share is largest.
func likest(x, y [][]string) [][2]int {
	n, m := len(x), len(y)
	if n == 0 || m == 0 || n*m > maxPairs {
		return nil
	}
	best := make([][]int, n+1)
	for i := range best {
		best[i] = make([]int, m+1)
	}
	score := make([]int, n*m)
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			s := alike(x[i], y[j])
			score[i*m+j] = s
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if s > 0 {
				best[i][j] = max(best[i][j], best[i+1][j+1]+s)
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < n && j < m; {
		s := score[i*m+j]
		switch {
		case s > 0 && best[i][j] == best[i+1][j+1]+s:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return out
}

// cut cuts lines into words.
func cut(lines []source) [][]string {
	out := make([][]string, len(lines))
	for i, l := range lines {
		out[i] = words(l.text)
	}
	return out
}

// alike says how many words two lines share; 0 if it is less than half of the longer one's.
func alike(a, b []string) int {
	if slices.Equal(a, b) {
		return max(1, len(a))
	}
	if len(a) > 2*len(b) || len(b) > 2*len(a) || max(len(a), len(b)) > maxWords {
		return 0
	}
	count := map[string]int{}
	for _, w := range a {
		count[w]++
	}
	common := 0
	for _, w := range b {
		if count[w] > 0 {
			count[w]--
			common++
		}
	}
	if 2*common < max(len(a), len(b)) {
		return 0
	}
	return common
}
