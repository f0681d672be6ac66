package backport

import (
	"context"
	"path"

	"github.com/kubelts/kubelts/internal/patch"
)

// neighbourly is a file rung that needs to know what became of a file beside the one at hand.
type neighbourly interface {
	// mergeBeside is merge; beside tells of the file of that name in the same directory. It is nil if that file is not merged (yet: files
	// are merged in the order of their paths) or where it stands in the three versions is not plain.
	mergeBeside(ctx context.Context, s fileSides, beside func(name string) (*fileMerged, error)) (fileMerge, error)
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
	return n.mergeBeside(ctx, s, func(name string) (*fileMerged, error) { return m.beside(ctx, it, name) })
}

// beside reads the file of that name in the directory of an item that was not moved.
func (m *treeMerge) beside(ctx context.Context, it *item, name string) (*fileMerged, error) {
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
