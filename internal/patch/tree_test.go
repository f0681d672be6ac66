package patch_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/patch"
)

// write makes a tree of files by path.
func write(t *testing.T, store git.Store, files map[string]string) git.OID {
	t.Helper()
	here := map[string]string{}
	below := map[string]map[string]string{}
	for p, content := range files {
		dir, rest, ok := strings.Cut(p, "/")
		if !ok {
			here[p] = content
			continue
		}
		if below[dir] == nil {
			below[dir] = map[string]string{}
		}
		below[dir][rest] = content
	}
	var entries []git.TreeEntry
	for name, content := range here {
		id, err := store.WriteBlob(t.Context(), []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, git.TreeEntry{Name: name, Mode: git.ModeFile, OID: id})
	}
	for name, inner := range below {
		entries = append(entries, git.TreeEntry{Name: name, Mode: git.ModeTree, OID: write(t, store, inner)})
	}
	id, err := store.WriteTree(t.Context(), entries)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func show(changes []patch.Change) []string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		status := "M"
		switch {
		case !c.Old.Exists():
			status = "A"
		case !c.New.Exists():
			status = "D"
		}
		out = append(out, status+" "+c.Path)
	}
	return out
}

func TestDiffTrees(t *testing.T) {
	tests := []struct {
		name           string
		a, b           map[string]string
		want           []string
		removed, added []string
	}{
		{name: "equal", a: map[string]string{"a": "1"}, b: map[string]string{"a": "1"}},
		{name: "one of each", a: map[string]string{"a": "1", "b": "1"}, b: map[string]string{"b": "2", "c": "1"}, want: []string{"D a", "M b", "A c"}},
		{
			name: "directories", a: map[string]string{"d/e/f": "1", "x": "1"}, b: map[string]string{"d/g": "1", "x": "1", "n/m/o": "1"},
			want: []string{"D d/e/f", "A d/g", "A n/m/o"}, removed: []string{"d/e"}, added: []string{"n", "n/m"},
		},
		{
			name: "a file becomes a directory", a: map[string]string{"a": "1", "a-b": "1"}, b: map[string]string{"a/x": "1", "a-b": "1"},
			want: []string{"D a", "A a/x"}, added: []string{"a"},
		},
		{
			name: "a directory becomes a file", a: map[string]string{"a/x": "1", "a.b": "1", "a0": "1"}, b: map[string]string{"a": "1", "a.b": "1", "a0": "2"},
			want: []string{"A a", "D a/x", "M a0"}, removed: []string{"a"},
		},
		{name: "all", b: map[string]string{"a/b": "1", "c": "1"}, want: []string{"A a/b", "A c"}, added: []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			diff, err := patch.DiffTrees(t.Context(), store, write(t, store, tt.a), write(t, store, tt.b))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, show(diff.Changes), cmp.Transformer("empty", func(s []string) []string { return append([]string{}, s...) })); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			for _, set := range []struct {
				what string
				want []string
				got  map[string]bool
			}{{"removed", tt.removed, diff.Removed}, {"added", tt.added, diff.Added}} {
				want := map[string]bool{}
				for _, dir := range set.want {
					want[dir] = true
				}
				if d := cmp.Diff(want, set.got); d != "" {
					t.Errorf("%s directories (-want +got):\n%s", set.what, d)
				}
			}
		})
	}
}

func TestDiffTreesRefuses(t *testing.T) {
	store := gittest.NewMemory()
	a := write(t, store, map[string]string{"d/a": "1"})
	b := write(t, store, map[string]string{"d/a": "2"})
	store.Forget(write(t, store, map[string]string{"a": "2"}))
	var absent *git.AbsentError
	if _, err := patch.DiffTrees(t.Context(), store, a, b); !errors.As(err, &absent) || absent.Type != git.TypeTree {
		t.Errorf("an absent tree: %v", err)
	}
	deep := map[string]string{strings.Repeat("d/", 300) + "f": "1"}
	if _, err := patch.DiffTrees(t.Context(), store, git.OID{}, write(t, store, deep)); !errs.Is(err, errs.Invalid) {
		t.Errorf("a deep tree: %v", err)
	}
}

// fixed is a store whose one tree is made by hand.
type fixed struct {
	*gittest.Memory

	entries []git.TreeEntry
}

func (f fixed) Tree(context.Context, git.OID) ([]git.TreeEntry, error) { return f.entries, nil }

