package candidate

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/triage"
)

const (
	enoughLines = 40 // bytes of telling lines from which lines that stand on the line show that it has the change
	maxTogether = 80 // commits of one pull request that are one candidate; of more, each change is its own
	maxPaths    = 6  // that a candidate names
)

// search is one run for one line.
type search struct {
	*Finder

	line    Branch
	options Options
	newer   []Branch
	all     []*change
	known   map[string]string // by what brought changes together: the record that names one of them
	report  *Report
}

// Find finds the candidates for a line: a branch, or any revision with the minor that it is for.
func (f *Finder) Find(ctx context.Context, line Branch, o Options) (*Report, error) {
	s := &search{Finder: f, line: line, options: o, known: map[string]string{}, report: &Report{Line: line.Name, Commit: line.Commit, LeftOut: map[Reason]int{}, Candidates: []Candidate{}}}
	for _, b := range f.repo.Branches {
		if release.CompareMinors(b.Minor, line.Minor) > 0 {
			s.newer = append(s.newer, b)
			s.report.Newer = append(s.report.Newer, b.Name)
		}
	}
	if line.Minor.IsZero() || line.Commit.IsZero() {
		return nil, errs.WithHint(errs.New(errs.Invalid, "line %q: it is not known which minor it is for", line.Name), "name a release branch, such as release-1.20")
	}
	if _, ok := f.changes.Commit(line.Commit); !ok {
		return nil, errs.New(errs.Internal, "line %q: commit %s was not walked", line.Name, line.Commit)
	}
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	if err := s.collect(ctx); err != nil {
		return nil, err
	}
	s.report.Changes = len(s.all)
	if err := s.sift(ctx); err != nil {
		return nil, err
	}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	s.finish()
	return s.report, nil
}

// begin finds since when changes count, and reads the messages of what newer branches have.
func (s *search) begin(ctx context.Context) error {
	include := make([]git.OID, 0, len(s.newer)+1)
	for _, b := range s.newer {
		include = append(include, b.Commit)
	}
	exclude := append(slices.Clone(s.mains), s.line.Commit)
	if s.options.Main {
		include, exclude = append(include, s.mains...), []git.OID{s.line.Commit}
	}
	if err := s.readMessages(ctx, include, exclude); err != nil {
		return err
	}
	s.report.Since = s.options.Since
	if last, ok := s.changes.LastRelease(s.line.Commit, s.line.Minor); ok {
		s.report.LastRelease = last.Name
	}
	if s.report.Since.IsZero() {
		end, err := s.endOf(ctx, s.line)
		if err != nil {
			return err
		}
		s.report.Since = end
	}
	return nil
}

