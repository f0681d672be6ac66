package gomerge_test

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubelts/kubelts/internal/gomerge"
)

// load reads one case of the corpus: base.go, ours.go, theirs.go and what is to come of them.
func load(tb testing.TB, name string) map[string]string {
	tb.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}

func corpus(tb testing.TB) []string {
	tb.Helper()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 20 {
		tb.Fatalf("%d cases: %v", len(names), err)
	}
	return names
}

func TestCorpus(t *testing.T) {
	for _, name := range corpus(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			c := load(t, name)
			res, err := gomerge.Merge([]byte(c["base.go"]), []byte(c["ours.go"]), []byte(c["theirs.go"]))
			if reason, ok := c["refusal"]; ok {
				refused, is := errors.AsType[*gomerge.RefusedError](err)
				if !is || string(refused.Reason) != strings.TrimSpace(reason) {
					t.Fatalf("got %v and %q, want refusal %s", err, res.Text, reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want, certain := c["want.go"]
			if !certain {
				want = c["want-uncertain.go"]
			}
			if diff := cmp.Diff(want, string(res.Text)); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
			if res.Certain != certain {
				t.Errorf("certain: %t", res.Certain)
			}
			var doubts []string
			for _, d := range res.Doubts {
				doubts = append(doubts, string(d))
			}
			if diff := cmp.Diff(strings.Fields(c["doubts"]), doubts, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("doubts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int, in string) []byte {
		return []byte("package p\n\nvar a = " + strings.Repeat("(", n) + in + strings.Repeat(")", n) + "\n")
	}
	large := bytes.Repeat([]byte("// x\n"), gomerge.MaxBytes/5+1)
	wide := func(odd string) []byte {
		return []byte("package p\n\nfunc f() {\n\t" + odd + "()\n" + strings.Repeat("\tg()\n\th(1)\n", 4000) + "\t" + odd + "()\n}\n")
	}
	tests := map[string][3][]byte{
		"deep":  {deep(2000, "1"), deep(2000, "2"), deep(2000, "3")},
		"large": {[]byte("package p\n"), append([]byte("package p\n"), large...), []byte("package p\n\nvar a int\n")},
		"wide":  {wide("a"), wide("b"), wide("c")},
	}
	for name, v := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := gomerge.Merge(v[0], v[1], v[2])
			if refused, ok := errors.AsType[*gomerge.RefusedError](err); !ok || refused.Reason != gomerge.ReasonTooLarge {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzMerge holds the laws: an unchanged side gives the other side; what comes out parses; every error is a refusal; the same input gives
// the same output; what is certain leaves nothing out.
func FuzzMerge(f *testing.F) {
	for _, name := range corpus(f) {
		c := load(f, name)
		f.Add([]byte(c["base.go"]), []byte(c["ours.go"]), []byte(c["theirs.go"]))
	}
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		for _, v := range [][3][]byte{{base, base, theirs}, {base, theirs, base}, {base, theirs, theirs}} {
			res, err := gomerge.Merge(v[0], v[1], v[2])
			if err != nil || !bytes.Equal(res.Text, theirs) || !res.Certain {
				t.Errorf("one side unchanged: %q %v", res.Text, err)
			}
		}
		res, err := gomerge.Merge(base, ours, theirs)
		if err != nil {
			if _, ok := errors.AsType[*gomerge.RefusedError](err); !ok {
				t.Errorf("not a refusal: %v", err)
			}
			return
		}
		if res.Certain != (len(res.Doubts) == 0) || res.Certain && res.LeftOut > 0 {
			t.Errorf("certain, with doubts %v and %d parts left out", res.Doubts, res.LeftOut)
		}
		again, err := gomerge.Merge(base, ours, theirs)
		if err != nil || !bytes.Equal(again.Text, res.Text) {
			t.Errorf("not the same again: %v", err)
		}
		if bytes.Equal(base, ours) || bytes.Equal(base, theirs) || bytes.Equal(ours, theirs) {
			return
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", res.Text, 0); err != nil {
			t.Errorf("merged file: %v\n%s", err, res.Text)
		}
	})
}
