package cluster

import "github.com/kubelts/kubelts/internal/skew"

// Rule is one thing that a report looks for.
type Rule struct {
	ID   string `json:"id"`
	Area Area   `json:"area"`
	What string `json:"what"` // that it finds
}

// Rules are all rules, by area. A finding names one of them.
func Rules() []Rule {
	rules := []Rule{
		{"loopback-certificate", Loopback, "the certificate that kube-apiserver made for its own client has ended or will soon"},
		{"certificate-ends", Certificates, "a certificate, or a CA, has ended or will soon"},
		{"certificate-not-loaded", Certificates, "a certificate was renewed on disk and the old one is still served"},
		{"certificate-dates", Certificates, "a certificate is not valid yet, ends before it begins, or holds for more than a century"},
		{"certificate-weak", Certificates, "a certificate has a signature or key that current programs refuse"},
		{"certificate-names", Certificates, "a certificate has no subject alternative names, or not the one that clients ask for"},
		{"certificate-serial", Certificates, "a certificate has a serial number that is not positive, or too long"},
		{"certificate-signer", Certificates, "what signed a certificate ends before it"},
		{"certificate-unreadable", Certificates, "what should be a certificate cannot be read as one"},
		{"signing-request", Certificates, "certificate signing requests wait, were approved and not signed, or refused"},
		{"token-forever", Certificates, "tokens never end"},
		{"support-upstream", Support, "upstream's support has ended or will soon"},
		{"support-vendor", Support, "the vendor's support has ended, is about to, or is not known"},
		{"support-line", Support, "the line that runs has a newer release, or nothing is known of the release"},
		{"support-patch", Support, "there is a newer patch release of the minor"},
		{"support-nodes", Support, "nodes run an older minor that nobody supports"},
		{"snapshot-age", Support, "the snapshot is old, or of a later day than the report"},
		{"vulnerability", Vulnerabilities, "a component at its version has a vulnerability"},
		{"vulnerability-by-design", Vulnerabilities, "known flaws that no release of Kubernetes cures"},
		{"vulnerability-unsure", Vulnerabilities, "it is not known whether a build has vulnerabilities that upstream's release has"},
		{"vulnerability-no-facts", Vulnerabilities, "components that the facts know no vulnerabilities of"},
		{"node-dockershim", Nodes, "nodes use Docker through the dockershim that 1.24 removes"},
		{"node-containerd-1", Nodes, "nodes run containerd 1.x, which 1.38 no longer takes"},
		{"node-cgroup-v1", Nodes, "nodes have, or may have, cgroup v1, which 1.35 refuses"},
		{"api-deprecated", APIs, "somebody asks for a deprecated API"},
		{"api-stored", APIs, "objects may be stored in a version that is not served"},
		{"api-stored-old", APIs, "objects may be stored in an older version that is still served"},
		{"apiservice-unavailable", APIs, "an aggregated API does not answer"},
		{"apiservice-insecure", APIs, "an aggregated API is served without verifying who answers"},
		{"webhook-no-ca", APIs, "a webhook with the failure policy Fail has no CA bundle"},
		{"acceptance-over", Support, "the acceptance of a risk has ended"},
	}
	for _, r := range skew.Rules() {
		switch r.ID {
		case skew.RuleKubectl, skew.RuleKubeadm, skew.RuleUpgradeSkips, skew.RuleUpgradeBack: // of programs and steps that no snapshot shows
		default:
			rules = append(rules, Rule{"skew/" + r.ID, Skew, "it does not hold that " + r.Text})
		}
	}
	return rules
}
