package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/skew"
)

const maxSubjects = 20

// sure is a blocker that is known to stand in the way.
func sure(kind Kind, what string, subjects []string, remedy []findings.Step) Blocker {
	if remedy == nil {
		remedy = []findings.Step{}
	}
	return Blocker{
		Kind: kind, Certain: true, What: what, Count: len(subjects), Remedy: remedy, Subjects: append([]string{}, subjects[:min(len(subjects), maxSubjects)]...),
	}
}

// perhaps is a blocker of which that is not known.
func perhaps(kind Kind, what string, subjects []string, remedy []findings.Step) Blocker {
	b := sure(kind, what, subjects, remedy)
	b.Certain = false
	return b
}

// fromFinding makes a blocker of a finding of the report.
func fromFinding(kind Kind, f findings.Finding) Blocker {
	b := sure(kind, f.Title, f.Subjects, f.Remedy)
	b.Count = f.Count
	return b
}

// before collects what is to be done before the first hop whatever it is: broken skew, emulation, stored versions on their way out, and
// what is broken already.
func (pl *planner) before() {
	for _, f := range pl.report.Findings {
		rule, isSkew := strings.CutPrefix(f.Rule, "skew/")
		switch {
		case isSkew && (f.Severity == findings.High || rule == skew.RuleServersMixed || rule == skew.RuleControlSame):
			pl.p.Now = append(pl.p.Now, fromFinding(BySkew, f))
		case f.Rule == "api-stored":
			pl.p.Now = append(pl.p.Now, fromFinding(ByStored, f))
		case f.Rule == "apiservice-unavailable":
			pl.p.Now = append(pl.p.Now, fromFinding(ByAvailability, f))
		}
	}
	var emulating []string
	for _, s := range pl.servers {
		if !s.Emulated.IsZero() && s.Emulated != s.Version.Minor {
			emulating = append(emulating, fmt.Sprintf("%s %s emulates %s", s.Name, s.Version, s.Emulated))
		}
	}
	if len(emulating) > 0 {
		pl.p.Now = append(pl.p.Now, sure(ByEmulation, "the last upgrade is not finished: kube-apiservers emulate an older minor", emulating, []findings.Step{
			{Text: "Take --emulated-version and --min-compatibility-version out of the flags of kube-apiserver, one instance at a time, when what runs beside it is of the same minor."},
		}))
	}
}

// uptime is how long kube-apiservers must have run for their counters to say that nobody uses an API.
const uptime = 7 * 24 * time.Hour

// counted reports whether it is known of every kube-apiserver that it counts requests for deprecated APIs, and has done so for long.
func (pl *planner) counted() bool {
	if !pl.s.CountsDeprecated() {
		return false
	}
	return !slices.ContainsFunc(pl.s.APIServers, func(a cluster.APIServer) bool {
		return a.ProcessStart == nil || pl.s.Taken.Sub(*a.ProcessStart) < uptime
	})
}

// removed lists the API versions that are served here and that a minor takes away.
func (pl *planner) removed(h *Hop, m release.Minor) {
	var seen, unknown []string
	counted := pl.counted()
	for _, r := range pl.removals {
		if r.Minor != m || pl.groupsKnown() && !slices.Contains(pl.s.Groups, r.API) {
			continue
		}
		for _, resource := range r.Resources {
			name := r.API + " " + resource
			entry := Removed{API: name, Replacement: r.Instead, Use: UseUnknown}
			switch {
			case pl.requested(r, resource):
				entry.Use = UseSeen
				seen = append(seen, name)
			case counted:
				entry.Use = UseNotSeen
			default:
				unknown = append(unknown, name)
			}
			h.Removed = append(h.Removed, entry)
		}
	}
	pl.unlisted(h, m, &seen)
	remedy := []findings.Step{
		{Text: "Move manifests, charts and programs to the version that replaces it; the audit log has who asks, with the annotation k8s.io/deprecated (from 1.19 on)."},
	}
	if len(seen) > 0 {
		h.Blockers = append(h.Blockers, sure(ByAPI, fmt.Sprintf("somebody asks for API versions that %s no longer serves", m), seen, remedy))
	}
	if len(unknown) > 0 {
		h.Blockers = append(h.Blockers, perhaps(ByAPI, fmt.Sprintf("whether somebody asks for API versions that %s no longer serves is not known", m), unknown, remedy))
	}
}

// groupsKnown reports whether it was seen what is served beside the core.
func (pl *planner) groupsKnown() bool {
	return slices.ContainsFunc(pl.s.Groups, func(g string) bool { return strings.Contains(g, "/") })
}

// requested reports whether the API servers counted requests for an API.
func (pl *planner) requested(r catalog.Removal, resource string) bool {
	return slices.ContainsFunc(pl.s.Deprecated, func(d cluster.DeprecatedAPI) bool {
		return d.Group+"/"+d.Version == r.API && d.Resource == resource
	})
}

