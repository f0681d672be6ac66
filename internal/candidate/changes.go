package candidate

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Finder finds candidates in one repository.
type Finder struct {
	history  History
	repo     Repository
	changes  *triage.Changes
	mains    []git.OID
	named    map[string]string // by commit that a record names, or the start of its name: the record
	pulls    map[int]string    // by pull request that a record names: the record
	messages map[git.OID]text
	same     map[git.OID]*triage.Change // by the commit that was asked for
	ends     map[string]time.Time       // by branch: when upstream last committed to it
}

// text is what is read of a commit besides what the index keeps.
type text struct {
	message string
	landed  time.Time // committer date
}

// minPrefix is how much of a commit's name a record must give.
const minPrefix = 7

// Open reads the history of a repository's branches.
func Open(ctx context.Context, history History, repo Repository) (*Finder, error) {
	f := &Finder{history: history, repo: repo, messages: map[git.OID]text{}, same: map[git.OID]*triage.Change{}, named: map[string]string{}, pulls: map[int]string{}}
	f.repo.Branches = slices.Clone(repo.Branches)
	slices.SortFunc(f.repo.Branches, func(a, b Branch) int { return release.CompareMinors(a.Minor, b.Minor) })
	var targets []triage.Target
	for _, b := range f.repo.Branches {
		targets = append(targets, triage.Target{Name: b.Name, Commit: b.Commit})
	}
	if !repo.Main.Commit.IsZero() {
		targets = append(targets, triage.Target{Name: repo.Main.Name, Commit: repo.Main.Commit})
		f.mains = []git.OID{repo.Main.Commit}
	}
	for _, r := range repo.Records {
		f.note(r)
	}
	var err error
	if f.changes, err = triage.OpenChanges(ctx, history, repo.Name, targets); err != nil {
		return nil, err
	}
	f.ends = map[string]time.Time{}
	for _, b := range f.repo.Branches {
		tip, err := history.Commit(ctx, b.Commit)
		if err != nil {
			return nil, err
		}
		f.ends[b.Name] = tip.Committer.When
	}
	return f, nil
}

// endOf is when the last release of a line was made, or its last commit where no release is known.
func (f *Finder) endOf(ctx context.Context, b Branch) (time.Time, error) {
	at := b.Commit
	if last, ok := f.changes.LastRelease(b.Commit, b.Minor); ok {
		at = last.Commit
	}
	c, err := f.history.Commit(ctx, at)
	if err != nil {
		return time.Time{}, err
	}
	return c.Committer.When.UTC(), nil
}

// note keeps which commits and pull requests a record names.
func (f *Finder) note(r *vuln.Record) {
	for _, fix := range r.FixesIn(f.repo.Name) {
		for _, name := range slices.Concat(slices.Collect(maps.Values(fix.Commits))...) {
			if len(name) >= minPrefix {
				f.named[name] = r.ID
			}
		}
		for _, n := range append(slices.Collect(maps.Values(fix.PullRequests)), fix.PullRequest) {
			f.pulls[n] = r.ID
		}
	}
	for _, n := range slices.Concat(slices.Collect(maps.Values(r.Kubelts.PullRequests))...) {
		f.pulls[n] = r.ID
	}
	delete(f.pulls, 0)
}

// recordOf names the record that names one of some commits, or the one pull request that they came with.
func (f *Finder) recordOf(commits []git.OID, pulls []int) string {
	for _, oid := range commits {
		names := []string{oid.String()}
		if c, ok := f.changes.Commit(oid); ok && !c.Kube.IsZero() {
			names = append(names, c.Kube.String())
		}
		for _, name := range names {
			for n := len(name); n >= minPrefix; n-- {
				if id, ok := f.named[name[:n]]; ok {
					return id
				}
			}
		}
	}
	if len(pulls) == 1 {
		return f.pulls[pulls[0]]
	}
	return ""
}

