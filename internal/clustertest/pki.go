package clustertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// pair is a certificate and its key, both as PEM too.
type pair struct {
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	certPEM []byte
	keyPEM  []byte
}

// authorities sign what a cluster's programs and users show. Their files lie as kubeadm puts them below /etc/kubernetes/pki.
type authorities struct {
	dir                  string
	cluster, etcd, proxy *pair
}

const (
	authorityYears = 10
	leafYears      = 1
)

// newAuthorities makes the three authorities, the key that signs service accounts' tokens, and a certificate for each program; addresses are
// those of the API servers.
func newAuthorities(tb testing.TB, dir string, addresses []string) *authorities {
	tb.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "etcd"), 0o700); err != nil {
		tb.Fatal(err)
	}
	a := &authorities{dir: dir, cluster: issue(tb, template("kubernetes"), nil), etcd: issue(tb, template("etcd-ca"), nil), proxy: issue(tb, template("front-proxy-ca"), nil)}
	a.write(tb, "ca", a.cluster)
	a.write(tb, "etcd/ca", a.etcd)
	a.write(tb, "front-proxy-ca", a.proxy)
	local := []string{"localhost", "127.0.0.1", "::1"}
	names := append([]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", serviceIP}, local...)
	a.write(tb, "apiserver", issue(tb, template("kube-apiserver", append(names, addresses...)...), a.cluster))
	a.write(tb, "apiserver-kubelet-client", issue(tb, client("kube-apiserver-kubelet-client", admins), a.cluster))
	a.write(tb, "front-proxy-client", issue(tb, client("front-proxy-client"), a.proxy))
	a.write(tb, "apiserver-etcd-client", issue(tb, client("kube-apiserver-etcd-client"), a.etcd))
	a.write(tb, "etcd/server", issue(tb, template("etcd", local...), a.etcd))
	a.writeServiceAccountKey(tb)
	return a
}

func (a *authorities) path(name string) string { return filepath.Join(a.dir, name) }

func (a *authorities) write(tb testing.TB, name string, p *pair) {
	tb.Helper()
	writeFile(tb, a.path(name+".crt"), p.certPEM)
	writeFile(tb, a.path(name+".key"), p.keyPEM)
}

func (a *authorities) writeServiceAccountKey(tb testing.TB) {
	tb.Helper()
	key, keyPEM := newKey(tb)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		tb.Fatal(err)
	}
	writeFile(tb, a.path("sa.key"), keyPEM)
	writeFile(tb, a.path("sa.pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

// template is a certificate for a server with names and addresses, or for an authority where there are none.
func template(name string, names ...string) *x509.Certificate {
	now := time.Now()
	t := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(leafYears, 0, 0), BasicConstraintsValid: true}
	if len(names) == 0 {
		t.IsCA, t.NotAfter = true, now.AddDate(authorityYears, 0, 0)
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
		return t
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // etcd's serves both ends
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return t
}

// client is a certificate of a user with groups.
func client(user string, groups ...string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: user, Organization: groups}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(leafYears, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// issue signs t with a new key of its own; without a signer, t signs itself.
func issue(tb testing.TB, t *x509.Certificate, signer *pair) *pair {
	tb.Helper()
	p := &pair{}
	p.key, p.keyPEM = newKey(tb)
	var err error
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		tb.Fatal(err)
	}
	parent, key := t, p.key
	if signer != nil {
		parent, key = signer.cert, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &p.key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		tb.Fatal(err)
	}
	p.certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return p
}

func newKey(tb testing.TB) (*ecdsa.PrivateKey, []byte) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

func writeFile(tb testing.TB, name string, content []byte) {
	tb.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}
