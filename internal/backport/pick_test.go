package backport_test

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
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

func text(lines ...string) file { return file{git.ModeFile, strings.Join(lines, "\n") + "\n"} }

var ten = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} //nolint:gochecknoglobals // a constant list

// with is ten lines, some replaced: with("2=two").
func with(changes ...string) file {
	lines := slices.Clone(ten)
	for _, c := range changes {
		old, replacement, _ := strings.Cut(c, "=")
		lines[slices.Index(ten, old)] = replacement
	}
	return text(lines...)
}

// read is the opposite of write.
func read(t *testing.T, store git.Store, id git.OID, prefix string) tree {
	t.Helper()
	entries, err := store.Tree(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{}
	for _, e := range entries {
		if e.Mode.IsTree() {
			maps.Copy(tr, read(t, store, e.OID, prefix+e.Name+"/"))
			continue
		}
		content, err := store.Blob(t.Context(), e.OID)
		if err != nil && e.Mode != git.ModeSubmodule {
			t.Fatal(err)
		}
		tr[prefix+e.Name] = file{e.Mode, string(content)}
	}
	return tr
}

// contents are the contents of a tree by path.
func contents(tr tree) map[string]string {
	out := map[string]string{}
	for p, f := range tr {
		out[p] = f.content
	}
	return out
}

// reasons are the conflicts of a result, by path.
func reasons(res backport.Result) map[string][]backport.Reason {
	out := map[string][]backport.Reason{}
	for _, f := range res.Files {
		for _, c := range f.Conflicts {
			out[f.Path] = append(out[f.Path], c.Reason)
		}
	}
	return out
}

func TestVerbatim(t *testing.T) {
	link := func(to string) file { return file{git.ModeSymlink, to} }
	exec := func(f file) file { return file{git.ModeExecutable, f.content} }
	type conflicts = map[string][]backport.Reason
	tests := []struct {
		name             string
		base, fix, onto  tree
		outcome          backport.Outcome
		want             tree // nil: do not look
		conflicts        conflicts
		from             map[string]string
		wantConfidence   backport.Confidence
		wantRungOfTheTop string
	}{
		{
			name: "changes apart", base: tree{"a": with()}, fix: tree{"a": with("9=nine")}, onto: tree{"a": with("1=one"), "b": text("b")},
			outcome: backport.Clean, want: tree{"a": with("1=one", "9=nine"), "b": text("b")}, wantConfidence: backport.Verbatim,
		},
		{
			name: "there already", base: tree{"a": with()}, fix: tree{"a": with("9=nine")}, onto: tree{"a": with("9=nine"), "b": text("b")},
			outcome: backport.Empty, want: tree{"a": with("9=nine"), "b": text("b")},
		},
		{
			name: "the same lines", base: tree{"a": text("1")}, fix: tree{"a": text("2")}, onto: tree{"a": text("3")},
			outcome: backport.Conflicted, conflicts: conflicts{"a": {backport.ReasonContent}}, wantConfidence: backport.Review,
		},
		{
			name: "a file that the target renamed", base: tree{"a": with()}, fix: tree{"a": with("9=nine")}, onto: tree{"d/b": with("1=one")},
			outcome: backport.Clean, want: tree{"d/b": with("1=one", "9=nine")}, from: map[string]string{"d/b": "a"},
		},
		{
			name: "a file that the fix renames", base: tree{"a": with()}, fix: tree{"d/b": with("9=nine")}, onto: tree{"a": with("1=one")},
			outcome: backport.Clean, want: tree{"d/b": with("1=one", "9=nine")}, from: map[string]string{"d/b": "a"},
		},
		{
			name: "both rename alike", base: tree{"a": with()}, fix: tree{"b": with("9=nine")}, onto: tree{"b": with("1=one")},
			outcome: backport.Clean, want: tree{"b": with("1=one", "9=nine")},
		},
		{
			name: "both rename differently", base: tree{"a": with()}, fix: tree{"b": with("9=nine")}, onto: tree{"c": with("1=one")},
			outcome: backport.Conflicted, want: tree{"c": with("1=one", "9=nine")}, conflicts: conflicts{"c": {backport.ReasonRenameRename}},
		},
		{
			name: "the fix deletes what the target renamed", base: tree{"a": with(), "z": text("z")}, fix: tree{"z": text("z")},
			onto: tree{"b": with(), "z": text("z")}, outcome: backport.Conflicted, want: tree{"b": with(), "z": text("z")},
			conflicts: conflicts{"b": {backport.ReasonRenameDelete}},
		},
		{
			name: "the target deleted what the fix changes", base: tree{"a": with(), "z": text("z")}, fix: tree{"a": with("1=one"), "z": text("z")},
			onto: tree{"z": text("z")}, outcome: backport.Conflicted, want: tree{"a": with("1=one"), "z": text("z")},
			conflicts: conflicts{"a": {backport.ReasonDeletedInTarget}},
		},
		{
			name: "the fix deletes what the target changed", base: tree{"a": with(), "z": text("z")}, fix: tree{"z": text("z")},
			onto: tree{"a": with("1=one"), "z": text("z")}, outcome: backport.Conflicted, want: tree{"a": with("1=one"), "z": text("z")},
			conflicts: conflicts{"a": {backport.ReasonDeletedByFix}},
		},
		{
			name: "both delete", base: tree{"a": with(), "z": text("z")}, fix: tree{"z": text("z")}, onto: tree{"z": text("z"), "y": text("y")},
			outcome: backport.Empty,
		},
		{
			name: "both add", base: tree{}, fix: tree{"a": text("1")}, onto: tree{"a": text("2")},
			outcome: backport.Conflicted, conflicts: conflicts{"a": {backport.ReasonAdded}},
		},
		{
			name: "a mode and a content", base: tree{"a": with()}, fix: tree{"a": exec(with())}, onto: tree{"a": with("1=one")},
			outcome: backport.Clean, want: tree{"a": exec(with("1=one"))},
		},
		{
			name: "a link changed by both", base: tree{"a": link("x")}, fix: tree{"a": link("y")}, onto: tree{"a": link("z")},
			outcome: backport.Conflicted, want: tree{"a": link("z")}, conflicts: conflicts{"a": {backport.ReasonSymlink}},
		},
		{
			name: "a file against a link", base: tree{"a": text("x")}, fix: tree{"a": text("y")}, onto: tree{"a": link("z")},
			outcome: backport.Conflicted, want: tree{"a": link("z")}, conflicts: conflicts{"a": {backport.ReasonType}},
		},
		{
			name: "a binary changed by both", base: tree{"a": text("\x00")}, fix: tree{"a": text("\x001")}, onto: tree{"a": text("\x002")},
			outcome: backport.Conflicted, want: tree{"a": text("\x002")}, conflicts: conflicts{"a": {backport.ReasonBinary}},
		},
		{
			name: "a file where the target has a directory", base: tree{"z": text("z")}, fix: tree{"z": text("z"), "a": text("a")},
			onto: tree{"z": text("z"), "a/b": text("b")}, outcome: backport.Conflicted, want: tree{"z": text("z"), "a/b": text("b")},
			conflicts: conflicts{"a": {backport.ReasonFileDirectory}},
		},
		{
			name: "a directory where the target has a file", base: tree{"z": text("z")}, fix: tree{"z": text("z"), "a/b": text("b")},
			onto: tree{"z": text("z"), "a": text("a")}, outcome: backport.Conflicted, want: tree{"z": text("z"), "a": text("a")},
			conflicts: conflicts{"a/b": {backport.ReasonFileDirectory}},
		},
		{
			name: "the fix makes a directory of a file", base: tree{"a": text("a")}, fix: tree{"a/b": text("b")}, onto: tree{"a": text("a"), "z": text("z")},
			outcome: backport.Clean, want: tree{"a/b": text("b"), "z": text("z")},
		},
		{
			name: "a new file in a directory that the target moved",
			base: tree{"old/a": with(), "old/b": with("1=b")}, fix: tree{"old/a": with(), "old/b": with("1=b"), "old/c": text("c")},
			onto: tree{"new/a": with(), "new/b": with("1=b")}, outcome: backport.Resolved, wantConfidence: backport.Review,
			want: tree{"new/a": with(), "new/b": with("1=b"), "new/c": text("c")}, from: map[string]string{"new/c": "old/c"},
		},
		{
			name: "a new file in a directory that went to two places",
			base: tree{"old/a": with(), "old/b": with("1=b")}, fix: tree{"old/a": with(), "old/b": with("1=b"), "old/c": text("c")},
			onto: tree{"x/a": with(), "y/b": with("1=b")}, outcome: backport.Conflicted,
			conflicts: conflicts{"old/c": {backport.ReasonDirectorySplit}},
		},
		{
			name: "the fix moves a directory in which the target has a file of its own",
			base: tree{"old/a": with(), "old/b": with("1=b")}, fix: tree{"new/a": with(), "new/b": with("1=b")},
			onto: tree{"old/a": with(), "old/b": with("1=b"), "old/c": text("c")}, outcome: backport.Conflicted,
			want:      tree{"new/a": with(), "new/b": with("1=b"), "old/c": text("c")},
			conflicts: conflicts{"old/c": {backport.ReasonDirectoryMoved}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			b := commit(t, store, tt.base.write(t, store), 0)
			fix := commit(t, store, tt.fix.write(t, store), 1, b)
			onto := commit(t, store, tt.onto.write(t, store), 2, b)
			res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{ID: "x", Commit: fix, Onto: onto})
			if res.Outcome != tt.outcome {
				t.Fatalf("outcome %s, want %s: %+v", res.Outcome, tt.outcome, res)
			}
			if tt.wantConfidence != "" && res.Confidence != tt.wantConfidence {
				t.Errorf("confidence %s, want %s", res.Confidence, tt.wantConfidence)
			}
			if tt.want != nil {
				got := read(t, store, res.Tree, "")
				if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(file{})); diff != "" {
					t.Errorf("tree (-want +got):\n%s", diff)
				}
			}
			want := tt.conflicts
			if want == nil {
				want = conflicts{}
			}
			if diff := cmp.Diff(want, reasons(res)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			for _, f := range res.Files {
				if want, ok := tt.from[f.Path]; ok && f.From != want {
					t.Errorf("%s is from %q, want %q", f.Path, f.From, want)
				}
			}
		})
	}
}

