// Package kube takes a snapshot of a cluster: it asks the Kubernetes API, and has the certificates looked at that its servers serve.
//
// Words: an instance is one kube-apiserver. A look is one TLS handshake or a few, done by who calls. An area is the part of a report that cannot be made without what
// was not observed.
//
// Promises: it only gets and lists. It asks which versions of an API are served before it asks for objects, and takes an old one only where there is no newer. Answers
// are read as they come, what is not needed is dropped at once, and sizes, counts and times are bounded. What was not seen is named with its reason. Secrets are read
// only when asked for; of them certificates, names and days stay, and nothing else. Credentials go only to a server whose certificate the kubeconfig's authority
// signed for a name of the API. What a snapshot holds comes from strangers and is not escaped.
package kube

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
)

// Options say which cluster to look at, and how closely.
type Options struct {
	Kubeconfig Kubeconfig
	Context    string // "" for the kubeconfig's current one

	Now       time.Time     // the time of the snapshot
	Timeout   time.Duration // for everything; 0 is one minute
	UserAgent string
	Tool      string // the version of kubelts, for the snapshot

	Secrets  bool // read TLS secrets and bootstrap tokens too
	Kubelets int  // look at the serving certificates of so many kubelets; those of control-plane nodes are always looked at
	// Targets are more API servers to look at, as host:port.
	Targets []string
	// Local looks at what listens on this machine too: etcd, kubelet, controller manager and scheduler of a control-plane node, most of which listen nowhere else.
	Local bool
	// Look looks at what servers serve. With nil nothing is looked at, and all of it is not observed.
	Look Look
	// Progress is told what is being done, from many goroutines; it may be nil.
	Progress func(what string)
}

// Look does the handshakes for targets and returns what was seen at each of them, in their order. It must not send a server name to what may be
// k3s' listener, and must end when ctx ends.
type Look func(ctx context.Context, targets []Target) []Sight

// Target is a server to look at.
type Target struct {
	Kind  Kind
	Host  string
	Port  string
	Tries int // of an API server: as often in a row must no new loopback certificate be seen
}

// Kind is what a target is.
type Kind string

// The kinds of targets.
const (
	APIServer Kind = "apiserver"
	Etcd      Kind = "etcd"
	Kubelet   Kind = "kubelet"
	TLS       Kind = "tls" // only the serving certificate is wanted
)

// Sight is what was seen at a target. A name with several addresses is one sight.
type Sight struct {
	Serving  [][]byte   // as DER, the leaf first; empty: it was not seen
	Loopback [][][]byte // of each instance that answered
	Started  *time.Time // of the instance that has run longest
	Listener string     // the software that must not be asked for a name, where it is such
	Reason   string     // why what was looked for was not seen
}

const defaultTimeout = time.Minute

// Take takes a snapshot. It returns an error only where nothing can be said: there is no kubeconfig, or it has no such context. Anything else that goes wrong is in the
// snapshot's NotObserved. When the time of ctx or of the options ends, it returns what was seen by then. A ctx that is cancelled is an error.
func Take(ctx context.Context, o Options) (*cluster.Snapshot, error) {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	access, err := o.Kubeconfig.access(o.Context, o.UserAgent)
	if err != nil {
		return nil, err
	}
	t := &taker{Options: o, access: access, requests: &requests{}, seen: &cluster.Snapshot{
		Format: cluster.Format, Taken: o.Now.UTC(), Tool: o.Tool, Context: access.context, Server: access.server(),
	}}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.run(ctx)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		t.wait(done) // a log-in plug-in does not end with the context, and must not hold the rest
	}
	return t.finish(), nil
}

// taker is a snapshot in the making. Everything behind lock may be written by many goroutines.
type taker struct {
	Options

	access   *access
	api      *client
	requests *requests
	groups   groups // set before the goroutines start
	blind    bool   // groups has not all that is served: that something is not in it means nothing

	lock   sync.Mutex
	closed bool // the snapshot was handed out: what comes later is dropped
	seen   *cluster.Snapshot
	found  found
}

// found is what is seen of the cluster and does not go into the snapshot as it is.
type found struct {
	endpoints []endpoint // of the API servers
	pods      []instancePod
	version   *serverVersion // as the kubeconfig's address answers
	metrics   bool           // there are metrics of some API server

	chains      int  // how many chains had no place
	missed      int  // how many things that were not observed had none
	missedAsked bool // some of these had been asked for
}

// add lets f write into the snapshot, unless it was handed out.
func (t *taker) add(f func(s *cluster.Snapshot, found *found)) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if !t.closed {
		f(t.seen, &t.found)
	}
}

// miss names something that was not seen.
func (t *taker) miss(n cluster.NotObserved) {
	n.Reason, n.What = bounded(n.Reason), bounded(n.What)
	t.add(func(s *cluster.Snapshot, found *found) {
		if len(s.NotObserved) < maxMissed {
			s.NotObserved = append(s.NotObserved, n)
			return
		}
		found.missed++
		found.missedAsked = found.missedAsked || n.Asked
	})
}

func (t *taker) progress(what string) {
	if t.Progress != nil {
		t.Progress(what)
	}
}

// grace is how long after its time the work may still end by itself.
const grace = 200 * time.Millisecond

// wait lets work that noticed the end of its time say what it has not seen.
func (t *taker) wait(done <-chan struct{}) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.miss(cluster.NotObserved{
			What: "the rest of the cluster", Area: areaSupport, Asked: true,
			Reason: "something did not end within " + t.Timeout.String() + ": a log-in plug-in of the kubeconfig, perhaps", Hint: "use a longer --timeout",
		})
	}
}

// run looks at everything, in steps: what is served, all lists at once, then the servers that those lists name.
func (t *taker) run(ctx context.Context) {
	t.api = t.access.client(t.requests)
	t.kubeconfigCertificates()
	t.progress("versions")
	if first, cancel := context.WithTimeout(ctx, t.Timeout/4); !t.discover(first) {
		cancel()
	} else {
		cancel()
		lists, cancelLists := context.WithTimeout(ctx, t.Timeout/2)
		t.lists(lists)
		cancelLists()
	}
	t.progress("API servers")
	t.instances(ctx)
	t.progress("certificates as served")
	t.others(ctx)
}

// lists reads all lists at the same time. How many requests are under way at once is the client's to bound.
func (t *taker) lists(ctx context.Context) {
	var group sync.WaitGroup
	for _, read := range []func(context.Context){
		t.nodes, t.endpoints, t.identities, t.pods, t.addons, t.identity, t.authorities, t.webhooks, t.extensions, t.customResources, t.signing, t.secrets, t.openshift, t.uses,
	} {
		group.Go(func() { read(ctx) })
	}
	group.Wait()
}
