package explain

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/visible"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/merge"
)

// source is a line of a version before it is shown.
type source struct {
	text   string // with its end
	number int    // 0 if it is not there as it stands: base's part of a block
	block  int    // of the result: one more than the index of the block that stands there
}

// woven is a file with its versions beside each other.
type woven struct {
	lines  [versions][]source
	blocks []Block
	rows   []Row
	// matters says of each row whether it is to be shown, and block which block it belongs to, counted from 1.
	matters []bool
	block   []int
}

// weave lays the versions of a text beside each other: each with base, and what stands between base's lines with each other.
func weave(texts [versions][]byte, conflicts []backport.Conflict) (*woven, error) {
	w := &woven{}
	for v := range texts {
		w.lines[v] = split(texts[v])
	}
	w.foldBlocks(conflicts)
	var parts [versions]alignment
	for v := Ours; v < versions; v++ {
		changes, err := merge.Diff(join(w.lines[Base]), join(w.lines[v]), merge.Histogram)
		if err != nil {
			return nil, err
		}
		parts[v] = align(w.lines[Base], w.lines[v], changes)
	}
	for i := range len(w.lines[Base]) + 1 {
		w.between(i, parts)
		if i == len(w.lines[Base]) {
			break
		}
		var at [versions]int
		for v := Ours; v < versions; v++ {
			at[v] = parts[v].pair[i]
		}
		at[Base] = i
		w.row(at)
	}
	w.spread()
	return w, nil
}

func split(text []byte) []source {
	lines := make([]source, 0, bytes.Count(text, []byte("\n"))+1)
	for l := range bytes.Lines(text) {
		lines = append(lines, source{text: string(l), number: len(lines) + 1})
	}
	return lines
}

func join(lines []source) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l.text)
		if !strings.HasSuffix(l.text, "\n") {
			b.WriteString("\x00\n") // no text has this line: the missing end is a difference
		}
	}
	return b.Bytes()
}

// foldBlocks puts base's lines in the place of the result's conflicts, so that the result can be compared with base.
func (w *woven) foldBlocks(conflicts []backport.Conflict) {
	var bare []string
	for _, l := range w.lines[Resulting] {
		bare = append(bare, strings.TrimRight(l.text, "\r\n"))
	}
	w.blocks = blocks(bare, conflicts)
	if len(w.blocks) == 0 {
		return
	}
	var folded []source
	next := 0
	for i, b := range w.blocks {
		folded = append(folded, w.lines[Resulting][next:b.Line-1]...)
		for _, text := range b.Base {
			folded = append(folded, source{text: text + "\n", block: i + 1})
		}
		if len(b.Base) == 0 {
			folded = append(folded, source{text: "\x00" + strconv.Itoa(i) + "\n", block: i + 1})
		}
		next = b.end
		for _, lines := range []*[]string{&w.blocks[i].Ours, &w.blocks[i].Base, &w.blocks[i].Theirs} {
			for n := range *lines {
				(*lines)[n] = line((*lines)[n])
			}
		}
		for n := range b.Labels {
			w.blocks[i].Labels[n] = visible.Text(b.Labels[n])
		}
	}
	w.lines[Resulting] = append(folded, w.lines[Resulting][next:]...)
}

// between lays what the versions have between two lines of base beside each other; the result's lines lead.
func (w *woven) between(i int, parts [versions]alignment) {
	var rows [][versions]int
	for _, v := range []int{Resulting, Theirs, Ours} {
		rows = w.insert(rows, v, parts[v].gaps[i])
	}
	for _, at := range rows {
		at[Base] = -1
		w.row(at)
	}
}

// insert adds a version's lines to rows, those that are alike to the same row.
func (w *woven) insert(rows [][versions]int, v int, gap merge.Span) [][versions]int {
	n := gap.Hi - gap.Lo
	if n <= 0 {
		return rows
	}
	held := make([]source, len(rows))
	for i, at := range rows {
		for other := range at {
			if other != Base && other != v && at[other] >= 0 {
				held[i] = w.lines[other][at[other]]
				break
			}
		}
	}
	x, y := cut(held), cut(w.lines[v][gap.Lo:gap.Hi])
	var out [][versions]int
	i, j := 0, 0
	fresh := func() {
		row := [versions]int{-1, -1, -1, -1}
		row[v] = gap.Lo + j
		out = append(out, row)
		j++
	}
	for _, m := range matches(x, y) {
		for ; i < m[0]; i++ {
			out = append(out, rows[i])
		}
		for j < m[1] {
			fresh()
		}
		row := rows[i]
		row[v] = gap.Lo + j
		out = append(out, row)
		i, j = i+1, j+1
	}
	out = append(out, rows[i:]...)
	for j < n {
		fresh()
	}
	return out
}

