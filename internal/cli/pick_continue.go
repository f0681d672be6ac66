package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/memory"
	"github.com/kubelts/kubelts/internal/patch"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// rungPerson is how results name what a person resolved.
const rungPerson = "person"

// takeBack reads a pick that was laid out, makes the resulting tree, and records how it was resolved.
func (p *pick) takeBack(ctx context.Context) (err error) {
	files, err := openFiles(p.resume)
	if err != nil {
		return errs.WithHint(errs.New(errs.NotFound, "continue %q: there is no such directory", p.resume), "name the directory that --to made")
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	state, err := readLaid(files, p.resume)
	if err != nil {
		return err
	}
	dir, err := p.memory.open(true)
	if err != nil {
		return err
	}
	if dir != nil {
		defer func() { err = errors.Join(err, dir.Close()) }()
		if _, err = lts.ParsePerson(p.author); err != nil {
			return usage(p.memory.cmd, errs.WithHint(errs.New(errs.Invalid, "continue %q: who resolved it is not named", p.resume),
				"name the person with --author 'NAME <ADDRESS>', or record nothing with --memory=''"))
		}
	}
	if !p.memory.cmd.Flags().Changed("repo") {
		p.repo = state.Repository
	}
	p.onto = state.Target
	return p.with(ctx, func(s *picking) error {
		t := &taking{picking: s, files: files, state: state, edits: map[string]patch.Entry{}, contents: map[string][]byte{}}
		return t.run(ctx, dir)
	})
}

// readLaid reads the state of a pick that was laid out.
func readLaid(files *projectFiles, dir string) (*lts.LaidPick, error) {
	content, err := files.Read(laidState, lts.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.WithHint(errs.New(errs.NotFound, "continue %q: %s is missing: no pick was laid out there, or not to its end", dir, laidState),
			"lay the pick out again with --to, in a new directory")
	}
	if err != nil {
		return nil, fmt.Errorf("continue %q: %w", dir, err)
	}
	return lts.ParseLaidPick(laidState, content)
}

// taking is a pick that is taken back.
type taking struct {
	*picking

	files    *projectFiles
	state    *lts.LaidPick
	edits    map[string]patch.Entry // of the laid out tree; the zero entry removes
	contents map[string][]byte      // of the files that a person edited
}

func (t *taking) run(ctx context.Context, dir *memoryDir) error {
	if err := t.standing(ctx); err != nil {
		return err
	}
	there, err := t.walk()
	if err != nil {
		return err
	}
	if err = t.strays(there); err != nil {
		return err
	}
	for _, f := range t.state.Files {
		if err = t.file(ctx, f, slices.Contains(there, f.Path)); err != nil {
			return err
		}
	}
	for _, name := range t.also {
		if err = t.beside(ctx, name); err != nil {
			return err
		}
	}
	res, err := t.result(ctx)
	if err != nil {
		return err
	}
	if err = t.keep(ctx, []git.OID{res.Tree}); err != nil {
		return err
	}
	request := backport.Request{Commit: t.state.Commit, Onto: t.state.Onto}
	if t.format == "table" {
		err = t.printPick(ctx, request, res)
	} else {
		err = t.print(t.format, res, grid{})
	}
	if err != nil {
		return err
	}
	return t.teach(ctx, dir)
}

// standing reports whether commit, target and tree are what they were.
func (t *taking) standing(ctx context.Context) error {
	at, err := t.resolve(ctx, t.state.Target)
	if err != nil {
		return err
	}
	if at != t.state.Onto {
		return errs.WithHint(errs.New(errs.Conflict, "continue %q: %s was at %s, and is at %s now", t.resume, t.state.Target, t.state.Onto.Short(), at.Short()),
			"pick anew, with --to another directory: what was recorded of the old one helps with --memory")
	}
	for _, id := range []git.OID{t.state.Commit, t.state.Onto} {
		if _, err := t.store.Commit(ctx, id); err != nil {
			return fmt.Errorf("continue %q: %w", t.resume, err)
		}
	}
	if _, err := t.store.Tree(ctx, t.state.Tree); err != nil {
		return errs.WithHint(errs.New(errs.Unavailable, "continue %q: the tree that was laid out is not there: %w", t.resume, err),
			"name the --store (or --write) that the pick was laid out with")
	}
	return nil
}

// walk returns the paths below files/. Whatever is no plain file or directory there is refused, and so is everything beside.
func (t *taking) walk() ([]string, error) {
	var found []string
	err := fs.WalkDir(t.files.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		below, inside := strings.CutPrefix(name, laidFiles+"/")
		switch {
		case err != nil:
			return fmt.Errorf("continue %q: %w", t.resume, err)
		case name == "." || name == laidFiles && d.IsDir():
			return nil
		case name == laidState, name == laidReport:
			return nil
		case !inside:
			return errs.WithHint(errs.New(errs.Invalid, "continue %q: %s does not belong to the pick", t.resume, name), "files go below %s, and are taken in with --also", laidFiles)
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return errs.WithHint(errs.New(errs.Denied, "continue %q: %s is no plain file", t.resume, name), "a link is a file here that says where it points")
		}
		found = append(found, below)
		return nil
	})
	return found, err
}

