package depmerge_test

import (
	"bytes"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/kubelts/kubelts/internal/depmerge"
)

// laws hold for any three contents of a format. It returns the merged text, nil if it was refused.
func laws(t *testing.T, f depmerge.Format, s depmerge.Sides, modules *depmerge.Modules) []byte {
	t.Helper()
	for name, c := range map[string]struct {
		in   depmerge.Sides
		want []byte
	}{
		"the target did not change": {depmerge.Sides{Base: s.Base, Ours: s.Base, Theirs: s.Theirs}, s.Theirs},
		"the fix did not change":    {depmerge.Sides{Base: s.Base, Ours: s.Ours, Theirs: s.Base}, s.Ours},
		"both changed alike":        {depmerge.Sides{Base: s.Base, Ours: s.Ours, Theirs: s.Ours}, s.Ours},
	} {
		if res := depmerge.Merge(f, c.in, modules); !bytes.Equal(res.Text, c.want) {
			t.Errorf("%s, and the other side does not come out: %q", name, res.Text)
		}
	}
	res := depmerge.Merge(f, s, modules)
	if len(res.Refusals) > 0 {
		if res.Text != nil {
			t.Error("a refused merge has a text")
		}
		return nil
	}
	if again := depmerge.Merge(f, s, modules); !bytes.Equal(again.Text, res.Text) {
		t.Errorf("the same input gives another output: %q and %q", res.Text, again.Text)
	}
	return res.Text
}

func FuzzGoMod(f *testing.F) {
	f.Add([]byte(mod(beside+old)), []byte(mod(beside+mine)), []byte(mod(beside+"v0.0.0", "replace example.com/own/api => ../api")))
	f.Add([]byte(mod()), []byte(mod(yamlReq+"v1.0.0")), []byte(mod("require example.org/z v1.0.0 // indirect", "exclude example.org/z v1.1.0")))
	f.Add([]byte(mod("replace a => b v1.0.0 // why")), []byte(mod("replace a => b v1.1.0 // why")), []byte(mod("replace a => ../b // other", "retract [v1.0.0, v1.1.0]", "godebug x=1")))
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		s := depmerge.Sides{Base: base, Ours: ours, Theirs: theirs}
		text := laws(t, depmerge.GoMod, s, nil)
		if text == nil || bytes.Equal(text, ours) || bytes.Equal(text, theirs) {
			return
		}
		if _, err := modfile.Parse("go.mod", text, nil); err != nil {
			t.Errorf("the result does not parse: %v\n%s", err, text)
		}
		if res := depmerge.Merge(depmerge.GoMod, depmerge.Sides{Base: base, Ours: text, Theirs: theirs}, nil); len(res.Refusals) == 0 && !bytes.Equal(res.Text, text) {
			t.Errorf("carried once more, it changes:\n%s\nto\n%s", text, res.Text)
		}
	})
}

func FuzzGoSum(f *testing.F) {
	f.Add([]byte(sum("e/a", "v1.0.0", "a")), []byte(sum("e/a", "v1.1.0", "b")), []byte(sum("e/a", "v1.2.0", "c")), []byte(mod("require e/a v1.0.0")), []byte(mod("require e/a v1.1.0")), []byte(mod("require e/a v1.2.0")))
	f.Add([]byte(""), []byte(sum("e/b", "v1.0.0", "a")), []byte(sum("e/a", "v1.2.0", "c")), []byte(mod()), []byte(mod()), []byte(mod("require e/a v1.2.0")))
	f.Fuzz(func(t *testing.T, base, ours, theirs, baseMod, oursMod, theirsMod []byte) {
		merged := depmerge.Merge(depmerge.GoMod, depmerge.Sides{Base: baseMod, Ours: oursMod, Theirs: theirsMod}, nil)
		modules := &depmerge.Modules{Base: baseMod, Ours: oursMod, Theirs: theirsMod, Merged: merged.Text}
		s := depmerge.Sides{Base: base, Ours: ours, Theirs: theirs}
		text := laws(t, depmerge.GoSum, s, modules)
		if text == nil || bytes.Equal(text, ours) || bytes.Equal(text, theirs) {
			return
		}
		for line := range bytes.Lines(text) {
			if len(bytes.Fields(line)) != 3 {
				t.Errorf("line %q", line)
			}
		}
	})
}

func FuzzGodeps(f *testing.F) {
	f.Add([]byte(deps("go1", "e/a/x aa", "e/b bb")), []byte(deps("go1", "e/a/x cc", "e/b bb")), []byte(deps("go2", "e/a/w xx", "e/a/x xx")))
	f.Add([]byte(deps("go1")), []byte(deps("go1", "e/a aa", "e/a aa")), []byte(deps("go1", "e/b bb")))
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		text := laws(t, depmerge.Godeps, depmerge.Sides{Base: base, Ours: ours, Theirs: theirs}, nil)
		if text == nil {
			return
		}
		if res := depmerge.Merge(depmerge.Godeps, depmerge.Sides{Base: base, Ours: text, Theirs: theirs}, nil); len(res.Refusals) == 0 && !bytes.Equal(res.Text, text) {
			t.Errorf("carried once more, it changes:\n%s\nto\n%s", text, res.Text)
		}
	})
}

// fuzzFormat fuzzes a format of which a file says all by itself.
func fuzzFormat(f *testing.F, format depmerge.Format) {
	f.Helper()
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		text := laws(t, format, depmerge.Sides{Base: base, Ours: ours, Theirs: theirs}, nil)
		if text == nil || bytes.Equal(text, ours) || bytes.Equal(text, theirs) {
			return
		}
		if res := depmerge.Merge(format, depmerge.Sides{Base: base, Ours: text, Theirs: theirs}, nil); len(res.Refusals) == 0 && !bytes.Equal(res.Text, text) {
			t.Errorf("carried once more, it changes:\n%q\nto\n%q", text, res.Text)
		}
	})
}

func FuzzBuild(f *testing.F) {
	f.Add([]byte(build("a.go c.go", "//a:lib")), []byte(build("c.go d.go", "//a:lib //d:lib")), []byte(build("a.go b.go c.go", ":own //a:lib")))
	fuzzFormat(f, depmerge.Build)
}

func FuzzModulesTxt(f *testing.F) {
	f.Add([]byte(module), []byte(module+"example.org/a/z\n# example.org/c v1.0.0\nexample.org/c\n"), []byte(module+"example.org/a/y\n# example.org/b v1.0.0\n"))
	fuzzFormat(f, depmerge.ModulesTxt)
}

func FuzzVendorConf(f *testing.F) {
	f.Add([]byte("# x\na/b 1\nc/d 2\n"), []byte("# x\na/b 1\nc/d 3\n"), []byte("# x\na/b 9\n# why\nb/c 4\nc/d 2\n"))
	fuzzFormat(f, depmerge.VendorConf)
}

func FuzzGoWork(f *testing.F) {
	f.Add([]byte("go 1.21\n\nuse ./a\n"), []byte("go 1.21\n\nuse ./a\nuse ./b\n"), []byte("go 1.22\n\nuse ./c\n\nreplace e/x => ./x\n"))
	fuzzFormat(f, depmerge.GoWork)
}

func FuzzWorkSum(f *testing.F) {
	f.Add([]byte(sum("e/b", "v1.0.0", "b")), []byte(sum("e/c", "v1.0.0", "c")), []byte(sum("e/a", "v1.0.0", "a")))
	fuzzFormat(f, depmerge.WorkSum)
}
