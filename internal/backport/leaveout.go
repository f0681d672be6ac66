package backport

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// leaveOut settles a file that the fix changes and the target does not have, if it came up on the fix's side only after the branches parted, or is a
// text that the target deleted, and nothing of the target has its name or declares what it declares: there is nothing to change.
func (m *treeMerge) leaveOut(ctx context.Context, it *item) (bool, error) {
	if !it.base.Exists() || !it.theirs.Exists() || !it.theirs.Mode.IsRegular() || len(it.conflicts) > 0 || it.from != "" {
		return false, nil
	}
	young, err := m.younger(ctx, it)
	if err != nil || !young && !strings.HasSuffix(it.path, ".md") {
		return false, err
	}
	elsewhere, err := m.moves.elsewhere(ctx, it)
	if err != nil || elsewhere {
		return false, err
	}
	note := "left out: the target has deleted this file"
	if young {
		note = "left out: the target never had this file, which came up after the branches parted"
	}
	it.by = &settledBy{
		rung: movesRung{}, markers: it.theirs.OID, mode: it.theirs.Mode, confidence: Review, leftOut: true,
		merged:    fileMerge{notes: []string{note}},
		conflicts: []Conflict{{Reason: ReasonDeletedInTarget, Note: "the target does not have the file", Base: it.base.OID, Theirs: it.theirs.OID}},
	}
	it.settle(it.ours)
	return true, nil
}

// younger reports whether the file was not there when the branches parted.
func (m *treeMerge) younger(ctx context.Context, it *item) (bool, error) {
	history, ok := m.engine.history.(Parting)
	if !ok || m.onto.IsZero() {
		return false, nil
	}
	at, err := history.MergeBase(ctx, m.source.Commit, m.onto)
	if ctx.Err() != nil {
		return false, err
	}
	if err != nil {
		return false, nil //nolint:nilerr // nobody knows where they parted
	}
	commit, err := m.engine.store.Commit(ctx, at)
	if err != nil {
		return false, err
	}
	was, err := m.engine.lookup(ctx, commit.Tree, it.path)
	return !was.Exists(), err
}

// elsewhere reports whether the target has a file of that name that the fix's side does not have there, or declares somewhere near what the
// fix changes.
func (k *moves) elsewhere(ctx context.Context, it *item) (bool, error) {
	if err := k.index(ctx); err != nil {
		return false, err
	}
	if len(k.added[path.Base(it.path)]) > 0 {
		return true, nil
	}
	if !strings.HasSuffix(it.path, ".go") {
		return k.linesElsewhere(ctx, it)
	}
	changed, err := k.changedNames(ctx, it)
	if _, large := errors.AsType[*git.OversizeError](err); large {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	dir, err := k.dir(ctx, path.Dir(it.path))
	if err != nil {
		return false, err
	}
	if there, err := k.linesElsewhere(ctx, it); there || err != nil {
		return there, err
	}
	if len(changed) == 0 {
		return false, nil
	}
	for _, d := range []string{dir, path.Dir(it.path)} {
		if there, err := k.declaredIn(ctx, d, changed); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// declaredIn reports whether a directory of the target declares one of some names.
func (k *moves) declaredIn(ctx context.Context, dir string, names []string) (bool, error) {
	if dir == "" {
		return false, nil
	}
	files, err := k.goFiles(ctx, k.merge.ours, dir)
	if err != nil {
		return false, err
	}
	for _, file := range files {
		if _, n, err := k.declares(ctx, path.Join(dir, file), names); n > 0 || err != nil {
			return true, err
		}
	}
	return false, nil
}

// linesElsewhere reports whether another file of the target, of the same kind, has half of the lines that stand next to what the fix changes: for Go
// code one beside it or of the same name, for others one beside it that only the target has.
func (k *moves) linesElsewhere(ctx context.Context, it *item) (bool, error) {
	if (generatedRung{}).takes(it.path) {
		return false, nil
	}
	near, err := k.linesNear(ctx, it)
	if err != nil {
		return false, err
	}
	code := strings.HasSuffix(it.path, ".go") && !strings.HasSuffix(it.path, "_test.go")
	for _, c := range k.merge.oursDiff.Changes {
		if !mayHold(c, it.path, code) {
			continue
		}
		content, err := k.merge.engine.store.Blob(ctx, c.New.OID)
		if err != nil {
			return false, err
		}
		found := map[string]bool{}
		for line := range bytes.Lines(content) {
			if text := string(bytes.TrimSpace(line)); near[text] {
				found[text] = true
			}
		}
		if n := len(found); (code || n > 1) && n > 0 && n*2 >= len(near) {
			return true, nil
		}
	}
	return false, nil
}

// mayHold reports whether what a file has may stand in another one, which the target changed or added.
func mayHold(c patch.Change, file string, code bool) bool {
	beside := path.Dir(c.Path) == path.Dir(file)
	switch {
	case !c.New.Mode.IsRegular() || path.Ext(c.Path) != path.Ext(file):
		return false
	case code:
		return beside || path.Base(c.Path) == path.Base(file)
	default:
		return beside && !c.Old.Exists()
	}
}

// linesNear are the lines of a file that the fix changes, and those next to them, without what says little.
func (k *moves) linesNear(ctx context.Context, it *item) (map[string]bool, error) {
	base, err := k.merge.engine.store.Blob(ctx, it.base.OID)
	if err != nil {
		return nil, err
	}
	theirs, err := k.merge.engine.store.Blob(ctx, it.theirs.OID)
	if err != nil {
		return nil, err
	}
	near := map[string]bool{}
	changes, err := merge.Diff(base, theirs, merge.Histogram)
	if err != nil {
		return near, nil //nolint:nilerr // a binary file has no lines
	}
	lines := bytes.Split(base, []byte("\n"))
	const around, telling = 2, 12
	for _, c := range changes {
		for _, line := range lines[max(0, c.Old.Lo-around):min(len(lines), c.Old.Hi+around)] {
			if text := string(bytes.TrimSpace(line)); len(text) >= telling {
				near[text] = true
			}
		}
	}
	return near, nil
}

// changedNames are the declarations of a file that the fix changes or deletes.
func (k *moves) changedNames(ctx context.Context, it *item) ([]string, error) {
	base, err := k.merge.engine.store.Blob(ctx, it.base.OID)
	if err != nil {
		return nil, err
	}
	theirs, err := k.merge.engine.store.Blob(ctx, it.theirs.OID)
	if err != nil {
		return nil, err
	}
	return changedDeclarations(declared(base), declared(theirs)), nil
}

// substance takes back what was left out if too little of the fix is left: nothing, or nothing but tests and texts of a fix of Go code.
func (m *treeMerge) substance() {
	wanted, kept, out := 0, 0, 0
	for _, it := range m.sorted() {
		left := it.by != nil && it.by.leftOut
		weight := weightOf(it.path)
		wanted = max(wanted, weight)
		switch {
		case left:
			out++
		case it.result != it.ours || it.ours == it.theirs:
			kept = max(kept, weight)
		}
	}
	if out == 0 || kept > 0 && kept >= wanted {
		return
	}
	for _, it := range m.sorted() {
		if it.by != nil && it.by.leftOut {
			it.takeBack()
		}
	}
}

// weightOf says what a file means to a fix: Go code most, then tests and what else there is, texts and dependencies least.
func weightOf(p string) int {
	switch base := path.Base(p); {
	case strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go"):
		return 3
	case strings.HasSuffix(p, ".md"), base == "go.mod", base == "go.sum", base == "Godeps.json":
		return 1
	default:
		return 2
	}
}
