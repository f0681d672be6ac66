package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/feed"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// vulnDiff is the command's flags.
type vulnDiff struct {
	*app

	repository, write, format string
	feeds, repos, vulns       []string
}

// formatOSV prints the corrected records.
const formatOSV = "osv"

func newVulnDiff(a *app) *cobra.Command {
	d := &vulnDiff{app: a}
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Where vulnerability records are wrong: by themselves, and against git",
		Long: `Check records, those of feeds or the built-in ones. Without --repo they are only read: ranges that are empty or overlap, an introduced event right after
another one, versions that were never released, bounds that are no version. With --repo, clones of Kubernetes or of its staging repositories, they are compared with
what the release branches show, as triage judges them: each record where the fix of its vulnerability lives. Of several clones all must have the fix.

A feed is a file, a folder or a zip archive of OSV records. One of another format is named as "data update --from-file" does: nvd=PATH, cve=PATH, github-advisories=PATH.

-o osv prints the records corrected by git, and --write puts each into a file; "data update --from-file git=DIR" follows them from then on. The exit status is 3 when
something is wrong.`,
		Example: `  kubelts vuln diff --feed ~/cve-feed-osv/vulns
  kubelts vuln diff --feed ~/cve-feed-osv/vulns --feed nvd=nvd.json --repo ~/apimachinery --repo ~/apiserver
  kubelts vuln diff --feed ~/cve-feed-osv/vulns --repo ~/apimachinery --vuln CVE-2022-3172 -o osv
  kubelts vuln diff --repo ~/kubernetes --write corrected && kubelts data update --offline --from-file git=corrected`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&d.feeds, "feed", nil, "check the records in `[NAME=]PATH` (can be given several times; default: those of the facts)")
	flags.StringArrayVar(&d.repos, "repo", nil, "compare with the clone `DIR` (can be given several times)")
	flags.StringVar(&d.repository, "repository", "", "the upstream that it is a clone of, `OWNER/NAME` (default: the one whose fixes it holds)")
	flags.StringSliceVar(&d.vulns, "vuln", nil, "check these vulnerabilities only, by `ID` or alias")
	flags.StringVar(&d.write, "write", "", "write the corrected records into `DIR`, which it makes; of several feeds, each into a folder of its own")
	addOutput(cmd, &d.format, append(slices.Clone(tableFormats), formatOSV))
	return cmd
}

// vulnFinding is one thing that is wrong with a record.
type vulnFinding struct {
	Vulnerability string            `json:"vulnerability"`
	Record        string            `json:"record"`
	Source        string            `json:"source,omitempty"` // the feed, where one is checked
	Kind          string            `json:"kind"`             // "git", "unreadable", or a fault of the record by itself
	Package       string            `json:"package,omitempty"`
	Minor         string            `json:"minor,omitempty"`
	Versions      string            `json:"versions,omitempty"`
	Feed          string            `json:"feed,omitempty"`
	Git           string            `json:"git,omitempty"`
	Note          string            `json:"note,omitempty"`
	Repository    string            `json:"repository,omitempty"`
	Evidence      []triage.Evidence `json:"evidence,omitempty"`
}

const (
	findingGit        = "git"
	findingUnreadable = "unreadable"
)

// said is a record with the feed that it is from; "" for the facts.
type said struct {
	*vuln.Record

	source string
}

// diffing is one run: what is checked, and what was found.
type diffing struct {
	facts     *catalog.Catalog
	now       time.Time
	minors    []release.Minor
	releases  map[release.Minor][]release.Version
	findings  []vulnFinding
	corrected []said
}

