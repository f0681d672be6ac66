package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
)

// toolConfig is what a job asks of the go program.
type toolConfig struct {
	toolchain string
	build     lts.BuildConfig
	network   bool
	cache     string   // the name of the build cache: verify or build
	visible   []string // directories of the job

	compileOnly bool // run no test
}

// tool calls the go program in a scrubbed environment.
type tool struct {
	toolConfig
	builder *Builder
	lock    *os.File // on the caches
	program string   // path of the go program
	version string   // as it says of itself: go1.26.8
	minor   int      // of the version: 26
	work    string   // of this job, removed at its end
	modules string   // GOMODCACHE
	cacheAt string   // GOCACHE
	env     []string
	limits  command.Limits
	notes   []string
}

// own are the variables that a line must not set, because what is promised hangs on them.
var own = []string{ //nolint:gochecknoglobals // a constant list
	"HOME", "PATH", "TMPDIR", "GOCACHE", "GOPATH", "GOMODCACHE", "GOENV", "GOFLAGS", "GOTOOLCHAIN", "GOPROXY", "GOSUMDB", "GO111MODULE", "GOROOT", "GOWORK",
	"GOOS", "GOARCH", // tests run here; the platforms of a release are the line's
}

// passed are the settings of the user's go program and system that a job with a network needs.
var (
	passedGo     = []string{"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE"}                                         //nolint:gochecknoglobals // a constant list
	passedSystem = []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"} //nolint:gochecknoglobals // a constant list
)

