package kube

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/cluster"
)

const (
	maxSigning = 2000
	maxTokens  = 5000
	maxSecrets = 20_000
)

// signing reads the certificate signing requests that wait or were refused. Those that were answered with a certificate are none of a report's business.
func (t *taker) signing(ctx context.Context) {
	served := t.groups.first("certificates.k8s.io/v1", "certificates.k8s.io/v1beta1")
	if served == "" {
		return
	}
	var all []cluster.SigningReq
	n := 0
	err := read(ctx, t, served, "certificatesigningrequests", func(r *certificatesv1.CertificateSigningRequest) {
		state := signingState(r)
		if state == "" {
			return
		}
		if n++; n > maxSigning {
			return
		}
		all = append(all, cluster.SigningReq{
			Name: bounded(r.Name), Signer: bounded(r.Spec.SignerName), Requester: bounded(r.Spec.Username), Created: r.CreationTimestamp.UTC(), State: state,
		})
	})
	slices.SortFunc(all, func(a, b cluster.SigningReq) int { return strings.Compare(a.Name, b.Name) })
	t.add(func(s *cluster.Snapshot, _ *found) { s.Signing = all })
	t.beyond(cluster.NotObserved{What: "certificate signing requests that wait or were refused", Area: areaCertificates}, n, maxSigning)
	if err != nil {
		t.miss(cluster.NotObserved{What: "certificate signing requests", Area: areaCertificates, Reason: reason(err), Hint: remedy(err)})
	}
}

// signingState is what became of a request, "" when its certificate was issued.
func signingState(r *certificatesv1.CertificateSigningRequest) string {
	if len(r.Status.Certificate) > 0 {
		return ""
	}
	state := "pending"
	for _, c := range r.Status.Conditions {
		switch c.Type {
		case certificatesv1.CertificateDenied:
			return "denied"
		case certificatesv1.CertificateFailed:
			return "failed"
		case certificatesv1.CertificateApproved:
			state = "approved"
		}
	}
	return state
}

// secrets reads, where it was asked for, the certificates in TLS secrets, the days on which bootstrap tokens end, and the names of tokens of service accounts that never
// end. Of the last only the metadata is asked for.
func (t *taker) secrets(ctx context.Context) {
	if !t.Secrets {
		return
	}
	t.progress("secrets")
	for _, one := range []struct {
		what string
		read func(context.Context) error
	}{
		{"TLS secrets", t.tlsSecrets},
		{"bootstrap tokens", t.bootstrapTokens},
		{"tokens of service accounts in secrets", t.legacyTokens},
	} {
		if err := one.read(ctx); err != nil {
			t.miss(cluster.NotObserved{What: one.what, Area: areaCertificates, Reason: reason(err), Hint: secretsHint(err), Asked: true})
		}
	}
}

func secretsHint(err error) string {
	if remedy(err) == "" {
		return ""
	}
	return "kubelts check --secrets --print-rbac prints the rights that are needed"
}

func (t *taker) tlsSecrets(ctx context.Context) error {
	var chains []cluster.Chain
	n := 0
	each := func(s *corev1.Secret) {
		defer forget(s)
		if s.Type != corev1.SecretTypeTLS {
			return
		}
		if n++; n > maxSecrets {
			return
		}
		name := bounded(s.Namespace + "/" + s.Name)
		c := bundle("tls-secret/"+name, "secret "+name, cluster.TLSSecret, s.Data[corev1.TLSCertKey])
		c.Bundle, c.Object = false, "secret/"+name
		chains = append(chains, c)
		if ca := s.Data["ca.crt"]; len(ca) > 0 {
			authority := bundle("tls-secret/"+name+"/ca.crt", "secret "+name+", ca.crt", cluster.TLSSecret, ca)
			authority.Object = "secret/" + name
			chains = append(chains, authority)
		}
	}
	l := typed("/api/v1/secrets", each)
	whole := l.binary
	l.binary = func(object []byte) error {
		defer clear(object)
		if n >= maxSecrets {
			n++ // it is counted, and not read
			return nil
		}
		return whole(object)
	}
	err := t.api.list(ctx, l.with("fieldSelector", "type="+string(corev1.SecretTypeTLS), "resourceVersion", "0"))
	t.chain(chains...)
	t.beyond(cluster.NotObserved{What: "TLS secrets", Area: areaCertificates, Asked: true}, n, maxSecrets)
	return err
}

// forget overwrites what a secret holds.
func forget(s *corev1.Secret) {
	for _, v := range s.Data {
		clear(v)
	}
}

func (t *taker) bootstrapTokens(ctx context.Context) error {
	var tokens []cluster.Token
	n := 0
	each := func(s *corev1.Secret) {
		defer forget(s)
		if s.Type != corev1.SecretTypeBootstrapToken {
			return
		}
		if n++; n > maxTokens {
			return
		}
		token := cluster.Token{Kind: "bootstrap", Name: bounded(strings.TrimPrefix(s.Name, "bootstrap-token-"))}
		if end, err := time.Parse(time.RFC3339, string(s.Data["expiration"])); err == nil {
			end = end.UTC()
			token.Expires = &end
		}
		for key, value := range s.Data {
			if use, ok := strings.CutPrefix(key, "usage-bootstrap-"); ok && string(value) == "true" {
				token.Uses = append(token.Uses, bounded(use))
			}
		}
		slices.Sort(token.Uses)
		tokens = append(tokens, token)
	}
	l := typed("/api/v1/namespaces/kube-system/secrets", each)
	whole := l.binary
	l.binary = func(object []byte) error {
		defer clear(object)
		return whole(object)
	}
	err := t.api.list(ctx, l.with("fieldSelector", "type="+string(corev1.SecretTypeBootstrapToken), "resourceVersion", "0"))
	t.tokens(tokens)
	t.beyond(cluster.NotObserved{What: "bootstrap tokens", Area: areaCertificates, Asked: true}, n, maxTokens)
	return err
}

func (t *taker) tokens(all []cluster.Token) {
	slices.SortFunc(all, func(a, b cluster.Token) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	t.add(func(s *cluster.Snapshot, _ *found) { s.Tokens = append(s.Tokens, all...) })
}

// legacyTokens reads only the metadata of the secrets.
func (t *taker) legacyTokens(ctx context.Context) error {
	var tokens []cluster.Token
	n := 0
	l := typed("/api/v1/secrets", func(m *metav1.PartialObjectMetadata) {
		if n++; n > maxTokens {
			return
		}
		token := cluster.Token{Kind: "legacy-service-account", Name: bounded(m.Namespace + "/" + m.Name)}
		if last := m.Labels["kubernetes.io/legacy-token-last-used"]; last != "" {
			token.Uses = []string{"last used " + bounded(last)}
		}
		tokens = append(tokens, token)
	})
	l.accept = metadataType // no other form: it would hold the tokens
	err := t.api.list(ctx, l.with("fieldSelector", "type="+string(corev1.SecretTypeServiceAccountToken), "resourceVersion", "0"))
	t.tokens(tokens)
	t.beyond(cluster.NotObserved{What: "tokens of service accounts in secrets", Area: areaCertificates, Asked: true}, n, maxTokens)
	return err
}
