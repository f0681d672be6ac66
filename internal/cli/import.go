package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/foreign"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// importing is what the commands below kubelts import share.
type importing struct {
	*app

	target, repo, upstream, maintainer, origin, format string
	minors                                             []string
	leaveOut                                           bool
}

// imported is what an import prints as data.
type imported struct {
	Project string            `json:"project"`
	Lines   []upkeep.Adopted  `json:"lines"`
	Skipped []foreign.Skipped `json:"skipped"`
	Fetch   []string          `json:"fetch"` // URLs whose files would fill gaps
}

func newImport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Make a project of lines that others keep: KLTS, EKS Distro, quilt",
		Long: `Make a project of release lines that another project keeps.

What that project asks for and what cannot be had, such as a patch that nobody defined or that is only on the network, is named in the line's
series without a file: every command on the line refuses until somebody brings the file or strikes the name. Nothing is fetched. See docs/lines.md.`,
		RunE: parent,
	}
	cmd.AddCommand(newImportKLTS(a), newImportEKSD(a), newImportQuilt(a))
	return cmd
}

func (i *importing) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&i.target, "project", "", "make the project in `DIR`, which must not be there")
	flags.StringVar(&i.repo, "repo", "", "upstream's clone, `DIR`: its tags pin the bases, and its commits the patches")
	flags.StringSliceVar(&i.minors, "minor", nil, "import only this `MINOR`")
	flags.StringVar(&i.maintainer, "maintainer", "", "who answers for the packages, `NAME <ADDRESS>`")
	flags.StringVar(&i.origin, "origin", "", "say in each patch that its source is in `NAME`, such as klts-io/kubernetes-lts@c90453f")
	flags.BoolVar(&i.leaveOut, "leave-out", false, "make what cannot be had, and what does not fit, a comment of the series, so that the line can be worked on without it")
	addOutput(cmd, &i.format, []string{"table", "json", "yaml", "markdown"})
}

// project makes the project of lines and prints what became of them.
func (i *importing) project(cmd *cobra.Command, lines []foreign.Line, skipped []foreign.Skipped, source *foreign.Source) (err error) {
	if i.target == "" {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "%s: the project is missing", cmd.CommandPath()), "name a directory that is not there yet with --project"))
	}
	if _, missing := os.Lstat(i.target); missing == nil {
		return errs.WithHint(errs.New(errs.Conflict, "project %q is there already", i.target), "name a directory that is not there yet with --project, and compare the two")
	} else if !errors.Is(missing, fs.ErrNotExist) {
		return missing
	}
	if lines, err = i.wanted(lines); err != nil {
		return err
	}
	clone, err := i.clone(cmd.Context(), source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clone.Close()) }()
	adoption, fetch, err := i.adoption(cmd.Context(), lines, source)
	if err != nil {
		return err
	}
	done, err := i.write(cmd.Context(), clone, adoption)
	if err != nil {
		return err
	}
	return i.report(&imported{Project: i.target, Lines: done, Skipped: append([]foreign.Skipped{}, skipped...), Fetch: append([]string{}, fetch...)})
}

// wanted are the lines of the minors that were asked for.
func (i *importing) wanted(lines []foreign.Line) ([]foreign.Line, error) {
	var (
		found []foreign.Line
		there []string
		asked []release.Minor
	)
	for _, m := range i.minors {
		minor, err := release.ParseMinor(m)
		if err != nil {
			return nil, err
		}
		asked = append(asked, minor)
	}
	for _, line := range lines {
		version, err := release.Parse(line.Tag)
		if err != nil {
			return nil, err
		}
		there = append(there, version.Minor.String())
		if len(asked) == 0 || slices.Contains(asked, version.Minor) {
			found = append(found, line)
		}
	}
	for _, minor := range asked {
		if !slices.Contains(there, minor.String()) {
			return nil, errs.WithHint(errs.New(errs.NotFound, "there is no line of %s to import", minor), "there are %s", few(there))
		}
	}
	return found, nil
}

