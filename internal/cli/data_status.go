package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/feed"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
)

// dataStatus is the command's flags.
type dataStatus struct {
	*app

	sources        []string
	maxAge, format string
}

// sourceStatus is a source, as data status shows it.
type sourceStatus struct {
	Source     string               `json:"source"`
	Rank       provenance.Rank      `json:"rank"`
	About      string               `json:"about"`
	From       string               `json:"from,omitempty"`
	Fetched    *time.Time           `json:"fetched"` // null: never
	Checked    *time.Time           `json:"checked"`
	AgeSeconds *int64               `json:"ageSeconds"` // since it was last seen to be the newest
	Statements int                  `json:"statements"`
	Malformed  int                  `json:"malformed"`
	Refused    int                  `json:"refused"`
	Refusals   []provenance.Refusal `json:"refusals"` // the first of them
	Failure    string               `json:"failure,omitempty"`
	TooOld     bool                 `json:"tooOld"` // by --max-age
}

// statusReport is what data status prints as JSON.
type statusReport struct {
	Used      string            `json:"used"` // folder, directory or built-in: what the other commands read
	Folder    string            `json:"folder,omitempty"`
	Created   *time.Time        `json:"created"`
	Imported  *datadir.Imported `json:"imported"`
	Reviewed  release.Date      `json:"reviewed"` // the day up to which the built-in facts were collected
	Rejoined  bool              `json:"rejoined"` // this program's reviewed facts are newer than the folder's, and are joined at each reading
	Records   int               `json:"records"`
	New       int               `json:"new"`
	Conflicts int               `json:"conflicts"`
	Newer     int               `json:"newerConflicts"`
	Leads     []provenance.Lead `json:"leads"` // what somebody should look at, since nothing was made of it
	Sources   []sourceStatus    `json:"sources"`
}

func newDataStatus(a *app) *cobra.Command {
	s := &dataStatus{app: a}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Which facts are used, from where, and how old they are",
		Long: `Say which facts the other commands read, and for each source how long ago it was last seen to say nothing newer. The folder is checked
file by file; one that is damaged is an error.

With --max-age, the exit status is 3 if a source is older, or was never read; without a folder, if the reviewed facts that are built in are older.
--source limits this to the sources that are named. With -o json, what was refused of each source is listed with the reason.`,
		Example: `  kubelts data status
  kubelts data status --max-age 7d --source kubernetes-osv --source kubernetes-cve-feed
  kubelts data status -o json`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	cmd.Flags().StringVar(&s.maxAge, "max-age", "", "exit with status 3 if a source is older than `AGE` (36h, 7d, 2w)")
	cmd.Flags().StringArrayVar(&s.sources, "source", nil, "only `NAME` (can be given several times)")
	addOutput(cmd, &s.format, tableFormats)
	return cmd
}

func (s *dataStatus) run(cmd *cobra.Command) error {
	limit := time.Duration(-1)
	var err error
	if s.maxAge != "" {
		if limit, err = duration(s.maxAge); err != nil {
			return usage(cmd, fmt.Errorf("--max-age: %w", err))
		}
	}
	for _, name := range s.sources {
		if _, err = feed.SourceNamed(name); err != nil {
			return usage(cmd, err)
		}
	}
	now, err := s.now()
	if err != nil {
		return err
	}
	report, err := s.look(now, limit)
	if err != nil {
		return err
	}
	if err = s.show(report); err != nil {
		return err
	}
	if slices.ContainsFunc(report.Sources, func(x sourceStatus) bool { return x.TooOld }) {
		return errAct
	}
	return nil
}

