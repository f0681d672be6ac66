package equiv

import (
	"crypto/sha256"
	"encoding/binary"
)

// Version is that of the file format and of what is computed. A file of another version is of no use.
const Version = 2

const magic = "kubelts equivalence index\n"

// MaxSize is the largest file that is worth reading, in bytes: several times that of all of kubernetes/kubernetes.
const MaxSize = 256 << 20

// maxPlace bounds the names of the place and the repository that a table is of, in bytes.
const maxPlace = 16 << 10

// The least that things of a file take there, in bytes.
const (
	leastText   = 1
	leastCommit = 25
	leastParent = 20
	leastClaims = 7
	leastChange = 54
	leastFile   = 18
)

// Encode writes the table in its file format: a line that names it, the version, a SHA-256 of what follows, the place that the table is of (the
// caller's word for it), how many things of each kind there are, each text once, and the commits.
func (t *Table) Encode(place string) []byte {
	e := encoder{texts: map[string]uint64{}}
	for i := range t.commits {
		e.commit(&t.commits[i])
	}
	var head encoder
	head.text(place)
	head.text(t.repository)
	head.text(t.fingerprint)
	size := 0
	for _, s := range e.order {
		size += len(s)
	}
	for _, n := range []int{len(e.order), size, len(t.commits), e.parents, e.claimed, e.changes, e.files} {
		head.number(uint64(n)) //nolint:gosec // never below zero
	}
	for _, s := range e.order {
		head.number(uint64(len(s)))
	}
	for _, s := range e.order {
		head.out = append(head.out, s...)
	}
	h := sha256.New()
	h.Write(head.out)
	h.Write(e.out)
	out := make([]byte, 0, len(magic)+4+sha256.Size+len(head.out)+len(e.out))
	out = append(out, magic...)
	out = binary.BigEndian.AppendUint32(out, Version)
	out = h.Sum(out)
	out = append(out, head.out...)
	return append(out, e.out...)
}

type encoder struct {
	out   []byte
	texts map[string]uint64
	order []string

	parents, claimed, changes, files int // how many there are
}

func (e *encoder) number(n uint64) { e.out = binary.AppendUvarint(e.out, n) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.out = append(e.out, s...)
}

// shared writes a text by its place among all texts.
func (e *encoder) shared(s string) {
	at, ok := e.texts[s]
	if !ok {
		at = uint64(len(e.order))
		e.texts[s] = at
		e.order = append(e.order, s)
	}
	e.number(at)
}

// What a commit has, as bits.
const (
	hasKube = 1 << iota
	hasClaims
	hasChange
	hasUnread
	isMergeClaim
)

func (e *encoder) commit(c *Commit) {
	flags := uint64(0)
	for _, f := range []struct {
		set bool
		bit uint64
	}{
		{!c.Kube.IsZero(), hasKube},
		{c.Claims != nil, hasClaims},
		{c.Change != nil, hasChange},
		{c.Change != nil && c.Change.Unread != "", hasUnread},
		{c.Claims != nil && c.Claims.Merge, isMergeClaim},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	e.number(flags)
	e.out = append(e.out, c.OID[:]...)
	if flags&hasKube != 0 {
		e.out = append(e.out, c.Kube[:]...)
	}
	e.number(uint64(len(c.Parents)))
	e.parents += len(c.Parents)
	for _, p := range c.Parents {
		e.out = append(e.out, p[:]...)
	}
	e.out = binary.AppendVarint(e.out, c.When)
	e.shared(c.Author)
	e.shared(c.Subject)
	if c.Claims != nil {
		e.claims(c.Claims)
	}
	if c.Change != nil {
		e.change(c.Change)
	}
}

func (e *encoder) claims(c *Claims) {
	e.claimed++
	e.number(uint64(c.Pull)) //nolint:gosec // never below zero
	e.shared(c.Title)
	e.shared(c.RevertTitle)
	for _, list := range [][]int{c.Picks, c.RevertPulls} {
		e.number(uint64(len(list)))
		for _, n := range list {
			e.number(uint64(n)) //nolint:gosec // never below zero
		}
	}
	for _, list := range [][]string{c.Origins, c.Reverts} {
		e.number(uint64(len(list)))
		for _, s := range list {
			e.shared(s)
		}
	}
}

func (e *encoder) change(c *Change) {
	e.changes++
	if c.Unread != "" {
		e.shared(c.Unread)
	}
	e.out = append(e.out, c.Patch[:]...)
	e.out = append(e.out, c.Plain[:]...)
	e.out = append(e.out, c.Inverse[:]...)
	e.number(uint64(c.Weight)) //nolint:gosec // never below zero
	e.number(uint64(len(c.Files)))
	e.files += len(c.Files)
	for _, f := range c.Files {
		e.shared(f.Path)
		e.out = binary.BigEndian.AppendUint64(e.out, f.Patch)
		e.out = binary.BigEndian.AppendUint64(e.out, f.Plain)
		e.number(uint64(f.Weight))
	}
}