func TestConflictIsLaidOut(t *testing.T) {
	store := gittest.NewMemory()
	b := commit(t, store, tree{"a": text("1", "old", "3")}.write(t, store), 0)
	fix := commit(t, store, tree{"a": text("1", "fixed", "3")}.write(t, store), 1, b)
	onto := commit(t, store, tree{"a": text("1", "other", "3")}.write(t, store), 2, b)
	res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{ID: "x", Commit: fix, Onto: onto})
	want := "1\n<<<<<<< onto " + onto.Short() + "\nother\n||||||| parent of " + fix.Short() + "\nold\n=======\nfixed\n>>>>>>> " + fix.Short() + " commit 1\n3\n"
	if diff := cmp.Diff(map[string]string{"a": want}, contents(read(t, store, res.Tree, ""))); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	out, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	wantJSON := `{"id":"x","commit":"` + fix.String() + `","onto":"` + onto.String() + `","outcome":"conflict","confidence":"review","tree":"` + res.Tree.String() +
		`","rung":"verbatim","source":"` + fix.String() + `","files":[{"path":"a","rung":"verbatim","conflicts":[{"reason":"content","line":2,` +
		`"base":"` + git.Hash(git.TypeBlob, []byte("1\nold\n3\n")).String() + `","ours":"` + git.Hash(git.TypeBlob, []byte("1\nother\n3\n")).String() +
		`","theirs":"` + git.Hash(git.TypeBlob, []byte("1\nfixed\n3\n")).String() + `"}]}]}`
	if diff := cmp.Diff(wantJSON, string(out)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestSubmodule(t *testing.T) {
	store := gittest.NewMemory()
	module := func(n byte) git.OID {
		id, err := store.WriteTree(t.Context(), []git.TreeEntry{{Name: "sub", Mode: git.ModeSubmodule, OID: git.OID{n}}})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	b := commit(t, store, module(1), 0)
	fix := commit(t, store, module(2), 1, b)
	engine := backport.New(store, noHistory{})
	res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: b})
	if res.Outcome != backport.Clean || res.Tree != module(2) {
		t.Errorf("moved by the fix alone: %+v", res)
	}
	res = engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: commit(t, store, module(3), 2, b)})
	if diff := cmp.Diff(map[string][]backport.Reason{"sub": {backport.ReasonSubmodule}}, reasons(res)); diff != "" || res.Tree != module(3) {
		t.Errorf("moved by both: %s (-want +got):\n%s", res.Tree, diff)
	}
}

