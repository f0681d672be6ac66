package upkeep

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// Resolution is a person's answer to a conflict.
type Resolution struct {
	Conflict string   // directory below conflicts/; may be empty when there is one only
	Removed  []string // paths of the conflict that the result shall not have
	Kept     []string // paths of the conflict that are right as they were laid out
	Also     []string // paths beside the conflict's whose files were put into its directory
	Author   lts.Person
	Reason   string
	Date     release.Date
}

// Resolved is what a resolution did.
type Resolved struct {
	Conflict string  `json:"conflict"`
	Patch    string  `json:"patch"`
	Commit   git.OID `json:"commit"`
	Tree     git.OID `json:"tree"`
	// Recorded are the files below memory/ that keep the resolution for other lines; NotRecorded says what of it is kept in none, and why.
	Recorded    []string `json:"recorded"`
	NotRecorded []string `json:"notRecorded"`
}

// Resolve makes a patch of the edited files of a conflict, puts it at the end of the series and records the decision.
func (p *Project) Resolve(ctx context.Context, minor release.Minor, r Resolution) (*Resolved, error) {
	state, tip, err := p.open(ctx, minor)
	if err != nil {
		return nil, err
	}
	c, err := state.findConflict(r.Conflict)
	if err != nil {
		return nil, err
	}
	edits, err := p.readResolution(ctx, state, c, r)
	if err != nil {
		return nil, err
	}
	tree, err := editTree(ctx, p.Store, c.Tree, edits)
	if err != nil {
		return nil, unlaid(err, minor)
	}
	if tree, err = p.ontoTip(ctx, c, tip, tree); err != nil {
		return nil, err
	}
	patch, content, err := p.makePatch(ctx, tip, replant{
		upstream: c.Commit, tree: tree, vulnerabilities: c.Vulnerabilities, number: nextNumber(state.series),
		trailers: []git.Trailer{{Key: lts.TrailerPickedBy, Value: "person"}, {Key: lts.TrailerResolved, Value: r.Author.String()}},
	})
	if err != nil {
		return nil, err
	}
	state.series.Append(patch.Name)
	if err = p.recordResolution(state, c, patch.Name, r); err != nil {
		return nil, err
	}
	ledger, err := state.ledger.Format()
	if err != nil {
		return nil, err
	}
	if err = p.Store.SetRef(ctx, "refs/kubelts/lines/"+minor.String(), tip.tip); err != nil {
		return nil, err
	}
	var ch change
	taught, err := p.teach(ctx, c, edits, r, &ch)
	if err != nil {
		return nil, err
	}
	ch.write(state.dir+"/patches/"+patch.Name, content)
	ch.write(state.dir+"/series", state.series.Format())
	ch.write(state.dir+"/ledger.yaml", ledger)
	ch.remove(state.dir + "/conflicts/" + c.name)
	done := &Resolved{Conflict: c.name, Patch: patch.Name, Commit: c.Commit, Tree: tree, Recorded: []string{}, NotRecorded: taught.Left}
	for _, record := range taught.Records {
		done.Recorded = append(done.Recorded, MemoryDir+"/"+record.FileName())
	}
	return done, ch.commit(p.Files)
}

// unlaid explains that the objects of a conflict are gone with the private store.
func unlaid(err error, minor release.Minor) error {
	if absent, ok := errors.AsType[*git.AbsentError](err); ok {
		return errs.WithHint(errs.New(errs.Unavailable, "read the conflict's tree: %w", absent), "make the project's store again with: kubelts line update %s", minor)
	}
	return err
}

func (s *lineState) findConflict(name string) (conflictState, error) {
	var names []string
	for _, c := range s.conflicts {
		if c.name == name || name == "" && len(s.conflicts) == 1 || name != "" && strings.HasPrefix(c.Commit.String(), name) && len(name) >= 7 {
			return c, nil
		}
		names = append(names, c.name)
	}
	if len(names) == 0 {
		return conflictState{}, errs.New(errs.NotFound, "line %s has no open conflict", s.line.Minor)
	}
	if name == "" {
		return conflictState{}, errs.WithHint(errs.New(errs.Invalid, "line %s has %d open conflicts", s.line.Minor, len(names)), "name one of %s", strings.Join(names, ", "))
	}
	return conflictState{}, errs.WithHint(errs.New(errs.NotFound, "line %s has no open conflict %q", s.line.Minor, name), "open are: %s", strings.Join(names, ", "))
}

// readResolution reads the files that a person edited and refuses what is not done.
func (p *Project) readResolution(ctx context.Context, s *lineState, c conflictState, r Resolution) (map[string]*git.TreeEntry, error) {
	dir := s.dir + "/conflicts/" + c.name + "/files"
	there, err := p.walk(dir, "")
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(r.Also, r.Removed) {
		if !git.ValidPath(name) {
			return nil, errs.New(errs.Invalid, "path %q is not well formed", name)
		}
	}
	var paths []string
	edits := map[string]*git.TreeEntry{}
	for _, f := range c.Files {
		if slices.Contains(r.Removed, f.Path) {
			edits[f.Path] = nil
			continue
		}
		paths = append(paths, f.Path)
	}
	paths = append(paths, r.Also...)
	for _, name := range there {
		if !slices.Contains(paths, name) && !slices.Contains(r.Removed, name) {
			return nil, errs.WithHint(errs.New(errs.Invalid, "%s/%s: is no file of the conflict", dir, name), "remove it, or take it in with --also %s", name)
		}
	}
	for _, name := range paths {
		if edits[name], err = p.resolvedFile(ctx, dir, name, c); err != nil {
			return nil, err
		}
		if c.untouched(name, edits[name].OID) && !slices.Contains(r.Kept, name) {
			return nil, errs.WithHint(errs.New(errs.Conflict, "%s/%s is as it was laid out", dir, name),
				"edit it, or say that it is right with --keep %s, or that the result shall not have it with --remove %s", name, name)
		}
	}
	for _, name := range r.Removed {
		if _, ok := edits[name]; !ok {
			return nil, errs.New(errs.Invalid, "--remove %s: is no file of the conflict", name)
		}
	}
	return edits, nil
}

