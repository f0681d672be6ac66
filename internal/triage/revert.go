package triage

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/equiv"
)

// findReverts finds, for each member of a part, the later commits that revert the part. A commit that says so counts when it touches one of
// the part's files: that what is taken back in part is not there is the safe belief.
func (j *judge) findReverts(ctx context.Context, p *part) error {
	if err := j.findInverses(ctx, p); err != nil {
		return err
	}
	for _, r := range j.x.reverts {
		if _, ok := p.members[r]; ok {
			continue
		}
		names := j.s.base(r)
		if shared(p.names, names) == 0 || !j.reverts(r, p.order) {
			continue
		}
		for _, i := range p.order {
			if j.x.isAncestor(i, r) && !slices.Contains(p.undone[i], r) {
				p.undone[i] = append(p.undone[i], r)
			}
		}
	}
	return nil
}

// reverts says whether commit r says that it takes back one of some commits: by its name, by that of the merge or the pull request that brought it, or by its
// subject. A name that leads to something else goes before the subject.
func (j *judge) reverts(r int32, commits []int32) bool {
	c := j.x.commits[r].claims
	known := false
	for _, name := range c.Reverts {
		for _, i := range j.x.named(name) {
			known = true
			if slices.Contains(commits, i) || j.isMerge(i) && j.broughtOne(i, commits) {
				return true
			}
		}
	}
	if known {
		return false
	}
	for _, n := range c.RevertPulls {
		if slices.ContainsFunc(j.x.byPull[n], func(m int32) bool { return j.broughtOne(m, commits) }) {
			return true
		}
	}
	return c.RevertTitle != "" && j.revertsTitle(r, c.RevertTitle, commits)
}

func (j *judge) revertsTitle(r int32, title string, commits []int32) bool {
	plain := equiv.PlainSubject(title)
	return slices.ContainsFunc(j.x.byMerge[title], func(m int32) bool {
		return j.broughtOne(m, commits) && j.x.isAncestor(m, r)
	}) || slices.ContainsFunc(commits, func(i int32) bool {
		return (j.x.commits[i].full == title || j.x.commits[i].subject == plain) && j.x.isAncestor(i, r)
	})
}

func (j *judge) broughtOne(m int32, commits []int32) bool {
	return slices.ContainsFunc(j.x.brought(m), func(i int32) bool { return slices.Contains(commits, i) })
}

func (j *judge) isMerge(i int32) bool {
	c := &j.x.commits[i]
	return c.merge || c.claims != nil && c.claims.Merge
}

// restorers are the later commits that revert the revert r: such a one must touch every file of r.
func (j *judge) restorers(r int32) []int32 {
	if found, ok := j.restored[r]; ok {
		return found
	}
	taken := j.s.base(r)
	var found []int32
	for _, rr := range j.x.reverts {
		if rr != r && shared(taken, j.s.base(rr)) == len(taken) && j.reverts(rr, []int32{r}) && j.x.isAncestor(r, rr) {
			found = append(found, rr)
		}
	}
	j.restored[r] = found
	return found
}

// effective says whether the revert r stands among the commits of root, and which commit took it back otherwise.
func (j *judge) effective(r int32, root bits, memo map[int32]bool) (stands bool, by int32) {
	for _, rr := range j.restorers(r) {
		if !root.has(rr) {
			continue
		}
		again, seen := memo[rr]
		if !seen {
			again, _ = j.effective(rr, root, memo)
			memo[rr] = again
		}
		if again {
			return false, rr
		}
	}
	return true, 0
}
