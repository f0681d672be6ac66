package depmerge_test

import (
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/depmerge"
)

// build is a BUILD file with a library of these sources and dependencies.
func build(srcs, deps string, more ...string) string {
	list := func(items string) string {
		words := strings.Fields(items)
		if len(words) == 1 {
			return `["` + words[0] + `"]`
		}
		return "[\n        \"" + strings.Join(words, "\",\n        \"") + "\",\n    ]"
	}
	return "load(\"@rules//go:def.bzl\", \"go_library\")\n\ngo_library(\n    name = \"go_default_library\",\n    srcs = " + list(srcs) + ",\n    deps = " + list(deps) + ",\n)\n" + strings.Join(more, "")
}

const module = "# example.org/a v1.0.0\n## explicit\nexample.org/a/x\n"

func TestLists(t *testing.T) {
	glob := "\nfilegroup(\n    name = \"all\",\n    srcs = glob([\"**\"]),\n)\n"
	for _, c := range []struct {
		name               string
		format             depmerge.Format
		base, ours, theirs string
		want               string // a refusal if it begins with !
	}{
		{
			name: "sources and dependencies", format: depmerge.Build, base: build("a.go c.go", "//a:lib //c:lib"), ours: build("c.go d.go", "//a:lib //c:lib //d:lib"),
			theirs: build("a.go b.go c.go", ":own //a:lib //c:lib"), want: build("b.go c.go d.go", ":own //a:lib //c:lib //d:lib"),
		},
		{
			name: "one entry becomes two", format: depmerge.Build, base: build("a.go", "//a:lib"), ours: build("a.go", "//a:lib", glob), theirs: build("a.go b.go", "//a:lib"),
			want: build("a.go b.go", "//a:lib", glob),
		},
		{
			name: "the fix adds a rule", format: depmerge.Build, base: build("a.go", "//a:lib"), ours: build("a.go b.go", "//a:lib"), theirs: build("a.go", "//a:lib", glob),
			want: build("a.go b.go", "//a:lib", glob),
		},
		{
			name: "both change rules", format: depmerge.Build, base: build("a.go", "//a:lib"), ours: build("a.go", "//a:lib", "\nx()\n"), theirs: build("a.go", "//a:lib", glob),
			want: "!both sides changed rules, not only lists of sources and dependencies",
		},
		{
			name: "a list with a comment", format: depmerge.Build, base: "x(srcs = [\"a\", # why\n])\n", ours: "x(srcs = [\"a\", \"b\"])\n", theirs: "x(srcs = [\"c\", # why\n])\n",
			want: "!both sides changed rules, not only lists of sources and dependencies",
		},
		{name: "no end", format: depmerge.Build, base: "x(", ours: "x()\n", theirs: "y()\n", want: "!BUILD of the fix's parent: a bracket does not close"},
		{name: "a long string", format: depmerge.Build, base: "", ours: "x(\"\"\"a\"\"\")", theirs: "y()\n", want: "!BUILD of the target: a string over several lines is not understood"},
		{name: "a stray bracket", format: depmerge.Build, base: "", ours: "y()\n", theirs: "]", want: "!BUILD of the fix: a bracket closes that is not open"},
		{
			name: "packages of a module", format: depmerge.ModulesTxt, base: module, ours: module + "example.org/a/z\n# example.org/c v1.0.0\nexample.org/c\n", theirs: module + "example.org/a/y\n# example.org/b v1.0.0\nexample.org/b\n",
			want: module + "example.org/a/y\nexample.org/a/z\n# example.org/b v1.0.0\nexample.org/b\n# example.org/c v1.0.0\nexample.org/c\n",
		},
		{name: "two versions of a module", format: depmerge.ModulesTxt, base: module, ours: strings.Replace(module, "1.0.0", "1.1.0", 1), theirs: strings.Replace(module, "1.0.0", "1.2.0", 1), want: "!both sides changed example.org/a"},
		{name: "the fix moves a module", format: depmerge.ModulesTxt, base: module, ours: module + "example.org/a/z\n", theirs: strings.Replace(module, "1.0.0", "1.2.0", 1), want: strings.Replace(module, "1.0.0", "1.2.0", 1) + "example.org/a/z\n"},
		{name: "vendor.conf", format: depmerge.VendorConf, base: "# x\na/b 1\nc/d 2\n", ours: "# x\na/b 1\nc/d 3\n", theirs: "# x\na/b 9\n# why\nb/c 4\nc/d 2\n", want: "# x\na/b 9\n# why\nb/c 4\nc/d 3\n"},
		{name: "vendor.conf, the same line", format: depmerge.VendorConf, base: "a/b 1\n", ours: "a/b 2\n", theirs: "a/b 3\n", want: "!both sides changed a/b"},
		{name: "no vendor.conf", format: depmerge.VendorConf, base: "a/b 1\n", ours: "a/b\n", theirs: "a/b 3\n", want: `!vendor.conf of the target: "a/b" has no revision`},
		{name: "go.work.sum", format: depmerge.WorkSum, base: sum("e/b", "v1.0.0", "b"), ours: sum("e/b", "v1.0.0", "b") + sum("e/c", "v1.0.0", "c"), theirs: sum("e/a", "v1.0.0", "a"), want: sum("e/a", "v1.0.0", "a") + sum("e/c", "v1.0.0", "c")},
		{
			name: "go.work", format: depmerge.GoWork, base: "go 1.21\n\nuse (\n\t.\n\t./a\n)\n", ours: "go 1.21\n\nuse (\n\t.\n\t./a\n\t./b\n)\n", theirs: "go 1.22\n\nuse (\n\t.\n\t./c\n)\n\nreplace e/x => ./x\n",
			want: "go 1.22\n\nuse (\n\t.\n\t./b\n\t./c\n)\n\nreplace e/x => ./x\n",
		},
		{name: "go in both", format: depmerge.GoWork, base: "go 1.21\n", ours: "go 1.20\n", theirs: "go 1.22\n", want: `!the fix changes go, and the target has "1.20"`},
		{name: "no go.work", format: depmerge.GoWork, base: "x\n", ours: "go 1.20\n", theirs: "go 1.22\n", want: "!go.work of the fix's parent: go.work:1: unknown directive: x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t, depmerge.Merge(c.format, sides(c.base, c.ours, c.theirs), nil), c.want)
		})
	}
}

func TestOf(t *testing.T) {
	for file, want := range map[string]depmerge.Format{
		"go.mod": depmerge.GoMod, "a/go.sum": depmerge.GoSum, "go.work": depmerge.GoWork, "go.work.sum": depmerge.WorkSum, "Godeps/Godeps.json": depmerge.Godeps, "vendor.conf": depmerge.VendorConf,
		"vendor/modules.txt": depmerge.ModulesTxt, "docs/modules.txt": "", "pkg/BUILD": depmerge.Build, "BUILD.bazel": depmerge.Build, "build": "", "a/go.mod.orig": "", "x.go": "", "": "",
	} {
		if got := depmerge.Of(file); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}
