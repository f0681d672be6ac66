package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/gittest"
)

// TestTriageSurvivesKill kills first runs of triage at random times, with one cache for all: the next run says the same, and what was left behind is swept once it is
// old.
func TestTriageSurvivesKill(t *testing.T) {
	root := t.TempDir()
	r := &rig{t: t, root: root}
	cache, temp := filepath.Join(root, "cache"), filepath.Join(root, "temp")
	r.env = append(gittest.Environment(), "XDG_CACHE_HOME="+cache, "TMPDIR="+temp)
	manyCommits(t, r, 1500)
	args := []string{"triage", "--repo", "clone", "--repository", "example/server", "--vulnerabilities", "osv", "-o", "json"}
	begin := time.Now()
	want := r.mustIn(".", args...)
	whole := time.Since(begin)
	random := rand.New(rand.NewPCG(5, 8))
	killed := 0
	for n := range 12 {
		if n%3 == 0 {
			r.shell("rm -rf cache")
		}
		cmd := r.kubelts(".", args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(whole))))
		if cmd.Process.Kill() == nil && cmd.Wait() != nil && !cmd.ProcessState.Exited() {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("every run ended before it was killed")
	}
	if diff := cmp.Diff(want, r.mustIn(".", args...)); diff != "" {
		t.Errorf("after %d kills (-want +got):\n%s", killed, diff)
	}
	r.shell("find temp cache/kubelts/index -mindepth 1 -maxdepth 1 -exec touch -d '2 hours ago' {} + && rm -f cache/kubelts/index/*.index")
	if diff := cmp.Diff(want, r.mustIn(".", args...)); diff != "" {
		t.Errorf("later (-want +got):\n%s", diff)
	}
	left, err := filepath.Glob(filepath.Join(temp, "kubelts-view-*"))
	entries, unread := os.ReadDir(filepath.Join(cache, "kubelts", "index"))
	if err != nil || unread != nil || len(left) != 0 || len(entries) != 1 {
		t.Errorf("left behind: %q, and %d files in the cache (%v, %v)", left, len(entries), err, unread)
	}
}

// manyCommits makes a clone with a fix in it, and a record that names the fix.
func manyCommits(t *testing.T, r *rig, commits int) {
	t.Helper()
	var in strings.Builder
	for i := range commits {
		text, name := fmt.Sprintf("package a\n\nvar N = %d\n", i), fmt.Sprintf("a%d.go", i%9)
		if i == commits/2 {
			text, name = "package a\n\nfunc fixed() bool { return true }\n", "fix.go"
		}
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata %d\nChange %d\nM 100644 inline %s\ndata %d\n%s\n",
			1e9+i, len(fmt.Sprint("Change ", i)), i, name, len(text), text)
		if i == commits/4 {
			in.WriteString("reset refs/heads/release-1.0\nfrom refs/heads/main\n\n")
		}
	}
	if err := os.WriteFile(filepath.Join(r.root, "stream"), []byte(in.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r.shell(`mkdir osv temp && git init -q --bare -b main clone && git -C clone fast-import --quiet <stream
fix=$(git -C clone log -1 --format=%H main -- fix.go)
printf '{"id": "CVE-2020-0001", "modified": "2020-01-01T00:00:00Z", "summary": "A hole", "database_specific": {"kubelts": {"fixes": [{"repository": "example/server", "kind": "fix", "commits": {"main": ["'$fix'"]}}]}}}\n' >osv/CVE-2020-0001.json`)
}
