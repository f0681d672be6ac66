package kube

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/pki"
)

// instance is an API server, or an address behind which there are some, with what was seen there.
type instance struct {
	cluster.APIServer

	target  Target
	sight   Sight
	version *serverVersion
	why     error // there is no version
	metrics []cluster.DeprecatedAPI
	unmeter error                     // there are no metrics
	direct  bool                      // it is one instance
	behind  map[string]*serverVersion // of the instances behind a load balancer, by their loopback certificate
	sure    bool                      // something says that there is an API server, so that silence is worth naming
}

const (
	maxInstances  = 200
	balancerTries = 12 // handshakes without a new certificate, before all behind a load balancer are taken to have been seen
)

// instances looks at each API server that is known, and at the kubeconfig's address.
func (t *taker) instances(ctx context.Context) {
	all, unplaced := t.candidates()
	for _, n := range unplaced {
		t.miss(n)
	}
	var group sync.WaitGroup
	gate := make(chan struct{}, 2*maxRequests)
	for _, i := range all {
		group.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			t.instance(ctx, i)
		})
	}
	group.Wait()
	t.add(func(s *cluster.Snapshot, found *found) { record(s, found, all) })
	for _, i := range all {
		t.missedOf(i)
	}
}

// candidates are the instances that are known from endpoints, pods, nodes and the user, and the kubeconfig's address, which comes last.
// Those that have no address, or no place, are returned as not observed.
func (t *taker) candidates() ([]*instance, []cluster.NotObserved) {
	t.lock.Lock()
	defer t.lock.Unlock()
	all := &instanceList{left: map[string]bool{}, known: map[string]bool{}}
	if t.closed {
		return nil, nil
	}
	for _, e := range t.found.endpoints {
		all.add(e.host, e.port, "endpoints", "")
	}
	for _, p := range t.found.pods {
		if net.ParseIP(p.host) == nil {
			all.noAddress("the kube-apiserver of pod " + p.name)
			continue
		}
		all.known[p.node] = true
		if i := all.add(p.host, p.port, "pod", p.name); i != nil {
			i.Name, i.Image, i.Flags = p.name, p.image, p.flags
		}
	}
	all.fromNodes(t.seen.Nodes)
	for _, text := range t.Targets {
		if host, port, err := net.SplitHostPort(text); err == nil {
			all.add(host, port, "user", "")
		}
	}
	host, port, _ := net.SplitHostPort(t.access.address()) // it was joined
	if i := all.add(host, port, "kubeconfig", ""); i != nil && i.Source == "kubeconfig" {
		i.direct, i.target.Tries = false, balancerTries
		if t.access.proxied() || t.access.base.Scheme != httpsPort {
			i.target.Kind = TLS // what answers there speaks HTTP, and is no kube-apiserver
		}
	}
	return all.instances, all.missed()
}

// instanceList has each address once.
type instanceList struct {
	instances []*instance
	known     map[string]bool // nodes whose instance is known by its pod
	left      map[string]bool // addresses that had no place
	first     string          // of these
	nowhere   []cluster.NotObserved
}

func (l *instanceList) noAddress(what string) {
	l.nowhere = append(l.nowhere, cluster.NotObserved{What: what, Area: areaLoopback, Reason: "it has no internal address", Hint: "name it with --probe HOST:PORT"})
}

// missed names what is not in the list.
func (l *instanceList) missed() []cluster.NotObserved {
	if len(l.left) == 0 {
		return l.nowhere
	}
	return append(l.nowhere, cluster.NotObserved{
		What: fmt.Sprintf("%d more kube-apiservers, the first at %s", len(l.left), l.first), Area: areaLoopback, Reason: fmt.Sprintf("at most %d are looked at", maxInstances), Asked: true,
	})
}

// add returns the instance at an address, a new one where none was known; nil when there are too many.
func (l *instanceList) add(host, port, source, name string) *instance {
	address := net.JoinHostPort(host, port)
	for _, i := range l.instances {
		if i.Address == address {
			return i
		}
	}
	if len(l.instances) >= maxInstances && source != "kubeconfig" {
		l.first, l.left[address] = cmp.Or(l.first, address), true
		return nil
	}
	i := &instance{direct: true, sure: true, target: Target{Kind: APIServer, Host: host, Port: port, Tries: 1}}
	i.APIServer = cluster.APIServer{Name: cmp.Or(name, address), Address: address, Source: source}
	l.instances = append(l.instances, i)
	return i
}

