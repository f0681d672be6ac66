// Package report shows what is known of clusters: one on one screen, many as a table, either as a page, and as what other programs
// read: SARIF, JUnit, Prometheus' text format, iCalendar, CSV, Markdown.
//
// Words: a [findings.Report] is one cluster's; a [Fleet] is several, with those that could not be looked at. What is said of days
// counts as in the rest of kubelts: 0 is the last day, and on the day after it one day is over.
//
// Promises: pure; the same reports give the same bytes. Text in a report comes from strangers. [Clean] makes it safe to look at, and
// every format escapes what means something in it. What was not observed is in every format.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/visible"
)

// Fleet is several clusters, judged for one time.
type Fleet struct {
	At       time.Time          `json:"at"`
	Clusters []*findings.Report `json:"clusters"`
	Missed   []Missed           `json:"missed"` // of which nothing could be seen
}

// Missed is a cluster of which nothing could be seen.
type Missed struct {
	Context string `json:"context"`
	Reason  string `json:"reason"`
	Hint    string `json:"hint,omitempty"`
}

// Clean returns a copy of the fleet in which all text is safe to look at, and in which no two clusters have one name: kubeadm calls every
// context the same.
func (f *Fleet) Clean() *Fleet {
	clean := visible.Copy(f)
	for _, more := range []func(r *findings.Report, n int) string{
		func(r *findings.Report, _ int) string { return " at " + r.Cluster.Server },
		func(r *findings.Report, _ int) string { return " " + r.Cluster.UID },
		func(_ *findings.Report, n int) string { return fmt.Sprintf(" #%d", n) },
	} {
		same := map[string][]*findings.Report{}
		for _, r := range clean.Clusters {
			same[name(r)] = append(same[name(r)], r)
		}
		for _, reports := range same {
			for n, r := range reports {
				if len(reports) > 1 {
					r.Cluster.Context, r.Cluster.Names = name(r)+more(r, n+1), nil
				}
			}
		}
	}
	return clean
}

// Act reports whether there is something to act on: a cluster of which nothing or no version was seen, something that was asked for
// and not observed, or a finding that is at least so bad and that nobody accepted. With threshold "" no finding counts.
func (f *Fleet) Act(threshold findings.Severity) bool {
	return len(f.Missed) > 0 || slices.ContainsFunc(f.Clusters, func(r *findings.Report) bool {
		return r.Cluster.Version == "" || slices.ContainsFunc(r.NotObserved, func(n cluster.NotObserved) bool { return n.Asked }) ||
			slices.ContainsFunc(r.Findings, func(x findings.Finding) bool { return counts(&x, threshold) })
	})
}

// counts reports whether a finding is at or above the threshold and not accepted.
func counts(f *findings.Finding, threshold findings.Severity) bool {
	return f.Accepted == nil && threshold != "" && rank(f.Severity) <= rank(threshold)
}

// rank orders severities, the worst first; what is not one counts as the worst, since it must not be overlooked.
func rank(s findings.Severity) int { return max(slices.Index(findings.Severities(), s), 0) }

// tally is how many findings there are of each severity; those that were accepted are counted apart.
type tally struct {
	of       map[findings.Severity]int
	accepted int
}

func count(r *findings.Report) tally {
	t := tally{of: map[findings.Severity]int{}}
	for i := range r.Findings {
		if r.Findings[i].Accepted != nil {
			t.accepted++
		} else {
			t.of[r.Findings[i].Severity]++
		}
	}
	return t
}

// words says the counts, such as "1 critical, 2 high".
func (t tally) words() string {
	var parts []string
	for _, s := range findings.Severities() {
		if t.of[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", t.of[s], s))
		}
	}
	if t.accepted > 0 {
		parts = append(parts, fmt.Sprintf("%d accepted", t.accepted))
	}
	if len(parts) == 0 {
		return nothing
	}
	return strings.Join(parts, ", ")
}

const nothing = "no findings"

