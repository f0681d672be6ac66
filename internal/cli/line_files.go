package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// tempDir takes the files that are being written, so that a killed run leaves nothing half-written among those that people review.
const tempDir = upkeep.PrivateDir + "/tmp"

// projectFiles implements [upkeep.Files] on a directory, out of which no link leads.
type projectFiles struct {
	dir  string // absolute
	root *os.Root
	lock *os.File // nil while the project is not locked
	temp string   // takes the files that are being written
}

// openFiles opens a project's directory.
func openFiles(dir string) (*projectFiles, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "project %q: %w", dir, unwrapPath(err)), "make the directory first, or name another with --project")
	}
	return &projectFiles{dir: abs, root: root, temp: tempDir}, nil
}

// openState opens the directory in which the user's cache keeps what runs leave to later ones of the project at dir. It is named for the project's real path, so
// a project that was moved or came from elsewhere has none.
func openState(dir string) (*projectFiles, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	cache, err := userCache()
	if err != nil {
		return nil, err
	}
	name := sha256.Sum256([]byte(real))
	at := filepath.Join(cache, "projects", hex.EncodeToString(name[:16]))
	if err = os.MkdirAll(at, 0o700); err != nil {
		return nil, err
	}
	state, err := openFiles(at)
	if err == nil {
		state.temp = "tmp"
	}
	return state, err
}

// userCache is where this program keeps what it can make again, outside of projects.
func userCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", errs.WithHint(errs.New(errs.Unavailable, "find the cache directory: %w", err), "set XDG_CACHE_HOME")
	}
	return filepath.Join(dir, "kubelts"), nil
}

// unwrapPath leaves the path out that the message has already.
func unwrapPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Close gives the lock up.
func (f *projectFiles) Close() error {
	err := f.root.Close()
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
	}
	return err
}

// Lock keeps other runs out until Close, and sweeps up what a killed run left in the private directory.
func (f *projectFiles) Lock() error {
	if err := f.noLinks(); err != nil {
		return err
	}
	if err := f.MakeDir(upkeep.PrivateDir); err != nil {
		return fmt.Errorf("lock project: %w", err)
	}
	lock, err := f.root.OpenFile(upkeep.PrivateDir+"/lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock project: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return errs.WithHint(errs.New(errs.Conflict, "another run of kubelts is at work in %s", f.dir), "wait until it has ended")
	}
	f.lock = lock
	if err := f.Remove(tempDir); err != nil {
		return err
	}
	return f.sweepStore()
}

// noLinks refuses a private directory with symbolic links in places where git and the go program are told to write: a project comes from
// somebody, and they would follow a link out of it.
func (f *projectFiles) noLinks() error {
	for _, dir := range []string{".", upkeep.PrivateDir, upkeep.StoreDir, upkeep.StoreDir + "/objects", upkeep.StoreDir + "/refs"} {
		entries, err := fs.ReadDir(f.root.FS(), dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lock project: %w", err)
		}
		for _, e := range entries {
			if e.Type()&fs.ModeSymlink != 0 && (dir != "." || e.Name() == upkeep.PrivateDir) {
				name := path.Join(dir, e.Name())
				return errs.WithHint(errs.New(errs.Denied, "%s is a symbolic link", name), "remove %s: it is private state that kubelts makes itself", upkeep.PrivateDir)
			}
		}
	}
	return nil
}

// sweepStore removes the lock files that a killed git left among the refs of the project's own store. Nobody else works there: we have the project's lock.
func (f *projectFiles) sweepStore() error {
	var stale []string
	err := fs.WalkDir(f.root.FS(), upkeep.StoreDir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && name == upkeep.StoreDir+"/objects":
			return fs.SkipDir
		case strings.HasSuffix(name, ".lock"):
			stale = append(stale, name)
		}
		return nil
	})
	for _, name := range stale {
		err = errors.Join(err, f.root.Remove(name))
	}
	return err
}

// Path implements [upkeep.Files].
func (f *projectFiles) Path(name string) string {
	return filepath.Join(f.dir, filepath.FromSlash(name))
}

// Read implements [upkeep.Files].
func (f *projectFiles) Read(name string, limit int64) ([]byte, error) {
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would keep us waiting for its writer
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, statErr := file.Stat(); statErr != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(statErr, errs.New(errs.Invalid, "%s: is no regular file", name))
	}
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = errs.New(errs.Invalid, "%s: larger than %d bytes", name, limit)
	}
	return content, err
}

// Write implements [upkeep.Files].
func (f *projectFiles) Write(name string, content []byte) error {
	if err := f.write(name, content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (f *projectFiles) write(name string, content []byte) error {
	for _, dir := range []string{f.temp, path.Dir(name)} {
		if err := f.MakeDir(dir); err != nil {
			return err
		}
	}
	temp := f.temp + "/" + rand.Text()
	file, err := f.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if shut := file.Close(); err == nil {
		err = shut
	}
	if err == nil {
		err = f.root.Rename(temp, name)
	}
	if err != nil {
		f.root.Remove(temp) //nolint:errcheck // the first error is the one to report
	}
	return err
}

// Rename implements [upkeep.Files].
func (f *projectFiles) Rename(from, to string) error {
	if _, err := f.root.Lstat(to); err == nil {
		return errs.New(errs.Conflict, "%s is there already", to)
	}
	if err := f.MakeDir(path.Dir(to)); err != nil {
		return err
	}
	return f.root.Rename(from, to)
}

// Remove implements [upkeep.Files].
func (f *projectFiles) Remove(name string) error {
	info, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		err = f.unprotect(name)
	}
	if err != nil {
		return err
	}
	return f.root.RemoveAll(name)
}

// unprotect makes directories writable: go writes its caches and some trees read-only.
func (f *projectFiles) unprotect(name string) error {
	return fs.WalkDir(f.root.FS(), name, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			if info, infoErr := d.Info(); infoErr == nil && info.Mode()&0o700 != 0o700 {
				return f.root.Chmod(at, 0o700)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// List implements [upkeep.Files].
func (f *projectFiles) List(dir string) ([]string, error) {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name()+"/")
			continue
		}
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// MakeDir implements [upkeep.Files].
func (f *projectFiles) MakeDir(dir string) error { return f.root.MkdirAll(dir, 0o755) }

// Digest implements [upkeep.Files].
func (f *projectFiles) Digest(name string) (string, int64, error) {
	if info, err := f.root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return "", 0, cmp.Or(err, errs.New(errs.Invalid, "%s: is no regular file", name))
	}
	file, err := f.root.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	h := sha256.New()
	size, err := io.Copy(h, file)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// Export implements [upkeep.Files].
func (f *projectFiles) Export(ctx context.Context, objects git.Objects, tree git.OID, dir string, leaveOut ...string) error {
	if err := f.Remove(dir); err != nil {
		return err
	}
	if err := f.MakeDir(dir); err != nil {
		return err
	}
	return gitrepo.Export(ctx, objects, tree, f.Path(dir), leaveOut...)
}
