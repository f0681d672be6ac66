package triage

import (
	"context"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
	"github.com/kubelts/kubelts/internal/presence"
)

// maxLacking bounds the files that a verdict names as not carried over.
const maxLacking = 10

// readMerged reads what merges changed against their first parents.
func (s *survey) readMerged(ctx context.Context, merges []int32) error {
	return s.each(ctx, merges, func(ctx context.Context, oids []git.OID, visit func(git.OID)) error {
		return s.history.Paths(ctx, oids, func(oid git.OID, paths []string) error {
			s.merged[s.x.at[oid]] = baseNames(paths)
			visit(oid)
			return nil
		})
	})
}

// onlySaid reports whether a kind of evidence rests on what messages say: what such a commit changes may be less than the fix.
func onlySaid(kind string) bool {
	return slices.Contains([]string{KindTrailer, KindAuthorDateSubject, KindPullRequest, KindDependency}, kind)
}

// lacking names the files of a part that a branch has and that none of the commits which repeat the part touches, but for those in which the branch has nothing of what
// the part changes. Where the part has several known instances, it is enough to touch the files of one.
func (j *judge) lacking(p *part, standing []int32, branch string, root bits) []Evidence {
	view := j.viewOf(p, branch)
	var least []Evidence
	for n, seed := range p.seeds {
		var lacks []Evidence
		for _, file := range j.s.sources(seed) {
			name := path.Base(file)
			carried := slices.ContainsFunc(standing, func(i int32) bool {
				_, ok := slices.BinarySearch(j.s.base(i), name)
				return ok
			})
			if n == 0 && view.nothingIn(file) {
				continue
			}
			if !carried && len(lacks) < maxLacking && slices.ContainsFunc(j.s.touched[file], root.has) {
				lacks = append(lacks, Evidence{Kind: KindPartial, Commit: p.commit, Path: file, Note: "the fix changes this file, the commit that is said to be it does not"})
			}
		}
		if n == 0 || len(lacks) < len(least) {
			least = lacks
		}
	}
	return least
}

// viewOf is where the lines of a part's first seed stand on the target of a name; nil when that was not looked at.
func (j *judge) viewOf(p *part, target string) *sight {
	at := slices.IndexFunc(j.targets, func(t Target) bool { return t.Name == target })
	if at < 0 {
		return nil
	}
	return j.sights[sightKey{p.seeds[0], j.tips[at]}]
}

// nothingIn reports whether a file, which is there, holds nothing that the fix has still to change: not the declarations that it changes, or its lines already. What
// the fix only adds must be seen elsewhere.
func (s *sight) nothingIn(file string) bool {
	if s == nil || s.fault != nil || len(s.hunks) >= presence.MaxHunks || slices.Contains(s.gone, file) {
		return false
	}
	for i, state := range s.states {
		h := &s.hunks[i]
		if h.Path == file && state != presence.After && (h.New || state != presence.Absent) {
			return false
		}
	}
	return true
}

// partly looks at the files that a commit, which is said to be the fix, did not touch: only where lines stand as before the fix the branch is known to be affected.
func (j *judge) partly(ctx context.Context, v *Verdict, a attempt, tip int32) error {
	for _, f := range a.parts {
		if f.on >= 0 {
			continue
		}
		s, err := j.see(ctx, f.part, tip)
		if err != nil {
			return err
		}
		if s.fault != nil {
			return nil //nolint:nilerr // what cannot be read leaves the branch affected
		}
		for _, e := range f.evidence {
			lacks := e.Kind == KindPartial || e.Kind == KindNotFound || e.Kind == KindReverted
			if lacks && (e.Path == "" || s.before(e.Path)) {
				return nil
			}
		}
	}
	v.open()
	return nil
}

// before reports whether lines of a file stand as the fix found them, there or elsewhere.
func (s *sight) before(file string) bool {
	for i, state := range s.states {
		if s.hunks[i].Path == file && state == presence.Before {
			return true
		}
	}
	return false
}

// bringers are the merges with which the members of parts came onto the targets.
func (j *judge) bringers(parts []*part) []int32 {
	var merges []int32
	for _, tip := range j.tips {
		root := j.x.reach(tip)
		for _, p := range parts {
			for _, i := range p.order {
				if !root.has(i) {
					continue
				}
				if m := j.x.line(tip).came[i]; m != i && j.x.commits[m].merge {
					merges = append(merges, m)
				}
			}
		}
	}
	slices.Sort(merges)
	return slices.Compact(merges)
}

// dropped returns the merge that brought commit i onto a branch and kept the branch's own files ("merge -s ours"); -1 when there is none.
func (j *judge) dropped(i int32, branch string, root bits) int32 {
	at := slices.IndexFunc(j.targets, func(t Target) bool { return t.Name == branch })
	if at < 0 {
		return -1
	}
	m := j.x.line(j.tips[at]).came[i]
	if m < 0 || m == i || !root.has(m) {
		return -1
	}
	merged, known := j.s.merged[m]
	if !known || len(j.s.base(i)) == 0 || shared(merged, j.s.base(i)) > 0 {
		return -1
	}
	return m
}

// findInverses finds the later commits that take a member back to the letter, whatever they say.
func (j *judge) findInverses(ctx context.Context, p *part) error {
	for _, i := range p.order {
		change := j.x.commits[i].change
		if change == nil || change.Inverse.IsZero() {
			continue
		}
		for _, r := range j.s.byPlain[change.Inverse] {
			if _, member := p.members[r]; member || !j.x.isAncestor(i, r) {
				continue
			}
			diff, err := j.s.diff(ctx, i)
			if err != nil {
				return err
			}
			if patch.ID(patch.Reverse(diff)) == j.x.commits[r].change.Patch {
				p.undone[i] = append(p.undone[i], r)
			}
		}
	}
	return nil
}
