package kube

import (
	"context"
	"fmt"
	"net"
	"slices"

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
	all := t.listeners()
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

func (t *taker) listeners() []listener {
	t.lock.Lock()
	defer t.lock.Unlock()
	var out []listener
	if t.closed {
		return nil
	}
	left := t.Kubelets
	for _, n := range t.seen.Nodes {
		if len(n.Addresses) == 0 || len(out) >= maxLooked {
			continue
		}
		if !n.ControlPlane {
			if left == 0 {
				continue
			}
			left--
		}
		host, object := n.Addresses[0], "node/"+n.Name
		out = append(out, listener{Target{Kubelet, host, "10250", 1}, cluster.KubeletServing, "serving certificate of the kubelet", " of " + n.Name, object, t.Kubelets > 0})
	}
	out = append(out, t.etcds()...)
	if t.Local {
		out = append(out, local()...)
	}
	return out
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

// etcds are the members of etcd that pods show.
func (t *taker) etcds() []listener {
	var out []listener
	for _, c := range t.seen.Components {
		if c.Name != "etcd" && c.Name != "etcd-manager-main" && c.Name != "etcd-manager" {
			continue
		}
		at := slices.IndexFunc(t.seen.Nodes, func(n cluster.Node) bool { return n.Name == c.Node && len(n.Addresses) > 0 })
		if at < 0 || len(out) >= maxInstances {
			continue
		}
		host := t.seen.Nodes[at].Addresses[0]
		out = append(out,
			listener{Target{Etcd, host, "2379", 1}, cluster.EtcdServing, "serving certificate of etcd", "", c.Object, false},
			listener{Target{Etcd, host, "2380", 1}, cluster.EtcdPeer, "peer certificate of etcd", "", c.Object, false})
	}
	return out
}
