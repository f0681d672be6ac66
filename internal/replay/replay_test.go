package replay

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

func TestCompareGo(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       likeness
	}{
		{"comments", "package x // a\n\n/* b */\nvar a = 1\n", "package x\nvar a = 1 // c\n", same},
		{"import order and grouping", "package x\nimport (\n\"b\"\n\n\"a\"\n)\n", "package x\nimport \"a\"\nimport (\n\t\"b\"\n)\n", same},
		{"import alias", "package x\nimport a \"p\"\n", "package x\nimport \"p\"\n", different},
		{"one import more", "package x\nimport \"p\"\nimport \"q\"\n", "package x\nimport \"p\"\n", different},
		{"build constraint", "//go:build linux\n\npackage x\n", "package x\n", different},
		{"old build constraint", "// +build linux\n\npackage x\n", "// +build darwin\n\npackage x\n", different},
		{"value", "package x\nvar a = 1\n", "package x\nvar a = 2\n", different},
		{"literal on one line", "package x\nvar a = T{1, 2}\n", "package x\nvar a = T{\n1,\n2,\n}\n", sameButLayout},
		{"body on one line", "package x\nfunc f() { g() }\n", "package x\nfunc f() {\n\tg()\n}\n", sameButLayout},
		{"comma in a string", "package x\nvar a = T{\", )\"}\n", "package x\nvar a = T{\" )\"}\n", different},
		{"broken", "package x\nvar a = \"\n", "package x\nvar a = \"\n", different},
		{"only one broken", "package x\n", "package x\nvar a = \"\n", different},
		{"empty", "", "", same},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := compareGo([]byte(c.a), []byte(c.b)); got != c.want {
				t.Errorf("likeness %d, want %d", got, c.want)
			}
		})
	}
}

func id(t *testing.T) func(git.OID, error) git.OID {
	t.Helper()
	return func(id git.OID, err error) git.OID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
}

// tree writes a tree of files in one directory. A content that begins with ! is an executable, one with @ a link.
func tree(t *testing.T, m *gittest.Memory, files map[string]string) git.OID {
	t.Helper()
	var entries []git.TreeEntry
	for name, content := range files {
		mode := git.ModeFile
		switch {
		case strings.HasPrefix(content, "!"):
			mode, content = git.ModeExecutable, content[1:]
		case strings.HasPrefix(content, "@"):
			mode, content = git.ModeSymlink, content[1:]
		}
		entries = append(entries, git.TreeEntry{Mode: mode, Name: name, OID: id(t)(m.WriteBlob(t.Context(), []byte(content)))})
	}
	return id(t)(m.WriteTree(t.Context(), entries))
}

