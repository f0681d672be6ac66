package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
)

// accept marks the findings whose risk somebody accepted, and makes findings of acceptances that are over.
func (j *judge) accept() {
	named := map[string][]int{} // findings by name and by rule
	for i, f := range j.r.Findings {
		named[f.ID] = append(named[f.ID], i)
		if f.Rule != f.ID {
			named[f.Rule] = append(named[f.Rule], i)
		}
	}
	today := j.today()
	var over []Finding
	for n := range j.o.Acceptances {
		a := &j.o.Acceptances[n]
		if a.Cluster != "" && a.Cluster != j.s.Context && a.Cluster != j.s.UID && !slices.Contains(j.o.Names, a.Cluster) {
			continue
		}
		area := cluster.Support
		if about := named[a.Finding]; len(about) > 0 {
			area = j.r.Findings[about[0]].Area
		}
		if today.After(a.Expires) {
			over = append(over, acceptanceOver(a, area))
			continue
		}
		used := false
		for _, i := range named[a.Finding] {
			if f := &j.r.Findings[i]; f.Accepted == nil {
				f.Accepted, used = a, true
			}
		}
		if used {
			j.end(Deadline{When: dayEnd(a.Expires), What: "the acceptance of " + a.Finding + " by " + a.Owner, Area: area, Severity: Info, Finding: a.Finding})
		}
	}
	for _, f := range over {
		j.add(f)
	}
}

func acceptanceOver(a *Acceptance, area cluster.Area) Finding {
	end := dayEnd(a.Expires)
	return Finding{
		ID: "acceptance-over/" + cluster.Cut(a.Finding), Rule: "acceptance-over", Area: area, Severity: Medium, When: &end, Subjects: []string{a.Finding},
		Title:    fmt.Sprintf("the acceptance of %s by %s ended on %s", cluster.Cut(a.Finding), cluster.Cut(a.Owner), a.Expires),
		Effect:   "The risk is nobody's any more: what was accepted counts again.",
		Evidence: []string{"reason: " + cluster.Cut(a.Reason)},
		Remedy:   []Step{{Text: "Mend what was accepted, or accept it anew with a reason of today."}},
	}
}

// What a finding takes off the score, by severity, and what an area takes off at most.
const (
	pointsCritical = 25
	pointsHigh     = 12
	pointsMedium   = 4
	pointsLow      = 1
	pointsUnseen   = 5
	mostFindings   = 40
)

// What the score is at most, by verdict.
const (
	mostBroken  = 20
	mostAtRisk  = 60
	mostAttend  = 90
	mostUnclear = 90
	mostBlind   = 10 // where not even a version was seen
)

func points(s Severity) int {
	switch s {
	case Critical:
		return pointsCritical
	case High:
		return pointsHigh
	case Medium:
		return pointsMedium
	case Low:
		return pointsLow
	case Info:
	}
	return 0
}

// conclude gives the verdict and the score. What was accepted counts for neither; what was not observed counts for both.
func (j *judge) conclude() {
	lost, counts := map[cluster.Area]int{}, map[cluster.Area]map[Severity]int{}
	worst, broken := Info, false
	for _, f := range j.r.Findings {
		if f.Accepted != nil {
			continue
		}
		worst = worse(worst, f.Severity)
		broken = broken || f.Broken
		lost[f.Area] += points(f.Severity)
		if counts[f.Area] == nil {
			counts[f.Area] = map[Severity]int{}
		}
		counts[f.Area][f.Severity]++
	}
	score := 100
	for _, area := range cluster.Areas() {
		if n := min(lost[area], mostFindings); n > 0 {
			score -= n
			j.r.Deductions = append(j.r.Deductions, Deduction{area, n, describe(counts[area])})
		}
	}
	for _, area := range j.unseenAreas() {
		score -= pointsUnseen
		j.r.Deductions = append(j.r.Deductions, Deduction{area, pointsUnseen, "something was not observed"})
	}
	most := 100
	switch {
	case broken:
		j.r.Verdict, most = Broken, mostBroken
	case worst == Critical || worst == High:
		j.r.Verdict, most = AtRisk, mostAtRisk
	case worst == Medium || worst == Low:
		j.r.Verdict, most = Attend, mostAttend
	case len(j.r.NotObserved) > 0:
		j.r.Verdict, most = Unclear, mostUnclear
	default:
		j.r.Verdict = WellSeen
	}
	if len(j.r.Cluster.Versions) == 0 {
		most = min(most, mostBlind)
	}
	j.r.Score = max(0, min(score, most))
}

// unseenAreas are the areas of which something was not observed, in order; words that are no area come last.
func (j *judge) unseenAreas() []cluster.Area {
	var out []cluster.Area
	for _, n := range j.r.NotObserved {
		if area := cluster.Area(cluster.Cut(n.Area)); !slices.Contains(out, area) {
			out = append(out, area)
		}
	}
	slices.Sort(out)
	return out
}

// describe counts findings in words, worst first.
func describe(counts map[Severity]int) string {
	var parts []string
	for _, s := range Severities() {
		if n := counts[s]; n > 0 && points(s) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}
