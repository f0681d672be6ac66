package verify

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// DefaultCacheBytes is how much the directory of caches may hold after a job: half of it for verifications, a third for modules, a sixth for
// the builds of releases.
const DefaultCacheBytes = 6 << 30

// The directories of the caches.
const (
	verifyCache = "verify"
	buildCache  = "build"
	moduleCache = "modules"
)

// cacheLock is held shared by every job and alone by whoever trims: what the go program has just found in its cache must not go before it reads it.
const cacheLock = "lock"

// useCache keeps the caches from being trimmed until the file is closed.
func (b *Builder) useCache() (*os.File, error) {
	return lockFile(filepath.Join(b.options.Cache, cacheLock), syscall.LOCK_SH)
}

func lockFile(name string, how int) (*os.File, error) {
	lock, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(lock.Fd()), how)
		if err != syscall.EINTR { //nolint:errorlint // the system call's own
			break
		}
	}
	if err != nil {
		lock.Close()
		return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
	}
	return lock, nil
}

// trimmed trims the caches. A job is not worth less because that failed.
func (b *Builder) trimmed() {
	if err := b.trim(); err != nil {
		b.options.Warn("caches keep more than they should: " + err.Error())
	}
}

// trim takes out of the caches what was not used for longest, until they hold what they may. While another job is at work nothing is taken: that job's end
// does it.
func (b *Builder) trim() error {
	lock, err := lockFile(filepath.Join(b.options.Cache, cacheLock), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	limit, now := b.options.CacheBytes, time.Now() //nolint:forbidigo // how long ago a file was used depends on nothing else
	for name, share := range map[string]int64{verifyCache: limit / 2, moduleCache: limit / 3, buildCache: limit / 6} {
		unit := fileUnit
		if name == moduleCache {
			unit = moduleUnit
		}
		if failed := trimDir(filepath.Join(b.options.Cache, name), share, unit, now); failed != nil {
			err = errors.Join(err, fmt.Errorf("trim the %s cache: %w", name, failed))
		}
	}
	return err
}

// cacheUnit is what a cache gives up as a whole.
type cacheUnit struct {
	name  string   // of a file, or of a directory with more of the unit than files beside it
	files []string // relative to the cache
	bytes int64
	used  time.Time
}

// trimDir brings a cache that holds more than limit bytes down to nine tenths of that. unitOf names the unit of a file; the unit's last use is that of its files, which the
// go program notes as their time of change. A time to come is nobody's use: tests may write to a cache.
func trimDir(dir string, limit int64, unitOf func(name string) string, now time.Time) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory of ours: what a link leads to may be somebody else's", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	units, total, err := cacheUnits(root, unitOf, now)
	if err != nil || total <= limit {
		return err
	}
	slices.SortFunc(units, func(a, b *cacheUnit) int {
		return cmp.Or(a.used.Compare(b.used), strings.Compare(a.files[0], b.files[0]))
	})
	for _, u := range units {
		if total <= limit-limit/10 {
			break
		}
		if err := u.remove(root); err != nil {
			return err
		}
		total -= u.bytes
	}
	return nil
}

// remove takes a unit away. A directory is renamed first: the go program takes one that is there for a whole one.
func (u *cacheUnit) remove(root *os.Root) error {
	if info, err := root.Lstat(u.name); err == nil && info.IsDir() {
		aside := "gone-" + rand.Text()
		if err := root.Rename(u.name, aside); err != nil {
			return err
		}
		if err := root.RemoveAll(aside); err != nil {
			return err
		}
	}
	for _, name := range u.files {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for up := path.Dir(name); up != "." && root.Remove(up) == nil; { // as far as they are empty
			up = path.Dir(up)
		}
	}
	return nil
}

// cacheUnits reads what a cache holds. Directories are made passable first, for tests and the go program make some that are not.
func cacheUnits(root *os.Root, unitOf func(name string) string, now time.Time) (units []*cacheUnit, total int64, err error) {
	known := map[string]*cacheUnit{}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		info, err := d.Info()
		if err != nil {
			return gone(err)
		}
		if d.IsDir() {
			if info.Mode()&0o700 != 0o700 {
				return root.Chmod(name, 0o700)
			}
			return nil
		}
		key := unitOf(name)
		u := known[key]
		if u == nil {
			u = &cacheUnit{name: key}
			known[key] = u
			units = append(units, u)
		}
		u.files = append(u.files, name)
		u.bytes += info.Size()
		if used := info.ModTime(); used.After(u.used) && !used.After(now) {
			u.used = used
		}
		total += info.Size()
		return nil
	})
	return units, total, err
}

// gone passes over what went while the cache was read.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// fileUnit lets every file of a build cache go alone: the go program takes what is not there for not built yet.
func fileUnit(name string) string { return name }

// moduleUnit puts together what belongs to one version of a module: the directory of its files (path@version), and what was downloaded
// (cache/download/path/@v/version.zip); and what belongs to one clone (cache/vcs/name). Its last use is when it came here: the go program notes no other.
func moduleUnit(name string) string {
	if rest, ok := strings.CutPrefix(name, "cache/vcs/"); ok {
		clone, _, _ := strings.Cut(rest, "/")
		return "cache/vcs/" + strings.TrimSuffix(clone, path.Ext(clone))
	}
	if rest, ok := strings.CutPrefix(name, "cache/download/"); ok {
		module, file, ok := strings.Cut(rest, "/@v/")
		if !ok {
			return name
		}
		return module + "@" + strings.TrimSuffix(file, path.Ext(file))
	}
	at := strings.IndexByte(name, '@')
	if at < 0 {
		return name
	}
	if end := strings.IndexByte(name[at:], '/'); end >= 0 {
		return name[:at+end]
	}
	return name
}
