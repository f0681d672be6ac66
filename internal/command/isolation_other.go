//go:build !linux

package command

import (
	"runtime"
	"syscall"

	"github.com/kubelts/kubelts/internal/errs"
)

// isolation gives a program a process group of its own. Network namespaces are Linux': elsewhere noNetwork is an error, for a promise that
// cannot be kept must not look kept.
func isolation(noNetwork bool) (*syscall.SysProcAttr, error) {
	if noNetwork {
		return nil, errs.WithHint(errs.New(errs.Unavailable, "run without a network: not possible on %s", runtime.GOOS),
			"run it on Linux, or allow the network with --network")
	}
	return &syscall.SysProcAttr{Setpgid: true}, nil
}
