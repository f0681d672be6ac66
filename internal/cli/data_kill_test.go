package cli_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDataUpdateKilled kills updates at all kinds of moments. After each, all commands read the old facts or the new ones, whole; and nothing is left behind
// that an update which goes through does not clear away.
func TestDataUpdateKilled(t *testing.T) {
	home := t.TempDir()
	for n := 1; n <= 2; n++ {
		text := record(fmt.Sprintf("CVE-2099-000%d", n), "1.34.5")
		if err := os.WriteFile(filepath.Join(home, fmt.Sprintf("%d.json", n)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kubelts := func(args ...string) *exec.Cmd {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Args, cmd.Dir, cmd.Env = append([]string{"kubelts"}, args...), home, []string{"HOME=" + home}
		return cmd
	}
	must := func(args ...string) string {
		out, err := kubelts(args...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubelts %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	started := time.Now()
	must("data", "update", "--from-file", "kubernetes-osv=1.json")
	took := time.Since(started)
	random := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for round := range 8 {
		var report bytes.Buffer
		cmd := kubelts("data", "update", "--from-file", fmt.Sprintf("kubernetes-osv=%d.json", 1+round%2))
		cmd.Stderr = &report
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		_ = cmd.Process.Kill() // it may be through already
		if cmd.Wait() != nil {
			killed++
		}
		if out := must("data", "status", "--source", "kubernetes-osv"); !strings.Contains(out, "kubernetes-osv") {
			t.Fatalf("round %d: %s\n%s", round, out, report.String())
		}
		one, two := kubelts("vuln", "show", "CVE-2099-0001").Run() == nil, kubelts("vuln", "show", "CVE-2099-0002").Run() == nil
		if one == two {
			t.Fatalf("round %d: the first is known: %v, the second: %v", round, one, two)
		}
	}
	if killed == 0 {
		t.Error("no update was killed: the test shows nothing")
	}
	must("data", "update", "--from-file", "kubernetes-osv=2.json", "--at", time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339))
	err := filepath.WalkDir(filepath.Join(home, ".local/share/kubelts"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") {
			t.Errorf("left behind: %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
