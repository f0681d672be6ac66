// Package release holds the words of Kubernetes' releases as values: versions, minors, branches, tags, civil dates, and the
// support policy with its eras.
//
// A version is what upstream tags (v1.28.15, v1.29.0-rc.1) and what clusters make of it: vendors add a suffix
// (v1.28.15-eks-113cf36), builds between tags add what git describe says (v1.20.0-alpha.1.123+abcdef). [Parse] takes all of
// these apart; nothing here knows which releases exist or when: that is data, which the catalog joins to these types.
//
// All functions are pure and safe for concurrent use. Dates are days of the UTC calendar; nothing reads a clock.
package release

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// maxVersionLength bounds what Parse looks at.
const maxVersionLength = 128

// Vendors that a version's spelling gives away. The empty vendor is upstream's, or one that nothing tells.
const (
	VendorAKS       = "aks"
	VendorACK       = "ack"
	VendorCoreOS    = "coreos"
	VendorEKS       = "eks"
	VendorEKSDistro = "eks-distro"
	VendorGKE       = "gke"
	VendorIKS       = "iks"
	VendorK3s       = "k3s"
	VendorKLTS      = "klts"
	VendorKubelts   = "kubelts"
	VendorMirantis  = "mirantis"
	VendorOpenShift = "openshift"
	VendorRKE2      = "rke2"
	VendorTKE       = "tke"
	VendorVMware    = "vmware"
)

// vendorNumbering is the first patch number that upstream never reached and that vendors count their own releases from.
const vendorNumbering = 100

// NoPatch is the Patch of a version that names a minor only.
const NoPatch = -1

// Version is a version as a cluster or a person spells it. The zero Version is no version.
type Version struct {
	Minor   Minor
	Patch   int    // NoPatch when only a minor was named
	Pre     string // upstream's pre-release, such as alpha.1 or rc.0; "" for a release
	Commits int    // how many commits after the tag it was built, as git describe counts; 0 at the tag or unknown
	Commit  string // the abbreviated commit of such a build
	Suffix  string // what follows, as it was printed, separator included: -eks-113cf36, +rke2r1, -dirty
	Vendor  string // whose suffix it is, see the Vendor constants
}

var (
	versionForm = regexp.MustCompile(`^v?(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:\.(0|[1-9][0-9]{0,5}))?(.*)$`)
	preForm     = regexp.MustCompile(`^-((?:alpha|beta|rc)(?:\.?(?:0|[1-9][0-9]{0,5}))?)(.*)$`)
	describe    = regexp.MustCompile(`^[.-]([1-9][0-9]{0,6})(?:\+|-g)([0-9a-f]{4,64})(.*)$`)
	suffixForm  = regexp.MustCompile(`^[+-][0-9A-Za-z]+(?:[.+-][0-9A-Za-z]+)*$`)
)

// vendorForms are tried in order, on the suffix.
var vendorForms = []struct {
	vendor string
	form   *regexp.Regexp
}{
	{VendorEKSDistro, regexp.MustCompile(`^-eks-[0-9]+-[0-9]+-[0-9]+$`)},
	{VendorEKS, regexp.MustCompile(`^-eks-`)},
	{VendorGKE, regexp.MustCompile(`^-gke\.`)},
	{VendorAKS, regexp.MustCompile(`^-akslts\b`)},
	{VendorACK, regexp.MustCompile(`^-aliyun\b`)},
	{VendorTKE, regexp.MustCompile(`^-tke\b`)},
	{VendorRKE2, regexp.MustCompile(`^(-rc[0-9]+)?\+rke2r`)},
	{VendorK3s, regexp.MustCompile(`^(-rc[0-9]+)?[+-]k3s`)},
	{VendorKLTS, regexp.MustCompile(`^-lts\.[0-9]+$`)},
	{VendorKubelts, regexp.MustCompile(`^\+lts\.[0-9]+$`)},
	{VendorVMware, regexp.MustCompile(`^\+vmware\b`)},
	{VendorIKS, regexp.MustCompile(`^\+IKS\b`)},
	{VendorMirantis, regexp.MustCompile(`^-mirantis\b`)},
	{VendorCoreOS, regexp.MustCompile(`^\+coreos\b`)},
	{VendorOpenShift, regexp.MustCompile(`^\+[0-9a-f]{7,12}$`)},
}

// Parse reads a version in any spelling that clusters print, with or without v. An underscore stands for the plus sign that
// image tags cannot have. The error is [errs.Invalid].
func Parse(s string) (Version, error) {
	invalid := func(why string) error {
		return errs.WithHint(errs.New(errs.Invalid, "version %q %s", clip(s), why), "write it as 1.28 or v1.28.15")
	}
	if len(strings.TrimPrefix(s, "v")) > maxVersionLength {
		return Version{}, invalid("is too long")
	}
	if v, ok := parsePlain(s); ok {
		return v, nil
	}
	m := versionForm.FindStringSubmatch(s)
	if m == nil {
		return Version{}, invalid("is not well formed")
	}
	v := Version{Minor: Minor{Major: atoi(m[1]), Minor: atoi(m[2])}, Patch: NoPatch}
	rest := m[4]
	if m[3] == "" {
		// The version endpoint of EKS and GKE prints the minor as "28+".
		if rest != "" && rest != "+" {
			return Version{}, invalid("has no patch number but goes on with " + strconv.Quote(clip(rest)))
		}
		return v, nil
	}
	v.Patch = atoi(m[3])
	if p := preForm.FindStringSubmatch(rest); p != nil && separates(p[2]) {
		v.Pre, rest = p[1], p[2]
	}
	if d := describe.FindStringSubmatch(rest); d != nil && separates(d[3]) {
		v.Commits, v.Commit, rest = atoi(d[1]), d[2], d[3]
	}
	v.Suffix = strings.Replace(rest, "_", "+", 1)
	if v.Suffix != "" && !suffixForm.MatchString(v.Suffix) {
		return Version{}, invalid("ends in " + strconv.Quote(clip(rest)))
	}
	v.Vendor = v.vendor()
	return v, nil
}

