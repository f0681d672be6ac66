package lts

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
)

// Ledger is what is known and decided about each vulnerability of a line, as lines/<minor>/ledger.yaml keeps it. People's
// decisions are never changed by the program.
type Ledger struct {
	APIVersion      string        `yaml:"apiVersion"`
	Kind            string        `yaml:"kind"`
	Minor           release.Minor `yaml:"minor"`
	Vulnerabilities []Entry       `yaml:"vulnerabilities,omitempty"` // sorted by name
	// Accepted are states of the series that a person lets into a release although no verification of them passed.
	Accepted []Acceptance `yaml:"accepted,omitempty"`
}

// The statuses of an entry, in OpenVEX's words.
const (
	StatusAffected           = "affected"
	StatusFixed              = "fixed"
	StatusNotAffected        = "not_affected"
	StatusUnderInvestigation = "under_investigation"
)

// Entry is one vulnerability in the ledger.
type Entry struct {
	ID       string     `yaml:"id" json:"id"`
	Summary  string     `yaml:"summary,omitempty" json:"summary,omitempty"`
	Status   string     `yaml:"status" json:"status"` // of the line as it stands, series included
	Base     string     `yaml:"base" json:"base"`     // of the base alone
	Since    string     `yaml:"since" json:"since"`   // the day on which the status was first seen, 2023-07-28
	Evidence []Evidence `yaml:"evidence,omitempty" json:"evidence,omitempty"`
	Picks    []Pick     `yaml:"picks,omitempty" json:"picks,omitempty"` // in upstream's order
	Decision *Decision  `yaml:"decision,omitempty" json:"decision,omitempty"`
}

// Evidence is one fact that a verdict rests on; the words are triage's.
type Evidence struct {
	Kind   string  `yaml:"kind" json:"kind"`
	Commit git.OID `yaml:"commit,omitempty" json:"commit,omitzero"`
	Path   string  `yaml:"path,omitempty" json:"path,omitempty"`
	Note   string  `yaml:"note,omitempty" json:"note,omitempty"`
}

// What became of a commit of a fix.
const (
	OutcomePresent  = "present"  // the base has it, as history shows
	OutcomeEmpty    = "empty"    // carrying it over changes nothing
	OutcomePicked   = "picked"   // a patch of the series
	OutcomeConflict = "conflict" // laid out, waits for a person
	OutcomeWaiting  = "waiting"  // for the conflict of a commit before it
	OutcomeError    = "error"    // it could not be tried: the note says why
)

// ConfidenceReview is the confidence of a pick that enters no release until a person decides it.
const ConfidenceReview = "review"

// Pick is one commit of a fix.
type Pick struct {
	Commit     git.OID   `yaml:"commit" json:"commit"`
	Outcome    string    `yaml:"outcome" json:"outcome"`
	Rung       string    `yaml:"rung,omitempty" json:"rung,omitempty"` // what carried it over; person for a resolved conflict
	Confidence string    `yaml:"confidence,omitempty" json:"confidence,omitempty"`
	Source     git.OID   `yaml:"source,omitempty" json:"source,omitzero"` // the landed instance that was used
	Patch      string    `yaml:"patch,omitempty" json:"patch,omitempty"`
	Conflict   string    `yaml:"conflict,omitempty" json:"conflict,omitempty"` // directory below conflicts/
	Note       string    `yaml:"note,omitempty" json:"note,omitempty"`
	Decision   *Decision `yaml:"decision,omitempty" json:"decision,omitempty"`
}

// Decision is what a person decided.
type Decision struct {
	Status        string `yaml:"status" json:"status"`
	Justification string `yaml:"justification,omitempty" json:"justification,omitempty"` // OpenVEX's word for a not_affected
	Reason        string `yaml:"reason" json:"reason"`
	Author        string `yaml:"author" json:"author"` // Name <address>
	Date          string `yaml:"date" json:"date"`     // 2023-07-28
	// Base is what the evidence said of the base when this was decided. A decision on a pick has none.
	Base string `yaml:"base,omitempty" json:"base,omitempty"`
	// Patches are those of the series that a person says cure it, where no pick of the fix's commits does.
	Patches []Cure `yaml:"patches,omitempty" json:"patches,omitempty"`
}

