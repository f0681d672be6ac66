package feed_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/feed"
)

// client is one whose clock moves only when it waits; what it waited for is kept.
func client(waits *[]time.Duration) *feed.Client {
	now := fetched
	return &feed.Client{
		Now: func() time.Time { return now },
		Wait: func(_ context.Context, d time.Duration) error {
			now = now.Add(d)
			if waits != nil {
				*waits = append(*waits, d)
			}
			return nil
		},
		Agent: "kubelts-test", Each: time.Minute, Stall: 3 * time.Second, Tries: 2,
	}
}

const oneRecord = `{"id": "CVE-2099-0001", "modified": "2026-10-01T10:00:00Z", "affected": [{"package": {"ecosystem": "Go", "name": "k8s.io/kubernetes"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}`

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// TestHostileServers: whatever a server does, the client ends in time, within its bounds, and says what was wrong.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	gigabyte := func(w io.Writer) {
		piece := []byte(strings.Repeat(" ", 1<<20))
		for range 1024 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	if _, err := z.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Repeat(member.Bytes(), 1024) // a gzip file may have several members
	tests := []struct {
		name    string
		handler http.HandlerFunc
		kind    errs.Kind
		want    string
	}{
		{"stalls before it answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, errs.Unavailable, "timeout awaiting response headers"},
		{"stalls within the answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, oneRecord[:20])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, errs.Unavailable, "the server sent nothing for too long"},
		{"promises more than it sends", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, oneRecord)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, errs.Unavailable, "before its end"},
		{"sends more than it promises", func(w http.ResponseWriter, _ *http.Request) {
			hijacked(w, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"+oneRecord)
		}, errs.Invalid, "not the expected JSON|unexpected end of JSON"},
		{"a chunk that is no chunk", func(w http.ResponseWriter, _ *http.Request) {
			hijacked(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"+oneRecord)
		}, errs.Unavailable, "invalid byte in chunk length"},
		{"no HTTP", func(w http.ResponseWriter, _ *http.Request) { hijacked(w, "\x00\x01\x02\r\n\r\n") }, errs.Unavailable, "malformed HTTP"},
		{"endless headers", func(w http.ResponseWriter, _ *http.Request) {
			hijacked(w, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 1<<20)+"\r\n\r\n")
		}, errs.Unavailable, "headers exceeded"},
		{"a gigabyte", func(w http.ResponseWriter, _ *http.Request) { gigabyte(w) }, errs.Invalid, "the answer has more than 67108864 bytes"},
		{"a gigabyte, as it says", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<30))
			gigabyte(w)
		}, errs.Invalid, "the answer would have 1073741824 bytes"},
		{"a gigabyte in a small gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		}, errs.Invalid, "the answer has more than 67108864 bytes"},
		{"gzip that is none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, oneRecord)
		}, errs.Unavailable, "gzip: invalid header"},
		{"broken JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, oneRecord[:len(oneRecord)-3]) }, errs.Invalid, "unexpected end of JSON input"},
		{"a page for people", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>down</html>") }, errs.Invalid, "a page of HTML or XML, not JSON"},
		{"endless nesting", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("[", 400_000)) }, errs.Invalid, "exceeded max depth"},
		{"nesting where nobody looks", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id": "CVE-2099-0001", "x": `+strings.Repeat(`{"a":`, 400_000))
		}, errs.Invalid, "exceeded max depth"},
		{"a string without end", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id": "`+strings.Repeat("A", 1<<20))
		}, errs.Invalid, "unexpected end of JSON input"},
		{"redirects to another host in the clear", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.org/x", http.StatusFound)
		}, errs.Invalid, "is not https"},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, errs.Invalid, "unexpected end of JSON input"},
		{"an empty list", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }, errs.Invalid, "nothing that can be used"},
		{"millions of nothings", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "["+strings.Repeat("{},", 20<<20)+"{}]")
		}, errs.Invalid, "objects or lists, more than 500000"},
		{"more than can be true", func(w http.ResponseWriter, _ *http.Request) {
			var all []string
			for i := range 4000 {
				all = append(all, strings.ReplaceAll(oneRecord, "0001", strconv.Itoa(10_000+i)))
			}
			_, _ = io.WriteString(w, "["+strings.Join(all, ",")+"]")
		}, errs.Invalid, "4000 statements about Kubernetes"},
		{"a record with too many bounds", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.ReplaceAll(oneRecord, `{"introduced": "0"}`, `{"introduced": "0"}`+strings.Repeat(`, {"introduced": "1.2.3"}`, 3000)))
		}, errs.Invalid, "are more than a record has"},
		{"redirects without end", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, errs.Unavailable, "more than 5 redirects"},
		{"redirects to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, errs.Denied, `redirect to "file:///etc/passwd"`},
		{"redirects to another scheme", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "gopher://127.0.0.1/", http.StatusFound)
		}, errs.Denied, "which is not http"},
		{"redirects with a password", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://a:b@127.0.0.1/", http.StatusFound)
		}, errs.Denied, "redirect to"},
		{"unchanged, though nobody asked", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, errs.Unavailable, "304 Not Modified"},
		{"a part only", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) }, errs.Unavailable, "206 Partial Content"},
		{"not there", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, errs.NotFound, "404 Not Found"},
		{"no right", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, errs.Denied, "403 Forbidden"},
		{"broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, errs.Unavailable, "500 Internal Server Error (tried 2 times)"},
		{"closed for a week", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "604800")
			w.WriteHeader(http.StatusTooManyRequests)
		}, errs.Unavailable, "asks to come back in 168h0m0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, tt.handler)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			got, err := client(nil).Fetch(ctx, source(t, "kubernetes-osv"), address, feed.Previous{}, nil)
			if err == nil || got.Len() > 0 || got.Digest != "" {
				t.Fatalf("Fetch = %+v, %v", got, err)
			}
			matched := false
			for want := range strings.SplitSeq(tt.want, "|") {
				matched = matched || strings.Contains(err.Error(), want)
			}
			if !matched || errs.KindOf(err) != tt.kind {
				t.Errorf("error (%s) %v, want (%s) %q", errs.KindOf(err), err, tt.kind, tt.want)
			}
			if !strings.HasPrefix(err.Error(), "source kubernetes-osv: "+address) {
				t.Errorf("the error does not say where: %v", err)
			}
		})
	}
}

// hijacked sends what no honest server would.
func hijacked(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

func TestDripping(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	c := client(nil)
	c.Each, c.Tries = time.Second, 1
	_, err := c.Fetch(t.Context(), source(t, "kubernetes-osv"), address, feed.Previous{}, nil)
	if err == nil || !strings.Contains(err.Error(), "no end of the answer after 1s") {
		t.Errorf("a server that sends a byte now and then: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := client(nil).Fetch(ctx, source(t, "kubernetes-osv"), address, feed.Previous{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestConditional(t *testing.T) {
	var asked []string
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match")+" "+r.Header.Get("If-Modified-Since"))
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Last-Modified", "Thu, 01 Oct 2026 10:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"one"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, oneRecord)
	})
	c, s := client(nil), source(t, "kubernetes-osv")
	first, err := c.Fetch(t.Context(), s, address, feed.Previous{}, nil)
	if err != nil || first.Len() != 1 || first.Unchanged {
		t.Fatalf("first: %+v, %v", first, err)
	}
	second, err := c.Fetch(t.Context(), s, address, feed.Previous{From: first.From, ETag: first.ETag, Modified: first.Modified}, nil)
	if err != nil || !second.Unchanged || second.Len() != 0 || second.ETag != first.ETag {
		t.Fatalf("second: %+v, %v", second, err)
	}
	if _, err = c.Fetch(t.Context(), s, address, feed.Previous{From: "https://elsewhere.example", ETag: `"one"`}, nil); err != nil {
		t.Errorf("another address must be asked without conditions: %v", err)
	}
	want := []string{" ", `"one" Thu, 01 Oct 2026 10:00:00 GMT`, " "}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

func TestRetriesAndPace(t *testing.T) {
	tests := []struct {
		name   string
		header func(http.Header)
		status int
		want   time.Duration // the wait before the second try
	}{
		{"back off", func(http.Header) {}, http.StatusBadGateway, time.Second},
		{"seconds", func(h http.Header) { h.Set("Retry-After", "7") }, http.StatusServiceUnavailable, 7 * time.Second},
		{"date", func(h http.Header) { h.Set("Retry-After", fetched.Add(9*time.Second).Format(http.TimeFormat)) }, http.StatusTooManyRequests, 9 * time.Second},
		{"GitHub's limit", func(h http.Header) {
			h.Set("X-RateLimit-Remaining", "0")
			h.Set("X-RateLimit-Reset", strconv.FormatInt(fetched.Add(30*time.Second).Unix(), 10))
		}, http.StatusForbidden, 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tries := 0
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tries++; tries == 1 {
					tt.header(w.Header())
					w.WriteHeader(tt.status)
					return
				}
				_, _ = io.WriteString(w, oneRecord)
			})
			var waits []time.Duration
			s := source(t, "kubernetes-osv")
			s.Pace = 0
			if _, err := client(&waits).Fetch(t.Context(), s, address, feed.Previous{}, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]time.Duration{tt.want}, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTokens: a token reaches its own host, and nobody else, whatever redirects say.
func TestTokens(t *testing.T) {
	var stolen atomic.Int32
	thief := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, h := range []string{"Authorization", "Apikey", "Cookie", "Referer"} {
			if strings.Contains(r.Header.Get(h), "secret") {
				stolen.Add(1)
			}
		}
		_, _ = io.WriteString(w, oneRecord)
	})
	var seen string
	own := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("Authorization") + r.Header.Get("apiKey")
		http.Redirect(w, r, thief, http.StatusTemporaryRedirect)
	})
	for _, header := range []string{"Authorization", "apiKey"} {
		c := client(nil)
		c.Tokens = []feed.Token{{Host: strings.TrimPrefix(own, "http://"), Header: header, Value: "secret"}}
		got, err := c.Fetch(t.Context(), source(t, "kubernetes-osv"), own, feed.Previous{}, nil)
		if err != nil || seen != "secret" {
			t.Errorf("%s: own host saw %q, %v", header, seen, err)
		}
		if strings.Contains(fmt.Sprintf("%+v", got), "secret") {
			t.Error("the token is in the result")
		}
		if _, err = c.Fetch(t.Context(), source(t, "kubernetes-osv"), thief, feed.Previous{}, nil); err != nil {
			t.Error(err)
		}
	}
	if stolen.Load() > 0 {
		t.Errorf("the token reached another host %d times", stolen.Load())
	}
}

func TestPages(t *testing.T) {
	nvd := func(start, total int, ids ...string) string {
		var list []string
		for _, id := range ids {
			list = append(list, `{"cve": {"id": "`+id+`", "configurations": [{"nodes": [{"cpeMatch": [{"vulnerable": true, "criteria": "cpe:2.3:a:kubernetes:kubernetes:*:*:*:*:*:*:*:*"}]}]}]}}`)
		}
		return fmt.Sprintf(`{"format": "NVD_CVE", "version": "2.0", "startIndex": %d, "totalResults": %d, "vulnerabilities": [%s]}`, start, total, strings.Join(list, ","))
	}
	advisory := func(id string) string {
		return `[{"ghsa_id": "` + id + `", "vulnerabilities": [{"package": {"ecosystem": "go", "name": "k8s.io/kubernetes"}, "vulnerable_version_range": "< 1.2.3"}]}]`
	}
	tests := []struct {
		name, source string
		page         func(w http.ResponseWriter, r *http.Request) string
		want         int
		fault        string
	}{
		{"numbered", "nvd", func(_ http.ResponseWriter, r *http.Request) string {
			if r.URL.Query().Get("startIndex") == "0" {
				return nvd(0, 3, "CVE-2099-0001", "CVE-2099-0002")
			}
			return nvd(2, 3, "CVE-2099-0003")
		}, 3, ""},
		{"numbered, always the first", "nvd", func(http.ResponseWriter, *http.Request) string { return nvd(0, 3, "CVE-2099-0001") }, 0, "asked for the page from 1 on, got that from 0 on"},
		{"numbered, an empty page", "nvd", func(http.ResponseWriter, *http.Request) string { return nvd(0, 3) }, 0, "an empty page"},
		{"linked", "github-advisories", func(w http.ResponseWriter, r *http.Request) string {
			if r.URL.Query().Get("after") == "" {
				w.Header().Set("Link", `<`+"http://"+r.Host+`/a?after=x>; rel="next", </a>; rel="first"`)
				return advisory("GHSA-1111-1111-1111")
			}
			return advisory("GHSA-2222-2222-2222")
		}, 2, ""},
		{"linked to another host", "github-advisories", func(w http.ResponseWriter, _ *http.Request) string {
			w.Header().Set("Link", `<http://127.0.0.1:1/a?after=x>; rel="next"`)
			return advisory("GHSA-1111-1111-1111")
		}, 1, ""},
		{"linked for ever", "github-advisories", func(w http.ResponseWriter, _ *http.Request) string {
			w.Header().Set("Link", `</a?after=x>; rel="next"`)
			return advisory("GHSA-1111-1111-1111")
		}, 0, "more than 200 pages"},
		{"search cut short", "pull-requests", func(http.ResponseWriter, *http.Request) string {
			return `{"total_count": 5, "incomplete_results": true, "items": []}`
		}, 0, "cut short"},
		{"search shows a part", "pull-requests", func(http.ResponseWriter, *http.Request) string {
			return strings.Replace(string(document(t, "pull-requests.json").Data), `"total_count": 3`, `"total_count": 5000`, 1)
		}, 1, ""},
		{"one by one", "cve", func(w http.ResponseWriter, r *http.Request) string {
			if strings.HasSuffix(r.URL.Path, "CVE-2099-0002") {
				w.WriteHeader(http.StatusNotFound)
				return ""
			}
			return string(document(t, "cve.json").Data)
		}, 1, ""},
	}
	known := map[string]bool{"CVE-2099-0001": true, "CVE-2099-0002": true, "GHSA-1111-1111-1111": true}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, tt.page(w, r)) }) + "/a"
			if tt.source == "cve" {
				address += "/{cve}"
			}
			got, err := client(nil).Fetch(t.Context(), source(t, tt.source), address, feed.Previous{}, known)
			if tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) || tt.fault == "" && err != nil || got.Len() != tt.want {
				t.Errorf("%d statements, %v; want %d, %q", got.Len(), err, tt.want, tt.fault)
			}
			if tt.name == "search shows a part" && !strings.Contains(fmt.Sprint(got.Refused), "the search found 5000 and shows 3") {
				t.Errorf("not noted: %v", got.Refused)
			}
		})
	}
}

func TestRefusedAddresses(t *testing.T) {
	c := client(nil)
	for _, address := range []string{"http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "https://name:word@example.org/", "https://", "::"} {
		if _, err := c.Fetch(t.Context(), source(t, "kubernetes-osv"), address, feed.Previous{}, nil); !errs.Is(err, errs.Invalid) || strings.Contains(err.Error(), "word") && !strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v", address, err)
		}
	}
	c.Offline = true
	if _, err := c.Fetch(t.Context(), source(t, "kubernetes-osv"), "", feed.Previous{}, nil); !errs.Is(err, errs.Denied) || !strings.Contains(err.Error(), "offline") {
		t.Errorf("offline: %v", err)
	}
	if _, err := c.Fetch(t.Context(), source(t, "git"), "", feed.Previous{}, nil); !errs.Is(err, errs.Invalid) {
		t.Errorf("a source without an address: %v", err)
	}
}
