package gomerge

import "slices"

// insert puts an element of theirs, which base does not have, into its place.
func (l *listMerge) insert(j int) error {
	t := &l.t.chunks[j]
	for i := range l.o.chunks {
		o := &l.o.chunks[i]
		mine := l.ob.toBase[i] < 0
		switch {
		case mine && sameTokens(o.node.tokens(), t.node.tokens()) && (l.b.free || l.sameGap(i, j)):
			l.placed[j], l.first[j] = i, i
			return nil
		case l.b.free && t.node.key != "" && t.node.key == o.node.key && t.node.kind == o.node.kind:
			if mine && sameTokens(code(o.node.tokens()), code(t.node.tokens())) {
				l.placed[j], l.first[j] = i, i
				return nil
			}
			return refuse(ReasonBothAdded, "line %d of the fix's version: the target has another %s", t.node.line(), t.node.key)
		}
	}
	at, err := l.place(j)
	if err != nil || at < 0 {
		return err
	}
	l.placed[j] = len(l.o.chunks) + j
	l.first[j] = l.placed[j]
	l.out = slices.Insert(l.out, at, piece{
		number: l.placed[j], lead: t.lead, body: t.node.bytes(), trail: t.trail, fromTheirs: true,
	})
	return nil
}

// gapOf is the element of base before which an inserted element stands.
func gapOf(al alignment, i, end int) int {
	for k := i + 1; k < len(al.toBase); k++ {
		if al.toBase[k] >= 0 {
			return al.toBase[k]
		}
	}
	return end
}

func (l *listMerge) sameGap(i, j int) bool {
	return gapOf(l.ob, i, len(l.b.chunks)) == gapOf(l.tb, j, len(l.b.chunks))
}

// at is the index of the piece with this number, or -1.
func (l *listMerge) at(number int) int {
	if number < 0 {
		return -1
	}
	return slices.IndexFunc(l.out, func(p piece) bool { return p.number == number })
}

// placedAt is where an element of theirs stands among the pieces, or -1.
func (l *listMerge) placedAt(j int) int {
	if j < 0 || j >= len(l.placed) {
		return -1
	}
	return l.at(l.placed[j])
}

// place finds where an inserted element of theirs goes.
func (l *listMerge) place(j int) (int, error) {
	if !l.b.free {
		return l.placeBound(j)
	}
	if l.ends(j) {
		return len(l.out), nil
	}
	for d := 1; d < len(l.placed); d++ {
		if at := l.placedAt(j - d); at >= 0 {
			for at++; at < len(l.out) && !l.out[at].fromTheirs && l.ob.toBase[l.out[at].number] < 0; at++ {
				l.doubt(DoubtOrder)
			}
			return at, nil
		}
		if at := l.placedAt(j + d); at >= 0 {
			if at > 0 && !l.out[at-1].fromTheirs && !l.out[at-1].kept && l.ob.toBase[l.out[at-1].number] < 0 {
				l.doubt(DoubtOrder)
			}
			return at, nil
		}
	}
	if slices.ContainsFunc(l.out, func(p piece) bool { return !p.kept }) {
		l.doubt(DoubtOrder)
	}
	return len(l.out), nil
}

// ends reports whether theirs has an element at the end of the list, and ours does not have what stands before it.
func (l *listMerge) ends(j int) bool {
	last := l.tb.toBase[j:]
	return l.placedAt(j-1) < 0 && j > 0 && l.tb.toBase[j-1] >= 0 && !slices.ContainsFunc(last, func(k int) bool { return k >= 0 })
}

