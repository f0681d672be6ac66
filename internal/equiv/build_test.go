package equiv_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
)

const upstream = "example/server"

// history is a small repository that counts what is read of it.
type history struct {
	*gittest.Repo

	t       *testing.T
	repo    *gitrepo.Repo
	patches int
}

func newHistory(t *testing.T) *history {
	t.Helper()
	h := &history{Repo: gittest.New(t), t: t}
	h.Write("a.go", "package a\n\nfunc a() int {\n\treturn 1\n}\n")
	h.Commit("Start")
	h.Branch("release-1.0", "main")
	h.Checkout("main")
	h.Write("a.go", "package a\n\nfunc a() int {\n\treturn 2\n}\n")
	h.Write("b.txt", "b\n")
	h.Commit("Fix it\n\nKubernetes-commit: " + strings.Repeat("ab", 20))
	h.Git("rm", "-q", "b.txt")
	h.Commit("Revert \"b\"\n\nThis reverts commit 1234567.\n")
	h.Checkout("release-1.0")
	h.Write("c d.txt", "c\n")
	h.Commit("Merge pull request #12 from x/automated-cherry-pick-of-#34-upstream-release-1.0\n\nTitle")
	h.Checkout("main")
	h.Merge("release-1.0", "Take it in")
	h.open()
	return h
}

func (h *history) open() {
	h.t.Helper()
	repo, err := gitrepo.Open(h.t.Context(), &command.Runner{}, h.Dir)
	if err != nil {
		h.t.Fatal(err)
	}
	h.repo = repo
	h.t.Cleanup(func() { repo.Close() })
}

func (h *history) Commits(ctx context.Context, include, exclude []git.OID, visit func(*git.Commit) error) error {
	return h.repo.Commits(ctx, include, exclude, visit)
}

func (h *history) Paths(ctx context.Context, commits []git.OID, visit func(git.OID, []string) error) error {
	return h.repo.Paths(ctx, commits, visit)
}

func (h *history) Patches(ctx context.Context, commits []git.OID, visit func(git.OID, []byte) error) error {
	return h.repo.Patches(ctx, commits, func(oid git.OID, diff []byte) error {
		h.patches++
		return visit(oid, diff)
	})
}

func (h *history) build(old *equiv.Table, o equiv.Options) (*equiv.Table, bool) {
	h.t.Helper()
	table, changed, err := equiv.Build(h.t.Context(), h, old, equiv.RefTips(h.repo.Refs()), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return table, changed
}

// TestBuildAgreesWithGit compares with git log and git patch-id.
func TestBuildAgreesWithGit(t *testing.T) {
	h := newHistory(t)
	table, _ := h.build(equiv.NewTable(upstream), equiv.Options{})
	var got, want []string
	for _, c := range all(table, equiv.RefTips(h.repo.Refs())) {
		line := c.OID.String() + " " + c.Subject
		if c.Change != nil {
			line += " " + c.Change.Patch.String()
			for _, f := range c.Change.Files {
				line += " " + f.Path
			}
		}
		got = append(got, line)
	}
	for oid := range strings.FieldsSeq(h.Git("rev-list", "--topo-order", "--all")) {
		line := oid + " " + strings.TrimSpace(h.Git("log", "-1", "--format=%s", oid))
		if !strings.Contains(strings.TrimSpace(h.Git("log", "-1", "--format=%P", oid)), " ") {
			id := h.Git("-c", "alias.x=!git diff-tree --root -p --full-index --no-renames "+oid+" | git patch-id --stable", "x")
			line += " " + strings.Fields(id)[0] + " " + strings.ReplaceAll(strings.TrimSpace(h.Git("diff-tree", "--root", "--no-commit-id", "--name-only", "-r", oid)), "\n", " ")
		}
		want = append(want, line)
	}
	if diff := cmp.Diff(want, got, cmp.Transformer("sorted", sortedLines)); diff != "" {
		t.Errorf("index (-git +ours):\n%s", diff)
	}
	pick, ok := table.Find(h.Rev("release-1.0"))
	if !ok || pick.Claims == nil || pick.Claims.Pull != 12 || len(pick.Claims.Picks) == 0 || pick.Claims.Picks[0] != 34 {
		t.Errorf("claims %+v", pick)
	}
}

func sortedLines(lines []string) map[string]bool {
	set := map[string]bool{}
	for _, l := range lines {
		set[l] = true
	}
	return set
}

func TestBuildReadsOnlyWhatIsNew(t *testing.T) {
	h := newHistory(t)
	first, _ := h.build(equiv.NewTable(upstream), equiv.Options{})
	h.patches = 0
	second, changed := h.build(first, equiv.Options{})
	if changed || second != first || h.patches != 0 {
		t.Errorf("the second run read %d patches, changed %v", h.patches, changed)
	}
	h.Write("a.go", "package a\n")
	h.Commit("Go on")
	h.open()
	third, changed := h.build(first, equiv.Options{Workers: 2})
	if !changed || third.Len() != first.Len()+1 || h.patches != 1 {
		t.Errorf("a commit later: %d patches, %d commits after %d, changed %v", h.patches, third.Len(), first.Len(), changed)
	}
	h.Git("reset", "-q", "--hard", "main^")
	h.open()
	fourth, changed := h.build(third, equiv.Options{})
	if !changed || fourth.Len() != first.Len() {
		t.Errorf("what no branch leads to any more is kept: %d commits, changed %v", fourth.Len(), changed)
	}
}

func TestBuildWithoutAnObject(t *testing.T) {
	h := newHistory(t)
	name := h.Rev("main~1^{tree}:a.go").String()
	file := filepath.Join(h.Dir, ".git", "objects", name[:2], name[2:])
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	h.open()
	table, _ := h.build(equiv.NewTable(upstream), equiv.Options{Fingerprint: "1"})
	fix, ok := table.Find(h.Rev("main^1~1"))
	if !ok || fix.Change == nil || fix.Change.Unread == "" || len(fix.Change.Files) != 2 || table.Unread() != 1 {
		t.Fatalf("%d unread, the fix: %+v", table.Unread(), fix)
	}
	if _, changed := h.build(table, equiv.Options{Fingerprint: "1"}); changed {
		t.Error("tried again in an object directory that did not change")
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	table, changed := h.build(table, equiv.Options{Fingerprint: "2"})
	if !changed || table.Unread() != 0 {
		t.Errorf("the object came, and %d are unread, changed %v", table.Unread(), changed)
	}
}