// parsePlain reads v1.28.15 and 1.28.15, of which the facts are full, without the patterns. What it does not take may still be a version.
func parsePlain(s string) (Version, bool) {
	s = strings.TrimPrefix(s, "v")
	var numbers [3]int
	for i := range numbers {
		part, rest, more := strings.Cut(s, ".")
		if more != (i < 2) || part == "" || len(part) > 6 || part[0] == '0' && part != "0" {
			return Version{}, false
		}
		for _, c := range []byte(part) {
			if !digit(c) {
				return Version{}, false
			}
			numbers[i] = 10*numbers[i] + int(c-'0')
		}
		s = rest
	}
	return Version{Minor: Minor{numbers[0], numbers[1]}, Patch: numbers[2]}, true
}

// separates reports whether rest can follow a complete part of a version.
func separates(rest string) bool {
	return rest == "" || strings.ContainsAny(rest[:1], ".-+_")
}

func clip(s string) string {
	if len(s) > maxVersionLength {
		return s[:maxVersionLength] + "..."
	}
	return s
}

// atoi is for digits that a pattern has bounded.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func (v Version) vendor() string {
	if v.Commit != "" {
		return ""
	}
	for _, f := range vendorForms {
		if f.form.MatchString(v.Suffix) {
			return f.vendor
		}
	}
	return ""
}

// String returns the version as Parse reads it back: 1.28 for a minor, otherwise with a leading v.
func (v Version) String() string {
	if v.Patch == NoPatch {
		return v.Minor.String()
	}
	var b strings.Builder
	b.WriteString("v" + v.Minor.String() + "." + strconv.Itoa(v.Patch))
	if v.Pre != "" {
		b.WriteString("-" + v.Pre)
	}
	if v.Commit != "" {
		// Upstream joins the count with a dot to a pre-release; after a release a dot would make a fourth number.
		separator := "-"
		if v.Pre != "" {
			separator = "."
		}
		b.WriteString(separator + strconv.Itoa(v.Commits) + "+" + v.Commit)
	}
	return b.String() + v.Suffix
}

// IsZero reports whether v is no version at all.
func (v Version) IsZero() bool { return v == Version{} }

// HasPatch reports whether v names more than a minor.
func (v Version) HasPatch() bool { return v.Patch != NoPatch }

// IsRelease reports whether v stands on an upstream release, not a pre-release or a build between tags.
func (v Version) IsRelease() bool { return v.HasPatch() && v.Pre == "" && v.Commit == "" }

// OwnNumbering reports whether the patch number is the vendor's own, as in AKS' v1.28.102-akslts: upstream has none that high.
func (v Version) OwnNumbering() bool { return v.Patch >= vendorNumbering }

// Upstream returns the upstream version that v is built on, and false when the spelling does not tell: with a vendor's own
// patch numbers it is unknown.
func (v Version) Upstream() (Version, bool) {
	if v.OwnNumbering() {
		return Version{}, false
	}
	return Version{Minor: v.Minor, Patch: v.Patch, Pre: v.Pre}, true
}

// Of returns the plain patch release of a minor.
func Of(m Minor, patch int) Version { return Version{Minor: m, Patch: patch} }

// Compare orders versions: by upstream's number, pre-releases before their release, then by commits after the tag, then by
// suffix, numbers in it by value: v1.28.15 < v1.28.15+lts.1 < v1.28.15+lts.10 < v1.28.16. A minor comes before its releases.
// It is a total order; 0 means that a and b are spelled alike.
func Compare(a, b Version) int {
	return cmp.Or(
		CompareUpstream(a, b),
		natural(a.Suffix, b.Suffix),
		strings.Compare(a.Commit, b.Commit),
		strings.Compare(a.String(), b.String()),
	)
}

// CompareUpstream orders like Compare, but calls versions equal that differ only in a vendor's suffix.
func CompareUpstream(a, b Version) int {
	return cmp.Or(
		CompareMinors(a.Minor, b.Minor),
		cmp.Compare(a.Patch, b.Patch),
		comparePre(a.Pre, b.Pre),
		cmp.Compare(a.Commits, b.Commits),
	)
}

func comparePre(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return natural(a, b)
}

// natural compares texts with runs of digits taken as numbers.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, restA := run(a)
		y, restB := run(b)
		order := strings.Compare(x, y)
		if digit(x[0]) && digit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			order = cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
		}
		if order != 0 {
			return order
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// run splits off the leading run of digits, or of anything else.
func run(s string) (head, rest string) {
	i := 1
	for i < len(s) && digit(s[i]) == digit(s[0]) {
		i++
	}
	return s[:i], s[i:]
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
