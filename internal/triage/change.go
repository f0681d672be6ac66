package triage

import (
	"bytes"
	"context"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
	"github.com/kubelts/kubelts/internal/release"
)

// Changes finds equal changes for questions other than that of [Judge]: which commits of a repository repeat one, how they came onto a branch, whether they were
// taken back, and whether the lines stand elsewhere. It goes by the same evidence. It must not be used from several goroutines at once.
type Changes struct{ j *judge }

// Change is a commit, and those that are found to be the same change.
type Change struct {
	c       *Changes
	p       *part
	settled bool // what takes it back is known
}

// CommitInfo is what is kept of a commit.
type CommitInfo struct {
	OID     git.OID
	Kube    git.OID // the commit of kubernetes/kubernetes that it was published from
	Subject string  // as it stands
	Author  string
	When    int64 // author date, seconds
	Merge   bool
	Claims  *equiv.Claims // nil when the message claims nothing
	Change  *equiv.Change // nil for a merge
}

// Arrival is how a commit came onto a branch.
type Arrival struct {
	By    git.OID // the merge, or the commit that publishing made of it; the commit itself when there is none
	Pull  int     // the pull request; 0 when nothing tells
	Picks []int   // the pull requests that it says it carries over
	Title string  // the pull request's; mostly empty
	When  int64   // author date of By, seconds
}

// OpenChanges reads the history of branches, of the main branch and of release tags. Two kinds of evidence, for which patches must be read, are looked at by [Change.Closely] only.
func OpenChanges(ctx context.Context, history History, repository string, targets []Target) (*Changes, error) {
	j := newJudge(Without{History: history, Kinds: []string{KindLines, KindDependency}}, repository, targets)
	if err := j.read(ctx, history, nil); err != nil {
		return nil, err
	}
	j.s = newSurvey(j.x, history)
	return &Changes{j}, nil
}

// Commit returns what is kept of a commit.
func (c *Changes) Commit(oid git.OID) (CommitInfo, bool) {
	at, ok := c.j.x.at[oid]
	if !ok {
		return CommitInfo{}, false
	}
	o := &c.j.x.commits[at]
	return CommitInfo{OID: o.oid, Kube: o.kube, Subject: o.full, Author: o.author, When: o.when, Merge: c.j.isMerge(at), Claims: o.claims, Change: o.change}, true
}

// Own returns the commits that can be reached from a tip and from none of others, newest first, merges left out.
func (c *Changes) Own(tip git.OID, others ...git.OID) []git.OID {
	x := c.j.x
	at, ok := x.at[tip]
	if !ok {
		return nil
	}
	root := x.reach(at)
	var without []bits
	for _, o := range others {
		if i, ok := x.at[o]; ok {
			without = append(without, x.reach(i))
		}
	}
	var found []git.OID
	for i := range x.commits {
		at := int32(i)
		if root.has(at) && !c.j.isMerge(at) && !slices.ContainsFunc(without, func(b bits) bool { return b.has(at) }) {
			found = append(found, x.commits[i].oid)
		}
	}
	return found
}

// On reports whether a commit can be reached from a tip.
func (c *Changes) On(oid, tip git.OID) bool {
	i, ok := c.j.x.at[oid]
	at, known := c.j.x.at[tip]
	return ok && known && c.j.x.reach(at).has(i)
}

// Arrived says how a commit came onto the branch with this tip, from which it can be reached.
func (c *Changes) Arrived(oid, tip git.OID) Arrival {
	x := c.j.x
	i, at := x.at[oid], x.at[tip]
	a := Arrival{By: oid, When: x.commits[i].when}
	l := x.line(at)
	by := l.came[i]
	if by == i {
		by = c.j.flattened(i, l)
	}
	if by < 0 {
		return a
	}
	m := &x.commits[by]
	a.By, a.When = m.oid, max(m.when, a.When)
	if m.claims != nil {
		a.Pull, a.Title = m.claims.Pull, m.claims.Title
		a.Picks = m.claims.Picks
	}
	return a
}

// flattened is the commit that publishing made of the merge that brought commit i onto the line; i itself when there is none.
func (j *judge) flattened(i int32, l *line) int32 {
	if c := &j.x.commits[i]; c.claims != nil && c.claims.Pull != 0 {
		return i
	}
	for at := l.place[i] - 1; at >= 0 && at > l.place[i]-maxRun; at-- {
		c := &j.x.commits[l.commits[at]]
		if c.merge {
			return i
		}
		if c.claims != nil && c.claims.Merge {
			return l.commits[at]
		}
	}
	return i
}

