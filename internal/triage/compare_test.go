package triage_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

func TestCompare(t *testing.T) {
	minors := []release.Minor{{Major: 1, Minor: 20}, {Major: 1, Minor: 21}, {Major: 1, Minor: 22}}
	releases := map[release.Minor][]release.Version{}
	for _, m := range minors {
		for patch := range 4 {
			releases[m] = append(releases[m], release.Of(m, patch))
		}
	}
	judged := func(minor int, status triage.Status, fixedIn, kind string) triage.Judged {
		return triage.Judged{Minor: minors[minor-20], Verdict: triage.Verdict{
			Vulnerability: "CVE-1", Status: status, FixedIn: fixedIn, Commit: git.OID{1}, Evidence: []triage.Evidence{{Kind: kind}},
		}}
	}
	reviewed := func(j triage.Judged, r triage.Review) triage.Judged {
		j.Review = r
		return j
	}
	tests := []struct {
		name, pkg, events string
		judged            []triage.Judged
		want              []string
		corrected         string
	}{
		{
			"a fix that is not there", "k8s.io/kubernetes", `{"introduced": "0"}, {"fixed": "1.21.2"}`,
			[]triage.Judged{judged(21, triage.Affected, "", triage.KindBefore)},
			[]string{"1.21 v1.21.2 to v1.21.3: not affected, affected (no release of the branch has the fix)"},
			"+0 -1.22.0",
		},
		{
			"a fix that came earlier", "k8s.io/apiserver", `{"introduced": "1.21.0"}, {"fixed": "1.21.3"}`,
			[]triage.Judged{judged(21, triage.Fixed, "kubernetes-1.21.1", triage.KindPatchID)},
			[]string{"1.21 v1.21.1 to v1.21.2: affected, not affected (fixed in kubernetes-1.21.1 by 0100000000)"},
			"+1.21.0 -1.21.1",
		},
		{
			"versions of a Go module", "k8s.io/client-go", `{"introduced": "0.21.0"}, {"fixed": "0.21.1"}`,
			[]triage.Judged{judged(21, triage.Fixed, "v1.21.2", triage.KindPatchID)},
			[]string{"1.21 v1.21.1: not affected, affected (fixed in v1.21.2 by 0100000000)"},
			"+1.21.0 -1.21.2",
		},
		{
			"never there", "k8s.io/kubernetes", `{"introduced": "0"}`,
			[]triage.Judged{judged(20, triage.NotAffected, "", triage.KindNotIntroduced)},
			[]string{"1.20 v1.20.0 to v1.20.3: affected, not affected (the code was never there)"},
			"+1.21.0",
		},
		{
			"a minor that is left out", "k8s.io/kubernetes", `{"introduced": "1.21.0"}`,
			[]triage.Judged{judged(20, triage.Affected, "", triage.KindBefore)},
			[]string{"1.20 v1.20.0 to v1.20.3: not affected, may be affected (what the fix changes is there)"},
			"+1.21.0",
		},
		{
			"a minor that is left out, and the review too", "k8s.io/kubernetes", `{"introduced": "1.21.0"}`,
			[]triage.Judged{reviewed(judged(20, triage.Affected, "", triage.KindBefore), triage.ReviewClear)},
			nil, "+1.21.0",
		},
		{
			"a minor that is left out, and should not be", "k8s.io/kubernetes", `{"introduced": "1.21.0"}`,
			[]triage.Judged{reviewed(judged(20, triage.Affected, "", triage.KindDrifted), triage.ReviewAffected)},
			[]string{"1.20 v1.20.0 to v1.20.3: not affected, affected (what the fix changes is there, and the reviewed facts say so)"},
			"+0",
		},
		{
			"cured in one repository, later in another", "k8s.io/kubernetes", `{"introduced": "0"}, {"fixed": "1.21.1"}`,
			[]triage.Judged{judged(21, triage.Fixed, "v1.21.1", triage.KindPatchID), judged(21, triage.Fixed, "v1.21.3", triage.KindPatchID)},
			[]string{"1.21 v1.21.1 to v1.21.2: not affected, affected (fixed in v1.21.3 by 0100000000)"},
			"+0 -1.21.3",
		},
		{
			"cured in one repository, not in another", "k8s.io/kubernetes", `{"introduced": "0"}, {"fixed": "1.21.1"}`,
			[]triage.Judged{judged(21, triage.Fixed, "v1.21.1", triage.KindPatchID), judged(21, triage.Affected, "", triage.KindBefore)},
			[]string{"1.21 v1.21.1 to v1.21.3: not affected, affected (no release of the branch has the fix)"},
			"+0 -1.22.0",
		},
		{
			"cured in one repository, unknown in another", "k8s.io/kubernetes", `{"introduced": "0"}`,
			[]triage.Judged{judged(21, triage.Fixed, "v1.21.1", triage.KindPatchID), judged(21, triage.UnderInvestigation, "", triage.KindAfter)},
			nil, "+0",
		},
		{"no lines seen", "k8s.io/kubernetes", `{"introduced": "0"}, {"fixed": "1.21.2"}`, []triage.Judged{judged(21, triage.Affected, "", triage.KindNotFound)}, nil, "+0 -1.21.2"},
		{"nothing sure", "k8s.io/kubernetes", `{"introduced": "0"}`, []triage.Judged{judged(21, triage.UnderInvestigation, "", triage.KindAfter)}, nil, "+0"},
		{"the same", "k8s.io/kubernetes", `{"introduced": "0"}, {"fixed": "1.22.1"}`, []triage.Judged{judged(22, triage.Fixed, "v1.22.1", triage.KindAncestor)}, nil, "+0 -1.22.1"},
		{"bounds that cannot be read", "k8s.io/kubernetes", `{"introduced": "none"}`, []triage.Judged{judged(22, triage.Fixed, "v1.22.1", triage.KindAncestor)}, nil, ""},
		{"another package", "k8s.io/ingress-nginx", `{"introduced": "0"}`, []triage.Judged{judged(22, triage.Fixed, "v1.22.1", triage.KindAncestor)}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := vuln.Parse("x.json", strings.NewReader(`{"id": "CVE-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "Kubernetes", "name": "`+tt.pkg+
				`"}, "ranges": [{"type": "SEMVER", "events": [`+tt.events+`]}]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range triage.Compare(r, tt.judged, releases) {
				got = append(got, d.Minor.String()+" "+d.Versions+": "+d.Feed+", "+d.Git)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("disagreements (-want +got):\n%s", diff)
			}
			corrected, ok := triage.Correct(r, tt.judged, minors, releases)
			if ok != (tt.corrected != "") {
				t.Fatalf("corrected: %v", ok)
			}
			if got := eventsText(&corrected); got != tt.corrected {
				t.Errorf("corrected to %q, want %q", got, tt.corrected)
			}
			if again := triage.Compare(&corrected, tt.judged, releases); ok && len(again) > 0 && !strings.HasPrefix(tt.name, "a minor that is left out") {
				t.Errorf("the corrected record still disagrees: %+v", again)
			}
		})
	}
}

// eventsText is a record's events in short: + introduced, - fixed, = last affected.
func eventsText(r *vuln.Record) string {
	var parts []string
	for _, a := range r.Affected {
		for _, rg := range a.Ranges {
			for _, e := range rg.Events {
				switch {
				case e.Introduced != "":
					parts = append(parts, "+"+e.Introduced)
				case e.Fixed != "":
					parts = append(parts, "-"+e.Fixed)
				default:
					parts = append(parts, "="+e.LastAffected)
				}
			}
		}
	}
	return strings.Join(parts, " ")
}
