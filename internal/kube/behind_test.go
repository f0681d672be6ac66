package kube_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/clustertest"
	"github.com/kubelts/kubelts/internal/kube"
)

// loopbackCertificate is one as kube-apiserver makes it when it starts.
func loopbackCertificate(t *testing.T, start time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(start.Unix()), Subject: pkix.Name{CommonName: fmt.Sprintf("apiserver-loopback-client@%d", start.Unix())}, DNSNames: []string{"apiserver-loopback-client"},
		NotBefore: start, NotAfter: start.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestVersionsBehindBalancer: in the midst of an upgrade, instances of two versions are behind one address. Each loopback certificate is put with the version of its owner.
func TestVersionsBehindBalancer(t *testing.T) {
	starts := []time.Time{time.Unix(1_700_000_000, 0).UTC(), time.Unix(1_710_000_000, 0).UTC(), time.Unix(1_720_000_000, 0).UTC()}
	var chains [][][]byte
	var addresses []string
	var lock sync.Mutex
	leaked := 0 // credentials sent on a connection that proves nothing
	var first *httptest.Server
	for i, version := range []string{"v1.27.3", "v1.28.1", "v1.28.1"} {
		own := loopbackCertificate(t, starts[i])
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS.ServerName == "apiserver-loopback-client" && r.Header.Get("Authorization") != "" {
				lock.Lock()
				leaked++
				lock.Unlock()
			}
			if r.URL.Path == "/version" {
				io.WriteString(w, `{"gitVersion":"`+version+`"}`)
				return
			}
			old(w, r)
		}))
		// The test server's own certificate is what its client trusts; ours is for those who ask for it by name.
		s.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.ServerName != "apiserver-loopback-client" {
				return nil, nil
			}
			return &tls.Config{Certificates: []tls.Certificate{own}}, nil
		}}
		s.StartTLS()
		defer s.Close()
		chains, addresses = append(chains, own.Certificate), append(addresses, s.Listener.Addr().String())
		if first == nil {
			first = s
		}
	}
	first.URL = "https://" + clustertest.LoadBalancer(t, addresses...)
	seen, err := kube.Take(t.Context(), kube.Options{
		Kubeconfig: kubeconfig(t, first), Timeout: 20 * time.Second,
		Look: func(_ context.Context, targets []kube.Target) []kube.Sight {
			out := make([]kube.Sight, len(targets))
			for i, target := range targets {
				if strings.HasSuffix(first.URL, ":"+target.Port) {
					out[i] = kube.Sight{Serving: [][]byte{first.Certificate().Raw}, Loopback: chains, Started: &starts[0]}
				}
			}
			return out
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Version   string
		Start     time.Time
		Instances int
	}
	var got []line
	for _, a := range seen.APIServers {
		if a.Shared {
			got = append(got, line{a.Version, *a.ProcessStart, len(a.Loopback)})
		}
	}
	slices.SortFunc(got, func(a, b line) int { return strings.Compare(a.Version, b.Version) })
	want := []line{{"v1.27.3", starts[0], 1}, {"v1.28.1", starts[1], 2}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if leaked > 0 {
		t.Errorf("credentials were sent %d times to who proved nothing", leaked)
	}
	if n := len(slices.DeleteFunc(slices.Clone(seen.Certificates), func(c cluster.Chain) bool { return c.Kind != cluster.APIServerLoopback })); n != 3 {
		t.Errorf("%d loopback certificates", n)
	}
}

// TestListeners: which servers other than kube-apiserver are looked at, and that a k3s listener is asked for no name.
func TestListeners(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/nodes":
			io.WriteString(w, `{"items":[{"metadata":{"name":"cp","labels":{"node-role.kubernetes.io/control-plane":""}},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}]}},
				{"metadata":{"name":"w1"},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.2"}]}},{"metadata":{"name":"w2"},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.3"}]}}]}`)
		case "/api/v1/namespaces/kube-system/pods":
			io.WriteString(w, `{"items":[{"metadata":{"name":"etcd-cp","namespace":"kube-system"},"spec":{"nodeName":"cp","containers":[{"name":"etcd","image":"registry.k8s.io/etcd:3.5.9-0"}]}}]}`)
		default:
			old(w, r)
		}
	}))
	defer s.Close()
	var lock sync.Mutex
	var looked []string
	seen, err := kube.Take(t.Context(), kube.Options{
		Kubeconfig: kubeconfig(t, s), Timeout: 5 * time.Second, Kubelets: 1, Local: true, Targets: []string{"k3s.example.com:6443"},
		Look: func(_ context.Context, targets []kube.Target) []kube.Sight {
			lock.Lock()
			defer lock.Unlock()
			out := make([]kube.Sight, len(targets))
			for i, target := range targets {
				if target.Port != s.URL[strings.LastIndexByte(s.URL, ':')+1:] {
					looked = append(looked, string(target.Kind)+" "+target.Host+":"+target.Port)
				}
				if target.Host == "k3s.example.com" {
					out[i] = kube.Sight{Serving: [][]byte{[]byte("a certificate of k3s")}, Listener: "k3s", Reason: "not asked"}
				}
				if target.Port == "10250" {
					out[i].Serving = [][]byte{[]byte("kubelet " + strings.Replace(target.Host, "127.0.0.1", "192.0.2.1", 1))}
				}
			}
			return out
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(looked)
	want := []string{
		"apiserver 192.0.2.1:443", "apiserver k3s.example.com:6443", "etcd 127.0.0.1:2379", "etcd 127.0.0.1:2380", "etcd 192.0.2.1:2379", "etcd 192.0.2.1:2380",
		"kubelet 127.0.0.1:10250", "kubelet 192.0.2.1:10250", "kubelet 192.0.2.2:10250", "tls 127.0.0.1:10257", "tls 127.0.0.1:10259",
	}
	if d := cmp.Diff(want, looked); d != "" {
		t.Errorf("looked at (-want +got):\n%s", d)
	}
	var kubelets []string
	for _, c := range seen.Certificates {
		if c.Kind == cluster.KubeletServing {
			kubelets = append(kubelets, c.Where)
		}
	}
	if d := cmp.Diff([]string{"192.0.2.1:10250", "192.0.2.2:10250"}, kubelets); d != "" {
		t.Errorf("kubelets (-want +got):\n%s", d)
	}
	if !slices.ContainsFunc(seen.NotObserved, func(n cluster.NotObserved) bool {
		return n.What == "serving certificate of etcd at 192.0.2.1:2379" && !n.Asked
	}) {
		t.Errorf("nothing says that etcd was not seen: %+v", seen.NotObserved)
	}
	if !slices.ContainsFunc(seen.NotObserved, func(n cluster.NotObserved) bool {
		return n.What == "version of k3s.example.com:6443" && strings.Contains(n.Reason, "it is of k3s")
	}) {
		t.Errorf("nothing says why k3s was not asked: %+v", seen.NotObserved)
	}
}

// TestManySilent: thousands of kubelets that cannot be reached are one line.
func TestManySilent(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/nodes" {
			old(w, r)
			return
		}
		io.WriteString(w, `{"items":[`)
		for i := range 1000 {
			fmt.Fprintf(w, `%s{"metadata":{"name":"n%d"},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.%d"}]}}`, map[bool]string{true: ","}[i > 0], i, i%250)
		}
		io.WriteString(w, `]}`)
	}))
	defer s.Close()
	seen, err := kube.Take(t.Context(), kube.Options{Kubeconfig: kubeconfig(t, s), Timeout: 5 * time.Second, Kubelets: 1000, Look: blind})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, n := range seen.NotObserved {
		if strings.Contains(n.What, "kubelet") {
			lines = append(lines, n.What)
			if !n.Asked {
				t.Errorf("it was asked for: %+v", n)
			}
		}
	}
	if d := cmp.Diff([]string{"serving certificate of the kubelet, 1000 of these, the first at 192.0.2.0:10250"}, lines); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
