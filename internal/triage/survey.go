package triage

import (
	"bytes"
	"context"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Bounds on what is read.
const (
	maxUnread = 200    // commits that cannot be read before the rest is given up
	maxNames  = 20_000 // paths of one commit that are kept

	dependencies = "go.mod" // stands for all files that pin dependencies
	language     = "go"     // the "module" of a go directive

	maxUnreadEvidence = 20 // commits that cannot be read which one verdict names
)

// survey is what commits change: from the index, and read where the index does not say enough.
type survey struct {
	x       *index
	history History
	names   map[int32][]string // base names of the paths, sorted, of the commits that were asked for
	byPatch map[git.OID][]int32
	byPlain map[equiv.PlainID][]int32
	byFile  map[uint64][]int32 // of the files of parts, by their plain patch-id
	diffs   map[int32][]byte   // of the commits that were asked for; nil when it cannot be read
	bumps   map[int32][]string // "module version" of each dependency that a commit brings in, of those whose patch was read
	touched map[string][]int32 // by path of a part's source file: the commits that change it
	merged  map[int32][]string // base names of what a merge changed against its first parent
	unread  map[int32]error
	lacking []int32 // those of unread, in order; made anew when there are more
}

func newSurvey(x *index, h History) *survey {
	s := &survey{
		x: x, history: h, names: map[int32][]string{}, byPatch: make(map[git.OID][]int32, len(x.commits)), byPlain: make(map[equiv.PlainID][]int32, len(x.commits)),
		byFile: map[uint64][]int32{}, diffs: map[int32][]byte{}, bumps: map[int32][]string{}, unread: map[int32]error{},
		touched: map[string][]int32{}, merged: map[int32][]string{},
	}
	for i := range x.commits {
		at, change := int32(i), x.commits[i].change
		switch {
		case change == nil:
		case change.Unread != "":
			s.unread[at] = errs.New(errs.Unavailable, "%s", change.Unread)
		default:
			if !change.Patch.IsZero() {
				s.byPatch[change.Patch] = append(s.byPatch[change.Patch], at)
			}
			if !change.Plain.IsZero() {
				s.byPlain[change.Plain] = append(s.byPlain[change.Plain], at)
			}
		}
	}
	return s
}

// unreadOrder are the commits that cannot be read, newest first.
func (s *survey) unreadOrder() []int32 {
	if len(s.lacking) != len(s.unread) {
		s.lacking = slices.Sorted(maps.Keys(s.unread))
	}
	return s.lacking
}

// follow notes which commits change the source files of parts, and which change a file just so.
func (s *survey) follow(parts []*part) {
	for _, p := range parts {
		for _, seed := range p.seeds {
			for _, f := range s.files(seed) {
				if equiv.IsSource(f.Path) {
					s.touched[f.Path] = nil
					s.byFile[f.Plain] = nil
				}
			}
		}
	}
	delete(s.byFile, 0)
	for i := range s.x.commits {
		for _, f := range s.files(int32(i)) {
			if by, ok := s.touched[f.Path]; ok {
				s.touched[f.Path] = append(by, int32(i))
			}
			if by, ok := s.byFile[f.Plain]; ok {
				s.byFile[f.Plain] = append(by, int32(i))
			}
		}
	}
}

// touching are the commits that change a path, newest first.
func (s *survey) touching(file string) []int32 {
	by, known := s.touched[file]
	if !known {
		for i := range s.x.commits {
			if slices.ContainsFunc(s.files(int32(i)), func(f equiv.File) bool { return f.Path == file }) {
				by = append(by, int32(i))
			}
		}
		s.touched[file] = by
	}
	return by
}

// files are what a commit changed; none for a merge and for what cannot be read.
func (s *survey) files(i int32) []equiv.File {
	if c := s.x.commits[i].change; c != nil {
		return c.Files
	}
	return nil
}

// base returns the base names of the paths that a commit changed; none for a merge and for what cannot be read.
func (s *survey) base(i int32) []string {
	names, known := s.names[i]
	if !known {
		files := s.files(i)
		paths := make([]string, len(files))
		for n, f := range files {
			paths[n] = f.Path
		}
		names = baseNames(paths)
		s.names[i] = names
	}
	return names
}

// maySame says of two commits, of which one at least cannot be read, whether they may make the same change: they touch the same names, or of one it is not
// known what it touches.
func (s *survey) maySame(a, b int32) bool {
	x, y := s.base(a), s.base(b)
	return len(x) == 0 || len(y) == 0 || slices.Equal(x, y)
}

// sources are the paths that a repetition of a commit must touch where a branch has them.
func (s *survey) sources(i int32) []string {
	var paths []string
	for _, f := range s.files(i) {
		if equiv.IsSource(f.Path) {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// diff returns a commit's patch; nil for a merge and for what cannot be read.
func (s *survey) diff(ctx context.Context, i int32) ([]byte, error) {
	if diff, known := s.diffs[i]; known {
		return diff, nil
	}
	err := s.readDiffs(ctx, []int32{i})
	return s.diffs[i], err
}

// readDiffs reads the patches of some commits, those of which they were read already left out.
func (s *survey) readDiffs(ctx context.Context, places []int32) error {
	places = slices.DeleteFunc(slices.Clone(places), func(i int32) bool {
		_, known := s.diffs[i]
		c := s.x.commits[i].change
		return known || c == nil || c.Unread != ""
	})
	slices.Sort(places)
	places = slices.Compact(places)
	return s.each(ctx, places, func(ctx context.Context, oids []git.OID, visit func(git.OID)) error {
		return s.history.Patches(ctx, oids, func(oid git.OID, diff []byte) error {
			s.diffs[s.x.at[oid]] = slices.Clone(diff)
			visit(oid)
			return nil
		})
	})
}

// readBumps finds the dependencies that some commits raise.
func (s *survey) readBumps(ctx context.Context, places []int32) error {
	places = slices.DeleteFunc(places, func(i int32) bool { return !slices.Contains(s.base(i), dependencies) })
	if err := s.readDiffs(ctx, places); err != nil {
		return err
	}
	for _, i := range places {
		s.bumps[i] = bumps(s.diffs[i])
	}
	return nil
}

// each calls read for commits until all were visited. Where reading ends before that, the commit at which it ended is tried alone, noted when it
// cannot be read, and the rest goes on.
func (s *survey) each(ctx context.Context, places []int32, read func(context.Context, []git.OID, func(git.OID)) error) error {
	oids := make([]git.OID, len(places))
	for n, i := range places {
		oids[n] = s.x.commits[i].oid
	}
	for failed := 0; len(oids) > 0; {
		visited := 0
		count := func(git.OID) { visited++ }
		err := read(ctx, oids, count)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		}
		if oids = oids[visited:]; visited > 0 || len(oids) == 0 {
			continue
		}
		if err = read(ctx, oids[:1], count); err == nil {
			oids = oids[1:]
			continue
		}
		given := oids[:1]
		if failed++; failed >= maxUnread {
			given = oids
		}
		for _, oid := range given {
			s.unread[s.x.at[oid]] = err
		}
		oids = oids[len(given):]
	}
	return nil
}

// baseNames are the names by which commits on different branches are found to touch the same files: directories move. The files that pin
// dependencies go under one name, for on an older branch another program wrote them.
func baseNames(paths []string) []string {
	names := make([]string, 0, min(len(paths), maxNames))
	for _, p := range paths[:min(len(paths), maxNames)] {
		name := path.Base(p)
		switch name {
		case "go.sum", "modules.txt", "Godeps.json", "Gopkg.toml", "Gopkg.lock", "glide.yaml", "glide.lock":
			name = dependencies
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// shared counts the names that stand in both of two sorted lists.
func shared(a, b []string) int {
	n := 0
	for _, name := range a {
		if _, ok := slices.BinarySearch(b, name); ok {
			n++
		}
	}
	return n
}

var (
	bumpForm    = regexp.MustCompile(`^\+\s*(?:require\s+)?([A-Za-z0-9][\w./~-]*)\s+(v[0-9][\w.+-]*)`)
	replaceForm = regexp.MustCompile(`^\+\s*(?:replace\s+)?[A-Za-z0-9][^ ]*(?:\s+v[^ ]+)?\s+=>\s+([A-Za-z0-9][\w./~-]*)\s+(v[0-9][\w.+-]*)`)
)

// bumps finds the module versions that a diff brings into go.mod files, as they are or in place of others; and the packages' revisions that it brings
// into Godeps.json.
func bumps(diff []byte) []string {
	var found []string
	inside, imported := "", ""
	for line := range bytes.Lines(diff) {
		if name, ok := bytes.CutPrefix(line, []byte("+++ ")); ok {
			inside = path.Base(string(bytes.TrimSpace(name)))
			continue
		}
		if len(found) >= maxNames {
			break
		}
		switch inside {
		case "go.mod":
			for _, form := range []*regexp.Regexp{bumpForm, replaceForm, languageForm} {
				if m := form.FindSubmatch(line); m != nil {
					found = append(found, string(m[1])+" "+string(m[2]))
					break
				}
			}
		case "Godeps.json":
			if m := importedForm.FindSubmatch(line); m != nil {
				imported = string(m[1])
			} else if m := revisionForm.FindSubmatch(line); m != nil && imported != "" {
				found = append(found, imported+" "+string(m[1]))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

var (
	languageForm = regexp.MustCompile(`^\+(go) ([0-9][0-9.]*)\s*$`)
	importedForm = regexp.MustCompile(`^[ +]\s*"ImportPath": "([^"\s]+)"`)
	revisionForm = regexp.MustCompile(`^\+\s*"Rev": "([0-9a-f]{40})"`) // not that of a sibling which publishing crosses out
)

var flawForm = regexp.MustCompile(`\b(?:CVE-[0-9]{4}-[0-9]{4,}|GHSA(?:-[0-9a-z]{4}){3})\b`)

// spokenOf keeps the module versions that a subject speaks of: it has the last element of the module's path, and the version, its commit, or for which flaw it is raised.
func spokenOf(subject string, bumps []string) []string {
	words := strings.FieldsFunc(subject, func(r rune) bool { return strings.ContainsRune(" ,;:()[]@/\t", r) })
	anyVersion := flawForm.MatchString(subject)
	return slices.DeleteFunc(slices.Clone(bumps), func(bump string) bool {
		module, version, _ := strings.Cut(bump, " ")
		if module == language {
			return !slices.Contains(words, language+version)
		}
		return !slices.Contains(words, path.Base(module)) || !anyVersion && !slices.ContainsFunc(words, func(word string) bool {
			return word == version || "v"+word == version || len(word) >= 7 && strings.Contains(version, "-"+word)
		})
	})
}
