package triage

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/patch"
)

// From how much on what two commits have in common says something.
const (
	plainWeight  = 120 // bytes from which an equal plain patch-id says enough alone; below it wants an equal subject
	fileWeight   = 40  // bytes that files in common must weigh
	linesWeight  = 60  // bytes of changed lines that two commits must share
	maxAlike     = 200
	halfAlike    = 50 // percent
	allButAlike  = 90 // percent of a change's weight from which the same files say enough without an equal subject
	maxFileTwins = 500
)

// without says that a kind of evidence is switched off.
func (j *judge) without(kind string) bool { return slices.Contains(j.off, kind) }

// strengthOf says how much a kind of evidence is worth that a commit is the same change.
func strengthOf(kind string) string {
	switch kind {
	case KindAncestor, KindNamed, KindPatchID, KindPlainPatch:
		return Strong
	case KindTrailer, KindAuthorDateSubject, KindPullRequest, KindPostImage:
		return Medium
	case KindFilePatch, KindLines, KindDependency:
		return Weak
	}
	return ""
}

// plainTwins are the commits with the plain patch-id of a seed, but for those that are another commit of its history, or an instance of one: the same line
// may be added to a file in two places. A small change is common: then the subject must be equal too.
func (j *judge) plainTwins(p *part) []neighbour {
	if j.without(KindPlainPatch) {
		return nil
	}
	var found []neighbour
	for _, seed := range p.seeds {
		c := &j.x.commits[seed]
		if c.change == nil || c.change.Plain.IsZero() {
			continue
		}
		source := len(j.s.sources(seed)) > 0
		for _, o := range j.s.byPlain[c.change.Plain] {
			twin := &j.x.commits[o]
			if o == seed || twin.subject != c.subject && (!source || c.change.Weight < plainWeight || j.isAnother(p, o)) {
				continue
			}
			note := "the same lines go and come as in " + c.oid.Short() + ", but for white space, comments, imports and directories"
			found = append(found, neighbour{o, Evidence{Kind: KindPlainPatch, Commit: twin.oid, Note: note}})
		}
	}
	return found
}

// sameFiles are the commits that change a good part of the files of a part just so: at least half of what they weigh with the subject of a seed, nearly
// all without.
func (j *judge) sameFiles(p *part) []neighbour {
	if j.without(KindFilePatch) {
		return nil
	}
	var found []neighbour
	for _, seed := range p.seeds {
		weights, total := j.commonWeight(seed)
		for o, weight := range weights {
			least := allButAlike
			if j.x.commits[o].subject == j.x.commits[seed].subject {
				least = halfAlike
			}
			if weight < fileWeight || weight*100 < total*least || j.isAnother(p, o) {
				continue
			}
			note := fmt.Sprintf("%d %% of what %s changes, file by file", weight*100/total, j.x.commits[seed].oid.Short())
			found = append(found, neighbour{o, Evidence{Kind: KindFilePatch, Commit: j.x.commits[o].oid, Note: note}})
		}
	}
	slices.SortFunc(found, func(a, b neighbour) int { return int(a.commit) - int(b.commit) })
	return found
}

// commonWeight is, by commit, how much of a seed's source files it changes just so, and what they weigh together.
func (j *judge) commonWeight(seed int32) (weights map[int32]int, total int) {
	weights = map[int32]int{}
	for _, f := range j.s.files(seed) {
		if !equiv.IsSource(f.Path) || f.Plain == 0 {
			continue
		}
		total += int(f.Weight)
		twins := j.s.byFile[f.Plain]
		if len(twins) > maxFileTwins {
			continue
		}
		for _, o := range slices.Compact(slices.Clone(twins)) {
			if o != seed {
				weights[o] += int(f.Weight)
			}
		}
	}
	return weights, total
}

// similar are the commits with the subject of a seed that change for the most part the same lines.
func (j *judge) similar(ctx context.Context, p *part) ([]neighbour, error) {
	if j.without(KindLines) {
		return nil, nil
	}
	var found []neighbour
	for _, seed := range p.seeds {
		var others []int32
		for _, o := range j.x.byTitle[j.x.commits[seed].subject] {
			if o != seed && shared(p.names, j.s.base(o)) > 0 && len(others) < maxAlike {
				others = append(others, o)
			}
		}
		if len(others) == 0 {
			continue
		}
		if err := j.s.readDiffs(ctx, append(slices.Clone(others), seed)); err != nil {
			return nil, err
		}
		own, least := changedLines(j.s.diffs[seed]), halfAlike
		if j.hasNamesake(seed) {
			least = allButAlike
		}
		for _, o := range others {
			percent := own.percent(changedLines(j.s.diffs[o]))
			if percent < least || j.isAnother(p, o) {
				continue
			}
			note := fmt.Sprintf("has the subject of %s and %d %% of its changed lines", j.x.commits[seed].oid.Short(), percent)
			found = append(found, neighbour{o, Evidence{Kind: KindLines, Commit: j.x.commits[o].oid, Note: note}})
		}
	}
	return found, nil
}

// hasNamesake reports whether the history in which a seed stands has another commit of that subject that touches a file of such a name.
func (j *judge) hasNamesake(seed int32) bool {
	for _, tip := range slices.Concat(j.mains, j.tips) {
		if root := j.x.reach(tip); root.has(seed) {
			return slices.ContainsFunc(j.x.byTitle[j.x.commits[seed].subject], func(o int32) bool {
				return o != seed && root.has(o) && shared(j.s.base(o), j.s.base(seed)) > 0
			})
		}
	}
	return false
}

// lineSet counts the lines that a diff changes in source files, each with its sign and the file's name.
type lineSet map[string]int

// changedLines are those of source files; where there are none, of what is no dependency, else of what there is.
func changedLines(diff []byte) lineSet {
	sets := [3]lineSet{{}, {}, {}}
	for _, s := range patch.Sections(diff) {
		if !s.Content {
			continue
		}
		set := sets[2]
		switch {
		case equiv.IsSource(s.Path):
			set = sets[0]
		case !equiv.IsDependency(s.Path):
			set = sets[1]
		}
		_, body, _ := bytes.Cut(s.Text, []byte("\n@@"))
		for line := range bytes.Lines(body) {
			if line[0] != '+' && line[0] != '-' {
				continue
			}
			if text := equiv.PlainLine(string(line[1:]), s.Path); len(text) > 1 {
				set[path.Base(s.Path)+string(line[:1])+text]++
			}
		}
	}
	for _, set := range sets {
		if len(set) > 0 {
			return set
		}
	}
	return nil
}

// percent is how much of a set's weight another one has too; 0 where that is little in bytes.
func (s lineSet) percent(o lineSet) int {
	total, common := 0, 0
	for line, n := range s {
		total += n * len(line)
		common += min(n, o[line]) * len(line)
	}
	if common < linesWeight {
		return 0
	}
	return common * 100 / total
}
