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
	"time"

	"golang.org/x/mod/modfile"
)

// release is the module that has Kubernetes' programs.
const release = "k8s.io/kubernetes"

// Versions are the versions of kube-apiserver that can be started: those of the modules in test/, oldest first.
func Versions(tb testing.TB) []string {
	tb.Helper()
	var out []string
	for _, p := range programs(tb, "kube-apiserver") {
		out = append(out, p.version)
	}
	return out
}

// Binary returns the path of kube-apiserver of the given version ("v1.24.17"), which it builds where no earlier run has. Programs are kept
// below the user's cache directory, under a name that changes with all that goes into them; those that no test used for 30 days go when
// another is built.
func Binary(tb testing.TB, version string) string {
	tb.Helper()
	for _, p := range programs(tb, "kube-apiserver") {
		if p.version == version {
			return p.binary(tb)
		}
	}
	tb.Fatalf("no kube-apiserver %q: there are %s", version, strings.Join(Versions(tb), ", "))
	return ""
}

// Kubectl returns the path of kubectl, of the newest version there is, built as [Binary] says.
func Kubectl(tb testing.TB) string {
	tb.Helper()
	all := programs(tb, "kubectl")
	return all[len(all)-1].binary(tb)
}

// source is a Go module, test/NAME-MINOR, that pins one version of one of Kubernetes' programs with all that it is made of.
type source struct {
	program, dir, version string
	pins                  []byte // go.mod and go.sum
}

func programs(tb testing.TB, program string) []source {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(projectRoot(tb), "test", program+"-*", "go.mod"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no module test/%s-* in %s: %v", program, projectRoot(tb), err)
	}
	var out []source
	for _, name := range files {
		s := source{program: program, dir: filepath.Dir(name)}
		content, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(s.dir, "go.sum"))
		if err != nil {
			tb.Fatal(err)
		}
		mod, err := modfile.Parse(name, content, nil)
		if err != nil {
			tb.Fatal(err)
		}
		for _, r := range mod.Require {
			if r.Mod.Path == release {
				s.version = r.Mod.Version
			}
		}
		if s.version == "" {
			tb.Fatalf("%s requires no %s", name, release)
		}
		s.pins = append(content, sums...)
		out = append(out, s)
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

func (s *source) binary(tb testing.TB) string {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(cache, "kubelts-test")
	if err = os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	flags := s.linkerFlags()
	key := sha256.Sum256(fmt.Appendf(s.pins, "\n%s %s %s\n%s", runtime.Version(), runtime.GOOS, runtime.GOARCH, flags))
	name := filepath.Join(dir, fmt.Sprintf("%s-%s-%x", s.program, s.version, key[:8]))
	// Tests of several packages run at once: the first builds, the others wait.
	lock, err := os.OpenFile(name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer lock.Close() // and with that the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		tb.Fatalf("lock %s: %v", lock.Name(), err)
	}
	now := time.Now()
	if os.Chtimes(name, now, now) == nil { // it is there, and was used today
		return name
	}
	sweep(dir, now)
	tb.Logf("building %s %s: this takes minutes, once", s.program, s.version)
	build := exec.Command("go", "build", "-C", s.dir, "-trimpath", "-ldflags", flags, "-o", name+".new", release+"/cmd/"+s.program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	p := run(tb, name+".log", build)
	if <-p.done; p.err != nil {
		tb.Fatalf("build %s %s in %s: %v\n%s", s.program, s.version, s.dir, p.err, p.tail())
	}
	if err := os.Rename(name+".new", name); err != nil {
		tb.Fatal(err)
	}
	return name
}

// linkerFlags put the version where Kubernetes' own build puts it.
func (s *source) linkerFlags() string {
	parts := strings.SplitN(strings.TrimPrefix(s.version, "v"), ".", 3)
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, v := range [][2]string{{"gitVersion", s.version}, {"gitMajor", parts[0]}, {"gitMinor", parts[1]}, {"gitTreeState", "clean"}} {
			flags = append(flags, "-X", pkg+"."+v[0]+"="+v[1])
		}
	}
	return strings.Join(flags, " ")
}
