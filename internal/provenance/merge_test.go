package provenance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// releases are 1.1.0 to 1.3.3.
func releases(t *testing.T) []release.Version {
	t.Helper()
	var all []release.Version
	for minor := 1; minor <= 3; minor++ {
		for patch := range 4 {
			v, err := release.Parse(fmt.Sprintf("v1.%d.%d", minor, patch))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
	}
	return all
}

// say is a record in short: names, then a package with "from..before" for each range; "?" is a range without versions.
func say(modified, names, pkg string, ranges ...string) *vuln.Record {
	list := strings.Split(names, " ")
	r := &vuln.Record{ID: list[0], Aliases: list[1:], Summary: "What it is"}
	r.Modified, _ = time.Parse(time.DateOnly, modified)
	eco, name, _ := strings.Cut(pkg, " ")
	a := vuln.Affected{Package: vuln.Package{Ecosystem: eco, Name: name}}
	for _, text := range ranges {
		from, to, _ := strings.Cut(text, "..")
		a.Ranges = append(a.Ranges, vuln.Range{Type: vuln.RangeSemver, Events: []vuln.Event{{Introduced: from}, {Fixed: to}}})
	}
	if pkg != "" {
		r.Affected = []vuln.Affected{a}
	}
	return r
}

func from(source string, rank provenance.Rank, r *vuln.Record, faults ...string) provenance.Candidate {
	return provenance.New(provenance.Origin{Source: source, Rank: rank, URL: source + ".json"}, r, faults...)
}

const (
	core  = "Kubernetes k8s.io/kubernetes"
	early = "2026-01-01"
	late  = "2026-12-01"
)

// affectedBy names the releases that a record calls affected.
func affectedBy(t *testing.T, r *vuln.Record) string {
	t.Helper()
	var out []string
	for _, v := range releases(t) {
		has, err := r.Affects(provenance.Package, v)
		if err != nil {
			t.Fatal(err)
		}
		if has {
			out = append(out, strings.TrimPrefix(v.String(), "v"))
		}
	}
	return strings.Join(out, " ")
}

func TestMerge(t *testing.T) {
	reviewed := func() *vuln.Record { return say(early, "CVE-1-1", core, "1.2.0..1.2.2") }
	cured := reviewed()
	cured.Kubelts.VerifiedFixed = map[string]string{"1.2": "1.2.2"}
	judged := func(events, minor string) *vuln.Record {
		r := say(early, "CVE-1-1", core, events)
		r.Kubelts.JudgedByGit = []string{minor}
		return r
	}
	tests := []struct {
		name       string
		facts      []*vuln.Record
		candidates []provenance.Candidate
		want       []string // "name [aliases]: releases", then conflicts
	}{
		{"nothing new", []*vuln.Record{reviewed()}, nil, []string{"CVE-1-1 []: 1.2.0 1.2.1"}},
		{"all agree; an alias is learned", []*vuln.Record{reviewed()}, []provenance.Candidate{from("go", provenance.Other, say(late, "GO-1 CVE-1-1 GHSA-1", core, "1.2.0..1.2.2"))}, []string{"CVE-1-1 [GO-1 GHSA-1]: 1.2.0 1.2.1"}},
		{"the review goes before feeds", []*vuln.Record{reviewed()}, []provenance.Candidate{from("go", provenance.Other, say(late, "CVE-1-1", core, "1.2.1..1.3.1"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1",
			"go calls 1.2.2-1.3.0 affected, which reviewed does not; does not call 1.2.0 affected, which reviewed does: the reviewed facts go before another feed",
		}},
		{"an old announcement is a conflict", []*vuln.Record{reviewed()}, []provenance.Candidate{from("k8s", provenance.Announced, say(early, "CVE-1-1", core, "1.2.0..1.2.3"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1",
			"k8s calls 1.2.2 affected, which reviewed does not: the reviewed facts go before the project's own announcement",
		}},
		{"a newer announcement that calls more affected is added", []*vuln.Record{reviewed()}, []provenance.Candidate{from("k8s", provenance.Announced, say(late, "CVE-1-1", core, "1.2.1..1.3.1"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1 1.2.2 1.2.3 1.3.0",
			"k8s calls 1.2.2-1.3.0 affected, which reviewed does not; does not call 1.2.0 affected, which reviewed does: announced after the review: what it calls affected beyond the review is added, but for what git shows cured",
		}},
		{"but for what git shows cured", []*vuln.Record{cured}, []provenance.Candidate{from("k8s", provenance.Announced, say(late, "CVE-1-1", core, "1.2.0..1.3.1"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1 1.3.0",
			"k8s calls 1.2.2-1.3.0 affected, which reviewed does not: announced after the review: what it calls affected beyond the review is added, but for what git shows cured",
		}},
		{"a newer announcement that calls less affected is not followed", []*vuln.Record{reviewed()}, []provenance.Candidate{from("k8s", provenance.Announced, say(late, "CVE-1-1", core, "1.2.0..1.2.1"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1",
			"k8s does not call 1.2.1 affected, which reviewed does: the reviewed facts go before the project's own announcement; it was announced after the review and should be looked at",
		}},
		{"git has no say but where it judged", []*vuln.Record{reviewed()}, []provenance.Candidate{from("git", provenance.Git, judged("1.0.0..1.2.1", "1.2"))}, []string{
			"CVE-1-1 []: 1.2.0", "reviewed calls 1.2.1 affected, which git does not: git evidence goes before the reviewed facts",
		}},
		{"elsewhere the review is followed, and is disagreed with", []*vuln.Record{reviewed()}, []provenance.Candidate{
			from("git", provenance.Git, judged("1.0.0..1.3.1", "1.3")), from("go", provenance.Other, say(late, "CVE-1-1", core, "1.2.1..1.2.2")),
		}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1 1.3.0",
			"go does not call 1.3.0 affected, which git does: git evidence goes before another feed",
			"go does not call 1.2.0 affected, which reviewed does: the reviewed facts go before another feed",
			"reviewed does not call 1.3.0 affected, which git does: git evidence goes before the reviewed facts",
		}},
		{"what nobody else is about, git's record says alone", nil, []provenance.Candidate{from("git", provenance.Git, judged("1.1.2..1.2.1", "1.2"))}, []string{"CVE-1-1 []: 1.1.2 1.1.3 1.2.0"}},
		{"git goes before the review", []*vuln.Record{reviewed()}, []provenance.Candidate{from("git", provenance.Git, say(early, "CVE-1-1", core, "1.1.2..1.2.1"))}, []string{
			"CVE-1-1 []: 1.1.2 1.1.3 1.2.0",
			"reviewed calls 1.2.1 affected, which git does not; does not call 1.1.2-1.1.3 affected, which git does: git evidence goes before the reviewed facts",
		}},
		{"a bound that is no version says nothing about what is cured", []*vuln.Record{reviewed()}, []provenance.Candidate{from("k8s", provenance.Announced, say(late, "CVE-1-1", core, "1.2.0..1.2.1"), "something")}, []string{"CVE-1-1 []: 1.2.0 1.2.1"}},
		{"a library's versions are of Kubernetes", []*vuln.Record{reviewed()}, []provenance.Candidate{from("go", provenance.Other, say(late, "CVE-1-1", "Go k8s.io/apiserver", "0.1.0..0.2.1"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1",
			"go calls 1.1.0-1.1.3 affected, which reviewed does not; does not call 1.2.1 affected, which reviewed does: the reviewed facts go before another feed",
		}},
		{"a library that counts for itself says nothing", []*vuln.Record{reviewed()}, []provenance.Candidate{from("go", provenance.Other, say(late, "CVE-1-1", "Go k8s.io/client-go", "7.0.0..8.0.0"))}, []string{"CVE-1-1 []: 1.2.0 1.2.1"}},
		{"a new one, announced twice: affected if one says so", nil, []provenance.Candidate{
			from("a", provenance.Announced, say(late, "CVE-1-2", core, "1.1.0..1.1.1")), from("b", provenance.Announced, say(early, "CVE-1-2", "kubernetes k8s.io/kubelet", "1.3.3..1.4.0")),
			from("c", provenance.Other, say(late, "GHSA-2 CVE-1-2", core, "1.1.0..1.1.1")),
		}, []string{
			"CVE-1-2 [GHSA-2]: 1.1.0 1.3.3",
			"b does not call 1.1.0 affected, which a does: of sources of equal rank, what one of them calls affected is affected",
			"c does not call 1.3.3 affected, which a does: the project's own announcement goes before another feed",
		}},
		{"a new one without versions is everywhere", nil, []provenance.Candidate{from("a", provenance.Announced, say(late, "CVE-1-2", ""))}, []string{
			"CVE-1-2 []: 1.1.0 1.1.1 1.1.2 1.1.3 1.2.0 1.2.1 1.2.2 1.2.3 1.3.0 1.3.1 1.3.2 1.3.3",
		}},
		{"somebody else's word without versions is no record", nil, []provenance.Candidate{from("nvd", provenance.Other, say(late, "CVE-1-2", ""))}, nil},
		{"a new one that can be read in part only", nil, []provenance.Candidate{from("a", provenance.Announced, say(late, "CVE-1-2", core, "1.1.0..1.1.1"), "something")}, []string{
			"CVE-1-2 []: 1.1.0 1.1.1 1.1.2 1.1.3 1.2.0 1.2.1 1.2.2 1.2.3 1.3.0 1.3.1 1.3.2 1.3.3",
		}},
		{"a new one of a library, between its tags", nil, []provenance.Candidate{from("go", provenance.Other, say(late, "GO-7", "Go k8s.io/apimachinery", "0..0.0.0-20190927203648-9ce6eca90e73"))}, nil},
		{"an advisory without a CVE name is found by another's alias", []*vuln.Record{reviewed()}, []provenance.Candidate{
			from("gh", provenance.Other, say(late, "GHSA-1", core, "1.2.0..1.2.2")), from("go", provenance.Other, say(late, "GO-1 CVE-1-1 GHSA-1", core, "1.2.0..1.2.2")),
		}, []string{"CVE-1-1 [GHSA-1 GO-1]: 1.2.0 1.2.1"}},
		{"names in another case, and records tied by an alias only", nil, []provenance.Candidate{
			from("a", provenance.Announced, say(late, "X-1", core, "1.1.0..1.1.1")), from("b", provenance.Announced, say(late, "x-1", core, "1.2.0..1.2.1")), from("c", provenance.Announced, say(late, "Y-1 X-1", core, "1.3.0..1.3.1")),
		}, []string{
			"X-1 [Y-1]: 1.1.0 1.2.0 1.3.0",
			"b does not call 1.1.0, 1.3.0 affected, which a does: of sources of equal rank, what one of them calls affected is affected",
			"c does not call 1.1.0, 1.2.0 affected, which a does: of sources of equal rank, what one of them calls affected is affected",
		}},
		{"an alias of two is nobody's", []*vuln.Record{reviewed(), say(early, "CVE-1-3", core, "1.1.0..1.1.1")}, []provenance.Candidate{from("go", provenance.Other, say(late, "GO-1 CVE-1-1 CVE-1-3", core, "1.2.0..1.2.2"))}, []string{
			"CVE-1-1 []: 1.2.0 1.2.1", "CVE-1-3 []: 1.1.0",
			"go calls 1.2.0-1.2.1 affected, which reviewed does not; does not call 1.1.0 affected, which reviewed does: the reviewed facts go before another feed",
		}},
	}
	leads := map[string]int{"somebody else's word without versions is no record": 1, "a new one of a library, between its tags": 1}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, err := json.Marshal(tt.facts)
			if err != nil {
				t.Fatal(err)
			}
			merged := provenance.Merge(provenance.Input{Facts: tt.facts, Reviewed: release.Date{Year: 2026, Month: 9, Day: 28}, Releases: releases(t), Items: provenance.Items{Candidates: tt.candidates}})
			var got []string
			for _, r := range merged.Records {
				got = append(got, fmt.Sprintf("%s %v: %s", r.ID, r.Aliases, affectedBy(t, r)))
				if err = r.Validate(); err != nil {
					t.Error(err)
				}
			}
			for _, c := range merged.Conflicts {
				got = append(got, c.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(merged.Leads) != leads[tt.name] {
				t.Errorf("leads: %+v", merged.Leads)
			}
			after, err := json.Marshal(tt.facts)
			if err != nil || string(after) != string(before) {
				t.Errorf("the facts were changed: %v\n%s\n%s", err, before, after)
			}
		})
	}
}

func TestFieldsInConflict(t *testing.T) {
	base := say(early, "CVE-1-1", core, "1.2.0..1.2.2")
	base.Severity = []vuln.Severity{{Type: "CVSS_V3", Score: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}}
	other := say(late, "CVE-1-1", core, "1.2.0..1.2.2")
	other.Severity = []vuln.Severity{{Type: "CVSS_V3", Score: "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:N"}}
	other.Withdrawn = other.Modified
	merged := provenance.Merge(provenance.Input{Facts: []*vuln.Record{base}, Releases: releases(t), Items: provenance.Items{Candidates: []provenance.Candidate{from("nvd", provenance.Other, other)}}})
	want := []string{
		"nvd severity is 3.4, by reviewed 8.8: the reviewed facts go before another feed",
		"nvd withdrawn is withdrawn, by reviewed standing: a record stands until the one followed withdraws it",
	}
	if diff := cmp.Diff(want, merged.Records[0].Kubelts.Conflicts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !merged.Records[0].Withdrawn.IsZero() || len(base.Kubelts.Conflicts) > 0 {
		t.Error("a feed withdrew a reviewed record, or the facts were changed")
	}
}

// TestWithdrawn: a duplicate that is taken back takes no flaw with it, whatever was written last; what all of the first rank take back is gone.
func TestWithdrawn(t *testing.T) {
	stands := func(names string) *vuln.Record { return say(early, names, core, "1.2.0..1.2.2") }
	gone := func(names string) *vuln.Record {
		r := say(late, names, core, "1.2.0..1.2.2")
		r.Withdrawn = r.Modified
		return r
	}
	for _, tt := range []struct {
		name       string
		candidates []provenance.Candidate
		want       bool
	}{
		{"a duplicate", []provenance.Candidate{from("github", provenance.Other, stands("GHSA-1 CVE-1-1")), from("github", provenance.Other, gone("GHSA-2 CVE-1-1"))}, false},
		{"all", []provenance.Candidate{from("github", provenance.Other, gone("GHSA-1 CVE-1-1")), from("nvd", provenance.Other, gone("CVE-1-1"))}, true},
		{"the announcement, and not others", []provenance.Candidate{from("cve", provenance.Announced, gone("CVE-1-1")), from("nvd", provenance.Other, stands("CVE-1-1"))}, true},
		{"others, and not the announcement", []provenance.Candidate{from("cve", provenance.Announced, stands("CVE-1-1")), from("nvd", provenance.Other, gone("CVE-1-1"))}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			merged := provenance.Merge(provenance.Input{Releases: releases(t), Items: provenance.Items{Candidates: tt.candidates}})
			if len(merged.Records) != 1 || merged.Records[0].Withdrawn.IsZero() == tt.want {
				t.Errorf("%+v, want withdrawn: %v", merged.Records, tt.want)
			}
		})
	}
}

func TestLeads(t *testing.T) {
	pulls := []provenance.PullRequest{{Number: 1, Names: []string{"CVE-1-1"}}, {Number: 2, Names: []string{"cve-1-1", "CVE-1-9"}}}
	merged := provenance.Merge(provenance.Input{Facts: []*vuln.Record{say(early, "CVE-1-1", core, "1.2.0..1.2.2")}, Releases: releases(t), Items: provenance.Items{PullRequests: pulls}})
	if len(merged.Leads) != 1 || !strings.HasPrefix(merged.Leads[0].What, "#2") || strings.Join(merged.Leads[0].Names, " ") != "CVE-1-9" {
		t.Errorf("leads: %+v", merged.Leads)
	}
}

// TestCandidateSurvivesWriting also checks that a stranger's record cannot speak in our name, not even from the folder.
func TestCandidateSurvivesWriting(t *testing.T) {
	for _, rank := range provenance.Ranks() {
		r := say(early, "CVE-1-1", core, "1.2.0..1.2.2")
		r.Kubelts.VerifiedFixed = map[string]string{"1.2": "1.2.0"}
		c := provenance.Candidate{Origin: provenance.Origin{Source: "x", Rank: rank, URL: "u"}, Record: r, Faults: []string{"f"}}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again provenance.Candidate
		if err = json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if kept := again.Record.Kubelts.VerifiedFixed != nil; kept != (rank == provenance.Git) {
			t.Errorf("rank %s: evidence kept: %v", rank, kept)
		}
		if again.Record.ID != "CVE-1-1" || len(again.Faults) != 1 || again.Origin != c.Origin {
			t.Errorf("rank %s: %+v", rank, again)
		}
	}
	for _, text := range []string{`{"origin": {"rank": "pope"}, "record": {"id": "A"}}`, `{"origin": {"rank": "git"}, "record": {"id": "-"}}`, `{"origin": {"rank": "git"}}`} {
		if err := json.Unmarshal([]byte(text), new(provenance.Candidate)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// TestBuiltInFactsSurvive: the reviewed facts, merged with nothing, are what they were; and merged with themselves, nothing disagrees.
func TestBuiltInFactsSurvive(t *testing.T) {
	facts, err := catalog.Load(data.Files)
	if err != nil {
		t.Fatal(err)
	}
	records, err := facts.Vulnerabilities()
	if err != nil {
		t.Fatal(err)
	}
	var all []release.Version
	for _, m := range facts.Minors() {
		for _, p := range m.Patches {
			all = append(all, p.Version)
		}
	}
	in := provenance.Input{Facts: records, Reviewed: facts.Snapshot(), Releases: all}
	merged := provenance.Merge(in)
	if len(merged.Records) != len(records) || len(merged.Conflicts) > 0 {
		t.Fatalf("%d of %d records, %d conflicts", len(merged.Records), len(records), len(merged.Conflicts))
	}
	for _, r := range records {
		in.Items.Candidates = append(in.Items.Candidates, provenance.New(provenance.Origin{Source: "mirror", Rank: provenance.Other, URL: r.ID}, clone(t, r)))
	}
	merged = provenance.Merge(in)
	for _, c := range merged.Conflicts {
		t.Errorf("%s: %s", c.ID, c)
	}
	if len(merged.Records) != len(records) || len(merged.New) > 0 {
		t.Errorf("%d records of %d, new %v", len(merged.Records), len(records), merged.New)
	}
}

// FuzzMerge: whatever sources say, what comes of it can be read as facts: names are of one record only, records are well formed and can be judged, and
// nothing that is reviewed is lost.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"candidates": [
 {"origin": {"source": "a", "rank": "announced"}, "record": {"id": "CVE-1-1", "modified": "2026-11-22T12:00:00Z", "aliases": ["X-1"], "affected": [{"package": {"ecosystem": "kubernetes", "name": "k8s.io/kubelet"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.1"}]}]}]}},
 {"origin": {"source": "b", "rank": "other"}, "record": {"id": "X-1", "modified": "2026-11-22T12:00:00Z", "aliases": ["x-2", "CVE-1-2"], "affected": [{"package": {"ecosystem": "Go", "name": "k8s.io/apiserver"}, "versions": ["0.2.1"], "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.1.0"}, {"fixed": "what"}]}]}]}, "faults": ["f"]},
 {"origin": {"source": "c", "rank": "git"}, "record": {"id": "X-2", "modified": "2026-11-22T12:00:00Z", "database_specific": {"kubelts": {"verified_fixed": {"1.2": "x"}}}}}], "pullRequests": [{"number": 7, "names": ["CVE-1-9"]}]}`))
	var all []release.Version
	for minor := 1; minor <= 3; minor++ {
		v, err := release.Parse(fmt.Sprintf("v1.%d.1", minor))
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, v)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := provenance.ParseItems("x", data)
		if err != nil || items.Len() > 100 {
			return
		}
		facts := []*vuln.Record{say(early, "CVE-1-1", core, "1.2.0..1.2.2"), say(early, "CVE-1-3 X-9", core, "1.1.0..1.1.1")}
		merged := provenance.Merge(provenance.Input{Facts: facts, Reviewed: release.Date{Year: 2026, Month: 9, Day: 28}, Releases: all, Items: items})
		seen := map[string]string{}
		for _, r := range merged.Records {
			for _, n := range r.Names() {
				if other, twice := seen[strings.ToUpper(n)]; twice {
					t.Fatalf("%s and %s are both called %s", other, r.ID, n)
				}
				seen[strings.ToUpper(n)] = r.ID
			}
			clone(t, r)
			for _, v := range all {
				if _, err = r.Affects(provenance.Package, v); err != nil {
					t.Fatalf("%s: %v", r.ID, err)
				}
			}
		}
		for _, r := range facts {
			if seen[r.ID] == "" {
				t.Fatalf("%s is lost", r.ID)
			}
		}
	})
}

func clone(t *testing.T, r *vuln.Record) *vuln.Record {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := vuln.Parse(r.ID, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return again
}
