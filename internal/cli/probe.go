package cli

import (
	"bufio"
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/probe"
)

// probeCommand is the command's flags.
type probeCommand struct {
	*app

	file, authorities, format string
	days, tries, concurrency  int
	each                      time.Duration
}

func newProbe(a *app) *cobra.Command {
	p := &probeCommand{app: a}
	cmd := &cobra.Command{
		Use:   "probe [TARGET...]",
		Short: "The certificates that servers serve, kube-apiserver's loopback one among them",
		Long: `Look at the certificates that servers serve, with a TLS handshake and nothing after it. No credentials are needed.

A target is KIND://HOST:PORT. KIND is one of apiserver (6443), etcd (2379), kubelet (10250), controller-manager (10257), scheduler (10259) and tls (443); the numbers are the ports
where none is given. Without a kind, it is an apiserver. A name with several addresses is looked at on each of them. "-" reads targets from
standard input, one a line; # begins a comment.

Of an API server, the loopback certificate is shown too: the one that it makes for itself in memory, which no file and no metric shows, and with
which it stops working. Its name tells when that process started. Behind a load balancer, --tries looks again until no instance is new.
A server whose certificate is of k3s, RKE2 or Rancher is not asked for it, since old ones add a name that they are asked for to their certificate.

What could not be seen is "not observed", with the reason, and never well. The exit status is 3 if something was not observed, or has --days or
fewer left.`,
		Example: `  kubelts probe 10.0.0.11:6443 10.0.0.12:6443 10.0.0.13:6443
  kubelts probe --tries 20 api.example.com
  kubelts probe etcd://10.0.0.11 kubelet://10.0.0.21 -o json
  kubelts probe -f nodes.txt -o prometheus >kubelts.prom`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&p.file, "file", "f", "", "read more targets from `FILE`, one a line")
	flags.StringVar(&p.authorities, "ca-file", "", "check serving certificates against the authorities in `FILE` (PEM)")
	flags.IntVar(&p.days, "days", 30, "`N` days or fewer left are something to act on")
	flags.IntVar(&p.tries, "tries", 1, "ask an API server until `N` handshakes in a row show no new instance")
	flags.IntVar(&p.concurrency, "concurrency", 128, "`N` addresses at a time")
	flags.DurationVar(&p.each, "each", 5*time.Second, "time for one connection and handshake")
	addOutput(cmd, &p.format, append(slices.Clone(tableFormats), "prometheus"))
	return cmd
}

func (p *probeCommand) run(cmd *cobra.Command, args []string) error {
	if err := p.check(cmd); err != nil {
		return err
	}
	targets, err := p.targets(args)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "there is no target"), "write HOST:PORT, or give a file with --file"))
	}
	roots, err := p.roots()
	if err != nil {
		return err
	}
	now, err := p.now()
	if err != nil {
		return err
	}
	prober := probe.Prober{Now: now, Each: p.each, Concurrency: p.concurrency, Tries: p.tries, Roots: roots}
	results := p.probe(cmd.Context(), &prober, targets)
	if p.format == "prometheus" {
		err = writeMetrics(p.Stdout, results)
	} else {
		err = p.print(p.format, results, p.grid(results))
	}
	if err != nil {
		return err
	}
	return p.judge(results)
}

func (p *probeCommand) check(cmd *cobra.Command) error {
	for _, f := range []struct {
		name           string
		value, lo, top int
	}{{"--tries", p.tries, 1, 1000}, {"--concurrency", p.concurrency, 1, 4096}, {"--days", p.days, -100_000, 100_000}} {
		if f.value < f.lo || f.value > f.top {
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "%s %d", f.name, f.value), "use a number from %d to %d", f.lo, f.top))
		}
	}
	if p.each <= 0 {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--each %v", p.each), "use a time such as 5s"))
	}
	return nil
}

// probe looks at all targets, with a bar.
func (p *probeCommand) probe(ctx context.Context, prober *probe.Prober, targets []probe.Target) []probe.Result {
	step, end := p.progress("probing")
	defer end()
	var lock sync.Mutex
	n := 0
	return prober.Probe(ctx, targets, func() {
		lock.Lock()
		defer lock.Unlock()
		n++
		step(n, len(targets), "")
	})
}

