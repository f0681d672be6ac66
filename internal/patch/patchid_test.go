package patch_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/patch"
)

// realID asks the real program.
func realID(t *testing.T, diff []byte) git.OID {
	t.Helper()
	cmd := exec.Command("git", "patch-id", "--stable")
	cmd.Env = gittest.Environment()
	cmd.Stdin = bytes.NewReader(diff)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		return git.OID{}
	}
	return git.MustOID(string(out[:40]))
}

func TestIDAgreesWithGit(t *testing.T) {
	r := gittest.New(t)
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(40) {
			fmt.Fprintf(&b, "%s\t line %d \n", strings.Repeat("+-@ \\", random.IntN(3)), random.IntN(12))
		}
		if random.IntN(5) == 0 {
			b.WriteString("no newline")
		}
		return b.String()
	}
	for i := range 60 {
		for range 1 + random.IntN(4) {
			name := fmt.Sprintf("dir %d/file%d", random.IntN(2), random.IntN(6))
			switch random.IntN(9) {
			case 0:
				r.Write(name, "\x00binary"+text())
			case 1:
				r.TryGit("rm", "-qf", name)
			case 2:
				r.TryGit("update-index", "--chmod=+x", name)
			case 3:
				r.Write(name, "")
			default:
				r.Write(name, text())
			}
		}
		c := r.Commit(fmt.Sprintf("Commit %d\n\ndiff of something\n--- not a diff", i))
		for _, format := range [][]string{{"--full-index", "--no-renames"}, {"-M", "--full-index"}, {"--full-index", "--binary"}, {"-U0"}} {
			diff := []byte(r.Git(append([]string{"diff-tree", "-p", "--root", "-r", c.String()}, format...)...) + "\n")
			if got, want := patch.ID(diff), realID(t, diff); got != want {
				t.Errorf("commit %d, %v: patch-id %s, git says %s\n%s", i, format, got, want, diff)
			}
		}
	}
}

func TestID(t *testing.T) {
	const base = "diff --git a/x b/x\nindex 1111111..2222222 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
	const other = "diff --git a/y b/y\nindex 1111111..2222222 100644\n--- a/y\n+++ b/y\n@@ -5 +5 @@ func y() {\n-b\n+c\n"
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"line numbers", base, strings.ReplaceAll(base, "@@ -1,2 +1,2 @@", "@@ -91,2 +87,2 @@ func x() {"), true},
		{"white space", base, strings.ReplaceAll(base, "+c", "+\t c "), true},
		{"order of files", base + other, other + base, true},
		{"message before", base, "Subject\n\ntext\n" + base, true},
		{"blob names of texts", base, strings.ReplaceAll(base, "2222222", "3333333"), true},
		{"path", base, other, false},
		{"a line", base, strings.ReplaceAll(base, "+c", "+d"), false},
		{"the same line gone instead of new", base, strings.ReplaceAll(base, "-b\n+c", "+b\n-c"), false},
		{"one file of two", base + other, base, false},
		{"blob names of binary files", "diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n", "diff --git a/x b/x\nindex 1..3\nBinary files a/x and b/x differ\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if same := patch.ID([]byte(c.a)) == patch.ID([]byte(c.b)); same != c.same {
				t.Errorf("same patch-id: %v, want %v", same, c.same)
			}
		})
	}
	if id := patch.ID([]byte("no diff here\n")); !id.IsZero() {
		t.Errorf("patch-id of a text without diff: %s", id)
	}
}

func FuzzID(f *testing.F) {
	f.Add([]byte("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"))
	f.Add([]byte("diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\ndiff --git a/y b/y\nold mode 1\nnew mode 2\n"))
	f.Add([]byte("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+c\n"))
	f.Fuzz(func(t *testing.T, diff []byte) {
		id := patch.ID(diff)
		if again := patch.ID(append([]byte("Some message\n\n"), diff...)); again != id {
			t.Errorf("patch-id changes with a message before: %s, %s", id, again)
		}
		spaced := bytes.ReplaceAll(diff, []byte("\n+"), []byte("\n+\t "))
		if bytes.HasPrefix(diff, []byte("diff ")) && !bytes.Contains(diff, []byte("\n++")) && patch.ID(spaced) != id {
			t.Errorf("patch-id changes with white space: %s, %s", id, patch.ID(spaced))
		}
	})
}
