// Package timeline draws what lasts until when: rows of bars over days, as SVG and as an HTML page with the same picture.
//
// Words: a row has a label and a main bar in parts (such as active and maintenance); below it stand thin lanes, one for each that goes on
// longer or shorter, each with its text. The line of the day goes through all.
//
// Promises: pure; the same rows give the same bytes; every text is escaped. The SVG stands alone, without scripts, fonts or references, in
// light and dark. A row whose days are not known is drawn as text only: nothing is guessed.
package timeline

import (
	"embed"
	"html/template"
	"io"
	"strconv"

	"github.com/kubelts/kubelts/internal/release"
)

// Kind is what a part of a bar means; it decides about its colour.
type Kind string

// The kinds.
const (
	Active      Kind = "active"
	Maintenance Kind = "maintenance"
	Unknown     Kind = "unknown" // it lasted at least so long; its end is not published
	Lane        Kind = "lane"    // of somebody else
)

// Part is a part of a bar, both days included.
type Part struct {
	From, To release.Date
	Kind     Kind
	Title    string // shown when one points at it, and read aloud
}

// Thin is a lane below the main bar.
type Thin struct {
	Part
	Text string // beside the lane
}

// Row is one thing that lasts.
type Row struct {
	Label string
	Parts []Part
	Text  string // beside the main bar
	Lanes []Thin
}

// Picture is what is drawn.
type Picture struct {
	Title string
	At    release.Date // the day whose line is drawn
	Rows  []Row
	Notes []string // below the picture, in the page only
}

// Sizes in the picture's units, which are pixels where nobody scales it.
const (
	width     = 1160
	left      = 64  // labels
	right     = 250 // texts beside bars
	top       = 34
	barHeight = 16
	thin      = 5
	laneStep  = 13
	rowGap    = 12
)

//go:embed *.tmpl
var files embed.FS

// SVG writes the picture.
func (p Picture) SVG(w io.Writer) error { return p.write(w, "svg.tmpl") }

// HTML writes a page with the picture, its legend and its rows as a table.
func (p Picture) HTML(w io.Writer) error { return p.write(w, "html.tmpl") }

func (p Picture) write(w io.Writer, name string) error {
	t, err := template.ParseFS(files, "*.tmpl")
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, name, p.layout())
}

// drawing is the picture in coordinates.
type drawing struct {
	Picture
	Width, Height int
	Top, Bottom   int
	Left, Right   int
	Years         []mark
	Today         mark
	Drawn         []drawnRow
}

// mark is a vertical line.
type mark struct {
	X    string
	Text string
}

type drawnRow struct {
	Row
	Y, Base  int // top of the row, base line of its text
	Parts    []box
	TextX    string
	Lanes    []drawnLane
	Stripe   bool
	StripeY  int
	StripeTo int // height
}

type drawnLane struct {
	box
	Text  string
	TextX string
	Base  int
}

// box is a rectangle, or nothing where W is empty. Widths are strings, since templates would write a float in any precision.
type box struct {
	X, W  string
	Y, H  int
	Kind  Kind
	Title string
}

// scale maps days to places.
type scale struct {
	from, to release.Date
}

func (s scale) x(d release.Date) float64 {
	days := max(s.from.DaysUntil(s.to), 1)
	return left + float64(s.from.DaysUntil(d))*float64(width-left-right)/float64(days)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// span is the time that is drawn: all days of the rows and the day of the line.
func (p Picture) span() scale {
	s := scale{p.At, p.At.AddDays(1)}
	see := func(parts ...Part) {
		for _, q := range parts {
			if !q.From.IsZero() && q.From.Before(s.from) {
				s.from = q.From
			}
			if q.To.After(s.to) {
				s.to = q.To
			}
		}
	}
	for _, r := range p.Rows {
		see(r.Parts...)
		for _, l := range r.Lanes {
			see(l.Part)
		}
	}
	s.to = s.to.AddDays(1)
	return s
}

func (p Picture) layout() drawing {
	s := p.span()
	d := drawing{Picture: p, Width: width, Left: left, Right: width - right, Top: top}
	y := top + rowGap/2
	for i, r := range p.Rows {
		row := drawnRow{Row: r, Y: y, Base: y + barHeight - 4, Stripe: i%2 == 1, StripeY: y - rowGap/2}
		end := float64(left)
		for _, part := range r.Parts {
			if b, to, ok := s.box(part, y, barHeight); ok {
				row.Parts, end = append(row.Parts, b), max(end, to)
			}
		}
		row.TextX = number(end + 6)
		y += barHeight + 3
		for _, l := range r.Lanes {
			b, to, ok := s.box(l.Part, y+3, thin)
			if !ok {
				to = end
			}
			row.Lanes = append(row.Lanes, drawnLane{box: b, Text: l.Text, TextX: number(to + 6), Base: y + 9})
			y += laneStep
		}
		y += rowGap - 3
		row.StripeTo = y - rowGap/2 - row.StripeY
		d.Drawn = append(d.Drawn, row)
	}
	d.Bottom, d.Height = y-rowGap/2, y+8
	for year := s.from.Year + 1; year <= s.to.Year; year++ {
		d.Years = append(d.Years, mark{number(s.x(release.Date{Year: year, Month: 1, Day: 1})), strconv.Itoa(year)})
	}
	d.Today = mark{number(s.x(p.At)), p.At.String()}
	return d
}

// box is a part in coordinates, and where it ends. A part without both days cannot be drawn.
func (s scale) box(p Part, y, height int) (b box, end float64, ok bool) {
	if p.From.IsZero() || p.To.IsZero() || p.To.Before(p.From) {
		return box{}, 0, false
	}
	from, to := s.x(p.From), s.x(p.To.AddDays(1))
	return box{X: number(from), W: number(max(to-from, 1)), Y: y, H: height, Kind: p.Kind, Title: p.Title}, to, true
}
