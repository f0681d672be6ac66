package upkeep

import (
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// How far a line's verification stands.
const (
	VerifiedPassed   = "passed"
	VerifiedFailed   = "failed"   // something newly fails
	VerifiedAccepted = "accepted" // a person lets it in all the same
	VerifiedStale    = "stale"    // the series has changed since
	VerifiedNone     = "none"
)

// Status is how a line stands.
type Status struct {
	Minor         release.Minor  `json:"minor"`
	Base          string         `json:"base"`
	Toolchain     string         `json:"toolchain"`
	Patches       int            `json:"patches"`
	Statuses      map[string]int `json:"vulnerabilities"` // how many have which status
	Conflicts     []string       `json:"conflicts"`       // open ones, as paths in the project
	Verified      string         `json:"verified"`
	Releases      []string       `json:"releases"`   // versions, oldest first
	Unreleased    bool           `json:"unreleased"` // the series or line.yaml changed since the latest release
	Blocks        []string       `json:"blocks"`     // what keeps it from a release
	Alarms        []Alarm        `json:"alarms"`     // decisions that the evidence contradicts now
	Vulnerability []lts.Entry    `json:"ledger"`     // the ledger's entries
}

// Alarm is a person's decision that the evidence contradicts now.
type Alarm struct {
	Vulnerability string `json:"vulnerability"`
	Note          string `json:"note"` // how
}

// alarms are those of some entries, in their order.
func alarms(entries []lts.Entry) []Alarm {
	found := []Alarm{}
	for i := range entries {
		if why := entries[i].Contradiction(); why != "" {
			found = append(found, Alarm{entries[i].ID, why})
		}
	}
	return found
}

// Status tells how a line stands. It reads the project's files only.
func (p *Project) Status(minor release.Minor) (*Status, error) {
	state, err := p.load(minor)
	if err != nil {
		return nil, err
	}
	s := &Status{
		Minor: minor, Base: state.line.Base.Tag, Toolchain: state.line.Toolchain, Patches: len(state.patches), Statuses: map[string]int{},
		Verified: state.verification(), Conflicts: []string{}, Blocks: state.blocks(), Vulnerability: []lts.Entry{},
		Alarms: alarms(state.entries()),
	}
	for _, e := range state.entries() {
		s.Statuses[e.Status]++
		s.Vulnerability = append(s.Vulnerability, e)
	}
	for _, c := range state.conflicts {
		s.Conflicts = append(s.Conflicts, path.Join(state.dir, "conflicts", c.name))
	}
	manifests, err := p.releases(minor)
	if err != nil {
		return nil, err
	}
	s.Releases, s.Unreleased = []string{}, len(state.patches) > 0
	inputs, err := p.inputs(state)
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		s.Releases = append(s.Releases, m.Version)
		s.Unreleased = m.InputsSHA256 != inputs
	}
	return s, nil
}

// verification says how far the series, as it stands, is verified.
func (s *lineState) verification() string {
	changes := s.changes()
	switch {
	case s.verified != nil && s.verified.Changes == changes && s.verified.Passed():
		return VerifiedPassed
	case s.ledger.Acceptance(changes) != nil:
		return VerifiedAccepted
	case s.verified == nil:
		return VerifiedNone
	case s.verified.Changes != changes:
		return VerifiedStale
	}
	return VerifiedFailed
}

// blocks lists what keeps the line from a release.
func (s *lineState) blocks() []string {
	blocks := []string{}
	for _, e := range s.entries() {
		blocks = append(blocks, e.Blocks()...)
	}
	blocks = append(blocks, s.disagreements()...)
	if len(s.patches) == 0 {
		return append(blocks, "the series has no patches")
	}
	switch s.verification() {
	case VerifiedNone:
		blocks = append(blocks, "the series is not verified")
	case VerifiedStale:
		blocks = append(blocks, "the series, or how line.yaml builds and judges it, has changed since it was verified")
	case VerifiedFailed:
		blocks = append(blocks, "its verification found something that newly fails")
	}
	return blocks
}

// disagreements lists where the ledger does not fit the line's other files: what it says of them would go into a release all the same.
func (s *lineState) disagreements() []string {
	var blocks []string
	if s.noLedger {
		blocks = append(blocks, s.dir+"/ledger.yaml is missing")
	}
	patches, conflicts := map[string]bool{}, map[string]bool{}
	for _, patch := range s.patches {
		patches[patch.Name] = true
	}
	for _, e := range s.ledger.Vulnerabilities {
		for _, p := range e.Picks {
			conflicts[p.Conflict] = true
			if p.Outcome == lts.OutcomePicked && !patches[p.Patch] {
				blocks = append(blocks, e.ID+": the ledger has it from patch "+p.Patch+", which the series does not have: update the line")
			}
		}
	}
	for _, c := range s.conflicts {
		if !conflicts[c.name] && !s.allWaived(c.Vulnerabilities) {
			blocks = append(blocks, path.Join(s.dir, "conflicts", c.name)+" is open, and the ledger does not name it: update the line")
		}
	}
	return blocks
}

// releases returns the manifests of a line's releases, oldest first.
func (p *Project) releases(minor release.Minor) ([]*lts.Manifest, error) {
	names, err := p.Files.List("releases")
	if err != nil {
		return nil, err
	}
	var manifests []*lts.Manifest
	for _, entry := range names {
		name := "releases/" + strings.TrimSuffix(entry, "/") + "/manifest.json"
		content, err := p.Files.Read(name, lts.MaxFile)
		if err != nil {
			return nil, errs.New(errs.Invalid, "releases/%s: is no release: %w", entry, err)
		}
		m, err := lts.ParseManifest(name, content)
		if err != nil {
			return nil, err
		}
		if m.Version != strings.TrimSuffix(entry, "/") {
			return nil, errs.New(errs.Invalid, "%s: is of version %s", name, m.Version)
		}
		if m.Minor == minor {
			manifests = append(manifests, m)
		}
	}
	slices.SortFunc(manifests, func(a, b *lts.Manifest) int { return compareVersions(a.Version, b.Version) })
	return manifests, nil
}

func compareVersions(a, b string) int {
	x, errX := release.Parse(a)
	y, errY := release.Parse(b)
	if errX != nil || errY != nil {
		return strings.Compare(a, b)
	}
	return release.Compare(x, y)
}
