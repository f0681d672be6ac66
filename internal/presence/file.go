package presence

import (
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
)

// File is a version of a file, read once to look for many hunks. It must not be used by several goroutines at once.
type File struct {
	name   string
	lines  []string
	spans  []span
	scopes map[string][]string // plain lines by declaration, of those that were asked for
}

// Read reads a version of a file.
func Read(name string, content []byte) *File {
	text := string(content)
	f := &File{name: name, spans: spans(name, text), scopes: map[string][]string{}}
	for line := range strings.Lines(text) {
		if len(f.lines) == maxLines {
			break
		}
		f.lines = append(f.lines, line)
	}
	return f
}

// Has reports whether the file has a declaration.
func (f *File) Has(decl string) bool { return decl == "" || has(f.spans, decl) }

// scope are the plain lines of a declaration; of none, those that stand in no declaration.
func (f *File) scope(decl string) []string {
	found, known := f.scopes[decl]
	if known {
		return found
	}
	from, in := 1, ""
	take := func(to int) {
		if in != decl {
			return
		}
		for _, line := range f.lines[from-1 : to-1] {
			if text := equiv.PlainLine(line, f.name); text != "" {
				found = append(found, text)
			}
		}
	}
	for _, s := range f.spans {
		take(s.from)
		from, in = s.from, s.decl
	}
	take(len(f.lines) + 1)
	f.scopes[decl] = found
	return found
}
