package kube_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubelts/kubelts/internal/kube"
)

// signer is the authority of a cluster, which signs what kubelets serve too.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer{cert, key}
}

// serve starts a server at an address of loopback with a certificate for it.
func (s signer) serve(t *testing.T, host string, subject pkix.Name, names []string, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: subject, NotBefore: s.cert.NotBefore, NotAfter: s.cert.NotAfter, DNSNames: names, IPAddresses: []net.IP{net.ParseIP(host)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.cert, s.key.Public(), s.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	out := httptest.NewUnstartedServer(handler)
	out.Listener.Close()
	out.Listener = l
	out.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: s.key}}}
	out.StartTLS()
	t.Cleanup(out.Close)
	return out
}

// TestNodeGetsNoCredentials: the cluster's authority signs what kubelets serve. A node that says that an API server runs on it does not get the credentials.
func TestNodeGetsNoCredentials(t *testing.T) {
	apiserver := []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	for _, tt := range []struct {
		name    string
		subject pkix.Name
		names   []string
		gets    bool
	}{
		{"an API server", pkix.Name{CommonName: "kube-apiserver"}, apiserver, true},
		{"a kubelet", pkix.Name{CommonName: "worker"}, []string{"worker"}, false},
		{"a kubelet with a signed request", pkix.Name{CommonName: "system:node:worker", Organization: []string{"system:nodes"}}, []string{"worker"}, false},
		{"a node of that name", pkix.Name{CommonName: "system:node:kubernetes.default.svc", Organization: []string{"system:nodes"}}, apiserver, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ca := newSigner(t)
			var with, asked atomic.Int64
			other := ca.serve(t, "127.0.0.2", tt.subject, tt.names, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.Header.Get("Authorization") != "" {
					with.Add(1)
				}
				old(w, r)
			})
			s := ca.serve(t, "127.0.0.1", pkix.Name{CommonName: "kube-apiserver"}, apiserver, old)
			c := api.NewConfig()
			c.Clusters["c"] = &api.Cluster{Server: s.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})}
			c.AuthInfos["u"] = &api.AuthInfo{Token: "topsecret"}
			c.Contexts["one"] = &api.Context{Cluster: "c", AuthInfo: "u"}
			c.CurrentContext = "one"
			file := filepath.Join(t.TempDir(), "config")
			if err := clientcmd.WriteToFile(*c, file); err != nil {
				t.Fatal(err)
			}
			address := other.Listener.Addr().String()
			_, err := kube.Take(t.Context(), kube.Options{
				Kubeconfig: kube.Kubeconfig{File: file}, Timeout: 5 * time.Second, Targets: []string{address},
				Look: func(_ context.Context, targets []kube.Target) []kube.Sight {
					out := make([]kube.Sight, len(targets))
					for i, target := range targets {
						if net.JoinHostPort(target.Host, target.Port) == address {
							out[i].Serving = other.TLS.Certificates[0].Certificate
						}
					}
					return out
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if asked.Load() == 0 || (with.Load() > 0) != tt.gets {
				t.Errorf("asked %d times, %d of them with credentials; want some: %v", asked.Load(), with.Load(), tt.gets)
			}
		})
	}
}
