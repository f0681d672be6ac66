package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// triageRun is the command's flags.
type triageRun struct {
	*app

	repo, repository, main, dir, format string
	branches, vulns, without            []string

	candidates candidateFlags
}

// releaseBranches is the pattern of the branches that are judged by default, beside the main branch.
const releaseBranches = "release-*"

func newTriage(a *app) *cobra.Command {
	t := &triageRun{app: a}
	cmd := &cobra.Command{
		Use:   "triage --repo DIR",
		Short: "Which vulnerabilities the branches of a repository have, by evidence from git",
		Long: `Say for each vulnerability and each release branch of a clone whether the branch is affected, fixed, not affected or under investigation, with the
evidence: the fix's commits among the branch's, the same patch, the cherry-pick's pull request, author, date and subject, what commit messages
say of their origin, reverts of any of these, and whether the fix's lines or the hole's stand in the branch's files. Alarms name fixes that a newer
line lacks, that were taken back, or that are there in part. The clone is only read.

A vulnerability is under investigation where no fix is known for this repository or something that is needed is not in the clone. It is
never left out; the plain table lists those without a known fix below. The exit status is 3 when something is affected.

With --candidates it looks beyond known vulnerabilities: what newer release branches took since a branch's last release, that the branch lacks and whose code it
has, ranked by signs of severity. Changes that a record names are left to plain triage. The exit status is 0: a candidate is no verdict.`,
		Example: `  kubelts triage --repo ~/kubernetes
  kubelts triage --repo ~/apimachinery --vuln CVE-2022-3172 -o wide
  kubelts triage --repo ~/apiserver --branches 'release-1.2*' -o json
  kubelts triage --repo ~/etcd --repository etcd-io/etcd --vulnerabilities vulnerabilities
  kubelts triage --repo ~/apiserver --candidates --branches release-1.20
  kubelts triage --repo ~/apiserver --candidates --branches release-1.20 --severity security,crash -o wide`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return t.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&t.repo, "repo", ".", "the clone, `DIR`")
	flags.StringVar(&t.repository, "repository", "", "the upstream that it is a clone of, `OWNER/NAME` (default: the one whose fixes it holds)")
	flags.StringSliceVar(&t.branches, "branches", nil, "judge the branches that match `GLOB` (default: "+releaseBranches+" and the main branch)")
	flags.StringSliceVar(&t.vulns, "vuln", nil, "judge these vulnerabilities only, by `ID` or alias")
	flags.StringVar(&t.main, "main", "", "the main `BRANCH` (default: main or master)")
	flags.StringVar(&t.dir, "vulnerabilities", "", "judge the OSV records in `DIR` instead of those of the facts")
	flags.StringSliceVar(&t.without, "without", nil, "do not look at evidence of this `KIND`: to see what the others are worth")
	cmd.Flag("without").Hidden = true
	t.candidates.add(cmd)
	addOutput(cmd, &t.format, tableFormats)
	return cmd
}

func (t *triageRun) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	for _, glob := range t.branches {
		if _, bad := path.Match(glob, ""); bad != nil {
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--branches %q: %w", glob, bad), "write it like %s", releaseBranches))
		}
	}
	if err = t.candidates.check(cmd); err != nil {
		return err
	}
	records, err := t.records()
	if err != nil {
		return err
	}
	repo, err := gitrepo.Open(ctx, t.runner, t.repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	if t.repository == "" {
		if t.repository, err = t.guess(ctx, repo, records); err != nil {
			return err
		}
	}
	targets, err := t.targets(repo)
	if err != nil {
		return err
	}
	step, end := t.progress("triage")
	repo.KeepIndex(t.indexCache(step))
	if t.candidates.wanted {
		defer end()
		return t.findCandidates(ctx, repo, records, targets)
	}
	verdicts, err := triage.JudgeWithout(ctx, triage.Without{History: repo, Kinds: t.without}, t.repository, records, slices.Concat(targets.judged, targets.helping))
	end()
	if err != nil {
		return err
	}
	verdicts = slices.DeleteFunc(verdicts, func(v triage.Verdict) bool {
		return !slices.ContainsFunc(targets.judged, func(target triage.Target) bool { return target.Name == v.Branch })
	})
	if err := t.show(verdicts, targets.judged); err != nil {
		return err
	}
	if slices.ContainsFunc(verdicts, func(v triage.Verdict) bool { return v.Status == triage.Affected }) {
		return errAct
	}
	return nil
}

// records are those to judge, from --vulnerabilities or the facts.
func (t *triageRun) records() ([]*vuln.Record, error) {
	if t.dir != "" {
		all, err := readRecords(t.dir)
		if err != nil || len(t.vulns) == 0 {
			return all, err
		}
		return chooseRecords(t.vulns, func(id string) (*vuln.Record, error) {
			at := slices.IndexFunc(all, func(r *vuln.Record) bool {
				return slices.ContainsFunc(r.Names(), func(name string) bool { return strings.EqualFold(name, id) })
			})
			if at < 0 {
				ids := make([]string, len(all))
				for i, r := range all {
					ids[i] = r.ID
				}
				return nil, errs.WithHint(errs.New(errs.NotFound, "no record in %q is vulnerability %q", t.dir, id), "there are %s", few(ids))
			}
			return all[at], nil
		})
	}
	facts, err := t.facts()
	if err != nil {
		return nil, err
	}
	if len(t.vulns) == 0 {
		return facts.Vulnerabilities()
	}
	return chooseRecords(t.vulns, facts.Vulnerability)
}

