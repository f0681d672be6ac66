package upkeep

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// assessment is how one vulnerability stands on a line's base, and what it would take to cure it.
type assessment struct {
	record  *vuln.Record
	verdict triage.Verdict
	needs   []need // in upstream's order; empty unless affected
}

// need is one commit of a fix.
type need struct {
	commit    git.OID
	present   bool // on the base
	instances []backport.Instance
	missing   error // why the commit cannot be read here
}

// assess judges records against a line's base, and finds the landed instances of their fixes on upstream's other branches.
func (p *Project) assess(ctx context.Context, line *lts.Line, records []*vuln.Record) ([]assessment, error) {
	hidden, err := withoutBranches(records, line.Instances.Exclude)
	if err != nil {
		return nil, err
	}
	base := triage.Target{Name: line.Base.Tag, Commit: line.Base.Commit}
	branches, err := p.branches(line)
	if err != nil {
		return nil, err
	}
	verdicts, err := triage.Judge(ctx, p.Upstream, p.Config.Upstream.Name, hidden, append([]triage.Target{base}, branches...))
	if err != nil {
		return nil, err
	}
	if len(verdicts) != len(hidden)*(1+len(branches)) {
		return nil, errs.New(errs.Internal, "triage gave %d verdicts for %d records and %d targets", len(verdicts), len(hidden), 1+len(branches))
	}
	assessments := make([]assessment, len(hidden))
	for i, record := range hidden {
		own := verdicts[i*(1+len(branches)):][:1+len(branches)]
		a := assessment{record: record, verdict: own[0]}
		if a.verdict.Status == triage.Affected {
			if a.needs, err = p.needs(ctx, record, own); err != nil {
				return nil, err
			}
		}
		assessments[i] = a
	}
	return assessments, nil
}

// withoutBranches returns the records without what they say about excluded branches.
func withoutBranches(records []*vuln.Record, exclude []string) ([]*vuln.Record, error) {
	if len(exclude) == 0 {
		return records, nil
	}
	hidden := make([]*vuln.Record, len(records))
	for i, r := range records {
		own := *r
		own.Kubelts.Fixes = slices.Clone(r.Kubelts.Fixes)
		for j, fix := range own.Kubelts.Fixes {
			commits := map[string][]string{}
			for branch, names := range fix.Commits {
				out, err := excluded(exclude, branch)
				if err != nil {
					return nil, err
				}
				if !out {
					commits[branch] = names
				}
			}
			own.Kubelts.Fixes[j].Commits = commits
		}
		hidden[i] = &own
	}
	return hidden, nil
}

func excluded(globs []string, branch string) (bool, error) {
	for _, glob := range globs {
		if out, err := lts.MatchBranch(glob, branch); out || err != nil {
			return out, err
		}
	}
	return false, nil
}

// branches are upstream's release branches, less those that the line excludes, in order of their names.
func (p *Project) branches(line *lts.Line) ([]triage.Target, error) {
	found := map[string]git.OID{}
	for _, ref := range p.Upstream.Refs() {
		name, ok := branchName(ref.Name)
		if !ok || ref.Commit.IsZero() {
			continue
		}
		match, err := lts.MatchBranch(p.Config.Upstream.Branches, name)
		if err != nil {
			return nil, err
		}
		out, err := excluded(line.Instances.Exclude, name)
		if err != nil {
			return nil, err
		}
		if match && !out {
			found[name] = ref.Commit
		}
	}
	var targets []triage.Target
	for _, name := range slices.Sorted(maps.Keys(found)) {
		targets = append(targets, triage.Target{Name: name, Commit: found[name]})
	}
	return targets, nil
}

// branchName is the short name of a branch of the clone, or of the remote that it was cloned from. Refs are sorted, so a
// remote's branch goes before a local one of the same name: it is what upstream has.
func branchName(ref string) (string, bool) {
	if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return name, true
	}
	name, ok := strings.CutPrefix(ref, "refs/remotes/origin/")
	return name, ok && name != "HEAD"
}

// needs lists the commits of all required fixes of a record. The verdicts are the base's, then those of the branches.
func (p *Project) needs(ctx context.Context, record *vuln.Record, verdicts []triage.Verdict) ([]need, error) {
	var needs []need
	for i, fix := range record.RequiredFixes(p.Config.Upstream.Name) {
		commits, missing := p.commits(ctx, fix)
		for _, commit := range commits {
			n := need{commit: commit, missing: missing}
			for _, m := range verdicts[0].Matches {
				n.present = n.present || m.Fix == i && m.Commit == commit
			}
			var err error
			if n.instances, err = p.instances(ctx, i, commit, verdicts[1:]); err != nil {
				return nil, fmt.Errorf("%s: %w", record.ID, err)
			}
			needs = append(needs, n)
		}
	}
	return needs, nil
}

// instances are the commits by which branches have a commit of the record's i-th fix.
func (p *Project) instances(ctx context.Context, i int, commit git.OID, verdicts []triage.Verdict) ([]backport.Instance, error) {
	var found []backport.Instance
	for _, v := range verdicts {
		for _, m := range v.Matches {
			if m.Fix != i || m.Commit != commit || m.On == commit {
				continue
			}
			c, err := p.Store.Commit(ctx, m.On)
			if err != nil {
				return nil, fmt.Errorf("instance on %s: %w", v.Branch, err)
			}
			found = append(found, backport.Instance{Commit: m.On, Committed: c.Committer.When})
		}
	}
	return found, nil
}

// commits resolves a fix's commits: those on the main branch, or where they are not known or not here, those on the newest branch whose
// commits are all here.
func (p *Project) commits(ctx context.Context, fix vuln.Fix) ([]git.OID, error) {
	var lists [][]string
	if _, onMain := fix.Main(); len(onMain) > 0 {
		lists = append(lists, onMain)
	}
	branches := slices.SortedFunc(maps.Keys(fix.Commits), func(a, b string) int { return compareBranches(b, a) })
	for _, branch := range branches {
		lists = append(lists, fix.Commits[branch])
	}
	var first error
	for _, names := range lists {
		ids := make([]git.OID, 0, len(names))
		for _, name := range names {
			id, err := p.Upstream.Resolve(ctx, name)
			if err != nil {
				if first == nil {
					first = err
				}
				break
			}
			ids = append(ids, id)
		}
		if len(ids) == len(names) {
			return ids, nil
		}
	}
	return []git.OID{{}}, first
}

// compareBranches orders release branches by their minor, others by name before them.
func compareBranches(a, b string) int {
	x, okX := release.MinorOfBranch("", a)
	y, okY := release.MinorOfBranch("", b)
	switch {
	case okX && okY:
		return release.CompareMinors(x, y)
	case okX:
		return 1
	case okY:
		return -1
	}
	return strings.Compare(a, b)
}

// order returns the position of each needed commit in upstream's history, ancestors first.
func (p *Project) order(ctx context.Context, assessments []assessment, base git.OID) (map[git.OID]int, error) {
	var wanted []git.OID
	for _, a := range assessments {
		for _, n := range a.needs {
			if n.missing == nil && !n.present {
				wanted = append(wanted, n.commit)
			}
		}
	}
	position := map[git.OID]int{}
	if len(wanted) == 0 {
		return position, nil
	}
	var walked []git.OID
	err := p.Upstream.Commits(ctx, wanted, []git.OID{base}, func(c *git.Commit) error {
		if slices.Contains(wanted, c.OID) {
			walked = append(walked, c.OID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, id := range walked {
		position[id] = len(walked) - i
	}
	return position, nil
}
