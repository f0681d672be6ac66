package git

// Graph is the parents of commits, held in memory, so that ancestry can be asked many times. Commits are added parents first.
// It may be asked from many goroutines once nothing is added any more.
type Graph struct {
	index map[OID]int32
	nodes []node
}

type node struct {
	oid        OID
	parents    []int32
	generation int32 // one more than the largest of the parents': an ancestor's is always smaller
}

// NewGraph returns a graph without commits.
func NewGraph() *Graph { return &Graph{index: map[OID]int32{}} }

// Add adds a commit. Parents that were not added are taken as outside the graph.
func (g *Graph) Add(oid OID, parents ...OID) {
	if _, ok := g.index[oid]; ok {
		return
	}
	n := node{oid: oid, generation: 1}
	for _, p := range parents {
		if at, ok := g.index[p]; ok {
			n.parents = append(n.parents, at)
			n.generation = max(n.generation, g.nodes[at].generation+1)
		}
	}
	g.index[oid] = int32(len(g.nodes)) //nolint:gosec // a repository has fewer than 2^31 commits
	g.nodes = append(g.nodes, n)
}

// Has reports whether the commit is in the graph.
func (g *Graph) Has(oid OID) bool {
	_, ok := g.index[oid]
	return ok
}

// Len is the number of commits.
func (g *Graph) Len() int { return len(g.nodes) }

// IsAncestor reports whether ancestor can be reached from commit; a commit is its own ancestor. Commits outside the graph are nobody's.
func (g *Graph) IsAncestor(ancestor, commit OID) bool {
	want, ok := g.index[ancestor]
	if !ok || !g.Has(commit) {
		return false
	}
	found := false
	g.walk(commit, func(at int32) bool {
		if at == want {
			found = true
		}
		return !found && g.nodes[at].generation > g.nodes[want].generation
	})
	return found
}

// Ancestors returns the set of commits that can be reached from commit, itself included.
func (g *Graph) Ancestors(commit OID) map[OID]bool {
	set := map[OID]bool{}
	g.walk(commit, func(at int32) bool {
		set[g.nodes[at].oid] = true
		return true
	})
	return set
}

// walk visits what can be reached from commit, each once, and goes to the parents of those for which visit returns true.
func (g *Graph) walk(commit OID, visit func(at int32) bool) {
	start, ok := g.index[commit]
	if !ok {
		return
	}
	seen := map[int32]bool{start: true}
	for stack := []int32{start}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !visit(at) {
			continue
		}
		for _, p := range g.nodes[at].parents {
			if !seen[p] {
				seen[p] = true
				stack = append(stack, p)
			}
		}
	}
}

// MergeBase returns a best common ancestor of two commits: one that no other common ancestor descends from. ok is false if they have none, or one of
// them is outside the graph.
func (g *Graph) MergeBase(a, b OID) (base OID, ok bool) {
	seen := map[int32]bool{}
	g.walk(a, func(at int32) bool {
		seen[at] = true
		return true
	})
	best := int32(-1)
	g.walk(b, func(at int32) bool {
		if !seen[at] {
			return true
		}
		if best < 0 || g.nodes[at].generation > g.nodes[best].generation {
			best = at
		}
		return false
	})
	if best < 0 {
		return OID{}, false
	}
	return g.nodes[best].oid, true
}