func (d *vulnDiff) run(cmd *cobra.Command) error {
	if d.repository != "" && len(d.repos) > 1 {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--repository names the upstream of one clone, and there are %d", len(d.repos)), "leave it out: each is told by the fixes that it holds"))
	}
	if len(d.repos) == 0 && (d.write != "" || d.format == formatOSV) {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "records are corrected by git, and no clone is named"), "add --repo DIR"))
	}
	facts, err := d.facts()
	if err != nil {
		return err
	}
	f := diffing{facts: facts, findings: []vulnFinding{}, releases: map[release.Minor][]release.Version{}}
	if f.now, err = d.now(); err != nil {
		return err
	}
	for _, m := range facts.Minors() {
		f.minors = append(f.minors, m.Minor)
		for _, p := range m.Patches {
			f.releases[m.Minor] = append(f.releases[m.Minor], p.Version)
		}
	}
	records, err := d.records(cmd, &f)
	if err != nil {
		return err
	}
	for _, r := range records {
		for _, fault := range r.Faults(f.released) {
			f.findings = append(f.findings, vulnFinding{Vulnerability: f.nameOf(r.Record), Record: r.ID, Source: r.source, Kind: fault.Kind, Package: fault.Package, Note: fault.Note})
		}
	}
	if len(d.repos) > 0 {
		if err := d.compare(cmd.Context(), &f, records); err != nil {
			return err
		}
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

// records are those to check.
func (d *vulnDiff) records(cmd *cobra.Command, f *diffing) ([]said, error) {
	var records []said
	if len(d.feeds) == 0 {
		all, err := f.facts.Vulnerabilities()
		if len(d.vulns) > 0 {
			all, err = chooseRecords(d.vulns, f.facts.Vulnerability)
		}
		for _, r := range all {
			records = append(records, said{r, ""})
		}
		return records, err
	}
	known, err := f.known(d.vulns)
	if err != nil {
		return nil, err
	}
	for _, named := range d.feeds {
		source, err := feed.SourceNamed("osv")
		if err != nil {
			return nil, err
		}
		place := named
		if name, rest, ok := strings.Cut(named, "="); ok {
			if other, unknown := feed.SourceNamed(name); unknown == nil {
				source, place = other, rest
			}
		}
		read, err := feed.ReadPath(cmd.Context(), source, place, time.Time{}, known)
		if err != nil {
			return nil, errs.WithHint(fmt.Errorf("--feed: %w", err), "name a directory of OSV records, one in each *.json, or NAME=PATH for one of another format")
		}
		records = append(records, d.take(f, source, read)...)
	}
	return records, nil
}

// known are the names of vulnerabilities, in capitals, of which records are read whatever package they name.
func (f *diffing) known(more []string) (map[string]bool, error) {
	all, err := f.facts.Vulnerabilities()
	known := map[string]bool{}
	for _, r := range all {
		for _, n := range r.Names() {
			known[strings.ToUpper(n)] = true
		}
	}
	for _, n := range more {
		known[strings.ToUpper(n)] = true
	}
	return known, err
}

// idForm is how the files of records are called.
var idForm = regexp.MustCompile(`^(CVE|GHSA|GO)-[0-9A-Za-z-]+$`)

// take keeps what a feed says that is asked for. What cannot be read is a finding of its own, where it is named as records are.
func (d *vulnDiff) take(f *diffing, source feed.Source, read feed.Reading) []said {
	var records []said
	for _, c := range read.Candidates {
		if len(d.vulns) > 0 && !slices.ContainsFunc(c.Record.Names(), d.asked) {
			continue
		}
		records = append(records, said{c.Record, source.Name})
		for _, fault := range c.Faults {
			if source.Format != feed.FormatOSV { // of OSV records the bounds are there to be read
				f.findings = append(f.findings, vulnFinding{Vulnerability: f.nameOf(c.Record), Record: c.Record.ID, Source: source.Name, Kind: vuln.FaultNoVersion, Note: fault})
			}
		}
	}
	others := 0
	for _, refused := range read.Refused {
		id := strings.TrimSuffix(path.Base(strings.ReplaceAll(refused.What, "#", "/")), ".json")
		switch {
		case !idForm.MatchString(id):
			others++
		case len(d.vulns) == 0 || d.asked(id):
			f.findings = append(f.findings, vulnFinding{Vulnerability: id, Record: id, Source: source.Name, Kind: findingUnreadable, Note: refused.Reason})
		}
	}
	if others > 0 {
		fmt.Fprintf(d.Stderr, "kubelts: note: %s: %d other things were passed over that are no records\n", clean(read.From), others)
	}
	return records
}

func (d *vulnDiff) asked(name string) bool {
	return slices.ContainsFunc(d.vulns, func(id string) bool { return strings.EqualFold(name, id) })
}

func (d *vulnDiff) show(f *diffing) error {
	slices.SortStableFunc(f.findings, func(a, b vulnFinding) int {
		return cmp.Or(strings.Compare(a.Vulnerability, b.Vulnerability), strings.Compare(a.Source, b.Source), strings.Compare(a.Record, b.Record))
	})
	if d.write != "" {
		for _, r := range f.corrected {
			if err := d.writeRecord(r); err != nil {
				return err
			}
		}
		fmt.Fprintf(d.Stderr, "kubelts: wrote %d corrected records to %s\n", len(f.corrected), d.write)
	}
	if d.format == formatOSV {
		records := []vuln.Record{}
		for _, r := range f.corrected {
			records = append(records, *r.Record)
		}
		return d.printJSON(records)
	}
	g := grid{header: []string{"vulnerability", "record", "what", "releases", "difference", "repository", "evidence"}, narrow: 5, fold: true}
	modules := 0
	for _, x := range spanned(f.findings) {
		if x.Kind == vuln.FaultModule && d.format == tableFormats[0] && len(d.vulns) == 0 {
			modules++
			continue
		}
		record := x.Record
		if len(d.feeds) > 1 {
			record += " (" + x.Source + ")"
		}
		difference := x.Note
		if x.Kind == findingGit {
			difference = "record: " + x.Feed + "; git: " + x.Git
		}
		g.rows = append(g.rows, []string{x.Vulnerability, record, x.Kind, cmp.Or(x.Versions, "-"), difference, cmp.Or(x.Repository, "-"), evidenceText(x.Evidence)})
	}
	if modules > 0 {
		fmt.Fprintf(d.Stderr, "kubelts: note: %d records have versions of Kubernetes for Go modules that count from 0 (%s); -o wide lists them\n", modules, vuln.FaultModule)
	}
	if len(f.findings) == 0 && d.format == tableFormats[0] {
		fmt.Fprintln(d.Stderr, "kubelts: nothing is wrong with what was checked")
		return nil
	}
	return d.print(d.format, f.findings, g)
}

// spanned are findings for people: minors that follow each other and of which the same is to be said are one, with the evidence of the first.
func spanned(findings []vulnFinding) []vulnFinding {
	var out []vulnFinding
	for _, x := range findings {
		if n := len(out); n > 0 && x.follows(out[n-1]) {
			first, _, _ := strings.Cut(out[n-1].Versions, " to ")
			out[n-1].Versions = first + " to " + x.Versions[strings.LastIndex(x.Versions, " ")+1:]
			out[n-1].Minor = x.Minor
			continue
		}
		out = append(out, x)
	}
	return out
}

// follows reports whether a finding says of the next minor what another said of the one before.
func (x vulnFinding) follows(before vulnFinding) bool {
	if x.Kind != findingGit || before.Kind != findingGit || x.Record != before.Record || x.Source != before.Source || x.Feed != before.Feed || x.Git != before.Git || x.Repository != before.Repository {
		return false
	}
	return following(before.Minor, x.Minor)
}

// writeRecord writes one corrected record, whole or not at all.
func (d *vulnDiff) writeRecord(r said) error {
	dir := d.write
	if len(d.feeds) > 1 {
		dir = filepath.Join(dir, r.source)
	}
	data, err := json.MarshalIndent(r.Record, "", "  ")
	if err != nil {
		return err
	}
	if err = os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // for others to read
		return fmt.Errorf("--write: %w", err)
	}
	temp, err := os.CreateTemp(dir, ".tmp-")
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Chmod(0o644), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), filepath.Join(dir, r.ID+".json"))
	}
	if err != nil {
		os.Remove(temp.Name()) // the first error is the one to report
		return fmt.Errorf("--write: %w", err)
	}
	return nil
}
