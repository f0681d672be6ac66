package lint

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// usualContext is how many lines git puts around a change where the file has them.
const usualContext = 3

// The bounds of a diff that is looked at.
const (
	maxHunks  = 100_000
	maxTarget = 8 << 20 // bytes of a file in which a hunk's place is looked for
)

// change is a diff, looked at.
type change struct {
	paths []string // that it touches, old names included
	hunks []hunk
}

// hunk is a place of a change.
type hunk struct {
	path   string // in the tree that it is for
	row    int    // where it says that it belongs, from 1
	before []string
	little bool // it has fewer lines above the change than git would have written
}

// look reads a diff.
func look(diff []byte) (*change, error) {
	files, _, err := gitdiff.Parse(bytes.NewReader(diff))
	if err != nil {
		return nil, errs.New(errs.Invalid, "%w", err)
	}
	c := &change{}
	for _, f := range files {
		for _, name := range []string{f.OldName, f.NewName} {
			if name != "" && !slices.Contains(c.paths, name) {
				c.paths = append(c.paths, name)
			}
		}
		if f.IsNew || f.IsDelete {
			continue
		}
		for _, fragment := range f.TextFragments {
			if len(c.hunks) == maxHunks {
				return nil, errs.New(errs.Invalid, "more than %d hunks", maxHunks)
			}
			c.hunks = append(c.hunks, newHunk(f.OldName, fragment))
		}
	}
	return c, nil
}

func newHunk(name string, fragment *gitdiff.TextFragment) hunk {
	h := hunk{path: name, row: int(fragment.OldPosition), little: fragment.LeadingContext < usualContext && fragment.OldPosition > 1}
	for _, line := range fragment.Lines {
		if line.Old() {
			h.before = append(h.before, strings.TrimSuffix(line.Line, "\n"))
		}
	}
	return h
}

// little are the hunks with little context, as file:row.
func (c *change) little() []string {
	var found []string
	for _, h := range c.hunks {
		if h.little {
			found = append(found, h.path+":"+itoa(h.row))
		}
	}
	return found
}

// touches reports whether the change touches a file directly in a package. Import paths are those of the tree of Kubernetes, also where vendor stands for staging.
func (c *change) touches(pkg string) bool {
	rest := strings.TrimPrefix(pkg, "k8s.io/kubernetes/")
	dirs := []string{rest}
	if staged, ok := strings.CutPrefix(rest, "vendor/"); ok {
		dirs = append(dirs, "staging/src/"+staged)
	} else {
		dirs = append(dirs, "staging/src/"+rest)
	}
	return slices.ContainsFunc(c.paths, func(p string) bool { return strings.HasSuffix(p, ".go") && slices.Contains(dirs, path.Dir(p)) })
}

// ambiguous are the hunks whose lines stand more than once in the file of a commit, as file:row, and how many were not found there at all: an earlier patch may
// have made what they look for.
func (c *change) ambiguous(ctx context.Context, trees Trees, commit git.OID) (found []string, absent int, err error) {
	contents := map[string][]string{}
	for _, h := range c.hunks {
		lines, there := contents[h.path]
		if !there {
			content, err := trees.File(ctx, commit, h.path)
			if err != nil && !errs.Is(err, errs.NotFound) {
				return nil, 0, err
			}
			if len(content) <= maxTarget {
				lines = strings.Split(string(content), "\n")
			}
			contents[h.path] = lines
		}
		switch places(lines, h.before); {
		case len(h.before) == 0:
		case places(lines, h.before) == 0:
			absent++
		case places(lines, h.before) > 1:
			found = append(found, h.path+":"+itoa(h.row))
		}
	}
	return found, absent, nil
}

// places counts where some lines stand in others, one after another; it stops at two.
func places(lines, wanted []string) int {
	n := 0
	for i := 0; i+len(wanted) <= len(lines) && n < 2; i++ {
		if slices.Equal(lines[i:i+len(wanted)], wanted) {
			n++
		}
	}
	return n
}