// look finds out what is used, and how old it is.
func (s *dataStatus) look(now time.Time, limit time.Duration) (statusReport, error) {
	fsys, err := s.factFiles()
	if err != nil {
		return statusReport{}, err
	}
	facts, err := catalog.Load(fsys)
	if err != nil {
		return statusReport{}, err
	}
	report := statusReport{Used: builtIn, Reviewed: facts.Snapshot(), Sources: []sourceStatus{}, Leads: []provenance.Lead{}}
	var snapshot *datadir.Snapshot
	if s.dataDir != builtIn {
		if snapshot, err = s.folder(&report); err != nil {
			return statusReport{}, err
		}
	}
	if snapshot == nil {
		if report.Records, err = count(facts); err != nil {
			return statusReport{}, err
		}
		reviewed := report.Reviewed.Time()
		report.Sources = append(report.Sources, statusOf(sourceStatus{
			Source: report.Used, Rank: provenance.Reviewed, About: "the reviewed facts, as collected up to that day", Statements: report.Records, From: report.Folder, Refusals: []provenance.Refusal{},
		}, reviewed, reviewed, now, limit))
		return report, nil
	}
	m := snapshot.Manifest
	report.Used, report.Created, report.Imported = "folder", &m.Created, snapshot.Pointer.Imported
	report.Records, report.New, report.Conflicts, report.Newer = m.Records, m.New, m.Conflicts, m.Newer
	if err = json.Unmarshal(snapshot.Files["leads.json"], &report.Leads); err != nil {
		return statusReport{}, errs.New(errs.Invalid, "%s: leads.json: %w", report.Folder, err)
	}
	if report.Rejoined, err = outgrown(m); err != nil {
		return statusReport{}, err
	}
	for _, source := range feed.Sources() {
		state, read := m.State(source.Name)
		if len(s.sources) > 0 && !slices.Contains(s.sources, source.Name) || len(s.sources) == 0 && source.URL == "" && !read {
			continue
		}
		report.Sources = append(report.Sources, statusOf(sourceStatus{
			Source: source.Name, Rank: source.Rank, About: source.About, From: state.From, Statements: state.Statements, Malformed: state.Malformed, Refused: state.Refused, Failure: state.Failure,
			Refusals: append([]provenance.Refusal{}, state.Refusals...),
		}, state.Fetched, state.Checked, now, limit))
	}
	return report, nil
}

func count(facts *catalog.Catalog) (int, error) {
	records, err := facts.Vulnerabilities()
	return len(records), err
}

// folder opens the folder that is used, if it is one that data update made.
func (s *dataStatus) folder(report *statusReport) (*datadir.Snapshot, error) {
	folder, none := s.dataFolder()
	if none != nil {
		return nil, nil //nolint:nilerr,nilnil // without a home there is no folder, and what is built in is used
	}
	if s.dataDir != "" {
		made, err := datadir.Made(folder)
		if err != nil {
			return nil, err
		}
		if !made {
			report.Used, report.Folder = "directory", folder
			return nil, nil //nolint:nilnil // a directory that a person keeps
		}
	}
	snapshot, err := openData(folder)
	if snapshot != nil {
		report.Folder = folder
	}
	return snapshot, err
}

// statusOf fills in the times. What was never read is too old for any limit.
func statusOf(x sourceStatus, fetched, checked, now time.Time, limit time.Duration) sourceStatus {
	x.TooOld = limit >= 0
	if checked.IsZero() {
		return x
	}
	old := now.Sub(checked)
	seconds := int64(old / time.Second)
	x.Fetched, x.Checked, x.AgeSeconds = &fetched, &checked, &seconds
	x.TooOld = limit >= 0 && (old > limit || old < -time.Hour)
	return x
}

func (s *dataStatus) show(r statusReport) error {
	g := grid{header: []string{"source", "rank", "age", "statements", "malformed", "refused", "state", "fetched", "checked", "from", "about"}, narrow: 7, fold: true}
	for _, x := range r.Sources {
		row := []string{x.Source, string(x.Rank), "never", strconv.Itoa(x.Statements), strconv.Itoa(x.Malformed), strconv.Itoa(x.Refused), "", "-", "-", x.From, x.About}
		if x.Checked != nil {
			row[2], row[7], row[8] = age(time.Duration(*x.AgeSeconds)*time.Second), x.Fetched.Format(time.RFC3339), x.Checked.Format(time.RFC3339)
		}
		var state []string
		if x.TooOld {
			state = append(state, "too old")
		}
		if x.Failure != "" {
			state = append(state, "last attempt failed: "+x.Failure)
		}
		if row[6] = strings.Join(state, "; "); row[6] == "" {
			row[6] = "-"
		}
		g.rows = append(g.rows, row)
	}
	used := "the facts that are built in"
	if r.Folder != "" {
		used = r.Folder
	}
	fmt.Fprintf(s.Stderr, "kubelts: %s: %d records, reviewed up to %s", used, r.Records, r.Reviewed)
	if r.Created != nil {
		fmt.Fprintf(s.Stderr, "; joined at %s: %d new records, %d conflicts, %d of them later than the review, %d leads", r.Created.Format(time.RFC3339), r.New, r.Conflicts, r.Newer, len(r.Leads))
	}
	fmt.Fprintln(s.Stderr)
	for _, lead := range r.Leads[:min(len(r.Leads), maxLeads)] {
		s.lead(lead)
	}
	if r.Rejoined {
		fmt.Fprintln(s.Stderr, "kubelts: note: this program has newer reviewed facts than the folder; they are joined at each reading until \"kubelts data update --offline\" does it once")
	}
	return s.print(s.format, r, g)
}

