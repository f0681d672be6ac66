package report

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/kubelts/kubelts/internal/visible"
)

// FuzzWrap: lines fit, no letter is lost or added, and what is cut fits too.
func FuzzWrap(f *testing.F) {
	f.Add("a few words and averyveryverylongwordthatnolineholds", 12)
	f.Add("節點 節點節點節點節點節點 Größe\n\nx", 10)
	f.Add("e\u0301e\u0301 \u200b👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 11)
	f.Fuzz(func(t *testing.T, s string, width int) {
		if width < 10 || width > 500 {
			return // widths are never smaller
		}
		s = visible.Lines(s) // what is printed has been cleaned
		lines := wrap(s, width)
		for _, l := range lines {
			if text.StringWidth(l) > width {
				t.Errorf("%q is %d wide, more than %d", l, text.StringWidth(l), width)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(s), ""); got != want {
			t.Errorf("%q became %q", want, got)
		}
		for _, short := range []string{cut(s, width), cutLeft(s, width)} {
			if text.StringWidth(short) > width {
				t.Errorf("cut to %q, %d wide, more than %d", short, text.StringWidth(short), width)
			}
		}
	})
}
