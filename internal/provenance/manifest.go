package provenance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// Refusal is what could not be used, and why.
type Refusal struct {
	What   string `json:"what"` // file, address, or entry of a document
	Reason string `json:"reason"`
}

// maxRefusals bounds those that are kept of one source.
const maxRefusals = 200

// State is how a source stands.
type State struct {
	Name       string    `json:"name"`
	Rank       Rank      `json:"rank"`
	From       string    `json:"from"`    // address or path
	Fetched    time.Time `json:"fetched"` // when what is kept was fetched; of files, when the newest was written
	Checked    time.Time `json:"checked"` // when it was last seen to be the newest there is
	Digest     string    `json:"digest"`
	Bytes      int64     `json:"bytes"`
	ETag       string    `json:"etag,omitempty"`
	Modified   string    `json:"modified,omitempty"`
	Statements int       `json:"statements"`
	Skipped    int       `json:"skipped,omitempty"` // entries that are not about Kubernetes
	Refused    int       `json:"refused,omitempty"`
	Refusals   []Refusal `json:"refusals,omitempty"`  // the first of them
	Malformed  int       `json:"malformed,omitempty"` // things that are wrong with its records by themselves
	// Failure is why the last attempt gave nothing, where it did not; what is kept then is older.
	Failure string    `json:"failure,omitempty"`
	Failed  time.Time `json:"failed,omitzero"`
}

// Refuse keeps refusals, as many as there is room for.
func (s *State) Refuse(refused []Refusal) {
	s.Refused = len(refused)
	s.Refusals = slices.Clone(refused[:min(len(refused), maxRefusals)])
}

// File is one file of a folder of facts.
type File struct {
	Digest string `json:"digest"` // sha256: and the digest
	Size   int64  `json:"size"`
}

// Manifest describes a folder of facts that was made from sources.
type Manifest struct {
	Version int       `json:"version"` // of this form: 1
	Created time.Time `json:"created"`
	Program string    `json:"program"` // the version of kubelts that made it
	// Base are the reviewed facts that went in: their digest, and the day up to which they were collected.
	Base     string       `json:"base"`
	Reviewed release.Date `json:"reviewed"`

	Sources   []State         `json:"sources"`
	Records   int             `json:"records"`
	New       int             `json:"new"`
	Conflicts int             `json:"conflicts"`
	Newer     int             `json:"newer"` // conflicts that are later than the review
	Malformed int             `json:"malformed"`
	Leads     int             `json:"leads"`
	Files     map[string]File `json:"files"`
}

// MaxFile is the largest file of a folder of facts, in bytes; maxFiles is how many there may be.
const (
	MaxFile  = 128 << 20
	maxFiles = 50_000
)

// fileForm is what the files of a folder are called.
var fileForm = regexp.MustCompile(`^(facts/[a-z]+\.yaml|facts/vulnerabilities/[A-Za-z0-9][A-Za-z0-9._:-]*\.json|sources/[a-z-]+\.json|conflicts\.json|leads\.json)$`)

// ParseManifest reads a manifest strictly. Errors are [errs.Invalid].
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, errs.New(errs.Invalid, "manifest: %w", err)
	}
	if m.Version != 1 {
		return Manifest{}, errs.WithHint(errs.New(errs.Invalid, "manifest: version %d is not known", m.Version), "it was made by another version of kubelts")
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles || m.Created.IsZero() {
		return Manifest{}, errs.New(errs.Invalid, "manifest: %d files, made at %v", len(m.Files), m.Created)
	}
	for name, f := range m.Files {
		if !fileForm.MatchString(name) || f.Size < 0 || f.Size > MaxFile {
			return Manifest{}, errs.New(errs.Invalid, "manifest: file %q of %d bytes does not belong here", name, f.Size)
		}
	}
	for _, s := range m.Sources {
		if err := s.Rank.Validate(); err != nil || !fileForm.MatchString(SourceFile(s.Name)) {
			return Manifest{}, errs.New(errs.Invalid, "manifest: source %q is not well formed", s.Name)
		}
		if _, ok := m.Files[SourceFile(s.Name)]; !ok && s.Statements > 0 {
			return Manifest{}, errs.New(errs.Invalid, "manifest: no file has the statements of source %q", s.Name)
		}
	}
	return m, nil
}

// SourceFile is the name of the file with what a source says.
func SourceFile(name string) string { return "sources/" + name + ".json" }

// State returns how a source stands, and false for one that was never read.
func (m Manifest) State(name string) (State, bool) {
	i := slices.IndexFunc(m.Sources, func(s State) bool { return s.Name == name })
	if i < 0 {
		return State{}, false
	}
	return m.Sources[i], true
}

// ParseItems reads what a source says, as it was written. Errors are [errs.Invalid].
func ParseItems(name string, data []byte) (Items, error) {
	var items Items
	if err := json.Unmarshal(data, &items); err != nil {
		return Items{}, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	return items, nil
}

// String names the manifest for people.
func (m Manifest) String() string {
	return fmt.Sprintf("facts of %s from %d sources", m.Created.Format(time.DateOnly), len(m.Sources))
}
