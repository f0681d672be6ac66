package cli_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// published serves what each source publishes, in the shapes that package feed has recorded. Each has a server of its own: they are asked at the pace of their hosts.
type published struct {
	mu     sync.Mutex
	behave map[string]http.HandlerFunc // by source, instead of its document
	asked  map[string][]string         // by source: the If-None-Match of each request
}

func (p *published) serve(t *testing.T, source string, document []byte) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		behave := p.behave[source]
		p.asked[source] = append(p.asked[source], r.Header.Get("If-None-Match"))
		p.mu.Unlock()
		if behave != nil {
			behave(w, r)
			return
		}
		etag := fmt.Sprintf(`"%s-1"`, source)
		w.Header().Set("ETag", etag)
		w.Header().Set("Last-Modified", "Thu, 01 Oct 2026 10:00:00 GMT")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(document)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// zipped makes an archive as vuln.go.dev serves: records in a folder, with an index beside them.
func zipped(t *testing.T, record string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range map[string]string{"ID/GO-2099-0001.json": record, "index/db.json": `{"modified": "2026-10-01T10:00:00Z"}`} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDataAllSources goes the whole road: all sources over HTTP, again with nothing new, with sources that fail in several ways, without a network, too old, and carried to another machine.
func TestDataAllSources(t *testing.T) {
	t.Parallel()
	p := &published{behave: map[string]http.HandlerFunc{}, asked: map[string][]string{}}
	h := newHome(t)
	update := []string{"data", "update"}
	for source, file := range map[string]string{
		"kubernetes-osv": "osv-2025.json", "kubernetes-cve-feed": "cve-feed-2023.json", "kubernetes-advisories": "advisories-repository.json", "cve": "cve-5.2.json",
		"nvd": "nvd-page.json", "github-advisories": "advisories-global.json", "go-vulndb": "", "pull-requests": "search.json", "endoflife": "endoflife-v1.json",
	} {
		document := zipped(t, `{"id": "GO-2099-0001", "modified": "2026-10-01T10:00:00Z", "aliases": ["CVE-2099-0001"], "affected": [{"package": {"ecosystem": "Go", "name": "k8s.io/kubelet"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.29.13"}]}]}]}`)
		if file != "" {
			var err error
			if document, err = os.ReadFile(filepath.Join("../feed/testdata/recorded", file)); err != nil {
				t.Fatal(err)
			}
		}
		update = append(update, "--url", source+"="+p.serve(t, source, document))
	}
	out, _ := h.must(0, update...)
	for _, source := range []string{"kubernetes-osv", "kubernetes-cve-feed", "kubernetes-advisories", "cve", "nvd", "github-advisories", "go-vulndb", "pull-requests", "endoflife"} {
		if !strings.Contains(out, "\n"+source+" ") {
			t.Errorf("%s is not told of:\n%s", source, out)
		}
	}
	for _, id := range []string{"CVE-2099-0001", "GO-2099-0001", "GHSA-aaaa-bbbb-cccc", "CVE-2099-0004"} {
		h.must(0, "vuln", "show", id)
	}
	h.must(0, "support", "1.39")
	before, _ := h.must(0, "vuln", "list", "--version", "1.29.12", "-o", "json")

	out, _ = h.must(0, update...)
	if got := strings.Count(out, " unchanged "); got != 5 {
		t.Errorf("%d sources are unchanged, want those with one document:\n%s", got, out)
	}
	if asked := p.asked["kubernetes-osv"]; len(asked) != 2 || asked[1] != `"kubernetes-osv-1"` {
		t.Errorf("asked with %q", asked)
	}

	p.behave["kubernetes-osv"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
	}
	p.behave["nvd"] = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"format": "NVD_CVE", "version": "2.0", "totalResults": 0, "vulnerabilities": []}`))
	}
	p.behave["endoflife"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusMovedPermanently)
	}
	_, stderr := h.must(1, update...)
	for _, want := range []string{"a page of HTML or XML, not JSON", "nothing that can be used", `redirect to "file:///etc/passwd"`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("not told: %q in\n%s", want, stderr)
		}
	}
	if after, _ := h.must(0, "vuln", "list", "--version", "1.29.12", "-o", "json"); after != before {
		t.Errorf("a failing source changed the facts:\n%s\n%s", before, after)
	}
	if out, _ = h.must(0, "data", "status"); strings.Count(out, "last attempt failed") != 3 {
		t.Errorf("status:\n%s", out)
	}
	h.must(0, "data", "update", "--offline")
	if out, _ = h.must(3, "data", "status", "--max-age", "1h", "--at", "2026-11-23"); !strings.Contains(out, "too old") {
		t.Errorf("status:\n%s", out)
	}
	carry(t, h, before)
}

// carry takes the facts to another machine, and tries to do so with what was tampered with.
func carry(t *testing.T, h home, before string) {
	t.Helper()
	dir := t.TempDir()
	key, file := filepath.Join(dir, "key"), filepath.Join(dir, "facts")
	h.must(0, "data", "keygen", key)
	h.must(0, "data", "keygen", filepath.Join(dir, "other"))
	h.must(0, "data", "export", file, "--key", key)
	there := newHome(t)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(content)
	flipped[len(flipped)/2] ^= 1
	for name, bad := range map[string][]byte{"tampered": flipped, "truncated": content[:len(content)/2], "empty": nil, "lengthened": append(bytes.Clone(content), 0)} {
		broken := filepath.Join(dir, name)
		if err = os.WriteFile(broken, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		there.must(1, "data", "import", broken, "--trusted", key+".pub")
	}
	there.must(1, "data", "import", file, "--trusted", filepath.Join(dir, "other.pub"))
	there.must(1, "vuln", "show", "CVE-2099-0001")
	there.must(0, "data", "import", file, "--trusted", key+".pub")
	if after, _ := there.must(0, "vuln", "list", "--version", "1.29.12", "-o", "json"); after != before {
		t.Errorf("the facts are others there:\n%s\n%s", before, after)
	}
}
