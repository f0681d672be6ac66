package timeline_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/timeline"
)

func day(tb testing.TB, s string) release.Date {
	tb.Helper()
	d, err := release.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func sample(tb testing.TB, label string) timeline.Picture {
	tb.Helper()
	return timeline.Picture{
		Title: "T " + label, At: day(tb, "2026-11-22"), Notes: []string{"N " + label},
		Rows: []timeline.Row{
			{
				Label: "R " + label, Text: "X " + label,
				Parts: []timeline.Part{
					{From: day(tb, "2024-01-01"), To: day(tb, "2024-12-31"), Kind: timeline.Active, Title: "A " + label},
					{From: day(tb, "2025-01-01"), To: day(tb, "2025-03-01"), Kind: timeline.Maintenance, Title: "M " + label},
				},
				Lanes: []timeline.Thin{
					{Part: timeline.Part{From: day(tb, "2024-02-01"), To: day(tb, "2027-02-01"), Kind: timeline.Lane, Title: "L " + label}, Text: "V " + label},
					{Part: timeline.Part{From: day(tb, "2024-02-01"), Kind: timeline.Lane, Title: "no end"}, Text: "without an end"},
				},
			},
			{Label: "nothing known", Text: "not released"},
		},
	}
}

func svg(tb testing.TB, p timeline.Picture) string {
	tb.Helper()
	var b strings.Builder
	if err := p.SVG(&b); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// wellFormed reads all of an XML document and returns its text.
func wellFormed(tb testing.TB, doc string) string {
	tb.Helper()
	var text strings.Builder
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			tb.Fatalf("%v in:\n%s", err, doc)
		}
		if chars, ok := token.(xml.CharData); ok {
			text.Write(chars)
		}
	}
}

func TestPicture(t *testing.T) {
	doc := svg(t, sample(t, "1.24"))
	text := wellFormed(t, doc)
	for _, want := range []string{"R 1.24", "X 1.24", "A 1.24", "M 1.24", "V 1.24", "2026-11-22", "2025", "nothing known", "without an end"} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	bars := regexp.MustCompile(`<rect class="(\w+)" x="([\d.]+)" y="\d+" width="([\d.]+)"`).FindAllStringSubmatch(doc, -1)
	var right float64
	kinds := map[string]int{}
	for _, b := range bars {
		x, err := strconv.ParseFloat(b[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		w, err := strconv.ParseFloat(b[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		kinds[b[1]]++
		if b[1] != "stripe" {
			right = max(right, x+w)
		}
		if b[1] != "stripe" && (x < 64 || x+w > 910.5) {
			t.Errorf("bar %v stands from %.1f to %.1f, outside of the picture", b[1], x, x+w)
		}
	}
	if kinds["active"] != 1 || kinds["maintenance"] != 1 || kinds["lane"] != 1 {
		t.Errorf("bars by kind: %v", kinds)
	}
	if right < 905 {
		t.Errorf("the last bar ends at %.1f, the picture at 910", right)
	}
}

// Labels and texts may come from strangers: whatever they are, the documents keep their form.
func FuzzEscapes(f *testing.F) {
	for _, s := range []string{"1.24", `<script>alert(1)</script>`, `"onload="x`, "a & b", "]]>", "\x1b[31m", "{{.}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, label string) {
		p := sample(t, label)
		plain := strings.Count(svg(t, sample(t, "x")), "<")
		doc := svg(t, p)
		if got := strings.Count(doc, "<"); got != plain {
			t.Errorf("%q: %d tags, want %d", label, got, plain)
		}
		var page strings.Builder
		if err := p.HTML(&page); err != nil {
			t.Fatal(err)
		}
		if strings.Count(page.String(), "<script") > 0 || strings.Count(page.String(), "<!doctype html>") != 1 {
			t.Errorf("%q: the page has a script", label)
		}
	})
}

func TestSameRowsSameBytes(t *testing.T) {
	first := svg(t, sample(t, "a"))
	if again := svg(t, sample(t, "a")); again != first {
		t.Error("two drawings of the same rows differ")
	}
}