// Follow prepares for the changes of some commits; what was not prepared for is found by less evidence.
func (c *Changes) Follow(seeds []git.OID) {
	parts := make([]*part, 0, len(seeds))
	for _, oid := range seeds {
		if i, ok := c.j.x.at[oid]; ok {
			parts = append(parts, seeded(c.j.x, i))
		}
	}
	c.j.s.follow(parts)
}

func seeded(x *index, i int32) *part {
	p := newPart(x.commits[i].oid)
	p.add(i, "")
	return p
}

// Same finds the commits that are the same change as one. Tips are those of the branches by which it came: their pull requests say which ones they carry over.
func (c *Changes) Same(ctx context.Context, oid git.OID, tips ...git.OID) (*Change, error) {
	j := c.j
	i, ok := j.x.at[oid]
	if !ok {
		return nil, errs.New(errs.NotFound, "commit %s is not in this repository's history", oid)
	}
	p := seeded(j.x, i)
	j.findPulls(p)
	for _, tip := range tips {
		if c.On(oid, tip) {
			picks := c.Arrived(oid, tip).Picks
			p.pulls, p.carried = append(p.pulls, picks...), append(p.carried, picks...)
		}
	}
	p.names = slices.Clone(j.s.base(i))
	ch := &Change{c: c, p: p}
	return ch, ch.gather(ctx)
}

func (ch *Change) gather(ctx context.Context) error {
	p := ch.p
	var err error
	if p.members, err = ch.c.j.gather(ctx, p); err != nil {
		return err
	}
	p.order, p.undone, ch.settled = p.order[:0], map[int32][]int32{}, false
	for i := range p.members {
		p.order = append(p.order, i)
	}
	slices.Sort(p.order)
	return nil
}

// Namesakes are the commits with the same subject that can be reached from a tip: whether they are the same change, [Change.Closely] tells.
func (ch *Change) Namesakes(tip git.OID) []git.OID {
	x := ch.c.j.x
	at, ok := x.at[tip]
	if !ok {
		return nil
	}
	root := x.reach(at)
	var found []git.OID
	for _, i := range x.byTitle[x.commits[ch.p.seeds[0]].subject] {
		if root.has(i) && !root.has(ch.p.seeds[0]) {
			found = append(found, x.commits[i].oid)
		}
	}
	return found
}

// Read reads the patches of some commits in one go, so that what asks for them one by one later need not.
func (c *Changes) Read(ctx context.Context, oids []git.OID) error {
	var places []int32
	for _, oid := range oids {
		if i, ok := c.j.x.at[oid]; ok {
			places = append(places, i)
		}
	}
	return c.j.s.readDiffs(ctx, places)
}

// Closely looks for the same change again, by all evidence: also by changed lines and by the versions of dependencies.
func (ch *Change) Closely(ctx context.Context) error {
	j := ch.c.j
	off := j.off
	j.off = nil
	defer func() { j.off = off }()
	seed := ch.p.seeds[0]
	if err := j.s.readBumps(ctx, append(slices.Clone(j.x.byTitle[j.x.commits[seed].subject]), seed)); err != nil {
		return err
	}
	return ch.gather(ctx)
}

// Commits are those that are the same change, newest first.
func (ch *Change) Commits() []git.OID {
	found := make([]git.OID, len(ch.p.order))
	for n, i := range ch.p.order {
		found[n] = ch.c.j.x.commits[i].oid
	}
	return found
}

// Evidence says why a commit is the same change; nothing for the one that was asked for.
func (ch *Change) Evidence(oid git.OID) []Evidence {
	return withoutImplied(slices.Clone(ch.p.members[ch.c.j.x.at[oid]]))
}

// Reverted says whether the change was on the branch with this tip, and is in force no more: by which commit.
func (ch *Change) Reverted(ctx context.Context, tip git.OID) (by git.OID, reverted bool, err error) {
	j, p := ch.c.j, ch.p
	at, ok := j.x.at[tip]
	if !ok {
		return git.OID{}, false, nil
	}
	if !ch.settled {
		if err = j.findReverts(ctx, p); err != nil {
			return git.OID{}, false, err
		}
		ch.settled = true
	}
	root := j.x.reach(at)
	for _, i := range p.order {
		if !root.has(i) {
			continue
		}
		stands, why := j.stands(p, i, "", root)
		if stands {
			return git.OID{}, false, nil
		}
		by, reverted = why[0].Commit, true
	}
	return by, reverted, nil
}

