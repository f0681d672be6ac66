package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/lint"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// lintClone is upstream's clone, for line lint. It implements [lint.Trees] and [lint.Origins].
type lintClone struct {
	*lineLint

	repo       *gitrepo.Repo
	dir        string
	repository string // that it is a clone of, as records name it
	upstream   string // whose lines it can tell about
	below      string // the directory of upstream that it holds; empty for all of it
	records    []*vuln.Record

	pulls  map[int][]git.OID     // merges and squashed commits of pull requests; nil until somebody asks
	staged map[git.OID][]git.OID // commits by the one of kubernetes/kubernetes that they were published from
}

// identify finds out of which upstream the clone is: as what is looked at says, or by the fixes that it holds.
func (c *lintClone) identify(ctx context.Context, upstream string, project *opened) error {
	facts, err := c.facts()
	if err != nil {
		return err
	}
	if c.records, err = facts.Vulnerabilities(); err != nil {
		return err
	}
	if project != nil {
		if c.records, err = (&lines{app: c.app}).records(project, nil); err != nil {
			return err
		}
	}
	c.repository = upstream
	if upstream == "" || upstream == kubernetesName {
		guess, unknown := (&triageRun{app: c.app, repo: c.dir}).guess(ctx, c.repo, c.records)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if unknown == nil && guess != "" {
			c.repository = guess
		}
	}
	c.upstream = c.repository
	if owner, name, _ := strings.Cut(c.repository, "/"); owner == "kubernetes" && slices.ContainsFunc(c.repo.Refs(), func(r git.Ref) bool { return strings.HasPrefix(r.Name, "refs/tags/kubernetes-1.") }) {
		c.upstream, c.below = kubernetesName, "staging/src/k8s.io/"+name+"/"
	}
	if c.repository == "" {
		return errs.WithHint(errs.New(errs.NotFound, "repository %q holds no commit of any known fix: of which upstream is it a clone?", c.dir), "name it with --upstream, such as etcd-io/etcd")
	}
	return nil
}

// kubernetesName is what records call Kubernetes.
const kubernetesName = "kubernetes/kubernetes"

// Tag implements [lint.Trees]. A release of Kubernetes has another tag in staging repositories.
func (c *lintClone) Tag(name string) (git.OID, bool) {
	names := []string{"refs/tags/" + name}
	if version, ok := release.OfTag(name); ok && c.below != "" {
		names = []string{"refs/tags/" + version.StagingTag()}
	}
	for _, ref := range c.repo.Refs() {
		if slices.Contains(names, ref.Name) {
			return ref.Commit, !ref.Commit.IsZero()
		}
	}
	return git.OID{}, false
}

// File implements [lint.Trees].
func (c *lintClone) File(ctx context.Context, commit git.OID, name string) ([]byte, error) {
	found, err := c.repo.Commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	at := found.Tree
	parts := strings.Split(path.Clean(name), "/")
	for i, part := range parts {
		entries, treeErr := c.repo.Tree(ctx, at)
		if treeErr != nil {
			return nil, absent(treeErr, name)
		}
		found := slices.IndexFunc(entries, func(e git.TreeEntry) bool { return e.Name == part })
		if found < 0 || entries[found].Mode.IsTree() != (i+1 < len(parts)) {
			return nil, errs.New(errs.NotFound, "%s is not there", name)
		}
		at = entries[found].OID
	}
	content, err := c.repo.Blob(ctx, at)
	return content, absent(err, name)
}

// absent makes an object that the clone lacks a thing that is not found.
func absent(err error, name string) error {
	if gone, ok := errors.AsType[*git.AbsentError](err); ok {
		return errs.New(errs.NotFound, "%s: %w", name, gone)
	}
	return err
}

// judge implements what [lint.Options] asks of triage.
func (c *lintClone) judge(ctx context.Context, tags []string) (map[string][]lint.Judged, error) {
	records := slices.DeleteFunc(slices.Clone(c.records), func(r *vuln.Record) bool { return len(r.RequiredFixes(c.repository)) == 0 })
	found := map[string][]lint.Judged{}
	var targets []triage.Target
	for _, tag := range tags {
		at, _ := c.Tag(tag)
		targets, found[tag] = append(targets, triage.Target{Name: tag, Commit: at}), nil
	}
	if len(records) == 0 {
		return nil, nil
	}
	step, end := c.progress("triage")
	c.repo.KeepIndex(c.indexCache(step))
	verdicts, err := triage.Judge(ctx, c.repo, c.repository, records, targets)
	end()
	if err != nil {
		return nil, err
	}
	for i, v := range verdicts {
		r := records[i/len(targets)]
		j := lint.Judged{Names: r.Names(), Status: string(v.Status), Evidence: verdictText(v)}
		if v.Status == triage.Affected {
			if j.Fixes, err = c.changes(ctx, r); err != nil {
				return nil, err
			}
		}
		found[v.Branch] = append(found[v.Branch], j)
	}
	return found, nil
}

