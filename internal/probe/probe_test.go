package probe_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/probe"
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// ordinary is the serving certificate of a kube-apiserver.
func ordinary(tb testing.TB) *tls.Certificate {
	tb.Helper()
	return recipe{
		subject: pkix.Name{CommonName: "kube-apiserver"}, names: []string{"127.0.0.1", "kubernetes"},
		notBefore: now().AddDate(0, -1, 0), validTo: now().AddDate(1, 0, 0),
	}.make(tb).chain()
}

func apiserver(tb testing.TB, loopback *tls.Certificate) *server {
	tb.Helper()
	serving := ordinary(tb)
	return serve(tb, &tls.Config{MinVersion: tls.VersionTLS12}, func(name string) *tls.Certificate {
		if name == pki.LoopbackName {
			return loopback
		}
		return serving
	})
}

func look(tb testing.TB, p probe.Prober, targets ...string) []probe.Result {
	tb.Helper()
	p.Now = now()
	if p.Each == 0 {
		p.Each = 10 * time.Second
	}
	parsed := make([]probe.Target, len(targets))
	for i, name := range targets {
		var err error
		if parsed[i], err = probe.ParseTarget(name); err != nil {
			tb.Fatal(err)
		}
	}
	return p.Probe(tb.Context(), parsed, func() {})
}

func TestLoopbackOfEveryEra(t *testing.T) {
	for _, e := range eras() {
		t.Run(e.versions, func(t *testing.T) {
			start := now().AddDate(0, 0, -353)
			s := apiserver(t, e.loopback(t, start))
			r := look(t, probe.Prober{}, s.address)[0]
			if !r.Observed || r.Reason != "" || r.Instances != 1 {
				t.Fatalf("result = %+v", r)
			}
			if r.ProcessStart == nil || !r.ProcessStart.Equal(start) {
				t.Errorf("process start = %v, want %v", r.ProcessStart, start)
			}
			var roles []pki.Role
			for _, c := range r.Certificates {
				roles = append(roles, c.Role)
			}
			want := []pki.Role{pki.Serving, pki.Loopback, pki.Authority}[:1+e.chain]
			if diff := cmp.Diff(want, roles); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
			leaf := r.Certificates[1]
			if !leaf.NotAfter.Equal(start.Add(e.ends)) || len(leaf.Problems) > 0 {
				t.Errorf("loopback certificate = %+v, want its end at %v and no problem", leaf, start.Add(e.ends))
			}
			if leaf.DaysLeft != pki.DaysLeft(start.Add(e.ends), now()) {
				t.Errorf("days left = %d", leaf.DaysLeft)
			}
			if diff := cmp.Diff([]string{"", pki.LoopbackName}, s.asked()); diff != "" {
				t.Errorf("names asked for (-want +got):\n%s", diff)
			}
			if n := s.received(); n > 0 {
				t.Errorf("%d bytes were sent after the handshake", n)
			}
		})
	}
}

func TestDaysAroundTheEnd(t *testing.T) {
	e := eras()[2]
	for _, tt := range []struct {
		name string
		age  time.Duration // of the process
		days int
		kind []pki.Kind
	}{
		{"12 days left", e.ends - 12*24*time.Hour, 12, nil},
		{"last hour", e.ends - time.Hour, 0, nil},
		{"one second after", e.ends + time.Second, -1, []pki.Kind{pki.Expired}},
		{"a day and an hour after", e.ends + 25*time.Hour, -2, []pki.Kind{pki.Expired}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := apiserver(t, e.loopback(t, now().Add(-tt.age)))
			leaf := look(t, probe.Prober{}, s.address)[0].Certificates[1]
			var kinds []pki.Kind
			for _, p := range leaf.Problems {
				kinds = append(kinds, p.Kind)
			}
			if leaf.DaysLeft != tt.days || !slices.Equal(kinds, tt.kind) {
				t.Errorf("days left %d, problems %v; want %d, %v", leaf.DaysLeft, kinds, tt.days, tt.kind)
			}
		})
	}
}

// Three instances started at different times behind one address: all are seen, and the oldest is what the result is about.
func TestInstancesBehindALoadBalancer(t *testing.T) {
	var chains []*tls.Certificate
	var starts []time.Time
	for days := range 3 {
		starts = append(starts, now().AddDate(0, 0, -300-days))
		chains = append(chains, eras()[2].loopback(t, starts[days]))
	}
	serving := ordinary(t)
	turn := 0
	s := serve(t, &tls.Config{MinVersion: tls.VersionTLS12}, func(name string) *tls.Certificate {
		if name == "" {
			return serving
		}
		turn++
		return chains[turn%3]
	})
	r := look(t, probe.Prober{Tries: 6}, s.address)[0]
	if !r.Observed || r.Instances != 3 || !r.ProcessStart.Equal(starts[2]) {
		t.Errorf("observed %v, %d instances, started %v; want 3, the oldest of %v", r.Observed, r.Instances, r.ProcessStart, starts[2])
	}
}

