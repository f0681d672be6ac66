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
	e.Decision = &d
	if d.Status == lts.StatusFixed {
		for i := range e.Picks {
			if e.Picks[i].Confidence == lts.ConfidenceReview && e.Picks[i].Decision == nil {
				e.Picks[i].Decision = &d
			}
		}
	}
	e.Settle(d.Date, false)
	return nil
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
