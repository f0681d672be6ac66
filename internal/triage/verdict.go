package triage

import (
	"fmt"
	"slices"

	"github.com/kubelts/kubelts/internal/release"
)

// found is a part of a fix on a target, or what is known of its absence.
type found struct {
	part     *part
	fix      int   // the fix's place in the record
	on       int32 // the member that stands for it; -1 when there is none
	evidence []Evidence
}

// verdict judges one record on one target by its history.
func (j *judge) verdict(s *subject, target int) (Verdict, attempt) {
	t := j.targets[target]
	v := Verdict{Vulnerability: s.record.ID, Branch: t.Name, Status: UnderInvestigation}
	if !s.record.Withdrawn.IsZero() {
		v.Evidence = append(v.Evidence, Evidence{Kind: KindWithdrawn, Note: "withdrawn " + s.record.Withdrawn.UTC().Format("2006-01-02")})
		return v, attempt{}
	}
	root := j.x.reach(j.tips[target])
	if len(s.fixes) == 0 {
		v.Evidence = append(v.Evidence, j.noFix(s))
		j.notIntroduced(s, root, &v)
		return v, attempt{}
	}
	var first attempt
	for n, group := range s.groups(t.Name) {
		a := j.attempt(group, t.Name, root)
		if n == 0 || a.whole {
			first = a
		}
		if a.whole {
			break
		}
	}
	v.Evidence = first.evidence
	for _, p := range first.here {
		v.Matches = append(v.Matches, Match{Fix: p.fix, Commit: p.part.commit, On: j.x.commits[p.on].oid, Kind: p.evidence[0].Kind})
	}
	if first.whole {
		j.fixed(s, first.here, &v)
		return v, first
	}
	if first.unknown {
		return v, first
	}
	v.Status = Affected
	for i := range v.Evidence {
		if len(first.here) > 0 && v.Evidence[i].Kind == KindNotFound {
			v.Evidence[i].Kind = KindPartial
		}
	}
	if !slices.ContainsFunc(v.Evidence, func(e Evidence) bool { return e.Kind == KindReverted || e.Kind == KindPartial }) {
		j.notIntroduced(s, root, &v)
	}
	return v, first
}

// attempt is what a target has of fixes that must all be there.
type attempt struct {
	here     []found
	parts    []found // those that are here, and those that are not
	evidence []Evidence
	whole    bool
	main     bool // the record names one of the fixes for the main branch
	unknown  bool // something that could be what is missing cannot be read
}

func (j *judge) attempt(fixes []*fix, branch string, root bits) attempt {
	a := attempt{whole: true}
	for _, f := range fixes {
		a.main = a.main || f.main
		parts, complete := j.findFix(f, branch, root)
		a.parts = append(a.parts, parts...)
		for _, p := range parts {
			a.evidence = append(a.evidence, p.evidence...)
			if p.on >= 0 {
				p.fix = f.place
				a.here = append(a.here, p)
			}
		}
		if complete {
			continue
		}
		a.whole = false
		for _, missing := range f.absent {
			a.evidence = append(a.evidence, missing.evidence)
		}
		unreadable := j.unreadable(parts, root)
		a.evidence = append(a.evidence, unreadable...)
		a.unknown = a.unknown || len(unreadable) > 0 || f.undecided(branch)
	}
	return a
}

func (j *judge) noFix(s *subject) Evidence {
	note := "the record names no fix in " + j.repository
	if s.record.Kubelts.Unfixed {
		note += "; upstream fixes it nowhere"
	}
	return Evidence{Kind: KindNoFixKnown, Note: note}
}

func (j *judge) fixed(s *subject, here []found, v *Verdict) {
	v.Status = Fixed
	on := make([]int32, len(here))
	for i, p := range here {
		on[i] = p.on
	}
	v.Commit = j.x.commits[slices.Min(on)].oid
	v.FixedIn = j.fixedIn(v.Branch, s, on)
}

// findFix looks for the instance of a fix that a target has in full, and gives the parts of the one of which it has most.
func (j *judge) findFix(f *fix, branch string, root bits) (parts []found, complete bool) {
	most := -1
	for _, in := range f.instances {
		if len(in.parts) == 0 {
			continue
		}
		here, count := make([]found, 0, len(in.parts)), 0
		for _, p := range in.parts {
			one := j.findPart(p, branch, root)
			if one.on >= 0 {
				count++
			}
			here = append(here, one)
		}
		if in.absent == 0 && count == len(in.parts) {
			return here, true
		}
		if count > most {
			parts, most = here, count
		}
	}
	return parts, false
}

// findPart looks for the member of a part that stands on a target.
func (j *judge) findPart(p *part, branch string, root bits) found {
	one := found{part: p, on: -1}
	var gone []Evidence
	var standing []int32
	for _, i := range p.order {
		if !root.has(i) {
			continue
		}
		stands, why := j.stands(p, i, branch, root)
		if !stands {
			gone = append(gone, why...)
			continue
		}
		standing = append(standing, i)
		evidence := append(j.evidence(p, i, branch), why...)
		// Of equals the oldest counts: it is from there on that the fix was there.
		if one.on < 0 || kindOrder(evidence[0].Kind) <= kindOrder(one.evidence[0].Kind) {
			one.on, one.evidence = i, evidence
		}
	}
	if one.on >= 0 {
		if lacking := j.lacking(p, standing, branch, root); onlySaid(one.evidence[0].Kind) && len(lacking) > 0 {
			one.on = -1
			one.evidence = append(one.evidence, lacking...)
		}
		return one
	}
	one.evidence = slices.CompactFunc(gone, func(a, b Evidence) bool { return a.Commit == b.Commit })
	if len(gone) == 0 {
		one.evidence = []Evidence{{Kind: KindNotFound, Commit: p.commit, Note: fmt.Sprintf("%s: no ancestor and not repeated", clip(j.x.commits[p.seeds[0]].full))}}
	}
	return one
}

