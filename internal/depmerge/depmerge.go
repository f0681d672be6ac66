// Package depmerge merges three versions of a dependency file by what its entries mean.
//
// Base is the common ancestor, ours and theirs are what two sides made of it, as in package merge; here theirs is a fix that is carried to the
// target, ours. An entry is what the format keeps one of: the requirement of a module in go.mod, the hashes of a module in go.sum, a package in
// Godeps.json. Each entry that the fix changed is carried by itself, whatever stands beside it:
//
//   - the target has the entry as it was before the fix: it becomes as the fix has it;
//   - the target has it at a version at least as new: it stays, and a note says so;
//   - the fix replaces a recorded version by something that names none (a directory beside the repository, a placeholder): that holds for
//     any version that the target recorded;
//   - both have a module beside their own at a commit, not a release: such commits are of one branch, so the target's stays, for review;
//   - otherwise it is refused.
//
// The lists of BUILD files, the modules of go.work and the packages of vendor/modules.txt are sets, merged by what each side put in and took out; an entry of
// vendor.conf or go.work.sum is its line.
//
// A new version may need others. What it needs is known where the target has the modules that the fix's parent has, siblings apart (modules
// whose path differs from the file's own in its last element); elsewhere such changes are refused too.
//
// Promises: pure functions of their arguments, safe for concurrent use; with one side equal to base the other side comes out, byte for byte;
// a result parses; the same input gives the same output; sizes are bounded; no input makes it panic.
//
// It does not ask what modules exist, what they require in turn or what code imports: go mod tidy and go build do. See
// https://go.dev/ref/mod#go-mod-file and https://go.dev/ref/mod#go-sum-files.
package depmerge

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Format is a kind of dependency file.
type Format string

// The formats.
const (
	GoMod      Format = "go.mod"
	GoSum      Format = "go.sum"
	GoWork     Format = "go.work"
	WorkSum    Format = "go.work.sum"
	Godeps     Format = "Godeps.json"
	ModulesTxt Format = "modules.txt" // in a directory vendor
	VendorConf Format = "vendor.conf"
	Build      Format = "BUILD" // Bazel's, also as BUILD.bazel
)

// Of returns the format of the file at a path, "" if it is none that is known.
func Of(file string) Format {
	switch base := path.Base(file); base {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "Godeps.json", "vendor.conf", "BUILD":
		return Format(base)
	case "BUILD.bazel":
		return Build
	case "modules.txt":
		if path.Base(path.Dir(file)) == "vendor" {
			return ModulesTxt
		}
	}
	return ""
}

// MaxBytes bounds one version of a file. The go.sum of Kubernetes has 100 kB, its Godeps.json 150 kB.
const MaxBytes = 4 << 20

// Sides are three versions of a file. They are not changed.
type Sides struct{ Base, Ours, Theirs []byte }

// Result is a merged file, or why there is none.
type Result struct {
	// Text is the merged file. It is nil if there are refusals.
	Text []byte
	// Review says that an entry was decided in a way that another one could be argued for: the notes say which.
	Review bool
	// Notes are what was done other than taking over the fix's entries.
	Notes []string
	// Refusals are the entries that nobody can decide without knowing more.
	Refusals []string
}

// maxNotes bounds notes and refusals: a person reads them.
const maxNotes = 10

func (r *Result) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); len(r.Notes) < maxNotes && !slices.Contains(r.Notes, n) {
		r.Notes = append(r.Notes, n)
	}
}

// doubt is a note about something that a person has to look at.
func (r *Result) doubt(format string, args ...any) {
	r.Review = true
	r.note(format, args...)
}

func (r *Result) refuse(format string, args ...any) {
	if len(r.Refusals) < maxNotes {
		r.Refusals = append(r.Refusals, fmt.Sprintf(format, args...))
	}
}

// refused is a result with one refusal.
func refused(format string, args ...any) Result {
	return Result{Refusals: []string{fmt.Sprintf(format, args...)}}
}

// Merge merges a file of the format. The go.mod files that stand beside it in the three versions, and what they were merged to, are
// needed for a go.sum and ignored otherwise; modules is nil if they are not known.
func Merge(format Format, s Sides, modules *Modules) Result {
	if text, ok := s.plain(); ok {
		return Result{Text: text}
	}
	if max(len(s.Base), len(s.Ours), len(s.Theirs)) > MaxBytes {
		return refused("it has more than %d bytes", MaxBytes)
	}
	switch format {
	case GoMod:
		return mergeGoMod(s)
	case GoSum:
		return mergeGoSum(s, modules)
	case Godeps:
		return mergeGodeps(s)
	case GoWork:
		return mergeGoWork(s)
	case WorkSum:
		return mergeWorkSum(s)
	case ModulesTxt:
		return mergeModulesTxt(s)
	case VendorConf:
		return mergeVendorConf(s)
	case Build:
		return mergeBuild(s)
	}
	return refused("format %q is not known", format)
}

// plain is the result where at most one side changed anything.
func (s Sides) plain() ([]byte, bool) {
	switch {
	case bytes.Equal(s.Base, s.Ours), bytes.Equal(s.Ours, s.Theirs):
		return s.Theirs, true
	case bytes.Equal(s.Base, s.Theirs):
		return s.Ours, true
	}
	return nil, false
}

// finish drops the text of a refused merge.
func (r *Result) finish(text []byte) Result {
	if len(r.Refusals) == 0 {
		r.Text = text
	}
	return *r
}

func lines(text []byte) []string {
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
