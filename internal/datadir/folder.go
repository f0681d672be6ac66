// Package datadir keeps a folder of facts that were joined from sources: written in one step, checked whenever it is read, and carried from place to place
// as one signed file.
//
// Words: a generation is one state of the facts, in a folder of its own below generations/; the file current names the one that holds, with the digest
// of its manifest, and the manifest has the digest of every file. So a folder that was changed, cut short or added to is noticed, and is an error. Staging
// holds what an update has fetched until its generation is written: one that is interrupted goes on where it was.
//
// A generation is written under a temporary name, renamed, and then the file current is replaced. Whoever reads meanwhile reads the old one, which is
// kept until the update after. Nothing here knows what the facts say.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

// The names in a folder.
const (
	currentFile    = "current"
	generationsDir = "generations"
	stagingDir     = "staging"
	manifestFile   = "manifest.json"
)

// maxManifest bounds the manifest, in bytes.
const maxManifest = 32 << 20

// Contents are a manifest and the files that it lists, by name.
type Contents struct {
	Manifest provenance.Manifest
	Files    map[string][]byte
}

// Pointer is the file current.
type Pointer struct {
	Generation string `json:"generation"`
	Manifest   string `json:"manifest"` // digest
	// Imported says where an imported generation is from.
	Imported *Imported `json:"imported,omitempty"`
}

// Imported is how facts came that were not fetched here.
type Imported struct {
	Key    string    `json:"key"` // fingerprint of the key that signed
	Signed time.Time `json:"signed"`
	At     time.Time `json:"at"`
}

// Snapshot is a generation that was found whole.
type Snapshot struct {
	Contents

	Pointer Pointer
}

var generationForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}$`)

// Made reports whether a folder was made here: whether it has the file current. A plain directory of facts, kept by hand, has none.
func Made(folder string) (bool, error) {
	_, err := os.Lstat(filepath.Join(folder, currentFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return false, nil
	}
	return err == nil, err
}

// Open reads the facts of a folder, and checks them; what sources said is checked to be there, and read with [OpenAll]. A folder that is not there is
// [errs.NotFound]. One that is damaged is [errs.Invalid]: it is never passed over.
func Open(folder string) (*Snapshot, error) { return open(folder, "facts/") }

// OpenAll reads and checks everything.
func OpenAll(folder string) (*Snapshot, error) { return open(folder, "") }

func open(folder, prefix string) (*Snapshot, error) {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.New(errs.NotFound, "data folder: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	defer root.Close()
	p, err := pointer(root)
	var s *Snapshot
	for tries := 0; err == nil; tries++ {
		if s, err = read(root, p, prefix); err == nil {
			return s, nil
		}
		// Two updates since this one began remove what it reads: then another generation holds.
		now, again := pointer(root)
		if again != nil || now.Generation == p.Generation || tries == maxTries {
			break
		}
		p, err = now, nil
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		err = errs.WithHint(fmt.Errorf("data folder %s: %w", folder, err), "\"kubelts data update --fresh\" makes it anew; \"--data built-in\" reads the facts that are built in")
	}
	return nil, err
}

// maxTries is how often a reader may meet an update.
const maxTries = 20

// pointer reads the file current. Where it is not there, and no generation either, that is [errs.NotFound].
func pointer(root *os.Root) (Pointer, error) {
	text, err := readFile(root, currentFile, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		entries, _ := fs.ReadDir(root.FS(), generationsDir) // none where it cannot be read
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return generationForm.MatchString(e.Name()) }) {
			return Pointer{}, errs.New(errs.Invalid, "the file %s is missing", currentFile)
		}
		return Pointer{}, errs.New(errs.NotFound, "%s holds no facts that kubelts made", root.Name())
	}
	if err != nil {
		return Pointer{}, err
	}
	var p Pointer
	if err = json.Unmarshal(text, &p); err != nil || !generationForm.MatchString(p.Generation) {
		return Pointer{}, errs.New(errs.Invalid, "the file %s is damaged", currentFile)
	}
	return p, nil
}

func read(root *os.Root, p Pointer, prefix string) (*Snapshot, error) {
	generation, err := root.OpenRoot(path.Join(generationsDir, p.Generation))
	if err != nil {
		return nil, errs.New(errs.Invalid, "generation %s: %w", p.Generation, err)
	}
	defer generation.Close()
	text, err := readFile(generation, manifestFile, maxManifest)
	if err != nil {
		return nil, errs.New(errs.Invalid, "generation %s: %w", p.Generation, err)
	}
	if provenance.DigestOf(text) != p.Manifest {
		return nil, errs.New(errs.Invalid, "generation %s: the manifest is not the one that was written", p.Generation)
	}
	s := &Snapshot{Pointer: p}
	if s.Manifest, err = provenance.ParseManifest(text); err != nil {
		return nil, err
	}
	s.Files, err = collect(generation, s.Manifest, prefix)
	return s, err
}

// collect reads the files below a prefix, and checks that the folder holds the files of the manifest and nothing else.
func collect(root *os.Root, m provenance.Manifest, prefix string) (map[string][]byte, error) {
	seen := map[string]bool{}
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == manifestFile {
			return err
		}
		if _, ok := m.Files[name]; !ok || !d.Type().IsRegular() {
			return errs.New(errs.Invalid, "%s does not belong here", name)
		}
		seen[name] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if !seen[name] {
			return nil, errs.New(errs.Invalid, "%s is missing", name)
		}
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		content, err := readFile(root, name, m.Files[name].Size)
		if err != nil {
			return nil, errs.New(errs.Invalid, "%s: %w", name, err)
		}
		if err = matches(name, content, m.Files[name]); err != nil {
			return nil, err
		}
		files[name] = content
	}
	return files, nil
}

func matches(name string, content []byte, f provenance.File) error {
	if int64(len(content)) != f.Size || provenance.DigestOf(content) != f.Digest {
		return errs.New(errs.Invalid, "%s is not what was written", name)
	}
	return nil
}

func readFile(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errs.New(errs.Invalid, "%s is larger than it should be", name)
	}
	return data, err
}

// Facts returns the files below facts/, under the names that a directory of facts has.
func (c Contents) Facts() map[string][]byte {
	files := map[string][]byte{}
	for name, content := range c.Files {
		if short, ok := strings.CutPrefix(name, "facts/"); ok {
			files[short] = content
		}
	}
	return files
}

// Items returns what all sources said. It needs [OpenAll].
func (c Contents) Items() (provenance.Items, error) {
	var all provenance.Items
	for _, s := range c.Manifest.Sources {
		items, err := c.ItemsOf(s.Name)
		if err != nil {
			return provenance.Items{}, err
		}
		all.Add(items)
	}
	return all, nil
}

// ItemsOf returns what one source said; nothing for one that was never read. It needs [OpenAll].
func (c Contents) ItemsOf(source string) (provenance.Items, error) {
	content, ok := c.Files[provenance.SourceFile(source)]
	if !ok {
		return provenance.Items{}, nil
	}
	return provenance.ParseItems(provenance.SourceFile(source), content)
}