func TestRootAndMergeCommits(t *testing.T) {
	store := gittest.NewMemory()
	root := commit(t, store, tree{"a": with()}.write(t, store), 0)
	onto := commit(t, store, tree{"b": text("b")}.write(t, store), 1)
	engine := backport.New(store, noHistory{})
	res := engine.Pick(t.Context(), backport.Request{Commit: root, Onto: onto})
	if diff := cmp.Diff(map[string]string{"a": with().content, "b": "b\n"}, contents(read(t, store, res.Tree, ""))); diff != "" {
		t.Errorf("root commit (-want +got):\n%s", diff)
	}
	side := commit(t, store, tree{"a": with("9=nine")}.write(t, store), 2, root)
	merged := commit(t, store, tree{"a": with("9=nine")}.write(t, store), 3, root, side)
	res = engine.Pick(t.Context(), backport.Request{Commit: merged, Onto: commit(t, store, tree{"a": with("1=one")}.write(t, store), 4)})
	if diff := cmp.Diff(map[string]string{"a": with("1=one", "9=nine").content}, contents(read(t, store, res.Tree, ""))); diff != "" {
		t.Errorf("merge commit (-want +got):\n%s", diff)
	}
}

func TestAbsentObjects(t *testing.T) {
	store := gittest.NewMemory()
	base := tree{"a": with(), "gone": text("gone", "for", "good"), "x": text("x")}
	b := commit(t, store, base.write(t, store), 0)
	fixed := maps.Clone(base)
	fixed["a"], fixed["x"] = with("9=nine"), text("y")
	fix := commit(t, store, fixed.write(t, store), 1, b)
	onto := commit(t, store, tree{"moved": with("1=one"), "x": text("x"), "other": text("o", "t", "h")}.write(t, store), 2, b)
	engine := func() *backport.Engine { return backport.New(store, noHistory{}) }

	t.Run("one that only might have been renamed", func(t *testing.T) {
		store.Forget(git.Hash(git.TypeBlob, []byte("o\nt\nh\n")))
		res := engine().Pick(t.Context(), backport.Request{Commit: fix, Onto: onto})
		if res.Outcome != backport.Clean || len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "other") {
			t.Errorf("%+v", res)
		}
	})
	t.Run("one that must be merged", func(t *testing.T) {
		store.Forget(git.Hash(git.TypeBlob, []byte(with().content)))
		res := engine().Pick(t.Context(), backport.Request{Commit: fix, Onto: onto})
		if res.Outcome == backport.Clean {
			t.Errorf("%+v", res)
		}
		target := commit(t, store, tree{"a": with("1=one"), "x": text("x")}.write(t, store), 3, b)
		res = engine().Pick(t.Context(), backport.Request{ID: "i", Commit: fix, Onto: target})
		if res.Outcome != backport.Error || res.Error.Kind != errs.Unavailable || res.ID != "i" || !res.Tree.IsZero() {
			t.Errorf("%+v", res)
		}
	})
	t.Run("one that is only passed on", func(t *testing.T) {
		store.Forget(git.Hash(git.TypeBlob, []byte(with("9=nine").content)))
		res := engine().Pick(t.Context(), backport.Request{Commit: fix, Onto: b})
		if res.Outcome != backport.Clean {
			t.Errorf("%+v", res)
		}
	})
	t.Run("the fix itself", func(t *testing.T) {
		res := engine().Pick(t.Context(), backport.Request{Commit: git.OID{1}, Onto: onto})
		if res.Outcome != backport.Error || res.Error.Kind != errs.Unavailable {
			t.Errorf("%+v", res)
		}
	})
}

