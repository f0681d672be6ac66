package lint

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// maxPlaces bounds how many places of a hunk are counted.
const maxPlaces = 100

// tip is the files of a base as the patches before leave them. A file that a patch does not fit stays as it was: what comes later is looked at all the same.
type tip struct {
	trees  Trees
	commit git.OID
	files  map[string]*content
}

// content is a file of a tip.
type content struct {
	lines   []string // with their ends
	there   bool
	unknown string // why nobody can tell what is in it; empty when it can be told
}

// fit is how a change stands on a tip. Places are file:row, rows as the patch says them.
type fit struct {
	misfit    []string // hunks whose lines are nowhere, and files that are not there or there already
	ambiguous []string // hunks that stand elsewhere than they say, in more than one place
	elsewhere []string // hunks that stand where they say, and would in other places too
	loose     []string // the same, and they have less context than git writes
	moved     []string // hunks that stand elsewhere than they say, in one place only
	unknown   []string // files of which nothing can be told, each with why
}

func newTip(trees Trees, commit git.OID) *tip {
	return &tip{trees: trees, commit: commit, files: map[string]*content{}}
}

func (t *tip) file(ctx context.Context, name string) (*content, error) {
	if known := t.files[name]; known != nil {
		return known, nil
	}
	found := &content{}
	text, err := t.trees.File(ctx, t.commit, name)
	if absent, gone := errors.AsType[*git.AbsentError](err); gone {
		found.unknown = absent.Error()
	} else if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	switch {
	case err != nil:
	case len(text) > maxTarget:
		found.unknown = "it is too large"
	default:
		found.lines, found.there = strings.SplitAfter(string(text), "\n"), true
	}
	t.files[name] = found
	return found, nil //nolint:nilerr // an absent file is an answer
}

