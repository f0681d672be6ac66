package kube

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

// endpoint is where an API server listens.
type endpoint struct {
	host, port string
}

const (
	slicesV1     = "discovery.k8s.io/v1"
	maxEndpoints = 200
	httpsPort    = "https" // the name of the port, and of the scheme
)

// endpoints reads the addresses of the API servers, which they write themselves: into slices since those are stable, into the older kind before. That one is deprecated,
// and not asked for where there is the newer.
func (t *taker) endpoints(ctx context.Context) {
	var all []endpoint
	var err error
	served := t.groups.first(slicesV1, "discovery.k8s.io/v1beta1")
	if served != "" {
		all, err = t.slices(ctx, served)
	}
	if len(all) == 0 && err == nil && served != slicesV1 {
		all, err = t.oldEndpoints(ctx)
	}
	switch {
	case absent(err), err == nil && len(all) == 0:
		t.miss(cluster.NotObserved{
			What: "addresses of the API servers", Area: areaLoopback, Reason: "the API servers publish none in the service kubernetes of the namespace default",
			Hint: "name them with --probe HOST:PORT",
		})
	case err != nil:
		t.miss(cluster.NotObserved{What: "addresses of the API servers", Area: areaLoopback, Reason: reason(err), Hint: remedy(err), Asked: true})
	}
	slices.SortFunc(all, func(a, b endpoint) int { return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.port, b.port)) })
	all = slices.Compact(all)
	if i := slices.IndexFunc(all, func(e endpoint) bool { return net.ParseIP(e.host) == nil }); i >= 0 {
		t.miss(cluster.NotObserved{
			What: "an API server at " + all[i].host + ", and others whose endpoint is no address", Area: areaLoopback,
			Reason: "the endpoint is a name, and names would be resolved by whom the cluster trusts", Hint: "name it with --probe HOST:PORT",
		})
		all = slices.DeleteFunc(all, func(e endpoint) bool { return net.ParseIP(e.host) == nil })
	}
	t.beyond(cluster.NotObserved{What: "endpoints of API servers", Area: areaLoopback}, len(all), maxEndpoints)
	all = all[:min(len(all), maxEndpoints)]
	t.add(func(_ *cluster.Snapshot, found *found) { found.endpoints = all })
}

// slices reads the slices of the service kubernetes in default.
func (t *taker) slices(ctx context.Context, served string) ([]endpoint, error) {
	var all []endpoint
	each := func(s *discoveryv1.EndpointSlice) {
		port := slicePort(s.Ports)
		for _, e := range s.Endpoints {
			for _, a := range e.Addresses {
				all = append(all, endpoint{bounded(a), port})
			}
		}
	}
	path := root(served) + "/namespaces/default/endpointslices"
	l := typed(path, each)
	if served != slicesV1 {
		l = plain(path, each) // the JSON of what is wanted is the same
	}
	err := t.api.list(ctx, l.with("labelSelector", "kubernetes.io/service-name=kubernetes"))
	return all, err
}

func slicePort(ports []discoveryv1.EndpointPort) string {
	port := "443"
	for i, p := range ports {
		if p.Port != nil && (i == 0 || p.Name != nil && *p.Name == httpsPort) {
			port = strconv.Itoa(int(*p.Port))
		}
	}
	return port
}

func (t *taker) oldEndpoints(ctx context.Context) ([]endpoint, error) {
	var object corev1.Endpoints //nolint:staticcheck // for servers that have no slices
	if err := t.api.get(ctx, "/api/v1/namespaces/default/endpoints/kubernetes", &object); err != nil {
		return nil, err
	}
	var all []endpoint
	for _, s := range object.Subsets {
		port := "443"
		for i, p := range s.Ports {
			if i == 0 || p.Name == httpsPort {
				port = strconv.Itoa(int(p.Port))
			}
		}
		for _, a := range s.Addresses {
			all = append(all, endpoint{bounded(a.IP), port})
		}
	}
	return all, nil
}
