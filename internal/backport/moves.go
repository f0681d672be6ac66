package backport

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/importmap"
	"github.com/kubelts/kubelts/internal/patch"
)

// moves knows where the target has what stands elsewhere on the fix's side: directories and import paths. It belongs to one merge, and reads
// only when something is asked.
type moves struct {
	merge          *treeMerge
	source, target *mergedTree // as they stand: the fix's tree and the target's

	indexed bool
	added   map[string][]string // directories of the files that only the target has, by base name
	removed map[string][]string // base names of the files that the target does not have, by directory
	dirs    map[string]string   // answers of dir
	paths   map[string]string   // import paths of the target's directories
	votes   map[string]map[string]string
	how     map[string]string // why a file was brought together with one of the target, by the target's path
}

// movesRung is what follows a move: a file rung that takes no file, for only the merge itself knows where files are.
type movesRung struct{}

func (movesRung) name() string { return "moves" }

func newMoves(m *treeMerge) *moves {
	return &moves{
		merge: m, source: &mergedTree{engine: m.engine, tree: m.source.Tree}, target: &mergedTree{engine: m.engine, tree: m.ours},
		dirs: map[string]string{}, paths: map[string]string{}, votes: map[string]map[string]string{}, how: map[string]string{},
	}
}

// index reads which files only one of the two trees has.
func (k *moves) index(ctx context.Context) error {
	if k.indexed {
		return nil
	}
	m := k.merge
	if m.oursDiff == nil {
		var err error
		if m.oursDiff, err = patch.DiffTrees(ctx, m.engine.store, m.source.Base, m.ours); err != nil {
			return err
		}
	}
	k.indexed, k.added, k.removed = true, map[string][]string{}, map[string][]string{}
	for _, c := range m.oursDiff.Changes {
		dir, name := path.Split(c.Path)
		switch dir = path.Clean(dir); {
		case !c.Old.Exists():
			k.added[name] = append(k.added[name], dir)
		case !c.New.Exists():
			k.removed[dir] = append(k.removed[dir], name)
		}
	}
	return nil
}

// dir is where the target has a directory of the fix's side: there as well if most of its files are, otherwise where files of the same names
// came up. It is empty where that cannot be told.
func (k *moves) dir(ctx context.Context, dir string) (string, error) {
	if dir == "." {
		return dir, nil
	}
	if to, known := k.dirs[dir]; known {
		return to, nil
	}
	if err := k.index(ctx); err != nil {
		return "", err
	}
	to, err := k.findDir(ctx, dir)
	if err == nil {
		k.dirs[dir] = to
	}
	return to, err
}

func (k *moves) findDir(ctx context.Context, dir string) (string, error) {
	m := k.merge
	before, err := m.engine.lookup(ctx, m.source.Base, dir)
	if err != nil {
		return "", err
	}
	ours, err := m.engine.lookup(ctx, m.ours, dir)
	if err != nil {
		return "", err
	}
	if !before.Mode.IsTree() {
		// The fix makes the directory: it goes with the one above it.
		return k.below(ctx, dir)
	}
	entries, err := patch.ReadTree(ctx, m.engine.store, before.OID)
	if err != nil {
		return "", err
	}
	files := 0
	for _, e := range entries {
		if !e.Mode.IsTree() {
			files++
		}
	}
	gone := k.removed[dir]
	if ours.Mode.IsTree() && len(gone)*2 <= files {
		return dir, nil
	}
	if to := k.namesakes(dir, gone); to != "" || files > 0 {
		return to, nil
	}
	to, err := k.below(ctx, dir)
	if err != nil || to == "" {
		return "", err
	}
	there, err := m.engine.lookup(ctx, m.ours, to)
	if err != nil || !there.Mode.IsTree() {
		return "", err
	}
	return to, nil
}

// below is where a directory goes with the one above it.
func (k *moves) below(ctx context.Context, dir string) (string, error) {
	above, err := k.dir(ctx, path.Dir(dir))
	if err != nil || above == "" {
		return "", err
	}
	return path.Join(above, path.Base(dir)), nil
}

// namesakes is the directory in which half of the files came up again, by their names. Of several, the one that is called alike.
func (k *moves) namesakes(dir string, gone []string) string {
	counts := map[string]int{}
	for _, name := range gone {
		for _, to := range k.added[name] {
			counts[to]++
		}
	}
	best, most, several := "", 0, false
	for to, n := range counts {
		score := 4 * n
		if path.Base(to) == path.Base(dir) {
			score += 3
		}
		switch {
		case score > most:
			best, most, several = to, score, false
		case score == most:
			several = true
		}
	}
	n := counts[best]
	if several || n*2 < len(gone) || n < 2 && path.Base(best) != path.Base(dir) {
		return ""
	}
	return best
}

