package gotypes_test

import (
	"context"
	"crypto/sha1"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gotypes"
)

// tree is a repository as file contents by path, whose packages are imported as m/ and their directory. Packages below x.y/ are outside of it.
type tree map[string]string

func (tr tree) Files(_ context.Context, dir string) ([]gotypes.File, error) {
	var out []gotypes.File
	for _, p := range slices.Sorted(maps.Keys(tr)) {
		if path.Dir(p) == dir && strings.HasSuffix(p, ".go") {
			out = append(out, gotypes.File{Name: path.Base(p), OID: oid(tr[p])})
		}
	}
	return out, nil
}

func (tr tree) Blob(_ context.Context, id git.OID) ([]byte, error) {
	for _, content := range tr {
		if oid(content) == id && content != "absent" {
			return []byte(content), nil
		}
	}
	return nil, &git.AbsentError{OID: id}
}

func (tr tree) Package(ctx context.Context, _, imported string) (string, bool, error) {
	dir, ours := strings.CutPrefix(imported, "m.o/")
	if !ours {
		return "", !strings.HasPrefix(imported, "un.known/"), nil
	}
	files, err := tr.Files(ctx, dir)
	if len(files) == 0 {
		return "", false, err
	}
	return dir, true, nil
}

func oid(content string) git.OID { return sha1.Sum([]byte(content)) }

// with is a tree with other files; an empty content takes a file away.
func (tr tree) with(others tree) tree {
	out := maps.Clone(tr)
	for p, content := range others {
		if out[p] = content; content == "" {
			delete(out, p)
		}
	}
	return out
}

