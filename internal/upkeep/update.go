package upkeep

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/memory"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Updated is what an update did to a line.
type Updated struct {
	Minor     release.Minor `json:"minor"`
	Base      string        `json:"base"`
	Tip       git.OID       `json:"tip"`       // the commit of the whole series, in the project's store
	Tree      git.OID       `json:"tree"`      // its tree
	Patches   []string      `json:"patches"`   // new ones
	Conflicts []string      `json:"conflicts"` // open ones
	Entries   []lts.Entry   `json:"entries"`   // of the ledger, those that were asked for
	Alarms    []Alarm       `json:"alarms"`    // decisions that the evidence contradicts now, of the whole ledger
	Changed   bool          `json:"changed"`   // whether any file changed
}

// Update judges a line, carries over what it lacks and writes patches, series, ledger and conflicts. The records are those to judge; what the
// ledger says of others stays. With nothing new it changes no byte.
func (p *Project) Update(ctx context.Context, minor release.Minor, records []*vuln.Record, today release.Date) (*Updated, error) {
	state, tip, err := p.open(ctx, minor)
	if err != nil {
		return nil, err
	}
	p.Progress.step(0, 0, "triage")
	assessments, err := p.assess(ctx, state.line, records)
	if err != nil {
		return nil, err
	}
	known, err := ReadMemory(p.Files, MemoryDir)
	if err != nil {
		return nil, err
	}
	u := &update{
		project: p, state: state, chain: tip, engine: backport.New(p.Store, p.Upstream), memory: known,
		made: map[git.OID]*work{}, blocked: map[string]bool{},
	}
	if err := u.plan(ctx, assessments); err != nil {
		return nil, err
	}
	if err := u.pickAll(ctx); err != nil {
		return nil, err
	}
	var ch change
	if err := u.write(ctx, &ch, assessments, today); err != nil {
		return nil, err
	}
	if err := p.Store.SetRef(ctx, "refs/kubelts/lines/"+minor.String(), u.chain.tip); err != nil {
		return nil, err
	}
	if err := ch.commit(p.Files); err != nil {
		return nil, err
	}
	return u.result(assessments, !ch.empty()), nil
}

// update is one update of one line.
type update struct {
	project *Project
	state   *lineState
	chain   *chain
	engine  *backport.Engine
	memory  *memory.Library
	queue   []*work           // in upstream's order
	made    map[git.OID]*work // by upstream commit
	blocked map[string]bool   // vulnerabilities with a commit that did not get in
	patches []newPatch
}

// work is one upstream commit to carry over.
type work struct {
	need
	vulnerabilities []string
	result          backport.Result
	patch           string // file name once it is in the series
	conflict        string // directory once it is laid out
	waiting         bool
}

type newPatch struct {
	name    string
	content []byte
}

// plan makes the queue: what is needed, not on the base, not in the series, and not waived by a person.
func (u *update) plan(ctx context.Context, assessments []assessment) error {
	position, err := u.project.order(ctx, assessments, u.state.line.Base.Commit)
	if err != nil {
		return err
	}
	inSeries := u.inSeries()
	for _, a := range assessments {
		if u.state.waived(u.state.ledger.Find(a.record.ID)) {
			continue
		}
		for _, n := range a.needs {
			if n.present || n.missing != nil || inSeries[n.commit] != nil {
				continue
			}
			w := u.made[n.commit]
			if w == nil {
				w = &work{need: n}
				u.made[n.commit] = w
				u.queue = append(u.queue, w)
			}
			if !slices.Contains(w.vulnerabilities, a.record.ID) {
				w.vulnerabilities = append(w.vulnerabilities, a.record.ID)
			}
		}
	}
	slices.SortStableFunc(u.queue, func(a, b *work) int { return cmp.Compare(position[a.commit], position[b.commit]) })
	return nil
}

func (u *update) inSeries() map[git.OID]*lts.Patch {
	carried := map[git.OID]*lts.Patch{}
	for _, patch := range u.state.patches {
		if id := patch.Upstream(); !id.IsZero() {
			carried[id] = patch
		}
	}
	return carried
}

// pickAll goes through the queue until nothing more gets in: a patch may bring what an earlier pick lacked. So every conflict that
// remains is one with the whole series.
func (u *update) pickAll(ctx context.Context) error {
	left := u.queue
	for len(left) > 0 {
		clear(u.blocked)
		var stuck []*work
		for i, w := range left {
			u.project.Progress.step(i, len(left), "pick "+w.commit.Short())
			in, err := u.pick(ctx, w)
			if err != nil {
				return err
			}
			if !in {
				stuck = append(stuck, w)
			}
		}
		if len(stuck) == len(left) {
			return nil
		}
		left = stuck
	}
	return nil
}

