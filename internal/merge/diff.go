package merge

import "github.com/kubelts/kubelts/internal/errs"

// Change is a run of lines of one text that another text replaced. One of the spans may be empty, never both.
type Change struct {
	Old, New Span
}

// Diff returns what changed from a to b, in order, with at least one unchanged line between two changes. Where a change could stand
// in several places it is slid as git slides it (without the indent heuristic, which is for people's eyes).
func Diff(a, b []byte, algorithm Algorithm) ([]Change, error) {
	if algorithm != "" && algorithm != Histogram && algorithm != Myers {
		return nil, errs.New(errs.Invalid, "diff algorithm %q", algorithm)
	}
	in := newInterner()
	x, err := in.read(a)
	if err != nil {
		return nil, err
	}
	y, err := in.read(b)
	if err != nil {
		return nil, err
	}
	return newDiffer(algorithm, in.classes()).diff(x.classes, y.classes)
}

// differ finds changes between texts whose lines were given classes by one interner. It is used by one goroutine.
type differ struct {
	algorithm Algorithm
	steps     int     // left to spend
	count     []int32 // by class: how often it occurs in the old range at hand
	first     []int32 // by class: where it occurs first in the old range at hand
}

func newDiffer(algorithm Algorithm, classes int) *differ {
	return &differ{algorithm: algorithm, steps: maxSteps, count: make([]int32, classes), first: make([]int32, classes)}
}

func (d *differ) spend(steps int) error {
	if d.steps -= steps; d.steps < 0 {
		return &LimitError{What: "steps", Limit: maxSteps}
	}
	return nil
}

// sides are two texts as classes, and which of their lines are changed.
type sides struct {
	a, b   []int32
	ca, cb []bool
}

// window is a range of lines in each of two texts.
type window struct{ a, b Span }

func (d *differ) diff(a, b []int32) ([]Change, error) {
	s := &sides{a: a, b: b, ca: make([]bool, len(a)), cb: make([]bool, len(b))}
	if err := d.mark(s); err != nil {
		return nil, err
	}
	if err := d.compact(a, s.ca, s.cb); err != nil {
		return nil, err
	}
	if err := d.compact(b, s.cb, s.ca); err != nil {
		return nil, err
	}
	return s.changes(), nil
}

// mark finds the changed lines with the algorithm that was asked for.
func (d *differ) mark(s *sides) error {
	w := s.trim(window{Span{0, len(s.a)}, Span{0, len(s.b)}})
	if d.algorithm == Myers {
		return d.myers(s, w)
	}
	return d.histogram(s, w)
}

// trim leaves out what both ranges have in common at their start and end.
func (s *sides) trim(w window) window {
	for w.a.Lo < w.a.Hi && w.b.Lo < w.b.Hi && s.a[w.a.Lo] == s.b[w.b.Lo] {
		w.a.Lo++
		w.b.Lo++
	}
	for w.a.Lo < w.a.Hi && w.b.Lo < w.b.Hi && s.a[w.a.Hi-1] == s.b[w.b.Hi-1] {
		w.a.Hi--
		w.b.Hi--
	}
	return w
}

// markAll marks all lines of both ranges as changed.
func (s *sides) markAll(w window) {
	for i := w.a.Lo; i < w.a.Hi; i++ {
		s.ca[i] = true
	}
	for i := w.b.Lo; i < w.b.Hi; i++ {
		s.cb[i] = true
	}
}

// changes reads the marks: unchanged lines correspond one to one.
func (s *sides) changes() []Change {
	var out []Change
	i, j := 0, 0
	for i < len(s.a) || j < len(s.b) {
		if !at(s.ca, i) && !at(s.cb, j) {
			i++
			j++
			continue
		}
		c := Change{Old: Span{Lo: i}, New: Span{Lo: j}}
		for at(s.ca, i) {
			i++
		}
		for at(s.cb, j) {
			j++
		}
		c.Old.Hi, c.New.Hi = i, j
		out = append(out, c)
	}
	return out
}

func at(marks []bool, i int) bool { return i < len(marks) && marks[i] }
