package foreign_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/lts"
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
		rest, ok := name, true
		if dir != "." {
			rest, ok = strings.CutPrefix(name, dir+"/")
		}
		if first, _, below := strings.Cut(rest, "/"); ok && below {
			found[first+"/"] = true
		} else if ok {
			found[first] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

const zero = "0000000000000000000000000000000000000000"

// mail is a patch file of one mail.
func mail(commit, subject string) string {
	return "From " + commit + " Mon Sep 17 00:00:00 2001\nFrom: Ada Author <ada@example.org>\nDate: Wed, 1 Jan 2020 00:00:00 +0000\nSubject: [PATCH] " + subject +
		"\n\nWhy.\n---\n f | 2 +-\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n"
}

const commitURL = "https://github.com/kubernetes/kubernetes/commit/1234567890123456789012345678901234567890.patch"

const releases = `base: https://github.com/kubernetes/kubernetes
releases:
  - name: v1.28.15-lts.2
    base_release: v1.28.15-ci
    must: true
    patches: [own.1.28]
  - name: v1.28.15-lts.10
    base_release: v1.28.15-ci
    patches: [own.1.28, gone]
  - name: v1.27.16-lts.1
    base_release: v1.27.16
    patches:
      - CVE-2020-0001
    test_failures_tolerated: [k8s.io/kubernetes/pkg/a]
  - name: broken
    base_release: release-1.20
    patches:
  - name: round
    base_release: about
  - name: about
    base_release: round
  - name: v1.28.15-ci
    base_release: v1.28.15
    patches: [several, TODO]
    test_integration_failures_tolerated: [k8s.io/kubernetes/test/b]
patches:
  - name: own.1.28
    patch: [patches/own.patch]
  - name: several
    patch:
      - https://github.com/kubernetes/kubernetes/pull/7.patch
      - ` + commitURL + `
      - ../outside.patch
      - /etc/passwd
      - patches/absent.patch
      - patches/text.patch
      - https://example.org/x.patch
  - name: CVE-2020-0001
    patch: [patches/two.patch]
  - name: TODO
    patch: []
`

func kltsFolder() folder {
	return folder{
		"releases.yml": releases, "patches/own.patch": mail(zero, "Own"), "patches/two.patch": mail("6f3b872e450e8f00c3ca4a7f9819f9443187db61", "One") + mail(zero, "Two"),
		"patches/text.patch": "hello\n",
	}
}

func pieces(t *testing.T, source *foreign.Source, line foreign.Line) []foreign.Piece {
	t.Helper()
	got, err := source.Pieces(t.Context(), line)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestKLTSLines(t *testing.T) {
	k, err := foreign.ParseKLTS("releases.yml", []byte(releases))
	if err != nil {
		t.Fatal(err)
	}
	lines, skipped := k.Lines()
	type flat struct {
		Name, Tag string
		Steps     []string
		Tolerated []string
	}
	var got []flat
	for _, l := range lines {
		f := flat{Name: l.Name, Tag: l.Tag}
		for _, s := range l.Steps {
			f.Steps = append(f.Steps, s.Name)
		}
		for _, tolerated := range l.Tolerated {
			f.Tolerated = append(f.Tolerated, tolerated.Release+" "+tolerated.Package)
		}
		got = append(got, f)
	}
	want := []flat{
		{"v1.27.16-lts.1", "v1.27.16", []string{"CVE-2020-0001"}, []string{"v1.27.16-lts.1 k8s.io/kubernetes/pkg/a"}},
		{"v1.28.15-lts.10", "v1.28.15", []string{"several", "TODO", "own.1.28", "gone"}, []string{"v1.28.15-ci k8s.io/kubernetes/test/b"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantSkipped := []foreign.Skipped{
		{Name: "v1.28.15-lts.2", Row: 3, Reason: "v1.28.15-lts.10 is newer"},
		{Name: "broken", Row: 15, Reason: `releases.yml:15: base "release-1.20" of "broken" is neither an entry nor an upstream tag`},
		{Name: "round", Row: 18, Reason: "its bases go in a circle"},
		{Name: "about", Row: 20, Reason: "its bases go in a circle"},
	}
	if diff := cmp.Diff(wantSkipped, skipped); diff != "" {
		t.Error(diff)
	}
	if _, _, err := k.Chain("round"); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("a circle of bases: %v", err)
	}
}

// TestPieces checks that every source becomes mails or a gap with its reason, and that nothing is left out.
func TestPieces(t *testing.T) {
	k, err := foreign.ParseKLTS("releases.yml", []byte(releases))
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := k.Lines()
	told := func(kept foreign.Files, line foreign.Line) []string {
		var got []string
		for _, p := range pieces(t, &foreign.Source{Files: kltsFolder(), Kept: kept}, line) {
			switch {
			case p.Patch == nil:
				got = append(got, p.Step+" "+p.Origin+": "+p.Gap)
			case p.SHA256 == "" || len(p.Patch.Diff) == 0:
				t.Errorf("%s: no digest or no change", p.Step)
			default:
				got = append(got, p.Step+" = "+p.Patch.Subject+" "+p.Commit.Short())
			}
		}
		return got
	}
	want := []string{"CVE-2020-0001 = One 6f3b872e45", "CVE-2020-0001 = Two 0000000000"}
	if diff := cmp.Diff(want, told(nil, lines[0])); diff != "" {
		t.Error(diff)
	}
	rest := []string{
		"several ../outside.patch: the path leads out of the folder, or is not well formed",
		"several /etc/passwd: the path leads out of the folder, or is not well formed",
		"several patches/absent.patch: the file is not there",
		"several patches/text.patch: is neither a mail of git format-patch nor a diff: it has 0 files",
		"several https://example.org/x.patch: it is only on the network, where it can change: \"x.patch\" is not among the files that were kept",
		"TODO : its definition in row 40 names no file and no URL",
		"own.1.28 = Own 0000000000",
		"gone : releases.yml defines no patch of this name",
	}
	want = append([]string{
		"several https://github.com/kubernetes/kubernetes/pull/7.patch: it is only on the network, where it can change: \"7.patch\" is not among the files that were kept",
		"several " + commitURL + ": it is only on the network: \"1234567890123456789012345678901234567890.patch\" is not among the files that were kept, and no clone has it",
	}, rest...)
	if diff := cmp.Diff(want, told(nil, lines[1])); diff != "" {
		t.Error(diff)
	}
	kept := folder{"7.patch": mail(zero, "Seven"), "1234567890123456789012345678901234567890.patch": mail(zero, "Another commit")}
	want = append([]string{
		"several = Seven 0000000000",
		"several " + commitURL + ": the file that was kept is not the patch of commit 1234567890123456789012345678901234567890",
	}, rest...)
	if diff := cmp.Diff(want, told(kept, lines[1])); diff != "" {
		t.Error(diff)
	}
}

// TestSharedNames checks that a folder of fetched files is not asked for a name that two sources of a line share.
func TestSharedNames(t *testing.T) {
	line := foreign.Line{Steps: []foreign.Step{
		{Name: "a", Items: []foreign.Item{foreign.NewItem("https://github.com/one/x/pull/7.patch", 1)}},
		{Name: "b", Items: []foreign.Item{foreign.NewItem("https://github.com/two/x/pull/7.patch", 2)}},
	}}
	got := pieces(t, &foreign.Source{Files: folder{}, Kept: folder{"7.patch": mail(zero, "Seven")}}, line)
	if len(got) != 2 || got[0].Patch != nil || got[1].Patch != nil {
		t.Errorf("one file stands for two URLs: %+v", got)
	}
	if got := foreign.Unfetched(got); len(got) != 2 {
		t.Errorf("to fetch: %q", got)
	}
}

func TestParseKLTSRefuses(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\nreleases:\n"
	for range 2_000 {
		bomb += "  - {name: n, patches: *b}\n"
	}
	bomb = "b: &b [" + strings.Repeat("x, ", 500) + "x]\n" + bomb
	for name, test := range map[string]struct{ content, want string }{
		"empty":           {"", "r.yml: is empty"},
		"not YAML":        {"a: [", "r.yml: line 1"},
		"a list":          {"- a\n", "r.yml:1: the document is no mapping"},
		"no releases":     {"base: x\n", "r.yml: has no releases"},
		"two documents":   {"releases: [{name: a}]\n---\nreleases: []\n", "more than one document"},
		"no name":         {"releases:\n  - base_release: v1.2.3\n", "r.yml:2: a release has no name"},
		"patches no list": {"releases:\n  - name: a\n    patches: b\n", "r.yml:3: patches is no list"},
		"a key twice":     {"releases: []\nreleases: []\n", "r.yml:2: key releases stands twice"},
		"control":         {"releases:\n  - name: \"a\\e[31m\"\n", "has control characters"},
		"long":            {"releases:\n  - name: " + strings.Repeat("a", 201) + "\n", "longer than 200 bytes"},
		"aliases":         {bomb, "more than 100000 values, aliases followed"},
		"itself":          {"releases: &r\n  - name: a\n    patches: *r\n", "is no text"},
		"large":           {strings.Repeat("#", foreign.MaxConfig+1), "larger than"},
		"deep":            {"releases: " + strings.Repeat("[", 200_000), "r.yml: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := foreign.ParseKLTS("r.yml", []byte(test.content))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestEKSD(t *testing.T) {
	const dir = "projects/kubernetes/kubernetes/"
	files := folder{
		dir + "1-22/GIT_TAG": "v1.22.17\n", dir + "1-22/GOLANG_VERSION": "1.16\n", dir + "1-22/patches/0001-EKS-PATCH-a.patch": mail(zero, "a"),
		dir + "1-22/patches/0004-EKS-PATCH-CVE-2020-8565.patch": mail(zero, "b"), dir + "1-22/patches/README": "",
		dir + "1-28/GIT_TAG": "v1.28.15\n", dir + "1-29/GIT_TAG": "../../x\n", dir + "1-29/patches/0001-a.patch": mail(zero, "a"), dir + "build/x": "", dir + "1-30": "a link",
	}
	lines, skipped, err := foreign.ReadEKSD(files, foreign.Kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || lines[0].Tag != "v1.22.17" || lines[0].Toolchain != "1.16" || len(lines[0].Steps) != 2 {
		t.Fatalf("lines: %+v", lines)
	}
	if diff := cmp.Diff([]int{2, 3}, foreign.Numbers(lines[0])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"CVE-2020-8565"}, lines[0].Steps[1].Fixes()); diff != "" {
		t.Error(diff)
	}
	want := []foreign.Skipped{{Name: "1-28", Reason: "it has no patches"}, {Name: "1-29", Reason: `GIT_TAG "../../x" is no release of 1.29`}, {Name: "1-30", Reason: "it is no directory"}}
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Error(diff)
	}
	for _, p := range pieces(t, &foreign.Source{Files: files}, lines[0]) {
		if p.Patch == nil {
			t.Errorf("%s: %s", p.Step, p.Gap)
		}
	}
	if _, _, err := foreign.ReadEKSD(folder{"README": ""}, foreign.Kubernetes); !errs.Is(err, errs.NotFound) {
		t.Errorf("a directory without minors: %v", err)
	}
}

func TestQuilt(t *testing.T) {
	files := folder{
		"patches/series": "# comment\nplain.patch # why\nsub/deep.diff -p2\nmail.patch -p1\nreverse.patch -R\nabsent.patch\n../out.patch\n",
		"patches/plain.patch": "Description: Make it louder\n Really.\nAuthor: Bob Builder <bob@example.org>\nLast-Update: 2021-02-03\nOrigin: vendor\n---\n" +
			"--- a/dir/f\n+++ b/dir/f\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n",
		"patches/sub/deep.diff": "Index: x/y/f\n==========\n--- x/y/f\t2020-01-01 00:00:00\n+++ x/y/f\t2020-01-02 00:00:00\n@@ -1 +1 @@\n-a\n+b\n",
		"patches/mail.patch":    mail(zero, "A mail"), "patches/reverse.patch": mail(zero, "Reversed"), "patches/other.patch": "",
	}
	line, dir, err := foreign.ReadQuilt(files, "v3.4.20")
	if err != nil {
		t.Fatal(err)
	}
	source := &foreign.Source{Files: files, Dir: dir, Author: lts.Person{Name: "Mae", Email: "mae@example.org"}, Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	var got []string
	for _, p := range pieces(t, source, line) {
		if p.Patch == nil {
			got = append(got, p.Step+": "+p.Gap)
			continue
		}
		head, _, _ := strings.Cut(string(p.Patch.Diff), "\n")
		got = append(got, p.Patch.Author.Name+" "+p.Patch.Date.Format(time.DateOnly)+" "+p.Patch.Subject+" "+head)
	}
	want := []string{
		"Bob Builder 2021-02-03 Make it louder diff --git a/dir/f b/dir/f",
		"Mae 2026-01-02 deep diff --git a/f b/f",
		"Ada Author 2020-01-01 A mail diff --git a/f b/f",
		`reverse.patch: option "-R" of patch is not known here`,
		"absent.patch: the file is not there",
		"../out.patch: the path leads out of the folder, or is not well formed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	outside, err := foreign.QuiltOutside(files, dir, line)
	if diff := cmp.Diff([]string{"patches/other.patch"}, outside); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestPlainDenies checks that a diff without a mail's head names no path outside.
func TestPlainDenies(t *testing.T) {
	for _, diff := range []string{
		"--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
		"diff --git a/.git/config b/.git/config\n--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-a\n+b\n",
	} {
		files := folder{"series": "x.patch\n", "x.patch": diff}
		line, dir, err := foreign.ReadQuilt(files, "v1.0.0")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces(t, &foreign.Source{Files: files, Dir: dir}, line) {
			if p.Patch != nil || !strings.Contains(p.Gap, "path") {
				t.Errorf("%q became a patch: %q", diff, p.Gap)
			}
		}
	}
}

// TestBounded checks that a project of many large files is read only so far, and that what is beyond is a gap.
func TestBounded(t *testing.T) {
	files := folder{"series": "a.patch\nb.patch\n", "a.patch": mail(zero, "A"), "b.patch": mail(zero, "B")}
	source := &foreign.Source{Files: foreign.Bounded(files, int64(len(files["a.patch"])))}
	line, _, err := foreign.ReadQuilt(files, "v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	got := pieces(t, source, line)
	if len(got) != 2 || got[0].Patch == nil || !strings.Contains(got[1].Gap, "larger than what is read") {
		t.Errorf("pieces: %+v", got)
	}
}

func FuzzParseKLTS(f *testing.F) {
	f.Add(releases)
	f.Add("releases: [{name: a, base_release: v1.2.3, patches: [b, b]}]\npatches: [{name: b, patch: [x]}, {name: b, patch: [https://a/b]}]\n")
	f.Add("x: &x [a]\nreleases: [{name: a, patches: *x, base_release: a}]\n")
	f.Fuzz(func(t *testing.T, content string) {
		k, err := foreign.ParseKLTS("releases.yml", []byte(content))
		if err != nil {
			if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), "releases.yml") {
				t.Fatalf("an error that does not say where: %v", err)
			}
			return
		}
		lines, skipped := k.Lines()
		if len(lines)+len(skipped) != len(k.Leaves())+len(k.Circles()) {
			t.Fatalf("%d leaves and circles became %d lines and %d skipped", len(k.Leaves())+len(k.Circles()), len(lines), len(skipped))
		}
		for _, line := range lines {
			asked := 0
			chain, tag, err := k.Chain(line.Name)
			if err != nil || tag != line.Tag {
				t.Fatalf("line %q: %v, %q", line.Name, err, tag)
			}
			for _, entry := range chain {
				asked += len(entry.Patches)
			}
			if len(line.Steps) < asked {
				t.Fatalf("line %q: %d patches are named, %d steps came of them", line.Name, asked, len(line.Steps))
			}
			got := pieces(t, &foreign.Source{Files: folder{}}, line)
			if len(got) < len(line.Steps) {
				t.Fatalf("line %q: %d steps, %d pieces", line.Name, len(line.Steps), len(got))
			}
			for _, p := range got {
				if (p.Patch == nil) == (p.Gap == "") {
					t.Fatalf("piece %+v is neither a patch nor a gap", p)
				}
			}
		}
	})
}

func FuzzPieces(f *testing.F) {
	f.Add(mail(zero, "One") + mail(zero, "Two"))
	f.Add("Description: x\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n")
	f.Add("--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+b\n")
	f.Fuzz(func(t *testing.T, content string) {
		files := folder{"series": "x.patch\n", "x.patch": content}
		line, dir, err := foreign.ReadQuilt(files, "v1.0.0")
		if err != nil {
			t.Fatal(err)
		}
		source := &foreign.Source{Files: files, Dir: dir, Author: lts.Person{Name: "Mae", Email: "mae@example.org"}, Date: time.Unix(1_600_000_000, 0).UTC()}
		for _, p := range pieces(t, source, line) {
			if (p.Patch == nil) == (p.Gap == "") {
				t.Fatalf("piece %+v is neither a patch nor a gap", p)
			}
			if p.Patch == nil {
				continue
			}
			imported := p.Patch.Imported(nil)
			written, err := imported.Format()
			if err != nil {
				continue // it says why, and becomes a gap
			}
			again, err := lts.ParsePatch(p.Patch.Name, written)
			if err != nil || again.Message() != imported.Message() || string(again.Diff) != string(p.Patch.Diff) {
				t.Fatalf("written and read again: %v\n%s", err, written)
			}
		}
	})
}

func TestCures(t *testing.T) {
	tests := []struct {
		name, message string
		want          []string
	}{
		{"a line", "Bump yaml\n\nFixes CVE-2019-11254\n", []string{"CVE-2019-11254"}},
		{"a list", "* Fix for: cve-2020-8559\n* addresses CVE-2020-8558", []string{"CVE-2020-8559", "CVE-2020-8558"}},
		{"once each", "Cures CVE-2020-8559\nFixed: CVE-2020-8559", []string{"CVE-2020-8559"}},
		{"spoken of", "This does not fix CVE-2020-8559, which CVE-2020-8558 is like", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, foreign.Cures(tt.message)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