func TestHostileTree(t *testing.T) {
	store := &unsorted{gittest.NewMemory()}
	b := commit(t, store, tree{"a": text("a")}.write(t, store), 0)
	fix := commit(t, store, tree{"a": text("a"), "b": text("b")}.write(t, store), 1, b)
	res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: b})
	if res.Outcome != backport.Error || res.Error.Kind != errs.Invalid {
		t.Errorf("%+v", res)
	}
}

// unsorted gives trees backwards.
type unsorted struct{ *gittest.Memory }

func (u *unsorted) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	entries, err := u.Memory.Tree(ctx, id)
	entries = slices.Clone(entries)
	slices.Reverse(entries)
	return entries, err
}

// history knows which commits lead to which.
type history map[git.OID][]git.OID

func (h history) IsAncestor(_ context.Context, ancestor, commit git.OID) (bool, error) {
	return ancestor == commit || slices.Contains(h[commit], ancestor), nil
}

func TestPresent(t *testing.T) {
	store := gittest.NewMemory()
	b := commit(t, store, tree{"a": with()}.write(t, store), 0)
	fix := commit(t, store, tree{"a": with("9=nine")}.write(t, store), 1, b)
	grown := commit(t, store, tree{"a": with("9=nine", "1=one")}.write(t, store), 2, fix)
	changed := commit(t, store, tree{"a": with("9=neuf", "1=one")}.write(t, store), 6, fix)
	reverted := commit(t, store, tree{"a": with(), "b": text("b")}.write(t, store), 3, fix)
	twin := commit(t, store, tree{"a": with("9=nine", "1=one")}.write(t, store), 4, b)
	later := commit(t, store, tree{"a": with("9=nein", "1=one")}.write(t, store), 5, twin)
	engine := backport.New(store, history{grown: {fix, b}, changed: {fix, b}, reverted: {fix, b}, later: {twin, b}})

	if res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: grown}); res.Outcome != backport.Present || res.Rung != "present" || res.Source != fix || res.Confidence != backport.Verbatim {
		t.Errorf("an ancestor: %+v", res)
	}
	if res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: changed}); res.Outcome != backport.Present || res.Confidence != backport.Review || len(res.Notes) != 1 {
		t.Errorf("an ancestor whose lines were changed: %+v", res)
	}
	if res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: reverted}); res.Outcome != backport.Clean {
		t.Errorf("an ancestor that was reverted: %+v", res)
	}
	with := []backport.Instance{{Commit: twin}}
	if res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: later, Instances: with}); res.Outcome != backport.Present || res.Source != twin {
		t.Errorf("an instance that is an ancestor: %+v", res)
	}
}

