package triage

import (
	"context"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
)

const (
	maxMoves      = 20  // of one declaration that are followed
	maxCandidates = 300 // paths from which a declaration may have come

	kinWeight = 80 // bytes of lines that a declaration must have to be looked for by them
	sameDecl  = 50 // percent of its lines from which a declaration is taken for another one by a new name
	partlyOld = 50 // percent of its lines, gathered from several, from which a declaration is not taken for something new
)

// place is where a declaration stands.
type place struct{ file, decl string }

// bringing is the commit that brought a declaration.
type bringing struct {
	by  int32 // -1 when there is none that can be read
	at  place // where it put it
	old int   // percent of its lines that stood in the files of the change before
}

// broughtDecl is the newest commit in the fix's history that has a declaration which its parent has not. Where the commit only moved the declaration, from a file
// of the same name or from one that it changes too, or gave it another name or receiver, the search goes on behind it, with what stood there.
func (j *judge) broughtDecl(ctx context.Context, p *part, h *presence.Hunk) (bringing, error) {
	at, before := place{h.Path, h.Decl}, p.seeds[0]
	for range maxMoves {
		by, err := j.broughtTo(ctx, before, at)
		if err != nil || by < 0 {
			return bringing{by: -1, at: at}, ignoreAbsent(err)
		}
		from, old, err := j.stoodAt(ctx, by, at)
		if err != nil {
			return bringing{by: -1, at: at}, ignoreAbsent(err)
		}
		if from == nil {
			return bringing{by, at, old}, nil
		}
		before, at = by, *from
	}
	return bringing{by: -1, at: at}, nil
}

// broughtTo is the newest ancestor of a commit that has a declaration in a file where its parent has not.
func (j *judge) broughtTo(ctx context.Context, before int32, at place) (int32, error) {
	root := j.x.reach(before)
	for _, i := range j.s.touching(at.file) {
		c := &j.x.commits[i]
		if !root.has(i) || i == before || len(c.parents) != 1 {
			continue
		}
		now, err := j.code.content(ctx, c.oid, at.file)
		if err != nil {
			return -1, err
		}
		if !presence.Has(at.file, now, at.decl) {
			continue
		}
		then, err := j.code.content(ctx, j.x.commits[c.parents[0]].oid, at.file)
		if err != nil {
			return -1, err
		}
		if !presence.Has(at.file, then, at.decl) {
			return i, nil
		}
	}
	return -1, nil
}

// stoodAt is the other place at which a declaration stood before commit i brought it to one: in a file of the same name, or in one that the commit changes, there
// also under another name; nil when there is none. Then old says how many percent of its lines stood in those files, wherever.
func (j *judge) stoodAt(ctx context.Context, i int32, at place) (from *place, old int, err error) {
	changed := []string{at.file}
	for _, f := range j.s.files(i) {
		if path.Ext(f.Path) == path.Ext(at.file) && equiv.IsSource(f.Path) && len(changed) < maxCandidates && !slices.Contains(changed, f.Path) {
			changed = append(changed, f.Path)
		}
	}
	parent := j.x.commits[j.x.commits[i].parents[0]].oid
	for _, other := range slices.Concat(j.code.paths[path.Base(at.file)], changed) {
		then, unread := j.code.content(ctx, parent, other)
		if unread != nil {
			return nil, 0, unread
		}
		if other != at.file && presence.Has(other, then, at.decl) {
			return &place{other, at.decl}, 0, nil
		}
	}
	now, err := j.code.content(ctx, j.x.commits[i].oid, at.file)
	if err != nil {
		return nil, 0, err
	}
	return j.kinAt(ctx, parent, changed, presence.Read(at.file, now).Body(at.decl))
}

// kinAt is where a declaration with half of some lines stands in files of a commit; nil when there is none. Then old says how many percent of the lines stand there,
// wherever.
func (j *judge) kinAt(ctx context.Context, commit git.OID, files, body []string) (from *place, old int, err error) {
	total := presence.Weigh(body)
	if total < kinWeight {
		return nil, 0, nil
	}
	var stood []string
	best := 0
	for _, file := range files {
		content, unread := j.code.content(ctx, commit, file)
		if unread != nil {
			return nil, 0, unread
		}
		then := presence.Read(file, content)
		stood = append(stood, then.Shared(body)...)
		if decl, percent := then.Kin(body); percent > best && (decl != "" || path.Ext(file) != ".go") {
			from, best = &place{file, decl}, percent
		}
	}
	if best >= sameDecl {
		return from, 0, nil
	}
	slices.Sort(stood)
	return nil, presence.Weigh(slices.Compact(stood)) * 100 / total, nil
}
