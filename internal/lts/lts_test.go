package lts_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

const project = `apiVersion: kubelts.io/v1alpha1
kind: Project
upstream:
  name: acme/widget
  mainBranch: main
  branches: release-*
  tag: v{version}
versionScheme: +lts.N
maintainer:
  name: Ada Author
  email: ada@example.org
package:
  license: MIT
`

const line = `apiVersion: kubelts.io/v1alpha1
kind: Line
minor: "1.30"
base:
  tag: v1.30.14
  commit: b111111111111111111111111111111111111111
toolchain: go1.26.8
build:
  mode: module
  flags:
    - -mod=vendor
  env:
    CGO_ENABLED: "0"
components:
  - name: kubectl
    package: ./cmd/kubectl
platforms:
  - linux/amd64
instances:
  exclude:
    - release-1.3*
`

const ledger = `apiVersion: kubelts.io/v1alpha1
kind: Ledger
minor: "1.30"
vulnerabilities:
  - id: CVE-2020-0001
    status: fixed
    base: affected
    since: "2026-11-22"
    picks:
      - commit: c222222222222222222222222222222222222222
        outcome: picked
        rung: verbatim
        confidence: review
        patch: 0001-fix.patch
    decision:
      status: not_affected
      justification: component_not_present
      reason: it is not built in
      author: Ada Author <ada@example.org>
      date: "2026-11-22"
`

const verification = `apiVersion: kubelts.io/v1alpha1
kind: Verification
tree: b111111111111111111111111111111111111111
baseTree: c222222222222222222222222222222222222222
changes: sha256:00
toolchain: go1.26.8
scope: direct
packages:
  - example.org/a
tests: 3
`

const conflict = `apiVersion: kubelts.io/v1alpha1
kind: Conflict
commit: b111111111111111111111111111111111111111
subject: Fix it
vulnerabilities:
  - CVE-2020-0001
onto: c222222222222222222222222222222222222222
tree: d333333333333333333333333333333333333333
files:
  - path: a/b.go
    reasons:
      - content
    laid: e444444444444444444444444444444444444444
    mode: "100644"
`

// files are the YAML files, each with what reads and writes it again.
func files() map[string]struct {
	text    string
	rewrite func(text string) ([]byte, error)
} {
	type file = struct {
		text    string
		rewrite func(text string) ([]byte, error)
	}
	return map[string]file{
		"kubelts.yaml": {project, func(text string) ([]byte, error) {
			v, err := lts.ParseProject("f.yaml", []byte(text))
			if err != nil {
				return nil, err
			}
			return v.Format()
		}},
		"line.yaml": {line, func(text string) ([]byte, error) {
			v, err := lts.ParseLine("f.yaml", []byte(text))
			if err != nil {
				return nil, err
			}
			return v.Format()
		}},
		"ledger.yaml": {ledger, func(text string) ([]byte, error) {
			v, err := lts.ParseLedger("f.yaml", []byte(text))
			if err != nil {
				return nil, err
			}
			return v.Format()
		}},
		"verification.yaml": {verification, func(text string) ([]byte, error) {
			v, err := lts.ParseVerification("f.yaml", []byte(text))
			if err != nil {
				return nil, err
			}
			return v.Format()
		}},
		"conflict.yaml": {conflict, func(text string) ([]byte, error) {
			v, err := lts.ParseConflict("f.yaml", []byte(text))
			if err != nil {
				return nil, err
			}
			return v.Format()
		}},
	}
}

func TestFilesSurviveReadingAndWriting(t *testing.T) {
	for name, f := range files() {
		t.Run(name, func(t *testing.T) {
			got, err := f.rewrite(f.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.text, string(got)); diff != "" {
				t.Errorf("written again (-read +written):\n%s", diff)
			}
		})
	}
}

