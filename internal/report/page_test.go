package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/report"
)

// TestPagesStandAlone: every page is well formed, runs nothing, loads nothing, and has no anchor twice.
func TestPagesStandAlone(t *testing.T) {
	page := func(l func() error, b *bytes.Buffer) string {
		t.Helper()
		if err := l(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	bad := plan()
	set(reflect.ValueOf(bad).Elem(), nasty)
	var one, two bytes.Buffer
	for name, text := range map[string]string{
		"fleet": string(render(t, fleet(), "html")), "hostile fleet": string(render(t, hostile(t), "html")), "no cluster": string(render(t, &report.Fleet{}, "html")),
		"plan": page(func() error { return report.WritePlanHTML(&one, plan()) }, &one), "hostile plan": page(func() error { return report.WritePlanHTML(&two, bad) }, &two),
	} {
		t.Run(name, func(t *testing.T) {
			dec := xml.NewDecoder(strings.NewReader(text))
			dec.Entity = xml.HTMLEntity
			seen := map[string]bool{}
			for {
				token, err := dec.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("not well formed: %v", err)
				}
				if e, ok := token.(xml.StartElement); ok {
					checkElement(t, e, seen)
				}
			}
			if len(seen) == 0 && name != "no cluster" {
				t.Error("no anchor is there")
			}
			for _, loads := range []string{"url(", "@import"} {
				if strings.Contains(text, loads) {
					t.Errorf("%q stands in it", loads)
				}
			}
		})
	}
}

func checkElement(t *testing.T, e xml.StartElement, seen map[string]bool) {
	t.Helper()
	switch e.Name.Local {
	case "script", "link", "iframe", "img", "object", "embed", "form", "base", "image", "use", "foreignObject":
		t.Errorf("element %s", e.Name.Local)
	}
	for _, a := range e.Attr {
		value := a.Value
		switch {
		case strings.HasPrefix(a.Name.Local, "on"), a.Name.Local == "src", a.Name.Local == "srcset":
			t.Errorf("attribute %s=%q", a.Name.Local, value)
		case a.Name.Local == "href" && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "https://"):
			t.Errorf("a link to %q", value)
		case a.Name.Local == "id":
			if seen[value] {
				t.Errorf("the anchor %q is there twice", value)
			}
			seen[value] = true
		}
	}
}
