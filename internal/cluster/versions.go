package cluster

import (
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/skew"
)

// ParseVersion reads a version that a stranger wrote; false when it is none.
func ParseVersion(s string) (release.Version, bool) {
	v, err := release.Parse(s)
	return v, err == nil && s != ""
}

// Servers are the kube-apiservers of the snapshot whose version is known, as the rules of version skew see them.
func (s *Snapshot) Servers() []skew.Server {
	var out []skew.Server
	for _, a := range s.APIServers {
		v, ok := ParseVersion(a.Version)
		if !ok {
			continue
		}
		server := skew.Server{Name: FirstOf(a.Name, a.Address), Version: v}
		if e, ok := ParseVersion(a.Emulated); ok {
			server.Emulated = e.Minor
		}
		if m, ok := ParseVersion(a.MinCompatible); ok {
			server.MinCompatible = m.Minor
		}
		out = append(out, server)
	}
	return out
}

// Parts are the components beside the kube-apiservers whose version is known, as the rules of version skew see them.
func (s *Snapshot) Parts() []skew.Part {
	var out []skew.Part
	kubelets := map[string]release.Version{}
	minors := map[release.Minor]release.Version{}
	for _, n := range s.Nodes {
		v, ok := ParseVersion(n.Kubelet)
		if !ok {
			continue
		}
		kubelets[n.Name], minors[v.Minor] = v, v
		out = append(out, skew.Part{Component: skew.Kubelet, Name: n.Name, Version: v})
	}
	all := make([]release.Version, 0, len(minors))
	for _, v := range minors {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b release.Version) int { return release.CompareMinors(a.Minor, b.Minor) })
	all = all[:min(len(all), maxMinors)]
	for _, c := range s.Components {
		v, ok := ParseVersion(c.Version)
		if !ok || c.Name == string(skew.CloudControllerManager) && v.Minor.Major != 1 {
			continue // some providers count for themselves
		}
		part := skew.Part{Component: skew.Component(c.Name), Name: c.Where(), Version: v}
		switch beside, known := kubelets[c.Node]; {
		case c.Name != string(skew.Proxy) || len(all) == 0:
			out = append(out, part)
		case known:
			part.Kubelet = beside
			out = append(out, part)
		default: // a DaemonSet runs beside the kubelets of all nodes
			for _, part.Kubelet = range all {
				out = append(out, part)
			}
		}
	}
	return out
}

// maxMinors bounds with how many minors of kubelets a kube-proxy is compared; there are not as many that could run.
const maxMinors = 50

// Where names a component for people.
func (c Component) Where() string {
	name := FirstOf(c.Object, c.Name)
	if c.Node != "" {
		name += " on " + c.Node
	}
	return name
}

// countsDeprecated is the first minor whose kube-apiserver counts requests for deprecated APIs.
var countsDeprecated = release.Minor{Major: 1, Minor: 19}

// CountsDeprecated reports whether every kube-apiserver of known version counts requests for deprecated APIs, so that what was not counted
// was not asked for since it started. Behind a shared address one instance told what it counted, and there may be others.
func (s *Snapshot) CountsDeprecated() bool {
	servers := s.Servers()
	if len(servers) == 0 || s.CountedByOne() {
		return false
	}
	for _, n := range s.NotObserved {
		if n.Area == string(APIs) && strings.Contains(n.What, "deprecated") {
			return false
		}
	}
	for _, v := range servers {
		if release.CompareMinors(v.Version.Minor, countsDeprecated) < 0 {
			return false
		}
	}
	return true
}

// CountedByOne reports whether counts come from one of the instances behind a shared address.
func (s *Snapshot) CountedByOne() bool {
	return slices.ContainsFunc(s.APIServers, func(a APIServer) bool { return a.Shared && a.Version != "" })
}

// Name is the API as people write it: group/version resource.
func (d DeprecatedAPI) Name() string {
	name := strings.TrimPrefix(d.Group+"/"+d.Version, "/") + " " + d.Resource
	if d.Subresource != "" {
		name += "/" + d.Subresource
	}
	return Cut(name)
}

// Stale returns the versions in which objects of a custom resource may be stored and which the cluster does not serve, or which are not
// the one that new objects are stored in.
func (v StoredVersion) Stale() (unserved, old []string) {
	for _, s := range v.Stored {
		switch {
		case !slices.Contains(v.Served, s):
			unserved = append(unserved, s)
		case s != v.Storage:
			old = append(old, s)
		}
	}
	return unserved, old
}