func TestFaultsOfFilesAreNamed(t *testing.T) {
	tests := []struct{ name, file, old, replacement, want string }{
		{"unknown key", "kubelts.yaml", "  mainBranch: main", "  mainBrunch: main", "f.yaml:5: unknown key mainBrunch"},
		{"syntax", "kubelts.yaml", "  mainBranch: main", "  mainBranch: [", "f.yaml:4: "},
		{"two documents", "kubelts.yaml", "package:\n", "---\npackage:\n", "f.yaml:12: more than one document"},
		{"kind", "kubelts.yaml", "kind: Project", "kind: Line", `f.yaml: kind "Line", want Project`},
		{"version", "kubelts.yaml", "v1alpha1", "v9", `apiVersion "kubelts.io/v9" is not known`},
		{"scheme", "kubelts.yaml", "+lts.N", "+lts", `versionScheme "+lts" is not known`},
		{"upstream", "kubelts.yaml", "acme/widget", "widget", `upstream name "widget" is not owner/name`},
		{"glob", "kubelts.yaml", "release-*", "'release-['", `branch glob "release-[" is not well formed`},
		{"person", "kubelts.yaml", "ada@example.org", "'a <b>'", `maintainer: "Ada Author <a <b>>" names nobody`},
		{"duplicate key", "line.yaml", "toolchain: go1.26.8", "toolchain: go1.26.8\ntoolchain: local", "f.yaml:8: "},
		{"toolchain", "line.yaml", "go1.26.8", "latest", `toolchain "latest" is not a Go toolchain`},
		{"commit", "line.yaml", "b111111111", "xyz", "f.yaml: "},
		{"component outside", "line.yaml", "./cmd/kubectl", "../cmd", `package "../cmd" is not a path in the tree`},
		{"component name", "line.yaml", "name: kubectl", "name: ../kubectl", `component "../kubectl"`},
		{"platform", "line.yaml", "linux/amd64", "linux", `platform "linux" is not well formed`},
		{"flag", "line.yaml", "-mod=vendor", "mod=vendor", `build flag "mod=vendor"`},
		{"flag that runs no tests", "line.yaml", "-mod=vendor", "-run=^$", `build flag "-run=^$" keeps the go program`},
		{"flag that runs nothing", "line.yaml", "-mod=vendor", "--n", `build flag "--n" keeps the go program`},
		{"flag with a test prefix", "line.yaml", "-mod=vendor", "-test.skip=.", `build flag "-test.skip=." keeps the go program`},
		{"gopath without path", "line.yaml", "mode: module", "mode: gopath", "needs an importPath"},
		{"status", "ledger.yaml", "status: fixed", "status: fine", `CVE-2020-0001: status "fine" is not known`},
		{"outcome", "ledger.yaml", "outcome: picked", "outcome: done", `outcome "done" is not known`},
		{"decision", "ledger.yaml", "component_not_present", "because", "not_affected needs a justification"},
		{"no reason", "ledger.yaml", "reason: it is not built in", "reason: ''", "a decision needs a reason"},
		{"no packages", "verification.yaml", "  - example.org/a\n", "", "names no tree or no packages"},
		{"path outside", "conflict.yaml", "a/b.go", "../b.go", `path "../b.go" is not well formed`},
		{"path in git", "conflict.yaml", "a/b.go", ".git/config", `path ".git/config" is not well formed`},
		{"empty", "line.yaml", line, "", "f.yaml: is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := files()[tt.file]
			text := strings.Replace(f.text, tt.old, tt.replacement, 1)
			if text == f.text {
				t.Fatalf("%q is not in the file", tt.old)
			}
			_, err := f.rewrite(text)
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want an invalid one with %q", err, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	tests := []struct {
		name, scheme string
		n            int
		want         string
	}{
		{"plus", lts.SchemePlus, 10, "v1.28.15+lts.10"},
		{"minus", lts.SchemeMinus, 1, "v1.28.15-lts.1"},
		{"patch", lts.SchemePatch, 1, "v1.28.101"},
		{"patch, two digits", lts.SchemePatch, 12, "v1.28.112"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base, err := lts.BaseVersion("kubernetes-{version}", "kubernetes-1.28.15")
			if err != nil {
				t.Fatal(err)
			}
			got, err := lts.Version(tt.scheme, base, tt.n)
			if err != nil || got != tt.want {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
			parsed, err := release.Parse(got)
			if err != nil || parsed.Minor != (release.Minor{Major: 1, Minor: 28}) {
				t.Errorf("read again: %v, %v", parsed, err)
			}
		})
	}
	for _, tag := range []string{"v1.28.15", "kubernetes-1.28", "kubernetes-1.28.15-rc.0", "kubernetes-01.28.15"} {
		if got, err := lts.BaseVersion("kubernetes-{version}", tag); err == nil {
			t.Errorf("base version of %q: %q", tag, got)
		}
	}
}

func TestStampExpand(t *testing.T) {
	s := lts.Stamp{
		Version: "v3.4.20+lts.1", Base: "v3.4.20", Minor: release.Minor{Major: 3, Minor: 4}, Date: "2026-11-22T00:00:00Z",
		Commit: git.MustOID("1111111111222222222233333333334444444444"),
	}
	got := s.Expand("{version} {number} {base} {major}.{minor} {short} {date} {else} {commit}")
	want := "v3.4.20+lts.1 3.4.20+lts.1 v3.4.20 3.4 1111111111 2026-11-22T00:00:00Z {else} 1111111111222222222233333333334444444444"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestBlocks(t *testing.T) {
	commit := git.MustOID("1111111111222222222233333333334444444444")
	risk := &lts.Decision{Status: lts.StatusAffected}
	tests := []struct {
		name  string
		entry lts.Entry
		want  int
	}{
		{"picked", lts.Entry{Picks: []lts.Pick{{Commit: commit, Outcome: lts.OutcomePicked}}}, 0},
		{"conflict", lts.Entry{Picks: []lts.Pick{{Commit: commit, Outcome: lts.OutcomeConflict}}}, 1},
		{"conflict and what waits for it", lts.Entry{Picks: []lts.Pick{{Outcome: lts.OutcomeConflict}, {Outcome: lts.OutcomeWaiting}}}, 2},
		{"conflict, risk accepted", lts.Entry{Picks: []lts.Pick{{Outcome: lts.OutcomeConflict}}, Decision: risk}, 0},
		{"could not be tried", lts.Entry{Picks: []lts.Pick{{Outcome: lts.OutcomeError}}}, 1},
		{"review", lts.Entry{Picks: []lts.Pick{{Outcome: lts.OutcomePicked, Confidence: lts.ConfidenceReview}}}, 1},
		{"review, decided", lts.Entry{Picks: []lts.Pick{{Outcome: lts.OutcomePicked, Confidence: lts.ConfidenceReview, Decision: risk}}}, 0},
		{"nobody knows", lts.Entry{Status: lts.StatusUnderInvestigation}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.entry.Blocks(); len(got) != tt.want {
				t.Errorf("%q, want %d", got, tt.want)
			}
		})
	}
}

func TestMarkerLine(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
	}{
		{"none", "a\n=======\nb\n<<<<<<<<<<\n", 0},
		{"ours", "a\n<<<<<<< onto 1\nb\n", 2},
		{"base", "||||||| base\n", 1},
		{"theirs at the end, with CRLF", "a\r\nb\r\n>>>>>>> x\r\n", 3},
		{"bare", "a\n>>>>>>>", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lts.MarkerLine([]byte(tt.text)); got != tt.want {
				t.Errorf("line %d, want %d", got, tt.want)
			}
		})
	}
}

