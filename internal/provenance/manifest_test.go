package provenance_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/provenance"
)

const someManifest = `{"version": 1, "created": "2026-11-22T12:00:00Z", "program": "x", "base": "sha256:x", "reviewed": "2026-09-28",
 "sources": [{"name": "nvd", "rank": "other", "from": "https://example.org", "fetched": "2026-11-22T12:00:00Z", "checked": "2026-11-22T12:00:00Z", "statements": 1}],
 "files": {"facts/releases.yaml": {"digest": "sha256:x", "size": 1}, "sources/nvd.json": {"digest": "sha256:y", "size": 2}}}`

func TestParseManifest(t *testing.T) {
	m, err := provenance.ParseManifest([]byte(someManifest))
	if err != nil || m.Reviewed.String() != "2026-09-28" || len(m.Files) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	if s, ok := m.State("nvd"); !ok || s.Statements != 1 {
		t.Errorf("state: %+v", s)
	}
	if _, ok := m.State("osv"); ok {
		t.Error("a source that was never read")
	}
	for name, change := range map[string][2]string{
		"another version":             {`"version": 1`, `"version": 2`},
		"a path that leads out":       {"facts/releases.yaml", "facts/../x.yaml"},
		"a file of another kind":      {"facts/releases.yaml", "facts/run.sh"},
		"a size below nothing":        {`"size": 1`, `"size": -1`},
		"a size without end":          {`"size": 1`, `"size": 1000000000000`},
		"an unknown rank":             {`"other"`, `"oracle"`},
		"a source that is a path":     {`"name": "nvd"`, `"name": "../nvd"`},
		"a source without its file":   {`"name": "nvd"`, `"name": "osv"`},
		"no day on which it was made": {`"2026-11-22T12:00:00Z", "program"`, `"0001-01-01T00:00:00Z", "program"`},
		"no JSON":                     {"{", "["},
	} {
		text := strings.Replace(someManifest, change[0], change[1], 1)
		if text == someManifest {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := provenance.ParseManifest([]byte(text)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	var s provenance.State
	s.Refuse(make([]provenance.Refusal, 10_000))
	if s.Refused != 10_000 || len(s.Refusals) != 200 {
		t.Errorf("%d counted, %d kept", s.Refused, len(s.Refusals))
	}
}

// FuzzParseManifest: what is taken says the same after it was written and read, and names no file outside.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(someManifest))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := provenance.ParseManifest(data)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatal(err)
			}
			return
		}
		for name := range m.Files {
			if strings.Contains(name, "..") || strings.HasPrefix(name, "/") {
				t.Fatalf("file %q", name)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = provenance.ParseManifest(text); err != nil {
			t.Fatalf("written and refused: %v\n%s", err, text)
		}
	})
}

// FuzzParseItems: what is taken says the same after it was written and read, and only git evidence speaks in our name.
func FuzzParseItems(f *testing.F) {
	f.Add([]byte(`{"candidates": [{"origin": {"source": "nvd", "rank": "other", "url": "u", "fetched": "2026-11-22T12:00:00Z"}, "record": {"id": "CVE-1-1", "modified": "2026-11-22T12:00:00Z"}, "faults": ["f"]}],
 "dates": [{"minor": "1.2", "released": "2026-11-22"}], "pullRequests": [{"number": 7, "names": ["CVE-1-1"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := provenance.ParseItems("x", data)
		if err != nil {
			return
		}
		for _, c := range items.Candidates {
			if c.Origin.Rank != provenance.Git && (len(c.Record.Kubelts.Fixes) > 0 || c.Record.Kubelts.Class != "") {
				t.Fatalf("%s speaks in our name", c.Origin.Source)
			}
		}
		text, err := json.Marshal(items)
		if err != nil {
			t.Fatal(err)
		}
		again, err := provenance.ParseItems("x", text)
		if err != nil || again.Len() != items.Len() {
			t.Fatalf("written and read: %v\n%s", err, text)
		}
	})
}