// translation says under which paths the target imports what a Go file of the fix's side imports. Versions may be nil.
func (k *moves) translation(ctx context.Context, it *item, versions [3][]importmap.Import) (map[string]string, error) {
	base, ours, theirs := versions[0], versions[1], versions[2]
	out := map[string]string{}
	if ours != nil {
		out = importmap.Learn(base, ours)
	}
	from := cmp.Or(it.from, it.path)
	for _, i := range slices.Concat(base, theirs) {
		if _, done := out[i.Path]; done || !strings.Contains(i.Path, ".") || slices.ContainsFunc(ours, func(o importmap.Import) bool { return o.Path == i.Path }) {
			continue
		}
		to, err := k.moved(ctx, from, it.path, i.Path)
		if err != nil {
			return nil, err
		}
		if to == "" {
			votes, err := k.neighbours(ctx, path.Dir(from), path.Dir(it.path))
			if err != nil {
				return nil, err
			}
			to = votes[i.Path]
		}
		if to != "" && to != i.Path {
			out[i.Path] = to
		}
	}
	return out, nil
}

// moved is the path of a package that both trees have, by where its directory is.
func (k *moves) moved(ctx context.Context, from, to, imported string) (string, error) {
	m := k.merge
	dir, known, err := k.source.Package(ctx, path.Dir(from), imported)
	if err != nil || !known || dir == "" || vendored(dir) {
		return "", err
	}
	here, err := k.dir(ctx, dir)
	if err != nil || here == "" {
		return "", err
	}
	brought := slices.ContainsFunc(m.sorted(), func(it *item) bool { return it.theirs.Exists() && path.Dir(it.path) == here })
	if there, err := k.target.directory(ctx, here); err != nil || there == "" && !brought {
		return "", err
	}
	return k.importPath(ctx, here, to)
}

func vendored(dir string) bool {
	return strings.HasPrefix(dir, "vendor/") || strings.Contains(dir, "/vendor/") || strings.HasPrefix(dir, "Godeps/_workspace/")
}

// importPath is the path by which the target's files import a directory: by go.mod, or as the files around one of them do it.
func (k *moves) importPath(ctx context.Context, dir, near string) (string, error) {
	if p, known := k.paths[dir]; known {
		return p, nil
	}
	mod, err := k.target.moduleOf(ctx, dir)
	if err != nil {
		return "", err
	}
	if mod != nil {
		if mod.file == nil || mod.file.Module == nil {
			return "", nil
		}
		k.paths[dir] = path.Join(mod.file.Module.Mod.Path, strings.TrimPrefix(dir, strings.TrimPrefix(mod.dir, ".")))
		return k.paths[dir], nil
	}
	root, err := k.target.ownRoot(ctx, path.Dir(near))
	if err != nil || root == "" {
		return "", err
	}
	k.paths[dir] = path.Join(root, dir)
	return k.paths[dir], nil
}

// maxNeighbours bounds how many files of a directory are read for what they import.
const maxNeighbours = 60

// imports are what the Go files right in a directory import, by file name.
func (k *moves) imports(ctx context.Context, tree git.OID, dir string) (map[string][]importmap.Import, error) {
	names, err := k.goFiles(ctx, tree, dir)
	if err != nil {
		return nil, err
	}
	out := map[string][]importmap.Import{}
	for _, name := range names {
		entry, err := k.merge.engine.lookup(ctx, tree, path.Join(dir, name))
		if err != nil {
			return nil, err
		}
		content, err := k.merge.engine.store.Blob(ctx, entry.OID)
		if err != nil {
			return nil, err
		}
		if list, err := importmap.Of(content); err == nil {
			out[name] = list
		}
	}
	return out, nil
}

// neighbours is what the files of a directory say: how those that both trees have, by name, import a package differently. Where they do not
// agree nothing is said.
func (k *moves) neighbours(ctx context.Context, from, to string) (map[string]string, error) {
	if votes, known := k.votes[from]; known {
		return votes, nil
	}
	before, err := k.imports(ctx, k.merge.source.Base, from)
	if err != nil {
		return nil, err
	}
	after, err := k.imports(ctx, k.merge.ours, to)
	if err != nil {
		return nil, err
	}
	votes, kept := map[string]string{}, map[string]bool{}
	for name, list := range before {
		for p, q := range importmap.Learn(list, after[name]) {
			if was, voted := votes[p]; voted && was != q {
				q = ""
			}
			votes[p] = q
		}
		for _, i := range after[name] {
			kept[i.Path] = true
		}
	}
	for p := range votes {
		if kept[p] {
			delete(votes, p)
		}
	}
	k.votes[from] = votes
	return votes, nil
}
