package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/lint"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// kltsFile is the file that makes a directory a repository of KLTS.
const kltsFile = "releases.yml"

// lineLint is the command's flags.
type lineLint struct {
	*app

	repo, format, failOn string
	catalog              *catalog.Catalog // nil until it is needed
}

// never is the --fail-on at which nothing is to be acted on.
const never = "never"

func newLineLint(a *app) *cobra.Command {
	l := &lineLint{app: a}
	cmd := &cobra.Command{
		Use:   "lint [PATH]",
		Short: "Say what is wrong with a project, or with a repository of KLTS",
		Long: `Say what is wrong with a project of kubelts, or with the releases.yml of a KLTS repository. PATH is the directory or the releases.yml; without it, the present directory.

Found are names without a definition or file, files that nobody names, patches from addresses that change, bases without a commit or that are edited in place, hunks with so little
context that they fit elsewhere, packages whose failures are tolerated whole, and vulnerabilities that the facts give a base and nobody speaks of. With --repo, hunks are looked
for on the bases themselves. Nothing is changed and nothing is fetched; what could not be looked at is listed as not observed.

The exit status is 3 if something as bad as --fail-on is found.`,
		Example: `  kubelts line lint
  kubelts line lint ~/kubernetes-lts -o html >lint.html
  kubelts line lint ~/kubernetes-lts/releases.yml --repo ~/kubernetes -o markdown --fail-on error`,
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
	cmd.Flags().StringVar(&l.repo, "repo", "", "upstream's clone, `DIR`, to look for hunks and tags in (default: the one that kubelts.yaml names)")
	cmd.Flags().StringVar(&l.failOn, "fail-on", lint.Warning, "exit with status 3 at findings of this `SEVERITY` or a worse one: "+strings.Join(lint.Severities(), "|")+"|"+never)
	addOutput(cmd, &l.format, []string{"table", "json", "yaml", "csv", "markdown", "html"})
	return cmd
}

func (l *lineLint) run(ctx context.Context, name string) (err error) {
	today, err := l.today()
	if err != nil {
		return err
	}
	o := lint.Options{Path: filepath.ToSlash(name), Date: today, Known: l.known}
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

// look finds out what the path is, and reads it.
func (l *lineLint) look(ctx context.Context, name string, o lint.Options) (report *lint.Report, err error) {
	dir, file := name, kltsFile
	if base := filepath.Base(name); strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml") {
		dir, file = filepath.Dir(name), base
	}
	files, err := openFiles(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	_, statErr := files.root.Lstat(upkeep.ProjectFile)
	own := statErr == nil && (file == kltsFile || file == upkeep.ProjectFile)
	repo, err := l.clone(ctx, files, own)
	if err != nil {
		return nil, err
	}
	if repo != nil {
		defer func() { err = errors.Join(err, repo.Close()) }()
		o.Trees = &repoTrees{repo: repo}
	}
	if own {
		return lint.Project(foreign.Bounded(files, foreign.MaxProject), o)
	}
	content, err := files.Read(file, foreign.MaxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.WithHint(errs.New(errs.NotFound, "%q holds neither %s nor %s", name, upkeep.ProjectFile, kltsFile), "name a project of kubelts, or a repository of KLTS")
	}
	if err != nil {
		return nil, err
	}
	config, err := foreign.ParseKLTS(file, content)
	if err != nil {
		return nil, err
	}
	return lint.KLTS(ctx, config, foreign.Bounded(files, foreign.MaxProject), o)
}

// clone opens upstream's clone: the one of --repo, or the one that a project names, if it is there.
func (l *lineLint) clone(ctx context.Context, files *projectFiles, own bool) (*gitrepo.Repo, error) { //nolint:revive // a project names a clone, KLTS does not
	if l.repo != "" {
		return gitrepo.Open(ctx, l.runner, l.repo)
	}
	if !own {
		return nil, nil //nolint:nilnil // none was named: the report says so
	}
	project, err := upkeep.Open(files)
	if err != nil || project.Config.Upstream.Clone == "" {
		return nil, nil //nolint:nilnil,nilerr // what is wrong with kubelts.yaml is a finding
	}
	dir := project.Config.Upstream.Clone
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(files.dir, dir)
	}
	repo, err := gitrepo.Open(ctx, l.runner, dir)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // it is not on this machine: the report says that tags were not looked at
	}
	return repo, nil
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
	}
	g := grid{header: []string{"severity", "rule", "where", "what"}}
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

// repoTrees implements [lint.Trees].
type repoTrees struct{ repo *gitrepo.Repo }

// Tag implements [lint.Trees].
func (t *repoTrees) Tag(name string) (git.OID, bool) {
	for _, ref := range t.repo.Refs() {
		if ref.Name == "refs/tags/"+name {
			return ref.Commit, !ref.Commit.IsZero()
		}
	}
	return git.OID{}, false
}

// File implements [lint.Trees].
func (t *repoTrees) File(ctx context.Context, commit git.OID, name string) ([]byte, error) {
	c, err := t.repo.Commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	at := c.Tree
	parts := strings.Split(path.Clean(name), "/")
	for i, part := range parts {
		entries, treeErr := t.repo.Tree(ctx, at)
		if treeErr != nil {
			return nil, absent(treeErr, name)
		}
		found := slices.IndexFunc(entries, func(e git.TreeEntry) bool { return e.Name == part })
		if found < 0 || entries[found].Mode.IsTree() != (i+1 < len(parts)) {
			return nil, errs.New(errs.NotFound, "%s is not there", name)
		}
		at = entries[found].OID
	}
	content, err := t.repo.Blob(ctx, at)
	return content, absent(err, name)
}

// absent makes an object that the clone lacks a thing that is not found.
func absent(err error, name string) error {
	if gone, ok := errors.AsType[*git.AbsentError](err); ok {
		return errs.New(errs.NotFound, "%s: %w", name, gone)
	}
	return err
}