// maxLeads is how many leads are shown to people; all are in the JSON.
const maxLeads = 20

// lead says on standard error what somebody should look at.
func (a *app) lead(lead provenance.Lead) {
	fmt.Fprintf(a.Stderr, "kubelts: note: %s: %s (%s): %s\n", lead.Source, clean(strings.Join(lead.Names, ", ")), clean(lead.What), lead.Reason)
}

// conflictFields are what sources can disagree about.
var conflictFields = []string{"affected", "severity", "withdrawn", "released", "maintenance", "end", provenance.Malformed} //nolint:gochecknoglobals // a constant list

// dataConflicts is the command's flags.
type dataConflicts struct {
	*app

	format string
	fields []string
	newer  bool
}

func newDataConflicts(a *app) *cobra.Command {
	c := &dataConflicts{app: a}
	cmd := &cobra.Command{
		Use:   "conflicts [VULNERABILITY|MINOR...]",
		Short: "Where sources disagree, who was followed, and why",
		Long: `List where the sources of the folder disagree with what was followed: which releases only one of the two calls affected, other ratings, other days.
Nothing that disagrees is dropped in "data update"; this is the list. At its end stand the records that are at odds with themselves ("malformed"): ranges that are
empty or overlap, bounds that are no version or were never released.`,
		Example: `  kubelts data conflicts
  kubelts data conflicts CVE-2020-8559
  kubelts data conflicts --newer -o json
  kubelts data conflicts --field malformed`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, f := range c.fields {
				if !slices.Contains(conflictFields, f) {
					return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--field %q is not known", f), "use one of %s", strings.Join(conflictFields, ", ")))
				}
			}
			return c.run(args)
		},
	}
	cmd.Flags().BoolVar(&c.newer, "newer", false, "only those that are later than the review of the facts")
	cmd.Flags().StringSliceVar(&c.fields, "field", nil, "only those about `NAME`: "+strings.Join(conflictFields, ", "))
	addOutput(cmd, &c.format, tableFormats)
	return cmd
}

func (c *dataConflicts) run(args []string) error {
	folder, err := c.dataFolder()
	if err != nil {
		return err
	}
	snapshot, err := datadir.OpenAll(folder)
	if errs.Is(err, errs.NotFound) {
		return errs.WithHint(err, "\"kubelts data update\" makes it")
	}
	if err != nil {
		return err
	}
	var all []provenance.Conflict
	if err = json.Unmarshal(snapshot.Files["conflicts.json"], &all); err != nil {
		return errs.New(errs.Invalid, "%s: conflicts.json: %w", folder, err)
	}
	shown := []provenance.Conflict{}
	g := grid{header: []string{"about", "field", "followed", "other", "difference", "reason", "address"}, narrow: 5, fold: true}
	for _, x := range all {
		named := len(args) == 0 || slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, x.ID) })
		if !named || c.newer && !x.Newer || len(c.fields) > 0 && !slices.Contains(c.fields, x.Field) {
			continue
		}
		shown = append(shown, x)
		g.rows = append(g.rows, []string{x.ID, x.Field, cmp.Or(x.Followed.Source, "-"), x.Other.Source, difference(x), x.Reason, x.Other.URL})
	}
	if len(shown) == 0 && len(args) > 0 {
		fmt.Fprintf(c.Stderr, "kubelts: no source disagrees about %s\n", strings.Join(args, ", "))
	}
	return c.print(c.format, shown, g)
}

// difference says in words what two sources disagree about.
func difference(c provenance.Conflict) string {
	switch c.Field {
	case "affected":
	case provenance.Malformed:
		return c.Reason + ": " + c.Other.Says
	default:
		return c.Other.Source + " says " + c.Other.Says + ", " + c.Followed.Source + " " + c.Followed.Says
	}
	var parts []string
	if len(c.More) > 0 {
		text := "only " + c.Other.Source + " calls " + strings.Join(c.More, ", ") + " affected"
		if c.Added {
			text += " (added)"
		}
		parts = append(parts, text)
	}
	if len(c.Fewer) > 0 {
		parts = append(parts, "only "+c.Followed.Source+" calls "+strings.Join(c.Fewer, ", ")+" affected")
	}
	return strings.Join(parts, "; ")
}

// writeTo passes on what was made for a file or, with "-", for standard output.
func (a *app) writeTo(file string, content []byte) error {
	if file == "-" {
		_, err := a.Stdout.Write(content)
		return err
	}
	return replaceFile(file, func(w io.Writer) error { _, err := w.Write(content); return err })
}
