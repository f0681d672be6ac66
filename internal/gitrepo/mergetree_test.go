package gitrepo_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
)

func TestMergeTree(t *testing.T) {
	r := gittest.New(t)
	r.Write("a", "1\n2\n3\n4\n5\n6\n7\n")
	base := r.Commit("base")
	r.Branch("release", "main")
	r.Write("a", "one\n2\n3\n4\n5\n6\n7\n")
	target := r.Commit("target")
	r.Checkout("main")
	r.Write("a", "1\n2\n3\n4\n5\n6\nseven\n")
	end := r.Commit("end")
	r.Write("a", "eins\n2\n3\n4\n5\n6\n7\n")
	r.Write("\xc3\xa4 b", "new\n")
	start := r.Commit("start")
	repo := open(t, r.Dir)
	store, err := gitrepo.OpenStore(t.Context(), runner(), filepath.Join(t.TempDir(), "store.git"), repo)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	tree := func(id git.OID) git.OID {
		c, err := store.Commit(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return c.Tree
	}
	for _, c := range []struct {
		name       string
		theirs     git.OID
		conflicted []string
		a          string
	}{
		{"clean", end, nil, "one\n2\n3\n4\n5\n6\nseven\n"},
		{"conflict", start, []string{"a"}, ""},
		{"nothing", base, nil, "one\n2\n3\n4\n5\n6\n7\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, conflicted, err := store.MergeTree(t.Context(), tree(base), tree(target), tree(c.theirs))
			if err != nil || !slices.Equal(conflicted, c.conflicted) {
				t.Fatalf("conflicts %q, %v, want %q", conflicted, err, c.conflicted)
			}
			entries, err := store.Tree(t.Context(), got)
			if err != nil {
				t.Fatal(err)
			}
			content, err := store.Blob(t.Context(), entries[0].OID)
			if err != nil || c.a != "" && string(content) != c.a {
				t.Errorf("merged to %q, %v, want %q", content, err, c.a)
			}
		})
	}
	if _, _, err := store.MergeTree(t.Context(), git.MustOID("1234567890123456789012345678901234567890"), tree(target), tree(end)); err == nil {
		t.Error("merged with a base that is not there")
	}
}
