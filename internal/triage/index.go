package triage

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on walks from one commit.
const (
	maxBrought = 1000 // commits of one pull request
	maxRun     = 200  // commits of a pull request whose merge was flattened
)

// commit is what is kept of a commit.
type commit struct {
	oid     git.OID
	kube    git.OID // its Kubernetes-commit
	parents []int32 // places in the index
	merge   bool    // more than one parent
	when    int64   // author date, seconds
	author  string
	subject string // without what branches put around it
	full    string // as it stands
	claims  *equiv.Claims
	change  *equiv.Change // nil for a merge
}

// signature is what stays the same when a commit is cherry-picked.
type signature struct {
	author, subject string
	when            int64
}

func (c *commit) signature() signature { return signature{c.author, c.subject, c.when} }

// index holds all commits that matter, children before parents, and finds them by what they say.
type index struct {
	commits  []commit
	at       map[git.OID]int32
	links    []int32 // room for the parents of all commits
	bySign   map[signature][]int32
	byTitle  map[string][]int32 // by plain subject
	byKube   map[git.OID][]int32
	byOrigin map[string][]int32    // by the name that the message gives
	byPick   map[int][]int32       // by pull request carried over
	byPull   map[int][]int32       // by pull request merged
	byMerge  map[string][]int32    // merges by the pull request's title
	merged   map[signature][]int32 // merges by author and date, without a subject
	byName   []int32               // in the order of object names; made when it is needed
	reverts  []int32               // commits that say that they revert something
	reached  map[int32]bits
	lines    map[int32]*line
}

// readIndex takes from the table everything that can be reached from tips, and then from extra, each of which may turn out to be unreadable: those
// that are come back with the reason.
func readIndex(ctx context.Context, h History, t *equiv.Table, tips, extra []git.OID) (*index, map[git.OID]error, error) {
	w := walk{table: t, at: make(map[git.OID]int32, t.Len())}
	if missing := w.take(tips, nil); len(missing) > 0 {
		return nil, nil, errs.New(errs.Internal, "commit %s is not in the index", missing[0])
	}
	unread := map[git.OID]error{}
	done := slices.Clone(tips)
	for _, oid := range extra {
		if _, seen := w.at[oid]; seen {
			continue
		}
		if err := w.readExtra(ctx, h, oid, done); err != nil {
			if ctx.Err() != nil {
				return nil, nil, err
			}
			unread[oid] = err
			continue
		}
		done = append(done, oid)
	}
	return w.index(), unread, nil
}

// walk collects commits before their places are known.
type walk struct {
	table *equiv.Table

	commits []commit
	parents [][]git.OID
	at      map[git.OID]int32
}

// readExtra adds a commit that no branch leads to. It is asked for first: what is absent must not be taken for history that is cut off.
func (w *walk) readExtra(ctx context.Context, h History, oid git.OID, done []git.OID) error {
	if _, ok := w.table.Find(oid); ok {
		w.take([]git.OID{oid}, done)
		return nil
	}
	if _, err := h.Commit(ctx, oid); err != nil {
		if absent, ok := errors.AsType[*git.AbsentError](err); ok {
			return errs.New(errs.NotFound, "%w", absent)
		}
		return err
	}
	more, _, err := equiv.Build(ctx, h, w.table, slices.Concat(done, []git.OID{oid}), equiv.Options{})
	if err != nil {
		return err
	}
	w.table = more
	w.take([]git.OID{oid}, done)
	return nil
}

// take adds what the table has behind include and not behind exclude.
func (w *walk) take(include, exclude []git.OID) (missing []git.OID) {
	var found []*equiv.Commit
	if len(w.commits) == 0 {
		found = make([]*equiv.Commit, 0, w.table.Len())
	}
	missing = w.table.Reach(include, exclude, func(c *equiv.Commit) { found = append(found, c) })
	commits := make([]commit, len(found), len(found)+len(w.commits))
	parents := make([][]git.OID, len(found), len(found)+len(w.commits))
	for i, c := range found {
		commits[i], parents[i] = digest(c), c.Parents
	}
	// What a later walk finds is no ancestor of what an earlier one found, so it comes before.
	w.commits = append(commits, w.commits...)
	w.parents = append(parents, w.parents...)
	if len(found) > 0 {
		for i := range w.commits {
			w.at[w.commits[i].oid] = int32(i)
		}
	}
	return missing
}

