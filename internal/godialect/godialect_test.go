package godialect_test

import (
	"bytes"
	"go/format"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/godialect"
)

var inP = godialect.Carried{Package: "p"}

// file is a formatted Go file.
func file(t *testing.T, text string) []byte {
	t.Helper()
	if text == "" {
		return nil
	}
	if !strings.Contains(text, "package ") {
		text = "package p\n\n" + text
	}
	out, err := format.Source([]byte(text))
	if err != nil {
		t.Fatalf("%s\n%s", err, text)
	}
	return out
}

type sides struct{ base, ours, theirs, want string }

func cases() map[string]sides {
	return map[string]sides{
		"a logger was replaced": {
			base: `import ("errors"; "example.com/klog")
				func f(n int) { klog.Errorf("bad %d", n); klog.V(2).Info("f", n) }`,
			ours: `import ("errors"; "example.com/glog")
				func f(n int) { glog.Errorf("bad %d", n); glog.V(2).Info("f", n) }`,
			theirs: `import ("errors"; "example.com/klog")
				func f(n int) { klog.Errorf("klog: very bad %d", n); klog.Warning(errors.New("f")) } // klog.V`,
			want: `import ("errors"; "example.com/glog")
				func f(n int) { glog.Errorf("klog: very bad %d", n); glog.Warning(errors.New("f")) } // klog.V`,
		},
		"another version of a package under the same name": {
			base:   `import "example.com/klog/v2"; func f() { klog.Info("f") }`,
			ours:   `import "example.com/klog"; func f() { klog.Info("f") }`,
			theirs: `import "example.com/klog/v2"; func f() { klog.Info("f"); klog.Error("f") }`,
			want:   `import "example.com/klog"; func f() { klog.Info("f"); klog.Error("f") }`,
		},
		"a helper lost its package": {
			base: `import framework "example.com/framework"
				func A(t int) { framework.Before(t); c := framework.NewCluster(t, &framework.Config{Size: 1}); c.Do() }
				func B(t int) { framework.Before(t); c := framework.NewCluster(t, &framework.Config{Size: 3}); c.Do() }`,
			ours: `func Before(t int) {}
				func A(t int) { Before(t); c := NewClusterV3(t, &Config{Size: 1}); c.Do() }
				func B(t int) { Before(t); c := NewClusterV3(t, &Config{Size: 3}); c.Do() }`,
			theirs: `import framework "example.com/framework"
				func C(t int) { framework.Before(t); framework.NewCluster(t, &framework.Config{}) }`,
			want: `
				func C(t int) { Before(t); NewClusterV3(t, &Config{}) }`,
		},
		"a context was added": {
			base:   `func get(ctx int, key string) {}; func f(ctx int) { get(ctx, "a"); get(ctx, "b") }`,
			ours:   `func get(key string) {}; func f(ctx int) { get("a"); get("b") }`,
			theirs: `func g(ctx int) { get(ctx, key(1, 2)) }`,
			want:   `func g(ctx int) { get(key(1, 2)) }`,
		},
		"a parameter that the target has": {
			base:   `func open(dir string) {}; func f(lg int) { open("a"); open("b") }`,
			ours:   `func open(lg int, dir string) {}; func f(lg int) { open(lg, "a"); open(lg, "b") }`,
			theirs: `func g(lg int) { open("c") }; func h() { open("d") }`,
			want:   `func g(lg int) { open(lg, "c") }; func h() { open("d") }`,
		},
		"a constant was renamed": {
			base:   `const maxTries = 5; func f() { for i := 0; i < maxTries; i++ { g() } }; func g() {}`,
			ours:   `const MaxTries = 5; func f() { for i := 0; i < MaxTries; i++ { g() } }; func g() {}`,
			theirs: `func h(maxTriesLeft int) string { return s(maxTries, "maxTries") }`,
			want:   `func h(maxTriesLeft int) string { return s(MaxTries, "maxTries") }`,
		},
		"a function was renamed, its body stayed": {
			base:   `func readNames(d string, n int) ([]string, error) { if n > 0 { return list(d, n) }; return nil, errNone }`,
			ours:   `func names(d string, n int) ([]string, error) { if n > 0 { return list(d, n) }; return nil, errNone }`,
			theirs: `func h() { readNames("d", 1) }`,
			want:   `func h() { names("d", 1) }`,
		},
		"a field was exported": {
			base:   `type t struct { Size int }; func f(x t) int { y := t{Size: 1}; return x.Size + y.Size }`,
			ours:   `type t struct { size int }; func f(x t) int { y := t{size: 1}; return x.size + y.size }`,
			theirs: `func g() int { Size := 1; return t{Size: Size}.Size }`,
			want:   `func g() int { Size := 1; return t{size: Size}.size }`,
		},
		"the empty interface": {
			base:   `func f(a any, b int) map[string]any { return nil }`,
			ours:   `func f(a interface{}, b int) map[string]interface{} { return nil }`,
			theirs: `func g(a any) {}`,
			want:   `func g(a interface{}) {}`,
		},
		"a constant for one of another kind": {
			base:   `func f(b bool) { open("a", "", b); open("b", "", b) }`,
			ours:   `func f(b bool) { open("a", nil, b); open("b", nil, b) }`,
			theirs: `func g() { open("", "", true); open("c", "x", true) }`,
			want:   `func g() { open("", nil, true); open("c", "x", true) }`,
		},
		"a field for a constant": {
			base:   `type t struct { max int }; func (x t) f() int { return x.max * 2 }; func (x t) g(n int) bool { return n > x.max + 1 }`,
			ours:   `const limit = 2; type t struct {}; func (x t) f() int { return limit * 2 }; func (x t) g(n int) bool { return n > limit + 1 }`,
			theirs: `type t struct { max int }; func (x t) h() int { return x.max }`,
			want:   `type t struct { max int }; func (x t) h() int { return limit }`,
		},
		"a parameter that only the declarations tell": {
			base:   `func verify(lg int, dir string) { if lg > 0 { use(dir) } }`,
			ours:   `func verify(dir string) { if 1 > 0 { use(dir) } }`,
			theirs: `func g() { verify(h(1), "d") }`,
			want:   `func g() { verify("d") }`,
		},
		"another order of arguments": {
			base:   `func f(c, d, e int) { open(c, d, none, e); open(d, c, none, e) }; func open(c, d, none, e int) {}`,
			ours:   `func f(c, d, e int) { open(c, e, d); open(d, e, c) }; func open(c, e, d int) {}`,
			theirs: `func g() { open(1, "x(", nil, h(2)) }`,
			want:   `func g() { open(1, h(2), "x(") }`,
		},
		"a name that the target knows stays": {
			base:   `func f() { start(1); start(2); start(3) }`,
			ours:   `func f() { begin(1); begin(2); start(3) }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { start(4) }`,
		},
		"two new names for one": {
			base:   `func f() { start(1); start(2) }`,
			ours:   `func f() { begin(1); enter(2) }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { start(4) }`,
		},
		"a package whose one name became two": {
			base:   `import "example.com/fw"; func f() { fw.A(1); fw.B(1); fw.New(1); fw.New(2) }`,
			ours:   `import "example.com/old"; func f() { old.A(1); old.B(1); old.NewOne(1); old.NewTwo(2) }`,
			theirs: `import "example.com/fw"; func g() { fw.New(3) }`,
			want:   `import "example.com/fw"; func g() { fw.New(3) }`,
		},
		"one stray place among many": {
			base:   `func f() { start(0)` + strings.Repeat("; start(1)", 20) + ` }`,
			ours:   `func f() { enter(0)` + strings.Repeat("; begin(1)", 20) + ` }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { begin(4) }`,
		},
		"two stray places among twenty": {
			base:   `func f() { start(0); start(0)` + strings.Repeat("; start(1)", 20) + ` }`,
			ours:   `func f() { enter(0); open(0)` + strings.Repeat("; begin(1)", 20) + ` }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { begin(4) }`,
		},
		"three stray places among twenty": {
			base:   `func f() { start(0); start(0); start(0)` + strings.Repeat("; start(1)", 20) + ` }`,
			ours:   `func f() { enter(0); open(0); enter(0)` + strings.Repeat("; begin(1)", 20) + ` }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { start(4) }`,
		},
		"a package under another name": {
			base:   `import fw2 "example.com/fw"; func f() { fw2.New(1) }`,
			ours:   `import "example.com/fw"; func f() { fw.New(1) }`,
			theirs: `import fw2 "example.com/fw"; func f() { fw2.New(1) }; func g() { fw2.New(fw2.One) }`,
			want:   `import "example.com/fw"; func f() { fw.New(1) }; func g() { fw.New(fw.One) }`,
		},
		"two old names for one": {
			base:   `func f() { start(1); start(2); launch(1); launch(2) }`,
			ours:   `func f() { begin(1); begin(2); begin(1); begin(2) }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { start(4) }`,
		},
		"one place is not enough": {
			base:   `func f() { start(1) }`,
			ours:   `func f() { begin(1) }`,
			theirs: `func g() { start(4) }`,
			want:   `func g() { start(4) }`,
		},
		"a variable has the new name": {
			base:   `func f() { start(1); start(2) }`,
			ours:   `func f() { begin(1); begin(2) }`,
			theirs: `func g(begin int) { start(begin) }`,
			want:   `func g(begin int) { start(begin) }`,
		},
		"the fix declares the name": {
			base:   `func f() { start(1); start(2) }`,
			ours:   `func f() { begin(1); begin(2) }`,
			theirs: `func start(n int) { start(n) }`,
			want:   `func start(n int) { start(n) }`,
		},
		"the new name is denied wherever the old one was said": {
			base:   `func good(n int) bool { return n < 3 }; func f() { use(good(1)); use(good(2)); use(good(3)) }`,
			ours:   `func bad(n int) bool { return n >= 3 }; func f() { use(!bad(1)); use(!bad(2)); use(!bad(3)) }`,
			theirs: `func g() { use(good(4)) }`,
			want:   `func g() { use(good(4)) }`,
		},
		"a field is mostly denied where the old one was said": {
			base:   `func f(s T) { use(s.On); use(s.On); use(s.On); log(s.On) }`,
			ours:   `func f(s T) { use(!s.on); use(!s.on); use(!s.on); log(s.on) }`,
			theirs: `func g(s T) { use(s.On) }`,
			want:   `func g(s T) { use(s.On) }`,
		},
		"both names are denied": {
			base:   `func f() { use(!good(1)); use(!good(2)) }`,
			ours:   `func f() { use(!fine(1)); use(!fine(2)) }`,
			theirs: `func g() { use(good(4)) }`,
			want:   `func g() { use(fine(4)) }`,
		},
		"what replaces an argument is no rule": {
			base:   `func f() { start(1, a); start(2, a) }`,
			ours:   `func f() { start(1, b, c); start(2, b, c) }`,
			theirs: `func g() { start(4, a) }`,
			want:   `func g() { start(4, a) }`,
		},
	}
}

