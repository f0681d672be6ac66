package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// vulnDiff is the command's flags.
type vulnDiff struct {
	*app

	feed, repo, repository, write, format string
	vulns                                 []string
}

// maxFeedFiles bounds the records of one folder.
const maxFeedFiles = 200_000

// formatOSV prints the corrected records.
const formatOSV = "osv"

func newVulnDiff(a *app) *cobra.Command {
	d := &vulnDiff{app: a}
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Where vulnerability records are wrong: by themselves, and against git",
		Long: `Check OSV records, those of a feed or the built-in ones. Without --repo they are only read: ranges that are empty or overlap, an introduced event right after
another one, versions that were never released, bounds that are no version. With --repo, a clone of Kubernetes or of one of its staging repositories, they are compared with
what the release branches show, as triage judges them, for the vulnerabilities whose fix is known there.

-o osv prints the records corrected by git, and --write puts each into a file. The exit status is 3 when something is wrong.`,
		Example: `  kubelts vuln diff --feed ~/cve-feed-osv/vulns
  kubelts vuln diff --feed ~/cve-feed-osv/vulns --repo ~/apimachinery
  kubelts vuln diff --feed ~/cve-feed-osv/vulns --repo ~/apimachinery --vuln CVE-2022-3172 -o osv
  kubelts vuln diff --repo ~/kubernetes --write corrected`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&d.feed, "feed", "", "check the OSV records in `DIR` and below (default: those of the facts)")
	flags.StringVar(&d.repo, "repo", "", "compare with the clone `DIR`")
	flags.StringVar(&d.repository, "repository", "", "the upstream that it is a clone of, `OWNER/NAME` (default: the one whose fixes it holds)")
	flags.StringSliceVar(&d.vulns, "vuln", nil, "check these vulnerabilities only, by `ID` or alias")
	flags.StringVar(&d.write, "write", "", "write the corrected records into `DIR`, which it makes")
	addOutput(cmd, &d.format, append(slices.Clone(tableFormats), formatOSV))
	return cmd
}

// vulnFinding is one thing that is wrong with a record.
type vulnFinding struct {
	Vulnerability string            `json:"vulnerability"`
	Record        string            `json:"record"`
	Kind          string            `json:"kind"` // "git", "unreadable", or a fault of the record by itself
	Package       string            `json:"package,omitempty"`
	Minor         string            `json:"minor,omitempty"`
	Versions      string            `json:"versions,omitempty"`
	Feed          string            `json:"feed,omitempty"`
	Git           string            `json:"git,omitempty"`
	Note          string            `json:"note,omitempty"`
	Evidence      []triage.Evidence `json:"evidence,omitempty"`
}

// diffing is one run: what is checked, and what was found.
type diffing struct {
	facts     *catalog.Catalog
	minors    []release.Minor
	releases  map[release.Minor][]release.Version
	findings  []vulnFinding
	corrected []vuln.Record
}

func (d *vulnDiff) run(cmd *cobra.Command) error {
	facts, err := d.facts()
	if err != nil {
		return err
	}
	f := diffing{facts: facts, findings: []vulnFinding{}, releases: map[release.Minor][]release.Version{}}
	for _, m := range facts.Minors() {
		f.minors = append(f.minors, m.Minor)
		for _, p := range m.Patches {
			f.releases[m.Minor] = append(f.releases[m.Minor], p.Version)
		}
	}
	records, err := d.records(&f)
	if err != nil {
		return err
	}
	for _, r := range records {
		for _, fault := range r.Faults(f.released) {
			f.findings = append(f.findings, vulnFinding{Vulnerability: f.nameOf(r), Record: r.ID, Kind: fault.Kind, Package: fault.Package, Note: fault.Note})
		}
	}
	if d.repo != "" {
		if err := d.compare(cmd.Context(), &f, records); err != nil {
			return err
		}
	} else if d.write != "" || d.format == formatOSV {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "records are corrected by git, and no clone is named"), "add --repo DIR"))
	}
	if err := d.show(&f); err != nil {
		return err
	}
	if len(f.findings) > 0 {
		return errAct
	}
	return nil
}

// released says whether a release was ever made. Of minors that are not known, and of releases newer than those that are, nothing is known.
func (f *diffing) released(v release.Version) (is, known bool) {
	all := f.releases[v.Minor]
	if len(all) == 0 {
		return false, false
	}
	return slices.ContainsFunc(all, func(r release.Version) bool { return r.Patch == v.Patch }), true
}

// nameOf is the name of a record's vulnerability in the facts, else a CVE among its names, else its own.
func (f *diffing) nameOf(r *vuln.Record) string {
	for _, name := range r.Names() {
		if known, err := f.facts.Vulnerability(name); err == nil {
			return known.ID
		}
	}
	for _, name := range r.Names() {
		if strings.HasPrefix(name, "CVE-") {
			return name
		}
	}
	return r.ID
}

