package backport

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// resolve decides what becomes of one file.
func (m *treeMerge) resolve(ctx context.Context, it *item) error {
	base, ours, theirs := it.base, it.ours, it.theirs
	switch {
	case it.settled:
	case m.moves != nil && it.moved != "" && !ours.Exists():
		return m.putPlaced(ctx, it)
	case ours == base, ours == theirs:
		it.settle(theirs)
	case theirs == base:
		it.settle(ours)
	case !ours.Exists():
		if m.moves != nil {
			if left, err := m.leaveOut(ctx, it); left || err != nil {
				return err
			}
		}
		it.conflict(ReasonDeletedInTarget, "the target does not have the file")
		it.settle(theirs)
	case !theirs.Exists():
		it.conflict(ReasonDeletedByFix, "the fix deletes the file, which the target has changed")
		it.settle(ours)
	case ours.Mode.IsRegular() && theirs.Mode.IsRegular():
		return m.regular(ctx, it)
	default:
		m.special(it)
	}
	return nil
}

// special leaves links, submodules and changes of type to a person.
func (m *treeMerge) special(it *item) {
	switch {
	case it.ours.Mode != it.theirs.Mode:
		it.conflict(ReasonType, "the target has a "+kind(it.ours.Mode)+", the fix a "+kind(it.theirs.Mode))
	case it.ours.Mode == git.ModeSymlink:
		it.conflict(ReasonSymlink, "both sides changed where the link points")
	default:
		it.conflict(ReasonSubmodule, "both sides moved the submodule")
	}
	it.settle(it.ours)
}

func kind(m git.Mode) string {
	switch m {
	case git.ModeSymlink:
		return "symbolic link"
	case git.ModeSubmodule:
		return "submodule"
	default:
		return "file"
	}
}

// regular merges two files, mode and content apart.
func (m *treeMerge) regular(ctx context.Context, it *item) error {
	base, ours, theirs := it.base, it.ours, it.theirs
	if !base.Mode.IsRegular() {
		base = patch.Entry{} // a link's target is no ancestor of a text
	}
	result := patch.Entry{Mode: ours.Mode}
	switch {
	case ours.Mode == theirs.Mode, ours.Mode == base.Mode:
		result.Mode = theirs.Mode
	case theirs.Mode != base.Mode:
		it.conflict(ReasonMode, "the target has mode "+ours.Mode.String()+", the fix "+theirs.Mode.String())
	}
	switch {
	case ours.OID == base.OID, ours.OID == theirs.OID:
		result.OID = theirs.OID
	case theirs.OID == base.OID:
		result.OID = ours.OID
	default:
		var err error
		if result.OID, err = m.text(ctx, it, base); err != nil {
			return err
		}
	}
	it.settle(result)
	return nil
}

// text merges three contents and writes the result.
func (m *treeMerge) text(ctx context.Context, it *item, base patch.Entry) (git.OID, error) {
	contents := make([][]byte, 3)
	for i, e := range []patch.Entry{base, it.ours, it.theirs} {
		if !e.Exists() {
			continue
		}
		var err error
		contents[i], err = m.engine.store.Blob(ctx, e.OID)
		if _, large := errors.AsType[*git.OversizeError](err); large {
			it.conflict(ReasonTooLarge, err.Error())
			return it.ours.OID, nil
		}
		if err != nil {
			return git.OID{}, err
		}
	}
	contents, notes, err := m.withPaths(ctx, it, contents)
	if err != nil {
		return git.OID{}, err
	}
	options := merge.Options{Labels: m.labels}
	res, err := merge.Merge(contents[0], contents[1], contents[2], options)
	if err == nil && len(res.Conflicts) > 0 && base.Exists() {
		// Whether there is a conflict is judged as git judges it; a person who is to resolve it needs to see base.
		options.Style = merge.Diff3
		res, err = merge.Merge(contents[0], contents[1], contents[2], options)
	}
	if err != nil {
		return m.unmergeable(it, err)
	}
	reason := ReasonContent
	if !base.Exists() {
		reason = ReasonAdded
	}
	keep := len(it.conflicts)
	for _, c := range res.Conflicts {
		it.conflict(reason, "")
		it.conflicts[len(it.conflicts)-1].Line = c.Line
	}
	id, err := m.engine.store.WriteBlob(ctx, res.Text)
	if err != nil || len(res.Conflicts) == 0 {
		m.byMove(it, id, notes)
		return id, err
	}
	sides := fileSides{path: it.path, from: it.from, added: !base.Exists(), moved: len(notes) > 0, base: contents[0], ours: contents[1], theirs: contents[2]}
	id, err = m.byFile(ctx, it, sides, id, keep)
	m.movedToo(it, notes)
	return id, err
}

// withPaths gives base and theirs the target's import paths, if that makes a difference to their merge.
func (m *treeMerge) withPaths(ctx context.Context, it *item, contents [][]byte) ([][]byte, []string, error) {
	if m.moves == nil || !strings.HasSuffix(it.path, ".go") {
		return contents, nil, nil
	}
	there, notes, err := m.moves.translate(ctx, it, contents)
	if err != nil || len(notes) == 0 {
		return contents, nil, err
	}
	plain, plainErr := merge.Merge(contents[0], contents[1], contents[2], merge.Options{})
	moved, movedErr := merge.Merge(there[0], there[1], there[2], merge.Options{})
	if plainErr == nil && movedErr == nil && len(plain.Conflicts)+len(moved.Conflicts) == 0 && bytes.Equal(plain.Text, moved.Text) {
		return contents, nil, nil
	}
	return there, notes, nil
}

// unmergeable keeps the target's content where there is no merging by line.
func (m *treeMerge) unmergeable(it *item, err error) (git.OID, error) {
	if binary, ok := errors.AsType[*merge.BinaryError](err); ok {
		it.conflict(ReasonBinary, binary.Error())
		return it.ours.OID, nil
	}
	if limit, ok := errors.AsType[*merge.LimitError](err); ok {
		it.conflict(ReasonTooLarge, limit.Error())
		return it.ours.OID, nil
	}
	return git.OID{}, err
}
