package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"

	"github.com/kubelts/kubelts/internal/cluster"
)

// rated is the severity of a finding by CVSS' rating; what nobody rated counts as medium.
func rated(rating string) Severity {
	switch rating {
	case "critical":
		return Critical
	case "high":
		return High
	case "low", "none":
		return Low
	}
	return Medium
}

// tellHoles makes findings of holes: one for each vulnerability that a component has, one for those that upstream leaves open on purpose,
// and one for each component whose build is somebody else's.
func (j *judge) tellHoles() {
	open, unsure := map[string][]Hole{}, map[string][]Hole{}
	var order, designed []string
	for _, h := range j.r.Holes {
		switch h.Status {
		case Affected:
			if j.record(h.ID).Kubelts.Unfixed && h.Line == "" {
				if !slices.Contains(designed, h.ID) {
					designed = append(designed, h.ID)
				}
				continue
			}
			if open[h.ID] == nil {
				order = append(order, h.ID)
			}
			open[h.ID] = append(open[h.ID], h)
		case UnderInvestigation:
			unsure[h.Component] = append(unsure[h.Component], h)
		}
	}
	for _, id := range order {
		j.tellHole(open[id])
	}
	j.tellDesigned(designed)
	for _, component := range keys(unsure) {
		j.tellUnsure(component, unsure[component])
	}
}

// record is a record by its name; the names come from the facts, so that there always is one.
func (j *judge) record(id string) *vuln.Record {
	r, err := j.facts.Vulnerability(id)
	if err != nil {
		return &vuln.Record{ID: id}
	}
	return r
}

func (j *judge) links(id string) []string {
	r := j.record(id)
	links := []string{}
	if r.Kubelts.Issue > 0 {
		links = append(links, fmt.Sprintf("https://github.com/kubernetes/kubernetes/issues/%d", r.Kubelts.Issue))
	}
	for _, ref := range r.References {
		if len(links) < 3 && !slices.Contains(links, ref.URL) {
			links = append(links, ref.URL)
		}
	}
	return links
}

// tellHole makes one finding of a vulnerability in all places that have it.
func (j *judge) tellHole(holes []Hole) {
	first := holes[0]
	for _, h := range holes {
		if outlooks(h) > outlooks(first) {
			first = h
		}
	}
	f := Finding{
		ID: "vulnerability/" + first.ID, Rule: "vulnerability", Area: cluster.Vulnerabilities, Severity: rated(first.Rating), Hole: &first,
		Title: fmt.Sprintf("%s: %s", first.ID, first.Summary), References: j.links(first.ID), Remedy: j.cure(first),
		Effect: j.outlookText(first),
	}
	if isAddon(first.Component) {
		f.Effect, f.Remedy = addonText(first)
	}
	for _, h := range holes {
		f.Subjects = append(f.Subjects, fmt.Sprintf("%s %s", count(h.Component, h.Count), h.Version))
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s %s: %s", h.Component, h.Version, list(h.Subjects)))
	}
	if first.Rating != "" {
		f.Evidence = append(f.Evidence, fmt.Sprintf("rated %s, %.1f", first.Rating, first.Score))
	} else {
		f.Evidence = append(f.Evidence, "nobody rated it: it counts as medium")
	}
	if c := j.record(first.ID).Kubelts.Confidence; c != vuln.ConfidenceHigh {
		f.Evidence = append(f.Evidence, "confidence of the record: "+c)
	}
	j.add(f)
}

// outlooks orders holes by how hard it is to get rid of them.
func outlooks(h Hole) int {
	if h.Line != "" {
		return 1
	}
	return slices.Index([]catalog.Outlook{catalog.FixedInPatch, "", catalog.FixedInNewer, catalog.NeverFixed}, h.Outlook)
}

// out reports whether a release is out on the day of the report, as far as the facts know.
func (j *judge) out(v release.Version) bool {
	latest := j.latest(v.Minor)
	return !latest.IsZero() && release.CompareUpstream(v, latest) <= 0
}

func (j *judge) outlookText(h Hole) string {
	v, _ := cluster.ParseVersion(h.Version)
	fixed, _ := cluster.ParseVersion(h.FixedIn)
	switch {
	case h.Outlook == catalog.FixedInPatch && !j.out(fixed):
		return fmt.Sprintf("It can be used here. The patch release %s will cure it: it is not out on this day.", h.FixedIn)
	case h.Outlook == catalog.FixedInPatch:
		return fmt.Sprintf("It can be used here. The patch release %s cures it.", h.FixedIn)
	case h.Line != "":
		return fmt.Sprintf("It can be used here, and upstream never cured it for %s. The line release %s does.", v.Minor, h.Line)
	case h.Outlook == catalog.FixedInNewer:
		return fmt.Sprintf("It can be used here, and upstream never cured it for %s: only newer minors are, from %s on.", v.Minor, h.FixedIn)
	}
	return "It can be used here, and no release cures it."
}

