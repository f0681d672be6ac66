package pki_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/pki"
)

func TestDaysLeft(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		left time.Duration
		want int
	}{{0, 0}, {time.Nanosecond, 0}, {24 * time.Hour, 1}, {24*time.Hour - 1, 0}, {-time.Nanosecond, -1}, {-24 * time.Hour, -1}, {-25 * time.Hour, -2}} {
		if got := pki.DaysLeft(now.Add(tt.left), now); got != tt.want {
			t.Errorf("DaysLeft of %v = %d, want %d", tt.left, got, tt.want)
		}
	}
}

func TestLoopbackStart(t *testing.T) {
	for _, tt := range []struct {
		name string
		want string // "": it is none
	}{
		{"apiserver-loopback-client@1795344957", "2026-11-22T10:55:57Z"},
		{"apiserver-loopback-client@0", "1970-01-01T00:00:00Z"},
		{"apiserver-loopback-client@", ""},
		{"apiserver-loopback-client@-1", ""},
		{"apiserver-loopback-client@99999999999999", ""},
		{"apiserver-loopback-client", ""},
		{"apiserver-loopback-client-ca@1795344957", ""},
		{"localhost@1795344957", ""},
	} {
		got, ok := pki.LoopbackStart(&x509.Certificate{Subject: pkix.Name{CommonName: tt.name}})
		if ok != (tt.want != "") || ok && got.Format(time.RFC3339) != tt.want {
			t.Errorf("%q: %v, %v; want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestListener(t *testing.T) {
	for _, tt := range []struct {
		subject, issuer pkix.Name
		want            string
	}{
		{pkix.Name{CommonName: "k3s", Organization: []string{"k3s"}}, pkix.Name{CommonName: "k3s-server-ca@1700000000"}, "k3s"},
		{pkix.Name{CommonName: "kube-apiserver"}, pkix.Name{CommonName: "RKE2-server-ca@1700000000"}, "rke2"},
		{pkix.Name{CommonName: "dynamic"}, pkix.Name{CommonName: "dynamiclistener-ca"}, "dynamiclistener"},
		{pkix.Name{CommonName: "kube-apiserver"}, pkix.Name{CommonName: "kubernetes"}, ""},
	} {
		got, ok := pki.Listener([]*x509.Certificate{{Subject: tt.subject, Issuer: tt.issuer}})
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%v by %v: %q, %v; want %q", tt.subject, tt.issuer, got, ok, tt.want)
		}
	}
}

// What a certificate says is a stranger's text: whatever it is, its description is bounded and is never a reason to stop.
func FuzzDescribe(f *testing.F) {
	for _, file := range []string{"testdata/kubelet.pem", "testdata/negative.pem"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(text)
		f.Add(block.Bytes, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, der []byte, at int64) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		now := time.Unix(at, 0)
		d := pki.Describe(c, pki.Serving, now)
		for _, text := range append(d.Names, d.Subject, d.Issuer, d.Serial) {
			if len([]rune(text)) > 201 || strings.ToValidUTF8(text, "") != text {
				t.Errorf("text of %d bytes: %q", len(text), text)
			}
		}
		if ended := d.DaysLeft < 0; ended != now.After(c.NotAfter) && now.Sub(c.NotAfter).Abs() < 1<<62 {
			t.Errorf("%d days left of %v at %v", d.DaysLeft, c.NotAfter, now)
		}
		pki.Verify([]*x509.Certificate{c, c}, x509.NewCertPool(), "host", now)
		pki.Listener([]*x509.Certificate{c})
	})
}
