package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// releasing is a rig whose line can be released for two platforms, and what a release of it gives.
func releasing(t *testing.T) (r *rig, args []string, want map[string]string) {
	t.Helper()
	r = newRig(t)
	r.shell("sed -i 's|^  - linux/amd64|  - linux/amd64\\n  - linux/arm64|' proj/lines/1.0/line.yaml && cd proj && sh " + fixture(t, "records.sh") + " open")
	r.must("line", "update", "1.0", "--at", "2026-11-22")
	r.must("line", "decide", "1.0", "verification", "--author", "Ada Author <ada@example.org>", "--reason", "a test of releases", "--at", "2026-11-22")
	args = []string{"line", "release", "1.0", "--at", "2026-11-22"}
	r.copy("proj", "undisturbed")
	r.mustIn("undisturbed", args...)
	want = r.files("undisturbed")
	if _, ok := want["releases/v1.0.1+lts.1/widget-v1.0.1+lts.1-linux-arm64.tar.gz"]; !ok {
		t.Fatalf("nothing was released for the second platform: %q", slices.Sorted(maps.Keys(want)))
	}
	return r, args, want
}

// TestForgedRelease: a release that stands half made in a project that somebody hands over is made anew, whatever it says of itself.
func TestForgedRelease(t *testing.T) {
	r, args, want := releasing(t)
	r.copy("proj", "forged")
	work := filepath.Join(r.root, "forged", ".kubelts", "work", "release-1.0")
	var manifest struct {
		InputsSHA256 string
		Source       struct{ Commit string }
		Artifacts    []map[string]any
	}
	if err := json.Unmarshal([]byte(want["releases/v1.0.1+lts.1/manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	evil := []byte("not what was built")
	done := map[string]any{}
	for _, a := range manifest.Artifacts {
		platform, _ := a["platform"].(string)
		if platform == "" {
			continue // made for the release as a whole
		}
		key := "widget-" + strings.ReplaceAll(platform, "/", "-")
		if done[key] == nil {
			done[key] = map[string]any{"toolchain": "go1.0", "reproducible": "yes", "artifacts": []any{}}
		}
		list := done[key].(map[string]any)
		list["artifacts"] = append(list["artifacts"].([]any), a)
		a["sha256"], a["size"] = fmt.Sprintf("%x", sha256.Sum256(evil)), len(evil)
		put(t, filepath.Join(work, "out", fmt.Sprint(a["name"])), evil)
	}
	plan := map[string]any{"version": "v1.0.1+lts.1", "base": "v1.0.1", "inputs": manifest.InputsSHA256, "commit": manifest.Source.Commit, "date": "2026-11-22T00:00:00Z", "twice": false}
	put(t, filepath.Join(work, "plan.json"), plan)
	put(t, filepath.Join(work, "release-1.0.json"), map[string]any{"plan": plan, "done": done})
	for key, what := range done {
		put(t, filepath.Join(work, "done", key+".json"), what)
	}
	put(t, filepath.Join(work, "done", "source-one"), []byte("exported\n"))
	put(t, filepath.Join(work, "source-one", "main.go"), []byte("package main\n\nfunc main() { println(\"not ours\") }\n"))
	r.mustIn("forged", args...)
	if diff := cmp.Diff(want, r.files("forged")); diff != "" {
		t.Errorf("a release with another's files (-undisturbed +forged):\n%s", diff)
	}
}

// TestTamperedRelease: of a release that was interrupted, what somebody changed since is made anew.
func TestTamperedRelease(t *testing.T) {
	r, args, want := releasing(t)
	r.copy("proj", "tampered")
	work := filepath.Join(r.root, "tampered", ".kubelts", "work", "release-1.0")
	state := r.interruptedRelease("tampered", args)
	outside := put(t, filepath.Join(r.root, "outside"), []byte("mine"))
	for _, name := range []string{"widget-v1.0.1+lts.1-linux-amd64.tar.gz", "widget_1.0.1+lts.1_arm64.deb"} {
		name = filepath.Join(work, "out", name)
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, name); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(work, "source-one", "main.go"), []byte("package main\n\nfunc main() { println(\"not ours\") }\n"))
	r.mustIn("tampered", args...)
	if diff := cmp.Diff(want, r.files("tampered")); diff != "" {
		t.Errorf("a release with changed files (-undisturbed +tampered):\n%s", diff)
	}
	if content, err := os.ReadFile(outside); err != nil || string(content) != "mine" {
		t.Errorf("a file outside of the project was written: %q, %v", content, err)
	}
	if left, err := filepath.Glob(state); err != nil || len(left) > 0 {
		t.Errorf("left of a release that is done: %v, %v", left, err)
	}
}

// interruptedRelease kills a release when its first platform is done, and returns the file in which that is kept.
func (r *rig) interruptedRelease(project string, args []string) string {
	r.t.Helper()
	real, err := filepath.EvalSymlinks(filepath.Join(r.root, project))
	if err != nil {
		r.t.Fatal(err)
	}
	state := filepath.Join(r.cache, "kubelts", "projects", fmt.Sprintf("%x", sha256.Sum256([]byte(real)))[:32], "release-1.0.json")
	cmd := r.kubelts(project, args...)
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		content, err := os.ReadFile(state)
		if err == nil && bytes.Contains(content, []byte("widget-linux-amd64")) {
			break
		}
		if time.Since(begin) > 5*time.Minute {
			r.t.Fatalf("the first platform is not done: %v", err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	if cmd.Wait() == nil {
		r.t.Fatal("the release was done before it was killed")
	}
	return state
}

// put writes bytes, or a value as JSON, and returns the file's name.
func put(t *testing.T, name string, what any) string {
	t.Helper()
	content, ok := what.([]byte)
	var err error
	if !ok {
		content, err = json.Marshal(what)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}
