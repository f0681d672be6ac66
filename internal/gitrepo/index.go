package gitrepo

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
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
	var file *indexFile
	if r.index.Dir != "" {
		file = r.indexFile(repository)
		tips = slices.Concat(tips, equiv.RefTips(r.refs))
		old = file.load()
		var err error
		if o.Fingerprint, err = r.fingerprint(); err != nil {
			return nil, err
		}
		o.Save = func(t *equiv.Table) error {
			file.checkpoint(t)
			return nil
		}
	}
	table, changed, err := equiv.Build(ctx, r, old, tips, o)
	if err != nil {
		return nil, fmt.Errorf("index repository %q: %w", r.dir, err)
	}
	if changed && file != nil {
		file.save(table)
	}
	return table, nil
}

// indexFile is named for the object directory and the upstream: what a clone of a stranger says of its commits stays with that clone.
func (r *Repo) indexFile(repository string) *indexFile {
	place := r.objects
	if real, err := filepath.EvalSymlinks(place); err == nil {
		place = real
	}
	sum := sha256.Sum256([]byte(place + "\x00" + repository))
	name := fmt.Sprintf("%s.v%d%s", hex.EncodeToString(sum[:16]), equiv.Version, indexSuffix)
	return &indexFile{cache: r.index, name: filepath.Join(r.index.Dir, name), place: place, repository: repository, opened: r.opened}
}

// Bounds on the object directories that a clone borrows from.
const (
	maxAlternates     = 64
	maxAlternatesFile = 64 << 10 // bytes
)

// fingerprint names the state of the object directory, and of those that it borrows from: their packs, and the directories of loose objects with their times.
func (r *Repo) fingerprint() (string, error) {
	h := sha256.New()
	dirs := []string{r.objects}
	for i := 0; i < len(dirs); i++ {
		for _, dir := range []string{dirs[i], filepath.Join(dirs[i], "pack")} {
			err := printDir(h, dir)
			if err != nil && (i == 0 || !errors.Is(err, fs.ErrPermission)) {
				return "", err
			}
		}
		for _, more := range alternates(dirs[i]) {
			if !slices.Contains(dirs, more) && len(dirs) < maxAlternates {
				dirs = append(dirs, more)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func printDir(h hash.Hash, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // gone since it was listed
		}
		fmt.Fprintf(h, "%s %d\n", e.Name(), info.ModTime().UnixNano())
	}
	return nil
}

// alternates are the object directories that one borrows from, as git reads them but for names in quotes. What cannot be read names none: the
// fingerprint only says when to look again.
func alternates(objects string) []string {
	f, err := os.Open(filepath.Join(objects, "info", "alternates"))
	if err != nil {
		return nil
	}
	defer f.Close()
	var dirs []string
	lines := bufio.NewScanner(io.LimitReader(f, maxAlternatesFile))
	for lines.Scan() {
		dir := lines.Text()
		if dir == "" || strings.HasPrefix(dir, "#") || strings.HasPrefix(dir, `"`) {
			continue
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(objects, dir)
		}
		dirs = append(dirs, filepath.Clean(dir))
	}
	return dirs
}
