package triage

import (
	"context"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
)

// weigh judges one record on one target by history, and then by what stands in its files. Where the two disagree, it is under investigation with
// both sides listed.
func (j *judge) weigh(ctx context.Context, s *subject, target int) (Verdict, error) {
	v, a := j.verdict(s, target)
	tip := j.tips[target]
	var err error
	switch v.Status {
	case Fixed:
		err = j.doubt(ctx, &v, a, tip)
	case Affected:
		err = j.nothingOfIt(ctx, &v, a, tip)
	case NotAffected:
		err = j.confirm(ctx, &v, a, tip)
	case UnderInvestigation:
	}
	return v, err
}

// open takes a verdict back: what was said for it stays in the evidence.
func (v *Verdict) open(why ...Evidence) {
	v.Status, v.FixedIn, v.Commit = UnderInvestigation, "", git.OID{}
	for _, e := range why {
		if !slices.Contains(v.Evidence, e) {
			v.Evidence = append(v.Evidence, e)
		}
	}
}

// doubt looks for lines that a commit, which is said to be the fix, did not carry over, and for lines that were put back.
func (j *judge) doubt(ctx context.Context, v *Verdict, a attempt, tip int32) error {
	for _, f := range a.here {
		for _, e := range j.undone[sightKey{f.part.seeds[0], tip}] {
			// A commit of the fix itself may go on from where another one left it.
			at := j.x.at[e.Commit]
			own := slices.ContainsFunc(a.here, func(o found) bool { return o.part.members[at] != nil || slices.Contains(o.part.seeds, at) })
			switch {
			case own:
			case strings.HasSuffix(e.Note, replacedNote):
				v.Evidence = append(v.Evidence, e)
			default:
				v.open(e)
			}
		}
		check := j.doubtPart
		if best := f.evidence[0].Strength; best == Strong || best == "" {
			check = j.doubtStrong
		}
		if err := check(ctx, v, f, tip); err != nil {
			return err
		}
		if err := j.doubtModules(ctx, v, f.part, tip); err != nil {
			return err
		}
	}
	return nil
}

// doubtPart looks whether a commit that is said to be a part of the fix has carried over as much as the fix, or as one of its known instances.
func (j *judge) doubtPart(ctx context.Context, v *Verdict, f found, tip int32) error {
	var least []Evidence
	for n, seed := range f.part.seeds {
		missed, err := j.missed(ctx, seed, f.on, tip)
		if err != nil {
			return err
		}
		if n == 0 || len(missed) < len(least) {
			least = missed
		}
	}
	if len(least) > 0 {
		v.open(least...)
	}
	s, err := j.see(ctx, f.part, tip)
	if err != nil {
		return err
	}
	if s.fault != nil {
		if f.evidence[0].Strength == Weak {
			v.open(Evidence{Kind: KindAbsentObject, Note: absentNote("whether the branch has the fix's lines cannot be read", s.fault)})
		}
		return nil
	}
	switch {
	case len(least) > 0:
		v.open(s.evidence(presence.After)...)
	case f.evidence[0].Strength == Weak && len(s.states) > 0 && s.count(presence.After) == 0:
		v.open(s.evidence(presence.Drifted, presence.Absent)...)
	}
	return nil
}

// missed are the hunks of a seed that stood as the seed found them before a member, stand so behind it, and not as the seed leaves them on the target.
func (j *judge) missed(ctx context.Context, seed, member, tip int32) ([]Evidence, error) {
	c := &j.x.commits[member]
	if len(c.parents) == 0 {
		return nil, nil
	}
	var views [3]*sight
	for n, at := range []int32{c.parents[0], member, tip} {
		view, err := j.seeAs(ctx, seed, at)
		if err != nil {
			return nil, err
		}
		if views[n] = view; view.fault != nil {
			break
		}
	}
	if views[2] == nil || views[2].fault != nil {
		return nil, nil //nolint:nilerr // what cannot be read is not held against the commit: history found it
	}
	var all []Evidence
	for i, state := range views[1].states {
		if state == presence.Before && views[0].states[i] == presence.Before && views[2].states[i] != presence.After && len(all) < maxShown {
			all = append(all, Evidence{
				Kind: KindBefore, Commit: j.x.commits[seed].oid, Path: views[1].where[i],
				Note: views[1].hunks[i].Decl + ": as before the fix, behind the commit that is said to be it",
			})
		}
	}
	return all, nil
}

