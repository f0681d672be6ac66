package findings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/catalog"

	"github.com/kubelts/kubelts/internal/cluster"
)

const deprecationGuide = "https://kubernetes.io/docs/reference/using-api/deprecation-guide/"

// checkDeprecated tells of deprecated APIs that somebody asks for, by when they vanish.
func (j *judge) checkDeprecated() error {
	servers := j.serverVersions()
	if len(servers) > 0 && !j.s.CountsDeprecated() && !j.told(cluster.APIs, "deprecated") {
		why := "kube-apiserver counts requests for them from 1.19 on"
		if j.s.CountedByOne() {
			why = "behind a shared address one kube-apiserver told what it was asked for, and there may be others"
		}
		j.unseen(cluster.NotObserved{
			What: "which deprecated APIs are in use", Area: string(cluster.APIs), Reason: why,
			Hint: "look for the versions that the next minors remove in manifests and in the audit log",
		})
	}
	type use struct {
		api       cluster.DeprecatedAPI
		instances []string
	}
	uses := map[string]*use{}
	for _, d := range j.s.Deprecated {
		u := uses[d.Name()]
		if u == nil {
			u = &use{api: d}
			uses[d.Name()] = u
		}
		u.instances = append(u.instances, d.Instance)
	}
	removals, err := j.facts.Removals()
	if err != nil {
		return err
	}
	for _, name := range keys(uses) {
		u := uses[name]
		if u.api.Removed == "" {
			u.api.Removed = removedIn(removals, u.api)
		}
		f := Finding{
			ID: "api-deprecated/" + name, Rule: "api-deprecated", Area: cluster.APIs, Severity: Low, Subjects: []string{name}, References: []string{deprecationGuide},
			Title:  "somebody asks for the deprecated " + name,
			Effect: "Programs and manifests that use it fail when it is gone.",
			Remedy: []Step{
				{Text: "Find out who asks: the audit log has the user agent of requests with the annotation k8s.io/deprecated."},
				{Text: "Move manifests, charts and programs to the version that replaces it."},
			},
		}
		_, n := bounded(u.instances)
		f.Evidence = []string{fmt.Sprintf("counted by %s since they started", plural(n, "kube-apiserver"))}
		if removed, ok := cluster.ParseVersion(u.api.Removed); ok && len(servers) > 0 {
			away := removed.Minor.Minor - servers[len(servers)-1].Minor.Minor
			f.Title += ", which " + removed.Minor.String() + " no longer serves"
			if away <= 1 {
				f.Severity, f.Effect = Medium, "The next upgrade takes it away: programs and manifests that use it fail then."
			}
		}
		j.add(f)
	}
	return nil
}

// removedIn is the minor that removes an API by the facts, "" where they do not know.
func removedIn(removals []catalog.Removal, d cluster.DeprecatedAPI) string {
	for _, r := range removals {
		if r.API == d.Group+"/"+d.Version && slices.Contains(r.Resources, d.Resource) {
			return r.Minor.String()
		}
	}
	return ""
}

// checkStored tells of custom resources whose objects may be stored in a version that is on its way out.
func (j *judge) checkStored() error {
	var old []string
	for _, v := range j.s.Stored {
		unserved, behind := v.Stale()
		if len(behind) > 0 && len(unserved) == 0 {
			old = append(old, fmt.Sprintf("%s: %s", cluster.Cut(v.Resource), cluster.Cut(strings.Join(behind, ", "))))
		}
		if len(unserved) == 0 {
			continue
		}
		j.add(Finding{
			ID: "api-stored/" + cluster.Cut(v.Resource), Rule: "api-stored", Area: cluster.APIs, Severity: Medium, Subjects: []string{v.Resource},
			Title:    fmt.Sprintf("objects of %s may be stored in %s, which is not served any more", cluster.Cut(v.Resource), cluster.Cut(strings.Join(unserved, ", "))),
			Effect:   "The version cannot be taken out of the definition while objects are stored in it; a later release of the operator that does so cannot be installed, or cannot read them.",
			Evidence: []string{"stored: " + cluster.Cut(strings.Join(v.Stored, ", ")), "served: " + cluster.Cut(strings.Join(v.Served, ", ")), "storage: " + cluster.Cut(v.Storage)},
			Remedy:   migrate(v),
		})
	}
	if len(old) > 0 {
		j.add(Finding{
			ID: "api-stored-old", Rule: "api-stored-old", Area: cluster.APIs, Severity: Info, Subjects: old,
			Title:  fmt.Sprintf("%s may have objects stored in an older version that is still served", plural(len(old), "custom resource")),
			Effect: "Nothing breaks now. Before a release that takes the older version out, the objects have to be stored anew.",
		})
	}
	return nil
}

var versionForm = regexp.MustCompile(`^v[0-9]+((alpha|beta)[0-9]+)?$`)

func migrate(v cluster.StoredVersion) []Step {
	if !versionForm.MatchString(v.Storage) {
		return []Step{{Text: "Write every object once, so that it is stored in the storage version; then take the old version out of the status."}}
	}
	return []Step{
		{Text: "Write every object once, so that it is stored in " + cluster.Cut(v.Storage) + ".", Command: command("kubectl get %s -A -o json | kubectl replace -f -", v.Resource)},
		{
			Text:    "Then take the old version out of the status.",
			Command: command("kubectl patch crd %s --subresource=status --type=merge -p '{\"status\":{\"storedVersions\":[\"'%s'\"]}}'", v.Resource, v.Storage),
		},
	}
}
