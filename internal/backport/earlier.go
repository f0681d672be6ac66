package backport

import (
	"context"
	"errors"
	"path"

	"github.com/kubelts/kubelts/internal/depmerge"
	"github.com/kubelts/kubelts/internal/git"
)

// maxEarlier bounds how many commits back an earlier state of a file is looked for, along first parents.
const maxEarlier = 128

// recall gives the modules beside a go.sum what the files were when directories last stood in for the modules that the fix puts directories for, on both sides.
func (a neighbourhood) recall(ctx context.Context, mods *depmerge.Modules) error {
	wanted := mods.Localised()
	if len(wanted) == 0 {
		return nil
	}
	fix, err := a.merge.engine.store.Commit(ctx, a.merge.source.Commit)
	if err != nil || len(fix.Parents) == 0 {
		return absentIsNothing(err)
	}
	if mods.BaseEarlier, err = a.earlier(ctx, fix.Parents[0], wanted); err != nil || mods.BaseEarlier == nil {
		return err
	}
	mods.OursEarlier, err = a.earlier(ctx, a.merge.onto, wanted)
	return err
}

// earlier finds the two files as they last were with directories for the modules, at a commit or before it. It is nil if that is not near.
func (a neighbourhood) earlier(ctx context.Context, at git.OID, modules []string) (*depmerge.Pair, error) {
	dir := path.Dir(a.item.path)
	var seen git.OID
	for range maxEarlier {
		c, err := a.merge.engine.store.Commit(ctx, at)
		if err != nil {
			return nil, absentIsNothing(err)
		}
		mod, err := a.merge.engine.lookup(ctx, c.Tree, path.Join(dir, "go.mod"))
		if err != nil {
			return nil, absentIsNothing(err)
		}
		if mod.Mode.IsRegular() && mod.OID != seen {
			seen = mod.OID
			pair, err := a.pair(ctx, c.Tree, modules)
			if pair != nil || err != nil {
				return pair, absentIsNothing(err)
			}
		}
		if len(c.Parents) == 0 {
			return nil, nil //nolint:nilnil // nil means that there is none
		}
		at = c.Parents[0]
	}
	return nil, nil //nolint:nilnil // nil means that there is none
}

// pair reads both files of a tree, if there are directories in place of the modules.
func (a neighbourhood) pair(ctx context.Context, tree git.OID, modules []string) (*depmerge.Pair, error) {
	var contents [2][]byte
	for i, name := range []string{"go.mod", "go.sum"} {
		e, err := a.merge.engine.lookup(ctx, tree, path.Join(path.Dir(a.item.path), name))
		if err != nil || !e.Mode.IsRegular() {
			return nil, err
		}
		if contents[i], err = a.merge.engine.store.Blob(ctx, e.OID); err != nil {
			return nil, err
		}
		if i == 0 && !depmerge.HasDirectories(contents[0], modules) {
			return nil, nil //nolint:nilnil // nil means that there is none
		}
	}
	return &depmerge.Pair{Mod: contents[0], Sum: contents[1]}, nil
}

// absentIsNothing forgets that an object of the past is not there, or too large: history may be cut off.
func absentIsNothing(err error) error {
	_, absent := errors.AsType[*git.AbsentError](err)
	_, large := errors.AsType[*git.OversizeError](err)
	if absent || large {
		return nil
	}
	return err
}