// pick tries one commit on the tip and reports whether it needs no further try. A commit of a fix whose earlier commit is stuck waits.
func (u *update) pick(ctx context.Context, w *work) (bool, error) {
	w.waiting = slices.ContainsFunc(w.vulnerabilities, func(id string) bool { return u.blocked[id] })
	if w.waiting {
		return false, nil
	}
	inHand, err := u.project.inHand(u.state, w.commit)
	if err != nil {
		return false, err
	}
	u.engine.UseMemory(u.memory)
	if inHand {
		u.engine.UseMemory(nil)
	}
	w.result = u.engine.Pick(ctx, backport.Request{
		ID: w.commit.String(), Commit: w.commit, Onto: u.state.line.Base.Commit, OntoTree: u.chain.tree, Instances: w.instances,
	})
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	switch w.result.Outcome {
	case backport.Present, backport.Empty:
		return true, nil
	case backport.Clean, backport.Resolved:
		return true, u.add(ctx, w)
	default: // a conflict, or an error that the ledger will name
	}
	for _, id := range w.vulnerabilities {
		u.blocked[id] = true
	}
	return false, nil
}

// add makes a patch of a pick and puts it upon the tip.
func (u *update) add(ctx context.Context, w *work) error {
	trailers := []git.Trailer{{Key: lts.TrailerPickedBy, Value: w.result.Rung}}
	patch, content, err := u.project.makePatch(ctx, u.chain, replant{
		upstream: w.commit, tree: w.result.Tree, vulnerabilities: w.vulnerabilities, trailers: trailers,
		number: nextNumber(u.state.series), source: w.result.Source,
	})
	if err != nil {
		return err
	}
	w.patch = patch.Name
	u.state.series.Append(patch.Name)
	u.state.patches, u.state.contents = append(u.state.patches, patch), append(u.state.contents, content)
	u.patches = append(u.patches, newPatch{patch.Name, content})
	return nil
}

// replant is a change that becomes a patch.
type replant struct {
	upstream        git.OID // whose message and author it keeps
	source          git.OID // the instance that it was taken from
	tree            git.OID // the tip's tree with the change
	vulnerabilities []string
	trailers        []git.Trailer
	number          int
}

// makePatch writes a mail file for a tree upon the tip, proves that it gives that tree, and moves the tip.
func (p *Project) makePatch(ctx context.Context, c *chain, r replant) (*lts.Patch, []byte, error) {
	upstream, err := p.Store.Commit(ctx, r.upstream)
	if err != nil {
		return nil, nil, err
	}
	author := cleanAuthor(upstream.Author)
	trailers := []git.Trailer{{Key: lts.TrailerUpstream, Value: r.upstream.String()}}
	for _, id := range r.vulnerabilities {
		trailers = append(trailers, lts.FixTrailer(id))
	}
	id, err := p.Store.WriteCommit(ctx, &git.Commit{
		Tree: r.tree, Parents: []git.OID{c.tip}, Author: author,
		Committer: git.Signature{Name: committer().Name, Email: committer().Email, When: author.When},
		Message:   lts.ReplantMessage(upstream.Message, append(trailers, r.trailers...)),
	})
	if err != nil {
		return nil, nil, err
	}
	content, err := p.Store.FormatPatch(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("make a patch of %s: %w", r.upstream.Short(), err)
	}
	patch, err := lts.ParsePatch(lts.PatchName(r.number, upstream.Subject()), content)
	if err != nil {
		return nil, nil, errs.New(errs.Internal, "the patch of %s: %w", r.upstream, err)
	}
	if err := c.apply(ctx, patch); err != nil {
		return nil, nil, errs.New(errs.Internal, "the patch of %s does not apply: %w", r.upstream, err)
	}
	if c.tree != r.tree || patch.Upstream() != r.upstream {
		return nil, nil, errs.New(errs.Internal, "the patch of %s gives tree %s, not %s", r.upstream, c.tree, r.tree)
	}
	return patch, content, nil
}

// cleanAuthor makes an author that can stand in a mail header: history holds ones that cannot.
func cleanAuthor(s git.Signature) git.Signature {
	clean := func(text, otherwise string) string {
		text = strings.Map(func(r rune) rune {
			if r < 0x20 || strings.ContainsRune(`<>"\`, r) {
				return -1
			}
			return r
		}, strings.ToValidUTF8(text, "\uFFFD"))
		return cmp.Or(strings.TrimSpace(text), otherwise)
	}
	if s.When.IsZero() {
		s.When = s.When.AddDate(1969, 0, 0)
	}
	return git.Signature{Name: clean(s.Name, "unknown"), Email: clean(s.Email, "unknown"), When: s.When}
}

// nextNumber is one more than the highest number that a patch of the series has.
func nextNumber(s *lts.Series) int {
	highest := 0
	for _, e := range s.Entries {
		n := 0
		for _, r := range e.Name {
			if r < '0' || r > '9' || n > 100_000 {
				break
			}
			n = 10*n + int(r-'0')
		}
		highest = max(highest, n)
	}
	return highest + 1
}

func (u *update) result(assessments []assessment, changed bool) *Updated {
	r := &Updated{
		Minor: u.state.line.Minor, Base: u.state.line.Base.Tag, Tip: u.chain.tip, Tree: u.chain.tree, Changed: changed,
		Patches: []string{}, Conflicts: []string{}, Entries: []lts.Entry{}, Alarms: alarms(u.state.ledger.Vulnerabilities),
	}
	for _, patch := range u.patches {
		r.Patches = append(r.Patches, patch.name)
	}
	for _, c := range u.state.conflicts {
		r.Conflicts = append(r.Conflicts, c.name)
	}
	for _, a := range assessments {
		if e := u.state.ledger.Find(a.record.ID); e != nil {
			r.Entries = append(r.Entries, *e)
		}
	}
	return r
}
