package command

import (
	"os"
	"syscall"

	"github.com/kubelts/kubelts/internal/errs"
)

// isolation gives a program a process group of its own, so that it can be killed with all its children and dies with us; where the
// limits say so also a network namespace that has no interface but an unconfigured loopback, and mounts of its own.
func isolation(l Limits) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if l.NoNetwork {
		attr.Cloneflags |= syscall.CLONE_NEWNET
	}
	if len(l.Hide) > 0 {
		attr.Cloneflags |= syscall.CLONE_NEWNS
	}
	if l.Contain {
		if len(l.Hide) == 0 {
			return nil, errs.New(errs.Internal, "a process namespace without mounts of its own")
		}
		attr.Cloneflags |= syscall.CLONE_NEWPID
	}
	if uid := os.Getuid(); uid != 0 && attr.Cloneflags != 0 {
		gid := os.Getgid()
		inside := [2]int{uid, gid}
		if l.sandboxed() {
			inside = [2]int{} // mount(8) and ip(8) work for uid 0 only
		}
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: inside[0], HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: inside[1], HostID: gid, Size: 1}}
	}
	return attr, nil
}
