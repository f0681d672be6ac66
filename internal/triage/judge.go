package triage

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
	"github.com/kubelts/kubelts/internal/vuln"
)

// judge is one run over one repository.
type judge struct {
	repository string
	history    History
	off        []string // kinds of evidence that are switched off
	x          *index
	s          *survey
	commits    *commitNames
	unread     map[git.OID]error // commits that the records name and that could not be walked
	mains      []int32           // tips of what may be the main branch
	targets    []Target
	tips       []int32 // of the targets
	tags       []tag
	restored   map[int32][]int32
	code       *code
	hunksOf    map[int32][]presence.Hunk
	faults     map[int32]error // why the hunks of a seed cannot be read
	sights     map[sightKey]*sight
	undone     map[sightKey][]Evidence // by seed and tip: lines that were put back
	origins    map[*part]*origin
}

// subject is a record on its way to verdicts.
type subject struct {
	record     *vuln.Record
	fixes      []*fix
	follow     []*fix // what completes or repairs them
	introduced []*part
	unsure     []Evidence // why nothing can be said about what brought the flaw in
}

// Judge judges each record against each target. The repository is the upstream's name (owner/name), by which fixes are chosen. An error
// means that nothing could be judged; what concerns one record only is in the evidence of its verdicts.
func Judge(ctx context.Context, history History, repository string, records []*vuln.Record, targets []Target) ([]Verdict, error) {
	return JudgeWithout(ctx, Without{History: history}, repository, records, targets)
}

// Without is a history of which some kinds of evidence are not looked at, to see what the others are worth.
type Without struct {
	History

	Kinds []string
}

// JudgeWithout is [Judge] with kinds of evidence switched off.
func JudgeWithout(ctx context.Context, history Without, repository string, records []*vuln.Record, targets []Target) ([]Verdict, error) {
	j := newJudge(history, repository, targets)
	if err := j.read(ctx, history.History, records); err != nil {
		return nil, err
	}
	subjects := make([]*subject, len(records))
	for n, r := range records {
		subjects[n] = j.subject(r)
	}
	if err := j.survey(ctx, history.History, subjects); err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, 0, len(records)*len(targets))
	for _, s := range subjects {
		for n := range targets {
			v, err := j.weigh(ctx, s, n)
			if err != nil {
				return nil, err
			}
			j.alarms(s, &v, j.x.reach(j.tips[n]))
			verdicts = append(verdicts, v)
		}
		j.newerLacks(verdicts[len(verdicts)-len(targets):])
	}
	return verdicts, nil
}

func newJudge(history Without, repository string, targets []Target) *judge {
	j := &judge{repository: repository, history: history.History, off: history.Kinds, targets: targets, restored: map[int32][]int32{}}
	j.code, j.hunksOf, j.sights = newCode(history.History), map[int32][]presence.Hunk{}, map[sightKey]*sight{}
	j.faults = map[int32]error{}
	j.undone, j.origins = map[sightKey][]Evidence{}, map[*part]*origin{}
	return j
}

// read walks the history of the targets, of main branches and release tags, and of what the records name besides.
func (j *judge) read(ctx context.Context, h History, records []*vuln.Record) error {
	var err error
	if j.commits, err = resolveNames(ctx, h, j.repository, records); err != nil {
		return err
	}
	return j.walk(ctx, h)
}

