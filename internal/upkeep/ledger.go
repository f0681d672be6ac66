package upkeep

import (
	"context"
	"slices"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// write collects what the update changes: conflicts, patches, series, ledger. Files that stay as they are are not written.
func (u *update) write(ctx context.Context, ch *change, assessments []assessment, today release.Date) error {
	if err := u.layOut(ctx, ch); err != nil {
		return err
	}
	for _, patch := range u.patches {
		ch.write(u.state.dir+"/patches/"+patch.name, patch.content)
	}
	if len(u.patches) > 0 {
		ch.write(u.state.dir+"/series", u.state.series.Format())
	}
	before, err := u.state.ledger.Format()
	if err != nil {
		return err
	}
	for _, a := range assessments {
		u.state.ledger.Put(u.entry(a, today))
	}
	after, err := u.state.ledger.Format()
	if err != nil {
		return err
	}
	if string(before) != string(after) || u.state.noLedger {
		ch.write(u.state.dir+"/ledger.yaml", after)
	}
	return nil
}

// entry is what the ledger says of a vulnerability after the update. A person's decisions are taken over.
func (u *update) entry(a assessment, today release.Date) lts.Entry {
	old := u.state.ledger.Find(a.record.ID)
	e := lts.Entry{ID: a.record.ID, Summary: a.record.Summary, Base: string(a.verdict.Status)}
	for _, ev := range a.verdict.Evidence {
		e.Evidence = append(e.Evidence, lts.Evidence{Kind: ev.Kind, Commit: ev.Commit, Path: ev.Path, Note: ev.Note})
	}
	if old != nil {
		e.Decision, e.Status, e.Since = old.Decision, old.Status, old.Since
	}
	inSeries := u.inSeries()
	partly := false
	for _, n := range a.needs {
		p := u.entryPick(n, inSeries[n.commit], old)
		if p.Outcome == "" {
			partly = true // a person waived it: nothing was tried
			continue
		}
		e.Picks = append(e.Picks, p)
	}
	standing := u.state.standing(&e)
	standing.Partly = partly
	e.Settle(today.String(), standing)
	return e
}

// entryPick says what became of one commit of a fix.
func (u *update) entryPick(n need, patch *lts.Patch, old *lts.Entry) lts.Pick {
	p := lts.Pick{Commit: n.commit}
	w := u.made[n.commit]
	if known := oldPick(old, n.commit); known != nil {
		if patch != nil && known.Outcome == lts.OutcomePicked && w == nil { // a person may have given the file another name
			p = *known
			p.Patch = patch.Name
			return p
		}
		if w == nil || w.patch == "" { // a decision is on one patch, not on what is carried over anew
			p.Decision = known.Decision
		}
	}
	switch {
	case n.missing != nil:
		p.Outcome, p.Note = lts.OutcomeError, n.missing.Error()
	case n.present:
		p.Outcome = lts.OutcomePresent
	case w != nil:
		w.fill(&p)
	case patch != nil:
		p.Outcome, p.Patch = lts.OutcomePicked, patch.Name
		for _, rung := range patch.Trailers(lts.TrailerPickedBy) {
			p.Rung = rung
		}
		if !slices.Contains([]string{"", "person", "verbatim", "instance"}, p.Rung) {
			p.Confidence = lts.ConfidenceReview // the ledger that knew better is lost, and these rungs are not always sure
		}
	}
	return p
}

// oldPick is what the ledger said of a commit.
func oldPick(e *lts.Entry, commit git.OID) *lts.Pick {
	if e == nil {
		return nil
	}
	for i := range e.Picks {
		if e.Picks[i].Commit == commit {
			return &e.Picks[i]
		}
	}
	return nil
}

// fill says in the ledger's words how the pick ended.
func (w *work) fill(p *lts.Pick) {
	p.Rung, p.Confidence, p.Source, p.Patch, p.Conflict = w.result.Rung, string(w.result.Confidence), w.result.Source, w.patch, w.conflict
	if p.Source == w.commit {
		p.Source = git.OID{}
	}
	switch {
	case w.waiting:
		*p = lts.Pick{Commit: p.Commit, Outcome: lts.OutcomeWaiting, Decision: p.Decision}
	case w.patch != "":
		p.Outcome, p.Note = lts.OutcomePicked, noteOf(w.result)
	case w.result.Outcome == backport.Present:
		p.Outcome = lts.OutcomePresent
	case w.result.Outcome == backport.Empty:
		p.Outcome, p.Note = lts.OutcomeEmpty, noteOf(w.result)
	case w.result.Outcome == backport.Conflicted:
		p.Outcome, p.Confidence = lts.OutcomeConflict, ""
	default:
		p.Outcome = lts.OutcomeError
		if w.result.Error != nil {
			p.Note = w.result.Error.Message
		}
	}
}
