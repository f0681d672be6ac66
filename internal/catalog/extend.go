package catalog

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// Life is what another source says about a minor. What it does not say is zero.
type Life struct {
	Minor                      release.Minor
	Released, Maintenance, End release.Date
	Latest                     release.Version // the newest patch release, with its day
	LatestDate                 release.Date
}

// Disagreement is where another source gives another day than the file.
type Disagreement struct {
	Minor  release.Minor
	Field  string // released, maintenance, end, or a version
	Ours   release.Date
	Theirs release.Date
}

// ExtendReleases adds to a file releases.yaml what it does not know: days, minors, and newest patch releases, with the source under the key and with
// confidence medium. What the file knows stays; where a life says otherwise, that is returned. The rest of the file, with its comments, stays.
func ExtendReleases(file []byte, key, source string, lives []Life) ([]byte, []Disagreement, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(file, &doc); err != nil || len(doc.Content) != 1 {
		return nil, nil, errs.New(errs.Invalid, "%s: not one YAML document: %w", releasesFile, err)
	}
	top := doc.Content[0]
	sources, minors := entry(top, "sources"), entry(top, "minors")
	if sources == nil || sources.Kind != yaml.MappingNode || minors == nil || minors.Kind != yaml.SequenceNode {
		return nil, nil, errs.New(errs.Invalid, "%s: has no sources, or no minors", releasesFile)
	}
	e := extension{key: key}
	for _, life := range lives {
		if err := e.minor(minors, life); err != nil {
			return nil, nil, err
		}
	}
	if !e.changed {
		return file, e.disagreements, nil
	}
	if entry(sources, key) == nil {
		sources.Content = append(sources.Content, text(key), text(source))
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, nil, err
	}
	return out.Bytes(), e.disagreements, enc.Close()
}

// extension is the work on one file.
type extension struct {
	key           string
	changed       bool
	disagreements []Disagreement
}

func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// entry is the value of a key in a mapping, nil when it is not there.
func entry(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// minor adds to a minor's mapping, or makes it in its place.
func (e *extension) minor(minors *yaml.Node, life Life) error {
	at, node := len(minors.Content), (*yaml.Node)(nil)
	for i, m := range minors.Content {
		name := entry(m, "minor")
		if name == nil {
			return errs.New(errs.Invalid, "%s:%d: a minor without a name", releasesFile, m.Line)
		}
		known, err := release.ParseMinor(name.Value)
		if err != nil {
			return errs.New(errs.Invalid, "%s:%d: %w", releasesFile, m.Line, err)
		}
		if order := release.CompareMinors(known, life.Minor); order >= 0 {
			at = i
			if order == 0 {
				node = m
			}
			break
		}
	}
	if node == nil {
		node = &yaml.Node{Kind: yaml.MappingNode}
		node.Content = []*yaml.Node{text("minor"), {Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: life.Minor.String()}}
		minors.Content = slices.Insert(minors.Content, at, node)
		e.changed = true
	}
	for _, f := range []struct {
		name string
		day  release.Date
	}{{"released", life.Released}, {"maintenance", life.Maintenance}, {"end", life.End}} {
		if err := e.fact(node, life.Minor, f.name, f.day); err != nil {
			return err
		}
	}
	return e.latest(node, life)
}

// fact adds a day that the file does not have.
func (e *extension) fact(node *yaml.Node, minor release.Minor, name string, day release.Date) error {
	if day.IsZero() {
		return nil
	}
	known := entry(node, name)
	if known == nil {
		at := len(node.Content)
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == "patches" { // days stand before the patches
				at = i
			}
		}
		node.Content = slices.Insert(node.Content, at, text(name), e.flow("date", day.String()))
		e.changed = true
		return nil
	}
	return e.compare(known, minor, name, day)
}

func (e *extension) compare(known *yaml.Node, minor release.Minor, name string, day release.Date) error {
	value := entry(known, "date")
	if value == nil {
		return errs.New(errs.Invalid, "%s:%d: has no date", releasesFile, known.Line)
	}
	ours, err := release.ParseDate(value.Value)
	if err != nil {
		return errs.New(errs.Invalid, "%s:%d: %w", releasesFile, known.Line, err)
	}
	if ours != day {
		e.disagreements = append(e.disagreements, Disagreement{minor, name, ours, day})
	}
	return nil
}

// flow is a mapping on one line, of pairs, with where it is from.
func (e *extension) flow(pairs ...string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, s := range append(pairs, "source", e.key, "confidence", vuln.ConfidenceMedium) {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: s})
	}
	return n
}

// latest adds the newest patch release, if it is not known.
func (e *extension) latest(node *yaml.Node, life Life) error {
	if life.Latest.IsZero() || life.LatestDate.IsZero() {
		return nil
	}
	patches := entry(node, "patches")
	if patches == nil {
		patches = &yaml.Node{Kind: yaml.SequenceNode}
		node.Content = append(node.Content, text("patches"), patches)
	}
	at := len(patches.Content)
	for i, p := range patches.Content {
		value := entry(p, "version")
		if value == nil {
			return errs.New(errs.Invalid, "%s:%d: a patch release without a version", releasesFile, p.Line)
		}
		known, err := release.Parse(value.Value)
		if err != nil {
			return errs.New(errs.Invalid, "%s:%d: %w", releasesFile, p.Line, err)
		}
		order := release.CompareUpstream(known, life.Latest)
		if order == 0 {
			return e.compare(p, life.Minor, life.Latest.String(), life.LatestDate)
		}
		if order > 0 {
			at = i
			break
		}
	}
	added := e.flow("version", life.Latest.String()[1:], "date", life.LatestDate.String())
	patches.Content = slices.Insert(patches.Content, at, added)
	e.changed = true
	return nil
}
