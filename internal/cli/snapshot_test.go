package cli_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/cli"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/clustertest"
	"github.com/kubelts/kubelts/internal/kube"
)

// snapshot looks at a cluster with check, and reads what it saved.
func snapshot(t *testing.T, kubeconfig string, args ...string) (*cluster.Snapshot, string) {
	t.Helper()
	saved := filepath.Join(t.TempDir(), "snapshot.json")
	var out, log bytes.Buffer
	status := cli.Main(append([]string{"check", "--kubeconfig", kubeconfig, "--save", saved}, args...), cli.Process{
		Stdout: &out, Stderr: &log, Getenv: func(string) string { return "" }, Clock: time.Now,
	})
	if status != 0 && status != 3 {
		t.Fatalf("exit status %d: %s", status, log.String())
	}
	text, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cluster.Read(saved, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s, string(text) + out.String() + log.String()
}

// authority is a certificate of the tests, as PEM.
func authority(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

// fill puts a small cluster into a control plane: a control-plane node with the pods of kubeadm, a worker, add-ons, webhooks, secrets.
func fill(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	ca, _ := authority(t, "webhooks of the tests")
	crt, key := authority(t, "tls of the tests")
	text, err := os.ReadFile("testdata/snapshot/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := c.Client()
	wait(t, "the namespaces that servers make", func() bool {
		_, err := set.CoreV1().Namespaces().Get(t.Context(), "kube-public", metav1.GetOptions{})
		return err == nil
	})
	c.Apply(strings.NewReplacer(
		"VERSION", c.Version, "CABUNDLE", base64.StdEncoding.EncodeToString(ca), "TLSCRT", base64.StdEncoding.EncodeToString(crt), "TLSKEY", base64.StdEncoding.EncodeToString(key),
		"CSRREQUEST", base64.StdEncoding.EncodeToString(request(t)), "SECUREPORT", port(t, c.Endpoints()[0]),
	).Replace(string(text)))
	wait(t, "the condition of the APIService", func() bool {
		text, err := set.RESTClient().Get().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io").DoRaw(t.Context())
		return err == nil && bytes.Contains(text, []byte(`"Available"`))
	})
	for i, name := range []string{"kube-apiserver-cp-1", "etcd-cp-1", "kube-controller-manager-cp-1"} {
		pod, err := set.CoreV1().Pods("kube-system").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(i, err)
		}
		pod.Status.HostIP, pod.Status.PodIP, pod.Status.Phase = "127.0.0.1", "127.0.0.1", corev1.PodRunning
		if _, err := set.CoreV1().Pods("kube-system").UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// wait asks until it is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 600 {
		if so() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: not within a minute", what)
}

// request is a certificate signing request as PEM.
func request(t *testing.T) []byte {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:worker-1", Organization: []string{"system:nodes"}}}, k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func port(t *testing.T, address string) string {
	t.Helper()
	return address[strings.LastIndexByte(address, ':')+1:]
}

// TestSnapshot takes snapshots of real servers with a small cluster's objects, with all rights, with the printed ones, and with none.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, version := range clustertest.Versions(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := clustertest.Start(t, clustertest.Options{Version: version, Audit: true})
			fill(t, c)
			t.Run("all rights", func(t *testing.T) { wholeSnapshot(t, c) })
			t.Run("printed rights", func(t *testing.T) { printedRights(t, c) })
			t.Run("no rights", func(t *testing.T) { noRights(t, c) })
		})
	}
}

