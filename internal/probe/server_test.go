package probe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  any
}

// recipe says how to make a certificate.
type recipe struct {
	subject            pkix.Name
	names              []string
	notBefore, validTo time.Time
	authority          bool
	serial             *big.Int
	key                any // made where it is nil
	signer             *issued
}

func (r recipe) make(tb testing.TB) *issued {
	tb.Helper()
	key := r.key
	if key == nil {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		key = k
	}
	serial := r.serial
	if serial == nil {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 62))
		if err != nil {
			tb.Fatal(err)
		}
		serial = n.Add(n, big.NewInt(1))
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: r.subject, NotBefore: r.notBefore, NotAfter: r.validTo, IsCA: r.authority, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range r.names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	parent, signingKey := template, key
	if r.signer != nil {
		parent, signingKey = r.signer.cert, r.signer.key
	}
	var public any
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		public = &k.PublicKey
	case *rsa.PrivateKey:
		public = &k.PublicKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signingKey)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &issued{cert, key}
}

func (i *issued) chain(with ...*issued) *tls.Certificate {
	c := &tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
	for _, w := range with {
		c.Certificate = append(c.Certificate, w.cert.Raw)
	}
	return c
}

// era is how kube-apiservers of some minors make their loopback certificate.
type era struct {
	versions string
	begins   time.Duration // after the start of the process
	ends     time.Duration
	chain    int
}

func eras() []era {
	const year = 365 * 24 * time.Hour
	return []era{
		{"1.6 to 1.9", 0, year, 1},
		{"1.10 and 1.11", 0, year, 2},
		{"1.12 to 1.32", -time.Hour, year - time.Hour, 2},
		{"1.33 to 1.37", -time.Hour, 3*year + 23*time.Hour, 2},
	}
}

// loopback makes the certificate as that era's apiserver does when it starts.
func (e era) loopback(tb testing.TB, start time.Time) *tls.Certificate {
	tb.Helper()
	leaf := recipe{
		subject:   pkix.Name{CommonName: fmt.Sprintf("apiserver-loopback-client@%d", start.Unix())},
		names:     []string{"apiserver-loopback-client"},
		notBefore: start.Add(e.begins), validTo: start.Add(e.ends),
	}
	if e.chain == 1 {
		leaf.authority = true
		return leaf.make(tb).chain()
	}
	ca := recipe{
		subject:   pkix.Name{CommonName: fmt.Sprintf("apiserver-loopback-client-ca@%d", start.Unix())},
		notBefore: leaf.notBefore, validTo: leaf.validTo, authority: true,
	}.make(tb)
	leaf.signer = ca
	return leaf.make(tb).chain(ca)
}

// server is a TLS server of the tests. It remembers what it was asked for.
type server struct {
	address string

	lock  sync.Mutex
	names []string // the server names of all handshakes, "" for none
	bytes int64    // application data that was received
}

// serve starts a server on a loopback address. Choose picks the certificate by server name.
func serve(tb testing.TB, config *tls.Config, choose func(name string) *tls.Certificate) *server {
	tb.Helper()
	s := &server{}
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		s.lock.Lock()
		defer s.lock.Unlock()
		s.names = append(s.names, hello.ServerName)
		return choose(hello.ServerName), nil
	}
	s.listen(tb, func(conn net.Conn) {
		served := tls.Server(conn, config)
		if served.Handshake() == nil {
			n, _ := io.Copy(io.Discard, served)
			s.lock.Lock()
			s.bytes += n
			s.lock.Unlock()
		}
	})
	return s
}

func (s *server) listen(tb testing.TB, handle func(net.Conn)) {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.address = l.Addr().String()
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	tb.Cleanup(func() {
		l.Close()
		group.Wait()
	})
}

func (s *server) asked() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.names)
}

func (s *server) received() int64 {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.bytes
}
