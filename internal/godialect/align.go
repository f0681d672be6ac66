package godialect

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/merge"
)

const (
	likeness    = 0.6  // of declarations with different names that may be the same
	maxUnpaired = 60   // declarations of one side that are tried against others
	maxAligned  = 2000 // atoms of such a declaration
)

// couple is a declaration on both sides.
type couple struct {
	base, ours unit
	renamed    bool
}

// couples brings the declarations of two versions of a file together: by name, and what is left by likeness.
func couples(base, ours *file) []couple {
	theirs := map[string]int{}
	ou := ours.units()
	for i, u := range ou {
		if _, twice := theirs[u.key]; twice {
			theirs[u.key] = -1
			continue
		}
		theirs[u.key] = i
	}
	var out []couple
	var left []unit
	taken := map[int]bool{}
	for _, u := range base.units() {
		i, ok := theirs[u.key]
		switch {
		case !ok:
			left = append(left, u)
		case i >= 0 && !taken[i]:
			taken[i] = true
			out = append(out, couple{base: u, ours: ou[i]})
		}
	}
	var right []unit
	for i, u := range ou {
		if !taken[i] && theirs[u.key] == i {
			right = append(right, u)
		}
	}
	return append(out, alike(left, right)...)
}

// alike pairs declarations that are each other's likest.
func alike(left, right []unit) []couple {
	if len(left) > maxUnpaired || len(right) > maxUnpaired {
		return nil
	}
	best := func(u unit, among []unit) int {
		at, most := -1, likeness
		for i, o := range among {
			if s := similarity(u, o); u.sort == o.sort && s > most {
				at, most = i, s
			}
		}
		return at
	}
	var out []couple
	for i, u := range left {
		if j := best(u, right); j >= 0 && best(right[j], left) == i {
			out = append(out, couple{base: u, ours: right[j], renamed: true})
		}
	}
	return out
}

// similarity is the share of atoms that two declarations have in common, in whatever order.
func similarity(a, b unit) float64 {
	if len(a.atoms) < 8 || len(b.atoms) < 8 || len(a.atoms) > maxAligned || len(b.atoms) > maxAligned {
		return 0
	}
	n := map[string]int{}
	for _, x := range a.atoms {
		n[x.text]++
	}
	common := 0
	for _, x := range b.atoms {
		if n[x.text] > 0 {
			n[x.text]--
			common++
		}
	}
	return 2 * float64(common) / float64(len(a.atoms)+len(b.atoms))
}

// alignment is what stands where in two versions of a declaration.
type alignment struct {
	a, b  []atom
	match []int    // for each of a, the equal one of b, or -1
	swaps [][2]int // atoms that stand for each other
	same  bool     // all of it
}

// align lays a couple's atoms side by side.
func align(a, b []atom) alignment {
	al := alignment{a: a, b: b, match: make([]int, len(a))}
	for i := range al.match {
		al.match[i] = -1
	}
	if identical(a, b) {
		al.same = true
		for i := range al.match {
			al.match[i] = i
		}
		return al
	}
	changes, err := merge.Diff(joined(a), joined(b), merge.Myers)
	if err != nil {
		return al
	}
	i, j := 0, 0
	for _, c := range changes {
		for ; i < c.Old.Lo; i, j = i+1, j+1 {
			al.match[i] = j
		}
		i, j = c.Old.Hi, c.New.Hi
	}
	for ; i < len(a); i, j = i+1, j+1 {
		al.match[i] = j
	}
	for _, c := range changes {
		if c.Old.Hi-c.Old.Lo == 1 && c.New.Hi-c.New.Lo == 1 && al.steady(c.Old.Lo, c.New.Lo) {
			al.swaps = append(al.swaps, [2]int{c.Old.Lo, c.New.Lo})
		}
	}
	return al
}

// identical reports whether two declarations have the same words.
func identical(a, b []atom) bool {
	return slices.EqualFunc(a, b, func(a, b atom) bool { return a.text == b.text })
}

// joined is a text with a line for each atom.
func joined(atoms []atom) []byte {
	var b strings.Builder
	for _, a := range atoms {
		b.WriteString(strings.ReplaceAll(a.text, "\n", "\x01"))
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// steady reports whether at least half of what stands on the lines of two atoms is the same.
func (al *alignment) steady(i, j int) bool {
	from, to := i, i
	for from > 0 && al.a[from-1].line == al.a[i].line {
		from--
	}
	for to < len(al.a) && al.a[to].line == al.a[i].line {
		to++
	}
	length := 0
	for k := j; k >= 0 && al.b[k].line == al.b[j].line; k-- {
		length++
	}
	for k := j + 1; k < len(al.b) && al.b[k].line == al.b[j].line; k++ {
		length++
	}
	same := 0
	for k := from; k < to; k++ {
		if m := al.match[k]; m >= 0 && al.b[m].line == al.b[j].line {
			same++
		}
	}
	return 2*same >= max(length, to-from)
}