// evidence says how a member was found, the best first.
func (j *judge) evidence(p *part, i int32, branch string) []Evidence {
	var all []Evidence
	c := &j.x.commits[i]
	switch branches := p.named[i]; {
	case c.oid == p.commit && slices.Contains(branches, branch) && j.isReleaseBranch(branch):
		return []Evidence{{Kind: KindNamed, Commit: c.oid, Note: clip(c.full)}}
	case c.oid == p.commit:
		return []Evidence{{Kind: KindAncestor, Commit: c.oid, Note: clip(c.full)}}
	case slices.Contains(branches, branch):
		all = append(all, Evidence{Kind: KindNamed, Strength: Strong, Commit: c.oid, Note: clip(c.full)})
	case len(branches) > 0:
		all = append(all, Evidence{Kind: KindNamed, Strength: Strong, Commit: c.oid, Note: "the record names it for " + branches[0]})
	}
	all = append(all, p.members[i]...)
	slices.SortStableFunc(all, func(a, b Evidence) int { return kindOrder(a.Kind) - kindOrder(b.Kind) })
	return withoutImplied(all)
}

// withoutImplied leaves out what follows from stronger evidence: equal patches have equal lines.
func withoutImplied(all []Evidence) []Evidence {
	content := []string{KindPatchID, KindPlainPatch, KindFilePatch, KindLines}
	best := slices.IndexFunc(content, func(kind string) bool {
		return slices.ContainsFunc(all, func(e Evidence) bool { return e.Kind == kind })
	})
	return slices.DeleteFunc(all, func(e Evidence) bool { return best >= 0 && slices.Index(content, e.Kind) > best })
}

func (j *judge) isReleaseBranch(branch string) bool {
	_, ok := release.MinorOfBranch(j.repository, branch)
	return ok
}

// stands says whether a member is in force among the commits of root, and names the reverts that touch it.
func (j *judge) stands(p *part, i int32, branch string, root bits) (bool, []Evidence) {
	if m := j.dropped(i, branch, root); m >= 0 {
		c := &j.x.commits[m]
		return false, []Evidence{{Kind: KindReverted, Commit: c.oid, Note: clip(c.full) + "; brought " + j.x.commits[i].oid.Short() + " and changed no file of such a name"}}
	}
	memo := map[int32]bool{}
	var why []Evidence
	for _, r := range p.undone[i] {
		if !root.has(r) {
			continue
		}
		effective, by := j.effective(r, root, memo)
		c := &j.x.commits[r]
		if effective {
			return false, []Evidence{{Kind: KindReverted, Commit: c.oid, Note: clip(c.full) + "; takes back " + j.x.commits[i].oid.Short()}}
		}
		why = append(why, Evidence{Kind: KindRestored, Commit: j.x.commits[by].oid, Note: "takes back the revert " + c.oid.Short()})
	}
	return true, why
}

// fixedAt says whether the fixes that a branch needs are in force among the commits of root.
func (j *judge) fixedAt(s *subject, branch string, root bits) bool {
	return slices.ContainsFunc(s.groups(branch), func(group []*fix) bool { return j.attempt(group, branch, root).whole })
}

// unreadable names the missing commits of a fix that could not be read, and those of a target that could not be and may be what is missing.
func (j *judge) unreadable(parts []found, root bits) []Evidence {
	if len(j.s.unread) == 0 {
		return nil
	}
	var all []Evidence
	for _, p := range parts {
		for _, seed := range p.part.seeds {
			if err := j.s.unread[seed]; err != nil && p.on < 0 && !root.has(seed) {
				all = append(all, Evidence{Kind: KindAbsentObject, Commit: j.x.commits[seed].oid, Note: absentNote("what the fix changes cannot be read", err)})
			}
		}
	}
	for _, at := range j.s.unreadOrder() {
		if !root.has(at) {
			continue
		}
		matters := slices.ContainsFunc(parts, func(p found) bool {
			return p.on < 0 && slices.ContainsFunc(p.part.seeds, func(seed int32) bool {
				return j.s.maySame(at, seed)
			})
		})
		if matters {
			all = append(all, Evidence{Kind: KindAbsentObject, Commit: j.x.commits[at].oid, Note: absentNote("what it changes cannot be read", j.s.unread[at])})
		}
		if len(all) == maxUnreadEvidence {
			break
		}
	}
	return all
}

// mayHide reports whether a commit of root that cannot be read may be one of some parts.
func (j *judge) mayHide(parts []*part, root bits) bool {
	for i := range j.s.unread {
		if root.has(i) && slices.ContainsFunc(parts, func(p *part) bool {
			return slices.ContainsFunc(p.seeds, func(seed int32) bool { return j.s.maySame(i, seed) })
		}) {
			return true
		}
	}
	return false
}

// notIntroduced clears a target that has none of the commits which brought the flaw in, when the record names them all and all are here.
func (j *judge) notIntroduced(s *subject, root bits, v *Verdict) {
	if len(s.introduced) == 0 || len(s.unsure) > 0 || j.mayHide(s.introduced, root) {
		v.Evidence = append(v.Evidence, s.unsure...)
		return
	}
	var cleared []Evidence
	for _, p := range s.introduced {
		if slices.ContainsFunc(p.order, root.has) {
			return
		}
		cleared = append(cleared, Evidence{Kind: KindNotIntroduced, Commit: p.commit, Note: "brought the flaw in, and is neither an ancestor nor repeated"})
	}
	v.Status, v.Evidence = NotAffected, cleared
}
