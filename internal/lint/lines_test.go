package lint_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lint"
)

// history is upstream's history in memory: diffs by commit name, pull request and vulnerability.
type history map[string]string

func (h history) find(name string) ([]lint.Origin, error) {
	diff, ok := h[name]
	if !ok {
		return nil, errs.New(errs.NotFound, "no %s", name)
	}
	return []lint.Origin{{Commit: git.OID{2}, Diff: []byte(diff)}}, nil
}

func (h history) Commit(_ context.Context, name string) ([]lint.Origin, error) { return h.find(name) }

func (h history) Pull(_ context.Context, n int) ([]lint.Origin, error) {
	return h.find("#" + strconv.Itoa(n))
}

func (h history) Fixes(_ context.Context, id string) ([]lint.Origin, error) { return h.find(id) }

// message puts a message into a mail.
func message(mail, subject, body string) string {
	mail = strings.Replace(mail, "Subject: [PATCH] x\n\n", "Subject: [PATCH] "+subject+"\n\n"+body+"\n", 1)
	return mail
}

const five = "one\ntwo\nthree\nfour\nfive\n"

// lines looks at one line of EKS Distro with one patch, or several.
func lines(t *testing.T, o lint.Options, base clone, patches ...string) *lint.Report {
	t.Helper()
	files := folder{"1-20/GIT_TAG": "v1.20.15\n"}
	for i, p := range patches {
		files["1-20/patches/000"+string(rune('1'+i))+"-x.patch"] = p
	}
	minors, err := foreign.EKSDMinors(files, foreign.Kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	m := minors[0]
	if base != nil {
		o.Trees = base
	}
	series := []lint.Series{{Line: m.Line, Upstream: foreign.Kubernetes, Base: m.Dir + "/GIT_TAG", Problem: m.Problem, Outside: m.Outside, Missing: foreign.Numbers(m.Line)}}
	r, err := lint.Lines(t.Context(), lint.KindEKSD, series, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// of are the findings of some rules.
func of(r *lint.Report, rules ...string) []string {
	got := []string{}
	for _, f := range r.Findings {
		for _, rule := range rules {
			if f.Rule == rule {
				got = append(got, f.Severity+" "+f.Rule+" "+f.Text())
			}
		}
	}
	return got
}

func TestFit(t *testing.T) {
	const file = "pkg/a.txt"
	change := "@@ -2,3 +2,3 @@\n two\n-three\n+drei\n four\n"
	added := "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: Ada Author <ada@example.org>\nDate: Wed, 1 Jan 2020 00:00:00 +0000\nSubject: [PATCH] x\n\n---\n" +
		"diff --git a/new.txt b/new.txt\nnew file mode 100644\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
	tests := []struct {
		name    string
		base    clone
		patches []string
		want    []string
	}{
		{"fits", clone{file: five}, []string{mail(file, change)}, []string{}},
		{"on what a patch before made", clone{file: five}, []string{mail(file, change), mail(file, "@@ -2,3 +2,2 @@\n two\n-drei\n four\n")}, []string{}},
		{
			"slides",
			clone{file: "zero\n" + five},
			[]string{mail(file, change)},
			[]string{"warning moved-hunk 1-20/patches/0001-x.patch on v1.20.15: 1 hunk stands elsewhere than it says: pkg/a.txt:2"},
		},
		{
			"nowhere",
			clone{file: "one\n"},
			[]string{mail(file, change)},
			[]string{"error does-not-fit 1-20/patches/0001-x.patch on v1.20.15: 1 hunk does not find its lines: pkg/a.txt:2"},
		},
		{
			"no file",
			clone{},
			[]string{mail(file, change)},
			[]string{"error does-not-fit 1-20/patches/0001-x.patch on v1.20.15: 1 hunk does not find its lines: pkg/a.txt (not there)"},
		},
		{
			"several places, none of them the one it says",
			clone{file: "zero\n" + five + five},
			[]string{mail(file, change)},
			[]string{"error ambiguous-hunk 1-20/patches/0001-x.patch on v1.20.15: 1 hunk is not where it says, and could go to several places: pkg/a.txt:2"},
		},
		{
			"several places, one of them the one it says",
			clone{file: five + five},
			[]string{mail(file, change)},
			[]string{"warning ambiguous-hunk 1-20/patches/0001-x.patch on v1.20.15: 1 hunk with little context could go to other places too: pkg/a.txt:2"},
		},
		{
			"there already",
			clone{},
			[]string{added, added},
			[]string{"error does-not-fit 1-20/patches/0002-x.patch on v1.20.15: 1 hunk does not find its lines: new.txt (there already)"},
		},
		{"added and changed", clone{}, []string{added, mail("new.txt", "@@ -1 +1 @@\n-new\n+newer\n")}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := lines(t, lint.Options{}, tt.base, tt.patches...)
			if diff := cmp.Diff(tt.want, of(r, lint.DoesNotFit, lint.AmbiguousHunk, lint.MovedHunk)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	const (
		file  = "pkg/a.txt"
		whole = "@@ -1,5 +1,5 @@\n-one\n-two\n+eins\n+zwei\n three\n four\n five\n"
		other = "@@ -1,5 +1,5 @@\n one\n two\n-three\n-four\n-five\n+drei\n+vier\n+acht\n"
		most  = "@@ -1,5 +1,5 @@\n-one\n-two\n-three\n+eins\n+zwei\n+andere\n four\n five\n"
		some  = "@@ -1,5 +1,5 @@\n-one\n+eins\n two\n-three\n-four\n-five\n+a\n+b\n+c\n"
	)
	upstream := mail(file, whole)
	origins := history{"#77": upstream, "1234567890abcdef1234567890abcdef12345678": upstream, "12345678": upstream, "CVE-2020-0001": upstream}
	tests := []struct{ name, subject, body, hunk, want string }{
		{"the pull request", "x", "Cherry-pick of upstream Kubernetes:\nhttps://github.com/kubernetes/kubernetes/pull/77", whole, ""},
		{
			"another change", "x", "* Cherry pick of Kubernetes PR #77 (https://github.com/kubernetes/kubernetes/pull/77)", other,
			"error false-claim 1-20/patches/0001-x.patch claims #77, but is not that change: 0 of its 6 changed lines are in it",
		},
		{"an adapted one", "x", "Cherry-pick of upstream Kubernetes PR #77", most, ""},
		{
			"one that differs much", "x", "Cherry-picked from #77", some,
			"note false-claim 1-20/patches/0001-x.patch claims #77, and differs from it: 2 of its 8 changed lines are in it",
		},
		{"a part", "x", "This is a partial cherry-pick of upstream Kubernetes PR #77", some, ""},
		{"it says that it is none", "x", "This isn't a cherry pick of #77", other, ""},
		{"an issue", "x", "Fixes Kubernetes Issue #77", other, ""},
		{"its subject", "x (#77)", "", other, "error false-claim 1-20/patches/0001-x.patch claims #77, but is not that change: 0 of its 6 changed lines are in it"},
		{"a commit", "x", "Cherry pick of Kubernetes commit 12345678", other, "error false-claim 1-20/patches/0001-x.patch claims 12345678, but is not that change: 0 of its 6 changed lines are in it"},
		{
			"a trailer", "x", "Upstream-commit: 1234567890abcdef1234567890abcdef12345678", other,
			"error false-claim 1-20/patches/0001-x.patch claims 1234567890abcdef1234567890abcdef12345678, but is not that change: 0 of its 6 changed lines are in it",
		},
		{"a vulnerability", "Cure CVE-2020-0001", "", whole, ""},
		{
			"a vulnerability that it does not cure", "Cure CVE-2020-0001", "", other,
			"error false-claim 1-20/patches/0001-x.patch claims CVE-2020-0001, but is not that change: 0 of its 6 changed lines are in it",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := lines(t, lint.Options{Origins: origins}, nil, message(mail(file, tt.hunk), tt.subject, tt.body))
			want := []string{}
			if tt.want != "" {
				want = append(want, tt.want)
			}
			if diff := cmp.Diff(want, of(r, lint.FalseClaim, lint.BadPatch)); diff != "" {
				t.Error(diff)
			}
		})
	}
	r := lines(t, lint.Options{Origins: origins}, nil, message(mail(file, other), "x", "Cherry-pick of #88"))
	if got := strings.Join(r.NotObserved, "\n"); !strings.Contains(got, "whether patches are what they say they are: 1-20/patches/0001-x.patch: the clone lacks") || r.Compared != 0 {
		t.Errorf("%d compared, not observed: %s", r.Compared, got)
	}
}

// TestMissingVulnerabilities checks that triage's verdicts go before the facts, and that a patch needs no name to count.
func TestMissingVulnerabilities(t *testing.T) {
	const file = "pkg/a.go"
	cure := mail(file, "@@ -1,5 +1,5 @@\n one\n-\treturn theFirstThingThatComes(along)\n+\treturn theThingThatWasAskedFor(by, name)\n three\n four\n five\n")
	known := func(string) ([][]string, error) {
		return [][]string{{"CVE-2020-0001"}, {"CVE-2020-0002"}, {"CVE-2020-0003"}, {"CVE-2020-0004"}, {"CVE-2020-0006"}}, nil
	}
	judge := func(_ context.Context, tags []string) (map[string][]lint.Judged, error) {
		if diff := cmp.Diff([]string{"v1.20.15"}, tags); diff != "" {
			t.Error(diff)
		}
		return map[string][]lint.Judged{"v1.20.15": {
			{Names: []string{"CVE-2020-0001"}, Status: "not_affected"},
			{Names: []string{"CVE-2020-0002"}, Status: "under_investigation"},
			{Names: []string{"CVE-2020-0003"}, Status: "affected", Evidence: "affected: not_found"},
			{Names: []string{"CVE-2020-0004", "GHSA-4"}, Status: "affected"},
			{Names: []string{"CVE-2020-0005"}, Status: "affected", Fixes: []lint.Change{lint.NewChange("x (#123)", []byte(cure))}},
		}}, nil
	}
	r := lines(t, lint.Options{Known: known, Judge: judge}, clone{file: five}, cure, message(cure, "Cure ghsa-4 and GHSA-4", "For CVE-2020-0004."))
	want := []string{
		"warning missing-vulnerability 1 vulnerability that triage finds in v1.20.15, and that no patch of 1-20 cures or names: CVE-2020-0003",
		"warning missing-vulnerability 2 vulnerabilities that the facts give v1.20.15, and that no patch of 1-20 names: CVE-2020-0002, CVE-2020-0006",
	}
	if diff := cmp.Diff(want, of(r, lint.MissingVulnerability)); diff != "" {
		t.Error(diff)
	}
	for _, f := range r.Findings {
		if f.Rule == lint.MissingVulnerability && f.Items[0] == "CVE-2020-0003" && !cmp.Equal(f.Evidence, []string{"affected: not_found"}) {
			t.Errorf("%v: evidence %v", f.Items, f.Evidence)
		}
	}
}

func TestSeries(t *testing.T) {
	files := folder{
		"debian/patches/series":     "# ours\nfine.patch\nfine.patch\nback.patch -R\ngone.patch\n../../out.patch\nhttps://example.org/x.patch\ntext.patch -p0\n",
		"debian/patches/fine.patch": "Origin: backport, https://example.org/1\n\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-a\n+b\n c\n d\n", "debian/patches/text.patch": "hello",
		"debian/patches/lost.diff": "",
	}
	line, dir, err := foreign.ReadQuilt(files, "main")
	if err != nil {
		t.Fatal(err)
	}
	outside, err := foreign.QuiltOutside(files, dir, line)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lint.Lines(t.Context(), lint.KindQuilt, []lint.Series{{Line: line, Dir: dir, Outside: outside}}, files, lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"error missing-file debian/patches/series:5 debian/patches/gone.patch of quilt: the file is not there",
		"error missing-file debian/patches/series:7 debian/patches of quilt: it is only on the network, where it can change: \"x.patch\" is not among the files that were kept",
		`error bad-patch debian/patches/series:4 patch back.patch of quilt: option "-R" of patch is not known here`,
		"error bad-patch debian/patches/series:8 debian/patches/text.patch of quilt: is neither a mail of git format-patch nor a diff: it has 0 files",
		"error bad-path debian/patches/series:6 debian/patches of quilt: the path leads out of the folder, or is not well formed",
		"error duplicate-name debian/patches/series:3 patch fine.patch stands in row 2 too",
		"error mutable-base  quilt stands on main, which is no release: a branch changes whenever somebody pushes",
		"warning orphan-file debian/patches/lost.diff debian/patches/lost.diff is applied by nothing",
	}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Error(diff)
	}
}

// FuzzMail checks that no patch of a stranger's makes lint fail or loop, and that a patch that fits its base cannot fit it twice.
func FuzzMail(f *testing.F) {
	f.Add(mail("a", "@@ -1,2 +1,2 @@\n-one\n+eins\n two\n"), "one\ntwo\n")
	f.Add(message(mail("a", "@@ -0,0 +1 @@\n+x\n"), "x (#77)", "Cherry-pick of commit 12345678"), "")
	f.Fuzz(func(t *testing.T, patch, base string) {
		r := lines(t, lint.Options{Origins: history{"#77": patch}}, clone{"a": base}, patch)
		again := lines(t, lint.Options{Origins: history{"#77": patch}}, clone{"a": base}, patch)
		if diff := cmp.Diff(r, again); diff != "" {
			t.Error(diff)
		}
		for _, finding := range r.Findings {
			if finding.Rule == lint.FalseClaim {
				t.Errorf("a patch is not itself: %s", finding.Message)
			}
		}
	})
}

// TestText checks that no line of a report is wider than the terminal, that each rule says why and what to do, and that what was not seen is said.
func TestText(t *testing.T) {
	long := strings.Repeat("a-long-word ", 20) + strings.Repeat("x", 300)
	r := &lint.Report{
		Kind: lint.KindEKSD, NotObserved: []string{long}, Lines: []lint.Line{{Name: "1-20"}},
		Findings: []lint.Finding{
			{Rule: lint.MissingVulnerability, Severity: lint.Warning, Subject: "1-20", Message: long, Items: []string{"CVE-2020-0001"}, Evidence: []string{"affected: " + long}, Hint: long},
			{Rule: lint.OrphanFile, Severity: lint.Error, Subject: "x\x1b[31m", Message: "x\x1b[31m is applied by nothing", File: "y", Row: 3},
		},
	}
	for _, width := range []int{0, 40, 80, 200} {
		var b strings.Builder
		if err := r.Text(&b, width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if width > 0 && len(line)-1 > width {
				t.Errorf("at %d a line of %d: %s", width, len(line)-1, line)
			}
		}
		for _, want := range []string{"* y:3: x", "CVE-2020-0001: affected:", "Carry the fix over", "not observed: "} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("at %d: no %q in %s", width, want, b.String())
			}
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("at %d: a control character", width)
		}
	}
}
