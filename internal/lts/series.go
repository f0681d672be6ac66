package lts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// maxPatches bounds a series.
const maxPatches = 10_000

// Series is the order of a line's patches, in quilt's format: a file name a line, # before a comment. Comments are kept.
type Series struct {
	Entries []SeriesEntry
	text    string
}

// SeriesEntry is one patch of a series.
type SeriesEntry struct {
	Name string // of the file in the line's patches directory
	Line int    // where it stands in the series file, from 1; 0 for one that was appended
}

var patchNameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,120}\.patch$`)

// ParseSeries reads a series file. The name is for messages.
func ParseSeries(name string, content []byte) (*Series, error) {
	if len(content) > MaxFile {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, MaxFile)
	}
	s := &Series{text: string(content)}
	seen := map[string]int{}
	number := 0
	for line := range strings.Lines(s.text) {
		number++
		entry, _, _ := strings.Cut(line, "#")
		entry = strings.TrimSpace(entry)
		switch {
		case entry == "":
			continue
		case !patchNameForm.MatchString(entry):
			return nil, errs.WithHint(errs.New(errs.Invalid, "%s:%d: %q is no name of a patch", name, number, entry), "write one file name a line, such as 0001-fix.patch")
		case seen[entry] > 0:
			return nil, errs.New(errs.Invalid, "%s:%d: %s stands in line %d too", name, number, entry, seen[entry])
		case len(s.Entries) == maxPatches:
			return nil, errs.New(errs.Invalid, "%s:%d: more than %d patches", name, number, maxPatches)
		}
		seen[entry] = number
		s.Entries = append(s.Entries, SeriesEntry{Name: entry, Line: number})
	}
	return s, nil
}

// Append puts a patch at the end.
func (s *Series) Append(name string) {
	if s.text != "" && !strings.HasSuffix(s.text, "\n") {
		s.text += "\n"
	}
	s.text += name + "\n"
	s.Entries = append(s.Entries, SeriesEntry{Name: name})
}

// Format writes the series as ParseSeries reads it.
func (s *Series) Format() []byte { return []byte(s.text) }

// Changes names what a series does to its base, and all that a verification of it rests on: a digest of the base's commit, of what line.yaml says
// of toolchain, build, known failures and absent files, and of the patches' diffs, in order. Messages and trailers do not count.
func Changes(line *Line, patches []*Patch) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d\n%q %q\n", line.Base.Commit, len(patches), line.Toolchain, line.Absent)
	fmt.Fprintf(h, "%q %q %q %q %q\n", line.Build.Mode, line.Build.ImportPath, line.Build.Flags, line.Build.Tags, line.Build.Env)
	for _, f := range line.KnownFailures {
		fmt.Fprintf(h, "%q %q\n", f.Package, f.Test)
	}
	for _, p := range patches {
		fmt.Fprintf(h, "%d\n", len(p.Diff))
		h.Write(p.Diff)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