// row adds a row from each version's line; -1 is none.
func (w *woven) row(at [versions]int) {
	var r Row
	var texts [versions]string // empty where there is no line: lines have ends, or characters
	block := 0
	for v, i := range at {
		if i < 0 {
			continue
		}
		s := w.lines[v][i]
		texts[v] = s.text
		if s.block > 0 {
			block = s.block
			continue
		}
		shown := line(s.text)
		if !strings.HasSuffix(s.text, "\n") {
			shown += " <no newline at the end>"
		}
		r.Cells[v] = Cell{Number: s.number, Parts: []Part{{Text: shown}}}
	}
	c := &r.Cells
	fixed, kept := texts[Theirs] != texts[Base], texts[Resulting] == texts[Ours]
	if fixed {
		c[Base].Mark, c[Theirs].Mark = Gone, Fresh
	}
	switch {
	case texts[Ours] != texts[Base]:
		c[Ours].Mark = Own
	case !kept || block > 0:
		c[Ours].Mark = Gone
	}
	switch {
	case block > 0:
		c[Resulting].Mark = Conflict
	case !kept:
		c[Resulting].Mark = Fresh
	}
	w.rows = append(w.rows, r)
	w.matters = append(w.matters, fixed || !kept || block > 0)
	w.block = append(w.block, block)
}

// spread makes the lines of a conflict that base does not have part of it too.
func (w *woven) spread() {
	free := func(i int) bool {
		return i >= 0 && i < len(w.rows) && w.block[i] == 0 && w.rows[i].Cells[Resulting].Number == 0
	}
	grow := func(i, step int) {
		for j := i + step; w.block[i] > 0 && free(j); j += step {
			w.block[j] = w.block[i]
			w.rows[j].Cells[Resulting].Mark = Conflict
		}
	}
	for i := range w.rows {
		grow(i, 1)
	}
	for i := range slices.Backward(w.rows) {
		grow(i, -1)
	}
}

// has reports whether a conflict has its block in the text.
func (w *woven) has(c backport.Conflict) bool {
	for _, b := range w.blocks {
		if b.Conflict == c {
			return true
		}
	}
	return false
}

// counts says how many lines of the result the target does not have, and the other way round.
func (w *woven) counts() (added, deleted int) {
	for i, r := range w.rows {
		if w.block[i] > 0 || r.Cells[Resulting].Mark != Fresh && r.Cells[Resulting].Number > 0 {
			continue
		}
		if r.Cells[Resulting].Number > 0 {
			added++
		}
		if r.Cells[Ours].Number > 0 {
			deleted++
		}
	}
	return added, deleted
}

// regions cuts out what matters, with some lines around it.
func (w *woven) regions() []Region {
	var out []Region
	skipped := 0
	for i := 0; i < len(w.rows); {
		if !w.near(i) {
			if w.rows[i].Cells[Ours].Number > 0 {
				skipped++
			}
			i++
			continue
		}
		r := Region{Skipped: skipped}
		skipped = 0
		last := 0
		for ; i < len(w.rows) && w.near(i); i++ {
			r.Rows = append(r.Rows, w.rows[i])
			if b := w.block[i]; b > last {
				block := w.blocks[b-1]
				r.Blocks = append(r.Blocks, block)
				r.Rows[len(r.Rows)-1].Cells[Resulting] = Cell{Number: block.Line, Mark: Conflict, Parts: []Part{{Text: "conflict: " + string(block.Reason)}}}
				last = b
			}
		}
		out = append(out, r)
	}
	return out
}

// near reports whether something that matters is close to a row.
func (w *woven) near(i int) bool {
	for j := max(0, i-around); j <= min(len(w.rows)-1, i+around); j++ {
		if w.matters[j] {
			return true
		}
	}
	return false
}
