//go:build !linux

package clustertest

import (
	"os/exec"
	"testing"
)

// dieWithParent does nothing here: only the end of the test ends its programs.
func dieWithParent(*exec.Cmd) {}

// InNamespace needs Linux.
func InNamespace(t *testing.T, _ ...string) bool {
	t.Helper()
	t.Fatal("network namespaces need Linux")
	return false
}
