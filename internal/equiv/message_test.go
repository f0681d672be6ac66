package equiv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseClaims(t *testing.T) {
	sha := strings.Repeat("ab", 20)
	for _, c := range []struct {
		name, message string
		want          *Claims
	}{
		{"nothing", "Fix it\n\nSee #12 and the cherry on top.\n", nil},
		{"merge", "Merge pull request #12 from ada/fix\n\nFix the server\n\nMore", &Claims{Merge: true, Pull: 12, Title: "Fix the server"}},
		{"squash", "Fix it (#12)\n", &Claims{Pull: 12}},
		{
			"Kubernetes' tool", "Merge pull request #9 from ada/automated-cherry-pick-of-#12-#13-upstream-release-1.18\n\n[1.18] Automated cherry pick of #12: x",
			&Claims{Merge: true, Pull: 9, Title: "[1.18] Automated cherry pick of #12: x", Picks: []int{12, 13, 12}},
		},
		{"robot", "Merge pull request #9 from bot/cherry-pick-12-to-release-3.5\n\n", &Claims{Merge: true, Pull: 9, Picks: []int{12}}},
		{"cherrypick", "Cherrypick #12", &Claims{Picks: []int{12}}},
		{"cherry picks of several", "cherry picks of #12, #13 and #14 for 1.2", &Claims{Picks: []int{12, 13, 14}}},
		{"backport", "Backport PR #12 to release-1.2", &Claims{Picks: []int{12}}},
		{"backport by address", "Manual backport of https://github.com/o/etcd/pull/12/commits", &Claims{Picks: []int{12}}},
		{"backport from where it is published from", "Cherry-pick of https://github.com/kubernetes/kubernetes/pull/12", &Claims{Picks: []int{12}}},
		{"another repository's address", "Cherry-pick of https://github.com/etcd-io/website/pull/12", nil},
		{"a part only", "Partial backport of #12, cherry-pick part of #13", nil},
		{"another repository's", "Cherry-picks kubernetes/kube-openapi#12", nil},
		{"picked", "Fix\n\n(cherry picked from commit " + sha + ")", &Claims{Origins: []string{sha}}},
		{"reverts", "Revert \"Fix it\"\n\nThis reverts commit " + sha + ".", &Claims{Reverts: []string{sha}, RevertTitle: "Fix it"}},
		{"reverts a revert", `Revert "Revert "Fix it""`, &Claims{RevertTitle: `Revert "Fix it"`}},
		{"reverts a revert, cut off", `Revert "Revert "Fix it"`, &Claims{RevertTitle: `Revert "Fix it"`}},
		{"reapplies", `Reapply "Fix it"`, &Claims{RevertTitle: `Revert "Fix it"`}},
		{"reverts on a branch", `[release-1.0] Revert "Fix it"`, &Claims{RevertTitle: "Fix it"}},
		{"reverts a merge", `Revert "Merge pull request #12 from ada/fix"`, &Claims{RevertTitle: "Merge pull request #12 from ada/fix", RevertPulls: []int{12}}},
		{"reverts a pull request", "Revert pr 1274", &Claims{RevertPulls: []int{1274}}},
		{"GitHub's button", "Revert \"Fix it\" (#13)\n\nReverts o/r#12", &Claims{Pull: 13, RevertTitle: "Fix it", RevertPulls: []int{12}}},
		{"reverts no pull request", "Revert to 1.2", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ParseClaims(c.message, "etcd-io/etcd")
			if diff := cmp.Diff(c.want, got); diff != "" {
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
		if got := PlainSubject(subject); got != want {
			t.Errorf("PlainSubject(%q) = %q, want %q", subject, got, want)
		}
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add("Merge pull request #12 from ada/automated-cherry-pick-of-#1-#2-upstream-release-1.2\n\nCherry pick of #1 #2\n")
	f.Add("Revert \"Revert \"x\"\"\n\nThis reverts commit abcdef0123.\n\n(cherry picked from commit abcdef0123)\n")
	f.Add("x (#12)\n\nReverts o/r#12\nKubernetes-commit: " + strings.Repeat("ab", 20) + "\n")
	f.Fuzz(func(t *testing.T, message string) {
		c := ParseClaims(message, "etcd-io/etcd")
		KubernetesCommit(message)
		plain := PlainSubject(message)
		if strings.TrimSpace(message) != "" && plain == "" && !squashForm.MatchString(strings.TrimSpace(message)) {
			t.Errorf("%q has no plain subject", message)
		}
		if c == nil {
			return
		}
		for _, numbers := range [][]int{c.Picks, c.RevertPulls, {max(c.Pull, 1)}} {
			for _, n := range numbers {
				if n <= 0 {
					t.Errorf("number %d", n)
				}
			}
		}
		if len(c.Origins) > maxClaims || len(c.Reverts) > maxClaims || len(c.Picks) > maxClaims*maxClaims+1 {
			t.Errorf("%d origins, %d reverts, %d picks", len(c.Origins), len(c.Reverts), len(c.Picks))
		}
	})
}
