package equiv

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Decode reads what [Table.Encode] writes. A file of another version, one that is damaged and one that was made for another place or repository are errors
// of kind invalid, and are to be made again.
func Decode(data []byte, place, repository string) (*Table, error) {
	sum, body, err := open(data)
	if err != nil {
		return nil, err
	}
	whole := make(chan bool, 1)
	go func() {
		found := sha256.Sum256(body)
		whole <- bytes.Equal(found[:], sum)
	}()
	t, err := decode(body, place, repository)
	if !<-whole { // what was decoded from it says nothing then
		return nil, errs.New(errs.Invalid, "it is damaged: its checksum is wrong")
	}
	return t, err
}

// Place returns the place that a file is of, from its first bytes (a few kilobytes do). The checksum is not looked at.
func Place(head []byte) (string, error) {
	_, body, err := open(head)
	if err != nil {
		return "", err
	}
	d := decoder{rest: body}
	place := d.text()
	if d.bad {
		return "", errs.New(errs.Invalid, "it names no place")
	}
	return place, nil
}

// open checks how a file begins.
func open(data []byte) (sum, body []byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 4+sha256.Size {
		return nil, nil, errs.New(errs.Invalid, "not an equivalence index")
	}
	if v := binary.BigEndian.Uint32(rest); v != Version {
		return nil, nil, errs.New(errs.Invalid, "its format has version %d, not %d", v, Version)
	}
	return rest[4 : 4+sha256.Size], rest[4+sha256.Size:], nil
}

func decode(body []byte, place, repository string) (*Table, error) {
	d := decoder{rest: body}
	if was := d.text(); was != place {
		return nil, errs.New(errs.Invalid, "it is of %q, not of %q", was, place)
	}
	t := NewTable(d.text())
	if t.repository != repository {
		return nil, errs.New(errs.Invalid, "it is for repository %q, not for %q", t.repository, repository)
	}
	t.fingerprint = d.text()
	n := d.begin()
	t.commits = make([]Commit, n)
	t.at = make(map[git.OID]int32, n)
	for i := range t.commits {
		c := &t.commits[i]
		d.commit(c)
		if d.bad {
			break
		}
		t.at[c.OID] = int32(i)
		if c.Change != nil && c.Change.Unread != "" {
			t.unread++
		}
	}
	if d.bad || len(d.rest)+len(d.parents)+len(d.claims)+len(d.changes)+len(d.files) != 0 || len(t.at) != n {
		return nil, errs.New(errs.Invalid, "it is damaged: its content does not add up")
	}
	return t, nil
}

// decoder reads what encoder wrote. After the first fault everything it gives is empty. There is room for all things of a kind at once, of which each commit takes
// its part: that is much faster than to make room for each.
type decoder struct {
	rest  []byte
	texts []string
	bad   bool

	parents []git.OID
	claims  []Claims
	changes []Change
	files   []File
}

// begin reads how many things there are and the texts, makes room, and returns the number of commits.
func (d *decoder) begin() int {
	texts, size := d.count(leastText), d.count(1)
	commits := d.count(leastCommit)
	parents, claims, changes, files := d.count(leastParent), d.count(leastClaims), d.count(leastChange), d.count(leastFile)
	if d.bad {
		return 0
	}
	lengths := make([]int, texts)
	for i := range lengths {
		lengths[i] = d.count(1)
	}
	all := string(d.take(size))
	d.texts = make([]string, texts)
	for i, n := range lengths {
		if n > len(all) {
			d.bad = true
			return 0
		}
		d.texts[i], all = all[:n], all[n:]
	}
	if d.bad = d.bad || all != ""; d.bad {
		return 0
	}
	d.parents, d.claims = make([]git.OID, parents), make([]Claims, claims)
	d.changes, d.files = make([]Change, changes), make([]File, files)
	return commits
}

// part takes n things from the front of what there is room for; none when there are fewer.
func part[T any](d *decoder, room *[]T, n int) []T {
	if n > len(*room) {
		d.bad = true
		return nil
	}
	some := (*room)[:n:n]
	*room = (*room)[n:]
	return some
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.rest) {
		d.bad = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// fill copies bytes to where they belong; zeros after a fault.
func (d *decoder) fill(to []byte) { copy(to, d.take(len(to))) }

func (d *decoder) long() uint64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
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

// text reads a text of its own, such as a place.
func (d *decoder) text() string {
	n := d.count(1)
	if n > maxPlace {
		d.bad = true
		return ""
	}
	return string(d.take(n))
}

func (d *decoder) shared() string {
	n := d.number()
	if n >= uint64(len(d.texts)) {
		d.bad = true
		return ""
	}
	return d.texts[n]
}

func (d *decoder) commit(c *Commit) {
	flags := d.number()
	d.fill(c.OID[:])
	if flags&hasKube != 0 {
		d.fill(c.Kube[:])
	}
	if n := d.count(len(git.OID{})); n > 0 {
		c.Parents = part(d, &d.parents, n)
		for i := range c.Parents {
			d.fill(c.Parents[i][:])
		}
	}
	when, size := binary.Varint(d.rest)
	if size <= 0 {
		d.bad = true
		return
	}
	d.rest = d.rest[size:]
	c.When, c.Author, c.Subject = when, d.shared(), d.shared()
	if flags&hasClaims != 0 {
		c.Claims = d.claim(flags)
	}
	if flags&hasChange != 0 {
		c.Change = d.change(flags)
	}
}

func (d *decoder) claim(flags uint64) *Claims {
	room := part(d, &d.claims, 1)
	if room == nil {
		return nil
	}
	c := &room[0]
	c.Merge = flags&isMergeClaim != 0
	c.Pull, c.Title, c.RevertTitle = int(uint32(d.number())), d.shared(), d.shared() //nolint:gosec // at most nine digits
	for _, list := range []*[]int{&c.Picks, &c.RevertPulls} {
		for range d.count(1) {
			*list = append(*list, int(uint32(d.number()))) //nolint:gosec // at most nine digits
		}
	}
	for _, list := range []*[]string{&c.Origins, &c.Reverts} {
		for range d.count(1) {
			*list = append(*list, d.shared())
		}
	}
	return c
}

func (d *decoder) change(flags uint64) *Change {
	room := part(d, &d.changes, 1)
	if room == nil {
		return nil
	}
	c := &room[0]
	if flags&hasUnread != 0 {
		c.Unread = d.shared()
	}
	d.fill(c.Patch[:])
	d.fill(c.Plain[:])
	d.fill(c.Inverse[:])
	c.Weight = int(uint32(d.number())) //nolint:gosec // bounded
	if n := d.count(leastFile); n > 0 {
		c.Files = part(d, &d.files, n)
	}
	for i := range c.Files {
		f := &c.Files[i]
		f.Path, f.Patch, f.Plain = d.shared(), d.long(), d.long()
		f.Weight = uint32(d.number()) //nolint:gosec // it was one
	}
	return c
}
