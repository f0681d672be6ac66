package command

import (
	"os"
	"syscall"
)

// isolation gives a program a process group of its own, so that it can be killed with all its children and dies with us; with
// noNetwork also a network namespace that has no interface but an unconfigured loopback.
func isolation(noNetwork bool) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if !noNetwork {
		return attr, nil
	}
	attr.Cloneflags = syscall.CLONE_NEWNET
	if uid := os.Getuid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		gid := os.Getgid()
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	}
	return attr, nil
}
