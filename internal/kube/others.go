package kube

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
)

const maxLooked = 20_000

// listener is a server other than kube-apiserver whose certificate is looked at.
type listener struct {
	target Target
	kind   cluster.ChainKind
	sort   string // what its certificate is, for people
	of     string // of whom, where that is known
	object string
	asked  bool
}

func (l listener) at() string { return net.JoinHostPort(l.target.Host, l.target.Port) }

// others looks at etcd and the kubelets on control-plane nodes, and at as many other kubelets as were asked for.
func (t *taker) others(ctx context.Context) {
	all, unplaced := t.listeners()
	for _, n := range unplaced {
		t.miss(n)
	}
	if len(all) == 0 {
		return
	}
	if t.Look == nil {
		t.miss(cluster.NotObserved{What: "certificates of etcd and kubelets as served", Area: areaCertificates, Reason: "no handshakes were made"})
		return
	}
	targets := make([]Target, len(all))
	for i := range all {
		targets[i] = all[i].target
	}
	sights := t.Look(ctx, targets)
	var chains []cluster.Chain
	known := map[string]bool{}
	silent := map[[2]string][]listener{} // what was not seen, by kind and reason
	for i, l := range all {
		at := l.at()
		if len(sights[i].Serving) == 0 {
			key := [2]string{string(l.kind), sights[i].Reason}
			silent[key] = append(silent[key], l)
			continue
		}
		leaf := string(l.kind) + string(sights[i].Serving[0])
		if known[leaf] && l.target.Host == thisMachine {
			continue // it was seen at the node's address
		}
		known[leaf] = true
		chains = append(chains, cluster.Chain{ID: string(l.kind) + "/" + at, Kind: l.kind, Where: at, Object: l.object, Host: l.target.Host, DER: sights[i].Serving})
	}
	t.chain(chains...)
	for key, some := range silent {
		t.silent(some, key[1])
	}
}

// silent names listeners that were not seen for one reason: a few one by one, many by their number.
func (t *taker) silent(all []listener, why string) {
	const few = 5
	missed := cluster.NotObserved{Area: areaCertificates, Reason: why, Asked: all[0].asked, Hint: "run kubelts where that address can be reached, or use --host on the node"}
	if len(all) > few {
		missed.What = fmt.Sprintf("%s, %d of these, the first at %s", all[0].sort, len(all), all[0].at())
		t.miss(missed)
		return
	}
	for _, l := range all {
		missed.What = l.sort + l.of + " at " + l.at()
		t.miss(missed)
	}
}

// listeners are the servers to look at. What cannot be looked at, or is not by the number that was asked for, is returned as not observed.
func (t *taker) listeners() ([]listener, []cluster.NotObserved) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.closed {
		return nil, nil
	}
	out, missed := t.kubelets()
	etcds, unplaced := t.etcds()
	out = append(out, t.named(etcds)...)
	if t.Local {
		out = append(out, local()...)
	}
	return out, append(missed, unplaced...)
}

// kubelets are those of control-plane nodes and as many others as were asked for.
func (t *taker) kubelets() (out []listener, missed []cluster.NotObserved) {
	const what = "serving certificate of the kubelet"
	left, others, crowd := t.Kubelets, 0, 0
	var nowhere []string
	for _, n := range t.seen.Nodes {
		switch {
		case !n.ControlPlane && t.Kubelets == 0:
			continue
		case len(n.Addresses) == 0:
			nowhere = append(nowhere, n.Name)
			continue
		case !n.ControlPlane && left == 0:
			others++
			continue
		case len(out) >= maxLooked:
			crowd++
			continue
		case !n.ControlPlane:
			left--
		}
		host, object := n.Addresses[0], "node/"+n.Name
		out = append(out, listener{Target{Kubelet, host, "10250", 1}, cluster.KubeletServing, what, " of " + n.Name, object, t.Kubelets > 0})
	}
	if len(nowhere) > 0 {
		missed = append(missed, cluster.NotObserved{
			What: fmt.Sprintf("%s of %d nodes, the first of them %s", what, len(nowhere), nowhere[0]), Area: areaCertificates, Reason: "they have no internal address", Asked: t.Kubelets > 0,
		})
	}
	if others > 0 {
		missed = append(missed, cluster.NotObserved{
			What: fmt.Sprintf("%s of %d more nodes", what, others), Area: areaCertificates, Reason: fmt.Sprintf("--kubelets %d looks at no more", t.Kubelets), Hint: "use a larger number",
		})
	}
	if crowd > 0 {
		missed = append(missed, cluster.NotObserved{
			What: fmt.Sprintf("%s of %d more nodes", what, crowd), Area: areaCertificates, Reason: fmt.Sprintf("at most %d are looked at", maxLooked), Asked: t.Kubelets > 0,
		})
	}
	return out, missed
}

