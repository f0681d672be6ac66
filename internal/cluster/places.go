package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/release"
)

// The components whose vulnerabilities the facts know by the version of Kubernetes.
const (
	nameServer     = "kube-apiserver"
	nameKubelet    = "kubelet"
	nameProxy      = "kube-proxy"
	nameController = "kube-controller-manager"
	nameScheduler  = "kube-scheduler"
	nameCloud      = "cloud-controller-manager"
)

// place is a component at one version, and where it runs so.
type place struct {
	component string
	text      string // the version as the snapshot has it
	subjects  []string
}

// places returns what runs in the cluster, by component and version, in a fixed order. What has no version is noted as not observed.
func (j *judge) places() []place {
	all := map[[2]string][]string{}
	take := func(component, version, subject string) {
		if version == "" {
			j.noVersion(component, subject)
			return
		}
		key := [2]string{component, version}
		all[key] = append(all[key], subject)
	}
	for _, a := range j.s.APIServers {
		take(nameServer, a.Version, cut(firstOf(a.Name, a.Address)))
	}
	for _, n := range j.s.Nodes {
		take(nameKubelet, n.Kubelet, cut(n.Name))
	}
	for _, c := range j.s.Components {
		if slices.Contains([]string{nameProxy, nameController, nameScheduler}, c.Name) {
			take(c.Name, c.Version, cut(c.where()))
		}
	}
	j.embedded(take)
	var out []place
	for key, subjects := range all {
		out = append(out, place{component: key[0], text: key[1], subjects: subjects})
	}
	order := []string{nameServer, nameController, nameScheduler, nameKubelet, nameProxy}
	slices.SortFunc(out, func(a, b place) int {
		if a.component != b.component {
			return slices.Index(order, a.component) - slices.Index(order, b.component)
		}
		return strings.Compare(a.text, b.text)
	})
	return out
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return "an unnamed one"
}

// where names a component for people.
func (c Component) where() string {
	name := firstOf(c.Object, c.Name)
	if c.Node != "" {
		name += " on " + c.Node
	}
	return name
}

func (j *judge) noVersion(component, subject string) {
	if !j.told(Vulnerabilities, subject, component) {
		j.unseen(NotObserved{What: "version of " + component + " of " + subject, Area: string(Vulnerabilities), Reason: "the snapshot has none, and does not say why"})
	}
}

// embedded takes in the components that run inside others or out of sight. k3s has all in one process; a vendor that runs the control
// plane shows nothing of it; elsewhere a component that no pod shows was not observed.
func (j *judge) embedded(take func(component, version, subject string)) {
	has := func(name string) bool {
		return slices.ContainsFunc(j.s.Components, func(c Component) bool { return c.Name == name })
	}
	single := j.s.Distribution.Vendor == release.VendorK3s
	for _, name := range []string{nameController, nameScheduler} {
		switch {
		case has(name):
		case single:
			for _, a := range j.s.APIServers {
				if a.Version != "" {
					take(name, a.Version, "inside k3s on "+cut(firstOf(a.Name, a.Address)))
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
				take(nameProxy, n.Kubelet, "inside k3s on "+cut(n.Name))
			}
		}
	default:
		j.unseenComponent(nameProxy)
	}
}

// replacesProxy reports whether a network plugin is seen that may do the work of kube-proxy, so that its absence means nothing.
func (j *judge) replacesProxy() bool {
	return j.s.Distribution.Vendor == release.VendorOpenShift || slices.ContainsFunc(j.s.Components, func(c Component) bool {
		return strings.Contains(c.Name, "cilium") || strings.Contains(c.Name, "kube-router") || strings.Contains(c.Name, "ovnkube") || strings.Contains(c.Name, "antrea")
	})
}

func (j *judge) unseenComponent(name string) {
	if j.told(Vulnerabilities, name) || len(j.serverVersions()) == 0 && j.told(Vulnerabilities) {
		return
	}
	reason := "no pod shows it: it may run outside of pods"
	if j.told(Skew, "control-plane pods", name) {
		reason = "the pods of the control plane could not be read"
	}
	if v := j.s.Distribution.Vendor; managed(v) && name != nameProxy {
		reason = vendorName(v) + " runs it out of sight"
	}
	j.unseen(NotObserved{What: "version of " + name, Area: string(Vulnerabilities), Reason: reason})
}

// count is how many places a list of subjects stands for, in words.
func count(component string, n int) string {
	if n == 1 {
		return component
	}
	return fmt.Sprintf("%d of %s", n, component)
}