// Bounds of what is read.
const (
	maxTargets   = 1_000_000
	maxAuthority = 16 << 20
)

// targets are those of the command line and those of the file, in this order, none twice.
func (p *probeCommand) targets(args []string) ([]probe.Target, error) {
	var out []probe.Target
	seen := map[string]bool{}
	add := func(text string) error {
		t, err := probe.ParseTarget(text)
		if err != nil {
			return err
		}
		if !seen[t.Name] {
			seen[t.Name] = true
			out = append(out, t)
		}
		return nil
	}
	for _, arg := range args {
		if arg == "-" {
			if err := p.lines("standard input", p.Stdin, add); err != nil {
				return nil, err
			}
			continue
		}
		if err := add(arg); err != nil {
			return nil, err
		}
	}
	if p.file == "" {
		return out, nil
	}
	f, err := os.Open(p.file)
	if err != nil {
		return nil, errs.New(errs.NotFound, "read targets: %w", err)
	}
	defer f.Close()
	return out, p.lines(p.file, f, add)
}

func (p *probeCommand) lines(name string, r io.Reader, add func(string) error) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if n > maxTargets {
			return errs.New(errs.Invalid, "%s: more than %d lines", name, maxTargets)
		}
		if err := add(text); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func (p *probeCommand) roots() (*x509.CertPool, error) {
	if p.authorities == "" {
		return nil, nil //nolint:nilnil // none were given: chains are not checked
	}
	f, err := os.Open(p.authorities)
	if err != nil {
		return nil, errs.New(errs.NotFound, "read authorities: %w", err)
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, maxAuthority))
	if err != nil {
		return nil, fmt.Errorf("read authorities: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errs.WithHint(errs.New(errs.Invalid, "%q has no certificate", p.authorities), "give a file with PEM blocks of type CERTIFICATE, such as /etc/kubernetes/pki/ca.crt")
	}
	return roots, nil
}

// judge says what the results amount to.
func (p *probeCommand) judge(results []probe.Result) error {
	soon, unseen, ended := 0, 0, 0
	for _, r := range results {
		if !r.Observed {
			unseen++
		}
		for _, c := range r.Certificates {
			if c.DaysLeft <= p.days {
				soon++
			}
			if c.DaysLeft < 0 {
				ended++
			}
		}
	}
	fmt.Fprintf(p.Stderr, "kubelts: %d looked at, %d not observed; certificates with %d days or fewer left: %d, of these ended: %d\n", len(results), unseen, p.days, soon, ended)
	if soon+unseen > 0 {
		return errAct
	}
	return nil
}

// grid has a line for each certificate, and one for each target without any.
func (p *probeCommand) grid(results []probe.Result) grid {
	g := grid{header: []string{"target", "role", "days left", "not after", "process start", "subject", "note", "address", "issuer", "key", "signature", "serial", "names"}, narrow: 7}
	for _, r := range results {
		var notes []string
		if !r.Observed {
			notes = append(notes, "not observed: "+r.Reason)
		}
		if r.Instances > 1 {
			notes = append(notes, fmt.Sprintf("at least %d instances", r.Instances))
		}
		if len(r.Certificates) == 0 {
			g.rows = append(g.rows, []string{r.Target, "-", "-", "-", "-", "-", strings.Join(notes, "; "), cmp.Or(r.Address, "-"), "-", "-", "-", "-", "-"})
		}
		for _, c := range r.Certificates {
			started := "-"
			if c.ProcessStart != nil {
				started = c.ProcessStart.Format(time.DateTime)
			}
			for _, problem := range c.Problems {
				notes = append(notes, string(problem.Kind)+": "+problem.Note)
			}
			g.rows = append(g.rows, []string{
				r.Target, string(c.Role), strconv.Itoa(c.DaysLeft), c.NotAfter.Format(time.DateTime), started, c.Subject, cmp.Or(strings.Join(notes, "; "), "-"),
				r.Address, c.Issuer, c.Key, c.Signature, c.Serial, cmp.Or(strings.Join(c.Names, " "), "-"),
			})
			notes = nil
		}
	}
	return g
}