// verdictText is what a verdict rests on, in a few words.
func verdictText(v triage.Verdict) string {
	const most = 3
	var parts []string
	for _, e := range v.Evidence[:min(len(v.Evidence), most)] {
		part := e.Kind
		if !e.Commit.IsZero() {
			part += " " + e.Commit.Short()
		}
		parts = append(parts, strings.TrimSpace(part+" "+cmp.Or(e.Path, e.Note)))
	}
	return string(v.Status) + ": " + strings.Join(parts, "; ")
}

// changes are what the commits changed that cure a vulnerability, as far as the clone has them.
func (c *lintClone) changes(ctx context.Context, r *vuln.Record) ([]lint.Change, error) {
	origins, err := c.origins(ctx, c.fixes(ctx, r))
	if err != nil {
		return nil, err
	}
	var found []lint.Change
	for _, o := range origins {
		commit, err := c.repo.Commit(ctx, o.Commit)
		if err != nil {
			return nil, err
		}
		found = append(found, lint.NewChange(commit.Subject(), o.Diff))
	}
	return found, nil
}

// fixes are the commits that cure a vulnerability, on all branches that the record names, as far as the clone has them.
func (c *lintClone) fixes(ctx context.Context, r *vuln.Record) []git.OID {
	var commits []git.OID
	for _, fix := range r.RequiredFixes(c.repository) {
		for _, branch := range slices.Sorted(maps.Keys(fix.Commits)) {
			for _, name := range fix.Commits[branch] {
				if oid, err := c.repo.Resolve(ctx, name); err == nil && !slices.Contains(commits, oid) {
					commits = append(commits, oid)
				}
			}
		}
	}
	return commits
}

// Fixes implements [lint.Origins].
func (c *lintClone) Fixes(ctx context.Context, vulnerability string) ([]lint.Origin, error) {
	for _, r := range c.records {
		if !slices.Contains(r.Names(), vulnerability) {
			continue
		}
		if commits := c.fixes(ctx, r); len(commits) > 0 {
			return c.origins(ctx, commits)
		}
	}
	return nil, errs.New(errs.NotFound, "no commit in the clone is known to cure %s", vulnerability)
}

// origins reads what commits changed.
func (c *lintClone) origins(ctx context.Context, commits []git.OID) ([]lint.Origin, error) {
	var found []lint.Origin
	for _, commit := range commits { // one by one: what cannot be read is left out, and says nothing of the others
		err := c.repo.Patches(ctx, []git.OID{commit}, func(commit git.OID, diff []byte) error {
			found = append(found, lint.Origin{Commit: commit, Diff: slices.Clone(diff)})
			return nil
		})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return nil, errs.New(errs.NotFound, "what %s changed cannot be read: %w", commit.Short(), err)
		}
	}
	return found, nil
}

// maxPull bounds the commits of a pull request that are read.
const maxPull = 200

// Commit implements [lint.Origins]. In a staging repository a commit of Kubernetes is the one that was published from it.
func (c *lintClone) Commit(ctx context.Context, name string) ([]lint.Origin, error) {
	if err := c.readHistory(ctx); err != nil {
		return nil, err
	}
	var commits []git.OID
	for kube, published := range c.staged {
		if strings.HasPrefix(kube.String(), name) {
			commits = append(commits, published...)
		}
	}
	if oid, err := c.repo.Resolve(ctx, name); err == nil {
		commits = append(commits, oid)
	} else if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(commits) == 0 {
		return nil, errs.New(errs.NotFound, "the clone has no commit %s", name)
	}
	slices.SortFunc(commits, func(a, b git.OID) int { return strings.Compare(a.String(), b.String()) })
	return c.origins(ctx, commits[:min(len(commits), maxPull)])
}

// Pull implements [lint.Origins].
func (c *lintClone) Pull(ctx context.Context, number int) ([]lint.Origin, error) {
	if err := c.readHistory(ctx); err != nil {
		return nil, err
	}
	var commits []git.OID
	for _, id := range c.pulls[number] {
		merge, err := c.repo.Commit(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(merge.Parents) != 2 {
			commits = append(commits, id)
			continue
		}
		err = c.repo.Commits(ctx, []git.OID{merge.Parents[1]}, []git.OID{merge.Parents[0]}, func(commit *git.Commit) error {
			if len(commit.Parents) == 1 && len(commits) < maxPull {
				commits = append(commits, commit.OID)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(commits) == 0 {
		return nil, errs.New(errs.NotFound, "the clone has no merge of pull request %d", number)
	}
	return c.origins(ctx, commits)
}

// readHistory finds the merges of pull requests, and what staging commits were published from.
func (c *lintClone) readHistory(ctx context.Context) error {
	if c.pulls != nil {
		return nil
	}
	pulls, staged := map[int][]git.OID{}, map[git.OID][]git.OID{}
	err := c.repo.Commits(ctx, equiv.RefTips(c.repo.Refs()), nil, func(commit *git.Commit) error {
		if claims := equiv.ParseClaims(commit.Message, c.repository); claims != nil && claims.Pull > 0 {
			pulls[claims.Pull] = append(pulls[claims.Pull], commit.OID)
		}
		if kube := equiv.KubernetesCommit(commit.Message); c.below != "" && !kube.IsZero() {
			staged[kube] = append(staged[kube], commit.OID)
		}
		return nil
	})
	if err == nil {
		c.pulls, c.staged = pulls, staged
	}
	return err
}