// strays refuses files that nobody named.
func (t *taking) strays(there []string) error {
	known := map[string]bool{}
	for _, f := range t.state.Files {
		known[f.Path] = true
	}
	for _, name := range slices.Concat(t.removed, t.kept) {
		if !known[name] {
			return errs.New(errs.Invalid, "path %q is no file of the pick", name)
		}
	}
	for _, name := range t.also {
		if !git.ValidPath(name) || !slices.Contains(there, name) || known[name] {
			return errs.New(errs.Invalid, "--also %q: is no file beside the pick's below %s", name, laidFiles)
		}
		known[name] = true
	}
	for _, name := range there {
		if !known[name] {
			return errs.WithHint(errs.New(errs.Invalid, "continue %q: %s/%s is no file of the pick", t.resume, laidFiles, name), "remove it, or take it in with --also %s", name)
		}
	}
	return nil
}

// file takes one file of the pick back.
func (t *taking) file(ctx context.Context, f lts.ConflictFile, there bool) error {
	name := laidFiles + "/" + f.Path
	kept := slices.Contains(t.kept, f.Path)
	switch {
	case slices.Contains(t.removed, f.Path):
		t.edits[f.Path] = patch.Entry{}
		return nil
	case !there && !f.Laid.IsZero():
		return errs.WithHint(errs.New(errs.Invalid, "continue %q: %s is missing", t.resume, name), "bring it back, or say that the result shall not have it with --remove %s", f.Path)
	case !there && len(f.Reasons) > 0 && !kept:
		return t.untouched(f)
	case !there:
		return nil
	case f.Mode == git.ModeSubmodule.String():
		return errs.New(errs.Invalid, "continue %q: %s: the pick has a submodule there", t.resume, name)
	}
	content, err := t.files.Read(name, lts.MaxPatch)
	if err != nil {
		return fmt.Errorf("continue %q: %w", t.resume, err)
	}
	same := git.Hash(git.TypeBlob, content) == f.Laid
	if same && len(f.Reasons) == 0 {
		return nil
	}
	versions, err := t.versions(ctx, f)
	if err != nil {
		return err
	}
	if line := lts.MarkerLine(content, versions...); line > 0 {
		return errs.WithHint(errs.New(errs.Conflict, "continue %q: %s:%d: has a conflict marker", t.resume, name, line), "edit the file until no marker is left")
	}
	if same && !kept {
		return t.untouched(f)
	}
	return t.put(ctx, f.Path, f.Mode, content)
}

func (t *taking) untouched(f lts.ConflictFile) error {
	return errs.WithHint(errs.New(errs.Conflict, "continue %q: %s/%s is as it was laid out (%s)", t.resume, laidFiles, f.Path, strings.Join(f.Reasons, ", ")),
		"edit it, or say that it is right with --keep %s, or that the result shall not have it with --remove %s", f.Path, f.Path)
}

// versions are the three sides of a file, as far as they are files: lines that one of them has are no markers.
func (t *taking) versions(ctx context.Context, f lts.ConflictFile) ([][]byte, error) {
	var out [][]byte
	for _, id := range []git.OID{f.Base, f.Ours, f.Theirs} {
		if id.IsZero() || f.Mode == "" || f.Mode == git.ModeSubmodule.String() {
			continue
		}
		content, err := t.store.Blob(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, content)
	}
	return out, nil
}

