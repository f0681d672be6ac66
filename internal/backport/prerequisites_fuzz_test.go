package backport

import (
	"testing"

	"github.com/kubelts/kubelts/internal/merge"
)

// FuzzEarlier: a line that a version before has, says there the same; a line that is new is none of the unchanged ones.
func FuzzEarlier(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd\n")
	f.Add("", "x")
	f.Add("package a\n\ntype T struct{ F int }\n", "package a\n\nfunc (T) M() {}\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		changes, err := merge.Diff([]byte(before), []byte(after), merge.Histogram)
		if err != nil {
			return
		}
		old, now := textLines([]byte(before)), textLines([]byte(after))
		last := -1
		for i := range now {
			at, same := earlier(changes, i)
			if !same {
				continue
			}
			if at <= last || at >= len(old) || old[at] != now[i] {
				t.Errorf("line %d is said to be line %d before", i, at)
			}
			last = at
		}
		for name, line := range declarationLines([]byte(after)) {
			if line < 0 || line >= len(now) {
				t.Errorf("%s is declared in line %d of %d", name, line, len(now))
			}
		}
	})
}
