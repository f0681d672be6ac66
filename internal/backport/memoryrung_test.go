package backport_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/memory"
)

// stored is the Go file of the tests of memory, with some strings replaced.
func stored(fixed string, replaced ...string) file {
	return text(strings.NewReplacer(replaced...).Replace(`package p

// Put keeps a thing.
func Put(name string) error {
	lock()
	defer unlock()
	` + fixed + `
	return write(value)
}

func lock() {}

func unlock() {}

func find(string, int) int { return 1 }

func look(string) int { return 1 }

func write(int) error { return nil }`))
}

// remembering picks a fix onto a target, learns what a person makes of its conflict in p/a.go, and picks the fix with that onto another target.
type remembering struct {
	target, other tree
	resolved      string
	learnOther    string // what a person makes of the other target, learned too
}

func (r remembering) run(t *testing.T) (backport.Result, git.Store) {
	t.Helper()
	store := gittest.NewMemory()
	parent := commit(t, store, tree{"p/a.go": stored("value := look(name)"), "x": text("x")}.write(t, store), 0)
	fix := commit(t, store, tree{"p/a.go": stored("value := look(name + suffix())"), "p/s.go": text("package p\n\nfunc suffix() string { return `s` }"), "x": text("x")}.write(t, store), 1, parent)
	var records []*memory.Record
	onto := func(to tree, number int) backport.Request {
		return backport.Request{Commit: fix, Onto: commit(t, store, to.write(t, store), number)}
	}
	learn := func(to tree, number int, resolved string) {
		res := backport.New(store, noHistory{}).Pick(t.Context(), onto(to, number))
		if res.Outcome != backport.Conflicted || res.Files[0].Path != "p/a.go" {
			t.Fatalf("nothing to learn: %+v", res)
		}
		record, err := backport.Learn(t.Context(), store, "p/a.go", res.Files[0].Conflicts[0], []byte(resolved), memory.About{Commit: fix, Date: time.Unix(0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	learn(r.target, 2, r.resolved)
	if r.learnOther != "" {
		learn(r.target, 2, r.learnOther)
	}
	known, err := memory.NewLibrary(records)
	if err != nil {
		t.Fatal(err)
	}
	engine := backport.New(store, noHistory{})
	engine.UseMemory(known)
	return engine.Pick(t.Context(), onto(r.other, 3)), store
}

func TestMemoryRung(t *testing.T) {
	const ours, resolved = "value := find(name, 0)", "value := find(name+suffix(), 0)"
	target := tree{"p/a.go": stored(ours), "p/z.go": text("package p\n\nconst zero = 0"), "x": text("x")}
	moved := []string{"// Put", "// Get is of this line only.\nfunc Get() {}\n\n// Put"}
	renamed := []string{"lock", "hold", "unlock", "loose"}
	tests := []struct {
		name       string
		other      tree
		resolved   string // by the person, if not as above
		learnOther string
		confidence backport.Confidence // empty: a conflict
		want       file
		reasons    []backport.Reason
	}{
		{name: "the same target", other: target, confidence: backport.Adapted, want: stored(resolved)},
		{name: "moved lines", other: tree{"p/a.go": stored(ours, moved...), "x": text("x")}, confidence: backport.Adapted, want: stored(resolved, moved...)},
		{name: "renamed neighbours", other: tree{"p/a.go": stored(ours, renamed...), "x": text("x")}, confidence: backport.Review, want: stored(resolved, renamed...)},
		{
			name: "a name that the other target lacks", resolved: "value := find(name+suffix(), zero)",
			other: tree{"p/a.go": stored(ours), "x": text("x")}, reasons: []backport.Reason{"content", "both-added", "undeclared-name"},
		},
		{
			name: "other surroundings", other: tree{"p/a.go": stored(ours, "\tlock()\n", "\tlock()\n\tlock()\n"), "x": text("x")},
			reasons: []backport.Reason{"content", "both-added", "memory"},
		},
		{
			name: "another statement in the conflict", other: tree{"p/a.go": stored(ours, "\tdefer unlock()\n", "\tdefer unlock()\n\tlock()\n"), "x": text("x")},
			reasons: []backport.Reason{"content", "both-added"},
		},
		{
			name: "two answers", other: target, learnOther: stored("value := find(suffix()+name, 0)").content,
			reasons: []backport.Reason{"content", "both-added", "memory"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := remembering{target: target, other: tt.other, resolved: stored(cmp.Or(tt.resolved, resolved)).content, learnOther: tt.learnOther}
			res, store := r.run(t)
			if tt.confidence == "" {
				if diff := gocmp.Diff(tt.reasons, reasons(res)["p/a.go"]); res.Outcome != backport.Conflicted || diff != "" {
					t.Errorf("%s (-want +got):\n%s", res.Outcome, diff)
				}
				if laid := read(t, store, res.Tree, "")["p/a.go"].content; !strings.Contains(laid, "<<<<<<< ") {
					t.Errorf("no markers in:\n%s", laid)
				}
				return
			}
			if res.Outcome != backport.Resolved || res.Rung != "memory" || res.Confidence != tt.confidence || len(res.Notes) != 1 {
				t.Fatalf("got %+v", res)
			}
			if diff := gocmp.Diff(tt.want.content, read(t, store, res.Tree, "")["p/a.go"].content); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLearnRefuses(t *testing.T) {
	store := gittest.NewMemory()
	blob := func(s string) git.OID {
		id, err := store.WriteBlob(t.Context(), []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	tests := map[string]struct {
		path     string
		conflict backport.Conflict
		want     errs.Kind
	}{
		"deleted in the target": {"a", backport.Conflict{Base: blob("a\n"), Theirs: blob("b\n")}, errs.Invalid},
		"generated":             {"zz_generated.go", backport.Conflict{Base: blob("a\n"), Ours: blob("b\n"), Theirs: blob("c\n")}, errs.Invalid},
		"no conflict by lines":  {"a", backport.Conflict{Base: blob("a\n"), Ours: blob("a\n"), Theirs: blob("c\n")}, errs.Invalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := backport.Learn(t.Context(), store, tt.path, tt.conflict, []byte("d\n"), memory.About{})
			if !errs.Is(err, tt.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}
