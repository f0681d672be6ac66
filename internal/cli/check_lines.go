package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/lts"
	"github.com/kubelts/kubelts/internal/release"
)

// knownLines is the flag about projects whose line releases are known.
type knownLines struct{ dirs []string }

func (k *knownLines) addLines(flags *pflag.FlagSet) {
	flags.StringArrayVar(&k.dirs, "lines", nil, "take the releases of the project of lines in `DIR`, or the one of a manifest.json, as known (may be repeated)")
}

// read reads the manifests of all releases of the projects.
func (k *knownLines) readLines() ([]findings.LineRelease, error) {
	var out []findings.LineRelease
	for _, dir := range k.dirs {
		if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
			one, err := readManifest(dir)
			if err != nil {
				return nil, err
			}
			known, err := knownRelease(dir, one)
			if err != nil {
				return nil, err
			}
			out = append(out, known)
			continue
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, errs.WithHint(errs.New(errs.NotFound, "read lines: %w", err), "name the directory of a project, which has kubelts.yaml and releases")
		}
		of, err := lineReleases(root.FS(), dir)
		if err = errors.Join(err, root.Close()); err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// readManifest reads the manifest of one release.
func readManifest(file string) (*lts.Manifest, error) {
	content, err := readSmall(os.DirFS(filepath.Dir(file)), filepath.Base(file))
	if err != nil {
		return nil, errs.New(errs.NotFound, "read lines: %w", err)
	}
	return lts.ParseManifest(file, content)
}

func lineReleases(project fs.FS, dir string) ([]findings.LineRelease, error) {
	if _, err := fs.Stat(project, "kubelts.yaml"); err != nil {
		return nil, errs.WithHint(errs.New(errs.NotFound, "read lines: %s is no project of lines: %w", dir, err), "name the directory that has kubelts.yaml")
	}
	names, err := fs.Glob(project, "releases/*/manifest.json")
	if err != nil {
		return nil, err
	}
	var out []findings.LineRelease
	for _, name := range names {
		content, err := readSmall(project, name)
		if err != nil {
			return nil, err
		}
		m, err := lts.ParseManifest(dir+"/"+name, content)
		if err != nil {
			return nil, err
		}
		known, err := knownRelease(dir+"/"+name, m)
		if err != nil {
			return nil, err
		}
		out = append(out, known)
	}
	return out, nil
}

// knownRelease is what a manifest says of a release. It may speak of a line's own releases only: not of upstream's, and not as if one were built on another release, whose
// holes are others.
func knownRelease(file string, m *lts.Manifest) (findings.LineRelease, error) {
	v, ok := cluster.ParseVersion(m.Version)
	if ok && !v.OwnNumbering() && v == release.Of(v.Minor, v.Patch) {
		return findings.LineRelease{}, errs.New(errs.Invalid, "read lines: %s: %s is the name of an upstream release", file, v)
	}
	if base, based := cluster.ParseVersion(m.Base.Tag); ok && based && (base.Minor != v.Minor || !v.OwnNumbering() && base.Patch != v.Patch) {
		return findings.LineRelease{}, errs.New(errs.Invalid, "read lines: %s: by its name %s is not built on %s", file, v, base)
	}
	l := findings.LineRelease{Version: m.Version, Base: m.Base.Tag, Cures: m.Vulnerabilities}
	for _, o := range m.Open {
		if o.Status == findings.UnderInvestigation {
			l.Unsure = append(l.Unsure, o.ID)
		}
	}
	return l, nil
}

// readSmall reads a file of a project.
func readSmall(project fs.FS, name string) ([]byte, error) {
	f, err := project.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, lts.MaxFile+1))
	if err == nil && len(content) > lts.MaxFile {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, lts.MaxFile)
	}
	return content, err
}
