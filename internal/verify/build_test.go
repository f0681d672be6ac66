package verify_test

import (
	"crypto/sha256"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// listen returns the address of a server outside of the sandbox.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestBuildIsStampedAndReproducible(t *testing.T) {
	const program = `
-- go.mod --
module example.com/app

go 1.21
-- cmd/app/main.go --
package main

import "fmt"

var version, commit, date, minor = "", "", "", ""

func main() { fmt.Println(version, commit, date, minor) }
`
	const nested = `
-- go.mod --
module example.com/root

go 1.21
-- server/go.mod --
module example.com/root/server

go 1.21
-- server/main.go --
package main

import "fmt"

var version, commit, date, minor = "", "", "", ""

func main() { fmt.Println(version, commit, date, minor) }
`
	old := strings.ReplaceAll(program, "-- go.mod --\nmodule example.com/app\n\ngo 1.21\n", "")
	tests := []struct {
		name, tree, pkg string
		build           lts.BuildConfig
	}{
		{"module", program, "./cmd/app", lts.BuildConfig{Mode: lts.ModeModule}},
		{"nested module", nested, "./server", lts.BuildConfig{Mode: lts.ModeModule}},
		{"gopath", old, "./cmd/app", lts.BuildConfig{Mode: lts.ModeGOPATH, ImportPath: "example.com/kube"}},
	}
	minor, err := release.ParseMinor("3.4")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sums [2][32]byte
			for i := range sums {
				job := upkeep.BuildJob{
					Source: gopath(t, tt.tree), Output: filepath.Join(t.TempDir(), "app"), Toolchain: "local", Build: tt.build,
					Component: lts.Component{Name: "app", Package: tt.pkg, LDFlags: []string{
						"-s", "-X main.version={version}", "-X main.commit={commit}", "-X main.date={date} or so", "-X=main.minor={major}.{minor}",
					}},
					Platform: "linux/amd64", SourceDate: time.Unix(1, 0),
					Stamp: lts.Stamp{Version: "v3.4.20+lts.1", Base: "v3.4.20", Minor: minor, Commit: git.Hash(git.TypeBlob, nil), Date: "2023-07-28T00:00:00Z"},
				}
				built, err := newBuilder(t, nil).Build(t.Context(), job)
				if err != nil {
					t.Fatal(err)
				}
				content, err := os.ReadFile(job.Output)
				if err != nil {
					t.Fatal(err)
				}
				sums[i] = sha256.Sum256(content)
				out, err := exec.Command(job.Output).CombinedOutput()
				want := "v3.4.20+lts.1 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 2023-07-28T00:00:00Z or so 3.4\n"
				if err != nil || string(out) != want || !strings.HasPrefix(built.Toolchain, "go1.") {
					t.Errorf("it prints %q, %v, built by %q; want %q", out, err, built.Toolchain, want)
				}
			}
			if sums[0] != sums[1] {
				t.Error("two builds in different directories differ")
			}
		})
	}
}

func TestBuildThatFailsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	job := upkeep.BuildJob{
		Source: write(t, t.TempDir(), "-- go.mod --\nmodule x\n-- main.go --\npackage main\n\nfunc main() { none() }\n"), Output: filepath.Join(dir, "app"),
		Toolchain: "local", Build: lts.BuildConfig{Mode: lts.ModeModule}, Component: lts.Component{Name: "app", Package: "."}, Platform: "linux/arm64",
	}
	_, err := newBuilder(t, nil).Build(t.Context(), job)
	if err == nil || !strings.Contains(err.Error(), "undefined: none") || !strings.Contains(err.Error(), "build app for linux/arm64") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
