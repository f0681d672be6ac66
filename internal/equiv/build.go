package equiv

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/kubelts/kubelts/internal/git"
)

const (
	minChunk   = 64     // commits that one git process is given at least, where there are so many
	maxChunk   = 1024   // and at most
	maxReason  = 300    // bytes kept of why something could not be read
	maxWorkers = 8      // git processes at once
	checkpoint = 16_384 // commits between two calls of Options.Save
)

// Options are how a table is built.
type Options struct {
	Workers int // patches that are read at once, each by a git process; 0 means one
	// Fingerprint names the state of the object directory: while it is that of the old table, what could not be read is not tried again.
	Fingerprint string
	// Step is told how many of the commits that are new were read; nil for nobody.
	Step func(done, total int)
	// Save is given the table from time to time while much is read, so that a run that is killed need not begin anew; nil for nobody.
	Save func(*Table) error
}

// Build reads what the tips lead to into a table. What the old table has is taken from there. changed reports whether anything was read or left out. A commit whose patch cannot be
// read is kept with the reason; a history that cannot be walked is an error.
func Build(ctx context.Context, source Source, old *Table, tips []git.OID, o Options) (table *Table, changed bool, err error) {
	b := builder{source: source, table: NewTable(old.repository), options: o, paths: map[string]string{}}
	b.table.fingerprint = o.Fingerprint
	known := 0
	missing := old.Reach(tips, nil, func(*Commit) { known++ })
	if len(missing) == 0 && known == old.Len() && (old.unread == 0 || o.Fingerprint == old.fingerprint) {
		return old, false, nil
	}
	if err := b.walk(ctx, old, missing); err != nil {
		return nil, false, err
	}
	for _, c := range b.fresh {
		tips = append(tips, c.Parents...)
	}
	old.Reach(tips, nil, func(c *Commit) { b.known = append(b.known, c) })
	if old.fingerprint != o.Fingerprint {
		b.retry()
	}
	if err := b.read(ctx); err != nil {
		return nil, false, err
	}
	return b.finish(0), true, nil
}

