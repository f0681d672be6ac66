package triage

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxMembers bounds the commits that are taken for the same change.
const maxMembers = 10_000

// kindOrder is the order in which kinds of evidence are preferred.
func kindOrder(kind string) int {
	return slices.Index([]string{
		KindAncestor, KindNamed, KindPatchID, KindPlainPatch, KindTrailer, KindAuthorDateSubject, KindPullRequest, KindFilePatch, KindLines, KindDependency, KindPostImage,
	}, kind)
}

// neighbour is a commit that seems to be the same change as another one, and why.
type neighbour struct {
	commit    int32
	evidence  Evidence
	elsewhere bool // it makes the change in files of other names
}

// neighbours are the commits that say or show that they are the same change as commit i.
func (j *judge) neighbours(i int32) []neighbour {
	x, c := j.x, &j.x.commits[i]
	var found []neighbour
	add := func(others []int32, kind, note string) {
		if j.without(kind) {
			return
		}
		for _, o := range others {
			if o != i && !x.commits[o].merge {
				found = append(found, neighbour{commit: o, evidence: Evidence{Kind: kind, Commit: x.commits[o].oid, Note: note}})
			}
		}
	}
	if c.change != nil {
		if id := c.change.Patch; !id.IsZero() {
			add(j.s.byPatch[id], KindPatchID, "patch-id "+id.Short()+" as "+c.oid.Short())
		}
	}
	if !c.kube.IsZero() {
		add(j.distinct(i, x.byKube[c.kube]), KindTrailer, "Kubernetes-commit "+c.kube.Short()+" as "+c.oid.Short())
		add(x.byOrigin[c.kube.String()], KindTrailer, "cherry picked from commit "+c.kube.Short()+", published as "+c.oid.Short())
	}
	add(x.byOrigin[c.oid.String()], KindTrailer, "cherry picked from commit "+c.oid.Short())
	if c.claims != nil {
		for _, origin := range c.claims.Origins {
			add(x.named(origin), KindTrailer, "origin of "+c.oid.Short()+" by its message")
			add(x.byOrigin[origin], KindTrailer, "cherry picked from commit "+origin+" as "+c.oid.Short())
		}
	}
	if c.when > 0 && c.subject != "" {
		add(j.distinct(i, x.bySign[c.signature()]), KindAuthorDateSubject, "author, author date and subject of "+c.oid.Short())
		add(x.pickedAsMerge(i), KindAuthorDateSubject, "subject of "+c.oid.Short()+", author and author date of the merge that brought it")
	}
	return found
}

// pickedAsMerge are the commits that somebody made by picking the merge that brought commit i (git cherry-pick -m 1): they have the merge's
// author and author date, and were given the commit's subject.
func (x *index) pickedAsMerge(i int32) []int32 {
	var found []int32
	for _, o := range x.byTitle[x.commits[i].subject] {
		c := &x.commits[o]
		if o == i || c.when == 0 {
			continue
		}
		if slices.ContainsFunc(x.merged[signature{author: c.author, when: c.when}], func(m int32) bool { return slices.Contains(x.brought(m), i) }) {
			found = append(found, o)
		}
	}
	return found
}

// distinct keeps the commits that can only be commit i elsewhere. Where one history has several commits that are alike ("Update generated
// files", twice in one pull request), which is which is told by their files; where that does not tell, none is kept.
func (j *judge) distinct(i int32, alike []int32) []int32 {
	var twins []int32
	for _, tip := range slices.Concat(j.mains, j.tips) {
		root := j.x.reach(tip)
		if !root.has(i) {
			continue
		}
		for _, other := range alike {
			if other != i && root.has(other) {
				twins = append(twins, other)
			}
		}
		break
	}
	if len(twins) == 0 {
		return alike
	}
	own := j.s.base(i)
	if len(own) == 0 || slices.ContainsFunc(twins, func(t int32) bool { return slices.Equal(j.s.base(t), own) }) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(alike), func(other int32) bool {
		return slices.Contains(twins, other) || !slices.Equal(j.s.base(other), own)
	})
}

// isAnother says whether commit i is another commit of the history that a part stands in, or the landed instance of one: it has that one's subject, which no seed
// has, or its author, author date and subject.
func (j *judge) isAnother(p *part, i int32) bool {
	c := &j.x.commits[i]
	own := func(same func(seed *commit) bool) bool {
		return slices.ContainsFunc(p.seeds, func(seed int32) bool { return same(&j.x.commits[seed]) })
	}
	titled := own(func(seed *commit) bool { return seed.subject == c.subject })
	if titled && (j.without(KindAuthorDateSubject) || own(func(seed *commit) bool { return seed.signature() == c.signature() })) {
		return false
	}
	for _, tip := range slices.Concat(j.mains, j.tips) {
		root := j.x.reach(tip)
		if !root.has(p.seeds[0]) {
			continue
		}
		if !titled {
			return root.has(i) || slices.ContainsFunc(j.x.byTitle[c.subject], root.has)
		}
		return !root.has(i) && slices.ContainsFunc(j.x.bySign[c.signature()], root.has)
	}
	return false
}

func (j *judge) sameSubject(p *part, i int32) bool {
	return slices.ContainsFunc(p.seeds, func(seed int32) bool { return j.x.commits[seed].subject == j.x.commits[i].subject })
}

