package data_test

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

func load(t *testing.T) (*catalog.Catalog, []*vuln.Record) {
	t.Helper()
	c, err := catalog.Load(data.Files)
	if err != nil {
		t.Fatal(err)
	}
	records, err := c.Vulnerabilities()
	if err != nil {
		t.Fatal(err)
	}
	return c, records
}

// afterTheEnd are the patch releases that came after their minor's last day.
var afterTheEnd = []string{"v1.24.17", "v1.25.16", "v1.26.15", "v1.27.16", "v1.29.15"}

func TestReleases(t *testing.T) {
	c, _ := load(t)
	patches, minors := 0, c.Minors()
	for i, m := range minors {
		if i > 0 && m.Minor != minors[i-1].Minor.Plus(1) {
			t.Errorf("after %s comes %s", minors[i-1].Minor, m.Minor)
		}
		w := m.Window()
		for _, pair := range [][2]release.Date{{w.Released, w.MaintenanceFrom}, {w.MaintenanceFrom, w.EndOfLife}, {w.Released, w.EndOfLife}} {
			if !pair[0].IsZero() && !pair[1].IsZero() && !pair[0].Before(pair[1]) {
				t.Errorf("%s: %s is not before %s", m.Minor, pair[0], pair[1])
			}
		}
		for j, p := range m.Patches {
			patches++
			if p.Date.IsZero() || p.Date.After(c.Snapshot()) {
				t.Errorf("%s: day %q", p.Version, p.Date)
			}
			if j == 0 && (p.Version.Patch != 0 || p.Date != w.Released) {
				t.Errorf("%s of %s opens %s, which was released %s", p.Version, p.Date, m.Minor, w.Released)
			}
			if j > 0 && p.Date.Before(m.Patches[j-1].Date) {
				t.Errorf("%s of %s is older than %s", p.Version, p.Date, m.Patches[j-1].Version)
			}
			late := !w.EndOfLife.IsZero() && p.Date.After(w.EndOfLife)
			if late != slices.Contains(afterTheEnd, p.Version.String()) {
				t.Errorf("%s of %s and the last day %s: after the end is %v", p.Version, p.Date, w.EndOfLife, late)
			}
		}
	}
	if patches != 516 || len(minors) != 39 {
		t.Errorf("%d minors with %d patch releases; were some lost?", len(minors), patches)
	}
}

func TestPolicyDifferencesAreExplained(t *testing.T) {
	c, _ := load(t)
	for _, m := range c.Minors() {
		if d := c.ComparePolicy(m); d.Why == "" {
			t.Errorf("%s ended %s, by the policy %s: nothing says why", d.Minor, d.End, d.PolicyEnd)
		}
		if _, ok := c.Policy().Era(m.Minor); !ok {
			t.Errorf("%s has no era", m.Minor)
		}
	}
}

func TestVendors(t *testing.T) {
	c, _ := load(t)
	windows := 0
	for _, p := range c.Products() {
		windows += len(p.Windows)
		for _, w := range p.Windows {
			name := p.ID + " " + w.Minor.String() + " " + w.Release
			if !w.Minor.IsZero() {
				if _, err := c.Minor(w.Minor); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			last := w.From
			for _, end := range w.Ends {
				if end.IsZero() {
					continue
				}
				if end.Before(last) {
					t.Errorf("%s: %s comes after %s", name, end, last)
				}
				last = end
			}
			if w.Ends[len(w.Ends)-1].IsZero() && len(w.Ends) == 1 && w.Last.IsZero() && w.Note == "" && w.From.IsZero() {
				t.Errorf("%s says nothing", name)
			}
		}
	}
	if windows != 170 {
		t.Errorf("%d windows; were some lost?", windows)
	}
}

func TestLazyFiles(t *testing.T) {
	c, _ := load(t)
	known := 0
	for _, m := range c.Minors() {
		for _, p := range m.Patches {
			if _, _, err := c.Loopback(p.Version); err != nil {
				t.Fatal(err)
			}
			_, ok, err := c.Toolchain(p.Version)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				known++
			}
		}
	}
	if known != 464 {
		t.Errorf("%d patch releases have a Go version; were some lost?", known)
	}
}

var (
	idForm     = regexp.MustCompile(`^(CVE|KLTS)-[0-9]{4}-[0-9]{4,}$`)
	aliasForm  = regexp.MustCompile(`^(CVE-[0-9]{4}-[0-9]{4,}|GHSA(-[0-9a-z]{4}){3}|GO-[0-9]{4}-[0-9]{4,})$`)
	commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)
	branchForm = regexp.MustCompile(`^(master|main|release-[0-9]+\.[0-9]+)$`)
)