// put writes a file of the result. A path that had no file gets a plain one.
func (t *taking) put(ctx context.Context, name, mode string, content []byte) error {
	entry := patch.Entry{Mode: git.ModeFile}
	for _, m := range []git.Mode{git.ModeExecutable, git.ModeSymlink} {
		if m.String() == mode {
			entry.Mode = m
		}
	}
	if entry.Mode == git.ModeSymlink { // editors end the last line
		content = bytes.TrimSuffix(content, []byte("\n"))
	}
	var err error
	entry.OID, err = t.store.WriteBlob(ctx, content)
	t.edits[name], t.contents[name] = entry, content
	return err
}

// beside takes a file in that is not the pick's.
func (t *taking) beside(ctx context.Context, name string) error {
	content, err := t.files.Read(laidFiles+"/"+name, lts.MaxPatch)
	if err != nil {
		return fmt.Errorf("continue %q: %w", t.resume, err)
	}
	was, err := t.engine.Entry(ctx, t.state.Tree, name)
	if err != nil {
		return err
	}
	return t.put(ctx, name, was.Mode.String(), content)
}

// result makes the tree, and says what became of each file.
func (t *taking) result(ctx context.Context) (backport.Result, error) {
	tree, err := t.engine.Edit(ctx, t.state.Tree, t.edits)
	if err != nil {
		return backport.Result{}, fmt.Errorf("continue %q: %w", t.resume, err)
	}
	onto, err := t.store.Commit(ctx, t.state.Onto)
	if err != nil {
		return backport.Result{}, err
	}
	res := backport.Result{
		Commit: t.state.Commit.String(), Onto: t.state.Onto.String(), Outcome: backport.Resolved, Confidence: backport.Adapted, Tree: tree, Rung: rungPerson,
		Source: t.state.Commit,
	}
	if tree == t.state.Tree && t.state.Confidence == lts.ConfidenceReview {
		res.Confidence = backport.Review // nobody has done anything about it
	}
	if tree == onto.Tree {
		res.Outcome = backport.Empty
	}
	for _, f := range t.state.Files {
		file := backport.File{Path: f.Path, From: f.From, Rung: f.Rung}
		if _, edited := t.edits[f.Path]; edited || len(f.Reasons) > 0 {
			file.Rung = rungPerson
		}
		res.Files = append(res.Files, file)
	}
	for _, name := range t.also {
		res.Files = append(res.Files, backport.File{Path: name, Rung: rungPerson})
	}
	slices.SortFunc(res.Files, func(a, b backport.File) int { return cmp.Compare(a.Path, b.Path) })
	return res, nil
}

// teach records how the conflicts were resolved.
func (t *taking) teach(ctx context.Context, dir *memoryDir) error {
	if dir == nil {
		_, err := fmt.Fprintln(t.Stderr, "kubelts: hint: nothing was recorded for other branches: name a directory with --memory, or run in a project")
		return err
	}
	now, err := t.now()
	if err != nil {
		return err
	}
	about := memory.About{
		Commit: t.state.Commit, Subject: t.state.Subject, Target: t.state.Onto, Author: t.author, Date: now, Reason: t.reason,
	}
	var lessons []upkeep.Lesson
	for _, name := range slices.Sorted(maps.Keys(t.edits)) {
		at := slices.IndexFunc(t.state.Files, func(f lts.ConflictFile) bool { return f.Path == name && len(f.Reasons) > 0 })
		if content, edited := t.contents[name]; at >= 0 && edited {
			f := t.state.Files[at]
			lessons = append(lessons, upkeep.Lesson{Path: name, Conflict: backport.Conflict{Base: f.Base, Ours: f.Ours, Theirs: f.Theirs}, Resolved: content})
			continue
		}
		about.Also = append(about.Also, name)
	}
	taught, err := upkeep.Teach(ctx, t.store, lessons, about)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range taught.Records {
		name, err := dir.record(r)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	if t.format != "table" {
		return printRecorded(t.Stderr, names, taught.Left)
	}
	return printRecorded(t.Stdout, names, taught.Left)
}
