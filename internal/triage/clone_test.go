package triage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// lose takes an object out of the repository, as in a partial clone.
func (w *world) lose(rev string) {
	name := w.Rev(rev).String()
	if err := os.Remove(filepath.Join(w.Dir, ".git", "objects", name[:2], name[2:])); err != nil {
		panic(err)
	}
}

func TestAbsentObjects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, lose, want string
	}{
		{"what may be the fix cannot be read", "release-1.0:server.go", "under_investigation not_found absent_object"},
		{"the fix cannot be read", "main:server.go", "under_investigation not_found absent_object"},
		{"a directory of what may be the fix", "release-1.0^{tree}", "under_investigation not_found absent_object"},
		{"a file that the fix does not touch", "release-1.0:other.go", "under_investigation not_found fix_lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Checkout("release-1.0")
			w.Write("other.go", text("3=three"))
			w.Commit("Change something else")
			w.fix("Fix it")
			w.onBranch("Make it safe")
			w.lose(c.lose)
			v := judge(t, w.Dir, []*vuln.Record{&w.record}, "release-1.0")[0]
			check(t, v)
			if got := brief(v); got != c.want {
				t.Errorf("%s, want %s\n%+v", got, c.want, v.Evidence)
			}
		})
	}
}

// TestFailure has a repository that fails under way: no verdict may come of it.
func TestFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fix("Fix it")
	repo, err := gitrepo.Open(t.Context(), &command.Runner{}, w.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	target := []triage.Target{{Name: "main", Commit: w.Rev("main")}}
	records := []*vuln.Record{&w.record}
	cause := errors.New("interrupted for the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := triage.Judge(ctx, repo, upstream, records, target); err == nil {
		t.Error("no error after the context ended")
	}
	if _, err := triage.Judge(t.Context(), repo, upstream, records, []triage.Target{{Name: "gone"}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a target without commit: error %v, want one of kind invalid", err)
	}
	absent := []triage.Target{{Name: "gone", Commit: git.MustOID(strings.Repeat("12", 20))}}
	if _, err := triage.Judge(t.Context(), repo, upstream, records, absent); err == nil {
		t.Error("a target that is not in the clone: no error")
	}
}

// TestHostileMessages has many commits that claim everything about everything: the judgement ends, and stays the same.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fix := w.fix("Fix it")
	w.Checkout("release-1.0")
	claims := "Revert \"Fix it\"\n\nThis reverts commit " + fix.String() + ".\n\n"
	for i := range 40 {
		w.Write("server.go", text(fmt.Sprintf("1=%d", i)))
		c := w.Commit(claims)
		claims += "This reverts commit " + c.String() + ".\n(cherry picked from commit " + c.String() + ")\n"
	}
	first := judge(t, w.Dir, []*vuln.Record{&w.record}, "release-1.0", "main")
	second := judge(t, w.Dir, []*vuln.Record{&w.record}, "release-1.0", "main")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("verdicts differ between two runs:\n%s", diff)
	}
	if first[0].Status == triage.Fixed || first[1].Status != triage.Fixed {
		t.Errorf("release-1.0 %s, main %s", brief(first[0]), brief(first[1]))
	}
}

func FuzzHistory(f *testing.F) {
	f.Add("Fix it", "Fix it")
	f.Add("Fix it\n\nKubernetes-commit: "+strings.Repeat("ab", 20), "x\n\n(cherry picked from commit "+strings.Repeat("ab", 20)+")")
	f.Add("Revert \"Fix it\"", "Reapply \"Fix it\"")
	f.Fuzz(func(t *testing.T, one, two string) {
		// A branch whose commits touch nothing of the fix is affected, whatever their messages say.
		h := &told{fix: "Fix it", messages: []string{one, two}}
		record := &vuln.Record{ID: "CVE-1"}
		record.Kubelts.Fixes = []vuln.Fix{{Kind: vuln.KindFix, Commits: map[string][]string{"main": {h.oid(9).String()}}}}
		verdicts, err := triage.Judge(t.Context(), h, upstream, []*vuln.Record{record}, []triage.Target{{Name: "release-1.0", Commit: h.oid(1)}})
		if err != nil {
			t.Fatal(err)
		}
		if check(t, verdicts[0]); verdicts[0].Status != triage.Affected {
			t.Errorf("%s: %+v", brief(verdicts[0]), verdicts[0].Evidence)
		}
	})
}

