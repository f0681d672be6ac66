package backport_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

// tree is a tree as its files: by path, the mode and the content.
type tree map[string]file

type file struct {
	mode    git.Mode
	content string
}

// write puts a tree into the store. A path below a file is left out.
func (tr tree) write(tb testing.TB, store git.Store) git.OID {
	tb.Helper()
	ctx := tb.Context()
	dirs := map[string][]git.TreeEntry{"": nil}
	taken := func(p string) bool {
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			if _, ok := tr[dir]; ok {
				return true
			}
		}
		return false
	}
	names := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(tr)) {
		if taken(p) {
			continue
		}
		id, err := store.WriteBlob(ctx, []byte(tr[p].content))
		if err != nil {
			tb.Fatal(err)
		}
		dir := strings.TrimPrefix(path.Dir(p), ".")
		dirs[dir] = append(dirs[dir], git.TreeEntry{Name: path.Base(p), Mode: tr[p].mode, OID: id})
		for ; dir != ""; dir = strings.TrimPrefix(path.Dir(dir), ".") {
			names[dir] = true
		}
	}
	deepest := slices.Sorted(maps.Keys(names))
	slices.SortStableFunc(deepest, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") })
	for _, dir := range deepest {
		id, err := store.WriteTree(ctx, dirs[dir])
		if err != nil {
			tb.Fatal(err)
		}
		parent := strings.TrimPrefix(path.Dir(dir), ".")
		dirs[parent] = append(dirs[parent], git.TreeEntry{Name: path.Base(dir), Mode: git.ModeTree, OID: id})
	}
	id, err := store.WriteTree(ctx, dirs[""])
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// commit writes a commit of a tree. The number makes it different from others.
func commit(tb testing.TB, store git.Store, tr git.OID, number int, parents ...git.OID) git.OID {
	tb.Helper()
	who := git.Signature{Name: "Ada Author", Email: "ada@example.org", When: time.Unix(int64(1577836800+number), 0).UTC()}
	id, err := store.WriteCommit(tb.Context(), &git.Commit{Tree: tr, Parents: parents, Author: who, Committer: who, Message: fmt.Sprintf("commit %d\n", number)})
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// noHistory knows no ancestors.
type noHistory struct{}

func (noHistory) IsAncestor(_ context.Context, ancestor, commit git.OID) (bool, error) {
	return ancestor == commit, nil
}

// generator makes trees that have much in common.
type generator struct {
	*rand.Rand

	next int
}

func (g *generator) line() string {
	if g.IntN(4) == 0 {
		return []string{"", "}", "\treturn nil"}[g.IntN(3)] + "\n"
	}
	g.next++
	return fmt.Sprintf("line %d\n", g.next)
}

func (g *generator) text(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(g.line())
	}
	return b.String()
}

func (g *generator) edit(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for range 1 + g.IntN(3) {
		i := g.IntN(len(lines))
		switch g.IntN(3) {
		case 0:
			lines[i] = g.line()
		case 1:
			lines = slices.Insert(lines, i, g.line())
		default:
			lines = slices.Delete(lines, i, i+1)
		}
		if len(lines) == 0 {
			return g.line()
		}
	}
	return strings.Join(lines, "")
}

func (g *generator) base() tree {
	tr := tree{}
	dirs := []string{"", "cmd/", "pkg/a/", "pkg/b/", "pkg/b/deep/"}
	for range 6 + g.IntN(12) {
		tr[fmt.Sprintf("%sf%d.go", dirs[g.IntN(len(dirs))], g.IntN(9))] = file{git.ModeFile, g.text(3 + g.IntN(25))}
	}
	return tr
}

// side changes a tree in a few ways.
func (g *generator) side(from tree, changes int) tree {
	tr := maps.Clone(from)
	for range changes {
		paths := slices.Sorted(maps.Keys(tr))
		p := paths[g.IntN(len(paths))]
		f := tr[p]
		switch k := g.IntN(20); {
		case k < 9:
			tr[p] = file{f.mode, g.edit(f.content)}
		case k < 11:
			delete(tr, p)
			tr[fmt.Sprintf("pkg/c/r%d.go", g.IntN(5))] = file{f.mode, g.edit(f.content)}
		case k < 12:
			delete(tr, p)
			tr[path.Join("moved", path.Base(p))] = f
		case k < 14:
			delete(tr, p)
		case k < 16:
			tr[path.Join(path.Dir(p), fmt.Sprintf("n%d.go", g.IntN(4)))] = file{git.ModeFile, g.text(8)}
		case k < 17:
			tr[p] = file{git.ModeExecutable, f.content}
		case k < 18:
			tr[p] = file{git.ModeSymlink, "elsewhere"}
		case k < 19:
			g.moveDirectory(tr)
		default:
			delete(tr, p)
			tr[p+"/inner.go"] = file{git.ModeFile, g.text(5)}
		}
		if len(tr) == 0 {
			return maps.Clone(from)
		}
	}
	return tr
}

func (g *generator) moveDirectory(tr tree) {
	from := []string{"pkg/a/", "pkg/b/", "cmd/"}[g.IntN(3)]
	to := []string{"staging/", "lib/x/"}[g.IntN(2)]
	for _, p := range slices.Sorted(maps.Keys(tr)) {
		if rest, ok := strings.CutPrefix(p, from); ok {
			tr[to+rest] = tr[p]
			delete(tr, p)
		}
	}
}

// stricter are the reasons for which we leave to a person what git may call clean. See docs/pick.md.
func stricter(res backport.Result) bool {
	for _, f := range res.Files {
		for _, c := range f.Conflicts {
			if c.Reason == backport.ReasonDirectoryMoved || c.Reason == backport.ReasonType {
				return true
			}
		}
	}
	return false
}

// TestAgainstMergeTree compares with the real git merge-tree. Where both call a merge clean, the trees are the same. What we call
// clean, git does; what git calls clean, we do, but for the reasons above.
func TestAgainstMergeTree(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
		cmd.Env = gittest.Environment()
		return cmd.Output()
	}
	if out, err := run("init", "-q", "--bare", "."); err != nil {
		t.Fatalf("git init: %v %s", err, out)
	}
	count := 120
	if n, err := strconv.Atoi(os.Getenv("KUBELTS_TEST_MERGES")); err == nil {
		count = n
	}
	clean, conflicts, refused := 0, 0, 0
	for seed := range uint64(count) {
		store := gittest.NewMemory()
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 3))}
		base := g.base()
		b := commit(t, store, base.write(t, store), 0)
		fix := commit(t, store, g.side(base, 1+g.IntN(4)).write(t, store), 1, b)
		onto := commit(t, store, g.side(base, 1+g.IntN(10)).write(t, store), 2, b)
		if err := store.Export(dir); err != nil {
			t.Fatal(err)
		}
		out, gitErr := run("merge-tree", "--write-tree", "--messages", onto.String(), fix.String())
		res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: onto})
		if res.Outcome == backport.Error {
			t.Fatalf("seed %d: %s", seed, res.Error.Message)
		}
		want, _, _ := bytes.Cut(out, []byte("\n"))
		switch ours := res.Outcome != backport.Conflicted; {
		case gitErr == nil && !ours && stricter(res):
			refused++
		case ours != (gitErr == nil):
			t.Errorf("seed %d: git says clean: %v, we: %v\n%s\n%+v", seed, gitErr == nil, ours, out, res.Files)
		case !ours:
			conflicts++
		case res.Tree.String() != string(want):
			if err := store.Export(dir); err != nil {
				t.Fatal(err)
			}
			diff, _ := run("diff", string(want), res.Tree.String())
			t.Errorf("seed %d: the trees differ, git's against ours:\n%s\n%s", seed, diff, out)
		default:
			clean++
		}
	}
	t.Logf("%d clean, %d conflicts, %d more for us", clean, conflicts, refused)
	if clean < count/4 || conflicts < count/4 {
		t.Error("the generated merges are not mixed enough to say anything")
	}
}
