// Package presence says whether the lines of a change stand in a version of a file: those that it brought, those that it took away, or neither.
//
// A [Hunk] is a run of lines that a change replaced, with what stands around it, within one declaration of Go source or, in other files,
// within the file. [Find] looks for it in another version: [After] when what came is there and what went is not, [Before] for the opposite, [Drifted] when the
// declaration is there and neither is, [Absent] when there is no such declaration. Line numbers, white space, comments and imports do not matter.
//
// Declarations are told apart by the lines with which they begin, as gofmt writes them, so that source of any version of the language, and
// source that does not compile, can be read. The package does no I/O and keeps nothing.
package presence

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/patch"
)

// State is how a version of a file stands to a hunk.
type State string

// The states.
const (
	After   State = "after"   // as the change left it
	Before  State = "before"  // as the change found it
	Drifted State = "drifted" // the declaration is there, and has the lines of neither
	Absent  State = "absent"  // there is no such declaration
)

const (
	maxContext  = 3       // lines around a hunk that count
	distinctive = 12      // bytes from which a plain line says something by itself
	telling     = 20      // bytes from which a block of lines is looked for without what stands around it
	maxLines    = 200_000 // of one file

	// MaxHunks is how many hunks of one change are read.
	MaxHunks = 400
)

// Hunk is a run of lines that a change replaced. Lines are plain ones: see [equiv.PlainLine].
type Hunk struct {
	Path          string
	Decl          string // "func Name", "func (T) Name", "type Name", ...; empty for what is no Go source
	Gone, Come    []string
	Before, After []string // what stands around it in the same declaration; the nearest is the last of Before and the first of After
	New           bool     // the change brought the declaration
	Raw           []string // distinctive lines as the change found them, around it and gone, for a search by text
	Words         []string // names put together of several words that the lines which went use; where none went, those around
}

// Weight is how many bytes of distinctive lines the hunk brings.
func (h *Hunk) Weight() int {
	n := 0
	for _, l := range h.Come {
		if len(l) >= distinctive {
			n += len(l)
		}
	}
	return n
}

// Hunks reads from a diff what it changed in source files, tests and what programs write left out. read returns the contents of a file before and after
// the change; nil where there is none.
func Hunks(diff []byte, read func(path string) (before, after []byte, err error)) ([]Hunk, error) {
	var all []Hunk
	for _, s := range patch.Sections(diff) {
		if !s.Content || !equiv.IsSource(s.Path) {
			continue
		}
		before, after, err := read(s.Path)
		if err != nil {
			return nil, err
		}
		r := hunkReader{path: s.Path, old: spans(s.Path, string(before)), new: spans(s.Path, string(after))}
		for line := range strings.Lines(string(s.Text)) {
			r.line(line)
		}
		r.end()
		if all = append(all, r.hunks...); len(all) >= MaxHunks {
			return all[:MaxHunks], nil
		}
	}
	return all, nil
}

// hunkReader takes in the lines of one file's part of a diff.
type hunkReader struct {
	path             string
	old, new         []span
	inside           bool
	oldLine, newLine int // of the next line, from 1
	lines            []diffLine
	hunks            []Hunk
}

type diffLine struct {
	sign             byte
	raw              string
	oldLine, newLine int
}

func (r *hunkReader) line(line string) {
	if strings.HasPrefix(line, "@@ -") {
		r.end()
		r.inside = true
		r.oldLine, r.newLine = hunkStart(line)
		return
	}
	if !r.inside || line == "" {
		return
	}
	sign := line[0]
	if sign != ' ' && sign != '-' && sign != '+' {
		return
	}
	r.lines = append(r.lines, diffLine{sign, strings.TrimRight(line[1:], "\r\n"), r.oldLine, r.newLine})
	if sign != '+' {
		r.oldLine++
	}
	if sign != '-' {
		r.newLine++
	}
}

// hunkStart reads the two line numbers of "@@ -1,7 +1,6 @@".
func hunkStart(line string) (before, after int) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return 0, 0
	}
	number := func(field string) int {
		text, _, _ := strings.Cut(field[1:], ",")
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0
		}
		return n
	}
	return number(fields[1]), number(fields[2])
}

// end cuts the lines that were read into hunks: runs of changed lines, and a new one where a declaration begins.
func (r *hunkReader) end() {
	lines := r.lines
	r.lines = nil
	for i := 0; i < len(lines); {
		if lines[i].sign == ' ' {
			i++
			continue
		}
		k := i
		for k < len(lines) && lines[k].sign != ' ' {
			k++
		}
		r.run(lines, i, k)
		i = k
	}
}

// run makes hunks of the changed lines from i to k, one for each declaration.
func (r *hunkReader) run(lines []diffLine, i, k int) {
	var order []string
	byDecl := map[string]*Hunk{}
	for _, l := range lines[i:k] {
		decl := r.declOf(l)
		h := byDecl[decl]
		if h == nil {
			h = &Hunk{Path: r.path, Decl: decl, New: !has(r.old, decl)}
			byDecl[decl] = h
			order = append(order, decl)
		}
		text := equiv.PlainLine(l.raw, r.path)
		switch {
		case text == "":
		case l.sign == '-':
			h.Gone = append(h.Gone, text)
			h.addRaw(l.raw, text)
			h.addWords(l.raw)
		default:
			h.Come = append(h.Come, text)
		}
	}
	for _, decl := range order {
		h := byDecl[decl]
		if slices.Equal(h.Gone, h.Come) || len(h.Gone)+len(h.Come) == 0 {
			continue
		}
		r.surround(h, lines[:i], lines[k:])
		if len(h.Gone) == 0 {
			for _, raw := range h.Raw {
				h.addWords(raw)
			}
		}
		r.hunks = append(r.hunks, *h)
	}
}

