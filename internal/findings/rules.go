package findings

import (
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/skew"
)

// Rule is one thing that a report looks for.
type Rule struct {
	ID   string       `json:"id"`
	Area cluster.Area `json:"area"`
	What string       `json:"what"` // that it finds
}

// Rules are all rules, by area. A finding names one of them.
func Rules() []Rule {
	rules := []Rule{
		{"loopback-certificate", cluster.Loopback, "the certificate that kube-apiserver made for its own client has ended or will soon"},
		{"certificate-ends", cluster.Certificates, "a certificate, or a CA, has ended or will soon"},
		{"certificate-not-loaded", cluster.Certificates, "a certificate was renewed on disk and the old one is still served"},
		{"certificate-dates", cluster.Certificates, "a certificate is not valid yet, ends before it begins, or holds for more than a century"},
		{"certificate-weak", cluster.Certificates, "a certificate has a signature or key that current programs refuse"},
		{"certificate-names", cluster.Certificates, "a certificate has no subject alternative names, or not the one that clients ask for"},
		{"certificate-serial", cluster.Certificates, "a certificate has a serial number that is not positive, or too long"},
		{"certificate-signer", cluster.Certificates, "what signed a certificate ends before it"},
		{"certificate-unreadable", cluster.Certificates, "what should be a certificate cannot be read as one"},
		{"signing-request", cluster.Certificates, "certificate signing requests wait, were approved and not signed, or refused"},
		{"token-forever", cluster.Certificates, "tokens never end"},
		{"support-upstream", cluster.Support, "upstream's support has ended or will soon"},
		{"support-vendor", cluster.Support, "the vendor's support has ended, is about to, or is not known"},
		{"support-line", cluster.Support, "the line that runs has a newer release, or nothing is known of the release"},
		{"support-patch", cluster.Support, "there is a newer patch release of the minor"},
		{"support-nodes", cluster.Support, "nodes run an older minor that nobody supports"},
		{"snapshot-age", cluster.Support, "the snapshot is old, or of a later day than the report"},
		{"vulnerability", cluster.Vulnerabilities, "a component at its version has a vulnerability"},
		{"vulnerability-by-design", cluster.Vulnerabilities, "known flaws that no release of Kubernetes cures"},
		{"vulnerability-unsure", cluster.Vulnerabilities, "it is not known whether a build has vulnerabilities that upstream's release has"},
		{"vulnerability-no-facts", cluster.Vulnerabilities, "components that the facts know no vulnerabilities of"},
		{"node-dockershim", cluster.Nodes, "nodes use Docker through the dockershim that 1.24 removes"},
		{"node-containerd-1", cluster.Nodes, "nodes run containerd 1.x, which 1.38 no longer takes"},
		{"node-cgroup-v1", cluster.Nodes, "nodes have, or may have, cgroup v1, which 1.35 refuses"},
		{"api-deprecated", cluster.APIs, "somebody asks for a deprecated API"},
		{"api-stored", cluster.APIs, "objects may be stored in a version that is not served"},
		{"api-stored-old", cluster.APIs, "objects may be stored in an older version that is still served"},
		{"apiservice-unavailable", cluster.APIs, "an aggregated API does not answer"},
		{"apiservice-insecure", cluster.APIs, "an aggregated API is served without verifying who answers"},
		{"webhook-no-ca", cluster.APIs, "a webhook with the failure policy Fail has no CA bundle"},
		{"acceptance-over", cluster.Support, "the acceptance of a risk has ended"},
	}
	for _, r := range skew.Rules() {
		switch r.ID {
		case skew.RuleKubectl, skew.RuleKubeadm, skew.RuleUpgradeSkips, skew.RuleUpgradeBack: // of programs and steps that no snapshot shows
		default:
			rules = append(rules, Rule{"skew/" + r.ID, cluster.Skew, "it does not hold that " + r.Text})
		}
	}
	return rules
}
