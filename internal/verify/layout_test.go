package verify_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/upkeep"
)

const oldKube = `
-- cmd/kube/main.go --
package main

import (
	"example.com/kube/pkg/server"
	"github.com/dep/dep"
)

var version = "unknown"

func main() { println(version, server.Name(), dep.Zero) }
-- pkg/server/server.go --
package server

import "k8s.io/api/core"

func Name() string { return core.Name }
-- pkg/server/server_test.go --
package server

import (
	"testing"

	"k8s.io/api/core"
)

func TestName(t *testing.T) {
	if Name() != "kube" || core.Name != "kube" {
		t.Error("wrong name")
	}
}
-- pkg/other/other.go --
package other
-- staging/src/k8s.io/api/core/core.go --
package core

const Name = "kube"
-- staging/src/k8s.io/api/core/core_test.go --
package core

import "testing"

func TestName(t *testing.T) {
	if Name != "kube" {
		t.Error("wrong name")
	}
}
-- vendor/k8s.io/api --
-> ../../staging/src/k8s.io/api
-- vendor/github.com/dep/dep/dep.go --
package dep

const Zero = 0
`

func gopath(t *testing.T, archives ...string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "src", "example.com", "kube"), archives...)
}

func gopathJob(t *testing.T, line string, changed ...string) upkeep.VerifyJob {
	t.Helper()
	return upkeep.VerifyJob{
		Line: gopath(t, oldKube, line), Base: gopath(t, oldKube), Changed: changed, Toolchain: "local",
		Build: lts.BuildConfig{Mode: lts.ModeGOPATH, ImportPath: "example.com/kube"},
	}
}

func TestGOPATHTreeWithStaging(t *testing.T) {
	t.Setenv("GO111MODULE", "on")
	t.Setenv("GOFLAGS", "-mod=mod")
	const line = "-- staging/src/k8s.io/api/core/core.go --\npackage core\n\nconst Name = \"other\"\n"
	v, err := newBuilder(t, nil).Verify(t.Context(), gopathJob(t, line, "staging/src/k8s.io/api/core/core.go"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"example.com/kube/pkg/server", "example.com/kube/vendor/k8s.io/api/core"}
	if diff := cmp.Diff(want, v.Packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	wantNew := []string{"test failed example.com/kube/pkg/server TestName", "test failed example.com/kube/vendor/k8s.io/api/core TestName"}
	if diff := cmp.Diff(wantNew, brief(v.New)); diff != "" {
		t.Errorf("new failures (-want +got):\n%s", diff)
	}
}

func TestVendoredPackageReachesItsImporters(t *testing.T) {
	v, err := newBuilder(t, nil).Verify(t.Context(), gopathJob(t, "", "vendor/github.com/dep/dep/dep.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"example.com/kube/cmd/kube", "example.com/kube/vendor/github.com/dep/dep"}, v.Packages); diff != "" || !v.Passed() {
		t.Errorf("packages (-want +got):\n%s\n%+v", diff, v)
	}
}

const vendored = `
-- go.mod --
module example.com/app

go 1.21

require example.com/dep v1.0.0
-- go.sum --
-- app.go --
package app

import "example.com/dep"

func Zero() int { return dep.Zero }
-- vendor/example.com/dep/dep.go --
package dep

const Zero = 0
-- vendor/modules.txt --
# example.com/dep v1.0.0
## explicit
example.com/dep
`

func TestVendorDirectoryOfAModule(t *testing.T) {
	tests := []struct {
		name, goMod, want string
	}{
		{"consistent", "", ".: built from vendor"},
		{"older than the comparison", "-- go.mod --\nmodule example.com/app\n\ngo 1.12\n\nrequire example.com/dep v1.0.0\n-- vendor/modules.txt --\n# example.com/dep v1.0.0\nexample.com/dep\n", "older than go 1.14"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, vendored+tt.goMod, "", "", "vendor/example.com/dep/dep.go"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"example.com/app", "example.com/dep"}, v.Packages); diff != "" || !v.Passed() {
				t.Errorf("packages (-want +got):\n%s\n%+v", diff, v)
			}
			if !strings.Contains(strings.Join(v.Notes, "\n"), tt.want) {
				t.Errorf("notes %q do not say %q", v.Notes, tt.want)
			}
		})
	}
}

func TestInconsistentVendorDirectoryIsNotUsed(t *testing.T) {
	const goMod = "-- go.mod --\nmodule example.com/app\n\ngo 1.21\n\nrequire example.com/dep v1.0.0\n\nrequire example.com/more v1.0.0\n\nreplace example.com/dep => ./dep\n\nreplace example.com/more => ./more\n-- more/go.mod --\nmodule example.com/more\n-- dep/go.mod --\nmodule example.com/dep\n-- dep/dep.go --\npackage dep\n\nconst Zero = 0\n"
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, vendored+goMod, "", "", "app.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !v.Passed() || !strings.Contains(strings.Join(v.Notes, "\n"), "does not fit its go.mod") {
		t.Errorf("%+v", v)
	}
}

