package skew

import (
	"fmt"
	"slices"

	"github.com/kubelts/kubelts/internal/release"
)

// Server is a kube-apiserver.
type Server struct {
	Name    string
	Version release.Version
	// Emulated is the minor that it behaves as; zero for its own.
	Emulated release.Minor
	// MinCompatible is the oldest control plane that it bears beside it; zero for the one before the emulated minor.
	MinCompatible release.Minor
}

// acts is the minor that the server behaves as.
func (s Server) acts() release.Minor {
	if s.Emulated.IsZero() {
		return s.Version.Minor
	}
	return s.Emulated
}

// bears is the oldest minor of the control plane that the server bears.
func (s Server) bears() release.Minor {
	if s.MinCompatible.IsZero() {
		return s.acts().Plus(-1)
	}
	return s.MinCompatible
}

// emulates reports whether the server's bounds are other than those of its own minor.
func (s Server) emulates() bool {
	return s.acts() != s.Version.Minor || s.bears() != s.Version.Minor.Plus(-1)
}

// Part is a component beside the servers.
type Part struct {
	Component Component
	Name      string
	Version   release.Version
	Kubelet   release.Version // of the node, for kube-proxy; zero when it is not known
}

// Violation is a rule that does not hold.
type Violation struct {
	Rule      Rule          `json:"rule"`
	Component Component     `json:"component"`
	Name      string        `json:"name"` // of the part; "" for the servers together
	Found     release.Minor `json:"found"`
	// Oldest and Newest are what is allowed, both included.
	Oldest release.Minor `json:"oldest"`
	Newest release.Minor `json:"newest"`
	Why    string        `json:"why"` // which versions made the range
}

func rule(id string) Rule {
	rules := Rules()
	return rules[slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })]
}

// bounds is what the servers allow together, found once for all parts.
type bounds struct {
	newest, oldest release.Minor // what a part of the control plane may be
	emulated       bool          // a server's bounds are other than those of its own minor
	same           bool          // all servers are of one minor, as they say
	latest         release.Minor // the newest minor that a server behaves as
	servers        []Server
}

func boundsOf(servers []Server) bounds {
	b := bounds{same: true, servers: servers}
	for i, s := range servers {
		acts, bears := s.acts(), s.bears()
		if i == 0 || release.CompareMinors(acts, b.newest) < 0 {
			b.newest = acts
		}
		if i == 0 || release.CompareMinors(bears, b.oldest) > 0 {
			b.oldest = bears
		}
		if i == 0 || release.CompareMinors(acts, b.latest) > 0 {
			b.latest = acts
		}
		b.emulated = b.emulated || s.emulates()
		b.same = b.same && s.Version.Minor == servers[0].Version.Minor
	}
	return b
}

// Check returns the rules that do not hold among servers and parts, in the order of the rules and, within one, of the parts.
// Kubectl and kubeadm have rules of their own: [CheckKubectl], [CheckKubeadm].
func Check(servers []Server, parts []Part) []Violation {
	servers = slices.DeleteFunc(slices.Clone(servers), func(s Server) bool { return s.Version.IsZero() })
	if len(servers) == 0 {
		return nil
	}
	plain := make([]Server, 0, len(servers))
	for _, s := range servers {
		plain = append(plain, Server{Name: s.Name, Version: s.Version})
	}
	c := checker{real: boundsOf(servers), plain: boundsOf(plain), why: why(servers)}
	found := checkServers(servers)
	for _, p := range parts {
		if p.Version.IsZero() {
			continue
		}
		if v, ok := c.part(p); ok {
			found = append(found, v)
		}
		if v, ok := c.proxy(p); ok {
			found = append(found, v)
		}
	}
	order := map[string]int{}
	for i, r := range Rules() {
		order[r.ID] = i
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return order[a.Rule.ID] - order[b.Rule.ID] })
	return found
}

// checker holds parts against servers.
type checker struct {
	real  bounds
	plain bounds // as if no server emulated another minor
	why   string
}

func checkServers(servers []Server) []Violation {
	minors := make([]release.Minor, 0, len(servers))
	for _, s := range servers {
		minors = append(minors, s.Version.Minor)
	}
	oldest, newest := slices.MinFunc(minors, release.CompareMinors), slices.MaxFunc(minors, release.CompareMinors)
	if oldest == newest {
		return nil
	}
	id := RuleServersMixed
	if newest != oldest.Plus(1) {
		id = RuleServersApart
	}
	return []Violation{{
		Rule: rule(id), Component: APIServer, Found: newest, Oldest: oldest, Newest: oldest.Plus(1),
		Why: fmt.Sprintf("the oldest is %s, the newest %s", oldest, newest),
	}}
}

// Range is what all servers allow for a component.
type Range struct {
	Oldest, Newest release.Minor
}

// Has reports whether a minor lies in the range.
func (r Range) Has(m release.Minor) bool {
	return release.CompareMinors(m, r.Oldest) >= 0 && release.CompareMinors(m, r.Newest) <= 0
}

// Allowed returns the range of a component of a minor beside the servers, of which there must be one. The minor matters because nodes
// before 1.25 may be two minors older only. The range is empty, Oldest after Newest, where the servers are too far apart.
func Allowed(c Component, part release.Minor, servers []Server) Range {
	return boundsOf(servers).of(c, part)
}

func (b bounds) of(c Component, part release.Minor) Range {
	r := Range{Oldest: b.oldest, Newest: b.newest}
	if c == Kubelet || c == Proxy {
		r.Oldest = r.Oldest.Plus(1 - nodeDepth(part))
	}
	return r
}

