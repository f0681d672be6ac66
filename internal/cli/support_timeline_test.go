package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
)

func TestTimelineFitsTheWidth(t *testing.T) {
	facts, err := catalog.Load(data.Files)
	if err != nil {
		t.Fatal(err)
	}
	at := release.Date{Year: 2023, Month: 6, Day: 15}
	var states []*catalog.Support
	for _, m := range facts.Minors() {
		s, err := facts.Support(release.Version{Minor: m.Minor, Patch: release.NoPatch}, at, "")
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	for _, width := range []int{60, 80, 120, 300} {
		for line := range strings.Lines(drawTimeline(states, width, false)) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: %d columns in %q", width, n, line)
			}
		}
	}
	if got := drawTimeline(nil, 80, false); got != "nothing to draw\n" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestPaint(t *testing.T) {
	tests := []struct {
		name, in string
		colour   bool
		want     string
	}{
		{"no colour", "██▒│", false, "██▒│"},
		{"runs", "██ ▒", true, "\x1b[32m██\x1b[0m \x1b[33m▒\x1b[0m"},
		{"plain text", "1.28", true, "1.28"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := paint(tt.in, tt.colour); got != tt.want {
				t.Errorf("paint = %q, want %q", got, tt.want)
			}
		})
	}
}
