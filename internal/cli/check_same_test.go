package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
)

func TestOneEach(t *testing.T) {
	snapshot := func(name, server, uid, ca, loopback string, missed int) taken {
		s := &cluster.Snapshot{Context: name, Server: server, UID: uid, NotObserved: make([]cluster.NotObserved, missed)}
		s.Certificates = []cluster.Chain{{ID: "kubeconfig-client/" + name, Kind: cluster.KubeconfigClient, DER: [][]byte{[]byte(name)}}}
		if ca != "" {
			s.Certificates = append(s.Certificates, cluster.Chain{ID: "cluster-ca/kubeconfig", Kind: cluster.ClusterCA, DER: [][]byte{[]byte(ca)}})
		}
		if loopback != "" {
			s.Certificates = append(s.Certificates, cluster.Chain{ID: "l", Kind: cluster.APIServerLoopback, DER: [][]byte{[]byte(loopback)}})
		}
		return taken{name: name, snapshot: s}
	}
	for _, tt := range []struct {
		name string
		seen []taken
		want []string // each with what else it is called and how many users it has
	}{
		{"one address and authority", []taken{snapshot("a", "s", "1", "ca", "", 3), snapshot("b", "s", "1", "ca", "", 2), snapshot("c", "s", "1", "ca", "", 4)}, []string{"b [a c] 3"}},
		{"one without rights", []taken{snapshot("a", "s", "", "ca", "l", 1), snapshot("b", "s", "1", "ca", "l", 2)}, []string{"b [a] 2"}},
		{"one without rights, maybe of another cluster behind the proxy", []taken{snapshot("a", "s", "", "ca", "", 1), snapshot("b", "s", "1", "ca", "", 2)}, []string{"a [] 1", "b [] 1"}},
		{"two addresses, one process", []taken{snapshot("a", "inside", "1", "ca", "l", 2), snapshot("b", "outside", "1", "other", "l", 2)}, []string{"a [b] 2"}},
		{"made anew from a backup", []taken{snapshot("a", "s1", "1", "ca", "l1", 2), snapshot("b", "s2", "1", "ca", "l2", 2)}, []string{"a [] 1", "b [] 1"}},
		{"one address for several clusters", []taken{snapshot("a", "proxy", "1", "ca", "", 2), snapshot("b", "proxy", "2", "ca", "", 2)}, []string{"a [] 1", "b [] 1"}},
		{"one address, no authority", []taken{snapshot("a", "s", "1", "", "", 2), snapshot("b", "s", "1", "", "", 2)}, []string{"a [] 1", "b [] 1"}},
		{"not looked at", []taken{{name: "a", err: errors.New("no")}, {name: "b", err: errors.New("no")}}, []string{"a [] 0", "b [] 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, o := range oneEach(tt.seen) {
				users := 0
				if o.snapshot != nil {
					for _, c := range o.snapshot.Certificates {
						if c.Kind == cluster.KubeconfigClient {
							users++
						}
					}
				}
				got = append(got, fmt.Sprintf("%s %v %d", o.name, o.also, users))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
