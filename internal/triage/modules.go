package triage

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
)

// pins are the files, at the root of a repository, that name the modules which it needs.
var pins = []string{"go.mod", "go.sum", "go.work.sum", "vendor/modules.txt", "Godeps/Godeps.json", "Gopkg.lock", "glide.lock"}

// unlisted are what a repository may have at its root besides, or instead of, what is listed in its pins.
var unlisted = []string{"vendor", "third_party", "Gopkg.toml", "glide.yaml", "vendor.conf", "vendor.json"}

var versionForm = regexp.MustCompile(`^v[0-9]+$|\.v[0-9]+$`)

// withoutModules clears a target that has never needed the modules which a fix raises, when the fix does nothing else: no file of the target names them, nor
// anything of such a name that pins dependencies, and the commit with which the fix's history began to need them is not on the target. What needs no
// module by name may need it by way of another: only files that name all modules count.
func (j *judge) withoutModules(ctx context.Context, v *Verdict, a attempt, tip int32) error {
	var cleared []Evidence
	for _, f := range a.parts {
		seed := f.part.seeds[0]
		modules := j.raisedOnly(seed)
		if len(modules) == 0 {
			return nil
		}
		missing, err := j.needsNone(ctx, tip, modules)
		if err != nil || !missing {
			return ignoreAbsent(err)
		}
		for _, module := range modules {
			since, err := j.neededSince(ctx, seed, module)
			if err != nil || since < 0 || j.x.reach(tip).has(since) {
				return ignoreAbsent(err)
			}
			if why, unread := j.replaced(ctx, since, tip); unread != nil || why != nil {
				v.open(why...)
				return ignoreAbsent(unread)
			}
			cleared = append(cleared,
				Evidence{Kind: KindAbsent, Path: pins[0], Note: fmt.Sprintf("module %s: no file of the branch names it", module)},
				Evidence{Kind: KindNotIntroduced, Commit: j.x.commits[since].oid, Path: pins[0], Note: "began to need " + module + ": " + clip(j.x.commits[since].full)})
		}
	}
	if len(cleared) > 0 {
		v.Status, v.Justification, v.Evidence = NotAffected, NotPresent, cleared
	}
	return nil
}

// raisedOnly are the modules that a commit raises by its subject, when it changes no source besides.
func (j *judge) raisedOnly(seed int32) []string {
	if len(j.s.sources(seed)) > 0 {
		return nil
	}
	var modules []string
	for _, bump := range spokenOf(j.x.commits[seed].subject, modulesOf(j.s.bumps[seed])) {
		module, _, _ := strings.Cut(bump, " ")
		modules = append(modules, module)
	}
	return slices.Compact(modules)
}

// needsNone reports whether no file of a commit names any of some modules, and what pins its dependencies names them all.
func (j *judge) needsNone(ctx context.Context, at int32, modules []string) (bool, error) {
	commit := j.x.commits[at].oid
	found := map[string][]byte{}
	for _, name := range pins {
		content, err := j.code.content(ctx, commit, name)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(modules, func(module string) bool { return namesLike(content, module) }) {
			return false, nil
		}
		found[name] = content
	}
	if complete, err := j.listsAll(ctx, commit, found); err != nil || !complete {
		return false, err
	}
	named := false
	err := j.history.Grep(ctx, commit, modules, "", func(string, string) bool {
		named = true
		return false
	})
	if err != nil && ctx.Err() == nil {
		return false, nil // a file that cannot be read may name it: nothing is cleared
	}
	return !named, err
}

// listsAll reports whether the pins of a commit name all modules that it needs, those that are needed by way of others, too.
func (j *judge) listsAll(ctx context.Context, commit git.OID, found map[string][]byte) (bool, error) {
	goMod, listed := found["go.mod"], found["Godeps/Godeps.json"] != nil
	switch {
	case goMod == nil:
		return listed || found["Gopkg.lock"] != nil || found["glide.lock"] != nil, nil
	case len(found["go.sum"]) > 0:
		return true, nil
	case bytes.Contains(goMod, []byte("require")):
		return false, nil
	}
	names := unlisted
	if !listed {
		names = append(slices.Clone(names), "Godeps")
	}
	more, err := j.code.hasAny(ctx, commit, names)
	return !more, err
}

// namesLike reports whether a file that pins dependencies names a module, or another one with its name: what is gopkg.in/yaml.v2 now was launchpad.net/goyaml.
func namesLike(content []byte, module string) bool {
	name := path.Base(module)
	if versionForm.MatchString(name) && !strings.Contains(name, ".") {
		name = path.Base(path.Dir(module))
	}
	name = versionForm.ReplaceAllString(name, "")
	if len(name) < 4 { // net is a part of many names: it must be a word
		word := regexp.MustCompile(`(?:^|[^A-Za-z0-9])` + regexp.QuoteMeta(name) + `(?:$|[^A-Za-z0-9])`)
		return word.Match(content)
	}
	return bytes.Contains(content, []byte(name))
}

// neededSince is the last commit before a seed with which a file that pins dependencies began to name a module; -1 when none is found.
func (j *judge) neededSince(ctx context.Context, seed int32, module string) (int32, error) {
	root := j.x.reach(seed)
	var changes []int32
	for _, name := range pins {
		changes = append(changes, j.s.touching(name)...)
	}
	slices.Sort(changes) // newest first
	steps := 0
	for _, i := range slices.Compact(changes) {
		c := &j.x.commits[i]
		if i == seed || !root.has(i) || len(c.parents) != 1 {
			continue
		}
		if steps++; steps > maxSteps {
			break
		}
		now, err := j.needs(ctx, i, module)
		if err != nil || !now {
			return -1, err
		}
		if before, err := j.needs(ctx, c.parents[0], module); err != nil || !before {
			return i, err
		}
	}
	return -1, nil
}

// needs reports whether a file of a commit that pins dependencies names a module.
func (j *judge) needs(ctx context.Context, at int32, module string) (bool, error) {
	for _, name := range pins {
		content, err := j.code.content(ctx, j.x.commits[at].oid, name)
		if err != nil || bytes.Contains(content, []byte(module)) {
			return true, err
		}
	}
	return false, nil
}
