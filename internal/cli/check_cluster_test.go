package cli_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubelts/kubelts/internal/cli"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/clustertest"
	"github.com/kubelts/kubelts/internal/findings"
)

// kubelts runs a command line in this process and returns its exit status and what it printed.
func kubelts(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errors bytes.Buffer
	status = cli.Main(args, cli.Process{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errors, Clock: time.Now,
		Getenv: func(name string) string { return map[string]string{"COLUMNS": "120"}[name] },
	})
	return status, out.String(), errors.String()
}

// judged runs check -o json and returns the report.
func judged(t *testing.T, want int, args ...string) *findings.Report {
	t.Helper()
	status, stdout, stderr := kubelts(t, append([]string{"check", "-o", "json"}, args...)...)
	if status != want {
		t.Fatalf("exit status %d, want %d\n%s\n%s", status, want, stderr, stdout)
	}
	r := &findings.Report{}
	if err := json.Unmarshal([]byte(stdout), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCheckSeesRealServers: one server of each version, seen through the command line, kept, and judged for other days.
func TestCheckSeesRealServers(t *testing.T) {
	want := map[string]struct {
		validity time.Duration // of the loopback certificate, from the start of the process
		end      string        // of upstream's support
		holes    []string      // some that the version certainly has
	}{
		"v1.24.17": {365*24*time.Hour - time.Hour, "2023-07-28", []string{"CVE-2020-8554", "CVE-2023-44487", "CVE-2025-5187"}},
		"v1.36.3":  {1096*24*time.Hour - time.Hour, "2027-06-28", []string{"CVE-2020-8554"}},
	}
	for _, version := range clustertest.Versions(t) {
		t.Run(version, func(t *testing.T) {
			w, ok := want[version]
			if !ok {
				t.Fatal("nothing is said of this version here")
			}
			before := time.Now().Truncate(time.Second)
			c := clustertest.Start(t, clustertest.Options{Version: version})
			file := filepath.Join(t.TempDir(), "snapshot.json")
			r := judged(t, 0, "--kubeconfig", c.Kubeconfig(clustertest.Admin()), "--save", file, "--fail-on", "none")

			if r.Cluster.Version != version || r.Support == nil || r.Support.EndOfLife.String() != w.end {
				t.Errorf("version %q, support %+v", r.Cluster.Version, r.Support)
			}
			if len(r.Cluster.APIServers) != 1 {
				t.Fatalf("API servers: %+v", r.Cluster.APIServers)
			}
			server := r.Cluster.APIServers[0]
			if server.ProcessStart == nil || server.ProcessStart.Before(before) || server.ProcessStart.After(time.Now()) {
				t.Errorf("the process started at %v, the test at %v", server.ProcessStart, before)
			}
			if server.LoopbackEnds == nil || server.LoopbackEnds.Sub(*server.ProcessStart).Round(time.Minute) != w.validity {
				t.Errorf("the loopback certificate ends at %v, %v after the start", server.LoopbackEnds, w.validity)
			}
			for _, id := range w.holes {
				if !slices.ContainsFunc(r.Holes, func(h findings.Hole) bool { return h.ID == id && h.Status == findings.Affected }) {
					t.Errorf("%s is not among the vulnerabilities", id)
				}
			}
			for _, kind := range []cluster.ChainKind{cluster.APIServerLoopback, cluster.APIServerServing, cluster.KubeconfigClient, cluster.ClusterCA, cluster.FrontProxyCA} {
				if !slices.ContainsFunc(r.Deadlines, func(d findings.Deadline) bool { return d.Kind == kind }) {
					t.Errorf("no deadline of kind %s", kind)
				}
			}
			if version != "v1.24.17" {
				identified(t, c)
			}
			aroundTheEnd(t, file, *server.LoopbackEnds)
		})
	}
}

// identified looks at what leases say of how many kube-apiservers there are: one that runs and does not answer is missed, one that is gone is not.
func identified(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	look := func() (r *findings.Report, missed string) {
		r = judged(t, 0, "--kubeconfig", c.Kubeconfig(clustertest.Admin()), "--fail-on", "none")
		for _, n := range r.NotObserved {
			if strings.Contains(n.What, "kube-apiserver of ") || strings.Contains(n.What, "beyond the") {
				missed += n.What + ": " + n.Reason
			}
		}
		return r, missed
	}
	if r, missed := look(); r.Cluster.Instances != 1 || r.Cluster.AtLeast || missed != "" {
		t.Errorf("one server with its lease: %d, at least %v, %s", r.Cluster.Instances, r.Cluster.AtLeast, missed)
	}
	leases := c.Client().CoordinationV1().Leases("kube-system")
	lease := func(name string, age time.Duration) {
		renewed := metav1.NewMicroTime(time.Now().Add(-age))
		_, err := leases.Create(t.Context(), &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: "apiserver-" + name, Labels: map[string]string{"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": name}},
			Spec:       coordinationv1.LeaseSpec{RenewTime: &renewed, LeaseDurationSeconds: new(int32(3600))},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	lease("gone", 3*time.Hour)
	if r, missed := look(); r.Cluster.Instances != 1 || r.Cluster.AtLeast || missed != "" {
		t.Errorf("beside a lease that nobody renews: %d, at least %v, %s", r.Cluster.Instances, r.Cluster.AtLeast, missed)
	}
	lease("hidden", 0)
	if r, missed := look(); !r.Cluster.AtLeast || !strings.HasPrefix(missed, "1 kube-apiserver of 2: ") || !strings.Contains(missed, "hidden") {
		t.Errorf("beside a lease that somebody renews: at least %v, %s", r.Cluster.AtLeast, missed)
	}
}

// aroundTheEnd judges a kept snapshot for twelve days before the loopback certificate ends, and for a day after it.
func aroundTheEnd(t *testing.T, file string, end time.Time) {
	t.Helper()
	for _, tt := range []struct {
		at   time.Time
		want []string
	}{
		{end.Add(-12*24*time.Hour - time.Minute), []string{
			`(?m)^    12  ` + end.Format(time.DateOnly) + ` .*loopback certificate of `, `ends in 12 days`, `kubelts probe 127\.0\.0\.1:`,
		}},
		{end.Add(24*time.Hour + time.Minute), []string{
			`(?m)^BROKEN  score `, `(?m)^    -2  ` + end.Format(time.DateOnly) + `  over .*loopback certificate of `, `(?m)^critical  the loopback certificate of .* ended on ` + end.Format(time.DateOnly) + `, 2 days over`,
		}},
	} {
		status, text, stderr := kubelts(t, "check", file, "-o", "wide", "--at", tt.at.UTC().Format(time.RFC3339))
		if status != 3 || stderr != "" {
			t.Errorf("at %v: exit status %d, %s", tt.at, status, stderr)
		}
		for _, want := range tt.want {
			if !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("at %v the report has no %q:\n%s", tt.at, want, text)
			}
		}
	}
}

// TestCheckSeesAllBehindALoadBalancer: three API servers behind one address, restarted at different times. All are seen, and the one that fails
// first, which has run longest, is named where it can be told from the others.
func TestCheckSeesAllBehindALoadBalancer(t *testing.T) {
	c := clustertest.Start(t, clustertest.Options{Version: "v1.36.3", Addresses: []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}})
	for _, i := range []int{0, 2} {
		time.Sleep(1100 * time.Millisecond) // starts are told in seconds
		c.Restart(i)
	}
	balancer := clustertest.LoadBalancer(t, c.Endpoints()...)
	kubeconfig := c.Kubeconfig(clustertest.Admin(), balancer)

	r := judged(t, 0, "--kubeconfig", kubeconfig, "--fail-on", "none")
	if len(r.Cluster.APIServers) != 1 || r.Cluster.APIServers[0].Instances != 3 {
		t.Fatalf("through the load balancer alone: %+v", r.Cluster.APIServers)
	}
	first := *r.Cluster.APIServers[0].LoopbackEnds
	if !slices.ContainsFunc(r.NotObserved, func(n cluster.NotObserved) bool { return strings.Contains(n.What, "beyond the 3 seen") }) {
		t.Errorf("that there may be more is not said: %+v", r.NotObserved)
	}

	args := []string{"--kubeconfig", kubeconfig, "--at", first.Add(-12 * 24 * time.Hour).UTC().Format(time.RFC3339)}
	for _, e := range c.Endpoints() {
		args = append(args, "--probe", e)
	}
	r = judged(t, 3, args...)
	seen := map[string]time.Time{}
	for _, s := range r.Cluster.APIServers {
		if s.LoopbackEnds != nil {
			seen[s.Address] = *s.LoopbackEnds
		}
	}
	for _, e := range c.Endpoints() {
		if seen[e].IsZero() {
			t.Errorf("%s is not seen: %v", e, seen)
		}
	}
	oldest := c.Endpoints()[1] // it was never restarted
	if !seen[oldest].Equal(first) || !seen[c.Endpoints()[0]].After(first) || !seen[c.Endpoints()[2]].After(seen[c.Endpoints()[0]]) {
		t.Errorf("the ends are %v, and through the load balancer the first one is %v", seen, first)
	}
	i := slices.IndexFunc(r.Findings, func(f findings.Finding) bool { return f.Area == cluster.Loopback })
	if i < 0 || !strings.Contains(r.Findings[i].Title, oldest) {
		t.Errorf("the first to fail, %s, is not named: %+v", oldest, r.Findings)
	}
}
