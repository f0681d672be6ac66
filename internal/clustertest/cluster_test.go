package clustertest_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubelts/kubelts/internal/clustertest"
)

// TestServersAreBuilt is what "make servers" runs. A program that was built once is not built again.
func TestServersAreBuilt(t *testing.T) {
	for _, v := range clustertest.Versions(t) {
		program := clustertest.Binary(t, v)
		if again := clustertest.Binary(t, v); again != program {
			t.Errorf("kube-apiserver %s: %s, and again %s", v, program, again)
		}
		out, err := exec.Command(program, "--version").Output()
		if err != nil || string(out) != "Kubernetes "+v+"\n" {
			t.Errorf("%s: %q, %v; want version %s", program, out, err, v)
		}
	}
	if out, err := exec.Command(clustertest.Kubectl(t), "version", "--client").Output(); err != nil || !strings.Contains(string(out), "Client Version: v1.") {
		t.Errorf("kubectl: %q, %v", out, err)
	}
}

// Every version starts, says which it is, and lets each user do what that user may, and nothing more.
func TestStart(t *testing.T) {
	for _, version := range clustertest.Versions(t) {
		t.Run(version, func(t *testing.T) {
			c := clustertest.Start(t, clustertest.Options{Version: version, Audit: true})
			stranger, reader := clustertest.User{Name: "stranger"}, clustertest.User{Name: "reader"}
			c.Grant(reader, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get", "list"}})
			for user, may := range map[string]bool{"kubernetes-admin": true, "reader": true, "stranger": false} {
				u := map[string]clustertest.User{"kubernetes-admin": clustertest.Admin(), "reader": reader, "stranger": stranger}[user]
				config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig(u))
				if err != nil {
					t.Fatal(err)
				}
				set, err := kubernetes.NewForConfig(config)
				if err != nil {
					t.Fatal(err)
				}
				got, err := set.Discovery().ServerVersion()
				if err != nil || got.GitVersion != version {
					t.Errorf("%s: version %v, %v; want %s", user, got, err, version)
				}
				found, err := set.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
				switch {
				case may && (err != nil || len(found.Items) == 0):
					t.Errorf("%s may list namespaces, but: %v", user, err)
				case !may && !apierrors.IsForbidden(err):
					t.Errorf("%s may not list namespaces, but: %v", user, err)
				}
			}
			asked := c.Audit(stranger)
			i := slices.IndexFunc(asked, func(r clustertest.Request) bool { return r.ObjectRef.Resource == "namespaces" })
			if i < 0 || asked[i].Verb != "list" || asked[i].ResponseStatus.Code != 403 {
				t.Errorf("the audit log has no refused list of namespaces by the stranger: %+v", asked)
			}
			c.Apply(`
apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: team}
data: {a: b}
`)
			got, err := c.Client().CoreV1().ConfigMaps("team").Get(t.Context(), "settings", metav1.GetOptions{})
			if err != nil || got.Data["a"] != "b" {
				t.Errorf("config map %+v, %v", got, err)
			}
			if !strings.Contains(c.Log(0), version) {
				t.Error("the server's log does not name its version")
			}
		})
	}
}
