package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// addonPackages are the packages of the facts that are programs of their own, by the last part of their name: ingress-nginx is
// kubernetes/ingress-nginx.
func addonPackages(records []*vuln.Record) map[string]string {
	out := map[string]string{}
	for _, r := range records {
		for _, p := range r.Packages() {
			if p != catalog.Package {
				out[p[strings.LastIndexByte(p, '/')+1:]] = p
			}
		}
	}
	return out
}

// addonHoles looks up the vulnerabilities of add-ons that the facts know by their own versions. It returns the names of those that it
// judged.
func (j *judge) addonHoles(rules []catalog.Applicability) ([]string, error) {
	records, err := j.facts.Vulnerabilities()
	if err != nil {
		return nil, err
	}
	packages := addonPackages(records)
	places, names := map[[2]string][]string{}, []string{}
	for _, c := range j.s.Components {
		if packages[c.Name] == "" {
			continue
		}
		names = append(names, c.Name)
		if _, ok := parse(c.Version); !ok {
			j.noVersion(c.Name, cut(c.where()))
			continue
		}
		key := [2]string{c.Name, c.Version}
		places[key] = append(places[key], cut(c.where()))
	}
	var order [][2]string
	for key := range places {
		order = append(order, key)
	}
	slices.SortFunc(order, func(a, b [2]string) int { return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1]) })
	for _, key := range order {
		v, _ := parse(key[1])
		for _, r := range records {
			h, has, err := addonHole(r, packages[key[0]], v)
			if err != nil {
				return nil, err
			}
			if !has {
				continue
			}
			h.Component = key[0]
			h.Subjects, h.Count = bounded(places[key])
			if h.NotApplicable = j.notApplicable(rules, r.ID, h.Component); h.NotApplicable != "" {
				h.Status = NotAffected
			}
			j.r.Holes = append(j.r.Holes, h)
		}
	}
	return names, nil
}

// addonHole judges one record for a version of a package.
func addonHole(r *vuln.Record, pkg string, v release.Version) (Hole, bool, error) {
	has, err := r.Affects(pkg, v)
	if err != nil || !has || !r.Withdrawn.IsZero() {
		return Hole{}, false, err
	}
	h := Hole{ID: r.ID, Version: v.String(), Outlook: catalog.NeverFixed, Summary: r.Summary, Status: Affected}
	if score, ok := r.Score(); ok {
		h.Score, h.Rating = score, vuln.Rating(score)
	}
	if fixed := firstFixed(r, pkg, v); !fixed.IsZero() {
		h.FixedIn, h.Outlook = fixed.String(), catalog.FixedInNewer
		if fixed.Minor == v.Minor {
			h.Outlook = catalog.FixedInPatch
		}
	}
	if v.Suffix != "" {
		h.Status, h.Unsure = UnderInvestigation, "a build of its own, which may have cured it: who made it knows"
	}
	return h, true, nil
}

// firstFixed is the first version after one that a record's ranges call fixed; zero where there is none.
func firstFixed(r *vuln.Record, pkg string, after release.Version) release.Version {
	var best release.Version
	for _, a := range r.Affected {
		if a.Package.Name != pkg {
			continue
		}
		for _, rg := range a.Ranges {
			for _, e := range rg.Events {
				w, ok := parse(e.Fixed)
				if ok && release.CompareUpstream(w, after) > 0 && (best.IsZero() || release.CompareUpstream(w, best) < 0) {
					best = w
				}
			}
		}
	}
	return best
}

// addonText says what is to be done about a hole in an add-on.
func addonText(h Hole) (effect string, remedy []Step) {
	switch h.Outlook {
	case catalog.FixedInPatch:
		return fmt.Sprintf("It can be used here. %s %s cures it.", h.Component, h.FixedIn), []Step{{Text: fmt.Sprintf("Take %s %s or newer.", h.Component, h.FixedIn)}}
	case catalog.FixedInNewer:
		return fmt.Sprintf("It can be used here. Only newer minors of %s cure it, from %s on.", h.Component, h.FixedIn), []Step{{Text: fmt.Sprintf("Take %s %s or newer; see which versions of Kubernetes it takes.", h.Component, h.FixedIn)}}
	case catalog.NeverFixed:
	}
	return "It can be used here, and no release cures it.", []Step{{Text: "Lessen it as the announcement says."}}
}

// isAddon reports whether a hole is in a program that has versions of its own.
func isAddon(component string) bool {
	return !slices.Contains([]string{nameServer, nameKubelet, nameProxy, nameController, nameScheduler}, component)
}
