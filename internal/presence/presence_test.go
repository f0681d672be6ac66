package presence_test

import (
	"strings"
	"testing"

	"github.com/kubelts/kubelts/internal/presence"
)

const (
	before = "package a\n\nimport \"io\"\n\n// get reads.\nfunc (s *Server) get(name string) ([]byte, error) {\n\tfile := path.Join(s.root, name)\n\tdata, err := s.read(file)\n\treturn data, err\n}\n\nfunc other() {\n\tcloseAllOfThem()\n}\n"
	check  = "\tif strings.HasPrefix(name, \"..\") {\n\t\treturn nil, errOutside\n\t}\n"
)

var after = strings.Replace(before, "\tdata, err", check+"\tdata, err", 1)

// The change that leads from before to after.
const diff = `diff --git a/pkg/a.go b/pkg/a.go
index 1..2 100644
--- a/pkg/a.go
+++ b/pkg/a.go
@@ -5,6 +5,9 @@ import "io"
 // get reads.
 func (s *Server) get(name string) ([]byte, error) {
 	file := path.Join(s.root, name)
+	if strings.HasPrefix(name, "..") {
+		return nil, errOutside
+	}
 	data, err := s.read(file)
 	return data, err
 }
`

func hunks(t *testing.T, diff, old, changed string) []presence.Hunk {
	t.Helper()
	found, err := presence.Hunks([]byte(diff), func(string) ([]byte, []byte, error) { return []byte(old), []byte(changed), nil })
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFind(t *testing.T) {
	h := hunks(t, diff, before, after)
	if len(h) != 1 || h[0].Decl != "func (Server) get" || h[0].New || len(h[0].Come) != 3 || len(h[0].Raw) == 0 {
		t.Fatalf("hunks %+v", h)
	}
	tests := []struct {
		name, content string
		want          presence.State
	}{
		{"as the change left it", after, presence.After},
		{"as the change found it", before, presence.Before},
		{"shifted, with another receiver's name and comments", "package a\n\nfunc more() {}\n\n" + strings.ReplaceAll(after[10:], "(s *Server)", "(s Server)") + "// end\n", presence.After},
		{"formatted otherwise", strings.ReplaceAll(after, "\t", "    "), presence.After},
		{"in another function", strings.Replace(before, "\tcloseAllOfThem()\n", check, 1), presence.Before},
		{"neither", strings.Replace(before, "\tdata, err := s.read(file)\n\treturn data, err\n", "\treturn s.read(file)\n", 1), presence.Drifted},
		{"a part of it", strings.Replace(before, "\tdata, err", "\tif strings.HasPrefix(name, \"..\") {\n\t\tpanic(name)\n\t}\n\tdata, err", 1), presence.Drifted},
		{"no such function", "package a\n\nfunc other() {}\n", presence.Absent},
		{"a function of that name without the receiver", "package a\n\nfunc get(name string) {\n}\n", presence.Absent},
		{"a function of that name without the receiver, with the lines that came", strings.Replace(after, "(s *Server) ", "", 1), presence.After},
		{"a function of that name without the receiver, with the lines around them", strings.Replace(before, "(s *Server) ", "", 1), presence.Before},
		{"no Go at all", "\x00\xff", presence.Absent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := h[0].Find("pkg/a.go", []byte(tt.content)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestFindIn looks for several hunks in one version that was read once: each look gives what it gives alone.
func TestFindIn(t *testing.T) {
	second := strings.Replace(diff, "@@ -5,6 +5,9 @@ import \"io\"", "@@ -1,3 +1,4 @@\n package a\n \n+const limit = 1234567890\n import \"io\"\n@@ -5,6 +6,9 @@", 1)
	changed := strings.Replace(after, "import", "const limit = 1234567890\nimport", 1)
	found := hunks(t, second, before, changed)
	if len(found) != 2 || found[0].Decl != "const limit" || found[1].Decl != "func (Server) get" {
		t.Fatalf("hunks %+v", found)
	}
	for name, content := range map[string]string{"before": before, "after": changed, "one of them": after, "declared twice": changed + after[10:], "empty": ""} {
		t.Run(name, func(t *testing.T) {
			file := presence.Read("pkg/a.go", []byte(content))
			for range 2 {
				for i := range found {
					if got, want := found[i].FindIn(file), found[i].Find("pkg/a.go", []byte(content)); got != want {
						t.Errorf("hunk %d: %s in what was read before, %s alone", i, got, want)
					}
				}
			}
		})
	}
}

func TestHas(t *testing.T) {
	const source = "package a\n\nconst one = 1\n\nvar (\n\ttwo   = 2\n\tthree = 3\n)\n\ntype four struct{}\n\nfunc (f *four[T]) five() {}\n"
	for decl, want := range map[string]bool{
		"const one": true, "var two": true, "var three": true, "type four": true, "func (four) five": true, "": true,
		"var one": false, "func five": false, "type five": false,
	} {
		if got := presence.Has("a.go", []byte(source), decl); got != want {
			t.Errorf("Has(%q) = %v, want %v", decl, got, want)
		}
	}
	if presence.Has("a.go", nil, "const one") {
		t.Error("a file that is not there has a declaration")
	}
}

func TestKin(t *testing.T) {
	body := presence.Read("a.go", []byte(before)).Body("func (Server) get")
	if len(body) != 3 {
		t.Fatalf("the body is %q", body)
	}
	tests := []struct {
		name, content string
		decl          string
		percent       int
	}{
		{"itself", before, "func (Server) get", 100},
		{"under another name, but for its first line", "package a\n\nfunc fetch(root, name string) {\n" + strings.Join(strings.Split(before, "\n")[6:8], "\n") + "\n}\n", "func fetch", 53},
		{"nothing of it", "package a\n\nfunc other() {\n\tcloseAllOfThem()\n}\n", "", 0},
		{"no file", "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			decl, percent := presence.Read("a.go", []byte(tt.content)).Kin(body)
			if decl != tt.decl || percent != tt.percent {
				t.Errorf("%q with %d %%, want %q with %d %%", decl, percent, tt.decl, tt.percent)
			}
		})
	}
}

func TestOtherFiles(t *testing.T) {
	const script = "diff --git a/run.sh b/run.sh\n--- a/run.sh\n+++ b/run.sh\n@@ -1,3 +1,3 @@\n set -e\n-curl --insecure https://example.org/file\n+curl --fail https://example.org/file\n echo done\n"
	h := hunks(t, script, "set -e\ncurl --insecure https://example.org/file\necho done\n", "set -e\ncurl --fail https://example.org/file\necho done\n")
	if len(h) != 1 || h[0].Decl != "" {
		t.Fatalf("hunks %+v", h)
	}
	for content, want := range map[string]presence.State{
		"# more\ncurl  --fail https://example.org/file\n": presence.After,
		"curl --insecure https://example.org/file\n":      presence.Before,
		"wget https://example.org/file\n":                 presence.Drifted,
	} {
		if got := h[0].Find("run.sh", []byte(content)); got != want {
			t.Errorf("%q is %s, want %s", content, got, want)
		}
	}
	if got := h[0].Find("run.sh", nil); got != presence.Absent {
		t.Errorf("no file is %s", got)
	}
}

func FuzzHunks(f *testing.F) {
	f.Add(diff, before, after)
	f.Add("diff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n@@ -9999999999999999999 +1 @@\n+x\n", "", "func")
	f.Add("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n-b\n+a\n", "a\nb\n", "a\n")
	f.Fuzz(func(t *testing.T, diff, old, changed string) {
		found, err := presence.Hunks([]byte(diff), func(string) ([]byte, []byte, error) { return []byte(old), []byte(changed), nil })
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			h := &found[i]
			if len(h.Gone)+len(h.Come) == 0 {
				t.Errorf("an empty hunk: %+v", h)
			}
			a, b := h.Find(h.Path, []byte(old)), h.Find(h.Path, []byte(old))
			if a != b {
				t.Errorf("%s, then %s", a, b)
			}
		}
	})
}
