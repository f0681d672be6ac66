package findings

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// noReason is the reason of what is missing from a snapshot that does not name one.
const noReason = "the snapshot has none, and does not say why"

// restOfCluster is what a snapshot calls that for which there was no time.
const restOfCluster = "the rest of the cluster"

// because gives something the reason that the snapshot has for anything whose description begins with one of the words, so that one fault is not told twice, once without
// its reason. Where the snapshot has none, the reason stays.
func (j *judge) because(n cluster.NotObserved, words ...string) cluster.NotObserved {
	for _, w := range append(words, restOfCluster) {
		i := slices.IndexFunc(j.s.NotObserved, func(known cluster.NotObserved) bool { return begins(known.What, w) })
		if i >= 0 {
			known := j.s.NotObserved[i]
			n.Reason, n.Hint, n.Asked = known.Reason, known.Hint, known.Asked
			return n
		}
	}
	return n
}

// begins reports whether a text begins with some words as a whole.
func begins(text, words string) bool {
	return strings.HasPrefix(text, words) && mentions(text[:min(len(text), len(words)+1)], words)
}

// allObjects is how a snapshot begins to name everything that an API holds, where it could not be asked for any of it.
const allObjects = "nodes, components, webhooks"

// checkGaps notes what no report can be made of: the parts of a snapshot that are empty without a reason.
func (j *judge) checkGaps() error {
	type gap struct {
		missing bool
		area    cluster.Area
		what    string
		words   []string // in the description of what may be the reason
	}
	versions := []string{"version at", "version of"} // as instances are told of
	none := len(j.serverVersions()) == 0
	for _, g := range []gap{
		{none, cluster.Support, "the version of any kube-apiserver", versions},
		{none, cluster.Skew, "the version of any kube-apiserver", versions},
		{none, cluster.Vulnerabilities, "the version of any kube-apiserver", versions},
		{len(j.s.APIServers) == 0, cluster.Loopback, "any kube-apiserver", []string{"addresses of the API servers"}},
		{len(j.s.Nodes) == 0, cluster.Nodes, "any node", []string{"nodes", allObjects}},
		{len(j.s.Certificates) == 0, cluster.Certificates, "any certificate", []string{allObjects}},
		{len(j.s.Groups) == 0, cluster.APIs, "which APIs are served", []string{"the API groups that are served"}},
	} {
		if g.missing && !j.told(g.area) {
			j.unseen(j.because(cluster.NotObserved{What: g.what, Area: string(g.area), Reason: noReason}, g.words...))
		}
	}
	j.checkEtcd()
	return nil
}

// checkEtcd names the certificates of etcd where none was seen and the snapshot does not say so: no pod shows an etcd that runs on machines of its own, or that
// somebody keeps out of sight, and the API is down when they end.
func (j *judge) checkEtcd() {
	seen := slices.ContainsFunc(j.s.Certificates, func(c cluster.Chain) bool { return c.Kind == cluster.EtcdServing || c.Kind == cluster.EtcdPeer })
	if seen || len(j.s.Certificates) == 0 || j.told(cluster.Certificates, "etcd") {
		return
	}
	n := cluster.NotObserved{
		What: "certificates of etcd", Area: string(cluster.Certificates), Reason: "no pod shows etcd: it may run outside of the cluster",
		Hint: "kubelts probe etcd://HOST:2379 looks at them",
	}
	switch v := j.s.Distribution.Vendor; {
	case managed(v):
		n.Reason, n.Hint = vendorName(v)+" runs it out of sight", ""
	case v == release.VendorK3s:
		n.Reason = "k3s has it inside its own process, or another database in its place"
	case j.unreadPods():
		n = j.because(n, podsUnread()...)
	case slices.ContainsFunc(j.s.Components, func(c cluster.Component) bool { return strings.HasPrefix(c.Name, "etcd") }):
		n.Reason = "its pods are seen, and the snapshot does not say why their certificates are not"
	}
	j.unseen(n)
}

// podsUnread are the descriptions of what makes that the pods of the control plane were not seen.
func podsUnread() []string { return []string{"control-plane pods", allObjects} }

// unreadPods reports whether the pods of the control plane were not seen, or not all of them.
func (j *judge) unreadPods() bool {
	return slices.ContainsFunc(j.s.NotObserved, func(n cluster.NotObserved) bool {
		return slices.ContainsFunc(append(podsUnread(), restOfCluster), func(w string) bool { return begins(n.What, w) })
	})
}
