package upkeep

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// SubjectVerification stands for a vulnerability's name where a person lets a tree into a release that no verification passed.
const SubjectVerification = "verification"

// Decide records a person's decision on a vulnerability of the line's ledger, or with [SubjectVerification] on the series as it stands. A
// decision that it is fixed also accepts the picks that wait for a review.
func (p *Project) Decide(minor release.Minor, subject string, d lts.Decision) error {
	state, err := p.load(minor)
	if err != nil {
		return err
	}
	if subject == SubjectVerification {
		if d.Status, d.Justification = lts.StatusFixed, ""; d.Validate() != nil {
			return d.Validate()
		}
		state.accept(d)
	} else if err = state.decide(subject, d); err != nil {
		return err
	}
	return p.writeLedger(state)
}

// Undo takes a person's decision on a vulnerability back, or with [SubjectVerification] the acceptance of the series as it stands.
func (p *Project) Undo(minor release.Minor, subject string, today release.Date) error {
	state, err := p.load(minor)
	if err != nil {
		return err
	}
	if subject == SubjectVerification {
		changes := state.changes()
		if state.ledger.Acceptance(changes) == nil {
			return errs.New(errs.NotFound, "nobody accepted the series of line %s as it stands", minor)
		}
		state.ledger.Accepted = slices.DeleteFunc(state.ledger.Accepted, func(a lts.Acceptance) bool { return a.Changes == changes })
		return p.writeLedger(state)
	}
	e := state.ledger.Find(subject)
	if e == nil {
		return state.unknown(subject)
	}
	if e.Decision == nil {
		return errs.New(errs.NotFound, "nobody decided on %s of line %s", e.ID, minor)
	}
	forget(e)
	e.Settle(today.String(), state.standing(e))
	return p.writeLedger(state)
}

// forget takes the decision out of an entry, also where it accepted picks.
func forget(e *lts.Entry) {
	for i := range e.Picks {
		if d := e.Picks[i].Decision; d != nil && e.Decision != nil && d.Reason == e.Decision.Reason && d.Author == e.Decision.Author && d.Date == e.Decision.Date {
			e.Picks[i].Decision = nil
		}
	}
	e.Decision = nil
}

func (p *Project) writeLedger(state *lineState) error {
	content, err := state.ledger.Format()
	if err != nil {
		return err
	}
	var ch change
	ch.write(state.dir+"/ledger.yaml", content)
	return ch.commit(p.Files)
}

func (s *lineState) accept(d lts.Decision) {
	changes := s.changes()
	if known := s.ledger.Acceptance(changes); known != nil {
		known.Reason, known.Author, known.Date = d.Reason, d.Author, d.Date
		return
	}
	s.ledger.Accepted = append(s.ledger.Accepted, lts.Acceptance{Changes: changes, Reason: d.Reason, Author: d.Author, Date: d.Date})
}

func (s *lineState) decide(id string, d lts.Decision) error {
	if err := d.Validate(); err != nil {
		return err
	}
	e := s.ledger.Find(id)
	if e == nil {
		return s.unknown(id)
	}
	if d.Status == lts.StatusFixed {
		if d.Patches = s.cures(e); d.Patches == nil && !s.curedByPicks(e) {
			return errs.WithHint(errs.New(errs.Invalid, "nothing cures %s on line %s: neither the base nor a pick has its fix, and no patch of the series names it", e.ID, s.line.Minor),
				"put the trailer %q into the patch that cures it, or decide affected to accept the risk", "Fixes-CVE: "+e.ID)
		}
	}
	forget(e)
	own := d // without what is of the entry only
	own.Patches = nil
	d.Base, e.Decision = e.Base, &d
	if d.Status == lts.StatusFixed {
		for i := range e.Picks {
			if e.Picks[i].Confidence == lts.ConfidenceReview && e.Picks[i].Decision == nil {
				e.Picks[i].Decision = &own
			}
		}
	}
	e.Settle(d.Date, s.standing(e))
	return nil
}

// curedByPicks reports whether history or picks cure it, those that wait for a person's review included.
func (s *lineState) curedByPicks(e *lts.Entry) bool {
	tried := *e
	tried.Decision, tried.Picks = nil, slices.Clone(e.Picks)
	for i := range tried.Picks {
		tried.Picks[i].Confidence = ""
	}
	tried.Settle("", lts.Standing{})
	return tried.Status == lts.StatusFixed
}

// cures are the patches of the series that name a vulnerability, where its picks do not cure it.
func (s *lineState) cures(e *lts.Entry) []lts.Cure {
	if s.curedByPicks(e) {
		return nil
	}
	var found []lts.Cure
	for _, patch := range s.patches {
		if slices.Contains(patch.Fixes(), e.ID) {
			found = append(found, patch.Cure())
		}
	}
	return found
}

// standing is what the line's files show about an entry.
func (s *lineState) standing(e *lts.Entry) lts.Standing {
	if e.Decision == nil || len(e.Decision.Patches) == 0 {
		return lts.Standing{}
	}
	for _, c := range e.Decision.Patches {
		if !slices.ContainsFunc(s.patches, func(p *lts.Patch) bool { return p.Cure() == c }) {
			return lts.Standing{}
		}
	}
	return lts.Standing{Cured: true}
}

// entries are the ledger's, as the files show them: one that rests on patches which changed or went is not fixed any more, whatever the ledger says until the next update.
func (s *lineState) entries() []lts.Entry {
	entries := slices.Clone(s.ledger.Vulnerabilities)
	for i := range entries {
		if e := &entries[i]; e.Decision != nil && len(e.Decision.Patches) > 0 && e.Status == lts.StatusFixed && !s.standing(e).Cured {
			e.Settle("", s.standing(e))
		}
	}
	return entries
}

// waived reports whether a person decided that a vulnerability needs no pick: no patch at all, or patches of the series cure it.
func (s *lineState) waived(e *lts.Entry) bool {
	return e != nil && (e.Decision.Waives() || s.standing(e).Cured)
}

// unknown says that the ledger has no such vulnerability, and which name is nearest.
func (s *lineState) unknown(id string) error {
	err := errs.New(errs.NotFound, "the ledger of line %s has no %q", s.line.Minor, id)
	var names []string
	for _, e := range s.ledger.Vulnerabilities {
		names = append(names, e.ID)
	}
	if near := Nearest(names, id); near != "" {
		return errs.WithHint(err, "did you mean %s?", near)
	}
	return errs.WithHint(err, "kubelts line update %s --vuln %s puts it there", s.line.Minor, id)
}

// Nearest returns the name that has the longest beginning and end in common with what was typed, or "" when that is less than half.
func Nearest(names []string, typed string) string {
	score := func(name string) int {
		a, b := strings.ToLower(name), strings.ToLower(typed)
		head := 0
		for head < len(a) && head < len(b) && a[head] == b[head] {
			head++
		}
		tail := 0
		for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
			tail++
		}
		return head + tail - max(len(a)-len(b), len(b)-len(a))
	}
	if len(names) == 0 {
		return ""
	}
	best := slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(score(a), score(b)) })
	if 2*score(best) < len(typed) {
		return ""
	}
	return best
}
