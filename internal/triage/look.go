package triage

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/presence"
)

const (
	remadeWeight = 80 // bytes of telling lines that a fix must bring for its lines alone to show that it was made anew
	maxShown     = 6  // hunks that one verdict names
	maxSteps     = 2000
)

// sight is where a part's lines stand in a commit.
type sight struct {
	hunks  []presence.Hunk
	states []presence.State
	where  []string
	gone   []string // paths of hunks at which there is no file
	fault  error    // something cannot be read: the rest is not known
}

func (s *sight) count(state presence.State) int {
	n := 0
	for i, st := range s.states {
		if st == state && !s.hunks[i].New {
			n++
		}
	}
	return n
}

// all reports whether the hunks that the part brought to what was there are in one state, and there are any.
func (s *sight) all(state presence.State) bool {
	return s.fault == nil && len(s.states) > 0 && !slices.ContainsFunc(s.states, func(st presence.State) bool { return st != state })
}

// weight is how many bytes of telling lines the part brings.
func (s *sight) weight() int {
	n := 0
	for i := range s.hunks {
		n += s.hunks[i].Weight()
	}
	return n
}

// evidence names the hunks in some states.
func (s *sight) evidence(states ...presence.State) []Evidence {
	kinds := map[presence.State]string{presence.After: KindAfter, presence.Before: KindBefore, presence.Drifted: KindDrifted, presence.Absent: KindAbsent}
	var all []Evidence
	for i, st := range s.states {
		if !slices.Contains(states, st) || s.hunks[i].New && st != presence.After {
			continue
		}
		e := Evidence{Kind: kinds[st], Path: s.where[i], Note: s.hunks[i].Decl}
		if !slices.Contains(all, e) && len(all) < maxShown {
			all = append(all, e)
		}
	}
	return all
}

// hunks are what a seed of a part changed in source files, with the content around it.
func (j *judge) hunks(ctx context.Context, seed int32) ([]presence.Hunk, error) {
	if found, known := j.hunksOf[seed]; known {
		return found, nil
	}
	diff, err := j.s.diff(ctx, seed)
	if err != nil {
		return nil, err
	}
	var found []presence.Hunk
	if c := &j.x.commits[seed]; len(diff) > 0 && len(c.parents) < 2 {
		found, err = presence.Hunks(diff, func(file string) (before, after []byte, err error) {
			if len(c.parents) == 1 {
				if before, err = j.code.content(ctx, j.x.commits[c.parents[0]].oid, file); err != nil {
					return nil, nil, err
				}
			}
			after, err = j.code.content(ctx, c.oid, file)
			return before, after, err
		})
	}
	switch {
	case unreadable(err):
		j.faults[seed] = err
	case err != nil:
		return nil, err
	}
	j.hunksOf[seed] = found
	return found, nil
}

// see looks for a part's lines in a commit, as the first of its seeds has them.
func (j *judge) see(ctx context.Context, p *part, at int32) (*sight, error) {
	return j.seeAs(ctx, p.seeds[0], at)
}

// seeAs looks for the lines of a seed in a commit.
func (j *judge) seeAs(ctx context.Context, seed, at int32) (*sight, error) {
	key := sightKey{seed, at}
	if s, known := j.sights[key]; known {
		return s, nil
	}
	hunks, err := j.hunks(ctx, seed)
	if err != nil {
		return nil, err
	}
	s := &sight{hunks: hunks, fault: j.faults[seed]}
	for i := range hunks {
		state, where, err := j.code.find(ctx, j.x.commits[at].oid, &hunks[i])
		if err != nil {
			if !unreadable(err) {
				return nil, err
			}
			s.fault = err
			break
		}
		s.states, s.where = append(s.states, state), append(s.where, where)
		if file := hunks[i].Path; where != file || state == presence.Absent {
			if id, unread := j.code.blob(ctx, j.x.commits[at].oid, file); unread == nil && id.IsZero() {
				s.gone = append(s.gone, file)
			}
		}
	}
	j.sights[key] = s
	return s, nil
}

type sightKey struct{ seed, at int32 }

// look looks for the lines of parts on all targets: what was brought by other hands, and what was put back without a word.
func (j *judge) look(ctx context.Context, parts []*part) error {
	j.followNames(parts)
	for _, p := range parts {
		if j.x.commits[p.seeds[0]].merge {
			continue
		}
		for _, tip := range j.tips {
			s, err := j.see(ctx, p, tip)
			if err != nil {
				return err
			}
			if s.fault != nil || len(s.states) == 0 {
				continue
			}
			root := j.x.reach(tip)
			if i := slices.IndexFunc(p.order, root.has); i < 0 {
				err = j.remade(ctx, p, s, tip)
			} else {
				err = j.putBack(ctx, p, s, tip)
			}
			if err != nil {
				return err
			}
		}
		slices.Sort(p.order)
	}
	return nil
}