// fromNodes names the instances that run on nodes, and adds those that only a node's role speaks for.
func (l *instanceList) fromNodes(nodes []cluster.Node) {
	port := "6443"
	if len(l.instances) > 0 {
		port = l.instances[0].target.Port
	}
	for _, n := range nodes {
		if !n.ControlPlane || l.named(n) {
			continue
		}
		if len(n.Addresses) == 0 {
			if l.known[n.Name] {
				continue
			}
			l.noAddress("an API server on control-plane node " + n.Name)
			continue
		}
		if i := l.add(n.Addresses[0], port, "node", n.Name); i != nil {
			i.sure = false
		}
	}
}

// named gives a node's name to the instances that run on it, and says whether there are any.
func (l *instanceList) named(n cluster.Node) bool {
	known := false
	for _, i := range l.instances {
		if !slices.Contains(n.Addresses, i.target.Host) {
			continue
		}
		known = true
		if i.Name == i.Address {
			i.Name = n.Name
		}
	}
	return known
}

// instance looks at one: its certificates first, since they tell whether it may be given credentials, and under which name.
func (t *taker) instance(ctx context.Context, i *instance) {
	if t.Look == nil {
		i.sight.Reason = "no handshakes were made"
	} else if i.target.Kind == TLS && t.access.base.Scheme != httpsPort {
		i.sight.Reason = "it does not speak TLS"
	} else {
		i.sight = t.Look(ctx, []Target{i.target})[0]
	}
	if !i.direct {
		i.version, i.behind = t.balanced(), t.behind(ctx, i)
		i.metrics, i.unmeter = t.api.deprecated(ctx, i.Address)
		return
	}
	if len(i.sight.Serving) == 0 {
		i.why = fmt.Errorf("it was not reached: %s", i.sight.Reason)
		i.unmeter = i.why
		return
	}
	name, trusted := t.trusted(i)
	if !trusted && i.sight.Listener != "" && net.ParseIP(i.target.Host) == nil {
		i.why = fmt.Errorf("it is of %s, which may put a name that it is asked for into its certificate, so it was not asked", i.sight.Listener)
		i.unmeter = i.why
		return
	}
	asked, err := t.access.stranger(i.Address)
	if trusted {
		asked, err = t.access.instance(i.Address, name)
	}
	if err != nil {
		i.why, i.unmeter = err, err
		return
	}
	asked.log = t.requests
	i.version, i.why = asked.version(ctx)
	if !trusted {
		i.unmeter = fmt.Errorf("its certificate is not signed by the kubeconfig's authority for a name that is known, so it was given no credentials")
		return
	}
	i.metrics, i.unmeter = asked.deprecated(ctx, i.Address)
}

// balanced is the version that the kubeconfig's address gave.
func (t *taker) balanced() *serverVersion {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.found.version
}

// trusted says whether an instance may be given credentials: whether the kubeconfig's own authority signed its certificate, for the name that the kubeconfig has for the
// API or for the one that it has within the cluster. Its address alone does not do: that authority signs what kubelets serve too, and a node must not get the credentials
// of who looks at it by saying that an API server runs there. Name is what to ask for, "" for the address, where the certificate has that as well.
func (t *taker) trusted(i *instance) (name string, ok bool) {
	authority := t.access.authority()
	if len(authority) == 0 || t.access.config.Insecure {
		return "", false
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return "", false
	}
	leaf, err := x509.ParseCertificate(i.sight.Serving[0])
	if err != nil {
		return "", false
	}
	intermediates := x509.NewCertPool()
	for _, der := range i.sight.Serving[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			intermediates.AddCert(c)
		}
	}
	// The time is the real one: it is the handshake's to refuse a certificate that ended, not that of the date in a report.
	has := func(host string) bool {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: host})
		return err == nil
	}
	if ofNode(leaf) {
		return "", false
	}
	for _, n := range []string{cmp.Or(t.access.config.ServerName, t.access.base.Hostname()), "kubernetes.default.svc", "kubernetes"} {
		switch {
		case !has(n):
		case has(i.target.Host):
			return "", true
		default:
			return n, net.ParseIP(n) != nil || i.sight.Listener == ""
		}
	}
	return "", false
}

// ofNode says whether a certificate is a node's.
func ofNode(leaf *x509.Certificate) bool {
	return strings.HasPrefix(leaf.Subject.CommonName, "system:node:") || slices.Contains(leaf.Subject.Organization, "system:nodes")
}

