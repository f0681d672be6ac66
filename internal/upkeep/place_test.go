package upkeep

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

// numbered are lines with numbers, from one to another.
func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func TestPlaceDiff(t *testing.T) {
	const head = "diff --git a/f b/f\n--- a/f\n+++ b/f\n"
	const twice = head + "@@ -5,3 +5,4 @@\n line 5\n+new\n line 6\n line 7\n@@ -20,4 +21,3 @@\n line 20\n-line 21\n line 22\n line 23\n"
	changed := numbered(1, 5) + "new\n" + numbered(6, 20) + numbered(22, 30)
	long := strings.Replace(twice, "@@ -5,3 +5,4 @@\n line 5\n", "@@ -4,4 +4,5 @@\n line 4\n line 5\n", 1)
	tests := []struct {
		name, content, diff string
		want                string // the file's content afterwards
		moved               int
		refused             string
	}{
		{"strict", numbered(1, 30), twice, changed, 0, ""},
		{"later in the file", "a\nb\n" + numbered(1, 30), long, "a\nb\n" + changed, 2, ""},
		{"earlier in the file", numbered(3, 30), long, numbered(3, 5) + "new\n" + numbered(6, 20) + numbered(22, 30), 2, ""},
		{"only the second", numbered(1, 10) + "a\n" + numbered(11, 30), long, numbered(1, 5) + "new\n" + numbered(6, 10) + "a\n" + numbered(11, 20) + numbered(22, 30), 1, ""},
		{"nowhere", numbered(10, 30), long, "", 0, "f: hunk 1, line 4 of the file: its lines stand nowhere in the file"},
		{"twice", "a\n" + numbered(1, 10) + numbered(1, 30), long, "", 0, "hunk 1, line 4 of the file: its lines stand in 2 places of the file"},
		{"too few lines", "a\n" + numbered(1, 30), twice, "", 0, "hunk 1, line 5 of the file: its lines stand in line 6, and are too few"},
		{"in another order", numbered(19, 30) + numbered(1, 10), long, "", 0, "hunk 2: its lines stand before those of the hunk before it"},
		{"another end", "a\nb\n" + strings.TrimSuffix(numbered(1, 23), "\n"), long, "", 0, "hunk 2, line 20 of the file: its lines stand nowhere"},
		{"no file", "", strings.ReplaceAll(long, "/f", "/g"), "", 0, "g"},
		{"beside a new file", "a\nb\n" + numbered(1, 30), "diff --git a/n b/n\nnew file mode 100755\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+n\n" + long, "a\nb\n" + changed, 2, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := gittest.NewMemory()
			blob, err := store.WriteBlob(t.Context(), []byte(test.content))
			must(t, err)
			base, err := store.WriteTree(t.Context(), []git.TreeEntry{{Name: "f", Mode: git.ModeFile, OID: blob}})
			must(t, err)
			got, err := placeDiff(t.Context(), store, base, []byte(test.diff))
			if test.refused != "" {
				if !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), test.refused) {
					t.Fatalf("got %v, want %q", err, test.refused)
				}
				return
			}
			must(t, err)
			content, err := readFile(t.Context(), store, got.tree, "f")
			must(t, err)
			if string(content) != test.want || got.moved != test.moved {
				t.Errorf("%d hunks moved, want %d; the file is\n%s", got.moved, test.moved, content)
			}
			again, paths, err := applyDiff(t.Context(), store, base, got.diff)
			if err != nil || again != got.tree || !slices.Contains(paths, "f") {
				t.Errorf("the placed diff applies strictly: %v, %v", err, paths)
			}
			if test.moved == 0 && string(got.diff) != test.diff {
				t.Error("a diff that fits was written anew")
			}
		})
	}
}
