package kube

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// The name of all objects that RBAC returns, and the namespace of the service account.
const (
	rbacName      = "kubelts-check"
	rbacNamespace = "kube-system"
)

type manifest struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   map[string]string `yaml:"metadata"`
	Rules      []rule            `yaml:"rules,omitempty"`
	RoleRef    map[string]string `yaml:"roleRef,omitempty"`
	Subjects   []subject         `yaml:"subjects,omitempty"`
}

type rule struct {
	Groups    []string `yaml:"apiGroups,flow,omitempty"`
	Resources []string `yaml:"resources,flow,omitempty"`
	Names     []string `yaml:"resourceNames,flow,omitempty"`
	URLs      []string `yaml:"nonResourceURLs,flow,omitempty"`
	Verbs     []string `yaml:"verbs,flow"`
}

type subject struct {
	Kind      string `yaml:"kind"`
	Name      string `yaml:"name"`
	Namespace string `yaml:"namespace"`
}

// RBAC returns, as YAML, the least rights with which a snapshot sees all that it can see, and a service account that has them; with secrets also those to
// read secrets. It is for servers from 1.8 on.
func RBAC(secrets bool) ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	account := []subject{{"ServiceAccount", rbacName, rbacNamespace}}
	all := []manifest{{APIVersion: "v1", Kind: "ServiceAccount", Metadata: map[string]string{"name": rbacName, "namespace": rbacNamespace}}}
	const group = "rbac.authorization.k8s.io"
	for _, where := range []struct {
		namespace string
		rules     []rule
	}{{"", clusterRules(secrets)}, {"default", defaultRules()}, {"kube-system", systemRules()}, {"kube-public", publicRules()}} {
		kind, metadata := "Role", map[string]string{"name": rbacName, "namespace": where.namespace}
		if where.namespace == "" {
			kind = "ClusterRole"
			delete(metadata, "namespace")
		}
		all = append(all,
			manifest{APIVersion: group + "/v1", Kind: kind, Metadata: metadata, Rules: where.rules},
			manifest{
				APIVersion: group + "/v1", Kind: kind + "Binding", Metadata: metadata, Subjects: account,
				RoleRef: map[string]string{"apiGroup": group, "kind": kind, "name": rbacName},
			})
	}
	for _, m := range all {
		if err := e.Encode(m); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), e.Close()
}

func clusterRules(secrets bool) []rule { //nolint:revive // it is the flag --secrets
	list := []string{"list"}
	rules := []rule{
		{Groups: []string{""}, Resources: []string{"nodes", "serviceaccounts"}, Verbs: list},
		{Groups: []string{"apps", "extensions"}, Resources: []string{"daemonsets", "deployments"}, Verbs: list},
		{Groups: []string{"admissionregistration.k8s.io"}, Resources: []string{"validatingwebhookconfigurations", "mutatingwebhookconfigurations"}, Verbs: list},
		{Groups: []string{"apiregistration.k8s.io"}, Resources: []string{"apiservices"}, Verbs: list},
		{Groups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: list},
		{Groups: []string{"certificates.k8s.io"}, Resources: []string{"certificatesigningrequests"}, Verbs: list},
		{Groups: []string{"storage.k8s.io"}, Resources: []string{"storageclasses"}, Verbs: list},
		{Groups: []string{"networking.k8s.io", "extensions"}, Resources: []string{"networkpolicies"}, Verbs: list},
		{Groups: []string{"config.openshift.io"}, Resources: []string{"clusterversions"}, Names: []string{"version"}, Verbs: []string{"get"}},
		{URLs: []string{"/version", "/api", "/apis", "/metrics"}, Verbs: []string{"get"}},
	}
	if secrets {
		rules = append(rules, rule{Groups: []string{""}, Resources: []string{"secrets"}, Verbs: list})
	}
	return rules
}

func defaultRules() []rule {
	return []rule{
		{Groups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"list"}},
		{Groups: []string{""}, Resources: []string{"endpoints"}, Names: []string{"kubernetes"}, Verbs: []string{"get"}},
		{Groups: []string{""}, Resources: []string{"configmaps"}, Names: []string{"kube-root-ca.crt"}, Verbs: []string{"get"}},
	}
}

func systemRules() []rule {
	return []rule{
		{Groups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
		{Groups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"list"}},
		{Groups: []string{""}, Resources: []string{"configmaps"}, Names: []string{"extension-apiserver-authentication", "kubeadm-config"}, Verbs: []string{"get"}},
		// The right to get a namespace is one within it.
		{Groups: []string{""}, Resources: []string{"namespaces"}, Names: []string{"kube-system"}, Verbs: []string{"get"}},
	}
}

func publicRules() []rule {
	return []rule{{Groups: []string{""}, Resources: []string{"configmaps"}, Names: []string{"cluster-info"}, Verbs: []string{"get"}}}
}
