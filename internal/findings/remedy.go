package findings

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kubelts/kubelts/internal/release"
)

// The installers that remedies know. The snapshot's words are compared with these.
const (
	installerKubeadm   = "kubeadm"
	installerKubespray = "kubespray"
	installerKops      = "kops"
)

// managed reports whether the vendor runs the control plane, out of reach.
func managed(vendor string) bool {
	return slices.Contains([]string{release.VendorEKS, release.VendorAKS, release.VendorGKE, release.VendorACK, release.VendorTKE, release.VendorIKS}, vendor)
}

// vendorNames are for people.
func vendorName(vendor string) string {
	names := map[string]string{
		release.VendorEKS: "AWS", release.VendorAKS: "Microsoft", release.VendorGKE: "Google", release.VendorACK: "Alibaba Cloud", release.VendorTKE: "Tencent Cloud",
		release.VendorIKS: "IBM", release.VendorOpenShift: "Red Hat", release.VendorRKE2: "SUSE (RKE2)", release.VendorK3s: "SUSE (k3s)", release.VendorKLTS: "KLTS",
		release.VendorKubelts: "the line's project", release.VendorMirantis: "Mirantis", release.VendorVMware: "VMware", release.VendorEKSDistro: "AWS (EKS Distro)",
		release.VendorCoreOS: "CoreOS",
	}
	return cmp.Or(names[vendor], vendor)
}

// restartSteps say how kube-apiserver is restarted on one control-plane node.
func (j *judge) restartSteps() []Step {
	manifest := Step{
		Text:    "where the kubelet runs it as a static pod of kubeadm, take its manifest away and put it back",
		Command: "sudo mv /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/kube-apiserver.yaml.off && sleep 30 && sudo mv /etc/kubernetes/kube-apiserver.yaml.off /etc/kubernetes/manifests/kube-apiserver.yaml",
	}
	systemd := Step{Text: "where systemd runs it", Command: "sudo systemctl restart kube-apiserver"}
	switch d := j.s.Distribution; {
	case d.Vendor == release.VendorK3s:
		return []Step{{Text: "on the server node; pods go on", Command: "sudo systemctl restart k3s"}}
	case d.Vendor == release.VendorRKE2:
		return []Step{{
			Text:    "on the server node; the kubelet starts the container again",
			Command: "sudo sh -c 'export CRI_CONFIG_FILE=/var/lib/rancher/rke2/agent/etc/crictl.yaml; crictl=/var/lib/rancher/rke2/bin/crictl; $crictl stop $($crictl ps -q --name kube-apiserver)'",
		}}
	case d.Installer == installerKubeadm || d.Installer == installerKubespray:
		return []Step{{Text: "on the control-plane node: take its manifest away and put it back", Command: manifest.Command}}
	case d.Installer == installerKops:
		return []Step{{Text: "on the control-plane node; the kubelet starts the container again", Command: "sudo crictl stop $(sudo crictl ps -q --name kube-apiserver)"}}
	}
	return []Step{manifest, systemd}
}

const remedyInstances = 5

// restart is the rolling restart of kube-apiservers, the first to fail first.
func (j *judge) restart(failing []instance) []Step {
	vendor := j.s.Distribution.Vendor
	if managed(vendor) {
		return []Step{{Text: vendorName(vendor) + " runs the control plane: ask its support to restart the kube-apiservers, or update the control plane to a newer patch release, which restarts them"}, j.probeStep(failing[0])}
	}
	if vendor == release.VendorOpenShift {
		return []Step{
			{
				Text:    "Let the operator roll the kube-apiservers out again, one after the other.",
				Command: `oc patch kubeapiserver/cluster --type=merge -p '{"spec":{"forceRedeploymentReason":"renew the loopback certificate '"$(date --iso-8601=seconds)"'"}}'`,
			},
			{Text: "openshift-apiserver has a loopback certificate of its own: roll it out as well.", Command: "oc -n openshift-apiserver rollout restart deployment/apiserver"},
			j.probeStep(failing[0]),
		}
	}
	how := j.restartSteps()
	steps := []Step{{Text: "Restart the kube-apiservers one at a time. Go on only when the one before serves again and shows a new certificate."}}
	for _, i := range failing[:min(len(failing), remedyInstances)] {
		for _, s := range how {
			steps = append(steps, Step{Text: i.name + ": " + s.Text + ".", Command: s.Command})
		}
		steps = append(steps, j.probeStep(i))
	}
	if more := len(failing) - remedyInstances; more > 0 {
		steps = append(steps, Step{Text: fmt.Sprintf("And so on with the %d others.", more)})
	}
	return steps
}

// probeStep shows that a restart worked.
func (j *judge) probeStep(i instance) Step {
	return Step{Text: fmt.Sprintf("See that %s started anew and that its certificate ends later.", i.name), Command: command("kubelts probe %s", i.address)}
}
