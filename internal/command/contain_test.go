//go:build linux

package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/kubelts/kubelts/internal/command"
)

// running are the processes of this machine with these arguments.
func running(t *testing.T, argv ...string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err == nil && string(line) == strings.Join(argv, "\x00")+"\x00" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			found = append(found, pid)
		}
	}
	return found
}

// TestContainedProcessesEnd: what a program set apart ends with it, and it saw nobody else's processes.
func TestContainedProcessesEnd(t *testing.T) {
	for _, contain := range []bool{false, true} {
		t.Run(strconv.FormatBool(contain), func(t *testing.T) {
			sleep := []string{"sleep", fmt.Sprintf("600.%d", os.Getpid())}
			script := "setsid -f " + strings.Join(sleep, " ") + " </dev/null >/dev/null 2>&1; while ! grep -qsx 'sleep.*" + sleep[1] + ".*' -a /proc/*/cmdline; do :; done; ls /proc | grep -c '^[0-9]'"
			out, err := new(command.Runner).Run(t.Context(), command.Cmd{
				Argv: []string{"bash", "-c", script}, Env: command.Environ("PATH"), Limits: command.Limits{Hide: []string{"/root"}, Contain: contain},
			})
			left := running(t, sleep...)
			for _, pid := range left {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			if err != nil {
				t.Fatal(err)
			}
			if contain && len(left) > 0 || !contain && len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
			if seen, err := strconv.Atoi(strings.TrimSpace(string(out))); contain && (err != nil || seen > 5) {
				t.Errorf("it saw %q processes", out)
			}
		})
	}
}
