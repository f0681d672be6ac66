package kube

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/pki"
)

// hook is what is wanted of an admission webhook of either kind.
type hook struct {
	object  string
	name    string
	client  *admissionv1.WebhookClientConfig
	failure *admissionv1.FailurePolicyType
}

// Bounds of what is kept of each kind; a snapshot holds as many webhooks as all of these together.
const (
	maxWebhooks    = 20_000
	maxExtensions  = 10_000
	maxConversions = 20_000
	maxVersions    = 100 // of one custom resource
)

// webhooks reads the admission webhooks.
func (t *taker) webhooks(ctx context.Context) {
	t.progress("webhooks")
	served := t.groups.first("admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1")
	if served == "" {
		return
	}
	var hooks []cluster.Webhook
	var chains []cluster.Chain
	nodes, all, used := false, 0, map[string]bool{}
	add := func(h hook) {
		if all++; all > maxWebhooks {
			return
		}
		w, c := webhook(h)
		if c != nil {
			for used[c.ID] { // old servers allow webhooks of one name in one configuration
				c.ID += "+"
			}
			used[c.ID], w.Chain = true, c.ID
			chains = append(chains, *c)
		}
		hooks = append(hooks, w)
	}
	err := read(ctx, t, served, "validatingwebhookconfigurations", func(c *admissionv1.ValidatingWebhookConfiguration) {
		for i := range c.Webhooks {
			h := &c.Webhooks[i]
			nodes = nodes || slices.ContainsFunc(h.Rules, ofNodes)
			add(hook{"validatingwebhookconfiguration/" + c.Name, h.Name, &h.ClientConfig, h.FailurePolicy})
		}
	})
	if err == nil {
		err = read(ctx, t, served, "mutatingwebhookconfigurations", func(c *admissionv1.MutatingWebhookConfiguration) {
			for i := range c.Webhooks {
				h := &c.Webhooks[i]
				add(hook{"mutatingwebhookconfiguration/" + c.Name, h.Name, &h.ClientConfig, h.FailurePolicy})
			}
		})
	}
	t.chain(chains...)
	t.add(func(s *cluster.Snapshot, _ *found) { s.Webhooks = append(s.Webhooks, hooks...) })
	t.beyond(cluster.NotObserved{What: "admission webhooks", Area: areaCertificates}, all, maxWebhooks)
	if err != nil {
		t.miss(cluster.NotObserved{What: "admission webhooks", Area: areaCertificates, Reason: reason(err), Hint: remedy(err)})
		return
	}
	t.use(cluster.UseWebhooks, all > 0, fmt.Sprintf("there are %d admission webhooks", all))
	t.use(cluster.UseNodeWebhooks, nodes, "the resources that validating webhooks ask for")
}

// ofNodes says whether a rule covers nodes.
func ofNodes(r admissionv1.RuleWithOperations) bool {
	group := slices.Contains(r.APIGroups, "") || slices.Contains(r.APIGroups, "*")
	return group && slices.ContainsFunc(r.Resources, func(name string) bool { return name == "nodes" || name == "*" || name == "*/*" || name == "nodes/*" })
}

func webhook(h hook) (cluster.Webhook, *cluster.Chain) {
	w := cluster.Webhook{Object: bounded(h.object), Name: bounded(h.name)}
	if h.failure != nil {
		w.Failure = bounded(string(*h.failure))
	}
	host := ""
	if s := h.client.Service; s != nil {
		w.Target, host = service(s.Namespace, s.Name, s.Port)
	} else if h.client.URL != nil {
		w.Target, host = address(*h.client.URL)
	}
	if len(h.client.CABundle) == 0 {
		return w, nil
	}
	c := bundle("webhook-ca/"+w.Object+"/"+w.Name, w.Object+", "+w.Name, cluster.WebhookCA, h.client.CABundle)
	c.Object, c.Host, w.Chain = w.Object, host, c.ID
	return w, &c
}

// service is how a service is written, and the name that its server's certificate must have.
func service(namespace, name string, port *int32) (target, host string) {
	n := int32(443)
	if port != nil {
		n = *port
	}
	return bounded(fmt.Sprintf("%s/%s:%d", namespace, name, n)), bounded(name + "." + namespace + ".svc")
}

