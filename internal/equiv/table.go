package equiv

import (
	"slices"

	"github.com/kubelts/kubelts/internal/git"
)

// Table is the equivalence index of a repository.
type Table struct {
	repository  string // by which messages were read
	fingerprint string // of the object directory when it was built
	commits     []Commit
	at          map[git.OID]int32
	unread      int // commits whose patch could not be read
}

// NewTable returns a table without commits for the upstream repository (owner/name).
func NewTable(repository string) *Table {
	return &Table{repository: repository, at: map[git.OID]int32{}}
}

// Len is the number of commits.
func (t *Table) Len() int { return len(t.commits) }

// Unread is the number of commits whose patch could not be read.
func (t *Table) Unread() int { return t.unread }

// Repository is the upstream (owner/name) as which messages were read.
func (t *Table) Repository() string { return t.repository }

// Find returns what is kept of a commit.
func (t *Table) Find(oid git.OID) (*Commit, bool) {
	i, ok := t.at[oid]
	if !ok {
		return nil, false
	}
	return &t.commits[i], true
}

func (t *Table) insert(c Commit) {
	if _, ok := t.at[c.OID]; ok {
		return
	}
	t.at[c.OID] = int32(len(t.commits)) //nolint:gosec // a repository has fewer than 2^31 commits
	t.commits = append(t.commits, c)
	if c.Change != nil && c.Change.Unread != "" {
		t.unread++
	}
}

// tips are the commits that are nobody's parent.
func (t *Table) tips() []git.OID {
	inner := make([]bool, len(t.commits))
	for i := range t.commits {
		for _, p := range t.commits[i].Parents {
			if at, ok := t.at[p]; ok {
				inner[at] = true
			}
		}
	}
	var tips []git.OID
	for i := range t.commits {
		if !inner[i] {
			tips = append(tips, t.commits[i].OID)
		}
	}
	return tips
}

// Reach visits every commit of the table that can be reached from include and not from exclude, children before parents. What the table does not
// have is passed by, with its ancestors; missing names such commits.
func (t *Table) Reach(include, exclude []git.OID, visit func(*Commit)) (missing []git.OID) {
	w := reachWalk{table: t, seen: make([]bool, len(t.commits))}
	w.walk(exclude)
	w.post, w.missing = nil, nil
	w.walk(include)
	for _, at := range slices.Backward(w.post) {
		visit(&t.commits[at])
	}
	return w.missing
}

// reachWalk goes through a table depth first.
type reachWalk struct {
	table   *Table
	seen    []bool
	stack   []frame
	post    []int32 // parents before children
	missing []git.OID
}

type frame struct {
	at   int32
	next int // of the commit's parents
}

func (w *reachWalk) walk(from []git.OID) {
	for _, tip := range from {
		w.enter(tip)
		for len(w.stack) > 0 {
			top := &w.stack[len(w.stack)-1]
			parents := w.table.commits[top.at].Parents
			if top.next == len(parents) {
				w.post = append(w.post, top.at)
				w.stack = w.stack[:len(w.stack)-1]
				continue
			}
			top.next++
			w.enter(parents[top.next-1])
		}
	}
}

func (w *reachWalk) enter(oid git.OID) {
	at, ok := w.table.at[oid]
	switch {
	case !ok:
		w.missing = append(w.missing, oid)
	case !w.seen[at]:
		w.seen[at] = true
		w.stack = append(w.stack, frame{at: at})
	}
}