func wholeSnapshot(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	s, text := snapshot(t, c.Kubeconfig(clustertest.Admin()), "--secrets")
	for _, secret := range []string{"PRIVATE KEY", base64.StdEncoding.EncodeToString([]byte("PRIVATE KEY")), "f395accd246ae52d", "hunter2"} {
		if strings.Contains(text, secret) {
			t.Errorf("the snapshot contains %q", secret)
		}
	}
	if len(s.APIServers) != 1 {
		t.Fatalf("API servers: %+v", s.APIServers)
	}
	a := s.APIServers[0]
	if a.Name != "kube-apiserver-cp-1" || a.Version != c.Version || a.Source != "pod" || a.Shared || len(a.Loopback) != 1 || a.ProcessStart == nil || a.Flags["anonymous-auth"] != "false" || a.Flags["etcd-servers"] != "https://127.0.0.1:2379" {
		t.Errorf("API server: %+v", a)
	}
	if a.ProcessStart != nil && (time.Since(*a.ProcessStart) > time.Hour || time.Since(*a.ProcessStart) < 0) {
		t.Errorf("process start %v", a.ProcessStart)
	}
	loopbackLife(t, c, s)
	var kinds []string
	for _, one := range s.Certificates {
		kinds = append(kinds, one.ID)
		if len(one.DER) == 0 && one.Problem == "" {
			t.Errorf("%s has no certificate and no problem", one.ID)
		}
	}
	address := a.Address
	want := []string{
		"apiserver-loopback/" + address, "apiserver-serving/" + address, "apiservice-ca/v1beta1.metrics.k8s.io", "cluster-ca/cluster-info", "cluster-ca/extension-apiserver-authentication",
		"cluster-ca/kube-root-ca.crt", "cluster-ca/kubeconfig", "conversion-ca/gadgets.example.com", "front-proxy-ca/extension-apiserver-authentication", "kubeconfig-client/kubernetes-admin",
		"tls-secret/team/ingress", "tls-secret/team/ingress/ca.crt", "webhook-ca/mutatingwebhookconfiguration/hooks/change.example.com", "webhook-ca/validatingwebhookconfiguration/hooks/check.example.com",
	}
	slices.Sort(kinds)
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("certificates (-want +got):\n%s", d)
	}
	wholeObjects(t, c, s)
}

// loopbackLife looks at how long the loopback certificate lasts: a year before 1.33, three since.
func loopbackLife(t *testing.T, c *clustertest.Cluster, s *cluster.Snapshot) {
	t.Helper()
	i := slices.IndexFunc(s.Certificates, func(one cluster.Chain) bool { return one.Kind == cluster.APIServerLoopback })
	if i < 0 {
		t.Fatal("no loopback certificate")
	}
	leaf, err := x509.ParseCertificate(s.Certificates[i].DER[0])
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]int{"v1.24.17": 365, "v1.36.3": 1096}[c.Version]
	if got := int(leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24); got != days {
		t.Errorf("the loopback certificate lasts %d days, want %d", got, days)
	}
}

func wholeObjects(t *testing.T, c *clustertest.Cluster, s *cluster.Snapshot) {
	t.Helper()
	type line struct{ Name, Object, Version string }
	var got []line
	for _, one := range s.Components {
		got = append(got, line{one.Name, one.Object, one.Version})
	}
	want := []line{
		{"coredns", "deployment/coredns", "v1.8.6"},
		{"etcd", "pod/etcd-cp-1", "3.5.6-0"},
		{"ingress-nginx", "deployment/ingress-nginx-controller", "v1.9.4"},
		{"kube-controller-manager", "pod/kube-controller-manager-cp-1", c.Version},
		{"kube-proxy", "daemonset/kube-proxy", c.Version},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("components (-want +got):\n%s", d)
	}
	if len(s.Nodes) != 2 || !s.Nodes[0].ControlPlane || s.Nodes[1].ControlPlane || s.Nodes[1].OS != "windows" || s.Nodes[0].Kubelet != c.Version || !s.Nodes[0].Ready {
		t.Errorf("nodes: %+v", s.Nodes)
	}
	if s.Distribution.Vendor != "" || s.Distribution.Installer != "kubeadm" {
		t.Errorf("distribution: %+v", s.Distribution)
	}
	if len(s.Webhooks) != 4 {
		t.Errorf("webhooks: %+v", s.Webhooks)
	}
	for _, w := range s.Webhooks {
		if w.Object == "apiservice/v1beta1.metrics.k8s.io" && (w.Available == nil || *w.Available || w.Chain == "" || w.Target != "kube-system/metrics-server:443") {
			t.Errorf("APIService: %+v", w)
		}
		if w.Object == "validatingwebhookconfiguration/hooks" && (w.Failure != "Fail" || w.Target != "team/hooks:8443") {
			t.Errorf("webhook: %+v", w)
		}
	}
	if len(s.Signing) != 1 || s.Signing[0].State != "pending" || s.Signing[0].Signer != "kubernetes.io/kubelet-serving" {
		t.Errorf("signing requests: %+v", s.Signing)
	}
	if len(s.Tokens) != 2 || s.Tokens[0].Kind != "bootstrap" || s.Tokens[0].Name != "07401b" || s.Tokens[0].Expires == nil || s.Tokens[1].Name != "kube-system/old-token" {
		t.Errorf("tokens: %+v", s.Tokens)
	}
	stored := []cluster.StoredVersion{{Resource: "gadgets.example.com", Stored: []string{"v1"}, Served: []string{"v1", "v1beta1"}, Storage: "v1"}}
	if d := cmp.Diff(stored, s.Stored); d != "" {
		t.Errorf("stored versions (-want +got):\n%s", d)
	}
	used := map[string]bool{}
	for _, u := range s.Uses {
		used[u.Feature] = u.Used
	}
	features := map[string]bool{
		cluster.UseWindowsNodes: true, cluster.UseAggregatedAPIs: true, cluster.UseWebhooks: true, cluster.UseNodeWebhooks: true, cluster.UseSharedGroups: false, cluster.UseClusterCustom: true,
		cluster.UseMountableSecrets: true, cluster.UseResourceClaims: c.Version == "v1.36.3", cluster.UseNetworkPolicies: true, cluster.UseRBD: true,
	}
	if d := cmp.Diff(features, used); d != "" {
		t.Errorf("uses (-want +got):\n%s", d)
	}
	if s.UID == "" || len(s.Groups) < 20 {
		t.Errorf("UID %q, groups %v", s.UID, s.Groups)
	}
}

