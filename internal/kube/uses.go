package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

var errBlind = errors.New("it is not known which API groups are served")

// uses looks whether features are in use that flaws need.
func (t *taker) uses(ctx context.Context) {
	if !t.blind {
		t.use(cluster.UseResourceClaims, t.groups.has("resource.k8s.io"), "the API groups that are served")
	}
	var group sync.WaitGroup
	for _, one := range []struct {
		what string
		look func(context.Context) error
	}{
		{"storage classes", t.storageClasses},
		{"whether there are network policies", t.networkPolicies},
		{"whether service accounts restrict secrets", t.serviceAccounts},
	} {
		group.Go(func() {
			if err := one.look(ctx); err != nil {
				t.miss(cluster.NotObserved{What: one.what, Area: areaHoles, Reason: reason(err), Hint: remedy(err)})
			}
		})
	}
	group.Wait()
}

// storageClasses looks for storage that is built into Kubernetes and provisions by itself.
func (t *taker) storageClasses(ctx context.Context) error {
	all, class := 0, ""
	served := t.groups.first("storage.k8s.io/v1", "storage.k8s.io/v1beta1")
	if served == "" && t.blind {
		return errBlind
	}
	err := read(ctx, t, served, "storageclasses", func(s *storagev1.StorageClass) {
		all++
		if s.Provisioner == "kubernetes.io/rbd" {
			class = bounded(s.Name)
		}
	})
	if err != nil {
		return err
	}
	by := fmt.Sprintf("none of %d storage classes is of kubernetes.io/rbd", all)
	if class != "" {
		by = "storage class " + class
	}
	t.use(cluster.UseRBD, class != "", by)
	return nil
}

func (t *taker) networkPolicies(ctx context.Context) error {
	served := t.groups.first("networking.k8s.io/v1", "extensions/v1beta1")
	if served == "" && t.blind {
		return errBlind
	}
	some, err := t.some(ctx, served, "networkpolicies")
	if err == nil {
		t.use(cluster.UseNetworkPolicies, some, "a list of network policies")
	}
	return err
}

// some says whether there is any object of a resource.
func (t *taker) some(ctx context.Context, served, resource string) (bool, error) {
	if served == "" {
		return false, nil
	}
	left, n := 2, 0
	l := plain(root(served)+"/"+resource, func(*metav1.PartialObjectMetadata) { n++ })
	_, err := t.api.page(ctx, l.with("limit", "1"), &left)
	return n > 0, err
}

// serviceAccounts reads the metadata of all service accounts.
func (t *taker) serviceAccounts(ctx context.Context) error {
	all, restricted := 0, 0
	each := func(m *metav1.PartialObjectMetadata) {
		all++
		if m.Annotations["kubernetes.io/enforce-mountable-secrets"] == "true" {
			restricted++
		}
	}
	l := typed("/api/v1/serviceaccounts", each)
	l.accept = metadataType
	if err := t.api.list(ctx, l.with("resourceVersion", "0")); err != nil {
		return err
	}
	t.use(cluster.UseMountableSecrets, restricted > 0, fmt.Sprintf("%d of %d service accounts have the annotation", restricted, all))
	return nil
}

// windows says whether nodes run Windows. That none does is known only where all were seen.
func windows(s *cluster.Snapshot, missing error) {
	n := 0
	for _, one := range s.Nodes {
		if strings.EqualFold(one.OS, "windows") {
			n++
		}
	}
	if n > 0 || missing == nil && len(s.Nodes) > 0 {
		s.Uses = append(s.Uses, cluster.Use{Feature: cluster.UseWindowsNodes, Used: n > 0, By: fmt.Sprintf("%d of %d nodes run Windows", n, len(s.Nodes))})
	}
}
