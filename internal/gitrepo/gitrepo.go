// Package gitrepo reads and writes repositories through the git program (2.39 or newer).
//
// A clone may come from a stranger, and its configuration can name programs. So a [Repo] is read through a view: a git directory of our own,
// made for the occasion, that borrows the clone's objects as an alternate and has a copy of its refs. The clone's own configuration
// is in force only while its layout and refs are listed, which reads no object; a promisor remote, filter, hook, replace ref, graft or
// commit-graph of the clone is never looked at. Every object that is read is hashed again: a pack that lies about a name is an error.
//
// The refs are those at the time of [Open]; a long run sees one state. An object that the clone does not have is a [*git.AbsentError].
// A Repo and a [Store] may be used from many goroutines, must be closed, and end with the context that opened them.
package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on what a stranger's repository may make us take in.
const (
	maxObject = 64 << 20 // bytes of one object
	maxRefs   = 2_000_000
)

// Repo is a clone, opened for reading.
type Repo struct {
	run     *command.Runner
	dir     string   // as the caller named it, for messages
	objects string   // the clone's object directory
	view    string   // our git directory
	owner   *os.File // locked as long as the view is ours
	shallow bool
	refs    []git.Ref // sorted by name, peeled
	pool    *pool
	index   IndexCache
	opened  time.Time
	closing sync.Once
}

// Open opens the clone at dir: a work tree, a bare repository or a linked work tree. A dir that is none is an error of kind not-found.
func Open(ctx context.Context, run *command.Runner, dir string) (*Repo, error) {
	r := &Repo{run: run, dir: dir}
	if err := r.locate(ctx); err != nil {
		return nil, err
	}
	listed, err := r.listRefs(ctx)
	if err != nil {
		return nil, fmt.Errorf("open repository %q: %w", dir, err)
	}
	if r.view, r.owner, err = makeView(); err != nil {
		return nil, fmt.Errorf("open repository %q: %w", dir, err)
	}
	if made, err := os.Lstat(r.view); err == nil {
		r.opened = made.ModTime() // by the file system's clock, as the others' ages
		sweepViews(os.TempDir(), r.opened)
	}
	if err := r.openView(ctx, listed); err != nil {
		if r.pool != nil {
			r.pool.close()
		}
		os.RemoveAll(r.view) // the first error is the one to report
		r.owner.Close()      // likewise
		return nil, fmt.Errorf("open repository %q: %w", dir, err)
	}
	return r, nil
}

// Close ends the git processes and removes the view. To close again does nothing.
func (r *Repo) Close() (err error) {
	r.closing.Do(func() {
		r.pool.close()
		err = errors.Join(os.RemoveAll(r.view), r.owner.Close())
	})
	return err
}

// Dir is the clone's path as it was given to Open.
func (r *Repo) Dir() string { return r.dir }

// Shallow reports whether the clone's history is cut off: no statement about ancestry can be trusted then.
func (r *Repo) Shallow() bool { return r.shallow }

// Refs returns all refs, sorted by name. The slice is the caller's.
func (r *Repo) Refs() []git.Ref { return slices.Clone(r.refs) }

// locate finds the object directory of the clone and checks that we can read it.
func (r *Repo) locate(ctx context.Context) error {
	if info, err := os.Stat(r.dir); err != nil || !info.IsDir() {
		return errs.WithHint(errs.New(errs.NotFound, "repository %q: no such directory", r.dir), "clone the repository first, then name its directory with --repo")
	}
	out, err := r.run.Run(ctx, r.strange("rev-parse", "--is-shallow-repository", "--show-object-format", "--path-format=absolute", "--git-path", "objects"))
	if err != nil {
		return errs.WithHint(errs.New(errs.NotFound, "repository %q: no git repository: %w", r.dir, err), "name the directory of a git clone with --repo")
	}
	answer := strings.SplitN(strings.TrimSuffix(string(out), "\n"), "\n", 3)
	if len(answer) != 3 {
		return errs.New(errs.Unavailable, "repository %q: git rev-parse answered %q", r.dir, out)
	}
	if answer[1] != "sha1" {
		return errs.New(errs.Invalid, "repository %q: object format %s: only sha1 is supported", r.dir, answer[1])
	}
	r.shallow, r.objects = answer[0] == "true", answer[2]
	return nil
}

