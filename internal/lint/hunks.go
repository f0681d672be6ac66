package lint

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/kubelts/kubelts/internal/errs"
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
	files []*gitdiff.File
	diff  []byte
	told  Change

	claims    []claim
	cures     []claim // vulnerabilities that it names
	addressed bool    // its message has an address of a commit or pull request
}

// hunk is a place of a change.
type hunk struct {
	path   string // in the tree that it is for
	row    int    // where it says that it belongs, from 1
	little bool   // it has fewer lines above the change than git would have written
}

// look reads a diff.
func look(diff []byte) (*change, error) {
	files, _, err := gitdiff.Parse(bytes.NewReader(diff))
	if err != nil {
		return nil, errs.New(errs.Invalid, "%w", err)
	}
	c := &change{files: files, diff: diff}
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
	return hunk{path: name, row: int(fragment.OldPosition), little: fragment.LeadingContext < usualContext && fragment.OldPosition > 1}
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
