package findings

import (
	"fmt"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
)

// patience is how long a signing request may wait before it is told of.
const patience = 10 * time.Minute

const (
	signerKubeletClient  = "kubernetes.io/kube-apiserver-client-kubelet"
	signerKubeletServing = "kubernetes.io/kubelet-serving"
)

// checkSigning tells of signing requests that wait, and of those that were refused.
func (j *judge) checkSigning() error {
	type group struct{ signer, state string }
	groups := map[string]group{}
	requests := map[string][]cluster.SigningReq{}
	for _, r := range j.s.Signing {
		if r.State == "pending" && j.s.Taken.Sub(r.Created) < patience {
			continue
		}
		id := "signing-request/" + r.State + "/" + cluster.Cut(r.Signer)
		groups[id] = group{r.Signer, r.State}
		requests[id] = append(requests[id], r)
	}
	for _, id := range keys(groups) {
		g, list := groups[id], requests[id]
		f := Finding{ID: id, Rule: "signing-request", Area: cluster.Certificates, Severity: Low}
		oldest := list[0]
		for _, r := range list {
			f.Subjects = append(f.Subjects, cluster.Cut(r.Name)+" of "+cluster.Cut(r.Requester))
			if r.Created.Before(oldest.Created) {
				oldest = r
			}
		}
		f.Title = fmt.Sprintf("%s of the signer %s: %s", plural(len(list), "signing request"), cluster.Cut(cluster.FirstOf(g.signer, "(none)")), stateText(g.state))
		f.Effect = "Who asked has no new certificate."
		f.Evidence = []string{fmt.Sprintf("the oldest, %s, is of %s", cluster.Cut(oldest.Name), oldest.Created.UTC().Format(time.RFC3339))}
		f.Remedy = []Step{{Text: "Look at it, and at who asks.", Command: command("kubectl describe csr %s", oldest.Name)}}
		if g.state == "pending" {
			f.Remedy = append(f.Remedy, Step{Text: "If it is what it says, approve it.", Command: command("kubectl certificate approve %s", oldest.Name)})
		}
		switch {
		case g.signer == signerKubeletClient && g.state != "approved":
			f.Severity, f.Effect = High, "These nodes cannot renew the certificate by which they are known: when it ends they are NotReady. New nodes cannot join."
		case g.signer == signerKubeletServing && g.state == "pending":
			f.Severity, f.Effect = Medium, "Nobody approves the serving certificates of kubelets: logs, exec and metrics fail where they are verified."
		case g.state == "approved":
			f.Severity, f.Effect = Medium, "It is approved and nobody signs: kube-controller-manager does not run as a signer, or cannot read its CA."
		}
		j.add(f)
	}
	return nil
}

func stateText(state string) string {
	words := map[string]string{"pending": "waiting for somebody to approve", "approved": "approved, and no certificate is made", "denied": "denied", "failed": "failed"}
	if w, ok := words[state]; ok {
		return w
	}
	return "in the state " + cluster.Cut(state)
}

// checkTokens tells of tokens that never end, and of the days on which others do.
func (j *judge) checkTokens() error {
	forever := map[string][]string{}
	for _, t := range j.s.Tokens {
		switch {
		case t.Expires == nil:
			forever[t.Kind] = append(forever[t.Kind], cluster.Cut(t.Name))
		case t.Expires.After(j.o.At):
			j.end(Deadline{When: *t.Expires, What: cluster.Cut(t.Kind + " token " + t.Name), Area: cluster.Certificates, Severity: Info})
		}
	}
	for _, kind := range keys(forever) {
		f := Finding{
			ID: "token-forever/" + cluster.Cut(kind), Rule: "token-forever", Area: cluster.Certificates, Severity: Low, Subjects: forever[kind],
			Title:  fmt.Sprintf("%s of kind %s that never ends", plural(len(forever[kind]), "token"), cluster.Cut(kind)),
			Effect: "Whoever got hold of one is let in until somebody deletes it.",
			Remedy: []Step{{Text: "Replace them by tokens that end, and delete them."}},
		}
		if kind == "bootstrap" {
			f.Severity = Medium
			f.Effect = "Whoever got hold of one can bring a node of his own into the cluster until somebody deletes it."
			f.Remedy = []Step{{Text: "Delete it; make a new one when a node is to join.", Command: command("kubectl -n kube-system delete secret %s", forever[kind][0])}, {Text: "Make one that ends after a day:", Command: "kubeadm token create --ttl 24h"}}
		}
		j.add(f)
	}
	return nil
}