func chooseRecords(ids []string, find func(id string) (*vuln.Record, error)) ([]*vuln.Record, error) {
	var chosen []*vuln.Record
	for _, id := range ids {
		r, err := find(id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, r) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// readRecords reads the OSV files of a directory, in order of their names.
func readRecords(dir string) ([]*vuln.Record, error) {
	hint := "name a directory of OSV records, one in each *.json"
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "--vulnerabilities: %w", err), "%s", hint)
	}
	var records []*vuln.Record
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		r, err := readRecord(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(records, func(other *vuln.Record) bool { return other.ID == r.ID }) {
			return nil, errs.New(errs.Invalid, "%s: another file has %s too", filepath.Join(dir, f.Name()), r.ID)
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil, errs.WithHint(errs.New(errs.NotFound, "--vulnerabilities %q holds no record", dir), "%s", hint)
	}
	return records, nil
}

func readRecord(name string) (*vuln.Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return vuln.Parse(name, f)
}

// targets are the branches to judge, and those that only help to judge them.
type targets struct{ judged, helping []triage.Target }

// targets finds the branches. What the remote origin has goes before a local branch of that name: it is what upstream has.
func (t *triageRun) targets(repo *gitrepo.Repo) (targets, error) {
	branches := map[string]git.OID{}
	for _, ref := range repo.Refs() {
		name, local := strings.CutPrefix(ref.Name, "refs/heads/")
		if !local {
			var remote bool
			if name, remote = strings.CutPrefix(ref.Name, "refs/remotes/origin/"); !remote || name == "HEAD" {
				continue
			}
		}
		branches[name] = ref.Commit
	}
	names := slices.SortedFunc(maps.Keys(branches), func(a, b string) int { return compareBranchNames(t.repository, a, b) })
	main := t.main
	if main == "" {
		if i := slices.IndexFunc(names, func(n string) bool { return n == "main" || n == "master" }); i >= 0 {
			main = names[i]
		}
	} else if !slices.Contains(names, main) {
		return targets{}, errs.WithHint(errs.New(errs.NotFound, "repository %q has no branch %q", t.repo, main), "there are %s", few(names))
	}
	var found targets
	for _, name := range names {
		target := triage.Target{Name: name, Commit: branches[name]}
		switch {
		case t.wants(name, main):
			found.judged = append(found.judged, target)
		case name == main:
			found.helping = append(found.helping, target)
		}
	}
	if len(found.judged) == 0 {
		globs := cmp.Or(strings.Join(t.branches, ","), releaseBranches)
		return targets{}, errs.WithHint(errs.New(errs.NotFound, "repository %q has no branch that matches %q", t.repo, globs), "there are %s; choose with --branches", few(names))
	}
	return found, nil
}

// wants reports whether a branch is to be judged.
func (t *triageRun) wants(name, main string) bool {
	globs := t.branches
	if len(globs) == 0 {
		if name == main {
			return true
		}
		globs = []string{releaseBranches}
	}
	return slices.ContainsFunc(globs, func(glob string) bool {
		match, err := path.Match(glob, name)
		return match && err == nil
	})
}

// compareBranchNames orders release branches by their minor, and others behind them by name.
func compareBranchNames(repository, a, b string) int {
	x, okX := release.MinorOfBranch(repository, a)
	y, okY := release.MinorOfBranch(repository, b)
	switch {
	case okX && okY:
		return cmp.Or(release.CompareMinors(x, y), strings.Compare(a, b))
	case okX:
		return -1
	case okY:
		return 1
	}
	return strings.Compare(a, b)
}

// few lists names for a hint.
func few(names []string) string {
	const limit = 12
	if len(names) == 0 {
		return "none"
	}
	if len(names) > limit {
		return strings.Join(names[:limit], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// guess finds the repository whose fixes the clone holds: the one of which most commits are there.
func (t *triageRun) guess(ctx context.Context, repo *gitrepo.Repo, records []*vuln.Record) (string, error) {
	held := map[string]int{}
	for _, r := range records {
		for _, f := range r.Kubelts.Fixes {
			held[f.Repository] += countHeld(ctx, repo, f)
		}
	}
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	best := slices.MaxFunc(append(slices.Sorted(maps.Keys(held)), ""), func(a, b string) int {
		return cmp.Or(cmp.Compare(held[a], held[b]), strings.Compare(b, a))
	})
	if held[best] > 0 || len(held) == 0 || len(held) == 1 && best == "" {
		return best, nil
	}
	return "", errs.WithHint(errs.New(errs.NotFound, "repository %q holds no commit of any known fix: of which upstream is it a clone?", t.repo),
		"name it with --repository, such as kubernetes/kubernetes")
}

// countHeld counts the commits of a fix that the clone holds.
func countHeld(ctx context.Context, repo *gitrepo.Repo, f vuln.Fix) int {
	n := 0
	for _, commits := range f.Commits {
		for _, name := range commits {
			if oid, err := git.ParseOID(name); err == nil {
				if _, err := repo.Commit(ctx, oid); err == nil {
					n++
				}
			}
		}
	}
	return n
}
