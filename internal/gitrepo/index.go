package gitrepo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// IndexCache is where a clone's equivalence index is kept between runs.
type IndexCache struct {
	Dir  string                // made when it is not there; empty for nowhere
	Note func(text string)     // is told when a file of the cache cannot be used or written; nil for nobody
	Step func(done, total int) // is told how many commits that are new were read; nil for nobody
}

// KeepIndex says where [Repo.Index] keeps what it read. Call it before the Repo is used.
func (r *Repo) KeepIndex(c IndexCache) { r.index = c }

// Index returns the equivalence index of the clone for the upstream repository (owner/name), complete for what branches, tags and the given tips lead to;
// without a cache, for the tips alone. Only what the cache does not have is read. A file of the cache that cannot be used is made anew: it saves time
// and is never needed.
func (r *Repo) Index(ctx context.Context, repository string, tips []git.OID) (*equiv.Table, error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	o := equiv.Options{Workers: min(runtime.GOMAXPROCS(0), 4), Step: r.index.Step}
	old := equiv.NewTable(repository)
	name := ""
	if r.index.Dir != "" {
		name = r.indexFile()
		tips = slices.Concat(tips, equiv.RefTips(r.refs))
		old = r.loadIndex(name, repository)
		var err error
		if o.Fingerprint, err = r.fingerprint(); err != nil {
			return nil, err
		}
		o.Save = func(t *equiv.Table) error {
			r.saveIndex(name, t)
			return nil
		}
	}
	table, changed, err := equiv.Build(ctx, r, old, tips, o)
	if err != nil {
		return nil, fmt.Errorf("index repository %q: %w", r.dir, err)
	}
	if changed && name != "" {
		r.saveIndex(name, table)
	}
	return table, nil
}

// indexFile is named for the object directory: what a clone of a stranger says of its commits stays with that clone.
func (r *Repo) indexFile() string {
	where := r.objects
	if real, err := filepath.EvalSymlinks(where); err == nil {
		where = real
	}
	sum := sha256.Sum256([]byte(where))
	return filepath.Join(r.index.Dir, hex.EncodeToString(sum[:16])+".index")
}

func (r *Repo) note(format string, args ...any) {
	if r.index.Note != nil {
		r.index.Note(fmt.Sprintf(format, args...))
	}
}

// loadIndex reads the cache; an empty table when there is none that can be used.
func (r *Repo) loadIndex(name, repository string) *equiv.Table {
	empty := equiv.NewTable(repository)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return empty
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > equiv.MaxSize) {
		err = errs.New(errs.Invalid, "no file, or one of more than %d bytes", equiv.MaxSize)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(name)
	}
	var table *equiv.Table
	if err == nil {
		table, err = equiv.Decode(data, repository)
	}
	if err != nil {
		r.note("the index %s is made anew: %v", name, err)
		return empty
	}
	return table
}

// saveIndex writes the cache. That it cannot be written costs time only.
func (r *Repo) saveIndex(name string, t *equiv.Table) {
	err := os.MkdirAll(filepath.Dir(name), 0o700)
	if err == nil {
		err = writeFile(name, t.Encode())
	}
	if err != nil {
		r.note("the index %s is not kept: %v", name, err)
	}
}

// fingerprint names the state of the object directory: its packs, and the directories of loose objects with their times.
func (r *Repo) fingerprint() (string, error) {
	h := sha256.New()
	for _, dir := range []string{r.objects, filepath.Join(r.objects, "pack")} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read %s: %w", dir, err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				continue // gone since it was listed
			}
			fmt.Fprintf(h, "%s %d\n", e.Name(), info.ModTime().UnixNano())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}
