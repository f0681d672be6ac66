package triage

import "slices"

// carried are the commits that came with pull requests that carried a part over: those with the part's subject, or the only one; and that touch
// at least half of the part's files. So are those that came with another merge of the very pull request, with the part's subject: a branch may be published
// by itself, with commits of its own for what the main branch has, too.
func (j *judge) carried(p *part) []neighbour {
	if j.without(KindPullRequest) {
		return nil
	}
	var merges []int32
	for _, n := range p.pulls {
		merges = append(merges, j.x.byPick[n]...)
	}
	for _, n := range p.carried {
		merges = append(merges, j.x.byPull[n]...)
	}
	slices.Sort(merges)
	var found []neighbour
	add := func(i, m int32) {
		note := "came with " + j.x.commits[m].oid.Short() + ", " + clip(j.x.commits[m].full)
		found = append(found, neighbour{commit: i, evidence: Evidence{Kind: KindPullRequest, Commit: j.x.commits[i].oid, Note: note}})
	}
	for _, m := range slices.Compact(merges) {
		for _, i := range j.carriedBy(p, m) {
			add(i, m)
		}
	}
	for _, seed := range p.seeds {
		commits, merges := j.again(seed)
		for n, i := range commits {
			if j.covers(p, i) {
				add(i, merges[n])
			}
		}
	}
	return found
}

// carriedBy are the commits of a merge that carry a part over. Of several with the part's subject, where the merge carried several pull requests that may each have
// brought one, it cannot be told which is which: none is taken.
func (j *judge) carriedBy(p *part, m int32) []int32 {
	brought := j.x.brought(m)
	same := slices.DeleteFunc(slices.Clone(brought), func(i int32) bool { return !j.sameSubject(p, i) })
	if len(same) > 1 && slices.ContainsFunc(p.seeds, func(seed int32) bool { return len(j.namesakes(seed)) > 0 }) {
		return nil
	}
	if len(same) == 0 && len(brought) == 1 {
		same = brought
	}
	return slices.DeleteFunc(slices.Clone(same), func(i int32) bool { return !j.covers(p, i) })
}

// covers reports whether a commit that is said to carry a part over touches at least half of its files, and is no other commit of the part's history.
func (j *judge) covers(p *part, i int32) bool {
	return 2*shared(p.names, j.s.base(i)) >= len(p.names) && !j.isAnother(p, i)
}

// home is the tip of a history in which a commit stands, that of the main branch first.
func (j *judge) home(i int32) (tip int32, ok bool) {
	for _, tip := range slices.Concat(j.mains, j.tips) {
		if j.x.reach(tip).has(i) {
			return tip, true
		}
	}
	return 0, false
}

// again are the commits that came with another merge of the pull request that brought a seed: a merge with the same subject to the letter, outside of the history
// where the seed stands. Both merges must have brought one commit of the seed's subject.
func (j *judge) again(seed int32) (commits, merges []int32) {
	tip, ok := j.home(seed)
	if !ok {
		return nil, nil
	}
	m := j.x.mergeOf(seed, tip)
	if m < 0 || m == seed || j.alike(seed, m) != seed {
		return nil, nil
	}
	root, c := j.x.reach(tip), &j.x.commits[m]
	for _, o := range j.x.byPull[c.claims.Pull] {
		if other := &j.x.commits[o]; root.has(o) || other.full != c.full || !other.claims.Merge {
			continue
		}
		if i := j.alike(seed, o); i >= 0 && i != seed {
			commits, merges = append(commits, i), append(merges, o)
		}
	}
	return commits, merges
}

// alike is the one commit with a seed's subject that a merge brought; -1 where there are none or several.
func (j *judge) alike(seed, m int32) int32 {
	found := int32(-1)
	for _, i := range j.x.brought(m) {
		if j.x.commits[i].subject != j.x.commits[seed].subject {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// namesakes are the other commits with a seed's subject in the history where it stands.
func (j *judge) namesakes(seed int32) []int32 {
	tip, ok := j.home(seed)
	if !ok {
		return nil
	}
	root := j.x.reach(tip)
	return slices.DeleteFunc(slices.Clone(j.x.byTitle[j.x.commits[seed].subject]), func(o int32) bool { return o == seed || !root.has(o) })
}

// changesNothing reports whether none of a part's seeds changes a file of the repository.
func (j *judge) changesNothing(p *part) bool {
	return !slices.ContainsFunc(p.seeds, func(seed int32) bool { return !j.x.commits[seed].nothing() })
}

// nothing reports whether it is known of a commit that it changes no file.
func (c *commit) nothing() bool {
	return c.change != nil && c.change.Unread == "" && len(c.change.Files) == 0
}
