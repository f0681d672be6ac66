package provenance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Facts are the files of a directory of facts, with what came of joining.
type Facts struct {
	Merged

	Files    map[string][]byte // by name, without a folder before
	Reviewed release.Date      // the day of the reviewed facts
}

const (
	releasesFile       = "releases.yaml"
	vulnerabilitiesDir = "vulnerabilities"
)

// Assemble joins a directory of reviewed facts with what sources say. The result is read once as the program will read it: what could not be is an error.
func Assemble(base fs.FS, items Items) (*Facts, error) {
	reviewed, err := catalog.Load(base)
	if err != nil {
		return nil, err
	}
	files, err := readAll(base)
	if err != nil {
		return nil, err
	}
	out := &Facts{Files: files, Reviewed: reviewed.Snapshot()}
	conflicts, err := out.dates(items.Dates)
	if err != nil {
		return nil, err
	}
	records, err := reviewed.Vulnerabilities()
	if err != nil {
		return nil, err
	}
	if len(items.Dates) > 0 { // with the releases that were added
		if reviewed, err = out.load(); err != nil {
			return nil, err
		}
	}
	out.Merged = Merge(Input{Facts: records, Reviewed: out.Reviewed, Releases: releasesOf(reviewed), Items: items})
	out.Conflicts = append(conflicts, out.Conflicts...)
	for _, r := range out.Records {
		if slices.Contains(records, r) {
			continue
		}
		if out.Files[path.Join(vulnerabilitiesDir, r.ID+".json")], err = format(r); err != nil {
			return nil, err
		}
	}
	if reviewed, err = out.load(); err != nil {
		return nil, err
	}
	_, err = reviewed.Vulnerabilities()
	return out, err
}

func format(r *vuln.Record) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(r)
	return b.Bytes(), err
}

func readAll(base fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(base, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !fileForm.MatchString("facts/" + name) {
			return nil
		}
		files[name], err = fs.ReadFile(base, name)
		return err
	})
	return files, err
}

// FS returns files, by name, as a file system.
func FS(files map[string][]byte) (fs.FS, error) {
	archive := &txtar.Archive{}
	for name, content := range files {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: content})
	}
	return txtar.FS(archive)
}

func (f *Facts) load() (*catalog.Catalog, error) {
	fsys, err := FS(f.Files)
	if err != nil {
		return nil, err
	}
	return catalog.Load(fsys)
}

func releasesOf(c *catalog.Catalog) []release.Version {
	var all []release.Version
	for _, m := range c.Minors() {
		for _, p := range m.Patches {
			all = append(all, p.Version)
		}
	}
	return all
}

// dates adds to the releases what sources say about minors, and returns where they disagree with what is known.
func (f *Facts) dates(dates []Dates) ([]Conflict, error) {
	var conflicts []Conflict
	var names []string
	for _, d := range dates {
		if !slices.Contains(names, d.Origin.Source) {
			names = append(names, d.Origin.Source)
		}
	}
	for _, source := range names {
		var lives []catalog.Life
		var origin Origin
		for _, d := range dates {
			if d.Origin.Source != source {
				continue
			}
			origin = d.Origin
			life, err := d.life()
			if err != nil {
				return nil, err
			}
			lives = append(lives, life)
		}
		text, disagreements, err := catalog.ExtendReleases(f.Files[releasesFile], source, origin.URL+", as fetched on "+release.DateOf(origin.Fetched).String(), lives)
		if err != nil {
			return nil, err
		}
		f.Files[releasesFile] = text
		for _, d := range disagreements {
			c := Conflict{ID: d.Minor.String(), Field: d.Field, Followed: Side{Source: string(Reviewed), Rank: Reviewed, Says: d.Ours.String()}, Other: side(origin)}
			c.Other.Says = d.Theirs.String()
			c.Reason = "the reviewed facts go before " + origin.Rank.words()
			conflicts = append(conflicts, c)
		}
	}
	return conflicts, nil
}

func (d Dates) life() (catalog.Life, error) {
	minor, err := release.ParseMinor(d.Minor)
	if err != nil {
		return catalog.Life{}, err
	}
	life := catalog.Life{Minor: minor, Released: d.Released, Maintenance: d.Maintenance, End: d.End, LatestDate: d.LatestDate}
	if d.Latest == "" {
		return life, nil
	}
	if life.Latest, err = release.Parse(d.Latest); err != nil || life.Latest.Minor != minor || !life.Latest.IsRelease() {
		return catalog.Life{}, errs.New(errs.Invalid, "%s: latest %q is no release of %s", d.Origin.Source, d.Latest, d.Minor)
	}
	return life, nil
}

// Digest returns the digest of a directory of facts.
func Digest(base fs.FS) (string, error) {
	files, err := readAll(base)
	if err != nil {
		return "", err
	}
	var lines []string
	for name, content := range files {
		lines = append(lines, name+" "+DigestOf(content))
	}
	slices.Sort(lines)
	return DigestOf([]byte(strings.Join(lines, "\n"))), nil
}

// DigestOf returns sha256: and the digest of some bytes.
func DigestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
