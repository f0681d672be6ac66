package gotypes

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/importmap"
)

// fold makes names comparable that are written in several ways.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
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
		case qualifiers[importmap.PackageName(i.path)]:
			out[importmap.PackageName(i.path)] = i
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
	if !importmap.Standard(i.path) {
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
	return importmap.PackageName(i.path)
}
