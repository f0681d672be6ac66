package cli_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/clustertest"
)

// TestCheckSeesPublishedServers: a kubeconfig knows a load balancer only. The API servers behind it publish their own addresses in the cluster, and
// check asks each of them: the certificate of the one that was never restarted ends first.
func TestCheckSeesPublishedServers(t *testing.T) {
	addresses := []string{"10.20.0.1", "10.20.0.2", "10.20.0.3"}
	if !clustertest.InNamespace(t, addresses...) {
		return
	}
	for _, version := range clustertest.Versions(t) {
		t.Run(version, func(t *testing.T) {
			c := clustertest.Start(t, clustertest.Options{Version: version, Addresses: addresses})
			for _, i := range []int{0, 2} {
				time.Sleep(1100 * time.Millisecond) // starts are told in seconds
				c.Restart(i)
			}
			r := judged(t, 0, "--kubeconfig", c.Kubeconfig(clustertest.Admin(), clustertest.LoadBalancer(t, c.Endpoints()...)), "--fail-on", "none")
			ends := map[string]time.Time{}
			for _, s := range r.Cluster.APIServers {
				if s.LoopbackEnds != nil {
					ends[s.Address] = *s.LoopbackEnds
				}
			}
			for _, e := range c.Endpoints() {
				if ends[e].IsZero() {
					t.Fatalf("%s is not seen: %+v, not observed: %+v", e, r.Cluster.APIServers, r.NotObserved)
				}
			}
			all := slices.SortedFunc(slices.Values(c.Endpoints()), func(a, b string) int { return ends[a].Compare(ends[b]) })
			if want := []string{c.Endpoints()[1], c.Endpoints()[0], c.Endpoints()[2]}; !slices.Equal(all, want) {
				t.Errorf("they end in the order %v, want %v", all, want)
			}
		})
	}
}
