package backport_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/gittest"
)

// TestDialect carries fixes to a target that calls the same things by other names.
func TestDialect(t *testing.T) {
	const (
		oldLog = "package p\n\nimport \"x.y/glog\"\n\nfunc a(n int) {\n\tglog.Error(n)\n}\n\nfunc b(n int) {\n\tglog.Error(n)\n}"
		newLog = "package p\n\nimport \"x.y/klog\"\n\nfunc a(n int) {\n\tklog.Error(n)\n}\n\nfunc b(n int) {\n\tklog.Error(n)\n}"
	)
	shared := func(module string) map[string]string {
		return map[string]string{"go.mod": "module z.y/x\n\nrequire x.y/" + module + " v1.0.0"}
	}
	tests := []struct {
		name             string
		base, fix        map[string]string
		onto, want       map[string]string
		outcome          backport.Outcome
		rung, note, file string
	}{
		{
			name:    "lines that conflict",
			base:    map[string]string{"p/a.go": newLog},
			fix:     map[string]string{"p/a.go": newLog[:len(newLog)-2] + "\n\tklog.Flush()\n}"},
			onto:    map[string]string{"p/a.go": oldLog},
			want:    map[string]string{"p/a.go": oldLog[:len(oldLog)-2] + "\n\tglog.Flush()\n}"},
			outcome: backport.Resolved, rung: "dialect", file: "p/a.go", note: "p/a.go: \"x.y/klog\" -> \"x.y/glog\", as in 2 places",
		},
		{
			name:    "a new file with names that the target does not have",
			base:    map[string]string{"p/a.go": newLog},
			fix:     map[string]string{"p/a.go": newLog, "p/b.go": "package p\n\nimport \"x.y/klog\"\n\nfunc c() {\n\tklog.Error(1)\n}"},
			onto:    map[string]string{"p/a.go": oldLog},
			want:    map[string]string{"p/a.go": oldLog, "p/b.go": "package p\n\nimport \"x.y/glog\"\n\nfunc c() {\n\tglog.Error(1)\n}"},
			outcome: backport.Resolved, rung: "dialect", file: "p/b.go", note: `p/b.go: klog.Error -> glog.Error, as in 2 places`,
		},
		{
			name:    "not all is right with the other names",
			base:    map[string]string{"p/a.go": newLog, "p/n.go": "package p\n\nfunc n() {}"},
			fix:     map[string]string{"p/a.go": newLog, "p/n.go": "package p\n\nfunc n() {}", "p/b.go": "package p\n\nimport \"x.y/klog\"\n\nfunc c() {\n\tn()\n\tklog.Error(1)\n}"},
			onto:    map[string]string{"p/a.go": oldLog},
			want:    map[string]string{"p/a.go": oldLog, "p/b.go": "package p\n\nimport \"x.y/klog\"\n\nfunc c() {\n\tn()\n\tklog.Error(1)\n}"},
			outcome: backport.Conflicted, rung: "verbatim", file: "p/b.go",
		},
		{
			name:    "an import that the target does not have",
			base:    map[string]string{"p/a.go": "package p\n\nimport (\n\t\"bytes\"\n\t\"strings\"\n)\n\nvar a = strings.ToUpper(\"a\")\n\nvar b = bytes.Clone(nil)\n\nfunc c() {\n}"},
			fix:     map[string]string{"p/a.go": "package p\n\nimport (\n\t\"bytes\"\n\t\"strings\"\n)\n\nvar a = strings.ToUpper(\"a\")\n\nvar b = bytes.Clone(nil)\n\nfunc c() {\n\tbytes.Clone(nil)\n}"},
			onto:    map[string]string{"p/a.go": "package p\n\nimport (\n\t\"strings\"\n)\n\nvar a = strings.ToUpper(\"a\")\n\nfunc c() {\n}"},
			want:    map[string]string{"p/a.go": "package p\n\nimport (\n\t\"bytes\"\n\t\"strings\"\n)\n\nvar a = strings.ToUpper(\"a\")\n\nfunc c() {\n\tbytes.Clone(nil)\n}"},
			outcome: backport.Resolved, rung: "dialect", file: "p/a.go", note: `p/a.go: imports "bytes"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := func(module string, files map[string]string) tree {
				out := tree{}
				for name, content := range shared(module) {
					out[name] = text(content)
				}
				for name, content := range files {
					out[name] = text(content)
				}
				return out
			}
			store := gittest.NewMemory()
			parent := commit(t, store, at("klog", tt.base).write(t, store), 0)
			res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{
				Commit: commit(t, store, at("klog", tt.fix).write(t, store), 1, parent), Onto: commit(t, store, at("glog", tt.onto).write(t, store), 2),
			})
			if res.Outcome != tt.outcome || res.Rung != tt.rung {
				t.Fatalf("got %+v", res)
			}
			if diff := cmp.Diff(contents(at("glog", tt.want)), contents(read(t, store, res.Tree, ""))); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			notes := map[string]bool{}
			for _, n := range res.Notes {
				notes[n] = true
			}
			if tt.note != "" && !notes[tt.note] {
				t.Errorf("notes = %q", res.Notes)
			}
			for _, f := range res.Files {
				if f.Path == tt.file && f.Rung != tt.rung {
					t.Errorf("%s was merged by %s", f.Path, f.Rung)
				}
			}
		})
	}
}
