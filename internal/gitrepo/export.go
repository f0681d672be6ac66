package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

const (
	maxDepth = 100       // directories in one another
	maxFiles = 1_000_000 // of one export
)

// Export writes the files of a tree into dir, which must be empty. Nothing is written outside dir, whatever names and links the tree
// holds; submodules become empty directories. A file whose object is absent from the clone is an error, unless its path is among those that
// may be left out.
func Export(ctx context.Context, objects git.Objects, tree git.OID, dir string, leaveOut ...string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("export tree %s: %w", tree, err)
	}
	defer root.Close() // opened for names only
	e := &exporter{objects: objects, root: root, leaveOut: leaveOut}
	if err := e.tree(ctx, tree, ".", 0); err != nil {
		return fmt.Errorf("export tree %s: %w", tree, err)
	}
	return nil
}

type exporter struct {
	objects  git.Objects
	root     *os.Root
	leaveOut []string
	files    int
}

func (e *exporter) tree(ctx context.Context, id git.OID, dir string, depth int) error {
	if depth > maxDepth {
		return errs.New(errs.Invalid, "%s: more than %d directories deep", dir, maxDepth)
	}
	entries, err := e.objects.Tree(ctx, id)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	for _, entry := range entries {
		if e.files++; e.files > maxFiles {
			return errs.New(errs.Invalid, "more than %d files", maxFiles)
		}
		if err := e.entry(ctx, entry, path.Join(dir, entry.Name), depth); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) entry(ctx context.Context, entry git.TreeEntry, name string, depth int) error {
	if entry.Mode.IsTree() || entry.Mode == git.ModeSubmodule {
		if err := e.root.Mkdir(name, 0o755); err != nil {
			return err
		}
		if entry.Mode == git.ModeSubmodule {
			return nil
		}
		return e.tree(ctx, entry.OID, name, depth+1)
	}
	content, err := e.objects.Blob(ctx, entry.OID)
	if _, absent := errors.AsType[*git.AbsentError](err); absent && slices.Contains(e.leaveOut, name) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if entry.Mode == git.ModeSymlink {
		return e.root.Symlink(string(content), name)
	}
	perm := os.FileMode(0o644)
	if entry.Mode&0o111 != 0 {
		perm = 0o755
	}
	f, err := e.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if shut := f.Close(); err == nil {
		err = shut
	}
	return err
}