// nothingOfIt looks at the files of a target on which history shows nothing of the fix.
func (j *judge) nothingOfIt(ctx context.Context, v *Verdict, a attempt, tip int32) error {
	if slices.ContainsFunc(v.Evidence, func(e Evidence) bool { return e.Kind == KindPartial && e.Path != "" }) {
		return j.partly(ctx, v, a, tip)
	}
	if len(a.here) > 0 || slices.ContainsFunc(v.Evidence, func(e Evidence) bool { return e.Kind == KindReverted || e.Kind == KindPartial }) {
		return nil
	}
	seen := map[presence.State]int{}
	var evidence []Evidence
	looked := false
	for _, f := range a.parts {
		s, err := j.see(ctx, f.part, tip)
		if err != nil {
			return err
		}
		if fault := s.fault; fault != nil {
			v.Evidence = append(v.Evidence, Evidence{Kind: KindAbsentObject, Note: absentNote("what the branch has cannot be read", fault)})
			return nil
		}
		for _, state := range []presence.State{presence.After, presence.Before, presence.Drifted, presence.Absent} {
			seen[state] += s.count(state)
		}
		evidence = append(evidence, s.evidence(presence.Before, presence.After, presence.Drifted)...)
		looked = looked || len(s.states) > 0
	}
	evidence = evidence[:min(len(evidence), maxShown)]
	switch {
	case seen[presence.Before] > 0:
		v.Evidence = append(v.Evidence, evidence...)
	case seen[presence.After] == 0 && seen[presence.Drifted] > 0:
		v.Evidence = append(v.Evidence, evidence...)
		if why := j.mayBeElsewise(a, tip); len(why) > 0 {
			v.open(why...)
		}
	case seen[presence.After] > 0:
		v.open(evidence...)
	case seen[presence.Absent] > 0:
		return j.notThere(ctx, v, a, tip)
	case !looked:
		return j.withoutModules(ctx, v, a, tip)
	}
	return nil
}

// mayBeElsewise says why a target, on which nothing stands as the fix found it, may have no need of the fix or have it in other words: the record names the fix for
// other release branches only, or a later commit with the fix's subject changes a file of such a name.
func (j *judge) mayBeElsewise(a attempt, tip int32) []Evidence {
	if !a.main {
		return []Evidence{{Kind: KindDrifted, Note: "the record names the fix for other release branches only, and nothing stands here as it found it there"}}
	}
	root := j.x.reach(tip)
	var why []Evidence
	for _, f := range a.parts {
		seed := f.part.seeds[0]
		for _, i := range j.x.byTitle[j.x.commits[seed].subject] {
			c := &j.x.commits[i]
			if i != seed && root.has(i) && c.when >= j.x.commits[seed].when && shared(f.part.names, j.s.base(i)) > 0 && len(why) < maxShown {
				why = append(why, Evidence{Kind: KindDrifted, Commit: c.oid, Note: "has the fix's subject and changes a file of such a name: it may be the fix in other words"})
			}
		}
	}
	return why
}

// confirm looks whether a target that lacks the commits, which the record says brought the flaw in, lacks the code as well.
func (j *judge) confirm(ctx context.Context, v *Verdict, a attempt, tip int32) error {
	for _, f := range a.parts {
		s, err := j.see(ctx, f.part, tip)
		if err != nil {
			return err
		}
		if s.fault == nil && s.count(presence.Before) > 0 {
			v.open(s.evidence(presence.Before)...)
		}
	}
	if v.Status == NotAffected {
		v.Justification = NotPresent
	}
	return nil
}

// notThere clears a target when nothing of what the fix changed is there, and what brought it is not there either. All parts must agree. Where the code stands
// under another name, and where nobody knows since when there is such code, the target stays affected.
func (j *judge) notThere(ctx context.Context, v *Verdict, a attempt, tip int32) error {
	var cleared []Evidence
	doubts, err := j.notLooked(ctx, a, tip)
	if err != nil {
		return err
	}
	there := false
	for _, f := range a.parts {
		p := f.part
		if s, unread := j.see(ctx, p, tip); unread != nil || len(s.states) == 0 {
			continue
		}
		o, err := j.originOf(ctx, p)
		if err != nil {
			return err
		}
		yes, why, err := j.lacks(ctx, p, o, tip)
		if err != nil {
			return err
		}
		if yes {
			cleared = append(cleared, why...)
			continue
		}
		doubts = append(doubts, why...)
		there = there || o.unknown || slices.ContainsFunc(why, func(e Evidence) bool { return e.Kind == KindBefore })
	}
	if there {
		v.Evidence = append(v.Evidence, doubts...)
		return nil
	}
	if len(cleared) == 0 || len(doubts) > 0 {
		v.open(append(cleared, doubts...)...)
		return nil
	}
	v.Status, v.Justification, v.Evidence = NotAffected, NotPresent, cleared
	return nil
}