// surround adds what stands before and after a run of changed lines, in the same declaration.
func (r *hunkReader) surround(h *Hunk, before, after []diffLine) {
	for _, l := range slices.Backward(before) {
		if l.sign == '+' || r.declOf(l) != h.Decl || len(h.Before) == maxContext {
			break
		}
		h.Before = h.around(h.Before, l)
	}
	slices.Reverse(h.Before)
	for _, l := range after {
		if l.sign != ' ' || r.declOf(l) != h.Decl || len(h.After) == maxContext {
			break
		}
		h.After = h.around(h.After, l)
	}
}

func (h *Hunk) around(to []string, l diffLine) []string {
	text := equiv.PlainLine(l.raw, h.Path)
	if text == "" {
		return to
	}
	h.addRaw(l.raw, text)
	return append(to, text)
}

func (h *Hunk) addRaw(raw, plain string) {
	if len(plain) >= telling {
		h.Raw = append(h.Raw, strings.TrimSpace(raw))
	}
}

// declOf is the declaration in which a line stands: of what came, in the new version.
func (r *hunkReader) declOf(l diffLine) string {
	if l.sign == '+' {
		return at(r.new, l.newLine)
	}
	return at(r.old, l.oldLine)
}

// Find looks for a hunk in a version of its file.
func (h *Hunk) Find(name string, content []byte) State {
	if content == nil {
		return Absent
	}
	return h.FindIn(Read(name, content))
}

// FindIn looks for a hunk in a version of its file that was read.
func (h *Hunk) FindIn(f *File) State {
	if f.Has(h.Decl) {
		return h.in(f.scope(h.Decl))
	}
	// A function that became a method, or went over to another type, is the same one where it has the lines.
	for _, other := range f.namesakes(h.Decl) {
		if state := h.plainlyIn(f.scope(other)); state != Drifted {
			return state
		}
	}
	return Absent
}

// plainlyIn is [Hunk.in] for a declaration that may be another one: only telling lines count.
func (h *Hunk) plainlyIn(scope []string) State {
	tells := func(lines []string) bool { return weigh(lines) >= 2*telling && contains(scope, lines) }
	after, before := tells(h.Come), tells(h.Gone)
	if len(h.Gone) == 0 && !after {
		before = tells(slices.Concat(last(h.Before, 1), first(h.After, 2)))
	}
	switch {
	case after && !before:
		return After
	case before && !after:
		return Before
	}
	return Drifted
}

// in says how the lines of a declaration stand to the hunk.
func (h *Hunk) in(scope []string) State {
	after, before := h.hasAfter(scope), h.hasBefore(scope)
	switch {
	case after && !before:
		return After
	case before && !after:
		return Before
	}
	return Drifted
}

// hasAfter reports whether what the change left stands in a scope. What only went is gone when its neighbours are next to each other.
func (h *Hunk) hasAfter(scope []string) bool {
	if len(h.Come) == 0 {
		return !inOrder(scope, h.Gone) && h.touching(scope)
	}
	return h.stands(scope, h.Come)
}

// hasBefore is the same of what the change found.
func (h *Hunk) hasBefore(scope []string) bool {
	if len(h.Gone) == 0 {
		return !inOrder(scope, h.Come) && h.touching(scope)
	}
	return h.stands(scope, h.Gone)
}

// stands reports whether lines stand in a scope as a block: alone when they tell enough and when the other side does not hold them, too; else with their neighbours.
func (h *Hunk) stands(scope, lines []string) bool {
	if weigh(lines) >= telling && (contains(h.Come, lines) != contains(h.Gone, lines)) && contains(scope, lines) {
		return true
	}
	return contains(scope, slices.Concat(last(h.Before, 1), lines, first(h.After, 1))) && len(h.Before)+len(h.After) > 0
}

// touching reports whether the neighbours of what came or went stand next to each other.
func (h *Hunk) touching(scope []string) bool {
	near := slices.Concat(last(h.Before, 2), first(h.After, 2))
	return len(h.Before) > 0 && len(h.After) > 0 && weigh(near) >= telling && contains(scope, near)
}

func first(lines []string, n int) []string { return lines[:min(n, len(lines))] }

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func weigh(lines []string) int {
	n := 0
	for _, l := range lines {
		if len(l) >= distinctive {
			n += len(l)
		}
	}
	return n
}

// contains reports whether a block of lines stands in others without a break.
func contains(lines, block []string) bool {
	if len(block) == 0 {
		return false
	}
	for i := 0; i+len(block) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(block)], block) {
			return true
		}
	}
	return false
}

// inOrder reports whether all distinctive lines stand among others in their order, whatever stands between them.
func inOrder(lines, block []string) bool {
	next := 0
	for _, want := range block {
		if len(want) < distinctive {
			continue
		}
		found := slices.Index(lines[next:], want)
		if found < 0 {
			return false
		}
		next += found + 1
	}
	return next > 0
}

// Has reports whether a version of a file has a declaration.
func Has(name string, content []byte, decl string) bool {
	if content == nil {
		return false
	}
	return decl == "" || has(spans(name, string(content)), decl)
}

// isGo reports whether a file is Go source.
func isGo(name string) bool { return path.Ext(name) == ".go" }