func (j *judge) cure(h Hole) []Step {
	fixed, known := cluster.ParseVersion(h.FixedIn)
	switch {
	case h.Outlook == catalog.FixedInPatch && known && !j.out(fixed):
		return []Step{{Text: "Take " + h.FixedIn + " when it is out; until then, lessen it as the announcement says."}}
	case h.Outlook == catalog.FixedInPatch && known:
		if latest := j.latest(fixed.Minor); release.CompareUpstream(latest, fixed) > 0 {
			fixed = latest
		}
		return []Step{j.takePatch(fixed)}
	case h.Line != "":
		return []Step{{Text: "Take the line release " + h.Line + ": control plane first, one node at a time."}}
	case h.Outlook == catalog.FixedInNewer && known:
		s := Step{Text: "Upgrade to " + fixed.Minor.String() + " or newer; there is no shorter way.", Command: j.command("kubelts plan --to " + fixed.Minor.String())}
		return []Step{s, {Text: "Until then, lessen it as the announcement says."}}
	}
	return []Step{{Text: "Lessen it as the announcement says."}}
}

// latest is the newest patch release of a minor on the day of the report, zero when there is none.
func (j *judge) latest(m release.Minor) release.Version {
	known, err := j.facts.Minor(m)
	if err != nil {
		return release.Version{}
	}
	p, _ := known.Latest(j.today())
	return p.Version
}

// tellDesigned is one finding for what upstream leaves open in every release.
func (j *judge) tellDesigned(ids []string) {
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	f := Finding{
		ID: "vulnerability-by-design", Rule: "vulnerability-by-design", Area: cluster.Vulnerabilities, Severity: Low, Subjects: ids,
		Title:  fmt.Sprintf("%s that no release of Kubernetes cures", plural(len(ids), "known flaw")),
		Effect: "They come with the design, and every version has them. Each has ways to lessen it.",
		Remedy: []Step{{Text: "Read the announcements once, do what fits this cluster, and accept the rest with an owner and a day to look again."}},
	}
	for _, id := range ids {
		r := j.record(id)
		f.Evidence = append(f.Evidence, id+": "+r.Summary)
		f.References = append(f.References, j.links(id)[:min(1, len(j.links(id)))]...)
	}
	j.add(f)
}

// tellUnsure is one finding for all that a component's build may or may not have.
func (j *judge) tellUnsure(component string, holes []Hole) {
	f := Finding{
		ID: "vulnerability-unsure/" + component, Rule: "vulnerability-unsure", Area: cluster.Vulnerabilities, Severity: Low,
		Effect: "Neither affected nor cured is known. Upstream's releases with these numbers have them.",
	}
	reasons, versions := map[string]bool{}, map[string]bool{}
	worst := Info
	for _, h := range holes {
		worst = worse(worst, rated(h.Rating))
		f.Subjects = append(f.Subjects, h.ID)
		reasons[h.Unsure], versions[h.Version] = true, true
	}
	f.Severity = lower(worst)
	f.Evidence = keys(reasons)
	f.Evidence = f.Evidence[:min(len(f.Evidence), maxSubjects)]
	_, n := bounded(f.Subjects)
	f.Title = fmt.Sprintf("whether %s %s has %s is not known", component, list(keys(versions)), plural(n, "known hole"))
	f.Remedy = []Step{{Text: "Look them up in the bulletins of who built it, newest and worst first, and accept what is cured."}}
	j.add(f)
}

// notJudged names what is in the snapshot and what the facts have no vulnerabilities of: it is known that nothing is known.
func (j *judge) notJudged(addons []string) {
	judged := append([]string{nameProxy, nameController, nameScheduler}, addons...)
	var others []string
	for _, c := range j.s.Components {
		if !slices.Contains(judged, c.Name) {
			others = append(others, strings.TrimSpace(c.Name+" "+c.Version))
		}
	}
	if len(others) == 0 {
		return
	}
	slices.Sort(others)
	j.add(Finding{
		ID: "vulnerability-no-facts", Rule: "vulnerability-no-facts", Area: cluster.Vulnerabilities, Severity: Info, Subjects: others,
		Title:  fmt.Sprintf("vulnerabilities of %s are not judged", plural(len(others), "other component")),
		Effect: "The facts are about Kubernetes itself and programs of its project. Have these images looked at by a scanner of images.",
	})
}
