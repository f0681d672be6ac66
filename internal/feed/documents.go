package feed

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

// Bounds of what is read.
const (
	MaxDocument = 64 << 20  // bytes of one answer, or file
	maxMember   = 16 << 20  // bytes of one file of a folder or archive
	maxMembers  = 400_000   // files of a folder or archive
	maxUnpacked = 512 << 20 // bytes of all of them
)

// Reading is what reading a source gave.
type Reading struct {
	Batch

	From    string    // address or path
	Fetched time.Time // when it was fetched; of files, when the newest was written
	Digest  string    // sha256: and the digest of what was read
	Bytes   int64
	// ETag and Modified are what the server wants to hear when it is asked again.
	ETag, Modified string
	// Unchanged says that the server has nothing newer; all else but From and Fetched is empty then.
	Unchanged bool
}

// ReadPath reads a source from a file, a folder with all below it, or a zip archive. Names that begin with a dot, and folders called testdata, are passed
// over; a symbolic link is refused. A source that yields nothing is [errs.Invalid]. The time is what the content is taken to be of; zero: the newest
// file's time.
func ReadPath(ctx context.Context, s Source, name string, asOf time.Time, known map[string]bool) (Reading, error) {
	out := Reading{From: name}
	err := out.path(ctx, s, name, asOf, known)
	if err == nil {
		err = out.check()
	}
	if err != nil {
		return Reading{}, fmt.Errorf("source %s: %w", s.Name, err)
	}
	return out, nil
}

func (r *Reading) path(ctx context.Context, s Source, name string, asOf time.Time, known map[string]bool) error {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.NotFound, "%w", err)
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return r.folder(ctx, members{source: s, fetched: asOf, known: known}, name)
	}
	if !info.Mode().IsRegular() {
		return errs.New(errs.Invalid, "%q is neither a file nor a directory", name)
	}
	data, err := readBounded(name)
	if err != nil {
		return err
	}
	return r.parse(ctx, s, Document{URL: filepath.ToSlash(name), Fetched: cmp.Or(asOf, info.ModTime().UTC()), Data: data}, known)
}

func (r *Reading) folder(ctx context.Context, m members, name string) error {
	root, err := os.OpenRoot(name)
	if err != nil {
		return err
	}
	defer root.Close()
	if err = m.walk(ctx, root.FS(), filepath.ToSlash(name)+"/"); err != nil {
		return err
	}
	m.into(r)
	return nil
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxDocument+1))
	if err == nil && len(data) > MaxDocument {
		err = errs.New(errs.Invalid, "%s is larger than %d bytes", name, MaxDocument)
	}
	return data, err
}

// parse reads one document, which may be an archive, into the reading.
func (r *Reading) parse(ctx context.Context, s Source, d Document, known map[string]bool) error {
	m := members{source: s, fetched: d.Fetched, known: known}
	if bytes.HasPrefix(d.Data, []byte("PK\x03\x04")) {
		if err := m.unzip(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", d.URL, err)
		}
		m.into(r)
	} else {
		b, err := Parse(s, d, known)
		if err != nil {
			return err
		}
		r.add(b)
	}
	sum := sha256.Sum256(d.Data)
	r.Digest, r.Fetched, r.Bytes = "sha256:"+hex.EncodeToString(sum[:]), d.Fetched, r.Bytes+int64(len(d.Data))
	return nil
}

// check refuses a source that gave nothing, and what it said twice.
func (r *Reading) check() error {
	seen := map[string]bool{}
	r.Candidates = slices.DeleteFunc(r.Candidates, func(c provenance.Candidate) bool {
		twice := seen[c.Record.ID]
		if twice {
			r.refuse(c.Origin.URL, errs.New(errs.Invalid, "%s was there before", c.Record.ID))
		}
		seen[c.Record.ID] = true
		return twice
	})
	if r.Len() > 0 {
		if err := r.fits(); err != nil {
			return fmt.Errorf("%s: %w", r.From, err)
		}
		return nil
	}
	why := ""
	if len(r.Refused) > 0 {
		why = fmt.Sprintf("; the first: %s: %s", r.Refused[0].What, r.Refused[0].Reason)
	}
	return errs.New(errs.Invalid, "%s has nothing that can be used (%d refused, %d not about Kubernetes)%s", r.From, len(r.Refused), r.Skipped, why)
}

