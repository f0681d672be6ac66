package explain

import (
	"slices"
	"strings"
)

// Column is what a region shows of one version, or of several that are the same there.
type Column struct {
	Versions []int // the first one's marks are shown
	Cells    []Cell
}

// Columns are a region's versions. Those that are the same in all rows are one column: base with the target, where the target has what the fix was
// written for, and the result with the fix, where it was carried over as it is. What neither base nor the target has is no column.
func (r *Region) Columns() []Column {
	var out []Column
	switch {
	case r.empty(Base) && r.empty(Ours): // a new file, or part of one
	case r.empty(Base):
		out = append(out, r.column(Ours, Ours))
	case r.same(Base, Ours):
		both := r.column(Base, Ours) // the target's line numbers are the ones to look for
		both.Versions = append(both.Versions, Ours)
		out = append(out, both)
	default:
		out = append(out, r.column(Base, Base), r.column(Ours, Ours))
	}
	if !r.same(Theirs, Resulting) {
		return append(out, r.column(Theirs, Theirs), r.column(Resulting, Resulting))
	}
	both := r.column(Theirs, Resulting)
	both.Versions = append(both.Versions, Resulting)
	return append(out, both)
}

// column is a version's cells, with the line numbers of another one that is the same.
func (r *Region) column(v, numbers int) Column {
	c := Column{Versions: []int{v}, Cells: make([]Cell, len(r.Rows))}
	for i := range r.Rows {
		c.Cells[i] = r.Rows[i].Cells[v]
		if c.Cells[i].Number > 0 {
			c.Cells[i].Number = r.Rows[i].Cells[numbers].Number
		}
	}
	return c
}

// same reports whether two versions have the same lines in a region.
func (r *Region) same(a, b int) bool {
	return !slices.ContainsFunc(r.Rows, func(row Row) bool {
		x, y := row.Cells[a], row.Cells[b]
		return (x.Number > 0) != (y.Number > 0) || x.text() != y.text() || x.Mark == Conflict || y.Mark == Conflict
	})
}

// empty reports whether a version has no line in a region.
func (r *Region) empty(v int) bool {
	return !slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Cells[v].Number > 0 || row.Cells[v].Mark == Conflict })
}

// names are what columns are called.
func names() [versions]string { return [versions]string{"base", "target", "fix", "result"} }

// Title names a column.
func (c Column) Title() string {
	var parts []string
	for _, v := range c.Versions {
		parts = append(parts, names()[v])
	}
	return strings.Join(parts, " = ")
}
