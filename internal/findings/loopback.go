package findings

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

const loopbackIssue = "https://github.com/kubernetes/kubernetes/issues/86552"

// instance is a loopback certificate that was seen.
type instance struct {
	name, address, version string
	leaf                   *x509.Certificate
	start                  time.Time
}

// end is the last moment at which the certificate holds.
func (i instance) end() time.Time { return i.leaf.NotAfter.UTC() }

func (i instance) String() string {
	if i.address == "" || i.address == i.name {
		return i.name
	}
	return i.name + " (" + i.address + ")"
}

// checkLoopback looks at the certificate that each kube-apiserver made for its own client, in memory, when it started.
func (j *judge) checkLoopback() error {
	var seen []instance
	referenced := map[string]bool{}
	for _, a := range j.s.APIServers {
		found := false
		for _, id := range a.Loopback {
			referenced[id] = true
			if i, ok := newInstance(j.chains[id], a); ok {
				seen, found = append(seen, i), true
			}
		}
		if !found {
			j.missedLoopback(a)
		}
	}
	for _, c := range j.inOrder() {
		if c.Kind == cluster.APIServerLoopback && !referenced[c.ID] {
			if i, ok := newInstance(c, cluster.APIServer{Name: c.Where}); ok {
				seen = append(seen, i)
			}
		}
	}
	slices.SortStableFunc(seen, func(a, b instance) int { return a.end().Compare(b.end()) })
	return j.forecast(seen)
}

// beyond names the shared addresses behind which there may be more instances than were seen.
func (j *judge) beyond(c counted) {
	seen := map[string]int{}
	for _, a := range j.s.APIServers {
		if a.Shared {
			seen[a.Address] += len(a.Loopback)
		}
	}
	reason := "the address is shared: there may be more instances than answered"
	if c.leased > 0 && c.leased < c.seen {
		reason += fmt.Sprintf("; the leases in kube-system are of %s only, as where hosts share a name or one has restarted meanwhile", plural(c.leased, "host name"))
	}
	if c.doubt && c.leased == c.seen {
		reason += "; a lease in kube-system was not renewed lately: that instance is gone, or the clock of its host is behind"
	}
	for i, a := range j.s.APIServers {
		n, first := seen[a.Address]
		if !a.Shared || !first || c.at[i] == 0 && j.listed(a) {
			continue
		}
		delete(seen, a.Address)
		j.unseen(cluster.NotObserved{
			What: "kube-apiservers behind " + cluster.Cut(cmp.Or(a.Address, a.Name)) + " beyond the " + strconv.Itoa(n) + " seen", Area: string(cluster.Loopback), Reason: reason,
		})
	}
}

// listed reports whether kube-apiservers are known one by one beside a shared address.
func (j *judge) listed(shared cluster.APIServer) bool {
	return slices.ContainsFunc(j.s.APIServers, func(a cluster.APIServer) bool { return !a.Shared && a.Address != shared.Address && len(a.Loopback) > 0 })
}

func newInstance(c *chain, a cluster.APIServer) (instance, bool) {
	leaf, ok := loopbackLeaf(c)
	if !ok {
		return instance{}, false
	}
	start, _ := pki.LoopbackStart(leaf)
	return instance{cluster.Cut(cmp.Or(a.Name, a.Address, c.Where)), cluster.Cut(a.Address), a.Version, leaf, start}, true
}

func (j *judge) missedLoopback(a cluster.APIServer) {
	name := cmp.Or(a.Address, a.Name)
	if j.told(cluster.Loopback, a.Address, a.Name) {
		return
	}
	j.unseen(cluster.NotObserved{
		What: "loopback certificate of " + cluster.Cut(name), Area: string(cluster.Loopback), Reason: "the snapshot has none of this instance, and does not say why",
		Hint: command("kubelts probe %s", a.Address),
	})
}

