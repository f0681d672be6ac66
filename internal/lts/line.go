package lts

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
)

// Line is a minor that is kept alive here, as lines/<minor>/line.yaml says it.
type Line struct {
	APIVersion    string         `yaml:"apiVersion"`
	Kind          string         `yaml:"kind"`
	Minor         release.Minor  `yaml:"minor"`
	Base          Base           `yaml:"base"`
	Toolchain     string         `yaml:"toolchain"` // such as go1.26.8: the value of GOTOOLCHAIN; or local
	Build         BuildConfig    `yaml:"build"`
	Components    []Component    `yaml:"components,omitempty"`
	Platforms     []Platform     `yaml:"platforms,omitempty"`
	KnownFailures []KnownFailure `yaml:"knownFailures,omitempty"`
	Instances     Instances      `yaml:"instances,omitempty"`
	// Absent are files that the clone does not have and nothing is built from: they are left out of the sources, and manifests say so.
	Absent []string `yaml:"absent,omitempty"`
}

// Base is the upstream release that a line stands on.
type Base struct {
	Tag    string  `yaml:"tag" json:"tag"`
	Commit git.OID `yaml:"commit" json:"commit"`
}

// The modes in which a line is built.
const (
	ModeModule = "module" // go.mod, with or without a vendor directory
	ModeGOPATH = "gopath" // sources under $GOPATH/src/<importPath>, GO111MODULE=off
)

// BuildConfig says how the go program is called for a line's sources.
type BuildConfig struct {
	Mode       string            `yaml:"mode"`
	ImportPath string            `yaml:"importPath,omitempty"` // the import path of the tree's root; only in gopath mode
	Flags      []string          `yaml:"flags,omitempty"`      // for go build, vet and test, such as -mod=vendor
	Env        map[string]string `yaml:"env,omitempty"`        // what the go program gets beside the scrubbed environment, such as CGO_ENABLED
	Tags       []string          `yaml:"tags,omitempty"`       // build tags
}

// Component is a program that a line releases.
type Component struct {
	Name        string   `yaml:"name"`    // of the binary and the package: etcd
	Package     string   `yaml:"package"` // the main package, relative to the tree's root: ./cmd/etcd
	Description string   `yaml:"description,omitempty"`
	LDFlags     []string `yaml:"ldflags,omitempty"` // each one word or pair for -ldflags; see [Stamp.Expand] for what stands in braces
}

// Platform is an operating system and an architecture in Go's words: linux/amd64.
type Platform string

// OS is the operating system, as GOOS.
func (p Platform) OS() string {
	os, _, _ := strings.Cut(string(p), "/")
	return os
}

// Arch is the architecture, as GOARCH.
func (p Platform) Arch() string {
	_, arch, _ := strings.Cut(string(p), "/")
	return arch
}

// KnownFailure is a test, or with an empty Test a whole package, that fails on the base and blocks nothing.
type KnownFailure struct {
	Package string `yaml:"package"` // import path
	Test    string `yaml:"test,omitempty"`
	Reason  string `yaml:"reason"`
}

// Instances says which of upstream's branches may not serve as source or evidence.
type Instances struct {
	Exclude []string `yaml:"exclude,omitempty"` // branch globs
}

// Stamp is what a release writes into its programs.
type Stamp struct {
	Version string        // v3.4.20+lts.1
	Base    string        // v3.4.20
	Minor   release.Minor // 3.4
	Commit  git.OID       // the commit that the release's tag names
	Date    string        // of the release, as 2023-07-28T00:00:00Z
}

// Expand puts the stamp's values in place of {version}, {number} (the version without v), {base}, {commit}, {short} (ten digits of
// it), {date}, {major} and {minor}. Braces around anything else stay as they are.
func (s Stamp) Expand(text string) string {
	major, minor, _ := strings.Cut(s.Minor.String(), ".")
	return strings.NewReplacer(
		"{version}", s.Version, "{number}", strings.TrimPrefix(s.Version, "v"), "{base}", s.Base,
		"{commit}", s.Commit.String(), "{short}", s.Commit.Short(), "{date}", s.Date, "{major}", major, "{minor}", minor,
	).Replace(text)
}

var (
	componentForm = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]{1,63}$`)
	packageForm   = regexp.MustCompile(`^\.(/[A-Za-z0-9_][A-Za-z0-9_.+~-]*)*$`)
	platformForm  = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	toolchainForm = regexp.MustCompile(`^(local|go1\.[0-9]+(\.[0-9]+)?(rc[0-9]+)?)$`)
	envForm       = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	importForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.~-]*(/[A-Za-z0-9_][A-Za-z0-9_.~-]*)*$`)
)