// View is where a change's lines stand in a commit.
type View struct {
	Hunks  []presence.Hunk
	States []presence.State // one for each hunk
	Where  []string         // the paths at which they were found
	// Fault says why the rest could not be looked at; nil when all was.
	Fault error
}

// Watch prepares looking for the lines of changes: files are found by their names where directories moved.
func (c *Changes) Watch(changes []*Change) {
	parts := make([]*part, len(changes))
	for i, ch := range changes {
		parts[i] = ch.p
	}
	for name := range c.j.code.paths {
		delete(c.j.code.paths, name)
	}
	c.j.followNames(parts)
}

// Look looks for the change's lines in a commit: at their paths, and elsewhere under the same file name.
func (ch *Change) Look(ctx context.Context, at git.OID) (*View, error) {
	i, ok := ch.c.j.x.at[at]
	if !ok {
		return nil, errs.New(errs.NotFound, "commit %s is not in this repository's history", at)
	}
	if fault, err := ch.unreadable(ctx); fault != nil || err != nil {
		return &View{Fault: fault}, err
	}
	s, err := ch.c.j.see(ctx, ch.p, i)
	if err != nil {
		return nil, err
	}
	v := &View{s.hunks, slices.Clone(s.states), slices.Clone(s.where), s.fault}
	return v, ch.c.renamed(ctx, v, at)
}

// renamed looks for the lines of declarations that are not there in the rest of their files: they may stand under another name.
func (c *Changes) renamed(ctx context.Context, v *View, at git.OID) error {
	for i := range v.States {
		h := &v.Hunks[i]
		if v.States[i] != presence.Absent || h.New || len(h.Raw) == 0 {
			continue
		}
		for _, file := range append([]string{h.Path}, c.j.code.paths[path.Base(h.Path)]...) {
			content, err := c.j.code.content(ctx, at, file)
			if err != nil {
				return ignoreAbsent(err)
			}
			if content != nil && 2*linesIn(content, h.Raw) >= len(h.Raw) {
				v.States[i], v.Where[i] = presence.Drifted, file
				break
			}
		}
	}
	return nil
}

// linesIn counts the lines that stand in a file.
func linesIn(content []byte, lines []string) int {
	n := 0
	for _, l := range lines {
		if bytes.Contains(content, []byte(l)) {
			n++
		}
	}
	return n
}

// unreadable says which of the change's source files, before it or behind it, cannot be read.
func (ch *Change) unreadable(ctx context.Context) (fault, err error) {
	j, seed := ch.c.j, ch.p.seeds[0]
	if _, err := j.s.diff(ctx, seed); err != nil {
		return nil, err
	}
	if fault := j.s.unread[seed]; fault != nil {
		return fault, nil
	}
	c := &j.x.commits[seed]
	versions := []git.OID{c.oid}
	for _, p := range c.parents {
		versions = append(versions, j.x.commits[p].oid)
	}
	for _, file := range j.s.sources(seed) {
		for _, version := range versions {
			if _, err := j.code.content(ctx, version, file); err != nil {
				if unreadable(err) {
					return err, nil
				}
				return nil, err
			}
		}
	}
	return nil, nil
}

// Diff is the patch of the commit that was asked for; nil when it cannot be read.
func (ch *Change) Diff(ctx context.Context) ([]byte, error) {
	return ch.c.j.s.diff(ctx, ch.p.seeds[0])
}

// Release is a release tag with its commit and version.
type Release struct {
	Name   string
	Commit git.OID
}

// LastRelease is the newest release of a minor on the way to a commit, or right behind the way, where publishing puts it.
func (c *Changes) LastRelease(tip git.OID, minor release.Minor) (Release, bool) {
	at, ok := c.j.x.at[tip]
	if !ok {
		return Release{}, false
	}
	root := c.j.x.reach(at)
	for _, t := range slices.Backward(c.j.tags) {
		i := c.j.x.at[t.oid]
		if t.version.Minor != minor || !t.version.IsRelease() {
			continue
		}
		if root.has(i) || slices.ContainsFunc(c.j.x.commits[i].parents, root.has) {
			return Release{t.name, t.oid}, true
		}
	}
	return Release{}, false
}
