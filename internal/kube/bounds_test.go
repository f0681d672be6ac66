package kube_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/kube"
)

// many writes a JSON object with a list of n things that differ in their number.
func many(w io.Writer, list string, n int, form string) {
	fmt.Fprintf(w, `{%q:[`, list)
	for i := range n {
		if i > 0 {
			io.WriteString(w, ",")
		}
		fmt.Fprintf(w, form, i)
	}
	io.WriteString(w, `]}`)
}

// TestBoundsAreNamed: what a snapshot has no place for is not observed, by name and number; it is never left out in silence.
func TestBoundsAreNamed(t *testing.T) {
	const (
		stable = `{"groups":[{"versions":[{"groupVersion":"certificates.k8s.io/v1"},{"groupVersion":"admissionregistration.k8s.io/v1"},{"groupVersion":"apiregistration.k8s.io/v1"},{"groupVersion":"apiextensions.k8s.io/v1"},{"groupVersion":"apps/v1"}]}]}`
		client = `"clientConfig":{"service":{"namespace":"a","name":"b"}}`
	)
	pod := `{"metadata":{"name":"p-%d","namespace":"kube-system"},"spec":{"nodeName":"nowhere","containers":[{"name":"%s","image":"registry.k8s.io/%s:v1.30.0"}]}}`
	for _, tt := range []struct {
		name, path, list string
		n                int
		form             string
		what             string
		asked            bool
	}{
		{"signing requests", "/apis/certificates.k8s.io/v1/certificatesigningrequests", "items", 2003, `{"metadata":{"name":"c-%d"}}`, "3 more certificate signing requests", false},
		{"admission webhooks", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "items", 20_002, `{"metadata":{"name":"w-%d"},"webhooks":[{"name":"w",` + client + `}]}`, "2 more admission webhooks", false},
		{"extension servers", "/apis/apiregistration.k8s.io/v1/apiservices", "items", 10_001, `{"metadata":{"name":"s-%d"},"spec":{"service":{"namespace":"a","name":"b"}}}`, "1 more APIServices", false},
		{"conversion webhooks", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "items", 20_001, `{"metadata":{"name":"c-%d"},"spec":{"conversion":{"webhook":{` + client + `}}}}`, "1 more conversion webhooks", false},
		{"components", "/apis/apps/v1/deployments", "items", 2001, `{"metadata":{"name":"d-%d","namespace":"kube-system"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:v1.0.0"}]}}}}`, "1 more components", false},
		{"groups", "/apis", "groups", 5001, `{"versions":[{"groupVersion":"g%d/v1"}]}`, "1 more versions of API groups", false},
		{"endpoints", "/api/v1/namespaces/default/endpoints/kubernetes", "subsets", 201, `{"addresses":[{"ip":"2001:db8::%x"}],"ports":[{"name":"https","port":443}]}`, "1 more endpoints of API servers", false},
		{"an endpoint without address", "/api/v1/namespaces/default/endpoints/kubernetes", "subsets", 1, `{"addresses":[{"ip":"host%d.example.com"}]}`, "an API server at host0.example.com", false},
		{"instances", "/api/v1/nodes", "items", 230, `{"metadata":{"name":"n-%[1]d","labels":{"node-role.kubernetes.io/control-plane":""}},"status":{"addresses":[{"type":"InternalIP","address":"2001:db8::%[1]x"}]}}`, "31 more kube-apiservers, the first at [2001:db8::", true},
		{"control-plane nodes without address", "/api/v1/nodes", "items", 1, `{"metadata":{"name":"cp-%d","labels":{"node-role.kubernetes.io/control-plane":""}}}`, "an API server on control-plane node cp-0", false},
		{"kubelets without address", "/api/v1/nodes", "items", 7, `{"metadata":{"name":"n-%d"},"status":{"addresses":[{"type":"Hostname","address":"n"}]}}`, "serving certificate of the kubelet of 7 nodes, the first of them n-0", true},
		{"kubelets beyond the number", "/api/v1/nodes", "items", 7, `{"metadata":{"name":"n-%[1]d"},"status":{"addresses":[{"type":"InternalIP","address":"2001:db8::%[1]x"}]}}`, "serving certificate of the kubelet of 2 more nodes", false},
		{"etcd without address", "/api/v1/namespaces/kube-system/pods", "items", 3, fmt.Sprintf(strings.Replace(pod, "%d", "%%d", 1), "etcd", "etcd"), "certificates of 3 members of etcd", false},
		{"kube-apiserver without address", "/api/v1/namespaces/kube-system/pods", "items", 1, fmt.Sprintf(strings.Replace(pod, "%d", "%%d", 1), "kube-apiserver", "kube-apiserver"), "the kube-apiserver of pod p-0", false},
		{"bootstrap tokens", "/api/v1/namespaces/kube-system/secrets", "items", 5001, `{"metadata":{"name":"bootstrap-token-%d"},"type":"bootstrap.kubernetes.io/token"}`, "1 more bootstrap tokens", true},
		{"secrets", "/api/v1/secrets", "items", 20_001, `{"metadata":{"name":"s-%d"},"type":"kubernetes.io/tls"}`, "1 more TLS secrets", true},
		{"tokens of service accounts", "/api/v1/secrets", "items", 5001, `{"metadata":{"name":"s-%d"}}`, "1 more tokens of service accounts", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case tt.path:
					many(w, tt.list, tt.n, tt.form)
				case "/apis":
					io.WriteString(w, stable)
				default:
					old(w, r)
				}
			}))
			defer s.Close()
			seen, err := kube.Take(t.Context(), kube.Options{Kubeconfig: kubeconfig(t, s), Timeout: 20 * time.Second, Look: blind, Secrets: true, Kubelets: 5})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(seen.NotObserved, func(n cluster.NotObserved) bool { return strings.HasPrefix(n.What, tt.what) })
			if i < 0 {
				t.Fatalf("nothing says %q: %+v", tt.what, seen.NotObserved)
			}
			if n := seen.NotObserved[i]; n.Asked != tt.asked || n.Reason == "" {
				t.Errorf("%+v", n)
			}
			if err := seen.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestManyMissed: more things that are not observed than a snapshot names are counted, and that one of them was asked for is kept.
func TestManyMissed(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/nodes" {
			many(w, "items", 2500, `{"metadata":{"name":"cp-%d","labels":{"node-role.kubernetes.io/control-plane":""}}}`)
			return
		}
		old(w, r)
	}))
	defer s.Close()
	seen, err := kube.Take(t.Context(), kube.Options{Kubeconfig: kubeconfig(t, s), Timeout: 20 * time.Second, Look: blind, Kubelets: 1})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(seen.NotObserved, func(n cluster.NotObserved) bool { return strings.HasSuffix(n.What, "more things") })
	if i < 0 || !seen.NotObserved[i].Asked || len(seen.NotObserved) != 2001 {
		t.Errorf("%d are named, at %d how many more", len(seen.NotObserved), i)
	}
}
