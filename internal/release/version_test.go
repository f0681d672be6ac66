package release_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/semver"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

func v28(patch int) release.Version {
	return release.Version{Minor: release.Minor{Major: 1, Minor: 28}, Patch: patch}
}

func TestParse(t *testing.T) {
	with := func(v release.Version, vendor, suffix string) release.Version {
		v.Vendor, v.Suffix = vendor, suffix
		return v
	}
	minor := func(n int) release.Minor { return release.Minor{Major: 1, Minor: n} }
	tests := []struct {
		name, in string
		want     release.Version
		format   string // "" when it is the input
	}{
		{"minor", "1.28", v28(release.NoPatch), ""},
		{"minor with v", "v1.28", v28(release.NoPatch), "1.28"},
		{"minor as EKS prints it", "1.28+", v28(release.NoPatch), "1.28"},
		{"release", "v1.28.15", v28(15), ""},
		{"release without v", "1.28.15", v28(15), "v1.28.15"},
		{"EKS", "v1.28.15-eks-113cf36", with(v28(15), "eks", "-eks-113cf36"), ""},
		{"EKS Distro", "v1.28.15-eks-1-28-66", with(v28(15), "eks-distro", "-eks-1-28-66"), ""},
		{"GKE", "v1.27.16-gke.2440000", release.Version{Minor: minor(27), Patch: 16, Vendor: "gke", Suffix: "-gke.2440000"}, ""},
		{"RKE2", "v1.26.15+rke2r1", release.Version{Minor: minor(26), Patch: 15, Vendor: "rke2", Suffix: "+rke2r1"}, ""},
		{"RKE2 candidate", "v1.26.15-rc1+rke2r1", release.Version{Minor: minor(26), Patch: 15, Pre: "rc1", Vendor: "rke2", Suffix: "+rke2r1"}, ""},
		{"k3s", "v1.28.15+k3s1", with(v28(15), "k3s", "+k3s1"), ""},
		{"AKS LTS", "v1.28.102-akslts", with(v28(102), "aks", "-akslts"), ""},
		{"ACK", "v1.24.17-aliyun.1", release.Version{Minor: minor(24), Patch: 17, Vendor: "ack", Suffix: "-aliyun.1"}, ""},
		{"ours", "v1.28.15+lts.1", with(v28(15), "kubelts", "+lts.1"), ""},
		{"ours as an image tag", "v1.28.15_lts.1", with(v28(15), "kubelts", "+lts.1"), "v1.28.15+lts.1"},
		{"KLTS", "v1.28.15-lts.1", with(v28(15), "klts", "-lts.1"), ""},
		{"OpenShift", "v1.27.6+f67aeb3", release.Version{Minor: minor(27), Patch: 6, Vendor: "openshift", Suffix: "+f67aeb3"}, ""},
		{
			"build after a pre-release", "v1.20.0-alpha.1.123+abcdef",
			release.Version{Minor: minor(20), Pre: "alpha.1", Commits: 123, Commit: "abcdef"},
			"",
		},
		{
			"build after a release, as git describes it", "v1.28.15-5-gabcdef12",
			release.Version{Minor: minor(28), Patch: 15, Commits: 5, Commit: "abcdef12"},
			"v1.28.15-5+abcdef12",
		},
		{
			"dirty build", "v1.28.15-5+abcdef12-dirty",
			release.Version{Minor: minor(28), Patch: 15, Commits: 5, Commit: "abcdef12", Suffix: "-dirty"},
			"",
		},
		{"dirty", "v1.28.15-dirty", with(v28(15), "", "-dirty"), ""},
		{"release candidate", "v1.28.0-rc.1", release.Version{Minor: minor(28), Pre: "rc.1"}, ""},
		{"a vendor that nobody knows", "v1.28.15-acme.2", with(v28(15), "", "-acme.2"), ""},
		{"etcd", "3.4.20", release.Version{Minor: release.Minor{Major: 3, Minor: 4}, Patch: 20}, "v3.4.20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := release.Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.in, diff)
			}
			want := tt.format
			if want == "" {
				want = tt.in
			}
			if got.String() != want {
				t.Errorf("String() = %q, want %q", got.String(), want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, in string }{
		{"empty", ""},
		{"a word", "latest"},
		{"one number", "1"},
		{"four numbers", "1.28.15.1"},
		{"leading zero", "1.028.1"},
		{"letters after the patch", "1.28.15x"},
		{"suffix on a minor", "1.28-eks"},
		{"space", "v1.28.15 "},
		{"option", "--version"},
		{"control character", "v1.28.15-a\x1b"},
		{"dangling separator", "v1.28.15-"},
		{"huge number", "1.28.9999999"},
		{"long", "v1.28.15-" + strings.Repeat("a", 1000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := release.Parse(tt.in)
			if !errs.Is(err, errs.Invalid) {
				t.Errorf("Parse(%q) = %v, %v; want an invalid error", tt.in, got, err)
			}
			if len(errs.Hints(err)) == 0 {
				t.Errorf("Parse(%q) gives no hint", tt.in)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	ascending := []string{
		"1.27", "v1.27.0", "1.28", "v1.28.0-alpha.1", "v1.28.0-alpha.1.5+abcdef", "v1.28.0-alpha.2", "v1.28.0-alpha.10", "v1.28.0-beta.0",
		"v1.28.0-rc.0", "v1.28.0", "v1.28.2", "v1.28.10", "v1.28.15", "v1.28.15+lts.1", "v1.28.15+lts.2", "v1.28.15+lts.10",
		"v1.28.15-lts.1", "v1.28.15-3+abcdef", "v1.28.16-rc.0", "v1.28.16", "v1.28.102-akslts", "v2.0.0",
	}
	var versions []release.Version
	for _, s := range ascending {
		v, err := release.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	for i, a := range versions {
		for j, b := range versions {
			if got, want := release.Compare(a, b), cmpInt(i, j); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
	slices.Reverse(versions)
	slices.SortFunc(versions, release.Compare)
	var sorted []string
	for _, v := range versions {
		sorted = append(sorted, v.String())
	}
	if diff := cmp.Diff(ascending, sorted); diff != "" {
		t.Errorf("sorted (-want +got):\n%s", diff)
	}
}

func cmpInt(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestCompareAgainstSemver asks x/mod about versions without a suffix, where both orders must be the same.
func TestCompareAgainstSemver(t *testing.T) {
	var names []string
	for _, minor := range []string{"1.9", "1.10", "1.28"} {
		for _, rest := range []string{".0-alpha.1", ".0-alpha.2", ".0-alpha.10", ".0-beta.0", ".0-rc.0", ".0-rc.1", ".0", ".2", ".10", ".11-rc.0"} {
			names = append(names, "v"+minor+rest)
		}
	}
	for _, a := range names {
		for _, b := range names {
			x, errX := release.Parse(a)
			y, errY := release.Parse(b)
			if errX != nil || errY != nil {
				t.Fatal(errX, errY)
			}
			if got, want := release.CompareUpstream(x, y), semver.Compare(a, b); got != want {
				t.Errorf("CompareUpstream(%s, %s) = %d, semver says %d", a, b, got, want)
			}
		}
	}
}

func TestUpstream(t *testing.T) {
	tests := []struct {
		name, in, want string
		ok             bool
	}{
		{"vendor suffix", "v1.28.15-eks-113cf36", "v1.28.15", true},
		{"pre-release", "v1.28.0-rc.1+rke2r1", "v1.28.0-rc.1", true},
		{"AKS counts for itself", "v1.28.102-akslts", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := release.Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := v.Upstream()
			if ok != tt.ok || ok && got.String() != tt.want {
				t.Errorf("Upstream() = %v, %v; want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestBranchesAndTags(t *testing.T) {
	const clientGo, apiserver = "kubernetes/client-go", "kubernetes/apiserver"
	branches := []struct {
		name, repository, branch string
		minor                    string
	}{
		{"release branch", apiserver, "release-1.28", "1.28"},
		{"client-go's own numbers, first", clientGo, "release-9.0", "1.12"},
		{"client-go's own numbers, last", clientGo, "release-14.0", "1.17"},
		{"client-go today", clientGo, "release-1.28", "1.28"},
	}
	for _, tt := range branches {
		t.Run(tt.name, func(t *testing.T) {
			m, ok := release.MinorOfBranch(tt.repository, tt.branch)
			if !ok || m.String() != tt.minor {
				t.Errorf("MinorOfBranch = %v, %v; want %s", m, ok, tt.minor)
			}
			if got := m.BranchIn(tt.repository); got != tt.branch {
				t.Errorf("BranchIn = %q, want %q", got, tt.branch)
			}
		})
	}
	if m, ok := release.MinorOfBranch(apiserver, "feature-x"); ok {
		t.Errorf("feature-x is called a release branch of %s", m)
	}
	tags := []struct{ name, tag, want string }{
		{"kubernetes", "v1.28.15", "v1.28.15"},
		{"staging", "kubernetes-1.28.15", "v1.28.15"},
		{"staging pre-release", "kubernetes-1.33.0-alpha.3", "v1.33.0-alpha.3"},
		{"line release", "v1.28.15+lts.1", "v1.28.15+lts.1"},
		{"minor", "v1.28", ""},
		{"bare number", "1.28.15", ""},
		{"both prefixes", "kubernetes-v1.28.15", ""},
	}
	for _, tt := range tags {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := release.OfTag(tt.tag)
			if ok != (tt.want != "") || ok && v.String() != tt.want {
				t.Errorf("OfTag(%q) = %v, %v; want %q", tt.tag, v, ok, tt.want)
			}
		})
	}
	if got := release.Of(release.Minor{Major: 1, Minor: 28}, 15).StagingTag(); got != "kubernetes-1.28.15" {
		t.Errorf("StagingTag = %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"1.28", "v1.28.15-eks-113cf36", "v1.20.0-alpha.1.123+abcdef", "v1.28.15-5-gabcdef12-dirty", "v1.28.102-akslts", "v1.27.6+f67aeb3",
		"v1.28.15_lts.1", "v1.26.0-rc1+rke2r1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := release.Parse(s)
		if err != nil {
			return
		}
		again, err := release.Parse(v.String())
		if err != nil {
			t.Fatalf("Parse(%q) = %#v, which prints as %q and is refused: %v", s, v, v.String(), err)
		}
		if diff := cmp.Diff(v, again); diff != "" {
			t.Fatalf("parse of %q, format, parse (-first +second):\n%s", s, diff)
		}
		if release.Compare(v, again) != 0 {
			t.Fatalf("%q is not equal to itself", v)
		}
	})
}