// walk walks the history, with what commits names.
func (j *judge) walk(ctx context.Context, h History) error {
	var tips, mains []git.OID
	for _, t := range j.targets {
		if t.Commit.IsZero() {
			return errs.New(errs.Invalid, "target %q names no commit", t.Name)
		}
		tips = append(tips, t.Commit)
	}
	refs := h.Refs()
	for _, name := range []string{"refs/heads/main", "refs/heads/master", "refs/remotes/origin/main", "refs/remotes/origin/master"} {
		if i := slices.IndexFunc(refs, func(r git.Ref) bool { return r.Name == name && !r.Commit.IsZero() }); i >= 0 {
			mains = append(mains, refs[i].Commit)
		}
	}
	tips = append(tips, mains...)
	j.tags = releaseTags(refs)
	for _, t := range j.tags {
		tips = append(tips, t.oid)
	}
	named := make([]git.OID, 0, len(j.commits.oids))
	for _, oid := range j.commits.oids {
		named = append(named, oid)
	}
	slices.SortFunc(named, compareOIDs)
	slices.SortFunc(tips, compareOIDs)
	tips = slices.Compact(tips)
	table, err := h.Index(ctx, j.repository, tips)
	if err != nil {
		return err
	}
	if j.x, j.unread, err = readIndex(ctx, h, table, tips, slices.Compact(named)); err != nil {
		return err
	}
	for _, t := range j.targets {
		at, ok := j.x.at[t.Commit]
		if !ok {
			return errs.New(errs.Internal, "target %q: commit %s was not walked", t.Name, t.Commit)
		}
		j.tips = append(j.tips, at)
	}
	for _, oid := range mains {
		j.mains = append(j.mains, j.x.at[oid])
	}
	return nil
}

// subject finds what a record names.
func (j *judge) subject(r *vuln.Record) *subject {
	s := &subject{record: r, fixes: j.findFixes(r.RequiredFixes(j.repository)), follow: j.findFixes(followUps(r, j.repository))}
	for _, name := range introduced(r, j.repository) {
		i, missing := j.commits.place(j.x, j.unread, name)
		if missing != nil {
			s.unsure = append(s.unsure, *missing)
			continue
		}
		for _, brought := range j.expand(i) {
			if c := &j.x.commits[brought]; c.merge {
				s.unsure = append(s.unsure, Evidence{Kind: KindAbsentObject, Commit: c.oid, Note: "what this merge brought is too much to look for"})
			}
			p := newPart(j.x.commits[brought].oid)
			p.add(brought, "")
			s.introduced = append(s.introduced, p)
		}
	}
	return s
}

func (s *subject) parts() []*part {
	parts := slices.Clone(s.introduced)
	for _, f := range slices.Concat(s.fixes, s.follow) {
		for _, in := range f.instances {
			parts = append(parts, in.parts...)
		}
	}
	return parts
}

// survey reads what commits change, and finds for each part the commits that are the same change.
func (j *judge) survey(ctx context.Context, h History, subjects []*subject) error {
	var parts []*part
	for _, s := range subjects {
		parts = append(parts, s.parts()...)
	}
	if err := j.findRepetitions(ctx, h, parts); err != nil {
		return err
	}
	if err := j.look(ctx, parts); err != nil {
		return err
	}
	return j.s.readMerged(ctx, j.bringers(parts))
}

// findRepetitions reads what commits change, and finds for each part the commits that are the same change, but for those which only the files show.
func (j *judge) findRepetitions(ctx context.Context, h History, parts []*part) error {
	j.s = newSurvey(j.x, h)
	if len(parts) == 0 {
		return nil
	}
	j.s.follow(parts)
	var alike []int32
	for _, p := range parts {
		j.findPulls(p)
		for _, seed := range p.seeds {
			if alike = append(alike, seed); !j.without(KindDependency) {
				alike = append(alike, j.x.byTitle[j.x.commits[seed].subject]...)
			}
		}
	}
	slices.Sort(alike)
	if err := j.s.readBumps(ctx, slices.Compact(alike)); err != nil {
		return err
	}
	for _, p := range parts {
		if err := j.settle(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// findPulls finds the pull requests with which a part's commits came onto the main branch, or onto a target that has them.
func (j *judge) findPulls(p *part) {
	for _, seed := range p.seeds {
		for _, tip := range slices.Concat(j.mains, j.tips) {
			if n := j.x.pullOf(seed, tip); n != 0 {
				p.pulls = append(p.pulls, n)
				break
			}
		}
	}
	slices.Sort(p.pulls)
	p.pulls = slices.Compact(p.pulls)
}

// settle finds the part's members and what takes them back.
func (j *judge) settle(ctx context.Context, p *part) error {
	for _, seed := range p.seeds {
		p.names = append(p.names, j.s.base(seed)...)
	}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	var err error
	if p.members, err = j.gather(ctx, p); err != nil {
		return err
	}
	for i := range p.members {
		p.order = append(p.order, i)
	}
	slices.Sort(p.order)
	return j.findReverts(ctx, p)
}
