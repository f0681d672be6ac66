package upkeep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

// layOut writes the conflicts that are left and takes away those that are gone. A conflict that a person has begun to edit stays as it is.
func (u *update) layOut(ctx context.Context, ch *change) error {
	carried := u.inSeries()
	var kept []conflictState
	for _, c := range u.state.conflicts {
		w := u.made[c.Commit]
		asked := w != nil || carried[c.Commit] != nil || u.state.allWaived(c.Vulnerabilities)
		if asked && (w == nil || w.result.Outcome != backport.Conflicted || w.waiting) {
			ch.remove(u.state.dir + "/conflicts/" + c.name)
			continue
		}
		kept = append(kept, c)
	}
	u.state.conflicts = kept
	for _, w := range u.queue {
		if w.waiting || w.result.Outcome != backport.Conflicted {
			continue
		}
		if err := u.layOutOne(ctx, ch, w); err != nil {
			return fmt.Errorf("lay out the conflict of %s: %w", w.commit.Short(), err)
		}
	}
	return nil
}

// allWaived reports whether a person decided that none of the vulnerabilities needs a patch.
func (s *lineState) allWaived(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool {
		return !s.waived(s.ledger.Find(id))
	})
}

func (u *update) layOutOne(ctx context.Context, ch *change, w *work) error {
	at := slices.IndexFunc(u.state.conflicts, func(c conflictState) bool { return c.Commit == w.commit })
	if at >= 0 {
		c := u.state.conflicts[at]
		w.conflict = c.name
		edited, err := u.project.edited(u.state, c)
		if err != nil || edited {
			return err
		}
	} else {
		w.conflict = u.conflictName(w.commit)
	}
	laid, files, err := u.conflict(ctx, w)
	if err != nil {
		return err
	}
	content, err := laid.Format()
	if err != nil {
		return err
	}
	if at >= 0 {
		before, err := u.state.conflicts[at].Format()
		if err != nil || string(before) == string(content) { // it names all blobs that were laid out
			return err
		}
	}
	dir := u.state.dir + "/conflicts/" + w.conflict
	ch.remove(dir)
	ch.write(dir+"/conflict.yaml", content)
	for i, f := range laid.Files {
		ch.write(dir+"/files/"+f.Path, files[i])
	}
	if at >= 0 {
		u.state.conflicts[at].Conflict = laid
	} else {
		u.state.conflicts = append(u.state.conflicts, conflictState{w.conflict, laid})
	}
	return nil
}

// conflictName is <n>-<short commit>, n counting on from the conflicts that are open.
func (u *update) conflictName(commit git.OID) string {
	highest := 0
	for _, c := range u.state.conflicts {
		number, _, _ := strings.Cut(c.name, "-")
		if n, err := strconv.Atoi(number); err == nil {
			highest = max(highest, n)
		}
	}
	return strconv.Itoa(highest+1) + "-" + commit.Short()
}

// conflict says what has to be edited, with the content of each file as it is laid out.
func (u *update) conflict(ctx context.Context, w *work) (*lts.Conflict, [][]byte, error) {
	upstream, err := u.project.Store.Commit(ctx, w.commit)
	if err != nil {
		return nil, nil, err
	}
	c := &lts.Conflict{
		Commit: w.commit, Subject: strings.ToValidUTF8(upstream.Subject(), "\uFFFD"), Vulnerabilities: w.vulnerabilities,
		Onto: u.chain.tree, Tree: w.result.Tree,
	}
	var contents [][]byte
	for _, f := range w.result.Files {
		if len(f.Conflicts) == 0 {
			continue
		}
		file := lts.ConflictFile{
			Path: f.Path, From: f.From, Mode: git.ModeFile.String(),
			Base: f.Conflicts[0].Base, Ours: f.Conflicts[0].Ours, Theirs: f.Conflicts[0].Theirs,
		}
		for _, conflict := range f.Conflicts {
			reason := string(conflict.Reason)
			if conflict.Note != "" {
				reason += ": " + conflict.Note
			}
			if !slices.Contains(file.Reasons, reason) {
				file.Reasons = append(file.Reasons, reason)
			}
		}
		content, err := u.laidContent(ctx, w.result.Tree, &file)
		if err != nil {
			return nil, nil, err
		}
		file.Laid = git.Hash(git.TypeBlob, content)
		c.Files, contents = append(c.Files, file), append(contents, content)
	}
	return c, contents, nil
}

// laidContent is what the conflict's tree has at the path. Where it has no file (a deleted one, a submodule), the file is laid out empty.
func (u *update) laidContent(ctx context.Context, tree git.OID, file *lts.ConflictFile) ([]byte, error) {
	entry, err := lookup(ctx, u.project.Store, tree, file.Path)
	if err != nil || entry == nil || entry.Mode.Type() != git.TypeBlob {
		return nil, err
	}
	switch {
	case entry.Mode == git.ModeSymlink:
		file.Mode = git.ModeSymlink.String()
	case entry.Mode&0o111 != 0:
		file.Mode = git.ModeExecutable.String()
	}
	return u.project.Store.Blob(ctx, entry.OID)
}

// edited reports whether a person has changed, removed or added anything in a conflict's directory.
func (p *Project) edited(s *lineState, c conflictState) (bool, error) {
	dir := s.dir + "/conflicts/" + c.name + "/files"
	there, err := p.walk(dir, "")
	if err != nil {
		return false, err
	}
	if len(there) != len(c.Files) {
		return true, nil
	}
	for _, f := range c.Files {
		content, err := p.Files.Read(dir+"/"+f.Path, lts.MaxPatch)
		if errors.Is(err, fs.ErrNotExist) || err == nil && git.Hash(git.TypeBlob, content) != f.Laid {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// walk returns all files below a directory, relative to it.
func (p *Project) walk(dir, below string) ([]string, error) {
	names, err := p.Files.List(dir + below)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range names {
		if inner, ok := strings.CutSuffix(name, "/"); ok {
			deeper, err := p.walk(dir, below+"/"+inner)
			if err != nil {
				return nil, err
			}
			files = append(files, deeper...)
			continue
		}
		files = append(files, strings.TrimPrefix(below+"/"+name, "/"))
	}
	return files, nil
}