// placeBound wants the neighbours of theirs to stand beside each other in ours too. If only one of them is there, or what is next to them, it is
// enough, but a person should look. It returns -1 for what is to be left out.
func (l *listMerge) placeBound(j int) (int, error) {
	before, after := j-1, j+1
	for after < len(l.placed) && l.tb.toBase[after] < 0 {
		after++
	}
	line := l.t.chunks[j].node.line()
	if l.goneBetween(before, after) {
		if !l.b.loose || !l.replaces(j, before, after) {
			return 0, refuse(ReasonNoPlace, "line %d of the fix's version: the target does not have what this replaces", line)
		}
		l.doubt(DoubtLeftOutReplacement)
		l.leftOut("line %d of the fix's version: left out, for the target does not have what this replaces", line)
		return -1, nil
	}
	lower, upper := -1, len(l.out)
	if before >= 0 {
		lower = l.at(l.placed[before])
	}
	if after < len(l.placed) {
		upper = l.at(l.first[after])
	}
	hasLower, hasUpper := lower >= 0 || before < 0, upper >= 0
	one := DoubtOneNeighbour
	if !l.intact(before) || !l.intact(after) {
		one = DoubtChangedNeighbour
	}
	switch {
	case hasLower && hasUpper && lower+1 == upper:
		if l.b.list == byLine {
			l.doubt(DoubtInserted)
		}
		return upper, nil
	case hasLower && hasUpper:
		return 0, refuse(ReasonBothAdded, "line %d of the fix's version: both sides changed what stands here", line)
	case !l.b.loose:
		return 0, refuse(ReasonNoPlace, "line %d of the fix's version: the target has nothing of what stands around this", line)
	case hasLower && before >= 0:
		l.doubt(one)
		return lower + 1, nil
	case hasUpper && after < len(l.placed):
		l.doubt(one)
		return upper, nil
	}
	return l.placeFar(j)
}

// intact reports whether an element of theirs, if ours has it, is in ours as it is in base.
func (l *listMerge) intact(j int) bool {
	if j < 0 || j >= len(l.placed) || l.tb.toBase[j] < 0 || l.placed[j] < 0 {
		return true
	}
	base := l.tb.toBase[j]
	i := l.ob.toSide[base]
	return i >= 0 && sameTokens(code(l.b.chunks[base].node.tokens()), code(l.o.chunks[i].node.tokens()))
}

// placeFar goes by the nearest siblings that ours has.
func (l *listMerge) placeFar(j int) (int, error) {
	for d := 1; d < len(l.placed); d++ {
		if at := l.placedAt(j - d); at >= 0 {
			l.doubt(DoubtFar)
			return at + 1, nil
		}
		if k := j + d; k < len(l.first) && l.at(l.first[k]) >= 0 {
			l.doubt(DoubtFar)
			return l.at(l.first[k]), nil
		}
	}
	return 0, refuse(ReasonNoPlace, "line %d of the fix's version: the target has nothing of what stands around this", l.t.chunks[j].node.line())
}

// replaces reports whether an inserted element is like one of base between its neighbours that ours does not have.
func (l *listMerge) replaces(j, before, after int) bool {
	lo, hi := l.baseRange(before, after)
	t := code(l.t.chunks[j].node.tokens())
	for k := lo + 1; k < hi; k++ {
		if l.ob.toSide[k] < 0 && l.tb.toSide[k] < 0 && similarity(code(l.b.chunks[k].node.tokens()), t) >= 0.3 {
			return true
		}
	}
	return false
}

// goneBetween reports whether base has something between two elements of theirs that ours does not have.
func (l *listMerge) goneBetween(before, after int) bool {
	lo, hi := l.baseRange(before, after)
	for k := lo + 1; k < hi; k++ {
		if l.ob.toSide[k] < 0 && (l.tb.toSide[k] < 0 || l.placed[l.tb.toSide[k]] < 0) {
			return true
		}
	}
	return false
}

// baseRange are the elements of base that correspond to the nearest ones of theirs around a place.
func (l *listMerge) baseRange(before, after int) (int, int) {
	lo, hi := -1, len(l.b.chunks)
	for ; before >= 0 && lo < 0; before-- {
		lo = l.tb.toBase[before]
	}
	if after < len(l.tb.toBase) {
		hi = l.tb.toBase[after]
	}
	return lo, hi
}
