package findings

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/pki"

	"github.com/kubelts/kubelts/internal/cluster"
)

// checkRenewed finds certificates that were renewed on a control-plane node's disk while the old ones are still served: then the outage
// comes at the end of the old one although everything looks renewed.
func (j *judge) checkRenewed() error {
	kinds := []cluster.ChainKind{cluster.APIServerServing, cluster.EtcdServing, cluster.EtcdPeer, cluster.KubeletServing, cluster.ComponentServing}
	served := map[string][]*chain{}
	for _, c := range j.inOrder() {
		if leaf := c.leaf(); leaf != nil && slices.Contains(kinds, c.Kind) {
			served[identity(leaf)] = append(served[identity(leaf)], c)
		}
	}
	for _, file := range j.inOrder() {
		leaf := file.leaf()
		if file.Kind != cluster.HostFile || leaf == nil || leaf.IsCA || !serves(leaf) {
			continue
		}
		for _, c := range served[identity(leaf)] {
			if old := c.leaf(); old.NotAfter.Before(leaf.NotAfter) && old.SerialNumber.Cmp(leaf.SerialNumber) != 0 {
				j.tellRenewed(file, c)
			}
		}
	}
	return nil
}

// identity is what a renewed certificate has in common with the old one: whose it is, who signed it, and what it is for.
func identity(c *x509.Certificate) string {
	return strings.Join([]string{string(c.RawSubject), string(c.RawIssuer), strings.Join(c.DNSNames, ","), strings.Join(addresses(c), ",")}, "\x00")
}

// addresses are the addresses in a certificate, as text.
func addresses(c *x509.Certificate) []string {
	out := make([]string, 0, len(c.IPAddresses))
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

func (j *judge) tellRenewed(file, s *chain) {
	if j.renewed[s.ID] {
		return
	}
	j.renewed[s.ID] = true
	end := s.leaf().NotAfter.UTC()
	left := pki.DaysLeft(end, j.o.At)
	severity, near := j.band(end)
	if !near {
		severity = Medium
	}
	j.add(Finding{
		ID: "certificate-not-loaded/" + s.key(), Rule: "certificate-not-loaded", Area: cluster.Certificates, Severity: severity, When: &end, Broken: left < 1,
		Title:    fmt.Sprintf("the %s was renewed on disk, and the old one is still served: it %s", s.label(), ends(left, end)),
		Subjects: []string{s.label()}, Effect: kindOf(s.Kind).effect,
		Evidence: []string{
			fmt.Sprintf("%s ends %s", cluster.Cut(cluster.FirstOf(file.Where, file.ID)), file.leaf().NotAfter.UTC().Format(time.RFC3339)),
			fmt.Sprintf("%s serves one that ends %s", cluster.Cut(cluster.FirstOf(s.Where, s.ID)), end.Format(time.RFC3339)),
		},
		Remedy: j.reload(s.Kind),
	})
}

func (j *judge) reload(k cluster.ChainKind) []Step {
	if k == cluster.KubeletServing {
		return []Step{{Text: "Restart the kubelet on the node.", Command: "sudo systemctl restart kubelet"}}
	}
	if k != cluster.APIServerServing {
		return []Step{{Text: "Restart the component that serves it, one instance at a time."}}
	}
	steps := []Step{}
	for _, s := range j.restartSteps() {
		steps = append(steps, Step{Text: "Restart kube-apiserver: " + s.Text + ".", Command: s.Command})
	}
	return steps
}
