package backport_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
)

// TestGoRung carries over fixes whose text merge conflicts in p/a.go. In each case the fix adds a function after one that the target lacks.
func TestGoRung(t *testing.T) {
	gofile := func(imports string, decls ...string) file {
		return text("package p\n" + imports + "\n" + strings.Join(decls, "\n\n"))
	}
	const (
		a = "func a() int { return 1 }"
		b = "// b is new on the main branch.\nfunc b() int { return 2 }"
	)
	near := []backport.Reason{"content"}
	tests := []struct {
		name    string
		carried string            // the function that the fix adds
		imports string            // what it imports
		beside  map[string]string // other files of the target
		main    map[string]string // other files of the fix and its parent, if not the target's
		fixes   map[string]string // other files that the fix changes from what the target has, or adds
		path    string            // if not p/a.go
		reasons []backport.Reason // none: it is resolved
	}{
		{name: "needs nothing", carried: "func c() int { return a() }"},
		{name: "needs what a sibling declares", carried: "func c() int { return d(1) }", beside: map[string]string{"p/d.go": "package p\n\nfunc d(int) int { return 1 }\n"}},
		{name: "needs what the fix brings in another file", carried: "func c() int { return d(1) }", fixes: map[string]string{"p/d.go": "package p\n\nfunc d(int) int { return 1 }\n"}},
		{name: "name that nothing declares", carried: "func c() int { return d(1) }", main: map[string]string{"p/d.go": "package p\n\nfunc d(int) int { return 1 }\n"}, reasons: append(near, "undeclared-name")},
		{
			name: "name that another file has", carried: "func c() int { return a() }", main: map[string]string{}, reasons: append(near, "duplicate-name"),
			beside: map[string]string{"p/d.go": "package p\n\nfunc c() int { return 3 }\n"},
		},
		{
			name: "name of a file for one system", carried: "func c() int { return d(1) }", main: map[string]string{"p/d.go": "package p\n\nfunc d(int) int { return 1 }\n"}, reasons: append(near, "undeclared-name"),
			beside: map[string]string{"p/d_windows.go": "package p\n\nfunc d(int) int { return 1 }\n"},
		},
		{
			name: "name of files for one system and all others", carried: "func c() int { return d(1) }",
			beside: map[string]string{
				"p/d_windows.go": "package p\n\nfunc d(int) int { return 1 }\n", "p/d_others.go": "//go:build !windows\n\npackage p\n\nfunc d(int) int { return 2 }\n",
			},
		},
		{
			name: "name of another file for one system", carried: "func c() int { return a() }", main: map[string]string{}, reasons: append(near, "duplicate-name"),
			beside: map[string]string{"p/d_linux_test.go": "package p\n", "p/d_linux.go": "package p\n\nfunc c() int { return 3 }\n"},
		},
		{
			name: "name of a file for another system", path: "p/a_linux.go", carried: "func c() int { return a() }",
			beside: map[string]string{"p/d_windows.go": "package p\n\nfunc c() int { return 3 }\n"},
		},
		{
			name: "name of another package of the directory", carried: "func c() int { return d(1) }", main: map[string]string{"p/d.go": "package p\n\nfunc d(int) int { return 1 }\n"}, reasons: append(near, "undeclared-name"),
			beside: map[string]string{"p/d.go": "package q\n\nfunc d(int) int { return 1 }\n"},
		},
		{
			name: "other arguments", carried: "func c() int { return d(1) }", main: map[string]string{"p/d.go": "package p\n\nfunc d(int) int { return 1 }\n"}, reasons: append(near, "arguments"),
			beside: map[string]string{"p/d.go": "package p\n\nfunc d(int, int) int { return 1 }\n"},
		},
		{
			name: "package of the module", imports: "\nimport \"x.y/z/q\"\n", carried: "func c() int { return q.D() }",
			beside: map[string]string{"go.mod": "module x.y/z\n", "q/q.go": "package q\n\nfunc D() int { return 1 }\n"},
		},
		{
			name: "package of the module without the name", imports: "\nimport \"x.y/z/q\"\n", carried: "func c() int { return q.D() }",
			beside: map[string]string{"go.mod": "module x.y/z\n", "q/q.go": "package q\n"}, reasons: append(near, "undeclared-name"),
			main: map[string]string{"go.mod": "module x.y/z\n", "q/q.go": "package q\n\nfunc D() int { return 1 }\n"},
		},
		{
			name: "package that the target does not have", imports: "\nimport \"x.y/z/q\"\n", carried: "func c() int { return q.D() }",
			beside: map[string]string{"go.mod": "module x.y/z\n"}, reasons: append(near, "undeclared-name"),
			main: map[string]string{"go.mod": "module x.y/z\n", "q/q.go": "package q\n\nfunc D() int { return 1 }\n"},
		},
		{
			name: "package of a required module", imports: "\nimport \"u.v/w/q\"\n", carried: "func c() int { return q.D() }",
			beside: map[string]string{"go.mod": "module x.y/z\n\nrequire u.v/w v1.0.0\n"},
		},
		{
			name: "major version that is not required", imports: "\nimport \"u.v/w/v2\"\n", carried: "func c() int { return w.D() }",
			beside: map[string]string{"go.mod": "module x.y/z\n\nrequire u.v/w v1.0.0\n"}, reasons: append(near, "undeclared-name"),
			main: map[string]string{"go.mod": "module x.y/z\n\nrequire u.v/w/v2 v2.0.0\n"},
		},
		{
			name: "vendored package", imports: "\nimport \"u.v/w\"\n", carried: "func c() int { return w.D() }",
			beside: map[string]string{"vendor/u.v/w/w.go": "package w\n\nfunc D() int { return 1 }\n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.path
			if p == "" {
				p = "p/a.go"
			}
			others := func(sets ...map[string]string) tree {
				out := tree{}
				for _, set := range sets {
					for name, content := range set {
						out[name] = text(strings.TrimSuffix(content, "\n"))
					}
				}
				return out
			}
			if tt.main == nil {
				tt.main = tt.beside
			}
			base, fix, onto := others(tt.main), others(tt.main, tt.fixes), others(tt.beside)
			base[p], fix[p], onto[p] = gofile("", a, b), gofile(tt.imports, a, b, tt.carried), gofile("", a)
			store := gittest.NewMemory()
			parent := commit(t, store, base.write(t, store), 0)
			res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{
				Commit: commit(t, store, fix.write(t, store), 1, parent), Onto: commit(t, store, onto.write(t, store), 2),
			})
			if len(tt.reasons) > 0 {
				if diff := cmp.Diff(tt.reasons, reasons(res)[p]); res.Outcome != backport.Conflicted || diff != "" {
					t.Errorf("%s (-want +got):\n%s", res.Outcome, diff)
				}
				return
			}
			if res.Outcome != backport.Resolved || res.Confidence != backport.Adapted || res.Rung != "go" {
				t.Fatalf("got %+v", res)
			}
			want := maps.Clone(onto)
			maps.Copy(want, others(tt.fixes))
			want[p] = gofile(tt.imports, a, tt.carried)
			if diff := cmp.Diff(contents(want), contents(read(t, store, res.Tree, ""))); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGoRungSeveral: when two files had to be merged by their parts, a person should look, for they may lean on each other.
func TestGoRungSeveral(t *testing.T) {
	side := func(decls ...string) tree {
		f := text("package p\n\n" + strings.Join(decls, "\n\n"))
		g := text("package q\n\n" + strings.Join(decls, "\n\n"))
		return tree{"p/a.go": f, "q/a.go": g}
	}
	const a, b, c = "func a() int { return 1 }", "func b() int { return 2 }", "func c() int { return 3 }"
	store := gittest.NewMemory()
	parent := commit(t, store, side(a, b).write(t, store), 0)
	fix := commit(t, store, side(a, b, c).write(t, store), 1, parent)
	res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: commit(t, store, side(a).write(t, store), 2)})
	if res.Outcome != backport.Resolved || res.Confidence != backport.Review {
		t.Errorf("got %s, %s", res.Outcome, res.Confidence)
	}
	if diff := cmp.Diff(contents(side(a, c)), contents(read(t, store, res.Tree, ""))); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// TestGoRungMissing: what the target does not have of a file's declarations is left out, but not if another file of the target has it.
func TestGoRungMissing(t *testing.T) {
	gofile := func(decls ...string) file { return text("package p\n\n" + strings.Join(decls, "\n\n")) }
	const a, was, is = "func a() int { return 1 }", "func b() int { return 2 }", "func b() int { return 3 }"
	const use, used = "func c() int { return a() }", "func c() int { return a() + 1 }"
	store := gittest.NewMemory()
	parent := commit(t, store, tree{"p/a.go": gofile(a, was, use)}.write(t, store), 0)
	fix := commit(t, store, tree{"p/a.go": gofile(a, is, used)}.write(t, store), 1, parent)
	pick := func(onto tree) backport.Result {
		return backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: commit(t, store, onto.write(t, store), 2)})
	}
	res := pick(tree{"p/a.go": gofile(a, use)})
	if res.Outcome != backport.Resolved || res.Confidence != backport.Review {
		t.Errorf("left out: got %+v", res)
	}
	want := contents(tree{"p/a.go": gofile(a, used)})
	if diff := cmp.Diff(want, contents(read(t, store, res.Tree, ""))); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	res = pick(tree{"p/a.go": gofile(a, use), "p/b.go": gofile(was)})
	if diff := cmp.Diff(map[string][]backport.Reason{"p/a.go": {"content", "near"}}, reasons(res)); diff != "" {
		t.Errorf("in another file: %s", diff)
	}
}

