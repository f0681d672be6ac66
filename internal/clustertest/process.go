package clustertest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// process is a program that runs until it is stopped. Its end comes with ours at the latest, however ours comes.
type process struct {
	log  string // file with all that it says
	pid  int
	done chan struct{} // closed after its end
	err  error         // how it ended; to be read after done
}

// start runs argv and lets its output go to the end of the file log. The environment is ours: these are the test's own programs.
func start(tb testing.TB, log string, argv ...string) *process {
	tb.Helper()
	return run(tb, log, exec.Command(argv[0], argv[1:]...))
}

// run is start for a command that has attributes of its own.
func run(tb testing.TB, log string, cmd *exec.Cmd) *process {
	tb.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	p := &process{log: log, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.done)
		defer out.Close()
		// The kernel's signal at the parent's death is sent when the parent's thread ends: this one must stay.
		runtime.LockOSThread()
		cmd.Stdout, cmd.Stderr = out, out
		dieWithParent(cmd)
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		p.err = cmd.Wait()
	}()
	if err := <-started; err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	tb.Cleanup(p.stop)
	return p
}

// stop ends the process at once and waits for its end. A process that has ended is left alone.
func (p *process) stop() {
	if !p.ended() {
		if running, err := os.FindProcess(p.pid); err == nil {
			_ = running.Kill() // it may have ended a moment ago
		}
	}
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// tail is the end of what the process said.
func (p *process) tail() string {
	const limit = 6000
	said, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(said[max(0, len(said)-limit):])
}
