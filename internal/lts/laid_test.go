package lts_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lts"
)

const laidPick = `apiVersion: kubelts.io/v1alpha1
kind: Pick
repository: /src/clone
commit: 3f2a9c1b3f2a9c1b3f2a9c1b3f2a9c1b3f2a9c1b
subject: Fix it
target: release-1.0
onto: 81da5ac181da5ac181da5ac181da5ac181da5ac1
tree: 1d475fba791d475fba791d475fba791d475fba79
files:
  - path: a/b.go
    rung: verbatim
    reasons:
      - content
    laid: 154581ced8d0dfb10c86bee7f813750bdf6c2e47
    mode: "100644"
    ours: 24c628c081417f97b775a0853c91dfcd814f3ce6
    theirs: 8024f7347ab0824c926e9db9865c033e0057f721
  - path: gone
    rung: verbatim
`

func TestLaidPick(t *testing.T) {
	l, err := lts.ParseLaidPick("state", []byte(laidPick))
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Format()
	if diff := cmp.Diff(laidPick, string(again)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	tests := map[string]struct{ old, replacement, want string }{
		"another kind":          {"kind: Pick", "kind: Conflict", "kind"},
		"an unknown key":        {"subject:", "subjects:", "unknown key subjects"},
		"no tree":               {"tree: 1d475fba791d475fba791d475fba791d475fba79\n", "", "needs repository"},
		"a path that leads out": {"a/b.go", "../b.go", `path "../b.go" is not well formed`},
		"a path of git's own":   {"a/b.go", ".git/config", `path ".git/config" is not well formed`},
		"an absolute path":      {"a/b.go", "/etc/passwd", `path "/etc/passwd" is not well formed`},
		"a path twice":          {"path: gone", "path: a/b.go", "stands twice"},
		"a mode of nothing":     {`"100644"`, `"040000"`, `mode "040000"`},
		"a submodule laid out":  {`"100644"`, `"160000"`, "of a file that was laid out"},
		"a commit that is none": {"commit: 3f2a9c1b", "commit: zzzz9c1b", "state:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := lts.ParseLaidPick("state", []byte(strings.Replace(laidPick, tt.old, tt.replacement, 1)))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestMarkerLineOfVersions(t *testing.T) {
	version := []byte("text\n<<<<<<< as an example\n")
	if got := lts.MarkerLine([]byte("<<<<<<< as an example\r\nx\n"), version); got != 0 {
		t.Errorf("a line that a version has is a marker: line %d", got)
	}
	if got := lts.MarkerLine([]byte("<<<<<<< as an example\n>>>>>>> x\n"), version); got != 2 {
		t.Errorf("line %d, want 2", got)
	}
}
