package triage

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/patch"
	"github.com/kubelts/kubelts/internal/presence"
)

const (
	maxTexts   = 60 // lines that are searched for
	minTexts   = 2  // telling lines that the flaw's code must have, to be looked for by them
	maxRemoved = 30 // source lines that a change may take away and still only bring something new
	newShare   = 5  // it may take away a line for so many that it brings
)

// origin is where the code that a part changes came from.
type origin struct {
	commits []int32    // that brought the declarations, each once
	seen    []Evidence // the declarations with their commits
	texts   []string   // lines of the code that stood in no other file when the fix was made
	words   []string   // names that the fix's lines use, and that stood in few files when it was made
	suffix  string     // of the files in which they stood
	unsure  []Evidence // why it cannot be told; then the rest does not count
	unknown bool       // it was there from the start, or nothing is known of where it came from
}

func (o *origin) doubt(e Evidence, format string, args ...any) {
	e.Kind, e.Note = KindNotIntroduced, fmt.Sprintf(format, args...)
	o.unsure = append(o.unsure, e)
}

// moved are words in the subject of a change that may have brought code from elsewhere, or put new code in the place of old.
var moved = regexp.MustCompile(`(?i)\b(?:mov(?:e|es|ed|ing)|cop(?:y|ied|ies)|renam(?:e|es|ed|ing)|relocat\w*|extract\w*|split\w*|migrat\w*|promot\w*|import(?:s|ed|ing)?|vendor\w*|refactor\w*|rewrit\w*|rewrote|replac\w*|rework\w*|switch\w*|sync\w*|staging|initial|publish\w*|merg(?:e|es|ed|ing) from|revert\w*|reapply|restore\w*|re-?add\w*|re-?introduc\w*|bump\w*|clean\w*|simplif\w*|consolidat\w*|unif\w*|generali[sz]\w*|convert\w*|port(?:s|ed|ing)?)\b`)

var yearForm = regexp.MustCompile(`Copyright (?:\(c\) |© )?([12][0-9]{3})`)

// originOf finds the commits that brought the code which a part changes: for each declaration the newest commit in the fix's own history behind which it is there
// and before which it is not. Code that may have come from elsewhere, or taken the place of other code, has no origin that clears anybody.
func (j *judge) originOf(ctx context.Context, p *part) (*origin, error) {
	if o, known := j.origins[p]; known {
		return o, nil
	}
	o := &origin{}
	j.origins[p] = o
	hunks, err := j.hunks(ctx, p.seeds[0])
	if err != nil {
		return nil, err
	}
	var texts, words []string
	done := map[string]bool{}
	for i := range hunks {
		h := &hunks[i]
		if h.New {
			continue
		}
		o.suffix = path.Ext(h.Path)
		texts, words = append(texts, h.Raw...), append(words, h.Words...)
		if key := h.Path + "\x00" + h.Decl; !done[key] {
			done[key] = true
			if err = j.bringer(ctx, p, h, o); err != nil {
				return nil, err
			}
		}
	}
	if slices.ContainsFunc(hunks, func(h presence.Hunk) bool { return !h.New && path.Ext(h.Path) != o.suffix }) {
		o.suffix = ""
	}
	if len(o.commits) == 0 && len(o.unsure) == 0 {
		o.unknown = true
		o.doubt(Evidence{}, "the fix changes no declaration that was there before it")
	}
	if len(o.unsure) > 0 {
		return o, nil
	}
	o.texts, err = j.telling(ctx, p, texts, o.suffix)
	if err != nil {
		return nil, err
	}
	if len(o.texts) < minTexts {
		o.doubt(Evidence{}, "the code has %d lines that stand in no other file: too few to look for it by text", len(o.texts))
		return o, nil
	}
	o.words, err = j.rare(ctx, p, words, o.suffix)
	return o, err
}

