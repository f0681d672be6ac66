package replay

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
)

func TestSample(t *testing.T) {
	var trials []Trial
	for i, method := range []string{"go", "dep+go", "dep", "verbatim", "go", "go", "text"} {
		tr := Trial{Pair: Pair{Backport: git.Hash(git.TypeBlob, fmt.Append(nil, i))}, Outcome: backport.Resolved, Method: method}
		if i == 4 {
			tr.Outcome = backport.Conflicted
		}
		trials = append(trials, tr)
	}
	names := func(sample []Trial) map[git.OID]bool {
		in := map[git.OID]bool{}
		for _, tr := range sample {
			in[tr.Backport] = true
		}
		return in
	}
	first := Sample(trials, []string{"go", "text"}, 1)
	want := map[git.OID]bool{trials[0].Backport: true, trials[1].Backport: true, trials[5].Backport: true, trials[6].Backport: true}
	if diff := cmp.Diff(want, names(first)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(first, Sample(trials, []string{"go", "text"}, 1)); diff != "" {
		t.Errorf("the same seed gives another sample: %s", diff)
	}
	orders := map[string]bool{}
	for seed := range 5 {
		order := ""
		for _, tr := range Sample(trials, []string{"go", "text"}, seed) {
			order += tr.Backport.Short()
		}
		orders[order] = true
	}
	if len(orders) < 2 {
		t.Error("every seed gives the same order")
	}
}