func (i *importing) adoption(ctx context.Context, lines []foreign.Line, source *foreign.Source) (upkeep.Adoption, []string, error) {
	a := upkeep.Adoption{Upstream: lts.Upstream{Name: i.upstream, URL: "https://github.com/" + i.upstream}, LeaveOut: i.leaveOut}
	var (
		err   error
		fetch []string
	)
	if a.Maintainer, err = i.person(); err != nil {
		return a, nil, err
	}
	for _, line := range lines {
		adopted, err := i.line(line)
		if err != nil {
			return a, nil, err
		}
		pieces, err := source.Pieces(ctx, line)
		if err != nil {
			return a, nil, err
		}
		for _, url := range foreign.Unfetched(pieces) {
			if !slices.Contains(fetch, url) {
				fetch = append(fetch, url)
			}
		}
		for _, p := range pieces {
			adopted.Patches = append(adopted.Patches, i.patch(p))
		}
		a.Lines = append(a.Lines, adopted)
	}
	return a, fetch, nil
}

func (i *importing) person() (lts.Person, error) {
	if i.maintainer == "" {
		return lts.Person{Name: "Line Maintainers", Email: "maintainers@localhost"}, nil
	}
	return lts.ParsePerson(i.maintainer)
}

// line is what stands in line.yaml. Go's version is the other project's, or the one that upstream built that release with.
func (i *importing) line(line foreign.Line) (upkeep.AdoptedLine, error) {
	a := upkeep.AdoptedLine{Tag: line.Tag, Toolchain: "local", From: strings.TrimSpace(cmp.Or(line.Name, "a series") + " of " + i.from(line.File))}
	version, err := release.Parse(line.Tag)
	if err != nil {
		return a, err
	}
	a.Minor = version.Minor
	if line.Toolchain != "" {
		a.Toolchain = "go" + line.Toolchain
	} else if strings.HasSuffix(i.upstream, "/kubernetes") {
		facts, err := i.facts()
		if err != nil {
			return a, err
		}
		if t, known, err := facts.Toolchain(version); err != nil {
			return a, err
		} else if known {
			a.Toolchain = "go" + t.Go
		}
	}
	if missing := foreign.Numbers(line); len(missing) > 0 {
		a.Notes = append(a.Notes, "among the numbers of its patches "+spans(missing)+" are missing")
	}
	for _, t := range line.Tolerated {
		a.KnownFailures = append(a.KnownFailures, lts.KnownFailure{
			Package: t.Package, Reason: fmt.Sprintf("%s:%d tolerates that the whole package fails in %s", line.File, t.Row, t.Release),
		})
	}
	return a, nil
}

