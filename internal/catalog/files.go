package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// The names of the files.
const (
	releasesFile       = "releases.yaml"
	supportFile        = "support.yaml"
	vendorsFile        = "vendors.yaml"
	loopbackFile       = "loopback.yaml"
	toolchainsFile     = "toolchains.yaml"
	applicabilityFile  = "applicability.yaml"
	removalsFile       = "removals.yaml"
	vulnerabilitiesDir = "vulnerabilities"
)

const (
	maxFileSize = 8 << 20
	maxRecords  = 20_000
)

// The types of the YAML files. day, minorName and versionName are there for messages with a line.
type (
	day         struct{ release.Date }
	minorName   struct{ release.Minor }
	versionName struct{ release.Version }

	factFile struct {
		Date       day    `yaml:"date"`
		Source     string `yaml:"source"`
		Confidence string `yaml:"confidence"`
	}
	patchFile struct {
		Version    versionName `yaml:"version"`
		Date       day         `yaml:"date"`
		Source     string      `yaml:"source"`
		Confidence string      `yaml:"confidence"`
	}
	minorFile struct {
		Minor       minorName   `yaml:"minor"`
		Released    *factFile   `yaml:"released"`
		Maintenance *factFile   `yaml:"maintenance"`
		End         *factFile   `yaml:"end"`
		Why         string      `yaml:"why"`
		Note        string      `yaml:"note"`
		Conflicts   []string    `yaml:"conflicts"`
		Patches     []patchFile `yaml:"patches"`
	}
	releasesDoc struct {
		Snapshot day               `yaml:"snapshot"`
		Sources  map[string]string `yaml:"sources"`
		Minors   []minorFile       `yaml:"minors"`
	}
	eraFile struct {
		ID                string    `yaml:"id"`
		Name              string    `yaml:"name"`
		From              minorName `yaml:"from"`
		Newest            int       `yaml:"newest"`
		ActiveMonths      int       `yaml:"active_months"`
		MaintenanceMonths int       `yaml:"maintenance_months"`
		PerYear           int       `yaml:"per_year"`
		Source            string    `yaml:"source"`
		Confidence        string    `yaml:"confidence"`
	}
	supportDoc struct {
		Sources map[string]string `yaml:"sources"`
		Eras    []eraFile         `yaml:"eras"`
	}
)

func scalar(n *yaml.Node, read func(string) error) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: want one value", n.Line)
	}
	if err := read(n.Value); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

func (d *day) UnmarshalYAML(n *yaml.Node) error {
	return scalar(n, func(s string) (err error) { d.Date, err = release.ParseDate(s); return err })
}

func (m *minorName) UnmarshalYAML(n *yaml.Node) error {
	return scalar(n, func(s string) (err error) { m.Minor, err = release.ParseMinor(s); return err })
}

func (v *versionName) UnmarshalYAML(n *yaml.Node) error {
	return scalar(n, func(s string) (err error) { v.Version, err = release.Parse(s); return err })
}

