package gotypes

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var version = regexp.MustCompile(`^v[0-9]+$`)

// guess is the name that a package of this path most likely has.
func guess(imported string) string {
	name := path.Base(imported)
	if version.MatchString(name) && path.Dir(imported) != "." && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		if parent := path.Base(path.Dir(imported)); isMajor(imported) {
			name = parent
		}
	}
	if base, v, ok := strings.Cut(name, ".v"); ok && version.MatchString("v"+v) {
		name = base
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "go-"), "-go")
	name = strings.TrimSuffix(name, ".go")
	return strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, name)
}

// isMajor reports whether the last element of a path is a major version rather than a package's name: k8s.io/klog/v2 is, k8s.io/api/core/v1 is
// not, for modules of the first two versions have none.
func isMajor(imported string) bool {
	last := path.Base(imported)
	return version.MatchString(last) && last != "v0" && last != "v1"
}

// fold makes names comparable that are written in several ways.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// standard reports whether a path is one of Go's own library, whose names follow from their paths.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// bind says for each import of a file by which name the file uses it. qualifiers are names before a dot that may be packages; known gives a package's
// own name, if it can be told.
func (s *source) bind(qualifiers map[string]bool, known func(path string) string) map[string]imported {
	out := map[string]imported{}
	var open []imported
	for _, i := range s.imports() {
		switch {
		case i.name == "_" || i.name == ".":
		case i.name != "":
			out[i.name] = i
		case qualifiers[guess(i.path)]:
			out[guess(i.path)] = i
		default:
			open = append(open, i)
		}
	}
	open = slices.DeleteFunc(open, func(imported) bool { return !unmatched(qualifiers, out) })
	for _, i := range open {
		out[s.nameOf(i, qualifiers, out, known)] = i
	}
	return out
}

// unmatched reports whether there is a qualifier that no import is known by.
func unmatched(qualifiers map[string]bool, names map[string]imported) bool {
	for q := range qualifiers {
		if _, ok := names[q]; !ok {
			return true
		}
	}
	return false
}

// nameOf finds the name of a package whose path does not tell it.
func (s *source) nameOf(i imported, qualifiers map[string]bool, taken map[string]imported, known func(path string) string) string {
	if name := known(i.path); name != "" {
		return name
	}
	if !standard(i.path) {
		best := ""
		for q := range qualifiers {
			if _, ok := taken[q]; !ok && len(q) > 1 && strings.Contains(fold(i.path), fold(q)) && (len(q) > len(best) || len(q) == len(best) && q < best) {
				best = q
			}
		}
		if best != "" {
			return best
		}
	}
	return guess(i.path)
}
