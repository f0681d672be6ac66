package triage

import (
	"context"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Repetition is a commit of a target that is the same change as another one.
type Repetition struct {
	Of       git.OID    `json:"of"`
	Target   string     `json:"target"`
	Commit   git.OID    `json:"commit"`   // can be reached from the target; equal to Of when that is an ancestor
	Evidence []Evidence `json:"evidence"` // how it was found, the best first; never empty
}

// Repetitions finds the commits of targets that are the same changes as some commits, each by itself and whatever came later: the step of [Judge] in which
// the same change is found on other branches. They come in the order of the changes, then of the targets, then newest first. Of a
// change that cannot be read none is found; one that is not in the repository is an error.
func Repetitions(ctx context.Context, history Without, repository string, changes []git.OID, targets []Target) ([]Repetition, error) {
	j := newJudge(history, repository, targets)
	j.commits = &commitNames{oids: map[string]git.OID{}, errs: map[string]error{}}
	for _, oid := range changes {
		j.commits.oids[oid.String()] = oid
	}
	if err := j.walk(ctx, history.History); err != nil {
		return nil, err
	}
	parts := make([]*part, 0, len(changes))
	for _, oid := range changes {
		at, missing := j.commits.place(j.x, j.unread, oid.String())
		if missing != nil {
			return nil, errs.New(errs.NotFound, "%s", missing.Note)
		}
		p := newPart(oid)
		p.add(at, "")
		parts = append(parts, p)
	}
	if err := j.findRepetitions(ctx, history.History, parts); err != nil {
		return nil, err
	}
	if !j.without(KindPostImage) {
		if err := j.look(ctx, parts); err != nil {
			return nil, err
		}
	}
	var found []Repetition
	for _, p := range parts {
		for n, t := range targets {
			root := j.x.reach(j.tips[n])
			for _, i := range p.order {
				if root.has(i) {
					found = append(found, Repetition{p.commit, t.Name, j.x.commits[i].oid, j.evidence(p, i, t.Name)})
				}
			}
		}
	}
	return found, nil
}
