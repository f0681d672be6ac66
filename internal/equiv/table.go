package equiv

import "github.com/kubelts/kubelts/internal/git"

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
	const entered, left = 1, 2
	state := make([]uint8, len(t.commits))
	var post []int32
	walk := func(from []git.OID, note bool) { //nolint:revive // flag-parameter: the two walks share their state
		type frame struct {
			at   int32
			next int
		}
		for _, tip := range from {
			at, ok := t.at[tip]
			if !ok {
				if note {
					missing = append(missing, tip)
				}
				continue
			}
			if state[at] != 0 {
				continue
			}
			state[at] = entered
			for stack := []frame{{at: at}}; len(stack) > 0; {
				top := &stack[len(stack)-1]
				parents := t.commits[top.at].Parents
				if top.next == len(parents) {
					state[top.at] = left
					if note {
						post = append(post, top.at)
					}
					stack = stack[:len(stack)-1]
					continue
				}
				parent := parents[top.next]
				top.next++
				p, ok := t.at[parent]
				switch {
				case !ok && note:
					missing = append(missing, parent)
				case ok && state[p] == 0:
					state[p] = entered
					stack = append(stack, frame{at: p})
				}
			}
		}
	}
	walk(exclude, false)
	walk(include, true)
	for i := len(post) - 1; i >= 0; i-- {
		visit(&t.commits[post[i]])
	}
	return missing
}
