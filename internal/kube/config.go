package kube

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubelts/kubelts/internal/errs"
)

// Kubeconfig says where the kubeconfig is, as kubectl finds it.
type Kubeconfig struct {
	// File is the one that was named; it must be there.
	File string
	// Files are merged where none was named, the first one's word counts; those that are not there are passed over.
	Files []string
}

// inCluster is the name that a context has which no kubeconfig gives: that of the pod that this runs in.
const inCluster = "in-cluster"

// load reads and merges the files.
func (k Kubeconfig) load() (*api.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: k.File, Precedence: k.Files}
	config, err := rules.Load()
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.Invalid, "read kubeconfig: %w", err), "name another one with --kubeconfig or KUBECONFIG")
	}
	return config, nil
}

// Contexts returns the names of all contexts in order, and that of the current one.
func Contexts(k Kubeconfig) (all []string, current string, err error) {
	config, err := k.load()
	if err != nil {
		return nil, "", err
	}
	for name := range config.Contexts {
		all = append(all, name)
	}
	slices.Sort(all)
	return all, config.CurrentContext, nil
}

// access is how to reach a cluster, and with which rights.
type access struct {
	context string
	config  *rest.Config
	base    *url.URL
	loaded  *api.Config // nil in a pod
	http    *http.Client
}

// access finds a context and makes ready what is needed to ask its cluster.
func (k Kubeconfig) access(name, agent string) (*access, error) {
	loaded, err := k.load()
	if err != nil {
		return nil, err
	}
	a := &access{context: name, loaded: loaded}
	if a.context == "" {
		a.context = loaded.CurrentContext
	}
	if err = a.choose(); err != nil {
		return nil, err
	}
	a.config.UserAgent = agent
	a.config.QPS = -1
	if a.config.ExecProvider != nil {
		a.config.ExecProvider.StdinUnavailable = true
		a.config.ExecProvider.StdinUnavailableMessage = "kubelts gives log-in plug-ins no terminal"
	}
	if a.base, _, err = rest.DefaultServerUrlFor(a.config); err != nil {
		return nil, errs.New(errs.Invalid, "context %q: address of the server: %w", a.context, err)
	}
	if a.http, err = plainClient(a.config); err != nil {
		return nil, errs.WithHint(errs.New(errs.Invalid, "context %q: %w", a.context, err), "see that kubectl works with this context")
	}
	return a, nil
}

// choose fills in the configuration of the context, or of the pod where there is no kubeconfig at all.
func (a *access) choose() (err error) {
	if len(a.loaded.Contexts) == 0 && len(a.loaded.Clusters) == 0 {
		if a.config, err = rest.InClusterConfig(); err == nil {
			a.loaded, a.context = nil, inCluster
			return nil
		}
		return errs.WithHint(errs.New(errs.NotFound, "there is no kubeconfig"), "name one with --kubeconfig or KUBECONFIG")
	}
	if a.context == "" {
		return errs.WithHint(errs.New(errs.NotFound, "the kubeconfig has no current context"), "name one with --context: %s", a.names())
	}
	if a.loaded.Contexts[a.context] == nil {
		return errs.WithHint(errs.New(errs.NotFound, "context %q: the kubeconfig has no such context", a.context), "it has %s", a.names())
	}
	a.config, err = clientcmd.NewNonInteractiveClientConfig(*a.loaded, a.context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return errs.New(errs.Invalid, "context %q: %w", a.context, err)
	}
	return nil
}

// names are the contexts that there are, the first ten of them.
func (a *access) names() string {
	const most = 10
	var all []string
	for name := range a.loaded.Contexts {
		all = append(all, name)
	}
	slices.Sort(all)
	if len(all) > most {
		all = append(all[:most], "...")
	}
	return strings.Join(all, ", ")
}

// plainClient is an HTTP client with the configuration's rights. It does not follow redirects: they could lead credentials astray.
func plainClient(config *rest.Config) (*http.Client, error) {
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// server is scheme, host and port.
func (a *access) server() string { return a.base.Scheme + "://" + a.address() }

// address is host:port of the server.
func (a *access) address() string {
	port := a.base.Port()
	if port == "" {
		port = "443"
		if a.base.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(a.base.Hostname(), port)
}

// proxied says that the API is below a path: something that speaks HTTP stands in front of it.
func (a *access) proxied() bool { return strings.Trim(a.base.Path, "/") != "" }

// client asks the cluster at the kubeconfig's address.
func (a *access) client(log *requests) *client {
	return &client{http: a.http, base: a.base, log: log, gate: make(chan struct{}, maxRequests)}
}

// instance returns a client for one API server. Name is the one that its certificate must have, "" for its address.
func (a *access) instance(address, name string) (*client, error) {
	config := rest.CopyConfig(a.config)
	config.ServerName = name
	return clientAt(config, address)
}

// stranger returns a client for a server that is not known to be of the cluster: no credentials are sent, and no certificate is checked.
func (a *access) stranger(address string) (*client, error) {
	config := rest.AnonymousClientConfig(a.config)
	config.TLSClientConfig = rest.TLSClientConfig{Insecure: true}
	return clientAt(config, address)
}

func clientAt(config *rest.Config, address string) (*client, error) {
	config.Host, config.APIPath = "https://"+address, ""
	httpClient, err := plainClient(config)
	if err != nil {
		return nil, err
	}
	return &client{http: httpClient, base: &url.URL{Scheme: "https", Host: address}, gate: make(chan struct{}, maxRequests)}, nil
}

// authority is the PEM text of the kubeconfig's certificate authority, if it has one of its own.
func (a *access) authority() []byte {
	if len(a.config.CAData) > 0 {
		return a.config.CAData
	}
	if a.config.CAFile == "" {
		return nil
	}
	text, err := os.ReadFile(a.config.CAFile)
	if err != nil {
		return nil // the client would not have been made
	}
	return text
}
