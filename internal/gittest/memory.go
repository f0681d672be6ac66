package gittest

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/kubelts/kubelts/internal/git"
)

// Memory is a [git.Store] in memory, for tests of what only needs objects. It may be used from many goroutines.
type Memory struct {
	mu      sync.Mutex
	blobs   map[git.OID][]byte
	trees   map[git.OID][]git.TreeEntry
	commits map[git.OID]*git.Commit
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{blobs: map[git.OID][]byte{}, trees: map[git.OID][]git.TreeEntry{}, commits: map[git.OID]*git.Commit{}}
}

// Blob implements [git.Objects].
func (m *Memory) Blob(_ context.Context, id git.OID) ([]byte, error) {
	return lookup(m, m.blobs, id, git.TypeBlob)
}

// Tree implements [git.Objects].
func (m *Memory) Tree(_ context.Context, id git.OID) ([]git.TreeEntry, error) {
	return lookup(m, m.trees, id, git.TypeTree)
}

// Commit implements [git.Objects].
func (m *Memory) Commit(_ context.Context, id git.OID) (*git.Commit, error) {
	return lookup(m, m.commits, id, git.TypeCommit)
}

func lookup[T any](m *Memory, objects map[git.OID]T, id git.OID, t git.Type) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := objects[id]
	if !ok {
		return o, &git.AbsentError{OID: id, Type: t}
	}
	return o, nil
}

// WriteBlob implements [git.Store].
func (m *Memory) WriteBlob(_ context.Context, content []byte) (git.OID, error) {
	return keep(m, m.blobs, git.Hash(git.TypeBlob, content), append([]byte(nil), content...))
}

// WriteTree implements [git.Store].
func (m *Memory) WriteTree(_ context.Context, entries []git.TreeEntry) (git.OID, error) {
	content := git.EncodeTree(entries)
	sorted, err := git.ParseTree(content)
	if err != nil {
		return git.OID{}, err
	}
	return keep(m, m.trees, git.Hash(git.TypeTree, content), sorted)
}

// WriteCommit implements [git.Store].
func (m *Memory) WriteCommit(_ context.Context, c *git.Commit) (git.OID, error) {
	written := *c
	written.OID = git.Hash(git.TypeCommit, git.EncodeCommit(c))
	return keep(m, m.commits, written.OID, &written)
}

func keep[T any](m *Memory, objects map[git.OID]T, id git.OID, o T) (git.OID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	objects[id] = o
	return id, nil
}

// Forget removes an object, as a partial clone lacks it.
func (m *Memory) Forget(id git.OID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.blobs, id)
	delete(m.trees, id)
	delete(m.commits, id)
}

// Export writes all objects as loose objects into a git directory, for the git program to read.
func (m *Memory) Export(gitDir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, content := range m.blobs {
		if err := writeLoose(gitDir, id, git.TypeBlob, content); err != nil {
			return err
		}
	}
	for id, entries := range m.trees {
		if err := writeLoose(gitDir, id, git.TypeTree, git.EncodeTree(entries)); err != nil {
			return err
		}
	}
	for id, c := range m.commits {
		if err := writeLoose(gitDir, id, git.TypeCommit, git.EncodeCommit(c)); err != nil {
			return err
		}
	}
	return nil
}

func writeLoose(gitDir string, id git.OID, t git.Type, content []byte) error {
	hex := id.String()
	path := filepath.Join(gitDir, "objects", hex[:2], hex[2:])
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	fmt.Fprintf(z, "%s %d\x00%s", t, len(content), content)
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