// reader is who has what --print-rbac prints, and nothing more.
func printedRights(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	rights, err := kube.RBAC(true)
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(string(rights))
	u := clustertest.User{Name: "system:serviceaccount:kube-system:kubelts-check"}
	requestOld(t, c)
	s, _ := snapshot(t, c.Kubeconfig(u), "--secrets")
	whole, _ := snapshot(t, c.Kubeconfig(clustertest.Admin()), "--secrets")
	for i := range s.Certificates {
		if s.Certificates[i].Kind == cluster.KubeconfigClient {
			s.Certificates[i] = whole.Certificates[i] // they are different people
		}
	}
	s.Taken = whole.Taken
	if d := cmp.Diff(whole, s, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Requests" || p.String() == "Uses.By" }, cmp.Ignore())); d != "" {
		t.Errorf("with the printed rights something else is seen (-all rights +printed rights):\n%s", d)
	}
	for _, n := range s.NotObserved {
		if strings.Contains(n.Reason, "no right to") {
			t.Errorf("the printed rights do not suffice: %+v", n)
		}
	}
	readOnly(t, c, u, s)
}

// requestOld asks for an API that is deprecated and still served, so that the server counts it.
func requestOld(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	if c.Version == "v1.24.17" {
		if err := c.Client().RESTClient().Get().AbsPath("/apis/policy/v1beta1/podsecuritypolicies").Do(context.Background()).Error(); err != nil {
			t.Fatal(err)
		}
	}
}

// readOnly looks at the audit log: nothing but get and list, no deprecated version where a newer one is served, all of it counted.
func readOnly(t *testing.T, c *clustertest.Cluster, u clustertest.User, s *cluster.Snapshot) {
	t.Helper()
	asked := c.Audit(u)
	counted := 0
	for _, r := range s.Requests {
		counted += r.Count
	}
	if len(asked) == 0 || len(asked) != counted {
		t.Errorf("the audit log has %d requests, the snapshot counts %d", len(asked), counted)
	}
	for _, r := range asked {
		if r.Verb != "get" && r.Verb != "list" {
			t.Errorf("it did %s %s", r.Verb, r.RequestURI)
		}
		if !strings.HasPrefix(r.UserAgent, "kubelts/") {
			t.Errorf("user agent %q", r.UserAgent)
		}
		if r.Annotations["k8s.io/deprecated"] == "true" {
			t.Errorf("it asked for a deprecated API: %s", r.RequestURI)
		}
		if r.ResponseStatus.Code == 403 {
			t.Errorf("it had no right to %s %s", r.Verb, r.RequestURI)
		}
		if strings.Contains(r.RequestURI, "/proxy") || r.ObjectRef.Subresource != "" {
			t.Errorf("it asked for %s", r.RequestURI)
		}
	}
	if c.Version == "v1.24.17" {
		i := slices.IndexFunc(s.Deprecated, func(d cluster.DeprecatedAPI) bool { return d.Resource == "podsecuritypolicies" })
		if i < 0 || s.Deprecated[i].Removed != "1.25" {
			t.Errorf("deprecated APIs: %+v", s.Deprecated)
		}
	}
}

