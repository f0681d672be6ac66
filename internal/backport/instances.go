package backport

import (
	"cmp"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
)

// Instances finds commits that are instances of one fix: a cherry-pick keeps author, author date and, mostly, the subject. Commits are added
// first and asked for later; asking may be done from many goroutines.
type Instances struct {
	byAuthor map[authorship][]landed
}

type authorship struct {
	name string
	when int64 // seconds since 1970
}

type landed struct {
	Instance

	subject string
}

// NewInstances returns an empty index.
func NewInstances() *Instances { return &Instances{byAuthor: map[authorship][]landed{}} }

// Add takes a commit into the index. Merge commits are nobody's instances.
func (x *Instances) Add(c *git.Commit) {
	if len(c.Parents) > 1 {
		return
	}
	key := authorshipOf(c)
	x.byAuthor[key] = append(x.byAuthor[key], landed{Instance{Commit: c.OID, Committed: c.Committer.When}, c.Subject()})
}

// Of returns the instances of a fix, without the fix itself, the oldest first: those with its subject; if there are none, the one
// commit with another subject, unless there are several.
func (x *Instances) Of(fix *git.Commit) []Instance {
	var same, other []Instance
	for _, l := range x.byAuthor[authorshipOf(fix)] {
		switch {
		case l.Commit == fix.OID:
		case l.subject == fix.Subject():
			same = append(same, l.Instance)
		default:
			other = append(other, l.Instance)
		}
	}
	if len(same) == 0 && len(other) == 1 {
		return other
	}
	slices.SortFunc(same, func(a, b Instance) int {
		return cmp.Or(a.Committed.Compare(b.Committed), slices.Compare(a.Commit[:], b.Commit[:]))
	})
	return same
}

func authorshipOf(c *git.Commit) authorship { return authorship{c.Author.Name, c.Author.When.Unix()} }