const thisMachine = "127.0.0.1"

// local are the servers of a control-plane node that listen on the node itself.
func local() []listener {
	at := func(kind Kind, port string, chain cluster.ChainKind, what string) listener {
		return listener{Target{kind, thisMachine, port, 1}, chain, what, "", "", false}
	}
	return []listener{
		at(Etcd, "2379", cluster.EtcdServing, "serving certificate of etcd"),
		at(Etcd, "2380", cluster.EtcdPeer, "peer certificate of etcd"),
		at(Kubelet, "10250", cluster.KubeletServing, "serving certificate of the kubelet"),
		at(TLS, "10257", cluster.ComponentServing, "serving certificate of kube-controller-manager"),
		at(TLS, "10259", cluster.ComponentServing, "serving certificate of kube-scheduler"),
	}
}

// named adds the servers of etcd that flags of kube-apiservers name by an address, beside those that pods show.
func (t *taker) named(etcds []listener) []listener {
	known := map[string]bool{}
	for _, l := range etcds {
		known[l.at()] = true
	}
	for _, p := range t.found.pods {
		for server := range strings.SplitSeq(p.flags["etcd-servers"], ",") {
			u, err := url.Parse(strings.TrimSpace(server))
			if err != nil || u.Scheme != httpsPort || len(etcds) >= 2*maxInstances {
				continue
			}
			ip := net.ParseIP(u.Hostname())
			if ip == nil || ip.IsLoopback() || ip.IsUnspecified() {
				continue // a name would be resolved by whom the cluster trusts, and this machine is not the kube-apiserver's
			}
			l := listener{Target{Etcd, u.Hostname(), cmp.Or(u.Port(), "2379"), 1}, cluster.EtcdServing, "serving certificate of etcd", "", "pod/" + p.name + ", --etcd-servers", false}
			if !known[l.at()] {
				known[l.at()] = true
				etcds = append(etcds, l)
			}
		}
	}
	return etcds
}

// etcds are the members of etcd that pods show. That no pod shows any is for who judges to say.
func (t *taker) etcds() (out []listener, missed []cluster.NotObserved) {
	nowhere, crowd := 0, 0
	for _, c := range t.seen.Components {
		if c.Name != "etcd" && c.Name != "etcd-manager-main" && c.Name != "etcd-manager" {
			continue
		}
		at := slices.IndexFunc(t.seen.Nodes, func(n cluster.Node) bool { return n.Name == c.Node && len(n.Addresses) > 0 })
		switch {
		case at < 0:
			nowhere++
			continue
		case len(out) >= maxInstances:
			crowd++
			continue
		}
		host := t.seen.Nodes[at].Addresses[0]
		out = append(out,
			listener{Target{Etcd, host, "2379", 1}, cluster.EtcdServing, "serving certificate of etcd", "", c.Object, false},
			listener{Target{Etcd, host, "2380", 1}, cluster.EtcdPeer, "peer certificate of etcd", "", c.Object, false})
	}
	if nowhere > 0 {
		missed = append(missed, cluster.NotObserved{
			What: fmt.Sprintf("certificates of %d members of etcd", nowhere), Area: areaCertificates, Reason: "no address of the node of their pod was seen", Hint: "kubelts probe etcd://HOST:2379",
		})
	}
	if crowd > 0 {
		missed = append(missed, cluster.NotObserved{
			What: fmt.Sprintf("certificates of %d more members of etcd", crowd), Area: areaCertificates, Reason: fmt.Sprintf("at most %d are looked at", maxInstances/2),
		})
	}
	return out, missed
}
