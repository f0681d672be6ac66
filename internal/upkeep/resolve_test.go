package upkeep

import (
	"testing"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/lts"
)

// laidOut is a project's directory with one file.
type laidOut struct {
	Files
	content string
}

func (l laidOut) Read(string, int64) ([]byte, error) { return []byte(l.content), nil }

func TestResolvedFileMayHoldLinesThatLookLikeMarkers(t *testing.T) {
	const heading = "Title\n=======\n\ntext\n"
	_, _, root, store := mailed(t, func(r *gittest.Repo) { r.Write("a.txt", "a\n") }, func(r *gittest.Repo) { r.Write("notes.rst", heading) })
	ctx := t.Context()
	entry, err := lookup(ctx, store, root, "notes.rst")
	must(t, err)
	state := conflictState{Conflict: &lts.Conflict{Onto: root, Files: []lts.ConflictFile{{Path: "notes.rst", Mode: git.ModeFile.String(), Ours: entry.OID}}}}
	for _, tt := range []struct {
		name, content string
		refused       bool
	}{
		{"a heading that the target has", heading + "more\n", false},
		{"a marker that no side has", heading + "<<<<<<< ours\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &Project{Store: testStore{store}, Files: laidOut{content: tt.content}}
			_, err := p.resolvedFile(ctx, "files", "notes.rst", state)
			if refused := errs.Is(err, errs.Conflict); refused != tt.refused || !refused && err != nil {
				t.Errorf("refused %v (%v), want %v", refused, err, tt.refused)
			}
		})
	}
}
