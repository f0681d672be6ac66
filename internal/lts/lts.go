// Package lts holds a project of release lines as values, and the formats of its files.
//
// A project is a directory that people review. A line is a minor that is kept alive in it: its base is an upstream tag, its series
// the patches on that base, its ledger what is known and decided about each vulnerability. A release is what was cut from a line.
//
// Every file has a Parse function and a Format method that are each other's inverse. Parsing is strict: an unknown key, a second document, a
// wrong kind are errors of kind invalid that name the file and, where there is one, the line. Input is bounded to [MaxFile] bytes.
// Everything here is a value or a pure function: nothing reads a disk or a clock. Package upkeep says what is done to lines.
package lts

import (
	"bytes"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubelts/kubelts/internal/errs"
)

// APIVersion is that of all files of a project.
const APIVersion = "kubelts.io/v1alpha1"

// MaxFile is the largest file of a project that is read, in bytes. Patches may be larger: see [MaxPatch].
const MaxFile = 16 << 20

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line ([0-9]+): (.*)$`)

// decode reads one strict YAML document.
func decode(name string, content []byte, into any) error {
	if len(content) > MaxFile {
		return errs.New(errs.Invalid, "%s: larger than %d bytes", name, MaxFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		return yamlError(name, err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return errs.New(errs.Invalid, "%s:%d: more than one document", name, max(more.Line, 1))
	}
	return nil
}

// yamlError puts the line behind the file's name, where people and editors look for it.
func yamlError(name string, err error) error {
	if errors.Is(err, io.EOF) {
		return errs.New(errs.Invalid, "%s: is empty", name)
	}
	text := err.Error()
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok && len(typed.Errors) > 0 {
		text = typed.Errors[0]
	}
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return errs.New(errs.Invalid, "%s: %s", name, strings.TrimPrefix(text, "yaml: "))
	}
	what := m[2]
	if key, _, ok := strings.Cut(what, " not found in type "); ok {
		what = "unknown key " + strings.TrimPrefix(key, "field ")
	}
	return errs.New(errs.Invalid, "%s:%s: %s", name, m[1], what)
}

func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := errors.Join(enc.Encode(value), enc.Close())
	return b.Bytes(), err
}

// header checks what every file starts with.
func header(name, apiVersion, kind, want string) error {
	if apiVersion != APIVersion {
		return errs.WithHint(errs.New(errs.Invalid, "%s: apiVersion %q is not known", name, apiVersion), "write apiVersion: %s", APIVersion)
	}
	if kind != want {
		return errs.New(errs.Invalid, "%s: kind %q, want %s", name, kind, want)
	}
	return nil
}

// MatchBranch reports whether a branch's short name matches a glob, in which * stands for anything within a path element.
func MatchBranch(glob, branch string) (bool, error) {
	ok, err := path.Match(glob, branch)
	if err != nil {
		return false, errs.New(errs.Invalid, "branch glob %q is not well formed", glob)
	}
	return ok, nil
}
