package gomerge

import "strings"

// alignment says which elements of a side correspond to which of base.
type alignment struct {
	toBase []int // by element of the side: the element of base, or -1
	toSide []int // by element of base: the element of the side, or -1
	// renamed are elements of base that are paired though their names differ.
	renamed map[int]bool
}

// Weights of a correspondence. Equal elements come first, then those of one name, then those that are alike.
const (
	equalWeight = 16
	keyWeight   = 12
	alikeWeight = 8 // times how alike they are
	minAlike    = 0.5
)

// maxAlikeCells bounds the windows in which elements are compared for being alike.
const maxAlikeCells = 10_000

// align matches the elements of a list of base with those of a side: in order, with the greatest weight, and in a free list also those
// of one name wherever they stand.
func (m *merger) align(base, side *node) (alignment, error) {
	a, b := base.chunks, side.chunks
	al := alignment{toBase: fill(len(b)), toSide: fill(len(a))}
	lo := 0
	for lo < len(a) && lo < len(b) && sameTokens(a[lo].node.tokens(), b[lo].node.tokens()) {
		al.pair(lo, lo)
		lo++
	}
	ha, hb := len(a), len(b)
	for ha > lo && hb > lo && sameTokens(a[ha-1].node.tokens(), b[hb-1].node.tokens()) {
		ha--
		hb--
		al.pair(ha, hb)
	}
	if m.cells += (ha - lo) * (hb - lo); m.cells > maxCells {
		return al, refuse(ReasonTooLarge, "more than %d comparisons", maxCells)
	}
	al.window(run{a, lo, ha}, run{b, lo, hb}, minAlike)
	if !base.free {
		al.gaps(run{a, lo, ha}, run{b, lo, hb})
	}
	if base.free {
		al.byKey(a, b)
		al.byLikeness(a, b)
	}
	return al, nil
}

func fill(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

func (al *alignment) pair(base, side int) { al.toBase[side], al.toSide[base] = base, side }

// run is a range of elements.
type run struct {
	chunks []chunk
	lo, hi int
}

func (r run) len() int { return r.hi - r.lo }

func (r run) node(i int) *node { return r.chunks[r.lo+i].node }

// gaps matches what is left between matched elements, where it need not be so much alike.
func (al *alignment) gaps(a, b run) {
	i, j := a.lo, b.lo
	for i < a.hi && j < b.hi {
		x, y := i, j
		for x < a.hi && al.toSide[x] < 0 {
			x++
		}
		for y < b.hi && al.toBase[y] < 0 {
			y++
		}
		al.window(run{a.chunks, i, x}, run{b.chunks, j, y}, minInGap)
		i, j = x+1, y+1
	}
}

// minInGap is how alike elements must be that stand alone between the same neighbours.
const minInGap = 0.3

// window finds the heaviest common subsequence.
func (al *alignment) window(a, b run, least float64) {
	if a.len() == 0 || b.len() == 0 {
		return
	}
	if a.len()*b.len() > maxAlikeCells {
		least = 1
	}
	weights, best := make([][]int, a.len()), make([][]int, a.len()+1)
	best[a.len()] = make([]int, b.len()+1)
	for i := a.len() - 1; i >= 0; i-- {
		weights[i], best[i] = make([]int, b.len()), make([]int, b.len()+1)
		for j := b.len() - 1; j >= 0; j-- {
			w := weight(a.node(i), b.node(j), least)
			weights[i][j] = w
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if w > 0 {
				best[i][j] = max(best[i][j], best[i+1][j+1]+w)
			}
		}
	}
	for i, j := 0, 0; i < a.len() && j < b.len(); {
		switch {
		case weights[i][j] > 0 && best[i][j] == best[i+1][j+1]+weights[i][j]:
			al.pair(a.lo+i, b.lo+j)
			i++
			j++
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
}

// byKey matches what has the same name in both and no partner.
func (al *alignment) byKey(a, b []chunk) {
	left := map[string]int{}
	for i := range a {
		if k := a[i].node.key; k != "" && al.toSide[i] < 0 {
			left[a[i].node.kind+" "+k] = i
		}
	}
	for j := range b {
		if al.toBase[j] >= 0 || b[j].node.key == "" {
			continue
		}
		if i, ok := left[b[j].node.kind+" "+b[j].node.key]; ok {
			al.pair(i, j)
		}
	}
}

// minRenamed is how alike two elements of different names must be, apart from the names, to be one element that a side renamed.
const minRenamed = 0.75

// byLikeness matches what has no partner with the one element that is like it under another name.
func (al *alignment) byLikeness(a, b []chunk) {
	if len(a)*len(b) > maxAlikeCells {
		return
	}
	for i := range a {
		if al.toSide[i] >= 0 || a[i].node.key == "" {
			continue
		}
		found := -1
		for j := range b {
			if al.toBase[j] >= 0 || !al.inPlace(i, j) || !likely(a[i].node, b[j].node) {
				continue
			}
			if found >= 0 {
				found = -1
				break
			}
			found = j
		}
		if found >= 0 {
			al.pair(i, found)
			if al.renamed == nil {
				al.renamed = map[int]bool{}
			}
			al.renamed[i] = true
		}
	}
}

// inPlace reports whether an element of the side stands between the partners of those around an element of base.
func (al *alignment) inPlace(base, side int) bool {
	for k := base - 1; k >= 0; k-- {
		if al.toSide[k] >= 0 {
			if al.toSide[k] > side {
				return false
			}
			break
		}
	}
	for k := base + 1; k < len(al.toSide); k++ {
		if al.toSide[k] >= 0 {
			return al.toSide[k] > side
		}
	}
	return true
}

func likely(a, b *node) bool {
	if a.kind != b.kind || b.key == "" {
		return false
	}
	x, y := code(a.tokens()), code(b.tokens())
	s := similarity(x, y)
	return strings.EqualFold(a.key, b.key) && s > 0.3 || s >= minRenamed && min(len(x), len(y)) >= 12
}

func weight(a, b *node, least float64) int {
	switch {
	case a.kind != b.kind:
		return 0
	case a.key != "" && a.key == b.key:
		if sameTokens(a.tokens(), b.tokens()) {
			return equalWeight
		}
		return keyWeight
	case a.key != "" && b.key != "":
		return 0
	case sameTokens(a.tokens(), b.tokens()):
		return equalWeight
	case least >= 1:
		return 0
	}
	if s := similarity(code(a.tokens()), code(b.tokens())); s >= least {
		return max(1, int(alikeWeight*s))
	}
	return 0
}

// similarity is the share of tokens that both have, from 0 to 1.
func similarity(a, b []tok) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	count := make(map[int32]int, len(a))
	for _, t := range a {
		count[t.id]++
	}
	both := 0
	for _, t := range b {
		if count[t.id] > 0 {
			count[t.id]--
			both++
		}
	}
	return 2 * float64(both) / float64(len(a)+len(b))
}
