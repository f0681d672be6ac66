package cli_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubelts/kubelts/internal/cli"
	"github.com/kubelts/kubelts/internal/probe"
)

// run runs one command line and returns its exit status and what it wrote.
func run(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, report bytes.Buffer
	status = cli.Main(args, cli.Process{
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &report, Getenv: func(string) string { return "" },
		Clock: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	})
	return status, out.String(), report.String()
}

// tlsServer is a server with net/http/httptest's certificate, which ends on 2084-01-29 at 16:00 UTC.
func tlsServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestProbeStatus(t *testing.T) {
	address := tlsServer(t)
	file := filepath.Join(t.TempDir(), "targets")
	if err := os.WriteFile(file, []byte("# all\ntls://"+address+" # one\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, stdin string
		args        []string
		status      int
		out, report string // that must be in it
	}{
		{name: "well", args: []string{"tls://" + address}, out: "2084-01-29 16:00:00", report: "1 looked at, 0 not observed"},
		{name: "from a file", args: []string{"-f", file}, out: "serving", report: "1 looked at"},
		{name: "from standard input", stdin: "tls://" + address + "\n", args: []string{"-"}, out: "serving", report: "1 looked at"},
		{name: "twice the same", args: []string{"tls://" + address, "-f", file}, out: "serving", report: "1 looked at"},
		{name: "29 days left", args: []string{"tls://" + address, "--at", "2083-12-31"}, status: 3, out: "29", report: "30 days or fewer left: 1, of these ended: 0"},
		{name: "29 days left, 10 asked", args: []string{"tls://" + address, "--at", "2083-12-31", "--days", "10"}, out: "29"},
		{name: "ended", args: []string{"tls://" + address, "--at", "2084-01-30"}, status: 3, out: "expired: ended 2084-01-29T16:00:00Z", report: "of these ended: 1"},
		{name: "no loopback certificate", args: []string{address}, status: 3, out: "not observed: asked for its loopback certificate", report: "1 not observed"},
		{name: "nobody there", args: []string{"etcd://127.0.0.1:1"}, status: 3, out: "not observed: dial tcp", report: "1 not observed"},
		{name: "no target", status: 2, report: "hint: write HOST:PORT"},
		{name: "bad target", args: []string{"ftp://x"}, status: 1, report: "hint: use one of apiserver://, etcd://"},
		{name: "bad line", stdin: "tls://" + address + "\nx:y:z\n", args: []string{"-"}, status: 1, report: "standard input, line 2: target"},
		{name: "no file", args: []string{"-f", file + "x"}, status: 1, report: "read targets: open"},
		{name: "no authorities", args: []string{"tls://" + address, "--ca-file", file}, status: 1, report: "hint: give a file with PEM blocks"},
		{name: "bad tries", args: []string{"tls://" + address, "--tries", "0"}, status: 2, report: "hint: use a number from 1 to 1000"},
		{name: "bad time", args: []string{"tls://" + address, "--each", "-1s"}, status: 2, report: "hint: use a time such as 5s"},
		{name: "bad format", args: []string{"tls://" + address, "-o", "xml"}, status: 2, report: "prometheus"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, report := run(tt.stdin, append([]string{"probe"}, tt.args...)...)
			if status != tt.status || !strings.Contains(out, tt.out) || !strings.Contains(report, tt.report) {
				t.Errorf("status %d, want %d; output:\n%s\nwant %q; report:\n%s\nwant %q", status, tt.status, out, tt.out, report, tt.report)
			}
		})
	}
}

func TestProbeFormats(t *testing.T) {
	address := tlsServer(t)
	status, out, _ := run("", "probe", "tls://"+address, "etcd://127.0.0.1:1", "-o", "json")
	var results []probe.Result
	if err := json.Unmarshal([]byte(out), &results); err != nil || status != 3 {
		t.Fatalf("status %d, %v", status, err)
	}
	if len(results) != 2 || !results[0].Observed || results[1].Observed || results[0].Certificates[0].NotAfter.Year() != 2084 {
		t.Errorf("results = %+v", results)
	}
	_, out, _ = run("", "probe", "tls://"+address, "etcd://127.0.0.1:1", "-o", "prometheus")
	for _, want := range []string{
		`kubelts_probe_observed{address="` + address + `",kind="tls",target="tls://` + address + `"} 1`,
		`kubelts_probe_observed{address="127.0.0.1:1",kind="etcd",target="etcd://127.0.0.1:1"} 0`,
		`role="serving"`,
		`3.6e+09`,
		"# TYPE kubelts_certificate_not_after_timestamp_seconds gauge",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("metrics lack %q:\n%s", want, out)
		}
	}
	for format, want := range map[string]string{"csv": "Target,Role,Days left", "markdown": "| Target | Role |", "wide": "SIGNATURE", "yaml": "observed: true"} {
		if _, out, _ = run("", "probe", "tls://"+address, "-o", format); !strings.Contains(strings.ToLower(out), strings.ToLower(want)) {
			t.Errorf("-o %s lacks %q:\n%s", format, want, out)
		}
	}
}
