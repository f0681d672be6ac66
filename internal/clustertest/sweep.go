package clustertest

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// unused is how long a built program is kept that no test uses: one of other versions, or of pins that have changed since.
const unused = 30 * 24 * time.Hour

// sweep removes from a folder the programs that were not used for long before a time, and what lies beside them. One that is being built or waited for stays. What cannot
// be removed is left for another time.
func sweep(dir string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		program, isLock := strings.CutSuffix(e.Name(), ".lock")
		if !isLock || !strings.HasPrefix(program, "kube") {
			continue
		}
		name := filepath.Join(dir, program)
		if info, err := newest(name, name+".lock"); err != nil || now.Sub(info.ModTime()) < unused {
			continue
		}
		remove(name)
	}
}

// newest is what is known of the file that was used last, of those that are there.
func newest(names ...string) (last os.FileInfo, err error) {
	for _, name := range names {
		info, statErr := os.Stat(name)
		switch {
		case statErr != nil:
			err = statErr
		case last == nil || info.ModTime().After(last.ModTime()):
			last = info
		}
	}
	if last != nil {
		return last, nil
	}
	return nil, err
}

// remove takes a program away, unless somebody holds its lock.
func remove(name string) {
	lock, err := os.OpenFile(name+".lock", os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return
	}
	for _, end := range []string{"", ".new", ".log", ".lock"} {
		os.Remove(name + end) // what is not there, or cannot be removed, is no harm
	}
}