// judge looks at a merge that changes all files in which merged differs from ours.
func judge(t *testing.T, merged, ours, theirs tree) gotypes.Verdict {
	t.Helper()
	q := gotypes.Question{Merged: merged, Ours: ours, Theirs: theirs}
	for _, p := range slices.Sorted(maps.Keys(ours.with(merged))) {
		if merged[p] != ours[p] {
			q.Files = append(q.Files, gotypes.Change{Path: p})
		}
	}
	v, err := gotypes.NewChecker().Judge(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestJudge carries the file p/a.go of the fix onto a target that has the rest of its package and what it imports in another form.
func TestJudge(t *testing.T) {
	const a = "package p\n\nfunc a() {}\n"
	tests := []struct {
		name    string
		ours    tree // beside p/a.go
		theirs  tree // the same in the fix's tree
		carried string
		at      string          // where it is, if not p/a.go
		want    []gotypes.Fault // without note
		note    string          // in the first fault
	}{
		{
			name: "all there", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a() int { return q.Q(1) + b() }\n",
			ours:   tree{"q/q.go": "package q\n\nfunc Q(int) int { return 1 }\n", "p/b.go": "package p\n\nfunc b() int { return 2 }\n"},
			theirs: tree{"q/q.go": "package q\n\nfunc Q(int) int { return 3 }\n", "p/b.go": "package p\n\nfunc b() int { return 4 }\n"},
		},
		{
			name: "name of the package", carried: "package p\n\nfunc a() { b() }\n", theirs: tree{"p/b.go": "package p\n\nfunc b() {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.Undeclared, Name: "b"}}, note: "undefined: b",
		},
		{
			name: "name of another package", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a() {\n\tq.Q()\n}\n",
			ours: tree{"q/q.go": "package q\n"}, theirs: tree{"q/q.go": "package q\n\nfunc Q() {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 6, Kind: gotypes.Undeclared, Name: "Q", Import: "m.o/q"}},
		},
		{
			name: "neither side has it", carried: "package p\n\nfunc a() { generated() }\n",
		},
		{
			name: "outside of the tree", carried: "package p\n\nimport \"x.y/q\"\n\nfunc a() int { return q.Q(1).R.S() }\n",
		},
		{
			name: "missing import", carried: "package p\n\nfunc a() {\n\tcontext.TODO()\n}\n", theirs: tree{"p/a.go": "package p\n\nimport \"context\"\n\nfunc a() {\n\tcontext.TODO()\n}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 4, Kind: gotypes.NoImport, Name: "context"}},
		},
		{
			name: "unknown package", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a() { q.Q() }\n", theirs: tree{"q/q.go": "package q\n\nfunc Q() {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.NoPackage, Import: "m.o/q"}},
		},
		{
			name: "directory with nothing but a test", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a() { q.Q() }\n", theirs: tree{"q/q.go": "package q\n\nfunc Q() {}\n"},
			ours: tree{"q/q_test.go": "package q\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.NoPackage, Import: "m.o/q"}}, note: "imports m.o/q, which the target is not known to have",
		},
		{
			name: "own package", carried: "package p\n\nimport \"m.o/p\"\n\nfunc a() { p.Q() }\n", ours: tree{"p/b.go": "package p\n\nfunc Q() {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.NoPackage, Import: "m.o/p"}}, note: "imports m.o/p, which is its own package",
		},
		{
			name: "own package from an external test", carried: "package p_test\n\nimport \"m.o/p\"\n\nfunc a() { p.Q() }\n",
			ours: tree{"p/a.go": "", "p/b.go": "package p\n\nfunc Q() {}\n"}, at: "p/a_test.go",
		},
		{
			name: "package that imports this one", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a() { q.Q() }\n",
			ours: tree{"q/q.go": "package q\n\nimport _ \"m.o/p\"\n\nfunc Q() {}\n"}, theirs: tree{"q/q.go": "package q\n\nfunc Q() {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.NoPackage, Import: "m.o/q"}}, note: "imports m.o/q, which imports this package",
		},
		{
			name: "package whose test imports this one", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a() { q.Q() }\n",
			ours:   tree{"q/q.go": "package q\n\nfunc Q() {}\n", "q/q_test.go": "package q\n\nimport _ \"m.o/p\"\n", "q/q_windows.go": "package q\n\nimport _ \"m.o/p\"\n"},
			theirs: tree{"q/q.go": "package q\n\nfunc Q() {}\n"},
		},
		{
			name: "import that is not used", carried: "package p\n\nimport \"fmt\"\n\nfunc a() {} // fmt.Print\n",
			theirs: tree{"p/a.go": "package p\n\nimport \"fmt\"\n\nfunc a() { fmt.Print() }\n"},
			want:   []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.Unused, Import: "fmt"}},
		},
		{
			name: "import under another name than its path", carried: "package p\n\nimport (\n\t\"x.y/go-yaml.v2\"\n\t\"x.y/klog/v2\"\n\t\"x.y/OpenAPIv2\"\n)\n\nfunc a() { yaml.Y(klog.K, openapi_v2.O) }\n",
		},
		{
			name: "variable that is not used", carried: "package p\n\nfunc a() {\n\tx := 1\n}\n", theirs: tree{"p/a.go": "package p\n\nfunc a() {\n\tx := 1\n\t_ = x\n}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 4, Kind: gotypes.Unused, Name: "x"}},
		},
		{
			name: "missing return", carried: "package p\n\nfunc a() int { for i := 0; i < 1; i++ {} }\n", theirs: tree{"p/a.go": a},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.Mismatch}}, note: "missing return",
		},
		{
			name: "too few arguments", carried: "package p\n\nfunc a() { b(1) }\n",
			ours: tree{"p/b.go": "package p\n\nfunc b(int, string) {}\n"}, theirs: tree{"p/b.go": "package p\n\nfunc b(int) {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.Arguments, Name: "b"}}, note: "not enough arguments in call to b, have (number), want (int, string)",
		},
		{
			name: "too many arguments of types that are not known", carried: "package p\n\nimport \"context\"\n\nimport \"m.o/q\"\n\nfunc a() { q.Q(context.TODO(), 1) }\n",
			ours: tree{"q/q.go": "package q\n\nfunc Q(int) {}\n"}, theirs: tree{"q/q.go": "package q\n\nimport \"context\"\n\nfunc Q(context.Context, int) {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 7, Kind: gotypes.Arguments, Name: "Q", Import: "m.o/q"}},
		},
		{
			name: "too many arguments, one of them a function of unknown types", carried: "package p\n\nimport \"x.y/r\"\n\nvar _ = r.R\n\nfunc f(r.T) {}\n\nfunc a() { b(1, f, nil) }\n",
			ours: tree{"p/b.go": "package p\n\nimport \"x.y/r\"\n\nfunc b(int, *r.T) {}\n"}, theirs: tree{"p/b.go": "package p\n\nimport \"x.y/r\"\n\nfunc b(int, func(r.T), *r.T) {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 9, Kind: gotypes.Arguments, Name: "b"}}, note: "too many arguments in call to b",
		},
		{
			name: "arguments of a call that may give several", carried: "package p\n\nimport \"x.y/r\"\n\nfunc a() { b(r.R()) }\n",
			ours: tree{"p/b.go": "package p\n\nfunc b(int, int) {}\n"}, theirs: tree{"p/b.go": "package p\n\nfunc b(int) {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 5, Kind: gotypes.Arguments, Name: "b"}},
		},
		{
			name: "function whose result is of another kind, beside unknown ones", carried: "package p\n\nimport \"x.y/r\"\n\nvar _ = r.R\n\nfunc a() {\n\tb(func(r.T) (bool, r.T) { return true, nil })\n}\n",
			ours:   tree{"p/b.go": "package p\n\nimport \"x.y/r\"\n\ntype f func(r.T) (<-chan r.T, r.T)\n\nfunc b(f) {}\n"},
			theirs: tree{"p/b.go": "package p\n\nimport \"x.y/r\"\n\ntype f func(r.T) (bool, r.T)\n\nfunc b(f) {}\n"},
			want:   []gotypes.Fault{{Path: "p/a.go", Line: 8, Kind: gotypes.Mismatch}}, note: "cannot use the argument in call to b",
		},
		{
			name: "type that is known on one way and far on another", carried: "package p\n\nimport (\n\t\"m.o/q\"\n\t\"m.o/s\"\n)\n\nfunc a(w *s.W) { q.Q(w.F) }\n",
			ours: tree{
				"q/q.go": "package q\n\nimport \"m.o/s\"\n\ntype f func(*s.U) int\n\nfunc Q(f) {}\n",
				"s/s.go": "package s\n\ntype U struct{}\n\ntype W struct{ X }\n\ntype X interface{ F(*U) int }\n",
			},
			theirs: tree{"q/q.go": "package q\n\nfunc Q(any) {}\n", "s/s.go": "package s\n\ntype W struct{ X }\n\ntype X interface{ F() }\n"},
		},
		{
			name: "number of results", carried: "package p\n\nfunc a() {\n\t_, err := b()\n\t_ = err\n}\n",
			ours: tree{"p/b.go": "package p\n\nfunc b() error { return nil }\n"}, theirs: tree{"p/b.go": "package p\n\nfunc b() (int, error) { return 0, nil }\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 4, Kind: gotypes.Arguments}}, note: "assignment mismatch: 2 variables but b returns 1 value",
		},
		{
			name: "result that is not used", carried: "package p\n\nfunc a() {\n\tb() == nil\n}\n", theirs: tree{"p/a.go": a, "p/b.go": "package p\n\nfunc b() error { return nil }\n"},
			ours: tree{"p/b.go": "package p\n\nfunc b() error { return nil }\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 4, Kind: gotypes.Mismatch}},
		},
		{
			name: "field", carried: "package p\n\nfunc a() T { return T{x: 1, y: 2} }\n",
			ours: tree{"p/b.go": "package p\n\ntype T struct{ x int }\n"}, theirs: tree{"p/b.go": "package p\n\ntype T struct{ x, y int }\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.Missing, Name: "y"}},
		},
		{
			name: "method of a field of another package", carried: "package p\n\nimport \"m.o/q\"\n\nfunc a(t q.T) { t.F().M() }\n",
			ours:   tree{"q/q.go": "package q\n\ntype T struct{ U }\n\ntype U struct{}\n\nfunc (U) F() *V { return nil }\n\ntype V struct{}\n"},
			theirs: tree{"q/q.go": "package q\n\ntype T struct{ U }\n\ntype U struct{}\n\nfunc (U) F() *V { return nil }\n\ntype V struct{}\n\nfunc (*V) M() {}\n"},
			want:   []gotypes.Fault{{Path: "p/a.go", Line: 5, Kind: gotypes.Missing, Name: "M"}},
		},
		{
			name: "method that may come from outside", carried: "package p\n\nfunc a(t T) { t.Lock() }\n",
			ours: tree{"p/b.go": "package p\n\nimport \"sync\"\n\ntype T struct{ sync.Mutex }\n"}, theirs: tree{"p/b.go": "package p\n\ntype T struct{}\n\nfunc (T) Lock() {}\n"},
		},
		{
			name: "type", carried: "package p\n\nfunc a() { b(\"\") }\n",
			ours: tree{"p/b.go": "package p\n\nfunc b(bool) {}\n"}, theirs: tree{"p/b.go": "package p\n\nfunc b(string) {}\n"},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.Mismatch}},
		},
		{
			name: "declared by another file", carried: "package p\n\nfunc a() {}\n\nfunc b() {}\n", ours: tree{"p/b.go": "package p\n\nfunc b() {}\n"},
			want: []gotypes.Fault{{Path: "p/b.go", Line: 3, Kind: gotypes.Duplicate, Name: "b"}},
		},
		{
			name: "declared by a file for another system", carried: "package p\n\nfunc a() {}\n\nfunc b() {}\n", ours: tree{"p/b_windows.go": "package p\n\nfunc b() {}\n"},
		},
		{
			name: "method that another file declares", carried: "package p\n\nfunc a() {}\n\nfunc (T) M() {}\n", ours: tree{"p/b.go": "package p\n\ntype T int\n\nfunc (T) M() {}\n"},
			theirs: tree{"p/b.go": "package p\n\ntype T int\n"},
			want:   []gotypes.Fault{{Path: "p/b.go", Line: 5, Kind: gotypes.Duplicate, Name: "M"}},
		},
		{
			name: "case twice", carried: "package p\n\nfunc a(x int) {\n\tswitch x {\n\tcase 1:\n\tcase 1:\n\t}\n}\n", theirs: tree{"p/a.go": a},
			want: []gotypes.Fault{{Path: "p/a.go", Line: 6, Kind: gotypes.Duplicate, Name: "1"}},
		},
		{
			name: "taken from a file beside", carried: "package p\n", ours: tree{"p/b.go": "package p\n\nfunc c() {\n\ta()\n}\n"},
			want: []gotypes.Fault{{Path: "p/b.go", Line: 4, Kind: gotypes.Undeclared, Name: "a"}},
		},
		{
			name: "taken from an external test", carried: "package p\n\nfunc A(int) {}\n", ours: tree{"p/a.go": "package p\n\nfunc A() {}\n", "p/b_test.go": "package p_test\n\nimport \"m.o/p\"\n\nfunc c() {\n\tp.A()\n}\n"},
			want: []gotypes.Fault{{Path: "p/b_test.go", Line: 6, Kind: gotypes.Arguments, Name: "A", Import: "m.o/p"}},
		},
		{
			name: "what external tests see of a test", carried: "package p\n\nfunc a() {}\n\nfunc b() {}\n",
			ours: tree{"p/export_test.go": "package p\n\nvar B = b\n", "p/b_test.go": "package p_test\n\nimport \"m.o/p\"\n\nfunc c() { p.B() }\n", "p/c.go": "package p\n\nvar x = b\n"},
		},
		{
			name: "import taken away", carried: "package p\n\nfunc b() { fmt.Print() }\n\nfunc a() {}\n", ours: tree{"p/a.go": "package p\n\nimport \"fmt\"\n\nfunc b() { fmt.Print() }\n"},
			theirs: tree{"p/a.go": "package p\n\nfunc a() {}\n"}, want: []gotypes.Fault{{Path: "p/a.go", Line: 3, Kind: gotypes.NoImport, Name: "fmt"}},
		},
		{
			name: "does not parse", carried: "package p\n\nfunc a( {}\n", theirs: tree{"p/a.go": a},
			want: []gotypes.Fault{{Path: "p/a.go", Kind: gotypes.Syntax}},
		},
		{
			name: "package beside another", ours: tree{"p/a.go": "", "p/b.go": "package o\n"}, theirs: tree{"p/c.go": "package p\n"}, carried: a,
			want: []gotypes.Fault{{Path: "p/a.go", Line: 1, Kind: gotypes.Mismatch}}, note: "package p beside b.go, which is package o",
		},
		{
			name: "external test beside another package", ours: tree{"p/a.go": "", "p/c_test.go": "package o_test\n"},
			carried: "package p\n\nfunc c() {}\n", want: []gotypes.Fault{{Path: "p/a.go", Line: 1, Kind: gotypes.Mismatch}}, note: "package p beside c_test.go, which is package o",
		},
		{
			name: "package beside another, as in the target", ours: tree{"p/a.go": "", "p/b.go": "package o\n", "p/c.go": "package p\n"}, carried: a,
		},
		{
			name: "program that is not built, beside a package", ours: tree{"p/a.go": "", "p/b.go": "package o\n"}, carried: "//go:build ignore\n\n" + a,
		},
		{
			name: "package beside a program that is not built", ours: tree{"p/a.go": "", "p/b.go": "// +build ignore\n\npackage main\n", "p/c_test.go": "package p_test\n"}, carried: a,
		},
		{
			name: "file for another system", ours: tree{"p/a.go": "", "p/b_windows.go": "package p\n\nfunc w() {}\n"},
			carried: "// +build windows\n\npackage p\n\nfunc a() { w() }\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ours := tree{"p/a.go": a}.with(tt.ours)
			at := "p/a.go"
			if tt.at != "" {
				at = tt.at
			}
			theirs := tree{at: tt.carried}.with(tt.theirs)
			v := judge(t, ours.with(tree{at: tt.carried}), ours, theirs)
			if len(v.Unseen) > 0 {
				t.Errorf("unseen: %q", v.Unseen)
			}
			if tt.note != "" && (len(v.Faults) == 0 || v.Faults[0].Note != tt.note) {
				t.Errorf("faults %v, want note %q", v.Faults, tt.note)
			}
			for i := range v.Faults {
				v.Faults[i].Note = ""
			}
			if diff := cmp.Diff(tt.want, v.Faults); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestComposed: of packages outside of the tree, a composed file may mention what the target mentions.
func TestComposed(t *testing.T) {
	file := func(body string) string { return "package p\n\nimport \"x.y/q\"\n\nfunc a() { " + body + " }\n" }
	theirs := tree{"p/a.go": file("q.A(); q.B(); q.C()")}
	ours := tree{"p/a.go": file("q.A()"), "p/b.go": "package p\n\nimport \"x.y/q\"\n\nvar b = q.B\n"}
	for _, tt := range []struct {
		name, body string
		composed   bool
		want       []gotypes.Fault
	}{
		{name: "as before", body: "q.A(); q.A()", composed: true},
		{name: "as beside", body: "q.A(); q.B()", composed: true},
		{name: "by line", body: "q.A(); q.C()"},
		{name: "new", body: "q.A(); q.C()", composed: true, want: []gotypes.Fault{
			{Path: "p/a.go", Line: 5, Kind: gotypes.Unproven, Name: "C", Import: "x.y/q", Note: "nothing in the target's directory uses C of x.y/q"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := gotypes.NewChecker().Judge(t.Context(), gotypes.Question{
				Merged: ours.with(tree{"p/a.go": file(tt.body)}), Ours: ours, Theirs: theirs, Files: []gotypes.Change{{Path: "p/a.go", Composed: tt.composed}},
			})
			if diff := cmp.Diff(tt.want, v.Faults); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestUnseen: what cannot be read is said, and is no fault.
func TestUnseen(t *testing.T) {
	const a, carried = "package p\n\nfunc a() {}\n", "package p\n\nfunc a() { b() }\n"
	for _, tt := range []struct {
		name   string
		ours   tree
		merged tree
		unseen int
	}{
		{name: "file beside is absent", ours: tree{"p/a.go": a, "p/b.go": "absent"}, merged: tree{"p/a.go": carried}},
		{name: "file beside does not parse", ours: tree{"p/a.go": a, "p/b.go": "nothing of Go"}, merged: tree{"p/a.go": carried}},
		{name: "merged file is absent", ours: tree{"p/a.go": a}, merged: tree{"p/a.go": "absent"}, unseen: 1},
		{name: "no Go before either", ours: tree{"p/a.go": "nothing"}, merged: tree{"p/a.go": "of Go"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(t, tt.ours.with(tt.merged), tt.ours, tree{"p/a.go": carried, "p/b.go": "package p\n\nfunc b() {}\n"})
			if len(v.Faults) > 0 || len(v.Unseen) != tt.unseen {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// FuzzJudge: any bytes may be files. A merge that takes the fix's tree as it is has no faults, and neither has one that changes nothing.
func FuzzJudge(f *testing.F) {
	f.Add("package p\n\nfunc a() { b() }\n", "package p\n\nfunc b(x int) {}\n", "package q\n\ntype T struct{ T }\n")
	f.Add("package p\n\nimport \"m.o/q\"\n\nvar x q.T[int]\n", "package p\n\nimport . \"m.o/q\"\n", "package q\n\nimport \"m.o/p\"\n\ntype T[P any] []p.U\n")
	f.Add("package p\n\nconst (\n\tc = iota + len(d)\n\td\n)\n", "package p; func (*a) f() (x struct{f func() {}}) {", "package p_test")
	f.Add("package p\nfunc a() { return `\n}` }\n", "package p\n\ntype a[T a[T]] interface{ a[T]; ~int }\n", "//go:build a && !b\n\npackage q\n")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if len(a)+len(b)+len(c) > 4096 {
			return
		}
		theirs := tree{"p/a.go": a, "p/b.go": b, "q/q.go": c}
		if v := judge(t, theirs, tree{"p/a.go": c, "p/b_test.go": b}.with(nil), theirs); len(v.Faults) > 0 {
			t.Errorf("taken as it is: %v", v.Faults)
		}
		judge(t, tree{"p/a.go": b, "p/b.go": a, "q/q.go": c}, tree{"p/a.go": c, "q/q.go": b}, theirs)
	})
}
