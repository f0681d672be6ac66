package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/clustertest"
)

// BenchmarkCheckLargeCluster checks a cluster of 5,000 nodes with 50 images each, 200 webhooks and 300 definitions of custom resources, and lets kubectl list its nodes
// beside that: as JSON, which is what scripts read, and as a table, which the server makes. load-s is the time for loading the cluster,
// peak-MB the program's largest resident set, cpu-s its processor time, requests what it asked of the server.
func BenchmarkCheckLargeCluster(b *testing.B) {
	program := benchProgram(b)
	for _, version := range clustertest.Versions(b) {
		b.Run(version, func(b *testing.B) {
			c := clustertest.Start(b, clustertest.Options{Version: version, Audit: true})
			begin := time.Now()
			c.Populate(clustertest.Load{Nodes: 5000, Webhooks: 200, Definitions: 300})
			loaded := time.Since(begin)
			kubectl := clustertest.Kubectl(b)
			status, report, said := run("", "check", "-o", "json", "--fail-on", "none", "--kubeconfig", c.Kubeconfig(clustertest.Admin()))
			if status != 0 || !strings.Contains(report, `"nodes": 5000,`) {
				b.Fatalf("exit status %d, or the report is not about 5,000 nodes:\n%s\n%s", status, said, report[:min(len(report), 2000)])
			}
			for _, tt := range []struct {
				name string
				argv []string
			}{
				{"check", []string{program, "check", "-o", "json"}},
				{"kubectl-json", []string{kubectl, "get", "nodes", "-o", "json"}},
				{"kubectl-table", []string{kubectl, "get", "nodes"}},
			} {
				b.Run(tt.name, func(b *testing.B) {
					u := clustertest.User{Name: tt.name, Groups: clustertest.Admin().Groups}
					kubeconfig := c.Kubeconfig(u)
					for b.Loop() {
						cmd := exec.Command(tt.argv[0], tt.argv[1:]...)
						cmd.Env = append(os.Environ(), "HOME="+b.TempDir(), "KUBECONFIG="+kubeconfig)
						watched(b, cmd)
					}
					asked := c.Audit(u)
					b.ReportMetric(float64(len(asked)/b.N), "requests")
					b.ReportMetric(loaded.Seconds(), "load-s")
					if tt.name == "check" {
						b.Logf("in %d runs: %s", b.N, strings.Join(requestLines(asked), ", "))
					}
				})
			}
		})
	}
}

// watched runs a program to its end, of which exit status 3 is a success, and reports its own largest resident set and its processor time.
// The kernel's count of a child's resident set (ru_maxrss) begins with ours, so the program's is read while it runs.
func watched(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var err error
	peak := 0
	for running := true; running; {
		status, readErr := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if _, text, ok := strings.Cut(string(status), "VmHWM:"); readErr == nil && ok {
			if kilobytes, bad := strconv.Atoi(strings.Fields(text)[0]); bad == nil {
				peak = max(peak, kilobytes)
			}
		}
		select {
		case err = <-done:
			running = false
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err != nil && cmd.ProcessState.ExitCode() != 3 {
		b.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, said.Bytes()[:min(said.Len(), 2000)])
	}
	b.ReportMetric(float64(peak)/1024, "peak-MB")
	b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
}

// requestLines say how often each thing was asked for; pages of one list are one thing.
func requestLines(asked []clustertest.Request) []string {
	count := map[string]int{}
	for _, r := range asked {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		count[r.Verb+" "+path]++
	}
	var out []string
	for what, n := range count {
		out = append(out, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(out)
	return out
}
