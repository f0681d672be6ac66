package kube

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
)

// finish closes the snapshot, puts its lists in order, and says whose Kubernetes it is.
func (t *taker) finish() *cluster.Snapshot {
	t.overflow()
	t.lock.Lock()
	t.closed = true
	t.lock.Unlock()
	s := t.seen
	s.Requests = t.requests.list()
	slices.SortFunc(s.APIServers, func(a, b cluster.APIServer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	})
	slices.SortFunc(s.Components, bySubject)
	slices.SortStableFunc(s.Certificates, func(a, b cluster.Chain) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	unique(s)
	slices.SortStableFunc(s.Webhooks, func(a, b cluster.Webhook) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(s.Tokens, func(a, b cluster.Token) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	slices.SortFunc(s.Deprecated, func(a, b cluster.DeprecatedAPI) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Subresource, b.Subresource))
	})
	slices.SortFunc(s.Stored, func(a, b cluster.StoredVersion) int { return strings.Compare(a.Resource, b.Resource) })
	slices.SortFunc(s.Uses, func(a, b cluster.Use) int { return strings.Compare(a.Feature, b.Feature) })
	slices.SortFunc(s.NotObserved, func(a, b cluster.NotObserved) int {
		return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.What, b.What))
	})
	slices.Sort(s.Marks)
	filled(s)
	s.Distribution = cluster.DetectDistribution(s)
	return s
}

// unique makes the IDs of chains unique, whatever names strangers gave to their objects.
func unique(s *cluster.Snapshot) {
	seen := map[string]bool{}
	for i := range s.Certificates {
		c := &s.Certificates[i]
		for seen[c.ID] {
			c.ID += "+"
		}
		seen[c.ID] = true
	}
}

// filled makes lists that are empty be written as such, not as null.
func filled(s *cluster.Snapshot) {
	s.APIServers, s.Components, s.Nodes = some(s.APIServers), some(s.Components), some(s.Nodes)
	s.Certificates, s.Webhooks, s.Signing = some(s.Certificates), some(s.Webhooks), some(s.Signing)
	s.Tokens, s.Deprecated, s.Stored = some(s.Tokens), some(s.Deprecated), some(s.Stored)
	s.Groups, s.Uses, s.NotObserved = some(s.Groups), some(s.Uses), some(s.NotObserved)
}

func some[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
