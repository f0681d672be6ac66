package feed

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

func show(r vuln.Range) string {
	var parts []string
	for _, e := range r.Events {
		switch {
		case e.Introduced != "":
			parts = append(parts, ">="+e.Introduced)
		case e.Fixed != "":
			parts = append(parts, "<"+e.Fixed)
		default:
			parts = append(parts, "<="+e.LastAffected)
		}
	}
	return strings.Join(parts, " ")
}

func TestConstraint(t *testing.T) {
	tests := []struct{ text, want string }{
		{"v1.27.0 - v1.27.1", ">=1.27.0 <=1.27.1"},
		{"1.18.0-1.18.5", ">=1.18.0 <=1.18.5"},
		{"v1.30.0 to v1.30.2", ">=1.30.0 <=1.30.2"},
		{"v1.6-v1.15", ">=1.6.0 <1.16.0"},
		{"<= v1.24.13", ">=0 <=1.24.13"},
		{"≤ V1.24.13", ">=0 <=1.24.13"},
		{"< 1.3.3", ">=0 <1.3.3"},
		{"prior to v1.16.13", ">=0 <1.16.13"},
		{"1.24.13 and earlier", ">=0 <=1.24.13"},
		{"<= 1.15", ">=0 <1.16.0"},
		{">= 1.24.0, < 1.24.14", ">=1.24.0 <1.24.14"},
		{">1.22.0, <=1.22.3", ">=1.22.1 <=1.22.3"},
		{"> 1.22", ">=1.23.0"},
		{"= 1.22.0", ">=1.22.0 <=1.22.0"},
		{"1.20.0-alpha.2", ">=1.20.0-alpha.2 <=1.20.0-alpha.2"},
		{"1.15", ">=1.15.0 <1.16.0"},
		{"v1.3.x", ">=1.3.0 <1.4.0"},
		{"All versions", ">=0"},
		{">=1.22.0-0, <1.22.2", ">=1.22.0-0 <1.22.2"},

		{"", `versions "" cannot be read`},
		{"n/a", `versions "n/a" cannot be read`},
		{"before the flood", `versions "before the flood" cannot be read`},
		{"1.27.1 - 1.26.0", `versions "1.27.1 - 1.26.0" end before they begin`},
		{">= 1.2.0, >= 1.3.0", `versions ">= 1.2.0, >= 1.3.0" have two bounds on one side`},
		{"1.2.3, 1.2.4", `versions "1.2.3, 1.2.4" have two bounds on one side`},
		{"1.2.3.4", `versions "1.2.3.4" cannot be read`},
		{"99999999999.1.2", `versions "99999999999.1.2" cannot be read`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			r, err := constraint(tt.text)
			got := show(r)
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStaircase has the bounds of CVE-2021-25741 as its record gives them.
func TestStaircase(t *testing.T) {
	tests := []struct {
		name   string
		bounds []string
		want   []string
	}{
		{"one", []string{"<=1.19.14"}, []string{">=0 <=1.19.14"}},
		{"each of its minor", []string{"<=1.19.14", "<=1.20.10", "<=1.21.4", "<=1.22.1"}, []string{">=0 <=1.19.14", ">=1.20.0 <=1.20.10", ">=1.21.0 <=1.21.4", ">=1.22.0 <=1.22.1"}},
		{"out of order", []string{"<1.9.4", "<1.7.14", "<1.8.9"}, []string{">=1.9.0 <1.9.4", ">=0 <1.7.14", ">=1.8.0 <1.8.9"}},
		{"a minor in between has it whole", []string{"<=1.29.3", "<1.31.2"}, []string{">=0 <=1.29.3", ">=1.30.0 <1.31.2"}},
		{"two of a minor", []string{"<=1.29.3", "<1.31.2", "<1.31.4"}, []string{">=0 <=1.29.3", ">=1.30.0 <1.31.2", ">=1.30.0 <1.31.4"}},
		{"spans beside it", []string{"1.27.0 - 1.27.1", "<=1.24.13"}, []string{">=1.27.0 <=1.27.1", ">=0 <=1.24.13"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ranges := make([]vuln.Range, len(tt.bounds))
			var all []*vuln.Range
			for i, b := range tt.bounds {
				var err error
				if ranges[i], err = constraint(b); err != nil {
					t.Fatal(err)
				}
				all = append(all, &ranges[i])
			}
			staircase(all)
			var got []string
			for _, r := range ranges {
				got = append(got, show(r))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzConstraint: what is read is a range that can be judged for every version, and holds its own ends.
func FuzzConstraint(f *testing.F) {
	for _, text := range []string{"v1.27.0 - v1.27.1", ">= 1.24.0, < 1.24.14", "<=1.15", "v1.3.x", "1.20.0-alpha.2", "1.2 and earlier", "all"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := constraint(text)
		if err != nil {
			return
		}
		rec := vuln.Record{ID: "X", Affected: []vuln.Affected{{Ranges: []vuln.Range{r}}}}
		if err = rec.Validate(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, e := range r.Events {
			for at, inside := range map[string]bool{e.Introduced: true, e.LastAffected: true, e.Fixed: false} {
				if at == "" || at == "0" {
					continue
				}
				v, err := release.Parse(at)
				if err != nil {
					t.Fatalf("%q: bound %q: %v", text, at, err)
				}
				if in, err := r.Contains(v); err != nil || in != inside && !degenerate(r) {
					t.Fatalf("%q: %s: %s is in it: %v, %v", text, show(r), at, in, err)
				}
			}
		}
	})
}

// degenerate ranges begin where they end, or after: they hold nothing, as it was written.
func degenerate(r vuln.Range) bool {
	if len(r.Events) != 2 {
		return false
	}
	from, err := release.Parse(r.Events[0].Introduced)
	if err != nil {
		return false
	}
	to, err := release.Parse(fmt.Sprint(r.Events[1].Fixed, r.Events[1].LastAffected))
	return err == nil && release.CompareUpstream(from, to) >= 0
}
