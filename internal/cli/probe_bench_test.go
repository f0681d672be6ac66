package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/pki"
)

// BenchmarkProbeThousands looks at the loopback certificates of 5,000 addresses, and, beside it, at some of them with openssl in a loop, which
// is what people do without us. Both report targets/s. One server on all of 127.0.0.0/16 answers both; its work is part of both rates.
func BenchmarkProbeThousands(b *testing.B) {
	port := loopbackServer(b)
	const all, some = 5000, 200
	var targets strings.Builder
	for i := range all {
		fmt.Fprintf(&targets, "127.0.%d.%d:%s\n", i/200, 1+i%200, port)
	}
	program := benchProgram(b)
	cmd := exec.Command(program, "probe", "-", "-o", "csv")
	cmd.Stdin = strings.NewReader(targets.String())
	out, err := cmd.Output()
	if seen := strings.Count(string(out), ",loopback,"); err != nil || seen != all {
		b.Fatalf("%d of %d loopback certificates seen, %v", seen, all, err)
	}
	b.Run("kubelts", func(b *testing.B) {
		for b.Loop() {
			kubelts := exec.Command(program, "probe", "-", "-o", "json")
			kubelts.Stdin = strings.NewReader(targets.String())
			watched(b, kubelts)
		}
		b.ReportMetric(float64(all*b.N)/b.Elapsed().Seconds(), "targets/s")
	})
	for name, rest := range map[string]string{
		"openssl":      "| openssl x509 -noout -subject -enddate", // the name and the end, as probe tells them
		"openssl-only": ">/dev/null",                              // a handshake, of which nothing is read
	} {
		script := fmt.Sprintf(`head -n %d | while read -r target; do openssl s_client -connect "$target" -servername %s </dev/null 2>/dev/null %s || exit 1; done`, some, pki.LoopbackName, rest)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				loop := exec.Command("sh", "-c", script)
				loop.Stdin = strings.NewReader(targets.String())
				if out, err := loop.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
			b.ReportMetric(float64(some*b.N)/b.Elapsed().Seconds(), "targets/s")
		})
	}
}

// loopbackServer serves a certificate as a kube-apiserver's loopback one at all addresses of this machine, and returns its port.
func loopbackServer(b *testing.B) string {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: fmt.Sprintf("%s@%d", pki.LoopbackName, now.Unix())},
		DNSNames: []string{pki.LoopbackName}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		b.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "0.0.0.0:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	b.Cleanup(func() {
		server.Close()
		if end := <-done; !errors.Is(end, http.ErrServerClosed) {
			b.Error(end)
		}
	})
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	return port
}
