package command_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
)

func TestRunGivesOnlyTheNamedEnvironment(t *testing.T) {
	t.Setenv("KUBELTS_SECRET", "leaked")
	out, err := new(command.Runner).Run(t.Context(), command.Cmd{Argv: []string{"/usr/bin/env"}, Env: []string{"A=1"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out); got != "A=1\n" {
		t.Errorf("environment %q, want only A=1", got)
	}
}

func TestErrorSaysWhatRanAndWhy(t *testing.T) {
	_, err := new(command.Runner).Run(t.Context(), command.Cmd{Argv: []string{"sh", "-c", "echo it broke >&2; exit 7"}})
	failed, ok := errors.AsType[*command.Error](err)
	if !ok {
		t.Fatalf("error %v is no *command.Error", err)
	}
	if failed.ExitStatus != 7 || !strings.Contains(err.Error(), "it broke") || !strings.Contains(err.Error(), `sh -c 'echo it broke >&2; exit 7'`) {
		t.Errorf("exit status %d, error %q", failed.ExitStatus, err)
	}
}

func TestOutputIsBounded(t *testing.T) {
	_, err := new(command.Runner).Run(t.Context(), command.Cmd{Argv: []string{"sh", "-c", "yes"}, Limits: command.Limits{Output: 1000}})
	if err == nil || !strings.Contains(err.Error(), "more than 1000 bytes") {
		t.Errorf("error %v, want the bound named", err)
	}
}

func TestTimeIsBoundedAndChildrenDie(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	_, err := new(command.Runner).Run(t.Context(), command.Cmd{
		Argv:   []string{"sh", "-c", "sleep 600 & echo $! > " + pidFile + "; wait"},
		Limits: command.Limits{Time: 300 * time.Millisecond},
	})
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("error %v, want kind unavailable", err)
	}
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("child %s outlived its parent", pid)
}

func TestMemoryIsBounded(t *testing.T) {
	argv := []string{"bash", "-c", "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}"}
	if _, err := new(command.Runner).Run(t.Context(), command.Cmd{Argv: argv, Env: command.Environ("PATH"), Limits: command.Limits{Memory: 100 << 20}}); err == nil {
		t.Error("300 MB were taken under a limit of 100 MB")
	}
}

func TestNoNetwork(t *testing.T) {
	out, err := new(command.Runner).Run(t.Context(), command.Cmd{
		Argv: []string{"cat", "/proc/self/net/dev"}, Limits: command.Limits{NoNetwork: true},
	})
	if errors.Is(err, syscall.EPERM) {
		t.Fatalf("this machine allows no network namespace: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(out), ":"); got != 1 {
		t.Errorf("%d interfaces are visible, want loopback only:\n%s", got, out)
	}
}

func TestReaderStopsTheProgram(t *testing.T) {
	stop := errors.New("seen enough")
	err := new(command.Runner).Stream(t.Context(), command.Cmd{Argv: []string{"yes"}}, func(r io.Reader) error {
		if _, err := r.Read(make([]byte, 10)); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want the reader's own", err)
	}
}

func TestTraceCanBePasted(t *testing.T) {
	var trace bytes.Buffer
	r := &command.Runner{Trace: &trace}
	argv := []string{"printf", "%s|", "it's", "a b", "", "$HOME", "ü"}
	want, err := r.Run(t.Context(), command.Cmd{Argv: argv, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimPrefix(strings.TrimSpace(trace.String()), "+ ")
	got, err := r.Run(context.WithoutCancel(t.Context()), command.Cmd{Argv: []string{"sh", "-c", line}})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("pasting %q printed %q, %v; want %q", line, got, err, want)
	}
}

func TestMissingProgramHasAHint(t *testing.T) {
	_, err := new(command.Runner).Run(t.Context(), command.Cmd{Argv: []string{"no-such-program-kubelts"}})
	if !errs.Is(err, errs.Unavailable) || len(errs.Hints(err)) == 0 {
		t.Errorf("error %v with hints %v", err, errs.Hints(err))
	}
}

func TestMergeKeepsTheOrder(t *testing.T) {
	out, err := new(command.Runner).Run(t.Context(), command.Cmd{Argv: []string{"sh", "-c", "echo 1; echo 2 >&2; echo 3"}, Merge: true})
	if err != nil || string(out) != "1\n2\n3\n" {
		t.Errorf("output %q, %v", out, err)
	}
}

func TestLoopbackIsTheOnlyNetwork(t *testing.T) {
	script := `exec 3</dev/tcp/127.0.0.1/9 2>/dev/null || true; cat /proc/self/net/fib_trie; grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status`
	out, err := new(command.Runner).Run(t.Context(), command.Cmd{
		Argv: []string{"bash", "-c", script}, Env: command.Environ("PATH"), Limits: command.Limits{NoNetwork: true, Loopback: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := string(out)
	if !strings.Contains(got, "127.0.0.1") || strings.Count(got, "0000000000000000") != 2 || !strings.Contains(got, "NoNewPrivs:\t1") {
		t.Errorf("no loopback, or capabilities are left:\n%s", got)
	}
	for line := range strings.Lines(got) {
		if _, addr, ok := strings.Cut(line, "|-- "); ok && !strings.HasPrefix(addr, "127.") && !strings.HasPrefix(addr, "0.0.0.0") {
			t.Errorf("an address beside loopback: %s", line)
		}
	}
}

func TestHiddenDirectoriesAreEmpty(t *testing.T) {
	home, stages := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", stages)
	for _, name := range []string{"secret", "job/in", "cache/mod/zip"} {
		if err := os.MkdirAll(filepath.Join(home, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	script := `pwd; find . .. -type f | sort -u; echo done > out; echo x > ../cache/mod/new || echo read-only
		umount ` + home + ` && echo uncovered; cat ` + home + `/secret; ls -A ` + home
	out, err := new(command.Runner).Run(t.Context(), command.Cmd{
		Argv: []string{"bash", "-c", script}, Dir: filepath.Join(home, "job"), Env: command.Environ("PATH"),
		Limits: command.Limits{Hide: []string{home, filepath.Join(home, "cache"), "/tmp", "/root", "/no/such/directory"}, Keep: []string{filepath.Join(home, "job")}, KeepReadOnly: []string{filepath.Join(home, "cache/mod")}},
	})
	if failed, ok := errors.AsType[*command.Error](err); ok && strings.Contains(failed.Stderr, "mount:") {
		t.Fatalf("this machine allows no mount namespace: %v", err)
	}
	want := filepath.Join(home, "job") + "\n../cache/mod/zip\n../job/in\n./in\nread-only\ncache\njob\n"
	if string(out) != want {
		t.Errorf("the program saw %q, want %q", out, want)
	}
	if got, err := os.ReadFile(filepath.Join(home, "job/out")); err != nil || string(got) != "done\n" {
		t.Errorf("what was written into a kept directory: %q, %v", got, err)
	}
	if left, err := os.ReadDir(stages); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
