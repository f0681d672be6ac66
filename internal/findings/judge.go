// Package findings judges a cluster by its snapshot: what will stop working, what can be exploited, when, and what to do about it.
//
// Words: a finding is something to act on; not observed is its honest sibling. A deadline is a day on which something ends. A hole is a
// vulnerability at the exact version of a component. A report is all of these for one snapshot at one time.
//
// Promises: pure functions of a snapshot, the catalogue and a given time. Nothing that was not observed is called well. Text in a report
// comes from strangers and is bounded; escaping it is the duty of who prints it.
package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/release"

	"github.com/kubelts/kubelts/internal/cluster"
)

// Options say how a snapshot is judged. The zero value of each but At has a meaning of its own.
type Options struct {
	At          time.Time // the time that counts as now
	Acceptances []Acceptance
	// Names are what the cluster is called beside its snapshot's context.
	Names []string
	// Soon and Later are how many days before its end a certificate is told of: 30 and 90 when zero.
	Soon, Later int
	// Authorities is how many days before its end a certificate authority is told of: 730 when zero.
	Authorities int
	// Lines are releases of lines that are known beside those of the facts, such as a project's own.
	Lines []LineRelease
}

// LineRelease is a release of a line: a minor that somebody keeps alive.
type LineRelease struct {
	Version string   // such as v1.28.15+lts.3, v1.28.101
	Base    string   // the upstream release that it is built on; "" where only the version tells
	Cures   []string // the vulnerabilities that it cures, against that release, by its maker's word
	Unsure  []string // those of which its maker does not know either
}

const (
	defaultSoon        = 30
	defaultLater       = 90
	defaultAuthorities = 730
	lastDays           = 7 // with so few days left, an end is critical
	maxEvidence        = 40
	maxFindings        = 2000
	maxDeadlines       = 2000
	horizon            = 12 // years: what ends later is no deadline
	day                = 24 * time.Hour
)

// judge is one judgement under way.
type judge struct {
	s        *cluster.Snapshot
	facts    *catalog.Catalog
	o        Options
	r        *Report
	chains   map[string]*chain
	versions map[string]*assessed
	renewed  map[string]bool // chains that are served and were renewed on disk
	noted    map[[2]string]bool
	policies map[string]bool // CA bundles by ID: whether a webhook that relies on one has the failure policy Fail
}

// Judge says what a snapshot means at a time. The snapshot is not changed. The error is one of the facts; whatever is in the snapshot,
// there is a report.
func Judge(s *cluster.Snapshot, facts *catalog.Catalog, o Options) (*Report, error) {
	if o.At.IsZero() {
		return nil, errs.New(errs.Internal, "judge %q: no time is given", s.Context)
	}
	o.At = o.At.UTC()
	o.Soon, o.Later = cmp.Or(o.Soon, defaultSoon), cmp.Or(o.Later, defaultLater)
	o.Authorities = cmp.Or(o.Authorities, defaultAuthorities)
	j := &judge{
		s: s, facts: facts, o: o, versions: map[string]*assessed{}, renewed: map[string]bool{}, noted: map[[2]string]bool{}, policies: map[string]bool{},
		r: &Report{
			At: o.At, Findings: []Finding{}, Deadlines: []Deadline{}, Holes: []Hole{}, Deductions: []Deduction{},
			NotObserved: slices.Clone(s.NotObserved),
		},
	}
	if j.r.NotObserved == nil {
		j.r.NotObserved = []cluster.NotObserved{}
	}
	for _, n := range s.NotObserved {
		j.noted[[2]string{n.Area, n.What}] = true
	}
	j.readChains()
	j.summarize()
	for _, check := range []func() error{
		j.checkGaps, j.checkAge, j.checkInstances, j.checkLoopback, j.checkRenewed, j.checkCertificates, j.checkSigning, j.checkTokens, j.checkSupport,
		j.checkHoles, j.checkSkew, j.checkNodes, j.checkDeprecated, j.checkStored, j.checkWebhooks,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	j.link()
	j.accept()
	j.sort()
	j.conclude()
	j.bound()
	return j.r, nil
}

// add takes a finding in. Subjects may be any number: they are counted and cut here.
func (j *judge) add(f Finding) {
	if f.When != nil {
		left := pki.DaysLeft(*f.When, j.o.At)
		f.DaysLeft = &left
	}
	f.Subjects, f.Count = bounded(f.Subjects)
	if f.Evidence == nil {
		f.Evidence = []string{}
	}
	f.Evidence = f.Evidence[:min(len(f.Evidence), maxEvidence)]
	if f.Remedy == nil {
		f.Remedy = []Step{}
	}
	f.Title = cluster.Cut(f.Title)
	j.r.Findings = append(j.r.Findings, f)
}

// end notes that something ends. What ended long ago or ends beyond the horizon is left out.
func (j *judge) end(d Deadline) {
	if d.When.After(j.o.At.AddDate(horizon, 0, 0)) || d.When.Year() < 1 {
		return
	}
	d.When = d.When.UTC()
	d.DaysLeft = pki.DaysLeft(d.When, j.o.At)
	d.What = cluster.Cut(d.What)
	j.r.Deadlines = append(j.r.Deadlines, d)
}

// link ties deadlines to the findings of the same moment.
func (j *judge) link() {
	type moment struct {
		area cluster.Area
		at   int64
	}
	findings := map[moment]*Finding{}
	for i := range j.r.Findings {
		if f := &j.r.Findings[i]; f.When != nil && findings[moment{f.Area, f.When.Unix()}] == nil {
			findings[moment{f.Area, f.When.Unix()}] = f
		}
	}
	for i := range j.r.Deadlines {
		d := &j.r.Deadlines[i]
		if f := findings[moment{d.Area, d.When.Unix()}]; f != nil && d.Finding == "" {
			d.Finding, d.Severity = f.ID, f.Severity
		}
	}
}

// unseen notes that something could not be observed, unless the snapshot says so already.
func (j *judge) unseen(n cluster.NotObserved) {
	if key := [2]string{n.Area, n.What}; !j.noted[key] {
		j.noted[key] = true
		j.r.NotObserved = append(j.r.NotObserved, n)
	}
}

// told reports whether the snapshot itself says that something of an area, whose description holds one of the words, was not observed.
func (j *judge) told(area cluster.Area, words ...string) bool {
	return slices.ContainsFunc(j.s.NotObserved, func(n cluster.NotObserved) bool {
		if n.Area != string(area) {
			return false
		}
		return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return mentions(n.What, w) })
	})
}

