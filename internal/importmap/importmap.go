// Package importmap says under which paths one tree imports what another tree imports under other ones, and rewrites Go source accordingly.
//
// A package has an import path on the fix's side and one on the target's: a directory moved, a module got another path or major version, a
// dependency was renamed. [Learn] finds pairs in two versions of one file, by the name that the code calls the package. [Rewrite] changes import
// specs, as the parser finds them, and nothing else: never a string or comment that looks like one. [PackageName] and [PackageNames] say what a path tells
// of a package's name, for every room that has no more than the path.
//
// Promises: pure functions of their arguments, safe for concurrent use; inputs are never changed; what does not parse up to its imports is an error.
package importmap

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Import is one import of a file.
type Import struct {
	Name string // as written; empty if the package's own name serves
	Path string
}

func (i Import) String() string {
	if i.Name == "" {
		return strconv.Quote(i.Path)
	}
	return i.Name + " " + strconv.Quote(i.Path)
}

// Plain reports whether code calls the package by a name: it is not imported for its effect, into the file's own names, or from C.
func (i Import) Plain() bool { return i.Name != "_" && i.Name != "." && i.Path != "C" }

// MaxBytes bounds one source.
const MaxBytes = 4 << 20

func parse(source []byte) (*ast.File, error) {
	if len(source) > MaxBytes {
		return nil, fmt.Errorf("read imports: more than %d bytes", MaxBytes)
	}
	return parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
}

// Of lists the imports of a file in their order.
func Of(source []byte) ([]Import, error) {
	f, err := parse(source)
	if err != nil {
		return nil, err
	}
	out := make([]Import, 0, len(f.Imports))
	for _, spec := range f.Imports {
		out = append(out, read(spec))
	}
	return out, nil
}

func read(spec *ast.ImportSpec) Import {
	var i Import
	i.Path, _ = strconv.Unquote(spec.Path.Value) // the parser has checked it
	if spec.Name != nil {
		i.Name = spec.Name.Name
	}
	return i
}

// Package is the name in a file's package clause; empty if it does not parse.
func Package(source []byte) string {
	f, err := parse(source)
	if err != nil || f.Name == nil {
		return ""
	}
	return f.Name.Name
}

// RenamePackage gives a file another package clause.
func RenamePackage(source []byte, name string) ([]byte, error) {
	f, err := parse(source)
	if err != nil {
		return nil, err
	}
	if !token.IsIdentifier(name) {
		return nil, fmt.Errorf("rename package: %q is no name", name)
	}
	lo, hi := int(f.Name.Pos()-f.FileStart), int(f.Name.End()-f.FileStart)
	return slices.Concat(source[:lo], []byte(name), source[hi:]), nil
}

// Called is the name by which code most likely calls the package: the one that is written, or what the path tells.
func (i Import) Called() string {
	if i.Name != "" {
		return i.Name
	}
	return PackageName(i.Path)
}

// Learn pairs what only before imports with what only after imports under the same name, where before and after are two versions of one file. A
// name that two imports of one version have is left out.
func Learn(before, after []Import) map[string]string {
	gone, fresh := byName(before, after), byName(after, before)
	out := map[string]string{}
	for name, from := range gone {
		if to := fresh[name]; from != "" && to != "" {
			out[from] = to
		}
	}
	return out
}

// byName are the paths that only the first list has, by the name that they are called; "" for a name that several have.
func byName(list, other []Import) map[string]string {
	out := map[string]string{}
	for _, i := range list {
		if !i.Plain() || slices.ContainsFunc(other, func(o Import) bool { return o.Path == i.Path }) {
			continue
		}
		name := i.Called()
		if was, twice := out[name]; twice && was != i.Path {
			out[name] = ""
			continue
		}
		out[name] = i.Path
	}
	return out
}

// Rewrite writes every import of a file as change has it. Neighbouring lines of imports that were sorted by path are sorted afterwards. A path that
// cannot be imported is not written.
func Rewrite(source []byte, change func(Import) Import) ([]byte, error) {
	f, err := parse(source)
	if err != nil {
		return nil, err
	}
	var specs []edit
	changed := false
	for _, spec := range f.Imports {
		was := read(spec)
		now := change(was)
		e := edit{lo: int(spec.Pos() - f.FileStart), hi: int(spec.Path.End() - f.FileStart), was: was, now: was}
		if now != was && valid(now) {
			e.now, changed = now, true
		}
		specs = append(specs, e)
	}
	if !changed {
		return source, nil
	}
	return write(source, specs), nil
}

// valid reports whether an import can be written so that it is read back.
func valid(i Import) bool {
	if i.Name != "" && i.Name != "." && !token.IsIdentifier(i.Name) {
		return false
	}
	return i.Path != "" && !strings.ContainsFunc(i.Path, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("!\"#$%&'()*,:;<=>?[\\]^`{|}", r)
	})
}

// edit is an import spec, from its name to the end of its path, before and after.
type edit struct {
	lo, hi   int
	was, now Import
}

// write puts the specs in place, and the lines of each run in order.
func write(source []byte, specs []edit) []byte {
	var out []byte
	at := 0
	for len(specs) > 0 {
		run := runOf(source, specs)
		lo, hi := lineStart(source, run[0].lo), lineEnd(source, run[len(run)-1].hi)
		if len(run) == 1 {
			lo, hi = run[0].lo, run[0].hi
		}
		out = append(append(out, source[at:lo]...), rewritten(source, run)...)
		at, specs = hi, specs[len(run):]
	}
	return append(out, source[at:]...)
}

// runOf is the first spec with those that follow on lines of their own, one after the other.
func runOf(source []byte, specs []edit) []edit {
	n := 1
	for n < len(specs) && alone(source, specs[n-1]) && alone(source, specs[n]) && lineEnd(source, specs[n-1].hi)+1 == lineStart(source, specs[n].lo) {
		n++
	}
	return specs[:n]
}

// alone reports whether nothing but a comment stands on the lines of a spec beside it.
func alone(source []byte, e edit) bool {
	before := bytes.TrimSpace(source[lineStart(source, e.lo):e.lo])
	after := bytes.TrimSpace(source[e.hi:lineEnd(source, e.hi)])
	return len(before) == 0 && (len(after) == 0 || bytes.HasPrefix(after, []byte("//"))) && !bytes.Contains(source[e.lo:e.hi], []byte("\n"))
}

// rewritten is the text of a run.
func rewritten(source []byte, run []edit) []byte {
	if len(run) == 1 {
		return spell(source, run[0])
	}
	sorted := slices.IsSortedFunc(run, func(a, b edit) int { return strings.Compare(a.was.Path, b.was.Path) })
	lines := make([][]byte, len(run))
	for i, e := range run {
		start, end := lineStart(source, e.lo), lineEnd(source, e.hi)
		lines[i] = slices.Concat(source[start:e.lo], spell(source, e), source[e.hi:end])
	}
	if sorted {
		order := make([]int, len(run))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(run[a].now.Path, run[b].now.Path) })
		moved := make([][]byte, len(run))
		for i, from := range order {
			moved[i] = lines[from]
		}
		lines = moved
	}
	return bytes.Join(lines, []byte("\n"))
}

func spell(source []byte, e edit) []byte {
	if e.was == e.now {
		return source[e.lo:e.hi]
	}
	return []byte(e.now.String())
}

func lineStart(source []byte, at int) int { return bytes.LastIndexByte(source[:at], '\n') + 1 }

func lineEnd(source []byte, at int) int {
	if n := bytes.IndexByte(source[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(source)
}
