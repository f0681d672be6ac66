package findings_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// TestInstancesAreCounted: each kube-apiserver once, wherever it was seen; by their leases, where these tell, it is known how many there are.
func TestInstancesAreCounted(t *testing.T) {
	now := at(t, "2026-10-01T08:00:00Z")
	lease := func(age time.Duration) cluster.Identity {
		return cluster.Identity{Name: fmt.Sprintf("apiserver-%d", age), Host: fmt.Sprintf("host-%d", age/time.Second), Renewed: now.Add(-age)}
	}
	live := []cluster.Identity{lease(time.Second), lease(2 * time.Second), lease(9 * time.Second)}
	// direct and balanced put instances into a snapshot by the numbers of their certificates.
	put := func(s *cluster.Snapshot, shared bool, address, version string, numbers ...int) {
		a := cluster.APIServer{Name: address, Address: address, Version: version, Shared: shared}
		for _, n := range numbers {
			id := fmt.Sprintf("loopback %d", n)
			a.Loopback = append(a.Loopback, id)
			known := false
			for _, c := range s.Certificates {
				known = known || c.ID == id
			}
			if !known {
				s.Certificates = append(s.Certificates, loopback(t, id, now.Add(-time.Duration(n)*time.Hour), 1096))
			}
		}
		s.APIServers = append(s.APIServers, a)
	}
	for _, tt := range []struct {
		name   string
		fill   func(*cluster.Snapshot)
		leases []cluster.Identity
		want   string // how many, and the beginning of what is not observed
	}{
		{"one", func(s *cluster.Snapshot) { put(s, false, "a:1", "v1.37.1", 1) }, nil, "1"},
		{"behind a load balancer", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1, 2, 3) }, nil, "at least 3: kube-apiservers behind lb:1 beyond the 3 seen"},
		{"and their leases say that these are all", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1, 2, 3) }, live, "3"},
		{"one of them is missing", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1, 2) }, live, "at least 2: 1 kube-apiserver of 3"},
		{"one is missing beside those with addresses", func(s *cluster.Snapshot) { put(s, false, "a:1", "v1.37.1", 1); put(s, false, "b:1", "v1.37.1", 2) }, live, "at least 2: 1 kube-apiserver of 3"},
		{"one that is gone left its lease", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1, 2, 3) }, append([]cluster.Identity{lease(3 * time.Hour)}, live...), "3"},
		{"one that is gone, or whose clock is behind", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1, 2, 3) }, append([]cluster.Identity{lease(10 * time.Minute)}, live...), "at least 3: kube-apiservers behind lb:1 beyond the 3 seen"},
		{"a clock that is ahead makes no others gone", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1) }, append([]cluster.Identity{lease(-5 * time.Minute)}, live[:2]...), "at least 1: kube-apiservers behind lb:1 beyond the 1 seen"},
		{"nor does a time to come", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1) }, append([]cluster.Identity{lease(-1000 * time.Hour)}, live[:2]...), "at least 1: kube-apiservers behind lb:1 beyond the 1 seen"},
		{"a lease that says no time", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1) }, []cluster.Identity{live[0], {Name: "apiserver-x"}}, "at least 1: kube-apiservers behind lb:1 beyond the 1 seen"},
		{"seen twice, by address and behind the load balancer", func(s *cluster.Snapshot) {
			put(s, true, "lb:1", "v1.37.1", 1, 2, 3)
			put(s, false, "a:1", "v1.37.1", 1)
		}, live, "3"},
		{"the same without leases", func(s *cluster.Snapshot) {
			put(s, true, "lb:1", "v1.37.1", 1, 2, 3)
			put(s, false, "a:1", "v1.37.1", 1)
		}, nil, "at least 3: kube-apiservers behind lb:1 beyond the 3 seen"},
		{"hosts with one name", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1", 1, 2, 3) }, live[:1], "at least 3: kube-apiservers behind lb:1 beyond the 3 seen"},
		{"versions of which not every server beside them has a lease", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.26.15", 1, 2, 3) }, live, "at least 3: kube-apiservers behind lb:1 beyond the 3 seen"},
		{"an address without certificate", func(s *cluster.Snapshot) { put(s, true, "lb:1", "v1.37.1") }, live[:1], "at least 1: kube-apiservers behind lb:1 beyond the 0 seen"},
		{"an instance that did not answer", func(s *cluster.Snapshot) { put(s, false, "a:1", "v1.37.1", 1); put(s, false, "b:1", "") }, live[:2], "2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", now)
			s.Identities = tt.leases
			tt.fill(s)
			r := judge(t, s, findings.Options{At: now})
			got := fmt.Sprint(r.Cluster.Instances)
			if r.Cluster.AtLeast {
				got = "at least " + got
			}
			for _, n := range r.NotObserved {
				if strings.HasPrefix(n.What, "kube-apiservers behind") || strings.HasPrefix(n.What, "1 kube-apiserver of") {
					got += ": " + n.What
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			sum := 0
			for _, a := range r.Cluster.APIServers {
				sum += a.Instances
			}
			if sum != r.Cluster.Instances {
				t.Errorf("the lines have %d instances, the cluster %d", sum, r.Cluster.Instances)
			}
		})
	}
}