func TestReadTree(t *testing.T) {
	entry := func(name string, mode git.Mode) git.TreeEntry { return git.TreeEntry{Name: name, Mode: mode} }
	tests := []struct {
		name    string
		entries []git.TreeEntry
		want    []git.TreeEntry // nil: refused
	}{
		{"old modes", []git.TreeEntry{entry("a", 0o100664), entry("b", 0o100775), entry("c", 0o40755)}, []git.TreeEntry{entry("a", git.ModeFile), entry("b", git.ModeExecutable), entry("c", git.ModeTree)}},
		{"a directory sorts behind its slash", []git.TreeEntry{entry("a-b", git.ModeFile), entry("a", git.ModeTree), entry("a0", git.ModeFile)}, []git.TreeEntry{entry("a-b", git.ModeFile), entry("a", git.ModeTree), entry("a0", git.ModeFile)}},
		{"not in order", []git.TreeEntry{entry("b", git.ModeFile), entry("a", git.ModeFile)}, nil},
		{"a name twice", []git.TreeEntry{entry("a", git.ModeFile), entry("a", git.ModeFile)}, nil},
		{"a file and a directory of one name", []git.TreeEntry{entry("a", git.ModeFile), entry("a-b", git.ModeFile), entry("a", git.ModeTree)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := patch.ReadTree(t.Context(), fixed{gittest.NewMemory(), tt.entries}, git.OID{1})
			if (err != nil) != (tt.want == nil) || err != nil && !errs.Is(err, errs.Invalid) {
				t.Fatalf("error %v", err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("entries (-want +got):\n%s", d)
			}
		})
	}
}

func lines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "this is line %d\n", i)
	}
	return b.String()
}

func TestRenames(t *testing.T) {
	tests := []struct {
		name     string
		a, b     map[string]string
		relevant []string // nil: all
		want     []string
		moves    []string
	}{
		{name: "identical", a: map[string]string{"a": lines(0, 9)}, b: map[string]string{"b": lines(0, 9)}, want: []string{"a b 100"}},
		{
			name: "identical, of equal base name first", a: map[string]string{"x/a": "1\n", "x/b": "1\n"}, b: map[string]string{"y/b": "1\n", "y/a": "1\n"},
			want: []string{"x/a y/a 100", "x/b y/b 100"}, moves: []string{"x y 2"},
		},
		{name: "similar", a: map[string]string{"a": lines(0, 20)}, b: map[string]string{"b": lines(4, 20)}, want: []string{"a b 80"}, moves: nil},
		{name: "not similar enough", a: map[string]string{"a": lines(0, 20)}, b: map[string]string{"b": lines(14, 34)}},
		{name: "empty files are not renamed", a: map[string]string{"a": ""}, b: map[string]string{"b": ""}},
		{name: "CR LF hides nothing", a: map[string]string{"a": lines(0, 20)}, b: map[string]string{"b": strings.ReplaceAll(lines(0, 20), "\n", "\r\n")}, want: []string{"a b 93"}},
		{
			name: "the best of several", a: map[string]string{"a": lines(0, 20)}, b: map[string]string{"b": lines(6, 20), "c": lines(2, 20)},
			want: []string{"a c 90"},
		},
		{
			name: "a unique base name is enough from 75 %", a: map[string]string{"x/a": lines(0, 20), "x/z": lines(50, 52)},
			b: map[string]string{"y/a": lines(4, 20), "y/c": lines(0, 19)}, want: []string{"x/a y/a 80"}, moves: []string{"x y 1"},
		},
		{
			name: "what does not matter is only paired when identical", relevant: []string{"a"},
			a: map[string]string{"a": lines(0, 20), "b": lines(100, 120), "c": lines(200, 220)}, b: map[string]string{"d/a1": lines(1, 20), "d/b1": lines(101, 120), "d/c1": lines(200, 220)},
			want: []string{"a d/a1 95", "c d/c1 100"},
		},
		{
			name: "directories above move too", a: map[string]string{"a/b/c/f": "1\n", "a/b/c/g": "2\n"}, b: map[string]string{"d/b/c/f": "1\n", "d/b/c/g": "2\n"},
			want: []string{"a/b/c/f d/b/c/f 100", "a/b/c/g d/b/c/g 100"}, moves: []string{"a d 2", "a/b d/b 2", "a/b/c d/b/c 2"},
		},
		{
			name: "to two places", a: map[string]string{"a/f": "1\n", "a/g": "2\n"}, b: map[string]string{"x/f": "1\n", "y/g": "2\n"},
			want: []string{"a/f x/f 100", "a/g y/g 100"}, moves: []string{"a x 1 or y"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			diff, err := patch.DiffTrees(t.Context(), store, write(t, store, tt.a), write(t, store, tt.b))
			if err != nil {
				t.Fatal(err)
			}
			var relevant func(string) bool
			if tt.relevant != nil {
				relevant = func(p string) bool { return slices.Contains(tt.relevant, p) }
			}
			found, err := patch.NewDetector(store).Renames(t.Context(), diff, relevant)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range found.Renames {
				got = append(got, fmt.Sprintf("%s %s %d", r.From, r.To, r.Percent))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("renames (-want +got):\n%s", d)
			}
			var moves []string
			for _, m := range patch.Moves(diff, found.Renames) {
				text := fmt.Sprintf("%s %s %d", m.From, m.To, m.Files)
				if len(m.Split) > 0 {
					text += " or " + strings.Join(m.Split, " ")
				}
				moves = append(moves, text)
			}
			slices.Sort(moves)
			if d := cmp.Diff(tt.moves, moves); d != "" {
				t.Errorf("moves (-want +got):\n%s", d)
			}
		})
	}
}

