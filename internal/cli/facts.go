package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
	"github.com/kubelts/kubelts/internal/release"
)

// builtIn is what --data says to read the facts that are built in, whatever folder there is.
const builtIn = "built-in"

// facts reads the catalog: of what --data names, of the folder that "data update" made, or those built in. A folder that is there and cannot be
// read is an error: facts that are older than somebody believes are worse than none.
func (a *app) facts() (*catalog.Catalog, error) {
	fsys, err := a.factFiles()
	if err != nil {
		return nil, err
	}
	return catalog.Load(fsys)
}

func (a *app) factFiles() (fs.FS, error) {
	switch a.dataDir {
	case builtIn:
		return data.Files, nil
	case "":
		folder := a.dataHome()
		if folder == "" {
			return data.Files, nil
		}
		snapshot, err := datadir.Open(folder)
		if errs.Is(err, errs.NotFound) {
			return data.Files, nil
		}
		if err != nil {
			return nil, err
		}
		return current(folder, snapshot)
	}
	info, err := os.Stat(a.dataDir)
	if err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "--data: %w", err), "name a directory with the files that docs/data.md lists")
	}
	if !info.IsDir() {
		return nil, errs.New(errs.Invalid, "--data %q: not a directory", a.dataDir)
	}
	made, err := datadir.Made(a.dataDir)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	if !made {
		return os.DirFS(a.dataDir), nil
	}
	snapshot, err := datadir.Open(a.dataDir)
	if err != nil {
		return nil, err
	}
	return current(a.dataDir, snapshot)
}

// current is a folder's facts. Where this program has other reviewed facts built in than those that went in, and not older ones, what the sources said
// is joined with these.
func current(folder string, s *datadir.Snapshot) (fs.FS, error) {
	stale, err := outgrown(s.Manifest)
	if err != nil {
		return nil, err
	}
	if !stale {
		return provenance.FS(s.Facts())
	}
	if s, err = datadir.OpenAll(folder); err != nil {
		return nil, err
	}
	items, err := s.Items()
	if err != nil {
		return nil, err
	}
	joined, err := provenance.Assemble(data.Files, items)
	if err != nil {
		return nil, err
	}
	return provenance.FS(joined.Files)
}

// outgrown reports whether the facts that are built in should take the place of those that a folder was made from.
func outgrown(m provenance.Manifest) (bool, error) {
	digest, err := provenance.Digest(data.Files)
	if err != nil || digest == m.Base {
		return false, err
	}
	reviewed, err := catalog.Load(data.Files)
	if err != nil {
		return false, err
	}
	return !reviewed.Snapshot().Before(m.Reviewed), nil
}

// dataHome is the person's own folder of facts, by the XDG base directories; "" where the environment names none.
func (a *app) dataHome() string { return a.xdg("XDG_DATA_HOME", ".local/share") }

// xdg is kubelts' folder below a base directory. A relative one is to be ignored, by that specification.
func (a *app) xdg(variable, below string) string {
	base := a.Getenv(variable)
	if !filepath.IsAbs(base) {
		home := a.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, below)
	}
	return filepath.Join(base, "kubelts")
}

// dataFolder is the folder that the commands below "data" work on.
func (a *app) dataFolder() (string, error) {
	if a.dataDir == builtIn {
		return "", errs.New(errs.Invalid, "--data %s: the facts that are built in cannot be changed", builtIn)
	}
	if a.dataDir != "" {
		return a.dataDir, nil
	}
	if folder := a.dataHome(); folder != "" {
		return folder, nil
	}
	return "", errs.WithHint(errs.New(errs.Invalid, "neither XDG_DATA_HOME nor HOME names an absolute path"), "name a folder with --data DIR")
}

// today is the day of the present time.
func (a *app) today() (release.Date, error) {
	now, err := a.now()
	return release.DateOf(now), err
}

// notPublished stands for a day that no source gives.
const notPublished = "not published"

func day(d release.Date) string {
	if d.IsZero() {
		return notPublished
	}
	return d.String()
}
