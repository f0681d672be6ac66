package merge

// Bounds of the search for the shortest edit script.
const (
	minCost      = 256  // edits that are always searched before a good guess is taken
	maxFrequency = 1024 // a line that occurs so often in the other text says little, whatever the size of the texts
	lookAround   = 100  // lines before and after that are looked at when a frequent line is judged
)

// myers finds a shortest edit script (Myers, "An O(ND) difference algorithm and its variations", 1986, in linear space) between the
// lines of the window. Lines that the other text does not have are changed, whatever the script; they are left out of the search,
// and so are frequent lines that stand among such lines and would only be matched by chance.
func (d *differ) myers(s *sides, w window) error {
	limit := min(roughRoot(len(s.a)), maxFrequency)
	keepA := d.telling(s.a, s.b, w.a, limit)
	limit = min(roughRoot(len(s.b)), maxFrequency)
	keepB := d.telling(s.b, s.a, w.b, limit)
	if err := d.spend(len(s.a) + len(s.b)); err != nil {
		return err
	}
	s.markAll(w)
	e := editor{
		differ: d, marks: s, indexA: keepA, indexB: keepB,
		a: pick(s.a, keepA), b: pick(s.b, keepB),
	}
	diagonals := len(e.a) + len(e.b) + 3
	e.cap = max(roughRoot(diagonals), minCost)
	e.zero = len(e.b) + 1
	e.forward, e.backward = make([]int, diagonals), make([]int, diagonals)
	// What was kept is unchanged until the search says otherwise.
	for _, i := range keepA {
		s.ca[i] = false
	}
	for _, j := range keepB {
		s.cb[j] = false
	}
	return e.search(window{Span{0, len(e.a)}, Span{0, len(e.b)}})
}

func pick(classes []int32, index []int) []int32 {
	out := make([]int32, len(index))
	for k, i := range index {
		out[k] = classes[i]
	}
	return out
}

// roughRoot is a power of two near the square root of n.
func roughRoot(n int) int {
	r := 1
	for ; n > 0; n >>= 2 {
		r <<= 1
	}
	return r
}

// Weights of a line in the search.
const (
	absent   = iota // the other text does not have it
	plain           // it is worth matching
	frequent        // the other text has it very often
)

// telling returns the lines of the range that are worth matching against other.
func (d *differ) telling(own, other []int32, within Span, limit int) []int {
	for _, c := range other {
		d.count[c]++
	}
	weight := make([]uint8, within.Hi-within.Lo)
	for k := range weight {
		switch n := int(d.count[own[within.Lo+k]]); {
		case n >= limit:
			weight[k] = frequent
		case n > 0:
			weight[k] = plain
		}
	}
	for _, c := range other {
		d.count[c] = 0
	}
	keep := make([]int, 0, len(weight))
	for k, w := range weight {
		if w == plain || w == frequent && !amongAbsent(weight, k) {
			keep = append(keep, within.Lo+k)
		}
	}
	return keep
}

// amongAbsent reports whether a frequent line stands between absent lines on both sides, with few frequent ones beside it.
func amongAbsent(weight []uint8, k int) bool {
	scan := func(step int) (gone, often int) {
		for i, n := k+step, 0; i >= 0 && i < len(weight) && n < lookAround && weight[i] != plain; i, n = i+step, n+1 {
			if weight[i] == absent {
				gone++
			} else {
				often++
			}
		}
		return gone, often
	}
	goneBefore, oftenBefore := scan(-1)
	if goneBefore == 0 {
		return false
	}
	goneAfter, oftenAfter := scan(1)
	if goneAfter == 0 {
		return false
	}
	// The line at hand counts once for each direction.
	gone, often := goneBefore+goneAfter, oftenBefore+oftenAfter+2
	return often*4 < often+gone
}

// editor searches the shortest edit script between a and b, which are the telling lines of two texts.
type editor struct {
	*differ
	marks             *sides
	a, b              []int32
	indexA, indexB    []int // where the lines stand in the texts
	cap               int   // edits after which a good guess is taken
	zero              int   // index of diagonal 0 in the vectors
	forward, backward []int // by diagonal (line of a minus line of b): the furthest line of a that is reached from each end
}

