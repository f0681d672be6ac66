package cli

import (
	"context"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/host"
	"github.com/kubelts/kubelts/internal/kube"
	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/probe"
)

// clusterFlags say which cluster is looked at, and how closely. They are kubectl's where it has them.
type clusterFlags struct {
	*app

	kubeconfig, context string
	host                string // where this host's disk is mounted; "" is not to read it
	secrets             bool
	kubelets            int
	targets             []string
	each                time.Duration
}

const (
	defaultClusterTime = time.Minute
	maxKubelets        = 20_000
)

// add gives the flags to a command.
func (c *clusterFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "read the kubeconfig from `FILE`")
	flags.StringVar(&c.context, "context", "", "look at the cluster of this `CONTEXT` of the kubeconfig")
	flags.BoolVar(&c.secrets, "secrets", false, "read TLS secrets and bootstrap tokens too; only certificates, names and days are kept")
	flags.IntVar(&c.kubelets, "kubelets", 0, "look at the serving certificates of `N` kubelets besides those of control-plane nodes")
	flags.StringSliceVar(&c.targets, "probe", nil, "look at the API server at `HOST:PORT` too (may be repeated)")
	flags.StringVar(&c.host, "host", "", "on a control-plane node: read the certificates on its disk too, and look at what listens on the node only; `DIR` is where the disk is mounted")
	flags.Lookup("host").NoOptDefVal = "/"
	flags.DurationVar(&c.each, "each", 2*time.Second, "time for one connection and handshake")
}

// check says what is wrong with the flags.
func (c *clusterFlags) check(cmd *cobra.Command) error {
	if c.kubelets < 0 || c.kubelets > maxKubelets {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--kubelets %d", c.kubelets), "use a number from 0 to %d", maxKubelets))
	}
	if c.each <= 0 {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--each %v", c.each), "use a time such as 2s"))
	}
	for _, t := range c.targets {
		if _, err := probe.ParseTarget(t); err != nil {
			return usage(cmd, err)
		}
	}
	return nil
}

// source is where the kubeconfig is, as kubectl finds it.
func (c *clusterFlags) source() kube.Kubeconfig {
	if c.kubeconfig != "" {
		return kube.Kubeconfig{File: c.kubeconfig}
	}
	if list := c.Getenv("KUBECONFIG"); list != "" {
		return kube.Kubeconfig{Files: filepath.SplitList(list)}
	}
	var k kube.Kubeconfig
	if home := c.Getenv("HOME"); home != "" {
		k.Files = append(k.Files, filepath.Join(home, ".kube", "config"))
	}
	if c.host != "" {
		k.Files = append(k.Files, filepath.Join(c.host, "etc", "kubernetes", "admin.conf"))
	}
	return k
}

// take takes a snapshot of the cluster of a context; "" is the kubeconfig's current one. It tells progress what is being done.
func (c *clusterFlags) take(ctx context.Context, name string, progress func(what string)) (*cluster.Snapshot, error) {
	now := c.Clock().UTC() // whatever --at says: it is about when a cluster is judged, not about when it was seen
	s, err := kube.Take(ctx, kube.Options{
		Kubeconfig: c.source(), Context: name, Now: now, Timeout: c.limit(), UserAgent: "kubelts/" + version(), Tool: version(),
		Secrets: c.secrets, Kubelets: c.kubelets, Targets: c.addresses(), Look: c.look(now),
		Local: c.host == "/", Progress: progress,
	})
	if err != nil || c.host == "" {
		return s, err
	}
	return s, c.addHost(ctx, s)
}

// addHost adds what is on this host's disk.
func (c *clusterFlags) addHost(ctx context.Context, s *cluster.Snapshot) error {
	seen, err := host.Read(ctx, c.host, host.Places())
	if err != nil {
		return err
	}
	s.Certificates = append(s.Certificates, seen.Chains...)
	s.NotObserved = append(s.NotObserved, seen.NotObserved...)
	return nil
}

// limit is the time for all that is looked at.
func (c *clusterFlags) limit() time.Duration {
	if c.timeout == 0 {
		return defaultClusterTime
	}
	return c.timeout
}

// addresses are the targets as host:port. They were checked.
func (c *clusterFlags) addresses() []string {
	var out []string
	for _, text := range c.targets {
		if t, err := probe.ParseTarget(text); err == nil {
			out = append(out, net.JoinHostPort(t.Host, t.Port))
		}
	}
	return out
}

// look does the handshakes for a snapshot. The present matters to no certificate in it: what is wrong is judged later.
func (c *clusterFlags) look(now time.Time) kube.Look {
	kinds := map[kube.Kind]probe.Kind{kube.APIServer: probe.APIServer, kube.Etcd: probe.Etcd, kube.Kubelet: probe.Kubelet, kube.TLS: probe.TLS}
	return func(ctx context.Context, targets []kube.Target) []kube.Sight {
		out := make([]kube.Sight, len(targets))
		place := map[string]int{}
		tries := 1
		var all []probe.Target
		for i, t := range targets {
			kind := kinds[t.Kind]
			name := string(kind) + "://" + net.JoinHostPort(t.Host, t.Port)
			if _, ok := place[name]; ok {
				continue
			}
			place[name], tries = i, max(tries, t.Tries)
			all = append(all, probe.Target{Name: name, Kind: kind, Host: t.Host, Port: t.Port})
		}
		prober := probe.Prober{Now: now, Each: c.each, Concurrency: 128, Tries: tries}
		for _, r := range prober.Probe(ctx, all, func() {}) {
			merge(&out[place[r.Target]], &r)
		}
		return out
	}
}

// merge adds what was seen at one address of a target.
func merge(s *kube.Sight, r *probe.Result) {
	for _, chain := range r.Chains {
		switch {
		case chain.Role == pki.Loopback:
			s.Loopback = append(s.Loopback, chain.DER)
		case len(s.Serving) == 0:
			s.Serving = chain.DER
		}
	}
	if r.ProcessStart != nil && (s.Started == nil || r.ProcessStart.Before(*s.Started)) {
		s.Started = r.ProcessStart
	}
	if s.Reason == "" {
		s.Reason = r.Reason
	}
	if s.Listener == "" {
		s.Listener = r.Listener
	}
}
