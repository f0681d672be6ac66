package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// compare judges the release branches of the clones by the facts' fixes, and compares the records with all that they show together.
func (d *vulnDiff) compare(ctx context.Context, f *diffing, records []said) error {
	var known []*vuln.Record
	for _, r := range records {
		if fact, unknown := f.facts.Vulnerability(f.nameOf(r.Record)); unknown == nil && !slices.Contains(known, fact) {
			known = append(known, fact)
		}
	}
	judged := map[string][]triage.Judged{}
	clones := map[string]string{} // by upstream
	for _, dir := range d.repos {
		verdicts, repository, err := d.judge(ctx, f, dir, known)
		if err != nil {
			return err
		}
		if other, twice := clones[repository]; twice {
			return errs.New(errs.Invalid, "--repo %q and --repo %q are both clones of %s", other, dir, repository)
		}
		clones[repository] = dir
		for _, v := range verdicts {
			if m, ok := release.MinorOfBranch(repository, v.Branch); ok && v.Evidence[0].Kind != triage.KindNoFixKnown {
				judged[v.Vulnerability] = append(judged[v.Vulnerability], triage.Judged{Verdict: v, Minor: m, Repository: repository})
			}
		}
	}
	for _, r := range records {
		found := judged[f.nameOf(r.Record)]
		if r.source != "" { // the facts cannot vouch for themselves
			found = f.reviewed(f.nameOf(r.Record), found)
		}
		f.compareRecord(r, found)
	}
	return nil
}

// reviewed adds what the facts say of each minor.
func (f *diffing) reviewed(name string, judged []triage.Judged) []triage.Judged {
	fact, err := f.facts.Vulnerability(name)
	if err != nil {
		return judged
	}
	judged = slices.Clone(judged)
	for i := range judged {
		judged[i].Review = triage.ReviewClear
		for _, v := range f.releases[judged[i].Minor] {
			if in, err := fact.Affects(catalog.Package, v); in || err != nil {
				judged[i].Review = triage.ReviewAffected
			}
		}
	}
	return judged
}

// judge judges the branches of one clone, and says of which upstream it is.
func (d *vulnDiff) judge(ctx context.Context, f *diffing, dir string, known []*vuln.Record) (verdicts []triage.Verdict, repository string, err error) {
	repo, err := gitrepo.Open(ctx, d.runner, dir)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	t := &triageRun{app: d.app, repo: dir, repository: d.repository}
	if t.repository == "" {
		var all []*vuln.Record
		if all, err = f.facts.Vulnerabilities(); err != nil {
			return nil, "", err
		}
		if t.repository, err = t.guess(ctx, repo, all); err != nil {
			return nil, "", err
		}
	}
	branches, err := t.targets(repo)
	if err != nil {
		return nil, "", err
	}
	fixed := slices.DeleteFunc(slices.Clone(known), func(r *vuln.Record) bool { return len(r.FixesIn(t.repository)) == 0 })
	if len(fixed) == 0 {
		return nil, t.repository, nil
	}
	step, end := d.progress("vuln diff " + t.repository)
	defer end()
	repo.KeepIndex(d.indexCache(step))
	verdicts, err = triage.Judge(ctx, repo, t.repository, fixed, slices.Concat(branches.judged, branches.helping))
	return verdicts, t.repository, err
}

func (f *diffing) compareRecord(r said, judged []triage.Judged) {
	found := triage.Compare(r.Record, judged, f.releases)
	for _, x := range found {
		f.findings = append(f.findings, vulnFinding{
			Vulnerability: x.Vulnerability, Record: x.Record, Source: r.source, Kind: findingGit, Minor: x.Minor.String(), Versions: x.Versions, Feed: x.Feed, Git: x.Git,
			Repository: x.Repository, Evidence: x.Evidence,
		})
	}
	if len(found) == 0 {
		return
	}
	fixed, ok := triage.Correct(r.Record, judged, f.minors, f.releases)
	if !ok {
		return
	}
	fixed.SchemaVersion, fixed.Modified = "1.7.0", f.now
	fixed.Affected = slices.Clone(fixed.Affected)
	for i := range fixed.Affected {
		if p := &fixed.Affected[i].Package; strings.EqualFold(p.Ecosystem, provenance.Ecosystem) {
			p.Ecosystem = provenance.Ecosystem // the schema knows it in this spelling only
		}
	}
	fixed.Kubelts.Sources = slices.Clone(fixed.Kubelts.Sources)
	for _, j := range judged {
		if text := "git history of " + j.Repository; !slices.Contains(fixed.Kubelts.Sources, text) {
			fixed.Kubelts.Sources = append(fixed.Kubelts.Sources, text)
		}
	}
	f.corrected = append(f.corrected, said{&fixed, r.source})
}
