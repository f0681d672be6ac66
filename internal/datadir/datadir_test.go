package datadir_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// contents are small ones, that say n.
func contents(n int) datadir.Contents {
	c := datadir.Contents{
		Manifest: provenance.Manifest{
			Created: noon.Add(time.Duration(n) * time.Minute), Program: "test", Base: "sha256:x", Records: n,
			Sources: []provenance.State{{Name: "nvd", Rank: provenance.Other, From: "https://example.org", Fetched: noon, Checked: noon, Statements: 1}},
		},
		Files: map[string][]byte{
			"facts/releases.yaml":                fmt.Appendf(nil, "n: %d\n", n),
			"facts/vulnerabilities/CVE-1-1.json": []byte("{}\n"),
			"sources/nvd.json":                   []byte(`{"pullRequests": [{"number": 7}]}`),
			"conflicts.json":                     []byte("[]\n"),
		},
	}
	c.Seal()
	return c
}

func write(t *testing.T, folder string, n int, before string) *datadir.Snapshot {
	t.Helper()
	if err := datadir.Write(folder, contents(n), before, nil); err != nil {
		t.Fatal(err)
	}
	s, err := datadir.OpenAll(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWriteAndOpen(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	if _, err := datadir.Open(folder); !errs.Is(err, errs.NotFound) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if made, err := datadir.Made(folder); made || err != nil {
		t.Errorf("Made: %v, %v", made, err)
	}
	s := write(t, folder, 1, "")
	if diff := cmp.Diff(contents(1), s.Contents); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	items, err := s.Items()
	if err != nil || len(items.PullRequests) != 1 {
		t.Errorf("items: %+v, %v", items, err)
	}
	if facts := s.Facts(); len(facts) != 2 || facts["releases.yaml"] == nil {
		t.Errorf("facts: %v", facts)
	}
	part, err := datadir.Open(folder)
	if err != nil || part.Files["sources/nvd.json"] != nil || part.Files["facts/releases.yaml"] == nil {
		t.Errorf("Open reads the facts only: %v, %v", part.Files, err)
	}
	if made, err := datadir.Made(folder); !made || err != nil {
		t.Errorf("Made: %v, %v", made, err)
	}
}

func TestGenerations(t *testing.T) {
	folder := t.TempDir()
	var names []string
	before := ""
	for n := 1; n <= 4; n++ {
		s := write(t, folder, n, before)
		before = s.Pointer.Generation
		names = append(names, before)
	}
	entries, err := os.ReadDir(filepath.Join(folder, "generations"))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	slices.Sort(left)
	if diff := cmp.Diff(names[2:], left); diff != "" {
		t.Errorf("generations that stay (-want +got):\n%s", diff)
	}
	err = datadir.Write(folder, contents(9), names[0], nil)
	if !errs.Is(err, errs.Conflict) || len(errs.Hints(err)) == 0 {
		t.Errorf("made from a generation that no longer holds: %v", err)
	}
	s, err := datadir.OpenAll(folder)
	if err != nil || s.Manifest.Records != 4 {
		t.Errorf("the old facts: %+v, %v", s, err)
	}
	if err = datadir.Write(folder, contents(9), datadir.Any(), nil); err != nil {
		t.Error(err)
	}
}

func TestStrangeFolder(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "releases.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := datadir.Write(folder, contents(1), "", nil); !errs.Is(err, errs.Conflict) {
		t.Errorf("a directory of facts that a person keeps: %v", err)
	}
	for name, change := range map[string]func(*datadir.Contents){
		"a file elsewhere": func(c *datadir.Contents) { c.Files["../evil"] = nil },
		"an absolute file": func(c *datadir.Contents) { c.Files["/evil"] = nil },
		"an unknown file":  func(c *datadir.Contents) { c.Files["facts/evil.sh"] = nil },
		"a source's name":  func(c *datadir.Contents) { c.Manifest.Sources[0].Name = "../../x" },
		"no files":         func(c *datadir.Contents) { c.Files = nil },
	} {
		c := contents(1)
		change(&c)
		c.Seal()
		if err := datadir.Write(filepath.Join(t.TempDir(), "x"), c, "", nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDamage: whatever is changed in a folder is noticed.
func TestDamage(t *testing.T) {
	tests := []struct {
		name   string
		damage func(generation, folder string) error
		want   string
	}{
		{"a fact is changed", func(g, _ string) error {
			return os.WriteFile(filepath.Join(g, "facts/releases.yaml"), []byte("n: 2\n"), 0o600)
		}, "facts/releases.yaml is not what was written"},
		{"a fact is longer", func(g, _ string) error {
			return os.WriteFile(filepath.Join(g, "facts/releases.yaml"), []byte("n: 1\n# more"), 0o600)
		}, "facts/releases.yaml"},
		{"a fact is missing", func(g, _ string) error { return os.Remove(filepath.Join(g, "facts/vulnerabilities/CVE-1-1.json")) }, "CVE-1-1.json is missing"},
		{"what a source said is missing", func(g, _ string) error { return os.Remove(filepath.Join(g, "sources/nvd.json")) }, "nvd.json is missing"},
		{"a fact is added", func(g, _ string) error {
			return os.WriteFile(filepath.Join(g, "facts/vulnerabilities/CVE-1-2.json"), nil, 0o600)
		}, "CVE-1-2.json does not belong here"},
		{"a fact is a link", func(g, _ string) error {
			name := filepath.Join(g, "facts/releases.yaml")
			return errors.Join(os.Remove(name), os.Symlink("/etc/hostname", name))
		}, "releases.yaml does not belong here"},
		{"the manifest is changed", func(g, _ string) error {
			text, err := os.ReadFile(filepath.Join(g, "manifest.json"))
			return errors.Join(err, os.WriteFile(filepath.Join(g, "manifest.json"), append(text, ' '), 0o600))
		}, "the manifest is not the one that was written"},
		{"the generation is gone", func(g, _ string) error { return os.RemoveAll(g) }, "no such file"},
		{"the pointer is gone", func(_, f string) error { return os.Remove(filepath.Join(f, "current")) }, "the file current is missing"},
		{"the pointer is empty", func(_, f string) error { return os.WriteFile(filepath.Join(f, "current"), nil, 0o600) }, "the file current is damaged"},
		{"the pointer leads away", func(_, f string) error {
			return os.WriteFile(filepath.Join(f, "current"), []byte(`{"generation": "../../etc"}`), 0o600)
		}, "the file current is damaged"},
		{"the generation is a link away", func(g, _ string) error { return errors.Join(os.RemoveAll(g), os.Symlink("/tmp", g)) }, "escapes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			s := write(t, folder, 1, "")
			if err := tt.damage(filepath.Join(folder, "generations", s.Pointer.Generation), folder); err != nil {
				t.Fatal(err)
			}
			_, err := datadir.Open(folder)
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) || len(errs.Hints(err)) == 0 {
				t.Errorf("Open: %v (%s), want %q", err, errs.KindOf(err), tt.want)
			}
		})
	}
	folder := t.TempDir()
	s := write(t, folder, 1, "")
	if err := os.WriteFile(filepath.Join(folder, "generations", s.Pointer.Generation, "sources/nvd.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.OpenAll(folder); !errs.Is(err, errs.Invalid) {
		t.Errorf("what a source said was changed: %v", err)
	}
}

// TestReadersMeanwhile: whoever reads while the facts are written anew reads one state or the other.
func TestReadersMeanwhile(t *testing.T) {
	folder := t.TempDir()
	before := write(t, folder, 1, "").Pointer.Generation
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := datadir.Open(folder)
				if err != nil {
					t.Error(err)
					return
				}
				if want := fmt.Sprintf("n: %d\n", s.Manifest.Records); string(s.Files["facts/releases.yaml"]) != want {
					t.Errorf("a mixture: %q, want %q", s.Files["facts/releases.yaml"], want)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	for n := 2; n < 20; n++ {
		before = write(t, folder, n, before).Pointer.Generation
		time.Sleep(3 * time.Millisecond)
	}
	close(stop)
	group.Wait()
}

func TestStaging(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "x")
	if _, ok := datadir.StagedOf(folder, "nvd", noon, time.Hour); ok {
		t.Error("something is staged nowhere")
	}
	staged := datadir.Staged{State: provenance.State{Name: "nvd", Rank: provenance.Other, Checked: noon}, Items: provenance.Items{PullRequests: []provenance.PullRequest{{Number: 7}}}}
	for range 2 {
		if err := datadir.Stage(folder, staged); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok := datadir.StagedOf(folder, "nvd", noon.Add(time.Minute), time.Hour); !ok || len(got.Items.PullRequests) != 1 {
		t.Errorf("staged: %+v, %v", got, ok)
	}
	for name, at := range map[string]time.Time{"too old": noon.Add(2 * time.Hour), "of the future": noon.Add(-time.Minute)} {
		if _, ok := datadir.StagedOf(folder, "nvd", at, time.Hour); ok {
			t.Errorf("%s: taken", name)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "staging/osv.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := datadir.StagedOf(folder, "osv", noon, time.Hour); ok {
		t.Error("broken, and taken")
	}
	if _, err := datadir.Open(folder); !errs.Is(err, errs.NotFound) {
		t.Errorf("a folder with nothing but staging holds no facts: %v", err)
	}
	if err := datadir.Unstage(folder); err != nil {
		t.Fatal(err)
	}
	if _, ok := datadir.StagedOf(folder, "nvd", noon, time.Hour); ok {
		t.Error("still there")
	}
}
