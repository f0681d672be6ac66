package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/lint"
	"github.com/kubelts/kubelts/internal/release"
)

// kltsFile is the file that makes a directory a repository of KLTS.
const kltsFile = "releases.yml"

// lineLint is the command's flags.
type lineLint struct {
	*app

	repo, upstream, base, format, failOn string
	catalog                              *catalog.Catalog // nil until it is needed
}

// never is the --fail-on at which nothing is to be acted on.
const never = "never"

func newLineLint(a *app) *cobra.Command {
	l := &lineLint{app: a}
	cmd := &cobra.Command{
		Use:   "lint [PATH]",
		Short: "Say what is wrong with a project, or with lines that others keep",
		Long: `Say what is wrong with a project of kubelts, with the releases.yml of a KLTS repository, with a checkout of EKS Distro, or with a quilt series. PATH is the directory or
the releases.yml; without it, the present directory.

Found are names without a definition or file, files that nobody names, patches from addresses that change, bases without a commit or that are edited in place, hunks with so little
context that they fit elsewhere, packages whose failures are tolerated whole, and vulnerabilities that the base has and nobody speaks of. With --repo, patches are put on the bases
one after another and compared with the commits and pull requests that they name, and triage judges which vulnerabilities the bases have; without it, the ranges of the facts do.
A clone of a staging repository of Kubernetes serves for its part. Nothing is changed and nothing is fetched; what could not be looked at is listed as not observed.

The exit status is 3 if something as bad as --fail-on is found.`,
		Example: `  kubelts line lint
  kubelts line lint ~/kubernetes-lts -o html >lint.html
  kubelts line lint ~/kubernetes-lts/releases.yml --repo ~/kubernetes -o markdown --fail-on error
  kubelts line lint ~/eks-distro --repo ~/apiserver
  kubelts line lint ~/etcd-deb --base v3.4.20 --upstream etcd-io/etcd --repo ~/etcd`,
		Args: needArgs(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.failOn != never && !slices.Contains(lint.Severities(), l.failOn) {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--fail-on %q", l.failOn), "use %s or %s", strings.Join(lint.Severities(), ", "), never))
			}
			name := "."
			if len(args) > 0 {
				name = args[0]
			}
			return l.run(cmd.Context(), name)
		},
	}
	cmd.Flags().StringVar(&l.repo, "repo", "", "upstream's clone, `DIR`, to judge bases and patches by (default: the one that kubelts.yaml names)")
	cmd.Flags().StringVar(&l.upstream, "upstream", "", "the upstream that the patches are for, `OWNER/NAME` (default: as the project, releases.yml or path says)")
	cmd.Flags().StringVar(&l.base, "base", "", "the upstream `TAG` that a quilt series is for")
	cmd.Flags().StringVar(&l.failOn, "fail-on", lint.Warning, "exit with status 3 at findings of this `SEVERITY` or a worse one: "+strings.Join(lint.Severities(), "|")+"|"+never)
	addOutput(cmd, &l.format, []string{"text", "table", "json", "yaml", "csv", "markdown", "html"})
	return cmd
}

func (l *lineLint) run(ctx context.Context, name string) (err error) {
	today, err := l.today()
	if err != nil {
		return err
	}
	o := lint.Options{Path: filepath.ToSlash(spelledOut(name)), Date: today, Known: l.known}
	report, err := l.look(ctx, name, o)
	if err != nil {
		return err
	}
	if err := l.write(report); err != nil {
		return err
	}
	if l.failOn != never && report.At(l.failOn) > 0 {
		return errAct
	}
	return nil
}

// spelledOut names a directory for a report, where "." says nothing: by its own name.
func spelledOut(name string) string {
	if base := filepath.Base(name); base != "." && base != ".." {
		return name
	}
	if full, err := filepath.Abs(name); err == nil {
		return filepath.Base(full)
	}
	return name
}

// known is what the facts give a release of Kubernetes.
func (l *lineLint) known(tag string) ([][]string, error) {
	if l.catalog == nil {
		facts, err := l.facts()
		if err != nil {
			return nil, err
		}
		l.catalog = facts
	}
	version, err := release.Parse(tag)
	if err != nil {
		return nil, err
	}
	assessed, err := l.catalog.Assess(version, catalog.Filter{})
	var found [][]string
	for _, a := range assessed {
		found = append(found, a.Record.Names())
	}
	return found, err
}

// summary ends the plain table.
func (l *lineLint) summary(r *lint.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of the %s\n", r.Summary(), r.What())
	if r.Compared > 0 {
		fmt.Fprintf(&b, "patches that were compared with what they say they carry: %d\n", r.Compared)
	}
	for _, text := range r.NotObserved {
		fmt.Fprintf(&b, "not observed: %s\n", text)
	}
	_, err := fmt.Fprint(l.Stdout, clean(b.String()))
	return err
}

func (l *lineLint) write(r *lint.Report) error {
	switch l.format {
	case "markdown":
		return r.Markdown(l.Stdout)
	case "html":
		return r.HTML(l.Stdout)
	case "text":
		width := 0
		if _, ok := terminal(l.Stdout); ok {
			width = l.width()
		}
		return r.Text(l.Stdout, width)
	}
	g := grid{header: []string{"severity", "rule", "where", "what"}, fold: true}
	for _, f := range r.Findings {
		what := f.Message
		if l.format == "csv" {
			what = f.Text()
		}
		g.rows = append(g.rows, []string{f.Severity, f.Rule, f.Where(), what})
	}
	if err := l.print(l.format, r, g); err != nil || l.format != "table" {
		return err
	}
	return l.summary(r)
}
