package clustertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

// Load says what a large cluster has.
type Load struct {
	Nodes       int    // with 50 images, labels, annotations and conditions each, as kubelets write them
	Kubelet     string // their version; the cluster's own where empty
	Webhooks    int    // half of them validating, half mutating, for a resource that nobody has; each with an authority of its own
	Definitions int    // of custom resources, with two versions each; every tenth is converted by a webhook
}

// workers write at once. More than this, and etcd's log on a slow disk is what they all wait for.
const workers = 32

// Populate writes all that load says, in parallel, and returns when the API servers serve it.
func (c *Cluster) Populate(load Load) {
	c.tb.Helper()
	config := c.Config(Admin())
	config.ContentType = "application/vnd.kubernetes.protobuf"
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		c.tb.Fatal(err)
	}
	if load.Kubelet == "" {
		load.Kubelet = c.Version
	}
	now := metav1.NewTime(time.Now())
	c.many("node", load.Nodes, func(ctx context.Context, i int) error {
		_, err := set.CoreV1().Nodes().Create(ctx, node(i, load.Kubelet, now), metav1.CreateOptions{})
		return err
	})
	c.many("webhook", load.Webhooks, func(ctx context.Context, i int) error {
		hook := c.webhook(i)
		if i%2 == 0 {
			_, err := set.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx, hook, metav1.CreateOptions{})
			return err
		}
		mutating := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: hook.ObjectMeta}
		for _, w := range hook.Webhooks {
			mutating.Webhooks = append(mutating.Webhooks, admissionv1.MutatingWebhook{
				Name: w.Name, ClientConfig: w.ClientConfig, Rules: w.Rules, FailurePolicy: w.FailurePolicy, SideEffects: w.SideEffects, AdmissionReviewVersions: w.AdmissionReviewVersions,
			})
		}
		_, err := set.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(ctx, mutating, metav1.CreateOptions{})
		return err
	})
	c.definitions(load.Definitions)
}

// many calls write for 0 to n-1, from several goroutines, until one fails.
func (c *Cluster) many(what string, n int, write func(ctx context.Context, i int) error) {
	c.tb.Helper()
	ctx, cancel := context.WithCancelCause(c.tb.Context())
	defer cancel(nil)
	work := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range work {
				if err := write(ctx, i); err != nil {
					cancel(fmt.Errorf("write %s %d: %w", what, i, err))
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		work <- i
	}
	close(work)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		c.tb.Fatal(err)
	}
}

// node is as large as real ones are: what a kubelet says of itself, and what a cloud and a network add.
func node(i int, kubelet string, now metav1.Time) *corev1.Node {
	name := fmt.Sprintf("node-%05d.example.internal", i)
	address := fmt.Sprintf("10.%d.%d.%d", 64+i>>16, i>>8&255, i&255)
	capacity := corev1.ResourceList{}
	for _, r := range [][2]string{{"cpu", "16"}, {"memory", "64871428Ki"}, {"pods", "110"}, {"ephemeral-storage", "203056560Ki"}, {"hugepages-1Gi", "0"}, {"hugepages-2Mi", "0"}} {
		capacity[corev1.ResourceName(r[0])] = resource.MustParse(r[1])
	}
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64",
				"node.kubernetes.io/instance-type": "m5.4xlarge", "topology.kubernetes.io/region": "eu-1", "topology.kubernetes.io/zone": fmt.Sprintf("eu-1%c", 'a'+i%3),
				"node.example.com/pool": fmt.Sprintf("pool-%d", i%20), "node.example.com/image-id": "image-0a1b2c3d4e5f60718", "node.example.com/capacity-type": "on-demand",
			},
			Annotations: map[string]string{
				"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true",
				"network.example.com/address": address + "/16", "network.example.com/tunnel": "192.168." + fmt.Sprint(i>>8&255) + ".1",
				"csi.volume.kubernetes.io/nodeid": fmt.Sprintf(`{"disk.csi.example.com":"i-%017x","files.csi.example.com":"i-%017x"}`, i, i),
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: fmt.Sprintf("10.%d.%d.0/24", 128+i>>8&127, i&255), ProviderID: fmt.Sprintf("example:///eu-1a/i-%017x", i)},
		Status: corev1.NodeStatus{
			Capacity: capacity, Allocatable: capacity,
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}, {Type: corev1.NodeHostName, Address: name}, {Type: corev1.NodeInternalDNS, Address: name}},
			NodeInfo: corev1.NodeSystemInfo{
				MachineID: fmt.Sprintf("%032x", i), SystemUUID: fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i), BootID: fmt.Sprintf("%08x-1111-4000-8000-%012x", i, i),
				KernelVersion: "5.15.0-1051-generic", OSImage: "Ubuntu 22.04.4 LTS", ContainerRuntimeVersion: "containerd://1.7.13", KubeletVersion: kubelet, KubeProxyVersion: kubelet, //nolint:staticcheck // old servers have it
				OperatingSystem: "linux", Architecture: "amd64",
			},
		},
	}
	n.Status.DaemonEndpoints.KubeletEndpoint.Port = 10250
	n.Status.Conditions = conditions(now)
	const images = 50 // kubelets say no more
	for k := range images {
		repository := fmt.Sprintf("registry.example.com/team-%02d/service-%03d", k%7, (i+k*13)%400)
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{
			Names:     []string{fmt.Sprintf("%s@sha256:%064x", repository, i*images+k), fmt.Sprintf("%s:v1.%d.%d", repository, k%30, i%10)},
			SizeBytes: int64(20_000_000 + 1000*k),
		})
	}
	return n
}

