package probe_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/clustertest"
	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/probe"
)

// lives is how long the loopback certificate of each real server lasts. It begins an hour before the process.
func lives(version string) time.Duration {
	days := map[string]int{"v1.24.17": 365, "v1.36.3": 1096}[version]
	return time.Duration(days) * 24 * time.Hour
}

// Real servers, real certificates: what the other tests imitate is so.
func TestRealServers(t *testing.T) {
	for _, version := range clustertest.Versions(t) {
		t.Run(version, func(t *testing.T) {
			before := time.Now().Truncate(time.Second)
			c := clustertest.Start(t, clustertest.Options{Version: version})
			authority := filepath.Join(c.Dir, "pki", "ca.crt")
			address := c.Endpoints()[0]
			first := inspect(t, authority, time.Now(), address)
			if first.ProcessStart == nil || first.ProcessStart.Before(before) || first.ProcessStart.After(time.Now()) {
				t.Fatalf("process start %v, started between %v and now", first.ProcessStart, before)
			}
			serving, loopback := first.Certificates[0], first.Certificates[1]
			if serving.Role != pki.Serving || len(serving.Problems) > 0 || !slices.Contains(serving.Names, "kubernetes.default.svc") {
				t.Errorf("serving certificate %+v", serving)
			}
			if loopback.Role != pki.Loopback || len(loopback.Problems) > 0 {
				t.Errorf("loopback certificate %+v", loopback)
			}
			if got := loopback.NotAfter.Sub(loopback.NotBefore); got != lives(version) {
				t.Errorf("the loopback certificate lasts %v, want %v", got, lives(version))
			}
			// The server takes the times of the certificate, then makes two RSA keys, then takes the time for its name.
			if off := first.ProcessStart.Sub(loopback.NotBefore) - time.Hour; off < 0 || off > time.Minute {
				t.Errorf("the loopback certificate is dated back by an hour and %v: %+v", off, loopback)
			}
			if n := len(first.Certificates); n != 3 || first.Certificates[2].Role != pki.Authority {
				t.Errorf("%d certificates, want serving, loopback and its authority", n)
			}
			soon := inspect(t, authority, loopback.NotAfter.Add(-12*24*time.Hour), address).Certificates[1]
			over := inspect(t, authority, loopback.NotAfter.Add(24*time.Hour), address).Certificates[1]
			if soon.DaysLeft != 12 || len(soon.Problems) > 0 || over.DaysLeft != -1 || len(over.Problems) != 1 || over.Problems[0].Kind != pki.Expired {
				t.Errorf("12 days before its end %+v, a day after it %+v", soon, over)
			}
			etcd := inspect(t, filepath.Join(c.Dir, "pki", "etcd", "ca.crt"), time.Now(), "etcd://"+c.Etcd())
			if diff := cmp.Diff([]string{"CN=etcd-ca"}, etcd.ClientAuthorities); diff != "" || len(etcd.Certificates[0].Problems) > 0 {
				t.Errorf("etcd: %+v, authorities (-want +got):\n%s", etcd, diff)
			}
			time.Sleep(time.Until(first.ProcessStart.Add(1100 * time.Millisecond))) // the name tells seconds
			c.Restart(0)
			if again := inspect(t, authority, time.Now(), address); !again.ProcessStart.After(*first.ProcessStart) || !again.Certificates[1].NotAfter.After(loopback.NotAfter) {
				t.Errorf("after a restart the loopback certificate is the old one: %+v", again.Certificates[1])
			}
		})
	}
}

// inspect looks at one server, which must be observed, checking its chain against an authority in a file.
func inspect(t *testing.T, authority string, now time.Time, target string) probe.Result {
	t.Helper()
	pem, err := os.ReadFile(authority)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s has no certificate", authority)
	}
	parsed, err := probe.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	p := probe.Prober{Now: now, Each: 30 * time.Second, Roots: roots}
	found := p.Probe(t.Context(), []probe.Target{parsed}, func() {})
	if len(found) != 1 || !found[0].Observed || found[0].Reason != "" {
		t.Fatalf("%s: %+v, want it observed", target, found)
	}
	return found[0]
}
