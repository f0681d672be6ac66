package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
)

// What a column of the timeline shows, and its colour.
var glyphs = map[rune]string{ //nolint:gochecknoglobals // a constant table
	'█': "\x1b[32m", // active
	'▒': "\x1b[33m", // maintenance
	'░': "\x1b[2m",  // only a vendor
	'│': "\x1b[31m", // the day itself
}

const legend = "█ active   ▒ maintenance   ░ only a vendor   │ "

// barChart maps days to columns.
type barChart struct {
	from, to release.Date
	label    int // columns for names
	columns  int
}

// drawTimeline draws one bar a minor, in at most width columns.
func drawTimeline(states []*catalog.Support, width int, colour bool) string {
	var drawn []*catalog.Support
	for _, s := range states {
		if !s.Released.IsZero() {
			drawn = append(drawn, s)
		}
	}
	if len(drawn) == 0 {
		return "nothing to draw\n"
	}
	t := newTimeline(drawn, width)
	var b strings.Builder
	b.WriteString(t.axis() + "\n")
	for _, s := range drawn {
		bar := paint(t.bar(s), colour)
		fmt.Fprintf(&b, "%-*s%s  %s\n", t.label, s.Version, bar, strings.TrimSpace(lastDay(s)+" "+strings.Trim(daysLeft(s), "-")))
	}
	b.WriteString("\n" + paint(legend, colour) + drawn[0].At.String() + "\n")
	return b.String()
}

// remark is the room for the last day and the days left at the end of a line.
const remark = len("  2023-07-28 10000 over")

func newTimeline(states []*catalog.Support, width int) barChart {
	t := barChart{from: states[0].Released, to: states[0].At.AddDays(1)}
	for _, s := range states {
		t.label = max(t.label, len(s.Version)+2)
		if s.Released.Before(t.from) {
			t.from = s.Released
		}
		if end := lastSupport(s); end.After(t.to) {
			t.to = end
		}
	}
	if states[0].At.Before(t.from) {
		t.from = states[0].At
	}
	t.columns = max(width-t.label-remark, 20)
	return t
}

// lastSupport is the last day that anybody is known to support it.
func lastSupport(s *catalog.Support) release.Date {
	last := s.EndOfLife
	for _, v := range s.Vendors {
		if v.Until.After(last) {
			last = v.Until
		}
	}
	return last
}

func (t barChart) column(d release.Date) int {
	return t.from.DaysUntil(d) * (t.columns - 1) / max(t.from.DaysUntil(t.to), 1)
}

// axis is the line of years.
func (t barChart) axis() string {
	line := []rune(strings.Repeat(" ", t.label+t.columns+len("2006")))
	free := 0
	for year := t.from.Year + 1; year <= t.to.Year; year++ {
		at := t.label + t.column(release.Date{Year: year, Month: 1, Day: 1})
		if at < free {
			continue
		}
		copy(line[at:], []rune(strconv.Itoa(year)))
		free = at + len("2006 ")
	}
	return strings.TrimRight(string(line), " ")
}

func (t barChart) bar(s *catalog.Support) string {
	line := slices.Repeat([]rune{' '}, t.columns)
	fill := func(from, to release.Date, glyph rune) {
		if from.IsZero() || to.IsZero() || to.Before(from) {
			return
		}
		for i := max(t.column(from), 0); i <= min(t.column(to), t.columns-1); i++ {
			line[i] = glyph
		}
	}
	end := s.EndOfLife
	if end.IsZero() && s.Phase == release.EndOfLife {
		// Its last day was never published; the last patch release is what is known of its life.
		end = s.LatestReleased
	}
	fill(s.Released, lastSupport(s), '░')
	fill(s.Released, end, '█')
	fill(s.MaintenanceFrom, end, '▒')
	if at := t.column(s.At); at >= 0 && at < t.columns {
		line[at] = '│'
	}
	return string(line)
}

// paint colours runs of glyphs.
func paint(text string, colour bool) string { //nolint:revive // flag-parameter: as above
	if !colour {
		return text
	}
	var b strings.Builder
	var last rune
	for _, r := range text {
		if r != last {
			if glyphs[last] != "" {
				b.WriteString("\x1b[0m")
			}
			b.WriteString(glyphs[r])
		}
		b.WriteRune(r)
		last = r
	}
	if glyphs[last] != "" {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}
