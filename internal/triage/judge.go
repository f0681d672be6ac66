package triage

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/vuln"
)

// judge is one run over one repository.
type judge struct {
	repository string
	x          *index
	s          *survey
	commits    *commitNames
	unread     map[git.OID]error // commits that the records name and that could not be walked
	mains      []int32           // tips of what may be the main branch
	targets    []Target
	tips       []int32 // of the targets
	tags       []tag
	restored   map[int32][]int32
}

// subject is a record on its way to verdicts.
type subject struct {
	record     *vuln.Record
	fixes      []*fix
	introduced []*part
	unsure     []Evidence // why nothing can be said about what brought the flaw in
}

// Judge judges each record against each target. The repository is the upstream's name (owner/name), by which fixes are chosen. An error
// means that nothing could be judged; what concerns one record only is in the evidence of its verdicts.
func Judge(ctx context.Context, history History, repository string, records []*vuln.Record, targets []Target) ([]Verdict, error) {
	j := &judge{repository: repository, targets: targets, restored: map[int32][]int32{}}
	if err := j.read(ctx, history, records); err != nil {
		return nil, err
	}
	subjects := make([]*subject, len(records))
	for n, r := range records {
		subjects[n] = j.subject(r)
	}
	if err := j.survey(ctx, history, subjects); err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, 0, len(records)*len(targets))
	for _, s := range subjects {
		for n := range targets {
			v, err := j.verdict(ctx, s, n)
			if err != nil {
				return nil, err
			}
			verdicts = append(verdicts, v)
		}
	}
	return verdicts, nil
}

// read walks the history of the targets, of main branches and release tags, and of what the records name besides.
func (j *judge) read(ctx context.Context, h History, records []*vuln.Record) error {
	var err error
	if j.commits, err = resolveNames(ctx, h, j.repository, records); err != nil {
		return err
	}
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
	if j.x, j.unread, err = readIndex(ctx, h, j.repository, slices.Compact(tips), slices.Compact(named)); err != nil {
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
	s := &subject{record: r, fixes: j.findFixes(r)}
	for _, name := range introduced(r, j.repository) {
		i, missing := j.commits.place(j.x, j.unread, name)
		if missing != nil {
			s.unsure = append(s.unsure, *missing)
			continue
		}
		p := newPart(j.x.commits[i].oid)
		p.add(i, "")
		s.introduced = append(s.introduced, p)
	}
	return s
}

func (s *subject) parts() []*part {
	parts := slices.Clone(s.introduced)
	for _, f := range s.fixes {
		for _, in := range f.instances {
			parts = append(parts, in.parts...)
		}
	}
	return parts
}

// survey reads what commits change, and finds for each part the commits that are the same change.
func (j *judge) survey(ctx context.Context, h History, subjects []*subject) error {
	j.s = newSurvey(j.x, h)
	var parts []*part
	for _, s := range subjects {
		parts = append(parts, s.parts()...)
	}
	if len(parts) == 0 {
		return nil
	}
	w, err := j.wanted(ctx, parts)
	if err != nil {
		return err
	}
	if err := j.s.readSources(ctx, w.seeds); err != nil {
		return err
	}
	if err := j.s.readPaths(ctx, w.names); err != nil {
		return err
	}
	for i := range w.alike {
		if _, ok := slices.BinarySearch(j.s.names[i], dependencies); !ok {
			delete(w.alike, i)
		}
	}
	if err := j.s.readPatches(ctx, w.seeds, w.alike); err != nil {
		return err
	}
	for _, p := range parts {
		if err := j.settle(ctx, p); err != nil {
			return err
		}
	}
	return j.s.readMerged(ctx, j.bringers(parts))
}

// wanted are the commits of which more must be read than that they are there.
type wanted struct {
	names map[int32]bool // the names of their paths
	seeds map[int32]bool // their patches, and those of all with the same paths
	alike map[int32]bool // their dependencies: those with a seed's subject
}

func (j *judge) wanted(ctx context.Context, parts []*part) (wanted, error) {
	w := wanted{names: map[int32]bool{}, seeds: map[int32]bool{}, alike: map[int32]bool{}}
	for _, r := range j.x.reverts {
		w.names[r] = true
	}
	for _, p := range parts {
		j.findPulls(p)
		maybe, err := j.gather(ctx, p)
		if err != nil {
			return w, err
		}
		for i := range maybe {
			w.names[i] = true
		}
		for _, seed := range p.seeds {
			w.seeds[seed] = true
			for _, i := range j.x.byTitle[j.x.commits[seed].subject] {
				w.names[i], w.alike[i] = true, true
			}
		}
	}
	return w, nil
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
		names, err := j.s.base(ctx, seed)
		if err != nil {
			return err
		}
		p.names = append(p.names, names...)
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