// A listener of k3s, RKE2 or Rancher is never asked for a name that it may not know.
func TestListenerIsNotAsked(t *testing.T) {
	for _, name := range []pkix.Name{
		{CommonName: "k3s", Organization: []string{"k3s"}},
		{CommonName: "kube-apiserver", Organization: []string{"rke2-server-ca"}},
		{CommonName: "dynamic", Organization: []string{"dynamiclistener-org"}},
	} {
		chain := recipe{subject: name, names: []string{"127.0.0.1"}, notBefore: now().AddDate(0, -1, 0), validTo: now().AddDate(1, 0, 0)}.make(t).chain()
		s := serve(t, &tls.Config{MinVersion: tls.VersionTLS12}, func(string) *tls.Certificate { return chain })
		r := look(t, probe.Prober{}, s.address)[0]
		if r.Observed || !strings.Contains(r.Reason, "was not asked") || len(r.Certificates) != 1 {
			t.Errorf("%v: result = %+v, want it unobserved with its serving certificate", name, r)
		}
		if diff := cmp.Diff([]string{""}, s.asked()); diff != "" {
			t.Errorf("%v: names asked for (-want +got):\n%s", name, diff)
		}
	}
}

func TestEtcdWantsAClientCertificate(t *testing.T) {
	ca := recipe{subject: pkix.Name{CommonName: "etcd-ca"}, authority: true, notBefore: now().AddDate(-9, 0, 0), validTo: now().AddDate(1, 0, 0)}.make(t)
	leaf := recipe{
		subject: pkix.Name{CommonName: "etcd-1"}, names: []string{"127.0.0.1"}, notBefore: now().AddDate(0, -11, 0), validTo: now().AddDate(0, 1, 0), signer: ca,
	}.make(t).chain()
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			config := &tls.Config{MinVersion: version, MaxVersion: version, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
			s := serve(t, config, func(string) *tls.Certificate { return leaf })
			r := look(t, probe.Prober{Roots: pool}, "etcd://"+s.address)[0]
			if !r.Observed || r.Certificates[0].DaysLeft != 30 || len(r.Certificates[0].Problems) > 0 {
				t.Errorf("result = %+v, want the serving certificate with 30 days left", r)
			}
			if diff := cmp.Diff([]string{"CN=etcd-ca"}, r.ClientAuthorities); diff != "" {
				t.Errorf("client authorities (-want +got):\n%s", diff)
			}
			if r.TLS != tls.VersionName(version) {
				t.Errorf("TLS = %q", r.TLS)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := now().AddDate(0, -1, 0), now().AddDate(0, 6, 0)
	other := recipe{subject: pkix.Name{CommonName: "other-ca"}, authority: true, notBefore: begin, validTo: end}.make(t)
	trusted := x509.NewCertPool()
	trusted.AddCert(other.cert)
	for _, tt := range []struct {
		name string
		made recipe
		want []pki.Kind
	}{
		{"kubelet's own", recipe{names: []string{"127.0.0.1"}}, []pki.Kind{pki.Untrusted}},
		{"for another host", recipe{names: []string{"node-7"}, signer: other}, []pki.Kind{pki.WrongName}},
		{"common name only", recipe{signer: other}, []pki.Kind{pki.NoNames}},
		{"short key", recipe{names: []string{"127.0.0.1"}, key: small, signer: other}, []pki.Kind{pki.WeakKey}},
		{"not yet", recipe{names: []string{"127.0.0.1"}, notBefore: now().Add(time.Hour), signer: other}, []pki.Kind{pki.NotYetValid}},
		{"long ago", recipe{names: []string{"127.0.0.1"}, notBefore: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), validTo: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), signer: other}, []pki.Kind{pki.Expired, pki.Untrusted}},
		{"ends before it begins", recipe{names: []string{"127.0.0.1"}, notBefore: end, validTo: begin, signer: other}, []pki.Kind{pki.NoLife, pki.Untrusted}},
		{"serial of 21 octets", recipe{names: []string{"127.0.0.1"}, serial: new(big.Int).Lsh(big.NewInt(1), 165), signer: other}, []pki.Kind{pki.BadSerial}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.made.subject = pkix.Name{CommonName: "system:node:node-1\x1b[31m"}
			if tt.made.notBefore.IsZero() {
				tt.made.notBefore = begin
			}
			if tt.made.validTo.IsZero() {
				tt.made.validTo = end
			}
			chain := tt.made.make(t).chain()
			s := serve(t, &tls.Config{MinVersion: tls.VersionTLS12}, func(string) *tls.Certificate { return chain })
			r := look(t, probe.Prober{Roots: trusted}, "kubelet://"+s.address)[0]
			if !r.Observed {
				t.Fatalf("result = %+v", r)
			}
			var kinds []pki.Kind
			for _, p := range r.Certificates[0].Problems {
				kinds = append(kinds, p.Kind)
			}
			if diff := cmp.Diff(tt.want, kinds); diff != "" {
				t.Errorf("problems (-want +got):\n%s\n%+v", diff, r.Certificates[0].Problems)
			}
		})
	}
}