// bringer finds the commit that brought the declaration of a hunk, and looks whether it only brought something new.
func (j *judge) bringer(ctx context.Context, p *part, h *presence.Hunk, o *origin) error {
	what := Evidence{Path: h.Path}
	if slices.Contains([]string{"func init", "func main", "var _"}, h.Decl) {
		o.doubt(what, "%s: any file may have one", h.Decl)
		return nil
	}
	if h.Decl == "" && path.Ext(h.Path) == ".go" {
		o.unknown = true
		o.doubt(what, "the fix changes what stands outside of declarations")
		return nil
	}
	b, err := j.broughtDecl(ctx, p, h)
	if err != nil {
		return err
	}
	if b.by < 0 {
		o.unknown = o.unknown || b.at.decl == h.Decl
		o.doubt(what, "%s: no commit is seen to bring it", h.Decl)
		return nil
	}
	c := &j.x.commits[b.by]
	what.Commit, what.Path = c.oid, b.at.file
	why := ""
	if b.old >= partlyOld {
		why = fmt.Sprintf("brought it with %d %% of lines that stood there before", b.old)
	} else if why, err = j.notNew(ctx, b.by, b.at.file, h); err != nil {
		return err
	}
	if why != "" {
		o.doubt(what, "%s came with %q, which %s", b.at.decl, clip(c.full), why)
		return nil
	}
	if !slices.Contains(o.commits, b.by) {
		o.commits = append(o.commits, b.by)
	}
	what.Kind, what.Note = KindNotIntroduced, fmt.Sprintf("%s came with it (%s), and it is neither an ancestor nor repeated", b.at.decl, clip(c.full))
	o.seen = append(o.seen, what)
	return nil
}

// notNew says why a commit may have done more than bring something new; empty when nothing speaks for that.
func (j *judge) notNew(ctx context.Context, by int32, file string, h *presence.Hunk) (string, error) {
	c := &j.x.commits[by]
	together := []int32{by}
	titles := []string{c.full}
	for _, tip := range slices.Concat(j.mains, j.tips) {
		if !j.x.reach(tip).has(by) {
			continue
		}
		if m := j.x.line(tip).came[by]; m >= 0 && m != by {
			if brought := j.x.brought(m); slices.Contains(brought, by) {
				together = brought
			}
			if claims := j.x.commits[m].claims; claims != nil {
				titles = append(titles, claims.Title)
			}
		}
		break
	}
	for _, title := range titles {
		if word := moved.FindString(title); word != "" {
			return fmt.Sprintf("says %q: the code may have stood elsewhere", word), nil
		}
	}
	if year, ok := j.licensed(ctx, by, file); ok && year < time.Unix(c.when, 0).UTC().Year() {
		return fmt.Sprintf("brought a file of %d: the code may have stood elsewhere", year), nil
	}
	return j.tookAway(ctx, together, h)
}

// licensed is the year in the head of a file that a commit brought.
func (j *judge) licensed(ctx context.Context, by int32, file string) (int, bool) {
	c := &j.x.commits[by]
	before, err := j.code.blob(ctx, j.x.commits[c.parents[0]].oid, file)
	if err != nil || !before.IsZero() {
		return 0, false
	}
	content, err := j.code.content(ctx, c.oid, file)
	if err != nil {
		return 0, false
	}
	m := yearForm.FindSubmatch(content[:min(len(content), 2048)])
	if m == nil {
		return 0, false
	}
	year, err := strconv.Atoi(string(m[1]))
	return year, err == nil
}

// tookAway says why a change, by all commits with which it came, may have put new code in the place of old.
func (j *judge) tookAway(ctx context.Context, commits []int32, h *presence.Hunk) (string, error) {
	if len(commits) > maxShown*maxShown {
		return fmt.Sprintf("came with %d commits", len(commits)), nil
	}
	if err := j.s.readDiffs(ctx, commits); err != nil {
		return "", err
	}
	wanted := map[string]bool{}
	for _, raw := range h.Raw {
		wanted[equiv.PlainLine(raw, h.Path)] = true
	}
	gone, come := 0, 0
	for _, i := range commits {
		if c := j.x.commits[i].change; c == nil || c.Unread != "" {
			return "came with what cannot be read", nil
		}
		for sign, text := range sourceLines(j.s.diffs[i]) {
			switch {
			case sign == '+':
				come++
			case wanted[text]:
				return "took away a line of it elsewhere: the code stood there", nil
			default:
				gone++
			}
		}
	}
	if gone > maxRemoved && gone*newShare > come {
		return fmt.Sprintf("came with %d source lines taken away beside %d brought: it may have replaced other code", gone, come), nil
	}
	return "", nil
}