// record writes instances into the snapshot. The kubeconfig's address is left out where each instance behind it was seen by itself.
func record(s *cluster.Snapshot, found *found, all []*instance) {
	ids := map[string]string{} // of loopback certificates, by the certificate
	for _, i := range all {
		if len(i.sight.Serving) > 0 {
			s.Certificates = append(s.Certificates, cluster.Chain{
				ID: "apiserver-serving/" + i.Address, Kind: cluster.APIServerServing, Where: i.Address, Object: i.Name, Host: i.target.Host, DER: i.sight.Serving,
			})
		}
		fresh := i.loopback(s, ids)
		i.fill(i.version)
		i.ProcessStart, i.Shared = i.sight.Started, !i.direct
		s.Deprecated = append(s.Deprecated, i.metrics...)
		found.metrics = found.metrics || i.unmeter == nil
		if i.direct && (i.sure || len(i.Loopback) > 0) {
			s.APIServers = append(s.APIServers, i.APIServer)
		}
		if !i.direct && (fresh > 0 || !slices.ContainsFunc(s.APIServers, func(a cluster.APIServer) bool { return len(a.Loopback) > 0 }) || found.version != nil && !anyVersion(s.APIServers)) {
			s.APIServers = append(s.APIServers, i.apart()...)
		}
	}
}

func anyVersion(all []cluster.APIServer) bool {
	return slices.ContainsFunc(all, func(a cluster.APIServer) bool { return a.Version != "" })
}

// loopback adds the certificates that were not seen at another address, and returns how many these are.
func (i *instance) loopback(s *cluster.Snapshot, ids map[string]string) (fresh int) {
	for _, der := range i.sight.Loopback {
		id, ok := ids[string(der[0])]
		if !ok {
			id = "apiserver-loopback/" + i.Address
			if !i.direct {
				sum := sha256.Sum256(der[0])
				id += "/" + hex.EncodeToString(sum[:4])
			}
			ids[string(der[0])] = id
			fresh++
			s.Certificates = append(s.Certificates, cluster.Chain{
				ID: id, Kind: cluster.APIServerLoopback, Where: i.Address, Object: i.Name, Host: pki.LoopbackName, DER: der,
			})
		}
		i.Loopback = append(i.Loopback, id)
	}
	return fresh
}

// fill copies a version.
func (i *instance) fill(v *serverVersion) {
	if v == nil {
		return
	}
	i.Version, i.Emulated, i.MinCompatible = v.GitVersion, v.emulated(), v.minimal()
	i.GoVersion, i.BuildDate, i.Platform = v.GoVersion, v.BuildDate, v.Platform
}

// missedOf names what was not seen of an instance.
func (t *taker) missedOf(i *instance) {
	if !i.sure && len(i.sight.Serving) == 0 {
		t.miss(cluster.NotObserved{
			What: "an API server on control-plane node " + i.Name, Area: areaLoopback, Reason: "at " + i.Address + ": " + i.sight.Reason,
			Hint: "if one runs there, run kubelts where it can be reached",
		})
		return
	}
	if len(i.sight.Loopback) == 0 && (i.direct || !t.sawLoopback()) {
		hint := ""
		if len(i.sight.Serving) == 0 {
			hint = "run kubelts where the API servers can be reached directly"
		}
		t.miss(cluster.NotObserved{What: "loopback certificate of " + i.label(), Area: areaLoopback, Reason: cmp.Or(i.sight.Reason, "it was not served"), Hint: hint, Asked: true})
	}
	if len(i.sight.Loopback) > 0 && i.sight.Reason != "" {
		t.miss(cluster.NotObserved{What: "all that answers at " + i.label(), Area: areaLoopback, Reason: "a part of it was not seen: " + i.sight.Reason, Asked: true})
	}
	if len(i.sight.Serving) == 0 {
		t.miss(cluster.NotObserved{What: "serving certificate of " + i.label(), Area: areaCertificates, Reason: i.sight.Reason})
	}
	if i.direct && i.why != nil {
		t.miss(cluster.NotObserved{What: "version of " + i.label(), Area: areaSkew, Reason: reason(i.why), Hint: remedy(i.why), Asked: true})
	}
	if i.unmeter != nil && (i.direct || !t.sawMetrics()) {
		t.miss(cluster.NotObserved{What: "deprecated APIs that " + i.label() + " was asked for", Area: areaAPIs, Reason: reason(i.unmeter), Hint: remedy(i.unmeter)})
	}
}

func (i *instance) label() string {
	if i.Name == i.Address {
		return i.Address
	}
	return i.Name + " at " + i.Address
}

func (t *taker) sawLoopback() bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	return !t.closed && slices.ContainsFunc(t.seen.APIServers, func(a cluster.APIServer) bool { return len(a.Loopback) > 0 })
}

// sawMetrics says whether any API server told what it was asked for.
func (t *taker) sawMetrics() bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.found.metrics
}
