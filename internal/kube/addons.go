package kube

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

const maxComponents = 2000

// workload is what is wanted of a DaemonSet or a Deployment.
type workload struct {
	object, namespace string
	count             int
	pod               *corev1.PodSpec
}

// addons reads DaemonSets and Deployments. Of those outside kube-system only known components are kept.
func (t *taker) addons(ctx context.Context) {
	t.progress("add-ons")
	var out []cluster.Component
	each := func(w workload) { out = append(out, parts(w)...) }
	daemons := func(d *appsv1.DaemonSet) {
		each(workload{"daemonset/" + d.Name, d.Namespace, int(d.Status.DesiredNumberScheduled), &d.Spec.Template.Spec})
	}
	deployments := func(d *appsv1.Deployment) {
		each(workload{"deployment/" + d.Name, d.Namespace, int(d.Status.Replicas), &d.Spec.Template.Spec})
	}
	failed := read(ctx, t, t.groups.first("apps/v1", "apps/v1beta2", "extensions/v1beta1"), "daemonsets", daemons)
	if err := read(ctx, t, t.groups.first("apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"), "deployments", deployments); err != nil {
		failed = err
	}
	if failed != nil {
		t.miss(cluster.NotObserved{What: "kube-proxy and add-ons", Area: areaHoles, Reason: reason(failed), Hint: remedy(failed)})
	}
	if failed == nil && !slices.ContainsFunc(out, func(c cluster.Component) bool { return c.Name == kubeProxy }) {
		t.proxyPods(ctx, &out)
	}
	slices.SortFunc(out, bySubject)
	for _, area := range []string{areaHoles, areaSkew} {
		t.beyond(cluster.NotObserved{What: "components", Area: area}, len(out), maxComponents)
	}
	out = out[:min(len(out), maxComponents)]
	t.add(func(s *cluster.Snapshot, _ *found) { s.Components = append(s.Components, out...) })
}

const kubeProxy = "kube-proxy"

// read reads objects of all namespaces. The newest version is read as protobuf; of an older one the JSON is near enough to the newest's. Where no version is served there
// is nothing to read.
func read[T any, P message[T]](ctx context.Context, t *taker, served, resource string, each func(P)) error {
	if served == "" {
		return nil
	}
	l := typed(root(served)+"/"+resource, each)
	if _, v := split(served); v != "v1" {
		l = plain(root(served)+"/"+resource, func(p *T) { each(p) })
	}
	return t.api.list(ctx, l.with("resourceVersion", "0"))
}

// parts are the components in a workload's pods.
func parts(w workload) []cluster.Component {
	var out []cluster.Component
	for i := range w.pod.Containers {
		c := &w.pod.Containers[i]
		name, known := component(c.Image)
		if name == "hyperkube" {
			for _, word := range slices.Concat(c.Command, c.Args) {
				if p := program(word); p == "proxy" || p == kubeProxy {
					name = kubeProxy
				}
			}
		}
		if !known && w.namespace != "kube-system" {
			continue
		}
		out = append(out, cluster.Component{
			Name: name, Namespace: bounded(w.namespace), Object: bounded(w.object), Image: bounded(c.Image), Version: imageVersion(c.Image), Count: w.count,
			Flags: flags(name, c.Command, c.Args),
		})
	}
	return out
}

// proxyPods looks for kube-proxy as a static pod of each node, which is how GKE and older kops run it: one component for each image.
func (t *taker) proxyPods(ctx context.Context, out *[]cluster.Component) {
	byImage := map[string]int{}
	each := func(p *corev1.Pod) {
		for i := range p.Spec.Containers {
			c := &p.Spec.Containers[i]
			if name, _ := component(c.Image); name == kubeProxy && len(byImage) <= maxComponents {
				byImage[bounded(c.Image)]++ // one more than is kept, so that it is told
			}
		}
	}
	for _, selector := range []string{"component=kube-proxy", "k8s-app=kube-proxy"} {
		l := typed("/api/v1/namespaces/kube-system/pods", each).with("labelSelector", selector, "resourceVersion", "0")
		if err := t.api.list(ctx, l); err != nil {
			t.miss(cluster.NotObserved{What: "version of kube-proxy", Area: areaSkew, Reason: reason(err), Hint: remedy(err)})
			return
		}
		if len(byImage) > 0 {
			break
		}
	}
	for img, n := range byImage {
		*out = append(*out, cluster.Component{Name: kubeProxy, Namespace: "kube-system", Object: "pods/" + kubeProxy, Image: img, Version: imageVersion(img), Count: n})
	}
}
