package verify_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// leaving is a test that sets a process apart and ends.
const leaving = `
-- go.mod --
module example.com/leaving

go 1.21
-- a.go --
package a
-- a_test.go --
package a

import (
	"os/exec"
	"syscall"
	"testing"
)

func TestLeaving(t *testing.T) {
	cmd := exec.Command("sleep", "SECONDS")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}
`

// TestNothingOutlivesAVerification: a process that a test sets apart is gone when the verification is done.
func TestNothingOutlivesAVerification(t *testing.T) {
	seconds := fmt.Sprintf("901.%d", os.Getpid())
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, strings.ReplaceAll(leaving, "SECONDS", seconds), "", "", "a.go"))
	if err != nil {
		t.Fatal(err)
	}
	if v.Tests != 1 || !v.Passed() || len(v.Notes) > 0 {
		t.Errorf("%d tests, notes %q, %+v", v.Tests, v.Notes, v.New)
	}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if line, err := os.ReadFile(f); err == nil && string(line) == "sleep\x00"+seconds+"\x00" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			syscall.Kill(pid, syscall.SIGKILL)
			t.Errorf("process %d is still there", pid)
		}
	}
}
