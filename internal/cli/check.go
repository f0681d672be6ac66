package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/kube"
	"github.com/kubelts/kubelts/internal/report"
)

// checkFormats are those of check.
var checkFormats = append(slices.Clone(tableFormats), "html", "sarif", "junit", "prometheus", "ics") //nolint:gochecknoglobals // a constant list

// checkCommand is the command's flags.
type checkCommand struct {
	looking
	knownLines

	rights                 bool
	accept, failOn, format string
	warn                   int
}

func newCheck(a *app) *cobra.Command {
	c := &checkCommand{looking: looking{clusterFlags: clusterFlags{app: a}}}
	cmd := &cobra.Command{
		Use:   "check [FILE...]",
		Short: "What will stop working in a cluster, what can be exploited, when, and what to do about it",
		Long: `Look at the cluster of the kubeconfig's current context and say what will stop working, what can be exploited and will never be fixed
here, when, and what to do about it: the loopback certificate of every kube-apiserver, all other certificates that can be seen, support by
upstream and vendor, vulnerabilities at the exact versions, version skew, nodes, APIs that go away. Nothing is installed, nothing is changed:
check only gets and lists. --print-rbac prints the rights that it needs; with fewer it goes on and names what it could not observe.

--save keeps what was seen as a file; with FILE such files are judged instead of a cluster, offline ("-" is standard input). --at judges for
another day. --all-contexts looks at every cluster of the kubeconfig and prints a line for each.

The exit status is 3 if a finding is at least as severe as --fail-on and nobody accepted it, or if something was asked for and could not be
observed. The format "ics" is a calendar of all that ends; "prometheus" is for a node exporter's textfile collector.`,
		Example: `  kubelts check
  kubelts check --context production -o html >production.html
  kubelts check --all-contexts
  kubelts check --save production.json
  kubelts check production.json --at 2027-01-01
  kubelts check --accept acceptances.yaml --fail-on medium -o sarif >kubelts.sarif
  kubelts check --print-rbac | kubectl apply -f -`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	flags := cmd.Flags()
	c.add(flags)
	c.addLines(flags)
	flags.BoolVar(&c.all, "all-contexts", false, "look at the clusters of all contexts")
	flags.StringVar(&c.save, "save", "", "keep what was seen in `FILE`; with --all-contexts in this directory, a file for each context")
	flags.StringVar(&c.accept, "accept", "", "risks that were accepted are in `FILE` (YAML)")
	flags.StringVar(&c.failOn, "fail-on", string(findings.High), "exit with status 3 at a finding of this `SEVERITY` or a worse one: critical, high, medium, low, or none")
	flags.IntVar(&c.warn, "warn", 90, "tell of certificates that end within so many `DAYS`")
	flags.BoolVar(&c.rights, "print-rbac", false, "print the least rights that are needed, and do nothing else")
	addOutput(cmd, &c.format, checkFormats)
	complete(cmd, "context", c.contexts)
	complete(cmd, "fail-on", func() []string { return append(severityNames(), "none") })
	return cmd
}

// complete completes a flag's value with names.
func complete(cmd *cobra.Command, flag string, names func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag was defined by the caller
	}
}

// contexts are those of the kubeconfig; none where it cannot be read.
func (c *clusterFlags) contexts() []string {
	names, _, err := kube.Contexts(c.source())
	if err != nil {
		return nil
	}
	return names
}

// severityNames are the severities that --fail-on knows. Info findings are nothing to act on.
func severityNames() []string {
	var names []string
	for _, s := range findings.Severities() {
		if s != findings.Info {
			names = append(names, string(s))
		}
	}
	return names
}

func (c *checkCommand) run(cmd *cobra.Command, args []string) error {
	if c.rights {
		return c.printRights()
	}
	if err := c.check(cmd, args); err != nil {
		return err
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	seen, err := c.snapshots(cmd.Context(), args)
	if err != nil {
		return err
	}
	fleet, err := c.judge(seen, options)
	if err != nil {
		return err
	}
	if err := c.show(fleet, c.all || len(args) > 1); err != nil {
		return err
	}
	if fleet.Act(c.threshold()) {
		return errAct
	}
	return nil
}

func (c *checkCommand) printRights() error {
	text, err := kube.RBAC(c.secrets)
	if err != nil {
		return err
	}
	_, err = c.Stdout.Write(text)
	return err
}

// threshold is the severity of --fail-on, "" for none.
func (c *checkCommand) threshold() findings.Severity {
	if c.failOn == "none" {
		return ""
	}
	return findings.Severity(c.failOn)
}

// check says what is wrong with the command line.
func (c *checkCommand) check(cmd *cobra.Command, args []string) error {
	if !slices.Contains(append(severityNames(), "none"), c.failOn) {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--fail-on %q", c.failOn), "use one of %s, none", strings.Join(severityNames(), ", ")))
	}
	if c.warn < 1 || c.warn > 100_000 {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--warn %d", c.warn), "use a number of days from 1 to 100000"))
	}
	return c.checkSource(cmd, args)
}

// options are how snapshots are judged.
func (c *checkCommand) options() (findings.Options, error) {
	now, err := c.now()
	if err != nil {
		return findings.Options{}, err
	}
	o := findings.Options{At: now, Later: c.warn, Soon: min(c.warn, 30)}
	if o.Lines, err = c.readLines(); err != nil {
		return o, err
	}
	if c.accept != "" {
		if o.Acceptances, err = readAcceptances(c.accept); err != nil {
			return o, err
		}
	}
	return o, nil
}

// judge makes reports of snapshots.
func (c *checkCommand) judge(seen []taken, o findings.Options) (*report.Fleet, error) {
	facts, err := c.facts()
	if err != nil {
		return nil, err
	}
	fleet := &report.Fleet{At: o.At, Clusters: []*findings.Report{}, Missed: []report.Missed{}}
	for _, s := range seen {
		if s.err != nil {
			fleet.Missed = append(fleet.Missed, report.Missed{Context: s.name, Reason: s.err.Error(), Hint: strings.Join(errs.Hints(s.err), "; ")})
			continue
		}
		here := o
		here.Names = s.also
		r, err := findings.Judge(s.snapshot, facts, here)
		if err != nil {
			return nil, fmt.Errorf("judge %q: %w", s.name, err)
		}
		fleet.Clusters = append(fleet.Clusters, r)
	}
	return fleet, nil
}

// show prints the fleet, or its only report.
func (c *checkCommand) show(fleet *report.Fleet, many bool) error { //nolint:revive // flag-parameter: how many were asked for decides about the form, not how many answered
	style := report.Style{Width: c.width(), Colour: c.colour(), All: c.format == "wide"}
	switch c.format {
	case "json", "yaml":
		var data any = fleet
		if !many {
			data = fleet.Clusters[0]
		}
		return c.print(c.format, data, grid{})
	case "table", "wide":
		if many {
			return fleet.WriteText(c.Stdout, style)
		}
		return report.WriteText(c.Stdout, fleet.Clusters[0], style)
	case "csv":
		return fleet.WriteCSV(c.Stdout)
	case "markdown":
		return fleet.WriteMarkdown(c.Stdout)
	case "html":
		return fleet.WriteHTML(c.Stdout)
	case "sarif":
		return fleet.WriteSARIF(c.Stdout)
	case "junit":
		return fleet.WriteJUnit(c.Stdout, c.threshold())
	case "prometheus":
		return fleet.WriteMetrics(c.Stdout)
	case "ics":
		return fleet.WriteCalendar(c.Stdout)
	}
	return errs.New(errs.Internal, "output format %q", c.format)
}
