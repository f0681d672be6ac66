package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/command"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// lineInit is the command's flags.
type lineInit struct {
	*lines

	base, toolchain, gopath, scheme, maintainer string
	upstream                                    lts.Upstream
	components, platforms                       []string
}

func newLineInit(a *app) *cobra.Command {
	l := &lineInit{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "init MINOR --base TAG --repo DIR",
		Short: "Make a line, and the project with it in an empty directory",
		Long: `Make a line on an upstream tag, and the project with it where there is none.

What is not said is guessed from the base's tree and written into kubelts.yaml and lines/MINOR/line.yaml, where it can be changed: the upstream's
name, whether it is built as a module or in a GOPATH, the programs and their version flags. An existing directory that is neither empty nor a
project is refused.`,
		Example: `  kubelts line init 1.28 --base v1.28.15 --repo ~/kubernetes
  kubelts line init 3.4 --base v3.4.20 --repo ~/etcd --component etcd=. --component etcdctl=./etcdctl`,
		Args: needArgs(1, 1, "the minor"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.base == "" {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "line init: the base is missing"), "name an upstream tag with --base"))
			}
			return l.run(cmd.Context(), args[0])
		},
	}
	l.addProject(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&l.base, "base", "", "stand on the upstream `TAG`")
	flags.StringVar(&l.toolchain, "toolchain", "", "build with this `VERSION` of Go, such as go1.26.8 (default: the one that is installed)")
	flags.StringVar(&l.gopath, "gopath", "", "build in a GOPATH, as `IMPORTPATH`")
	flags.StringSliceVar(&l.components, "component", nil, "release the main package `NAME=./PATH`")
	flags.StringSliceVar(&l.platforms, "platform", nil, "release for `OS/ARCH` (default linux/amd64)")
	flags.StringVar(&l.upstream.Name, "upstream", "", "upstream's name, `OWNER/NAME` (default: from the module's path)")
	flags.StringVar(&l.upstream.URL, "url", "", "where upstream can be fetched, `URL`")
	flags.StringVar(&l.upstream.MainBranch, "main-branch", "", "upstream's main `BRANCH`")
	flags.StringVar(&l.upstream.Branches, "branches", "", "upstream's release branches, `GLOB` (default release-*)")
	flags.StringVar(&l.scheme, "version-scheme", "", "versions end in `SCHEME`: +lts.N (default), -lts.N or .10N")
	flags.StringVar(&l.maintainer, "maintainer", "", "who answers for the packages, `NAME <ADDRESS>`")
	return cmd
}

func (l *lineInit) run(ctx context.Context, minor string) (err error) {
	start, err := l.start(ctx, minor)
	if err != nil {
		return err
	}
	files, err := openFiles(l.project)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if err = upkeep.CheckDirectory(files); err != nil {
		return err
	}
	dir, err := l.clone(files)
	if err != nil {
		return err
	}
	repo, err := gitrepo.Open(ctx, l.runner, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	if err = files.Lock(); err != nil {
		return err
	}
	if err = upkeep.Recover(files); err != nil {
		return err
	}
	if start.Upstream.Clone, err = relative(files.dir, dir); err != nil {
		return err
	}
	made, err := upkeep.StartLine(ctx, files, repo, start)
	if err != nil {
		return err
	}
	return l.report(made)
}

// clone is the directory of upstream's clone, of the flag or of the project that is there already.
func (l *lineInit) clone(files *projectFiles) (string, error) {
	if l.repo != "" {
		return l.repo, nil
	}
	project, err := upkeep.Open(files)
	if err == nil && project.Config.Upstream.Clone != "" {
		if filepath.IsAbs(project.Config.Upstream.Clone) {
			return project.Config.Upstream.Clone, nil
		}
		return filepath.Join(files.dir, project.Config.Upstream.Clone), nil
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return "", err
	}
	return "", errs.WithHint(errs.New(errs.Invalid, "upstream's clone is not named"), "name its directory with --repo")
}

func relative(from, to string) (string, error) {
	abs, err := filepath.Abs(to)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, abs)
	return filepath.ToSlash(rel), err
}

// start reads the flags.
func (l *lineInit) start(ctx context.Context, minor string) (upkeep.Start, error) {
	s := upkeep.Start{Tag: l.base, Toolchain: l.toolchain, GOPATH: l.gopath, Upstream: l.upstream, Scheme: l.scheme}
	var err error
	if s.Minor, err = release.ParseMinor(minor); err != nil {
		return s, err
	}
	for _, c := range l.components {
		name, pkg, ok := strings.Cut(c, "=")
		if !ok {
			return s, errs.WithHint(errs.New(errs.Invalid, "component %q is not NAME=./PATH", c), "write it as --component etcdctl=./etcdctl")
		}
		s.Components = append(s.Components, lts.Component{Name: name, Package: pkg})
	}
	for _, p := range l.platforms {
		s.Platforms = append(s.Platforms, lts.Platform(p))
	}
	s.Maintainer = lts.Person{Name: "Line Maintainers", Email: "maintainers@localhost"}
	if l.maintainer != "" {
		if s.Maintainer, err = lts.ParsePerson(l.maintainer); err != nil {
			return s, err
		}
	}
	if s.Toolchain == "" {
		s.Toolchain = l.installedGo(ctx)
	}
	return s, nil
}

var releasedGo = regexp.MustCompile(`^go1\.[0-9]+(\.[0-9]+)?$`)

// installedGo is the version of the go program that is installed, so that line.yaml names one; "local" when it is none that was released.
func (a *app) installedGo(ctx context.Context) string {
	env := append(command.Environ("PATH", "HOME"), "GOTOOLCHAIN=local", "GOENV=off", "GOFLAGS=")
	out, err := a.runner.Run(ctx, command.Cmd{Argv: []string{"go", "env", "GOVERSION"}, Dir: "/", Env: env})
	if v := strings.TrimSpace(string(out)); err == nil && releasedGo.MatchString(v) {
		return v
	}
	return "local"
}

func (l *lineInit) report(made *upkeep.Started) error {
	line := made.Line
	if made.New {
		if _, err := fmt.Fprintf(l.Stdout, "made the project of %s: kubelts.yaml\n", made.Config.Upstream.Name); err != nil {
			return err
		}
	}
	var names []string
	for _, c := range line.Components {
		names = append(names, c.Name)
	}
	_, err := fmt.Fprintf(l.Stdout, "made line %s on %s (%s), built in mode %s with %s: lines/%s/line.yaml\n",
		line.Minor, line.Base.Tag, line.Base.Commit.Short(), line.Build.Mode, line.Toolchain, line.Minor)
	if len(names) > 0 {
		fmt.Fprintf(l.Stdout, "components: %s\n", strings.Join(names, ", "))
	} else {
		fmt.Fprintf(l.Stderr, "kubelts: hint: no program was found: name components in lines/%s/line.yaml\n", line.Minor)
	}
	fmt.Fprintf(l.Stderr, "kubelts: hint: next is: kubelts line update %s\n", line.Minor)
	return err
}