func (e *editor) search(w window) error {
	pending := []window{w}
	for len(pending) > 0 {
		w = pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		w = (&sides{a: e.a, b: e.b}).trim(w)
		if w.a.Lo == w.a.Hi || w.b.Lo == w.b.Hi {
			for i := w.a.Lo; i < w.a.Hi; i++ {
				e.marks.ca[e.indexA[i]] = true
			}
			for j := w.b.Lo; j < w.b.Hi; j++ {
				e.marks.cb[e.indexB[j]] = true
			}
			continue
		}
		i, j, err := e.middle(w)
		if err != nil {
			return err
		}
		pending = append(pending,
			window{Span{i, w.a.Hi}, Span{j, w.b.Hi}},
			window{Span{w.a.Lo, i}, Span{w.b.Lo, j}})
	}
	return nil
}

// front is a range of diagonals that a search has reached, and the bounds that the window sets.
type front struct {
	lo, hi   int
	min, max int
}

// widen takes in one more diagonal on each side, or leaves one out where the window ends. The values just outside are set so that
// they are never chosen.
func (f *front) widen(vector []int, zero, never int) {
	if f.lo > f.min {
		f.lo--
		vector[zero+f.lo-1] = never
	} else {
		f.lo++
	}
	if f.hi < f.max {
		f.hi++
		vector[zero+f.hi+1] = never
	} else {
		f.hi--
	}
}

func (f *front) has(d int) bool { return f.lo <= d && d <= f.hi }

// middle finds a point on a shortest path through the window, searching from both ends until the searches meet.
func (e *editor) middle(w window) (int, int, error) {
	lowest, highest := w.a.Lo-w.b.Hi, w.a.Hi-w.b.Lo
	start, end := w.a.Lo-w.b.Lo, w.a.Hi-w.b.Hi
	odd := (start-end)&1 != 0
	ahead, back := front{start, start, lowest, highest}, front{end, end, lowest, highest}
	e.forward[e.zero+start], e.backward[e.zero+end] = w.a.Lo, w.a.Hi
	const never = int(^uint(0) >> 1)
	for cost := 1; ; cost++ {
		if err := e.spend(ahead.hi - ahead.lo + back.hi - back.lo + 4); err != nil {
			return 0, 0, err
		}
		ahead.widen(e.forward, e.zero, -1)
		for d := ahead.hi; d >= ahead.lo; d -= 2 {
			i := e.advance(w, d)
			if odd && back.has(d) && e.backward[e.zero+d] <= i {
				return i, i - d, nil
			}
		}
		back.widen(e.backward, e.zero, never)
		for d := back.hi; d >= back.lo; d -= 2 {
			i := e.retreat(w, d)
			if !odd && ahead.has(d) && i <= e.forward[e.zero+d] {
				return i, i - d, nil
			}
		}
		if cost >= e.cap {
			i, j := e.guess(w, ahead, back)
			return i, j, nil
		}
	}
}

// advance takes the forward search one edit further on a diagonal, then along equal lines.
func (e *editor) advance(w window, d int) int {
	k := e.zero + d
	i := e.forward[k+1]
	if e.forward[k-1] >= i {
		i = e.forward[k-1] + 1
	}
	for i < w.a.Hi && i-d < w.b.Hi && e.a[i] == e.b[i-d] {
		i++
	}
	e.steps -= max(0, i-e.forward[k])
	e.forward[k] = i
	return i
}

// retreat is advance from the other end.
func (e *editor) retreat(w window, d int) int {
	k := e.zero + d
	i := e.backward[k-1]
	if e.backward[k+1] <= i {
		i = e.backward[k+1] - 1
	}
	for i > w.a.Lo && i-d > w.b.Lo && e.a[i-1] == e.b[i-d-1] {
		i--
	}
	e.backward[k] = i
	return i
}

// guess gives up on the shortest path: the point that either search got furthest to is good enough.
func (e *editor) guess(w window, ahead, back front) (int, int) {
	best, fi, fj := -1, w.a.Lo, w.b.Lo
	for d := ahead.hi; d >= ahead.lo; d -= 2 {
		i := min(e.forward[e.zero+d], w.a.Hi)
		if i-d > w.b.Hi {
			i = w.b.Hi + d
		}
		if i+i-d > best {
			best, fi, fj = i+i-d, i, i-d
		}
	}
	least, bi, bj := w.a.Hi+w.b.Hi+1, w.a.Hi, w.b.Hi
	for d := back.hi; d >= back.lo; d -= 2 {
		i := max(e.backward[e.zero+d], w.a.Lo)
		if i-d < w.b.Lo {
			i = w.b.Lo + d
		}
		if i+i-d < least {
			least, bi, bj = i+i-d, i, i-d
		}
	}
	if w.a.Hi+w.b.Hi-least < best-w.a.Lo-w.b.Lo {
		return fi, fj
	}
	return bi, bj
}