// put looks how a change fits, and puts on what of it does.
func (t *tip) put(ctx context.Context, c *change) (fit, error) {
	var f fit
	for _, file := range c.files {
		if err := t.putFile(ctx, file, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (t *tip) putFile(ctx context.Context, file *gitdiff.File, f *fit) error {
	if file.IsNew {
		return t.putNew(ctx, file, f)
	}
	old, err := t.file(ctx, file.OldName)
	if err != nil {
		return err
	}
	after := &content{there: !file.IsDelete, unknown: old.unknown}
	switch {
	case file.IsDelete && file.IsBinary:
	case old.unknown != "":
		f.unknown = append(f.unknown, file.OldName+": "+old.unknown)
	case !old.there:
		f.misfit = append(f.misfit, file.OldName+" (not there)")
		return nil
	case file.IsBinary:
		after.unknown = "a patch before changes it as a binary file"
	default:
		lines, fits := f.hunks(file, old.lines)
		if !fits {
			return nil
		}
		after.lines = lines
	}
	if !file.IsCopy && file.OldName != file.NewName || file.IsDelete {
		t.files[file.OldName] = &content{unknown: old.unknown}
	}
	if !file.IsDelete {
		t.files[file.NewName] = after
	}
	return nil
}

func (t *tip) putNew(ctx context.Context, file *gitdiff.File, f *fit) error {
	old, err := t.file(ctx, file.NewName)
	if err != nil {
		return err
	}
	if old.there {
		f.misfit = append(f.misfit, file.NewName+" (there already)")
		return nil
	}
	after := &content{there: true}
	if file.IsBinary {
		after.unknown = "a patch before makes it as a binary file"
	}
	for _, fragment := range file.TextFragments {
		for _, line := range fragment.Lines {
			after.lines = append(after.lines, line.Line)
		}
	}
	t.files[file.NewName] = after
	return nil
}

// hunks puts the hunks of one file on its lines, and reports whether all of them fit.
func (f *fit) hunks(file *gitdiff.File, lines []string) (after []string, fits bool) {
	fits = true
	done := 0 // lines that are behind the hunks so far
	for _, fragment := range file.TextFragments {
		var old, come []string
		for _, line := range fragment.Lines {
			if line.Old() {
				old = append(old, line.Line)
			}
			if line.New() {
				come = append(come, line.Line)
			}
		}
		at := f.hunk(file.OldName, fragment, done, old, lines)
		if at < 0 {
			fits = false
			continue
		}
		after = append(append(after, lines[done:at]...), come...)
		done = at + len(old)
	}
	return append(after, lines[min(done, len(lines)):]...), fits
}

// hunk finds where a hunk stands, from 0, or -1.
func (f *fit) hunk(name string, fragment *gitdiff.TextFragment, done int, old, lines []string) int {
	row := int(fragment.OldPosition)
	where := name + ":" + itoa(row)
	if len(old) == 0 {
		return min(max(row, done), len(lines))
	}
	found := places(lines, old, done)
	said := slices.Contains(found, row-1)
	switch {
	case len(found) == 0:
		f.misfit = append(f.misfit, where)
		return -1
	case said && len(found) == 1:
		return row - 1
	case said:
		*f.repeated(fragment) = append(*f.repeated(fragment), where)
		return row - 1
	case len(found) == 1:
		f.moved = append(f.moved, where)
		return found[0]
	}
	f.ambiguous = append(f.ambiguous, where)
	return slices.MinFunc(found, func(a, b int) int { return max(a-row, row-a) - max(b-row, row-b) })
}

// repeated is where a hunk is counted whose lines stand in other places too.
func (f *fit) repeated(fragment *gitdiff.TextFragment) *[]string {
	if fragment.LeadingContext < usualContext || fragment.TrailingContext < usualContext {
		return &f.loose
	}
	return &f.elsewhere
}

// places are the lines, from 0 and not before a first one, where some lines stand in others, one after another.
func places(lines, wanted []string, from int) []int {
	var found []int
	for i := from; i+len(wanted) <= len(lines) && len(found) < maxPlaces; i++ {
		if slices.Equal(lines[i:i+len(wanted)], wanted) {
			found = append(found, i)
		}
	}
	return found
}

// applied is a patch file of a line, or a gap where one should be.
type applied struct {
	file    string
	changes []*change
	gap     bool
}

// stand looks how the patches of a line stand on its base, one after another.
func (c *collector) stand(ctx context.Context, name, tag string, patches []applied) error {
	if c.options.Trees == nil || tag == "" {
		return nil
	}
	commit, there := c.options.Trees.Tag(tag)
	if !there {
		c.unseenOf("how patches stand on", tag, "the clone has no such tag")
		return nil
	}
	t := newTip(c.options.Trees, commit)
	gaps := 0
	for _, p := range patches {
		if p.gap {
			gaps++
			continue
		}
		var all fit
		for _, change := range p.changes {
			f, err := t.put(ctx, c.below(change))
			if err != nil {
				return err
			}
			all.misfit, all.ambiguous = append(all.misfit, f.misfit...), append(all.ambiguous, f.ambiguous...)
			all.elsewhere, all.moved = append(all.elsewhere, f.elsewhere...), append(all.moved, f.moved...)
			all.loose, all.unknown = append(all.loose, f.loose...), append(all.unknown, f.unknown...)
		}
		c.standing(Finding{Subject: p.file, File: p.file, Lines: []string{name}}, tag, all, gaps)
	}
	return nil
}

// below is the part of a change that the clone can tell about: a staging repository has one directory of Kubernetes.
func (c *collector) below(whole *change) *change {
	if c.options.Below == "" {
		return whole
	}
	part := &change{}
	for _, f := range whole.files {
		oldName, inOld := strings.CutPrefix(f.OldName, c.options.Below)
		newName, inNew := strings.CutPrefix(f.NewName, c.options.Below)
		if !inOld && !inNew || madeAnew(cmp.Or(newName, oldName)) {
			continue
		}
		own := *f
		own.OldName, own.NewName = oldName, newName
		switch {
		case f.OldName != "" && !inOld: // it comes from where the clone has nothing
			own = gitdiff.File{NewName: newName, IsNew: true, IsBinary: true}
		case f.NewName != "" && !inNew:
			own = gitdiff.File{OldName: oldName, IsDelete: true, IsBinary: true}
		}
		part.files = append(part.files, &own)
	}
	return part
}

// madeAnew reports whether publishing writes a file of a staging repository itself, or leaves it out.
func madeAnew(name string) bool {
	return equiv.IsDependency(name) || slices.Contains([]string{"BUILD", "BUILD.bazel"}, path.Base(name))
}

// standing reports how one patch file stands.
func (c *collector) standing(at Finding, tag string, f fit, gaps int) {
	report := func(rule, severity string, items []string, one, many string) {
		if len(items) == 0 {
			return
		}
		own := at
		own.Rule, own.Severity, own.Items = rule, severity, items
		own.Message = at.Subject + " on " + tag + ": " + plural(len(items), "hunk "+one, "hunks "+many)
		c.add(own)
	}
	missing := ""
	if gaps > 0 {
		missing = "; " + plural(gaps, "patch before it is", "patches before it are") + " not here, and may make them"
	}
	report(DoesNotFit, "", f.misfit, "does not find its lines"+missing, "do not find their lines"+missing)
	report(AmbiguousHunk, "", f.ambiguous, "is not where it says, and could go to several places", "are not where they say, and could go to several places")
	report(AmbiguousHunk, Warning, f.loose, "with little context could go to other places too", "with little context could go to other places too")
	report(AmbiguousHunk, Note, f.elsewhere, "could go to other places too", "could go to other places too")
	report(MovedHunk, "", f.moved, "stands elsewhere than it says", "stand elsewhere than they say")
	for _, why := range f.unknown {
		name, reason, _ := strings.Cut(why, ": ")
		c.unseenOf("how patches stand on "+tag+" in", name, reason)
	}
}