func TestParsePerson(t *testing.T) {
	for _, s := range []string{"Ada Author <ada@example.org>", "Ægir Ö. <a@b>"} {
		p, err := lts.ParsePerson(s)
		if err != nil || p.String() != s {
			t.Errorf("%q: %v, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "Ada", "<a@b>", "Ada <>", "Ada <a@b> x", "A\nda <a@b>", `A"da <a@b>`, "Ada <a b>"} {
		if p, err := lts.ParsePerson(s); err == nil {
			t.Errorf("%q names %v", s, p)
		}
	}
}

func FuzzYAML(f *testing.F) {
	for _, file := range files() {
		f.Add(file.text)
	}
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, file := range files() {
			once, err := file.rewrite(text)
			if err != nil {
				continue
			}
			again, err := file.rewrite(string(once))
			if err != nil || string(again) != string(once) {
				t.Errorf("%s: what was written is read otherwise: %v\n%q\n%q", name, err, once, again)
			}
		}
	})
}

func TestNumber(t *testing.T) {
	for _, scheme := range []string{lts.SchemePlus, lts.SchemeMinus, lts.SchemePatch} {
		for _, n := range []int{1, 2, 10, 101} {
			version, err := lts.Version(scheme, "v1.28.15", n)
			if err != nil {
				t.Fatal(err)
			}
			if got := lts.Number(scheme, "v1.28.15", version); got != n {
				t.Errorf("number of %s: got %d, want %d", version, got, n)
			}
		}
	}
	for _, other := range []string{"", "v1.28.15", "v1.28.16+lts.1", "v1.28.15+lts.01", "v1.28.15-lts.2", "v1.28.102"} {
		if got := lts.Number(lts.SchemePlus, "v1.28.15", other); got != 0 {
			t.Errorf("number of %q: got %d, want 0", other, got)
		}
	}
}
