package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSections(t *testing.T) {
	const out = `go: downloading example.com/x v1.0.0
# example.com/a
# [example.com/a]
a/a.go:1:2: one
# example.com/b [example.com/b.test]
vet: b/b_test.go:3:4: two
	more of two
# example.com/a_test [example.com/a.test]
a/a_test.go:5: three
`
	got, err := readSections(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	want := []section{
		{lines: []string{"go: downloading example.com/x v1.0.0"}},
		{importPath: "example.com/a", lines: []string{"a/a.go:1:2: one", "a/a_test.go:5: three"}},
		{importPath: "example.com/b", lines: []string{"vet: b/b_test.go:3:4: two", "\tmore of two"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(section{})); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
}

func TestAttributeGoesByDirectory(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := &side{tree: &tree{root: root}, packages: map[string]*pkg{"a": {importPath: "example.com/a"}, "b": {importPath: "example.com/b"}}}
	got := s.attribute(root, []section{
		{lines: []string{"a/a.go:1:2: one", "\tmore of one", "exit status 1"}},
		{importPath: "example.com/b", lines: []string{"vet: b/b.go:3:4: two", "a/a_test.go:5: three", "\tmore of three", "without a position"}},
	})
	want := []section{
		{lines: []string{"exit status 1"}},
		{importPath: "example.com/a", lines: []string{"a/a.go:1:2: one", "\tmore of one", "a/a_test.go:5: three", "\tmore of three"}},
		{importPath: "example.com/b", lines: []string{"vet: b/b.go:3:4: two", "without a position"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(section{})); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
}

func TestWithoutPosition(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"line and column", "a/b.go:12:3: bad", "a/b.go: bad"},
		{"line", "a/b.go:12: bad", "a/b.go: bad"},
		{"vet", "vet: ./a.go:1:2: undefined: x", "vet: ./a.go: undefined: x"},
		{"none", "no position: 3", "no position: 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := withoutPosition(tt.line); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzReadSections has the law that no line is lost or made up, headers and empty lines aside.
func FuzzReadSections(f *testing.F) {
	f.Add("# a\na.go:1: x\n# b [a.test]\ny\n")
	f.Add("no header\n#\n# \n")
	f.Fuzz(func(t *testing.T, out string) {
		sections, err := readSections(strings.NewReader(out))
		if err != nil {
			return // a line is longer than maxLine
		}
		for _, s := range sections {
			for _, line := range s.lines {
				if !strings.Contains(out, line) {
					t.Errorf("line %q is not in the output", line)
				}
			}
		}
	})
}

// FuzzWatch has the laws that a package passes only by the go program's own word, and that one without a verdict is a failure.
func FuzzWatch(f *testing.F) {
	f.Add([]byte(`{"Action":"pass","Package":"p"}` + "\n"))
	f.Add([]byte(`{"Action":"run","Package":"p","Test":"T"}` + "\n" + `{"Action":"output","Package":"p","Test":"T","Output":"panic: x\n"}` + "\n" + `{"Action":"fail","Package":"p"}`))
	f.Add([]byte("not JSON\n{\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		w := newWatch([]*pkg{{importPath: "p"}}, func(string) {})
		if err := w.read(bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		failures := w.finish("")
		if verdict := w.done["p"]; (verdict == "pass" || verdict == "skip") != (len(failures) == 0) {
			t.Errorf("verdict %q with failures %v", verdict, failures)
		}
	})
}

// FuzzQuoteGo has the law that the go program's way of splitting gives the words back.
func FuzzQuoteGo(f *testing.F) {
	f.Add("-X main.version=v1", "it's")
	f.Fuzz(func(t *testing.T, a, b string) {
		qa, errA := quoteGo(a)
		qb, errB := quoteGo(b)
		if errA != nil || errB != nil || a == "" || b == "" || strings.ContainsAny(a+b, "\r\v\f\u0085\u00a0") {
			return
		}
		if got := split(qa + " " + qb); len(got) != 2 || got[0] != a || got[1] != b {
			t.Errorf("split %q into %q, want %q and %q", qa+" "+qb, got, a, b)
		}
	})
}

// split splits as "go help environment" says of GOFLAGS: words may be quoted as a whole, and there is no escape.
func split(s string) []string {
	var words []string
	for s = strings.TrimLeft(s, " \t\n"); s != ""; s = strings.TrimLeft(s, " \t\n") {
		if q := s[0]; q == '\'' || q == '"' {
			end := strings.IndexByte(s[1:], q)
			if end < 0 {
				return nil
			}
			words, s = append(words, s[1:end+1]), s[end+2:]
			continue
		}
		end := strings.IndexAny(s, " \t\n")
		if end < 0 {
			end = len(s)
		}
		words, s = append(words, s[:end]), s[end:]
	}
	return words
}
