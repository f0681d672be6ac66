package lts

import (
	"path"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// LaidPick is a pick that was laid out for a person to edit, as the state file in its directory keeps it. The files lie below files/ under their own
// paths.
type LaidPick struct {
	APIVersion string  `yaml:"apiVersion"`
	Kind       string  `yaml:"kind"`
	Repository string  `yaml:"repository"` // the clone, as an absolute path
	Commit     git.OID `yaml:"commit"`     // the fix
	Subject    string  `yaml:"subject"`
	Target     string  `yaml:"target"` // as it was typed
	Onto       git.OID `yaml:"onto"`   // the commit that the target was
	Tree       git.OID `yaml:"tree"`   // the result, with markers
	// Confidence is "review" if no conflict is left and the result has to be looked at all the same; empty otherwise.
	Confidence string         `yaml:"confidence,omitempty"`
	Files      []ConflictFile `yaml:"files"` // laid is left out where the result has no file; reasons where nothing is left to do
}

// ParseLaidPick reads the state file of a pick. The name is for messages.
func ParseLaidPick(name string, content []byte) (*LaidPick, error) {
	l := &LaidPick{}
	if err := decode(name, content, l); err != nil {
		return nil, err
	}
	if err := header(name, l.APIVersion, l.Kind, "Pick"); err != nil {
		return nil, err
	}
	if l.Confidence != "" && l.Confidence != ConfidenceReview {
		return nil, errs.New(errs.Invalid, "%s: confidence %q", name, l.Confidence)
	}
	if l.Commit.IsZero() || l.Onto.IsZero() || l.Tree.IsZero() || l.Repository == "" || l.Target == "" || len(l.Files) == 0 {
		return nil, errs.New(errs.Invalid, "%s: needs repository, commit, target, onto, tree and files", name)
	}
	seen := map[string]bool{}
	for _, f := range l.Files {
		if !git.ValidPath(f.Path) || path.Clean(f.Path) != f.Path || seen[f.Path] {
			return nil, errs.New(errs.Invalid, "%s: path %q is not well formed, or stands twice", name, f.Path)
		}
		seen[f.Path] = true
		switch f.Mode {
		case git.ModeFile.String(), git.ModeExecutable.String(), git.ModeSymlink.String():
		case "", git.ModeSubmodule.String():
			if !f.Laid.IsZero() {
				return nil, errs.New(errs.Invalid, "%s: %s: mode %q of a file that was laid out", name, f.Path, f.Mode)
			}
		default:
			return nil, errs.New(errs.Invalid, "%s: %s: mode %q", name, f.Path, f.Mode)
		}
	}
	return l, nil
}

// Format writes the state as ParseLaidPick reads it.
func (l *LaidPick) Format() ([]byte, error) {
	l.APIVersion, l.Kind = APIVersion, "Pick"
	return encode(l)
}
