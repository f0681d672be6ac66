package equiv_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

func all(t *equiv.Table, tips []git.OID) []equiv.Commit {
	var list []equiv.Commit
	t.Reach(tips, nil, func(c *equiv.Commit) { list = append(list, *c) })
	return list
}

func TestEncode(t *testing.T) {
	h := newHistory(t)
	table, changed := h.build(equiv.NewTable(upstream), equiv.Options{})
	if !changed || table.Len() < 5 {
		t.Fatalf("built %d commits, changed %v", table.Len(), changed)
	}
	data := table.Encode("/here")
	again, err := equiv.Decode(data, "/here", upstream)
	if err != nil {
		t.Fatal(err)
	}
	tips := equiv.RefTips(h.repo.Refs())
	if diff := cmp.Diff(all(table, tips), all(again, tips)); diff != "" {
		t.Errorf("read back, it differs:\n%s", diff)
	}
	if !bytes.Equal(again.Encode("/here"), data) {
		t.Error("written again, it differs")
	}
	for _, other := range [][2]string{{"/here", "another/repository"}, {"/there", upstream}} {
		if _, err := equiv.Decode(data, other[0], other[1]); !errs.Is(err, errs.Invalid) {
			t.Errorf("for %q: %v", other, err)
		}
	}
	if place, err := equiv.Place(data[:100]); place != "/here" || err != nil {
		t.Errorf("it is of %q, %v", place, err)
	}
	for at := range data {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x10
		if _, err := equiv.Decode(damaged, "/here", upstream); !errs.Is(err, errs.Invalid) {
			t.Fatalf("byte %d damaged: %v", at, err)
		}
		if _, err := equiv.Decode(data[:at], "/here", upstream); !errs.Is(err, errs.Invalid) {
			t.Fatalf("cut off at byte %d: %v", at, err)
		}
	}
}

// headSize is the size of what stands before the checksum: a line, and the version.
const headSize = len("kubelts equivalence index\n") + 4

// sealed is a file with a body of anybody's making, and a checksum that is right: otherwise the checksum alone would be tried.
func sealed(head, body []byte) []byte {
	sum := sha256.Sum256(body)
	return slices.Concat(head[:headSize], sum[:], body)
}

func FuzzDecode(f *testing.F) {
	whole := rich().Encode("/here")
	empty := equiv.NewTable(upstream).Encode("/here")
	f.Add(empty[headSize+sha256.Size:])
	body := whole[headSize+sha256.Size:]
	f.Add(body)
	for at := 0; at < len(body); at += 7 {
		f.Add(append(bytes.Clone(body[:at]), bytes.Repeat([]byte{0xff}, 9)...))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		data := sealed(whole, body)
		if _, err := equiv.Place(data); err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("its place: %v", err)
		}
		table, err := equiv.Decode(data, "/here", upstream)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		written := table.Encode("/here")
		again, err := equiv.Decode(written, "/here", upstream)
		if err != nil || again.Len() != table.Len() || again.Unread() != table.Unread() {
			t.Fatalf("what was read cannot be written and read: %v", err)
		}
		if !bytes.Equal(again.Encode("/here"), written) {
			t.Error("written again, it differs")
		}
	})
}

// rich is a table with something in every field.
func rich() *equiv.Table {
	s := scripted{}
	messages := []string{
		"Start", "Fix it (#12)\n\nKubernetes-commit: " + strings.Repeat("ab", 20),
		"Revert \"Fix it\"\n\nThis reverts commit 1234567.\nReverts x/y#12\n", "Take\n\nCherry pick of #3 on release-1.0.\n(cherry picked from commit 7654321)",
	}
	for i, m := range messages {
		c := &git.Commit{OID: git.OID{byte(i + 1)}, Message: m, Author: git.Signature{Name: "Ada", When: time.Unix(1e9, 0)}}
		if i > 0 {
			c.Parents = []git.OID{{byte(i)}}
		}
		s.commits = slices.Insert(s.commits, 0, c)
	}
	table, _, err := equiv.Build(context.Background(), s, equiv.NewTable(upstream), []git.OID{{byte(len(messages))}}, equiv.Options{})
	if err != nil {
		panic(err)
	}
	return table
}

// scripted is a source of commits without a repository; that of the second cannot be read.
type scripted struct{ commits []*git.Commit }

func (s scripted) Commits(_ context.Context, _, _ []git.OID, visit func(*git.Commit) error) error {
	for _, c := range s.commits {
		if err := visit(c); err != nil {
			return err
		}
	}
	return nil
}

func (s scripted) Paths(_ context.Context, commits []git.OID, visit func(git.OID, []string) error) error {
	for _, c := range commits {
		if err := visit(c, []string{"a.go", "b.go"}); err != nil {
			return err
		}
	}
	return nil
}

func (s scripted) Patches(_ context.Context, commits []git.OID, visit func(git.OID, []byte) error) error {
	for _, c := range commits {
		if c[0] == 2 {
			return errs.New(errs.Unavailable, "a blob is absent")
		}
		diff := fmt.Sprintf("diff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@\n-old\n+new %d\n", c[0])
		if err := visit(c, []byte(diff)); err != nil {
			return err
		}
	}
	return nil
}
