package verify

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/command"
)

// cacheFile is a file of a cache: its size, and how many hours ago it was used.
type cacheFile struct {
	name  string
	bytes int
	hours int
}

func fillCache(t *testing.T, dir string, now time.Time, files []cacheFile) {
	t.Helper()
	for _, f := range files {
		name := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, make([]byte, f.bytes), 0o444); err != nil {
			t.Fatal(err)
		}
		used := now.Add(-time.Duration(f.hours) * time.Hour)
		if err := os.Chtimes(name, used, used); err != nil {
			t.Fatal(err)
		}
	}
}

// leftIn are the files and empty directories below dir.
func leftIn(t *testing.T, dir string) string {
	t.Helper()
	var left []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		if d.IsDir() {
			if entries, err := os.ReadDir(name); err != nil || len(entries) > 0 {
				return err
			}
			rel += "/"
		}
		left = append(left, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(left, " ")
}

func TestTrimDir(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		limit int64
		unit  func(string) string
		files []cacheFile
		want  string
	}{
		{"within the limit", 30, fileUnit, []cacheFile{{"a/1-a", 10, 9}, {"b/2-d", 20, 1}}, "a/1-a b/2-d"},
		{"the longest unused goes", 29, fileUnit, []cacheFile{{"a/1-a", 10, 9}, {"b/2-d", 20, 1}}, "b/2-d"},
		{"down to nine tenths", 29, fileUnit, []cacheFile{{"a/1", 2, 9}, {"a/2", 3, 8}, {"a/3", 25, 1}}, "a/3"},
		{"a time to come is no use", 29, fileUnit, []cacheFile{{"a/1", 10, 9}, {"a/2", 20, -5}}, "a/1"},
		{"a module goes as a whole", 39, moduleUnit, []cacheFile{
			{"x.y/m@v1.0.0/a.go", 10, 9},
			{"x.y/m@v1.0.0/sub/b.go", 10, 9},
			{"cache/download/x.y/m/@v/v1.0.0.zip", 10, 9},
			{"cache/download/x.y/m/@v/v1.0.0.info", 1, 9},
			{"x.y/m@v1.1.0/a.go", 10, 1},
			{"cache/download/x.y/m/@v/v1.1.0.zip", 10, 1},
			{"cache/download/x.y/m/@v/list", 1, 1},
		}, "cache/download/x.y/m/@v/list cache/download/x.y/m/@v/v1.1.0.zip x.y/m@v1.1.0/a.go"},
		{"so does a clone", 15, moduleUnit, []cacheFile{{"cache/vcs/abc/objects/1", 10, 9}, {"cache/vcs/abc/HEAD", 1, 1}, {"cache/vcs/abc.info", 1, 9}, {"m@v1/a.go", 10, 0}}, "m@v1/a.go"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			fillCache(t, dir, now, tt.files)
			if err := trimDir(dir, tt.limit, tt.unit, now); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, leftIn(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTrimStaysInside: a test may put links and closed directories into its cache.
func TestTrimStaysInside(t *testing.T) {
	dir, outside, now := t.TempDir(), t.TempDir(), time.Now()
	fillCache(t, outside, now, []cacheFile{{"mine", 100, 99}})
	fillCache(t, dir, now, []cacheFile{{"a/closed/1", 100, 9}, {"b/2", 10, 1}})
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "a", "closed"), 0); err != nil {
		t.Fatal(err)
	}
	if err := trimDir(dir, 20, fileUnit, now); err != nil {
		t.Fatal(err)
	}
	if got := leftIn(t, outside); got != "mine" {
		t.Errorf("outside: %q", got)
	}
	if got := leftIn(t, dir); !strings.HasPrefix(got, "b/2") {
		t.Errorf("inside: %q", got)
	}
}

// TestTrimWaitsForJobs: nothing goes while another job is at work.
func TestTrimWaitsForJobs(t *testing.T) {
	b, err := New(&command.Runner{}, Options{Work: t.TempDir(), Cache: t.TempDir(), CacheBytes: 60, Warn: func(note string) { t.Error(note) }})
	if err != nil {
		t.Fatal(err)
	}
	fillCache(t, b.options.Cache, time.Now(), []cacheFile{{"verify/00/1-d", 40, 9}, {"verify/00/2-d", 20, 1}, {"modules/m@v1/a", 20, 1}, {"modules/m@v2/a", 20, 9}, {"build/00/1-d", 11, 1}})
	all := leftIn(t, b.options.Cache)
	job, err := b.useCache()
	if err != nil {
		t.Fatal(err)
	}
	b.trimmed()
	if got := leftIn(t, b.options.Cache); got != strings.Replace(all, "modules", "lock modules", 1) {
		t.Errorf("beside a job: %q", got)
	}
	job.Close()
	b.trimmed()
	if got, want := leftIn(t, b.options.Cache), "build/ lock modules/ verify/00/2-d"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTrimFollowsNoLink: people may put the go program's own cache in the place of ours, and keep what is in it.
func TestTrimFollowsNoLink(t *testing.T) {
	outside, cache, now := t.TempDir(), t.TempDir(), time.Now()
	fillCache(t, outside, now, []cacheFile{{"mine/1", 100, 99}})
	link := filepath.Join(cache, moduleCache)
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	if err := trimDir(link, 10, moduleUnit, now); err == nil || !strings.Contains(err.Error(), "no directory of ours") {
		t.Errorf("error %v", err)
	}
	if got := leftIn(t, outside); got != "mine/1" {
		t.Errorf("left %q", got)
	}
}
