package cli_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/clustertest"
	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/probe"
)

// Three servers behind one load balancer, started at different times: all are seen, as JSON and as metrics, and the oldest is the one that the
// result is about. The certificates of kube-apiserver 1.24 all have serial number 2: it does not tell them apart.
func TestProbeRealInstances(t *testing.T) {
	c := clustertest.Start(t, clustertest.Options{Version: "v1.24.17", Addresses: []string{"127.0.0.21", "127.0.0.22", "127.0.0.23"}})
	for i := range 2 {
		time.Sleep(1100 * time.Millisecond) // the certificates tell seconds
		c.Restart(i)
	}
	balancer := clustertest.LoadBalancer(t, c.Endpoints()...)
	_, direct, _ := run("", "probe", c.Endpoints()[2], "-o", "json")
	oldest := probed(t, direct)
	status, out, report := run("", "probe", balancer, "--tries", "6", "-o", "json")
	seen := probed(t, out)
	if status != 0 || !seen.Observed || seen.Instances != 3 || !seen.ProcessStart.Equal(*oldest.ProcessStart) {
		t.Fatalf("status %d, %d instances, the oldest of %v; want 3, %v\n%s%s", status, seen.Instances, seen.ProcessStart, oldest.ProcessStart, out, report)
	}
	var ends []time.Time
	for _, cert := range seen.Certificates {
		if cert.Role == pki.Loopback {
			ends = append(ends, cert.NotAfter)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	if len(slices.Compact(ends)) != 3 {
		t.Fatalf("the certificates end at %v, want three times", ends)
	}
	_, text, _ := run("", "probe", balancer, "--tries", "6", "-o", "prometheus")
	for _, end := range ends {
		if value := fmt.Sprintf("%g", float64(end.Unix())); !strings.Contains(text, value+"\n") {
			t.Errorf("no metric tells the end at %s:\n%s", value, text)
		}
	}
	if !strings.Contains(text, fmt.Sprintf(`subject="%s@%d"`, "CN="+pki.LoopbackName, oldest.ProcessStart.Unix())) {
		t.Errorf("no metric names the oldest:\n%s", text)
	}
}

// probed is the one result in JSON.
func probed(t *testing.T, out string) probe.Result {
	t.Helper()
	var results []probe.Result
	if err := json.Unmarshal([]byte(out), &results); err != nil || len(results) != 1 {
		t.Fatalf("%d results, %v:\n%s", len(results), err, out)
	}
	return results[0]
}
