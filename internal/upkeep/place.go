package upkeep

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// leastToMove is how many lines, context and removed ones together, a hunk must have to be moved: fewer may be found where they do not belong.
const leastToMove = 4

// placed is a diff that fits a tree strictly.
type placed struct {
	diff  []byte
	tree  git.OID // with it
	moved int     // hunks that did not stand where the diff said
}

// placeDiff makes a diff fit a tree strictly. Projects whose git am lets hunks slide keep patches that say other lines than they stand in: a hunk is moved to
// where its lines stand, if they stand in one place of the file only, and is long enough for that to mean something. Anything else is an error of kind conflict.
func placeDiff(ctx context.Context, store git.Store, tree git.OID, diff []byte) (placed, error) {
	strict, _, err := applyDiff(ctx, store, tree, diff)
	if err == nil {
		return placed{diff: diff, tree: strict}, nil
	}
	if !errs.Is(err, errs.Conflict) {
		return placed{}, err
	}
	files, _, err := gitdiff.Parse(bytes.NewReader(diff))
	if err != nil {
		return placed{}, errs.New(errs.Invalid, "read patch: %w", err)
	}
	var out strings.Builder
	p := placed{}
	for _, f := range files {
		moved, misfit := placeFile(ctx, store, tree, f)
		if misfit != nil {
			return placed{}, fmt.Errorf("%s: %w", cmpName(f), misfit)
		}
		p.moved += moved
		out.WriteString(f.String())
	}
	p.diff = []byte(out.String())
	p.tree, _, err = applyDiff(ctx, store, tree, p.diff)
	return p, err
}

// placeFile moves the hunks of one file.
func placeFile(ctx context.Context, store git.Store, tree git.OID, f *gitdiff.File) (int, error) {
	if f.IsNew || len(f.TextFragments) == 0 {
		return 0, nil
	}
	content, err := readFile(ctx, store, tree, f.OldName)
	if err != nil {
		return 0, err
	}
	if content == nil {
		return 0, errs.New(errs.Conflict, "%s is not there", f.OldName)
	}
	lines := strings.SplitAfter(string(content), "\n")
	moved, after, grown := 0, int64(0), int64(0)
	for i, fragment := range f.TextFragments {
		at, err := placeFragment(lines, fragment)
		if err != nil {
			return 0, errs.New(errs.Conflict, "hunk %d, line %d of the file: %w", i+1, fragment.OldPosition, err)
		}
		if at < after {
			return 0, errs.New(errs.Conflict, "hunk %d: its lines stand before those of the hunk before it", i+1)
		}
		if at != fragment.OldPosition {
			moved++
		}
		fragment.OldPosition, fragment.NewPosition = at, at+grown
		after, grown = at+fragment.OldLines, grown+fragment.NewLines-fragment.OldLines
	}
	return moved, nil
}

// placeFragment finds the line, from 1, at which a hunk's old lines stand.
func placeFragment(lines []string, fragment *gitdiff.TextFragment) (int64, error) {
	var old []string
	for _, line := range fragment.Lines {
		if line.Old() {
			old = append(old, line.Line)
		}
	}
	said := int(fragment.OldPosition)
	if len(old) == 0 || standsAt(lines, old, said-1) {
		return fragment.OldPosition, nil
	}
	var found []int
	for at := range lines {
		if standsAt(lines, old, at) {
			found = append(found, at+1)
		}
	}
	switch {
	case len(found) == 0:
		return 0, errs.New(errs.Conflict, "its lines stand nowhere in the file")
	case len(found) > 1:
		return 0, errs.New(errs.Conflict, "its lines stand in %d places of the file", len(found))
	case len(old) < leastToMove:
		return 0, errs.New(errs.Conflict, "its lines stand in line %d, and are too few to tell that they belong there", found[0])
	}
	return int64(found[0]), nil
}

func standsAt(lines, wanted []string, at int) bool {
	return at >= 0 && at+len(wanted) <= len(lines) && slices.Equal(lines[at:at+len(wanted)], wanted)
}
