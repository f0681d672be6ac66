package report_test

import (
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/report"
)

func at(day string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", day)
	if err != nil {
		panic(err)
	}
	return t
}

func date(s string) release.Date {
	d, err := release.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// sample is a cluster with something of everything: three API servers of which one is not seen, findings of all severities.
func sample() *findings.Report {
	loopbackEnd, webhookEnd, supportEnd := at("2026-12-04 10:12"), at("2027-01-30 08:00"), at("2023-07-28 00:00")
	return &findings.Report{
		Cluster: findings.Summary{
			Context: "prod-eu", Server: "https://10.0.0.10:6443", UID: "5f0c7e0a-0a51-4b0a-9d53-26f1c4f6a1b1", Taken: at("2026-11-22 11:58"),
			Version: "v1.24.17", Versions: []string{"v1.24.17"}, Distribution: cluster.Distribution{Installer: "kubeadm"}, Nodes: 12,
			Kubelets: map[string]int{"v1.24.17": 10, "v1.23.17": 2}, DataDay: date("2026-11-20"), Instances: 3,
			APIServers: []findings.InstanceLine{
				{Name: "cp-1", Address: "10.0.0.11:6443", Version: "v1.24.17", ProcessStart: new(at("2025-12-04 11:12")), LoopbackEnds: &loopbackEnd, DaysLeft: new(12), Instances: 1},
				{Name: "cp-2", Address: "10.0.0.12:6443", Version: "v1.24.17", ProcessStart: new(at("2026-08-01 09:30")), LoopbackEnds: new(at("2027-08-01 08:30")), DaysLeft: new(251), Instances: 1},
				{Name: "cp-3", Address: "10.0.0.13:6443", Version: "v1.24.17", Instances: 1},
			},
		},
		At: at("2026-11-22 12:00"), Verdict: findings.AtRisk, Score: 21,
		Findings: sampleFindings(loopbackEnd, webhookEnd, supportEnd),
		Deadlines: []findings.Deadline{
			{When: supportEnd, DaysLeft: -1213, What: "upstream's support of 1.24", Area: cluster.Support, Severity: findings.High, Finding: "support/1.24"},
			{When: loopbackEnd, DaysLeft: 11, What: "loopback certificate of cp-1", Area: cluster.Loopback, Severity: findings.Critical, Finding: "loopback/cp-1"},
			{When: webhookEnd, DaysLeft: 68, What: "CA bundle of ValidatingWebhookConfiguration/policy.example.org", Area: cluster.Certificates, Severity: findings.Medium, Finding: "certificate/policy"},
			{When: at("2027-08-01 08:30"), DaysLeft: 251, What: "loopback certificate of cp-2", Area: cluster.Loopback, Severity: findings.Info},
			{When: at("2033-02-11 16:20"), DaysLeft: 2273, What: "cluster CA", Area: cluster.Certificates, Severity: findings.Info},
		},
		Holes: []findings.Hole{
			{ID: "CVE-2023-5528", Component: "kubelet", Version: "v1.24.17", Outlook: catalog.FixedInNewer, FixedIn: "v1.25.16", Status: "not_affected", NotApplicable: "there is no Windows node", Rating: "high", Summary: "Insufficient input sanitization in the in-tree storage plugin"},
			{ID: "CVE-2024-10220", Component: "kubelet", Version: "v1.24.17", Outlook: catalog.FixedInNewer, FixedIn: "v1.28.12", Line: "v1.24.17+lts.2", Status: "affected", Rating: "high", Summary: "Arbitrary command execution through gitRepo volume"},
			{ID: "CVE-2020-8554", Component: "kube-apiserver", Version: "v1.24.17", Outlook: catalog.NeverFixed, Status: "affected", Rating: "medium", Summary: "Man in the middle using LoadBalancer or ExternalIPs"},
		},
		Support: &catalog.Support{
			Version: "v1.24.17", Minor: "1.24", Phase: release.EndOfLife, Released: date("2022-05-03"), MaintenanceFrom: date("2023-05-28"), EndOfLife: date("2023-07-28"),
			DaysLeft: new(-1213), Policy: "one year", Latest: "v1.24.17", At: date("2026-11-22"), Notes: []string{},
			Vendors: []catalog.VendorSupport{
				{Vendor: "amazon", Product: "EKS", Release: "1.24", Phase: "ended", From: date("2022-11-15"), Until: date("2025-01-31")},
			},
		},
		NotObserved: []cluster.NotObserved{
			{What: "loopback certificate of 10.0.0.13:6443", Area: "loopback", Reason: "connection refused", Hint: "run it from where the API server can be reached", Asked: true},
			{What: "certificates in /etc/kubernetes", Area: "certificates", Reason: "this is not a control-plane node", Hint: "run it there with --host"},
		},
	}
}

func sampleFindings(loopbackEnd, webhookEnd, supportEnd time.Time) []findings.Finding {
	return []findings.Finding{
		{
			ID: "loopback/cp-1", Rule: "loopback-certificate", Area: cluster.Loopback, Severity: findings.Critical, Title: "The loopback certificate of cp-1 ends in 11 days",
			Subjects: []string{"cp-1"}, Effect: "From then on this API server admits no new pods where a quota or a limit range applies, and webhooks that it serves itself fail.",
			When: &loopbackEnd, DaysLeft: new(11), Evidence: []string{"served by 10.0.0.11:6443: apiserver-loopback-client@1764846720, not after 2026-12-04T10:12:00Z"},
			Remedy: []findings.Step{
				{Text: "Restart kube-apiserver on cp-1, and on no other at the same time.", Command: "ssh cp-1 'mv /etc/kubernetes/manifests/kube-apiserver.yaml /tmp/ && sleep 30 && mv /tmp/kube-apiserver.yaml /etc/kubernetes/manifests/'"},
				{Text: "See that it has a new start and a year left.", Command: "kubelts probe 10.0.0.11:6443"},
			},
			References: []string{"https://github.com/kubernetes/kubernetes/issues/86552"},
		},
		{
			ID: "support/1.24", Rule: "support", Area: cluster.Support, Severity: findings.High, Title: "Upstream's support of 1.24 is over", Subjects: []string{"cp-1", "cp-2", "cp-3"},
			Effect: "Nobody fixes new holes of this minor upstream.", When: &supportEnd, DaysLeft: new(-1213), Remedy: []findings.Step{{Text: "Plan the way to a supported minor.", Command: "kubelts plan"}},
			Evidence: []string{"all API servers run v1.24.17"},
		},
		{
			ID: "certificate/policy", Rule: "certificate-ends", Area: cluster.Certificates, Severity: findings.Medium, Title: "The CA bundle of a webhook ends in 68 days", Subjects: []string{"ValidatingWebhookConfiguration/policy.example.org"},
			Effect: "All writes fail, since its failure policy is Fail.", When: &webhookEnd, DaysLeft: new(68), Remedy: []findings.Step{{Text: "Renew the bundle where its operator keeps it."}}, Evidence: []string{"CN=policy-ca"},
		},
		{
			ID: "skew/kubelet/v1.23.17", Rule: "kubelet-skew", Area: cluster.Skew, Severity: findings.Low, Title: "2 kubelets are one minor older", Subjects: []string{"node-11", "node-12"},
			Effect: "The next hop of the control plane is allowed; the one after it is not.", Remedy: []findings.Step{}, Evidence: []string{},
			Accepted: &findings.Acceptance{Finding: "kubelet-skew", Owner: "ops@example.org", Reason: "replaced with the hardware", Expires: date("2027-03-31")},
		},
	}
}

// fleet is sample beside a cluster that is well and one that did not answer.
func fleet() *report.Fleet {
	well := &findings.Report{
		Cluster: findings.Summary{
			Context: "test", Server: "https://10.1.0.10:6443", UID: "0b8e", Taken: at("2026-11-22 11:59"), Version: "v1.36.3", Versions: []string{"v1.36.3"}, Nodes: 1, Instances: 1,
			APIServers: []findings.InstanceLine{{Name: "one", Address: "10.1.0.10:6443", Version: "v1.36.3", LoopbackEnds: new(at("2029-11-01 00:00")), DaysLeft: new(1074), Instances: 1}},
		},
		At: at("2026-11-22 12:00"), Verdict: findings.WellSeen, Score: 100,
		Deadlines: []findings.Deadline{{When: at("2027-06-28 00:00"), DaysLeft: 218, What: "upstream's support of 1.36", Area: cluster.Support, Severity: findings.Info}},
		Support:   &catalog.Support{Version: "v1.36.3", Minor: "1.36", Phase: release.Active, Released: date("2026-04-22"), MaintenanceFrom: date("2027-04-28"), EndOfLife: date("2027-06-28"), DaysLeft: new(218), At: date("2026-11-22")},
	}
	return &report.Fleet{
		At: at("2026-11-22 12:00"), Clusters: []*findings.Report{sample(), well},
		Missed: []report.Missed{{Context: "old-lab", Reason: "connect to 10.9.0.1:6443: no answer within 10s", Hint: "is the VPN up?"}},
	}
}
