package kube_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/cluster"
)

// beta answers as servers between 1.9 and 1.17 did: what is stable today was v1beta1.
func beta(w http.ResponseWriter, r *http.Request) {
	const ca = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk9OUT09Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"
	var groups []string
	for _, gv := range []string{
		"admissionregistration.k8s.io/v1beta1", "apiextensions.k8s.io/v1beta1", "apiregistration.k8s.io/v1beta1", "discovery.k8s.io/v1beta1", "apps/v1beta2", "storage.k8s.io/v1beta1", "certificates.k8s.io/v1beta1",
	} {
		groups = append(groups, `{"versions":[{"groupVersion":"`+gv+`"}]}`)
	}
	answers := map[string]string{
		"/version": `{"major":"1","minor":"15","gitVersion":"v1.15.12"}`,
		"/api":     `{"versions":["v1"]}`,
		"/apis":    `{"groups":[` + strings.Join(groups, ",") + `]}`,
		"/apis/admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations": `{"items":[{"metadata":{"name":"a"},"webhooks":[{"name":"w","failurePolicy":"Fail","clientConfig":{"caBundle":"` + ca + `","service":{"namespace":"n","name":"s"}},"rules":[{"apiGroups":["*"],"resources":["*"]}]},{"name":"w","clientConfig":{"caBundle":"` + ca + `"}}]}]}`,
		"/apis/admissionregistration.k8s.io/v1beta1/mutatingwebhookconfigurations":   `{"items":[]}`,
		"/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions": `{"items":[{"metadata":{"name":"as.x"},"spec":{"group":"x","scope":"Namespaced","version":"v1alpha1"},"status":{"storedVersions":["v1alpha1"]}},
			{"metadata":{"name":"bs.x"},"spec":{"group":"x","scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true}],"conversion":{"strategy":"Webhook","webhookClientConfig":{"caBundle":"` + ca + `","url":"https://user:secret@c.example.com/convert"}}},"status":{"storedVersions":["v1"]}}]}`,
		"/apis/apiregistration.k8s.io/v1beta1/apiservices":                 `{"items":[{"metadata":{"name":"v1."},"spec":{"service":null}},{"metadata":{"name":"v1beta1.m"},"spec":{"insecureSkipTLSVerify":true,"service":{"namespace":"n","name":"m"}}}]}`,
		"/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices": `{"items":[{"metadata":{"name":"kubernetes"},"endpoints":[{"addresses":["192.0.2.7"]}],"ports":[{"name":"https","port":8443}]}]}`,
		"/apis/apps/v1beta2/daemonsets":                                    `{"items":[{"metadata":{"name":"kube-proxy","namespace":"kube-system"},"spec":{"template":{"spec":{"containers":[{"name":"p","image":"k8s.gcr.io/kube-proxy:v1.15.12"}]}}},"status":{"desiredNumberScheduled":3}}]}`,
		"/apis/apps/v1beta2/deployments":                                   `{"items":[]}`,
		"/apis/storage.k8s.io/v1beta1/storageclasses":                      `{"items":[{"metadata":{"name":"ceph"},"provisioner":"kubernetes.io/rbd"}]}`,
		"/apis/certificates.k8s.io/v1beta1/certificatesigningrequests":     `{"items":[{"metadata":{"name":"r"},"spec":{"username":"u"},"status":{"conditions":[{"type":"Approved"}]}},{"metadata":{"name":"done"},"status":{"certificate":"` + ca + `"}}]}`,
	}
	text, ok := answers[r.URL.Path]
	if !ok {
		old(w, r)
		return
	}
	if r.Header.Get("Accept") != "application/json" && strings.Contains(r.URL.Path, "beta") {
		http.Error(w, "an old version is read as JSON", http.StatusNotAcceptable)
		return
	}
	io.WriteString(w, text)
}

func TestFallBacks(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(beta))
	defer s.Close()
	seen := take(t, s, 10*time.Second)
	want := []cluster.Webhook{
		{Object: "apiservice/v1beta1.m", Name: "v1beta1.m", Target: "n/m:443", Insecure: true},
		{Object: "customresourcedefinition/bs.x", Name: "bs.x", Target: "c.example.com", Failure: "Fail", Chain: "conversion-ca/bs.x"},
		{Object: "validatingwebhookconfiguration/a", Name: "w", Target: "n/s:443", Failure: "Fail", Chain: "webhook-ca/validatingwebhookconfiguration/a/w"},
		{Object: "validatingwebhookconfiguration/a", Name: "w", Chain: "webhook-ca/validatingwebhookconfiguration/a/w+"},
	}
	if d := cmp.Diff(want, seen.Webhooks); d != "" {
		t.Errorf("webhooks (-want +got):\n%s", d)
	}
	stored := []cluster.StoredVersion{
		{Resource: "as.x", Stored: []string{"v1alpha1"}, Served: []string{"v1alpha1"}, Storage: "v1alpha1"},
		{Resource: "bs.x", Stored: []string{"v1"}, Served: []string{"v1"}, Storage: "v1"},
	}
	if d := cmp.Diff(stored, seen.Stored); d != "" {
		t.Errorf("stored versions (-want +got):\n%s", d)
	}
	if !slices.ContainsFunc(seen.APIServers, func(a cluster.APIServer) bool { return a.Address == "192.0.2.7:8443" && a.Source == "endpoints" }) {
		t.Errorf("API servers: %+v", seen.APIServers)
	}
	if len(seen.Components) != 1 || seen.Components[0].Version != "v1.15.12" || seen.Components[0].Count != 3 {
		t.Errorf("components: %+v", seen.Components)
	}
	if len(seen.Signing) != 1 || seen.Signing[0].State != "approved" {
		t.Errorf("signing requests: %+v", seen.Signing)
	}
	for _, u := range seen.Uses {
		if u.Feature == cluster.UseRBD && !u.Used || u.Feature == cluster.UseNodeWebhooks && !u.Used || u.Feature == cluster.UseSharedGroups && !u.Used || u.Feature == cluster.UseClusterCustom && u.Used {
			t.Errorf("use: %+v", u)
		}
	}
	for _, r := range seen.Requests {
		if strings.Contains(r.Path, "/default/endpoints/") {
			t.Errorf("asked for %s although there are slices", r.Path)
		}
	}
}
