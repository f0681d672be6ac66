package equiv

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Version is that of the file format and of what is computed. A file of another version is read anew from the repository.
const Version = 1

const magic = "kubelts equivalence index\n"

// MaxSize is the largest file that is worth reading, in bytes.
const MaxSize = 1 << 30

// Encode writes the table in its file format: a line that names it, the version, a SHA-256 of what follows, and the commits with each text once.
func (t *Table) Encode() []byte {
	e := encoder{texts: map[string]uint64{}}
	for i := range t.commits {
		e.commit(&t.commits[i])
	}
	var head encoder
	head.text(t.repository)
	head.text(t.fingerprint)
	head.number(uint64(len(e.order)))
	for _, s := range e.order {
		head.text(s)
	}
	head.number(uint64(len(t.commits)))
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
	e.number(uint64(c.Pull)) //nolint:gosec // never below zero
	e.text(c.Title)
	e.text(c.RevertTitle)
	for _, list := range [][]int{c.Picks, c.RevertPulls} {
		e.number(uint64(len(list)))
		for _, n := range list {
			e.number(uint64(n)) //nolint:gosec // never below zero
		}
	}
	for _, list := range [][]string{c.Origins, c.Reverts} {
		e.number(uint64(len(list)))
		for _, s := range list {
			e.text(s)
		}
	}
}

func (e *encoder) change(c *Change) {
	if c.Unread != "" {
		e.shared(c.Unread)
	} else {
		e.out = append(e.out, c.Patch[:]...)
		e.out = append(e.out, c.Plain[:]...)
		e.out = append(e.out, c.Inverse[:]...)
		e.number(uint64(c.Weight)) //nolint:gosec // never below zero
	}
	e.number(uint64(len(c.Files)))
	for _, f := range c.Files {
		e.shared(f.Path)
		if c.Unread == "" {
			e.out = binary.BigEndian.AppendUint64(e.out, f.Patch)
			e.out = binary.BigEndian.AppendUint64(e.out, f.Plain)
			e.number(uint64(f.Weight))
		}
	}
}

// Decode reads what [Table.Encode] writes. A file of another version, one that is damaged and one that was made for another repository are errors
// of kind invalid, and are to be made again.
func Decode(data []byte, repository string) (*Table, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 4+sha256.Size {
		return nil, errs.New(errs.Invalid, "not an equivalence index")
	}
	if v := binary.BigEndian.Uint32(rest); v != Version {
		return nil, errs.New(errs.Invalid, "its format has version %d, not %d", v, Version)
	}
	sum, body := rest[4:4+sha256.Size], rest[4+sha256.Size:]
	if real := sha256.Sum256(body); !bytes.Equal(real[:], sum) {
		return nil, errs.New(errs.Invalid, "it is damaged: its checksum is wrong")
	}
	d := decoder{rest: body}
	t := NewTable(d.text())
	if t.repository != repository {
		return nil, errs.New(errs.Invalid, "it is for repository %q, not for %q", t.repository, repository)
	}
	t.fingerprint = d.text()
	d.texts = make([]string, d.count(1))
	for i := range d.texts {
		d.texts[i] = d.text()
	}
	n := d.count(len(git.OID{}))
	t.commits = make([]Commit, 0, n)
	t.at = make(map[git.OID]int32, n)
	for range n {
		t.insert(d.commit())
	}
	if d.bad || len(d.rest) != 0 {
		return nil, errs.New(errs.Invalid, "it is damaged: its content does not add up")
	}
	return t, nil
}

// decoder reads what encoder wrote. After the first fault everything it gives is empty.
type decoder struct {
	rest  []byte
	texts []string
	bad   bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.rest) {
		d.bad = true
		return make([]byte, min(max(n, 0), 64))
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// count reads the number of things that take at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.number()
	if d.bad || n > uint64(len(d.rest)/size) { //nolint:gosec // not below zero
		d.bad = true
		return 0
	}
	return int(n) //nolint:gosec // bounded
}

func (d *decoder) text() string { return string(d.take(d.count(1))) }

func (d *decoder) shared() string {
	n := d.number()
	if n >= uint64(len(d.texts)) {
		d.bad = true
		return ""
	}
	return d.texts[n]
}

func (d *decoder) oid() git.OID { return git.OID(d.take(len(git.OID{}))) }

func (d *decoder) commit() Commit {
	flags := d.number()
	c := Commit{OID: d.oid()}
	if flags&hasKube != 0 {
		c.Kube = d.oid()
	}
	if n := d.count(len(git.OID{})); n > 0 {
		c.Parents = make([]git.OID, n)
		for i := range c.Parents {
			c.Parents[i] = d.oid()
		}
	}
	when, size := binary.Varint(d.rest)
	if size <= 0 {
		d.bad = true
		return c
	}
	d.rest = d.rest[size:]
	c.When, c.Author, c.Subject = when, d.shared(), d.shared()
	if flags&hasClaims != 0 {
		c.Claims = d.claims()
		c.Claims.Merge = flags&isMergeClaim != 0
	}
	if flags&hasChange != 0 {
		c.Change = d.change(flags)
	}
	return c
}

func (d *decoder) claims() *Claims {
	c := &Claims{Pull: int(uint32(d.number())), Title: d.text(), RevertTitle: d.text()} //nolint:gosec // at most nine digits
	for _, list := range []*[]int{&c.Picks, &c.RevertPulls} {
		for range d.count(1) {
			*list = append(*list, int(uint32(d.number()))) //nolint:gosec // at most nine digits
		}
	}
	for _, list := range []*[]string{&c.Origins, &c.Reverts} {
		for range d.count(1) {
			*list = append(*list, strings.Clone(d.text()))
		}
	}
	return c
}

func (d *decoder) change(flags uint64) *Change {
	c := &Change{}
	unread := flags&hasUnread != 0
	if unread {
		c.Unread = d.shared()
	} else {
		c.Patch = d.oid()
		c.Plain = PlainID(d.take(len(PlainID{})))
		c.Inverse = PlainID(d.take(len(PlainID{})))
		c.Weight = int(uint32(d.number())) //nolint:gosec // bounded
	}
	if n := d.count(1); n > 0 {
		c.Files = make([]File, n)
	}
	for i := range c.Files {
		f := &c.Files[i]
		f.Path = d.shared()
		if !unread {
			f.Patch = binary.BigEndian.Uint64(d.take(8))
			f.Plain = binary.BigEndian.Uint64(d.take(8))
			f.Weight = uint32(d.number()) //nolint:gosec // it was one
		}
	}
	return c
}
