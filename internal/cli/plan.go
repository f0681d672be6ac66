package cli

import (
	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/report"
	"github.com/kubelts/kubelts/internal/upgrade"
)

// planFormats are those of plan.
var planFormats = []string{"table", "wide", "json", "yaml", "markdown", "html"} //nolint:gochecknoglobals // a constant list

// planCommand is the command's flags.
type planCommand struct {
	looking
	knownLines

	to, format string
}

func newPlan(a *app) *cobra.Command {
	p := &planCommand{looking: looking{clusterFlags: clusterFlags{app: a}}}
	cmd := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "The hops from a cluster's version to a newer one, what blocks each, by when, and where one could stay instead",
		Long: `Plan the way to a newer minor. kube-apiservers never skip a minor, so that each one between is a hop: by when it must be done for the
cluster to stay supported, what blocks it (version skew, APIs that go and are in use, versions that objects are stored in, certificates that
end on the way, runtimes), and the order of the components. Beside it stands where one could stay instead, and until when.

The cluster is the one of the kubeconfig's current context, or what "kubelts check --save" kept of one in FILE ("-" is standard input). The
table has the steps of the next hop; -o wide, markdown and html have those of all.

The exit status is 3 if something blocks the next hop, or could and was not observed.`,
		Example: `  kubelts plan
  kubelts plan --context production --to 1.34
  kubelts plan production.json -o html >plan.html`,
		Args: needArgs(0, 1, "the snapshot"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd, args) },
	}
	flags := cmd.Flags()
	p.add(flags)
	p.addLines(flags)
	flags.StringVar(&p.to, "to", "", "go to this `VERSION`, a minor or a patch release; without it to the newest minor")
	addOutput(cmd, &p.format, planFormats)
	complete(cmd, "context", p.contexts)
	return cmd
}

func (p *planCommand) run(cmd *cobra.Command, args []string) error {
	var to release.Version
	if p.to != "" {
		var err error
		if to, err = release.Parse(p.to); err != nil {
			return usage(cmd, err)
		}
	}
	if err := p.checkSource(cmd, args); err != nil {
		return err
	}
	now, err := p.now()
	if err != nil {
		return err
	}
	facts, err := p.facts()
	if err != nil {
		return err
	}
	lines, err := p.readLines()
	if err != nil {
		return err
	}
	seen, err := p.snapshots(cmd.Context(), args)
	if err != nil {
		return err
	}
	plan, err := upgrade.New(seen[0].snapshot, facts, upgrade.Options{To: to, At: now, Lines: lines})
	if err != nil {
		return err
	}
	if err := p.show(plan); err != nil {
		return err
	}
	if len(plan.Now) > 0 || len(plan.Hops) > 0 && len(plan.Hops[0].Blockers) > 0 {
		return errAct
	}
	return nil
}

func (p *planCommand) show(plan *upgrade.Plan) error {
	switch p.format {
	case "json", "yaml":
		return p.print(p.format, plan, grid{})
	case "markdown":
		return report.WritePlanMarkdown(p.Stdout, plan)
	case "html":
		return report.WritePlanHTML(p.Stdout, plan)
	}
	return report.WritePlan(p.Stdout, plan, report.Style{Width: p.width(), Colour: p.colour(), All: p.format == "wide"})
}
