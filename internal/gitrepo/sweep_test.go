package gitrepo

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSweepViews: only views of our own go whose owner is gone.
func TestSweepViews(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	held, owner, err := makeView()
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	gone, file, err := makeView()
	if err != nil {
		t.Fatal(err)
	}
	file.Close() // as the system does for a process that was killed
	for _, dir := range []string{"kubelts-view-lockless", "other", "kubelts-view-file"} {
		if err := os.Mkdir(filepath.Join(temp, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(temp, "kubelts-view-file")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(temp, "other"), filepath.Join(temp, "kubelts-view-file")); err != nil {
		t.Fatal(err)
	}
	list := func() []string {
		entries, err := os.ReadDir(temp)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	all := list()
	sweepViews(temp, time.Now())
	if diff := cmp.Diff(all, list()); diff != "" {
		t.Errorf("young views (-want +got):\n%s", diff)
	}
	sweepViews(temp, time.Now().Add(time.Hour))
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("the view of a dead owner: %v", err)
	}
	if diff := cmp.Diff(len(all)-1, len(list())); diff != "" {
		t.Errorf("an hour later %q: %s", list(), diff)
	}
	sweepViews(temp, time.Now().Add(48*time.Hour))
	if diff := cmp.Diff([]string{filepath.Base(held), "kubelts-view-file", "other"}, list()); diff != "" {
		t.Errorf("two days later (-want +got):\n%s", diff)
	}
}
