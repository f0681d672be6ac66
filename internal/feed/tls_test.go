package feed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
)

// TestHTTPS: a redirect from https to plain http is refused, a certificate that nobody vouches for as well, and a token goes to its host over TLS.
func TestHTTPS(t *testing.T) {
	const body = `{"id": "CVE-2099-0001", "modified": "2026-10-01T10:00:00Z"}`
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked in the clear: %v", r.Header) }))
	defer plain.Close()
	var seen string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("Authorization")
		if r.URL.Path == "/down" {
			http.Redirect(w, r, plain.URL, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	client := func(roots *x509.CertPool) *Client {
		c := &Client{
			Now: func() time.Time { return time.Unix(0, 0) }, Wait: func(context.Context, time.Duration) error { return nil },
			Each: 10 * time.Second, Stall: 5 * time.Second, Tries: 1, Tokens: []Token{{Host: strings.TrimPrefix(server.URL, "https://"), Header: "Authorization", Value: "secret"}},
		}
		c.prepare()
		c.http.Transport.(*tokens).next.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
		return c
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	s, err := SourceNamed("kubernetes-osv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = client(roots).Fetch(t.Context(), s, server.URL, Previous{}, nil); err != nil || seen != "secret" {
		t.Errorf("over TLS: %v, the token as seen: %q", err, seen)
	}
	if _, err = client(roots).Fetch(t.Context(), s, server.URL+"/down", Previous{}, nil); !errs.Is(err, errs.Denied) || !strings.Contains(err.Error(), "which is not https") {
		t.Errorf("a redirect to plain http: %v", err)
	}
	if _, err = client(x509.NewCertPool()).Fetch(t.Context(), s, server.URL, Previous{}, nil); !errs.Is(err, errs.Unavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

// TestRedirectsInside: what is published for everybody does not send us to this machine or into a private network; a mirror that a person keeps there may.
func TestRedirectsInside(t *testing.T) {
	request := func(address string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	tests := []struct {
		name, from, to string
		refused        bool
	}{
		{"elsewhere", "https://feeds.example.org/x", "https://objects.example.net/y", false},
		{"a public address", "https://feeds.example.org/x", "https://192.0.2.7/y", false},
		{"this machine", "https://feeds.example.org/x", "https://127.0.0.1/y", true},
		{"this machine, by name", "https://feeds.example.org/x", "https://localhost:6443/y", true},
		{"this machine, in IPv6", "https://feeds.example.org/x", "https://[::1]/y", true},
		{"this machine, as nothing", "https://feeds.example.org/x", "https://0.0.0.0/y", true},
		{"a private network", "https://feeds.example.org/x", "https://10.96.0.1/y", true},
		{"a private network, in IPv6", "https://feeds.example.org/x", "https://[::ffff:192.168.1.1]/y", true},
		{"a cloud's metadata", "https://feeds.example.org/x", "https://169.254.169.254/latest", true},
		{"one's own mirror", "https://10.0.0.5/x", "https://10.0.0.6/y", false},
		{"the same host", "https://127.0.0.1:8443/x", "https://127.0.0.1:8443/y", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := checkRedirect(request(tt.to), []*http.Request{request(tt.from)})
			if refused := err != nil; refused != tt.refused || refused && !errs.Is(err, errs.Denied) {
				t.Errorf("from %s to %s: %v", tt.from, tt.to, err)
			}
		})
	}
}
