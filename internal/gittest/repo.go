// Package gittest makes small real repositories for tests: fixed author, fixed clock, no configuration of the machine's owner, so that
// object names are the same everywhere and can stand in golden files.
package gittest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/git"
)

// Repo is a repository with a work tree in a directory of the test's own. Each commit is a minute after the one before.
type Repo struct {
	Dir string

	tb    testing.TB
	clock time.Time
}

// New makes a repository with the branch main and no commit.
func New(tb testing.TB) *Repo {
	tb.Helper()
	r := &Repo{Dir: tb.TempDir(), tb: tb, clock: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	r.Git("init", "-q", "-b", "main", ".")
	return r
}

// Git runs git in the work tree and returns what it prints, without the last newline.
func (r *Repo) Git(args ...string) string {
	r.tb.Helper()
	out, err := r.TryGit(args...)
	if err != nil {
		r.tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TryGit is Git for commands that may fail.
func (r *Repo) TryGit(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", r.Dir}, args...)...)
	cmd.Env = append(Environment(), "GIT_AUTHOR_DATE="+r.stamp(), "GIT_COMMITTER_DATE="+r.stamp())
	out, err := cmd.CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err
}

// Environment is what git needs to give the same objects everywhere.
func Environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Ada Author", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Carl Committer", "GIT_COMMITTER_EMAIL=carl@example.org",
	}
}

func (r *Repo) stamp() string { return fmt.Sprintf("%d +0000", r.clock.Unix()) }

// Write puts a file into the work tree.
func (r *Repo) Write(name, content string) {
	r.tb.Helper()
	path := filepath.Join(r.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		r.tb.Fatal(err)
	}
}

// Commit commits everything in the work tree, also when nothing changed, and returns the commit's name.
func (r *Repo) Commit(message string) git.OID {
	r.tb.Helper()
	r.clock = r.clock.Add(time.Minute)
	r.Git("add", "-A")
	r.Git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message)
	return r.Rev("HEAD")
}

// Rev resolves a revision.
func (r *Repo) Rev(rev string) git.OID {
	r.tb.Helper()
	return git.MustOID(r.Git("rev-parse", "--verify", rev))
}

// Branch makes a branch at a revision and checks it out.
func (r *Repo) Branch(name, at string) {
	r.tb.Helper()
	r.Git("checkout", "-q", "-b", name, at)
}

// Checkout checks a branch out.
func (r *Repo) Checkout(name string) {
	r.tb.Helper()
	r.Git("checkout", "-q", name)
}

// Tag makes an annotated tag of HEAD.
func (r *Repo) Tag(name string) {
	r.tb.Helper()
	r.Git("tag", "-a", "-m", name, name)
}

// CherryPick picks a commit onto the branch that is checked out, keeping author and author date as git does, and returns the new commit.
func (r *Repo) CherryPick(commit git.OID) git.OID {
	r.tb.Helper()
	r.clock = r.clock.Add(time.Minute)
	r.Git("cherry-pick", commit.String())
	return r.Rev("HEAD")
}

// Merge merges a branch with a merge commit of its own and returns it.
func (r *Repo) Merge(branch, message string) git.OID {
	r.tb.Helper()
	r.clock = r.clock.Add(time.Minute)
	r.Git("merge", "-q", "--no-ff", "-m", message, branch)
	return r.Rev("HEAD")
}
