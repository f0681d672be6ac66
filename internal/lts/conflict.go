package lts

import (
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// Conflict is a pick that waits for a person, as conflicts/<name>/conflict.yaml keeps it. The files that have to be edited lie
// below conflicts/<name>/files under their own paths, with conflict markers.
type Conflict struct {
	APIVersion      string         `yaml:"apiVersion"`
	Kind            string         `yaml:"kind"`
	Commit          git.OID        `yaml:"commit"` // the upstream commit
	Subject         string         `yaml:"subject"`
	Vulnerabilities []string       `yaml:"vulnerabilities"`
	Onto            git.OID        `yaml:"onto"` // the tree that it was picked onto
	Tree            git.OID        `yaml:"tree"` // the result, with markers
	Files           []ConflictFile `yaml:"files"`
}

// ConflictFile is a file that has to be edited.
type ConflictFile struct {
	Path    string   `yaml:"path"`
	From    string   `yaml:"from,omitempty"` // its path in the upstream commit, where that differs
	Rung    string   `yaml:"rung,omitempty"` // that merged it, where nothing is left to do
	Reasons []string `yaml:"reasons,omitempty"`
	Laid    git.OID  `yaml:"laid,omitempty"` // the blob that was laid out: a file that is still equal to it was not edited
	Mode    string   `yaml:"mode,omitempty"` // as git writes it: 100644
	// The three versions, as names of blobs; left out where a side has none.
	Base   git.OID `yaml:"base,omitempty"`
	Ours   git.OID `yaml:"ours,omitempty"`
	Theirs git.OID `yaml:"theirs,omitempty"`
}

// ParseConflict reads a conflict.yaml. The name is for messages.
func ParseConflict(name string, content []byte) (*Conflict, error) {
	c := &Conflict{}
	if err := decode(name, content, c); err != nil {
		return nil, err
	}
	if err := header(name, c.APIVersion, c.Kind, "Conflict"); err != nil {
		return nil, err
	}
	if c.Commit.IsZero() || c.Onto.IsZero() || c.Tree.IsZero() || len(c.Files) == 0 {
		return nil, errs.New(errs.Invalid, "%s: needs commit, onto, tree and files", name)
	}
	for _, f := range c.Files {
		if !git.ValidPath(f.Path) || path.Clean(f.Path) != f.Path {
			return nil, errs.New(errs.Invalid, "%s: path %q is not well formed", name, f.Path)
		}
		if f.Mode != git.ModeFile.String() && f.Mode != git.ModeExecutable.String() && f.Mode != git.ModeSymlink.String() {
			return nil, errs.New(errs.Invalid, "%s: %s: mode %q", name, f.Path, f.Mode)
		}
	}
	return c, nil
}

// Format writes the conflict as ParseConflict reads it.
func (c *Conflict) Format() ([]byte, error) {
	c.APIVersion, c.Kind = APIVersion, "Conflict"
	return encode(c)
}

// MarkerLine returns the number, from 1, of the first line that is a conflict marker, or 0. Lines that one of the versions has are no markers.
func MarkerLine(content []byte, versions ...[]byte) int {
	known := map[string]bool{}
	for _, v := range versions {
		for line := range strings.Lines(string(v)) {
			if line = strings.TrimRight(line, "\r\n"); marker(line) {
				known[line] = true
			}
		}
	}
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		if line = strings.TrimRight(line, "\r\n"); marker(line) && !known[line] {
			return number
		}
	}
	return 0
}

func marker(line string) bool {
	for _, m := range []string{"<<<<<<<", "|||||||", ">>>>>>>"} {
		if line == m || strings.HasPrefix(line, m+" ") {
			return true
		}
	}
	return false
}