// RefTips are the commits of branches, remote branches and tags, each once.
func RefTips(refs []git.Ref) []git.OID {
	var tips []git.OID
	for _, r := range refs {
		for _, prefix := range []string{"refs/heads/", "refs/remotes/", "refs/tags/"} {
			if strings.HasPrefix(r.Name, prefix) && !r.Commit.IsZero() {
				tips = append(tips, r.Commit)
			}
		}
	}
	slices.SortFunc(tips, func(a, b git.OID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(tips)
}

// builder is one run.
type builder struct {
	source  Source
	table   *Table
	options Options
	known   []*Commit // of the old table, children before parents
	fresh   []Commit  // likewise, not in the old table, or to be tried again

	mu    sync.Mutex
	paths map[string]string // each path once
}

// walk reads the commits behind those that the old table lacks.
func (b *builder) walk(ctx context.Context, old *Table, missing []git.OID) error {
	if len(missing) == 0 {
		return nil
	}
	authors := map[string]string{}
	visit := func(c *git.Commit) error {
		if _, known := old.Find(c.OID); known {
			return nil
		}
		d := Digest(c, b.table.repository)
		d.Subject = strings.Clone(d.Subject)
		if kept, ok := authors[d.Author]; ok {
			d.Author = kept
		} else {
			d.Author = strings.Clone(d.Author)
			authors[d.Author] = d.Author
		}
		b.fresh = append(b.fresh, d)
		return nil
	}
	err := b.source.Commits(ctx, missing, old.tips(), visit)
	if err == nil || ctx.Err() != nil || old.Len() == 0 {
		return err
	}
	// Some of what the table knows may be gone from the repository: then all is walked.
	b.fresh = nil
	return b.source.Commits(ctx, missing, nil, visit)
}

// retry moves the commits that could not be read to those that are to be read.
func (b *builder) retry() {
	b.known = slices.DeleteFunc(b.known, func(c *Commit) bool {
		again := c.Change != nil && c.Change.Unread != ""
		if again {
			fresh := *c
			fresh.Change = nil
			b.fresh = append(b.fresh, fresh)
		}
		return again
	})
}

// read reads the changes of the fresh commits, parts of them at once. Ancestors come first, so that a table that is saved under way holds no
// commit without its parents.
func (b *builder) read(ctx context.Context) error {
	var places []int
	for i := range b.fresh {
		if len(b.fresh[i].Parents) < 2 {
			places = append(places, i)
		}
	}
	c := counter{total: len(places), step: b.options.Step}
	for len(places) > 0 {
		part := places[max(0, len(places)-checkpoint):]
		places = places[:len(places)-len(part)]
		if err := b.readAtOnce(ctx, part, &c); err != nil {
			return err
		}
		if len(places) > 0 && b.options.Save != nil {
			if err := b.options.Save(b.finish(part[0])); err != nil {
				return err
			}
		}
	}
	return nil
}

// readAtOnce reads the changes of some commits with several git processes.
func (b *builder) readAtOnce(ctx context.Context, places []int, c *counter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	parts := make(chan []int)
	var workers sync.WaitGroup
	atOnce := min(max(b.options.Workers, 1), maxWorkers)
	for range atOnce {
		workers.Go(func() {
			for some := range parts {
				if err := b.changes(ctx, some); err != nil {
					cancel(err)
				}
				c.add(len(some))
			}
		})
	}
	// A process takes time to begin, and at the end none should wait long for another: so the parts become smaller.
	for len(places) > 0 {
		n := min(len(places), max(minChunk, min(maxChunk, len(places)/(2*atOnce))))
		parts <- places[:n]
		places = places[n:]
	}
	close(parts)
	workers.Wait()
	return context.Cause(ctx)
}

// counter tells how far the reading is.
type counter struct {
	mu          sync.Mutex
	done, total int
	step        func(done, total int)
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done += n; c.step != nil {
		c.step(c.done, c.total)
	}
}

// changes reads what some of the fresh commits changed. Where reading ends, the commit at which it ended is tried alone, noted when it cannot be
// read, and the rest goes on.
func (b *builder) changes(ctx context.Context, places []int) error {
	oids := make([]git.OID, len(places))
	for n, i := range places {
		oids[n] = b.fresh[i].OID
	}
	visited, alone := 0, false
	visit := func(_ git.OID, diff []byte) error {
		change := DigestPatch(diff)
		b.share(change.Files)
		b.fresh[places[visited]].Change = change
		visited++
		return nil
	}
	for visited < len(places) {
		upTo, before := len(places), visited
		if alone {
			upTo = visited + 1
		}
		err := b.source.Patches(ctx, oids[visited:upTo], visit)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			alone = false
		case visited > before:
		case !alone:
			alone = true
		default:
			alone = false
			if b.fresh[places[visited]].Change, err = b.unread(ctx, oids[visited], err); err != nil {
				return err
			}
			visited++
		}
	}
	return nil
}

// share keeps each path in memory once.
func (b *builder) share(files []File) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range files {
		path, known := b.paths[files[i].Path]
		if !known {
			path = files[i].Path
			b.paths[path] = path
		}
		files[i].Path = path
	}
}

// unread is what is kept of a change that cannot be read: its paths, when the trees are there.
func (b *builder) unread(ctx context.Context, oid git.OID, cause error) (*Change, error) {
	reason := cause.Error()
	c := &Change{Unread: strings.ToValidUTF8(reason[max(0, len(reason)-maxReason):], "")}
	err := b.source.Paths(ctx, []git.OID{oid}, func(_ git.OID, paths []string) error {
		for _, p := range paths[:min(len(paths), maxFiles)] {
			c.Files = append(c.Files, File{Path: strings.Clone(p)})
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		c.Files = nil
	}
	return c, nil
}

// finish makes the table of what is known, and of the fresh commits from a place on.
func (b *builder) finish(from int) *Table {
	t := NewTable(b.table.repository)
	t.fingerprint = b.table.fingerprint
	for _, c := range b.known {
		t.insert(*c)
	}
	for _, c := range b.fresh[from:] {
		t.insert(c)
	}
	return t
}