func conditions(now metav1.Time) []corev1.NodeCondition {
	var out []corev1.NodeCondition
	for _, s := range []struct {
		kind    corev1.NodeConditionType
		status  corev1.ConditionStatus
		reason  string
		message string
	}{
		{corev1.NodeNetworkUnavailable, corev1.ConditionFalse, "RouteCreated", "RouteController created a route"},
		{corev1.NodeMemoryPressure, corev1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
		{corev1.NodeDiskPressure, corev1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
		{corev1.NodePIDPressure, corev1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
		{corev1.NodeReady, corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status. AppArmor enabled"},
	} {
		out = append(out, corev1.NodeCondition{Type: s.kind, Status: s.status, LastHeartbeatTime: now, LastTransitionTime: now, Reason: s.reason, Message: s.message})
	}
	return out
}

func (c *Cluster) webhook(i int) *admissionv1.ValidatingWebhookConfiguration {
	c.tb.Helper()
	name := fmt.Sprintf("hook-%03d.example.com", i)
	ignore, none, port := admissionv1.Ignore, admissionv1.SideEffectClassNone, int32(443)
	return &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(name, ".", "-")},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: name, FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig: admissionv1.WebhookClientConfig{
				Service:  &admissionv1.ServiceReference{Namespace: "hooks", Name: fmt.Sprintf("hook-%03d", i), Port: &port},
				CABundle: issue(c.tb, template(name), nil).certPEM,
			},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{"nobody.example.com"}, APIVersions: []string{"v1"}, Resources: []string{"things"}},
			}},
		}},
	}
}

// definitions writes n definitions of custom resources and waits until all are served.
func (c *Cluster) definitions(n int) {
	c.tb.Helper()
	objects, err := dynamic.NewForConfig(c.Config(Admin()))
	if err != nil {
		c.tb.Fatal(err)
	}
	all := objects.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	bundle := issue(c.tb, template("conversion.example.com"), nil).certPEM
	c.many("definition", n, func(ctx context.Context, i int) error {
		_, err := all.Create(ctx, &unstructured.Unstructured{Object: definition(i, bundle)}, metav1.CreateOptions{})
		return err
	})
	c.many("definition", n, func(ctx context.Context, i int) error {
		for {
			got, err := all.Get(ctx, fmt.Sprintf("things%03d.load%02d.example.com", i, i%30), metav1.GetOptions{})
			if err != nil {
				return err
			}
			if established(got) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
}

func established(definition *unstructured.Unstructured) bool {
	found, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, f := range found {
		if condition, ok := f.(map[string]any); ok && condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

func definition(i int, bundle []byte) map[string]any {
	group, plural := fmt.Sprintf("load%02d.example.com", i%30), fmt.Sprintf("things%03d", i)
	fields := map[string]any{}
	for k := range 30 {
		fields[fmt.Sprintf("field%02d", k)] = map[string]any{"type": "string", "description": "What the thing is to have, in words that a person reads."}
	}
	schema := map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{"spec": map[string]any{"type": "object", "properties": fields}}}}
	spec := map[string]any{
		"group": group, "scope": "Namespaced",
		"names": map[string]any{"plural": plural, "singular": fmt.Sprintf("thing%03d", i), "kind": fmt.Sprintf("Thing%03d", i), "listKind": fmt.Sprintf("Thing%03dList", i)},
		"versions": []any{
			map[string]any{"name": "v1", "served": true, "storage": true, "schema": schema},
			map[string]any{"name": "v1beta1", "served": true, "storage": false, "deprecated": true, "schema": schema},
		},
	}
	const convertedEvery = 10
	if i%convertedEvery == 0 {
		spec["conversion"] = map[string]any{"strategy": "Webhook", "webhook": map[string]any{
			"conversionReviewVersions": []any{"v1"},
			"clientConfig":             map[string]any{"service": map[string]any{"namespace": "hooks", "name": "conversion"}, "caBundle": bundle},
		}}
	}
	return map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": plural + "." + group}, "spec": spec,
	}
}