// TestGoRungDoubts: what a merge had to choose decides whether it is handed out for review, or not at all.
func TestGoRungDoubts(t *testing.T) {
	const head = "package p\n\nimport \"x.y/old/q\"\n\nvar _ = q.Q\n\n"
	moved := strings.Replace(head, "/old/", "/new/", 1)
	const a, b, c, d = "func a() int { return 1 }", "func b() int { return 2 }", "func c() int { return a() }", "type d struct{ x, y, z map[string]bool }"
	body := func(statements ...string) string {
		return "package p\n\nfunc f(x, y int) int {\n\t" + strings.Join(statements, "\n\t") + "\n}\n"
	}
	join := func(decls ...string) string { return strings.Join(decls, "\n\n") + "\n" }
	tests := []struct {
		name            string
		base, ours, fix map[string]string
		near            []string // files that are left
		want            string   // p/a_test.go or p/a.go, if it is handed out
	}{
		{
			name: "new tests", base: map[string]string{"p/a_test.go": head + join(a, b)}, ours: map[string]string{"p/a_test.go": head + join(a)},
			fix: map[string]string{"p/a_test.go": head + join(a, b, c)}, want: head + join(a, c),
		},
		{
			name: "new tests beside others that are new", base: map[string]string{"p/a_test.go": head + join(a, b)}, ours: map[string]string{"p/a_test.go": head + join(a, d)},
			fix: map[string]string{"p/a_test.go": head + join(a, c, b)}, near: []string{"p/a_test.go"},
		},
		{
			name: "new tests where imports moved", base: map[string]string{"p/a_test.go": head + join(a, b)}, ours: map[string]string{"p/a_test.go": moved + join(a)},
			fix: map[string]string{"p/a_test.go": head + join(a, b, c)}, near: []string{"p/a_test.go"},
		},
		{
			name: "statement beside one that the target changed", base: map[string]string{"p/a.go": body("x++", "return x + y")}, ours: map[string]string{"p/a.go": body("x++", "return x - y")},
			fix: map[string]string{"p/a.go": body("x++", "y++", "return x + y")}, want: body("x++", "y++", "return x - y"),
		},
		{
			name: "the same, and arguments that came", base: map[string]string{"p/a.go": body("x++", "f(x, 1)", "return x + y")}, ours: map[string]string{"p/a.go": body("x++", "f(y, 1)", "return x - y")},
			fix: map[string]string{"p/a.go": body("x++", "f(x, 1, 2)", "y++", "return x + y")}, near: []string{"p/a.go"},
		},
		{
			name: "the same, and something left out in another file",
			base: map[string]string{"p/a.go": body("x++", "return x + y"), "q/b.go": "package q\n\n" + join(a, b, c)},
			ours: map[string]string{"p/a.go": body("x++", "return x - y"), "q/b.go": "package q\n\n" + join(a, c)},
			fix:  map[string]string{"p/a.go": body("x++", "y++", "return x + y"), "q/b.go": "package q\n\n" + join(a, strings.Replace(b, "2", "3", 1), strings.Replace(c, "a()", "a() + 1", 1))},
			want: "", near: []string{"p/a.go"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := gittest.NewMemory()
			write := func(files map[string]string, parents ...git.OID) git.OID {
				out := tree{}
				for name, content := range files {
					out[name] = text(strings.TrimSuffix(content, "\n"))
				}
				return commit(t, store, out.write(t, store), len(parents), parents...)
			}
			fix := write(tt.fix, write(tt.base))
			res := backport.New(store, noHistory{}).Pick(t.Context(), backport.Request{Commit: fix, Onto: write(tt.ours)})
			var near []string
			for _, f := range res.Files {
				for _, c := range f.Conflicts {
					if c.Reason == backport.ReasonNear {
						near = append(near, f.Path)
					}
				}
			}
			if diff := cmp.Diff(tt.near, near); diff != "" {
				t.Fatalf("%+v (-want +got):\n%s", res, diff)
			}
			if len(tt.near) > 0 {
				return
			}
			if res.Outcome != backport.Resolved || res.Confidence != backport.Review {
				t.Errorf("got %s, %s", res.Outcome, res.Confidence)
			}
			for p := range tt.fix {
				if got := contents(read(t, store, res.Tree, ""))[p]; got != contents(tree{p: text(strings.TrimSuffix(tt.want, "\n"))})[p] {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}
