package importmap

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// PackageName is the name that a package most likely has, as far as its import path tells: what the path ends in, without a module's major version, and
// without what marks a repository as one of Go. A last element v1 is a package (k8s.io/api/core/v1), for modules of the first two versions name none in
// their paths; v2 and later below a host are taken for a module's version.
func PackageName(imported string) string {
	name, _ := telling(imported)
	return identifier(bare(name))
}

// PackageNames are the names that a package may have by its path, the most likely first, each once.
func PackageNames(imported string) []string {
	name, other := telling(imported)
	out := []string{identifier(bare(name))}
	for _, element := range []string{name, other} {
		for _, n := range spellings(element) {
			if n = identifier(n); !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// Standard reports whether a path looks like one of Go's own library, whose names follow from their paths: its first element is no host.
func Standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// telling is the element of a path that tells the package's name, and the one that tells it if the first does not; empty if there is none.
func telling(imported string) (name, other string) {
	last, up := path.Base(imported), path.Dir(imported)
	switch {
	case !isVersion(last) || up == ".":
		return last, ""
	case Standard(imported) || last == "v0" || last == "v1":
		return last, path.Base(up)
	default:
		return path.Base(up), last
	}
}

func isVersion(element string) bool {
	digits, ok := strings.CutPrefix(element, "v")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// bare is an element of a path without gopkg.in's version and without marks of the language.
func bare(element string) string {
	element = unversioned(element)
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(element, "go-"), "-go"), ".go")
}

func unversioned(element string) string {
	if at := strings.LastIndex(element, ".v"); at > 0 && isVersion(element[at+1:]) {
		return element[:at]
	}
	return element
}

// spellings are what authors make of an element of a path.
func spellings(element string) []string {
	if element == "" {
		return nil
	}
	element = unversioned(element)
	out := []string{element, strings.ReplaceAll(element, "-", "")}
	for _, affix := range []string{"go-", "go."} {
		out = append(out, strings.TrimPrefix(element, affix))
	}
	for _, affix := range []string{"-go", ".go", "go"} {
		out = append(out, strings.TrimSuffix(element, affix))
	}
	if i := strings.LastIndexAny(element, "-."); i >= 0 {
		out = append(out, element[i+1:])
	}
	return out
}

// identifier is a text as Go could have it for a name.
func identifier(text string) string {
	if text == "" {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, text)
}