// Programs built with Go 1.23 or later refuse a certificate with a negative serial number: one more reason to see it.
func TestNegativeSerial(t *testing.T) {
	chain, err := tls.LoadX509KeyPair("testdata/negative.pem", "testdata/negative.key")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, &tls.Config{MinVersion: tls.VersionTLS12}, func(string) *tls.Certificate { return &chain })
	r := look(t, probe.Prober{}, "kubelet://"+s.address)[0]
	if !r.Observed || !slices.ContainsFunc(r.Certificates[0].Problems, func(p pki.Problem) bool { return p.Kind == pki.BadSerial }) {
		t.Errorf("result = %+v, want it seen, with a bad serial number", r)
	}
}

// What does not answer as it should is not observed, with the reason, and soon.
func TestNotObserved(t *testing.T) {
	silent, deaf, closing := &server{}, &server{}, &server{}
	silent.listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	deaf.listen(t, func(c net.Conn) { c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")) })
	closing.listen(t, func(net.Conn) {})                                                                               // at once
	proxy := serve(t, &tls.Config{MinVersion: tls.VersionTLS12}, func(string) *tls.Certificate { return ordinary(t) }) // TLS ends in front of the apiserver
	future := apiserver(t, recipe{
		subject: pkix.Name{CommonName: "apiserver-loopback-client@99999999999999999999"}, notBefore: now(), validTo: now().AddDate(1, 0, 0),
	}.make(t).chain())
	for _, tt := range []struct{ name, target, want string }{
		{"says nothing", silent.address, "no answer within 300ms"},
		{"speaks something else", deaf.address, "does not speak TLS"},
		{"closes", closing.address, "closed the connection"},
		{"proxy", proxy.address, "something in front of it ends TLS"},
		{"absurd start", future.address, "something in front of it ends TLS"},
		{"nobody", "127.0.0.1:1", "refused"},
		{"no such name", "tls://no-such-host.invalid:443", "does not resolve"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := look(t, probe.Prober{Each: 300 * time.Millisecond}, tt.target)[0]
			if r.Observed || !strings.Contains(r.Reason, tt.want) {
				t.Errorf("observed %v, reason %q; want it unobserved, %q", r.Observed, r.Reason, tt.want)
			}
		})
	}
}

func TestResultsKeepTheOrder(t *testing.T) {
	s := apiserver(t, eras()[3].loopback(t, now()))
	var targets []string
	for range 200 {
		targets = append(targets, "tls://"+s.address, "tls://127.0.0.1:1")
	}
	results := look(t, probe.Prober{Concurrency: 50}, targets...)
	for i, r := range results {
		if r.Target != targets[i] || r.Observed != (i%2 == 0) {
			t.Fatalf("result %d is of %s, observed %v", i, r.Target, r.Observed)
		}
	}
}

func TestTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := probe.Prober{Now: now(), Each: time.Second, Concurrency: 2}
	r := p.Probe(ctx, []probe.Target{{Name: "a", Kind: probe.TLS, Host: "127.0.0.1", Port: "1"}}, func() {})
	if len(r) != 1 || r[0].Observed || r[0].Reason == "" {
		t.Errorf("results = %+v, want one, unobserved with a reason", r)
	}
}

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct {
		in, kind, host, port string // no kind: an error
	}{
		{"10.0.0.1", "apiserver", "10.0.0.1", "6443"},
		{"10.0.0.1:443", "apiserver", "10.0.0.1", "443"},
		{"etcd://10.0.0.1", "etcd", "10.0.0.1", "2379"},
		{"kubelet://node-1.example", "kubelet", "node-1.example", "10250"},
		{"[::1]:6443", "apiserver", "::1", "6443"},
		{"::1", "apiserver", "::1", "6443"},
		{"[fe80::1%eth0]", "apiserver", "fe80::1%eth0", "6443"},
		{"tls://example.com/", "tls", "example.com", "443"},
		{in: "https://example.com"},
		{in: "example.com:0"},
		{in: "example.com:65536"},
		{in: "example.com:https"},
		{in: ""},
		{in: "-oProxyCommand=x"},
		{in: "a b"},
		{in: "host/path"},
		{in: strings.Repeat("a", 600)},
	} {
		got, err := probe.ParseTarget(tt.in)
		if tt.kind == "" {
			if err == nil {
				t.Errorf("%q: %+v, want an error", tt.in, got)
			}
			continue
		}
		want := probe.Target{Name: tt.in, Kind: probe.Kind(tt.kind), Host: tt.host, Port: tt.port}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", tt.in, err, diff)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"10.0.0.1", "etcd://[::1]:2379", "a:b:c", "://", "tls://x/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := probe.ParseTarget(s)
		if err != nil {
			return
		}
		again, err := probe.ParseTarget(string(got.Kind) + "://" + net.JoinHostPort(got.Host, got.Port))
		again.Name = got.Name
		if err != nil || again != got {
			t.Errorf("%q: %+v, in full %+v, %v", s, got, again, err)
		}
	})
}

func BenchmarkProbe(b *testing.B) {
	s := apiserver(b, eras()[2].loopback(b, now()))
	for b.Loop() {
		look(b, probe.Prober{}, s.address)
	}
}
