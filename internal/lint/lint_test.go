package lint_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lint"
)

// folder is a directory in memory.
type folder map[string]string

func (f folder) Read(name string, limit int64) ([]byte, error) {
	content, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if int64(len(content)) > limit {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, limit)
	}
	return []byte(content), nil
}

func (f folder) List(dir string) ([]string, error) {
	found := map[string]bool{}
	for name := range f {
		if rest, ok := strings.CutPrefix("./"+name, "./"+strings.TrimPrefix(dir+"/", "./")); ok {
			first, _, below := strings.Cut(rest, "/")
			if below {
				first += "/"
			}
			found[first] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// clone is upstream's clone in memory: one tag, and files by path.
type clone map[string]string

func (c clone) Tag(name string) (git.OID, bool) { return git.OID{1}, name == "v1.20.15" }

func (c clone) File(_ context.Context, _ git.OID, path string) ([]byte, error) {
	content, ok := c[path]
	if !ok {
		return nil, errs.New(errs.NotFound, "%s is not there", path)
	}
	return []byte(content), nil
}

// mail is a patch of one file.
func mail(file, hunk string) string {
	return "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: Ada Author <ada@example.org>\nDate: Wed, 1 Jan 2020 00:00:00 +0000\nSubject: [PATCH] x\n\n---\n" +
		"diff --git a/" + file + " b/" + file + "\n--- a/" + file + "\n+++ b/" + file + "\n" + hunk
}

const releases = `base: https://github.com/kubernetes/kubernetes
bases: misspelt
releases:
  - name: v1.20.15-lts.1
    base_release: v1.20.15-ci
    patches: [twice, CVE-2020-0001.1.20, CVE-2020-0002, empty]
  - name: v1.19.16-lts.1
    base_release: release-1.19
  - name: round
    base_release: round
  - name: v1.20.15-ci
    base_release: v1.20.15
    test_failures_tolerated: [k8s.io/kubernetes/vendor/k8s.io/api/v1, k8s.io/kubernetes/pkg/b]
patches:
  - name: twice
    patch: [patches/twice.patch]
  - name: twice
    patch: [patches/text.patch]
  - name: CVE-2020-0001.1.20
    patch: [patches/api.patch]
  - name: empty
    patch: []
  - name: commit
    patch: [https://github.com/kubernetes/kubernetes/commit/1234567890123456789012345678901234567890.patch]
  - name: release
    patch: [https://example.org/a.patch, https://example.org/a.patch]
`

func kltsReport(t *testing.T, o lint.Options) *lint.Report {
	t.Helper()
	config, err := foreign.ParseKLTS("releases.yml", []byte(releases))
	if err != nil {
		t.Fatal(err)
	}
	files := folder{
		"patches/twice.patch": mail("pkg/a/a.go", "@@ -2,2 +2,3 @@\n \tif err != nil {\n+\t\tlog(err)\n \t\treturn err\n@@ -90,2 +91,2 @@\n a\n-b\n+c\n"),
		"patches/api.patch":   mail("staging/src/k8s.io/api/v1/types.go", "@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n"),
		"patches/text.patch":  "hello", "patches/README": "",
	}
	report, err := lint.KLTS(t.Context(), config, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func told(r *lint.Report) []string {
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Severity+" "+f.Rule+" "+f.Where()+" "+f.Text())
	}
	return got
}

func TestKLTS(t *testing.T) {
	known := func(tag string) ([][]string, error) {
		return [][]string{{"GHSA-x", "CVE-2020-0001"}, {"CVE-2020-0002"}, {"CVE-2020-0003"}}, nil
	}
	trees := clone{"pkg/a/a.go": "x\n\tif err != nil {\n\t\treturn err\n\t}\n\tif err != nil {\n\t\treturn err\n", "staging/src/k8s.io/api/v1/types.go": "a\nb\nd\n"}
	r := kltsReport(t, lint.Options{Path: "x", Known: known, Trees: trees})
	want := []string{
		"error undefined-patch releases.yml:6 CVE-2020-0002 is named by v1.20.15-lts.1 and defined nowhere",
		`error bad-patch releases.yml:18 patches/text.patch of twice: text.patch:1: is no mail file (make it with git format-patch --zero-commit --no-signature --full-index --binary)`,
		"error broken-base releases.yml:7 releases.yml:7: base \"release-1.19\" of \"v1.19.16-lts.1\" is neither an entry nor an upstream tag",
		"error broken-base releases.yml:9 the bases of round go in a circle",
		"error duplicate-name releases.yml:17 patch twice stands in row 15 too",
		"error empty-patch releases.yml:21 empty names neither file nor URL",
		"error unknown-key releases.yml:2 key bases is not one of KLTS'",
		"error does-not-fit patches/twice.patch patches/twice.patch on v1.20.15: 1 hunk does not find its lines: pkg/a/a.go:90",
		"error tolerated-own-patch releases.yml:13 v1.20.15-lts.1 tolerates failures of k8s.io/kubernetes/vendor/k8s.io/api/v1, which its patch CVE-2020-0001.1.20 changes",
		"error base-not-pinned releases.yml 1 upstream tag is a base, none with its commit: v1.20.15",
		"warning ambiguous-hunk patches/twice.patch patches/twice.patch on v1.20.15: 1 hunk with little context could go to other places too: pkg/a/a.go:2",
		"warning mutable-base releases.yml:9 round is edited in place under round",
		"warning mutable-base releases.yml:11 v1.20.15-ci is edited in place under v1.20.15-lts.1",
		"warning little-context patches/twice.patch patches/twice.patch: 2 of 2 hunks have fewer than three lines above the change: pkg/a/a.go:2, pkg/a/a.go:90",
		"warning tolerated-package releases.yml:13 v1.20.15-ci tolerates all failures of 2 packages: k8s.io/kubernetes/vendor/k8s.io/api/v1, k8s.io/kubernetes/pkg/b",
		"warning unused-patch releases.yml:23 commit is used by no release",
		"warning unused-patch releases.yml:25 release is used by no release",
		"warning missing-vulnerability releases.yml:4 2 vulnerabilities that the facts give v1.20.15, and that no patch of v1.20.15-lts.1 names: CVE-2020-0002, CVE-2020-0003",
		"note floating-url releases.yml:26 https://example.org/a.patch is fetched without a digest for release, release, which no release uses",
		"note url-without-digest releases.yml:24 https://github.com/kubernetes/kubernetes/commit/1234567890123456789012345678901234567890.patch is fetched without a digest for commit, which no release uses",
	}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Error(diff)
	}
	if len(r.NotObserved) > 0 {
		t.Error(r.NotObserved)
	}
	wantLines := []lint.Line{{Name: "v1.20.15-lts.1", Base: "v1.20.15", Patches: 4, Absent: 2, Errors: 5, Warnings: 5}, {Name: "v1.19.16-lts.1", Errors: 1}}
	if diff := cmp.Diff(wantLines, r.Lines); diff != "" {
		t.Error(diff)
	}
	if r.At(lint.Error) != 10 || r.At(lint.Warning) != 18 || r.At(lint.Note) != 20 {
		t.Errorf("at error %d, at warning %d, at note %d", r.At(lint.Error), r.At(lint.Warning), r.At(lint.Note))
	}
}

// TestNotObserved checks that what could not be looked at is said.
func TestNotObserved(t *testing.T) {
	unknown := func(tag string) ([][]string, error) { return nil, errors.New("no facts of " + tag) }
	r := kltsReport(t, lint.Options{Known: unknown})
	want := []string{"whether hunks fit, and whether patches are what they say they are: no clone of upstream was named (--repo)", "missing vulnerabilities of v1.20.15-lts.1: no facts of v1.20.15"}
	if diff := cmp.Diff(want, r.NotObserved); diff != "" {
		t.Error(diff)
	}
	r.Findings, r.Lines = nil, nil
	var page, text bytes.Buffer
	if err := errors.Join(r.HTML(&page), r.Markdown(&text)); err != nil {
		t.Fatal(err)
	}
	for format, out := range map[string]string{"HTML": page.String(), "Markdown": text.String()} {
		if !strings.Contains(out, "no facts of v1.20.15") {
			t.Errorf("%s does not say what was not observed", format)
		}
	}
}

// TestReportsEscape checks that what strangers wrote stays text in every format.
func TestReportsEscape(t *testing.T) {
	const hostile = "<script>x</script> [a](javascript:b) `c` *d* |e| ![f](g)\u202e\x1b[31m"
	r := &lint.Report{
		Kind: lint.KindKLTS, Path: hostile, Lines: []lint.Line{{Name: hostile, Base: hostile}}, NotObserved: []string{hostile},
		Findings: []lint.Finding{{Rule: lint.UndefinedPatch, Severity: lint.Error, Subject: "s", Message: hostile, File: hostile, Row: 3, Items: []string{hostile + "2"}, Hint: hostile}},
	}
	var page, text bytes.Buffer
	if err := errors.Join(r.HTML(&page), r.Markdown(&text)); err != nil {
		t.Fatal(err)
	}
	for format, out := range map[string]string{"HTML": page.String(), "Markdown": text.String()} {
		for _, raw := range []string{"<script>", "\u202e", "\x1b"} {
			if strings.Contains(out, raw) {
				t.Errorf("%s lets %q through", format, raw)
			}
		}
	}
	for _, raw := range []string{"[a](javascript", " ![f](", " *d*", " `c`", " |e|"} {
		if strings.Contains(text.String(), raw) {
			t.Errorf("Markdown lets %q through", raw)
		}
	}
	if !strings.Contains(page.String(), "&lt;script&gt;x&lt;/script&gt;") {
		t.Error("the page does not show what was written")
	}
}
