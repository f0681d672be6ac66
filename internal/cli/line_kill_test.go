package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/gittest"
)

// rig is a small upstream with a project, and the program as a child process.
type rig struct {
	t     *testing.T
	root  string // holds clone and proj
	cache string // the user's cache directory
	env   []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, root: t.TempDir(), cache: filepath.Join(cache, "kubelts-test")}
	r.env = append(gittest.Environment(), "XDG_CACHE_HOME="+r.cache)
	r.shell("sh " + fixture(t, "widget.sh") + " && mkdir proj")
	r.must("line", "init", "1.0", "--base", "v1.0.1", "--repo", "../clone", "--toolchain", "local")
	return r
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", "fixture", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *rig) shell(script string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = r.root, r.env
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// kubelts is the program, not started: this test binary under another name.
func (r *rig) kubelts(project string, args ...string) *exec.Cmd {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.CommandContext(r.t.Context(), self)
	cmd.Args = append([]string{"kubelts"}, args...)
	cmd.Dir, cmd.Env = filepath.Join(r.root, project), r.env
	return cmd
}

// must runs the program in the project proj; the exit status 3 is as good as 0.
func (r *rig) must(args ...string) {
	r.t.Helper()
	r.mustIn("proj", args...)
}

func (r *rig) mustIn(project string, args ...string) string {
	r.t.Helper()
	out, err := r.kubelts(project, args...).CombinedOutput()
	if exit := new(exec.ExitError); err != nil && (!asExit(err, &exit) || exit.ExitCode() != 3) {
		r.t.Fatalf("kubelts %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func asExit(err error, into **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError) //nolint:errorlint // exec returns it unwrapped
	if ok {
		*into = e
	}
	return ok
}

// copy makes a project that is a copy of another, private state included.
func (r *rig) copy(from, to string) { r.shell("rm -rf " + to + " && cp -a " + from + " " + to) }

// files are the files of a project that people review, with their content. Private state is left out.
func (r *rig) files(project string) map[string]string {
	r.t.Helper()
	found := map[string]string{}
	dir := filepath.Join(r.root, project)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			if name == ".kubelts" {
				return filepath.SkipDir
			}
			return nil
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// refs are the refs of a project's own store.
func (r *rig) refs(project string) string {
	r.t.Helper()
	out, err := exec.CommandContext(r.t.Context(), "git", "-C", filepath.Join(r.root, project, ".kubelts", "store.git"), "for-each-ref").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	return string(out)
}

// kills is how often each test kills, more when KUBELTS_TEST_KILLS says so.
func kills(t *testing.T, otherwise int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("KUBELTS_TEST_KILLS"))
	if err != nil {
		return otherwise
	}
	return n
}

// killed runs a command again and again on copies of the project "from", each time killed at a random moment, and checks that the project can be read and
// that a rerun gives what the undisturbed run gave.
func (r *rig) killed(from string, times int, args ...string) {
	r.t.Helper()
	r.copy(from, "undisturbed")
	start := time.Now()
	r.mustIn("undisturbed", args...)
	whole := time.Since(start)
	want, wantRefs := r.files("undisturbed"), r.refs("undisturbed")
	midway := 0
	for i := range times {
		r.copy(from, "killed")
		cmd := r.kubelts("killed", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			r.t.Fatal(err)
		}
		moment := time.Duration((float64(i) + rand.Float64()) / float64(times) * float64(whole))
		time.Sleep(moment)
		if err := syscall.Kill(cmd.Process.Pid, syscall.SIGKILL); err != nil {
			r.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			midway++
		}
		r.mustIn("killed", "line", "status")
		r.mustIn("killed", args...)
		if diff := cmp.Diff(want, r.files("killed")); diff != "" {
			r.t.Fatalf("killed after %v of %v, the rerun gives other files (-undisturbed +rerun):\n%s", moment, whole, diff)
		}
		if diff := cmp.Diff(wantRefs, r.refs("killed")); diff != "" {
			r.t.Fatalf("killed after %v of %v, the rerun gives other refs (-undisturbed +rerun):\n%s", moment, whole, diff)
		}
		if left, err := filepath.Glob(filepath.Join(r.root, "killed", ".kubelts", "work", "*")); err != nil || len(left) > 0 {
			r.t.Fatalf("killed after %v of %v, the rerun left %v (%v)", moment, whole, left, err)
		}
	}
	r.t.Logf("%s: %d of %d runs of %v were killed midway", strings.Join(args, " "), midway, times, whole.Round(time.Millisecond))
}

func TestKilledUpdate(t *testing.T) {
	r := newRig(t)
	r.shell("cd proj && sh " + fixture(t, "records.sh"))
	r.killed("proj", kills(t, 6), "line", "update", "1.0", "--at", "2026-11-22")
}

func TestKilledRelease(t *testing.T) {
	r := newRig(t)
	r.shell("cd proj && sh " + fixture(t, "records.sh") + " open")
	r.must("line", "update", "1.0", "--at", "2026-11-22")
	r.must("line", "decide", "1.0", "verification", "--author", "Ada Author <ada@example.org>", "--reason", "a test of releases", "--at", "2026-11-22")
	r.killed("proj", kills(t, 2), "line", "release", "1.0", "--at", "2026-11-22")
}

// TestKilledResolve: a killed resolve leaves the project as it was, or as it is to be, with the record in memory/.
func TestKilledResolve(t *testing.T) {
	r := newRig(t)
	r.shell("cd proj && sh " + fixture(t, "records.sh"))
	if err := r.kubelts("proj", "line", "update", "1.0", "--at", "2026-11-22").Run(); err == nil {
		t.Fatal("the update left no conflict")
	}
	r.shell(`sed -i -e '/^<<<<<<<\|^|||||||\|^=======\|^>>>>>>>\|"closed"\|"shut"/d' proj/lines/1.0/conflicts/1-1d475fba79/files/door/door.go`)
	resolve := []string{"line", "resolve", "1.0", "--author", "Ada Author <ada@example.org>", "--reason", "the words of 1.0", "--at", "2026-11-22"}
	before := r.files("proj")
	r.copy("proj", "undisturbed")
	start := time.Now()
	r.mustIn("undisturbed", resolve...)
	whole, after := time.Since(start), r.files("undisturbed")
	recorded, err := filepath.Glob(filepath.Join(r.root, "undisturbed", "memory", "*.resolution"))
	if err != nil || len(recorded) != 1 {
		t.Fatalf("recorded %v, %v", recorded, err)
	}
	times := kills(t, 6)
	for i := range times {
		r.copy("proj", "killed")
		cmd := r.kubelts("killed", resolve...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration((float64(i) + rand.Float64()) / float64(times) * float64(whole)))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed, or was done before
		r.mustIn("killed", "line", "status")
		got := r.files("killed")
		if cmp.Equal(before, got) {
			r.mustIn("killed", resolve...)
			got = r.files("killed")
		}
		if diff := cmp.Diff(after, got); diff != "" {
			t.Fatalf("neither as before nor as after (-after +got):\n%s", diff)
		}
	}
}

// TestInterruptedRecord: a journal with a record is finished, one that would write beside the records is not.
func TestInterruptedRecord(t *testing.T) {
	r := newRig(t)
	journal := func(name string) {
		content, err := json.Marshal(map[string]any{"writes": []map[string]any{{"name": name, "content": []byte("x")}}})
		if err == nil {
			err = os.WriteFile(filepath.Join(r.root, "proj", ".kubelts", "journal.json"), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	journal("memory/0123456789abcdef0123.resolution")
	r.must("line", "status")
	if _, ok := r.files("proj")["memory/0123456789abcdef0123.resolution"]; !ok {
		t.Error("the record of the journal is not there")
	}
	for _, name := range []string{"memory/x/y.resolution", "memory/.git/config", "memory/hook", "memory/../x.resolution"} {
		journal(name)
		if out, err := r.kubelts("proj", "line", "status").CombinedOutput(); err == nil || !strings.Contains(string(out), "writes") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// TestInterruptedChange begins where a run was killed between the journal and the last file.
func TestInterruptedChange(t *testing.T) {
	r := newRig(t)
	r.shell("cd proj && sh " + fixture(t, "records.sh"))
	r.copy("proj", "undisturbed")
	r.mustIn("undisturbed", "line", "update", "1.0", "--at", "2026-11-22")
	want := r.files("undisturbed")
	r.copy("undisturbed", "half")
	interrupt(t, filepath.Join(r.root, "half"))
	if out := r.mustIn("half", "line", "status"); !strings.Contains(out, "1 fixed, 1 affected") {
		t.Errorf("status of an interrupted project:\n%s", out)
	}
	if diff := cmp.Diff(want, r.files("half")); diff != "" {
		t.Errorf("recovered files (-want +got):\n%s", diff)
	}
}

// interrupt makes a project as a killed update leaves it: the journal is written, some of its files are not in their places yet.
func interrupt(t *testing.T, project string) {
	t.Helper()
	type write struct {
		Name    string `json:"name"`
		Content []byte `json:"content"`
	}
	var writes []write
	for _, name := range []string{
		"lines/1.0/series", "lines/1.0/ledger.yaml", "lines/1.0/patches/0001-Open-for-sesame-only.patch",
		"lines/1.0/conflicts/1-1d475fba79/conflict.yaml", "lines/1.0/conflicts/1-1d475fba79/files/door/door.go",
	} {
		content, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			t.Fatal(err)
		}
		writes = append(writes, write{name, content})
	}
	journal, err := json.Marshal(map[string]any{"writes": writes, "removes": []string{"lines/1.0/conflicts/1-1d475fba79"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(project, ".kubelts", "journal.json"), journal, 0o644),
		os.Remove(filepath.Join(project, "lines/1.0/ledger.yaml")),
		os.Remove(filepath.Join(project, "lines/1.0/conflicts/1-1d475fba79/conflict.yaml")),
		os.WriteFile(filepath.Join(project, "lines/1.0/series"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoRunsExcludeOneAnother(t *testing.T) {
	r := newRig(t)
	lock, err := os.OpenFile(filepath.Join(r.root, "proj", ".kubelts", "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	out, err := r.kubelts("proj", "line", "update", "1.0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another run of kubelts is at work") {
		t.Errorf("%v: %s", err, out)
	}
	r.must("line", "status")
}

// TestNothingHalfWritten runs updates that cannot write: as somebody without the right to, and with a file size limit in place of a full disk.
func TestNothingHalfWritten(t *testing.T) {
	r := newRig(t)
	r.shell("cd proj && sh " + fixture(t, "records.sh"))
	before := r.files("proj")
	t.Run("read-only", func(t *testing.T) {
		cmd := r.kubelts("proj", "line", "update", "1.0", "--at", "2026-11-22")
		if os.Getuid() == 0 {
			// Root may write anywhere; so somebody else tries, with a copy of this program that he can reach.
			r.shell("chmod 755 . .. && cp " + cmd.Path + " kubelts && chmod 755 kubelts")
			cmd.Path = filepath.Join(r.root, "kubelts")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		} else {
			r.shell("chmod -R a-w proj")
			defer r.shell("chmod -R u+w proj")
		}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "permission denied") {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("full", func(t *testing.T) {
		inner := r.kubelts("proj", "line", "update", "1.0", "--at", "2026-11-22")
		script := fmt.Sprintf(`trap "" XFSZ; ulimit -f 0; exec -a kubelts %q line update 1.0 --at 2026-11-22`, inner.Path)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
		cmd.Dir, cmd.Env = inner.Dir, inner.Env
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err == nil {
			t.Errorf("it succeeded: %s", out.String())
		}
	})
	if diff := cmp.Diff(before, r.files("proj")); diff != "" {
		t.Errorf("files changed (-before +after):\n%s", diff)
	}
	r.must("line", "update", "1.0", "--at", "2026-11-22")
}
