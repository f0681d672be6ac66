package kube

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/pki"
)

// identity reads what tells this cluster from others.
func (t *taker) identity(ctx context.Context) {
	var namespace corev1.Namespace
	if err := t.api.get(ctx, "/api/v1/namespaces/kube-system", &namespace); err != nil {
		t.miss(cluster.NotObserved{What: "UID of the namespace kube-system", Area: areaSupport, Reason: reason(err), Hint: remedy(err)})
		return
	}
	t.add(func(s *cluster.Snapshot, _ *found) { s.UID = bounded(string(namespace.UID)) })
}

// bundle makes a chain of the certificates in PEM text.
func bundle(id, where string, kind cluster.ChainKind, text []byte) cluster.Chain {
	certificates, problem := pki.Bundle(text)
	return cluster.Chain{ID: id, Kind: kind, Where: bounded(where), Bundle: true, DER: certificates, Problem: problem}
}

// chain adds chains to the snapshot.
func (t *taker) chain(all ...cluster.Chain) {
	t.add(func(s *cluster.Snapshot, found *found) {
		for _, c := range all {
			if len(s.Certificates) == maxChains {
				found.chains++
				continue
			}
			s.Certificates = append(s.Certificates, c)
		}
	})
}

const maxChains = 50_000

// authorities reads the authorities that the cluster publishes in ConfigMaps.
func (t *taker) authorities(ctx context.Context) {
	var group sync.WaitGroup
	for _, read := range []func(context.Context){t.aggregation, t.rootCA, t.clusterInfo, t.kubeadm} {
		group.Go(func() { read(ctx) })
	}
	group.Wait()
}

// configMap reads a ConfigMap. One that is not there is no error; it is nil.
func (t *taker) configMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	var m corev1.ConfigMap
	err := t.api.get(ctx, "/api/v1/namespaces/"+namespace+"/configmaps/"+name, &m)
	if absent(err) {
		return nil, nil //nolint:nilnil // it is not there, as said
	}
	if err != nil {
		return nil, err
	}
	return &m, nil
}

func (t *taker) aggregation(ctx context.Context) {
	const name = "extension-apiserver-authentication"
	m, err := t.configMap(ctx, "kube-system", name)
	if err != nil {
		t.miss(cluster.NotObserved{What: "authorities of clients and of the front proxy", Area: areaCertificates, Reason: reason(err), Hint: remedy(err)})
		return
	}
	if m == nil {
		t.miss(cluster.NotObserved{What: "authorities of clients and of the front proxy", Area: areaCertificates, Reason: "there is no ConfigMap kube-system/" + name})
		return
	}
	for _, one := range []struct {
		key  string
		kind cluster.ChainKind
	}{{"client-ca-file", cluster.ClusterCA}, {"requestheader-client-ca-file", cluster.FrontProxyCA}} {
		if text := m.Data[one.key]; text != "" {
			t.chain(bundle(string(one.kind)+"/"+name, "configmap kube-system/"+name+", "+one.key, one.kind, []byte(text)))
			continue
		}
		t.miss(cluster.NotObserved{What: one.key + " of the API servers", Area: areaCertificates, Reason: "the ConfigMap kube-system/" + name + " does not have it: the API servers run without it"})
	}
}

func (t *taker) rootCA(ctx context.Context) {
	const name = "kube-root-ca.crt"
	m, err := t.configMap(ctx, "default", name)
	if err != nil {
		t.miss(cluster.NotObserved{What: "authority that pods trust", Area: areaCertificates, Reason: reason(err), Hint: remedy(err)})
		return
	}
	if m != nil {
		t.chain(bundle("cluster-ca/"+name, "configmap default/"+name, cluster.ClusterCA, []byte(m.Data["ca.crt"])))
	}
}

// clusterInfo reads what nodes trust when they join, which kubeadm publishes.
func (t *taker) clusterInfo(ctx context.Context) {
	m, err := t.configMap(ctx, "kube-public", "cluster-info")
	if err != nil {
		t.miss(cluster.NotObserved{What: "authority for nodes that join", Area: areaCertificates, Reason: reason(err), Hint: remedy(err)})
		return
	}
	if m == nil {
		return
	}
	t.mark("configmap/kube-public/cluster-info")
	config, err := clientcmd.Load([]byte(m.Data["kubeconfig"]))
	if err != nil {
		t.miss(cluster.NotObserved{What: "authority for nodes that join", Area: areaCertificates, Reason: "the ConfigMap kube-public/cluster-info has no kubeconfig that can be read: " + err.Error()})
		return
	}
	for _, c := range config.Clusters {
		if len(c.CertificateAuthorityData) > 0 {
			t.chain(bundle("cluster-ca/cluster-info", "configmap kube-public/cluster-info", cluster.ClusterCA, c.CertificateAuthorityData))
			return
		}
	}
}

func (t *taker) kubeadm(ctx context.Context) {
	m, err := t.configMap(ctx, "kube-system", "kubeadm-config")
	if err != nil {
		t.miss(cluster.NotObserved{What: "whether kubeadm set the cluster up", Area: areaSupport, Reason: reason(err), Hint: remedy(err)})
		return
	}
	if m != nil {
		t.mark("configmap/kube-system/kubeadm-config")
	}
}

// mark notes that there is an object that tells a distribution.
func (t *taker) mark(object string) {
	t.add(func(s *cluster.Snapshot, _ *found) { s.Marks = append(s.Marks, object) })
}

// openshift reads the release of OpenShift, where it is one.
func (t *taker) openshift(ctx context.Context) {
	if !t.groups["config.openshift.io/v1"] {
		return
	}
	var v struct {
		Status struct {
			Desired struct {
				Version string `json:"version"`
			} `json:"desired"`
		} `json:"status"`
	}
	err := t.api.get(ctx, "/apis/config.openshift.io/v1/clusterversions/version", &v)
	if err != nil {
		t.miss(cluster.NotObserved{What: "release of OpenShift", Area: areaSupport, Reason: reason(err), Hint: remedy(err)})
		return
	}
	t.mark("openshift-release/" + bounded(v.Status.Desired.Version))
}