// ParseLine reads a line.yaml. The name is for messages.
func ParseLine(name string, content []byte) (*Line, error) {
	l := &Line{}
	if err := decode(name, content, l); err != nil {
		return nil, err
	}
	if err := header(name, l.APIVersion, l.Kind, "Line"); err != nil {
		return nil, err
	}
	if err := l.Validate(); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	return l, nil
}

// Format writes the line as ParseLine reads it.
func (l *Line) Format() ([]byte, error) {
	l.APIVersion, l.Kind = APIVersion, "Line"
	return encode(l)
}

// Validate checks what others rely on.
func (l *Line) Validate() error {
	switch {
	case l.Minor.IsZero():
		return errs.New(errs.Invalid, "minor is missing")
	case l.Base.Tag == "" || l.Base.Commit.IsZero():
		return errs.New(errs.Invalid, "base needs a tag and a commit")
	case !toolchainForm.MatchString(l.Toolchain):
		return errs.WithHint(errs.New(errs.Invalid, "toolchain %q is not a Go toolchain", l.Toolchain), "write it as go1.26.8, or local for the one that is installed")
	}
	if err := l.Build.validate(); err != nil {
		return err
	}
	if err := validComponents(l.Components); err != nil {
		return err
	}
	for _, p := range l.Platforms {
		if !platformForm.MatchString(string(p)) {
			return errs.WithHint(errs.New(errs.Invalid, "platform %q is not well formed", p), "write it as linux/amd64")
		}
	}
	for _, f := range l.KnownFailures {
		if f.Package == "" || f.Reason == "" {
			return errs.New(errs.Invalid, "a known failure needs a package and a reason")
		}
	}
	for _, name := range l.Absent {
		if !git.ValidPath(name) {
			return errs.New(errs.Invalid, "absent path %q is not well formed", name)
		}
	}
	for _, glob := range l.Instances.Exclude {
		if _, err := MatchBranch(glob, ""); err != nil {
			return err
		}
	}
	return nil
}

func validComponents(components []Component) error {
	names := map[string]bool{}
	for _, c := range components {
		if err := c.validate(); err != nil {
			return err
		}
		if names[c.Name] {
			return errs.New(errs.Invalid, "component %q stands twice", c.Name)
		}
		names[c.Name] = true
	}
	return nil
}

// hollowFlags are the flags with which the go program says that all is well though it did not build, vet or test what it was asked to.
func hollowFlags() []string {
	return []string{
		"C", "args", "c", "count", "exec", "fuzz", "help", "h", "list", "modfile", "n", "o", "overlay", "run", "skip", "timeout", "toolexec", "vet",
	}
}

func (b BuildConfig) validate() error {
	switch {
	case b.Mode != ModeModule && b.Mode != ModeGOPATH:
		return errs.New(errs.Invalid, "build mode %q is neither %s nor %s", b.Mode, ModeModule, ModeGOPATH)
	case b.Mode == ModeGOPATH && !importForm.MatchString(b.ImportPath):
		return errs.New(errs.Invalid, "build mode %s needs an importPath such as k8s.io/kubernetes, not %q", ModeGOPATH, b.ImportPath)
	case b.Mode == ModeModule && b.ImportPath != "":
		return errs.New(errs.Invalid, "build mode %s takes its importPath from go.mod", ModeModule)
	}
	for _, f := range b.Flags {
		if !strings.HasPrefix(f, "-") {
			return errs.New(errs.Invalid, "build flag %q does not start with a dash", f)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(f, "-"), "test."), "=")
		if slices.Contains(hollowFlags(), name) {
			return errs.WithHint(errs.New(errs.Invalid, "build flag %q keeps the go program from building or testing everything", f), "name tests that fail under knownFailures")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Env)) {
		if !envForm.MatchString(name) {
			return errs.New(errs.Invalid, "build env %q is no name of a variable", name)
		}
	}
	return nil
}

func (c Component) validate() error {
	if !componentForm.MatchString(c.Name) {
		return errs.New(errs.Invalid, "component %q: a name has lower case letters, digits, +, . and -", c.Name)
	}
	if !packageForm.MatchString(c.Package) {
		return errs.WithHint(errs.New(errs.Invalid, "component %q: package %q is not a path in the tree", c.Name, c.Package), "write it as ./cmd/%s, or . for the root", c.Name)
	}
	return nil
}
