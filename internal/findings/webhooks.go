package findings

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
)

// checkWebhooks tells of webhooks that cannot be trusted and of aggregated APIs that do not answer. Ends of their CA bundles are told with
// the other certificates.
func (j *judge) checkWebhooks() error {
	var insecure []string
	for _, w := range j.s.Webhooks {
		id := cluster.Cut(w.Object + "/" + w.Name)
		if w.Insecure {
			insecure = append(insecure, cluster.Cut(cmp.Or(w.Name, w.Object)))
		}
		if w.Available != nil && !*w.Available {
			j.add(Finding{
				ID: "apiservice-unavailable/" + id, Rule: "apiservice-unavailable", Area: cluster.APIs, Severity: High, Broken: true, Subjects: []string{cluster.FirstOf(w.Name, w.Object)},
				Title:    fmt.Sprintf("the aggregated API %s is not available: %s", cluster.Cut(cluster.FirstOf(w.Name, w.Object)), cluster.Cut(cmp.Or(w.Reason, "no reason given"))),
				Effect:   "Its resources cannot be used, namespaces cannot be deleted, and the garbage collector may stand still.",
				Evidence: []string{"served by " + cluster.Cut(w.Target)},
				Remedy:   []Step{{Text: "See why.", Command: command("kubectl describe apiservice %s", apiServiceName(w))}, {Text: "If nothing serves it any more, delete the APIService."}},
			})
		}
		if strings.EqualFold(w.Failure, "Fail") && w.Chain == "" && strings.Contains(w.Target, "/") {
			effect := "every write that it watches is refused."
			if strings.HasPrefix(w.Object, "customresourcedefinition/") {
				effect = "its objects cannot be read or written in another version than the stored one."
			}
			j.add(Finding{
				ID: "webhook-no-ca/" + id, Rule: "webhook-no-ca", Area: cluster.APIs, Severity: Medium, Subjects: []string{cluster.Cut(w.Object) + " " + cluster.Cut(w.Name)},
				Title:    fmt.Sprintf("the webhook %s has the failure policy Fail and no CA bundle", cluster.Cut(cluster.FirstOf(w.Name, w.Object))),
				Effect:   "kube-apiserver trusts a service in the cluster only by a CA bundle: unless a public CA signed it, " + effect,
				Evidence: []string{"served by " + cluster.Cut(w.Target)},
				Remedy:   []Step{{Text: "See whether what should put the bundle in, such as cert-manager's injector, works.", Command: lookAt(w.Object)}},
			})
		}
	}
	if len(insecure) > 0 {
		j.add(Finding{
			ID: "apiservice-insecure", Rule: "apiservice-insecure", Area: cluster.APIs, Severity: Info, Subjects: insecure,
			Title:  fmt.Sprintf("%s is served without verifying who answers", plural(len(insecure), "aggregated API")),
			Effect: "Whoever can answer at the service's address can answer for the API. metrics-server is installed so by default.",
		})
	}
	return nil
}

// apiServiceName is the object's own name.
func apiServiceName(w cluster.Webhook) string {
	return w.Object[strings.LastIndexByte(w.Object, '/')+1:]
}