// noRights looks with a user who may do nothing: certificates and versions are seen all the same, the rest is named.
func noRights(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	s, _ := snapshot(t, c.Kubeconfig(clustertest.User{Name: "stranger"}), "--secrets")
	if len(s.APIServers) != 1 || len(s.APIServers[0].Loopback) != 1 || s.APIServers[0].Version != c.Version {
		t.Errorf("API servers: %+v", s.APIServers)
	}
	var missed []string
	for _, n := range s.NotObserved {
		missed = append(missed, n.What)
		if n.Reason == "" || n.Area == "" {
			t.Errorf("not observed without reason or area: %+v", n)
		}
	}
	for _, what := range []string{
		"nodes", "addresses of the API servers", "control-plane pods in kube-system", "kube-proxy and add-ons", "admission webhooks", "extension API servers", "custom resource definitions", "certificate signing requests",
		"TLS secrets", "bootstrap tokens", "authorities of clients and of the front proxy", "storage classes", "UID of the namespace kube-system",
	} {
		if !slices.Contains(missed, what) {
			t.Errorf("%q is not named as not observed", what)
		}
	}
	if len(s.Uses) != 1 || s.Uses[0].Feature != cluster.UseResourceClaims {
		t.Errorf("uses without rights: %+v", s.Uses)
	}
}

// TestSnapshotBehindBalancer looks at three API servers through one address, and then at each of them too.
func TestSnapshotBehindBalancer(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, clustertest.Options{Version: clustertest.Versions(t)[0], Addresses: []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}})
	time.Sleep(1100 * time.Millisecond) // the certificates' names tell seconds
	c.Restart(1)
	balancer := clustertest.LoadBalancer(t, c.Endpoints()...)
	config := c.Kubeconfig(clustertest.Admin(), balancer)
	s, _ := snapshot(t, config)
	if len(s.APIServers) != 1 || !s.APIServers[0].Shared || len(s.APIServers[0].Loopback) != 3 || s.APIServers[0].Address != balancer || s.APIServers[0].Version != c.Version {
		t.Errorf("through the load balancer: %+v", s.APIServers)
	}
	s, _ = snapshot(t, config, "--probe", c.Endpoints()[0], "--probe", c.Endpoints()[1], "--probe", c.Endpoints()[2])
	if len(s.APIServers) != 3 {
		t.Fatalf("one by one: %+v", s.APIServers)
	}
	for i, a := range s.APIServers {
		if a.Address != c.Endpoints()[i] || a.Shared || len(a.Loopback) != 1 || a.Version != c.Version {
			t.Errorf("instance %d: %+v", i, a)
		}
	}
	if !s.APIServers[1].ProcessStart.After(*s.APIServers[0].ProcessStart) || !s.APIServers[1].ProcessStart.After(*s.APIServers[2].ProcessStart) {
		t.Errorf("the restarted one did not start last: %v", s.APIServers)
	}
	c.Stop(2)
	s, _ = snapshot(t, config, "--probe", c.Endpoints()[2])
	if !slices.ContainsFunc(s.NotObserved, func(n cluster.NotObserved) bool {
		return n.What == "loopback certificate of "+c.Endpoints()[2] && n.Asked
	}) {
		t.Errorf("the one that is down is not named: %+v", s.NotObserved)
	}
	if i := slices.IndexFunc(s.APIServers, func(a cluster.APIServer) bool { return a.Shared }); i < 0 || len(s.APIServers[i].Loopback) != 2 {
		t.Errorf("the others are not seen: %+v", s.APIServers)
	}
}

// TestHost: the serving certificate was renewed on the node's disk, and the old one is still served.
func TestHost(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, clustertest.Options{Version: clustertest.Versions(t)[0]})
	root := t.TempDir()
	pki := filepath.Join(root, "etc", "kubernetes", "pki")
	if err := os.MkdirAll(pki, 0o700); err != nil {
		t.Fatal(err)
	}
	served := parsed(t, filepath.Join(c.Dir, "pki", "apiserver.crt"))
	ca := parsed(t, filepath.Join(c.Dir, "pki", "ca.crt"))
	keyText, err := os.ReadFile(filepath.Join(c.Dir, "pki", "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(keyText)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParseECPrivateKey(block.Bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	renewed := *served
	renewed.SerialNumber, renewed.NotAfter = big.NewInt(4711), served.NotAfter.AddDate(1, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, &renewed, ca, served.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pki, "apiserver.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	s, text := snapshot(t, c.Kubeconfig(clustertest.Admin()), "--host="+root, "-o", "json")
	if !slices.ContainsFunc(s.Certificates, func(one cluster.Chain) bool { return one.Kind == cluster.HostFile && one.Object == "kube-apiserver" }) {
		t.Error("the file is not in the snapshot")
	}
	if !strings.Contains(text, "certificate-not-loaded") || !strings.Contains(text, "/etc/kubernetes/pki/apiserver.crt") {
		t.Errorf("nothing says that the old one is still served:\n%s", text)
	}
}

func parsed(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
