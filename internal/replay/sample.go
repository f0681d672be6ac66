package replay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
)

// Sample returns the trials that one of the rungs did, in an order that looks random and depends on nothing but seed and the backports' names.
func Sample(trials []Trial, rungs []string, seed int) []Trial {
	type placed struct {
		place git.OID
		trial Trial
	}
	var list []placed
	for _, t := range trials {
		done := t.Outcome == backport.Clean || t.Outcome == backport.Resolved
		if done && slices.ContainsFunc(strings.Split(t.Method, "+"), func(rung string) bool { return slices.Contains(rungs, rung) }) {
			list = append(list, placed{git.Hash(git.TypeBlob, fmt.Appendf(nil, "%d %s", seed, t.Backport)), t})
		}
	}
	slices.SortFunc(list, func(a, b placed) int { return slices.Compare(a.place[:], b.place[:]) })
	sample := make([]Trial, len(list))
	for i, p := range list {
		sample[i] = p.trial
	}
	return sample
}

// Compiled is how the packages that a pick touches compile, tests included, beside those of the landed tree.
type Compiled string

// How they do.
const (
	CompilesAlike  Compiled = "as the landed" // both do, or what fails does so in both
	CompilesWorse  Compiled = "worse"         // what compiles in the landed tree does not here
	CompilesBetter Compiled = "better"        // and the other way round
	CompilesNot    Compiled = "not here"      // the landed tree does not compile on this machine, so nothing is known
)