func why(servers []Server) string {
	low := slices.MinFunc(servers, func(a, b Server) int { return release.CompareMinors(a.acts(), b.acts()) })
	high := slices.MaxFunc(servers, func(a, b Server) int { return release.CompareMinors(a.bears(), b.bears()) })
	text := "kube-apiserver is " + low.describe()
	if low.describe() != high.describe() {
		text = "kube-apiservers are " + low.describe() + " and " + high.describe()
	}
	return text
}

func (s Server) describe() string {
	text := s.Version.Minor.String()
	if s.acts() != s.Version.Minor {
		text += " and emulates " + s.acts().String()
	}
	if s.bears() != s.acts().Plus(-1) {
		text += ", compatible down to " + s.bears().String()
	}
	return text
}

// ruleIDs are the rules of a component: newer, older, and the one for servers that emulate.
func ruleIDs(c Component) (newer, older, emulated string) {
	if c == Kubelet {
		return RuleKubeletNewer, RuleKubeletOlder, RuleEmulationNode
	}
	if c == Proxy {
		return RuleProxyNewer, RuleProxyOlder, RuleEmulationNode
	}
	return RuleControlNewer, RuleControlOlder, RuleEmulationControl
}

func (c checker) part(p Part) (Violation, bool) {
	known := []Component{Kubelet, Proxy, ControllerManager, Scheduler, CloudControllerManager}
	if !slices.Contains(known, p.Component) {
		return Violation{}, false
	}
	found := p.Version.Minor
	r := c.real.of(p.Component, found)
	newer, older, emulated := ruleIDs(p.Component)
	v := Violation{Component: p.Component, Name: p.Name, Found: found, Oldest: r.Oldest, Newest: r.Newest, Why: c.why}
	switch {
	case release.CompareMinors(found, r.Newest) > 0:
		v.Rule = rule(newer)
	case release.CompareMinors(found, r.Oldest) < 0:
		v.Rule = rule(older)
	case newer == RuleControlNewer && !c.real.emulated && (!c.real.same || c.real.newest != found):
		v.Rule = rule(RuleControlSame)
		return v, true
	default:
		return Violation{}, false
	}
	// What would be in range if the servers emulated nothing runs against emulation.
	if c.real.emulated && c.plain.of(p.Component, found).Has(found) {
		v.Rule = rule(emulated)
	}
	return v, true
}

// proxy holds kube-proxy against the kubelet on its node.
func (c checker) proxy(p Part) (Violation, bool) {
	if p.Component != Proxy || p.Kubelet.IsZero() || p.Kubelet.Minor == p.Version.Minor {
		return Violation{}, false
	}
	depth, kubelet := nodeDepth(p.Version.Minor), p.Kubelet.Minor
	v := Violation{
		Component: Proxy, Name: p.Name, Found: p.Version.Minor, Oldest: kubelet.Plus(-depth), Newest: kubelet.Plus(depth),
		Why: "the kubelet on its node is " + kubelet.String(),
	}
	if !(Range{v.Oldest, v.Newest}).Has(v.Found) {
		v.Rule = rule(RuleProxyKubelet)
		return v, true
	}
	if release.CompareMinors(c.real.latest, proxyOnItsOwn) >= 0 {
		return Violation{}, false
	}
	v.Rule, v.Oldest, v.Newest = rule(RuleProxyKubeletThen), kubelet, kubelet
	return v, true
}

// CheckKubectl holds a kubectl against the servers.
func CheckKubectl(kubectl release.Version, servers []Server) (Violation, bool) {
	for _, s := range servers {
		oldest, newest := s.Version.Minor.Plus(-1), s.Version.Minor.Plus(1)
		found := kubectl.Minor
		if release.CompareMinors(found, oldest) < 0 || release.CompareMinors(found, newest) > 0 {
			return Violation{Rule: rule(RuleKubectl), Component: Kubectl, Found: found, Oldest: oldest, Newest: newest, Why: why([]Server{s})}, true
		}
	}
	return Violation{}, false
}

// CheckKubeadm holds a kubelet against the kubeadm that manages its node.
func CheckKubeadm(kubeadm, kubelet release.Version) (Violation, bool) {
	depth := 1
	if release.CompareMinors(kubeadm.Minor, kubeadmThreeBack) >= 0 {
		depth = 3
	}
	oldest, newest, found := kubeadm.Minor.Plus(-depth), kubeadm.Minor, kubelet.Minor
	if release.CompareMinors(found, oldest) >= 0 && release.CompareMinors(found, newest) <= 0 {
		return Violation{}, false
	}
	return Violation{Rule: rule(RuleKubeadm), Component: Kubelet, Found: found, Oldest: oldest, Newest: newest, Why: "kubeadm is " + newest.String()}, true
}

// CheckUpgrade holds one step of the kube-apiservers against the rules.
func CheckUpgrade(from, to release.Version) (Violation, bool) {
	v := Violation{Component: APIServer, Found: to.Minor, Oldest: from.Minor, Newest: from.Minor.Plus(1), Why: "kube-apiserver is " + from.Minor.String()}
	switch {
	case release.CompareMinors(to.Minor, from.Minor) < 0:
		v.Rule = rule(RuleUpgradeBack)
	case release.CompareMinors(to.Minor, from.Minor.Plus(1)) > 0:
		v.Rule = rule(RuleUpgradeSkips)
	default:
		return Violation{}, false
	}
	return v, true
}
