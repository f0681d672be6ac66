package findings_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
)

const day = 24 * time.Hour

var load = sync.OnceValues(func() (*catalog.Catalog, error) { return catalog.Load(data.Files) })

func facts(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	c, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func at(tb testing.TB, s string) time.Time {
	tb.Helper()
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		tb.Fatal(err)
	}
	return when
}

// cert describes a certificate to make. Keys come from a fixed seed: the same certificate has the same bytes in every run.
type cert struct {
	cn         string
	from, to   time.Time
	names      []string
	addresses  []string
	serial     int64
	ca, client bool
}

func make1(tb testing.TB, c cert) []byte {
	tb.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(c.serial), Subject: pkix.Name{CommonName: c.cn}, NotBefore: c.from, NotAfter: c.to, DNSNames: c.names,
		BasicConstraintsValid: true, IsCA: c.ca,
	}
	if c.serial == 0 {
		template.SerialNumber = big.NewInt(c.from.Unix())
	}
	for _, a := range c.addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(a))
	}
	switch {
	case c.ca:
		template.KeyUsage = x509.KeyUsageCertSign
	case c.client:
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	default:
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	parent := *template
	if !c.ca {
		parent.Subject = pkix.Name{CommonName: "kubernetes"}
	}
	der, err := x509.CreateCertificate(nil, template, &parent, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// loopback makes the loopback certificate of a kube-apiserver that started at a time, valid for so many days, as a chain.
func loopback(tb testing.TB, id string, start time.Time, days int) cluster.Chain {
	tb.Helper()
	return cluster.Chain{
		ID: id, Kind: cluster.APIServerLoopback, Where: id,
		DER: [][]byte{make1(tb, cert{
			cn: fmt.Sprintf("apiserver-loopback-client@%d", start.Unix()), from: start.Add(-time.Hour), to: start.Add(time.Duration(days)*day - time.Hour),
			names: []string{"apiserver-loopback-client"},
		})},
	}
}

// chainOf makes a chain of one certificate.
func chainOf(tb testing.TB, kind cluster.ChainKind, where string, c cert) cluster.Chain {
	tb.Helper()
	return cluster.Chain{ID: string(kind) + " " + where, Kind: kind, Where: where, DER: [][]byte{make1(tb, c)}, Bundle: c.ca}
}

// addServer puts a kube-apiserver into a snapshot, with its loopback certificate.
func addServer(tb testing.TB, s *cluster.Snapshot, name, address, version string, start time.Time, days int) *cluster.APIServer {
	tb.Helper()
	c := loopback(tb, "loopback "+address, start, days)
	s.Certificates = append(s.Certificates, c)
	s.APIServers = append(s.APIServers, cluster.APIServer{
		Name: name, Address: address, Source: "endpoints", Version: version, ProcessStart: &start, Loopback: []string{c.ID},
	})
	return &s.APIServers[len(s.APIServers)-1]
}

func addNodes(s *cluster.Snapshot, n int, like cluster.Node) {
	for i := range n {
		node := like
		node.Name = fmt.Sprintf("%s-%d", like.Name, i+1)
		s.Nodes = append(s.Nodes, node)
	}
}

func addComponents(s *cluster.Snapshot, version string, names ...string) {
	for _, name := range names {
		object := "pod/" + name
		if name == "kube-proxy" {
			object = "daemonset/" + name
		}
		s.Components = append(s.Components, cluster.Component{Name: name, Namespace: "kube-system", Object: object, Image: "registry.k8s.io/" + name + ":" + strings.Replace(version, "+", "_", 1), Version: version, Count: 1})
	}
}

var groups = []string{"v1", "apps/v1", "batch/v1"}

// base is a snapshot with nothing in it but its format.
func base(context string, taken time.Time) *cluster.Snapshot {
	return &cluster.Snapshot{Format: cluster.Format, Taken: taken, Tool: "test", Context: context, Server: "https://10.0.0.10:6443", UID: "00000000-0000-0000-0000-000000000001", Groups: groups}
}

// off says of every feature that it was looked for and is not used.
func off(s *cluster.Snapshot) {
	for _, name := range cluster.UseNames() {
		s.Uses = append(s.Uses, cluster.Use{Feature: name, By: "the lists of the API"})
	}
}
