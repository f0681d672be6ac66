package patch

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"

	"github.com/kubelts/kubelts/internal/git"
)

const (
	maxScore      = 60000 // identical
	minScore      = maxScore / 2
	minNamedScore = maxScore * 3 / 4 // for files that are paired because of their names alone
	renameLimit   = 7000             // the square root of how many pairs are compared at most, as merge.renameLimit
	candidates    = 4                // of sources that are kept for each destination
)

// Rename is a file of the old tree that stands elsewhere in the new tree.
type Rename struct {
	From, To string
	Old, New Entry
	// Percent is how much of the larger of both contents they share; 100 if they are identical.
	Percent int
}

// Skip is a file that could not be compared with others, so a rename may have been missed.
type Skip struct {
	Path string
	Err  error
}

// Found is what a search for renames gave.
type Found struct {
	Renames []Rename // sorted by From
	Skipped []Skip
	// Limited says that there were too many candidates to compare contents; only identical files and equal names were paired.
	Limited bool
}

// Detector finds renames. It remembers what contents look like, so one Detector should serve many searches in one repository. It may be
// used from many goroutines.
type Detector struct {
	signatures signatures
}

// NewDetector returns a Detector that reads contents from objects.
func NewDetector(objects git.Objects) *Detector {
	return &Detector{signatures: signatures{objects: objects}}
}

// Renames pairs deleted files of a diff with added ones, as git's merge does: identical contents first; then files whose base name is
// unique on both sides, or whose directory's other files went to one place, if they are similar by 75 %; then the most
// similar ones from 50 % on. Only files that relevant accepts are compared by content (a nil relevant accepts all). A content that cannot
// be read is skipped and named in the result, since the file may not matter.
func (d *Detector) Renames(ctx context.Context, diff *Diff, relevant func(path string) bool) (Found, error) {
	p := pairing{detector: d, relevant: relevant, removed: diff.Removed, guesses: dirCounts{}}
	empty := git.Hash(git.TypeBlob, nil)
	for _, c := range diff.Changes {
		switch {
		case !c.New.Exists() && c.Old.OID != empty:
			p.sources = append(p.sources, candidate{path: c.Path, entry: c.Old})
		case !c.Old.Exists() && c.New.OID != empty:
			p.targets = append(p.targets, candidate{path: c.Path, entry: c.New})
		}
	}
	p.exact()
	if err := p.byName(ctx); err != nil {
		return Found{}, err
	}
	if err := p.byContent(ctx); err != nil {
		return Found{}, err
	}
	slices.SortFunc(p.found.Renames, func(a, b Rename) int { return cmp.Compare(a.From, b.From) })
	return p.found, nil
}

// candidate is a file that was deleted or added.
type candidate struct {
	path  string
	entry Entry
	used  bool
	bad   bool // its content cannot be read
}

func (c *candidate) base() string { return path.Base(c.path) }

// pairing is one search.
type pairing struct {
	detector         *Detector
	relevant         func(string) bool
	removed          map[string]bool
	sources, targets []candidate
	guesses          dirCounts
	found            Found
}

func (p *pairing) isRelevant(path string) bool { return p.relevant == nil || p.relevant(path) }

func (p *pairing) pair(s, t *candidate, score int) {
	s.used, t.used = true, true
	p.guesses.add(s.path, t.path, p.removed)
	p.found.Renames = append(p.found.Renames, Rename{From: s.path, To: t.path, Old: s.entry, New: t.entry, Percent: score * 100 / maxScore})
}

// exact pairs identical contents, those of equal base name before others.
func (p *pairing) exact() {
	bySource := map[git.OID][]int{}
	for i := range p.sources {
		id := p.sources[i].entry.OID
		bySource[id] = append(bySource[id], i)
	}
	for i := range p.targets {
		t := &p.targets[i]
		var best *candidate
		for _, k := range bySource[t.entry.OID] {
			s := &p.sources[k]
			if s.used || s.entry.Mode != t.entry.Mode && (!s.entry.Mode.IsRegular() || !t.entry.Mode.IsRegular()) {
				continue
			}
			if s.base() == t.base() {
				best = s
				break
			}
			if best == nil {
				best = s
			}
		}
		if best != nil {
			p.pair(best, t, maxScore)
		}
	}
}

const several = -1 // an index that stands for more than one

// byName pairs what is left by base names.
func (p *pairing) byName(ctx context.Context) error {
	find := p.namesakes()
	for i := range p.sources {
		s := &p.sources[i]
		if s.used || !p.isRelevant(s.path) {
			continue
		}
		t := find(s)
		if t == nil || t.used {
			continue
		}
		score, err := p.score(ctx, s, t, minNamedScore)
		if err != nil {
			return err
		}
		if score >= minNamedScore {
			p.pair(s, t, score)
		}
	}
	return nil
}

