package clustertest_test

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/clustertest"
)

// What is loaded is there, as large as in a real cluster, and custom resources are served.
func TestPopulate(t *testing.T) {
	for _, version := range clustertest.Versions(t) {
		t.Run(version, func(t *testing.T) {
			c := clustertest.Start(t, clustertest.Options{Version: version})
			c.Populate(clustertest.Load{Nodes: 30, Webhooks: 7, Definitions: 12})
			set := c.Client()
			nodes, err := set.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
			if err != nil || len(nodes.Items) != 30 {
				t.Fatalf("%d nodes, %v", len(nodes.Items), err)
			}
			n := nodes.Items[29]
			size, err := json.Marshal(n)
			if err != nil || len(n.Status.Images) != 50 || len(n.Status.Conditions) != 5 || n.Status.NodeInfo.KubeletVersion != version || len(size) < 12_000 {
				t.Errorf("node of %d bytes, %v: %d images, %d conditions, %+v", len(size), err, len(n.Status.Images), len(n.Status.Conditions), n.Status.NodeInfo)
			}
			validating, err := set.AdmissionregistrationV1().ValidatingWebhookConfigurations().List(t.Context(), metav1.ListOptions{})
			if err != nil || len(validating.Items) != 4 {
				t.Errorf("%d validating webhooks, %v", len(validating.Items), err)
			}
			mutating, err := set.AdmissionregistrationV1().MutatingWebhookConfigurations().List(t.Context(), metav1.ListOptions{})
			if err != nil || len(mutating.Items) != 3 {
				t.Errorf("%d mutating webhooks, %v", len(mutating.Items), err)
			}
			served, err := set.Discovery().ServerResourcesForGroupVersion("load11.example.com/v1")
			if err != nil || len(served.APIResources) != 1 || served.APIResources[0].Name != "things011" {
				t.Errorf("resources of a custom group: %+v, %v", served, err)
			}
		})
	}
}
