package equiv_test

import (
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/equiv"
)

// diffOf is a diff of one file with one hunk.
func diffOf(path string, lines ...string) string {
	return "diff --git a/" + path + " b/" + path + "\nindex 1..2 100644\n--- a/" + path + "\n+++ b/" + path + "\n@@ -1,50 +1,50 @@ func x() {\n" + strings.Join(lines, "\n") + "\n"
}

func TestPlainID(t *testing.T) {
	base := diffOf("pkg/server/a.go", " \tx := 1", "-\treturn x", "+\tif x > limit {", "+\t\treturn limit", "+\t}")
	tests := []struct {
		name, diff string
		same       bool
	}{
		{"other context and line numbers", diffOf("pkg/server/a.go", " \ty := 2", "-\treturn x", "+\tif x > limit {", "+\t\treturn limit", "+\t}"), true},
		{"a moved directory", diffOf("staging/src/k8s.io/server/a.go", "-\treturn x", "+\tif x > limit {", "+\t\treturn limit", "+\t}"), true},
		{"other white space", diffOf("a.go", "-    return x", "+    if x  >  limit {", "+  return limit", "+ }"), true},
		{"comments", diffOf("a.go", "-\treturn x // all of it", "+\t// not more", "+\tif x > limit {", "+\t\treturn limit", "+\t}"), true},
		{"imports", diffOf("a.go", "+\t\"k8s.io/api/core/v1\"", "-\t\"k8s.io/kubernetes/pkg/api\"", "-\treturn x", "+\tif x > limit {", "+\t\treturn limit", "+\t}"), true},
		{"with a test", base + diffOf("pkg/server/a_test.go", "+\tt.Error(1)"), true},
		{"with go.sum", base + diffOf("go.sum", "+example.org v1.0.0 h1:abc"), true},
		{"another file", diffOf("pkg/server/b.go", "-\treturn x", "+\tif x > limit {", "+\t\treturn limit", "+\t}"), false},
		{"another line", diffOf("a.go", "-\treturn x", "+\tif x >= limit {", "+\t\treturn limit", "+\t}"), false},
		{"a part", diffOf("a.go", "+\tif x > limit {", "+\t\treturn limit", "+\t}"), false},
		{"the other way round", diffOf("a.go", "-\tif x > limit {", "-\t\treturn limit", "-\t}", "+\treturn x"), false},
		{"a comment's sign in quotes counts", diffOf("a.go", "-\treturn x", "+\tif x > limit {", "+\t\treturn limit", "+\t}", "+\tget(\"http://a\")"), false},
	}
	want := equiv.DigestPatch([]byte(base))
	if want.Plain.IsZero() || want.Weight == 0 || want.Patch.IsZero() {
		t.Fatalf("digest %+v", want)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := equiv.DigestPatch([]byte(tt.diff)); (got.Plain == want.Plain) != tt.same {
				t.Errorf("same plain patch-id: %v, want %v", !tt.same, tt.same)
			}
		})
	}
	back := equiv.DigestPatch([]byte(diffOf("a.go", "-\tif x > limit {", "-\t\treturn limit", "-\t}", "+\treturn x")))
	if back.Plain != want.Inverse || back.Inverse != want.Plain {
		t.Error("what takes a change back has not its inverse's patch-id")
	}
	if none := equiv.DigestPatch([]byte(diffOf("a.go", "+\t// a comment"))); !none.Plain.IsZero() || none.Weight != 0 {
		t.Errorf("a comment alone has a plain patch-id: %+v", none)
	}
}

func FuzzDigestPatch(f *testing.F) {
	f.Add([]byte(diffOf("a.go", "-\treturn x", "+\treturn \"//\" // y")))
	f.Add([]byte("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n" + diffOf("\"b\\303\\244\"", "+a")))
	f.Add([]byte("diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n"))
	f.Fuzz(func(t *testing.T, diff []byte) {
		c := equiv.DigestPatch(diff)
		if c.Weight < 0 || c.Plain.IsZero() != (c.Weight == 0) {
			t.Errorf("weight %d, plain %x", c.Weight, c.Plain)
		}
		if again := equiv.DigestPatch(diff); again.Plain != c.Plain || again.Patch != c.Patch {
			t.Error("two digests of one diff differ")
		}
	})
}