// readMessages reads the messages of what branches have and others do not.
func (f *Finder) readMessages(ctx context.Context, include, exclude []git.OID) error {
	return f.history.Commits(ctx, include, exclude, func(c *git.Commit) error {
		if _, known := f.messages[c.OID]; !known {
			f.messages[c.OID] = text{strings.Clone(c.Message[:min(len(c.Message), maxBody)]), c.Committer.When}
		}
		return nil
	})
}

// change is one change on its way to be a candidate.
type change struct {
	at      int // its place among all: newer commits come first
	same    *triage.Change
	commit  git.OID // the one that stands on the branch that is nearest to the line
	info    triage.CommitInfo
	branch  Branch
	arrival triage.Arrival
	class   string
	taken   []Taken
	first   time.Time
	last    time.Time
	pulls   []int
	view    *triage.View
	reason  Reason // why it is no candidate
	note    string
	unseen  string // why it could not be looked at
	// variants are changes with the same subject by the same author in the same files, on other branches: carried over in other lines.
	variants []*change
	says     *message // see search.message
}

// collect finds the changes that newer branches took, each once: as the branch has it that is nearest to the line.
func (s *search) collect(ctx context.Context) error {
	seen := map[git.OID]bool{}
	s.follow()
	for _, b := range s.newer {
		own := s.changes.Own(b.Commit, append(slices.Clone(s.mains), s.line.Commit)...)
		for _, oid := range own {
			if !seen[oid] {
				if err := s.add(ctx, b, oid, seen); err != nil {
					return err
				}
			}
		}
	}
	if s.options.Main && !s.repo.Main.Commit.IsZero() {
		if err := s.collectMain(ctx, seen); err != nil {
			return err
		}
	}
	s.pairVariants()
	return nil
}

// collectMain finds the changes that the main branch took since, and no release branch.
func (s *search) collectMain(ctx context.Context, seen map[git.OID]bool) error {
	for _, oid := range s.changes.Own(s.repo.Main.Commit, s.line.Commit) {
		if seen[oid] || !s.landedOn(oid, s.repo.Main).After(s.report.Since) {
			continue
		}
		if err := s.add(ctx, s.repo.Main, oid, seen); err != nil {
			return err
		}
	}
	return nil
}

// minSubject is from how many words on a subject tells changes apart.
const minSubject = 3

// pairVariants finds changes that were carried over in other lines.
func (s *search) pairVariants() {
	by := map[string][]*change{}
	for _, c := range s.all {
		if subject := equiv.PlainSubject(c.info.Subject); len(strings.Fields(subject)) >= minSubject && c.info.Change != nil {
			key := c.info.Author + "\n" + subject
			by[key] = append(by[key], c)
		}
	}
	for _, c := range s.all {
		alike := by[c.info.Author+"\n"+equiv.PlainSubject(c.info.Subject)]
		i := slices.IndexFunc(alike, func(o *change) bool { return o.at < c.at && o.reason == "" && c.variantOf(o) })
		if i < 0 {
			continue
		}
		first := alike[i]
		c.reason, c.note = Variant, first.commit.String()
		first.variants = append(first.variants, c)
		first.taken = append(first.taken, c.taken...)
		slices.SortStableFunc(first.taken, func(a, b Taken) int { return s.place(a.Branch) - s.place(b.Branch) })
		first.pulls = append(first.pulls, c.pulls...)
		slices.Sort(first.pulls)
		first.pulls = slices.Compact(first.pulls)
		first.class = ClassPicked
		if c.first.Before(first.first) {
			first.first = c.first
		}
		if c.last.After(first.last) {
			first.last = c.last
		}
	}
}

// place is a branch's among the newer ones.
func (s *search) place(branch string) int {
	return slices.IndexFunc(s.newer, func(b Branch) bool { return b.Name == branch })
}