// Cure is a patch that a decision rests on.
type Cure struct {
	Name   string `yaml:"name" json:"name"`     // of the file
	SHA256 string `yaml:"sha256" json:"sha256"` // of its diff: see [Patch.Cure]
}

// Acceptance lets one state of the series into a release without a verification that passed.
type Acceptance struct {
	Changes string `yaml:"changes" json:"changes"` // see [Changes]
	Reason  string `yaml:"reason" json:"reason"`
	Author  string `yaml:"author" json:"author"`
	Date    string `yaml:"date" json:"date"`
}

// NotPresent is OpenVEX's reason for code that is not there.
const NotPresent = "vulnerable_code_not_present"

// Justifications are OpenVEX's reasons for not_affected.
func Justifications() []string {
	return []string{
		"component_not_present", NotPresent, "vulnerable_code_not_in_execute_path",
		"vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
	}
}

// Validate checks a decision.
func (d Decision) Validate() error {
	if !slices.Contains([]string{StatusAffected, StatusFixed, StatusNotAffected, StatusUnderInvestigation}, d.Status) {
		return errs.WithHint(errs.New(errs.Invalid, "status %q is not known", d.Status), "choose from fixed, not_affected, affected (the risk is accepted), under_investigation")
	}
	if d.Status == StatusNotAffected && !slices.Contains(Justifications(), d.Justification) {
		return errs.WithHint(errs.New(errs.Invalid, "not_affected needs a justification, not %q", d.Justification), "choose from %s", strings.Join(Justifications(), ", "))
	}
	if d.Status != StatusNotAffected && d.Justification != "" {
		return errs.New(errs.Invalid, "only not_affected takes a justification")
	}
	if d.Status != StatusFixed && len(d.Patches) > 0 {
		return errs.New(errs.Invalid, "only fixed takes patches")
	}
	return signed(d.Reason, d.Author, d.Date)
}

// signed checks what every word of a person's must have.
func signed(reason, author, date string) error {
	if strings.TrimSpace(reason) == "" {
		return errs.New(errs.Invalid, "a decision needs a reason")
	}
	if _, err := ParsePerson(author); err != nil {
		return err
	}
	_, err := release.ParseDate(date)
	return err
}

// Waives reports whether the decision is that the vulnerability needs no patch.
func (d *Decision) Waives() bool {
	return d != nil && (d.Status == StatusNotAffected || d.Status == StatusAffected)
}

// Find returns the entry with this name, or nil. The entry is the ledger's own.
func (l *Ledger) Find(id string) *Entry {
	i, ok := l.search(id)
	if !ok {
		return nil
	}
	return &l.Vulnerabilities[i]
}

// Put adds an entry or replaces the one with its name.
func (l *Ledger) Put(e Entry) {
	i, ok := l.search(e.ID)
	if ok {
		l.Vulnerabilities[i] = e
		return
	}
	l.Vulnerabilities = slices.Insert(l.Vulnerabilities, i, e)
}

func (l *Ledger) search(id string) (int, bool) {
	return slices.BinarySearchFunc(l.Vulnerabilities, id, func(e Entry, id string) int { return strings.Compare(e.ID, id) })
}

// Acceptance returns who accepted this state of the series, or nil.
func (l *Ledger) Acceptance(changes string) *Acceptance {
	for i := range l.Accepted {
		if l.Accepted[i].Changes == changes {
			return &l.Accepted[i]
		}
	}
	return nil
}

// Standing is what the files of a line show about an entry.
type Standing struct {
	Partly bool // the picks do not cover every commit of the fix
	Cured  bool // the patches that the decision rests on are in the series as they were
}

// Settle makes the status follow from what is known: the base's verdict, the picks, and a person's decision. A pick that waits for a review cures nothing yet.
func (e *Entry) Settle(today string, s Standing) {
	before := e.Status
	e.Status = e.Base
	if len(e.Picks) > 0 && !s.Partly && e.carried() {
		e.Status = StatusFixed
		if slices.ContainsFunc(e.Picks, Pick.waits) {
			e.Status = StatusUnderInvestigation
		}
	}
	if d := e.Decision; d != nil && e.Status != StatusFixed && (d.Waives() || len(d.Patches) > 0 && s.Cured) {
		e.Status = d.Status
	}
	if e.Status != before {
		e.Since = today
	}
}

