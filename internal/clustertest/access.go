package clustertest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// User is who asks, as a client certificate says it.
type User struct {
	Name   string
	Groups []string
}

// Admin is a user who may do everything.
func Admin() User { return User{Name: "kubernetes-admin", Groups: []string{admins}} }

// Config is for clients of API server 0 that act as u. No rate limit holds them back.
func (c *Cluster) Config(u User) *rest.Config {
	c.tb.Helper()
	p := issue(c.tb, client(u.Name, u.Groups...), c.signers.cluster)
	return &rest.Config{
		Host: "https://" + c.Endpoints()[0], QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.signers.cluster.certPEM, CertData: p.certPEM, KeyData: p.keyPEM},
	}
}

// Kubeconfig writes a kubeconfig of u for the server at an address (host:port) and returns its path. Without an address it is for API server 0.
func (c *Cluster) Kubeconfig(u User, address ...string) string {
	c.tb.Helper()
	from := c.Config(u)
	if len(address) > 0 {
		from.Host = "https://" + address[0]
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: from.Host, CertificateAuthorityData: from.CAData}
	config.AuthInfos[u.Name] = &clientcmdapi.AuthInfo{ClientCertificateData: from.CertData, ClientKeyData: from.KeyData}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: u.Name}
	config.CurrentContext = "test"
	name := filepath.Join(c.tb.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, name); err != nil {
		c.tb.Fatal(err)
	}
	return name
}

// Client is a client of API server 0 that may do everything.
func (c *Cluster) Client() *kubernetes.Clientset {
	c.tb.Helper()
	set, err := kubernetes.NewForConfig(c.Config(Admin()))
	if err != nil {
		c.tb.Fatal(err)
	}
	return set
}

// Grant gives u rights in the whole cluster.
func (c *Cluster) Grant(u User, rules ...rbacv1.PolicyRule) {
	c.tb.Helper()
	set, ctx := c.Client(), c.tb.Context()
	meta := metav1.ObjectMeta{Name: "test-" + u.Name}
	if _, err := set.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err != nil {
		c.tb.Fatal(err)
	}
	c.Bind(u, meta.Name)
}

// Bind gives u the rights of a cluster role.
func (c *Cluster) Bind(u User, role string) {
	c.tb.Helper()
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: u.Name}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	if _, err := c.Client().RbacV1().ClusterRoleBindings().Create(c.tb.Context(), binding, metav1.CreateOptions{}); err != nil {
		c.tb.Fatal(err)
	}
}

// Apply creates the objects of a YAML stream, as an administrator, in the namespace that each names ("default" where it names none).
func (c *Cluster) Apply(manifests string) {
	c.tb.Helper()
	config := c.Config(Admin())
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		c.tb.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		c.tb.Fatal(err)
	}
	kinds := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	stream := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(manifests)), 4096)
	for {
		var u unstructured.Unstructured
		err := stream.Decode(&u.Object)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			c.tb.Fatalf("read manifests: %v", err)
		}
		if len(u.Object) == 0 {
			continue
		}
		kind, err := kinds.RESTMapping(u.GroupVersionKind().GroupKind(), u.GroupVersionKind().Version)
		if err != nil {
			c.tb.Fatal(err)
		}
		var where dynamic.ResourceInterface = objects.Resource(kind.Resource)
		if kind.Scope.Name() == "namespace" {
			namespace := u.GetNamespace()
			if namespace == "" {
				namespace = "default"
			}
			where = objects.Resource(kind.Resource).Namespace(namespace)
		}
		if _, err := where.Create(c.tb.Context(), &u, metav1.CreateOptions{}); err != nil {
			c.tb.Fatalf("create %s %q: %v", u.GetKind(), u.GetName(), err)
		}
	}
}

// httpClient speaks HTTP with one of the cluster's servers, as the user whose certificate it is, signed by signer.
func httpClient(tb testing.TB, signer *pair, user *pair) *http.Client {
	tb.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(signer.cert)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots,
		Certificates: []tls.Certificate{{Certificate: [][]byte{user.cert.Raw}, PrivateKey: user.key}},
	}}}
}
