package gitrepo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

func TestPathHistory(t *testing.T) {
	r := gittest.New(t)
	commit := func(name, content string) git.OID {
		r.Write(name, content)
		return r.Commit(content)
	}
	const odd = ":(glob)*" // a path, not what git would read into it
	base := commit("a", "1\n")
	left := commit(odd, "1\n")
	r.Branch("release", "HEAD")
	r.Checkout("main")
	second := commit("a", "2\n")
	commit("b", "1\n")
	third := commit("a", "3\n")
	repo := open(t, r.Dir)
	touch := func(c git.OID, parents ...git.OID) backport.Touch {
		return backport.Touch{Commit: c, Parents: append([]git.OID{}, parents...)}
	}
	tests := []struct {
		name    string
		without git.OID
		paths   []string
		limit   int
		want    []backport.Touch
	}{
		{"those that touch the path", left, []string{"a"}, 10, []backport.Touch{touch(third, second), touch(second, left)}},
		{"all", git.OID{}, []string{"a"}, 10, []backport.Touch{touch(third, second), touch(second, base), touch(base)}},
		{"the newest", left, []string{"a"}, 1, []backport.Touch{touch(third, second)}},
		{"a path as it is written", base, []string{odd}, 10, []backport.Touch{touch(left, base)}},
		{"a path like an option", left, []string{"--all"}, 10, nil},
		{"no path", left, nil, 10, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := repo.PathHistory(t.Context(), third, tt.without, tt.paths, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPathHistoryOfAShallowClone(t *testing.T) {
	r := gittest.New(t)
	for _, content := range []string{"1\n", "2\n", "3\n"} {
		r.Write("a", content)
		r.Commit(content)
	}
	dir := t.TempDir()
	r.Git("clone", "-q", "--depth=1", "file://"+r.Dir, dir+"/clone")
	if _, err := open(t, dir+"/clone").PathHistory(t.Context(), r.Rev("main"), git.OID{}, []string{"a"}, 10); !errs.Is(err, errs.Unavailable) {
		t.Errorf("error %v, want one of kind unavailable", err)
	}
}