// listRefs reads names and targets without peeling, so that no object is read under the clone's own configuration.
func (r *Repo) listRefs(ctx context.Context) ([]git.Ref, error) {
	out, err := r.run.Run(ctx, r.strange("for-each-ref", "--format=%(objectname) %(refname)"))
	if err != nil {
		return nil, err
	}
	var refs []git.Ref
	for line := range strings.Lines(string(out)) {
		name, oid, err := parseRefLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		if refs = append(refs, git.Ref{Name: name, OID: oid}); len(refs) > maxRefs {
			return nil, errs.New(errs.Invalid, "more than %d refs", maxRefs)
		}
	}
	return refs, nil
}

func parseRefLine(line string) (name string, oid git.OID, err error) {
	hex, name, _ := strings.Cut(line, " ")
	oid, err = git.ParseOID(hex)
	if err == nil && !strings.HasPrefix(name, "refs/") {
		err = errs.New(errs.Invalid, "ref %q", name)
	}
	return name, oid, err
}

// openView makes our git directory, starts the readers and peels the refs there.
func (r *Repo) openView(ctx context.Context, refs []git.Ref) error {
	if err := initBare(r.view, r.objects); err != nil {
		return err
	}
	slices.SortFunc(refs, func(a, b git.Ref) int { return strings.Compare(a.Name, b.Name) })
	var packed bytes.Buffer
	packed.WriteString("# pack-refs with: sorted\n")
	for _, ref := range refs {
		fmt.Fprintf(&packed, "%s %s\n", ref.OID, ref.Name)
	}
	if err := os.WriteFile(filepath.Join(r.view, "packed-refs"), packed.Bytes(), 0o600); err != nil {
		return err
	}
	r.pool = newPool(ctx, r.run, r.view)
	var err error
	r.refs, err = r.peel(ctx, refs)
	return err
}

// peel finds the commit behind each ref. A ref whose object is absent here keeps its name and has no commit.
func (r *Repo) peel(ctx context.Context, refs []git.Ref) ([]git.Ref, error) {
	var in bytes.Buffer
	for _, ref := range refs {
		in.WriteString(ref.OID.String() + "^{commit}\n")
	}
	cmd := ownGit(r.view, "cat-file", "--batch-check=%(objectname)", "--buffer")
	cmd.Stdin = &in
	out, err := r.run.Run(ctx, cmd)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for i := range refs {
		if !lines.Scan() {
			return nil, errs.New(errs.Unavailable, "git peeled %d of %d refs", i, len(refs))
		}
		if oid, err := git.ParseOID(lines.Text()); err == nil {
			refs[i].Commit = oid
		}
	}
	return refs, lines.Err()
}

// initBare makes a bare git directory that borrows the objects of others. It runs no git: a template of the machine's owner has no place here.
func initBare(dir string, borrow ...string) error {
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	var alternates strings.Builder
	for _, b := range borrow {
		abs, err := filepath.Abs(b)
		if err != nil {
			return err
		}
		alternates.WriteString(quoteAlternate(abs) + "\n")
	}
	files := []struct{ name, content string }{
		{"config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tbigFileThreshold = 64m\n\tcommitGraph = false\n[gc]\n\tauto = 0\n"},
		{"objects/info/alternates", alternates.String()},
		{"HEAD", "ref: refs/heads/main\n"},
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.name), []byte(f.content)); err != nil {
			return err
		}
	}
	return nil
}

// quoteAlternate writes a path as objects/info/alternates wants it: in C quotes where it holds what would be misread.
func quoteAlternate(path string) string {
	if !strings.ContainsAny(path, "\"\\\n\t") && !strings.HasPrefix(path, "#") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(path) + `"`
}

// temporary begins the names of files that are being written.
const temporary = ".tmp-"

// writeFile puts content in place at once or not at all.
func writeFile(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if shut := temp.Close(); err == nil {
		err = shut
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name()) // the first error is the one to report
	}
	return err
}
