package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
)

func newImportKLTS(a *app) *cobra.Command {
	i := &importing{app: a}
	patches := ""
	cmd := &cobra.Command{
		Use:   "klts RELEASES.YML --project DIR",
		Short: "Make a project of a KLTS releases.yml",
		Long: `Make a project of the releases.yml of a KLTS repository: for each minor the newest release, with its chain of bases flattened. Patches in the repository
become mail files with their origin and its sha256; several mails of one file become several patches. What the file names and does not define, what is not there, and what is only
on the network is a gap. --patches names a directory with what was fetched, under the last names of the URLs, as KLTS' own scripts keep it.`,
		Example: `  kubelts import klts ~/kubernetes-lts/releases.yml --project k8s-lines --repo ~/kubernetes
  kubelts import klts releases.yml --project k8s-lines --patches fetched --minor 1.18 --leave-out`,
		Args: needArgs(1, 1, "the releases.yml"),
		RunE: func(cmd *cobra.Command, args []string) error { return i.klts(cmd, args[0], patches) },
	}
	i.flags(cmd)
	cmd.Flags().StringVar(&patches, "patches", "", "take patches from `DIR` first, by their last names")
	return cmd
}

func (i *importing) klts(cmd *cobra.Command, name, patches string) (err error) {
	files, err := openFiles(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	content, err := files.Read(filepath.Base(name), foreign.MaxConfig)
	if err != nil {
		return errs.WithHint(fmt.Errorf("read %q: %w", name, unwrapPath(err)), "name the releases.yml of a KLTS repository")
	}
	k, err := foreign.ParseKLTS(filepath.Base(name), content)
	if err != nil {
		return err
	}
	source, err := i.source(files)
	if err != nil {
		return err
	}
	if patches != "" {
		kept, err := openFiles(patches)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, kept.Close()) }()
		source.Kept = foreign.Bounded(kept, foreign.MaxProject)
	}
	if i.upstream = k.Upstream(); i.upstream == "" {
		return errs.WithHint(errs.New(errs.Invalid, "%s: base %q is no repository on GitHub", k.File, k.Base), "write it as https://github.com/kubernetes/kubernetes")
	}
	lines, skipped := k.Lines()
	return i.project(cmd, lines, skipped, source)
}

// source reads from a project's folder. What is no mail gets the present time and the maintainer, where it names nobody.
func (i *importing) source(files *projectFiles) (*foreign.Source, error) {
	now, err := i.now()
	if err != nil {
		return nil, err
	}
	person, err := i.person()
	return &foreign.Source{Files: foreign.Bounded(files, foreign.MaxProject), Author: person, Date: now}, err
}

func newImportEKSD(a *app) *cobra.Command {
	i := &importing{app: a}
	cmd := &cobra.Command{
		Use:   "eksd DIR --project DIR",
		Short: "Make a project of the patches of EKS Distro",
		Long: `Make a project of a checkout of EKS Distro: for each projects/kubernetes/kubernetes/1-XX the upstream tag, Go's version and the patches, in order of their names.
Minors without patches are named and not imported: from 1.28 on the repository holds none any more; an older commit does. --upstream imports another of its projects, such as
etcd-io/etcd; of several directories that stand on one minor of that upstream the newest is taken.`,
		Example: `  kubelts import eksd ~/eks-distro --project eks-lines --repo ~/kubernetes
  kubelts import eksd ~/eks-distro --project eks-lines --minor 1.22,1.23 -o json
  kubelts import eksd ~/eks-distro --upstream etcd-io/etcd --project etcd-lines --repo ~/etcd`,
		Args: needArgs(1, 1, "the checkout of EKS Distro"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			files, err := openFiles(args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, files.Close()) }()
			lines, skipped, err := foreign.ReadEKSD(files, i.upstream)
			if err != nil {
				return err
			}
			source, err := i.source(files)
			if err != nil {
				return err
			}
			return i.project(cmd, lines, skipped, source)
		},
	}
	i.flags(cmd)
	cmd.Flags().StringVar(&i.upstream, "upstream", "kubernetes/kubernetes", "the upstream that the patches are for, `OWNER/NAME`")
	return cmd
}

func newImportQuilt(a *app) *cobra.Command {
	i := &importing{app: a}
	base := ""
	cmd := &cobra.Command{
		Use:   "quilt DIR --base TAG --upstream OWNER/NAME --project DIR",
		Short: "Make a project of a quilt series",
		Long: `Make a project of a directory with patches/series, or with series beside the patches. Patches that are no mails get their author and date from the fields of DEP-3
where they have them, otherwise the maintainer and the present time (--at).`,
		Example: `  kubelts import quilt ~/etcd-deb/debian --base v3.4.20 --upstream etcd-io/etcd --project etcd-lines --repo ~/etcd`,
		Args:    needArgs(1, 1, "the directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if base == "" || i.upstream == "" {
				return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "import quilt: a series does not say what it is for"), "name the release with --base TAG, and the repository with --upstream OWNER/NAME"))
			}
			return i.quilt(cmd, args[0], base)
		},
	}
	i.flags(cmd)
	cmd.Flags().StringVar(&i.upstream, "upstream", "", "the upstream that the patches are for, `OWNER/NAME`")
	cmd.Flags().StringVar(&base, "base", "", "the upstream `TAG` that the patches are for")
	return cmd
}

func (i *importing) quilt(cmd *cobra.Command, dir, base string) (err error) {
	files, err := openFiles(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	line, below, err := foreign.ReadQuilt(files, base)
	if err != nil {
		return err
	}
	outside, err := foreign.QuiltOutside(files, below, line)
	if err != nil {
		return err
	}
	var skipped []foreign.Skipped
	for _, name := range outside {
		skipped = append(skipped, foreign.Skipped{Name: name, Reason: line.File + " does not name it"})
	}
	source, err := i.source(files)
	if err != nil {
		return err
	}
	source.Dir = below
	return i.project(cmd, []foreign.Line{line}, skipped, source)
}
