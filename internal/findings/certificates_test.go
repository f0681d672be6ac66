package findings_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

func TestCertificates(t *testing.T) {
	now := at(t, "2026-09-20T12:00:00Z")
	from := now.AddDate(-1, 0, 0)
	leaf := func(to time.Time) cert { return cert{cn: "x", from: from, to: to, names: []string{"x"}} }
	ca := func(to time.Time) cert { return cert{cn: "ca", from: from, to: to, ca: true} }
	tests := []struct {
		name   string
		chain  cluster.Chain
		rule   string // "" for none
		want   findings.Severity
		broken bool
	}{
		{"ended", chainOf(t, cluster.APIServerServing, "a:6443", leaf(now.Add(-time.Second))), "certificate-ends", findings.Critical, true},
		{"ends today", chainOf(t, cluster.APIServerServing, "a:6443", leaf(now.Add(time.Hour))), "certificate-ends", findings.Critical, true},
		{"ends within a week", chainOf(t, cluster.APIServerServing, "a:6443", leaf(now.Add(5*day))), "certificate-ends", findings.Critical, false},
		{"a day under 30", chainOf(t, cluster.APIServerServing, "a:6443", leaf(now.Add(30*day-time.Second))), "certificate-ends", findings.High, false},
		{"30 days", chainOf(t, cluster.APIServerServing, "a:6443", leaf(now.Add(30*day))), "certificate-ends", findings.Medium, false},
		{"90 days", chainOf(t, cluster.APIServerServing, "a:6443", leaf(now.Add(90*day))), "", "", false},
		{"a kubelet's ended", chainOf(t, cluster.KubeletServing, "n:10250", leaf(now.Add(-day))), "certificate-ends", findings.Medium, false},
		{"a kubeconfig's ended", chainOf(t, cluster.KubeconfigClient, "admin", cert{cn: "admin", from: from, to: now.Add(-day), client: true}), "certificate-ends", findings.High, false},
		{"a CA with 20 months left", chainOf(t, cluster.ClusterCA, "kubeconfig", ca(now.Add(600*day))), "certificate-ends", findings.Low, false},
		{"a CA with 10 months left", chainOf(t, cluster.ClusterCA, "kubeconfig", ca(now.Add(300*day))), "certificate-ends", findings.Medium, false},
		{"a CA with three years left", chainOf(t, cluster.ClusterCA, "kubeconfig", ca(now.Add(1000*day))), "", "", false},
		{"a webhook's CA with a year left", chainOf(t, cluster.WebhookCA, "w", ca(now.Add(365*day))), "", "", false},
		{"the year 9999", chainOf(t, cluster.ClusterCA, "kubeconfig", ca(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))), "certificate-dates", findings.Low, false},
		{"not valid yet", chainOf(t, cluster.EtcdServing, "a:2379", cert{cn: "x", from: now.Add(day), to: now.Add(400 * day), names: []string{"x"}}), "certificate-dates", findings.High, false},
		{"no names", chainOf(t, cluster.EtcdServing, "a:2379", cert{cn: "x", from: from, to: now.Add(400 * day)}), "certificate-names", findings.Medium, false},
		{"a client needs no names", chainOf(t, cluster.KubeconfigClient, "admin", cert{cn: "admin", from: from, to: now.Add(400 * day), client: true}), "", "", false},
		{"not PEM", cluster.Chain{ID: "x", Kind: cluster.WebhookCA, Where: "w", Problem: "not PEM"}, "certificate-unreadable", findings.Medium, false},
		{"not a certificate", cluster.Chain{ID: "x", Kind: cluster.WebhookCA, Where: "w", DER: [][]byte{{1, 2, 3}, {}}}, "certificate-unreadable", findings.Medium, false},
		{"a kind that is not known", chainOf(t, "new-kind", "x", leaf(now.Add(-day))), "certificate-ends", findings.High, false},
		{"the best there is", chainOf(t, cluster.EtcdServing, "a:2379", leaf(now.Add(400*day))), "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", now)
			s.Certificates = []cluster.Chain{tt.chain}
			var got []string
			for _, f := range judge(t, s, findings.Options{At: now}).Findings {
				got = append(got, fmt.Sprintf("%s %s %v", f.Rule, f.Severity, f.Broken))
			}
			want := ""
			if tt.rule != "" {
				want = fmt.Sprintf("%s %s %v", tt.rule, tt.want, tt.broken)
			}
			if strings.Join(got, "; ") != want {
				t.Errorf("findings %q, want %q", got, want)
			}
		})
	}
}

