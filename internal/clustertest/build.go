package clustertest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/mod/modfile"
)

// release is the module with kube-apiserver in it, and the package.
const (
	release = "k8s.io/kubernetes"
	program = release + "/cmd/kube-apiserver"
)

// Versions are the versions of kube-apiserver that can be started: those of the modules in test/, oldest first.
func Versions(tb testing.TB) []string {
	tb.Helper()
	var out []string
	for _, m := range serverModules(tb) {
		out = append(out, m.version)
	}
	return out
}

// serverModule is a Go module that pins one version of kube-apiserver with all that it is made of.
type serverModule struct {
	dir, version string
	pins         []byte // go.mod and go.sum
}

func serverModules(tb testing.TB) []serverModule {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(projectRoot(tb), "test", "kube-apiserver-*", "go.mod"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no module test/kube-apiserver-* in %s: %v", projectRoot(tb), err)
	}
	var out []serverModule
	for _, name := range files {
		m := serverModule{dir: filepath.Dir(name)}
		content, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(m.dir, "go.sum"))
		if err != nil {
			tb.Fatal(err)
		}
		mod, err := modfile.Parse(name, content, nil)
		if err != nil {
			tb.Fatal(err)
		}
		for _, r := range mod.Require {
			if r.Mod.Path == release {
				m.version = r.Mod.Version
			}
		}
		if m.version == "" {
			tb.Fatalf("%s requires no %s", name, release)
		}
		m.pins = append(content, sums...)
		out = append(out, m)
	}
	return out
}

// projectRoot is the directory of the project's go.mod: tests run in the directory of their package.
func projectRoot(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && modfile.ModulePath(content) == "github.com/kubelts/kubelts" {
			return dir
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("this runs outside of the project: no go.mod of it above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Binary returns the path of kube-apiserver of the given version ("v1.24.17"), which it builds where no earlier run has. Programs are kept
// below the user's cache directory, under a name that changes with all that goes into them.
func Binary(tb testing.TB, version string) string {
	tb.Helper()
	for _, m := range serverModules(tb) {
		if m.version == version {
			return m.binary(tb)
		}
	}
	tb.Fatalf("no kube-apiserver %q: there are %s", version, strings.Join(Versions(tb), ", "))
	return ""
}

func (m *serverModule) binary(tb testing.TB) string {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(cache, "kubelts-test")
	if err = os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	flags := m.linkerFlags()
	key := sha256.Sum256(fmt.Appendf(m.pins, "\n%s %s %s\n%s", runtime.Version(), runtime.GOOS, runtime.GOARCH, flags))
	name := filepath.Join(dir, fmt.Sprintf("kube-apiserver-%s-%x", m.version, key[:8]))
	// Tests of several packages run at once: the first builds, the others wait.
	lock, err := os.OpenFile(name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer lock.Close() // and with that the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		tb.Fatalf("lock %s: %v", lock.Name(), err)
	}
	if _, err := os.Stat(name); err == nil {
		return name
	}
	tb.Logf("building kube-apiserver %s: this takes minutes, once", m.version)
	build := exec.Command("go", "build", "-C", m.dir, "-trimpath", "-ldflags", flags, "-o", name+".new", program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	p := run(tb, name+".log", build)
	if <-p.done; p.err != nil {
		tb.Fatalf("build kube-apiserver %s in %s: %v\n%s", m.version, m.dir, p.err, p.tail())
	}
	if err := os.Rename(name+".new", name); err != nil {
		tb.Fatal(err)
	}
	return name
}

// linkerFlags put the version where Kubernetes' own build puts it.
func (m *serverModule) linkerFlags() string {
	parts := strings.SplitN(strings.TrimPrefix(m.version, "v"), ".", 3)
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, v := range [][2]string{{"gitVersion", m.version}, {"gitMajor", parts[0]}, {"gitMinor", parts[1]}, {"gitTreeState", "clean"}} {
			flags = append(flags, "-X", pkg+"."+v[0]+"="+v[1])
		}
	}
	return strings.Join(flags, " ")
}
