package release

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// Minor is a minor version, such as 1.28.
type Minor struct {
	Major int
	Minor int
}

// ParseMinor reads 1.28 or v1.28; nothing may follow. The error is [errs.Invalid].
func ParseMinor(s string) (Minor, error) {
	v, err := Parse(s)
	if err != nil {
		return Minor{}, err
	}
	if v.HasPatch() {
		return Minor{}, errs.WithHint(errs.New(errs.Invalid, "minor %q names a patch release", s), "write %s", v.Minor)
	}
	return v.Minor, nil
}

// String returns the minor as 1.28.
func (m Minor) String() string { return strconv.Itoa(m.Major) + "." + strconv.Itoa(m.Minor) }

// IsZero reports whether m is no minor at all.
func (m Minor) IsZero() bool { return m == Minor{} }

// Plus returns the minor n after m, before it when n is negative.
func (m Minor) Plus(n int) Minor { return Minor{m.Major, m.Minor + n} }

// MarshalText writes the minor as String does.
func (m Minor) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what ParseMinor does.
func (m *Minor) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMinor(string(text))
	return err
}

// CompareMinors orders minors.
func CompareMinors(a, b Minor) int {
	return cmp.Or(cmp.Compare(a.Major, b.Major), cmp.Compare(a.Minor, b.Minor))
}

// clientGoOffset is what client-go's own branch numbers lack to the minor, in the years when it had its own.
const clientGoOffset = 3

var (
	branchForm   = regexp.MustCompile(`^release-(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)
	clientGoLast = Minor{14, 0}
)

// Branch returns the release branch of the minor in kubernetes/kubernetes and most of its staging repositories.
func (m Minor) Branch() string { return "release-" + m.String() }

// BranchIn returns the release branch of the minor in a repository (owner/name). client-go counted for itself up to
// Kubernetes 1.17: 1.12 is release-9.0 there, and 1.17 release-14.0.
func (m Minor) BranchIn(repository string) string {
	own := m.Minor - clientGoOffset
	if isClientGo(repository) && m.Major == 1 && own >= 2 && own <= clientGoLast.Major {
		return "release-" + strconv.Itoa(own) + ".0"
	}
	return m.Branch()
}

// MinorOfBranch returns the minor that a release branch of a repository is for.
func MinorOfBranch(repository, branch string) (Minor, bool) {
	m := branchForm.FindStringSubmatch(branch)
	if m == nil {
		return Minor{}, false
	}
	minor := Minor{atoi(m[1]), atoi(m[2])}
	if isClientGo(repository) && minor.Major >= 2 && minor.Major <= clientGoLast.Major && minor.Minor == 0 {
		return Minor{1, minor.Major + clientGoOffset}, true
	}
	return minor, true
}

func isClientGo(repository string) bool {
	return repository == "client-go" || strings.HasSuffix(repository, "/client-go")
}

// OfTag returns the Kubernetes version that a tag marks: v1.28.15 in kubernetes/kubernetes and the repositories of others that
// tag the same way, kubernetes-1.28.15 in the staging repositories.
func OfTag(tag string) (Version, bool) {
	name, staging := strings.CutPrefix(tag, "kubernetes-")
	if staging == strings.HasPrefix(name, "v") {
		return Version{}, false
	}
	v, err := Parse(name)
	if err != nil || !v.HasPatch() {
		return Version{}, false
	}
	return v, true
}

// StagingTag returns the tag that marks v in the staging repositories.
func (v Version) StagingTag() string { return "kubernetes-" + strings.TrimPrefix(v.String(), "v") }
