package upgrade

import (
	"fmt"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/skew"
)

// steps are the components in the order of the policy: etcd's backup, kube-apiserver, what talks to it in the control plane, nodes.
func (pl *planner) steps(to release.Version) []Step {
	steps := []Step{{
		Component: "etcd", Text: "Back up etcd, and try the backup. There is no other way back.",
		Command: "sudo ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key snapshot save etcd-before-" + to.Minor.String() + ".db",
	}}
	d := pl.s.Distribution
	switch {
	case pl.managed():
		steps = []Step{{Component: "control plane", Text: fmt.Sprintf("Have the vendor take the control plane to %s. It restarts the kube-apiservers itself.", to.Minor)}}
	case pl.vendor == release.VendorOpenShift:
		steps = []Step{
			{Component: "cluster", Text: "See which releases can be reached, choose the channel of the OpenShift release that carries " + to.Minor.String() + ", and go.", Command: "oc adm upgrade"},
			{Component: "cluster", Text: "Wait until all operators and machine config pools are through.", Command: "oc get clusterversion,clusteroperators,machineconfigpools"},
		}
	case pl.vendor == release.VendorK3s:
		steps = append(steps[:0], Step{Component: "etcd", Text: "Back up the datastore, and try the backup.", Command: "sudo k3s etcd-snapshot save"},
			Step{Component: "servers", Text: "On the servers, one after the other:", Command: "curl -sfL https://get.k3s.io | INSTALL_K3S_CHANNEL=v" + to.Minor.String() + " sh -"})
	case pl.vendor == release.VendorRKE2:
		steps = append(steps[:0], Step{Component: "etcd", Text: "Back up etcd, and try the backup.", Command: "sudo rke2 etcd-snapshot save"},
			Step{Component: "servers", Text: "On the servers, one after the other:", Command: "curl -sfL https://get.rke2.io | sudo INSTALL_RKE2_CHANNEL=v" + to.Minor.String() + " sh - && sudo systemctl restart rke2-server"})
	case d.Installer == "kubeadm":
		steps = append(steps, kubeadmSteps(to)...)
	default:
		steps = append(steps,
			Step{Component: string(skew.APIServer), Text: fmt.Sprintf("Take the kube-apiservers to %s, one instance at a time; go on when /readyz of it answers.", to)},
			Step{Component: string(skew.ControllerManager), Text: fmt.Sprintf("Then kube-controller-manager, kube-scheduler and cloud-controller-manager to %s.", to)},
		)
	}
	if pl.vendor != release.VendorOpenShift { // there the operators take the nodes along
		steps = append(steps, pl.nodeStep(to))
	}
	return append(steps, Step{Component: "check", Text: "See that all is well before the next hop.", Command: "kubelts check"})
}

// managed reports whether the vendor runs the control plane.
func (pl *planner) managed() bool {
	switch pl.vendor {
	case release.VendorEKS, release.VendorAKS, release.VendorGKE, release.VendorACK, release.VendorTKE, release.VendorIKS:
		return true
	}
	return false
}

func kubeadmSteps(to release.Version) []Step {
	return []Step{
		{Component: string(skew.Kubeadm), Text: fmt.Sprintf("On the first control-plane node: install kubeadm %s, and see what it would do.", to), Command: "sudo kubeadm upgrade plan " + to.String()},
		{Component: string(skew.APIServer), Text: "Upgrade kube-apiserver, kube-controller-manager, kube-scheduler, etcd, kube-proxy and CoreDNS there.", Command: "sudo kubeadm upgrade apply " + to.String()},
		{Component: string(skew.APIServer), Text: fmt.Sprintf("On the other control-plane nodes, one after the other: install kubeadm %s, and upgrade.", to), Command: "sudo kubeadm upgrade node"},
	}
}

// nodeStep is the nodes' turn, with how long it could wait.
func (pl *planner) nodeStep(to release.Version) Step {
	wait := to.Minor
	for release.CompareMinors(skew.OldestNode(wait.Plus(1)), to.Minor) <= 0 {
		wait = wait.Plus(1)
	}
	text := fmt.Sprintf("Drain the nodes a few at a time, take kubelet and kube-proxy to %s, and bring them back.", to)
	if wait != to.Minor {
		text += fmt.Sprintf(" Kubelets of %s may stay until the kube-apiservers are %s; what they lack meanwhile is what their minor lacks.", to.Minor, wait)
	}
	step := Step{Component: string(skew.Kubelet), Text: text}
	if pl.s.Distribution.Installer == "kubeadm" && pl.vendor == "" {
		step.Command = "sudo kubeadm upgrade node && sudo systemctl daemon-reload && sudo systemctl restart kubelet"
	}
	return step
}
