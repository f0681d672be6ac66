package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
)

// How the cache stays small. Ages are by the file system's clock.
const (
	indexSuffix  = ".index"
	maxIndexes   = 2 << 30             // bytes of all files together; those that were used longest ago go first
	usedDaily    = 24 * time.Hour      // a file that is used is marked so at most this often
	oldTemporary = time.Hour           // a file that is being written is renamed long before
	oldOrphan    = 48 * time.Hour      // of a clone that is gone
	oldFormat    = 14 * 24 * time.Hour // of another version, or damaged
	oldIndex     = 90 * 24 * time.Hour // of any clone
	placeSize    = 32 << 10            // bytes at a file's begin that name its place
)

// indexFile is the cache's file for one clone. It takes no lock: a file is put in place at once, so who reads has a whole one, and of two who write the last one
// is kept.
type indexFile struct {
	cache      IndexCache
	name       string
	place      string // the clone's object directory
	repository string
	opened     time.Time

	found os.FileInfo // as this run found or left it; nil when there was none
	noted bool
}

func (f *indexFile) note(format string, args ...any) {
	if f.cache.Note != nil {
		f.cache.Note(fmt.Sprintf(format, args...))
	}
}

// load reads the cache; an empty table when there is none that can be used.
func (f *indexFile) load() *equiv.Table {
	data, err := f.read()
	var table *equiv.Table
	if err == nil {
		table, err = equiv.Decode(data, f.place, f.repository)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return equiv.NewTable(f.repository)
	}
	if err != nil {
		f.note("the index %s is made anew: %v", f.name, err)
		return equiv.NewTable(f.repository)
	}
	if f.opened.Sub(f.found.ModTime()) > usedDaily && os.Chtimes(f.name, f.opened, f.opened) == nil {
		f.look()
	}
	return table
}

// read returns the file's content. What another person could have written is refused: it would decide what is called fixed.
func (f *indexFile) read() ([]byte, error) {
	// Not to wait for who writes into a pipe, nor to be led elsewhere by a link.
	file, err := os.OpenFile(f.name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f.found = info
	switch {
	case !info.Mode().IsRegular() || info.Size() > equiv.MaxSize:
		return nil, errs.New(errs.Invalid, "no file, or one of more than %d bytes", equiv.MaxSize)
	case !ours(info) || info.Mode().Perm()&0o022 != 0:
		return nil, errs.New(errs.Invalid, "others can write it")
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return data, nil
}

func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func (f *indexFile) look() {
	info, err := os.Lstat(f.name)
	if err != nil {
		info = nil
	}
	f.found = info
}

// checkpoint keeps what was read so far, unless another run has put a file in place meanwhile: that one may have more.
func (f *indexFile) checkpoint(t *equiv.Table) {
	info, err := os.Lstat(f.name)
	switch {
	case f.found == nil && err == nil:
	case f.found != nil && (err != nil || !os.SameFile(info, f.found) || !info.ModTime().Equal(f.found.ModTime()) || info.Size() != f.found.Size()):
	default:
		f.write(t)
	}
}

// save writes the cache, and removes from it what nobody needs any more.
func (f *indexFile) save(t *equiv.Table) {
	if f.write(t); f.found != nil {
		sweepIndexes(filepath.Dir(f.name), filepath.Base(f.name), f.found.ModTime())
	}
}

// write writes the file. That it cannot be written costs time only, and is said once.
func (f *indexFile) write(t *equiv.Table) {
	err := os.MkdirAll(filepath.Dir(f.name), 0o700)
	if err == nil {
		data := t.Encode(f.place)
		if len(data) > equiv.MaxSize {
			err = errs.New(errs.Invalid, "it has more than %d bytes", equiv.MaxSize)
		} else {
			err = writeFile(f.name, data)
		}
	}
	if err != nil && !f.noted {
		f.noted = true
		f.note("the index %s is not kept: %v", f.name, err)
	}
	f.look()
}

// kept is a file of the cache.
type kept struct {
	name string
	age  time.Duration
	size int64
}

// sweepIndexes removes files of the cache that are of no use: what runs that were killed left half written, indexes of clones that are gone or that were not used for
// long, and those that are too many, but never the one just written. What cannot be looked at or removed is left. A file that is gone costs time only.
func sweepIndexes(dir, current string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var all []kept
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !ours(info) {
			continue
		}
		k := kept{name: filepath.Join(dir, e.Name()), age: now.Sub(info.ModTime()), size: info.Size()}
		switch {
		case strings.HasPrefix(e.Name(), temporary):
			if k.age > oldTemporary {
				os.Remove(k.name) // what stays is swept another time
			}
		case !strings.HasSuffix(e.Name(), indexSuffix):
		case e.Name() != current && k.useless():
			os.Remove(k.name) // likewise
		default:
			if total += k.size; e.Name() != current {
				all = append(all, k)
			}
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return int(b.age/time.Second) - int(a.age/time.Second) })
	for _, k := range all {
		if total <= maxIndexes {
			return
		}
		total -= k.size
		os.Remove(k.name) // likewise
	}
}

// useless reports whether nobody will want a file: by its age alone, or because its clone is gone or no version reads it.
func (k kept) useless() bool {
	if k.age < oldOrphan || k.age > oldIndex {
		return k.age > oldIndex
	}
	file, err := os.OpenFile(k.name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, placeSize))
	if err != nil {
		return false
	}
	place, err := equiv.Place(head)
	if err != nil {
		return k.age > oldFormat
	}
	_, err = os.Stat(place)
	return errors.Is(err, fs.ErrNotExist)
}