func TestJudge(t *testing.T) {
	landed := map[string]string{"a.go": "package a\n", "go.sum": "x\ny\n", "README": "text\n"}
	with := func(name, content string) map[string]string {
		files := maps.Clone(landed)
		files[name] = content
		if content == "" {
			delete(files, name)
		}
		return files
	}
	ok, no, refused := Verdict{Class: Landed}, Verdict{Class: Differs}, Verdict{Class: Refused}
	for _, c := range []struct {
		name       string
		got        map[string]string // nil: no tree
		conflicted []string
		failed     bool
		code, all  Verdict
	}{
		{"the same tree", landed, nil, false, ok, ok},
		{"a comment more", with("a.go", "package a // b\n"), nil, false, ok, ok},
		{"sums in another order", with("go.sum", "y\nx\n\n"), nil, false, ok, ok},
		{"a sum less", with("go.sum", "y\n"), nil, false, ok, no},
		{"no sums", with("go.sum", ""), nil, false, ok, no},
		{"other text", with("README", "texts\n"), nil, false, no, no},
		{"other code", with("a.go", "package b\n"), nil, false, no, no},
		{"other mode", with("a.go", "!package a\n"), nil, false, no, no},
		{"a link", with("a.go", "@package a\n"), nil, false, no, no},
		{"a file more", with("b.go", "package a\n"), nil, false, no, no},
		{"a file less", with("a.go", ""), nil, false, no, no},
		{"layout", with("a.go", "package a;\n"), nil, false, ok, ok},
		{"conflict in code", landed, []string{"a.go"}, true, refused, refused},
		{"conflict in metadata", with("go.sum", "<<<<<<<\n"), []string{"go.sum"}, true, ok, refused},
		{"conflict in both", landed, []string{"a.go", "go.sum"}, true, refused, refused},
		{"conflict nowhere", landed, nil, true, refused, refused},
		{"no tree", nil, nil, false, refused, refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := gittest.NewMemory()
			a := Answer{Conflicted: c.conflicted, Failed: c.failed}
			if c.got != nil {
				a.Tree = tree(t, m, c.got)
			}
			got, err := Judge(t.Context(), m, a, tree(t, m, landed))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Judgement{Code: c.code, All: c.all}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJudgeWithoutObjects(t *testing.T) {
	m := gittest.NewMemory()
	landed := tree(t, m, map[string]string{"a.go": "package a\n"})
	if j, err := Judge(t.Context(), m, Answer{Tree: git.Hash(git.TypeTree, []byte("absent"))}, landed); err == nil {
		t.Errorf("judged %v without the tree", j)
	}
}

func TestAnswerOf(t *testing.T) {
	left := []backport.Conflict{{Reason: backport.ReasonContent}}
	some := git.Hash(git.TypeBlob, nil)
	for _, c := range []struct {
		name string
		res  backport.Result
		want Answer
	}{
		{"done", backport.Result{Outcome: backport.Clean, Tree: some, Files: []backport.File{{Path: "a"}}}, Answer{Tree: some}},
		{
			"conflict",
			backport.Result{Outcome: backport.Conflicted, Tree: some, Files: []backport.File{{Path: "a"}, {Path: "b", Conflicts: left}}},
			Answer{Tree: some, Conflicted: []string{"b"}, Failed: true},
		},
		{"error", backport.Result{Outcome: backport.Error, Tree: some}, Answer{Failed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, AnswerOf(c.res)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const one, two, three = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222", "3333333333333333333333333333333333333333"

func TestReadPairs(t *testing.T) {
	object := `{"branch":"r","backport":"` + one + `","backport_parent":"` + two + `","fix":"` + three + `","plain":"exact"}`
	want := Pair{Branch: "r", Backport: git.MustOID(one), Parent: git.MustOID(two), Fix: git.MustOID(three)}
	for _, c := range []struct {
		name, in string
		n        int
		err      string
	}{
		{"array", "[\n" + object + ",\n" + object + "\n]\n", 2, ""},
		{"lines", "\n" + object + "\n" + object, 2, ""},
		{"no end", "[" + object, 0, "EOF"},
		{"empty array", "[]", 0, "no pairs"},
		{"nothing", " \n", 0, "EOF"},
		{"no fix", `{"backport":"` + one + `","backport_parent":"` + two + `"}`, 0, "pair 1 is incomplete"},
		{"short name", `{"fix":"1234"}`, 0, "object name"},
		{"no JSON", "fix", 0, "read pair 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pairs, err := ReadPairs(strings.NewReader(c.in))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !errs.Is(err, errs.Invalid) {
					t.Errorf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil || len(pairs) != c.n || pairs[len(pairs)-1] != want {
				t.Errorf("%v, %v", pairs, err)
			}
		})
	}
}

func FuzzReadPairs(f *testing.F) {
	f.Add([]byte(`[{"backport":"` + one + `","backport_parent":"` + two + `","fix":"` + three + `"}]`))
	f.Add([]byte(`{"fix":`))
	f.Fuzz(func(t *testing.T, content []byte) {
		pairs, err := ReadPairs(bytes.NewReader(content))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err = WritePairs(&out, pairs); err != nil {
			t.Fatal(err)
		}
		again, err := ReadPairs(&out)
		if err != nil || !slices.Equal(again, pairs) {
			t.Errorf("written and read again: %v, %v, not %v", again, err, pairs)
		}
	})
}

// FuzzCompareGo: a file means what it means, whatever stands on the other side, and comments and blank lines before it change nothing.
func FuzzCompareGo(f *testing.F) {
	f.Add([]byte("package x\nimport (\n\"a\"\n)\n"), []byte("package x\nimport \"a\"\n"))
	f.Add([]byte("import"), []byte("import ("))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if compareGo(a, b) != compareGo(b, a) {
			t.Error("not symmetric")
		}
		if _, ok := readGo(a); !ok {
			return
		}
		if compareGo(a, a) != same {
			t.Error("not like itself")
		}
		if got := compareGo(a, slices.Concat([]byte("\n\n// comment\n\n"), a)); got != same && !bytes.HasPrefix(a, []byte("\xef\xbb\xbf")) {
			t.Errorf("likeness %d with a comment before it", got)
		}
	})
}

func TestFinder(t *testing.T) {
	at := time.Unix(1e9, 0).UTC()
	made := func(name, who, message string, parents int) *git.Commit {
		c := &git.Commit{OID: git.Hash(git.TypeBlob, []byte(name)), Message: message, Author: git.Signature{Name: who, When: at}}
		for range parents {
			c.Parents = append(c.Parents, git.MustOID(one))
		}
		return c
	}
	f := NewFinder()
	for _, c := range []*git.Commit{
		made("alone", "a", "Fix alone", 1), made("first", "b", "First", 1), made("second", "b", "Second", 1),
		made("merge", "m", "Merge", 2), made("other", "o", "Other", 1),
	} {
		f.AddMain(c)
	}
	other := git.Hash(git.TypeBlob, []byte("other")).String()
	first := git.Hash(git.TypeBlob, []byte("first")).String()
	for _, c := range []struct {
		name, fix string // no fix: not found
		commit    *git.Commit
	}{
		{"same author, time and subject", "alone", made("1", "a", "Fix alone\n\nmore", 1)},
		{"other subject, one candidate", "alone", made("2", "a", "[r] Fix alone", 1)},
		{"two candidates, one of the subject", "second", made("3", "b", "Second", 1)},
		{"two candidates, none of the subject", "", made("4", "b", "Third", 1)},
		{"a merge", "", made("5", "a", "Fix alone", 2)},
		{"nobody's", "", made("6", "c", "Fix alone", 1)},
		{"named", "other", made("7", "c", "x\n\n(cherry picked from commit "+other+")\n", 1)},
		{"two named", "", made("8", "c", "x\n\n(cherry picked from commit "+other+")\n(cherry picked from commit "+first+")\n", 1)},
		{"named in vain", "", made("9", "c", "x\n\n(cherry picked from commit "+one+")\n", 1)},
		{"seen before", "", made("1", "a", "Fix alone\n\nmore", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := f.Find("r", c.commit)
			want := Pair{}
			if c.fix != "" {
				want = Pair{Branch: "r", Backport: c.commit.OID, Parent: git.MustOID(one), Fix: git.Hash(git.TypeBlob, []byte(c.fix))}
			}
			if got != want || ok != (c.fix != "") {
				t.Errorf("%v, %v, want %v", got, ok, want)
			}
		})
	}
}

func TestSummarize(t *testing.T) {
	trial := func(repo string, class, gits Class, confidence backport.Confidence, rung string, conflicts ...backport.Conflict) Trial {
		res := backport.Result{Outcome: backport.Resolved, Confidence: confidence, Rung: "verbatim", Files: []backport.File{{Path: "a.go", Rung: rung, Conflicts: conflicts}}}
		if class == Refused {
			res.Outcome = backport.Conflicted
		}
		tr := NewTrial(repo, Pair{}, res)
		v := Verdict{Class: class}
		tr.Judgement = Judgement{Code: v, All: v}
		tr.Git = &Judgement{Code: Verdict{Class: gits}, All: Verdict{Class: gits}}
		tr.Time = 2 * time.Millisecond
		return tr
	}
	content, near := backport.Conflict{Reason: backport.ReasonContent}, backport.Conflict{Reason: backport.ReasonNear}
	got := Summarize([]Trial{
		trial("x", Landed, Landed, backport.Verbatim, "verbatim"),
		trial("x", Landed, Refused, backport.Adapted, "go"),
		trial("y", Differs, Refused, backport.Adapted, "go"),
		trial("y", Refused, Refused, backport.Review, "verbatim", content, near, near),
	})
	x := Tally{Pairs: 2, Landed: 2}
	xGit := Tally{Pairs: 2, Landed: 1, Refused: 1}
	y := Tally{Pairs: 2, Differs: 1, Refused: 1}
	yGit := Tally{Pairs: 2, Refused: 2}
	sum, sumGit := Tally{Pairs: 4, Landed: 2, Differs: 1, Refused: 1}, Tally{Pairs: 4, Landed: 1, Refused: 3}
	took := Times{2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond}
	want := Report{
		Rows: []Row{{"x", x, x, xGit, xGit}, {"y", y, y, yGit, yGit}, {"all", sum, sum, sumGit, sumGit}},
		Methods: []Part{
			{"go", Tally{Pairs: 2, Landed: 1, Differs: 1}, 1},
			{"verbatim", Tally{Pairs: 1, Landed: 1}, 0},
		},
		Confidences: []Part{
			{"adapted", Tally{Pairs: 2, Landed: 1, Differs: 1}, 1},
			{"verbatim", Tally{Pairs: 1, Landed: 1}, 0},
		},
		Moves:   []Move{{Landed, Landed, 1}, {Refused, Landed, 1}, {Refused, Differs, 1}, {Refused, Refused, 1}},
		Reasons: []Count{{"content", 1, 1}, {"near", 0, 1}},
		Times:   took,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