func TestBandsCanBeSet(t *testing.T) {
	now := at(t, "2026-09-20T12:00:00Z")
	s := base("x", now)
	s.Certificates = []cluster.Chain{chainOf(t, cluster.EtcdServing, "a:2379", cert{cn: "x", from: now.AddDate(-1, 0, 0), to: now.Add(100 * day), names: []string{"x"}})}
	for _, tt := range []struct {
		soon, later int
		want        findings.Severity
	}{{0, 0, ""}, {30, 120, findings.Medium}, {110, 120, findings.High}, {3, 3, ""}} {
		got := findings.Severity("")
		for _, f := range judge(t, s, findings.Options{At: now, Soon: tt.soon, Later: tt.later}).Findings {
			got = f.Severity
		}
		if got != tt.want {
			t.Errorf("soon %d, later %d: %q, want %q", tt.soon, tt.later, got, tt.want)
		}
	}
}

// old makes a certificate as the past did: a serial number below zero, a key that is too short, a chain whose signer ends first.
func old(t *testing.T, serial int64, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1 << 8), Subject: pkix.Name{CommonName: "old"}, DNSNames: []string{"old"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: at(t, "2026-01-01T00:00:00Z"), NotAfter: at(t, "2028-01-01T00:00:00Z"),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if serial < 0 { // 02 02 01 00 is the number 256: no library makes one below zero
		i := strings.Index(string(der), "\x02\x02\x01\x00")
		der[i+2] = 0x81
	}
	return der
}

func TestOldCertificates(t *testing.T) {
	now := at(t, "2026-09-20T12:00:00Z")
	tests := []struct {
		name string
		der  [][]byte
		host string
		want string
	}{
		{"negative serial number", [][]byte{old(t, -1, elliptic.P256())}, "", "certificate-serial"},
		{"short key", [][]byte{old(t, 1, elliptic.P224())}, "", "certificate-weak"},
		{"another host", [][]byte{old(t, 1, elliptic.P256())}, "new", "certificate-names"},
		{"its host", [][]byte{old(t, 1, elliptic.P256())}, "old", ""},
		{
			"signer ends first",
			[][]byte{
				make1(t, cert{cn: "x", from: now.AddDate(0, -1, 0), to: now.AddDate(3, 0, 0), names: []string{"x"}}),
				make1(t, cert{cn: "kubernetes", from: now.AddDate(0, -1, 0), to: now.AddDate(2, 1, 0), ca: true}),
			},
			"", "certificate-signer",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base("x", now)
			s.Certificates = []cluster.Chain{{ID: "x", Kind: cluster.EtcdServing, Where: "a:2379", Host: tt.host, DER: tt.der}}
			var got []string
			for _, f := range judge(t, s, findings.Options{At: now}).Findings {
				got = append(got, f.Rule)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("findings %q, want %q", got, tt.want)
			}
		})
	}
}

