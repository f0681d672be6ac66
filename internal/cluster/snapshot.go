// Package cluster is a cluster as it was seen: its snapshot, the file format of that, and whose Kubernetes it is.
//
// Words: a snapshot is what was seen of a cluster, as one JSON document. Not observed is something that was looked for and could not
// be seen, with the reason. What a snapshot means is said by package verdict.
//
// Promises: pure functions; a snapshot that was read is within the limits. Text in it comes from strangers: it is bounded when a
// snapshot is read, and escaping is the duty of who prints it.
package cluster

import "time"

// Format names the form of a snapshot. Fields may be added to it, not changed.
const Format = "kubelts.snapshot/1"

// Snapshot is what was seen of a cluster at one time. Lists are in a fixed order; secrets are never in it.
type Snapshot struct {
	Format  string    `json:"format"`
	Taken   time.Time `json:"taken"`
	Tool    string    `json:"tool"`    // the version of kubelts that took it
	Context string    `json:"context"` // the kubeconfig's context
	Server  string    `json:"server"`  // scheme, host and port of the API as the kubeconfig names it
	UID     string    `json:"uid"`     // of the namespace kube-system: it stays the same when the cluster is renamed

	Distribution Distribution `json:"distribution"`
	APIServers   []APIServer  `json:"apiServers"`
	// Identities are the kube-apiservers that say by a lease in kube-system that they run, or ran: from 1.26 on, one for each host name.
	Identities []Identity  `json:"identities,omitempty"`
	Components []Component `json:"components"`
	Nodes      []Node      `json:"nodes"`

	Certificates []Chain         `json:"certificates"`
	Webhooks     []Webhook       `json:"webhooks"`
	Signing      []SigningReq    `json:"signingRequests"` // certificate signing requests that wait, and those lately refused
	Tokens       []Token         `json:"tokens"`
	Deprecated   []DeprecatedAPI `json:"deprecatedAPIs"` // really requested, as the API servers count
	Stored       []StoredVersion `json:"storedVersions"`
	Groups       []string        `json:"groups"` // group versions that are served, such as apps/v1; v1 for the core
	// Marks are objects whose presence tells a distribution, such as configmap/kube-system/kubeadm-config.
	Marks []string `json:"marks,omitempty"`
	Uses  []Use    `json:"uses"`

	NotObserved []NotObserved `json:"notObserved"`
	Requests    []Request     `json:"requests"` // what was asked of the API to take this
}

// Distribution is whose Kubernetes this is.
type Distribution struct {
	// Vendor is one of release's vendors (release.VendorEKS, ...), or "" for upstream's own builds and where nothing tells.
	Vendor string `json:"vendor"`
	// Installer is what set the cluster up, where that shows: kubeadm, kops, kubespray, ...
	Installer string `json:"installer,omitempty"`
	// Release is the distribution's own version, such as OpenShift's 4.14.12.
	Release string   `json:"release,omitempty"`
	Signs   []string `json:"signs"` // by what this was told, one sentence each
}

// APIServer is one kube-apiserver, or an address behind which there is at least one.
type APIServer struct {
	Name    string `json:"name"`    // its pod or node, or its address where neither shows
	Address string `json:"address"` // host:port where it was looked at; "" when it is known from the API only
	Source  string `json:"source"`  // how it was found: endpoints, pod, node, kubeconfig, user
	// Version is gitVersion as the instance itself says; "" when it could not be asked (NotObserved has why).
	Version string `json:"version"`
	// Emulated and MinCompatible are set by servers from 1.33 on, as minors such as 1.32.
	Emulated      string            `json:"emulated,omitempty"`
	MinCompatible string            `json:"minCompatible,omitempty"`
	GoVersion     string            `json:"goVersion,omitempty"`
	BuildDate     string            `json:"buildDate,omitempty"`
	Platform      string            `json:"platform,omitempty"`
	Image         string            `json:"image,omitempty"`
	Flags         map[string]string `json:"flags,omitempty"` // without dashes, as its pod shows them; values that may be secret are left out
	// ProcessStart is when the process started, as its loopback certificate tells; the earliest where several answer at the address.
	ProcessStart *time.Time `json:"processStart,omitempty"`
	// Loopback are the loopback certificates seen at the address, by ID of Certificates: one for each instance that answered.
	Loopback []string `json:"loopback,omitempty"`
	// Shared says that the address is a load balancer, so that there may be more instances than were seen.
	Shared bool `json:"shared,omitempty"`
}

// Identity is a lease of a kube-apiserver.
type Identity struct {
	Name    string    `json:"name"`
	Host    string    `json:"host"` // the name of the host that the server runs on
	Renewed time.Time `json:"renewed"`
}

// Component is a program of the cluster other than kube-apiserver and kubelet: a pod, or the pods of a DaemonSet or
// Deployment that are alike.
type Component struct {
	Name      string `json:"name"`      // kube-controller-manager, kube-scheduler, cloud-controller-manager, kube-proxy, etcd, coredns, ...
	Namespace string `json:"namespace"` // of the object
	Object    string `json:"object"`    // kind/name, such as daemonset/kube-proxy
	Node      string `json:"node,omitempty"`
	Image     string `json:"image"`
	Version   string `json:"version"` // from the image's tag; "" when that is no version
	Count     int    `json:"count"`   // how many pods of it
	// Flags are as for API servers.
	Flags map[string]string `json:"flags,omitempty"`
}

