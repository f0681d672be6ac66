package upkeep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/memory"
)

// MemoryDir is where a project keeps how its people resolved conflicts, for all of its lines.
const MemoryDir = "memory"

// maxMemory bounds all recorded resolutions together, in bytes.
const maxMemory = 256 << 20

// ReadMemory reads the resolutions in a directory of files. Files of other names than those of resolutions are not looked at.
func ReadMemory(files Files, dir string) (*memory.Library, error) {
	names, err := files.List(dir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, memory.Suffix) })
	if len(names) > memory.MaxRecords {
		return nil, errs.New(errs.Invalid, "%s: holds %d resolutions, more than %d", dir, len(names), memory.MaxRecords)
	}
	var records []*memory.Record
	size := 0
	for _, name := range names {
		file := path.Join(dir, name)
		content, err := files.Read(file, memory.MaxRecord)
		if err != nil {
			return nil, err
		}
		if size += len(content); size > maxMemory {
			return nil, errs.New(errs.Invalid, "%s: holds more than %d bytes of resolutions", dir, maxMemory)
		}
		r, err := memory.Parse(file, content)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return memory.NewLibrary(records)
}

// Taught is what was made of a person's resolution for the next time.
type Taught struct {
	Records []*memory.Record
	// Left says what could not be recorded, and why.
	Left []string
}

// Lesson is a file of a pick that a person resolved.
type Lesson struct {
	Path     string
	Conflict backport.Conflict // names its three versions
	Resolved []byte
}

// Teach makes records of the files that a person resolved. What cannot be recorded, and the paths in about.Also, are noted in each record: it is not all that
// was done.
func Teach(ctx context.Context, objects git.Objects, lessons []Lesson, about memory.About) (*Taught, error) {
	out := &Taught{}
	also := slices.Clone(about.Also)
	about.Also = nil
	for _, l := range lessons {
		r, err := backport.Learn(ctx, objects, l.Path, l.Conflict, l.Resolved, about)
		if errs.Is(err, errs.Invalid) {
			out.Left = append(out.Left, err.Error())
			also = append(also, l.Path)
			continue
		}
		if _, absent := errors.AsType[*git.AbsentError](err); absent {
			out.Left = append(out.Left, l.Path+": "+err.Error())
			also = append(also, l.Path)
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Records = append(out.Records, r)
	}
	slices.Sort(also)
	also = slices.Compact(also)
	learned := out.Records
	out.Records = nil
	for _, r := range learned {
		r.Also = also
		if _, err := memory.Parse(r.FileName(), r.Format()); err != nil { // there are too many other paths
			out.Left = append(out.Left, err.Error())
			continue
		}
		out.Records = append(out.Records, r)
	}
	return out, nil
}

// teach makes records of a conflict's edited files, and puts the new ones into the change.
func (p *Project) teach(ctx context.Context, c conflictState, edits map[string]*git.TreeEntry, r Resolution, ch *change) (*Taught, error) {
	about := memory.About{
		Commit: c.Commit, Subject: c.Subject, Target: c.Onto, Author: r.Author.String(), Date: r.Date.Time(), Reason: r.Reason,
		Also: slices.Concat(r.Also, r.Removed),
	}
	var lessons []Lesson
	for _, f := range c.Files {
		edit := edits[f.Path]
		if edit == nil {
			continue
		}
		content, err := p.Store.Blob(ctx, edit.OID)
		if err != nil {
			return nil, err
		}
		lessons = append(lessons, Lesson{f.Path, backport.Conflict{Base: f.Base, Ours: f.Ours, Theirs: f.Theirs}, content})
	}
	taught, err := Teach(ctx, p.Store, lessons, about)
	if err != nil {
		return nil, err
	}
	for _, record := range taught.Records {
		name := MemoryDir + "/" + record.FileName()
		if _, err := p.Files.Read(name, memory.MaxRecord); errors.Is(err, fs.ErrNotExist) {
			ch.write(name, record.Format())
		}
	}
	return taught, nil
}

// ofMemory reports whether a name is that of a recorded resolution.
func ofMemory(name string) bool {
	file, ok := strings.CutPrefix(name, MemoryDir+"/")
	return ok && git.ValidPath(name) && !strings.Contains(file, "/") && strings.HasSuffix(file, memory.Suffix)
}

// remembered says which resolutions a pick used.
func remembered(res backport.Result) string {
	var names []string
	for _, f := range res.Files {
		for _, name := range f.Resolutions {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "by resolution " + strings.Join(names, ", ")
}

// noteOf says in the ledger which resolutions a pick used and, if a person has to look at it, why.
func noteOf(res backport.Result) string {
	const most = 10
	var words []string
	if by := remembered(res); by != "" {
		words = append(words, by)
	}
	if res.Confidence == backport.Review {
		words = append(words, res.Notes[:min(len(res.Notes), most)]...)
		if more := len(res.Notes) - most; more > 0 {
			words = append(words, fmt.Sprintf("and %d more", more))
		}
	}
	return strings.Join(words, "; ")
}

// inHand reports whether a person has begun to edit the conflict of a commit. Then it is theirs to decide.
func (p *Project) inHand(s *lineState, commit git.OID) (bool, error) {
	at := slices.IndexFunc(s.conflicts, func(c conflictState) bool { return c.Commit == commit })
	if at < 0 {
		return false, nil
	}
	return p.edited(s, s.conflicts[at])
}
