package cluster

// The features that a snapshot says something of, by the name that [Use] and the facts about applicability give them. A feature is off
// only where a Use says so: what is not in a snapshot was not looked for, and then a flaw that needs it is taken to be reachable.
const (
	UseWindowsNodes      = "windows-nodes"      // there is a node with Windows
	UseAggregatedAPIs    = "aggregated-apis"    // an APIService is backed by a server other than kube-apiserver
	UseNodeWebhooks      = "node-webhooks"      // a validating webhook looks at nodes
	UseWebhooks          = "admission-webhooks" // there is an admission webhook
	UseCustomResources   = "custom-resources"   // there is a CustomResourceDefinition
	UseSharedGroups      = "shared-groups"      // an API group has more than one custom resource
	UseClusterCustom     = "cluster-custom"     // there is a cluster-scoped custom resource
	UseMountableSecrets  = "mountable-secrets"  // a service account has the annotation kubernetes.io/enforce-mountable-secrets
	UseResourceClaims    = "resource-claims"    // resource.k8s.io is served (dynamic resource allocation)
	UsePodSecurityPolicy = "podsecuritypolicy"  // there is a PodSecurityPolicy
	UseNetworkPolicies   = "network-policies"   // there is a NetworkPolicy
	UsePortworx          = "portworx-in-tree"   // a StorageClass of kubernetes.io/portworx-volume
	UseLegacyStorage     = "legacy-storage"     // a StorageClass of GlusterFS, Quobyte, StorageOS or ScaleIO, built in
	UseRBD               = "rbd-in-tree"        // a StorageClass of kubernetes.io/rbd
	UseAzureStorage      = "azure-in-tree"      // a StorageClass of kubernetes.io/azure-disk or kubernetes.io/azure-file
	UseLoadBalancers     = "external-services"  // a Service of type LoadBalancer or with externalIPs
)

// UseNames are the names of all features that a snapshot may tell of.
func UseNames() []string {
	return []string{
		UseWindowsNodes, UseAggregatedAPIs, UseNodeWebhooks, UseWebhooks, UseCustomResources, UseSharedGroups, UseClusterCustom,
		UseMountableSecrets, UseResourceClaims, UsePodSecurityPolicy, UseNetworkPolicies, UsePortworx, UseLegacyStorage, UseRBD, UseAzureStorage,
		UseLoadBalancers,
	}
}
