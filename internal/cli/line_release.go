package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/dist"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// lineRelease is the command's flags.
type lineRelease struct {
	*lines

	options upkeep.ReleaseOptions
}

func newLineRelease(a *app) *cobra.Command {
	l := &lineRelease{lines: newLines(a)}
	cmd := &cobra.Command{
		Use:   "release MINOR",
		Short: "Cut a release: tag, programs, packages, checksums, changelog, manifest",
		Long: `Cut a release of a line into releases/VERSION: programs for the components and platforms of line.yaml as tar.gz and deb, SHA256SUMS, a
changelog and a manifest; and a tag in the project's own store, never in upstream's clone.

An open conflict, a pick that waits for a review, and a series that is not verified each block it, unless a person decided otherwise (see "kubelts
line decide"). An interrupted release is taken up by the next run. A state of the line that was released is not released again.

This command runs the go program on upstream's sources: in a folder of its own, with a scrubbed environment, without keys, without network unless
--network is given, and within limits of time and memory. Its caches are those of "kubelts line verify".`,
		Example: `  kubelts line release 1.28
  kubelts line release 3.4 --at 2026-11-22 --twice`,
		Args: needArgs(1, 1, "the minor"),
		RunE: func(cmd *cobra.Command, args []string) error { return l.run(cmd.Context(), args[0]) },
	}
	l.addProject(cmd, true)
	cmd.Flags().BoolVar(&l.options.Network, "network", false, "builds may reach the network, for modules that are not here yet")
	cmd.Flags().BoolVar(&l.options.Twice, "twice", false, "build everything twice, in different directories, and say whether the bytes are equal")
	addOutput(cmd, &l.format, tableFormats)
	return cmd
}

func (l *lineRelease) run(ctx context.Context, arg string) (err error) {
	minor, err := release.ParseMinor(arg)
	if err != nil {
		return err
	}
	l.options.Fixed = l.at != ""
	if l.options.At, err = l.now(); err != nil {
		return err
	}
	o, err := l.building(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	state, err := openState(o.files.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	o.Packager, o.State = dist.Packager{}, state
	step, end := l.progress("release " + arg)
	o.Progress = step
	done, err := o.Release(ctx, minor, l.options)
	end()
	if err != nil {
		return err
	}
	g := grid{header: []string{"artifact", "kind", "component", "platform", "bytes", "sha256"}, narrow: 5}
	for _, a := range done.Artifacts {
		g.rows = append(g.rows, []string{a.Name, a.Kind, a.Component, string(a.Platform), strconv.FormatInt(a.Size, 10), a.SHA256})
	}
	if err := l.print(l.format, done, g); err != nil {
		return err
	}
	text := "is released already"
	if done.New {
		text = "released with " + done.Toolchain
	}
	fmt.Fprintf(l.Stderr, "kubelts: %s %s: %s\n", done.Version, text, done.Dir)
	return nil
}
