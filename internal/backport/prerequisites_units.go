package backport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/merge"
	"github.com/kubelts/kubelts/internal/patch"
)

// sides are a file's versions for the search.
type sides struct{ base, ours, theirs patch.Entry }

// sides finds a file of a result in the trees before and after the fix, and in the target.
func (s *search) sides(ctx context.Context, f File) (v sides, before string, err error) {
	for _, p := range []string{f.From, f.Path} {
		if p == "" || v.base.Exists() {
			continue
		}
		if v.base, err = s.engine.lookup(ctx, s.job.Fix.Base, p); err != nil {
			return v, "", err
		}
		before = p
	}
	for _, p := range []string{f.From, f.Path} {
		if p == "" || v.theirs.Exists() {
			continue
		}
		if v.theirs, err = s.engine.lookup(ctx, s.job.Fix.Tree, p); err != nil {
			return v, "", err
		}
	}
	v.ours, err = s.engine.lookup(ctx, s.job.Ours, f.Path)
	return v, before, err
}

// file notes the places of a file that conflict.
func (s *search) file(ctx context.Context, f File) error {
	v, before, err := s.sides(ctx, f)
	if err != nil || !v.base.Mode.IsRegular() {
		return err // a file that the fix adds leans on nothing of its own
	}
	if !v.ours.Exists() {
		s.units = append(s.units, unit{label: f.Path, path: before})
		return nil
	}
	texts, ok, err := s.texts(ctx, v.base, v.ours, v.theirs)
	if err != nil || !ok {
		return err
	}
	s.units = append(s.units, hunks(f.Path, before, texts)...)
	return nil
}

// hunks are the conflicts of three versions: which lines of base the target lacks there, and what it has instead.
func hunks(label, before string, texts [][]byte) []unit {
	merged, err := merge.Merge(texts[0], texts[1], texts[2], merge.Options{Style: merge.Diff3})
	if err != nil {
		return nil // what cannot be merged by line has no lines to explain
	}
	changes, err := merge.Diff(texts[0], texts[1], merge.Histogram)
	if err != nil {
		return nil
	}
	base, ours := textLines(texts[0]), textLines(texts[1])
	var out []unit
	for _, c := range merged.Conflicts {
		u := unit{label: fmt.Sprintf("%s:%d", label, c.Line), path: before}
		for _, d := range changes {
			if d.Old.Lo > c.Base.Hi || d.Old.Hi < c.Base.Lo {
				continue
			}
			for i := max(d.Old.Lo, c.Base.Lo); i < min(d.Old.Hi, c.Base.Hi); i++ {
				u.lines = append(u.lines, i)
			}
			u.gone = append(u.gone, slices.DeleteFunc(slices.Clone(ours[d.New.Lo:d.New.Hi]), func(l string) bool { return !telling(l) })...)
		}
		if u.lines = tellingLines(base, u.lines); len(u.lines)+len(u.gone) > 0 {
			out = append(out, u)
		}
	}
	return out
}

// texts reads versions; ok is false where one is none that lines can be told of.
func (s *search) texts(ctx context.Context, entries ...patch.Entry) (texts [][]byte, ok bool, err error) {
	for _, e := range entries {
		if !e.Mode.IsRegular() {
			return nil, false, nil
		}
		content, err := s.engine.store.Blob(ctx, e.OID)
		if _, large := errors.AsType[*git.OversizeError](err); large {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if merge.IsBinary(content) {
			return nil, false, nil
		}
		texts = append(texts, content)
	}
	return texts, true, nil
}

func textLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}

// telling reports whether a line says something: brackets and blank lines are everywhere.
func telling(line string) bool {
	return strings.Trim(line, " \t\r\n{}()[],;") != ""
}

// tellingLines keeps the lines that say something, or all if none does.
func tellingLines(text []string, lines []int) []int {
	kept := slices.DeleteFunc(slices.Clone(lines), func(i int) bool { return i >= len(text) || !telling(text[i]) })
	if len(kept) == 0 {
		return lines
	}
	return kept
}
