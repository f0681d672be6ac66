// Package replay judges picks of backports that people have made already: it compares the tree of a pick with the tree that was landed, and
// counts.
//
// Words: a pair is a commit of the main branch (the fix) and the commit that was landed for it on a release branch (the backport); the pick
// carries the fix onto the backport's parent. A result is landed when its tree is the landed one or means the same, differs when the tool called it
// done and it means something else, refused when a conflict or an error is left. Dependency metadata are go.mod, go.sum, modules.txt, Godeps.json,
// vendor.conf and BUILD files; each result is judged with them (all files) and without them (code).
//
// Two Go files mean the same when they are equal but for comments (directives count), blank space and the grouping of imports; two files of
// dependency metadata when they have the same lines in any order; other files when they are equal. A result that means the same only when the comma
// before a closing bracket and the line breaks around it do not count either is different, and counted apart as different in layout.
//
// Promises: the same objects give the same judgement; hostile content is compared as bytes when it is no Go. The package reads through [git.Objects] and
// does nothing else.
package replay

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// Class is what a result is worth.
type Class string

// The classes.
const (
	Landed  Class = "landed"
	Differs Class = "differs"
	Refused Class = "refused"
)

// Verdict is the judgement about one tree in one way of looking.
type Verdict struct {
	Class Class `json:"class"`
	// Layout says that a differing tree is the landed one but for line breaks and closing commas.
	Layout bool `json:"layout,omitempty"`
}

// Judgement is what a tool's result for a pair is worth.
type Judgement struct {
	Code Verdict `json:"code"` // without dependency metadata
	All  Verdict `json:"all"`
}

// Answer is what a tool said: its tree, and the files that it left to a person.
type Answer struct {
	Tree       git.OID // zero when there is none
	Conflicted []string
	Failed     bool // the tool said conflict or error, whatever Conflicted holds
}

// AnswerOf is the answer that a pick gives.
func AnswerOf(r backport.Result) Answer {
	a := Answer{Tree: r.Tree, Failed: r.Outcome == backport.Conflicted || r.Outcome == backport.Error}
	if r.Outcome == backport.Error {
		a.Tree = git.OID{}
	}
	for _, f := range r.Files {
		if len(f.Conflicts) > 0 {
			a.Conflicted = append(a.Conflicted, f.Path)
		}
	}
	return a
}

// Judge compares an answer with the landed tree.
func Judge(ctx context.Context, objects git.Objects, a Answer, landed git.OID) (Judgement, error) {
	refused := Verdict{Class: Refused}
	j := Judgement{Code: refused, All: refused}
	if a.Tree.IsZero() || a.Failed && !onlyMetadata(a.Conflicted) {
		return j, nil
	}
	code, all, err := compare(ctx, objects, a.Tree, landed)
	if err != nil {
		return j, fmt.Errorf("judge %s: %w", a.Tree.Short(), err)
	}
	j.Code = code.verdict()
	if !a.Failed {
		j.All = all.verdict()
	}
	return j, nil
}

// onlyMetadata reports whether conflicts are in dependency metadata alone, so that the code is complete.
func onlyMetadata(conflicted []string) bool {
	for _, p := range conflicted {
		if !IsMetadata(p) {
			return false
		}
	}
	return len(conflicted) > 0
}

// IsMetadata reports whether a path names dependency metadata.
func IsMetadata(p string) bool {
	switch path.Base(p) {
	case "go.mod", "go.sum", "modules.txt", "Godeps.json", "BUILD", "BUILD.bazel", "vendor.conf":
		return true
	}
	return false
}

// likeness is how near two versions are.
type likeness int

const (
	different likeness = iota
	sameButLayout
	same
)

func (l likeness) verdict() Verdict {
	if l == same {
		return Verdict{Class: Landed}
	}
	return Verdict{Class: Differs, Layout: l == sameButLayout}
}

// compare says how alike two trees are, without and with dependency metadata.
func compare(ctx context.Context, objects git.Objects, got, want git.OID) (code, all likeness, err error) {
	code, all = same, same
	diff, err := patch.DiffTrees(ctx, objects, got, want)
	if err != nil {
		return different, different, err
	}
	for _, c := range diff.Changes {
		if all == different && (code == different || IsMetadata(c.Path)) {
			continue // nothing can change any more
		}
		l, err := compareFile(ctx, objects, c)
		if err != nil {
			return different, different, err
		}
		all = min(all, l)
		if !IsMetadata(c.Path) {
			code = min(code, l)
		}
	}
	return code, all, nil
}

func compareFile(ctx context.Context, objects git.Objects, c patch.Change) (likeness, error) {
	if c.Old.Mode != c.New.Mode || !c.Old.Mode.IsRegular() || !strings.HasSuffix(c.Path, ".go") && !IsMetadata(c.Path) {
		return different, nil
	}
	got, err := objects.Blob(ctx, c.Old.OID)
	if err != nil {
		return different, err
	}
	want, err := objects.Blob(ctx, c.New.OID)
	if err != nil {
		return different, err
	}
	if IsMetadata(c.Path) {
		return compareLines(got, want), nil
	}
	return compareGo(got, want), nil
}
