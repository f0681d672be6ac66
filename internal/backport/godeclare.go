package backport

import (
	"bytes"
	"go/ast"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/gomerge"
)

// declarers are the files that declare a name, by what they are built for: "" for those that are always built.
type declarers map[string]int

// builtFor is what a file's name and its lines before the package clause say of when it is built; empty where it always is.
func builtFor(name string, content []byte) string {
	var parts []string
	words := strings.Split(strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test"), "_")
	for _, w := range words[1:] {
		if slices.Contains(platforms(), w) {
			parts = append(parts, w)
		}
	}
	for line := range bytes.Lines(content) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "package ") {
			break
		}
		if strings.HasPrefix(text, "//go:build ") || strings.HasPrefix(text, "// +build ") || strings.HasPrefix(text, "//+build ") {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// platforms are the words of file names that the go command takes for systems and architectures.
func platforms() []string {
	return []string{
		"aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows",
		"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
	}
}

// declares says whether a file that is built for something can count on a name: it is always there, there under the same condition, or under
// several, which may be all that there are.
func (d declarers) declares(built string) bool { return d[""] > 0 || d[built] > 0 || len(d) > 1 }

// clashes says whether a name is declared twice for a file that declares it and is built for something.
func (d declarers) clashes(built string) bool {
	return d[built] > 1 || built != "" && d[""] > 0 || built == "" && len(d) > 1
}

// declarations refuses what the rest of the package declares as well, and new uses of what it does not declare.
func (v *goVoucher) declarations(it *item, files [2]*ast.File, uses []string, pkg *goPackage, built string) {
	var before []string
	if files[0] != nil {
		before = gomerge.Declared(files[0])
	}
	for _, name := range gomerge.Declared(files[1]) {
		if name != "_" && name != "init" && !slices.Contains(before, name) && pkg.by[name].clashes(built) {
			v.refused[it.path] = append(v.refused[it.path], refusal{Reason(gomerge.ReasonDuplicate), "another file of the target's package declares " + name})
		}
	}
	for _, name := range uses {
		switch {
		case !pkg.declared[name]:
			v.refuse(it.path, "nothing in the target's package declares %s", name)
		case !pkg.by[name].declares(built):
			v.refuse(it.path, "the target's package declares %s only in a file that is not always built with this one", name)
		}
	}
}