func TestTranslate(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			base, ours, theirs := file(t, c.base), file(t, c.ours), file(t, c.theirs)
			d := new(godialect.Library).Learn(godialect.Pair{Base: base, Ours: ours}, nil, inP)
			got := d.Translate(base, ours, theirs)
			if diff := cmp.Diff(string(file(t, c.want)), string(got.Theirs)); diff != "" {
				t.Errorf("theirs (-want +got):\n%s", diff)
			}
			if changed := !bytes.Equal(got.Theirs, theirs) || !bytes.Equal(got.Base, base); changed != (len(got.Notes) > 0) {
				t.Errorf("notes = %v", got.Notes)
			}
			again := d.Translate(got.Base, ours, got.Theirs)
			if len(again.Notes) > 0 || !bytes.Equal(again.Theirs, got.Theirs) || !bytes.Equal(again.Base, got.Base) {
				t.Errorf("a second translation changes more: %v\n%s", again.Notes, again.Theirs)
			}
		})
	}
}

func TestLearnsFromSiblings(t *testing.T) {
	pairs := []godialect.Pair{
		{Base: file(t, `import "example.com/fw"; func A() { fw.New(1) }`), Ours: file(t, `import "example.com/old"; func A() { old.New(1) }`)},
		{Base: file(t, `import "example.com/fw"; func B() { fw.New(2) }`), Ours: file(t, `import "example.com/old"; func B() { old.New(2) }`)},
	}
	theirs := file(t, `import "example.com/fw"; func C() { fw.New(3) }`)
	got := new(godialect.Library).Learn(godialect.Pair{}, pairs, inP).Translate(nil, nil, theirs)
	want := file(t, `import "example.com/old"; func C() { old.New(3) }`)
	if diff := cmp.Diff(string(want), string(got.Theirs)); diff != "" {
		t.Errorf("theirs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]godialect.Note{{From: "fw.New", To: "old.New", Places: 2}}, got.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	kept := new(godialect.Library).Learn(godialect.Pair{}, append(pairs, godialect.Pair{Ours: theirs}), inP).Translate(nil, nil, theirs)
	if !bytes.Equal(kept.Theirs, theirs) {
		t.Errorf("translated although the target uses the name elsewhere:\n%s", kept.Theirs)
	}
	added := new(godialect.Library).Learn(godialect.Pair{}, []godialect.Pair{{Base: file(t, `func f() { a(1); a(2) }`), Ours: file(t, `func f() { b(1); b(2) }`)}}, godialect.Carried{Package: "p", Declares: []string{"a"}})
	if own := file(t, `func g() { a(3) }`); !bytes.Equal(added.Translate(nil, nil, own).Theirs, own) {
		t.Error("translated although the fix declares the name in another file")
	}
}

func TestEqualSidesTeachNothing(t *testing.T) {
	for name, c := range cases() {
		for _, text := range []string{c.base, c.ours, c.theirs} {
			same := file(t, text)
			d := new(godialect.Library).Learn(godialect.Pair{Base: same, Ours: same}, []godialect.Pair{{Base: same, Ours: same}}, inP)
			if !d.Empty() {
				t.Errorf("%s: learned something from\n%s", name, same)
			}
			if got := d.Translate(same, same, same); !bytes.Equal(got.Theirs, same) || !bytes.Equal(got.Base, same) {
				t.Errorf("%s: an empty dialect changes\n%s", name, same)
			}
		}
	}
}

func TestWhatDoesNotParse(t *testing.T) {
	broken, fine := []byte("package p\nfunc {"), file(t, `func f() { a(1); a(2) }`)
	d := new(godialect.Library).Learn(godialect.Pair{Base: broken, Ours: fine}, []godialect.Pair{{Base: fine, Ours: file(t, `func f() { b(1); b(2) }`)}}, inP)
	if got := d.Translate(fine, fine, broken); !bytes.Equal(got.Theirs, broken) || !bytes.Equal(got.Base, fine) {
		t.Errorf("translated: %q, %q", got.Base, got.Theirs)
	}
}

func FuzzTranslate(f *testing.F) {
	for _, c := range cases() {
		f.Add("package p\n"+c.base, "package p\n"+c.ours, "package p\n"+c.theirs)
	}
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		d := new(godialect.Library).Learn(godialect.Pair{Base: []byte(base), Ours: []byte(ours)}, nil, inP)
		got := d.Translate([]byte(base), []byte(ours), []byte(theirs))
		if len(got.Notes) == 0 && string(got.Theirs) != theirs {
			t.Errorf("changed without a note:\n%s\n---\n%s", theirs, got.Theirs)
		}
		if string(got.Theirs) != theirs {
			if _, err := format.Source(got.Theirs); err != nil {
				t.Errorf("does not parse: %s\n%s", err, got.Theirs)
			}
		}
		if !new(godialect.Library).Learn(godialect.Pair{Base: []byte(base), Ours: []byte(base)}, nil, inP).Empty() {
			t.Error("equal sides taught something")
		}
		again := d.Translate(got.Base, []byte(ours), got.Theirs)
		if len(again.Notes) > 0 {
			t.Errorf("translated again: %v\n%s\n---\n%s", again.Notes, got.Theirs, again.Theirs)
		}
	})
}
