package findings_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/cluster"
	"github.com/kubelts/kubelts/internal/findings"
)

// TestRulesAreDocumented wants each rule in docs/check.md, and each finding of the golden reports to name a rule.
func TestRulesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range findings.Rules() {
		if slices.Contains(ids, r.ID) || !slices.Contains(cluster.Areas(), r.Area) || r.What == "" {
			t.Errorf("rule %+v", r)
		}
		ids = append(ids, r.ID)
		if !strings.Contains(string(page), "| `"+r.ID+"` |") {
			t.Errorf("docs/check.md has no line for %s", r.ID)
		}
	}
	for _, name := range cluster.UseNames() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/check.md does not name the feature %s", name)
		}
	}
	files, err := filepath.Glob("testdata/reports/*.json")
	if err != nil || len(files) < 9 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r findings.Report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			if !slices.Contains(ids, f.Rule) {
				t.Errorf("%s: the finding %s names the rule %q, which is none", file, f.ID, f.Rule)
			}
		}
	}
}