func TestRecords(t *testing.T) {
	_, records := load(t)
	if len(records) != 129 {
		t.Errorf("%d records; were some lost?", len(records))
	}
	for _, r := range records {
		t.Run(r.ID, func(t *testing.T) {
			if !idForm.MatchString(r.ID) {
				t.Errorf("name %q", r.ID)
			}
			for _, a := range r.Aliases {
				if !aliasForm.MatchString(a) {
					t.Errorf("alias %q", a)
				}
			}
			k := r.Kubelts
			if r.SchemaVersion == "" || r.Published.IsZero() || r.Modified.Before(r.Published) || r.Published.After(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("schema %q, published %s, modified %s", r.SchemaVersion, r.Published, r.Modified)
			}
			if r.Summary == "" || len(r.Summary) > 120 || strings.HasSuffix(r.Summary, ".") || r.Details == "" {
				t.Errorf("summary %q, details %q", r.Summary, r.Details)
			}
			if k.Class == "" || k.Project == "" || len(k.Components) == 0 || k.OS == "" || k.Confidence == "" || len(k.Sources) == 0 {
				t.Errorf("incomplete: %+v", k)
			}
			for _, s := range r.Severity {
				if _, ok := s.Base(); !ok {
					t.Errorf("no score can be computed of %q", s.Score)
				}
			}
			for _, f := range k.Fixes {
				lintFix(t, f)
			}
		})
	}
}

func lintFix(t *testing.T, f vuln.Fix) {
	t.Helper()
	if f.Repository == "" || f.Subject == "" || f.Confidence == "" || f.Source == "" || len(f.Commits) == 0 {
		t.Errorf("incomplete fix: %+v", f)
	}
	count := -1
	for branch, commits := range f.Commits {
		own := commitForm.MatchString(branch) && slices.Equal(commits, []string{branch})
		if !own && !branchForm.MatchString(branch) {
			t.Errorf("%s: branch %q", f.Subject, branch)
		}
		for _, c := range commits {
			if !commitForm.MatchString(c) {
				t.Errorf("%s: commit %q", f.Subject, c)
			}
		}
		if count >= 0 && count != len(commits) {
			t.Errorf("%s: branches have different numbers of commits", f.Subject)
		}
		count = len(commits)
	}
	for branch := range f.PullRequests {
		if f.Commits[branch] == nil {
			t.Errorf("%s: a pull request for %s, and no commits", f.Subject, branch)
		}
	}
}

// notReleases are versions in records that are no patch releases, with the reason.
var notReleases = map[string]string{
	"1.2.0-alpha.5":  "the records of that time name the pre-release that had the fix first",
	"1.2.0-alpha.6":  "likewise",
	"1.27.0-alpha.1": "CVE-2024-0793 was fixed on the main branch before 1.27.0",
}

// laterThanGit are records whose announced fixed version is not the first tag that carries the fix, with the reason.
var laterThanGit = map[string]string{
	"CVE-2021-25741 1.22": "the advisory says 1.22.2; the fix is in the tag 1.22.1. The later one is kept: it is on the safe side",
}

func TestRangesNameReleases(t *testing.T) {
	c, records := load(t)
	for _, r := range records {
		for _, a := range r.Affected {
			if a.Package.Name != catalog.Package {
				continue
			}
			for _, rg := range a.Ranges {
				if rg.Type != vuln.RangeSemver {
					t.Errorf("%s: a range of type %s", r.ID, rg.Type)
				}
				// The published schema wants these in ranges of their own.
				last := slices.ContainsFunc(rg.Events, func(e vuln.Event) bool { return e.LastAffected != "" })
				if last && slices.ContainsFunc(rg.Events, func(e vuln.Event) bool { return e.Fixed != "" }) {
					t.Errorf("%s: a range with both last_affected and fixed", r.ID)
				}
				for _, e := range rg.Events {
					lintEvent(t, c, r.ID, e)
				}
			}
		}
		lintVerified(t, r)
	}
}

func lintEvent(t *testing.T, c *catalog.Catalog, id string, e vuln.Event) {
	t.Helper()
	at := e.Introduced + e.Fixed + e.LastAffected
	if at == "0" || notReleases[at] != "" {
		return
	}
	v, err := release.Parse(at)
	if err != nil || !v.IsRelease() || strings.HasPrefix(at, "v") {
		t.Errorf("%s: event at %q: %v", id, at, err)
		return
	}
	if _, err := c.Resolve(v); err != nil {
		t.Errorf("%s: %v", id, err)
	}
}

// lintVerified checks that the first tag that was seen with the fix is the first release that the ranges call fixed.
func lintVerified(t *testing.T, r *vuln.Record) {
	t.Helper()
	for minor, fixed := range r.Kubelts.VerifiedFixed {
		v, err := release.Parse(fixed)
		if err != nil || v.Minor.String() != minor {
			t.Errorf("%s: verified in %q, for %s", r.ID, fixed, minor)
			continue
		}
		if laterThanGit[r.ID+" "+minor] != "" || !slices.Contains(r.Packages(), catalog.Package) {
			continue
		}
		has, err := r.Affects(catalog.Package, v)
		if err != nil || has {
			t.Errorf("%s: the tag %s has the fix, and the ranges call it affected, %v", r.ID, fixed, err)
		}
		if v.Patch > 0 {
			before, err := r.Affects(catalog.Package, release.Of(v.Minor, v.Patch-1))
			if err != nil || !before {
				t.Errorf("%s: the ranges call the release before %s fixed, %v", r.ID, fixed, err)
			}
		}
	}
}

