package backport

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/patch"
)

// follow finds what was renamed on either side and brings the versions of each file together.
func (m *treeMerge) follow(ctx context.Context) error {
	need, err := m.needsOurs(ctx)
	if err != nil {
		return err
	}
	theirs, err := m.theirRenames(ctx)
	if err != nil {
		return err
	}
	if !need {
		m.followTheirs(theirs, nil)
		return nil
	}
	if m.oursDiff, err = patch.DiffTrees(ctx, m.engine.store, m.source.Base, m.ours); err != nil {
		return err
	}
	ours, moves, err := m.ourRenames(ctx)
	if err != nil {
		return err
	}
	if m.moves != nil {
		more, err := m.moves.counterparts(ctx, ours)
		if err != nil {
			return err
		}
		ours = append(ours, more...)
	}
	m.followOurs(ours, theirs)
	m.followTheirs(theirs, ours)
	theirMoves := patch.Moves(m.theirsDiff, theirs)
	for dir := range theirMoves {
		if _, both := moves[dir]; both {
			delete(moves, dir)
			delete(theirMoves, dir)
		}
	}
	m.strand(theirMoves)
	return m.place(ctx, moves)
}

// detect finds renames of one side and notes what could not be looked at.
func (m *treeMerge) detect(ctx context.Context, diff *patch.Diff, relevant func(string) bool) ([]patch.Rename, error) {
	found, err := m.engine.detector.Renames(ctx, diff, relevant)
	if err != nil {
		return nil, err
	}
	for _, s := range found.Skipped {
		if note := "not looked at as a rename: " + s.Path + ": " + s.Err.Error(); !slices.Contains(m.notes, note) && len(m.notes) < maxNotes {
			m.notes = append(m.notes, note)
		}
	}
	if found.Limited {
		m.notes = append(m.notes, "too many files were added and deleted to look for all renames")
	}
	return found.Renames, nil
}

const maxNotes = 20

// theirRenames finds the fix's own renames, as far as the target has something to say about the files.
func (m *treeMerge) theirRenames(ctx context.Context) ([]patch.Rename, error) {
	relevant := func(p string) bool {
		it := m.items[p]
		return it.ours != it.base || m.theirsDiff.Removed[path.Dir(p)]
	}
	deletes, adds := false, false
	for _, c := range m.theirsDiff.Changes {
		adds = adds || !c.Old.Exists()
		deletes = deletes || !c.New.Exists() && relevant(c.Path)
	}
	if !deletes || !adds {
		return nil, nil
	}
	return m.detect(ctx, m.theirsDiff, relevant)
}

// ourRenames finds where the target has the files that the fix touches, and the directories that it has new files for. Files are compared
// for the sake of a directory only when identical ones do not tell where it went.
func (m *treeMerge) ourRenames(ctx context.Context) ([]patch.Rename, map[string]patch.Move, error) {
	touched := func(p string) bool { return m.items[p] != nil }
	renames, err := m.detect(ctx, m.oursDiff, touched)
	if err != nil {
		return nil, nil, err
	}
	moves := patch.Moves(m.oursDiff, renames)
	var unclear []string
	for dir := range m.wanted {
		if moves[dir].Files*2 <= m.deletedBelow(dir) {
			unclear = append(unclear, dir+"/")
		}
	}
	if len(unclear) == 0 {
		return renames, moves, nil
	}
	renames, err = m.detect(ctx, m.oursDiff, func(p string) bool {
		return touched(p) || slices.ContainsFunc(unclear, func(dir string) bool { return strings.HasPrefix(p, dir) })
	})
	return renames, patch.Moves(m.oursDiff, renames), err
}

// deletedBelow counts the files that the target does not have of a directory.
func (m *treeMerge) deletedBelow(dir string) int {
	n := 0
	for _, c := range m.oursDiff.Changes {
		if !c.New.Exists() && path.Dir(c.Path) == dir {
			n++
		}
	}
	return n
}

