package backport

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// Instances finds commits that are instances of one fix: a cherry-pick keeps author, author date and subject. Commits are added
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
	x.byAuthor[key] = append(x.byAuthor[key], landed{Instance{Commit: c.OID, Committed: c.Committer.When}, bareSubject(c)})
}

// Of returns the instances of a fix, without the fix itself, the oldest first. A tag like [release-1.2] before the subject does not count; any
// other subject does, since people commit several things in one second.
func (x *Instances) Of(fix *git.Commit) []Instance {
	var found []Instance
	for _, l := range x.byAuthor[authorshipOf(fix)] {
		if l.Commit != fix.OID && l.subject == bareSubject(fix) {
			found = append(found, l.Instance)
		}
	}
	slices.SortFunc(found, func(a, b Instance) int {
		return cmp.Or(a.Committed.Compare(b.Committed), slices.Compare(a.Commit[:], b.Commit[:]))
	})
	return found
}

// bareSubject is a commit's subject without tags before it.
func bareSubject(c *git.Commit) string {
	s := c.Subject()
	for strings.HasPrefix(s, "[") {
		_, rest, ok := strings.Cut(s, "]")
		if !ok {
			break
		}
		s = strings.TrimLeft(rest, ": ")
	}
	return s
}

func authorshipOf(c *git.Commit) authorship { return authorship{c.Author.Name, c.Author.When.Unix()} }
