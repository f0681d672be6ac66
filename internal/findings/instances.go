package findings

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// alive is how much older than the newest the renewal of a lease may be. Leases are renewed every ten seconds; those that are not belong to instances that are gone.
const alive = 2 * time.Minute

// kept is for how long the lease of an instance that is gone may stay: it ends after an hour, and what has ended is swept up every hour. Until then it is not known whether an instance
// is gone or its host's clock is behind, for it writes the time itself.
const kept = 2 * time.Hour

// writesIdentity is the first minor of which every kube-apiserver beside one of it writes a lease: they began with 1.26, and may be a minor apart.
var writesIdentity = release.Minor{Major: 1, Minor: 27}

// running are the identities of kube-apiservers that run, as their leases say. It is nil where not every instance can be taken to have one, and where one was renewed at a
// time to come: beside it, all others would look gone.
func (j *judge) running() []cluster.Identity {
	newest := time.Time{}
	for _, i := range j.s.Identities {
		if i.Renewed.After(newest) {
			newest = i.Renewed
		}
	}
	servers := j.serverVersions()
	if newest.IsZero() || newest.Sub(j.s.Taken) > kept/2 || len(servers) == 0 || release.CompareMinors(servers[0].Minor, writesIdentity) < 0 {
		return nil
	}
	var out []cluster.Identity
	for _, i := range j.s.Identities {
		if newest.Sub(i.Renewed) <= alive {
			out = append(out, i)
		}
	}
	return out
}

// doubtful reports whether a lease that is not renewed may yet be of an instance that runs.
func (j *judge) doubtful(running []cluster.Identity) bool {
	newest := slices.MaxFunc(running, func(a, b cluster.Identity) int { return a.Renewed.Compare(b.Renewed) }).Renewed
	return slices.ContainsFunc(j.s.Identities, func(i cluster.Identity) bool {
		age := newest.Sub(i.Renewed)
		return i.Renewed.IsZero() || age > alive && age <= kept
	})
}

// counted is how many kube-apiservers were seen, each once, and whether there may be more.
type counted struct {
	seen   int
	more   bool
	leased int   // by their leases; 0 where these do not tell
	doubt  bool  // a lease may be of one that is gone, or of one whose clock is behind
	at     []int // by place in the snapshot: instances at an address that no address before has; what is one instance comes first
}

// countInstances counts by loopback certificate, which each instance has one of. Where none was seen, an address is one instance; a shared one only where there is no other.
func (j *judge) countInstances() counted {
	running := j.running()
	c := counted{leased: len(running), at: make([]int, len(j.s.APIServers))}
	c.doubt = c.leased > 0 && j.doubtful(running)
	known := map[string]bool{}
	shared := false
	for _, pass := range []bool{false, true} { // what is one instance comes before what may be several
		for i, a := range j.s.APIServers {
			if a.Shared != pass {
				continue
			}
			n := fresh(known, a.Loopback)
			if len(a.Loopback) == 0 && (!pass || c.seen == 0) {
				n = 1
			}
			c.at[i] = n
			c.seen += n
			shared = shared || a.Shared && (n > 0 || !j.listed(a)) // instances that only a shared address shows are not all listed elsewhere
		}
	}
	switch c.leased {
	case 0:
		c.more = shared
	case c.seen:
		c.more = (len(known) < c.seen || c.doubt) && shared // what has no certificate may be any of them
	default:
		c.more = true // fewer leases than instances are those of hosts with one name
	}
	return c
}

// fresh notes IDs and returns how many of them were not known.
func fresh(known map[string]bool, ids []string) int {
	before := len(known)
	for _, id := range ids {
		known[id] = true
	}
	return len(known) - before
}

// checkInstances names kube-apiservers that run and were not seen, as far as anything tells of them.
func (j *judge) checkInstances() error {
	c := j.countInstances()
	if c.leased > c.seen {
		var hosts []string
		for _, i := range j.running() {
			if !slices.ContainsFunc(j.s.APIServers, func(a cluster.APIServer) bool { return i.Host != "" && mentions(a.Name, i.Host) }) {
				hosts = append(hosts, cluster.Cut(cmp.Or(i.Host, i.Name)))
			}
		}
		n := cluster.NotObserved{
			What: fmt.Sprintf("%s of %d", plural(c.leased-c.seen, "kube-apiserver"), c.leased), Area: string(cluster.Loopback),
			Reason: "their leases in kube-system are renewed, and they did not answer", Hint: "name them with --probe HOST:PORT",
		}
		if len(hosts) > 0 {
			n.Reason += "; of the hosts " + list(hosts) + " none was seen by its name"
		}
		j.unseen(n)
		return nil
	}
	if c.leased == 0 || c.leased != c.seen || c.more {
		j.beyond(c)
	}
	return nil
}
