package backport

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// maxMoves bounds how often the search follows a file to the name that it had before.
const maxMoves = 4

// past is the history of some paths that is looked through.
type past struct {
	touches []Touch
	listed  map[git.OID]bool
}

func (s *search) past(ctx context.Context, from git.OID, paths []string) (*past, error) {
	touches, err := s.history.PathHistory(ctx, from, s.job.Onto, paths, maxTouches)
	if err != nil {
		return nil, err
	}
	p := &past{touches: touches, listed: map[git.OID]bool{}}
	for _, t := range touches {
		p.listed[t.Commit] = true
	}
	if len(touches) == maxTouches {
		s.notes = append(s.notes, fmt.Sprintf("prerequisites: only the newest %d commits were looked at", maxTouches))
	}
	return p, nil
}

// attribute finds the commits that introduced what the units name.
func (s *search) attribute(ctx context.Context, paths map[string]bool) error {
	all, err := s.past(ctx, s.parent, slices.Sorted(maps.Keys(paths)))
	if err != nil {
		return err
	}
	for path := range paths {
		entry, err := s.engine.lookup(ctx, s.job.Fix.Base, path)
		if err != nil {
			return err
		}
		b := &blame{search: s, past: all, path: path, lines: map[int][]string{}}
		for _, u := range s.units {
			if u.path == path {
				b.want(u)
			}
		}
		if err = b.trace(ctx, entry.OID); err != nil {
			return err
		}
	}
	return nil
}

// blame follows lines of one file back to the commits that introduced them.
type blame struct {
	search *search
	past   *past
	path   string
	moves  int

	lines map[int][]string // at the start: the labels of the units that ask for a line
	whole []string         // labels that ask who made the file
	gone  map[string][]string
	names map[int]string // at the start: the name that is declared in a line
}

func (b *blame) want(u unit) {
	if len(u.lines)+len(u.gone) == 0 {
		b.whole = append(b.whole, u.label)
	}
	for _, l := range u.lines {
		b.lines[l] = append(b.lines[l], u.label)
		if u.name != "" {
			if b.names == nil {
				b.names = map[int]string{}
			}
			b.names[l] = u.name
		}
	}
	if len(u.lines) == 0 {
		for _, text := range u.gone {
			if b.gone == nil {
				b.gone = map[string][]string{}
			}
			b.gone[text] = append(b.gone[text], u.label)
		}
	}
}

// held are the lines that a commit is asked for.
type held struct {
	blob  git.OID
	lines map[int][]string
	names map[int]string
}

// trace goes through the history, children before parents. A commit passes on what its parents have, and what is left is its own. What reaches a commit
// that the target has as well is nobody's: the target had it.
func (b *blame) trace(ctx context.Context, blob git.OID) error {
	if len(b.past.touches) == 0 {
		return nil
	}
	pending := map[git.OID]*held{b.past.touches[0].Commit: {blob: blob, lines: b.lines, names: b.names}}
	for _, t := range b.past.touches {
		h := pending[t.Commit]
		if h == nil {
			continue
		}
		delete(pending, t.Commit)
		if err := b.commit(ctx, t, h, pending); err != nil {
			return err
		}
	}
	return nil
}

// commit asks one commit.
func (b *blame) commit(ctx context.Context, t Touch, h *held, pending map[git.OID]*held) error {
	made := true
	for _, parent := range t.Parents {
		c, err := b.search.engine.store.Commit(ctx, parent)
		if err != nil {
			return err
		}
		before, err := b.search.engine.lookup(ctx, c.Tree, b.path)
		if err != nil {
			return err
		}
		if !before.Mode.IsRegular() {
			continue
		}
		made = false
		passed, err := b.pass(ctx, h, before.OID, t.Commit)
		if err != nil {
			return err
		}
		if b.past.listed[parent] {
			join(pending, parent, passed)
		}
	}
	if made {
		return b.first(ctx, t, h)
	}
	for _, labels := range h.lines {
		b.blame(t.Commit, labels)
	}
	return nil
}

func (b *blame) blame(commit git.OID, labels []string) {
	if len(labels) > 0 {
		b.search.found[commit] = append(b.search.found[commit], labels...)
	}
}

// join adds lines to those that a commit is asked for.
func join(pending map[git.OID]*held, commit git.OID, more *held) {
	h := pending[commit]
	if h == nil {
		pending[commit] = more
		return
	}
	for l, labels := range more.lines {
		h.lines[l] = append(h.lines[l], labels...)
	}
	maps.Copy(h.names, more.names)
}

