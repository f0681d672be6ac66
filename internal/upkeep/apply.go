package upkeep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// maxPatchedFiles bounds one patch.
const maxPatchedFiles = 20_000

// applyDiff applies a diff strictly: every line of context must stand exactly where the diff says. It returns the new tree and the
// paths that were touched, old names of renamed files included.
func applyDiff(ctx context.Context, store git.Store, tree git.OID, diff []byte) (git.OID, []string, error) {
	files, _, err := gitdiff.Parse(bytes.NewReader(diff))
	if err != nil {
		return git.OID{}, nil, errs.New(errs.Invalid, "read patch: %w", err)
	}
	if len(files) == 0 || len(files) > maxPatchedFiles {
		return git.OID{}, nil, errs.New(errs.Invalid, "read patch: it has %d files", len(files))
	}
	a := &applier{store: store, tree: tree, edits: map[string]*git.TreeEntry{}}
	for _, f := range files {
		if err = a.file(ctx, f); err != nil {
			return git.OID{}, nil, fmt.Errorf("%s: %w", cmpName(f), err)
		}
	}
	paths := make([]string, 0, len(a.edits))
	for path := range a.edits {
		paths = append(paths, path)
	}
	result, err := editTree(ctx, store, tree, a.edits)
	return result, paths, err
}

func cmpName(f *gitdiff.File) string {
	if f.NewName != "" {
		return f.NewName
	}
	return f.OldName
}

// applier collects what the files of one patch do. All of them look at the tree before the patch.
type applier struct {
	store git.Store
	tree  git.OID
	edits map[string]*git.TreeEntry // nil takes the file away
}

func (a *applier) file(ctx context.Context, f *gitdiff.File) error {
	for _, name := range []string{f.OldName, f.NewName} {
		if name != "" && !git.ValidPath(name) {
			return errs.New(errs.Invalid, "path %q", name)
		}
	}
	old, err := a.before(ctx, f)
	if err != nil {
		return err
	}
	content, err := a.content(ctx, old)
	if err != nil {
		return err
	}
	var after bytes.Buffer
	if err := gitdiff.Apply(&after, bytes.NewReader(content), f, gitdiff.WithMaxBinaryFragmentBytes(lts.MaxPatch)); err != nil {
		return positioned(err)
	}
	if f.IsDelete {
		if after.Len() > 0 {
			return errs.New(errs.Invalid, "it is deleted, but not all of it")
		}
		return a.put(f.OldName, nil)
	}
	return a.after(ctx, f, old, after.Bytes())
}

// before finds the file that the patch starts from; nil for a new one.
func (a *applier) before(ctx context.Context, f *gitdiff.File) (*git.TreeEntry, error) {
	if f.IsNew || f.NewName != "" && f.NewName != f.OldName {
		there, err := lookup(ctx, a.store, a.tree, f.NewName)
		if err != nil {
			return nil, err
		}
		// A directory may stand there that the rest of the patch empties: editTree refuses it otherwise.
		if there != nil && !there.Mode.IsTree() && !a.removed(f.NewName) {
			return nil, errs.New(errs.Conflict, "it is there already")
		}
	}
	if f.IsNew {
		return nil, nil //nolint:nilnil // a new file starts from nothing
	}
	old, err := lookup(ctx, a.store, a.tree, f.OldName)
	if err == nil && (old == nil || old.Mode.IsTree()) {
		err = errs.New(errs.Conflict, "%s is not there", f.OldName)
	}
	return old, err
}

func (a *applier) removed(path string) bool {
	entry, ok := a.edits[path]
	return ok && entry == nil
}

func (a *applier) content(ctx context.Context, old *git.TreeEntry) ([]byte, error) {
	switch {
	case old == nil:
		return nil, nil
	case old.Mode == git.ModeSubmodule:
		return []byte(subproject + old.OID.String() + "\n"), nil
	}
	return a.store.Blob(ctx, old.OID)
}

// subproject is how a diff shows a submodule.
const subproject = "Subproject commit "

func (a *applier) after(ctx context.Context, f *gitdiff.File, old *git.TreeEntry, content []byte) error {
	entry := git.TreeEntry{Mode: git.Mode(f.NewMode)}
	if entry.Mode == 0 && old != nil {
		entry.Mode = old.Mode
	}
	switch entry.Mode {
	case git.ModeFile, git.ModeExecutable, git.ModeSymlink:
		id, err := a.store.WriteBlob(ctx, content)
		if err != nil {
			return err
		}
		entry.OID = id
	case git.ModeSubmodule:
		id, err := git.ParseOID(strings.TrimSuffix(strings.TrimPrefix(string(content), subproject), "\n"))
		if err != nil {
			return err
		}
		entry.OID = id
	default:
		return errs.New(errs.Invalid, "mode %s", entry.Mode)
	}
	if f.IsRename {
		if err := a.put(f.OldName, nil); err != nil {
			return err
		}
	}
	return a.put(f.NewName, &entry)
}

func (a *applier) put(path string, entry *git.TreeEntry) error {
	if before, ok := a.edits[path]; ok && (before != nil || entry == nil) {
		return errs.New(errs.Invalid, "%s stands twice in the patch", path)
	}
	a.edits[path] = entry
	return nil
}

// positioned says where in the file a hunk does not fit.
func positioned(err error) error {
	at, ok := errors.AsType[*gitdiff.ApplyError](err)
	if !ok {
		return errs.New(errs.Conflict, "%w", err)
	}
	return errs.New(errs.Conflict, "hunk %d, line %d of the file: %w", at.Fragment, at.Line, err)
}
