package command

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sandboxed reports whether the limits need namespaces that a script sets up from inside.
func (l Limits) sandboxed() bool { return l.Loopback && l.NoNetwork || len(l.Hide) > 0 }

// wrap puts a shell before the program where limits need one: Go cannot set another process's limits before it starts, nor act in a
// namespace that the process has yet to make. The shell becomes the program; it does not stay.
func (p *Process) wrap(c Cmd) ([]string, error) {
	var script []string
	if c.Limits.sandboxed() {
		err := p.makeStage(c.Limits)
		if err == nil {
			script, err = sandbox(c, p.stage)
		}
		if err != nil {
			p.unstage()
			return nil, err
		}
	}
	if c.Limits.Memory > 0 {
		script = append(script, "ulimit -d "+strconv.FormatInt(c.Limits.Memory>>10, 10))
	}
	if c.Limits.Processes > 0 {
		script = append(script, "ulimit -u "+strconv.Itoa(c.Limits.Processes))
	}
	if len(script) == 0 {
		return c.Argv, nil
	}
	drop := ""
	if c.Limits.sandboxed() {
		drop = `"$(PATH=$tools; type -p setpriv || echo setpriv)" --bounding-set=-all --ambient-caps=-all --inh-caps=-all --no-new-privs -- `
	}
	script = append(script, "exec "+drop+`"$@"`)
	return append([]string{"/bin/bash", "-c", strings.Join(script, " &&\n"), "kubelts-limits"}, c.Argv...), nil
}

// sandbox returns the commands that raise the loopback interface and cover the directories to hide. A covering file system is built
// on the stage, with what is kept mounted in it, and then moved over the directory: what it covers can no longer be reached by name.
func sandbox(c Cmd, stage string) ([]string, error) {
	script := []string{"tools=/usr/sbin:/usr/bin:/sbin:/bin"}
	with := func(words ...string) { script = append(script, "PATH=$tools "+Quote(words)) }
	if c.Limits.NoNetwork && c.Limits.Loopback {
		with("ip", "link", "set", "lo", "up")
	}
	if stage == "" {
		return script, nil
	}
	hide, err := existing(c.Limits.Hide)
	if err != nil {
		return nil, err
	}
	hide = outermost(hide, stage)
	keep, err := existing(slices.Concat(c.Limits.Keep, c.Limits.KeepReadOnly))
	if err != nil {
		return nil, err
	}
	readOnly, err := existing(c.Limits.KeepReadOnly)
	if err != nil {
		return nil, err
	}
	with("mount", "-n", "--make-rprivate", "/")
	if c.Limits.Contain {
		with("mount", "-n", "-t", "proc", "-o", "nosuid,nodev,noexec", "kubelts-proc", "/proc")
	}
	for _, dir := range hide {
		with("mount", "-n", "-t", "tmpfs", "-o", "mode=1777", "kubelts-empty", stage)
		for _, k := range keep {
			if k == dir || !within(k, dir) {
				continue
			}
			rel := strings.TrimPrefix(k, dir)
			with("mkdir", "-p", filepath.Join(stage, rel))
			with("mount", "-n", "--rbind", k, filepath.Join(stage, rel))
			if slices.Contains(readOnly, k) {
				with("mount", "-n", "-o", "remount,bind,ro", filepath.Join(stage, rel))
			}
		}
		with("mount", "-n", "--move", stage, dir)
	}
	if c.Dir != "" {
		dir, err := filepath.Abs(c.Dir)
		if err != nil {
			return nil, err
		}
		script = append(script, "cd "+quoteWord(dir)) // the shell still stands in what is covered now
	}
	return script, nil
}

// existing returns the real paths of those directories that are there, each once, shortest first: a directory is mounted before what is
// in it.
func existing(dirs []string) ([]string, error) {
	var real []string
	for _, dir := range dirs {
		path, err := filepath.EvalSymlinks(dir)
		if os.IsNotExist(err) || path == "/" {
			continue
		}
		if err != nil {
			return nil, err
		}
		real = append(real, path)
	}
	slices.SortFunc(real, func(a, b string) int {
		return (len(a)-len(b))*2 + strings.Compare(a, b)
	})
	return slices.Compact(real), nil
}

// outermost leaves out directories that are in others of the list, and puts the one that holds the stage last: it is gone afterwards.
func outermost(dirs []string, stage string) []string {
	var first, last []string
	for _, dir := range dirs {
		if slices.ContainsFunc(slices.Concat(first, last), func(outer string) bool { return within(dir, outer) }) {
			continue
		}
		if within(stage, dir) {
			last = append(last, dir)
		} else {
			first = append(first, dir)
		}
	}
	return append(first, last...)
}

// within reports whether path is dir or in it. Both are real paths.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// makeStage makes the directory on which covering file systems are built.
func (p *Process) makeStage(l Limits) error {
	if len(l.Hide) == 0 {
		return nil
	}
	var err error
	if p.stage, err = os.MkdirTemp("", "kubelts-stage-"); err == nil {
		p.stage, err = filepath.EvalSymlinks(p.stage)
	}
	return err
}

func (p *Process) unstage() {
	if p.stage != "" {
		os.Remove(p.stage) // it is empty; a failure leaves an empty directory
		p.stage = ""
	}
}
