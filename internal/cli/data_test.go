package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/cli"
)

// home runs command lines with a home of their own.
type home struct {
	t   *testing.T
	env map[string]string
}

func newHome(t *testing.T) home {
	t.Helper()
	return home{t, map[string]string{"HOME": t.TempDir()}}
}

func (h home) run(args ...string) (status int, stdout, stderr string) {
	h.t.Helper()
	var out, report bytes.Buffer
	status = cli.Main(args, cli.Process{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &report, Getenv: func(name string) string { return h.env[name] },
		Clock: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	})
	return status, out.String(), report.String()
}

// must runs a command line that must end with a status.
func (h home) must(want int, args ...string) (stdout, stderr string) {
	h.t.Helper()
	status, stdout, stderr := h.run(args...)
	if status != want {
		h.t.Fatalf("kubelts %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), status, want, stdout, stderr)
	}
	return stdout, stderr
}

func record(id, fixed string) string {
	return fmt.Sprintf(`{"id": %q, "modified": "2026-11-01T10:00:00Z", "summary": "A hole", "affected": [{"package": {"ecosystem": "kubernetes", "name": "k8s.io/kubelet"}, `+
		`"ranges": [{"type": "SEMVER", "events": [{"introduced": "1.34.0"}, {"fixed": %q}]}]}]}`, id, fixed)
}

// TestDataUpdateKeepsOldData: whatever a server does after a good answer, what it said before stays, and the exit status says that something failed.
func TestDataUpdateKeepsOldData(t *testing.T) {
	many := make([]string, 12)
	for i := range many {
		many[i] = record(fmt.Sprintf("CVE-2099-%04d", i+1), "1.34.5")
	}
	answer := func(w http.ResponseWriter) { _, _ = io.WriteString(w, "["+strings.Join(many, ",")+"]") }
	var behave http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behave(w, r) }))
	defer server.Close()
	h := newHome(t)
	update := []string{"data", "update", "--url", "kubernetes-osv=" + server.URL}
	behave = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("ETag", `"1"`); answer(w) }
	h.must(0, update...)
	h.must(0, "vuln", "show", "CVE-2099-0012")
	tests := []struct {
		name   string
		behave http.HandlerFunc
		want   string
	}{
		{"broken JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[{"id":`) }, "unexpected end of JSON input"},
		{"an empty list", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[]`) }, "nothing that can be used"},
		{"much less than before", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, many[0]) }, "says 1 things, and said 12 before"},
		{"not there", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404 Not Found"},
		{"away for long", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "come back in 24h"},
		{"redirects to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, "redirect to"},
		{"too much", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1073741824") }, "would have 1073741824 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			behave = tt.behave
			sub := home{t, h.env}
			_, stderr := sub.must(1, update...)
			if !strings.Contains(stderr, tt.want) {
				t.Errorf("stderr: %s", stderr)
			}
			sub.must(0, "vuln", "show", "CVE-2099-0012")
			if out, _ := sub.must(0, "data", "status", "--source", "kubernetes-osv"); !strings.Contains(out, "last attempt failed") || !strings.Contains(out, "12 ") {
				t.Errorf("status: %s", out)
			}
		})
	}
	conditional := ""
	behave = func(w http.ResponseWriter, r *http.Request) {
		conditional = r.Header.Get("If-None-Match")
		w.WriteHeader(http.StatusNotModified)
	}
	out, _ := h.must(0, update...)
	if conditional != `"1"` || !strings.Contains(out, "unchanged") {
		t.Errorf("asked with %q: %s", conditional, out)
	}
	if out, _ = h.must(0, "data", "status", "--source", "kubernetes-osv"); strings.Contains(out, "failed") {
		t.Errorf("the failure is still shown: %s", out)
	}
	behave = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "["+strings.Join(many[2:], ",")+"]")
	}
	if _, stderr := h.must(0, update...); !strings.Contains(stderr, "kubernetes-osv: 2 records that it had before are gone: CVE-2099-0001, CVE-2099-0002") {
		t.Errorf("records went without a word: %s", stderr)
	}
	behave = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, many[0]) }
	h.must(0, append(update, "--allow-fewer")...)
	h.must(1, "vuln", "show", "CVE-2099-0012")
}

// TestDataUpdateWithoutAnswer: where nothing was there before and nothing came, nothing is written.
func TestDataUpdateWithoutAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	h := newHome(t)
	h.must(1, "data", "update", "--url", "kubernetes-osv="+server.URL)
	if _, err := os.Stat(filepath.Join(h.env["HOME"], ".local/share/kubelts/current")); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	h.must(0, "support", "1.28")
}

// TestDataUpdateGoesOn: what an interrupted update fetched is not fetched again.
func TestDataUpdateGoesOn(t *testing.T) {
	asked := map[string]int{}
	stall := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		if r.URL.Path == "/osv" {
			_, _ = io.WriteString(w, record("CVE-2099-0001", "1.34.5"))
			return
		}
		if stall {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(record("GO-2099-0001", "0.34.5"), `"modified"`, `"aliases": ["CVE-2099-0001"], "modified"`))
	}))
	defer server.Close()
	h := newHome(t)
	update := []string{"data", "update", "--url", "kubernetes-osv=" + server.URL + "/osv", "--url", "go-vulndb=" + server.URL + "/go"}
	h.must(1, append(update, "--timeout", "500ms")...)
	if _, err := os.Stat(filepath.Join(h.env["HOME"], ".local/share/kubelts/current")); !os.IsNotExist(err) {
		t.Fatalf("an interrupted update wrote facts: %v", err)
	}
	h.must(0, "support", "1.28")
	stall = false
	out, _ := h.must(0, update...)
	if asked["/osv"] != 1 || !strings.Contains(out, "resumed") {
		t.Errorf("asked %v times:\n%s", asked, out)
	}
	h.must(0, "vuln", "show", "GO-2099-0001")
	h.must(0, update...)
	if asked["/osv"] != 2 {
		t.Errorf("a finished update was gone on with: %v", asked)
	}
}

// TestDataUpdateSecrets: a token is in no output and in no file, and a server that it is not for does not get it.
func TestDataUpdateSecrets(t *testing.T) {
	const secret = "ghp_verysecret"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), secret) {
				t.Errorf("the token was sent in %s", name)
			}
		}
		_, _ = io.WriteString(w, `[{"ghsa_id": "GHSA-1", "vulnerabilities": [{"package": {"ecosystem": "go", "name": "k8s.io/kubernetes"}, "vulnerable_version_range": "< 1.2.3"}]}]`)
	}))
	defer server.Close()
	h := newHome(t)
	h.env["GITHUB_TOKEN"], h.env["NVD_API_KEY"] = secret, secret
	stdout, stderr := h.must(0, "data", "update", "--url", "github-advisories="+server.URL, "-o", "json")
	if strings.Contains(stdout+stderr, secret) {
		t.Error("the token was printed")
	}
	err := filepath.WalkDir(h.env["HOME"], func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if strings.Contains(string(content), secret) {
			t.Errorf("the token is in %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestDataOfAnotherProgram: where the program has other reviewed facts than the folder was made from, and not older ones, its own are used with what the
// sources said.
func TestDataOfAnotherProgram(t *testing.T) {
	h := newHome(t)
	file := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(file, []byte(record("CVE-2099-0001", "1.34.5")), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key")
	h.must(0, "data", "keygen", key)
	h.must(0, "data", "update", "--from-file", "kubernetes-osv="+file)
	folder := filepath.Join(h.env["HOME"], ".local/share/kubelts")
	forge(t, folder, func(m map[string]any) { m["base"] = "sha256:of-an-older-program"; m["reviewed"] = "2026-01-01" })
	h.must(0, "vuln", "show", "CVE-2099-0001")
	if _, stderr := h.must(0, "data", "status"); !strings.Contains(stderr, "newer reviewed facts than the folder") {
		t.Errorf("status: %s", stderr)
	}
	forge(t, folder, func(m map[string]any) { m["reviewed"] = "2027-01-01" })
	if _, stderr := h.must(0, "data", "status"); strings.Contains(stderr, "newer reviewed facts than the folder") {
		t.Errorf("a folder of a newer program: %s", stderr)
	}
}

// forge changes the manifest of a folder, as another version of the program would have written it.
func forge(t *testing.T, folder string, change func(map[string]any)) {
	t.Helper()
	read := func(name string) map[string]any {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err = json.Unmarshal(content, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	write := func(name string, m map[string]any) []byte {
		content, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err = os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return content
	}
	pointer := read(filepath.Join(folder, "current"))
	manifest := filepath.Join(folder, "generations", pointer["generation"].(string), "manifest.json")
	m := read(manifest)
	change(m)
	pointer["manifest"] = digest(write(manifest, m))
	write(filepath.Join(folder, "current"), pointer)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
