package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// The components whose vulnerabilities the facts know by the version of Kubernetes.
const (
	nameServer     = "kube-apiserver"
	nameKubelet    = "kubelet"
	nameProxy      = "kube-proxy"
	nameController = "kube-controller-manager"
	nameScheduler  = "kube-scheduler"
)

// place is a component at one version, and where it runs so.
type place struct {
	component string
	text      string // the version as the snapshot has it
	system    string // linux, windows; "" where it is not known
	subjects  []string
}

// maxVersions is how many versions, each of a component on a system, a report looks up: no cluster that grew by itself has as many.
const maxVersions = 200

// gathering collects places.
type gathering struct {
	all    map[place3][]string
	silent map[string][]string // what has no version, by component
}

// place3 tells places apart.
type place3 struct{ component, text, system string }

func (g *gathering) take(p place3, subject string) {
	if p.text == "" {
		g.silent[p.component] = append(g.silent[p.component], subject)
		return
	}
	g.all[p] = append(g.all[p], subject)
}

// places returns what runs in the cluster, by component, version and system, in a fixed order. What has no version is noted as not
// observed.
func (j *judge) places() []place {
	g := &gathering{all: map[place3][]string{}, silent: map[string][]string{}}
	for _, a := range j.s.APIServers {
		g.take(place3{component: nameServer, text: a.Version}, cluster.Cut(cluster.FirstOf(a.Name, a.Address)))
	}
	for _, n := range j.s.Nodes {
		g.take(place3{nameKubelet, n.Kubelet, strings.ToLower(cluster.Cut(n.OS))}, cluster.Cut(n.Name))
	}
	for _, c := range j.s.Components {
		if slices.Contains([]string{nameProxy, nameController, nameScheduler}, c.Name) {
			g.take(place3{component: c.Name, text: c.Version}, cluster.Cut(c.Where()))
		}
	}
	j.embedded(g)
	j.noVersions(g.silent)
	var out []place
	for key, subjects := range g.all {
		out = append(out, place{key.component, key.text, key.system, subjects})
	}
	order := []string{nameServer, nameController, nameScheduler, nameKubelet, nameProxy}
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(slices.Index(order, a.component)-slices.Index(order, b.component), strings.Compare(a.text, b.text), strings.Compare(a.system, b.system))
	})
	if more := len(out) - maxVersions; more > 0 {
		j.unseen(cluster.NotObserved{What: "vulnerabilities of " + plural(more, "more version"), Area: string(cluster.Vulnerabilities), Reason: fmt.Sprintf("a report looks up at most %d", maxVersions)})
		out = out[:maxVersions]
	}
	return out
}

// noVersions notes components without a version, each once with how many there are.
func (j *judge) noVersions(silent map[string][]string) {
	for _, component := range keys(silent) {
		subjects, n := bounded(silent[component])
		all := n == len(subjects) && !slices.ContainsFunc(subjects, func(s string) bool { return !j.told(cluster.Vulnerabilities, s) })
		if all || j.told(cluster.Vulnerabilities, component) {
			continue
		}
		missed := cluster.NotObserved{What: fmt.Sprintf("version of %s: %s", count(component, n), list(subjects)), Area: string(cluster.Vulnerabilities), Reason: noReason}
		if n == 1 {
			missed = j.because(missed, "version at "+subjects[0], "version of "+subjects[0])
		}
		j.unseen(missed)
	}
}

// embedded takes in the components that run inside others or out of sight. k3s has all in one process; a vendor that runs the control
// plane shows nothing of it; elsewhere a component that no pod shows was not observed.
func (j *judge) embedded(g *gathering) {
	has := func(name string) bool {
		return slices.ContainsFunc(j.s.Components, func(c cluster.Component) bool { return c.Name == name })
	}
	single := j.s.Distribution.Vendor == release.VendorK3s
	for _, name := range []string{nameController, nameScheduler} {
		switch {
		case has(name):
		case single:
			for _, a := range j.s.APIServers {
				if a.Version != "" {
					g.take(place3{component: name, text: a.Version}, "inside k3s on "+cluster.Cut(cluster.FirstOf(a.Name, a.Address)))
				}
			}
		default:
			j.unseenComponent(name)
		}
	}
	switch {
	case has(nameProxy) || j.replacesProxy():
	case single:
		for _, n := range j.s.Nodes {
			if n.Kubelet != "" {
				g.take(place3{nameProxy, n.Kubelet, strings.ToLower(cluster.Cut(n.OS))}, "inside k3s on "+cluster.Cut(n.Name))
			}
		}
	default:
		j.unseenComponent(nameProxy)
	}
}

// replacesProxy reports whether a network plugin is seen that may do the work of kube-proxy, so that its absence means nothing.
func (j *judge) replacesProxy() bool {
	return j.s.Distribution.Vendor == release.VendorOpenShift || slices.ContainsFunc(j.s.Components, func(c cluster.Component) bool {
		return strings.Contains(c.Name, "cilium") || strings.Contains(c.Name, "kube-router") || strings.Contains(c.Name, "ovnkube") || strings.Contains(c.Name, "antrea")
	})
}

func (j *judge) unseenComponent(name string) {
	if j.told(cluster.Vulnerabilities, name) || len(j.serverVersions()) == 0 && j.told(cluster.Vulnerabilities) {
		return
	}
	n := cluster.NotObserved{What: "version of " + name, Area: string(cluster.Vulnerabilities), Reason: "no pod shows it: it may run outside of pods"}
	if v := j.s.Distribution.Vendor; managed(v) && name != nameProxy {
		n.Reason = vendorName(v) + " runs it out of sight"
	} else if j.unreadPods() || j.told(cluster.Skew, name) {
		n = j.because(n, append([]string{name, "version of " + name}, podsUnread()...)...)
	}
	j.unseen(n)
}

// count is how many places a list of subjects stands for, in words.
func count(component string, n int) string {
	if n == 1 {
		return component
	}
	return fmt.Sprintf("%d of %s", n, component)
}