// told is a history of a root, a fix (9) on it, and a line of commits (1, 2, ...) on it with given messages that touch another file.
type told struct {
	fix      string
	messages []string
}

func (h *told) oid(n int) git.OID { return git.OID{0: byte(n)} }

func (h *told) Refs() []git.Ref { return nil }

func (h *told) Resolve(_ context.Context, rev string) (git.OID, error) { return git.ParseOID(rev) }

func (h *told) Commits(_ context.Context, include, _ []git.OID, visit func(*git.Commit) error) error {
	root := h.oid(8)
	if include[0] == h.oid(9) {
		return visit(&git.Commit{OID: h.oid(9), Parents: []git.OID{root}, Message: h.fix})
	}
	for i, m := range h.messages {
		parent := h.oid(i + 2)
		if i == len(h.messages)-1 {
			parent = root
		}
		if err := visit(&git.Commit{OID: h.oid(i + 1), Parents: []git.OID{parent}, Message: m}); err != nil {
			return err
		}
	}
	return visit(&git.Commit{OID: root, Message: "Start"})
}

func (h *told) Index(ctx context.Context, repository string, tips []git.OID) (*equiv.Table, error) {
	table, _, err := equiv.Build(ctx, h, equiv.NewTable(repository), tips, equiv.Options{})
	return table, err
}

func (h *told) Blob(_ context.Context, id git.OID) ([]byte, error) {
	return nil, &git.AbsentError{OID: id, Type: git.TypeBlob}
}

func (h *told) Tree(_ context.Context, id git.OID) ([]git.TreeEntry, error) {
	return nil, &git.AbsentError{OID: id, Type: git.TypeTree}
}

func (h *told) Commit(_ context.Context, id git.OID) (*git.Commit, error) {
	if fix := h.oid(9); id == fix {
		return &git.Commit{OID: fix, Parents: []git.OID{h.oid(8)}, Message: h.fix}, nil
	}
	return nil, &git.AbsentError{OID: id, Type: git.TypeCommit}
}

func (h *told) Grep(context.Context, git.OID, []string, string, func(string, string) bool) error {
	return nil
}

func (h *told) Paths(_ context.Context, commits []git.OID, visit func(git.OID, []string) error) error {
	for _, c := range commits {
		path := "other.go"
		if c == h.oid(9) {
			path = "server.go"
		}
		if err := visit(c, []string{path}); err != nil {
			return err
		}
	}
	return nil
}

func (h *told) Patches(_ context.Context, commits []git.OID, visit func(git.OID, []byte) error) error {
	for _, c := range commits {
		name := "other.go"
		if c == h.oid(9) {
			name = "server.go"
		}
		if err := visit(c, fmt.Appendf(nil, "diff --git a/%[1]s b/%[1]s\nold mode %[2]d\n", name, c[0])); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkJudge judges ten records on eight branches of 2,000 commits: with opening the repository, and without.
func BenchmarkJudge(b *testing.B) {
	dir, records := benchmarkRepository(b)
	open := func() (*gitrepo.Repo, []triage.Target) {
		repo, err := gitrepo.Open(b.Context(), &command.Runner{}, dir)
		if err != nil {
			b.Fatal(err)
		}
		var targets []triage.Target
		for _, ref := range repo.Refs() {
			if strings.HasPrefix(ref.Name, "refs/heads/") {
				targets = append(targets, triage.Target{Name: ref.Short(), Commit: ref.Commit})
			}
		}
		return repo, targets
	}
	run := func(b *testing.B, repo *gitrepo.Repo, targets []triage.Target) {
		b.Helper()
		verdicts, err := triage.Judge(b.Context(), repo, upstream, records, targets)
		if err != nil {
			b.Fatal(err)
		}
		for _, v := range verdicts {
			if v.Status != triage.Fixed {
				b.Fatalf("%s on %s: %s", v.Vulnerability, v.Branch, brief(v))
			}
		}
	}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			repo, targets := open()
			run(b, repo, targets)
			repo.Close()
		}
	})
	b.Run("warm", func(b *testing.B) {
		repo, targets := open()
		defer repo.Close()
		for b.Loop() {
			run(b, repo, targets)
		}
	})
}

