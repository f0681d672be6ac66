package datadir

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

// errNotDir is what the system says of a path that goes through a file.
var errNotDir error = syscall.ENOTDIR

// kept is how many generations stay: the one that holds, and the one before, which somebody may still be reading.
const kept = 2

// abandoned is the age at which what an update left behind is removed.
const abandoned = 24 * time.Hour

// Seal fills the manifest's list of files from the contents.
func (c *Contents) Seal() {
	c.Manifest.Version = 1
	c.Manifest.Files = map[string]provenance.File{}
	for name, content := range c.Files {
		c.Manifest.Files[name] = provenance.File{Digest: provenance.DigestOf(content), Size: int64(len(content))}
	}
}

// Write makes contents the facts of a folder, which is made if it is not there. Before is the generation that they were made from, "" for none: when
// another holds by now, nothing is changed, and the error is [errs.Conflict]. A folder that holds other things is refused with the same.
func Write(folder string, c Contents, before string, imported *Imported) error {
	manifest, err := json.MarshalIndent(c.Manifest, "", " ")
	if err != nil {
		return err
	}
	if _, err = provenance.ParseManifest(manifest); err != nil {
		return fmt.Errorf("what would be written: %w", err)
	}
	root, err := prepare(folder)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	defer root.Close()
	suffix := make([]byte, 6)
	_, _ = rand.Read(suffix) // never fails
	name := c.Manifest.Created.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(suffix)
	temporary := path.Join(generationsDir, ".new-"+name)
	if err = writeAll(root, temporary, manifest, c.Files); err == nil {
		err = root.Rename(temporary, path.Join(generationsDir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("data folder %s: %w", folder, err), root.RemoveAll(temporary))
	}
	if err = unchanged(root, before); err == nil {
		err = point(root, Pointer{Generation: name, Manifest: provenance.DigestOf(manifest), Imported: imported})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("data folder %s: %w", folder, err), root.RemoveAll(path.Join(generationsDir, name)))
	}
	return prune(root, name, c.Manifest.Created)
}

// prepare opens a folder, and makes it where it is not there. One with strange things in it is refused.
func prepare(folder string) (*os.Root, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // public facts
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	for _, e := range entries {
		if name := strings.TrimPrefix(e.Name(), ".new-"); name != currentFile && name != generationsDir && name != stagingDir {
			fault := errs.WithHint(errs.New(errs.Conflict, "%s holds %s, which kubelts did not make", folder, e.Name()), "name an empty folder, or one that \"kubelts data update\" made")
			return nil, errors.Join(fault, root.Close())
		}
	}
	if err = root.MkdirAll(generationsDir, 0o755); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

func writeAll(root *os.Root, dir string, manifest []byte, files map[string][]byte) error {
	if err := writeFile(root, path.Join(dir, manifestFile), manifest); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(root, path.Join(dir, name), files[name]); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file to the disk, not only to memory.
func writeFile(root *os.Root, name string, content []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// unchanged refuses when another generation holds than the one that was read.
func unchanged(root *os.Root, before string) error {
	text, err := readFile(root, currentFile, 64<<10)
	if errors.Is(err, fs.ErrNotExist) && before == "" {
		return nil
	}
	if before == anyGeneration {
		return nil
	}
	var p Pointer
	if err != nil || json.Unmarshal(text, &p) != nil || p.Generation != before {
		return errs.WithHint(errs.New(errs.Conflict, "somebody else changed it meanwhile"), "run the command again; what was fetched is kept for it")
	}
	return nil
}

// anyGeneration is for [Write] to replace whatever holds, damaged or not.
const anyGeneration = "*"

// Any replaces whatever a folder holds.
func Any() string { return anyGeneration }

// point makes a generation the one that holds.
func point(root *os.Root, p Pointer) error {
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	temporary := ".new-" + currentFile
	if err = root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = writeFile(root, temporary, append(text, '\n')); err != nil {
		return err
	}
	return root.Rename(temporary, currentFile)
}

// prune removes all but the newest generations, and what was left behind long ago.
func prune(root *os.Root, holds string, now time.Time) error {
	entries, err := fs.ReadDir(root.FS(), generationsDir)
	if err != nil {
		return err
	}
	var old []string
	for _, e := range entries {
		switch {
		case e.Name() == holds:
		case generationForm.MatchString(e.Name()):
			old = append(old, e.Name())
		case left(e, now):
			if err = root.RemoveAll(path.Join(generationsDir, e.Name())); err != nil {
				return err
			}
		}
	}
	for len(old) >= kept {
		if err = root.RemoveAll(path.Join(generationsDir, old[0])); err != nil {
			return err
		}
		old = old[1:]
	}
	return nil
}

// left reports whether an update began a generation long ago and did not end.
func left(e fs.DirEntry, now time.Time) bool {
	info, err := e.Info()
	return err == nil && strings.HasPrefix(e.Name(), ".new-") && now.Sub(info.ModTime()) > abandoned
}

// Staged is what an update fetched of one source before it was interrupted.
type Staged struct {
	State provenance.State `json:"state"`
	Items provenance.Items `json:"items"`
}

// Stage keeps what was fetched of a source until the update is through.
func Stage(folder string, s Staged) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	root, err := prepare(folder)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	defer root.Close()
	name, temporary := path.Join(stagingDir, s.State.Name+".json"), path.Join(stagingDir, ".new-"+s.State.Name)
	_ = root.Remove(temporary) // of an update that died while it wrote
	if err = writeFile(root, temporary, text); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		return fmt.Errorf("data folder %s: %w", folder, err)
	}
	return nil
}

// StagedOf returns what an earlier update fetched of a source and did not use, if that is not older than maxAge. What cannot be read is fetched again.
func StagedOf(folder, source string, now time.Time, maxAge time.Duration) (Staged, bool) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Staged{}, false
	}
	defer root.Close()
	text, err := readFile(root, path.Join(stagingDir, source+".json"), provenance.MaxFile)
	if err != nil {
		return Staged{}, false
	}
	var s Staged
	if err = json.Unmarshal(text, &s); err != nil || s.State.Name != source {
		return Staged{}, false
	}
	age := now.Sub(s.State.Checked)
	return s, age >= 0 && age <= maxAge
}

// Unstage removes what was kept for an update.
func Unstage(folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	defer root.Close()
	return root.RemoveAll(stagingDir)
}
