package findings

import (
	"fmt"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/skew"

	"github.com/kubelts/kubelts/internal/cluster"
)

// checkSkew groups what breaks the rules of version skew by rule, component and minor.
func (j *judge) checkSkew() error {
	type key struct {
		rule      string
		component skew.Component
		found     string
	}
	at := map[key]int{}
	var findings []Finding
	for _, v := range skew.Check(j.s.Servers(), j.s.Parts()) {
		k := key{v.Rule.ID, v.Component, v.Found.String()}
		i, ok := at[k]
		if !ok {
			i = len(findings)
			at[k] = i
			findings = append(findings, j.newSkew(v))
		}
		f := &findings[i]
		if v.Name != "" {
			f.Subjects = append(f.Subjects, v.Name)
		}
	}
	for _, f := range findings {
		if len(f.Subjects) == 0 {
			for _, s := range j.s.Servers() {
				f.Subjects = append(f.Subjects, s.Name+" "+s.Version.String())
			}
		}
		_, n := bounded(f.Subjects)
		if n > 1 && f.Rule != "skew/"+skew.RuleServersApart && f.Rule != "skew/"+skew.RuleServersMixed {
			f.Title += fmt.Sprintf(" (%d of them)", n)
		}
		j.add(f)
	}
	return nil
}

func (j *judge) newSkew(v skew.Violation) Finding {
	f := Finding{
		ID: fmt.Sprintf("skew/%s/%s/%s", v.Rule.ID, v.Component, v.Found), Rule: "skew/" + v.Rule.ID, Area: cluster.Skew, Severity: High,
		Title:      fmt.Sprintf("%s %s is too old: %s to %s is allowed here", v.Component, v.Found, v.Oldest, v.Newest),
		Effect:     "Upstream neither tests nor supports it: fields may get lost, pods may not start, and the next upgrade is blocked.",
		Evidence:   []string{v.Why, "rule: " + v.Rule.Text},
		References: []string{v.Rule.Source},
	}
	if release.CompareMinors(v.Found, v.Newest) > 0 {
		f.Title = fmt.Sprintf("%s %s is too new: %s to %s is allowed here", v.Component, v.Found, v.Oldest, v.Newest)
	}
	if v.Rule.Level == skew.Advice {
		f.Severity = Low
		f.Title = fmt.Sprintf("%s %s is allowed and not meant to stay: %s", v.Component, v.Found, v.Why)
		f.Effect = "An upgrade was begun and not finished, or a component was forgotten. The ranges that others must keep are narrower until then."
	}
	if release.CompareMinors(v.Oldest, v.Newest) > 0 {
		f.Title = fmt.Sprintf("no minor of %s works with all kube-apiservers: %s", v.Component, v.Why)
	}
	switch {
	case v.Component == skew.APIServer:
		f.Remedy = []Step{{Text: "Finish the upgrade: bring the older kube-apiservers to the newest minor, one minor and one instance at a time."}}
	case release.CompareMinors(v.Found, v.Newest) > 0:
		f.Remedy = []Step{{Text: fmt.Sprintf("Bring the kube-apiservers to %s first, or take this component back to %s.", v.Found, v.Newest)}}
	default:
		f.Remedy = []Step{{Text: fmt.Sprintf("Bring it to %s or newer, up to %s; drain a node before its kubelet changes its minor.", v.Oldest, v.Newest)}}
	}
	return f
}
