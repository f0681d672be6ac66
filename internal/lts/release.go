package lts

import (
	"encoding/json"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
)

// Verification is what building, vetting and testing a line's tree and its base showed, as lines/<minor>/verification.yaml keeps it.
type Verification struct {
	APIVersion string   `yaml:"apiVersion" json:"apiVersion"`
	Kind       string   `yaml:"kind" json:"kind"`
	Tree       git.OID  `yaml:"tree" json:"tree"`         // the line's
	BaseTree   git.OID  `yaml:"baseTree" json:"baseTree"` // the base's
	Changes    string   `yaml:"changes" json:"changes"`   // what was verified, see [Changes]
	Toolchain  string   `yaml:"toolchain" json:"toolchain"`
	Scope      string   `yaml:"scope" json:"scope"`       // see the Scope constants
	Packages   []string `yaml:"packages" json:"packages"` // import paths that were verified, sorted; never empty
	// New are the failures of the line that the base does not have and line.yaml does not know: they block a release.
	New []Failure `yaml:"new,omitempty" json:"new,omitempty"`
	// Old are those that the base has too.
	Old []Failure `yaml:"old,omitempty" json:"old,omitempty"`
	// Known are those that line.yaml names.
	Known []Failure `yaml:"known,omitempty" json:"known,omitempty"`
	// Cured are those that only the base has.
	Cured []Failure `yaml:"cured,omitempty" json:"cured,omitempty"`
	// Flaky are tests that failed on the line and passed when they were run again: they block nothing.
	Flaky []Failure `yaml:"flaky,omitempty" json:"flaky,omitempty"`
	// Notes say what was decided on the way and what could not be observed, one sentence each.
	Notes []string `yaml:"notes,omitempty" json:"notes,omitempty"`
	// Tests is how many tests were run on the line, skipped ones not counted.
	Tests int `yaml:"tests" json:"tests"`
}

// What a verification covered.
const (
	ScopeDirect     = "direct"     // the packages that the series touches, and those that import them directly
	ScopeTransitive = "transitive" // all that import them
)

// Failure is one thing that does not work.
type Failure struct {
	Step    string `yaml:"step" json:"step"`                     // build, vet or test
	Kind    string `yaml:"kind,omitempty" json:"kind,omitempty"` // what happened, in the words of package verify: failed, panic, timeout, build-failed, ...
	Package string `yaml:"package" json:"package"`               // import path
	Test    string `yaml:"test,omitempty" json:"test,omitempty"` // empty when the package as a whole fails
	Output  string `yaml:"output,omitempty" json:"output,omitempty"`
}

// Passed reports whether nothing newly fails.
func (v *Verification) Passed() bool { return len(v.New) == 0 && len(v.Packages) > 0 }

// ParseVerification reads a verification.yaml. The name is for messages.
func ParseVerification(name string, content []byte) (*Verification, error) {
	v := &Verification{}
	if err := decode(name, content, v); err != nil {
		return nil, err
	}
	if err := header(name, v.APIVersion, v.Kind, "Verification"); err != nil {
		return nil, err
	}
	if v.Tree.IsZero() || len(v.Packages) == 0 {
		return nil, errs.New(errs.Invalid, "%s: names no tree or no packages", name)
	}
	return v, nil
}

// Format writes the verification as ParseVerification reads it.
func (v *Verification) Format() ([]byte, error) {
	v.APIVersion, v.Kind = APIVersion, "Verification"
	return encode(v)
}

// The kinds of artifacts.
const (
	KindTarGz     = "tar.gz"
	KindDeb       = "deb"
	KindChecksums = "checksums"
	KindChangelog = "changelog"
)

// Artifact is one file of a release.
type Artifact struct {
	Name      string   `json:"name"` // the file's name in the release's directory
	Kind      string   `json:"kind"`
	Component string   `json:"component,omitempty"`
	Platform  Platform `json:"platform,omitempty"`
	SHA256    string   `json:"sha256"` // 64 hexadecimal digits
	Size      int64    `json:"size"`   // bytes
}

// What is known about whether a release can be built again byte for byte.
const (
	ReproducibleYes     = "yes"         // it was built twice, in different directories, with equal bytes
	ReproducibleNo      = "no"          // it was, and they differ
	ReproducibleUnknown = "not-checked" // it was built once
)

// Manifest says what a release is made of, as releases/<version>/manifest.json keeps it.
type Manifest struct {
	APIVersion      string        `json:"apiVersion"`
	Kind            string        `json:"kind"`
	Version         string        `json:"version"`
	Minor           release.Minor `json:"minor"`
	Base            Base          `json:"base"`
	Source          Source        `json:"source"`
	InputsSHA256    string        `json:"inputsSHA256"` // of kubelts.yaml, line.yaml and the series: what decides a release
	SeriesSHA256    string        `json:"seriesSHA256"` // of the patch files, in order
	Patches         []string      `json:"patches"`
	Date            string        `json:"date"`
	Toolchain       string        `json:"toolchain"` // as it says of itself: go1.26.8
	Reproducible    string        `json:"reproducible"`
	Absent          []string      `json:"absent,omitempty"` // files of the tree that were not there when it was built
	Vulnerabilities []string      `json:"vulnerabilities"`  // that the release cures, against its base
	Open            []Open        `json:"open"`             // what is known and not cured
	Artifacts       []Artifact    `json:"artifacts"`
}

// Open is a vulnerability that a release does not cure.
type Open struct {
	ID     string `json:"id"`
	Status string `json:"status"` // affected or under_investigation
	Reason string `json:"reason,omitempty"`
}

// Source names what was built.
type Source struct {
	Commit git.OID `json:"commit"`
	Tree   git.OID `json:"tree"`
	Tag    string  `json:"tag"` // in the project's store
	TagOID git.OID `json:"tagObject"`
}

// ParseManifest reads a manifest.json. The name is for messages.
func ParseManifest(name string, content []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(content, m); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	if err := header(name, m.APIVersion, m.Kind, "Release"); err != nil {
		return nil, err
	}
	if m.Version == "" || m.Source.Tree.IsZero() {
		return nil, errs.New(errs.Invalid, "%s: names no version or no source", name)
	}
	return m, nil
}

// Format writes the manifest as ParseManifest reads it.
func (m *Manifest) Format() ([]byte, error) {
	m.APIVersion, m.Kind = APIVersion, "Release"
	out, err := json.MarshalIndent(m, "", "  ")
	return append(out, '\n'), err
}