func TestInstance(t *testing.T) {
	store := gittest.NewMemory()
	day := func(n int) time.Time { return time.Date(2020, 1, n, 0, 0, 0, 0, time.UTC) }
	b := commit(t, store, tree{"a.json": with("5=new")}.write(t, store), 0)
	fix := commit(t, store, tree{"a.json": with("5=new", "6=fixed")}.write(t, store), 1, b)
	old := commit(t, store, tree{"a.json": with()}.write(t, store), 2)
	instance := commit(t, store, tree{"a.json": with("6=fixed")}.write(t, store), 3, old)
	target := commit(t, store, tree{"a.json": with("1=one")}.write(t, store), 4)
	answer := commit(t, store, tree{"a.json": with("1=one", "6=fixed")}.write(t, store), 5, target)
	far := commit(t, store, tree{"a.json": with("2=x", "6=fixed")}.write(t, store), 6, b)
	engine := backport.New(store, history{answer: {target}})
	instances := []backport.Instance{{answer, day(5)}, {far, day(2)}, {instance, day(3)}, {fix, day(1)}}

	res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: target})
	if res.Outcome != backport.Conflicted || res.Rung != "verbatim" {
		t.Fatalf("without instances: %+v", res)
	}
	res = engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: target, Instances: instances})
	if res.Outcome != backport.Resolved || res.Rung != "instance" || res.Source != instance || res.Confidence != backport.Adapted {
		t.Errorf("with instances: %+v", res)
	}
	res = engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: target, Instances: instances, AsOf: day(1)})
	if res.Outcome != backport.Conflicted {
		t.Errorf("with instances that come later: %+v", res)
	}
}