// members reads the files of a folder or an archive.
type members struct {
	source  Source
	fetched time.Time
	known   map[string]bool

	batch  Batch
	sums   []string // name and digest of each
	newest time.Time
	bytes  int64
	count  int
}

func (m *members) into(r *Reading) {
	slices.Sort(m.sums)
	sum := sha256.Sum256([]byte(strings.Join(m.sums, "\n")))
	r.add(m.batch)
	r.Digest, r.Bytes = "sha256:"+hex.EncodeToString(sum[:]), m.bytes
	r.Fetched = m.fetched
	if r.Fetched.IsZero() {
		r.Fetched = m.newest
	}
}

// wanted reports whether a file of a folder or archive is read.
func wanted(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != "." || part == "testdata" {
			return false
		}
	}
	return path.Ext(name) == ".json"
}

func (m *members) walk(ctx context.Context, fsys fs.FS, prefix string) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if d.IsDir() || !wanted(name) {
			return nil
		}
		if !d.Type().IsRegular() {
			m.batch.refuse(prefix+name, errs.New(errs.Invalid, "not a regular file"))
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if info.ModTime().After(m.newest) {
			m.newest = info.ModTime().UTC()
		}
		return m.member(prefix+name, cmp.Or(m.fetched, info.ModTime().UTC()), f)
	})
}

func (m *members) unzip(ctx context.Context, d Document) error {
	archive, err := zip.NewReader(bytes.NewReader(d.Data), int64(len(d.Data)))
	if err != nil {
		return errs.New(errs.Invalid, "not a whole zip archive: %w", err)
	}
	prefix := d.URL + "#"
	for _, f := range archive.File {
		if err = ctx.Err(); err != nil {
			return err
		}
		if f.FileInfo().IsDir() || !wanted(f.Name) {
			continue
		}
		if !f.Mode().IsRegular() {
			m.batch.refuse(prefix+f.Name, errs.New(errs.Invalid, "not a regular file"))
			continue
		}
		r, err := f.Open()
		if err != nil {
			m.batch.refuse(prefix+f.Name, err)
			continue
		}
		err = m.member(prefix+f.Name, m.fetched, r)
		_ = r.Close() // only read from: damage has shown while reading
		if err != nil {
			return err
		}
	}
	return nil
}

// member reads one file. One that cannot be used is refused; an error is about all of them.
func (m *members) member(name string, fetched time.Time, r io.Reader) error {
	if m.count++; m.count > maxMembers {
		return errs.New(errs.Invalid, "more than %d files", maxMembers)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxMember+1))
	m.bytes += int64(len(data))
	if m.bytes > maxUnpacked {
		return errs.New(errs.Invalid, "more than %d bytes when unpacked", int64(maxUnpacked))
	}
	if err == nil && len(data) > maxMember {
		err = errs.New(errs.Invalid, "larger than %d bytes", maxMember)
	}
	if err != nil {
		m.batch.refuse(name, err)
		return nil
	}
	sum := sha256.Sum256(data)
	m.sums = append(m.sums, name+" "+hex.EncodeToString(sum[:]))
	b, err := Parse(m.source, Document{URL: name, Fetched: fetched, Data: data}, m.known)
	if err != nil {
		m.batch.refuse(name, reason(err, name))
		return nil
	}
	m.batch.add(b)
	if len(b.Candidates) == 0 {
		return nil
	}
	return m.batch.fits()
}

// fits refuses a source that says more than could be true.
func (b *Batch) fits() error {
	bounds := 0
	for _, c := range b.Candidates {
		bounds += boundsOf(c.Record)
	}
	if b.Len() > maxStatements || bounds > maxAllBounds {
		return errs.New(errs.Invalid, "%d statements about Kubernetes with %d bounds are more than there can be", b.Len(), bounds)
	}
	return nil
}

// reason is an error without the name of the file, which stands beside it.
func reason(err error, name string) error {
	return errors.New(strings.TrimPrefix(err.Error(), name+": "))
}
