package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// hidden puts before the first hop what could not be observed and might stand in its way: nodes, versions that the skew depends on, and
// versions that objects are stored in. What is not known of APIs and certificates is told elsewhere.
func (pl *planner) hidden(h *Hop) {
	for _, one := range []struct {
		kind Kind
		area cluster.Area
		word string // that what was not observed must have in its description; "" for anything
		what string
	}{
		{ByRuntime, cluster.Nodes, "", "whether all nodes may stay as they are is not known: not all of them were observed"},
		{BySkew, cluster.Skew, "", "whether all components may run beside kube-apiserver %s is not known: not all versions were observed"},
		{ByStored, cluster.APIs, "custom resource", "whether objects are stored in versions that went away is not known"},
	} {
		var subjects []string
		for _, n := range pl.p.NotObserved {
			if n.Area == string(one.area) && strings.Contains(n.What, one.word) && !slices.Contains(subjects, n.What) {
				subjects = append(subjects, n.What)
			}
		}
		if len(subjects) == 0 {
			continue
		}
		what := one.what
		if strings.Contains(what, "%s") {
			what = fmt.Sprintf(what, h.Minor)
		}
		h.Blockers = append(h.Blockers, perhaps(one.kind, what, subjects, []findings.Step{
			{Text: "Have it observed, or look for yourself: the reasons are below.", Command: "kubelts check -o wide"},
		}))
	}
}
