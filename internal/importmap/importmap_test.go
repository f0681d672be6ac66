package importmap_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/importmap"
)

// moved changes paths below a.b/old to paths below a.b/new.
func moved(i importmap.Import) importmap.Import {
	if rest, ok := strings.CutPrefix(i.Path, "a.b/old/"); ok {
		i.Path = "a.b/new/" + rest
	}
	return i
}

func TestRewrite(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"one", "package p\n\nimport \"a.b/old/x\"\n", "package p\n\nimport \"a.b/new/x\"\n"},
		{"an alias stays", "package p\n\nimport x \"a.b/old/x\"\n", "package p\n\nimport x \"a.b/new/x\"\n"},
		{"strings and comments stay", "package p\n\nimport `a.b/old/x`\n\n// \"a.b/old/x\"\nvar s = \"a.b/old/x\"\n", "package p\n\nimport \"a.b/new/x\"\n\n// \"a.b/old/x\"\nvar s = \"a.b/old/x\"\n"},
		{
			"sorted lines are sorted again", "package p\n\nimport (\n\t\"fmt\"\n\n\t\"a.b/more\"\n\t\"a.b/old/x\" // why\n)\n\nvar _ = x.X\n",
			"package p\n\nimport (\n\t\"fmt\"\n\n\t\"a.b/more\"\n\t\"a.b/new/x\" // why\n)\n\nvar _ = x.X\n",
		},
		{
			"a line moves with its comment", "package p\n\nimport (\n\t\"a.b/nix\"\n\t\"a.b/old/x\" // why\n)\n",
			"package p\n\nimport (\n\t\"a.b/new/x\" // why\n\t\"a.b/nix\"\n)\n",
		},
		{"unsorted lines stay", "package p\n\nimport (\n\t\"z\"\n\t\"a.b/old/x\"\n)\n", "package p\n\nimport (\n\t\"z\"\n\t\"a.b/new/x\"\n)\n"},
		{"several on a line", "package p\n\nimport (\"a.b/old/y\"; \"a.b/old/x\")\n", "package p\n\nimport (\"a.b/new/y\"; \"a.b/new/x\")\n"},
		{"nothing to do", "package p\n\nimport `x`\n", "package p\n\nimport `x`\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := importmap.Rewrite([]byte(tt.in), moved)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRewriteRefusesWhatCannotBeImported(t *testing.T) {
	in := "package p\n\nimport \"x\"\n"
	for _, to := range []importmap.Import{{Path: ""}, {Path: "a\"b"}, {Path: "a b"}, {Path: "x", Name: "1x"}} {
		got, err := importmap.Rewrite([]byte(in), func(importmap.Import) importmap.Import { return to })
		if err != nil || string(got) != in {
			t.Errorf("%v: got %q, %v", to, got, err)
		}
	}
	if _, err := importmap.Rewrite([]byte("no source"), moved); err == nil {
		t.Error("what does not parse was rewritten")
	}
}

func TestRenamePackage(t *testing.T) {
	got, err := importmap.RenamePackage([]byte("// package old\npackage old // old\n\nvar old = 1\n"), "fresh")
	if want := "// package old\npackage fresh // old\n\nvar old = 1\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := importmap.RenamePackage([]byte("package old\n"), "not a name"); err == nil {
		t.Error("a package cannot have that name")
	}
}

func TestLearn(t *testing.T) {
	list := func(specs ...string) []importmap.Import {
		imports, err := importmap.Of([]byte("package p\nimport (\n" + strings.Join(specs, "\n") + "\n)\n"))
		if err != nil {
			t.Fatal(err)
		}
		return imports
	}
	tests := []struct {
		name          string
		before, after []importmap.Import
		want          map[string]string
	}{
		{"an unchanged file", list(`"a.b/x"`, `c "a.b/y"`), list(`"a.b/x"`, `c "a.b/y"`), map[string]string{}},
		{"a major version", list(`"k8s.io/klog"`), list(`"k8s.io/klog/v2"`), map[string]string{"k8s.io/klog": "k8s.io/klog/v2"}},
		{"an alias", list(`v3 "a.b/c/v3"`), list(`"a.b/c/v4"`), map[string]string{}},
		{"the same alias", list(`c "a.b/old"`), list(`c "a.b/new"`), map[string]string{"a.b/old": "a.b/new"}},
		{"a name of two", list(`"a.b/x"`, `"c.d/x"`), list(`"a.b/new/x"`), map[string]string{}},
		{"both are imported afterwards", list(`"a.b/x"`), list(`"a.b/x"`, `y "a.b/new/x"`), map[string]string{}},
		{"for its effect", list(`_ "a.b/x"`), list(`_ "a.b/y"`), map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, importmap.Learn(tt.before, tt.after)); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzRewrite: only import specs change, the rest stays byte by byte; what parsed parses; the way back leads back.
func FuzzRewrite(f *testing.F) {
	f.Add("package p\n\nimport (\n\t\"fmt\"\n\t\"a.b/old/x\"\n\ty \"a.b/old/y\" // c\n)\n\nvar s = \"a.b/old/x\"\n")
	f.Add("package p; import \"a.b/old/x\"; import (\"a.b/old/y\"; `z`)\nfunc f() { x.X() }")
	f.Add("package p\n\nimport (\n\t\"a.b/nix\"\n\t/* c */ \"a.b/old/x\"\n\t\"a.b/old/x\" /* d\n*/\n)\n")
	f.Add("\ufeffpackage p\nimport . \"a.b/old/x\"\r\n")
	f.Fuzz(func(t *testing.T, source string) {
		there, err := importmap.Rewrite([]byte(source), moved)
		if err != nil {
			return
		}
		if (syntax(source) == nil) != (syntax(string(there)) == nil) {
			t.Fatalf("one parses and the other does not:\n%q\n%q", source, there)
		}
		if d := cmp.Diff(sorted(without(t, source)), sorted(without(t, string(there)))); d != "" {
			t.Fatalf("something else was changed: %s", d)
		}
		before, _ := importmap.Of([]byte(source))
		after, _ := importmap.Of(there)
		for i := range before {
			before[i] = moved(before[i])
		}
		order := func(a, b importmap.Import) int { return strings.Compare(a.String(), b.String()) }
		slices.SortFunc(before, order)
		slices.SortFunc(after, order)
		if d := cmp.Diff(before, after); d != "" && !strings.Contains(source, "a.b/new/") {
			t.Fatal(d)
		}
	})
}

func syntax(source string) error {
	_, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	return err
}

// without is a source without its import specs.
func without(t *testing.T, source string) string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	out, at := "", 0
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ImportSpec); ok {
			out += source[at:int(spec.Pos()-f.FileStart)]
			at = int(spec.Path.End() - f.FileStart)
		}
		return true
	})
	return out + source[at:]
}

func sorted(s string) []string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return lines
}
