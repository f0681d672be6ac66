package backport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"path"
	"slices"
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
		return k.linesElsewhere(ctx, it, nil)
	}
	changed, err := k.changedNames(ctx, it)
	if large(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	dir, err := k.dir(ctx, path.Dir(it.path))
	if err != nil {
		return false, err
	}
	if there, err := k.linesElsewhere(ctx, it, changed); there || err != nil {
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
// code any that the target changed or added, for others one beside it that only the target has. In code that is far away, three lines have to be there,
// or a declaration that the fix changes.
func (k *moves) linesElsewhere(ctx context.Context, it *item, changed []string) (bool, error) {
	if (generatedRung{}).takes(it.path) {
		return false, nil
	}
	near, err := k.linesNear(ctx, it)
	if err != nil || len(near) == 0 {
		return false, err
	}
	for _, c := range k.merge.oursDiff.Changes {
		if there, err := k.standIn(ctx, c, it.path, near, changed); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// standIn reports whether lines, or declarations near enough to them, stand in one file of the target.
func (k *moves) standIn(ctx context.Context, c patch.Change, file string, near map[string]bool, changed []string) (bool, error) {
	where := distanceOf(c, file)
	if where == nowhere {
		return false, nil
	}
	content, err := k.merge.engine.store.Blob(ctx, c.New.OID)
	if large(err) && where == farAway {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n := linesIn(content, near)
	switch {
	case n == 0 || n*2 < len(near) || n == 1 && !isCode(file):
		return false, nil
	case where == besideIt || n > 2:
		return true, nil
	case len(changed) == 0:
		return false, nil
	}
	same, err := k.count(ctx, c.New, changed)
	return same > 0, err
}

// linesIn counts the lines of a set that a file has.
func linesIn(content []byte, lines map[string]bool) int {
	found := map[string]bool{}
	for line := range bytes.Lines(content) {
		if text := string(bytes.TrimSpace(line)); lines[text] {
			found[text] = true
		}
	}
	return len(found)
}

// distance is how far a file is from another one whose content it may have.
type distance int

const (
	nowhere distance = iota // it cannot have it
	besideIt
	farAway
)

// distanceOf says how far a file that the target changed or added is from one whose content may stand there.
func distanceOf(c patch.Change, file string) distance {
	beside, code := path.Dir(c.Path) == path.Dir(file), isCode(file)
	switch {
	case !c.New.Mode.IsRegular() || path.Ext(c.Path) != path.Ext(file):
		return nowhere
	case code && (beside || path.Base(c.Path) == path.Base(file)), !code && beside && !c.Old.Exists():
		return besideIt
	case code && isCode(c.Path) && !vendored(c.Path) && !(generatedRung{}).takes(c.Path):
		return farAway
	default:
		return nowhere
	}
}

// isCode reports whether a file is Go source that is no test.
func isCode(p string) bool { return strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go") }

// linesNear are the lines of a file that the fix changes, and those next to them, without what says little.
func (k *moves) linesNear(ctx context.Context, it *item) (map[string]bool, error) {
	base, theirs, err := k.merge.fixed(ctx, it)
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

// fixed is a file before and after the fix.
func (m *treeMerge) fixed(ctx context.Context, it *item) (base, theirs []byte, err error) {
	if base, err = m.engine.store.Blob(ctx, it.base.OID); err != nil {
		return nil, nil, err
	}
	theirs, err = m.engine.store.Blob(ctx, it.theirs.OID)
	return base, theirs, err
}

// changedNames are the declarations of a file that the fix changes or deletes.
func (k *moves) changedNames(ctx context.Context, it *item) ([]string, error) {
	base, theirs, err := k.merge.fixed(ctx, it)
	if err != nil {
		return nil, err
	}
	return changedDeclarations(declared(base), declared(theirs)), nil
}

// substance takes back what was left out if too little of the fix is left: nothing, or nothing but tests, texts and comments of a fix of Go code.
func (m *treeMerge) substance(ctx context.Context) error {
	items := m.sorted()
	if !slices.ContainsFunc(items, func(it *item) bool { return it.by != nil && it.by.leftOut }) {
		return nil
	}
	wanted, kept := 0, 0
	for _, it := range items {
		weight := weightOf(it.path)
		same, err := m.sameCode(ctx, it)
		if err != nil && !large(err) {
			return err
		}
		if same {
			weight = 1
		}
		wanted = max(wanted, weight)
		if it.by != nil && it.by.leftOut || it.result == it.ours && it.ours != it.theirs {
			continue
		}
		kept = max(kept, weight)
	}
	if kept > 0 && kept >= wanted {
		return nil
	}
	for _, it := range items {
		if it.by != nil && it.by.leftOut {
			it.takeBack()
		}
	}
	return nil
}

// sameCode reports whether the fix changes nothing but comments and white space in a file of Go code.
func (m *treeMerge) sameCode(ctx context.Context, it *item) (bool, error) {
	if !isCode(it.path) || !it.base.Exists() || !it.theirs.Exists() || it.base.Mode != it.theirs.Mode {
		return false, nil
	}
	base, theirs, err := m.fixed(ctx, it)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", it.path, err)
	}
	return slices.Equal(tokensOf(base), tokensOf(theirs)), nil
}

// large reports whether an object is too large to be read.
func large(err error) bool {
	_, large := errors.AsType[*git.OversizeError](err)
	return large
}

// tokensOf are the tokens of Go source, without comments.
func tokensOf(content []byte) []string {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(content)), content, nil, 0)
	var out []string
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return out
		}
		if lit == "" || tok.IsOperator() {
			lit = tok.String()
		}
		out = append(out, lit)
	}
}

// weightOf says what a file means to a fix: Go code most, then tests and what else there is, texts and dependencies least.
func weightOf(p string) int {
	switch base := path.Base(p); {
	case isCode(p):
		return 3
	case strings.HasSuffix(p, ".md"), base == "go.mod", base == "go.sum", base == "Godeps.json":
		return 1
	default:
		return 2
	}
}
