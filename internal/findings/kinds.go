package findings

import (
	"fmt"
	"strings"

	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// kindFacts is what is to know of a kind of certificates.
type kindFacts struct {
	name   string // for people
	effect string // what is lost when it ends
	lowers int    // by how many severities its end is less than the cluster's
	many   bool   // there are many alike: one finding for all
}

// kindOf describes a kind of chains.
func kindOf(k cluster.ChainKind) kindFacts {
	known := map[cluster.ChainKind]kindFacts{
		cluster.ClusterCA:        {"cluster CA", "Every certificate of the cluster ends with it. It cannot be renewed in place: a new one has to be spread to all components, nodes and service accounts first.", 0, false},
		cluster.FrontProxyCA:     {"front-proxy CA", "Aggregated APIs answer 401 or 503.", 0, false},
		cluster.APIServerServing: {"serving certificate of kube-apiserver", "All clients are refused: kubectl, kubelets, controllers.", 0, false},
		cluster.EtcdServing:      {"serving certificate of etcd", "kube-apiserver loses etcd: the API is down.", 0, false},
		cluster.EtcdPeer:         {"peer certificate of etcd", "The members of etcd lose each other, and with them the quorum.", 0, false},
		cluster.KubeletServing:   {"serving certificate of the kubelet", "logs, exec and port-forward, and metrics of the node, fail where the certificate is verified.", 2, true},
		cluster.KubeconfigClient: {"client certificate of the kubeconfig", "Whoever uses this kubeconfig is locked out.", 1, false},
		cluster.WebhookCA:        {"CA bundle of an admission webhook", "The webhook is not trusted any more. With the failure policy Fail, what it watches can no longer be written.", 0, false},
		cluster.ConversionCA:     {"CA bundle of a conversion webhook", "The custom resource can neither be read nor written in another version, and namespaces with it cannot be deleted.", 0, false},
		cluster.APIServiceCA:     {"CA bundle of an APIService", "The aggregated API is unavailable, and namespaces cannot be deleted.", 0, false},
		cluster.ServiceServing:   {"serving certificate of a webhook or extension server", "Calls to it fail: what that means depends on its failure policy.", 1, true},
		cluster.TLSSecret:        {"certificate in a TLS Secret", "Who uses the Secret serves an ended certificate, unless something renews it.", 2, true},
		cluster.HostFile:         {"certificate on a control-plane node", "The component that uses the file loses its connections.", 0, false},
		cluster.HostKubeconfig:   {"client certificate of a kubeconfig on a control-plane node", "The component that uses it can no longer talk to kube-apiserver: controllers, scheduling or the node stop.", 0, false},
		cluster.ComponentServing: {"serving certificate of a control-plane component", "Metrics and health checks that verify it fail.", 1, false},
	}
	if f, ok := known[k]; ok {
		return f
	}
	return kindFacts{name: "certificate of kind " + cluster.Cut(string(k)), effect: "What uses it loses its connections.", lowers: 1}
}

// renewSteps say how a certificate of a kind is renewed.
func (j *judge) renewSteps(c *cluster.Chain) []Step {
	vendor, kubeadm := j.s.Distribution.Vendor, j.s.Distribution.Installer == installerKubeadm
	switch c.Kind {
	case cluster.ClusterCA, cluster.FrontProxyCA:
		return []Step{{Text: "Plan the exchange of the CA: spread the new one beside the old one, renew what it signs, restart all components, then take the old one away. It takes days on a large cluster: https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/"}}
	case cluster.APIServerServing, cluster.EtcdServing, cluster.EtcdPeer, cluster.HostFile, cluster.HostKubeconfig, cluster.ComponentServing, cluster.KubeconfigClient:
		switch {
		case c.Kind == cluster.KubeconfigClient && !kubeadm:
			return []Step{{Text: "Get a new kubeconfig from where this one came from."}}
		case managed(vendor):
			return []Step{{Text: vendorName(vendor) + " keeps it: ask its support."}}
		case vendor == release.VendorK3s:
			return []Step{{Text: "k3s renews what ends within 90 days when it restarts; on the server node:", Command: "sudo systemctl restart k3s"}}
		case vendor == release.VendorRKE2:
			return []Step{{Text: "RKE2 renews what ends within 90 days when it restarts; on the server node:", Command: "sudo systemctl restart rke2-server"}}
		case kubeadm:
			return []Step{
				{Text: "On every control-plane node, one after the other: renew, then restart the static pods that hold the old ones in memory.", Command: "sudo kubeadm certs check-expiration; sudo kubeadm certs renew all"},
				{Text: "kubeadm before 1.20 calls it:", Command: "sudo kubeadm alpha certs renew all"},
			}
		}
		return []Step{{Text: "Renew it with what made it, and restart the component that holds it in memory."}}
	case cluster.KubeletServing:
		return []Step{
			{Text: "Where the kubelet made it itself it is never renewed: on the node, delete it and restart the kubelet.", Command: "sudo rm /var/lib/kubelet/pki/kubelet.crt /var/lib/kubelet/pki/kubelet.key && sudo systemctl restart kubelet"},
			{Text: "Better: set serverTLSBootstrap in the kubelet's configuration, and approve its signing requests."},
		}
	case cluster.WebhookCA, cluster.ConversionCA, cluster.APIServiceCA, cluster.ServiceServing:
		return []Step{{Text: "Have what installed it renew certificate and bundle together.", Command: lookAt(c.Object)}}
	case cluster.APIServerLoopback, cluster.TLSSecret:
	}
	return []Step{{Text: "Renew it with what made it.", Command: lookAt(c.Object)}}
}

// lookAt is the command that shows an object that a snapshot names as kind/name or kind/namespace/name.
func lookAt(object string) string {
	parts := strings.Split(object, "/")
	switch len(parts) {
	case 2:
		return command("kubectl get %s %s -o yaml", parts...)
	case 3:
		return command("kubectl get %s -n %s %s -o yaml", parts...)
	}
	return ""
}

// label names a chain for people.
func (c *chain) label() string {
	where := cluster.FirstOf(c.Where, c.Object, c.ID)
	return cluster.Cut(fmt.Sprintf("%s (%s)", kindOf(c.Kind).name, where))
}
