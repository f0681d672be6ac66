package patch_test

import (
	"testing"

	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/patch"
)

// TestReverse compares with what git prints of the two directions.
func TestReverse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		before, after map[string]string
	}{
		{"a line", map[string]string{"a": "1\n2\n3\n"}, map[string]string{"a": "1\ntwo\n3\n"}},
		{"lines that look like headers", map[string]string{"a": "-- x\n++ y\n@@ z\n"}, map[string]string{"a": "-- y\n++ x\n@@ z\n@@ -1 +1 @@\n"}},
		{"a file that comes, one that goes", map[string]string{"a": "1\n", "c": "3\n"}, map[string]string{"b": "2\n2\n", "c": "3"}},
		{"binary", map[string]string{"a": "\x00\x01"}, map[string]string{"a": "\x00\x02", "b b": "2\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			write := func(files map[string]string) string {
				r.Git("rm", "-rfq", "--ignore-unmatch", ".")
				for name, content := range files {
					r.Write(name, content)
				}
				return r.Commit("State").String()
			}
			before, after := write(c.before), write(c.after)
			diff := func(a, b string) []byte { return []byte(r.Git("diff-tree", "-p", "--full-index", a, b) + "\n") }
			if got, want := patch.ID(patch.Reverse(diff(before, after))), patch.ID(diff(after, before)); got != want {
				t.Errorf("%s, want %s\n%s", got, want, patch.Reverse(diff(before, after)))
			}
		})
	}
}
