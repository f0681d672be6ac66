package findings

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// chain is a chain of the snapshot with its certificates parsed.
type chain struct {
	*cluster.Chain
	certs  []*x509.Certificate // nil where one could not be parsed
	faults []string            // by place, "" where it could
	living map[string]bool     // names of those that last; nil until it is asked for
}

// leaf is the first certificate, nil when there is none that can be read.
func (c *chain) leaf() *x509.Certificate {
	if c == nil || len(c.certs) == 0 {
		return nil
	}
	return c.certs[0]
}

func (j *judge) readChains() {
	j.chains = make(map[string]*chain, len(j.s.Certificates))
	for i := range j.s.Certificates {
		c := &chain{Chain: &j.s.Certificates[i]}
		for _, der := range c.DER {
			cert, err := x509.ParseCertificate(der)
			fault := ""
			if err != nil {
				cert, fault = nil, cluster.Cut(err.Error())
			}
			c.certs, c.faults = append(c.certs, cert), append(c.faults, fault)
		}
		j.chains[c.ID] = c
	}
}

// inOrder returns the snapshot's chains in its order.
func (j *judge) inOrder() []*chain {
	out := make([]*chain, 0, len(j.s.Certificates))
	for i := range j.s.Certificates {
		out = append(out, j.chains[j.s.Certificates[i].ID])
	}
	return out
}

// serverVersions are the versions of all kube-apiservers, oldest first, each once.
func (j *judge) serverVersions() []release.Version {
	var out []release.Version
	for _, a := range j.s.APIServers {
		if v, ok := cluster.ParseVersion(a.Version); ok && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, release.Compare)
	return out
}

func (j *judge) summarize() {
	c := &j.r.Cluster
	*c = Summary{
		Context: cluster.Cut(j.s.Context), Names: j.o.Names, Server: cluster.Cut(j.s.Server), UID: cluster.Cut(j.s.UID), Taken: j.s.Taken, Distribution: j.s.Distribution,
		Versions: []string{}, APIServers: []InstanceLine{}, Nodes: len(j.s.Nodes), Kubelets: map[string]int{}, DataDay: j.facts.Snapshot(),
	}
	for _, v := range j.serverVersions() {
		c.Versions = append(c.Versions, v.String())
	}
	if len(c.Versions) > 0 {
		c.Version = c.Versions[0]
	}
	for _, n := range j.s.Nodes {
		c.Kubelets[cluster.Cut(n.Kubelet)]++
	}
	counted := j.countInstances()
	c.Instances, c.AtLeast = counted.seen, counted.more
	for i, a := range j.s.APIServers {
		line := InstanceLine{Name: cluster.Cut(a.Name), Address: cluster.Cut(a.Address), Version: cluster.Cut(a.Version), ProcessStart: a.ProcessStart, Instances: counted.at[i]}
		for _, id := range a.Loopback {
			if leaf, ok := loopbackLeaf(j.chains[id]); ok && (line.LoopbackEnds == nil || leaf.NotAfter.Before(*line.LoopbackEnds)) {
				end := leaf.NotAfter.UTC()
				left := pki.DaysLeft(end, j.o.At)
				line.LoopbackEnds, line.DaysLeft = &end, &left
			}
		}
		c.APIServers = append(c.APIServers, line)
	}
	slices.SortStableFunc(c.APIServers, func(a, b InstanceLine) int { return compareWhen(a.LoopbackEnds, b.LoopbackEnds) })
}

// loopbackLeaf is the leaf of a chain, if it is a loopback certificate by its name.
func loopbackLeaf(c *chain) (*x509.Certificate, bool) {
	leaf := c.leaf()
	if leaf == nil {
		return nil, false
	}
	_, ok := pki.LoopbackStart(leaf)
	return leaf, ok
}

// band is how bad it is that something ends at a time, and false where it is not worth a finding: ended or about to, within a week,
// soon, later.
func (j *judge) band(end time.Time) (Severity, bool) {
	left := pki.DaysLeft(end, j.o.At)
	switch {
	case left >= j.o.Later:
		return "", false
	case left < lastDays:
		return Critical, true
	case left < j.o.Soon:
		return High, true
	}
	return Medium, true
}

// lower is the severity below one.
func lower(s Severity) Severity {
	all := Severities()
	return all[min(slices.Index(all, s)+1, len(all)-1)]
}

// worse is the worse of two severities.
func worse(a, b Severity) Severity {
	all := Severities()
	if b == "" || a != "" && slices.Index(all, a) <= slices.Index(all, b) {
		return a
	}
	return b
}