// untouched reports whether a file of the conflict still is what was laid out.
func (c conflictState) untouched(name string, blob git.OID) bool {
	return slices.ContainsFunc(c.Files, func(f lts.ConflictFile) bool { return f.Path == name && f.Laid == blob })
}

// sides are the versions of a file that the conflict names: lines that one of them has are no markers.
func (p *Project) sides(ctx context.Context, name string, c conflictState) ([][]byte, error) {
	var out [][]byte
	for _, f := range c.Files {
		if f.Path != name || f.Mode == "" || f.Mode == git.ModeSubmodule.String() {
			continue
		}
		for _, id := range []git.OID{f.Base, f.Ours, f.Theirs} {
			if id.IsZero() {
				continue
			}
			content, err := p.Store.Blob(ctx, id)
			if err != nil {
				return nil, err
			}
			out = append(out, content)
		}
	}
	return out, nil
}

func (p *Project) resolvedFile(ctx context.Context, dir, name string, c conflictState) (*git.TreeEntry, error) {
	content, err := p.Files.Read(dir+"/"+name, lts.MaxPatch)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.WithHint(errs.New(errs.Invalid, "%s/%s is missing", dir, name), "bring it back, or say that the result shall not have it with --remove %s", name)
	}
	if err != nil {
		return nil, err
	}
	versions, err := p.sides(ctx, name, c)
	if err != nil {
		return nil, err
	}
	if line := lts.MarkerLine(content, versions...); line > 0 {
		return nil, errs.WithHint(errs.New(errs.Conflict, "%s/%s:%d: has a conflict marker", dir, name, line), "edit the file until no marker is left")
	}
	id, err := p.Store.WriteBlob(ctx, content)
	if err != nil {
		return nil, err
	}
	mode := git.ModeFile
	for _, f := range c.Files {
		switch {
		case f.Path == name && f.Mode == git.ModeExecutable.String():
			mode = git.ModeExecutable
		case f.Path == name && f.Mode == git.ModeSymlink.String():
			mode = git.ModeSymlink
		}
	}
	if there, err := lookup(ctx, p.Store, c.Onto, name); err == nil && there != nil && there.Mode.IsRegular() {
		mode = there.Mode
	}
	return &git.TreeEntry{Mode: mode, OID: id}, nil
}

// ontoTip carries a resolution over to the tip, when patches were added since the conflict was laid out: the resolution is the change from
// the tree that the conflict was met on, and it is picked like any other.
func (p *Project) ontoTip(ctx context.Context, c conflictState, tip *chain, resolved git.OID) (git.OID, error) {
	if resolved == tip.tree {
		return git.OID{}, errs.WithHint(errs.New(errs.Conflict, "the resolution of %s changes nothing", c.name),
			"if the fix is not needed, decide so: kubelts line decide MINOR %s --status not_affected ...", strings.Join(c.Vulnerabilities, ","))
	}
	if c.Onto == tip.tree {
		return resolved, nil
	}
	who := git.Signature{Name: committer().Name, Email: committer().Email}
	before, err := p.Store.WriteCommit(ctx, &git.Commit{Tree: c.Onto, Author: who, Committer: who, Message: "before\n"})
	if err != nil {
		return git.OID{}, err
	}
	after, err := p.Store.WriteCommit(ctx, &git.Commit{Tree: resolved, Parents: []git.OID{before}, Author: who, Committer: who, Message: "resolved\n"})
	if err != nil {
		return git.OID{}, err
	}
	result := backport.New(p.Store, unrelated{}).Pick(ctx, backport.Request{ID: c.name, Commit: after, Onto: tip.tip, OntoTree: tip.tree})
	if result.Outcome == backport.Clean || result.Outcome == backport.Resolved && result.Confidence != backport.Review {
		return result.Tree, nil
	}
	return git.OID{}, errs.WithHint(errs.New(errs.Conflict, "the resolution of %s does not fit the patches that came after it", c.name),
		"take your files out of the directory, remove it, run kubelts line update, and resolve anew")
}

// unrelated is the history of commits that were made on the spot: none is another's ancestor.
type unrelated struct{}

// IsAncestor implements [backport.History].
func (unrelated) IsAncestor(context.Context, git.OID, git.OID) (bool, error) { return false, nil }

// recordResolution puts the patch and the decision into the ledger, for every vulnerability of the conflict.
func (p *Project) recordResolution(s *lineState, c conflictState, patch string, r Resolution) error {
	d := &lts.Decision{Status: lts.StatusFixed, Reason: r.Reason, Author: r.Author.String(), Date: r.Date.String()}
	if err := d.Validate(); err != nil {
		return err
	}
	for _, id := range c.Vulnerabilities {
		e := s.ledger.Find(id)
		if e == nil {
			return errs.New(errs.Invalid, "%s/ledger.yaml: has no %s, which %s is for", s.dir, id, c.name)
		}
		for i := range e.Picks {
			if e.Picks[i].Commit == c.Commit {
				e.Picks[i] = lts.Pick{Commit: c.Commit, Outcome: lts.OutcomePicked, Rung: "person", Patch: patch, Decision: d}
			}
		}
		e.Settle(r.Date.String(), s.standing(e))
	}
	return nil
}
