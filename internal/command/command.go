// Package command runs programs. It is the only room that does.
//
// A program gets exactly the environment that its [Cmd] says, nothing of ours; it runs in a process group of its own, which is killed as a
// whole when the context ends, so no child outlives its caller unless it leaves the group; with [Limits.Contain] none does. Output is bounded. With [Runner.Trace] set, every program is printed
// in a form that can be pasted into a shell. A failure is an [*Error] with the arguments, the exit status and the end of
// what the program said. A Runner may be used from many goroutines.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
)

// Cmd is a program to run.
type Cmd struct {
	Argv   []string // the program and its arguments; a name without a slash is looked up in our PATH
	Dir    string   // working directory; ours when empty
	Env    []string // the whole environment, as NAME=value
	Stdin  io.Reader
	Merge  bool // standard error goes into standard output, in the order in which the program writes
	Limits Limits
}

// Limits bound what a program may use. A zero field means no bound, except for Output.
type Limits struct {
	Output    int64         // bytes of standard output that Run keeps; DefaultOutput when zero
	Time      time.Duration // wall-clock time
	Memory    int64         // bytes of memory of its own that each process may write to; mapped files do not count
	Processes int           // processes of the user, as setrlimit(2) counts them
	NoNetwork bool          // run in an empty network namespace; an error where the system does not allow it
	Loopback  bool          // with NoNetwork: the namespace's own loopback interface is up, so that 127.0.0.1 and ::1 work

	// Contain puts the program into a process namespace of its own, as its first process: whatever it starts ends with it at the latest, also what left its
	// process group, and it sees no other process. It needs Hide, for /proc is mounted anew. Linux only, an error elsewhere and where the
	// system does not allow it.
	Contain bool

	// Hide are directories that the program finds empty and as large as memory allows, except for what Keep and KeepReadOnly name in
	// them. What is written into them is lost. Absolute paths; what does not exist is passed over. Linux only, an error elsewhere.
	//
	// With Hide or Loopback the program runs without capabilities and cannot get any; without root's rights it also sees itself as uid 0.
	Hide         []string
	Keep         []string
	KeepReadOnly []string
}

// DefaultOutput is how many bytes of standard output Run keeps when Limits say nothing.
const DefaultOutput = 256 << 20

// stderrTail is how many bytes of the end of standard error an Error keeps.
const stderrTail = 16 << 10

// Runner runs programs.
type Runner struct {
	Trace io.Writer // when set, every program is printed here before it runs
	mu    sync.Mutex
}

// Error says how a program failed.
type Error struct {
	Argv       []string
	Dir        string
	ExitStatus int    // -1 when it did not exit by itself
	Stderr     string // the end of what it said
	Err        error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("run %s: %v", Quote(e.Argv), e.Err)
	if text := strings.TrimSpace(e.Stderr); text != "" {
		s += ": " + text
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Run runs c to its end and returns its standard output. Output beyond the limit is an error.
func (r *Runner) Run(ctx context.Context, c Cmd) ([]byte, error) {
	var out bytes.Buffer
	limit := c.Limits.Output
	if limit == 0 {
		limit = DefaultOutput
	}
	err := r.Stream(ctx, c, func(stdout io.Reader) error {
		n, err := io.Copy(&out, io.LimitReader(stdout, limit+1))
		if err == nil && n > limit {
			err = errs.New(errs.Invalid, "it printed more than %d bytes", limit)
		}
		return err
	})
	return out.Bytes(), err
}

// Stream runs c and hands its standard output to read while it runs. When read returns an error the program is killed and that
// error is returned, wrapped in an [*Error]. What read leaves unread is thrown away.
func (r *Runner) Stream(ctx context.Context, c Cmd, read func(stdout io.Reader) error) error {
	if c.Limits.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Limits.Time, errs.New(errs.Unavailable, "no end after %v", c.Limits.Time))
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p, err := r.Start(ctx, c)
	if err != nil {
		return err
	}
	if c.Stdin == nil {
		p.Stdin.Close() // nothing was written
	}
	readErr := read(p.Stdout)
	if readErr != nil {
		stop(readErr)
	} else {
		_, readErr = io.Copy(io.Discard, p.Stdout)
	}
	err = p.Wait()
	if readErr != nil {
		return p.fail(readErr)
	}
	return err
}

// Process is a program that was started and talks through pipes. Its Stdin, Stdout and Wait belong to one goroutine.
type Process struct {
	Stdin  io.WriteCloser // nil when Cmd.Stdin was given
	Stdout io.Reader

	cmd    *exec.Cmd
	ctx    context.Context //nolint:containedctx // the process lives as long as the context that started it
	argv   []string
	stderr *tail
	stage  string // directory to remove at the end; empty when there is none
}

// Start starts c. Its context's end kills it. The caller must call Wait.
func (r *Runner) Start(ctx context.Context, c Cmd) (*Process, error) {
	if len(c.Argv) == 0 {
		return nil, errs.New(errs.Internal, "run: no program")
	}
	r.trace(c)
	p := &Process{ctx: ctx, argv: c.Argv, stderr: &tail{}}
	argv, err := p.wrap(c)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", Quote(c.Argv), err)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // running the program that a caller names is what this room is for
	p.cmd = cmd
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.Stdin = c.Dir, append([]string{}, c.Env...), p.stderr, c.Stdin
	if cmd.SysProcAttr, err = isolation(c.Limits); err != nil {
		return nil, p.fail(err)
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if c.Stdin == nil {
		if p.Stdin, err = cmd.StdinPipe(); err != nil {
			return nil, p.fail(err)
		}
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, p.fail(err)
	}
	p.Stdout = stdout
	if c.Merge {
		cmd.Stderr = cmd.Stdout
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			err = errs.WithHint(errs.New(errs.Unavailable, "%w", err), "install %s and see that it is in PATH", c.Argv[0])
		}
		return nil, p.fail(err)
	}
	return p, nil
}

// Wait waits for the end of the process. Stdout must have been read to its end, or the context ended.
func (p *Process) Wait() error {
	err := p.cmd.Wait()
	p.unstage()
	if err != nil {
		if p.ctx.Err() != nil {
			err = context.Cause(p.ctx)
		}
		return p.fail(err)
	}
	return nil
}

func (p *Process) fail(err error) error {
	p.unstage()
	e := &Error{Argv: p.argv, Dir: p.cmd.Dir, ExitStatus: -1, Stderr: p.stderr.String(), Err: err}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		e.ExitStatus = exit.ExitCode()
	}
	return e
}

func (r *Runner) trace(c Cmd) {
	if r.Trace == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	line := Quote(c.Argv)
	if c.Dir != "" {
		line = "cd " + quoteWord(c.Dir) + " && " + line
	}
	fmt.Fprintf(r.Trace, "+ %s\n", line) // a trace that cannot be written must not stop the work
}

// Quote writes arguments so that they can be pasted into a POSIX shell.
func Quote(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = quoteWord(a)
	}
	return strings.Join(words, " ")
}

func quoteWord(s string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:@%+,^", r))
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Environ returns those of our own environment variables that are named and set, as NAME=value.
func Environ(names ...string) []string {
	var env []string
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok { //nolint:forbidigo // this room decides what a program may see of our environment
			env = append(env, name+"="+value)
		}
	}
	return env
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - stderrTail; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