func TestRenamesSkipsWhatIsAbsent(t *testing.T) {
	store := gittest.NewMemory()
	diff, err := patch.DiffTrees(t.Context(), store, write(t, store, map[string]string{"a": lines(0, 20), "b": lines(50, 70)}),
		write(t, store, map[string]string{"x": lines(1, 20), "y": lines(51, 70)}))
	if err != nil {
		t.Fatal(err)
	}
	store.Forget(git.Hash(git.TypeBlob, []byte(lines(1, 20))))
	found, err := patch.NewDetector(store).Renames(t.Context(), diff, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Renames) != 1 || found.Renames[0].To != "y" || len(found.Skipped) != 1 || found.Skipped[0].Path != "x" {
		t.Errorf("%+v", found)
	}
}

func TestPlace(t *testing.T) {
	moves := map[string]patch.Move{"a": {From: "a", To: "x"}, "a/b": {From: "a/b", To: "y/z"}, "c": {From: "c", To: "."}}
	for file, want := range map[string]string{"a/f": "x/f", "a/b/f": "y/z/f", "a/b/c/f": "y/z/c/f", "c/f": "f", "d/f": "", "f": ""} {
		if got, _, ok := patch.Place(moves, file); got != want || ok != (want != "") {
			t.Errorf("Place(%q) = %q, %v, want %q", file, got, ok, want)
		}
	}
}

// FuzzDiffTrees checks that a diff is what it takes to make one tree of the other, that its opposite is its mirror image, and that a
// rename pairs a deletion with an addition, each once.
func FuzzDiffTrees(f *testing.F) {
	f.Add("a/b/c=1,a/d=2,e=3", "a/b/c=1,a/d=3,f/g=2")
	f.Add("a=1,b=2", "b=1,a=2")
	f.Add("x/a=1,x/b=1,x/c=2", "y/a=1,y/b=1,y/c=2")
	parse := func(s string) map[string]string {
		files := map[string]string{}
		for part := range strings.SplitSeq(s, ",") {
			p, content, _ := strings.Cut(part, "=")
			if git.ValidPath(p) && strings.Count(p, "/") < 20 {
				files[p] = content
			}
		}
		for p := range files { // a file cannot be a directory too
			for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
				delete(files, dir)
			}
		}
		return files
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		store := gittest.NewMemory()
		x, y := parse(a), parse(b)
		one, other := write(t, store, x), write(t, store, y)
		diff, err := patch.DiffTrees(t.Context(), store, one, other)
		if err != nil {
			t.Fatal(err)
		}
		back, err := patch.DiffTrees(t.Context(), store, other, one)
		if err != nil || len(back.Changes) != len(diff.Changes) {
			t.Fatalf("%d changes, %d back: %v", len(diff.Changes), len(back.Changes), err)
		}
		for i, c := range diff.Changes {
			if m := back.Changes[i]; m.Path != c.Path || m.Old != c.New || m.New != c.Old {
				t.Errorf("%+v is not the mirror image of %+v", m, c)
			}
			delete(x, c.Path)
			if c.New.Exists() {
				x[c.Path] = y[c.Path]
			}
		}
		if d := cmp.Diff(y, x); d != "" {
			t.Errorf("the changes do not make one tree of the other:\n%s", d)
		}
		found, err := patch.NewDetector(store).Renames(t.Context(), diff, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, r := range found.Renames {
			if seen["-"+r.From] || seen["+"+r.To] || !r.Old.Exists() || !r.New.Exists() {
				t.Errorf("a file is renamed twice or is not there: %+v", r)
			}
			seen["-"+r.From], seen["+"+r.To] = true, true
		}
	})
}