// sift leaves out what needs no look at the code.
func (s *search) sift(ctx context.Context) error {
	var near []git.OID
	for _, c := range s.all {
		if c.reason != "" {
			continue
		}
		if err := s.cheap(ctx, c); err != nil {
			return err
		}
		if c.reason == "" && c.unseen == "" {
			near = append(near, c.commit)
			near = append(near, c.same.Namesakes(s.line.Commit)...)
		}
	}
	if err := s.changes.Read(ctx, near); err != nil {
		return err
	}
	for _, c := range s.all {
		if c.reason != "" || c.unseen != "" || len(c.same.Namesakes(s.line.Commit)) == 0 {
			continue
		}
		if err := c.same.Closely(ctx); err != nil {
			return err
		}
		if err := s.has(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// cheap leaves a change out by what the index knows.
func (s *search) cheap(ctx context.Context, c *change) error {
	if c.info.Change != nil && c.info.Change.Unread != "" {
		c.unseen = c.info.Change.Unread
		return nil
	}
	if err := s.has(ctx, c); err != nil || c.reason != "" {
		return err
	}
	members := c.same.Commits()
	for _, v := range c.variants {
		members = append(members, v.same.Commits()...)
	}
	if id := s.recordOf(members, c.pulls); id != "" {
		c.reason, c.note = Known, id
		return nil
	}
	if c.info.Change != nil {
		c.reason = reasonOf(c.info.Change.Files)
	}
	if c.reason == Dependencies && s.message(c).names() {
		c.reason = ""
	}
	if c.reason != "" {
		return nil
	}
	if !c.last.After(s.report.Since) {
		c.reason, c.note = BeforeEnd, c.branch.Name+" took it on "+c.first.Format(time.DateOnly)
		return nil
	}
	if c.class == ClassMain && !s.message(c).severe() {
		c.reason = NoSign
		return nil
	}
	return s.reverted(ctx, c)
}

// has leaves a change out that the line has, or had, in these lines or in others.
func (s *search) has(ctx context.Context, c *change) error {
	for _, v := range c.variants {
		v.reason = ""
		if err := s.has(ctx, v); err != nil {
			return err
		}
		if v.reason != "" {
			c.reason, c.note = v.reason, v.note
		}
		v.reason = Variant
	}
	if c.reason != "" {
		return nil
	}
	for _, m := range c.same.Commits() {
		if !s.changes.On(m, s.line.Commit) {
			continue
		}
		by, reverted, err := c.same.Reverted(ctx, s.line.Commit)
		if err != nil {
			return err
		}
		if c.reason, c.note = OnLine, m.String(); reverted {
			c.reason, c.note = RevertedHere, by.String()
		} else if why := c.same.Evidence(m); len(why) > 0 {
			c.note += " by " + why[0].Kind
		}
		return nil
	}
	return nil
}

// reverted leaves a change out that every newer branch which took it took back.
func (s *search) reverted(ctx context.Context, c *change) error {
	standing := 0
	for i := range c.taken {
		t := &c.taken[i]
		at := slices.IndexFunc(s.newer, func(b Branch) bool { return b.Name == t.Branch })
		by, back, err := c.same.Reverted(ctx, s.newer[at].Commit)
		if err != nil {
			return err
		}
		if !back {
			standing++
			continue
		}
		t.Reverted = by
		c.note = by.String()
	}
	if standing == 0 && c.note != "" {
		c.reason = Reverted
	}
	return nil
}

// look looks at the line's code for what is left.
func (s *search) look(ctx context.Context) error {
	var left []*triage.Change
	for _, c := range s.all {
		if c.reason == "" && c.unseen == "" {
			left = append(left, c.same)
		}
	}
	s.changes.Watch(left)
	for _, c := range s.all {
		if c.reason != "" || c.unseen != "" {
			continue
		}
		var err error
		if c.view, err = c.same.Look(ctx, s.line.Commit); err != nil {
			return err
		}
		if fault := c.view.Fault; fault != nil {
			c.unseen = fault.Error()
			continue
		}
		c.reason = standing(c)
	}
	return nil
}

// standing says by the line's code why a change is no candidate.
func standing(c *change) Reason {
	code, weight := codeOf(c)
	switch {
	case c.info.Change != nil && reasonOf(c.info.Change.Files) == Dependencies:
		return ""
	case code.Before > 0:
		return ""
	case c.info.Claims.IsRevert() && code.After > 0:
		return AlreadyThere // it takes back what the line never had
	case code.Drifted > 0:
		return ""
	case code.After > 0 && weight >= enoughLines && code.Absent == 0:
		return AlreadyThere
	case code.After > 0:
		return ""
	case code.Absent > 0:
		return CodeAbsent
	}
	return NewCode
}

// codeOf counts the places that a change touches, those that it brought left out, and weighs what it brings.
func codeOf(c *change) (code Code, weight int) {
	for i, st := range c.view.States {
		h := &c.view.Hunks[i]
		weight += h.Weight()
		if h.New {
			continue
		}
		switch st {
		case presence.Before:
			code.Before++
		case presence.Drifted:
			code.Drifted++
		case presence.Absent:
			code.Absent++
		case presence.After:
			code.After++
		}
		if where := c.view.Where[i]; (st == presence.Before || st == presence.Drifted) && !slices.Contains(code.Paths, where) && len(code.Paths) < maxPaths {
			code.Paths = append(code.Paths, where)
		}
	}
	return code, weight
}

// message is what a change says of itself.
func (s *search) message(c *change) *message {
	if c.says == nil {
		text := s.messages[c.commit].message
		if text == "" {
			text = c.info.Subject
		}
		m := readMessage(text, c.arrival.Title)
		m.spoken = m.speaks()
		c.says = &m
	}
	return c.says
}

// names reports whether a message names a flaw.
func (m *message) names() bool {
	_, ok := m.has(words()[0])
	return ok
}

// severe reports whether a message speaks of more than a bug.
func (m *message) severe() bool {
	return slices.ContainsFunc(m.spoken, func(f found) bool {
		return f.severity != SeverityBug && f.severity != SeverityRegression && f.where != "body"
	})
}

// key is what the commits of one candidate have in common: the branch, and the merge that brought them.
func (c *change) key() string { return c.branch.Name + " " + c.arrival.By.String() }

// finish makes candidates of what is left, and counts the rest.
func (s *search) finish() {
	groups, with := map[string][]*change{}, map[string][]*change{}
	var keys []string
	for _, c := range s.all {
		if c.reason != "" || c.unseen != "" {
			continue
		}
		if groups[c.key()] == nil {
			keys = append(keys, c.key())
		}
		groups[c.key()] = append(groups[c.key()], c)
	}
	for _, c := range s.all {
		if c.reason == Known {
			s.known[c.key()] = c.note
		}
		if c.companion() && groups[c.key()] != nil && c.last.After(s.report.Since) {
			with[c.key()] = append(with[c.key()], c)
		}
	}
	for _, key := range keys {
		s.join(groups[key], with[key])
	}
	for _, c := range s.all {
		switch {
		case c.unseen != "":
			s.report.NotObserved = append(s.report.NotObserved, Unseen{c.commit, c.info.Subject, c.unseen})
		case c.reason != "":
			s.report.LeftOut[c.reason]++
			s.report.Left = append(s.report.Left, Left{c.reason, c.commit, c.info.Subject, c.note})
		}
	}
	slices.SortStableFunc(s.report.Candidates, compare)
}

// companion reports whether a change that is no candidate belongs to one that came with it.
func (c *change) companion() bool {
	return slices.Contains([]Reason{Tests, Docs, Generated, Building, Dependencies, NewCode, CodeAbsent}, c.reason)
}

// join makes one candidate of the changes of a pull request, or one of each where there are many.
func (s *search) join(group, more []*change) {
	if len(group)+len(more) > maxTogether {
		for _, c := range group {
			s.report.Candidates = append(s.report.Candidates, s.candidate([]*change{c}, nil))
		}
		return
	}
	for _, c := range more {
		c.note, c.reason = string(c.reason)+", with "+group[0].commit.String(), Together
	}
	s.report.Candidates = append(s.report.Candidates, s.candidate(group, more))
}

func compare(a, b Candidate) int {
	if a.Score != b.Score {
		return b.Score - a.Score
	}
	if c := b.Last.Compare(a.Last); c != 0 {
		return c
	}
	return strings.Compare(a.Commits[0].String(), b.Commits[0].String())
}
