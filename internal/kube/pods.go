package kube

import (
	"cmp"
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

// instancePod is the pod of an API server.
type instancePod struct {
	name, node, host, port, image string
	flags                         map[string]string
}

// pods reads the pods of the control plane, by the labels that installers give to them.
func (t *taker) pods(ctx context.Context) {
	t.progress("control plane")
	var instances []instancePod
	var components []cluster.Component
	each := func(p *corev1.Pod) {
		for i := range p.Spec.Containers {
			c := &p.Spec.Containers[i]
			switch name := role(c); name {
			case "":
			case "kube-apiserver":
				instances = append(instances, apiserverPod(p, c))
			default:
				components = append(components, cluster.Component{
					Name: name, Namespace: p.Namespace, Object: "pod/" + bounded(p.Name), Node: bounded(p.Spec.NodeName), Image: bounded(c.Image),
					Version: imageVersion(c.Image), Count: 1, Flags: flags(name, c.Command, c.Args),
				})
			}
		}
	}
	for _, place := range t.controlPlane() {
		l := typed("/api/v1/namespaces/"+place.namespace+"/pods", each).with("labelSelector", place.selector, "resourceVersion", "0")
		if err := t.api.list(ctx, l); err != nil && !absent(err) {
			t.miss(cluster.NotObserved{What: "control-plane pods in " + place.namespace, Area: areaSkew, Reason: reason(err), Hint: remedy(err)})
			break
		}
	}
	slices.SortFunc(instances, func(a, b instancePod) int { return strings.Compare(a.name, b.name) })
	instances = slices.CompactFunc(instances, func(a, b instancePod) bool { return a.name == b.name })
	slices.SortFunc(components, bySubject)
	components = slices.CompactFunc(components, func(a, b cluster.Component) bool { return bySubject(a, b) == 0 })
	t.beyond(cluster.NotObserved{What: "components of the control plane", Area: areaSkew}, len(components), maxComponents)
	components = components[:min(len(components), maxComponents)]
	t.add(func(s *cluster.Snapshot, found *found) {
		found.pods = instances
		s.Components = append(s.Components, components...)
	})
}

func bySubject(a, b cluster.Component) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Image, b.Image))
}

type place struct{ namespace, selector string }

// controlPlane is where control-plane pods are, and by which labels.
func (t *taker) controlPlane() []place {
	const roles = "(kube-apiserver,kube-controller-manager,kube-scheduler,cloud-controller-manager,etcd)"
	const apps = "(kube-apiserver,kube-controller-manager,kube-scheduler,etcd-manager-main,cloud-controller-manager)"
	if t.groups.has("config.openshift.io") {
		return []place{
			{"openshift-kube-apiserver", "app=openshift-kube-apiserver"},
			{"openshift-kube-controller-manager", "app=kube-controller-manager"},
			{"openshift-kube-scheduler", "app=openshift-kube-scheduler"},
			{"openshift-etcd", "app=etcd"},
		}
	}
	return []place{
		{"kube-system", "component in " + roles},  // kubeadm, and what is made with it; RKE2
		{"kube-system", "k8s-app in " + apps},     // kops, and clusters from before kubeadm
		{"kube-system", "k8s-app=cloud-provider"}, // cloud controller managers by hand
	}
}

// role says which component of the control plane a container is, "" if none.
func role(c *corev1.Container) string {
	all := []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "cloud-controller-manager", "etcd"}
	name, _ := component(c.Image)
	if slices.Contains(all, name) {
		return name
	}
	// One image may have many programs (hyperkube, OpenShift's): then the name of the container or the command tells.
	for _, word := range append([]string{c.Name}, slices.Concat(c.Command, c.Args)...) {
		for _, known := range all[:4] {
			if program(word) == known {
				return known
			}
		}
		if program(word) == "etcd" || program(word) == "apiserver" && strings.Contains(c.Image, "hyperkube") {
			return map[string]string{"etcd": "etcd", "apiserver": "kube-apiserver"}[program(word)]
		}
	}
	return ""
}

// program is the last part of a path.
func program(word string) string { return word[strings.LastIndexByte(word, '/')+1:] }

func apiserverPod(p *corev1.Pod, c *corev1.Container) instancePod {
	out := instancePod{
		name: bounded(p.Name), node: bounded(p.Spec.NodeName), host: cmp.Or(p.Status.HostIP, p.Status.PodIP), image: bounded(c.Image),
		flags: flags("kube-apiserver", c.Command, c.Args),
	}
	out.port = cmp.Or(out.flags["secure-port"], "6443")
	if !p.Spec.HostNetwork {
		out.host = cmp.Or(p.Status.PodIP, out.host)
	}
	return out
}