func TestUnfixedRecordsHaveNoFix(t *testing.T) {
	c, records := load(t)
	minors := c.Minors()
	newest := minors[len(minors)-2].Patches
	for _, r := range records {
		has, err := r.Affects(catalog.Package, newest[len(newest)-1].Version)
		if err != nil || has != r.Kubelts.Unfixed {
			t.Errorf("%s: affects the newest release is %v, %v; unfixed is %v", r.ID, has, err, r.Kubelts.Unfixed)
		}
	}
}

// TestApplicability wants each rule to name records of Kubernetes, components that these name, and features that a snapshot can tell of.
func TestApplicability(t *testing.T) {
	c, _ := load(t)
	rules, err := c.Applicability()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rules {
		for _, id := range r.IDs {
			rec, err := c.Vulnerability(id)
			if err != nil || rec.ID != id {
				t.Errorf("%s: %v", id, err)
				continue
			}
			if seen[id] || !slices.Contains(rec.Packages(), catalog.Package) {
				t.Errorf("%s: named twice, or not a flaw of Kubernetes", id)
			}
			seen[id] = true
			if windows := rec.Kubelts.OS == "windows"; windows != slices.ContainsFunc(r.Needs, func(n catalog.Condition) bool { return n.NodeOS == "windows" }) {
				t.Errorf("%s: the record's system is %s", id, rec.Kubelts.OS)
			}
		}
		for _, n := range slices.Concat(r.Needs, flatten(r.Needs)) {
			if n.Use != "" && !slices.Contains(cluster.UseNames(), n.Use) {
				t.Errorf("%s: no snapshot tells of %q", r.IDs[0], n.Use)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("%d vulnerabilities; were some lost?", len(seen))
	}
	// A flaw of Windows nodes that no rule names would be told on every cluster.
	_, records := load(t)
	for _, r := range records {
		if r.Kubelts.OS == "windows" && slices.Contains(r.Packages(), catalog.Package) && !seen[r.ID] && !slices.Equal(r.Kubelts.Components, []string{"kubectl"}) {
			t.Errorf("%s is of Windows and no rule says so", r.ID)
		}
	}
}

func flatten(needs []catalog.Condition) []catalog.Condition {
	var out []catalog.Condition
	for _, n := range needs {
		out = append(out, n.Any...)
	}
	return out
}

// TestRemovals wants each removal to be of a minor that is known or to come, and to name an API once.
func TestRemovals(t *testing.T) {
	c, _ := load(t)
	removals, err := c.Removals()
	if err != nil {
		t.Fatal(err)
	}
	seen, count := map[string]bool{}, 0
	for _, r := range removals {
		known, err := c.Minor(r.Minor)
		planned := err != nil || known.Released.Date.IsZero()
		if planned != (r.Confidence == vuln.ConfidenceMedium) {
			t.Errorf("%s %s: confidence %s, and the minor is out: %v", r.Minor, r.API, r.Confidence, !planned)
		}
		for _, name := range r.Resources {
			count++
			if key := r.API + " " + name; seen[key] || name != strings.ToLower(name) {
				t.Errorf("%s is there twice, or not in lower case", key)
			}
			seen[r.API+" "+name] = true
		}
		if r.Instead == r.API {
			t.Errorf("%s replaces itself", r.API)
		}
	}
	if count != 73 {
		t.Errorf("%d resources; were some lost?", count)
	}
}

// TestNothingIsLost reads each document and writes it again: what "kubelts vuln show -o json" prints is what stands here.
func TestNothingIsLost(t *testing.T) {
	_, records := load(t)
	for _, r := range records {
		file, err := fs.ReadFile(data.Files, "vulnerabilities/"+r.ID+".json")
		if err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal(file, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-file +written):\n%s", r.ID, diff)
		}
	}
}

// TestFormat keeps the files as they are written: one fact a line, so that a diff shows a fact.
func TestFormat(t *testing.T) {
	names, err := fs.Glob(data.Files, "vulnerabilities/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	total := 0
	for _, name := range names {
		b, err := fs.ReadFile(data.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		if !json.Valid(b) || !strings.HasPrefix(string(b), "{\n \"schema_version\"") || !strings.HasSuffix(string(b), "}\n") || strings.Contains(string(b), "\t") {
			t.Errorf("%s is not in the form of the others", name)
		}
	}
	if total > 700_000 {
		t.Errorf("%d bytes of vulnerabilities: too many for a program that starts at once", total)
	}
}