// today is the day of the report.
func (j *judge) today() release.Date { return release.DateOf(j.o.At) }

// bound leaves out what nobody reads any more: a snapshot of a hostile cluster could have a finding for each of its objects. Verdict and
// score have counted all.
func (j *judge) bound() {
	if more := len(j.r.Findings) - maxFindings; more > 0 {
		j.r.Findings = j.r.Findings[:maxFindings]
		j.unseen(cluster.NotObserved{What: plural(more, "more finding"), Area: string(cluster.Support), Reason: fmt.Sprintf("a report has at most %d, the worst", maxFindings)})
	}
	j.r.Deadlines = j.r.Deadlines[:min(len(j.r.Deadlines), maxDeadlines)]
}

// sort puts findings worst first, then soonest; deadlines soonest first. What was accepted comes after the rest.
func (j *judge) sort() {
	severities := Severities()
	slices.SortStableFunc(j.r.Findings, func(a, b Finding) int {
		return cmp.Or(
			compareBool(a.Accepted != nil, b.Accepted != nil),
			cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			compareBool(!a.Broken, !b.Broken),
			compareWhen(a.When, b.When),
			strings.Compare(a.ID, b.ID),
		)
	})
	slices.SortStableFunc(j.r.Deadlines, func(a, b Deadline) int { return cmp.Or(a.When.Compare(b.When), strings.Compare(a.What, b.What)) })
	slices.SortStableFunc(j.r.NotObserved, func(a, b cluster.NotObserved) int {
		return slices.Index(cluster.Areas(), cluster.Area(a.Area)) - slices.Index(cluster.Areas(), cluster.Area(b.Area))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareWhen orders times, none last.
func compareWhen(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// oldSnapshot is after how many days a snapshot is worth a word.
const oldSnapshot = 7

// checkAge compares the day of the snapshot with that of the report.
func (j *judge) checkAge() error {
	days := pki.DaysLeft(j.o.At, j.s.Taken)
	switch {
	case j.s.Taken.IsZero():
		j.unseen(cluster.NotObserved{What: "when the snapshot was taken", Area: string(cluster.Support), Reason: "the snapshot does not say"})
	case days > oldSnapshot:
		j.add(Finding{
			ID: "snapshot-age", Rule: "snapshot-age", Area: cluster.Support, Severity: Low, Subjects: []string{j.name()},
			Title:  fmt.Sprintf("the snapshot is %s old", plural(days, "day")),
			Effect: "What changed since then is not in this report: restarts, renewed certificates, new nodes, upgrades.",
			Remedy: []Step{{Text: "Take a new one.", Command: j.command("kubelts check --save snapshot.json")}},
		})
	case days < -1:
		j.add(Finding{
			ID: "snapshot-future", Rule: "snapshot-age", Area: cluster.Support, Severity: Low, Subjects: []string{j.name()},
			Title:  fmt.Sprintf("the snapshot was taken %s after the day of this report", plural(-days, "day")),
			Effect: "Processes may have started and certificates may have been made since the day that was asked for. If no day was asked for, a clock is wrong, and so are all days left.",
		})
	}
	return nil
}

// name is the cluster's name for people.
func (j *judge) name() string {
	return cmp.Or(cluster.Cut(j.s.Context), cluster.Cut(j.s.Server), cluster.Cut(j.s.UID), "the cluster")
}

// command adds the context to a kubelts command.
func (j *judge) command(c string) string {
	name, ok := quote(j.s.Context)
	if j.s.Context == "" || !ok {
		return c
	}
	return c + " --context " + name
}