// sourceLines are the plain lines that a diff changes in source files, with their signs.
func sourceLines(diff []byte) iter.Seq2[byte, string] {
	return func(yield func(byte, string) bool) {
		for _, s := range patch.Sections(diff) {
			if !equiv.IsSource(s.Path) || !s.Content {
				continue
			}
			_, body, _ := bytes.Cut(s.Text, []byte("\n@@"))
			for line := range bytes.Lines(body) {
				if line[0] != '-' && line[0] != '+' {
					continue
				}
				if text := equiv.PlainLine(string(line[1:]), s.Path); text != "" && !yield(line[0], text) {
					return
				}
			}
		}
	}
}

// telling keeps the lines that stood in one file only when the fix was made.
func (j *judge) telling(ctx context.Context, p *part, texts []string, suffix string) ([]string, error) {
	slices.Sort(texts)
	texts = slices.Compact(texts)
	slices.SortStableFunc(texts, func(a, b string) int { return len(b) - len(a) })
	texts = texts[:min(len(texts), maxTexts)]
	parents := j.x.commits[p.seeds[0]].parents
	if len(parents) != 1 || len(texts) == 0 {
		return nil, nil
	}
	hits, err := j.grep(ctx, j.x.commits[parents[0]].oid, texts, suffix)
	if err != nil || hits == nil {
		return nil, err
	}
	return slices.DeleteFunc(texts, func(text string) bool { return len(hits[text]) != 1 }), nil
}

// lacks reports whether a target has neither the commits that brought the code which a part changes, nor any telling line of it.
func (j *judge) lacks(ctx context.Context, p *part, o *origin, tip int32) (bool, []Evidence, error) {
	if len(o.unsure) > 0 {
		return false, o.unsure, nil
	}
	hits, err := j.grep(ctx, j.x.commits[tip].oid, slices.Concat(o.texts, o.words), o.suffix)
	if err != nil {
		return false, nil, err
	}
	if hits == nil {
		return false, []Evidence{{Kind: KindAbsentObject, Note: "the branch's files cannot all be searched"}}, nil
	}
	for _, text := range o.texts {
		if file := firstFile(hits[text]); file != "" {
			return false, []Evidence{{Kind: KindBefore, Path: file, Note: "has a line of the code: " + clip(text)}}, nil
		}
	}
	root := j.x.reach(tip)
	for _, by := range o.commits {
		i := newPart(j.x.commits[by].oid)
		i.add(by, "")
		if err = j.settle(ctx, i); err != nil {
			return false, nil, err
		}
		if at := slices.IndexFunc(i.order, root.has); at >= 0 {
			c := &j.x.commits[i.order[at]]
			return false, []Evidence{{Kind: KindNotIntroduced, Commit: c.oid, Note: "brought the code, and is on the branch: the code was there, and has gone or moved (" + clip(c.full) + ")"}}, nil
		}
	}
	for _, word := range o.words {
		maps.DeleteFunc(hits[word], func(file string, _ bool) bool { return strings.Contains(path.Base(file), "_test.") })
		if file := firstFile(hits[word]); file != "" {
			return false, []Evidence{{Kind: KindKindred, Path: file, Note: "speaks of " + clip(word) + ", as the lines that the fix changes, and as few other files"}}, nil
		}
	}
	why, err := j.rewritten(ctx, p, o, tip)
	if err != nil || why != nil {
		return false, why, err
	}
	why = slices.Clone(o.seen)
	s, err := j.see(ctx, p, tip)
	if err != nil {
		return false, nil, err
	}
	for _, e := range s.evidence(presence.Absent) {
		e.Note += fmt.Sprintf(" is in no file of that name, and none of %d telling lines in any", len(o.texts))
		why = append(why, e)
	}
	return true, why, nil
}
