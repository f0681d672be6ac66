package visible_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/visible"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "node-1\tready", "node-1\tready"},
		{"letters of all scripts", "Größe 節點 עברית", "Größe 節點 עברית"},
		{"terminal escape", "a\x1b[31mb", "a<U+001B>[31mb"},
		{"eight bit control", "a\u009b31m", "a<U+009B>31m"},
		{"turned text", "a\u202eb\u2066c", "a<U+202E>b<U+2066>c"},
		{"zero width", "a\u200bb\ufeff", "a<U+200B>b<U+FEFF>"},
		{"line ends", "a\nb\r\u2028", "a<U+000A>b<U+000D><U+2028>"},
		{"no characters", "a\xff\xfe", "a<ff><fe>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := visible.Text(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if again := visible.Text(tt.want); again != tt.want {
				t.Errorf("applied twice it gives %q", again)
			}
		})
	}
}

// FuzzEscape: JSON and YAML that were escaped are read as the same text, and nothing in them does something to a terminal.
func FuzzEscape(f *testing.F) {
	f.Add("a\u009b31m\u202e\x7f\U000E0001 b\n\x1b")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		out = visible.JSON(out)
		var back string
		if err = json.Unmarshal(out, &back); err != nil || back != s {
			t.Errorf("%q became %q as JSON: %v", s, back, err)
		}
		if bytes.ContainsFunc(out, func(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }) {
			t.Errorf("%q is written as %q", s, out)
		}
		if !visible.Suspicious(s) {
			return
		}
		out, err = yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str", Value: s})
		if err != nil {
			t.Fatal(err)
		}
		out = visible.YAML(out)
		if err = yaml.Unmarshal(out, &back); err != nil || back != s {
			t.Errorf("%q became %q as YAML %q: %v", s, back, out, err)
		}
		if visible.Suspicious(string(out)) {
			t.Errorf("%q is written as %q", s, out)
		}
	})
}

func TestCopyReachesEveryString(t *testing.T) {
	type inner struct {
		Text string
		When *time.Time
	}
	type outer struct {
		Inner inner
		List  []inner
		Keys  map[string][]string
		Near  *inner
		None  *inner
		Count int
	}
	const bad = "x\x1b\u202e\ny"
	const good = "x<U+001B><U+202E>\ny"
	when := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	in := outer{inner{bad, &when}, []inner{{bad, nil}}, map[string][]string{bad: {bad}}, &inner{Text: bad}, nil, 3}
	want := outer{inner{good, &when}, []inner{{good, nil}}, map[string][]string{good: {good}}, &inner{Text: good}, nil, 3}
	if diff := cmp.Diff(want, visible.Copy(in)); diff != "" {
		t.Errorf("copy (-want +got):\n%s", diff)
	}
	if in.Inner.Text != bad || in.List[0].Text != bad || in.Near.Text != bad {
		t.Error("the original was changed")
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b[2J\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := visible.Lines(s)
		if strings.ContainsFunc(got, func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
		}) {
			t.Errorf("%q gives %q", s, got)
		}
		if again := visible.Lines(got); again != got {
			t.Errorf("%q gives %q, and %q the second time", s, got, again)
		}
	})
}
