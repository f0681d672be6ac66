package kube

import (
	"cmp"
	"context"
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

const (
	leasesV1      = "coordination.k8s.io/v1"
	identityLabel = "apiserver.kubernetes.io/identity"
	maxIdentities = 1000
)

// identities reads the leases by which kube-apiservers say that they run: one for each host name, renewed every ten seconds. Servers have written them since 1.26; one
// that is gone leaves its own behind for an hour or two.
func (t *taker) identities(ctx context.Context) {
	if !t.groups[leasesV1] {
		return
	}
	var all []cluster.Identity
	n := 0
	each := func(l *coordinationv1.Lease) {
		if n++; n > maxIdentities {
			return
		}
		one := cluster.Identity{Name: bounded(l.Name), Host: bounded(l.Labels["kubernetes.io/hostname"])}
		if l.Spec.RenewTime != nil {
			one.Renewed = l.Spec.RenewTime.UTC()
		}
		all = append(all, one)
	}
	l := typed(root(leasesV1)+"/namespaces/kube-system/leases", each)
	err := t.api.list(ctx, l.with("labelSelector", identityLabel+"=kube-apiserver"))
	if err != nil {
		t.miss(cluster.NotObserved{What: "leases of the kube-apiservers", Area: areaLoopback, Reason: reason(err), Hint: remedy(err)})
		return // a part of them would say that there are fewer than there are
	}
	t.beyond(cluster.NotObserved{What: "leases of kube-apiservers", Area: areaLoopback}, n, maxIdentities)
	slices.SortFunc(all, func(a, b cluster.Identity) int { return cmp.Compare(a.Name, b.Name) })
	t.add(func(s *cluster.Snapshot, _ *found) { s.Identities = all })
}