// followNames finds where files with the names of the parts' source files stand or stood.
func (j *judge) followNames(parts []*part) {
	for _, p := range parts {
		for _, file := range j.s.sources(p.seeds[0]) {
			j.code.paths[path.Base(file)] = nil
		}
	}
	seen := map[string]bool{}
	for i := range j.x.commits {
		for _, f := range j.s.files(int32(i)) {
			if seen[f.Path] {
				continue
			}
			seen[f.Path] = true
			base := path.Base(f.Path)
			if found, ok := j.code.paths[base]; ok && len(found) < maxNamesakes {
				j.code.paths[base] = append(found, f.Path)
			}
		}
	}
}

// remade takes the commit that brought the last of a fix's lines for an instance of it, when the target has all of them where they belong and history
// shows nothing.
func (j *judge) remade(ctx context.Context, p *part, s *sight, tip int32) error {
	if j.without(KindPostImage) || !s.all(presence.After) || s.weight() < remadeWeight {
		return nil
	}
	found := int32(-1)
	for i := range s.hunks {
		by, err := j.turned(ctx, p, i, j.x.reach(tip), presence.After)
		if err != nil {
			return err
		}
		if by < 0 {
			return nil
		}
		if found < 0 || by < found {
			found = by
		}
	}
	if j.x.isAncestor(found, p.seeds[0]) || j.isAnother(p, found) {
		return nil // what the fix gives back was there before it, by this commit or the one that it repeats, and is not the fix
	}
	if p.members[found] == nil {
		note := fmt.Sprintf("with it, the fix's lines stand in all %d places that the fix changes", len(s.hunks))
		p.members[found] = []Evidence{{Kind: KindPostImage, Commit: j.x.commits[found].oid, Note: note, Strength: strengthOf(KindPostImage)}}
		p.order = append(p.order, found)
	}
	return nil
}

// turned finds the newest commit of a history that brought a hunk into a state; -1 when none is found.
func (j *judge) turned(ctx context.Context, p *part, hunk int, root bits, to presence.State) (int32, error) {
	steps := 0
	s := j.sights[sightKey{p.seeds[0], p.seeds[0]}]
	if s == nil {
		var err error
		if s, err = j.see(ctx, p, p.seeds[0]); err != nil {
			return -1, err
		}
	}
	if hunk >= len(s.hunks) {
		return -1, nil
	}
	h := &s.hunks[hunk]
	for _, i := range j.s.touched[h.Path] {
		c := &j.x.commits[i]
		if !root.has(i) || len(c.parents) != 1 {
			continue
		}
		if steps++; steps > maxSteps {
			break
		}
		now, err := j.code.findAt(ctx, c.oid, h, h.Path)
		if err != nil {
			return -1, ignoreAbsent(err)
		}
		if now != to {
			continue
		}
		before, err := j.code.findAt(ctx, j.x.commits[c.parents[0]].oid, h, h.Path)
		if err != nil {
			return -1, ignoreAbsent(err)
		}
		if before != to {
			return i, nil
		}
	}
	return -1, nil
}

func ignoreAbsent(err error) error {
	if unreadable(err) {
		return nil
	}
	return err
}

// putBack notes the commits that put back lines which a fix took away, behind the member that brought the fix: the lines were as the fix leaves them
// there, and are as it found them now.
func (j *judge) putBack(ctx context.Context, p *part, s *sight, tip int32) error {
	root := j.x.reach(tip)
	for i, state := range s.states {
		if state != presence.Before {
			continue
		}
		by, err := j.turned(ctx, p, i, root, presence.Before)
		if err != nil {
			return err
		}
		if by < 0 || slices.Contains(p.order, by) {
			continue
		}
		behind := slices.ContainsFunc(p.order, func(m int32) bool { return root.has(m) && m != by && j.x.isAncestor(m, by) })
		if !behind || j.x.commits[by].claims.IsRevert() {
			continue // what says that it reverts is known already
		}
		before, err := j.code.findAt(ctx, j.x.commits[j.x.commits[by].parents[0]].oid, &s.hunks[i], s.hunks[i].Path)
		if err != nil {
			return ignoreAbsent(err)
		}
		if before != presence.After {
			continue
		}
		note := s.hunks[i].Decl + ": the fix's lines went and the lines before it came back"
		if j.raisesToo(by) {
			note += replacedNote
		}
		key := sightKey{p.seeds[0], tip}
		j.undone[key] = append(j.undone[key], Evidence{Kind: KindUndone, Commit: j.x.commits[by].oid, Path: s.where[i], Note: note})
	}
	return nil
}

// replacedNote ends the note of lines that went when dependencies were raised: those may do now what the lines did.
const replacedNote = "; dependencies were raised with it"

// raisesToo reports whether a commit, or one that came with it or right before it by the same author, changes dependencies.
func (j *judge) raisesToo(i int32) bool {
	together := []int32{i}
	for _, tip := range j.tips {
		if !j.x.reach(tip).has(i) {
			continue
		}
		if m := j.x.line(tip).came[i]; m >= 0 && m != i {
			together = append(together, j.x.brought(m)...)
		}
		break
	}
	if parents := j.x.commits[i].parents; len(parents) == 1 && j.x.commits[parents[0]].author == j.x.commits[i].author {
		together = append(together, parents[0])
	}
	return slices.ContainsFunc(together, func(o int32) bool { return slices.Contains(j.s.base(o), dependencies) })
}
