package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/recent"
)

const (
	maxReaders = 4        // git processes that read objects at the same time
	maxCache   = 32 << 20 // bytes of objects kept, twice: the newer and the older half
)

// pool is a set of "git cat-file --batch-command" processes over one git directory, and a cache of what they read.
type pool struct {
	run    *command.Runner
	gitDir string
	slots  chan struct{} // one for each reader that may still be taken
	stop   context.CancelCauseFunc
	ctx    context.Context //nolint:containedctx // the readers outlive the call that starts them, and end with what opened the pool
	ending sync.Once

	known *recent.Cache[git.OID, object]

	mu   sync.Mutex
	idle []*reader // started; the last one used is the first one taken, so that one reader serves who asks one by one
}

type object struct {
	typ     git.Type
	content []byte
}

// reader is one process. It belongs to whoever took it from the pool.
type reader struct {
	process *command.Process
	out     *bufio.Reader
}

func newPool(ctx context.Context, run *command.Runner, gitDir string) *pool {
	p := &pool{
		run: run, gitDir: gitDir, slots: make(chan struct{}, maxReaders),
		known: recent.New[git.OID](maxCache, func(o object) int { return len(o.content) + 128 }),
	}
	p.ctx, p.stop = context.WithCancelCause(ctx)
	for range maxReaders {
		p.slots <- struct{}{}
	}
	return p
}

// close waits for those who read, and ends the processes. Whoever asks later is refused. It may be called again.
func (p *pool) close() {
	p.ending.Do(func() {
		for range maxReaders {
			<-p.slots
		}
		for _, r := range p.idle {
			r.process.Stdin.Close()    // the end of its input is how the process is told to end
			io.Copy(io.Discard, r.out) //nolint:errcheck // likewise
			r.process.Wait()           //nolint:errcheck // likewise
		}
		p.stop(errs.New(errs.Internal, "the repository is closed"))
	})
}

// read returns an object of the wanted type.
func (p *pool) read(ctx context.Context, id git.OID, want git.Type) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	o, ok := p.known.Find(id)
	if !ok {
		var err error
		if o, err = p.fetch(ctx, id, want); err != nil {
			return nil, err
		}
	}
	if o.typ != want {
		return nil, errs.New(errs.Invalid, "object %s is a %s, not a %s", id, o.typ, want)
	}
	return o.content, nil
}

// fetch asks a process. A process whose answer was not read to its end is ended, for its next answer could be taken for another's.
func (p *pool) fetch(ctx context.Context, id git.OID, want git.Type) (object, error) {
	select {
	case <-p.slots:
	case <-ctx.Done():
		return object{}, context.Cause(ctx)
	case <-p.ctx.Done():
		return object{}, fmt.Errorf("read object %s: %w", id, context.Cause(p.ctx)) //nolint:contextcheck // it is what ended
	}
	defer func() { p.slots <- struct{}{} }()
	r, err := p.take()
	if err != nil {
		return object{}, err
	}
	o, err := r.ask(id, want)
	if broken(err) {
		return object{}, errors.Join(err, r.end())
	}
	p.mu.Lock()
	p.idle = append(p.idle, r)
	p.mu.Unlock()
	if err != nil {
		return object{}, err
	}
	if got := git.Hash(o.typ, o.content); got != id {
		return object{}, errs.New(errs.Invalid, "object %s is damaged: its content is that of %s", id, got)
	}
	p.known.Keep(id, o)
	return o, nil
}

// take returns a reader that nobody uses, or a new one.
func (p *pool) take() (*reader, error) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		r := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return r, nil
	}
	p.mu.Unlock()
	process, err := p.run.Start(p.ctx, ownGit(p.gitDir, "cat-file", "--batch-command"))
	if err != nil {
		return nil, err
	}
	return &reader{process: process, out: bufio.NewReaderSize(process.Stdout, 64<<10)}, nil
}

func broken(err error) bool {
	if err == nil {
		return false
	}
	_, absent := errors.AsType[*git.AbsentError](err)
	return !absent
}

// end closes the pipes of a process that cannot be used any more; what it said on its way out is worth hearing only when it failed.
func (r *reader) end() error {
	r.process.Stdin.Close() // it may be gone already
	if c, ok := r.process.Stdout.(io.Closer); ok {
		c.Close() // likewise
	}
	err := r.process.Wait()
	if failed, ok := errors.AsType[*command.Error](err); ok && failed.ExitStatus > 0 {
		return err
	}
	return nil
}

// ask reads "<oid> <type> <size>\n<content>\n" or "<oid> missing\n".
func (r *reader) ask(id git.OID, want git.Type) (object, error) {
	if _, err := io.WriteString(r.process.Stdin, "contents "+id.String()+"\n"); err != nil {
		return object{}, fmt.Errorf("read object %s: %w", id, err)
	}
	line, err := r.out.ReadString('\n')
	if err != nil {
		return object{}, fmt.Errorf("read object %s: %w", id, err)
	}
	fields := strings.Fields(line)
	if len(fields) == 2 && fields[1] == "missing" {
		return object{}, &git.AbsentError{OID: id, Type: want}
	}
	if len(fields) != 3 || fields[0] != id.String() {
		return object{}, errs.New(errs.Unavailable, "read object %s: git answered %q", id, strings.TrimSpace(line))
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return object{}, errs.New(errs.Unavailable, "read object %s: size %q", id, fields[2])
	}
	if size > maxObject {
		return object{}, &git.OversizeError{OID: id, Size: size, Limit: maxObject}
	}
	content := make([]byte, size+1)
	if _, err := io.ReadFull(r.out, content); err != nil {
		return object{}, fmt.Errorf("read object %s: %w", id, err)
	}
	return object{typ: git.Type(fields[1]), content: content[:size:size]}, nil
}

// Blob implements [git.Objects].
func (r *Repo) Blob(ctx context.Context, id git.OID) ([]byte, error) { return r.pool.blob(ctx, id) }

// Tree implements [git.Objects].
func (r *Repo) Tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	return r.pool.tree(ctx, id)
}

// Commit implements [git.Objects].
func (r *Repo) Commit(ctx context.Context, id git.OID) (*git.Commit, error) {
	return r.pool.commit(ctx, id)
}

func (p *pool) blob(ctx context.Context, id git.OID) ([]byte, error) {
	return p.read(ctx, id, git.TypeBlob)
}

func (p *pool) tree(ctx context.Context, id git.OID) ([]git.TreeEntry, error) {
	content, err := p.read(ctx, id, git.TypeTree)
	if err != nil {
		return nil, err
	}
	entries, err := git.ParseTree(content)
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", id, err)
	}
	return entries, nil
}

func (p *pool) commit(ctx context.Context, id git.OID) (*git.Commit, error) {
	content, err := p.read(ctx, id, git.TypeCommit)
	if err != nil {
		return nil, err
	}
	return git.ParseCommit(id, content)
}
