package gitrepo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/equiv"
)

// TestSweepIndexes: of the cache go only files of our own that nobody will want.
func TestSweepIndexes(t *testing.T) {
	here, now := t.TempDir(), time.Now()
	of := func(place string) []byte { return equiv.NewTable("example/server").Encode(place) }
	const day = 24 * time.Hour
	tests := []struct {
		name    string
		age     time.Duration
		content []byte
		stays   bool
	}{
		{"current.index", 400 * day, of("/gone"), true},
		{"used.index", day, of(here), true},
		{"seldom.index", 80 * day, of(here), true},
		{"never.index", 91 * day, of(here), false},
		{"orphan.index", 3 * day, of("/gone/objects"), false},
		{"fresh-orphan.index", day, of("/gone/objects"), true},
		{"other-format.index", 13 * day, []byte("something"), true},
		{"old-format.index", 15 * day, []byte("something"), false},
		{"empty.index", 15 * day, nil, false},
		{"long.index", 15 * day, of("/" + strings.Repeat("x", 64<<10)), false},
		{".tmp-1", 2 * time.Hour, []byte("half"), false},
		{".tmp-2", 10 * time.Minute, []byte("half"), true},
		{"notes.txt", 400 * day, nil, true},
	}
	dir := t.TempDir()
	for _, tt := range tests {
		name := filepath.Join(dir, tt.name)
		err := os.WriteFile(name, tt.content, 0o600)
		if err == nil {
			err = os.Chtimes(name, now.Add(-tt.age), now.Add(-tt.age))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(here, "outside")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.index")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "directory.index"), 0o700); err != nil {
		t.Fatal(err)
	}
	sweepIndexes(dir, "current.index", now)
	for _, tt := range tests {
		if _, err := os.Lstat(filepath.Join(dir, tt.name)); (err == nil) != tt.stays {
			t.Errorf("%s, %v old: %v, want it to stay: %v", tt.name, tt.age, err, tt.stays)
		}
	}
	for _, name := range []string{outside, filepath.Join(dir, "link.index"), filepath.Join(dir, "directory.index")} {
		if _, err := os.Lstat(name); err != nil {
			t.Errorf("what is no file of the cache: %v", err)
		}
	}
}

// TestSweepKeepsTheCacheSmall: what was used longest ago goes first.
func TestSweepKeepsTheCacheSmall(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for n := range 6 {
		name := filepath.Join(dir, fmt.Sprintf("%d.index", n))
		err := os.WriteFile(name, nil, 0o600)
		if err == nil {
			err = os.Truncate(name, maxIndexes/4) // no room on the disk
		}
		if err == nil {
			err = os.Chtimes(name, now, now.Add(-time.Duration(n)*time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sweepIndexes(dir, "5.index", now)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{"0.index", "1.index", "2.index", "5.index"}, left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCheckpointUndoesNothing: what another run has put in place since this one looked stays.
func TestCheckpointUndoesNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index", "x"+indexSuffix)
	run := func() *indexFile {
		return &indexFile{cache: IndexCache{Note: func(text string) { t.Error(text) }}, name: name, place: "/here", repository: "example/server"}
	}
	repositoryOf := func(f *indexFile) string {
		f.repository = "another/name"
		f.cache.Note = nil
		if f.load(); f.found == nil {
			return "nothing"
		}
		return fmt.Sprint(f.found.Size())
	}
	one, two := run(), run()
	one.load()
	two.load()
	one.checkpoint(equiv.NewTable("example/server"))
	first := repositoryOf(run())
	one.checkpoint(equiv.NewTable("example/server-with-a-longer-name"))
	second := repositoryOf(run())
	two.checkpoint(equiv.NewTable("x/y"))
	if third := repositoryOf(run()); first == "nothing" || first == second || third != second {
		t.Errorf("sizes %s, %s, %s: the first run may go on, the second not", first, second, third)
	}
	two.save(equiv.NewTable("x/y"))
	if repositoryOf(run()) == second {
		t.Error("what a run has at its end is kept")
	}
}

// TestIndexIsMarkedAsUsed: a file that only is read would look as if nobody wanted it.
func TestIndexIsMarkedAsUsed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x"+indexSuffix)
	now := time.Now().Truncate(time.Second)
	f := &indexFile{name: name, place: "/here", repository: "example/server", opened: now}
	f.write(equiv.NewTable("example/server"))
	for age, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 25 * time.Hour: 0} {
		if err := os.Chtimes(name, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		f.load()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := now.Sub(info.ModTime()); got != want {
			t.Errorf("of a file %v old that was read the age is %v, want %v", age, got, want)
		}
	}
}