// TestOneAuthority: a CA that is seen in several places is one finding and one deadline.
func TestOneAuthority(t *testing.T) {
	now := at(t, "2026-09-20T12:00:00Z")
	ca := cert{cn: "kubernetes", from: now.AddDate(-9, 0, 0), to: now.AddDate(1, 0, 0), ca: true}
	s := base("x", now)
	for _, kind := range []cluster.ChainKind{cluster.HostFile, cluster.ClusterCA, cluster.HostFile} {
		c := chainOf(t, kind, fmt.Sprintf("place %d", len(s.Certificates)), ca)
		s.Certificates = append(s.Certificates, c)
	}
	ca.serial = 2 // another one of that name
	s.Certificates = append(s.Certificates, chainOf(t, cluster.ClusterCA, "place 3", ca))
	r := judge(t, s, findings.Options{At: now})
	if len(r.Findings) != 2 || len(r.Deadlines) != 2 {
		t.Fatalf("%d findings, %d deadlines: %+v", len(r.Findings), len(r.Deadlines), r.Findings)
	}
	count := 0
	for i, f := range r.Findings {
		count += f.Count
		if !strings.HasPrefix(f.ID, "certificate-ends/authority/") || !strings.HasPrefix(f.Title, "the CA kubernetes ends in 365 days") || r.Deadlines[i].Kind != cluster.ClusterCA || r.Deadlines[i].Finding == "" {
			t.Errorf("finding %s: %s; deadline %+v", f.ID, f.Title, r.Deadlines[i])
		}
	}
	if count != 4 {
		t.Errorf("%d places", count)
	}
}

// TestLeftBehind: an ended certificate in a bundle that has a living one of the same name is worth a word, no more.
func TestLeftBehind(t *testing.T) {
	now := at(t, "2026-09-20T12:00:00Z")
	ended := cert{cn: "ca", from: now.AddDate(-2, 0, 0), to: now.AddDate(-1, 0, 0), ca: true}
	alive := cert{cn: "ca", from: now.AddDate(-1, 0, 0), to: now.AddDate(4, 0, 0), ca: true}
	s := base("x", now)
	s.Certificates = []cluster.Chain{{ID: "x", Kind: cluster.WebhookCA, Where: "w", Bundle: true, DER: [][]byte{make1(t, ended), make1(t, alive)}}}
	f := find(judge(t, s, findings.Options{At: now}), "certificate-ends/webhook-ca/w")
	if f == nil || f.Severity != findings.Info || f.Broken {
		t.Errorf("finding: %+v", f)
	}
	s.Certificates[0].DER = s.Certificates[0].DER[:1]
	if f := find(judge(t, s, findings.Options{At: now}), "certificate-ends/webhook-ca/w"); f == nil || f.Severity != findings.Critical || !f.Broken {
		t.Errorf("alone: %+v", f)
	}
	s.Webhooks = []cluster.Webhook{{Object: "w", Name: "w", Failure: "Ignore", Chain: "x"}}
	if f := find(judge(t, s, findings.Options{At: now}), "certificate-ends/webhook-ca/w"); f == nil || f.Severity != findings.High {
		t.Errorf("with the policy Ignore: %+v", f)
	}
}

func TestManyKubeletsAreOneFinding(t *testing.T) {
	now := at(t, "2026-09-20T12:00:00Z")
	s := base("x", now)
	for i := range 300 {
		s.Certificates = append(s.Certificates, chainOf(t, cluster.KubeletServing, fmt.Sprintf("10.0.%d.%d:10250", i/250, i%250), cert{
			cn: "n", from: now.AddDate(-1, 0, 0), to: now.Add(time.Duration(i) * time.Hour), names: []string{"n"}, serial: int64(i + 1),
		}))
	}
	r := judge(t, s, findings.Options{At: now})
	f := find(r, "certificate-ends/kubelet-serving")
	if len(r.Findings) != 1 || f == nil || f.Count != 300 || len(f.Subjects) != 20 || len(f.Evidence) > 40 {
		t.Errorf("%d findings; %+v", len(r.Findings), f)
	}
	if len(r.Deadlines) != 13 {
		t.Errorf("%d deadlines for 13 days", len(r.Deadlines))
	}
}
