package cli

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upkeep"
	"github.com/kubelts/kubelts/internal/vuln"
)

// lines is what the commands below kubelts line share.
type lines struct {
	*app

	project, repo string
	format        string
}

func newLine(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "line",
		Short: "Keep release lines: judge, patch, verify and release them",
		Long: `Keep release lines in a project: a directory of text files that people review.

A line is a minor that is kept alive on an upstream tag, its base. The patches of a line, what is known of each vulnerability, and what people
decided are files below lines/<minor>. See docs/lines.md for how to work with them.`,
		RunE: parent,
	}
	cmd.AddCommand(newLineInit(a), newLineUpdate(a), newLineResolve(a), newLineDecide(a), newLineList(a), newLineStatus(a), newLineLint(a), newLineVerify(a), newLineRelease(a))
	return cmd
}

func newLines(a *app) *lines { return &lines{app: a} }

// addProject gives a command the flags that say where the project and the clone are.
func (l *lines) addProject(cmd *cobra.Command, withRepo bool) { //nolint:revive // a command needs the clone or it does not
	cmd.Flags().StringVar(&l.project, "project", ".", "the project, `DIR`")
	if withRepo {
		cmd.Flags().StringVar(&l.repo, "repo", "", "upstream's clone, `DIR` (default: the one that kubelts.yaml names)")
	}
}

// opened is a project with all that was opened for it.
type opened struct {
	*upkeep.Project

	files *projectFiles
	repo  *gitrepo.Repo
	store *gitrepo.Store
}

// Close closes what was opened, in reverse order.
func (o *opened) Close() error {
	var err error
	if o.store != nil {
		err = o.store.Close()
	}
	if o.repo != nil {
		err = errors.Join(err, o.repo.Close())
	}
	return errors.Join(err, o.files.Close())
}

// read opens the project for reading its files. It is locked only when a killed run left something, which is finished first.
func (l *lines) read() (*opened, error) {
	return l.open(func(left bool) bool { return left })
}

// write opens the project for changing its files: locked, and with what a killed run left finished.
func (l *lines) write() (*opened, error) {
	return l.open(func(bool) bool { return true })
}

// open opens the project. What is no project is never locked: a lock is a file.
func (l *lines) open(lock func(left bool) bool) (*opened, error) {
	files, err := openFiles(l.project)
	if err != nil {
		return nil, err
	}
	o := &opened{files: files}
	left, err := upkeep.Interrupted(files)
	_, missing := files.root.Lstat(upkeep.ProjectFile)
	if err == nil && (left || missing == nil) && lock(left) {
		if err = files.Lock(); err == nil {
			err = upkeep.Recover(files)
		}
	}
	if err == nil {
		o.Project, err = upkeep.Open(files)
	}
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// work opens the project with upstream's clone and the project's store.
func (l *lines) work(ctx context.Context) (*opened, error) {
	o, err := l.write()
	if err != nil {
		return nil, err
	}
	if err := o.openRepo(ctx, l); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

func (o *opened) openRepo(ctx context.Context, l *lines) error {
	dir := l.repo
	if dir == "" && o.Config.Upstream.Clone != "" {
		dir = o.Config.Upstream.Clone
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(o.files.dir, dir)
		}
	}
	if dir == "" {
		return errs.WithHint(errs.New(errs.Invalid, "kubelts.yaml names no clone of %s", o.Config.Upstream.Name), "name its directory with --repo, or as upstream.clone in kubelts.yaml")
	}
	var err error
	if o.repo, err = gitrepo.Open(ctx, l.runner, dir); err != nil {
		return err
	}
	o.repo.KeepIndex(l.indexCache(nil))
	if o.store, err = gitrepo.OpenStore(ctx, l.runner, o.files.Path(upkeep.StoreDir), o.repo); err != nil {
		return err
	}
	o.Upstream, o.Store = projectClone{o.repo}, projectStore{o.store}
	return nil
}

// projectClone implements [upkeep.Upstream].
type projectClone struct{ *gitrepo.Repo }

// Resolve implements [upkeep.Upstream]. What is not found is said without the clone's path: it goes into the ledger, which is to be the same
// on every machine.
func (c projectClone) Resolve(ctx context.Context, rev string) (git.OID, error) {
	oid, err := c.Repo.Resolve(ctx, rev)
	if !errs.Is(err, errs.NotFound) {
		return oid, err
	}
	if absent, ok := errors.AsType[*git.AbsentError](err); ok {
		return oid, errs.New(errs.NotFound, "%w", absent)
	}
	return oid, errs.New(errs.NotFound, "the clone has no revision %q", rev)
}

// projectStore implements [upkeep.Store].
type projectStore struct{ *gitrepo.Store }

// SetRef implements [upkeep.Store].
func (s projectStore) SetRef(ctx context.Context, name string, target git.OID) error {
	if at, ok, err := s.Ref(ctx, name); err != nil || ok && at == target {
		return err
	}
	return s.UpdateRefs(ctx, []gitrepo.RefUpdate{{Name: name, New: target}})
}

// minors are those that a person named, or all lines with --all.
func minors(o *upkeep.Project, args []string, all bool) ([]release.Minor, error) { //nolint:revive // --all is a flag
	if all {
		found, err := o.Minors()
		if err == nil && len(found) == 0 {
			err = errs.WithHint(errs.New(errs.NotFound, "this project has no lines"), "make one with: kubelts line init MINOR --base TAG")
		}
		return found, err
	}
	var found []release.Minor
	for _, arg := range args {
		m, err := release.ParseMinor(arg)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, m) {
			found = append(found, m)
		}
	}
	return found, nil
}

