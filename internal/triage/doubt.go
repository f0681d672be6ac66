package triage

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/kubelts/kubelts/internal/presence"
)

// doubtStrong looks at the files of a target that has the very change: where all that it changed in a file stands as it found it, somebody took it back without a word,
// in a merge or when the file moved.
func (j *judge) doubtStrong(ctx context.Context, v *Verdict, f found, tip int32) error {
	if slices.ContainsFunc(j.undone[sightKey{f.part.seeds[0], tip}], func(e Evidence) bool { return strings.HasSuffix(e.Note, replacedNote) }) {
		return nil
	}
	var why []Evidence
	for _, seed := range f.part.seeds {
		s, err := j.seeAs(ctx, seed, tip)
		if err != nil {
			return err
		}
		own, err := j.seeAs(ctx, seed, seed)
		if err != nil {
			return err
		}
		back := s.takenBack(own)
		if len(back) == 0 || j.goesOn(ctx, seed, back[0].Path, v) {
			return nil
		}
		why = append(why, back...)
	}
	if len(why) > 0 {
		v.open(why[:min(len(why), maxShown)]...)
	}
	return nil
}

// takenBack are the hunks of files that stand just as the seed found them, although the seed left them otherwise.
func (s *sight) takenBack(own *sight) []Evidence {
	if s.fault != nil || own.fault != nil {
		return nil
	}
	kept := map[string]bool{}
	for i, state := range s.states {
		h := &s.hunks[i]
		if !h.New && (state != presence.Before || own.states[i] != presence.After) {
			kept[h.Path] = true
		}
	}
	var all []Evidence
	for i := range s.states {
		if h := &s.hunks[i]; !h.New && !kept[h.Path] {
			all = append(all, Evidence{Kind: KindBefore, Path: s.where[i], Note: h.Decl})
		}
	}
	return all
}

// goesOn reports whether a commit that stands for another part of the fix leaves the lines as they stand: the fix itself went on from there.
func (j *judge) goesOn(ctx context.Context, seed int32, file string, v *Verdict) bool {
	return slices.ContainsFunc(v.Matches, func(m Match) bool {
		i, ok := j.x.at[m.Commit]
		if !ok || i == seed || !j.x.isAncestor(seed, i) {
			return false
		}
		s, err := j.seeAs(ctx, seed, i)
		return err == nil && s.fault == nil && s.before(file)
	})
}

// doubtModules looks whether a target needs the modules, of which the subject of a part speaks, in a lower version than the part raises them to.
func (j *judge) doubtModules(ctx context.Context, v *Verdict, p *part, tip int32) error {
	var least []Evidence
	for _, seed := range p.seeds {
		lower, err := j.lowered(ctx, seed, tip)
		if err != nil || len(lower) == 0 {
			return ignoreAbsent(err)
		}
		least = lower
	}
	v.open(least...)
	return nil
}

func (j *judge) lowered(ctx context.Context, seed, tip int32) ([]Evidence, error) {
	var all []Evidence
	raised := spokenOf(j.x.commits[seed].subject, modulesOf(j.s.bumps[seed]))
	for _, f := range j.s.files(seed) {
		if path.Base(f.Path) != "go.mod" || len(raised) == 0 || strings.Contains("/"+f.Path, "/vendor/") {
			continue
		}
		content, err := j.code.content(ctx, j.x.commits[tip].oid, f.Path)
		if err != nil {
			return nil, err
		}
		for _, bump := range raised {
			module, version, _ := strings.Cut(bump, " ")
			if now := versionIn(content, module); semver.IsValid(now) && semver.IsValid(version) && semver.Compare(now, version) < 0 {
				all = append(all, Evidence{Kind: KindUndone, Commit: j.x.commits[seed].oid, Path: f.Path, Note: fmt.Sprintf("the fix raises %s to %s, and the branch needs %s", module, version, now)})
			}
		}
	}
	return all, nil
}

