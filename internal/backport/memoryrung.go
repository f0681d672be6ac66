package backport

import (
	"context"
	"errors"
	"slices"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/memory"
)

const rungMemory = "memory"

// UseMemory gives the engine resolutions that people made before. It is not to be called while picks are under way; nil takes them away.
func (e *Engine) UseMemory(known *memory.Library) { e.memory = known }

// leftText is what the text merge left of a file in conflict.
type leftText struct {
	sides   fileSides
	markers git.OID
	keep    int // how many conflicts the item had before
}

// memoryRung answers conflicts with resolutions that a person made once. It is asked for what all other rungs left.
type memoryRung struct{ known *memory.Library }

func (memoryRung) name() string { return rungMemory }

// takes implements [fileRung]. What a file is about does not matter, only what is recorded for it.
func (memoryRung) takes(string) bool { return true }

func (r memoryRung) merge(_ context.Context, s fileSides) (fileMerge, error) {
	answer, err := r.known.Resolve(s.remembered())
	_, unfit := errors.AsType[*memory.UnfitError](err)
	_, ambiguous := errors.AsType[*memory.AmbiguousError](err)
	if unfit || ambiguous {
		return fileMerge{refusals: []refusal{{ReasonMemory, err.Error()}}}, nil
	}
	if err != nil || answer == nil {
		return fileMerge{}, err
	}
	out := fileMerge{text: answer.Text, confidence: Review, notes: answer.Notes, records: answer.Records}
	if answer.Exact {
		out.confidence = Adapted
	}
	return out, nil
}

func (s fileSides) remembered() memory.Sides {
	return memory.Sides{Path: s.path, Added: s.added, Base: s.base, Ours: s.ours, Theirs: s.theirs}
}

// remember asks memory about the texts that are still in conflict. Files that a program wrote are not asked about: what a person had made for one tree
// is not what the generator makes for another.
func (m *treeMerge) remember(ctx context.Context) error {
	if m.fileRungs == nil || len(m.engine.memory.Records()) == 0 {
		return nil
	}
	rung, answered := memoryRung{m.engine.memory}, false
	for _, it := range m.sorted() {
		left := it.left
		if left == nil || it.by != nil || len(it.conflicts) == left.keep || taken(generatedRung{}, left.sides) {
			continue
		}
		merged, err := rung.merge(ctx, left.sides)
		if err != nil {
			return err
		}
		if len(merged.refusals) > 0 {
			it.refuse(merged.refusals)
			it.refused(rungMemory, Refused, merged.refusals)
		}
		if merged.text == nil {
			continue
		}
		if err := it.settleBy(ctx, m.engine.store, rung, merged); err != nil {
			return err
		}
		answered = true
	}
	if !answered {
		return nil
	}
	return m.vouch(ctx) // a person knew another branch
}

// settleBy puts a rung's text in the place of what the text merge left.
func (it *item) settleBy(ctx context.Context, store git.Store, rung fileRung, merged fileMerge) error {
	id, err := store.WriteBlob(ctx, merged.text)
	if err != nil {
		return err
	}
	keep := it.left.keep
	it.by = &settledBy{
		rung: rung, sides: it.left.sides, merged: merged, markers: it.left.markers, keep: keep,
		conflicts: slices.Clone(it.conflicts[keep:]), confidence: merged.confidence,
	}
	it.conflicts = it.conflicts[:keep]
	it.result.OID = id
	return nil
}

// Learn makes a record of what a person made of a file in conflict, whose three versions c names. The error is of kind invalid where there is
// nothing that could be used again: a program wrote the file, or it had no conflict by lines.
func Learn(ctx context.Context, objects git.Objects, file string, c Conflict, resolved []byte, about memory.About) (*memory.Record, error) { //nolint:revive // they are one question
	s := fileSides{path: file, added: c.Base.IsZero()}
	if c.Ours.IsZero() || c.Theirs.IsZero() {
		return nil, errs.New(errs.Invalid, "%s: a side does not have it", file)
	}
	for _, v := range []struct {
		id git.OID
		to *[]byte
	}{{c.Base, &s.base}, {c.Ours, &s.ours}, {c.Theirs, &s.theirs}} {
		if v.id.IsZero() {
			continue
		}
		var err error
		if *v.to, err = objects.Blob(ctx, v.id); err != nil {
			return nil, err
		}
	}
	if taken(generatedRung{}, s) {
		return nil, errs.New(errs.Invalid, "%s: a program wrote it", file)
	}
	return memory.Learn(s.remembered(), resolved, about)
}