// namesakes returns a function that finds the one target a source may be paired with because of its base name: the only one of that name
// if the source is the only one too, otherwise the one in the directory that the source's neighbours went to.
func (p *pairing) namesakes() func(s *candidate) *candidate {
	sourceNames, targetNames := names(p.sources), names(p.targets)
	targetPaths := map[string]int{}
	for i := range p.targets {
		targetPaths[p.targets[i].path] = i
	}
	return func(s *candidate) *candidate {
		k, ok := targetNames[s.base()]
		if ok && (k == several || sourceNames[s.base()] == several) {
			dir, known := p.guesses.best(path.Dir(s.path))
			k, ok = targetPaths[path.Join(dir, s.base())]
			ok = ok && known
		}
		if !ok {
			return nil
		}
		return &p.targets[k]
	}
}

// names finds the unused candidates by base name.
func names(list []candidate) map[string]int {
	index := map[string]int{}
	for i := range list {
		if list[i].used {
			continue
		}
		if _, ok := index[list[i].base()]; ok {
			index[list[i].base()] = several
		} else {
			index[list[i].base()] = i
		}
	}
	return index
}

// match is a possible pair.
type match struct {
	source, target *candidate
	score          int
	sameName       bool
}

// compareMatches puts better matches first.
func compareMatches(a, b match) int {
	if c := cmp.Compare(b.score, a.score); c != 0 || a.sameName == b.sameName {
		return c
	}
	if a.sameName {
		return -1
	}
	return 1
}

// byContent compares each relevant source that is left with each target that is left, and takes the best pairs first.
func (p *pairing) byContent(ctx context.Context) error {
	sources := remaining(p.sources, p.isRelevant)
	targets := remaining(p.targets, func(string) bool { return true })
	if len(sources)*len(targets) > renameLimit*renameLimit {
		p.found.Limited = true
		return nil
	}
	var matches []match
	for _, t := range targets {
		best, err := p.matches(ctx, sources, t)
		if err != nil {
			return err
		}
		matches = append(matches, best...)
	}
	slices.SortStableFunc(matches, compareMatches)
	for _, m := range matches {
		if !m.source.used && !m.target.used {
			p.pair(m.source, m.target, m.score)
		}
	}
	return nil
}

// remaining are the files whose content may be compared.
func remaining(list []candidate, accept func(path string) bool) []*candidate {
	var out []*candidate
	for i := range list {
		if c := &list[i]; !c.used && c.entry.Mode.IsRegular() && accept(c.path) {
			out = append(out, c)
		}
	}
	return out
}

// matches are the sources most similar to a target.
func (p *pairing) matches(ctx context.Context, sources []*candidate, t *candidate) ([]match, error) {
	var best []match
	for _, s := range sources {
		score, err := p.score(ctx, s, t, minScore)
		if err != nil {
			return nil, err
		}
		if score >= minScore {
			best = append(best, match{source: s, target: t, score: score, sameName: s.base() == t.base()})
		}
	}
	slices.SortStableFunc(best, compareMatches)
	return best[:min(len(best), candidates)], nil
}

// score is how similar two files are, or 0 if they cannot reach atLeast or cannot be read.
func (p *pairing) score(ctx context.Context, s, t *candidate, atLeast int) (int, error) {
	if !s.entry.Mode.IsRegular() || !t.entry.Mode.IsRegular() || s.bad || t.bad {
		return 0, nil
	}
	a, err := p.signature(ctx, s)
	if a == nil {
		return 0, err
	}
	b, err := p.signature(ctx, t)
	if b == nil {
		return 0, err
	}
	if larger := max(a.size, b.size); larger*(maxScore-atLeast) < (larger-min(a.size, b.size))*maxScore {
		return 0, nil
	}
	return similarity(a, b), nil
}

// signature is nil, without an error, for what is absent or too large.
func (p *pairing) signature(ctx context.Context, c *candidate) (*signature, error) {
	s, err := p.detector.signatures.of(ctx, c.entry.OID)
	if err == nil {
		return s, nil
	}
	var absent *git.AbsentError
	var oversize *git.OversizeError
	if !errors.As(err, &absent) && !errors.As(err, &oversize) {
		return nil, err
	}
	c.bad = true
	p.found.Skipped = append(p.found.Skipped, Skip{Path: c.path, Err: err})
	return nil, nil //nolint:nilnil // the caller goes on without it
}
