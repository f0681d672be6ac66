//go:build !linux

package command

import (
	"runtime"
	"syscall"

	"github.com/kubelts/kubelts/internal/errs"
)

// isolation gives a program a process group of its own. Namespaces are Linux': elsewhere limits that need them are an error, for a promise
// that cannot be kept must not look kept.
func isolation(l Limits) (*syscall.SysProcAttr, error) {
	if l.NoNetwork {
		return nil, errs.WithHint(errs.New(errs.Unavailable, "run without a network: not possible on %s", runtime.GOOS),
			"run it on Linux, or allow the network with --network")
	}
	if len(l.Hide) > 0 {
		return nil, errs.New(errs.Unavailable, "run with hidden directories: not possible on %s", runtime.GOOS)
	}
	if l.Contain {
		return nil, errs.New(errs.Unavailable, "run in a process namespace: not possible on %s", runtime.GOOS)
	}
	return &syscall.SysProcAttr{Setpgid: true}, nil
}
