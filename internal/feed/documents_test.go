package feed_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/feed"
)

// archive makes a zip of names and contents; a content of "bomb" stands for 64 MiB of spaces.
func archive(t *testing.T, files ...[2]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if f[1] == "bomb" {
			piece := bytes.Repeat([]byte(" "), 1<<20)
			for range 64 {
				if _, err = w.Write(piece); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if _, err = w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "records.zip")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReadPath(t *testing.T) {
	second := strings.ReplaceAll(oneRecord, "0001", "0002")
	folder := t.TempDir()
	for name, content := range map[string]string{"a.json": oneRecord, "sub/b.json": second, "sub/twice.json": second, ".git/x.json": oneRecord, "testdata/x.json": oneRecord, "bad.json": "{", "README.md": "no"} {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(folder, "link.json")); err != nil {
		t.Fatal(err)
	}
	single := filepath.Join(t.TempDir(), "one.json")
	if err := os.WriteFile(single, []byte(oneRecord), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		want       []string // names, then refusals
		fault      string
	}{
		{"one file", single, []string{"CVE-2099-0001"}, ""},
		{"a folder", folder, []string{
			"CVE-2099-0001", "CVE-2099-0002", "refused /bad.json: not the expected JSON|record:1: unexpected end of JSON input", "refused /link.json: not a regular file", "refused /sub/twice.json: CVE-2099-0002 was there before",
		}, ""},
		{"an archive", archive(t, [2]string{"x/vulns/a.json", oneRecord}, [2]string{"x/testdata/b.json", second}, [2]string{"../../etc/b.json", second}), []string{"CVE-2099-0001"}, ""},
		{"a bomb beside a record", archive(t, [2]string{"a.json", oneRecord}, [2]string{"b.json", "bomb"}), []string{"CVE-2099-0001", "refused #b.json: larger than 16777216 bytes"}, ""},
		{"nothing of use", archive(t, [2]string{"a.json", "{}"}), nil, `(1 refused, 0 not about Kubernetes); the first`},
		{"nowhere", filepath.Join(folder, "nowhere"), nil, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := feed.ReadPath(t.Context(), source(t, "kubernetes-osv"), tt.path, time.Time{}, nil)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("error %v, want %q", err, tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, c := range got.Candidates {
				lines = append(lines, c.Record.ID)
			}
			for _, r := range got.Refused {
				lines = append(lines, "refused "+strings.TrimPrefix(r.What, tt.path)+": "+r.Reason)
			}
			want := make([]string, len(tt.want))
			for i, w := range tt.want {
				if a, b, ok := strings.Cut(w, ": not the expected JSON|"); ok {
					w = a + ": " + b
				}
				want[i] = w
			}
			if diff := cmp.Diff(want, lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(got.Digest, "sha256:") || got.Fetched.IsZero() || got.Bytes == 0 {
				t.Errorf("no digest, time or size: %+v", got)
			}
		})
	}
	at := time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC)
	if got, err := feed.ReadPath(t.Context(), source(t, "kubernetes-osv"), folder, at, nil); err != nil || got.Fetched != at {
		t.Errorf("the time that a person gave: %v, %v", got.Fetched, err)
	}
}

func TestArchiveWithDamage(t *testing.T) {
	name := archive(t, [2]string{"a.json", oneRecord}, [2]string{"b.json", strings.ReplaceAll(oneRecord, "0001", "0002")})
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 4; cut < len(whole); cut += 37 {
		if err = os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err = feed.ReadPath(t.Context(), source(t, "kubernetes-osv"), name, time.Time{}, nil); err == nil || !strings.Contains(err.Error(), "not a whole zip archive") {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
	broken := bytes.Clone(whole)
	broken[60] ^= 0xff // within the first member
	if err = os.WriteFile(name, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := feed.ReadPath(t.Context(), source(t, "kubernetes-osv"), name, time.Time{}, nil)
	if err != nil || len(got.Candidates) != 1 || len(got.Refused) != 1 {
		t.Errorf("a damaged member: %d candidates, %d refused, %v", len(got.Candidates), len(got.Refused), err)
	}
}
