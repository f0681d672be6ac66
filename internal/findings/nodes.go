package findings

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// Limit is a minor from which on the kubelet does not run, or not without being told to, on a node as it is.
type Limit struct {
	Rule    string
	From    release.Minor
	What    string // in a few words
	Why     string
	Remedy  []Step
	Certain bool // false where the node does not tell, and its system is only known to come that way
	Source  string
}

// The minors from which on kubelets want more of a node.
var (
	noDockershim  = release.Minor{Major: 1, Minor: 24}
	noCgroupV1    = release.Minor{Major: 1, Minor: 35}
	noContainerd1 = release.Minor{Major: 1, Minor: 38}
)

var kernelForm = regexp.MustCompile(`^([0-9]{1,4})\.([0-9]{1,4})`)

// Limits returns what keeps a node from newer kubelets.
func Limits(n cluster.Node) []Limit {
	var out []Limit
	runtime, version, _ := strings.Cut(n.Runtime, "://")
	kubelet, known := cluster.ParseVersion(n.Kubelet)
	switch {
	case runtime == "docker" && known && release.CompareMinors(kubelet.Minor, noDockershim) < 0:
		out = append(out, Limit{
			Rule: "node-dockershim", From: noDockershim, What: "Docker through dockershim", Certain: true,
			Why:    "the kubelet has no dockershim from 1.24 on",
			Remedy: []Step{{Text: "Move the node to containerd or CRI-O, or install cri-dockerd, before its kubelet becomes 1.24: drain it, change the runtime, bring it back."}},
			Source: "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/",
		})
	case runtime == "containerd" && strings.HasPrefix(version, "1."):
		out = append(out, Limit{
			Rule: "node-containerd-1", From: noContainerd1, What: "containerd 1.x", Certain: true,
			Why:    "it cannot tell the kubelet its cgroup driver; upstream has put off the end of the way around it from 1.36 to 1.37 and again to 1.38",
			Remedy: []Step{{Text: "Move the node to containerd 2.x before its kubelet becomes 1.38: drain it, update containerd, bring it back."}},
			Source: "https://github.com/kubernetes/kubernetes/pull/139269",
		})
	}
	if l, ok := cgroups(n); ok {
		out = append(out, l)
	}
	return out
}

// cgroups tells of cgroup v1: for certain where the kernel has no other, as a guess where the system starts with it unless told otherwise.
func cgroups(n cluster.Node) (Limit, bool) {
	l := Limit{
		Rule: "node-cgroup-v1", From: noCgroupV1, What: "cgroup v1", Why: "from 1.35 on the kubelet refuses to start with cgroup v1 unless failCgroupV1 is set to false",
		Remedy: []Step{
			{Text: "See on the node which it has: cgroup2fs is version 2, tmpfs version 1.", Command: "stat -fc %T /sys/fs/cgroup/"},
			{Text: "With version 1: move the node to a system that starts with cgroup v2 before its kubelet becomes 1.35."},
		},
		Source: "https://github.com/kubernetes/kubernetes/pull/134298",
	}
	if n.OS != "" && n.OS != "linux" {
		return l, false
	}
	if m := kernelForm.FindStringSubmatch(n.Kernel); m != nil {
		major, _ := strconv.Atoi(m[1])
		minor, _ := strconv.Atoi(m[2])
		if major < 4 || major == 4 && minor < 5 {
			l.Certain = true
			l.Why += "; the kernel " + cluster.Cut(n.Kernel) + " has no cgroup v2"
			return l, true
		}
	}
	for _, system := range cgroupV1Systems() {
		if rest, ok := strings.CutPrefix(n.Image, system); ok && (rest == "" || rest[0] < '0' || rest[0] > '9') {
			l.Why += "; " + system + " starts with it unless it was changed, and the node does not tell"
			return l, true
		}
	}
	return l, false
}

// cgroupV1Systems are beginnings of the names of systems that start with cgroup v1, from memory.
func cgroupV1Systems() []string {
	return []string{
		"Amazon Linux 2", "CentOS Linux 7", "CentOS Linux 8", "CentOS Stream 8", "Debian GNU/Linux 8", "Debian GNU/Linux 9",
		"Debian GNU/Linux 10", "Red Hat Enterprise Linux 7", "Red Hat Enterprise Linux 8", "Red Hat Enterprise Linux Server 7", "Rocky Linux 8",
		"AlmaLinux 8", "Oracle Linux Server 7", "Oracle Linux Server 8", "Ubuntu 14.04", "Ubuntu 16.04", "Ubuntu 18.04", "Ubuntu 20.04",
	}
}

// nearMinors is from how many minors before it on a limit is told.
const nearMinors = 3

// limited is nodes with one limit.
type limited struct {
	limit   Limit
	nearest int // minors between the newest kubelet among them and the limit
	nodes   []string
}

// id names the limit in a finding.
func (l Limit) id() string {
	if l.Certain {
		return l.Rule
	}
	return l.Rule + "-perhaps"
}

// checkNodes tells of nodes that will not bear newer kubelets, when these are near. Whether a node is ready is not ours.
func (j *judge) checkNodes() error {
	groups := map[string]*limited{}
	for _, n := range j.s.Nodes {
		kubelet, ok := cluster.ParseVersion(n.Kubelet)
		if !ok {
			continue
		}
		for _, l := range Limits(n) {
			away := l.From.Minor - kubelet.Minor.Minor
			if kubelet.Minor.Major != l.From.Major || away > nearMinors {
				continue
			}
			g := groups[l.id()]
			if g == nil {
				g = &limited{limit: l, nearest: away}
				groups[l.id()] = g
			}
			g.nearest = min(g.nearest, away)
			g.nodes = append(g.nodes, n.Name)
		}
	}
	for _, id := range keys(groups) {
		g := groups[id]
		l := g.limit
		f := Finding{
			ID: id, Rule: l.Rule, Area: cluster.Nodes, Severity: Low, Subjects: g.nodes, Remedy: l.Remedy, References: []string{l.Source}, Evidence: []string{l.Why},
			Title:  fmt.Sprintf("%s with %s, which kubelets from %s on do not take", plural(len(g.nodes), "node"), l.What, l.From),
			Effect: fmt.Sprintf("The kubelet %s does not start on them.", l.From),
		}
		if g.nearest <= 1 {
			f.Severity = Medium
		}
		if g.nearest <= 0 {
			f.Effect = "They run only because the kubelet was told to go on; a later one will not."
		}
		if !l.Certain {
			f.Severity = lower(f.Severity)
			f.Title = fmt.Sprintf("%s whose system comes with %s, which kubelets from %s on do not take", plural(len(g.nodes), "node"), l.What, l.From)
		}
		j.add(f)
	}
	return nil
}
