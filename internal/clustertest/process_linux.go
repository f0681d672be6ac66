package clustertest

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dieWithParent lets the kernel end a program when its parent dies, so that a test that is killed leaves nothing behind.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// inside names, to the program that runs in the namespace, the test that it is there for.
const inside = "KUBELTS_TEST_IN_NAMESPACE"

// InNamespace runs test t again in a network namespace of its own, whose only interface is loopback, with the given addresses on it, and lets
// its outcome be that of t. The answer is true in there, and false outside, when all is done:
//
//	if !clustertest.InNamespace(t, "10.20.0.1", "10.20.0.2") {
//		return
//	}
//
// API servers publish their addresses as endpoints, which must not be of 127.0.0.0/8; here they have others, which nobody else sees. It
// needs no rights, on a Linux that lets users make namespaces, and the program ip (Debian's package iproute2).
func InNamespace(t *testing.T, addresses ...string) bool {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		for _, args := range append([][]string{{"link", "set", "lo", "up"}}, addressArguments(addresses)...) {
			if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run="+onlyThis(t), "-test.v", "-test.count=1")
	if deadline, ok := t.Deadline(); ok {
		cmd.Args = append(cmd.Args, fmt.Sprintf("-test.timeout=%v", time.Until(deadline).Round(time.Second)))
	}
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	p := run(t, filepath.Join(t.TempDir(), "namespace.log"), cmd)
	<-p.done
	said, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	if p.err != nil || !strings.Contains(string(said), "--- PASS: "+t.Name()) {
		t.Fatalf("in the namespace: %v\n%s", p.err, said)
	}
	return false
}

// onlyThis is the pattern that chooses this test, and of its subtests those that were chosen.
func onlyThis(t *testing.T) string {
	t.Helper()
	var pattern []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	if chosen := strings.Split(flag.Lookup("test.run").Value.String(), "/"); len(chosen) > len(pattern) {
		pattern = append(pattern, chosen[len(pattern):]...)
	}
	return strings.Join(pattern, "/")
}

func addressArguments(addresses []string) [][]string {
	var out [][]string
	for _, a := range addresses {
		out = append(out, []string{"address", "add", a + "/32", "dev", "lo"})
	}
	return out
}