// Node is a node of the cluster.
type Node struct {
	Name         string    `json:"name"`
	Kubelet      string    `json:"kubelet"` // version
	Runtime      string    `json:"runtime"` // such as containerd://1.7.2
	Kernel       string    `json:"kernel"`
	OS           string    `json:"os"`    // linux, windows
	Image        string    `json:"image"` // the operating system's name, such as Ubuntu 22.04.3 LTS
	Architecture string    `json:"architecture"`
	ControlPlane bool      `json:"controlPlane,omitempty"`
	Ready        bool      `json:"ready"`
	Created      time.Time `json:"created"`
	Addresses    []string  `json:"addresses,omitempty"` // internal ones
	Provider     string    `json:"provider,omitempty"`  // the part of providerID before ://
	Labels       []string  `json:"labels,omitempty"`    // keys that tell a distribution; never all labels
}

// Chain is a certificate with those that came with it, as DER, the leaf first; or the certificates of a bundle, which are
// each for themselves.
type Chain struct {
	ID     string    `json:"id"` // unique in the snapshot, stable from run to run
	Kind   ChainKind `json:"kind"`
	Where  string    `json:"where"` // address, object or file, for people
	Object string    `json:"object,omitempty"`
	Host   string    `json:"host,omitempty"` // the name that clients ask for and the leaf must have; "" when none is known
	Bundle bool      `json:"bundle,omitempty"`
	DER    [][]byte  `json:"der"`
	// Problem says why there are no certificates in what should have some: "not PEM", "empty", ...
	Problem string `json:"problem,omitempty"`
}

// ChainKind is what certificates are for.
type ChainKind string

// The kinds of chains. The number is that of the inventory in docs/check.md.
const (
	ClusterCA         ChainKind = "cluster-ca"
	FrontProxyCA      ChainKind = "front-proxy-ca"
	APIServerServing  ChainKind = "apiserver-serving"
	APIServerLoopback ChainKind = "apiserver-loopback"
	EtcdServing       ChainKind = "etcd-serving"
	EtcdPeer          ChainKind = "etcd-peer"
	KubeletServing    ChainKind = "kubelet-serving"
	KubeconfigClient  ChainKind = "kubeconfig-client"
	WebhookCA         ChainKind = "webhook-ca"
	ConversionCA      ChainKind = "conversion-ca"
	APIServiceCA      ChainKind = "apiservice-ca"
	ServiceServing    ChainKind = "service-serving" // of a webhook or extension server, as served
	TLSSecret         ChainKind = "tls-secret"
	HostFile          ChainKind = "host-file" // read from a control-plane node's disk; Where is its path
	HostKubeconfig    ChainKind = "host-kubeconfig"
	ComponentServing  ChainKind = "component-serving" // controller-manager, scheduler
)

// Webhook is an admission webhook, the conversion webhook of a CRD, or the server of an APIService.
type Webhook struct {
	Object  string `json:"object"` // kind/name
	Name    string `json:"name"`
	Target  string `json:"target"`            // namespace/service:port, or the URL's host
	Failure string `json:"failure,omitempty"` // Fail, Ignore
	// Chain is the ID of its CA bundle, "" when it has none: then the API server's own roots count, or nothing is verified.
	Chain string `json:"chain,omitempty"`
	// Insecure says that the server's certificate is not verified (APIServices only).
	Insecure bool `json:"insecure,omitempty"`
	// Available is an APIService's condition, nil for others; Reason is its reason when false.
	Available *bool  `json:"available,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// SigningReq is a certificate signing request.
type SigningReq struct {
	Name      string    `json:"name"`
	Signer    string    `json:"signer"`
	Requester string    `json:"requester"`
	Created   time.Time `json:"created"`
	State     string    `json:"state"` // pending, approved (and not issued), denied, failed
}

// Token is something that lets somebody in and ends, or does not. It never holds the secret.
type Token struct {
	Kind    string     `json:"kind"` // bootstrap, legacy-service-account
	Name    string     `json:"name"`
	Expires *time.Time `json:"expires,omitempty"` // nil: never
	Uses    []string   `json:"uses,omitempty"`
}

// DeprecatedAPI is a deprecated API that somebody requested since the API server started.
type DeprecatedAPI struct {
	Group       string `json:"group"`
	Version     string `json:"version"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource,omitempty"`
	Removed     string `json:"removed"`  // the minor that does not serve it any more, as the API server says; "" when it does not
	Instance    string `json:"instance"` // the API server that counted
}

// StoredVersion is a version in which objects of a custom resource may be stored.
type StoredVersion struct {
	Resource string   `json:"resource"` // plural.group
	Stored   []string `json:"stored"`
	Served   []string `json:"served"`
	Storage  string   `json:"storage"` // the version that new objects are stored in
}

// Use says whether a feature is in use. What is not in the list was not looked for.
type Use struct {
	Feature string `json:"feature"` // one of the names in docs/check.md, such as windows-nodes, aggregated-apis, node-restriction
	Used    bool   `json:"used"`
	By      string `json:"by"` // by what this was told, one sentence
}

// NotObserved is something that was looked for and could not be seen.
type NotObserved struct {
	What   string `json:"what"`   // such as "loopback certificate of 10.0.0.1:6443"
	Area   string `json:"area"`   // what cannot be judged without it: support, certificates, loopback, skew, vulnerabilities, apis, nodes
	Reason string `json:"reason"` // in words
	Hint   string `json:"hint,omitempty"`
	// Asked says that the user asked for it: then the exit status tells of it.
	Asked bool `json:"asked,omitempty"`
}

// Request is how often a path of the API was asked for.
type Request struct {
	Verb  string `json:"verb"` // get, list
	Path  string `json:"path"` // without query
	Count int    `json:"count"`
	Bytes int64  `json:"bytes"` // of the bodies, as they came over the wire after decompression
}