// pass takes from h what a version before it has as well, and returns it with that version's line numbers. A line in which a name is declared is passed on
// as long as that version declares the name. Lines that the commit took away are its own.
func (b *blame) pass(ctx context.Context, h *held, before, commit git.OID) (*held, error) {
	passed := &held{blob: before, lines: map[int][]string{}, names: map[int]string{}}
	if before == h.blob {
		maps.Copy(passed.lines, h.lines)
		maps.Copy(passed.names, h.names)
		h.lines = nil
		return passed, nil
	}
	var texts [2][]byte
	for i, id := range []git.OID{before, h.blob} {
		var err error
		if texts[i], err = b.search.engine.store.Blob(ctx, id); err != nil {
			return nil, err
		}
	}
	changes, err := merge.Diff(texts[0], texts[1], merge.Histogram)
	if err != nil {
		return passed, nil //nolint:nilerr // a text without lines is this commit's
	}
	b.removed(textLines(texts[0]), textLines(texts[1]), changes, commit)
	var declared map[string]int
	for line, labels := range h.lines {
		old, same := earlier(changes, line)
		name := h.names[line]
		if !same && name != "" {
			if declared == nil {
				declared = declarationLines(texts[0])
			}
			old, same = declared[name]
		}
		if !same {
			continue
		}
		passed.lines[old] = append(passed.lines[old], labels...)
		if name != "" {
			passed.names[old] = name
		}
		delete(h.lines, line)
	}
	return passed, nil
}

// removed blames a commit for the lines that it took away, if the target has them and no younger commit took them away.
func (b *blame) removed(before, after []string, changes []merge.Change, commit git.OID) {
	if len(b.gone) == 0 {
		return
	}
	kept := map[string]bool{}
	for _, c := range changes {
		for i := c.New.Lo; i < c.New.Hi; i++ {
			kept[after[i]] = true
		}
	}
	for _, c := range changes {
		for i := c.Old.Lo; i < c.Old.Hi; i++ {
			if labels := b.gone[before[i]]; labels != nil && !kept[before[i]] {
				b.blame(commit, labels)
				delete(b.gone, before[i])
			}
		}
	}
}

// earlier finds a line's number in the text before the changes; same is false for a line that they brought.
func earlier(changes []merge.Change, line int) (old int, same bool) {
	old = line
	for _, c := range changes {
		if line < c.New.Lo {
			break
		}
		if line < c.New.Hi {
			return 0, false
		}
		old = line - c.New.Hi + c.Old.Hi
	}
	return old, true
}

// first deals with the commit that made the file. If it moved it, the search goes on under the name before; otherwise all of it is its own.
func (b *blame) first(ctx context.Context, t Touch, h *held) error {
	from, before, err := b.movedFrom(ctx, t.Commit)
	if err != nil {
		return err
	}
	if from == "" || b.moves >= maxMoves {
		for _, labels := range h.lines {
			b.blame(t.Commit, labels)
		}
		b.blame(t.Commit, b.whole)
		b.whole = nil
		return nil
	}
	passed, err := b.pass(ctx, h, before.OID, t.Commit)
	if err != nil {
		return err
	}
	for _, labels := range h.lines {
		b.blame(t.Commit, labels)
	}
	c, err := b.search.engine.store.Commit(ctx, t.Commit)
	if err != nil || len(c.Parents) == 0 {
		return err
	}
	older, err := b.search.past(ctx, c.Parents[0], []string{from})
	if err != nil {
		return err
	}
	next := &blame{search: b.search, past: older, path: from, moves: b.moves + 1, lines: passed.lines, names: passed.names, whole: b.whole, gone: b.gone}
	b.whole = nil
	return next.trace(ctx, before.OID)
}

// movedFrom finds the name that the file had before a commit; empty if the commit made it.
func (b *blame) movedFrom(ctx context.Context, commit git.OID) (string, patch.Entry, error) {
	e := b.search.engine
	change, err := e.change(ctx, commit)
	if err != nil {
		return "", patch.Entry{}, err
	}
	diff, err := patch.DiffTrees(ctx, e.store, change.Base, change.Tree)
	if err != nil {
		return "", patch.Entry{}, err
	}
	found, err := e.detector.Renames(ctx, diff, func(p string) bool { return p == b.path })
	if err != nil {
		return "", patch.Entry{}, err
	}
	for _, r := range found.Renames {
		if r.To == b.path {
			return r.From, r.Old, nil
		}
	}
	return "", patch.Entry{}, nil
}
