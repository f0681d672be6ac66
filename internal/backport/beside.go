package backport

import (
	"context"
	"errors"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// neighbourly is a file rung that needs to know what stands around the file at hand.
type neighbourly interface {
	// mergeBeside is merge, with what became of other files. Files are merged in the order of their paths.
	mergeBeside(ctx context.Context, s fileSides, around neighbourhood) (fileMerge, error)
}

// neighbourhood are the files around an item of a merge.
type neighbourhood struct {
	merge *treeMerge
	item  *item
}

// fileMerged is a file in the three versions and as it was merged. What a version does not have is nil.
type fileMerged struct{ base, ours, theirs, merged []byte }

// contentRung is a file rung that also knows its files by what they say.
type contentRung interface{ takesContent(s fileSides) bool }

// taken reports whether a rung takes a file.
func taken(r fileRung, s fileSides) bool {
	if r.takes(s.path) {
		return true
	}
	c, ok := r.(contentRung)
	return ok && c.takesContent(s)
}

// askRung lets a file rung merge, with what it needs to know of the files beside.
func (m *treeMerge) askRung(ctx context.Context, rung fileRung, it *item, s fileSides) (fileMerge, error) {
	n, ok := rung.(neighbourly)
	if !ok {
		return rung.merge(ctx, s)
	}
	return n.mergeBeside(ctx, s, neighbourhood{m, it})
}

// beside reads the file of that name in the same directory. It is nil if that file is not merged, or where it stands in the three versions is
// not plain.
func (a neighbourhood) beside(ctx context.Context, name string) (*fileMerged, error) {
	m, it := a.merge, a.item
	if it.from != "" {
		return nil, nil //nolint:nilnil // nil means that it is not known
	}
	file := path.Join(path.Dir(it.path), name)
	other := m.items[file]
	if other != nil && (other.from != "" || !other.settled || len(other.conflicts) > 0) {
		return nil, nil //nolint:nilnil // nil means that it is not known
	}
	if other == nil {
		ours, err := m.engine.lookup(ctx, m.ours, file)
		if err != nil {
			return nil, err
		}
		base, err := m.engine.lookup(ctx, m.source.Base, file)
		if err != nil {
			return nil, err
		}
		other = &item{base: base, ours: ours, theirs: base, result: ours}
	}
	var out fileMerged
	for _, f := range []struct {
		entry patch.Entry
		to    *[]byte
	}{{other.base, &out.base}, {other.ours, &out.ours}, {other.theirs, &out.theirs}, {other.result, &out.merged}} {
		if !f.entry.Mode.IsRegular() {
			return nil, nil //nolint:nilnil // nil means that it is not known
		}
		var err error
		if *f.to, err = m.engine.store.Blob(ctx, f.entry.OID); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// missing looks for a package of the module in the item's directory that a Go file of the fix imports anew and the target does not have. It
// returns the file and the package; both are empty if there is none.
func (a neighbourhood) missing(ctx context.Context, module string) (file, pkg string, err error) {
	for _, it := range a.merge.sorted() {
		if !strings.HasSuffix(it.path, ".go") || !it.theirs.Mode.IsRegular() || it.theirs == it.base {
			continue
		}
		had, err := a.imports(ctx, it.base)
		if err != nil {
			return "", "", err
		}
		has, err := a.imports(ctx, it.theirs)
		if err != nil {
			return "", "", err
		}
		for _, pkg := range has {
			below, own := strings.CutPrefix(pkg, module+"/")
			if !own || slices.Contains(had, pkg) {
				continue
			}
			if there, err := a.directory(ctx, below); err != nil || !there {
				return it.path, pkg, err
			}
		}
	}
	return "", "", nil
}

// directory reports whether there is a directory below that of the item, in the target or by the fix.
func (a neighbourhood) directory(ctx context.Context, below string) (bool, error) {
	dir := path.Join(path.Dir(a.item.path), below)
	there, err := a.merge.engine.lookup(ctx, a.merge.ours, dir)
	return there.Mode.IsTree() || a.adds(dir), err
}

// adds reports whether the fix has a file in a directory.
func (a neighbourhood) adds(dir string) bool {
	return slices.ContainsFunc(a.merge.sorted(), func(it *item) bool { return it.theirs.Exists() && path.Dir(it.path) == dir })
}

// imports are the packages that a Go file imports, as far as it can be parsed.
func (a neighbourhood) imports(ctx context.Context, e patch.Entry) ([]string, error) {
	if !e.Mode.IsRegular() {
		return nil, nil
	}
	content, err := a.merge.engine.store.Blob(ctx, e.OID)
	if _, large := errors.AsType[*git.OversizeError](err); large {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parsed, _ := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly)
	if parsed == nil {
		return nil, nil
	}
	var out []string
	for _, spec := range parsed.Imports {
		if pkg, err := strconv.Unquote(spec.Path.Value); err == nil {
			out = append(out, pkg)
		}
	}
	return out, nil
}
