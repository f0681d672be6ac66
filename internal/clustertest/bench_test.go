package clustertest_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/clustertest"
)

// BenchmarkLargeCluster tells how long it takes to load a cluster of 5,000 nodes, and what kubectl then takes to list them: as JSON, which is what
// scripts read, and as a table, which the server makes. load-s is the time for loading, peak-MB is kubectl's largest resident set.
func BenchmarkLargeCluster(b *testing.B) {
	for _, version := range clustertest.Versions(b) {
		b.Run(version, func(b *testing.B) {
			c := clustertest.Start(b, clustertest.Options{Version: version})
			begin := time.Now()
			c.Populate(clustertest.Load{Nodes: 5000, Webhooks: 200, Definitions: 300})
			loaded := time.Since(begin)
			kubeconfig := c.Kubeconfig(clustertest.Admin())
			for name, format := range map[string][]string{"kubectl-json": {"-o", "json"}, "kubectl-table": nil} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						cmd := exec.Command(clustertest.Kubectl(b), append([]string{"get", "nodes", "--kubeconfig", kubeconfig}, format...)...)
						cmd.Env = append(os.Environ(), "HOME="+b.TempDir())
						if err := cmd.Run(); err != nil {
							b.Fatal(err)
						}
						b.ReportMetric(loaded.Seconds(), "load-s")
						if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
							b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MB")
						}
					}
				})
			}
		})
	}
}
