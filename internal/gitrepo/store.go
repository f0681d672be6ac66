package gitrepo

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Store is a repository of our own, or the object directory of a clone, that takes new objects. It implements [git.Store].
type Store struct {
	run     *command.Runner
	gitDir  string // a git directory of ours in which everything is visible
	objects string // where new objects go
	pool    *pool
}

// OpenStore opens the bare repository at dir, which it makes when it is not there, for writing. It borrows the objects of the
// clone, so that only new objects take room; names that are to survive a pruning must be kept with [Store.UpdateRefs].
func OpenStore(ctx context.Context, run *command.Runner, dir string, clone *Repo) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", dir, err)
	}
	if err := initBare(abs, clone.objects); err != nil {
		return nil, errs.WithHint(errs.New(errs.Unavailable, "open store %q: %w", dir, err), "see that %s can be written", filepath.Dir(abs))
	}
	return &Store{run: run, gitDir: abs, objects: filepath.Join(abs, "objects"), pool: newPool(ctx, run, abs)}, nil
}

// WriteInto returns a store that puts new objects, never refs, into the clone itself.
func (r *Repo) WriteInto(ctx context.Context) *Store {
	return &Store{run: r.run, gitDir: r.view, objects: r.objects, pool: newPool(ctx, r.run, r.view)}
}

// Close ends the git processes.
func (s *Store) Close() error {
	s.pool.close()
	return nil
}

// Dir is the git directory in which everything that was written can be read.
func (s *Store) Dir() string { return s.gitDir }

// Blob implements [git.Objects].
func (s *Store) Blob(ctx context.Context, id git.OID) ([]byte, error) { return s.pool.blob(ctx, id) }

// Tree implements [git.Objects].
func (s *Store) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	return s.pool.tree(ctx, id)
}

// Commit implements [git.Objects].
func (s *Store) Commit(ctx context.Context, id git.OID) (*git.Commit, error) {
	return s.pool.commit(ctx, id)
}

// WriteBlob implements [git.Store].
func (s *Store) WriteBlob(_ context.Context, content []byte) (git.OID, error) {
	return s.write(git.TypeBlob, content)
}

// WriteTree implements [git.Store].
func (s *Store) WriteTree(_ context.Context, entries []git.TreeEntry) (git.OID, error) {
	for _, e := range entries {
		if !git.ValidName(e.Name) {
			return git.OID{}, errs.New(errs.Invalid, "write tree: name %q", e.Name)
		}
	}
	return s.write(git.TypeTree, git.EncodeTree(entries))
}

// WriteCommit implements [git.Store].
func (s *Store) WriteCommit(_ context.Context, c *git.Commit) (git.OID, error) {
	return s.write(git.TypeCommit, git.EncodeCommit(c))
}

// WriteTag writes an annotated tag object and returns its name. The ref is the caller's to make.
func (s *Store) WriteTag(_ context.Context, name string, target git.OID, tagger git.Signature, message string) (git.OID, error) {
	return s.write(git.TypeTag, fmt.Appendf(nil, "object %s\ntype commit\ntag %s\ntagger %s\n\n%s", target, name, tagger, message))
}

// write puts a loose object in place. Git's own writers cost a process for each object (hash-object) or make only commits readable (fast-import);
// the loose format is stable and small (gitrepository-layout(5)). See docs/decisions/0003-loose-objects.md.
func (s *Store) write(t git.Type, content []byte) (git.OID, error) {
	id := git.Hash(t, content)
	hex := id.String()
	dir := filepath.Join(s.objects, hex[:2])
	path := filepath.Join(dir, hex[2:])
	if _, err := os.Stat(path); err == nil {
		return id, nil
	}
	if _, ok := s.pool.known.Find(id); ok {
		return id, nil // read from here before, so it is here or in what is borrowed
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // git's own mode for these directories
		return git.OID{}, fmt.Errorf("write object %s: %w", id, err)
	}
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		return git.OID{}, fmt.Errorf("write object %s: %w", id, err)
	}
	_, err = fmt.Fprintf(z, "%s %d\x00", t, len(content))
	if err == nil {
		_, err = z.Write(content)
	}
	if err = errors.Join(err, z.Close()); err == nil {
		err = writeFile(path, b.Bytes())
	}
	if err != nil {
		return git.OID{}, errs.New(errs.Unavailable, "write object %s: %w", id, err)
	}
	s.pool.known.Keep(id, object{typ: t, content: bytes.Clone(content)})
	return id, nil
}

// RefUpdate moves one ref. A zero New deletes it. With Old set, the ref must be there (or, with a zero Old and MustBeNew, must not be).
type RefUpdate struct {
	Name      string
	New, Old  git.OID
	MustBeNew bool
}

// UpdateRefs moves refs of the store in one transaction: all or none.
func (s *Store) UpdateRefs(ctx context.Context, updates []RefUpdate) error {
	var in strings.Builder
	in.WriteString("start\n")
	for _, u := range updates {
		switch {
		case strings.ContainsAny(u.Name, " \n\x00"):
			return errs.New(errs.Invalid, "ref name %q", u.Name)
		case u.New.IsZero():
			fmt.Fprintf(&in, "delete %s\n", u.Name)
		case u.MustBeNew:
			fmt.Fprintf(&in, "create %s %s\n", u.Name, u.New)
		case !u.Old.IsZero():
			fmt.Fprintf(&in, "update %s %s %s\n", u.Name, u.New, u.Old)
		default:
			fmt.Fprintf(&in, "update %s %s\n", u.Name, u.New)
		}
	}
	in.WriteString("prepare\ncommit\n")
	cmd := ownGit(s.gitDir, "update-ref", "--no-deref", "--stdin")
	cmd.Stdin = strings.NewReader(in.String())
	if _, err := s.run.Run(ctx, cmd); err != nil {
		return errs.New(errs.Conflict, "update refs of %s: %w", s.gitDir, err)
	}
	return nil
}

// Ref returns what a ref of the store points to, and whether it is there.
func (s *Store) Ref(ctx context.Context, name string) (git.OID, bool, error) {
	out, err := s.run.Run(ctx, ownGit(s.gitDir, "rev-parse", "--verify", "--quiet", "--end-of-options", name))
	if failed, ok := errors.AsType[*command.Error](err); ok && failed.ExitStatus == 1 {
		return git.OID{}, false, nil
	}
	if err != nil {
		return git.OID{}, false, err
	}
	oid, err := git.ParseOID(strings.TrimSpace(string(out)))
	return oid, err == nil, err
}