// variantOf reports whether a change can be another one on other branches: no branch has both as its own, and they share a file's name.
func (c *change) variantOf(o *change) bool {
	if c.class == ClassMain || o.class == ClassMain || slices.ContainsFunc(c.taken, func(t Taken) bool {
		return slices.ContainsFunc(o.taken, func(u Taken) bool { return t.Branch == u.Branch })
	}) {
		return false
	}
	return slices.ContainsFunc(c.info.Change.Files, func(f equiv.File) bool {
		return slices.ContainsFunc(o.info.Change.Files, func(g equiv.File) bool { return path.Base(f.Path) == path.Base(g.Path) })
	})
}

// follow prepares for the commits whose changes are asked for.
func (s *search) follow() {
	var seeds []git.OID
	for _, b := range s.newer {
		seeds = append(seeds, s.changes.Own(b.Commit, append(slices.Clone(s.mains), s.line.Commit)...)...)
	}
	if s.options.Main && !s.repo.Main.Commit.IsZero() {
		seeds = append(seeds, s.changes.Own(s.repo.Main.Commit, s.line.Commit)...)
	}
	s.changes.Follow(seeds)
}

func (s *search) add(ctx context.Context, b Branch, oid git.OID, seen map[git.OID]bool) error {
	same := s.same[oid]
	if same == nil {
		var err error
		if same, err = s.changes.Same(ctx, oid, b.Commit); err != nil {
			return err
		}
		s.same[oid] = same
	}
	seen[oid] = true
	info, _ := s.changes.Commit(oid)
	c := &change{same: same, commit: oid, info: info, branch: b, arrival: s.changes.Arrived(oid, b.Commit), class: ClassMain, at: len(s.all)}
	for _, o := range same.Commits() {
		seen[o] = true
	}
	s.take(c)
	s.all = append(s.all, c)
	return nil
}

// take says which newer branches have a change, and how they came by it.
func (s *search) take(c *change) {
	members := c.same.Commits()
	own := 0
	for _, b := range s.newer {
		t, picks, ok := s.takenBy(members, b)
		if !ok {
			continue
		}
		c.taken = append(c.taken, t)
		if t.Inherited {
			continue
		}
		own++
		if c.first.IsZero() || t.When.Before(c.first) {
			c.first = t.When
		}
		if t.When.After(c.last) {
			c.last = t.When
		}
		c.pulls = append(c.pulls, picks...)
	}
	claims := len(c.arrival.Picks) > 0 || c.info.Claims != nil && (len(c.info.Claims.Picks) > 0 || len(c.info.Claims.Origins) > 0)
	switch {
	case own == 0:
		c.first = s.landedOn(c.commit, c.branch)
		c.last = c.first
	case own > 1 || claims || slices.ContainsFunc(members, s.onMain):
		c.class = ClassPicked
	default:
		c.class = ClassBranch
	}
	if len(c.pulls) == 0 && c.arrival.Pull != 0 {
		c.pulls = []int{c.arrival.Pull}
	}
	slices.Sort(c.pulls)
	c.pulls = slices.Compact(c.pulls)
}

// takenBy says how a newer branch came by a change, and which pull requests that carried over: its own commit goes before one that it has from the main branch.
func (s *search) takenBy(members []git.OID, b Branch) (t Taken, picks []int, ok bool) {
	for _, m := range members {
		if !s.changes.On(m, b.Commit) {
			continue
		}
		a := s.changes.Arrived(m, b.Commit)
		t, ok = Taken{Branch: b.Name, Commit: m, When: s.landedOn(m, b), Inherited: s.onMain(m)}, true
		if !t.Inherited {
			t.Pull = a.Pull
			return t, a.Picks, true
		}
	}
	return t, nil, ok
}

func (s *search) onMain(oid git.OID) bool {
	return slices.ContainsFunc(s.mains, func(m git.OID) bool { return s.changes.On(oid, m) })
}

// landedOn is when a commit came onto a branch: the date of the merge that brought it, else its own committer date.
func (s *search) landedOn(oid git.OID, b Branch) time.Time {
	a := s.changes.Arrived(oid, b.Commit)
	when := time.Unix(a.When, 0).UTC()
	if a.By == oid {
		if own := s.messages[oid].landed; own.After(when) {
			when = own.UTC()
		}
	}
	return when
}