// newTool makes the directories of a job and asks the go program for its version. The caller must close the tool.
func (b *Builder) newTool(ctx context.Context, c toolConfig) (*tool, error) {
	user, err := b.userSettings(ctx)
	if err != nil {
		return nil, err
	}
	lock, err := b.useCache()
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(b.options.Work, c.cache+"-")
	if err != nil {
		lock.Close()
		return nil, err
	}
	t := &tool{
		toolConfig: c, builder: b, lock: lock, work: work, program: filepath.Join(user["GOROOT"], "bin", "go"),
		modules: filepath.Join(b.options.Cache, moduleCache), cacheAt: filepath.Join(b.options.Cache, c.cache),
	}
	if err = t.prepare(user); err != nil {
		t.close()
		return nil, err
	}
	t.contain(ctx)
	if err = t.switchToolchain(ctx); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// switchToolchain makes the program the one of the line's toolchain. In GOPATH mode the go program does not heed GOTOOLCHAIN, so it is asked
// in module mode where that toolchain is, and that is called from then on. What comes must be what was asked for.
func (t *tool) switchToolchain(ctx context.Context) error {
	if t.toolchain != "local" {
		env := append(slices.Clone(t.env), "GO111MODULE=on", "GOWORK=off", "GOFLAGS=-modcacherw", "GOTOOLCHAIN="+t.toolchain)
		c := command.Cmd{Argv: []string{t.program, "env", "GOROOT"}, Dir: t.work, Env: env, Limits: t.limits}
		out, err := t.builder.runner.Run(ctx, c)
		if err != nil {
			return errs.WithHint(fmt.Errorf("toolchain %s: %w", t.toolchain, err), "%s", t.moduleHint())
		}
		bin := filepath.Join(strings.TrimSpace(string(out)), "bin")
		t.env = append(t.env, "PATH="+bin+":"+strings.TrimPrefix(t.env[0], "PATH="))
		t.program = filepath.Join(bin, "go")
	}
	out, err := t.output(ctx, t.work, "version")
	if err != nil {
		return fmt.Errorf("toolchain %s: %w", t.toolchain, err)
	}
	if err := t.parseVersion(string(out)); err != nil {
		return err
	}
	if t.toolchain != "local" && t.version != t.toolchain {
		return errs.New(errs.Unavailable, "toolchain %s: %s came instead", t.toolchain, t.version)
	}
	return nil
}

// userSettings asks the user's go program, in the user's environment, where it keeps modules and how it reaches them.
func (b *Builder) userSettings(ctx context.Context) (map[string]string, error) {
	env := append(command.Environ(append([]string{"PATH", "HOME", "XDG_CONFIG_HOME", "GOENV", "GOPATH", "GOMODCACHE", "GOROOT"}, passedGo...)...),
		"GOTOOLCHAIN=local", "GOWORK=off", "GO111MODULE=on", "GOFLAGS=")
	argv := append([]string{"go", "env", "-json", "GOROOT", "GOMODCACHE"}, passedGo...)
	out, err := b.runner.Run(ctx, command.Cmd{Argv: argv, Dir: b.options.Work, Env: env})
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for _, name := range []string{"GOROOT", "GOMODCACHE"} {
		if path, err := realPath(settings[name]); err == nil {
			settings[name] = path
		}
	}
	return settings, nil
}

func (t *tool) prepare(user map[string]string) error {
	home, tmp, gopath := filepath.Join(t.work, "home"), filepath.Join(t.work, "tmp"), filepath.Join(t.work, "gopath")
	for _, dir := range []string{home, tmp, gopath, t.modules, t.cacheAt} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	path := []string{filepath.Dir(t.program)}
	for _, v := range command.Environ("PATH") {
		path = append(path, strings.TrimPrefix(v, "PATH="))
	}
	flags, err := t.flags()
	if err != nil {
		return err
	}
	t.env = []string{
		"PATH=" + strings.Join(path, ":"), "HOME=" + home, "TMPDIR=" + tmp, "LC_ALL=C", "TZ=UTC", "CGO_ENABLED=0",
		"GOPATH=" + gopath, "GOMODCACHE=" + t.modules, "GOCACHE=" + t.cacheAt, "GOENV=off", "GOFLAGS=" + flags, "GOTOOLCHAIN=local",
		"GO111MODULE=on", "GOTELEMETRY=off",
	}
	if t.build.Mode == lts.ModeGOPATH {
		t.env = append(t.env, "GO111MODULE=off")
	}
	download := filepath.Join(user["GOMODCACHE"], "cache", "download")
	if t.network {
		for _, name := range passedGo {
			t.env = append(t.env, name+"="+user[name])
		}
		t.env = append(t.env, command.Environ(passedSystem...)...)
	} else {
		t.env = append(t.env, "GOPROXY=file://"+filepath.ToSlash(download), "GOSUMDB=off")
	}
	for _, name := range slices.Sorted(maps.Keys(t.build.Env)) {
		if slices.Contains(own, name) {
			return errs.New(errs.Invalid, "build.env of line.yaml may not set %s", name)
		}
		t.env = append(t.env, name+"="+t.build.Env[name])
	}
	t.bound(user["GOROOT"], download)
	return nil
}

// bound sets the limits that hold for everything that the tool runs.
func (t *tool) bound(goroot, download string) {
	o := t.builder.options
	t.limits = command.Limits{Memory: o.Memory, Processes: o.Processes, NoNetwork: !t.network, Loopback: !t.network}
	if runtime.GOOS != "linux" {
		t.notes = append(t.notes, "on "+runtime.GOOS+" the homes of users are not hidden from tests")
		return
	}
	t.limits.Hide = []string{"/root", "/home", "/run", "/tmp", "/var/tmp", os.TempDir()}
	for _, v := range command.Environ("HOME") {
		t.limits.Hide = append(t.limits.Hide, strings.TrimPrefix(v, "HOME="))
	}
	t.limits.Keep = append([]string{t.work, t.cacheAt, t.modules}, t.visible...)
	t.limits.KeepReadOnly = []string{goroot, download}
	if t.network {
		t.limits.KeepReadOnly = append(t.limits.KeepReadOnly, "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager")
	}
}

// contain has what the tool runs end with it, also what a test sets apart, where the system allows that. Otherwise the rest of the sandbox still holds.
func (t *tool) contain(ctx context.Context) {
	if len(t.limits.Hide) == 0 {
		return
	}
	l := t.limits
	l.Contain = true
	if _, err := t.builder.runner.Run(ctx, command.Cmd{Argv: []string{"true"}, Dir: t.work, Env: t.env, Limits: l}); err != nil {
		t.notes = append(t.notes, "processes that tests set apart (setsid) may outlive them: this system allows no process namespace")
		return
	}
	t.limits = l
}

// forTests are the limits under which the repository's own code runs: it cannot change the modules that a release is built from.
func (t *tool) forTests() command.Limits {
	l := t.limits
	if len(l.Hide) == 0 {
		return l
	}
	l.Hide = append(slices.Clone(l.Hide), t.builder.options.Cache)
	l.Keep = append([]string{t.work, t.cacheAt}, t.visible...)
	l.KeepReadOnly = append(slices.Clone(l.KeepReadOnly), t.modules)
	return l
}

// flags is the value of GOFLAGS: what the line says and nothing of the user's.
func (t *tool) flags() (string, error) {
	words := slices.Clone(t.build.Flags)
	if len(t.build.Tags) > 0 {
		words = append(words, "-tags="+strings.Join(t.build.Tags, ","))
	}
	if t.build.Mode == lts.ModeModule {
		words = append(words, "-modcacherw")
	}
	for i, w := range words {
		quoted, err := quoteGo(w)
		if err != nil {
			return "", err
		}
		words[i] = quoted
	}
	return strings.Join(words, " "), nil
}

// quoteGo quotes a word as the go program reads lists of words in GOFLAGS and -ldflags: there is no escape, only two sorts of quotes.
func quoteGo(word string) (string, error) {
	switch {
	case !strings.ContainsAny(word, " \t\n'\""):
		return word, nil
	case !strings.Contains(word, "'"):
		return "'" + word + "'", nil
	case !strings.Contains(word, `"`):
		return `"` + word + `"`, nil
	}
	return "", errs.New(errs.Invalid, "%q has both sorts of quotes: the go program cannot be told", word)
}

var versionForm = regexp.MustCompile(`^go version (\S+)`)

func (t *tool) parseVersion(out string) error {
	m := versionForm.FindStringSubmatch(out)
	if m == nil {
		return errs.New(errs.Unavailable, "the go program says %q of itself", strings.TrimSpace(out))
	}
	t.version, t.minor = m[1], 1<<30
	if rest, ok := strings.CutPrefix(t.version, "go1."); ok {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil {
			t.minor = n
		}
	}
	return nil
}

// environment is the environment of a call in dir, which belongs to the tree at root.
func (t *tool) environment(root, dir string) []string {
	env := slices.Clone(t.env)
	if t.build.Mode == lts.ModeGOPATH {
		gopath := strings.TrimSuffix(filepath.ToSlash(root), "/src/"+t.build.ImportPath)
		return append(env, "GOPATH="+filepath.FromSlash(gopath), "PWD="+dir)
	}
	work := "off" // a workspace above the tree is none of its
	if _, err := os.Stat(filepath.Join(root, "go.work")); err == nil {
		work = filepath.Join(root, "go.work")
	}
	return append(env, "GOWORK="+work, "PWD="+dir)
}

// output runs the go program in dir, which is no part of a tree.
func (t *tool) output(ctx context.Context, dir string, args ...string) ([]byte, error) {
	return t.builder.runner.Run(ctx, command.Cmd{Argv: append([]string{t.program}, args...), Dir: dir, Env: t.env, Limits: t.limits})
}

func (t *tool) moduleHint() string {
	if t.network {
		return "see that GOPROXY can be reached"
	}
	return "allow the network with --network, or fetch modules and toolchain beforehand with \"go mod download\" in a checkout"
}

// scrubber takes the paths of this machine out of what is kept.
func (t *tool) scrubber(root string) *strings.Replacer {
	goroot := filepath.Dir(filepath.Dir(t.program))
	return strings.NewReplacer(root+"/", "", root, ".", t.work, "$WORK", t.modules, "$GOMODCACHE", t.cacheAt, "$GOCACHE", goroot, "$GOROOT")
}

// close gives the caches up and removes the job's directory. Tests may have left directories that cannot be written to.
func (t *tool) close() {
	defer t.lock.Close()
	if os.RemoveAll(t.work) == nil {
		return
	}
	filepath.WalkDir(t.work, func(path string, d os.DirEntry, _ error) error { //nolint:errcheck // what stays is found by whoever owns Work
		if d != nil && d.IsDir() {
			os.Chmod(path, 0o700) //nolint:gosec,errcheck // directories need the x bit
		}
		return nil
	})
	os.RemoveAll(t.work)
}
