// Package probe looks at the certificates that TLS servers serve, without credentials: a handshake, and nothing after it.
//
// The one that matters most is the loopback certificate of kube-apiserver. It lives in the memory of each instance, and is served to whoever asks for the server
// name apiserver-loopback-client. Its common name tells when that process started.
//
// Words: a target is what the caller names; a name that resolves to several addresses is looked at on each of them. A server is observed when what its kind
// promises was seen: the loopback certificate for an API server, the serving certificate for all others. What is not observed has a reason and is never well.
//
// Promises: the first handshake names no server. Where its certificate is of software that would put a name it is asked for into its own certificate (k3s, RKE2,
// Rancher's dynamiclistener), no name is sent. No request follows a handshake. Verification is off while connecting, since what is wrong with a certificate is
// what one wants to see; problems are found afterwards. Time, connections and sizes are bounded.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kubelts/kubelts/internal/pki"
)

// Prober looks at targets. Its fields must not change while it works.
type Prober struct {
	Now         time.Time     // the present, for days left and problems
	Each        time.Duration // for one connection and handshake
	Concurrency int           // addresses at a time
	// Tries is how many handshakes in a row must show no loopback certificate that is new before an address counts as looked at. Behind a load
	// balancer, several instances answer at one address.
	Tries int
	Roots *x509.CertPool // nil: chains are not checked
}

// Result is what was seen at one address of a target.
type Result struct {
	Target   string `json:"target"`
	Kind     Kind   `json:"kind"`
	Address  string `json:"address,omitempty"` // where it was seen, if a connection was tried
	Observed bool   `json:"observed"`
	Reason   string `json:"reason,omitempty"` // why it was not observed
	// ProcessStart is when the API server process started; of several instances, the one that started first.
	ProcessStart *time.Time `json:"processStart,omitempty"`
	// Instances is how many different loopback certificates were seen: there are at least so many instances.
	Instances    int               `json:"instances,omitempty"`
	Certificates []pki.Certificate `json:"certificates"`
	// Chains are the certificates as they were sent, for who judges them elsewhere: the serving one first, then a loopback one for each instance.
	Chains []Chain `json:"-"`
	// Listener names the software that must not be asked for a name (k3s, rke2, dynamiclistener), where the certificate is of such.
	Listener string `json:"listener,omitempty"`
	// ClientAuthorities are the names of those whose client certificates the server would take, as far as it says so.
	ClientAuthorities []string `json:"clientAuthorities,omitempty"`
	TLS               string   `json:"tls,omitempty"` // version of the protocol
}

// Chain is what a server sent in one handshake, as DER, the leaf first.
type Chain struct {
	Role pki.Role
	DER  [][]byte
}

// Bounds.
const (
	maxAddresses = 64 // of one name
	maxInstances = 100
	maxChain     = 10
	maxClientCAs = 20
)

// Probe looks at all targets and returns the results in their order. Done is told after each address that was looked at. When ctx ends, what was not looked at has
// that as its reason.
func (p *Prober) Probe(ctx context.Context, targets []Target, done func()) []Result {
	found := make([][]Result, len(targets))
	work := make(chan int)
	var group sync.WaitGroup
	for range max(1, min(p.Concurrency, len(targets))) {
		group.Go(func() {
			for i := range work {
				found[i] = p.target(ctx, targets[i])
				done()
			}
		})
	}
	for i := range targets {
		work <- i
	}
	close(work)
	group.Wait()
	var out []Result
	for _, results := range found {
		out = append(out, results...)
	}
	return out
}

// target looks at each address of a target.
func (p *Prober) target(ctx context.Context, t Target) []Result {
	unseen := Result{Target: t.Name, Kind: t.Kind, Certificates: []pki.Certificate{}}
	if ctx.Err() != nil {
		unseen.Reason = "time was up before it was its turn"
		return []Result{unseen}
	}
	addresses, err := p.resolve(ctx, t.Host)
	if err != nil {
		unseen.Reason = "the name does not resolve: " + p.explain(err)
		return []Result{unseen}
	}
	var out []Result
	for _, a := range addresses[:min(len(addresses), maxAddresses)] {
		r := unseen
		r.Address = net.JoinHostPort(a, t.Port)
		p.address(ctx, t, &r)
		out = append(out, r)
	}
	if more := len(addresses) - maxAddresses; more > 0 {
		unseen.Reason = fmt.Sprintf("the name has %d more addresses; at most %d are looked at", more, maxAddresses)
		out = append(out, unseen)
	}
	return out
}

func (p *Prober) resolve(ctx context.Context, host string) ([]string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.Each)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, a := range found {
		out = append(out, a.Unmap().String())
	}
	return out, nil
}