// verdictWords are what a verdict is called.
func verdictWords(v findings.Verdict) string {
	switch v {
	case findings.Broken:
		return "BROKEN"
	case findings.AtRisk:
		return "AT RISK"
	case findings.Attend:
		return "ATTEND"
	case findings.WellSeen:
		return "WELL"
	default:
		return "UNCLEAR"
	}
}

// name is what a cluster is called: its contexts, or its server.
func name(r *findings.Report) string {
	first := cmp.Or(r.Cluster.Context, r.Cluster.Server, "cluster")
	if len(r.Cluster.Names) == 0 {
		return first
	}
	return first + ", " + few(r.Cluster.Names, min(len(r.Cluster.Names), 3), len(r.Cluster.Names))
}

// distribution says whose Kubernetes it is.
func distribution(d cluster.Distribution) string {
	what := cmp.Or(d.Vendor, "upstream or not known")
	if d.Release != "" {
		what += " " + d.Release
	}
	if d.Installer != "" {
		what += ", by " + d.Installer
	}
	return what
}

// left says how far away a day is, as "kubelts support" does.
func left(days int) string {
	switch {
	case days == 0:
		return "last day"
	case days == 1:
		return "1 day left"
	case days == -1:
		return "1 day over"
	case days < 0:
		return fmt.Sprintf("%d days over", -days)
	}
	return fmt.Sprintf("%d days left", days)
}

// plural is "1 node", "2 nodes".
func plural(n int, what string) string { return fmt.Sprintf("%d %s", n, words(n, what)) }

// words is what n things are called: "node", "nodes".
func words(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// minute is how times are shown: in UTC.
const minute = "2006-01-02 15:04"

func stamp(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(minute)
}

// deadlineAt is the day of a deadline.
func deadlineAt(d *findings.Deadline) string { return d.When.UTC().Format(time.DateOnly) }

// instances are how many kube-apiservers were seen, with "at least" where there may be more.
func instances(r *findings.Report) (n int, more bool) { return r.Cluster.Instances, r.Cluster.AtLeast }

// firstLoopback is the line of the loopback certificate that ends first, nil when none was observed; unseen is how many lines have none.
func firstLoopback(r *findings.Report) (first *findings.InstanceLine, unseen int) {
	for i := range r.Cluster.APIServers {
		l := &r.Cluster.APIServers[i]
		switch {
		case l.LoopbackEnds == nil:
			unseen++
		case first == nil || l.LoopbackEnds.Before(*first.LoopbackEnds):
			first = l
		}
	}
	return first, unseen
}

// holeGroup is a kind of vulnerabilities, in the order in which they are told.
type holeGroup struct {
	Title string
	Holes []findings.Hole
}

// groupHoles sorts vulnerabilities by what one can do about them.
func groupHoles(holes []findings.Hole) []holeGroup {
	groups := []holeGroup{
		{Title: "cured by a patch release"},
		{Title: "cured only by a newer minor"},
		{Title: "cured by no release"},
		{Title: "under investigation"},
		{Title: "not applicable here"},
		{Title: "fixed here"},
	}
	for _, h := range holes {
		i := 3
		switch {
		case h.NotApplicable != "" || h.Status == findings.NotAffected:
			i = 4
		case h.Status == findings.Cured:
			i = 5
		case h.Status == findings.UnderInvestigation:
			i = 3
		case h.Outlook == catalog.FixedInPatch:
			i = 0
		case h.Outlook == catalog.FixedInNewer:
			i = 1
		case h.Outlook == catalog.NeverFixed:
			i = 2
		}
		groups[i].Holes = append(groups[i].Holes, h)
	}
	for i := range groups {
		slices.SortStableFunc(groups[i].Holes, func(a, b findings.Hole) int { return cmp.Compare(ratingRank(a.Rating), ratingRank(b.Rating)) })
	}
	return slices.DeleteFunc(groups, func(g holeGroup) bool { return len(g.Holes) == 0 })
}

// ratingRank orders ratings, the worst first; one that is not known comes last.
func ratingRank(rating string) int {
	i := slices.Index([]string{"critical", "high", "medium", "low", "none"}, strings.ToLower(rating))
	if i < 0 {
		return 5
	}
	return i
}
