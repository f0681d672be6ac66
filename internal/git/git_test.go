package git_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

func TestOID(t *testing.T) {
	id := git.MustOID("0c6e466024e6f2d4b1c4b1a3f1b9d0e1f2a3b4c5")
	b, err := json.Marshal(struct {
		A git.OID `json:"a"`
		B git.OID `json:"b,omitzero"`
	}{A: id})
	if err != nil || string(b) != `{"a":"0c6e466024e6f2d4b1c4b1a3f1b9d0e1f2a3b4c5"}` {
		t.Errorf("JSON %s, %v", b, err)
	}
	for _, s := range []string{"", "0c6e46602", strings.Repeat("g", 40), strings.Repeat("0", 41)} {
		if _, err := git.ParseOID(s); !errs.Is(err, errs.Invalid) {
			t.Errorf("ParseOID(%q): %v, want kind invalid", s, err)
		}
	}
}

func TestObjectNamesAgreeWithGit(t *testing.T) {
	r := gittest.New(t)
	r.Write("a.go", "package a\n")
	r.Write("a/b", "b\n")
	r.Write("a.b/c", "c\n")
	commit := r.Commit("Subject\n\nBody.\n")
	if got, want := git.Hash(git.TypeBlob, []byte("package a\n")), r.Rev("HEAD:a.go"); got != want {
		t.Errorf("blob %s, git says %s", got, want)
	}
	raw := []byte(r.Git("cat-file", "commit", commit.String()) + "\n")
	c, err := git.ParseCommit(commit, raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := git.Hash(git.TypeCommit, git.EncodeCommit(c)); got != commit {
		t.Errorf("commit %s, git says %s: %s", got, commit, git.EncodeCommit(c))
	}
	entries := []git.TreeEntry{
		{Name: "a", Mode: git.ModeTree, OID: r.Rev("HEAD:a")},
		{Name: "a.b", Mode: git.ModeTree, OID: r.Rev("HEAD:a.b")},
		{Name: "a.go", Mode: git.ModeFile, OID: r.Rev("HEAD:a.go")},
	}
	if got := git.Hash(git.TypeTree, git.EncodeTree(entries)); got != c.Tree {
		t.Errorf("tree %s, git says %s", got, c.Tree)
	}
}

func TestTrailers(t *testing.T) {
	tests := []struct {
		name, message string
		want          []git.Trailer
	}{
		{"staging", "Fix\n\nBody: not one\nof them.\n\nKubernetes-commit: abc\n\n", []git.Trailer{{Key: "Kubernetes-commit", Value: "abc"}}},
		{"two and a pick note", "Fix\n\nSigned-off-by: A <a@b>\n(cherry picked from commit 123)\nFixes-CVE: CVE-1\n", []git.Trailer{
			{Key: "Signed-off-by", Value: "A <a@b>"}, {Key: "Fixes-CVE", Value: "CVE-1"},
		}},
		{"continued", "Fix\n\nNote: one\n two\n", []git.Trailer{{Key: "Note", Value: "one two"}}},
		{"prose", "Fix\n\nSee: this and\nthat\n", nil},
		{"subject only", "area: fix it", nil},
		{"empty", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, git.Trailers(tt.message)); diff != "" {
				t.Errorf("trailers (-want +got):\n%s", diff)
			}
		})
	}
	if got := git.TrailerValue("x\n\nA: 1\na: 2\n", "A"); got != "2" {
		t.Errorf("last value %q, want 2", got)
	}
}

func TestGraph(t *testing.T) {
	id := func(n byte) git.OID { return git.OID{n} }
	g := git.NewGraph()
	g.Add(id(1))
	g.Add(id(2), id(1))
	g.Add(id(3), id(1))
	g.Add(id(4), id(2), id(3))
	g.Add(id(5), id(9)) // its parent is outside
	tests := []struct {
		ancestor, commit byte
		want             bool
	}{{1, 4, true}, {3, 4, true}, {4, 4, true}, {4, 1, false}, {2, 3, false}, {1, 5, false}, {9, 5, false}, {7, 7, false}}
	for _, tt := range tests {
		if got := g.IsAncestor(id(tt.ancestor), id(tt.commit)); got != tt.want {
			t.Errorf("%d is an ancestor of %d: %v, want %v", tt.ancestor, tt.commit, got, tt.want)
		}
	}
	if got := len(g.Ancestors(id(4))); got != 4 {
		t.Errorf("%d ancestors, want 4", got)
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x0001234567890123456789"))
	f.Add([]byte("40000 a\x000123456789012345678940000 .git\x0001234567890123456789"))
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, err := git.ParseTree(content)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !git.ValidName(e.Name) || strings.EqualFold(e.Name, ".git") {
				t.Errorf("name %q passed", e.Name)
			}
		}
		again, err := git.ParseTree(git.EncodeTree(entries))
		if err != nil || len(again) != len(entries) {
			t.Errorf("a tree of %d entries came back with %d: %v", len(entries), len(again), err)
		}
	})
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree 0123456789012345678901234567890123456789\nparent 0123456789012345678901234567890123456789\nauthor A <a@b> 1 +0100\ncommitter B <b@c> 2 -0330\n\nSubject\n"))
	f.Add([]byte("tree 0123456789012345678901234567890123456789\nauthor <\n\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := git.ParseCommit(git.OID{}, content)
		if err != nil {
			return
		}
		c.Subject()
		git.Trailers(c.Message)
		encoded := git.EncodeCommit(c)
		again, err := git.ParseCommit(git.OID{}, encoded)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, encoded)
		}
		if second := git.EncodeCommit(again); !bytes.Equal(encoded, second) {
			t.Errorf("written twice, it differs:\n%q\n%q", encoded, second)
		}
	})
}
