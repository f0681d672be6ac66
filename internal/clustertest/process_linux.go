package clustertest

import "syscall"

// dieWithParent lets the kernel end a program when its parent dies, so that a test that is killed leaves nothing behind.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
