package clustertest_test

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/clustertest"
	"github.com/kubelts/kubelts/internal/pki"
)

// started is when the API server at an address started, by its loopback certificate.
func started(t *testing.T, address string) time.Time {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: pki.LoopbackName, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	at, ok := pki.LoopbackStart(conn.ConnectionState().PeerCertificates[0])
	if !ok {
		t.Fatalf("%s: no loopback certificate", address)
	}
	return at
}

// Three servers on one etcd: one that is started again has a new certificate, the others keep theirs, and the balancer reaches all.
func TestInstancesAndBalancer(t *testing.T) {
	versions := clustertest.Versions(t)
	c := clustertest.Start(t, clustertest.Options{Version: versions[len(versions)-1], Addresses: []string{"127.0.0.11", "127.0.0.12", "127.0.0.13"}})
	before := map[string]time.Time{}
	for _, e := range c.Endpoints() {
		before[e] = started(t, e)
	}
	time.Sleep(1100 * time.Millisecond) // the certificate tells seconds
	c.Restart(1)
	for i, e := range c.Endpoints() {
		if changed := started(t, e).After(before[e]); changed != (i == 1) {
			t.Errorf("%s: started again: %v", e, changed)
		}
	}
	balancer := clustertest.LoadBalancer(t, c.Endpoints()...)
	seen := map[time.Time]bool{}
	for range 6 {
		seen[started(t, balancer)] = true
	}
	if !seen[started(t, c.Endpoints()[1])] || len(seen) < 2 {
		t.Errorf("through the balancer only servers started at %v are seen", seen)
	}
	c.Stop(0)
	for range 4 {
		started(t, balancer) // passes over the one that is gone
	}
}

// Servers at addresses that are not loopback's publish them, in both ways there are.
func TestPublishedEndpoints(t *testing.T) {
	addresses := []string{"10.20.0.1", "10.20.0.2"}
	if !clustertest.InNamespace(t, addresses...) {
		return
	}
	versions := clustertest.Versions(t)
	c := clustertest.Start(t, clustertest.Options{Version: versions[len(versions)-1], Addresses: addresses})
	slice, err := c.Client().DiscoveryV1().EndpointSlices("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var sliced []string
	for _, e := range slice.Endpoints {
		sliced = append(sliced, e.Addresses...)
	}
	endpoints, err := c.Client().CoreV1().Endpoints("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
	if err != nil || len(endpoints.Subsets) != 1 {
		t.Fatalf("endpoints %+v, %v", endpoints, err)
	}
	var published []string
	for _, a := range endpoints.Subsets[0].Addresses {
		published = append(published, a.IP)
	}
	slices.Sort(sliced)
	if !slices.Equal(sliced, addresses) || !slices.Equal(published, addresses) {
		t.Errorf("endpoints (-want +got):\n%s%s", cmp.Diff(addresses, published), cmp.Diff(addresses, sliced))
	}
}
