package triage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBumps(t *testing.T) {
	diff := "diff --git a/go.mod b/go.mod\n--- a/go.mod\n+++ b/go.mod\n@@ -1,4 +1,5 @@\n require (\n-\tgolang.org/x/net v0.8.0\n" +
		"+\tgolang.org/x/net v0.17.0\n+\tgopkg.in/yaml.v2 v2.2.8 // indirect\n+\tk8s.io/api => ../api\n" +
		"diff --git a/go.sum b/go.sum\n--- a/go.sum\n+++ b/go.sum\n@@ -0,0 +1 @@\n+golang.org/x/net v0.17.0/go.mod h1:x\n"
	want := []string{"golang.org/x/net v0.17.0", "gopkg.in/yaml.v2 v2.2.8"}
	got := bumps([]byte(diff))
	if cmp.Diff(want, got) != "" {
		t.Fatalf("bumps: %q, want %q", got, want)
	}
	for subject, count := range map[string]int{
		".: bump golang.org/x/net to v0.17.0": 1, "Update x/net to 0.17.0": 1, "bump net": 0, "bump to v0.17.0": 0, "update gopkg.in/yaml.v2 to v2.2.8": 1,
	} {
		if spoken := spokenOf(subject, got); len(spoken) != count {
			t.Errorf("%q speaks of %q, want %d", subject, spoken, count)
		}
	}
}