// address is the host of a URL, without what else may stand in it.
func address(text string) (target, host string) {
	u, err := url.Parse(text)
	if err != nil {
		return "(no address)", ""
	}
	return bounded(u.Host), bounded(u.Hostname())
}

// extension is what is wanted of an APIService.
type extension struct {
	Metadata named `json:"metadata"`
	Spec     struct {
		Service *struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
			Port      *int32 `json:"port"`
		} `json:"service"`
		CABundle []byte `json:"caBundle"`
		Insecure bool   `json:"insecureSkipTLSVerify"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
			Reason string `json:"reason"`
		} `json:"conditions"`
	} `json:"status"`
}

type named struct {
	Name string `json:"name"`
}

// extensions reads the APIServices that other servers back.
func (t *taker) extensions(ctx context.Context) {
	served := t.groups.first("apiregistration.k8s.io/v1", "apiregistration.k8s.io/v1beta1")
	if served == "" {
		return
	}
	var hooks []cluster.Webhook
	var chains []cluster.Chain
	all := 0
	err := t.api.list(ctx, plain(root(served)+"/apiservices", func(e *extension) {
		if e.Spec.Service == nil {
			return
		}
		if all++; all > maxExtensions {
			return
		}
		w, host := e.webhook()
		if len(e.Spec.CABundle) > 0 {
			c := bundle("apiservice-ca/"+w.Name, w.Object, cluster.APIServiceCA, e.Spec.CABundle)
			c.Object, c.Host, w.Chain = w.Object, host, c.ID
			chains = append(chains, c)
		}
		hooks = append(hooks, w)
	}).with("resourceVersion", "0"))
	t.chain(chains...)
	t.add(func(s *cluster.Snapshot, _ *found) { s.Webhooks = append(s.Webhooks, hooks...) })
	t.beyond(cluster.NotObserved{What: "APIServices that other servers back", Area: areaCertificates}, all, maxExtensions)
	if err != nil {
		t.miss(cluster.NotObserved{What: "extension API servers", Area: areaCertificates, Reason: reason(err), Hint: remedy(err)})
		return
	}
	t.use(cluster.UseAggregatedAPIs, len(hooks) > 0, fmt.Sprintf("%d APIServices are backed by other servers", len(hooks)))
}

func (e *extension) webhook() (w cluster.Webhook, host string) {
	w = cluster.Webhook{Object: "apiservice/" + bounded(e.Metadata.Name), Name: bounded(e.Metadata.Name), Insecure: e.Spec.Insecure}
	w.Target, host = service(e.Spec.Service.Namespace, e.Spec.Service.Name, e.Spec.Service.Port)
	for _, c := range e.Status.Conditions {
		if c.Type == "Available" {
			available := c.Status == "True"
			w.Available = &available
			if !available {
				w.Reason = bounded(c.Reason)
			}
		}
	}
	return w, host
}

// use notes whether a feature is in use.
func (t *taker) use(feature string, used bool, by string) {
	t.add(func(s *cluster.Snapshot, _ *found) {
		s.Uses = append(s.Uses, cluster.Use{Feature: feature, Used: used, By: by})
	})
}

// customResource is what is wanted of a CustomResourceDefinition, of either version.
type customResource struct {
	Metadata named `json:"metadata"`
	Spec     struct {
		Group      string      `json:"group"`
		Scope      string      `json:"scope"`
		Version    string      `json:"version"` // v1beta1
		Versions   []crVersion `json:"versions"`
		Conversion *struct {
			Client  *hookClient `json:"webhookClientConfig"` // v1beta1
			Webhook *struct {
				Client *hookClient `json:"clientConfig"`
			} `json:"webhook"`
		} `json:"conversion"`
	} `json:"spec"`
	Status struct {
		Stored []string `json:"storedVersions"`
	} `json:"status"`
}

type crVersion struct {
	Name    string `json:"name"`
	Served  bool   `json:"served"`
	Storage bool   `json:"storage"`
}

type hookClient struct {
	URL     *string `json:"url"`
	Service *struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Port      *int32 `json:"port"`
	} `json:"service"`
	CABundle []byte `json:"caBundle"`
}

// customResources reads the CustomResourceDefinitions: which versions are stored, and by which webhooks they are converted.
func (t *taker) customResources(ctx context.Context) {
	t.progress("custom resources")
	served := t.groups.first("apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1")
	if served == "" {
		return
	}
	seen := &definitions{groups: map[string]int{}}
	l := plain(root(served)+"/customresourcedefinitions", seen.add)
	err := t.api.list(ctx, l.with("resourceVersion", "0"))
	t.chain(seen.chains...)
	t.add(func(s *cluster.Snapshot, _ *found) {
		s.Webhooks = append(s.Webhooks, seen.hooks...)
		s.Stored = append(s.Stored, seen.stored...)
	})
	t.beyond(cluster.NotObserved{What: "conversion webhooks", Area: areaCertificates}, seen.conversions, maxConversions)
	for _, name := range seen.long {
		t.miss(cluster.NotObserved{What: "all versions of the custom resource " + name, Area: areaAPIs, Reason: fmt.Sprintf("it has more than %d", maxVersions)})
	}
	if err != nil {
		t.miss(cluster.NotObserved{What: "custom resource definitions", Area: areaAPIs, Reason: reason(err), Hint: remedy(err)})
		return
	}
	by := fmt.Sprintf("there are %d custom resource definitions", len(seen.stored))
	t.use(cluster.UseClusterCustom, seen.clusterScoped > 0, fmt.Sprintf("%s, %d of them cluster-scoped", by, seen.clusterScoped))
	shared := 0
	for _, n := range seen.groups {
		if n > 1 {
			shared++
		}
	}
	t.use(cluster.UseSharedGroups, shared > 0, fmt.Sprintf("%s; %d groups have more than one", by, shared))
}

// definitions is what is kept of CustomResourceDefinitions.
type definitions struct {
	hooks         []cluster.Webhook
	chains        []cluster.Chain
	stored        []cluster.StoredVersion
	groups        map[string]int
	clusterScoped int
	conversions   int      // all that there are; hooks has those that are kept
	long          []string // what has more versions than are kept
}

func (d *definitions) add(c *customResource) {
	name := bounded(c.Metadata.Name)
	v := cluster.StoredVersion{Resource: name, Stored: cutAll(c.Status.Stored), Storage: bounded(c.Spec.Version)}
	if max(len(c.Spec.Versions), len(c.Status.Stored)) > maxVersions {
		d.long = append(d.long, name)
	}
	for _, one := range c.Spec.Versions[:min(len(c.Spec.Versions), maxVersions)] {
		if one.Served {
			v.Served = append(v.Served, bounded(one.Name))
		}
		if one.Storage {
			v.Storage = bounded(one.Name)
		}
	}
	if len(v.Served) == 0 && c.Spec.Version != "" {
		v.Served = []string{bounded(c.Spec.Version)}
	}
	d.stored = append(d.stored, v)
	d.groups[c.Spec.Group]++
	if c.Spec.Scope == "Cluster" {
		d.clusterScoped++
	}
	if c.Spec.Conversion == nil {
		return
	}
	client := c.Spec.Conversion.Client
	if c.Spec.Conversion.Webhook != nil && c.Spec.Conversion.Webhook.Client != nil {
		client = c.Spec.Conversion.Webhook.Client
	}
	if client == nil {
		return
	}
	if d.conversions++; d.conversions <= maxConversions {
		d.conversion(name, client)
	}
}

func (d *definitions) conversion(name string, client *hookClient) {
	w := cluster.Webhook{Object: "customresourcedefinition/" + name, Name: name, Failure: "Fail"} // there is no other policy for conversions
	host := ""
	if s := client.Service; s != nil {
		w.Target, host = service(s.Namespace, s.Name, s.Port)
	} else if client.URL != nil {
		w.Target, host = address(*client.URL)
	}
	if len(client.CABundle) > 0 {
		certificates, problem := pki.Bundle(client.CABundle)
		c := cluster.Chain{ID: "conversion-ca/" + name, Kind: cluster.ConversionCA, Where: w.Object, Object: w.Object, Host: host, Bundle: true, DER: certificates, Problem: problem}
		d.chains, w.Chain = append(d.chains, c), c.ID
	}
	d.hooks = append(d.hooks, w)
}

func cutAll(texts []string) []string {
	out := []string{}
	for _, s := range texts[:min(len(texts), maxVersions)] {
		out = append(out, cmp.Or(bounded(s), "?"))
	}
	return out
}
