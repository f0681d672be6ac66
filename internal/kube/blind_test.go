package kube_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
)

// TestGroupsNotSeen: where it is not known what is served, nothing is said to be off, and the snapshot does not say that the rest is not served.
func TestGroupsNotSeen(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refused":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"not there": http.NotFound,
		"empty":     func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"kind":"APIGroupList"}`)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/apis" {
					answer(w, r)
					return
				}
				old(w, r)
			}))
			defer s.Close()
			seen := take(t, s, 5*time.Second)
			for _, u := range seen.Uses {
				if slices.Contains([]string{cluster.UseResourceClaims, cluster.UseRBD, cluster.UseNetworkPolicies, cluster.UseWebhooks, cluster.UseAggregatedAPIs, cluster.UseClusterCustom}, u.Feature) {
					t.Errorf("said of what was not seen: %+v", u)
				}
			}
			if !slices.ContainsFunc(seen.NotObserved, func(n cluster.NotObserved) bool { return n.What == "the API groups that are served" && n.Asked }) {
				t.Errorf("not observed: %+v", seen.NotObserved)
			}
		})
	}
}
