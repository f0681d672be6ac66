package merge_test

import (
	"bytes"
	"testing"

	"github.com/kubelts/kubelts/internal/merge"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, base, ours, theirs string
		want                     string // empty: not merged
	}{
		{"different words of a line", "run --all x 1.2.3\n", "run --all x 1.1.9\n", "run -q --all x 1.2.3\n", "run -q --all x 1.1.9\n"},
		{"lines beside each other", "one two\nthree four\n", "one 2 two\nthree four\n", "one two\nthree 4 four\n", "one 2 two\nthree 4 four\n"},
		{"a conflict, and changes apart from it", "a b c\n1\n2\n3\n4\n", "a b x c\n1\n2\n3\n5\n", "z a b c\n0\n1\n2\n3\n4\n", "z a b x c\n0\n1\n2\n3\n5\n"},
		{"the same word", "run x\n", "run y\n", "run z\n", ""},
		{"a word within a dropped part", "set a=main run x y\n", "set a=old run x y\n", "set run x y\n", ""},
		{"words beside each other", "run a, b\n", "run c, b\n", "run a, d\n", ""},
		{"little left of the line", "one two three four five\n", "six seven\n", "zero one two three four five\n", ""},
		{"what ours replaced comes back", "test 3.6.99 now or\n", "test 3.4.99 now or\n", "test 3.6.99 now or later\nimage 3.6.99\n", ""},
		{"one side deleted the lines", "a b\n", "", "a b c\n", ""},
		{"binary", "a b\n", "a\x00\n", "a b c\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok, err := merge.Words([]byte(c.base), []byte(c.ours), []byte(c.theirs))
			if err != nil || ok != (c.want != "") || string(got) != c.want {
				t.Errorf("got %q %v %v, want %q", got, ok, err, c.want)
			}
		})
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte("run --all x 1.2.3\n"), []byte("run --all x 1.1.9\n"), []byte("run -q --all x 1.2.3\n"))
	f.Add([]byte("a b c\n1\n2\n3\n4\n"), []byte("a b x c\n1\n2\n3\n5\n"), []byte("z a b c\n0\n1\n2\n3\n4\n"))
	f.Add([]byte("\xff\xfe a\n"), []byte(""), []byte("é\r\n"))
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		for name, c := range map[string]struct{ ours, theirs, want []byte }{
			"the target did not change": {base, theirs, theirs},
			"the fix did not change":    {ours, base, ours},
			"both changed alike":        {ours, ours, ours},
		} {
			if got, ok, err := merge.Words(base, c.ours, c.theirs); err != nil || !ok || !bytes.Equal(got, c.want) {
				t.Errorf("%s, and the other side does not come out: %q %v %v", name, got, ok, err)
			}
		}
		got, ok, err := merge.Words(base, ours, theirs)
		if err != nil {
			t.Fatal(err)
		}
		if swapped, also, _ := merge.Words(base, theirs, ours); ok && also && !bytes.Equal(swapped, got) {
			t.Errorf("it depends on which side is called ours: %q and %q", got, swapped)
		}
		clean, err := merge.Merge(base, ours, theirs, merge.Options{Style: merge.Diff3})
		if err == nil && len(clean.Conflicts) == 0 && ok && !bytes.Equal(clean.Text, got) {
			t.Errorf("the merge by lines is clean, and another: %q and %q", clean.Text, got)
		}
	})
}