func TestInstances(t *testing.T) {
	when := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	made := func(id byte, name, subject string, committed int, parents ...git.OID) *git.Commit {
		return &git.Commit{
			OID: git.OID{id}, Parents: parents, Author: git.Signature{Name: name, When: when},
			Committer: git.Signature{When: when.Add(time.Duration(committed) * time.Hour)}, Message: subject + "\n\nMore.\n",
		}
	}
	fix := made(1, "Ada", "Fix it", 0)
	x := backport.NewInstances()
	for _, c := range []*git.Commit{
		fix, made(2, "Ada", "Fix it", 2), made(3, "Ada", "[release-1.2] Fix it", 1), made(4, "Ada", "Bump something", 1),
		made(5, "Bob", "Fix it", 1), made(6, "Ada", "Fix it", 1, git.OID{7}, git.OID{8}),
	} {
		x.Add(c)
	}
	want := []backport.Instance{{Commit: git.OID{3}, Committed: when.Add(time.Hour)}, {Commit: git.OID{2}, Committed: when.Add(2 * time.Hour)}}
	if diff := cmp.Diff(want, x.Of(fix)); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
}

// TestUponEachOther puts a second pick upon the tree of a first one.
func TestUponEachOther(t *testing.T) {
	store := gittest.NewMemory()
	b := commit(t, store, tree{"a": with()}.write(t, store), 0)
	first := commit(t, store, tree{"a": with("1=one")}.write(t, store), 1, b)
	second := commit(t, store, tree{"a": with("1=one", "9=nine")}.write(t, store), 2, first)
	target := commit(t, store, tree{"a": with("5=five")}.write(t, store), 3)
	engine := backport.New(store, noHistory{})
	res := engine.Pick(t.Context(), backport.Request{Commit: first, Onto: target})
	res = engine.Pick(t.Context(), backport.Request{Commit: second, Onto: target, OntoTree: res.Tree})
	if diff := cmp.Diff(map[string]string{"a": with("1=one", "5=five", "9=nine").content}, contents(read(t, store, res.Tree, ""))); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// FuzzPick checks laws on generated trees: onto its own parent a fix gives its own tree; onto its own tree it changes nothing; the same pick
// gives the same result; whatever the outcome, there is a tree.
func FuzzPick(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(3), uint8(5))
	}
	f.Fuzz(func(t *testing.T, seed uint64, fixChanges, ontoChanges uint8) {
		store := gittest.NewMemory()
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 9))}
		base := g.base()
		b := commit(t, store, base.write(t, store), 0)
		fixTree := g.side(base, int(fixChanges%16)).write(t, store)
		fix := commit(t, store, fixTree, 1, b)
		onto := commit(t, store, g.side(base, int(ontoChanges%16)).write(t, store), 2)
		engine := backport.New(store, history{})
		if res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: b}); res.Tree != fixTree || res.Outcome == backport.Conflicted {
			t.Errorf("onto its parent: %+v, want tree %s", res, fixTree)
		}
		if res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: commit(t, store, fixTree, 3)}); res.Tree != fixTree || res.Outcome != backport.Empty {
			t.Errorf("onto its own tree: %+v, want tree %s", res, fixTree)
		}
		res := engine.Pick(t.Context(), backport.Request{Commit: fix, Onto: onto})
		if res.Outcome == backport.Error || res.Tree.IsZero() {
			t.Errorf("no tree: %+v", res)
		}
		again := backport.New(store, history{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: onto})
		if diff := cmp.Diff(res, again); diff != "" {
			t.Errorf("two picks of the same differ:\n%s", diff)
		}
	})
}
