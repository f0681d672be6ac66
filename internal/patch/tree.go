package patch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on what two trees may make us do.
const (
	maxDepth   = 256       // directories within directories
	maxChanges = 1_000_000 // files that differ
)

// Entry is what stands at a path. The zero value means that nothing does.
type Entry struct {
	Mode git.Mode
	OID  git.OID
}

// Exists reports whether there is anything.
func (e Entry) Exists() bool { return e.Mode != 0 }

// Change is a path at which two trees differ: a file that was added (no Old), deleted (no New) or modified. A file that became a
// directory is a deletion, and an addition for each file below.
type Change struct {
	Path     string
	Old, New Entry
}

// Diff is how two trees differ. Files are files, symbolic links and submodules.
type Diff struct {
	// Changes are sorted by path, bytewise.
	Changes []Change
	// Removed and Added are the directories that only the old or only the new tree has, with all that lie below them.
	Removed, Added map[string]bool
}

// DiffTrees compares two trees, reading only directories that differ. The null OID stands for the empty tree.
func DiffTrees(ctx context.Context, objects git.Objects, a, b git.OID) (*Diff, error) {
	w := treeWalk{objects: objects, diff: &Diff{Removed: map[string]bool{}, Added: map[string]bool{}}}
	if err := w.compare(ctx, "", a, b); err != nil {
		return nil, fmt.Errorf("compare trees %s and %s: %w", a, b, err)
	}
	slices.SortFunc(w.diff.Changes, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	return w.diff, nil
}

// ReadTree reads a tree as git does: modes that only old or foreign programs write become the nearest of git's own. The entries must stand
// in git's order, each name once: a tree that breaks this has no meaning that two readers agree on, and is an error of kind invalid.
// The null OID and git's empty tree have no entries, whether or not they are stored.
func ReadTree(ctx context.Context, objects git.Objects, id git.OID) ([]git.TreeEntry, error) {
	if id.IsZero() || id == EmptyTree() {
		return nil, nil
	}
	entries, err := objects.Tree(ctx, id)
	if err != nil {
		return nil, err
	}
	odd := false
	for i, e := range entries {
		if i > 0 && compareEntries(entries[i-1], e) >= 0 {
			return nil, errs.New(errs.Invalid, "tree %s: entry %q is out of order", id, e.Name)
		}
		if e.Mode.IsTree() {
			file := git.TreeEntry{Name: e.Name, Mode: git.ModeFile}
			if _, twice := slices.BinarySearchFunc(entries[:i], file, compareEntries); twice {
				return nil, errs.New(errs.Invalid, "tree %s: entry %q stands there twice", id, e.Name)
			}
		}
		odd = odd || e.Mode != canonical(e.Mode)
	}
	if odd {
		entries = slices.Clone(entries)
		for i := range entries {
			entries[i].Mode = canonical(entries[i].Mode)
		}
	}
	return entries, nil
}

// canonical is the mode that git takes an entry's mode for.
func canonical(m git.Mode) git.Mode {
	switch {
	case m.IsTree():
		return git.ModeTree
	case m.IsRegular() && m&0o100 != 0:
		return git.ModeExecutable
	case m.IsRegular():
		return git.ModeFile
	case m&0o170000 == git.ModeSymlink:
		return git.ModeSymlink
	}
	return git.ModeSubmodule
}

// EmptyTree is the name of the tree without entries.
func EmptyTree() git.OID { return git.Hash(git.TypeTree, nil) }

// compareEntries is git's order of a tree's entries: a directory sorts as if its name ended in a slash.
func compareEntries(a, b git.TreeEntry) int {
	n := min(len(a.Name), len(b.Name))
	if c := strings.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c
	}
	return cmp.Compare(following(a, n), following(b, n))
}

func following(e git.TreeEntry, n int) byte {
	switch {
	case n < len(e.Name):
		return e.Name[n]
	case e.Mode.IsTree():
		return '/'
	}
	return 0
}

// treeWalk goes through two trees at once.
type treeWalk struct {
	objects git.Objects
	diff    *Diff
	depth   int
}

// compare compares the directory dir, whose path ends in a slash unless it is the root.
func (w *treeWalk) compare(ctx context.Context, dir string, a, b git.OID) error {
	if a == b {
		return nil
	}
	if w.depth++; w.depth > maxDepth {
		return errs.New(errs.Invalid, "more than %d directories within each other", maxDepth)
	}
	defer func() { w.depth-- }()
	x, err := ReadTree(ctx, w.objects, a)
	if err != nil {
		return err
	}
	y, err := ReadTree(ctx, w.objects, b)
	if err != nil {
		return err
	}
	for len(x) > 0 || len(y) > 0 {
		var old, replacement git.TreeEntry
		order := 0
		switch {
		case len(x) == 0:
			order = 1
		case len(y) == 0:
			order = -1
		default:
			order = compareEntries(x[0], y[0])
		}
		if order <= 0 {
			old, x = x[0], x[1:]
		}
		if order >= 0 {
			replacement, y = y[0], y[1:]
		}
		if err := w.entry(ctx, dir, old, replacement); err != nil {
			return err
		}
	}
	return nil
}

// entry compares two entries of one name; either may be missing. Git's order never brings a file and a directory together.
func (w *treeWalk) entry(ctx context.Context, dir string, old, replacement git.TreeEntry) error {
	if old == replacement {
		return nil
	}
	path := dir + cmp.Or(old.Name, replacement.Name)
	if old.Mode.IsTree() || replacement.Mode.IsTree() {
		if old.Mode == 0 {
			w.diff.Added[path] = true
		}
		if replacement.Mode == 0 {
			w.diff.Removed[path] = true
		}
		return w.compare(ctx, path+"/", old.OID, replacement.OID)
	}
	if len(w.diff.Changes) >= maxChanges {
		return errs.New(errs.Invalid, "more than %d files differ", maxChanges)
	}
	w.diff.Changes = append(w.diff.Changes, Change{Path: path, Old: Entry{old.Mode, old.OID}, New: Entry{replacement.Mode, replacement.OID}})
	return nil
}
