package gotypes

import (
	"bytes"
	"go/build/constraint"
	"path"
	"slices"
	"strings"
)

// condition is when a file is built: what its name says, and the lines before its package clause.
type condition struct {
	system, arch string // of the name; empty for any
	exprs        []constraint.Expr
}

// conditionOf reads the condition of a file. Lines that do not parse say nothing.
func conditionOf(name string, content []byte) condition {
	var c condition
	words := strings.Split(strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test"), "_")
	words = words[1:]
	if n := len(words); n > 0 && slices.Contains(architectures(), words[n-1]) {
		c.arch, words = words[n-1], words[:n-1]
	}
	if n := len(words); n > 0 && slices.Contains(systems(), words[n-1]) {
		c.system = words[n-1]
	}
	var newer, older []constraint.Expr
	for line := range bytes.Lines(content) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "package ") {
			break
		}
		if !strings.HasPrefix(text, "//") {
			continue
		}
		switch x, err := constraint.Parse(text); {
		case err != nil:
		case constraint.IsGoBuild(text):
			newer = append(newer, x)
		default:
			older = append(older, x)
		}
	}
	if c.exprs = newer; len(newer) == 0 {
		c.exprs = older
	}
	return c
}

// setting is what a build is for.
type setting struct {
	system, arch string
	tags         []string // beside those that every build has
}

// holds reports whether files of this condition are built.
func (s setting) holds(c condition) bool {
	if c.system != "" && !s.is(c.system) || c.arch != "" && c.arch != s.arch {
		return false
	}
	for _, x := range c.exprs {
		if !x.Eval(s.is) {
			return false
		}
	}
	return true
}

func (s setting) is(tag string) bool {
	switch tag {
	case s.system, s.arch, "gc", "cgo":
		return true
	case "unix":
		return !slices.Contains([]string{"windows", "plan9", "js", "wasip1"}, s.system)
	}
	return strings.HasPrefix(tag, "go1.") || slices.Contains(s.tags, tag)
}

// settingFor is the most usual build that has a file; false if there is none.
func settingFor(c condition) (setting, bool) {
	var tags []string
	for _, x := range c.exprs {
		tags = append(tags, mentioned(x)...)
	}
	slices.Sort(tags)
	for _, with := range [][]string{nil, slices.Compact(tags)} {
		for _, system := range systems() {
			for _, arch := range architectures() {
				if s := (setting{system, arch, with}); s.holds(c) {
					return s, true
				}
			}
			if c.arch == "" && len(c.exprs) == 0 && c.system == "" {
				break
			}
		}
	}
	return setting{}, false
}

// mentioned are the tags of an expression that are no systems and architectures.
func mentioned(x constraint.Expr) []string {
	switch x := x.(type) {
	case *constraint.AndExpr:
		return append(mentioned(x.X), mentioned(x.Y)...)
	case *constraint.OrExpr:
		return append(mentioned(x.X), mentioned(x.Y)...)
	case *constraint.NotExpr:
		return mentioned(x.X)
	case *constraint.TagExpr:
		if !slices.Contains(systems(), x.Tag) && !slices.Contains(architectures(), x.Tag) {
			return []string{x.Tag}
		}
	}
	return nil
}

// systems are those that the go command knows by their names, the most usual first.
func systems() []string {
	return []string{
		"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly", "solaris", "illumos", "aix", "android", "ios", "plan9", "js", "wasip1",
	}
}

func architectures() []string {
	return []string{"amd64", "arm64", "386", "arm", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "wasm"}
}
