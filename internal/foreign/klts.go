package foreign

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/errs"
)

// KLTS is a releases.yml.
type KLTS struct {
	File     string // its name, for messages
	Base     string // URL of the upstream repository
	Releases []Release
	Patches  []Definition
	Unknown  []Text // keys that KLTS does not read, so that what stands below them has no effect
}

// Release is one entry below releases: a line, or a base that lines share.
type Release struct {
	Text

	Base        string // another entry, or an upstream tag
	Must        bool   // it is built and tested
	Patches     []Text // names of definitions
	Tolerated   []Text // packages whose failing unit tests do not count
	Integration []Text // the same of integration tests
}

// Definition is one entry below patches.
type Definition struct {
	Text

	Items []Item
}

// Text is a word of the file, and its row, from 1.
type Text struct {
	Value string
	Row   int
}

var repositoryURL = regexp.MustCompile(`^https://github\.com/([^/]+/[^/]+?)(?:\.git)?/?$`)

// Upstream is the repository on GitHub that base names, as owner/name; empty for any other.
func (k *KLTS) Upstream() string {
	if m := repositoryURL.FindStringSubmatch(k.Base); m != nil {
		return m[1]
	}
	return ""
}

// ParseKLTS reads a releases.yml. The name is for messages. Aliases count as often as they are used.
func ParseKLTS(name string, content []byte) (*KLTS, error) {
	if len(content) > MaxConfig {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, MaxConfig)
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "%s: is empty", name)
	} else if err != nil {
		return nil, errs.New(errs.Invalid, "%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "%s: more than one document", name)
	}
	r := &reader{file: name}
	k := &KLTS{File: name}
	r.document(&doc, k)
	if r.err == nil && len(k.Releases) == 0 {
		r.err = errs.WithHint(errs.New(errs.Invalid, "%s: has no releases", name), "a releases.yml of KLTS has the keys base, releases and patches")
	}
	if r.err != nil {
		return nil, r.err
	}
	return k, nil
}

// reader walks through a document. The first fault ends it.
type reader struct {
	file  string
	nodes int
	err   error
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	if r.err == nil {
		r.err = errs.New(errs.Invalid, "%s:%d: "+format, append([]any{r.file, max(n.Line, 1)}, args...)...)
	}
}

// enter follows an alias and counts. The walk is as deep as the format, however deep the document is.
func (r *reader) enter(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.nodes++; r.nodes > maxNodes {
		r.fail(n, "more than %d values, aliases followed", maxNodes)
	}
	return n
}

// each calls visit for the keys of a mapping, in order.
func (r *reader) each(n *yaml.Node, what string, visit func(key Text, value *yaml.Node)) {
	n = r.enter(n)
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s is no mapping", what)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		key := r.text(n.Content[i], "a key of "+what)
		if seen[key.Value] {
			r.fail(n.Content[i], "key %s stands twice", key.Value)
			return
		}
		seen[key.Value] = true
		visit(key, n.Content[i+1])
	}
}

// list calls visit for the elements of a sequence, in order. Nothing at all is an empty one.
func (r *reader) list(n *yaml.Node, what string, visit func(value *yaml.Node)) {
	n = r.enter(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s is no list", what)
	}
	for _, e := range n.Content {
		if r.err != nil {
			return
		}
		visit(e)
	}
}

// text is a word. Control characters, and lengths that no name has, are refused.
func (r *reader) text(n *yaml.Node, what string) Text {
	row := n.Line
	n = r.enter(n)
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fail(n, "%s is no text", what)
	case len(n.Value) > maxName:
		r.fail(n, "%s is longer than %d bytes", what, maxName)
	case strings.ContainsFunc(n.Value, func(c rune) bool { return c < 0x20 || c == 0x7f }):
		r.fail(n, "%s %q has control characters", what, n.Value)
	}
	return Text{n.Value, row}
}

func (r *reader) texts(n *yaml.Node, what string) []Text {
	var found []Text
	r.list(n, what, func(value *yaml.Node) {
		if len(found) == maxSteps {
			r.fail(value, "%s has more than %d elements", what, maxSteps)
			return
		}
		found = append(found, r.text(value, "an element of "+what))
	})
	return found
}

func (r *reader) document(doc *yaml.Node, k *KLTS) {
	if len(doc.Content) != 1 {
		r.fail(doc, "is empty")
		return
	}
	r.each(doc.Content[0], "the document", func(key Text, value *yaml.Node) {
		switch key.Value {
		case "base":
			k.Base = r.text(value, "base").Value
		case "releases":
			r.list(value, "releases", func(n *yaml.Node) { r.release(n, k) })
		case "patches":
			r.list(value, "patches", func(n *yaml.Node) { r.definition(n, k) })
		default:
			k.Unknown = append(k.Unknown, key)
		}
	})
}

func (r *reader) release(n *yaml.Node, k *KLTS) {
	entry := Release{Text: Text{Row: n.Line}}
	r.each(n, "a release", func(key Text, value *yaml.Node) {
		switch key.Value {
		case "name":
			entry.Value = r.text(value, "name").Value
		case "base_release":
			entry.Base = r.text(value, "base_release").Value
		case "must":
			entry.Must = r.text(value, "must").Value == "true"
		case "patches":
			entry.Patches = r.texts(value, "patches")
		case "test_failures_tolerated":
			entry.Tolerated = r.texts(value, key.Value)
		case "test_integration_failures_tolerated":
			entry.Integration = r.texts(value, key.Value)
		default:
			k.Unknown = append(k.Unknown, key)
		}
	})
	switch {
	case entry.Value == "":
		r.fail(n, "a release has no name")
	case len(k.Releases) == maxEntries:
		r.fail(n, "more than %d releases", maxEntries)
	}
	k.Releases = append(k.Releases, entry)
}

func (r *reader) definition(n *yaml.Node, k *KLTS) {
	entry := Definition{Text: Text{Row: n.Line}}
	r.each(n, "a patch", func(key Text, value *yaml.Node) {
		switch key.Value {
		case "name":
			entry.Value = r.text(value, "name").Value
		case "patch":
			for _, t := range r.texts(value, "patch") {
				entry.Items = append(entry.Items, NewItem(t.Value, t.Row))
			}
		default:
			k.Unknown = append(k.Unknown, key)
		}
	})
	switch {
	case entry.Value == "":
		r.fail(n, "a patch has no name")
	case len(k.Patches) == maxEntries:
		r.fail(n, "more than %d patches", maxEntries)
	}
	k.Patches = append(k.Patches, entry)
}