// followOurs moves items to where the target has them.
func (m *treeMerge) followOurs(ours, theirs []patch.Rename) {
	theirTo := map[string]patch.Rename{}
	for _, r := range theirs {
		theirTo[r.From] = r
	}
	for _, r := range ours {
		it := m.items[r.From]
		if it == nil {
			continue
		}
		delete(m.items, r.From)
		moved := &item{path: r.To, from: r.From, base: it.base, ours: r.New, theirs: it.theirs}
		other := m.items[r.To]
		their, renamed := theirTo[r.From]
		switch {
		case it.theirs.Exists() && it.theirs.Mode.IsRegular() != it.base.Mode.IsRegular():
			moved.conflict(ReasonType, "the fix makes a "+kind(it.theirs.Mode)+" of "+r.From+", which the target renamed")
			moved.settle(r.New)
		case it.theirs.Exists() && other != nil:
			moved.conflict(ReasonRenameAdd, "the target renamed "+r.From+" to a name that the fix gives a file of its own")
		case it.theirs.Exists():
		case renamed:
			moved.theirs = their.New
			if their.To != r.To {
				moved.from = their.To
				delete(m.items, their.To)
				moved.conflict(ReasonRenameRename, "the fix renames "+r.From+" to "+their.To)
			}
		default:
			moved.conflict(ReasonRenameDelete, "the fix deletes "+r.From+", which the target renamed")
			moved.settle(r.New)
		}
		m.items[r.To] = moved
	}
}

// followTheirs brings what the target changed in a file to where the fix moves it. What the target renamed too was dealt with.
func (m *treeMerge) followTheirs(theirs, ours []patch.Rename) {
	done := map[string]bool{}
	for _, r := range ours {
		done[r.From] = true
	}
	for _, r := range theirs {
		it, dst := m.items[r.From], m.items[r.To]
		if done[r.From] || it == nil || dst == nil {
			continue
		}
		switch {
		case it.ours == it.base:
			dst.from = r.From
		case !it.ours.Exists():
			if dst.ours != dst.theirs {
				dst.conflict(ReasonRenameDelete, "the fix renames "+r.From+", which the target does not have")
				dst.settle(dst.theirs)
			}
		case it.ours.Mode.IsRegular() != it.base.Mode.IsRegular():
			dst.conflict(ReasonType, "the fix renames "+r.From+", which the target made a "+kind(it.ours.Mode))
		case !dst.ours.Exists():
			dst.from, dst.base, dst.ours = r.From, it.base, it.ours
			it.settle(patch.Entry{})
		}
	}
}

// place puts new files of the fix where the target has the directory now. Moved Go packages have other import paths, which a new
// file does not know of, and a tool cannot see who else does not: so a person has to look, as with git's merge.directoryRenames=conflict.
func (m *treeMerge) place(ctx context.Context, moves map[string]patch.Move) error {
	for _, it := range m.sorted() {
		to, by, ok := patch.Place(moves, it.path)
		if !it.added || it.settled || !ok {
			continue
		}
		if len(by.Split) > 0 {
			it.conflict(ReasonDirectorySplit, "files of "+by.From+" went to "+by.To+" and as many to "+strings.Join(by.Split, ", "))
			continue
		}
		ours, err := m.engine.lookup(ctx, m.ours, to)
		if err != nil {
			return err
		}
		if m.items[to] != nil || ours.Mode.IsTree() || ours.Exists() && it.ours.Exists() {
			it.conflict(ReasonRenameAdd, "the target moved "+by.From+" to "+by.To+", where "+to+" is taken")
			continue
		}
		delete(m.items, it.path)
		it.from, it.path = it.path, to
		if ours.Exists() {
			it.ours = ours
		}
		m.items[to] = it
		if it.moved = by.From + " to " + by.To; it.ours != it.theirs && (m.moves == nil || ours.Exists()) {
			it.conflict(ReasonDirectoryMoved, "the target moved "+by.From+" to "+by.To+": a new file may name others by where they were")
		}
	}
	return nil
}

// strand names the target's own files in directories that the fix moves away: nobody said where they belong.
func (m *treeMerge) strand(moves map[string]patch.Move) {
	if len(moves) == 0 {
		return
	}
	for _, c := range m.oursDiff.Changes {
		if c.Old.Exists() || m.items[c.Path] != nil {
			continue
		}
		if to, by, ok := patch.Place(moves, c.Path); ok {
			it := &item{path: c.Path, ours: c.New}
			it.conflict(ReasonDirectoryMoved, "the fix moves "+by.From+" to "+by.To+"; this file of the target may belong to "+to)
			it.settle(c.New)
			m.items[c.Path] = it
		}
	}
}
