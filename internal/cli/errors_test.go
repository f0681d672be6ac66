package cli

import "testing"

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"release-1.28 é":          "release-1.28 é",
		"a\x1b[31mb\u009b2Jc\x7f": "a\uFFFD[31mb\uFFFD2Jc\uFFFD",
		"release-\u202e82.1":      "release-\uFFFD82.1",
		"a\u2028b":                "a\uFFFDb",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) is %q, want %q", in, got, want)
		}
	}
}
