package triage

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/equiv"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/presence"
)

const (
	maxNamesakes = 20     // other paths at which a file is looked for
	maxFolders   = 20_000 // that wait to be read, of one commit
)

// code reads versions of files and looks for hunks in them.
type code struct {
	objects git.Objects
	trees   map[git.OID][]git.TreeEntry
	roots   map[git.OID]git.OID // by commit
	paths   map[string][]string // by base name: where files of such a name stand or stood
	states  map[stateKey]presence.State
	read    map[fileKey]*presence.File
	size    int // of what was read, in bytes
	names   map[namesKey]map[string]bool
}

// namesKey is a commit, and of which of its files the names are asked for.
type namesKey struct {
	commit git.OID
	suffix string
}

// maxRead bounds the versions of files that are kept after reading, in bytes.
const maxRead = 64 << 20

// fileKey is a file's content, and how it is read.
type fileKey struct {
	blob      git.OID
	extension string
}

type stateKey struct {
	hunk *presence.Hunk
	name string
	blob git.OID
}

func newCode(objects git.Objects) *code {
	return &code{
		objects: objects, trees: map[git.OID][]git.TreeEntry{}, roots: map[git.OID]git.OID{}, paths: map[string][]string{}, states: map[stateKey]presence.State{},
		read: map[fileKey]*presence.File{}, names: map[namesKey]map[string]bool{},
	}
}

// blob is the name of the file at a path of a commit; zero when there is none. An object that is absent is an error.
func (c *code) blob(ctx context.Context, commit git.OID, file string) (git.OID, error) {
	at, known := c.roots[commit]
	if !known {
		object, err := c.objects.Commit(ctx, commit)
		if err != nil {
			return git.OID{}, err
		}
		at = object.Tree
		c.roots[commit] = at
	}
	for elements := strings.Split(file, "/"); len(elements) > 0; elements = elements[1:] {
		entries, known := c.trees[at]
		if !known {
			var err error
			if entries, err = c.objects.Tree(ctx, at); err != nil {
				return git.OID{}, err
			}
			c.trees[at] = entries
		}
		i := slices.IndexFunc(entries, func(e git.TreeEntry) bool { return e.Name == elements[0] })
		switch {
		case i < 0:
			return git.OID{}, nil
		case len(elements) == 1 && entries[i].Mode.IsRegular():
			return entries[i].OID, nil
		case len(elements) == 1 || !entries[i].Mode.IsTree():
			return git.OID{}, nil
		}
		at = entries[i].OID
	}
	return git.OID{}, nil
}

// hasAny reports whether the root of a commit has a file or folder of one of some names.
func (c *code) hasAny(ctx context.Context, commit git.OID, names []string) (bool, error) {
	object, err := c.objects.Commit(ctx, commit)
	if err != nil {
		return false, err
	}
	entries, err := c.objects.Tree(ctx, object.Tree)
	return slices.ContainsFunc(entries, func(e git.TreeEntry) bool { return slices.Contains(names, e.Name) }), err
}

// content is the file at a path of a commit; nil when there is none.
func (c *code) content(ctx context.Context, commit git.OID, file string) ([]byte, error) {
	id, err := c.blob(ctx, commit, file)
	if err != nil || id.IsZero() {
		return nil, err
	}
	content, err := c.objects.Blob(ctx, id)
	if content == nil && err == nil {
		content = []byte{}
	}
	return content, err
}

// find looks for a hunk in a commit: at its path, and where that has no such declaration, in files of the same name elsewhere.
func (c *code) find(ctx context.Context, commit git.OID, h *presence.Hunk) (state presence.State, where string, err error) {
	state, err = c.findAt(ctx, commit, h, h.Path)
	if err != nil || state != presence.Absent {
		return state, h.Path, err
	}
	for _, other := range c.paths[path.Base(h.Path)] {
		if other == h.Path {
			continue
		}
		if state, err = c.findAt(ctx, commit, h, other); err != nil || state != presence.Absent {
			return state, other, err
		}
	}
	return presence.Absent, h.Path, nil
}

func (c *code) findAt(ctx context.Context, commit git.OID, h *presence.Hunk, name string) (presence.State, error) {
	id, err := c.blob(ctx, commit, name)
	if err != nil || id.IsZero() {
		return presence.Absent, err
	}
	key := stateKey{h, name, id}
	if state, known := c.states[key]; known {
		return state, nil
	}
	file, err := c.file(ctx, id, name)
	if err != nil {
		return "", err
	}
	state := h.FindIn(file)
	c.states[key] = state
	return state, nil
}

// file reads a version of a file. Many hunks are looked for in the same ones: it is kept for the next.
func (c *code) file(ctx context.Context, id git.OID, name string) (*presence.File, error) {
	key := fileKey{id, path.Ext(name)}
	if f, known := c.read[key]; known {
		return f, nil
	}
	content, err := c.objects.Blob(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.size += len(content); c.size > maxRead {
		clear(c.read)
		c.size = len(content)
	}
	f := presence.Read(name, content)
	c.read[key] = f
	return f, nil
}

// unreadable reports whether an error only says that an object of the clone is absent or too large.
func unreadable(err error) bool {
	_, absent := errors.AsType[*git.AbsentError](err)
	_, large := errors.AsType[*git.OversizeError](err)
	return absent || large
}

// sources are the base names of the source files of a commit with a suffix.
func (c *code) sources(ctx context.Context, commit git.OID, suffix string) (map[string]bool, error) {
	key := namesKey{commit, suffix}
	if names, known := c.names[key]; known {
		return names, nil
	}
	object, err := c.objects.Commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	c.names[key] = names
	type folder struct {
		oid  git.OID
		path string
	}
	for stack := []folder{{object.Tree, ""}}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		entries, known := c.trees[at.oid]
		if !known {
			if entries, err = c.objects.Tree(ctx, at.oid); err != nil {
				return nil, err
			}
			c.trees[at.oid] = entries
		}
		for _, e := range entries {
			file := path.Join(at.path, e.Name)
			switch {
			case !equiv.IsSource(path.Join(file, "x")):
			case e.Mode.IsTree() && len(stack) < maxFolders:
				stack = append(stack, folder{e.OID, file})
			case e.Mode.IsRegular() && strings.HasSuffix(e.Name, suffix) && equiv.IsSource(file):
				names[e.Name] = true
			}
		}
	}
	return names, nil
}
