package host_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/host"
)

func block(kind, content string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)}))
}

// lay writes files below a folder.
func lay(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

func TestRead(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	config := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {certificate-authority-data: " + base64.StdEncoding.EncodeToString([]byte(block("CERTIFICATE", "ca"))) +
		"}}]\nusers: [{name: u, user: {client-certificate-data: " + base64.StdEncoding.EncodeToString([]byte(block("CERTIFICATE", "scheduler"))) + ", client-key-data: c2VjcmV0}}]\n"
	lay(t, root, map[string]string{
		"etc/kubernetes/pki/apiserver.crt":                    block("CERTIFICATE", "apiserver") + block("CERTIFICATE", "signer"),
		"etc/kubernetes/pki/apiserver.key":                    block("RSA PRIVATE KEY", "secret"),
		"etc/kubernetes/pki/ca.crt":                           block("CERTIFICATE", "ca"),
		"etc/kubernetes/pki/etcd/server.crt":                  block("CERTIFICATE", "etcd"),
		"etc/kubernetes/pki/sa.pub":                           block("PUBLIC KEY", "key"),
		"etc/kubernetes/pki/broken.crt":                       "garbage",
		"etc/kubernetes/scheduler.conf":                       config,
		"etc/kubernetes/other.conf":                           "[section]\nkey = value\n",
		"etc/kubernetes/manifests/kube-apiserver.yaml":        "kind: Pod",
		"var/lib/kubelet/pki/kubelet-client-2026.pem":         block("CERTIFICATE", "kubelet") + block("EC PRIVATE KEY", "secret"),
		"var/lib/kubelet/pki/only-a.pem":                      block("EC PRIVATE KEY", "secret"),
		"etc/kubernetes/pki.bak/old.crt":                      block("CERTIFICATE", "old"),
		"etc/kubernetes/deep/1/2/3/4/5/6/7/8/9/certainly.crt": block("CERTIFICATE", "deep"),
	})
	lay(t, outside, map[string]string{"secret.crt": block("CERTIFICATE", "outside")})
	link(t, "kubelet-client-2026.pem", filepath.Join(root, "var/lib/kubelet/pki/kubelet-client-current.pem"))
	link(t, filepath.Join(outside, "secret.crt"), filepath.Join(root, "etc/kubernetes/pki/escape.crt"))
	link(t, outside, filepath.Join(root, "etc/kubernetes/pki/folder.crt"))
	link(t, "loop.crt", filepath.Join(root, "etc/kubernetes/pki/loop.crt"))
	if err := syscall.Mkfifo(filepath.Join(root, "etc/kubernetes/pki/pipe.crt"), 0o600); err != nil {
		t.Fatal(err)
	}
	large, err := os.Create(filepath.Join(root, "etc/kubernetes/pki/large.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err = large.Truncate(8 << 20); err != nil {
		t.Fatal(err)
	}
	large.Close()
	seen, err := host.Read(t.Context(), root, host.Places())
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		ID, Object, Certificates, Problem string
		Bundle                            bool
	}
	var got []line
	for _, c := range seen.Chains {
		var all []string
		for _, der := range c.DER {
			all = append(all, string(der))
		}
		got = append(got, line{c.ID, c.Object, strings.Join(all, " "), c.Problem, c.Bundle})
	}
	want := []line{
		{"host-file/etc/kubernetes/pki/apiserver.crt", "kube-apiserver", "apiserver signer", "", false},
		{"host-file/etc/kubernetes/pki/broken.crt", "", "", "not PEM", false},
		{"host-file/etc/kubernetes/pki/ca.crt", "", "ca", "", true},
		{"host-file/etc/kubernetes/pki/etcd/server.crt", "etcd", "etcd", "", false},
		{"host-file/var/lib/kubelet/pki/kubelet-client-current.pem", "kubelet's client", "kubelet", "", false},
		{"host-kubeconfig/etc/kubernetes/scheduler.conf", "kube-scheduler", "scheduler", "", false},
		{"host-kubeconfig/etc/kubernetes/scheduler.conf/ca", "", "ca", "", true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var missed []string
	for _, n := range seen.NotObserved {
		missed = append(missed, n.What+": "+n.Reason)
	}
	all := strings.Join(missed, "\n")
	for _, part := range []string{"escape.crt on this host: path escapes", "folder.crt on this host: path escapes", "loop.crt on this host: ", "large.crt on this host: more than", "folders deep", "pki.bak on this host: by its name"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q is not named in\n%s", part, all)
		}
	}
	if len(missed) != 6 {
		t.Errorf("not observed:\n%s", all)
	}
}

func TestReadNothing(t *testing.T) {
	_, err := host.Read(t.Context(), t.TempDir(), host.Places())
	if err == nil || !errs.Is(err, errs.NotFound) || len(errs.Hints(err)) == 0 {
		t.Errorf("error %v", err)
	}
}

func TestReadInterrupted(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{"etc/kubernetes/pki/ca.crt": block("CERTIFICATE", "ca")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	seen, err := host.Read(ctx, root, host.Places())
	if err != nil || len(seen.Chains) != 0 || len(seen.NotObserved) != 1 {
		t.Errorf("%+v, %v", seen, err)
	}
}

// FuzzKubeconfig: whatever stands in a kubeconfig, only certificates come out, and nothing crashes.
func FuzzKubeconfig(f *testing.F) {
	f.Add("kind: Config\nusers: [{name: u, user: {client-certificate-data: LS0=, client-key-data: c2VjcmV0}}]\n")
	f.Add("kind: Config\nclusters: [{cluster: {certificate-authority-data: '!'}}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		root := t.TempDir()
		lay(t, root, map[string]string{"etc/kubernetes/admin.conf": text})
		seen, err := host.Read(t.Context(), root, []string{"/etc/kubernetes"})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range seen.Chains {
			if len(c.DER) == 0 && c.Problem == "" {
				t.Errorf("%s has no certificate and no problem", c.ID)
			}
		}
	})
}
