package patch

import (
	"path"
	"slices"
)

// dirCounts says, by old directory, how many files went from it to which new directory. The root is ".".
type dirCounts map[string]map[string]int

// add counts a rename for the file's directory. If the last elements of the old and the new directory are equal and the old directory is
// gone, it counts for the directory above as well, and so on: a/b/c/x to d/b/c/x says that a became d.
func (d dirCounts) add(from, to string, removed map[string]bool) {
	oldDir, newDir := path.Dir(from), path.Dir(to)
	for {
		if d[oldDir] == nil {
			d[oldDir] = map[string]int{}
		}
		d[oldDir][newDir]++
		if oldDir == "." || newDir == "." || path.Base(oldDir) != path.Base(newDir) || !removed[oldDir] {
			return
		}
		oldDir, newDir = path.Dir(oldDir), path.Dir(newDir)
		if oldDir == newDir {
			return
		}
	}
}

// best is where most files of a directory went; the first by name among equals.
func (d dirCounts) best(dir string) (string, bool) {
	most, to := 0, ""
	for candidate, n := range d[dir] {
		if n > most || n == most && candidate < to {
			most, to = n, candidate
		}
	}
	return to, most > 0
}

// Move is where a whole directory went.
type Move struct {
	From, To string // "." is the root
	Files    int    // that went there
	// Split holds the other directories that as many files went to; with any, nobody can say where a new file belongs.
	Split []string
}

// Moves finds the directories that the diff's new tree does not have any more and whose files went elsewhere: each went where most of its
// files went.
func Moves(diff *Diff, renames []Rename) map[string]Move {
	counts := dirCounts{}
	for _, r := range renames {
		counts.add(r.From, r.To, diff.Removed)
	}
	moves := map[string]Move{}
	for dir := range counts {
		if !diff.Removed[dir] {
			continue
		}
		to, _ := counts.best(dir)
		m := Move{From: dir, To: to, Files: counts[dir][to]}
		for other, n := range counts[dir] {
			if other != to && n == m.Files {
				m.Split = append(m.Split, other)
			}
		}
		slices.Sort(m.Split)
		moves[dir] = m
	}
	return moves
}

// Place says where a file belongs after the moves: the nearest directory above it that moved decides. ok is false if none did.
func Place(moves map[string]Move, file string) (to string, by Move, ok bool) {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if m, moved := moves[dir]; moved {
			return path.Join(m.To, file[len(dir)+1:]), m, true
		}
	}
	return "", Move{}, false
}
