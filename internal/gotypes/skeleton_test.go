package gotypes

import (
	"bytes"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestSkeleton(t *testing.T) {
	for _, tt := range []struct{ name, src, want, inPlace string }{
		{name: "body", src: "package p\n\nfunc f() int {\n\treturn 1\n}\n\nvar x = 1\n", want: "package p\n\nfunc f() int {\n\n}\n\nvar x = 1\n", inPlace: "package p\n\nfunc f() int {\n         \n}\n\nvar x = 1\n"},
		{
			name: "braces in strings and comments", src: "func f() { g(\"}\", '}', `}`) /* } */ // }\n}\nvar x = `{`\n",
			want: "func f() {\n}\nvar x = `{`\n", inPlace: "func f() {" + strings.Repeat(" ", 30) + "\n}\nvar x = `{`\n",
		},
		{name: "types with braces in a signature", src: "func f(x struct{ y int }) interface{ m() } { g() }\n", want: "func f(x struct{ y int }) interface{ m() } {}\n", inPlace: "func f(x struct{ y int }) interface{ m() } {     }\n"},
		{name: "function as a value stays", src: "var f = func() { g() }\n", want: "var f = func() { g() }\n", inPlace: "var f = func() { g() }\n"},
		{name: "body without an end stays", src: "func f() { g(\n", want: "func f() { g(\n", inPlace: "func f() { g(\n"},
		{name: "division is no comment", src: "func f() { a / b }\nvar c = d / e\n", want: "func f() {}\nvar c = d / e\n", inPlace: "func f() {       }\nvar c = d / e\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(skeleton([]byte(tt.src), false)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := string(skeleton([]byte(tt.src), true)); got != tt.inPlace {
				t.Errorf("in place: got %q, want %q", got, tt.inPlace)
			}
		})
	}
}

// FuzzSkeleton: lines stay where they are, in place every byte outside of bodies does, and what is left parses if the whole did.
func FuzzSkeleton(f *testing.F) {
	f.Add("package p\n\nfunc f() {\n\tg(\"}\")\n}\n")
	f.Add("package p\n\nfunc (x *y[z]) f(a struct{ b func() {} }) { `\n` }\n\nvar v = func() {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		src := []byte(text)
		short, kept := skeleton(src, false), skeleton(src, true)
		for _, got := range [][]byte{short, kept} {
			if bytes.Count(got, []byte("\n")) != bytes.Count(src, []byte("\n")) {
				t.Errorf("%q: lines of %q", src, got)
			}
		}
		if len(kept) != len(src) {
			t.Errorf("%q: length of %q", src, kept)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution); err != nil {
			return
		}
		for _, got := range [][]byte{short, kept} {
			if _, err := parser.ParseFile(token.NewFileSet(), "", got, parser.SkipObjectResolution); err != nil {
				t.Errorf("%q: %q: %v", src, got, err)
			}
		}
	})
}
