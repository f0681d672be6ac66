package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Pair is a fix and what was landed for it. Its JSON form is that of lists of pairs.
type Pair struct {
	Branch   string  `json:"branch,omitempty"`
	Backport git.OID `json:"backport"`
	Parent   git.OID `json:"backport_parent"`
	Fix      git.OID `json:"fix"`
}

// MaxPairs bounds a list of pairs.
const MaxPairs = 1_000_000

// ReadPairs reads a list of pairs: one JSON array, or one object a line. Other fields are skipped.
func ReadPairs(r io.Reader) ([]Pair, error) {
	in := bufio.NewReader(r)
	dec := json.NewDecoder(in)
	first, err := firstByte(in)
	if err == nil && first == '[' {
		_, err = dec.Token()
	}
	if err != nil {
		return nil, errs.New(errs.Invalid, "read pairs: %w", err)
	}
	var pairs []Pair
	for dec.More() {
		var p Pair
		if err := dec.Decode(&p); err != nil {
			return nil, errs.New(errs.Invalid, "read pair %d: %w", len(pairs)+1, err)
		}
		if p.Backport.IsZero() || p.Parent.IsZero() || p.Fix.IsZero() {
			return nil, errs.WithHint(errs.New(errs.Invalid, "pair %d is incomplete", len(pairs)+1), `each pair needs "backport", "backport_parent" and "fix"`)
		}
		if len(pairs) == MaxPairs {
			return nil, errs.New(errs.Invalid, "more than %d pairs", MaxPairs)
		}
		pairs = append(pairs, p)
	}
	if first == '[' {
		if _, err := dec.Token(); err != nil {
			return nil, errs.New(errs.Invalid, "read the end of the pairs: %w", err)
		}
	}
	if len(pairs) == 0 {
		return nil, errs.New(errs.Invalid, "there are no pairs")
	}
	return pairs, nil
}

// firstByte is the first byte that is no space; it stays to be read.
func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(b)) {
			return b, in.UnreadByte()
		}
	}
}

// WritePairs writes pairs as ReadPairs reads them, a pair a line.
func WritePairs(w io.Writer, pairs []Pair) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for _, p := range pairs {
		if err := enc.Encode(p); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Finder finds pairs: a commit of a release branch, and the one commit of the main branch that was made by the same author in the same
// second, which a cherry-pick keeps, with the same subject; where no subject is the same, the only such commit. A commit that names its original
// in a cherry-pick trailer is that one's. The main branch's commits are added first.
type Finder struct {
	main   map[authorship][]*git.Commit
	byName map[git.OID]*git.Commit
	seen   map[git.OID]bool
}

type authorship struct {
	name string
	when int64 // seconds since 1970
}

// NewFinder returns a Finder that knows no commits.
func NewFinder() *Finder {
	return &Finder{main: map[authorship][]*git.Commit{}, byName: map[git.OID]*git.Commit{}, seen: map[git.OID]bool{}}
}

func authorshipOf(c *git.Commit) authorship {
	return authorship{c.Author.Name, c.Author.When.Unix()}
}

// AddMain takes a commit of the main branch.
func (f *Finder) AddMain(c *git.Commit) {
	if len(c.Parents) != 1 {
		return
	}
	short := &git.Commit{OID: c.OID, Message: c.Subject()}
	key := authorshipOf(c)
	f.main[key] = append(f.main[key], short)
	f.byName[c.OID] = short
}

// Find looks for the fix of a commit that is on a branch and not on the main one. A commit is looked at once, merges never.
func (f *Finder) Find(branch string, c *git.Commit) (Pair, bool) {
	if f.seen[c.OID] || len(c.Parents) != 1 {
		return Pair{}, false
	}
	f.seen[c.OID] = true
	fix := f.twin(c)
	if fix == nil {
		if fix = f.named(c.Message); fix == nil {
			return Pair{}, false
		}
	}
	return Pair{Branch: branch, Backport: c.OID, Parent: c.Parents[0], Fix: fix.OID}, true
}

func (f *Finder) twin(c *git.Commit) *git.Commit {
	made := f.main[authorshipOf(c)]
	subject := c.Subject()
	if like := slices.Collect(func(yield func(*git.Commit) bool) {
		for _, m := range made {
			if m.Message == subject && !yield(m) {
				return
			}
		}
	}); len(like) > 0 {
		made = like
	}
	if len(made) != 1 {
		return nil
	}
	return made[0]
}

// named is the commit that "git cherry-pick -x" noted, when it is one commit and on the main branch.
func (f *Finder) named(message string) *git.Commit {
	const before = "(cherry picked from commit "
	var found *git.Commit
	for line := range strings.Lines(message) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), before)
		if !ok {
			continue
		}
		oid, err := git.ParseOID(strings.TrimSuffix(name, ")"))
		if err != nil || f.byName[oid] == nil {
			continue
		}
		if found != nil && found.OID != oid {
			return nil
		}
		found = f.byName[oid]
	}
	return found
}