func digest(c *equiv.Commit) commit {
	return commit{
		oid: c.OID, kube: c.Kube, merge: len(c.Parents) > 1, when: c.When, author: c.Author, subject: equiv.PlainSubject(c.Subject), full: c.Subject,
		claims: c.Claims, change: c.Change,
	}
}

func (w *walk) index() *index {
	x := &index{
		commits: w.commits, at: w.at, bySign: make(map[signature][]int32, len(w.commits)),
		byTitle: make(map[string][]int32, len(w.commits)), byKube: map[git.OID][]int32{}, byOrigin: map[string][]int32{}, byPick: map[int][]int32{}, byPull: map[int][]int32{},
		byMerge: map[string][]int32{}, merged: map[signature][]int32{},
		reached: map[int32]bits{}, lines: map[int32]*line{},
	}
	links := 0
	for _, parents := range w.parents {
		links += len(parents)
	}
	x.links = make([]int32, 0, links)
	for i := range x.commits {
		x.enter(int32(i), w.parents[i])
	}
	return x
}

func (x *index) enter(i int32, parents []git.OID) {
	c := &x.commits[i]
	first := len(x.links)
	for _, p := range parents {
		if at, ok := x.at[p]; ok {
			x.links = append(x.links, at)
		}
	}
	c.parents = x.links[first:len(x.links):len(x.links)]
	if c.merge {
		who := signature{author: c.author, when: c.when}
		x.merged[who] = append(x.merged[who], i)
	} else {
		x.bySign[c.signature()] = append(x.bySign[c.signature()], i)
		x.byTitle[c.subject] = append(x.byTitle[c.subject], i)
	}
	if !c.kube.IsZero() {
		x.byKube[c.kube] = append(x.byKube[c.kube], i)
	}
	if c.claims == nil {
		return
	}
	for _, name := range c.claims.Origins {
		x.byOrigin[name] = append(x.byOrigin[name], i)
	}
	for _, n := range c.claims.Picks {
		x.byPick[n] = append(x.byPick[n], i)
	}
	if c.claims.Pull != 0 {
		x.byPull[c.claims.Pull] = append(x.byPull[c.claims.Pull], i)
	}
	if c.claims.Title != "" {
		x.byMerge[c.claims.Title] = append(x.byMerge[c.claims.Title], i)
	}
	if c.claims.IsRevert() && !c.merge {
		x.reverts = append(x.reverts, i)
	}
}

// named returns the commits that a full or abbreviated name stands for: by their own name, or by the one they had in kubernetes/kubernetes.
func (x *index) named(name string) []int32 {
	if oid, err := git.ParseOID(name); err == nil {
		found := slices.Clone(x.byKube[oid])
		if i, ok := x.at[oid]; ok {
			found = append(found, i)
		}
		return found
	}
	if x.byName == nil {
		x.byName = slices.SortedFunc(maps.Values(x.at), func(a, b int32) int { return compareOIDs(x.commits[a].oid, x.commits[b].oid) })
	}
	start, _ := slices.BinarySearchFunc(x.byName, name, func(i int32, name string) int {
		return strings.Compare(x.commits[i].oid.String(), name)
	})
	if start+1 < len(x.byName) && strings.HasPrefix(x.commits[x.byName[start+1]].oid.String(), name) {
		return nil // ambiguous
	}
	if start < len(x.byName) && strings.HasPrefix(x.commits[x.byName[start]].oid.String(), name) {
		return []int32{x.byName[start]}
	}
	return nil
}

// bits is a set of places.
type bits []uint64

func (b bits) has(i int32) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bits) add(i int32)      { b[i>>6] |= 1 << (i & 63) }

// reach is the set of commits that can be reached from i, itself included. It is kept for the next who asks.
func (x *index) reach(i int32) bits {
	if set, ok := x.reached[i]; ok {
		return set
	}
	set := x.reachDownTo(i, int32(len(x.commits))-1) //nolint:gosec // a repository has fewer than 2^31 commits
	x.reached[i] = set
	return set
}