// unlisted takes in APIs that the API servers say the minor removes and the facts do not have.
func (pl *planner) unlisted(h *Hop, m release.Minor, seen *[]string) {
	has := map[string]bool{}
	for _, r := range h.Removed {
		has[r.API] = true
	}
	for _, d := range pl.s.Deprecated {
		v, err := release.Parse(d.Removed)
		if err != nil || v.Minor != m || has[d.Group+"/"+d.Version+" "+d.Resource] || has[d.Name()] {
			continue
		}
		has[d.Name()] = true
		h.Removed = append(h.Removed, Removed{API: d.Name(), Use: UseSeen})
		*seen = append(*seen, d.Name())
	}
}

// oldNodes finds kubelets that are too old for the kube-apiservers of the first hop.
func (pl *planner) oldNodes(h *Hop, m release.Minor) {
	oldest := skew.OldestNode(m)
	names := map[release.Minor][]string{}
	for _, p := range pl.s.Parts() {
		if p.Component == skew.Kubelet && !allowed(p, m) {
			names[p.Version.Minor] = append(names[p.Version.Minor], p.Name)
		}
	}
	minors := make([]release.Minor, 0, len(names))
	for k := range names {
		minors = append(minors, k)
	}
	slices.SortFunc(minors, release.CompareMinors)
	for _, k := range minors {
		what := fmt.Sprintf("kubelets %s are too old for kube-apiserver %s, which takes %s and newer", k, m, oldest)
		h.Blockers = append(h.Blockers, sure(BySkew, what, names[k], []findings.Step{
			{Text: fmt.Sprintf("Bring these kubelets to %s or newer first, up to the minor of the kube-apiservers: drain a node, upgrade it, bring it back.", oldest)},
		}))
	}
}

// allowed reports whether a part may run beside kube-apiservers of a minor.
func allowed(p skew.Part, m release.Minor) bool {
	server := []skew.Server{{Version: release.Of(m, 0)}}
	r := skew.Allowed(p.Component, p.Version.Minor, server)
	return release.CompareMinors(p.Version.Minor, r.Oldest) >= 0
}

// limits finds nodes that the kubelet of a minor does not run on. What an earlier hop has told is not told again.
func (pl *planner) limits(h *Hop, m release.Minor) {
	type group struct {
		limit findings.Limit
		nodes []string
	}
	groups := map[string]*group{}
	var order []string
	for _, n := range pl.s.Nodes {
		for _, l := range findings.Limits(n) {
			key := fmt.Sprint(l.Rule, l.Certain)
			if l.From != m {
				continue
			}
			if groups[key] == nil {
				groups[key] = &group{limit: l}
				order = append(order, key)
			}
			groups[key].nodes = append(groups[key].nodes, n.Name)
		}
	}
	for _, key := range order {
		g := groups[key]
		if g.limit.Certain {
			h.Blockers = append(h.Blockers, sure(ByRuntime, "nodes have "+g.limit.What+": "+g.limit.Why, g.nodes, g.limit.Remedy))
		} else {
			h.Blockers = append(h.Blockers, perhaps(ByRuntime, "nodes may have "+g.limit.What+": "+g.limit.Why, g.nodes, g.limit.Remedy))
		}
	}
}

const (
	soonDays = 30 // a certificate that ends so soon is in the way of the first hop
	lateDays = 90 // where the last day of a hop is over or not known, so many days are counted for it
)

// certificates puts each certificate that ends on the way before the hop during which it does.
func (pl *planner) certificates() {
	inTheWay := []cluster.ChainKind{
		cluster.ClusterCA, cluster.FrontProxyCA, cluster.APIServerServing, cluster.APIServerLoopback, cluster.EtcdServing, cluster.EtcdPeer, cluster.HostFile,
		cluster.HostKubeconfig, cluster.WebhookCA, cluster.ConversionCA, cluster.APIServiceCA,
	}
	for _, d := range pl.report.Deadlines {
		if !slices.Contains(inTheWay, d.Kind) || d.Finding != "" && d.Severity == findings.Info {
			continue
		}
		for i := range pl.p.Hops {
			h := &pl.p.Hops[i]
			until := pl.o.At.AddDate(0, 0, lateDays)
			if !h.Late && !h.By.IsZero() {
				until = h.By.AddDays(1).Time()
			}
			if i == 0 && d.DaysLeft >= soonDays && d.Kind == cluster.APIServerLoopback {
				break // the hop itself restarts the process, and so renews it
			}
			if d.DaysLeft < soonDays || d.When.Before(until) {
				what := fmt.Sprintf("%s ends on %s", d.What, d.When.UTC().Format(time.DateOnly))
				h.Blockers = append(h.Blockers, sure(ByCertificate, what, []string{d.What}, pl.remedyOf(d.Finding)))
				break
			}
		}
	}
}

// remedyOf is what the report advises for a finding.
func (pl *planner) remedyOf(id string) []findings.Step {
	for _, f := range pl.report.Findings {
		if f.ID == id && id != "" {
			return f.Remedy
		}
	}
	if pl.s.Distribution.Installer == "kubeadm" {
		return []findings.Step{{Text: "kubeadm renews the leaf certificates that it manages when it upgrades a control-plane node; others, and CAs, it does not."}}
	}
	return []findings.Step{{Text: "Renew it before the hop."}}
}
