// Package clustertest starts real control planes for tests: kube-apiserver, built from its Go modules, on etcd, with certificates of their
// own, on addresses that only this machine sees. No controllers and no nodes run: objects stay as they were written.
//
// What a test starts ends with it, also when the test fails or is killed. Nothing else is ended. A start costs a few seconds and 300 MB; share a
// cluster among subtests. A first build of a server costs minutes ("make servers" does it ahead).
//
// It needs the program etcd (Debian's package etcd-server). A machine without it fails the test.
package clustertest

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Options say what to start.
type Options struct {
	Version string // of kube-apiserver, one of [Versions]
	// Addresses are those of the API servers, one each: of 127.0.0.0/8, by default one, 127.0.0.1. All use the same port. Others must be the
	// machine's own (see [InNamespace]); these, and only these, the servers publish as endpoints of the service "kubernetes".
	Addresses []string
	Audit     bool     // write down each request, for [Cluster.Audit]
	Flags     []string // more flags for kube-apiserver
}

// Cluster is a control plane that runs.
type Cluster struct {
	Version string
	Dir     string // with pki/ as kubeadm lays it out, and the logs of all programs

	tb        testing.TB
	options   Options
	signers   *authorities
	etcd      string // its client address
	port      string
	instances []*process
}

const (
	serviceRange = "10.96.0.0/16"
	serviceIP    = "10.96.0.1"
	admins       = "system:masters"
	// patience is for one program to start, on a machine that is busy with other tests.
	patience = 3 * time.Minute
)

// Start starts a control plane and returns when all its API servers are ready, and published if such addresses are.
func Start(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	if len(o.Addresses) == 0 {
		o.Addresses = []string{"127.0.0.1"}
	}
	c := &Cluster{Version: o.Version, Dir: tb.TempDir(), tb: tb, options: o}
	binary := Binary(tb, o.Version)
	c.signers = newAuthorities(tb, filepath.Join(c.Dir, "pki"), o.Addresses)
	c.startEtcd()
	writeFile(tb, c.path("audit-policy.yaml"), []byte(auditPolicy))
	const tries = 5
	for try := range tries {
		c.port = freePort(tb, o.Addresses)
		if c.startInstances(binary) {
			c.awaitPublished()
			return c
		}
		tb.Logf("port %s was taken by another program, try %d", c.port, try+1)
	}
	tb.Fatalf("no free port in %d tries", tries)
	return nil
}

func (c *Cluster) path(name string) string { return filepath.Join(c.Dir, name) }

// Endpoints are the addresses of the API servers, host:port, in the order of [Options.Addresses].
func (c *Cluster) Endpoints() []string {
	var out []string
	for _, a := range c.options.Addresses {
		out = append(out, net.JoinHostPort(a, c.port))
	}
	return out
}

// Etcd is the address of etcd's clients, host:port.
func (c *Cluster) Etcd() string { return c.etcd }

// Log is all that instance i has said. The servers log at level 2.
func (c *Cluster) Log(i int) string {
	c.tb.Helper()
	said, err := os.ReadFile(c.instances[i].log)
	if err != nil {
		c.tb.Fatal(err)
	}
	return string(said)
}

// Stop ends API server i as a machine that fails would.
func (c *Cluster) Stop(i int) {
	c.tb.Helper()
	c.instances[i].stop()
}

// Restart ends API server i, starts it again at the same address, and returns when it is ready, and published if such addresses are.
func (c *Cluster) Restart(i int) {
	c.tb.Helper()
	c.Stop(i)
	binary := Binary(c.tb, c.Version)
	for range 5 {
		c.instances[i] = c.startServer(binary, i)
		if c.wait(i) {
			c.awaitPublished()
			return
		}
		time.Sleep(time.Second) // somebody has the port for a connection of theirs
	}
	c.tb.Fatalf("the port of %s stays in use", c.Endpoints()[i])
}

func (c *Cluster) startEtcd() {
	c.tb.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		c.tb.Fatalf("this test needs the program etcd: apt-get install etcd-server (%v)", err)
	}
	const tries = 5
	for range tries {
		c.etcd = net.JoinHostPort("127.0.0.1", freePort(c.tb, []string{"127.0.0.1"}))
		peer := "http://" + net.JoinHostPort("127.0.0.1", freePort(c.tb, []string{"127.0.0.1"}))
		p := start(
			c.tb, c.path("etcd.log"), program, "--name=test", "--data-dir="+c.path("etcd"),
			"--listen-client-urls=https://"+c.etcd, "--advertise-client-urls=https://"+c.etcd, "--client-cert-auth",
			"--cert-file="+c.signers.path("etcd/server.crt"), "--key-file="+c.signers.path("etcd/server.key"), "--trusted-ca-file="+c.signers.path("etcd/ca.crt"),
			"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=test="+peer,
		)
		if c.await(p, "https://"+c.etcd+"/health", c.signers.etcd) {
			return
		}
	}
	c.tb.Fatalf("etcd: no free port in %d tries", tries)
}

