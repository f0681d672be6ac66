package merge

import "slices"

// merger merges three texts. It is used once.
type merger struct {
	base, ours, theirs text
	options            Options
	differ             *differ
}

// choice is what becomes of a region.
type choice int

const (
	takeOurs choice = iota
	takeTheirs
	conflicting
)

// region is a range of lines in which a side, or both, differ from base. Between two regions all three texts agree, or both sides
// made the same change; so what lies between is taken from ours.
type region struct {
	base, ours, theirs Span
	choice             choice
}

func (m *merger) run() (Result, error) {
	a, err := m.differ.diff(m.base.classes, m.ours.classes)
	if err != nil {
		return Result{}, err
	}
	b, err := m.differ.diff(m.base.classes, m.theirs.classes)
	if err != nil {
		return Result{}, err
	}
	regions := m.overlay(a, b)
	if m.options.Style != Diff3 {
		if regions, err = m.narrow(regions); err != nil {
			return Result{}, err
		}
		regions = m.join(regions)
	}
	return m.render(regions), nil
}

// overlay lays the changes of both sides over base. Changes that overlap or touch are one region.
func (m *merger) overlay(a, b []Change) []region {
	var out []region
	var offA, offB int // by how much lines after the last change stand lower than in base
	for len(a) > 0 || len(b) > 0 {
		na, nb, base := cluster(a, b)
		r := region{base: base, ours: Span{base.Lo + offA, 0}, theirs: Span{base.Lo + offB, 0}}
		for _, c := range a[:na] {
			offA = c.New.Hi - c.Old.Hi
		}
		for _, c := range b[:nb] {
			offB = c.New.Hi - c.Old.Hi
		}
		r.ours.Hi, r.theirs.Hi = base.Hi+offA, base.Hi+offB
		switch {
		case nb == 0:
			r.choice = takeOurs
		case na == 0:
			r.choice = takeTheirs
		default:
			r.choice = conflicting
		}
		if na != 1 || nb != 1 || a[0].Old != b[0].Old || !m.agree(r) {
			out = append(out, r)
		}
		a, b = a[na:], b[nb:]
	}
	return out
}

// cluster says how many changes at the front of a and b belong together, and which lines of base they cover.
func cluster(a, b []Change) (na, nb int, base Span) {
	if len(b) == 0 || len(a) > 0 && a[0].Old.Lo <= b[0].Old.Lo {
		na, base = 1, a[0].Old
	} else {
		nb, base = 1, b[0].Old
	}
	for {
		switch {
		case na < len(a) && a[na].Old.Lo <= base.Hi:
			base.Hi = max(base.Hi, a[na].Old.Hi)
			na++
		case nb < len(b) && b[nb].Old.Lo <= base.Hi:
			base.Hi = max(base.Hi, b[nb].Old.Hi)
			nb++
		default:
			return na, nb, base
		}
	}
}

// agree reports whether both sides have the same lines in the region.
func (m *merger) agree(r region) bool {
	return slices.Equal(m.ours.classes[r.ours.Lo:r.ours.Hi], m.theirs.classes[r.theirs.Lo:r.theirs.Hi])
}

// narrow cuts conflicts down to the lines in which the sides really differ. One may fall apart in several, or vanish.
func (m *merger) narrow(regions []region) ([]region, error) {
	out := make([]region, 0, len(regions))
	for _, r := range regions {
		if r.choice != conflicting || r.ours.Lo == r.ours.Hi || r.theirs.Lo == r.theirs.Hi {
			out = append(out, r)
			continue
		}
		changes, err := m.differ.diff(m.ours.classes[r.ours.Lo:r.ours.Hi], m.theirs.classes[r.theirs.Lo:r.theirs.Hi])
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			out = append(out, region{
				base:   r.base,
				ours:   Span{r.ours.Lo + c.Old.Lo, r.ours.Lo + c.Old.Hi},
				theirs: Span{r.theirs.Lo + c.New.Lo, r.theirs.Lo + c.New.Hi},
				choice: conflicting,
			})
		}
	}
	return out, nil
}

// near is how many lines may lie between two conflicts that become one.
const near = 3

// join makes one conflict of two that only few lines keep apart, for a person reads that more easily.
func (m *merger) join(regions []region) []region {
	var out []region
	for _, r := range regions {
		if len(out) > 0 && r.choice == conflicting && out[len(out)-1].choice == conflicting {
			last := &out[len(out)-1]
			if m.joins(Span{last.ours.Hi, r.ours.Lo}) {
				last.base.Hi, last.ours.Hi, last.theirs.Hi = r.base.Hi, r.ours.Hi, r.theirs.Hi
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

// joins judges the lines of ours between two conflicts.
func (m *merger) joins(between Span) bool {
	if between.Hi-between.Lo <= near {
		return true
	}
	return m.options.Joining == JoinBlank && !slices.ContainsFunc(m.ours.lines[between.Lo:between.Hi], hasWord)
}

func hasWord(line string) bool {
	for i := range len(line) {
		c := line[i]
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}