// spans joins numbers as ranges.
func spans(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		if j > i {
			part += "-" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// from puts the name of the other project before a path.
func (i *importing) from(name string) string {
	if i.origin == "" || strings.Contains(name, "://") {
		return name
	}
	return i.origin + ":" + name
}

func (i *importing) patch(p foreign.Piece) upkeep.AdoptedPatch {
	a := upkeep.AdoptedPatch{Name: p.Step, Patch: p.Patch, Gap: p.Gap, Commit: p.Commit, Fixes: p.Fixes}
	if p.Origin != "" {
		a.Origin = i.from(p.Origin)
	}
	if p.Patch == nil {
		return a
	}
	a.Origin += " sha256:" + p.SHA256
	for _, id := range append(foreign.CVEs(p.Patch.Subject), foreign.Cures(p.Patch.Body)...) {
		if !slices.Contains(a.Fixes, id) {
			a.Fixes = append(a.Fixes, id)
		}
	}
	return a
}

// write makes the project in a directory beside the target and gives it its name at the end.
func (i *importing) write(ctx context.Context, c *importClone, a upkeep.Adoption) (done []upkeep.Adopted, err error) {
	var clone upkeep.Clone
	if c.repo != nil {
		clone = c.repo
		if a.Upstream.Clone, err = relativeTo(i.target, i.repo); err != nil {
			return nil, err
		}
	}
	temp := filepath.Join(filepath.Dir(filepath.Clean(i.target)), ".kubelts-import-"+rand.Text())
	if err = os.Mkdir(temp, 0o755); err != nil { //nolint:gosec // people and their tools read a project
		return nil, errs.WithHint(err, "make the directory above the project first")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	files, err := openFiles(temp)
	if err != nil {
		return nil, err
	}
	done, err = i.adopt(ctx, files, clone, c.repo, a)
	if err == nil {
		err = files.Remove(upkeep.PrivateDir)
	}
	if err = errors.Join(err, files.Close()); err != nil {
		return nil, err
	}
	return done, os.Rename(temp, i.target)
}

// adopt fills the project's directory. Its store is private state, like that of any project, and made again when it is needed.
func (i *importing) adopt(ctx context.Context, files *projectFiles, clone upkeep.Clone, repo *gitrepo.Repo, a upkeep.Adoption) (done []upkeep.Adopted, err error) {
	if repo == nil {
		return upkeep.Adopt(ctx, files, nil, nil, a)
	}
	if err = files.MakeDir(upkeep.PrivateDir); err != nil {
		return nil, err
	}
	store, err := gitrepo.OpenStore(ctx, i.runner, files.Path(upkeep.StoreDir), repo)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return upkeep.Adopt(ctx, files, clone, store, a)
}

func relativeTo(target, dir string) (string, error) {
	abs, err := filepath.Abs(target)
	if err != nil {
		return "", err
	}
	return relative(abs, dir)
}

func (i *importing) report(done *imported) error {
	g := grid{header: []string{"line", "from", "base", "commit", "patches", "pinned", "moved", "unfit", "missing", "note"}}
	act := false
	for _, l := range done.Lines {
		commit := "-"
		if !l.Commit.IsZero() {
			commit = l.Commit.Short()
		}
		g.rows = append(g.rows, []string{
			l.Minor.String(), l.From, l.Base, commit, strconv.Itoa(l.Patches), strconv.Itoa(l.Pinned), strconv.Itoa(l.Moved), strconv.Itoa(len(l.Unfit)), strconv.Itoa(len(l.Missing)), strings.Join(l.Notes, "; "),
		})
		act = act || len(l.Missing)+len(l.Unfit) > 0 || l.Commit.IsZero()
	}
	if err := i.print(i.format, done, g); err != nil {
		return err
	}
	if i.format == "table" {
		if err := i.gaps(done); err != nil {
			return err
		}
	}
	if len(done.Fetch) > 0 {
		fmt.Fprintf(i.Stderr, "kubelts: hint: only on the network, %d: fetch and read them, put them into one directory under their last names, and import again with --patches\n", len(done.Fetch))
	}
	i.next(done)
	if act {
		return errAct
	}
	return nil
}

// next says what a person does now.
func (i *importing) next(done *imported) {
	missing, unfit, unpinned := 0, 0, 0
	for _, l := range done.Lines {
		missing, unfit = missing+len(l.Missing), unfit+len(l.Unfit)
		if l.Commit.IsZero() {
			unpinned++
		}
	}
	hint := func(format string, args ...any) { fmt.Fprintf(i.Stderr, "kubelts: hint: "+format+"\n", args...) }
	switch {
	case i.leaveOut && missing+unfit > 0:
		hint("left out, %d: lines/*/series says which and why; what does not fit is kept in lines/*/%s, to be made anew on the patches before it", missing+unfit, upkeep.LeftOutDir)
	case missing+unfit > 0:
		hint("no command works on lines with patches that are missing (%d) or do not fit (%d): bring or mend the files below lines/*/patches, strike their names in lines/*/series, or import again with --leave-out", missing, unfit)
	}
	if unpinned > 0 && i.repo == "" {
		hint("import again with --repo, a clone of %s: it pins the bases, and patches are put on them", clean(i.upstream))
	}
	if unpinned > 0 && i.repo != "" {
		hint("%d bases are not in the clone: fetch their tags and import again", unpinned)
	}
	hint("next is: kubelts line lint %[1]s, and for lines that are whole: kubelts line update --all --project %[1]s", clean(done.Project))
}

// gaps lists what is missing, and what did not become a line.
func (i *importing) gaps(done *imported) error {
	var b strings.Builder
	for _, l := range done.Lines {
		for _, m := range l.Missing {
			fmt.Fprintf(&b, "line %s misses %s\n", l.Minor, m)
		}
		for _, u := range l.Unfit {
			fmt.Fprintf(&b, "line %s: %s\n", l.Minor, u)
		}
	}
	for _, s := range done.Skipped {
		fmt.Fprintf(&b, "%s is not imported: %s\n", s.Name, s.Reason)
	}
	_, err := fmt.Fprint(i.Stdout, clean(b.String()))
	return err
}
