package triage

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

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
		rivals := slices.ContainsFunc(j.namesakes(seed), func(o int32) bool {
			change := j.x.commits[o].change
			return change != nil && change.Plain == c.change.Plain && !slices.Equal(j.s.sources(o), j.s.sources(seed))
		})
		for _, o := range j.s.byPlain[c.change.Plain] {
			twin := &j.x.commits[o]
			if o == seed || twin.subject != c.subject && (!source || c.change.Weight < plainWeight || j.isAnother(p, o)) {
				continue
			}
			if rivals && !slices.Equal(j.s.sources(o), j.s.sources(seed)) {
				continue // the same was done in several directories: which one it is the directory tells
			}
			note := "the same lines go and come as in " + c.oid.Short() + ", but for white space, comments, imports and directories"
			found = append(found, neighbour{commit: o, evidence: Evidence{Kind: KindPlainPatch, Commit: twin.oid, Note: note}})
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
			found = append(found, neighbour{commit: o, evidence: Evidence{Kind: KindFilePatch, Commit: j.x.commits[o].oid, Note: note}})
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

// similar are the commits with the subject of a seed that change for the most part the same lines: in files of the same names, or where no other commit of the history
// has that subject, in files of other names.
func (j *judge) similar(ctx context.Context, p *part) ([]neighbour, error) {
	if j.without(KindLines) {
		return nil, nil
	}
	var found []neighbour
	for _, seed := range p.seeds {
		namesakes := j.namesakes(seed)
		anywhere := len(namesakes) == 0 && len(j.s.sources(seed)) > 0
		others := slices.DeleteFunc(slices.Clone(j.x.byTitle[j.x.commits[seed].subject]), func(o int32) bool {
			return o == seed || !anywhere && shared(p.names, j.s.base(o)) == 0
		})
		others = others[:min(len(others), maxAlike)]
		if len(others) == 0 {
			continue
		}
		if err := j.s.readDiffs(ctx, append(slices.Clone(others), seed)); err != nil {
			return nil, err
		}
		least := halfAlike
		if slices.ContainsFunc(namesakes, func(o int32) bool { return shared(j.s.base(o), j.s.base(seed)) > 0 }) {
			least = allButAlike
		}
		own := changedLines(j.s.diffs[seed])
		for _, o := range others {
			if n, ok := j.compareLines(p, seed, o, own, least); ok && !j.isAnother(p, o) {
				found = append(found, n)
			}
		}
	}
	return found, nil
}

// compareLines compares the lines of a seed with those of another commit of its subject, of which a share of least percent must be the same. In files of other
// names it must be nearly all of many, unless author and author date are the same.
func (j *judge) compareLines(p *part, seed, o int32, own lineSet, least int) (neighbour, bool) {
	lines := changedLines(j.s.diffs[o])
	n := neighbour{commit: o, elsewhere: shared(p.names, j.s.base(o)) == 0}
	percent, where := own.percent(lines, linesWeight), ""
	if n.elsewhere {
		weight := plainWeight
		if least = allButAlike; j.sameSignature(seed, o) {
			least, weight = halfAlike, linesWeight
		}
		percent, where = own.anywhere().percent(lines.anywhere(), weight), " in files of other names"
	}
	note := fmt.Sprintf("has the subject of %s and %d %% of its changed lines%s", j.x.commits[seed].oid.Short(), percent, where)
	n.evidence = Evidence{Kind: KindLines, Commit: j.x.commits[o].oid, Note: note}
	return n, percent >= least
}

// sameSignature reports whether two commits have the same author, author date and subject, where that is looked at.
func (j *judge) sameSignature(a, b int32) bool {
	x, y := &j.x.commits[a], &j.x.commits[b]
	return !j.without(KindAuthorDateSubject) && x.when > 0 && x.signature() == y.signature()
}

// lineSet counts the lines that a diff changes in source files.
type lineSet map[changedLine]int

// changedLine is a line with its sign, and the name of its file.
type changedLine struct{ file, text string }

// crossedOut begins a plain line of Godeps.json that publishing puts in place of any revision of a sibling: it says nothing.
const crossedOut = `"Rev":"xxxx`

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
			if text := equiv.PlainLine(string(line[1:]), s.Path); len(text) > 1 && !strings.HasPrefix(text, crossedOut) {
				set[changedLine{path.Base(s.Path), string(line[:1]) + text}]++
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
func (s lineSet) percent(o lineSet, least int) int {
	total, common := 0, 0
	for line, n := range s {
		weight := len(line.file) + len(line.text)
		total += n * weight
		common += min(n, o[line]) * weight
	}
	if common < least {
		return 0
	}
	return common * 100 / total
}

// anywhere is the set without the names of files.
func (s lineSet) anywhere() lineSet {
	all := lineSet{}
	for line, n := range s {
		all[changedLine{text: line.text}] += n
	}
	return all
}
