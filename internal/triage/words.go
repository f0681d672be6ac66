package triage

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/git"
)

const (
	maxWords = 16    // names that are searched for
	maxHits  = 5_000 // lines that one search finds

	minFiles     = 10 // source files from which a branch is compared as a whole
	keptShare    = 60 // percent of them that must still be there, by name, where the fix was made
	maxWordFiles = 3  // source files in which a name may stand and still be told to be rare
)

// rare keeps the names that stood in few files when the fix was made: where a branch has one of them, it has code of that kind, whatever its lines.
func (j *judge) rare(ctx context.Context, p *part, words []string, suffix string) ([]string, error) {
	slices.Sort(words)
	words = slices.Compact(words)
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	words = words[:min(len(words), maxWords)]
	parents := j.x.commits[p.seeds[0]].parents
	if len(parents) != 1 {
		return nil, nil
	}
	var found []string
	for _, word := range words {
		hits, err := j.grep(ctx, j.x.commits[parents[0]].oid, []string{word}, suffix)
		if err != nil {
			return nil, err
		}
		own := 0
		for file := range hits[word] {
			if equiv.IsSource(file) {
				own++
			}
		}
		if own > 0 && own <= maxWordFiles {
			found = append(found, word)
		}
	}
	return found, nil
}

// grep finds by text the files of a commit that have it; nil when they cannot all be searched.
func (j *judge) grep(ctx context.Context, commit git.OID, texts []string, suffix string) (map[string]map[string]bool, error) {
	hits := map[string]map[string]bool{}
	n := 0
	err := j.history.Grep(ctx, commit, texts, suffix, func(file, line string) bool {
		n++
		for _, text := range texts {
			if strings.Contains(line, text) && (!wordForm.MatchString(text) || hasWord(line, text)) {
				if hits[text] == nil {
					hits[text] = map[string]bool{}
				}
				hits[text][file] = true
			}
		}
		return n < maxHits
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil || n >= maxHits {
		return nil, nil //nolint:nilerr // what cannot be searched clears nobody, and stops nothing else
	}
	return hits, nil
}

// rewritten says that a target has few of the source files among which the fix was made: then it is another program, which may have the same flaw in its own words.
func (j *judge) rewritten(ctx context.Context, p *part, o *origin, tip int32) ([]Evidence, error) {
	there, err := j.code.sources(ctx, j.x.commits[tip].oid, o.suffix)
	if err != nil {
		return []Evidence{{Kind: KindAbsentObject, Note: absentNote("the branch's files cannot all be listed", err)}}, ignoreAbsent(err)
	}
	then, err := j.code.sources(ctx, j.x.commits[p.seeds[0]].oid, o.suffix)
	if err != nil {
		return []Evidence{{Kind: KindAbsentObject, Note: absentNote("the fix's files cannot all be listed", err)}}, ignoreAbsent(err)
	}
	kept := 0
	for name := range there {
		if then[name] {
			kept++
		}
	}
	if len(there) >= minFiles && kept*100 < len(there)*keptShare {
		note := fmt.Sprintf("%d of the branch's %d source files were there when the fix was made: the code was rewritten", kept, len(there))
		return []Evidence{{Kind: KindKindred, Note: note}}, nil
	}
	return nil, nil
}

// wordForm matches what is one name: such a text must stand in a line as a whole name.
var wordForm = regexp.MustCompile(`^[\pL_][\pL\d_]*$`)

// hasWord reports whether a line has a name that is not a part of a longer one.
func hasWord(line, word string) bool {
	inName := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	return slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return !inName(r) }), word)
}

// firstFile is the first of some files by name, so that equal input gives equal evidence; empty when there is none.
func firstFile(files map[string]bool) string {
	names := slices.Sorted(maps.Keys(files))
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
