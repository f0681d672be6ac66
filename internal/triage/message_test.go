package triage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseClaims(t *testing.T) {
	sha := strings.Repeat("ab", 20)
	for _, c := range []struct {
		name, message string
		want          *claims
	}{
		{"nothing", "Fix it\n\nSee #12 and the cherry on top.\n", nil},
		{"merge", "Merge pull request #12 from ada/fix\n\nFix the server\n\nMore", &claims{merge: true, pull: 12, title: "Fix the server"}},
		{"squash", "Fix it (#12)\n", &claims{pull: 12}},
		{
			"Kubernetes' tool", "Merge pull request #9 from ada/automated-cherry-pick-of-#12-#13-upstream-release-1.18\n\n[1.18] Automated cherry pick of #12: x",
			&claims{merge: true, pull: 9, title: "[1.18] Automated cherry pick of #12: x", picks: []int{12, 13, 12}},
		},
		{"robot", "Merge pull request #9 from bot/cherry-pick-12-to-release-3.5\n\n", &claims{merge: true, pull: 9, picks: []int{12}}},
		{"cherrypick", "Cherrypick #12", &claims{picks: []int{12}}},
		{"cherry picks of several", "cherry picks of #12, #13 and #14 for 1.2", &claims{picks: []int{12, 13, 14}}},
		{"backport", "Backport PR #12 to release-1.2", &claims{picks: []int{12}}},
		{"backport by address", "Manual backport of https://github.com/o/etcd/pull/12/commits", &claims{picks: []int{12}}},
		{"backport from where it is published from", "Cherry-pick of https://github.com/kubernetes/kubernetes/pull/12", &claims{picks: []int{12}}},
		{"another repository's address", "Cherry-pick of https://github.com/etcd-io/website/pull/12", nil},
		{"a part only", "Partial backport of #12, cherry-pick part of #13", nil},
		{"another repository's", "Cherry-picks kubernetes/kube-openapi#12", nil},
		{"picked", "Fix\n\n(cherry picked from commit " + sha + ")", &claims{origins: []string{sha}}},
		{"reverts", "Revert \"Fix it\"\n\nThis reverts commit " + sha + ".", &claims{reverts: []string{sha}, revertTitle: "Fix it"}},
		{"reverts a revert", `Revert "Revert "Fix it""`, &claims{revertTitle: `Revert "Fix it"`}},
		{"reverts a revert, cut off", `Revert "Revert "Fix it"`, &claims{revertTitle: `Revert "Fix it"`}},
		{"reapplies", `Reapply "Fix it"`, &claims{revertTitle: `Revert "Fix it"`}},
		{"reverts on a branch", `[release-1.0] Revert "Fix it"`, &claims{revertTitle: "Fix it"}},
		{"reverts a merge", `Revert "Merge pull request #12 from ada/fix"`, &claims{revertTitle: "Merge pull request #12 from ada/fix", revertPulls: []int{12}}},
		{"reverts a pull request", "Revert pr 1274", &claims{revertPulls: []int{1274}}},
		{"GitHub's button", "Revert \"Fix it\" (#13)\n\nReverts o/r#12", &claims{pull: 13, revertTitle: "Fix it", revertPulls: []int{12}}},
		{"reverts no pull request", "Revert to 1.2", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parseClaims(c.message, "etcd-io/etcd")
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(claims{})); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlainSubject(t *testing.T) {
	for subject, want := range map[string]string{
		"Fix it":                         "Fix it",
		"[release-1.2] Fix it (#12)":     "Fix it",
		"[1.2][CVE-1]: Fix it":           "Fix it",
		"Release-3.4: server: fix it":    "server: fix it",
		"[release-1.2]":                  "[release-1.2]",
		"Fix (#12) and that":             "Fix (#12) and that",
		"release-1.2 is out":             "release-1.2 is out",
		"[" + strings.Repeat("x", 50):    "[" + strings.Repeat("x", 50),
		"server: bump to release-1.2: x": "server: bump to release-1.2: x",
	} {
		if got := plainSubject(subject); got != want {
			t.Errorf("plainSubject(%q) = %q, want %q", subject, got, want)
		}
	}
}

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

func FuzzParseClaims(f *testing.F) {
	f.Add("Merge pull request #12 from ada/automated-cherry-pick-of-#1-#2-upstream-release-1.2\n\nCherry pick of #1 #2\n")
	f.Add("Revert \"Revert \"x\"\"\n\nThis reverts commit abcdef0123.\n\n(cherry picked from commit abcdef0123)\n")
	f.Add("x (#12)\n\nReverts o/r#12\nKubernetes-commit: " + strings.Repeat("ab", 20) + "\n")
	f.Fuzz(func(t *testing.T, message string) {
		c := parseClaims(message, "etcd-io/etcd")
		kubernetesCommit(message)
		plain := plainSubject(message)
		if strings.TrimSpace(message) != "" && plain == "" && !squashForm.MatchString(strings.TrimSpace(message)) {
			t.Errorf("%q has no plain subject", message)
		}
		if c == nil {
			return
		}
		for _, numbers := range [][]int{c.picks, c.revertPulls, {max(c.pull, 1)}} {
			for _, n := range numbers {
				if n <= 0 {
					t.Errorf("number %d", n)
				}
			}
		}
		if len(c.origins) > maxClaims || len(c.reverts) > maxClaims || len(c.picks) > maxClaims*maxClaims+1 {
			t.Errorf("%d origins, %d reverts, %d picks", len(c.origins), len(c.reverts), len(c.picks))
		}
	})
}
