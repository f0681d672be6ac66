package merge

// tooCommon is how often a line may occur in the old text and still be an anchor.
const tooCommon = 64

// histogram splits the window at its best anchor and goes on with what lies before and after it. The best anchor is the run of
// common lines that holds the rarest line; among equally rare ones, the longest. Without any common line all is changed; where all
// common lines are too common, Myers decides.
func (d *differ) histogram(s *sides, w window) error {
	next := make([]int32, len(s.a))
	pending := []window{w}
	for len(pending) > 0 {
		w = pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if w.a.Lo == w.a.Hi || w.b.Lo == w.b.Hi {
			s.markAll(w)
			continue
		}
		f := anchorFinder{differ: d, sides: s, window: w, next: next, rarest: tooCommon + 1, longest: 1}
		found, err := f.run()
		switch {
		case err != nil:
			return err
		case f.common && f.rarest > tooCommon:
			sub := &sides{a: s.a[w.a.Lo:w.a.Hi], b: s.b[w.b.Lo:w.b.Hi], ca: s.ca[w.a.Lo:w.a.Hi], cb: s.cb[w.b.Lo:w.b.Hi]}
			if err := d.myers(sub, sub.trim(window{Span{0, len(sub.a)}, Span{0, len(sub.b)}})); err != nil {
				return err
			}
		case found == window{}:
			s.markAll(w)
		default:
			pending = append(pending,
				window{Span{found.a.Hi, w.a.Hi}, Span{found.b.Hi, w.b.Hi}},
				window{Span{w.a.Lo, found.a.Lo}, Span{w.b.Lo, found.b.Lo}})
		}
	}
	return nil
}

// anchorFinder looks for the best anchor in one window.
type anchorFinder struct {
	*differ
	*sides
	window  window
	next    []int32 // by line of a: the next line of the window that is equal, or -1
	common  bool    // whether there is any common line
	rarest  int32   // how often the rarest line of the best run occurs
	longest int     // lines in the best run
	best    window
}

func (f *anchorFinder) run() (window, error) {
	w := f.window
	for i := w.a.Hi - 1; i >= w.a.Lo; i-- {
		c := f.a[i]
		f.next[i] = -1
		if f.count[c] > 0 {
			f.next[i] = f.first[c]
		}
		f.first[c] = int32(i) //nolint:gosec // less than MaxLines
		f.count[c]++
	}
	// The counts are shared by all windows: leave them as they were found.
	defer func() {
		for i := w.a.Lo; i < w.a.Hi; i++ {
			f.count[f.a[i]] = 0
		}
	}()
	if err := f.spend(w.a.Hi - w.a.Lo + w.b.Hi - w.b.Lo); err != nil {
		return window{}, err
	}
	for j := w.b.Lo; j < w.b.Hi; {
		var err error
		if j, err = f.try(j); err != nil {
			return window{}, err
		}
	}
	return f.best, nil
}

// try looks at all runs through line j of b and returns the line of b to go on with: runs that were seen are not looked at again.
func (f *anchorFinder) try(j int) (int, error) {
	after := j + 1
	n := f.count[f.b[j]]
	if n == 0 {
		return after, nil
	}
	f.common = true
	if n > f.rarest {
		return after, nil
	}
	for i := int(f.first[f.b[j]]); i >= 0; {
		run, rare := f.grow(i, j, n)
		if err := f.spend(run.a.Hi - run.a.Lo); err != nil {
			return 0, err
		}
		after = max(after, run.b.Hi)
		if length := run.a.Hi - run.a.Lo; length > f.longest || rare < f.rarest {
			f.best, f.longest, f.rarest = run, length, rare
		}
		for i >= 0 && i < run.a.Hi {
			i = int(f.next[i])
		}
	}
	return after, nil
}

// grow extends the common line (i, j) to both sides, and says how rare the rarest line of the run is.
func (f *anchorFinder) grow(i, j int, rare int32) (window, int32) {
	w := f.window
	run := window{Span{i, i + 1}, Span{j, j + 1}}
	for run.a.Lo > w.a.Lo && run.b.Lo > w.b.Lo && f.a[run.a.Lo-1] == f.b[run.b.Lo-1] {
		run.a.Lo--
		run.b.Lo--
		rare = min(rare, f.count[f.a[run.a.Lo]])
	}
	for run.a.Hi < w.a.Hi && run.b.Hi < w.b.Hi && f.a[run.a.Hi] == f.b[run.b.Hi] {
		rare = min(rare, f.count[f.a[run.a.Hi]])
		run.a.Hi++
		run.b.Hi++
	}
	return run, rare
}
