package backport

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on trying prerequisites.
const (
	triedAlone = 6  // of the first
	triedSets  = 25 // sets in all
)

// PickWith carries a commit over, and if it leaves conflicts, at most n of its prerequisites before it: the smallest set that leaves none, of those that
// rank first. Each is picked by the engine, upon the others; one that leaves conflicts itself is not taken. With n of 0 they are only named.
func (e *Engine) PickWith(ctx context.Context, r Request, n int, history PathHistory) Result {
	res := e.Pick(ctx, r)
	if res.Outcome != Conflicted {
		return res
	}
	found, notes := e.Prerequisites(ctx, r, res, history)
	res.Notes = append(slices.Clone(res.Notes), notes...)
	res.Prerequisites = found
	if n <= 0 || len(found) == 0 {
		return res
	}
	t := &taking{engine: e, request: r, found: found, trees: map[string]git.OID{}}
	for size := 1; size <= n; size++ {
		if got, ok := t.sets(ctx, size); ok {
			return got
		}
	}
	res.Notes = append(res.Notes, fmt.Sprintf("no %d of the prerequisites make it clean", n))
	return res
}

// taking tries sets of prerequisites.
type taking struct {
	engine  *Engine
	request Request
	found   []Prerequisite
	trees   map[string]git.OID // what sets that were picked gave; null for one that cannot be
	tried   int
}

// sets tries the sets of a size, those of the first prerequisites first.
func (t *taking) sets(ctx context.Context, size int) (Result, bool) {
	set := make([]int, 0, size)
	var found Result
	var try func(from int) bool
	try = func(from int) bool {
		if len(set) == size {
			t.tried++
			res, ok := t.try(ctx, set)
			if ok {
				found = res
			}
			return ok
		}
		for i := from; i < min(len(t.found), triedAlone) && t.tried < triedSets && ctx.Err() == nil; i++ {
			set = append(set, i)
			if try(i + 1) {
				return true
			}
			set = set[:len(set)-1]
		}
		return false
	}
	ok := try(0)
	return found, ok
}

// try picks a set, the oldest first, and then the fix.
func (t *taking) try(ctx context.Context, set []int) (Result, bool) {
	order, err := t.oldestFirst(ctx, set)
	if err != nil {
		return Result{}, false
	}
	tree := t.request.OntoTree
	var names []string
	for n, i := range order {
		key := fmt.Sprint(order[:n+1])
		known, ok := t.trees[key]
		if !ok {
			known = t.pick(ctx, t.found[i].Commit, tree)
			t.trees[key] = known
		}
		if tree = known; tree.IsZero() {
			return Result{}, false
		}
		names = append(names, t.found[i].Commit.Short()+" "+t.found[i].Subject)
	}
	r := t.request
	r.OntoTree = tree
	res := t.engine.Pick(ctx, r)
	if res.Outcome != Clean && res.Outcome != Resolved {
		return Result{}, false
	}
	res.Outcome, res.Confidence = Resolved, Review
	res.Notes = append(slices.Clone(res.Notes), "taken before it: "+strings.Join(names, ", "))
	res.Prerequisites = slices.Clone(t.found)
	for _, i := range set {
		res.Prerequisites[i].Taken = true
	}
	slices.SortStableFunc(res.Prerequisites, func(a, b Prerequisite) int {
		switch {
		case a.Taken == b.Taken:
			return 0
		case a.Taken:
			return -1
		}
		return 1
	})
	return res, true
}

// pick carries a prerequisite over; null if something would be left, or nothing done.
func (t *taking) pick(ctx context.Context, commit, tree git.OID) git.OID {
	r := t.request
	r.Commit, r.OntoTree, r.Instances, r.Explain = commit, tree, nil, false
	res := t.engine.Pick(ctx, r)
	if res.Outcome != Clean && res.Outcome != Resolved {
		return git.OID{}
	}
	return res.Tree
}

// oldestFirst orders a set by when its commits were made.
func (t *taking) oldestFirst(ctx context.Context, set []int) ([]int, error) {
	type dated struct {
		index int
		when  int64
	}
	var all []dated
	for _, i := range set {
		c, err := t.engine.store.Commit(ctx, t.found[i].Commit)
		if err != nil {
			return nil, err
		}
		all = append(all, dated{i, c.Committer.When.Unix()})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return int(a.when - b.when) })
	order := make([]int, len(all))
	for i, d := range all {
		order[i] = d.index
	}
	return order, nil
}
