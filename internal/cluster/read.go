package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/kubelts/kubelts/internal/errs"
)

// What a snapshot may have at most. A cluster of 5,000 nodes with a certificate each takes about 15 MB.
const (
	MaxSnapshot = 128 << 20 // bytes of the document
	MaxList     = 200_000   // entries of one list
	MaxMap      = 10_000    // entries of one map
	MaxString   = 64 << 10  // bytes of one text
	MaxDER      = 1 << 20   // bytes of one certificate

	MaxNodes       = 100_000
	MaxComponents  = 50_000
	MaxWebhooks    = 50_000
	MaxNotObserved = 20_000
	MaxDeprecated  = 20_000
	MaxAPIServers  = 1_000
)

// Read reads a snapshot. The name is for messages. What is not a snapshot of this format, has a field that is not known, or is larger
// than the limits is [errs.Invalid]: a field of a newer kubelts may be the one that matters, so that it is refused and not passed over.
// An error of the reader is passed on.
func Read(name string, r io.Reader) (*Snapshot, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > MaxSnapshot {
		return nil, errs.New(errs.Invalid, "%s: larger than %d bytes", name, MaxSnapshot)
	}
	var head struct {
		Format string `json:"format"`
		Tool   string `json:"tool"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, errs.WithHint(errs.New(errs.Invalid, "%s%s: %w", name, position(data, err), err), `"kubelts check --save FILE" makes a snapshot`)
	}
	if head.Format != Format {
		return nil, errs.WithHint(errs.New(errs.Invalid, "%s: format %q is not %s", name, Cut(head.Format), Format), `"kubelts check --save FILE" makes a snapshot`)
	}
	s := &Snapshot{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(s); err != nil {
		fault := errs.New(errs.Invalid, "%s%s: %w", name, position(data, err), err)
		if strings.Contains(err.Error(), "unknown field") {
			fault = errs.WithHint(fault, "it was taken by kubelts %s: use that version or a newer one", Cut(FirstOf(head.Tool, "of another version")))
		}
		return nil, fault
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "%s: something follows the snapshot", name)
	}
	if err := s.Validate(); err != nil {
		return nil, errs.New(errs.Invalid, "%s: %w", name, err)
	}
	return s, nil
}

// position turns the byte offset of a JSON error into ":line".
func position(data []byte, err error) string {
	offset := int64(0)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = e.Offset
	}
	if offset <= 0 || offset > int64(len(data)) {
		return ""
	}
	return fmt.Sprintf(":%d", 1+bytes.Count(data[:offset], []byte("\n")))
}

// Write writes a snapshot as Read reads it, after Validate.
func Write(w io.Writer, s *Snapshot) error {
	if err := s.Validate(); err != nil {
		return errs.New(errs.Invalid, "snapshot: %w", err)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(s)
}

// Validate checks the format, the limits, and that the certificates' names are there once. The error is the first fault.
func (s *Snapshot) Validate() error {
	if s.Format != Format {
		return errs.New(errs.Invalid, "format %q is not %s", Cut(s.Format), Format)
	}
	if err := within("snapshot", reflect.ValueOf(s).Elem()); err != nil {
		return err
	}
	for _, list := range []struct {
		name    string
		n, most int
	}{
		{"nodes", len(s.Nodes), MaxNodes},
		{"components", len(s.Components), MaxComponents},
		{"webhooks", len(s.Webhooks), MaxWebhooks},
		{"not observed", len(s.NotObserved), MaxNotObserved},
		{"deprecated APIs", len(s.Deprecated), MaxDeprecated},
		{"API servers", len(s.APIServers), MaxAPIServers},
	} {
		if list.n > list.most {
			return errs.New(errs.Invalid, "%s: %d, more than %d", list.name, list.n, list.most)
		}
	}
	seen := make(map[string]bool, len(s.Certificates))
	for _, c := range s.Certificates {
		if c.ID == "" || seen[c.ID] {
			return errs.New(errs.Invalid, "certificates: the id %q is empty or there twice", Cut(c.ID))
		}
		seen[c.ID] = true
	}
	return nil
}

// within holds a value against the limits.
func within(path string, v reflect.Value) error {
	tooLarge := func(n, most int) error {
		if n <= most {
			return nil
		}
		return errs.New(errs.Invalid, "%s: %d, more than %d", path, n, most)
	}
	switch v.Kind() { //nolint:exhaustive // numbers and truth values have no size
	case reflect.String:
		return tooLarge(v.Len(), MaxString)
	case reflect.Pointer:
		if !v.IsNil() {
			return within(path, v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return tooLarge(v.Len(), MaxDER)
		}
		return errors.Join(tooLarge(v.Len(), MaxList), allWithin(path, v))
	case reflect.Map:
		err := tooLarge(v.Len(), MaxMap)
		for it := v.MapRange(); err == nil && it.Next(); {
			err = errors.Join(within(path, it.Key()), within(path, it.Value()))
		}
		return err
	case reflect.Struct:
		return fieldsWithin(path, v)
	}
	return nil
}

func allWithin(path string, v reflect.Value) error {
	for i := range v.Len() {
		if err := within(path, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func fieldsWithin(path string, v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		if err := within(path+"."+f.Name, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}
