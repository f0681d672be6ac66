package kube_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/kube"
)

// kubeconfig writes a kubeconfig with a token for a server of the tests.
func kubeconfig(t *testing.T, s *httptest.Server) kube.Kubeconfig {
	t.Helper()
	c := api.NewConfig()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	c.Clusters["c"] = &api.Cluster{Server: s.URL, CertificateAuthorityData: ca}
	c.AuthInfos["u"] = &api.AuthInfo{Token: "topsecret"}
	c.Contexts["one"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	c.CurrentContext = "one"
	name := filepath.Join(t.TempDir(), "config")
	if err := clientcmd.WriteToFile(*c, name); err != nil {
		t.Fatal(err)
	}
	return kube.Kubeconfig{File: name}
}

// blind sees nothing.
func blind(_ context.Context, targets []kube.Target) []kube.Sight {
	out := make([]kube.Sight, len(targets))
	for i := range out {
		out[i].Reason = "nobody looked"
	}
	return out
}

func take(t *testing.T, s *httptest.Server, limit time.Duration) *cluster.Snapshot {
	t.Helper()
	seen, err := kube.Take(t.Context(), kube.Options{
		Kubeconfig: kubeconfig(t, s), Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Timeout: limit, UserAgent: "kubelts/test", Look: blind, Secrets: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// old answers as an API server of 1.6 did: no group is stable, versions have few fields.
func old(w http.ResponseWriter, r *http.Request) {
	answers := map[string]string{
		"/version":      `{"major":"1","minor":"6+","gitVersion":"v1.6.13-gke.0","gitCommit":"c","goVersion":"go1.7.6","platform":"linux/amd64"}`,
		"/api":          `{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"10.0.0.1:443"}]}`,
		"/apis":         `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"extensions","versions":[{"groupVersion":"extensions/v1beta1","version":"v1beta1"}]},{"name":"certificates.k8s.io","versions":[{"groupVersion":"certificates.k8s.io/v1beta1","version":"v1beta1"}]},{"name":"apiregistration.k8s.io","versions":[{"groupVersion":"apiregistration.k8s.io/v1alpha1","version":"v1alpha1"}]}]}`,
		"/api/v1/nodes": `{"kind":"NodeList","items":[{"metadata":{"name":"n","labels":{"kubernetes.io/role":"master","cloud.google.com/gke-nodepool":"p"}},"status":{"nodeInfo":{"kubeletVersion":"v1.6.13","operatingSystem":"linux"}}}]}`,
		"/api/v1/namespaces/default/endpoints/kubernetes":              `{"kind":"Endpoints","subsets":[{"addresses":[{"ip":"192.0.2.1"}],"ports":[{"name":"https","port":443}]}]}`,
		"/apis/extensions/v1beta1/daemonsets":                          `{"kind":"DaemonSetList","items":[{"metadata":{"name":"kube-proxy","namespace":"kube-system"},"spec":{"template":{"spec":{"containers":[{"name":"p","image":"gcr.io/google_containers/hyperkube:v1.6.13","command":["/hyperkube","proxy"]}]}}},"status":{"desiredNumberScheduled":1}}]}`,
		"/apis/extensions/v1beta1/deployments":                         `{"kind":"DeploymentList","items":null}`,
		"/apis/certificates.k8s.io/v1beta1/certificatesigningrequests": `{"items":[{"metadata":{"name":"csr"},"spec":{"username":"kubelet"},"status":{"conditions":[{"type":"Denied"}]}}]}`,
		"/metrics": "# TYPE up gauge\nup 1\n",
	}
	text, ok := answers[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		text = `{"kind":"Status","message":"the server could not find the requested resource"}`
	}
	io.WriteString(w, text)
}

func TestOldServer(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(old))
	defer s.Close()
	seen := take(t, s, 10*time.Second)
	if len(seen.Nodes) != 1 || seen.Nodes[0].Kubelet != "v1.6.13" || !seen.Nodes[0].ControlPlane {
		t.Errorf("nodes: %+v", seen.Nodes)
	}
	if len(seen.Components) != 1 || seen.Components[0].Name != "kube-proxy" || seen.Components[0].Version != "v1.6.13" {
		t.Errorf("components: %+v", seen.Components)
	}
	if len(seen.Signing) != 1 || seen.Signing[0].State != "denied" {
		t.Errorf("signing requests: %+v", seen.Signing)
	}
	if seen.Distribution.Vendor != "gke" {
		t.Errorf("distribution: %+v", seen.Distribution)
	}
	i := slices.IndexFunc(seen.APIServers, func(a cluster.APIServer) bool { return a.Source == "kubeconfig" })
	if i < 0 || seen.APIServers[i].Version != "v1.6.13-gke.0" || seen.APIServers[i].Emulated != "" {
		t.Errorf("API servers: %+v", seen.APIServers)
	}
	for _, r := range seen.Requests {
		if strings.Contains(r.Path, "v1beta1") && strings.Contains(r.Path, "endpointslices") {
			t.Errorf("asked for %s, which is not served", r.Path)
		}
	}
}

// TestBadServers: each ends in time, in little memory, without an error, and says what was not seen.
func TestBadServers(t *testing.T) {
	hostile := "\x1b[31m<script>alert(1)</script>\u202e" + strings.Repeat("A", 5000)
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		reason string // that something was not seen for
	}{
		{"says nothing", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer in time"},
		{"stalls in the midst", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"kind":"NodeList","items":[`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "no answer in time"},
		{"drips", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, "no answer in time"},
		{"garbage", func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte{0xff, 0}, 1000)) }, "no such object"},
		{"promises more than it sends", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			io.WriteString(w, `{"items":[`)
		}, "broke off"},
		{"a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			chunk := bytes.Repeat([]byte("x"), 1<<20)
			for range 1 << 10 {
				if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
					return
				}
			}
		}, "more than"},
		{"errors with a gigabyte", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			chunk := bytes.Repeat([]byte("x"), 1<<20)
			for range 1 << 10 {
				if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
					return
				}
			}
		}, "the server answers 500"},
		{"lists without end", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/version" || r.URL.Path == "/api" || r.URL.Path == "/apis" {
				old(w, r)
				return
			}
			io.WriteString(w, `{"metadata":{"continue":"again"},"items":[{"metadata":{"name":"n"}}]}`)
		}, "no answer in time"},
		{"hostile words", func(w http.ResponseWriter, r *http.Request) {
			text, _ := json.Marshal(hostile)
			switch r.URL.Path {
			case "/version":
				fmt.Fprintf(w, `{"gitVersion":%s}`, text)
			case "/api":
				fmt.Fprintf(w, `{"versions":["v1",%s]}`, text)
			case "/apis":
				fmt.Fprintf(w, `{"groups":[{"versions":[{"groupVersion":%s}]}]}`, text)
			case "/api/v1/nodes":
				fmt.Fprintf(w, `{"items":[{"metadata":{"name":%[1]s,"labels":{%[1]s:%[1]s}},"spec":{"providerID":%[1]s},"status":{"addresses":[{"type":"InternalIP","address":%[1]s}],"nodeInfo":{"kubeletVersion":%[1]s,"osImage":%[1]s}}}]}`, text)
			default:
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `{"kind":"Status","message":%s}`, text)
			}
		}, "no right to"},
		{"takes no credentials", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "does not take the credentials"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example.com/", http.StatusFound)
		}, "the server answers 302"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewTLSServer(tt.answer)
			defer s.Close()
			defer s.CloseClientConnections()
			const limit = 2 * time.Second
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			seen := take(t, s, limit)
			if took := time.Since(start); took > limit+time.Second {
				t.Errorf("it took %v", took)
			}
			runtime.ReadMemStats(&after)
			if kept := after.HeapInuse; kept > before.HeapInuse+100<<20 {
				t.Errorf("%d bytes of memory", kept)
			}
			if !slices.ContainsFunc(seen.NotObserved, func(n cluster.NotObserved) bool { return strings.Contains(n.Reason, tt.reason) }) {
				t.Errorf("nothing is not observed for %q: %+v", tt.reason, seen.NotObserved)
			}
			for _, text := range texts(t, seen) {
				if len([]rune(text)) > 2100 {
					t.Errorf("a text of %d characters", len(text))
				}
				if strings.Contains(text, "topsecret") {
					t.Errorf("the token is in the snapshot: %s", text)
				}
			}
		})
	}
}

// texts are all strings in a snapshot.
func texts(t *testing.T, s *cluster.Snapshot) []string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(string); ok {
			out = append(out, text)
		}
	}
}

// TestRedirectKeepsCredentials: a server must not be able to send us, with our credentials, somewhere else.
func TestRedirectKeepsCredentials(t *testing.T) {
	var visits atomic.Int64
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer other.Close()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	take(t, s, 5*time.Second)
	if n := visits.Load(); n != 0 {
		t.Errorf("the other server was asked %d times", n)
	}
}

// TestStrangeInstance: the API names an instance whose certificate the kubeconfig's authority did not sign. It may be asked for its version, and gets no credentials.
func TestStrangeInstance(t *testing.T) {
	var authorized, asked atomic.Int64
	instance := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			authorized.Add(1)
		}
		old(w, r)
	}))
	instance.TLS = nil
	instance.StartTLS()
	defer instance.Close()
	host := instance.Listener.Addr().String()
	s := httptest.NewTLSServer(http.HandlerFunc(old))
	defer s.Close()
	foreign := []byte("not a certificate")
	seen, err := kube.Take(t.Context(), kube.Options{
		Kubeconfig: kubeconfig(t, s), Timeout: 5 * time.Second, Targets: []string{host},
		Look: func(_ context.Context, targets []kube.Target) []kube.Sight {
			out := make([]kube.Sight, len(targets))
			for i, target := range targets {
				if target.Port == host[strings.LastIndexByte(host, ':')+1:] {
					out[i].Serving = [][]byte{foreign}
				}
			}
			return out
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 1 || authorized.Load() != 0 {
		t.Errorf("asked %d times, %d of them with credentials", asked.Load(), authorized.Load())
	}
	i := slices.IndexFunc(seen.APIServers, func(a cluster.APIServer) bool { return a.Address == host })
	if i < 0 || seen.APIServers[i].Version != "v1.6.13-gke.0" {
		t.Errorf("API servers: %+v", seen.APIServers)
	}
}

// TestNothingToSay: errors are only for what makes a snapshot impossible.
func TestNothingToSay(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		config  kube.Kubeconfig
		context string
		kind    errs.Kind
		words   string
	}{
		{"no kubeconfig", kube.Kubeconfig{}, "", errs.NotFound, "there is no kubeconfig"},
		{"the file is not there", kube.Kubeconfig{File: "/nowhere/at/all"}, "", errs.Invalid, "/nowhere/at/all"},
		{"no YAML", kube.Kubeconfig{File: broken}, "", errs.Invalid, "read kubeconfig"},
		{"no such context", kubeconfig(t, s), "two", errs.NotFound, `context "two"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := kube.Take(t.Context(), kube.Options{Kubeconfig: tt.config, Context: tt.context, Look: blind})
			if err == nil || errs.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.words) || len(errs.Hints(err)) == 0 {
				t.Errorf("%v (%s), hints %q", err, errs.KindOf(err), errs.Hints(err))
			}
		})
	}
	all, current, err := kube.Contexts(kubeconfig(t, s))
	if err != nil || current != "one" || !slices.Equal(all, []string{"one"}) {
		t.Errorf("contexts %q, current %q, %v", all, current, err)
	}
}

// TestLogInPlugIn: a plug-in that hangs must not hold the snapshot, and has no terminal.
func TestLogInPlugIn(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(old))
	defer s.Close()
	k := kubeconfig(t, s)
	c, err := clientcmd.LoadFromFile(k.File)
	if err != nil {
		t.Fatal(err)
	}
	c.AuthInfos["u"] = &api.AuthInfo{Exec: &api.ExecConfig{Command: "sleep", Args: []string{"5"}, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.IfAvailableExecInteractiveMode}}
	if err = clientcmd.WriteToFile(*c, k.File); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	seen, err := kube.Take(t.Context(), kube.Options{Kubeconfig: k, Timeout: time.Second, Look: blind})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if len(seen.NotObserved) == 0 {
		t.Error("nothing is not observed")
	}
}
