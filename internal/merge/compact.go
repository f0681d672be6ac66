package merge

// compact slides the changes of a text, in place. A run of changed lines can be slid over an equal line: when the line before the run
// equals its last line, the run may as well stand one line higher, and the other way round. Runs that come to touch become one. Each
// run ends as low as it can, but if on its way it can stand beside a change of the other text, it stands beside the last such.
//
// The k-th unchanged lines of both texts correspond, so the run before the k-th unchanged line here stands beside the run (perhaps an
// empty one) before the k-th unchanged line there.
func (d *differ) compact(classes []int32, changed, otherChanged []bool) error {
	other := runs(otherChanged)
	c := slider{classes: classes, changed: changed}
	for c.start, c.end = 0, runEnd(changed, 0); ; {
		if c.end > c.start {
			c.settle(other)
			if err := d.spend(c.moves); err != nil {
				return err
			}
			c.moves = 0
		}
		if c.end == len(classes) {
			return nil
		}
		c.start = c.end + 1
		c.end = runEnd(changed, c.start)
		c.beside++
	}
}

// runs says, for k from 0 to the number of unchanged lines, whether there is a change just before the k-th unchanged line (for the last
// k: at the end).
func runs(changed []bool) []bool {
	out := make([]bool, 1, len(changed)+1)
	for _, c := range changed {
		if c {
			out[len(out)-1] = true
		} else {
			out = append(out, false)
		}
	}
	return out
}

func runEnd(changed []bool, from int) int {
	for at(changed, from) {
		from++
	}
	return from
}

// slider is a run of changed lines, start to end, that stands before the unchanged line number beside.
type slider struct {
	classes    []int32
	changed    []bool
	start, end int
	beside     int
	moves      int // since they were last paid for
}

func (c *slider) up() bool {
	if c.start == 0 || c.classes[c.start-1] != c.classes[c.end-1] {
		return false
	}
	c.start--
	c.end--
	c.changed[c.start], c.changed[c.end] = true, false
	for c.start > 0 && c.changed[c.start-1] {
		c.start--
	}
	c.beside--
	c.moves++
	return true
}

func (c *slider) down() bool {
	if c.end == len(c.classes) || c.classes[c.start] != c.classes[c.end] {
		return false
	}
	c.changed[c.start], c.changed[c.end] = false, true
	c.start++
	c.end = runEnd(c.changed, c.end+1)
	c.beside++
	c.moves++
	return true
}

// settle moves the run to where it is to stand.
func (c *slider) settle(other []bool) {
	var highest, match int
	for size := -1; size != c.end-c.start; {
		size = c.end - c.start
		for c.up() {
		}
		highest, match = c.beside, -1
		if other[c.beside] {
			match = c.beside
		}
		for c.down() {
			if other[c.beside] {
				match = c.beside
			}
		}
	}
	if match >= highest {
		for c.beside > match {
			c.up()
		}
	}
}
