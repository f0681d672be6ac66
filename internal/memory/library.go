package memory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// maxCandidates is how many records may be tried for one file.
const maxCandidates = 64

// Library is a set of records. It is read-only; the nil Library is empty.
type Library struct {
	records []*Record // by name
	known   map[string][]*Record
}

// NewLibrary returns a library of the records.
func NewLibrary(records []*Record) (*Library, error) {
	if len(records) > MaxRecords {
		return nil, errs.New(errs.Invalid, "%d resolutions are recorded, more than %d", len(records), MaxRecords)
	}
	byName := map[string]*Record{}
	for _, r := range records {
		byName[r.Name()] = r
	}
	l := &Library{known: map[string][]*Record{}}
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r := byName[name]
		l.records = append(l.records, r)
		for _, p := range r.Places {
			for _, piece := range p.Pieces {
				if piece.Conflict == nil {
					continue
				}
				key := shape(Kind(r.Path), piece.Conflict.core())
				if at := l.known[key]; len(at) == 0 || at[len(at)-1] != r {
					l.known[key] = append(at, r)
				}
			}
		}
	}
	return l, nil
}

// Records are those of the library, sorted by name.
func (l *Library) Records() []*Record {
	if l == nil {
		return nil
	}
	return slices.Clone(l.records)
}

// Answer is a file resolved from records.
type Answer struct {
	Text    []byte
	Records []string // names of the records that were used
	Exact   bool     // sides, surroundings and path are those of the records, to the byte, and nothing else belonged to them
	Notes   []string // what was done, for people
}

// AmbiguousError says that records answer one conflict differently.
type AmbiguousError struct {
	Records []string // two names, sorted
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("resolutions %s are recorded for the same conflict and differ", strings.Join(e.Records, " and "))
}

// UnfitError says that the same conflict is recorded, and why that does not answer the file.
type UnfitError struct {
	Record string
	Why    string
}

func (e *UnfitError) Error() string { return "resolution " + e.Record + " is not used: " + e.Why }

// Resolve answers a file in conflict. It is nil without an error if nothing is recorded for it. The error is an [*AmbiguousError], an
// [*UnfitError], or that of the text merge.
func (l *Library) Resolve(s Sides) (*Answer, error) {
	if l == nil || len(l.records) == 0 || !s.text() {
		return nil, nil //nolint:nilnil // nothing is recorded
	}
	elements, err := layout(s)
	if err != nil {
		return nil, err
	}
	q := &question{sides: s, elements: elements}
	candidates, err := q.candidates(l)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	q.source = readGo(s)
	var uses []use
	for _, r := range candidates {
		if u, ok := q.exact(r); ok {
			uses = append(uses, u)
		}
	}
	if answer, err := q.answer(uses); answer != nil || err != nil {
		return answer, err
	}
	q.elements = narrowed(q.elements)
	exact := uses
	uses = nil
	for _, r := range candidates {
		u, ok := q.alike(r)
		if !ok {
			continue
		}
		if slices.ContainsFunc(exact, func(e use) bool { return e.record == r }) {
			u.rank = 0
		}
		uses = append(uses, u)
	}
	slices.SortStableFunc(uses, func(a, b use) int { return cmp.Compare(a.rank, b.rank) })
	if answer, err := q.answer(uses); answer != nil || err != nil {
		return answer, err
	}
	return nil, q.unfit(candidates, len(uses) > 0)
}