// records are the vulnerabilities to judge: those that concern the project's upstream, from the facts and from the project's own files,
// which go before the facts of the same name; or those that a person named.
func (l *lines) records(o *opened, named []string) ([]*vuln.Record, error) {
	own, err := o.ownRecords()
	if err != nil {
		return nil, err
	}
	facts, err := l.facts()
	if err != nil {
		return nil, err
	}
	known, err := facts.Vulnerabilities()
	if err != nil {
		return nil, err
	}
	all := own
	for _, r := range known {
		if !slices.ContainsFunc(own, func(mine *vuln.Record) bool { return related(mine, r) }) {
			all = append(all, r)
		}
	}
	if len(named) == 0 {
		upstream := o.Config.Upstream.Name
		return slices.DeleteFunc(all, func(r *vuln.Record) bool { return !concerns(r, upstream) && !slices.Contains(own, r) }), nil
	}
	var wanted []*vuln.Record
	for _, id := range named {
		r, err := findRecord(all, id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(wanted, r) {
			wanted = append(wanted, r)
		}
	}
	return wanted, nil
}

// ownRecords reads the project's vulnerabilities/*.json.
func (o *opened) ownRecords() ([]*vuln.Record, error) {
	names, err := o.files.List("vulnerabilities")
	if err != nil {
		return nil, err
	}
	var records []*vuln.Record
	for _, name := range names {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		file := "vulnerabilities/" + name
		content, err := o.files.Read(file, vuln.MaxSize)
		if err != nil {
			return nil, err
		}
		r, err := vuln.Parse(file, bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(records, func(other *vuln.Record) bool { return other.ID == r.ID }) {
			return nil, errs.New(errs.Invalid, "%s: another file has %s too", file, r.ID)
		}
		records = append(records, r)
	}
	return records, nil
}

func related(a, b *vuln.Record) bool {
	return slices.ContainsFunc(a.Names(), func(name string) bool { return slices.Contains(b.Names(), name) })
}

// concerns reports whether a record is about an upstream: by its project, by a fix, or because it gives ranges of what the upstream releases. The last are flaws of
// others' code that Kubernetes ships, such as Go's.
func concerns(r *vuln.Record, upstream string) bool {
	packages := []string{upstream, "github.com/" + upstream}
	if name, ours := strings.CutPrefix(upstream, "kubernetes/"); ours {
		packages = append(packages, "k8s.io/"+name)
	}
	if slices.ContainsFunc(r.Affected, func(a vuln.Affected) bool { return slices.Contains(packages, a.Package.Name) }) {
		return true
	}
	return strings.EqualFold(r.Kubelts.Project, upstream) || slices.ContainsFunc(r.Kubelts.Fixes, func(f vuln.Fix) bool { return strings.EqualFold(f.Repository, upstream) })
}

func findRecord(all []*vuln.Record, id string) (*vuln.Record, error) {
	var names []string
	for _, r := range all {
		for _, name := range r.Names() {
			if strings.EqualFold(name, id) {
				return r, nil
			}
			names = append(names, name)
		}
	}
	err := errs.New(errs.NotFound, "vulnerability %q is not known", id)
	if near := upkeep.Nearest(names, id); near != "" {
		return nil, errs.WithHint(err, "did you mean %s? Records of the project's own go into vulnerabilities/", near)
	}
	return nil, errs.WithHint(err, "records of the project's own go into vulnerabilities/")
}
