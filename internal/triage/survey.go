package triage

import (
	"bytes"
	"context"
	"hash/fnv"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/patch"
)

// Bounds on what is read.
const (
	maxUnread = 200    // commits that cannot be read before the rest is given up
	maxNames  = 20_000 // paths of one commit that are kept

	dependencies = "go.mod" // stands for all files that pin dependencies

	maxUnreadEvidence = 20 // commits that cannot be read which one verdict names
)

// survey reads what commits change: all paths once, and the patches of the few whose paths are exactly those of a fix.
type survey struct {
	x       *index
	history History
	names   map[int32][]string // base names of the paths, sorted, of the commits that were asked for
	sets    []uint64           // by commit: a hash of its paths; 0 for none
	patches map[int32]git.OID
	byPatch map[git.OID][]int32
	bumps   map[int32][]string // "module version" of each dependency that a commit brings in, of those whose patch was read
	inverse map[int32]git.OID  // the patch-id of what takes a commit back to the letter
	sources map[int32][]string // of the fixes' commits: the paths that a repetition must touch where a branch has them
	touched map[string][]int32 // by such a path: the commits that change it
	merged  map[int32][]string // base names of what a merge changed against its first parent
	unread  map[int32]error

	complete bool // the paths were read
}

func newSurvey(x *index, h History) *survey {
	return &survey{
		x: x, history: h, names: map[int32][]string{}, sets: make([]uint64, len(x.commits)), patches: map[int32]git.OID{},
		byPatch: map[git.OID][]int32{}, bumps: map[int32][]string{}, unread: map[int32]error{},
		inverse: map[int32]git.OID{}, sources: map[int32][]string{}, touched: map[string][]int32{}, merged: map[int32][]string{},
	}
}

// readPaths reads the paths of every commit, and keeps the names of those that keep says.
func (s *survey) readPaths(ctx context.Context, keep map[int32]bool) error {
	var places []int32
	for i := range s.x.commits {
		if !s.x.commits[i].merge {
			places = append(places, int32(i))
		}
	}
	s.complete = true
	return s.each(ctx, places, func(ctx context.Context, oids []git.OID, visit func(git.OID)) error {
		return s.history.Paths(ctx, oids, func(oid git.OID, paths []string) error {
			i := s.x.at[oid]
			s.sets[i] = hashPaths(paths)
			if keep[i] {
				s.names[i] = baseNames(paths)
			}
			s.touch(i, paths)
			visit(oid)
			return nil
		})
	})
}

// base returns the base names of the paths that a commit changed; none for a merge and for what cannot be read.
func (s *survey) base(ctx context.Context, i int32) ([]string, error) {
	names, known := s.names[i]
	_, failed := s.unread[i]
	if known || failed || s.x.commits[i].merge {
		return names, nil
	}
	err := s.each(ctx, []int32{i}, func(ctx context.Context, oids []git.OID, visit func(git.OID)) error {
		return s.history.Paths(ctx, oids, func(oid git.OID, paths []string) error {
			s.names[i] = baseNames(paths)
			visit(oid)
			return nil
		})
	})
	return s.names[i], err
}

// readPatches reads the patches of the commits whose paths are exactly those of a commit among like, and of those in also.
func (s *survey) readPatches(ctx context.Context, like, also map[int32]bool) error {
	sets := map[uint64]bool{}
	for i := range like {
		sets[s.sets[i]] = true
	}
	delete(sets, 0)
	var places []int32
	for i := range s.x.commits {
		if p := int32(i); sets[s.sets[p]] || also[p] && s.sets[p] != 0 {
			places = append(places, p)
		}
	}
	return s.each(ctx, places, func(ctx context.Context, oids []git.OID, visit func(git.OID)) error {
		return s.history.Patches(ctx, oids, func(oid git.OID, diff []byte) error {
			i := s.x.at[oid]
			if id := patch.ID(diff); !id.IsZero() {
				s.patches[i] = id
				s.byPatch[id] = append(s.byPatch[id], i)
				s.inverse[i] = patch.ID(patch.Reverse(diff))
			}
			if also[i] {
				s.bumps[i] = bumps(diff)
			}
			visit(oid)
			return nil
		})
	})
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

// hashPaths hashes a set of paths; their order does not matter.
func hashPaths(paths []string) uint64 {
	if len(paths) == 0 {
		return 0
	}
	var sum uint64
	for _, p := range paths {
		h := fnv.New64a()
		h.Write([]byte(p))
		sum += h.Sum64()
	}
	return max(sum, 1)
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

var bumpForm = regexp.MustCompile(`^\+\s*(?:require\s+)?([A-Za-z0-9][\w./~-]*)\s+(v[0-9][\w.+-]*)`)

// bumps finds the module versions that a diff brings into go.mod files.
func bumps(diff []byte) []string {
	var found []string
	inside := false
	for line := range bytes.Lines(diff) {
		if name, ok := bytes.CutPrefix(line, []byte("+++ ")); ok {
			inside = path.Base(string(bytes.TrimSpace(name))) == "go.mod"
			continue
		}
		if !inside || line[0] != '+' || len(found) >= maxNames {
			continue
		}
		if m := bumpForm.FindSubmatch(line); m != nil {
			found = append(found, string(m[1])+" "+string(m[2]))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// spokenOf keeps the module versions that a subject speaks of: it has the last element of the module's path, and the version or its commit.
func spokenOf(subject string, bumps []string) []string {
	words := strings.FieldsFunc(subject, func(r rune) bool { return strings.ContainsRune(" ,;:()[]@/\t", r) })
	return slices.DeleteFunc(slices.Clone(bumps), func(bump string) bool {
		module, version, _ := strings.Cut(bump, " ")
		return !slices.Contains(words, path.Base(module)) || !slices.ContainsFunc(words, func(word string) bool {
			return word == version || "v"+word == version || len(word) >= 7 && strings.Contains(version, "-"+word)
		})
	})
}
