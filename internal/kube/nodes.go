package kube

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

// nodes reads the nodes. The names of the images that a node has stored, by far the most of it, are dropped unread.
func (t *taker) nodes(ctx context.Context) {
	t.progress("nodes")
	var nodes []cluster.Node
	l := typed("/api/v1/nodes", func(n *corev1.Node) { nodes = append(nodes, node(n)) })
	l.binary = func(object []byte) error {
		n, err := slimNode(object)
		if err == nil {
			nodes = append(nodes, node(n))
		}
		return err
	}
	err := t.api.list(ctx, l.with("resourceVersion", "0"))
	if err == nil && len(nodes) == 0 {
		t.miss(cluster.NotObserved{What: "any node", Area: areaNodes, Reason: "the API lists none"})
	}
	if err != nil {
		t.miss(cluster.NotObserved{What: "nodes", Area: areaNodes, Reason: reason(err), Hint: remedy(err), Asked: true})
	}
	slices.SortFunc(nodes, func(a, b cluster.Node) int { return strings.Compare(a.Name, b.Name) })
	t.beyond(cluster.NotObserved{What: "nodes", Area: areaNodes}, len(nodes), cluster.MaxNodes)
	if len(nodes) > cluster.MaxNodes {
		nodes, err = nodes[:cluster.MaxNodes], errors.New("not all nodes are kept")
	}
	t.add(func(s *cluster.Snapshot, _ *found) {
		s.Nodes = nodes
		windows(s, err)
	})
}

// slimNode reads of a node what is wanted: the library takes the parts apart, and images and capacities are no part of it.
func slimNode(object []byte) (*corev1.Node, error) {
	n := &corev1.Node{}
	err := fields(object, func(number uint64, content []byte) error {
		switch number {
		case 1:
			return n.ObjectMeta.Unmarshal(content)
		case 2:
			return n.Spec.Unmarshal(content)
		case 3:
			return slimStatus(content, &n.Status)
		}
		return nil
	})
	if errors.Is(err, errWire) { // the library knows more of the format, and says better what is wrong
		n = &corev1.Node{}
		err = n.Unmarshal(object)
	}
	return n, err
}

func slimStatus(message []byte, status *corev1.NodeStatus) error {
	return fields(message, func(number uint64, content []byte) error {
		switch number {
		case 4:
			status.Conditions = append(status.Conditions, corev1.NodeCondition{})
			return status.Conditions[len(status.Conditions)-1].Unmarshal(content)
		case 5:
			status.Addresses = append(status.Addresses, corev1.NodeAddress{})
			return status.Addresses[len(status.Addresses)-1].Unmarshal(content)
		case 7:
			return status.NodeInfo.Unmarshal(content)
		}
		return nil
	})
}

func node(n *corev1.Node) cluster.Node {
	info := n.Status.NodeInfo
	out := cluster.Node{
		Name: bounded(n.Name), Kubelet: bounded(info.KubeletVersion), Runtime: bounded(info.ContainerRuntimeVersion), Kernel: bounded(info.KernelVersion),
		OS: bounded(info.OperatingSystem), Image: bounded(info.OSImage), Architecture: bounded(info.Architecture), Created: n.CreationTimestamp.UTC(),
		Labels: telling(n.Labels, n.Annotations),
	}
	for _, role := range []string{"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"} {
		if _, ok := n.Labels[role]; ok {
			out.ControlPlane = true
		}
	}
	if n.Labels["kubernetes.io/role"] == "master" {
		out.ControlPlane = true // as kops and others wrote it before 1.16
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			out.Ready = c.Status == corev1.ConditionTrue
		}
	}
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP && len(out.Addresses) < 4 && net.ParseIP(a.Address) != nil {
			out.Addresses = append(out.Addresses, a.Address)
		}
	}
	if provider, _, ok := strings.Cut(n.Spec.ProviderID, "://"); ok {
		out.Provider = bounded(provider)
	}
	return out
}

// telling returns the keys of labels and annotations that tell a distribution. The values that tell one stand with their key.
func telling(labels, annotations map[string]string) []string {
	var out []string
	for key, value := range labels {
		if key == "node.kubernetes.io/instance-type" && (value == "k3s" || value == "rke2") {
			out = append(out, key+"="+value)
		}
		if cluster.Telling(key) {
			out = append(out, bounded(key))
		}
	}
	for key := range annotations {
		if cluster.Telling(key) {
			out = append(out, bounded(key))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
