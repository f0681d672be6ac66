package verify

import (
	"bufio"
	"cmp"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// section is what the go program said of one package, or with an empty import path of none.
type section struct {
	importPath string
	lines      []string
}

// The bounds of what is kept of a compiler's output.
const (
	maxLine     = 1 << 20
	maxSections = 10_000
	maxLines    = 1_000
)

// readSections reads the output of go build or go vet. What is said of a package and of its tests is one section; the first is of no package.
func readSections(r io.Reader) ([]section, error) {
	sections, at := []section{{}}, 0
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \r")
		if header, ok := strings.CutPrefix(line, "# "); ok {
			if name := headerPath(header); name != "" && len(sections) < maxSections {
				at = slices.IndexFunc(sections, func(s section) bool { return s.importPath == name })
				if at < 0 {
					at = len(sections)
					sections = append(sections, section{importPath: name})
				}
				continue
			}
		}
		last := &sections[at]
		if line != "" && len(last.lines) < maxLines {
			last.lines = append(last.lines, line)
		}
	}
	return sections, lines.Err()
}

// headerPath takes the import path out of a header: "p", "p [p.test]", "p_test [p.test]" or "[p]", which vet adds.
func headerPath(header string) string {
	name, test, ok := strings.Cut(header, " [")
	if ok {
		return strings.TrimSuffix(strings.TrimSuffix(test, "]"), ".test")
	}
	return strings.TrimSuffix(strings.Trim(name, "[]"), ".test")
}

var position = regexp.MustCompile(`^((?:vet: )?([^\s:]+\.\w+)):\d+(?::\d+)?: `)

// attribute gives messages to the package whose directory they name, whatever header they stand under: from Go 1.26 on vet writes headers only
// where the compiler has something to say. What begins with a tab belongs to the message before.
func (s *side) attribute(dir string, sections []section) []section {
	sorted := []section{{}}
	add := func(importPath, line string) {
		at := slices.IndexFunc(sorted, func(have section) bool { return have.importPath == importPath })
		if at < 0 {
			at = len(sorted)
			sorted = append(sorted, section{importPath: importPath})
		}
		sorted[at].lines = append(sorted[at].lines, line)
	}
	for _, sec := range sections {
		last := sec.importPath
		for _, line := range sec.lines {
			if !strings.HasPrefix(line, "\t") {
				last = sec.importPath
				if m := position.FindStringSubmatch(line); m != nil {
					last = cmp.Or(s.owner(dir, m[2]), last)
				}
			}
			add(last, line)
		}
	}
	return sorted
}

// owner is the import path of the package in a file's directory, "" when there is none.
func (s *side) owner(dir, file string) string {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	real, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(s.root, real)
	if err != nil || s.packages[filepath.ToSlash(rel)] == nil {
		return ""
	}
	return s.packages[filepath.ToSlash(rel)].importPath
}

// withoutPosition takes line and column out of a message, for they move with every patch.
func withoutPosition(line string) string { return position.ReplaceAllString(line, "$1: ") }
