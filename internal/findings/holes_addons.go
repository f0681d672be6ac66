package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"

	"github.com/kubelts/kubelts/internal/cluster"
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
	places, names := j.addonPlaces(packages)
	for _, p := range places {
		v, _ := cluster.ParseVersion(p.text)
		for _, r := range records {
			h, has, err := addonHole(r, packages[p.component], v)
			if err != nil {
				return nil, err
			}
			if !has {
				continue
			}
			h.Component = p.component
			h.Subjects, h.Count = bounded(p.subjects)
			if h.NotApplicable = j.notApplicable(rules, r.ID, h.Component); h.NotApplicable != "" {
				h.Status = NotAffected
			}
			j.r.Holes = append(j.r.Holes, h)
		}
	}
	return names, nil
}

// addonPlaces returns where add-ons of known packages run, by version, in a fixed order, and their names.
func (j *judge) addonPlaces(packages map[string]string) (places []place, names []string) {
	at, silent := map[[2]string]int{}, map[string][]string{}
	for _, c := range j.s.Components {
		if packages[c.Name] == "" {
			continue
		}
		names = append(names, c.Name)
		where, key := cluster.Cut(c.Where()), [2]string{c.Name, c.Version}
		i, known := at[key]
		_, ok := cluster.ParseVersion(c.Version)
		switch {
		case known:
			places[i].subjects = append(places[i].subjects, where)
		case !ok || len(places) == maxVersions:
			silent[c.Name] = append(silent[c.Name], where)
		default:
			at[key] = len(places)
			places = append(places, place{component: c.Name, text: c.Version, subjects: []string{where}})
		}
	}
	j.noVersions(silent)
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(strings.Compare(a.component, b.component), strings.Compare(a.text, b.text))
	})
	return places, names
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
				w, ok := cluster.ParseVersion(e.Fixed)
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