// candidates are the records that hold a conflict like one of the file's.
func (q *question) candidates(l *Library) ([]*Record, error) {
	var out []*Record
	for _, e := range q.elements {
		if e.conflict == nil {
			continue
		}
		q.conflicts++
		for _, r := range l.known[shape(Kind(q.sides.Path), e.conflict.core())] {
			if slices.Contains(out, r) {
				continue
			}
			if len(out) == maxCandidates {
				return nil, &UnfitError{r.Name(), fmt.Sprintf("more than %d resolutions are recorded for conflicts like this", maxCandidates)}
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// question is a file in conflict that is to be answered. It is used once.
type question struct {
	sides     Sides
	elements  []element
	conflicts int
	source    *goSource
}

// use is a record put upon the file.
type use struct {
	record *Record
	swaps  []swap
	rank   int  // 0: it fits to the byte; 1: but for white space, names and what the target changed beside it
	whole  bool // all its places stand in the file
	names  *renaming
}

// swap is a range of elements and the lines that replace it.
type swap struct {
	lo, hi int
	lines  []string
	by     string
}

// answer puts the uses together, the best ones first: they are not put in doubt by worse ones. It is nil if not every conflict is answered; one that two
// records answer in two ways is an error.
func (q *question) answer(uses []use) (*Answer, error) {
	out := &Answer{Exact: true}
	loose := false
	var swaps []swap
	for i, u := range uses {
		clash, covered := q.clash(swaps, u)
		if clash != "" {
			if rankOf(uses[:i], clash) < u.rank {
				continue
			}
			names := []string{clash, u.record.Name()}
			slices.Sort(names)
			return nil, &AmbiguousError{names}
		}
		if covered {
			continue
		}
		swaps = append(swaps, u.swaps...)
		out.Records = append(out.Records, u.record.Name())
		out.describe(u, q.sides.Path)
		loose = loose || u.names != nil
	}
	slices.SortFunc(swaps, func(a, b swap) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	swaps = slices.CompactFunc(swaps, func(a, b swap) bool { return a.lo == b.lo && a.hi == b.hi })
	answered := 0
	for _, s := range swaps {
		for _, e := range q.elements[s.lo:s.hi] {
			if e.conflict != nil {
				answered++
			}
		}
	}
	if answered < q.conflicts {
		return nil, nil //nolint:nilnil // there is no answer
	}
	out.Text = q.text(swaps)
	if loose {
		out.Text = q.source.formatted(out.Text)
	}
	return out, nil
}

// clash looks for a swap that stands in the way of a use, and names its record. The use is covered if all that it does is done already.
func (q *question) clash(done []swap, u use) (record string, covered bool) {
	covered = true
	for _, s := range u.swaps {
		there := false
		for _, d := range done {
			switch {
			case s.lo == d.lo && s.hi == d.hi:
				if !slices.Equal(s.lines, d.lines) {
					return d.by, false
				}
				there = true
			case s.lo < d.hi && d.lo < s.hi:
				return d.by, false
			}
		}
		covered = covered && there
	}
	return "", covered
}

func rankOf(uses []use, record string) int {
	for _, u := range uses {
		if u.record.Name() == record {
			return u.rank
		}
	}
	return 0
}

// describe says what a use did that a person should know.
func (a *Answer) describe(u use, file string) {
	r := u.record
	note := fmt.Sprintf("resolution %s by %s of %s", r.Name(), r.Author, r.Date)
	var but []string
	if u.names != nil {
		but = append(but, "white space or what stands around it differs")
		if names := u.names.renamed(); len(names) > 0 {
			for i, name := range names {
				names[i] = name + " is " + u.names.to[name]
			}
			but[0] = strings.Join(names, ", ")
		}
	}
	if r.Path != file {
		but = append(but, "it was made for "+r.Path)
	}
	if !u.whole {
		but = append(but, "not all of its places are in conflict here")
	}
	if len(r.Also) > 0 {
		but = append(but, "its author also changed "+strings.Join(r.Also, ", "))
	}
	if len(but) > 0 {
		a.Exact = false
		note += " (" + strings.Join(but, "; ") + ")"
	}
	a.Notes = append(a.Notes, note)
}

// unfit explains why nothing came of records that hold the very conflict; nil if there are none.
func (q *question) unfit(candidates []*Record, some bool) error { //nolint:revive // some conflicts were answered or none
	for _, r := range candidates {
		for _, p := range r.Places {
			for _, piece := range p.Pieces {
				if piece.Conflict == nil || !slices.ContainsFunc(q.elements, func(e element) bool { return e.conflict != nil && e.conflict.equal(piece.Conflict.core()) }) {
					continue
				}
				if some {
					return &UnfitError{r.Name(), "other conflicts of the file have none"}
				}
				return &UnfitError{r.Name(), "its other places or the surroundings differ"}
			}
		}
	}
	return nil
}

// text writes the elements with the swaps in place.
func (q *question) text(swaps []swap) []byte {
	var b strings.Builder
	next := 0
	write := func(hi int) {
		for _, e := range q.elements[next:hi] {
			b.WriteString(e.line)
		}
	}
	for _, s := range swaps {
		write(s.lo)
		for _, l := range s.lines {
			b.WriteString(l)
		}
		next = s.hi
	}
	write(len(q.elements))
	return []byte(b.String())
}