// reachDownTo is reach, complete for the places up to last only.
func (x *index) reachDownTo(i, last int32) bits {
	set := make(bits, (len(x.commits)+63)/64)
	set.add(i)
	for k := i; k <= last; k++ {
		if set.has(k) {
			for _, p := range x.commits[k].parents {
				set.add(p)
			}
		}
	}
	return set
}

func (x *index) isAncestor(ancestor, i int32) bool {
	if set, ok := x.reached[i]; ok {
		return set.has(ancestor)
	}
	return ancestor >= i && x.reachDownTo(i, ancestor).has(ancestor)
}

// brought returns the commits that a merge brought in, merges left out, newest first; of a merge that publishing flattened the run of commits before it; of
// any other commit itself.
func (x *index) brought(m int32) []int32 {
	c := &x.commits[m]
	switch {
	case c.merge && len(c.parents) > 1:
		return x.branchOf(c)
	case c.claims != nil && c.claims.Merge:
		return x.runBefore(c)
	}
	return []int32{m}
}

func (x *index) branchOf(m *commit) []int32 {
	before := x.reach(m.parents[0])
	seen := map[int32]bool{}
	var found []int32
	for queue := slices.Clone(m.parents[1:]); len(queue) > 0; {
		i := queue[0]
		queue = queue[1:]
		if seen[i] || before.has(i) {
			continue
		}
		if seen[i] = true; len(seen) > maxBrought {
			return nil // no pull request: a branch
		}
		if !x.commits[i].merge {
			found = append(found, i)
		}
		queue = append(queue, x.commits[i].parents...)
	}
	slices.Sort(found)
	return found
}

func (x *index) runBefore(m *commit) []int32 {
	var found []int32
	for c := m; len(c.parents) == 1 && len(found) < maxRun; {
		i := c.parents[0]
		c = &x.commits[i]
		if c.merge || c.claims != nil && c.claims.Merge {
			break
		}
		found = append(found, i)
	}
	return found
}

// line is the first-parent line of a branch, and by which of its commits each other commit came onto it.
type line struct {
	place   map[int32]int // on the line, counted from the tip
	commits []int32
	came    []int32 // by commit: one of the line; -1 where it cannot be reached
}

func (x *index) line(tip int32) *line {
	if l, ok := x.lines[tip]; ok {
		return l
	}
	l := &line{place: map[int32]int{}, came: slices.Repeat([]int32{-1}, len(x.commits))}
	for i := tip; ; i = x.commits[i].parents[0] {
		l.place[i] = len(l.commits)
		l.commits = append(l.commits, i)
		if len(x.commits[i].parents) == 0 {
			break
		}
	}
	for _, m := range slices.Backward(l.commits) {
		for stack := []int32{m}; len(stack) > 0; {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if l.came[i] < 0 {
				l.came[i] = m
				stack = append(stack, x.commits[i].parents...)
			}
		}
	}
	x.lines[tip] = l
	return l
}

// pullOf returns the pull request that brought a commit onto the branch with this tip; 0 when nothing tells.
func (x *index) pullOf(i, tip int32) int {
	if m := x.mergeOf(i, tip); m >= 0 {
		return x.commits[m].claims.Pull
	}
	return 0
}

// mergeOf returns the commit that merged the pull request with which a commit came onto the branch with this tip, the commit itself where it was squashed; -1
// when nothing tells.
func (x *index) mergeOf(i, tip int32) int32 {
	if !x.reach(tip).has(i) {
		return -1
	}
	l := x.line(tip)
	m := l.came[i]
	if m != i {
		if c := x.commits[m].claims; c != nil && c.Merge {
			return m
		}
		return -1
	}
	if c := x.commits[i].claims; c != nil && c.Pull != 0 {
		return i
	}
	// On the line itself: a flattened merge may follow.
	for at := l.place[i] - 1; at >= 0 && at > l.place[i]-maxRun; at-- {
		c := &x.commits[l.commits[at]]
		if c.merge {
			return -1
		}
		if c.claims != nil && c.claims.Merge {
			return l.commits[at]
		}
	}
	return -1
}