// versionIn is the version of a module that a go.mod file asks for; empty where that cannot be told.
func versionIn(content []byte, module string) string {
	file, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return ""
	}
	version := ""
	for _, r := range file.Require {
		if r.Mod.Path == module {
			version = r.Mod.Version
		}
	}
	for _, r := range file.Replace {
		switch {
		case r.New.Path == module:
			return r.New.Version
		case r.Old.Path == module && (r.Old.Version == "" || r.Old.Version == version):
			return ""
		}
	}
	return version
}

// notLooked says of which parts of a fix it cannot be told by their lines whether a target has use for them: those that cannot be looked at as a whole, and those that raise
// modules which the target may need.
func (j *judge) notLooked(ctx context.Context, a attempt, tip int32) ([]Evidence, error) {
	var doubts []Evidence
	for _, f := range a.parts {
		seed := f.part.seeds[0]
		c := &j.x.commits[seed]
		s, err := j.see(ctx, f.part, tip)
		if err != nil {
			return nil, err
		}
		if c.merge || len(s.states) == 0 && len(j.s.sources(seed)) > 0 || len(s.hunks) >= presence.MaxHunks {
			doubts = append(doubts, Evidence{Kind: KindNotFound, Commit: c.oid, Note: clip(c.full) + ": what it changes cannot all be looked for"})
		}
		modules := foreign(j.s.bumps[seed])
		if len(modules) == 0 {
			continue
		}
		none, err := j.needsNone(ctx, tip, modules)
		if ignoreAbsent(err) != nil {
			return nil, err
		}
		if !none || err != nil {
			doubts = append(doubts, Evidence{Kind: KindKindred, Commit: c.oid, Path: pins[0], Note: "the fix raises " + clip(strings.Join(modules, ", ")) + ", which the branch may need"})
		}
	}
	return doubts, nil
}

// foreign are the modules that are raised, but for siblings, whose versions say nothing: publishing puts them in.
func foreign(bumps []string) []string {
	var modules []string
	for _, bump := range modulesOf(bumps) {
		module, version, _ := strings.Cut(bump, " ")
		if sibling := strings.HasPrefix(module, "k8s.io/") && (strings.HasPrefix(version, "v0.0.0-") || !strings.HasPrefix(version, "v")); !sibling {
			modules = append(modules, module)
		}
	}
	return slices.Compact(modules)
}

var (
	pathForm   = regexp.MustCompile(`[A-Za-z0-9][\w~-]*(?:\.[\w~-]+)+(?:/[\w.~-]+)+`)
	insteadOf  = regexp.MustCompile(`(?i)\b(?:replac\w*|switch\w*|renam\w*|fork\w*|instead)\b`)
	directPins = []string{"go.mod", "Godeps/Godeps.json", "Gopkg.lock", "glide.lock"}
)

// replaced says why the commit with which the need of a module began may have put it in the place of another one, which a target has still.
func (j *judge) replaced(ctx context.Context, since, tip int32) ([]Evidence, error) {
	c := &j.x.commits[since]
	if word := insteadOf.FindString(c.full); word != "" {
		return []Evidence{{Kind: KindKindred, Commit: c.oid, Path: pins[0], Note: fmt.Sprintf("began to need the module, and says %q: the branch may have what was there before it", word)}}, nil
	}
	var names [3]map[string]bool
	for n, at := range []int32{c.parents[0], since, tip} {
		names[n] = map[string]bool{}
		for _, name := range directPins {
			content, err := j.code.content(ctx, j.x.commits[at].oid, name)
			if err != nil {
				return nil, err
			}
			for _, found := range pathForm.FindAll(bytes.TrimSpace(content), -1) {
				names[n][string(found)] = true
			}
		}
	}
	var gone []string
	for name := range names[0] {
		if names[2][name] && !hasPrefixOf(names[1], name) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	note := "began to need the module when it needed no more what the branch has: " + clip(slices.Min(gone))
	return []Evidence{{Kind: KindKindred, Commit: c.oid, Path: pins[0], Note: note}}, nil
}

// hasPrefixOf reports whether names have a package, or a module that may hold it.
func hasPrefixOf(names map[string]bool, name string) bool {
	for ; strings.Contains(name, "/"); name = path.Dir(name) {
		if names[name] {
			return true
		}
	}
	return false
}