var (
	yamlLine  = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s+)?line (\d+): (.*)`)
	yamlField = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
)

// decode reads one YAML document strictly. Errors name the file and the line.
func decode(fsys fs.FS, name string, into any) error {
	data, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(into); errors.Is(err, io.EOF) {
		return errs.New(errs.Invalid, "%s:1: the file holds no facts", name)
	} else if err != nil {
		text := strings.Join(strings.Fields(err.Error()), " ")
		m := yamlLine.FindStringSubmatch(text)
		if m == nil {
			return errs.New(errs.Invalid, "%s: %s", name, strings.TrimPrefix(text, "yaml: "))
		}
		if f := yamlField.FindStringSubmatch(m[2]); f != nil {
			m[2] = fmt.Sprintf("key %q is not known", f[1])
		}
		return errs.New(errs.Invalid, "%s:%s: %s", name, m[1], m[2])
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errs.New(errs.Invalid, "%s: more than one document", name)
	}
	return nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.WithHint(errs.New(errs.NotFound, "facts: %w", err), "a directory of facts has the files that docs/data.md lists")
	}
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("facts: read %s: %w", name, err)
	}
	if len(data) > maxFileSize {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, maxFileSize)
	}
	return data, nil
}

// sourced checks that a fact says where it is from and how sure it is.
func sourced(what, source, confidence string, sources map[string]string) error {
	if sources[source] == "" {
		return errs.New(errs.Invalid, "%s: source %q is not in the table of sources", what, source)
	}
	if !slices.Contains([]string{vuln.ConfidenceHigh, vuln.ConfidenceMedium, vuln.ConfidenceLow}, confidence) {
		return errs.New(errs.Invalid, "%s: confidence %q is not high, medium or low", what, confidence)
	}
	return nil
}

func (c *Catalog) loadReleases(fsys fs.FS) error {
	var doc releasesDoc
	if err := decode(fsys, releasesFile, &doc); err != nil {
		return err
	}
	if len(doc.Minors) == 0 || doc.Snapshot.IsZero() {
		return errs.New(errs.Invalid, "%s: no minors, or no snapshot day", releasesFile)
	}
	c.snapshot, c.sources = doc.Snapshot.Date, doc.Sources
	for _, f := range doc.Minors {
		m := Minor{Minor: f.Minor.Minor, Why: f.Why, Note: f.Note, Conflicts: f.Conflicts}
		where := releasesFile + ": minor " + m.Minor.String()
		if n := len(c.minors); n > 0 && release.CompareMinors(c.minors[n-1].Minor, m.Minor) >= 0 {
			return errs.New(errs.Invalid, "%s: not in order", where)
		}
		for _, fact := range []struct {
			from *factFile
			to   *Fact
		}{{f.Released, &m.Released}, {f.Maintenance, &m.Maintenance}, {f.End, &m.End}} {
			if fact.from == nil {
				continue
			}
			if err := sourced(where, fact.from.Source, fact.from.Confidence, doc.Sources); err != nil {
				return err
			}
			*fact.to = Fact{fact.from.Date.Date, fact.from.Source, fact.from.Confidence}
		}
		if err := m.takePatches(f.Patches, where, doc.Sources); err != nil {
			return err
		}
		c.minors = append(c.minors, m)
	}
	return nil
}

func (m *Minor) takePatches(patches []patchFile, where string, sources map[string]string) error {
	for _, p := range patches {
		if p.Version.Minor != m.Minor || !p.Version.IsRelease() {
			return errs.New(errs.Invalid, "%s: %s is not a patch release of it", where, p.Version.Version)
		}
		if n := len(m.Patches); n > 0 && m.Patches[n-1].Version.Patch >= p.Version.Patch {
			return errs.New(errs.Invalid, "%s: %s is not in order", where, p.Version.Version)
		}
		if err := sourced(where+": "+p.Version.String(), p.Source, p.Confidence, sources); err != nil {
			return err
		}
		m.Patches = append(m.Patches, Patch{p.Version.Version, p.Date.Date, p.Source, p.Confidence})
	}
	return nil
}

func loadPolicy(fsys fs.FS) (release.Policy, error) {
	var doc supportDoc
	if err := decode(fsys, supportFile, &doc); err != nil {
		return nil, err
	}
	var policy release.Policy
	for _, f := range doc.Eras {
		where := supportFile + ": era " + f.ID
		if n := len(policy); n > 0 && release.CompareMinors(policy[n-1].From, f.From.Minor) >= 0 {
			return nil, errs.New(errs.Invalid, "%s: not in order", where)
		}
		if err := sourced(where, f.Source, f.Confidence, doc.Sources); err != nil {
			return nil, err
		}
		policy = append(policy, release.Era{
			ID: f.ID, Name: f.Name, From: f.From.Minor, Newest: f.Newest, ActiveMonths: f.ActiveMonths,
			MaintenanceMonths: f.MaintenanceMonths, PerYear: f.PerYear,
		})
	}
	return policy, nil
}
