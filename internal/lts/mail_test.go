package lts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/lts"
)

const change = "diff --git a/f b/f\nnew file mode 100644\nindex 0000000..78981922\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"

// TestPatchFormat writes patches as mails and lets git read them: author, date and message must be what was meant.
func TestPatchFormat(t *testing.T) {
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.FixedZone("", 2*3600))
	for name, p := range map[string]*lts.Patch{
		"plain":      {Author: lts.Person{Name: "Ada Author", Email: "ada@example.org"}, Subject: "Fix it", Body: "Because.\n\nSigned-off-by: Ada Author <ada@example.org>"},
		"dotted":     {Author: lts.Person{Name: `Dr. Ada "A" Author`, Email: "ada@example.org"}, Subject: "Fix it"},
		"not ASCII":  {Author: lts.Person{Name: "Ádá Áuthor", Email: "ada@example.org"}, Subject: "Fix it: größer, " + strings.Repeat("länger ", 20) + "x", Body: "Weil größer.\n\nMehr."},
		"long":       {Author: lts.Person{Name: "Ada", Email: "a@b"}, Subject: strings.Repeat("word ", 60) + "end"},
		"breaks off": {Author: lts.Person{Name: "Ada", Email: "a@b"}, Subject: "Fix it", Body: "One.\n---\nTwo.\ndiff --git a/x b/x\nFrom me to you"},
	} {
		t.Run(name, func(t *testing.T) {
			p.Name, p.Date, p.Diff = "0001-x.patch", when, []byte(change)
			imported := p.Imported([]git.Trailer{{Key: lts.TrailerPickedBy, Value: "import"}})
			content, err := imported.Format()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "x.patch")
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(args ...string) string {
				cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@y"}, args...)...)
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("git %q: %v\n%s", args, err, out)
				}
				return string(out)
			}
			run("init", "-q")
			run("am", "-q", file)
			got := run("log", "-1", "--format=%an <%ae>%n%ad%n%B", "--date=rfc2822")
			want := p.Author.String() + "\n" + when.Format("Mon, 2 Jan 2006 15:04:05 -0700") + "\n" + imported.Message()
			if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPatchFormatRefuses checks that what a mail cannot say is an error, never another author or subject.
func TestPatchFormatRefuses(t *testing.T) {
	for name, p := range map[string]*lts.Patch{
		"encoded subject": {Author: lts.Person{Name: "Ada", Email: "a@b"}, Subject: "=?utf-8?q?x?="},
		"encoded author":  {Author: lts.Person{Name: "=?utf-8?q?x?=", Email: "a@b"}, Subject: "x"},
		"two lines":       {Author: lts.Person{Name: "Ada", Email: "a@b"}, Subject: "x\nFrom: b <c@d>"},
		"no subject":      {Author: lts.Person{Name: "Ada", Email: "a@b"}},
		"no author":       {Author: lts.Person{Name: "Ada>", Email: "a@b"}, Subject: "x"},
		"message ends":    {Author: lts.Person{Name: "Ada", Email: "a@b"}, Subject: "x", Body: "a\n---\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			p.Name, p.Date, p.Diff = "0001-x.patch", time.Unix(0, 0), []byte(change)
			if content, err := p.Format(); err == nil {
				t.Errorf("written:\n%s", content)
			}
		})
	}
}

// TestImportedDropsOurs checks that a stranger's patch does not bring trailers that kubelts believes.
func TestImportedDropsOurs(t *testing.T) {
	p := &lts.Patch{Subject: "x", Body: "y\n\nVerified: all\nUpstream-commit: 1234567890123456789012345678901234567890\nimported-from: z\nSigned-off-by: A <a@b>"}
	got := p.Imported([]git.Trailer{{Key: lts.TrailerImported, Value: "w sha256:1"}})
	if diff := cmp.Diff("y\n\nSigned-off-by: A <a@b>\nImported-from: w sha256:1", got.Body); diff != "" {
		t.Error(diff)
	}
}