func TestNestedModulesAreReachedThroughReplace(t *testing.T) {
	const tree = `
-- go.mod --
module example.com/root

go 1.21
-- lib/lib.go --
package lib
-- server/go.mod --
module example.com/root/server

go 1.21

require example.com/root v0.0.0

replace example.com/root => ../
-- server/server.go --
package server

import _ "example.com/root/lib"
-- tools/go.mod --
module example.com/tools

go 1.21

require example.com/not/there v1.0.0

replace example.com/root => ../
-- tools/tools.go --
package tools

import _ "example.com/not/there"
-- testdata/bad/go.mod --
this is no go.mod
`
	v, err := newBuilder(t, nil).Verify(t.Context(), moduleJob(t, tree, "", "", "lib/lib.go"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"example.com/root/lib", "example.com/root/server"}, v.Packages); diff != "" || !v.Passed() {
		t.Errorf("packages (-want +got):\n%s\n%+v", diff, v)
	}
}

// hostile holds tests that look for what is not theirs. They fail when they find something, or when what they need is not there.
const hostile = `
-- go.mod --
module example.com/hostile

go 1.21
-- a.go --
package a
-- a_test.go --
package a

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEnvironment(t *testing.T) {
	for _, v := range os.Environ() {
		if strings.Contains(v, "s3cret") || strings.HasPrefix(v, "SSH_") || strings.Contains(v, "TOKEN") {
			t.Error("found", v)
		}
	}
}

func TestHome(t *testing.T) {
	for _, dir := range []string{os.Getenv("HOME"), "/root", "/home", "USERHOME"} {
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.Contains(path, "id_rsa") {
				t.Error("found", path)
			}
			return nil
		})
	}
	if _, err := os.ReadFile("USERHOME/.ssh/id_rsa"); err == nil {
		t.Error("read the key")
	}
	if os.WriteFile("USERHOME/.bashrc", []byte("evil"), 0o644) == nil {
		t.Log("wrote where nobody will look")
	}
}

func TestNetwork(t *testing.T) {
	for _, address := range []string{"192.0.2.1:80", "1.1.1.1:53", "OUTSIDE"} {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			c.Close()
			t.Error("reached", address)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal("no loopback:", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err != nil {
		t.Error("no loopback:", err)
	}
}

func TestDirectories(t *testing.T) {
	for _, name := range []string{"HOME", "TMPDIR", "GOCACHE", "GOPATH", "GOMODCACHE"} {
		if strings.HasPrefix(os.Getenv(name), "USERHOME") {
			t.Error(name, "is the user's")
		}
	}
	if os.WriteFile(filepath.Join(os.Getenv("GOMODCACHE"), "evil"), nil, 0o644) == nil {
		t.Error("wrote into the modules")
	}
	if err := os.WriteFile(filepath.Join(os.TempDir(), "x"), nil, 0o644); err != nil {
		t.Error(err)
	}
}
`

func TestAHostileTestSeesNothing(t *testing.T) {
	home := write(t, t.TempDir(), "-- .ssh/id_rsa --\nkey\n-- .bashrc --\nmine\n-- go/x --\n")
	goroot, outside := os.Getenv("GOROOT"), listen(t)
	t.Setenv("GOROOT", goroot)
	t.Setenv("HOME", home)
	t.Setenv("AWS_SECRET", "s3cret")
	t.Setenv("GITHUB_TOKEN", "x")
	t.Setenv("SSH_AUTH_SOCK", "/tmp/agent")
	t.Setenv("GOFLAGS", "-run=NothingAtAll")
	b := newBuilder(t, nil)
	tree := strings.NewReplacer("USERHOME", home, "OUTSIDE", outside).Replace(hostile)
	v, err := b.Verify(t.Context(), moduleJob(t, tree, "", "", "a.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.New)+len(v.Old) > 0 || v.Tests != 4 {
		t.Errorf("%d tests; a hostile test saw or missed something: %+v %+v", v.Tests, v.New, v.Old)
	}
	if got, err := os.ReadFile(filepath.Join(home, ".bashrc")); err != nil || string(got) != "mine\n" {
		t.Errorf(".bashrc is now %q, %v", got, err)
	}
}

func TestALineMayNotUndoTheSandbox(t *testing.T) {
	job := moduleJob(t, shop, "", "", "price/price.go")
	job.Build.Env = map[string]string{"HOME": "/root"}
	if _, err := newBuilder(t, nil).Verify(t.Context(), job); err == nil || !strings.Contains(err.Error(), "may not set HOME") {
		t.Errorf("error %v", err)
	}
}

// TestTheToolchainIsTheLines covers GOPATH mode too, in which the go program itself would take no notice of GOTOOLCHAIN.
func TestTheToolchainIsTheLines(t *testing.T) {
	installed, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	have := strings.TrimSpace(string(installed))
	for name, job := range map[string]upkeep.VerifyJob{"module": moduleJob(t, shop, "", "", "other/other.go"), "gopath": gopathJob(t, "", "pkg/other/other.go")} {
		t.Run(name, func(t *testing.T) {
			job.Toolchain = have
			if v, err := newBuilder(t, nil).Verify(t.Context(), job); err != nil || v.Toolchain != have {
				t.Errorf("verification %+v, %v; want one with %s", v, err, have)
			}
			job.Toolchain = "go1.999.0"
			if v, err := newBuilder(t, nil).Verify(t.Context(), job); err == nil || !strings.Contains(err.Error(), "go1.999.0") || len(errs.Hints(err)) == 0 {
				t.Errorf("verification %+v, error %v; want the toolchain that is not there", v, err)
			}
		})
	}
}
