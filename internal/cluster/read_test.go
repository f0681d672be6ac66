package cluster_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/errs"
)

func TestReadRefuses(t *testing.T) {
	head := `{"format":"` + cluster.Format + `"`
	tests := []struct{ name, text, want string }{
		{"nothing", "", "unexpected end"},
		{"not JSON", "a: b", "x.json:1:"},
		{"a list", "[]", "cannot unmarshal"},
		{"another format", `{"format":"kubelts.snapshot/2"}`, `format "kubelts.snapshot/2" is not kubelts.snapshot/1`},
		{"no format", `{}`, `format "" is not`},
		{"a field of a newer one", head + `,"tool":"v9","new":1}`, `unknown field "new"`},
		{"a field of a newer one, deep down", head + `,"nodes":[{"name":"n","new":1}]}`, `unknown field "new"`},
		{"something after it", head + `} {}`, "x.json"},
		{"a time that is none", head + ",\n\"taken\":\"yesterday\"}", "yesterday"},
		{"a year of five digits", head + `,"taken":"10000-01-01T00:00:00Z"}`, "10000"},
		{"a text that is too long", head + `,"context":"` + strings.Repeat("a", cluster.MaxString+1) + `"}`, "snapshot.Context: 65537, more than 65536"},
		{"a text in a list that is too long", head + `,"groups":["` + strings.Repeat("a", cluster.MaxString+1) + `"]}`, "snapshot.Groups"},
		{"a certificate twice", head + `,"certificates":[{"id":"a"},{"id":"a"}]}`, `the id "a" is empty or there twice`},
		{"a certificate without name", head + `,"certificates":[{}]}`, `the id "" is empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cluster.Read("x.json", strings.NewReader(tt.text))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "x.json") {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
	if err := cluster.Write(&bytes.Buffer{}, &cluster.Snapshot{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a snapshot without format is written: %v", err)
	}
	_, err := cluster.Read("x.json", strings.NewReader(head+`,"tool":"v9","new":1}`))
	if hints := errs.Hints(err); len(hints) != 1 || !strings.Contains(hints[0], "v9") {
		t.Errorf("hints %q", hints)
	}
}

// fewFacts are facts of three minors and three vulnerabilities: with all of them a fuzzer would do little else than look them up.
