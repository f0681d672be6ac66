// Package skew holds the rules about which minors of Kubernetes' components may run together, and says which are broken.
//
// Words: a server is a kube-apiserver, a part is any other component. The range of a part is the oldest and the newest minor that all
// servers allow; servers of different minors, and servers that emulate an older minor, narrow it. A rule is broken, or, where a mixture
// is allowed but not meant to stay, it gives advice. A dated rule holds for servers of its time only.
//
// Promises: pure functions. Versions are compared by minor, so that vendors' spellings (v1.28.5-eks-5e0fdde, v1.28.102-akslts) count
// as the minor that they are. What has no version is left out: the caller says that it was not observed.
//
// Sources: the version skew policy of kubernetes/website, KEP-3935 (nodes up to three minors older) and KEP-4330 (emulation).
package skew

import "github.com/kubelts/kubelts/internal/release"

// Component is a program that rules speak of.
type Component string

// The components.
const (
	APIServer              Component = "kube-apiserver"
	Kubelet                Component = "kubelet"
	Proxy                  Component = "kube-proxy"
	ControllerManager      Component = "kube-controller-manager"
	Scheduler              Component = "kube-scheduler"
	CloudControllerManager Component = "cloud-controller-manager"
	Kubectl                Component = "kubectl"
	Kubeadm                Component = "kubeadm"
)

// Level says whether a rule is broken or only leaned on.
type Level string

// The levels.
const (
	Broken Level = "broken"
	Advice Level = "advice"
)

// Rule is one rule in words.
type Rule struct {
	ID     string `json:"id"`
	Level  Level  `json:"level"`
	Text   string `json:"text"`
	Source string `json:"source"`
}

// The names of the rules.
const (
	RuleServersApart     = "apiserver-apart"
	RuleServersMixed     = "apiserver-mixed"
	RuleKubeletNewer     = "kubelet-newer"
	RuleKubeletOlder     = "kubelet-older"
	RuleProxyNewer       = "proxy-newer"
	RuleProxyOlder       = "proxy-older"
	RuleProxyKubelet     = "proxy-kubelet"
	RuleProxyKubeletThen = "proxy-kubelet-then"
	RuleControlNewer     = "control-newer"
	RuleControlOlder     = "control-older"
	RuleControlSame      = "control-same"
	RuleEmulationControl = "emulation-control"
	RuleEmulationNode    = "emulation-node"
	RuleKubectl          = "kubectl"
	RuleKubeadm          = "kubeadm"
	RuleUpgradeSkips     = "upgrade-skips"
	RuleUpgradeBack      = "upgrade-back"
)

const (
	policy    = "https://kubernetes.io/releases/version-skew-policy/"
	kep4330   = "https://github.com/kubernetes/enhancements/tree/master/keps/sig-architecture/4330-compatibility-versions"
	website40 = "https://github.com/kubernetes/website/pull/40672"
	kubeadm   = "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/create-cluster-kubeadm/#version-skew-policy"
)

// Rules are all rules, in the order in which they are looked at.
func Rules() []Rule {
	return []Rule{
		{RuleServersApart, Broken, "the newest and the oldest kube-apiserver are within one minor", policy},
		{RuleServersMixed, Advice, "kube-apiservers are of one minor, except while they are upgraded", policy},
		{RuleKubeletNewer, Broken, "a kubelet is not newer than any kube-apiserver", policy},
		{RuleKubeletOlder, Broken, "a kubelet is at most three minors older than any kube-apiserver, two if it is older than 1.25", policy},
		{RuleProxyNewer, Broken, "kube-proxy is not newer than any kube-apiserver", policy},
		{RuleProxyOlder, Broken, "kube-proxy is at most three minors older than any kube-apiserver, two if it is older than 1.25", policy},
		{RuleProxyKubelet, Broken, "kube-proxy is within three minors of the kubelet on its node, two if it is older than 1.25", policy},
		{RuleProxyKubeletThen, Advice, "until 1.26 the policy wanted kube-proxy to be of the minor of the kubelet on its node", website40},
		{RuleControlNewer, Broken, "kube-controller-manager, kube-scheduler and cloud-controller-manager are not newer than any kube-apiserver", policy},
		{RuleControlOlder, Broken, "they are at most one minor older than any kube-apiserver", policy},
		{RuleControlSame, Advice, "they are of the minor of the kube-apiservers, except while these are upgraded", policy},
		{RuleEmulationControl, Broken, "beside a kube-apiserver that emulates a minor, they lie between its minimum compatibility version and the emulated one", kep4330},
		{RuleEmulationNode, Broken, "beside such a kube-apiserver, kubelet and kube-proxy lie between two minors before its minimum compatibility version and the emulated one", kep4330},
		{RuleKubectl, Broken, "kubectl is within one minor of every kube-apiserver", policy},
		{RuleKubeadm, Broken, "a kubelet is not newer than the kubeadm that manages it, and at most three minors older, one before kubeadm 1.29", kubeadm},
		{RuleUpgradeSkips, Broken, "kube-apiservers are upgraded one minor at a time", policy},
		{RuleUpgradeBack, Broken, "kube-apiservers are not taken back to an older minor", policy},
	}
}

// The minors at which rules change.
var (
	nodesThreeBack   = release.Minor{Major: 1, Minor: 25} // from these on, kubelet and kube-proxy may be three minors older
	proxyOnItsOwn    = release.Minor{Major: 1, Minor: 27} // the policy ceased to tie kube-proxy to the kubelet when this came
	kubeadmThreeBack = release.Minor{Major: 1, Minor: 29}
)

// nodeDepth is how many minors a kubelet or kube-proxy may be older than a server.
func nodeDepth(part release.Minor) int {
	if release.CompareMinors(part, nodesThreeBack) < 0 {
		return 2
	}
	return 3
}

// OldestNode returns the oldest minor of kubelet and kube-proxy that a server of a minor allows.
func OldestNode(server release.Minor) release.Minor {
	if oldest := server.Plus(-3); release.CompareMinors(oldest, nodesThreeBack) >= 0 {
		return oldest
	}
	return server.Plus(-2)
}

// Hops returns the minors that kube-apiservers pass from one to another, the last included; none when to is not newer.
func Hops(from, to release.Minor) []release.Minor {
	var hops []release.Minor
	for m := from.Plus(1); from.Major == to.Major && release.CompareMinors(m, to) <= 0; m = m.Plus(1) {
		hops = append(hops, m)
	}
	return hops
}
