package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
)

// WriteText prints the fleet as a table, a line for each cluster, for a terminal.
func (f *Fleet) WriteText(w io.Writer, style Style) error {
	p := newPrinter(style)
	p.fleet(f.Clean())
	_, err := w.Write(p.Bytes())
	return err
}

// fleetHeader and fleetRow are the fleet as a table.
func fleetHeader() []string {
	return []string{"CONTEXT", "VERSION", "VERDICT", "SUPPORT ENDS", "LOOPBACK ENDS", "C", "H", "M", "L", "UNSEEN", "WORST FINDING"}
}

func fleetRow(r *findings.Report) []string {
	counted := count(r)
	row := []string{name(r), orDash(r.Cluster.Version), verdictWords(r.Verdict) + " " + strconv.Itoa(r.Score), supportEnd(r), loopbackEnd(r)}
	for _, s := range findings.Severities()[:4] {
		n := "-"
		if counted.of[s] > 0 {
			n = strconv.Itoa(counted.of[s])
		}
		row = append(row, n)
	}
	return append(row, strconv.Itoa(len(r.NotObserved)), worst(r))
}

// supportEnd is the last day of support and how far away it is: the vendor's where this is a vendor's build, otherwise upstream's.
func supportEnd(r *findings.Report) string {
	if v := r.Vendor; v != nil && !v.Until.IsZero() {
		return fmt.Sprintf("%s %+d, %s", v.Until, release.DateOf(r.At).DaysUntil(v.Until), v.Vendor)
	}
	switch s := r.Support; {
	case s == nil:
		return "not observed"
	case s.EndOfLife.IsZero() || s.DaysLeft == nil:
		return string(s.Phase) + ", not published"
	default:
		return fmt.Sprintf("%s %+d", s.EndOfLife, *s.DaysLeft)
	}
}

// loopbackEnd is the end of the first loopback certificate, with how many were not seen.
func loopbackEnd(r *findings.Report) string {
	first, unseen := firstLoopback(r)
	if first == nil {
		return "not observed"
	}
	out := first.LoopbackEnds.UTC().Format("2006-01-02")
	if first.DaysLeft != nil {
		out += fmt.Sprintf(" %+d", *first.DaysLeft)
	}
	if unseen > 0 {
		out += fmt.Sprintf(", %d unseen", unseen)
	}
	return out
}

// worst is the title of the first finding that nobody accepted; where there is none, the first thing that was not observed.
func worst(r *findings.Report) string {
	for i := range r.Findings {
		if r.Findings[i].Accepted == nil {
			return r.Findings[i].Title
		}
	}
	if len(r.NotObserved) > 0 {
		return "not observed: " + r.NotObserved[0].What + ": " + r.NotObserved[0].Reason
	}
	return "-"
}

func (p *printer) fleet(f *Fleet) {
	rows := [][]string{fleetHeader()}
	paints := []string{""}
	for _, r := range f.Clusters {
		rows, paints = append(rows, fleetRow(r)), append(paints, verdictColour(r.Verdict))
	}
	for _, m := range f.Missed {
		row := []string{m.Context, "-", "NOT OBSERVED", "-", "-", "-", "-", "-", "-", "-", m.Reason}
		rows, paints = append(rows, row), append(paints, yellow)
	}
	if p.style.Width < 120 {
		rows = narrow(rows)
	}
	p.columns(table{rows: rows, paints: paints, tail: true}) // the end of a context tells more than its start
	p.line()
	p.faint(f.summary())
}

// narrow is what a small terminal has room for: days instead of dates, and the counts as one column.
func narrow(rows [][]string) [][]string {
	out := [][]string{{"CONTEXT", "VERSION", "VERDICT", "SUPPORT", "LOOPBACK", "C/H/M/L", "UNSEEN"}}
	for _, row := range rows[1:] {
		out = append(out, []string{row[0], row[1], row[2], days(row[3]), days(row[4]), row[5] + "/" + row[6] + "/" + row[7] + "/" + row[8], row[9]})
	}
	return out
}

// days is the number of days in a cell of the fleet's table.
func days(cell string) string {
	if _, n, ok := strings.Cut(cell, " "); ok && strings.ContainsAny(n[:1], "+-") {
		n, _, _ = strings.Cut(n, ",")
		return n + " d"
	}
	return strings.Replace(cell, "not observed", "?", 1)
}

// summary says in a line what the fleet amounts to, and which loopback certificate ends first of all.
func (f *Fleet) summary() string {
	sum, unseen := tally{of: map[findings.Severity]int{}}, 0
	var first *findings.InstanceLine
	where := ""
	for _, r := range f.Clusters {
		counted := count(r)
		for s, n := range counted.of {
			sum.of[s] += n
		}
		sum.accepted += counted.accepted
		unseen += len(r.NotObserved)
		if l, _ := firstLoopback(r); l != nil && (first == nil || l.LoopbackEnds.Before(*first.LoopbackEnds)) {
			first, where = l, name(r)
		}
	}
	out := fmt.Sprintf("%s, %d not looked at; %s; %s not observed", plural(len(f.Clusters), "cluster"), len(f.Missed), sum.words(), plural(unseen, "thing"))
	if first != nil {
		out += fmt.Sprintf("; first loopback certificate to end: %s of %s, %s", cmp.Or(first.Name, first.Address), where, stamp(first.LoopbackEnds))
	}
	return out
}