// carried reports whether every pick ended well.
func (e *Entry) carried() bool {
	return !slices.ContainsFunc(e.Picks, func(p Pick) bool {
		return !slices.Contains([]string{OutcomePresent, OutcomeEmpty, OutcomePicked}, p.Outcome)
	})
}

// waits reports whether a person has to look at the pick.
func (p Pick) waits() bool { return p.Confidence == ConfidenceReview && p.Decision == nil }

// Blocks says what of the entry keeps the line from a release, a sentence each; nothing when a person decided that it shall not.
func (e *Entry) Blocks() []string {
	var blocks []string
	if why := e.Contradiction(); why != "" && e.Decision.Status != StatusAffected {
		blocks = append(blocks, e.ID+": "+why)
	}
	if d := e.Decision; d != nil && (d.Waives() || len(d.Patches) > 0 && e.Status == StatusFixed) {
		return blocks
	}
	for _, p := range e.Picks {
		switch {
		case p.Outcome == OutcomeConflict:
			blocks = append(blocks, e.ID+": the conflict of "+p.Commit.Short()+" is not resolved")
		case p.Outcome == OutcomeWaiting:
			blocks = append(blocks, e.ID+": "+p.Commit.Short()+" waits for a conflict before it")
		case p.Outcome == OutcomeError:
			blocks = append(blocks, e.ID+": "+p.Commit.Short()+" could not be picked: "+p.Note)
		case p.waits():
			blocks = append(blocks, e.ID+": the pick of "+p.Commit.Short()+" waits for a person's review")
		}
	}
	return blocks
}

// ParseLedger reads a ledger.yaml. The name is for messages.
func ParseLedger(name string, content []byte) (*Ledger, error) {
	l := &Ledger{}
	if err := decode(name, content, l); err != nil {
		return nil, err
	}
	if err := header(name, l.APIVersion, l.Kind, "Ledger"); err != nil {
		return nil, err
	}
	if err := l.validate(); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	slices.SortFunc(l.Vulnerabilities, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	return l, nil
}

func (l *Ledger) validate() error {
	seen := map[string]bool{}
	for i := range l.Vulnerabilities {
		e := &l.Vulnerabilities[i]
		if e.ID == "" || seen[e.ID] {
			return errs.New(errs.Invalid, "vulnerability %q has no name, or stands twice", e.ID)
		}
		seen[e.ID] = true
		if err := e.validate(); err != nil {
			return errs.New(errs.Invalid, "%s: %w", e.ID, err)
		}
	}
	for _, a := range l.Accepted {
		if err := signed(a.Reason, a.Author, a.Date); err != nil {
			return errs.New(errs.Invalid, "accepted %s: %w", a.Changes, err)
		}
	}
	return nil
}

func (e *Entry) validate() error {
	for _, status := range []string{e.Status, e.Base} {
		if !slices.Contains([]string{StatusAffected, StatusFixed, StatusNotAffected, StatusUnderInvestigation}, status) {
			return errs.New(errs.Invalid, "status %q is not known", status)
		}
	}
	if e.Decision != nil {
		if err := e.Decision.Validate(); err != nil {
			return errs.New(errs.Invalid, "decision: %w", err)
		}
	}
	for _, p := range e.Picks {
		if err := p.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (p Pick) validate() error {
	outcomes := []string{OutcomePresent, OutcomeEmpty, OutcomePicked, OutcomeConflict, OutcomeWaiting, OutcomeError}
	if !slices.Contains(outcomes, p.Outcome) {
		return errs.New(errs.Invalid, "pick of %s: outcome %q is not known", p.Commit, p.Outcome)
	}
	if p.Decision != nil {
		return p.Decision.Validate()
	}
	return nil
}

// Format writes the ledger as ParseLedger reads it.
func (l *Ledger) Format() ([]byte, error) {
	l.APIVersion, l.Kind = APIVersion, "Ledger"
	return encode(l)
}
