package upkeep

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
)

// The private state of a project: nothing in it is worth reviewing, and all of it can be made again.
const (
	PrivateDir  = ".kubelts"
	StoreDir    = PrivateDir + "/store.git"
	BuildDir    = PrivateDir + "/build" // for a Builder's own files
	journalFile = PrivateDir + "/journal.json"
	workDir     = PrivateDir + "/work"
)

// maxJournal bounds what one command may change, in bytes.
const maxJournal = 512 << 20

// change is a set of files that change together. It is written to the journal first, then to its places; a run that is killed in between leaves the
// journal, and the next run finishes it. So nobody sees half of a change once the project was opened.
type change struct {
	Writes  []fileWrite `json:"writes,omitempty"`
	Removes []string    `json:"removes,omitempty"`
}

type fileWrite struct {
	Name    string `json:"name"`
	Content []byte `json:"content"`
}

func (c *change) write(name string, content []byte) {
	c.Writes = append(c.Writes, fileWrite{name, content})
}

func (c *change) remove(name string) { c.Removes = append(c.Removes, name) }

func (c *change) empty() bool { return len(c.Writes)+len(c.Removes) == 0 }

// commit carries the change out. A single write needs no journal.
func (c *change) commit(files Files) error {
	if c.empty() {
		return nil
	}
	if len(c.Writes) == 1 && len(c.Removes) == 0 {
		return files.Write(c.Writes[0].Name, c.Writes[0].Content)
	}
	journal, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if len(journal) > maxJournal {
		return errs.New(errs.Invalid, "more than %d bytes change at once", maxJournal)
	}
	if err := files.Write(journalFile, journal); err != nil {
		return err
	}
	return c.apply(files)
}

// check refuses names that no command changes. A project comes from somebody, and a journal in it may not write what is run, such as .git/config.
func (c *change) check() error {
	for _, w := range c.Writes {
		if w.Name != ProjectFile && w.Name != ".gitignore" && !ofLine(w.Name) && !ofMemory(w.Name) {
			return errs.New(errs.Denied, "%s: writes %q", journalFile, w.Name)
		}
	}
	for _, name := range c.Removes {
		if !ofLine(name) {
			return errs.New(errs.Denied, "%s: removes %q", journalFile, name)
		}
	}
	return nil
}

// ofLine reports whether a name is one below lines/<minor>.
func ofLine(name string) bool {
	return git.ValidPath(name) && strings.HasPrefix(name, "lines/") && strings.Count(name, "/") >= 2
}

// apply is safe to be repeated.
func (c *change) apply(files Files) error {
	for _, name := range c.Removes {
		if err := files.Remove(name); err != nil {
			return err
		}
	}
	for _, w := range c.Writes {
		if err := files.Write(w.Name, w.Content); err != nil {
			return err
		}
	}
	return files.Remove(journalFile)
}

// Interrupted reports whether a killed run left a change that [Recover] has to finish.
func Interrupted(files Files) (bool, error) {
	names, err := files.List(PrivateDir)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if name == path.Base(journalFile) {
			return true, nil
		}
	}
	return false, nil
}

// Recover finishes what a killed run left. The caller holds the project's lock.
func Recover(files Files) error {
	content, err := files.Read(journalFile, maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var c change
	if err := json.Unmarshal(content, &c); err != nil {
		return errs.WithHint(errs.New(errs.Invalid, "%s: %w", journalFile, err), "remove it: the change that it holds was not begun by this program")
	}
	if err := c.check(); err != nil {
		return errs.WithHint(err, "remove it: this program did not write it; and look at where the project comes from")
	}
	return c.apply(files)
}
