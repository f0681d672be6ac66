package gomerge

// alignment says which elements of a side correspond to which of base.
type alignment struct {
	toBase []int // by element of the side: the element of base, or -1
	toSide []int // by element of base: the element of the side, or -1
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
	al.window(a[lo:ha], b[lo:hb], lo)
	if base.free {
		al.byKey(a, b)
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

// window finds the heaviest common subsequence.
func (al *alignment) window(a, b []chunk, offset int) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	alike := len(a)*len(b) <= maxAlikeCells
	weights, best := make([][]int, len(a)), make([][]int, len(a)+1)
	best[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		weights[i], best[i] = make([]int, len(b)), make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			w := weight(a[i].node, b[j].node, alike)
			weights[i][j] = w
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if w > 0 {
				best[i][j] = max(best[i][j], best[i+1][j+1]+w)
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case weights[i][j] > 0 && best[i][j] == best[i+1][j+1]+weights[i][j]:
			al.pair(offset+i, offset+j)
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

func weight(a, b *node, alike bool) int {
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
	case !alike:
		return 0
	}
	if s := similarity(code(a.tokens()), code(b.tokens())); s >= minAlike {
		return int(alikeWeight * s)
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