// startInstances starts all API servers. The answer is false where the port is not free any more.
func (c *Cluster) startInstances(binary string) bool {
	c.tb.Helper()
	c.instances = nil
	for i := range c.options.Addresses {
		c.instances = append(c.instances, c.startServer(binary, i))
	}
	for i := range c.instances {
		if !c.wait(i) {
			for _, p := range c.instances {
				p.stop()
			}
			return false
		}
	}
	return true
}

func (c *Cluster) startServer(binary string, i int) *process {
	c.tb.Helper()
	address, pki := c.options.Addresses[i], c.signers.path
	argv := []string{
		binary, "--v=2", "--bind-address=" + address, "--secure-port=" + c.port, "--advertise-address=" + address, "--service-cluster-ip-range=" + serviceRange,
		"--etcd-servers=https://" + c.etcd, "--etcd-cafile=" + pki("etcd/ca.crt"), "--etcd-certfile=" + pki("apiserver-etcd-client.crt"), "--etcd-keyfile=" + pki("apiserver-etcd-client.key"),
		"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"), "--client-ca-file=" + pki("ca.crt"),
		"--kubelet-client-certificate=" + pki("apiserver-kubelet-client.crt"), "--kubelet-client-key=" + pki("apiserver-kubelet-client.key"),
		"--proxy-client-cert-file=" + pki("front-proxy-client.crt"), "--proxy-client-key-file=" + pki("front-proxy-client.key"),
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file=" + pki("sa.pub"), "--service-account-signing-key-file=" + pki("sa.key"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--enable-bootstrap-token-auth",
	}
	if net.ParseIP(address).IsLoopback() {
		argv = append(argv, "--endpoint-reconciler-type=none") // endpoints must not have loopback addresses
	}
	if c.options.Audit {
		argv = append(argv, "--audit-policy-file="+c.path("audit-policy.yaml"), "--audit-log-path="+c.auditLog(i))
	}
	return start(c.tb, c.path("kube-apiserver-"+strconv.Itoa(i)+".log"), append(argv, c.options.Flags...)...)
}

// wait returns when API server i is ready. The answer is false where another program has its port.
func (c *Cluster) wait(i int) bool {
	c.tb.Helper()
	return c.await(c.instances[i], "https://"+c.Endpoints()[i]+"/readyz", c.signers.cluster)
}

// await returns when p says at a page of its own that it is well. The answer is false where p ended because another program has its port.
func (c *Cluster) await(p *process, page string, signer *pair) bool {
	c.tb.Helper()
	web := httpClient(c.tb, signer, issue(c.tb, client(Admin().Name, Admin().Groups...), signer))
	web.Timeout = 10 * time.Second
	defer web.CloseIdleConnections()
	deadline := time.Now().Add(patience)
	for {
		if answer, err := web.Get(page); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return true
			}
		}
		switch {
		case p.ended() && strings.Contains(p.tail(), "address already in use"):
			return false
		case p.ended():
			c.tb.Fatalf("%s ended: %v\n%s", filepath.Base(p.log), p.err, p.tail())
		case time.Now().After(deadline):
			c.tb.Fatalf("%s: not ready after %v\n%s", filepath.Base(p.log), patience, p.tail())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awaitPublished returns when the addresses of all API servers that run are endpoints of the service "kubernetes". A server that starts
// is ready before that, and one that was gone for some seconds has been taken away by the others.
func (c *Cluster) awaitPublished() {
	c.tb.Helper()
	var want []string
	running := 0
	for i, a := range c.options.Addresses {
		if !net.ParseIP(a).IsLoopback() && !c.instances[i].ended() {
			want, running = append(want, a), i
		}
	}
	if len(want) == 0 {
		return
	}
	config := c.Config(User{Name: "clustertest", Groups: []string{admins}}) // who leaves no trace in what users are seen to ask
	config.Host = "https://" + c.Endpoints()[running]
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		c.tb.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		var published []string
		slice, err := set.DiscoveryV1().EndpointSlices("default").Get(c.tb.Context(), "kubernetes", metav1.GetOptions{})
		if err == nil {
			for _, e := range slice.Endpoints {
				published = append(published, e.Addresses...)
			}
		}
		if !slices.ContainsFunc(want, func(a string) bool { return !slices.Contains(published, a) }) {
			return
		}
		if time.Now().After(deadline) {
			c.tb.Fatalf("published are %v, not all of %v: %v", published, want, err)
		}
	}
}

// freePort is a port that nobody listens on at any of the addresses. It is free when this returns; the caller must bear that it is not soon after.
func freePort(tb testing.TB, addresses []string) string {
	tb.Helper()
	for range 50 {
		first, err := net.Listen("tcp", net.JoinHostPort(addresses[0], "0"))
		if err != nil {
			tb.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(first.Addr().String())
		taken := slices.ContainsFunc(addresses[1:], func(a string) bool {
			l, err := net.Listen("tcp", net.JoinHostPort(a, port))
			if err == nil {
				l.Close()
			}
			return err != nil
		})
		first.Close()
		if !taken {
			return port
		}
	}
	tb.Fatalf("no port is free on all of %v", addresses)
	return ""
}
