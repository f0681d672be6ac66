package cluster

// The features that a snapshot says something of, by the name that [Use] and the facts about applicability give them. A feature is off
// only where a Use says so: what is not in a snapshot was not looked for, and then a flaw that needs it is taken to be reachable.
const (
	UseWindowsNodes     = "windows-nodes"      // there is a node with Windows
	UseAggregatedAPIs   = "aggregated-apis"    // an APIService is backed by a server other than kube-apiserver
	UseWebhooks         = "admission-webhooks" // there is a validating or mutating webhook
	UseNodeWebhooks     = "node-webhooks"      // a validating webhook looks at nodes (a rule with * counts)
	UseSharedGroups     = "shared-groups"      // an API group has more than one custom resource
	UseClusterCustom    = "cluster-custom"     // there is a cluster-scoped custom resource
	UseMountableSecrets = "mountable-secrets"  // a service account has the annotation kubernetes.io/enforce-mountable-secrets
	UseResourceClaims   = "resource-claims"    // resource.k8s.io is served (dynamic resource allocation)
	UseNetworkPolicies  = "network-policies"   // there is a NetworkPolicy
	UseRBD              = "rbd-in-tree"        // there is a StorageClass of kubernetes.io/rbd
)

// UseNames are the names of all features that a snapshot may tell of.
func UseNames() []string {
	return []string{
		UseWindowsNodes, UseAggregatedAPIs, UseWebhooks, UseNodeWebhooks, UseSharedGroups, UseClusterCustom, UseMountableSecrets,
		UseResourceClaims, UseNetworkPolicies, UseRBD,
	}
}