// benchmarkRepository is made by one git fast-import: main, with a fix every 100 commits, and branches that took all fixes.
func benchmarkRepository(b *testing.B) (string, []*vuln.Record) {
	b.Helper()
	const branches, perBranch, fixes = 8, 100, 10
	r := gittest.New(b)
	var in strings.Builder
	mark := 0
	commit := func(ref, author, message, file, content string, from int) int {
		mark++
		fmt.Fprintf(&in, "commit %s\nmark :%d\nauthor %s <a@example.org> %d +0000\ncommitter C <c@example.org> %d +0000\ndata %d\n%s\n",
			ref, mark, author, 1577836800+mark*60, 1577836800+mark*60, len(message), message)
		if from > 0 {
			fmt.Fprintf(&in, "from :%d\n", from)
		}
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", file, len(content), content)
		return mark
	}
	var tips []int
	for i := range 1200 {
		commit("refs/heads/main", "Ada", fmt.Sprintf("Change %d", i), fmt.Sprintf("pkg%d/file%d.go", i%40, i%7), text(fmt.Sprintf("1=%d", i)), 0)
		if i%100 == 0 && len(tips) < branches {
			tips = append(tips, mark)
		}
	}
	var marks []int
	for n := range fixes {
		marks = append(marks, commit("refs/heads/main", "Ada", fmt.Sprintf("Fix %d", n), fmt.Sprintf("fix%d.go", n), text("20=safe"), 0))
	}
	for k, tip := range tips {
		ref := fmt.Sprintf("refs/heads/release-1.%d", k)
		from := tip
		for i := range perBranch {
			commit(ref, "Ada", fmt.Sprintf("Branch change %d", i), fmt.Sprintf("pkg%d/file%d.go", i%40, i%7), text(fmt.Sprintf("2=%d.%d", k, i)), from)
			from = 0
			if i%(perBranch/fixes) == 0 {
				n := i / (perBranch / fixes)
				commit(ref, "Bob", "Make it safe", fmt.Sprintf("fix%d.go", n), text("20=safe"), 0)
			}
		}
	}
	names := fastImport(b, r.Dir, in.String())
	var records []*vuln.Record
	for n, m := range marks {
		record := &vuln.Record{ID: fmt.Sprintf("CVE-%d", n)}
		record.Kubelts.Fixes = []vuln.Fix{{Kind: vuln.KindFix, Commits: map[string][]string{"main": {names[m]}}}}
		records = append(records, record)
	}
	return r.Dir, records
}

// fastImport feeds git fast-import and returns the commits' names by mark.
func fastImport(b *testing.B, dir, stream string) map[int]string {
	b.Helper()
	marks := filepath.Join(b.TempDir(), "marks")
	cmd := exec.Command("git", "-C", dir, "fast-import", "--quiet", "--export-marks="+marks)
	cmd.Env = gittest.Environment()
	cmd.Stdin = strings.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git fast-import: %v\n%s", err, out)
	}
	content, err := os.ReadFile(marks)
	if err != nil {
		b.Fatal(err)
	}
	names := map[int]string{}
	for line := range strings.Lines(string(content)) {
		var mark int
		var name string
		if _, err := fmt.Sscanf(line, ":%d %s", &mark, &name); err != nil {
			b.Fatal(err)
		}
		names[mark] = name
	}
	return names
}
