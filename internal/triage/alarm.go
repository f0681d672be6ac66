package triage

import (
	"fmt"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// The kinds of alarms.
const (
	AlarmNewerLacks = "newer_lacks_fix"   // an older line has the fix, and this one has not: an upgrade brings the hole back
	AlarmReverted   = "reverted"          // the fix was on the branch, and was taken back
	AlarmUndone     = "undone"            // lines of the fix went later, and those before it came back
	AlarmPartial    = "partial"           // only a part of the fix is on the branch
	AlarmFollowUp   = "follow_up_missing" // the fix is on the branch, and what repairs or completes it is not
)

// Alarm is something about a branch that a person should look at, whatever its status.
type Alarm struct {
	Kind   string  `json:"kind"`   // see the Alarm constants
	Commit git.OID `json:"commit"` // that it is about; zero where there is none
	Note   string  `json:"note"`   // for people
}

// alarms finds what the evidence of a verdict, and the record's follow-ups, give to look at.
func (j *judge) alarms(s *subject, v *Verdict, root bits) {
	for _, e := range v.Evidence {
		kind, ok := map[string]string{KindReverted: AlarmReverted, KindUndone: AlarmUndone, KindPartial: AlarmPartial}[e.Kind]
		if ok && !slices.ContainsFunc(v.Alarms, func(a Alarm) bool { return a.Kind == kind && a.Commit == e.Commit }) {
			v.Alarms = append(v.Alarms, Alarm{kind, e.Commit, e.Note})
		}
	}
	if v.Status != Fixed {
		return
	}
	for _, f := range s.follow {
		parts, complete := j.findFix(f, v.Branch, root)
		if complete || f.undecided(v.Branch) {
			continue
		}
		for _, p := range parts {
			if p.on < 0 && !slices.ContainsFunc(p.part.order, root.has) {
				c := &j.x.commits[p.part.seeds[0]]
				v.Alarms = append(v.Alarms, Alarm{AlarmFollowUp, c.oid, clip(c.full)})
			}
		}
	}
}

// followUps are the fixes of a record that complete or repair the others.
func followUps(r *vuln.Record, repository string) []vuln.Fix {
	return slices.DeleteFunc(slices.Clone(r.FixesIn(repository)), func(f vuln.Fix) bool {
		return f.Kind != vuln.KindFollowUp && f.Kind != vuln.KindRegressionFix || len(f.Commits) == 0
	})
}

// newerLacks adds an alarm to the verdicts of one record on lines that lack a fix which an older line has.
func (j *judge) newerLacks(verdicts []Verdict) {
	type line struct {
		minor release.Minor
		v     *Verdict
	}
	var fixed []line
	for i := range verdicts {
		if m, ok := release.MinorOfBranch(j.repository, verdicts[i].Branch); ok && verdicts[i].Status == Fixed {
			fixed = append(fixed, line{m, &verdicts[i]})
		}
	}
	for i := range verdicts {
		v := &verdicts[i]
		m, ok := release.MinorOfBranch(j.repository, v.Branch)
		if !ok || v.Status != Affected {
			continue
		}
		older := slices.IndexFunc(fixed, func(l line) bool { return release.CompareMinors(l.minor, m) < 0 })
		if older >= 0 {
			by := fixed[older].v
			v.Alarms = append(v.Alarms, Alarm{AlarmNewerLacks, by.Commit, fmt.Sprintf("%s has the fix: an upgrade from there brings the hole back", by.Branch)})
		}
	}
}