// address fills in what is seen at one address.
func (p *Prober) address(ctx context.Context, t Target, r *Result) {
	seen, err := p.handshake(ctx, r.Address, "")
	if err != nil {
		r.Reason = p.explain(err)
		return
	}
	r.TLS, r.ClientAuthorities = tls.VersionName(seen.version), seen.clientCAs
	r.Certificates = p.describe(seen.chain, pki.Serving, t.Host)
	r.Chains = append(r.Chains, raw(seen.chain, pki.Serving))
	if t.Kind != APIServer {
		r.Observed = true
		return
	}
	if software, ok := pki.Listener(seen.chain); ok {
		r.Listener = software
		r.Reason = "the certificate is of " + software + ": a listener of that kind may add a name that it is asked for to its certificate, so it was not asked"
		return
	}
	p.loopback(ctx, r)
}

// loopback asks for the loopback certificate until no instance is new.
func (p *Prober) loopback(ctx context.Context, r *Result) {
	serials := map[string]bool{}
	for idle := 0; idle < max(1, p.Tries) && len(serials) < maxInstances; {
		seen, err := p.handshake(ctx, r.Address, pki.LoopbackName)
		if err != nil {
			r.Observed, r.Reason = false, "asked for its loopback certificate: "+p.explain(err)
			return
		}
		leaf := seen.chain[0]
		start, ok := pki.LoopbackStart(leaf)
		if !ok {
			r.Observed = false
			r.Reason = fmt.Sprintf("asked for its loopback certificate, it serves %q: something in front of it ends TLS, or it is no kube-apiserver", pki.Describe(leaf, pki.Serving, p.Now).Subject)
			return
		}
		idle++
		if serial := string(leaf.Raw); !serials[serial] {
			serials[serial] = true
			r.Certificates = append(r.Certificates, p.describe(seen.chain, pki.Loopback, pki.LoopbackName)...)
			r.Chains = append(r.Chains, raw(seen.chain, pki.Loopback))
			if p.Tries > 1 {
				idle = 0
			}
		}
		if r.ProcessStart == nil || start.Before(*r.ProcessStart) {
			r.ProcessStart = &start
		}
		r.Observed, r.Instances = true, len(serials)
	}
}

// describe says what is in a chain: the leaf, and what was sent with it.
func (p *Prober) describe(chain []*x509.Certificate, role pki.Role, host string) []pki.Certificate {
	leaf := pki.Describe(chain[0], role, p.Now)
	roots := p.Roots
	if role == pki.Loopback {
		roots = nil // only its own client trusts it
	}
	leaf.Problems = append(leaf.Problems, pki.Verify(chain, roots, host, p.Now)...)
	out := []pki.Certificate{leaf}
	for _, c := range chain[1:min(len(chain), maxChain)] {
		out = append(out, pki.Describe(c, pki.Authority, p.Now))
	}
	return out
}

// raw keeps a chain as it was sent.
func raw(chain []*x509.Certificate, role pki.Role) Chain {
	c := Chain{Role: role}
	for _, sent := range chain[:min(len(chain), maxChain)] {
		c.DER = append(c.DER, sent.Raw)
	}
	return c
}

// sight is what one handshake showed.
type sight struct {
	chain     []*x509.Certificate
	version   uint16
	clientCAs []string
}

// handshake connects, asks for a server name if there is one, and returns what the server showed. A server that wants a client certificate
// may refuse afterwards; its own certificate has been seen by then.
func (p *Prober) handshake(ctx context.Context, address, name string) (sight, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Each)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return sight{}, err
	}
	defer conn.Close()
	var seen sight
	client := tls.Client(conn, &tls.Config{
		ServerName:         name,
		InsecureSkipVerify: true,             //nolint:gosec // nothing is sent after the handshake, and what is wrong with the certificate is what is looked for
		MinVersion:         tls.VersionTLS10, // old servers speak nothing newer
		CipherSuites:       suites(),
		VerifyConnection: func(state tls.ConnectionState) error {
			seen.chain, seen.version = state.PeerCertificates, state.Version
			return nil
		},
		GetClientCertificate: func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			seen.clientCAs = authorities(info.AcceptableCAs)
			return &tls.Certificate{}, nil
		},
	})
	err = client.HandshakeContext(ctx)
	if len(seen.chain) == 0 {
		if err == nil {
			err = errors.New("it sent no certificate")
		}
		return sight{}, err
	}
	return seen, nil
}

// suites are all that Go knows, the weak ones too: a prober has nothing to lose.
func suites() []uint16 {
	var out []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		out = append(out, s.ID)
	}
	return out
}

// explain says in few words why a connection or handshake failed.
func (p *Prober) explain(err error) string {
	var record tls.RecordHeaderError
	var network net.Error
	switch {
	case errors.As(err, &record):
		return "what answers there does not speak TLS"
	case errors.Is(err, context.Canceled):
		return "it was interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "no answer within " + p.Each.String()
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "it closed the connection"
	}
	const limit = 200
	text := strings.TrimPrefix(err.Error(), "remote error: ")
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}