// raised are the commits with the subject of a seed that bring the dependency of which the subject speaks to the same version; of a seed that only
// pins dependencies, and whose subject speaks of none of them, those that bring all of them to the same versions.
func (j *judge) raised(p *part) []neighbour {
	var found []neighbour
	if j.without(KindDependency) {
		return nil
	}
	for _, seed := range p.seeds {
		c := &j.x.commits[seed]
		// What another commit of that subject brings, too, does not tell them apart.
		namesakes := j.namesakes(seed)
		own := slices.DeleteFunc(slices.Clone(j.s.bumps[seed]), func(bump string) bool {
			return slices.ContainsFunc(namesakes, func(o int32) bool { return slices.Contains(j.s.bumps[o], bump) })
		})
		wanted, enough := spokenOf(c.subject, own), 1
		if len(wanted) == 0 && len(j.s.sources(seed)) == 0 {
			wanted = modulesOf(own)
			enough = len(wanted)
		}
		if len(wanted) == 0 {
			continue
		}
		for _, i := range j.x.byTitle[c.subject] {
			both := slices.DeleteFunc(slices.Clone(wanted), func(bump string) bool { return !slices.Contains(j.s.bumps[i], bump) })
			if i != seed && len(both) >= enough && !j.isAnother(p, i) {
				found = append(found, neighbour{commit: i, evidence: Evidence{Kind: KindDependency, Commit: j.x.commits[i].oid, Path: "go.mod", Note: both[0] + " with the subject of " + c.oid.Short()}})
			}
		}
	}
	return found
}

// modulesOf leaves the version of the language out: that a subject must speak of.
func modulesOf(bumps []string) []string {
	return slices.DeleteFunc(slices.Clone(bumps), func(bump string) bool { return strings.HasPrefix(bump, language+" ") })
}

// gathering collects the commits that are the same change as a part.
type gathering struct {
	*judge

	part    *part
	members map[int32][]Evidence
	queue   []int32 // members whose neighbours were not looked at
}

// gather finds the commits that are the same change as a part.
func (j *judge) gather(ctx context.Context, p *part) (map[int32][]Evidence, error) {
	g := &gathering{judge: j, part: p, members: map[int32][]Evidence{}}
	for _, seed := range p.seeds {
		g.members[seed] = nil
		g.queue = append(g.queue, seed)
	}
	more := slices.Concat(j.plainTwins(p), j.carried(p), j.raised(p), j.sameFiles(p))
	similar, err := j.similar(ctx, p)
	if err != nil {
		return nil, err
	}
	for more = append(more, similar...); ; {
		for _, n := range more {
			g.take(n)
		}
		if len(g.queue) == 0 || len(g.members) > maxMembers {
			return g.members, nil
		}
		more = g.next()
	}
}

// next are the neighbours of a member. A chain is as strong as its weakest link: what is found by way of a member is no better evidence than that
// by which the member was found.
func (g *gathering) next() []neighbour {
	slices.SortStableFunc(g.queue, func(a, b int32) int { return g.rank(a) - g.rank(b) })
	from := g.queue[0]
	g.queue = g.queue[1:]
	found := g.neighbours(from)
	rank := g.rank(from)
	for n := range found {
		if e := &found[n].evidence; kindOrder(e.Kind) < rank {
			best := slices.MinFunc(g.members[from], func(a, b Evidence) int { return kindOrder(a.Kind) - kindOrder(b.Kind) })
			e.Note += ", which is one by " + best.Kind + " only"
			e.Kind = best.Kind
		}
	}
	return found
}

// rank is the order of the best evidence for a member; that of a seed is before all.
func (g *gathering) rank(i int32) int {
	best := -1
	for _, e := range g.members[i] {
		if r := kindOrder(e.Kind); best < 0 || r < best {
			best = r
		}
	}
	return best
}

// take makes a neighbour a member. What only a message says must be borne out by a file that both touch; where both change nothing here, as what the publishing of a
// staging repository left out, there is none to touch.
func (g *gathering) take(n neighbour) {
	if n.evidence.Kind != KindPatchID {
		names := g.s.base(n.commit)
		_, member := g.members[n.commit]
		nothing := g.changesNothing(g.part) && g.x.commits[n.commit].nothing()
		if shared(g.part.names, names) == 0 && !member && !n.elsewhere && !nothing {
			return
		}
		n.evidence.Note += coverage(g.part.names, names)
	}
	n.evidence.Strength = strengthOf(n.evidence.Kind)
	known, ok := g.members[n.commit]
	if !ok {
		g.queue = append(g.queue, n.commit)
	}
	if !slices.ContainsFunc(known, func(e Evidence) bool { return e.Kind == n.evidence.Kind }) {
		g.members[n.commit] = append(known, n.evidence)
	}
}

// coverage says so when a commit touches only some of a fix's files.
func coverage(fix, commit []string) string {
	if n := shared(fix, commit); n < len(fix) {
		return fmt.Sprintf("; touches %d of its %d files", n, len(fix))
	}
	return ""
}

// clip keeps a subject from a stranger short enough to print.
func clip(subject string) string {
	const limit = 120
	if len(subject) <= limit {
		return subject
	}
	return strings.ToValidUTF8(subject[:limit], "") + "..."
}