// records are those to check. What cannot be read is a finding of its own.
func (d *vulnDiff) records(f *diffing) ([]*vuln.Record, error) {
	if d.feed == "" {
		if len(d.vulns) == 0 {
			return f.facts.Vulnerabilities()
		}
		return chooseRecords(d.vulns, f.facts.Vulnerability)
	}
	var records []*vuln.Record
	files := 0
	err := filepath.WalkDir(d.feed, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != d.feed && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case !entry.Type().IsRegular() || !strings.HasSuffix(name, ".json"):
			return nil
		}
		if files++; files > maxFeedFiles {
			return errs.New(errs.Invalid, "more than %d records", maxFeedFiles)
		}
		r, err := readRecord(name)
		switch {
		case errs.Is(err, errs.Invalid):
			if id := strings.TrimSuffix(entry.Name(), ".json"); len(d.vulns) == 0 && strings.HasPrefix(id, "CVE-") {
				f.findings = append(f.findings, vulnFinding{Vulnerability: id, Record: id, Kind: "unreadable", Note: err.Error()})
			}
		case err != nil:
			return err
		case d.wants(f, r):
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "--feed: %w", err), "name a directory of OSV records, one in each *.json")
	}
	if files == 0 {
		return nil, errs.WithHint(errs.New(errs.NotFound, "--feed %q holds no record", d.feed), "name a directory of OSV records, one in each *.json")
	}
	return records, nil
}

// wants reports whether a feed's record is about Kubernetes, and asked for.
func (d *vulnDiff) wants(f *diffing, r *vuln.Record) bool {
	if len(d.vulns) > 0 {
		return slices.ContainsFunc(d.vulns, func(id string) bool {
			return slices.ContainsFunc(r.Names(), func(name string) bool { return strings.EqualFold(name, id) })
		})
	}
	_, err := f.facts.Vulnerability(f.nameOf(r))
	return err == nil || slices.ContainsFunc(r.Packages(), func(name string) bool { return vuln.KubernetesPackage(name) || strings.HasPrefix(name, "/") })
}

// compare judges the release branches of the clone by the facts' fixes, and compares.
func (d *vulnDiff) compare(ctx context.Context, f *diffing, records []*vuln.Record) (err error) {
	var known []*vuln.Record
	for _, r := range records {
		if fact, unknown := f.facts.Vulnerability(f.nameOf(r)); unknown == nil && !slices.Contains(known, fact) {
			known = append(known, fact)
		}
	}
	repo, err := gitrepo.Open(ctx, d.runner, d.repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	t := &triageRun{app: d.app, repo: d.repo, repository: d.repository}
	if t.repository == "" {
		if t.repository, err = t.guess(ctx, repo, known); err != nil {
			return err
		}
	}
	branches, err := t.targets(repo)
	if err != nil {
		return err
	}
	step, end := d.progress("vuln diff")
	repo.KeepIndex(d.indexCache(step))
	verdicts, err := triage.Judge(ctx, repo, t.repository, known, slices.Concat(branches.judged, branches.helping))
	end()
	if err != nil {
		return err
	}
	judged := map[string][]triage.Judged{}
	for _, v := range verdicts {
		if m, ok := release.MinorOfBranch(t.repository, v.Branch); ok && v.Evidence[0].Kind != triage.KindNoFixKnown {
			judged[v.Vulnerability] = append(judged[v.Vulnerability], triage.Judged{Verdict: v, Minor: m})
		}
	}
	for _, r := range records {
		f.compareRecord(r, judged[f.nameOf(r)])
	}
	return nil
}

func (f *diffing) compareRecord(r *vuln.Record, judged []triage.Judged) {
	found := triage.Compare(r, judged, f.releases)
	for _, x := range found {
		f.findings = append(f.findings, vulnFinding{
			Vulnerability: x.Vulnerability, Record: x.Record, Kind: "git", Minor: x.Minor.String(), Versions: x.Versions, Feed: x.Feed, Git: x.Git, Evidence: x.Evidence,
		})
	}
	if len(found) == 0 {
		return
	}
	if fixed, ok := triage.Correct(r, judged, f.minors, f.releases); ok {
		f.corrected = append(f.corrected, fixed)
	}
}

func (d *vulnDiff) show(f *diffing) error {
	slices.SortStableFunc(f.findings, func(a, b vulnFinding) int { return strings.Compare(a.Vulnerability, b.Vulnerability) })
	if d.write != "" {
		for i := range f.corrected {
			if err := d.writeRecord(&f.corrected[i]); err != nil {
				return err
			}
		}
		fmt.Fprintf(d.Stderr, "kubelts: wrote %d corrected records to %s\n", len(f.corrected), d.write)
	}
	if d.format == formatOSV {
		return d.printJSON(slices.Concat([]vuln.Record{}, f.corrected))
	}
	g := grid{header: []string{"vulnerability", "record", "what", "minor", "releases", "the record says", "git says", "evidence"}, narrow: 7}
	for _, x := range f.findings {
		g.rows = append(g.rows, []string{
			x.Vulnerability, x.Record, x.Kind, cmp.Or(x.Minor, "-"), cmp.Or(x.Versions, "-"), cmp.Or(x.Feed, x.Note), cmp.Or(x.Git, "-"), evidenceText(x.Evidence),
		})
	}
	return d.print(d.format, f.findings, g)
}

// writeRecord writes one corrected record, whole or not at all.
func (d *vulnDiff) writeRecord(r *vuln.Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err = os.MkdirAll(d.write, 0o755); err != nil { //nolint:gosec // for others to read
		return fmt.Errorf("--write: %w", err)
	}
	temp, err := os.CreateTemp(d.write, ".tmp-")
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Chmod(0o644), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), filepath.Join(d.write, r.ID+".json"))
	}
	if err != nil {
		os.Remove(temp.Name()) // the first error is the one to report
		return fmt.Errorf("--write: %w", err)
	}
	return nil
}
