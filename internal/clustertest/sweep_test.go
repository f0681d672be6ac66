package clustertest

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestSweep: programs that nobody used for a month go, with what lies beside them; those in use, those that are locked, and what is not ours stay.
func TestSweep(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for name, days := range map[string]int{
		"kube-apiserver-v1.20.0-aa": 31, "kube-apiserver-v1.20.0-aa.lock": 31, "kube-apiserver-v1.20.0-aa.log": 31,
		"kube-apiserver-v1.36.3-bb": 1, "kube-apiserver-v1.36.3-bb.lock": 400,
		"kubectl-v1.30.0-cc.lock":   31, // a build that failed
		"kube-apiserver-v1.25.0-dd": 31, "kube-apiserver-v1.25.0-dd.lock": 31,
		"something-else": 400, "something-else.lock": 400,
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		when := now.AddDate(0, 0, -days)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	held, err := os.Open(filepath.Join(dir, "kube-apiserver-v1.25.0-dd.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	sweep(dir, now)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{
		"kube-apiserver-v1.25.0-dd", "kube-apiserver-v1.25.0-dd.lock", "kube-apiserver-v1.36.3-bb", "kube-apiserver-v1.36.3-bb.lock", "something-else", "something-else.lock",
	}
	if !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}
