package gitrepo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// viewPrefix begins the names of views in the temporary directory, ownerFile is the file in each that its owner holds a lock on.
const (
	viewPrefix = "kubelts-view-"
	ownerFile  = "owner"
)

// A view is left alone while it is young: its owner may be about to lock it. One without a lock file is of a version that had none.
const (
	youngView = time.Minute
	oldView   = 24 * time.Hour
)

// makeView makes a directory for a view, and locks it until the file is closed or the process has ended, however it ends.
func makeView() (dir string, owner *os.File, err error) {
	if dir, err = os.MkdirTemp("", viewPrefix); err != nil {
		return "", nil, err
	}
	owner, err = os.OpenFile(filepath.Join(dir, ownerFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = syscall.Flock(int(owner.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		os.RemoveAll(dir) // the first error is the one to report
		return "", nil, fmt.Errorf("make view: %w", err)
	}
	return dir, owner, nil
}

// sweepViews removes views whose owners are gone: runs that were killed. What cannot be looked at is left.
func sweepViews(temp string, now time.Time) {
	entries, err := os.ReadDir(temp)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), viewPrefix) && e.IsDir() {
			sweepView(filepath.Join(temp, e.Name()), now)
		}
	}
}

func sweepView(dir string, now time.Time) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	age := now.Sub(info.ModTime())
	if !ok || int(stat.Uid) != os.Getuid() || age < youngView {
		return
	}
	owner, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if os.IsNotExist(err) {
		if age > oldView {
			os.RemoveAll(dir) // what stays is swept another time
		}
		return
	}
	if err != nil {
		return
	}
	defer owner.Close()
	if syscall.Flock(int(owner.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		os.RemoveAll(dir) // likewise
	}
}