// forecast tells which instance fails first, and when.
func (j *judge) forecast(seen []instance) error {
	var failing []instance
	var severity Severity
	for _, i := range seen {
		s, near := j.band(i.end())
		if near {
			failing = append(failing, i)
			severity = worse(severity, s)
		}
		d := Deadline{When: i.end(), What: "loopback certificate of " + i.name, Area: cluster.Loopback, Severity: cmp.Or(s, Info), Kind: cluster.APIServerLoopback}
		if near {
			d.Finding = "loopback-certificate"
		}
		j.end(d)
	}
	if len(failing) == 0 {
		return nil
	}
	first := failing[0]
	end := first.end()
	left := pki.DaysLeft(end, j.o.At)
	f := Finding{
		ID: "loopback-certificate", Rule: "loopback-certificate", Area: cluster.Loopback, Severity: severity, Broken: left < 1, When: &end,
		Title: fmt.Sprintf("the loopback certificate of %s %s", first.name, ends(left, end)),
		Effect: "When it ends, this kube-apiserver can no longer call itself over a new connection: pods are not created, because quotas and limit ranges cannot be looked up, rollouts stop, and webhooks " +
			"whose target is kubernetes.default break. Pods that run go on, and so do reads by other clients, so that the fault is hard to see. Renewing files does not help; a restart does.",
		References: []string{loopbackIssue},
		Remedy:     j.restart(failing),
	}
	if len(seen) > 1 {
		f.Title = fmt.Sprintf("the loopback certificate of %d of %d kube-apiservers ends within %s: first of %s, which %s", len(failing), len(seen), plural(j.o.Later, "day"), first.name, ends(left, end))
	}
	for _, i := range failing {
		f.Subjects = append(f.Subjects, i.String())
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: started %s, certificate ends %s", i, i.start.Format(time.RFC3339), i.end().Format(time.RFC3339)))
	}
	f.Evidence = f.Evidence[:min(len(f.Evidence), maxSubjects)]
	explained, err := j.explainLoopback(first)
	if err != nil {
		return err
	}
	f.Evidence = append(f.Evidence, explained...)
	j.add(f)
	return nil
}

// explainLoopback says what the facts expect of a version: explanation only, never a result.
func (j *judge) explainLoopback(i instance) ([]string, error) {
	v, ok := cluster.ParseVersion(i.version)
	if !ok {
		return nil, nil
	}
	if v.Vendor == "" && plainSpelling(j.s.Distribution.Vendor) {
		v.Vendor = j.s.Distribution.Vendor
	}
	facts, known, err := j.facts.Loopback(v)
	if err != nil || !known {
		return nil, err
	}
	var out []string
	seen := i.leaf.NotAfter.Sub(i.start)
	if facts.Ends == 0 {
		out = append(out, "how long the vendor makes it valid is not published")
	} else {
		expected := time.Duration(facts.Ends) * time.Hour
		text := fmt.Sprintf("of %s one expects %d days", v, (facts.Ends+12)/24)
		if diff := (seen - expected).Abs(); diff > day {
			text += fmt.Sprintf("; this one has %d: what is served counts", int(seen.Hours()/24+0.5))
		}
		out = append(out, text)
	}
	if facts.Check != "" {
		out = append(out, fmt.Sprintf("from 1.36 on %s fails when it has ended, %s late: the process is restarted only where something probes that", strings.Join(facts.Paths, " and "), plural(facts.Late, "hour")))
	} else {
		out = append(out, "no health check and no metric of this version shows it")
	}
	return out, nil
}

// plainSpelling reports whether a vendor's builds may be spelled as upstream's, so that only the distribution tells whose they are.
func plainSpelling(vendor string) bool {
	spelled := []string{
		"", release.VendorKubelts, release.VendorKLTS, release.VendorK3s, release.VendorRKE2, release.VendorEKS, release.VendorEKSDistro, release.VendorGKE,
		release.VendorOpenShift,
	}
	return !slices.Contains(spelled, vendor)
}
