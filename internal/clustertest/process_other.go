//go:build !linux

package clustertest

import "syscall"

// dieWithParent does nothing here: only the end of the test ends its programs.
func dieWithParent() *syscall.SysProcAttr { return nil }
