package memory_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/memory"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // a flag

// The file of these tests: base, what the target made of it, what the fix made of it, and what a person made of both.
const (
	base = `package store

import "sync"

// Store keeps things.
type Store struct{ mu sync.Mutex }

// Put keeps a thing.
func (s *Store) Put(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	value := lookup(name)
	return write(value)
}

func last() {}
`
	oursPut     = "\tvalue := find(name, nil)\n"
	theirsPut   = "\tvalue := lookup(name)\n\tif value == nil {\n\t\treturn errMissing\n\t}\n"
	resolvedPut = "\tvalue := find(name, nil)\n\tif value == nil {\n\t\treturn errMissing\n\t}\n"
)

func with(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

func sides(pairs ...string) memory.Sides {
	return memory.Sides{
		Path: "pkg/store/store.go", Base: []byte(with(base, pairs...)),
		Ours:   []byte(with(with(base, "\tvalue := lookup(name)\n", oursPut), pairs...)),
		Theirs: []byte(with(with(base, "\tvalue := lookup(name)\n", theirsPut), pairs...)),
	}
}

func resolved(pairs ...string) string {
	return with(with(base, "\tvalue := lookup(name)\n", resolvedPut), pairs...)
}

func about() memory.About {
	return memory.About{
		Commit: git.MustOID("3f2a9c1b3f2a9c1b3f2a9c1b3f2a9c1b3f2a9c1b"), Subject: "Refuse what is missing",
		Target: git.MustOID("81da5ac181da5ac181da5ac181da5ac181da5ac1"), Author: "Ada Author <ada@example.org>",
		Date: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Reason: "the old store calls it find",
	}
}

func learn(t *testing.T, s memory.Sides, text string) *memory.Record {
	t.Helper()
	r, err := memory.Learn(s, []byte(text), about())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func library(t *testing.T, records ...*memory.Record) *memory.Library {
	t.Helper()
	l, err := memory.NewLibrary(records)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestGolden(t *testing.T) {
	tests := map[string]*memory.Record{
		"conflict": learn(t, sides(), resolved()),
		"two-places": learn(t, sides(), with(resolved(), `import "sync"`, "import (\n\t\"errors\"\n\t\"sync\"\n)",
			"func last() {}", "var errMissing = errors.New(\"missing\")")),
		"hidden": learn(t, memory.Sides{
			Path: "notes\x1b[31m.md", Base: []byte("one\ntwo"), Ours: []byte("one\n\x1b[2Jtwo \xff"), Theirs: []byte("one\n<<<<<<< two\r"),
		}, "one\n\n@ ours\n >>>>>>> \u202e\ntwo"),
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name+".resolution.golden")
			got := r.Format()
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
			again, err := memory.Parse(r.FileName(), got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	rename := []string{"Store", "Cache", "lookup", "load"}
	other := sides()
	other.Path = "pkg/cache/store.go"
	text := memory.Sides{Path: "a.txt", Base: []byte("x\ny\n1  2\nz\n"), Ours: []byte("x\ny\n1  2 ours\nz\n"), Theirs: []byte("x\ny\n1  2 theirs\nz\n")}
	tests := []struct {
		name  string
		known *memory.Record
		asked memory.Sides
		want  string // empty: no answer
		exact bool
		note  string
	}{
		{name: "the same", known: learn(t, sides(), resolved()), asked: sides(), want: resolved(), exact: true, note: "by Ada Author"},
		{
			name: "other lines before it", known: learn(t, sides(), resolved()),
			asked: sides("// Store keeps", "// moved\n\nfunc first() {}\n\n// Store keeps"),
			want:  resolved("// Store keeps", "// moved\n\nfunc first() {}\n\n// Store keeps"), exact: true,
		},
		{
			name: "renamed neighbours", known: learn(t, sides(), resolved()), asked: sides(rename...), want: resolved(rename...),
			note: "Store is Cache",
		},
		{
			name: "a name of the resolution is another", known: learn(t, sides(), resolved()), asked: sides("find", "seek"), want: resolved("find", "seek"),
			note: "find is seek",
		},
		{
			name: "other white space", known: learn(t, sides(), resolved()), asked: sides("\tvalue := find(name, nil)", "\tvalue :=  find(name,nil)"),
			want: resolved(), note: "white space",
		},
		{name: "another file of the kind", known: learn(t, sides(), resolved()), asked: other, want: resolved(), note: "it was made for pkg/store/store.go"},
		{name: "another literal", known: learn(t, sides(), resolved()), asked: sides("nil)", `"x")`)},
		{name: "another statement around it", known: learn(t, sides(), resolved()), asked: sides("return write(value)", "return write(value, 1)")},
		{
			name: "a renaming that is none", known: learn(t, sides(), resolved()), // name stands in a comment of the surroundings and in the sides
			asked: func() memory.Sides {
				s := sides()
				s.Ours = []byte(with(string(s.Ours), "find(name", "find(s"))
				return s
			}(),
		},
		{
			name: "a name that the resolution brings is taken", known: learn(t, sides(), resolved()), asked: sides("find", "errMissing"),
		},
		{name: "text", known: learn(t, text, "x\ny\n1  2 both\nz\n"), asked: text, want: "x\ny\n1  2 both\nz\n", exact: true},
		{
			name: "text with other line ends", known: learn(t, text, "x\ny\n1  2 both\nz\n"),
			asked: memory.Sides{
				Path: "a.txt", Base: []byte("x\r\ny\r\n1 2\r\nz\r\n"), Ours: []byte("x\r\ny\r\n1 2 ours\r\nz\r\n"), Theirs: []byte("x\r\ny\r\n1 2 theirs\r\nz\r\n"),
			},
			want: "x\r\ny\r\n1  2 both\r\nz\r\n",
		},
		{
			name: "text with other words", known: learn(t, text, "x\ny\n1  2 both\nz\n"),
			asked: memory.Sides{Path: "a.txt", Base: []byte("x\nv\n1  2\nz\n"), Ours: []byte("x\nv\n1  2 ours\nz\n"), Theirs: []byte("x\nv\n1  2 theirs\nz\n")},
		},
		{
			name: "text of another kind", known: learn(t, text, "x\ny\n1  2 both\nz\n"),
			asked: memory.Sides{Path: "a.md", Base: text.Base, Ours: text.Ours, Theirs: text.Theirs},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := library(t, tt.known).Resolve(tt.asked)
			if _, unfit := errors.AsType[*memory.UnfitError](err); err != nil && !unfit {
				t.Fatal(err)
			}
			if a == nil {
				a = &memory.Answer{}
			}
			if diff := cmp.Diff(tt.want, string(a.Text)); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			if a.Exact != tt.exact || !strings.Contains(strings.Join(a.Notes, "\n"), tt.note) {
				t.Errorf("exact %v, notes %q", a.Exact, a.Notes)
			}
		})
	}
}

// TestAllOrNothing: a record with two places answers a file with both, or with one if the other is settled there, never with half of them.
func TestAllOrNothing(t *testing.T) {
	imports := []string{`import "sync"`, "import (\n\t\"errors\"\n\t\"sync\"\n)"}
	two := with(resolved(), imports...)
	r := learn(t, sides(), two)
	a, err := library(t, r).Resolve(sides("func last", "func final"))
	if err != nil || string(a.Text) != with(two, "func last", "func final") || !a.Exact {
		t.Errorf("both places: %v, %+v", err, a)
	}
	a, err = library(t, r).Resolve(sides(imports...))
	if err != nil || string(a.Text) != two || a.Exact {
		t.Errorf("one is settled: %v, %+v", err, a)
	}
	a, err = library(t, r).Resolve(sides(`import "sync"`, "import (\n\t\"fmt\"\n\t\"sync\"\n)"))
	if unfit, ok := errors.AsType[*memory.UnfitError](err); !ok || unfit.Record != r.Name() || a != nil {
		t.Errorf("one is missing: %v, %+v", err, a)
	}
}

func TestAmbiguous(t *testing.T) {
	one, two := learn(t, sides(), resolved()), learn(t, sides(), resolved("errMissing", "errGone"))
	_, err := library(t, one, two).Resolve(sides())
	ambiguous, ok := errors.AsType[*memory.AmbiguousError](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	want := []string{min(one.Name(), two.Name()), max(one.Name(), two.Name())}
	if diff := cmp.Diff(want, ambiguous.Records); diff != "" {
		t.Error(diff)
	}
	// One that fits to the byte goes before one that fits but for names.
	rename := []string{"Store", "Cache"}
	far := learn(t, sides(rename...), resolved("Store", "Cache", "errMissing", "errGone"))
	a, err := library(t, one, far).Resolve(sides())
	if err != nil || string(a.Text) != resolved() || !a.Exact {
		t.Errorf("an exact one beside another: %v, %+v", err, a)
	}
	// Two that say the same are no contradiction.
	again := sides()
	again.Path = "pkg/other/store.go"
	a, err = library(t, one, learn(t, again, resolved())).Resolve(sides())
	if err != nil || string(a.Text) != resolved() {
		t.Errorf("two that say the same: %v, %+v", err, a)
	}
}

func TestNameCoversTheAnswer(t *testing.T) {
	r := learn(t, sides(), resolved())
	later := about()
	later.Author, later.Date, later.Reason = "Eve <eve@example.org>", later.Date.AddDate(1, 0, 0), ""
	again, err := memory.Learn(sides(), []byte(resolved()), later)
	if err != nil || again.Name() != r.Name() {
		t.Errorf("the same answer by another person: %v, %s and %s", err, again.Name(), r.Name())
	}
	if other := learn(t, sides(), resolved("errMissing", "errGone")); other.Name() == r.Name() {
		t.Error("another answer has the same name")
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(learn(t, sides(), resolved()).Format())
	tests := map[string]struct{ content, want string }{
		"nothing":               {"", ":1: is no resolution"},
		"another file":          {"# Memory\n", ":1: is no resolution"},
		"a path that leads out": {with(good, "path: pkg/store/store.go", "path: ../store.go"), `:2: path "../store.go" is not well formed`},
		"a path of git's own":   {with(good, "path: pkg/store/store.go", "path: .git/config"), `:2: path ".git/config" is not well formed`},
		"no commit":             {with(good, "commit: 3f2a", "commit: 3f2"), ":3: "},
		"a header too few":      {with(good, "subject: Refuse what is missing\n", ""), `:4: want "subject: ..."`},
		"no date":               {with(good, "2026-11-22", "yesterday"), ":7: date"},
		"an unknown section":    {with(good, "@ after", "@ behind"), `want "@ after"`},
		"real markers":          {with(good, "@ ours", "<<<<<<< ours"), "want a section, or content with a space before it"},
		"no conflict":           {with(good, "find(name, nil)", "lookup(name)\n \tif value == nil {\n \t\treturn errMissing\n \t}"), "ours and theirs are the same"},
		"white space at an end": {with(good, "@ ours\n", "@ ours \n"), `want "@ after"`},
		"a line without quotes": {with(good, "\treturn write(value)", "\treturn write(value) "), "is not written as kubelts writes it"},
		"no places":             {good[:strings.Index(good, "@@")], "has no place with a conflict"},
		"no end of line":        {strings.TrimSuffix(good, "\n"), "is not written as kubelts writes it"},
		"too large":             {good + strings.Repeat(" x\n", memory.MaxRecord/3), "larger than"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := memory.Parse("r", []byte(tt.content))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "r:") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	edited := with(good, "errMissing", "errGone")
	_, err := memory.Parse("memory/"+learn(t, sides(), resolved()).FileName(), []byte(edited))
	if err == nil || !strings.Contains(err.Error(), "is not what its name says") {
		t.Errorf("an edited record under its old name: %v", err)
	}
}

func TestLearnRefuses(t *testing.T) {
	binary := sides()
	binary.Ours = append(binary.Ours, 0)
	clean := sides()
	clean.Theirs = clean.Base
	tests := map[string]struct {
		sides    memory.Sides
		resolved string
	}{
		"binary":                    {binary, resolved()},
		"a resolution with a NUL":   {sides(), "\x00"},
		"no conflict":               {clean, resolved()},
		"too large to be reviewed":  {sides(), strings.Repeat("0123456789abcde\n", memory.MaxRecord/16)},
		"twice the same, differing": {twice(), "a\nfirst\nb\nb\nb\nb\nb\na\nsecond\nb\nb\nb\nb\nb\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if r, err := memory.Learn(tt.sides, []byte(tt.resolved), about()); !errs.Is(err, errs.Invalid) {
				t.Errorf("error %v, record %v", err, r)
			}
		})
	}
}

// twice is the same conflict in the same surroundings two times.
func twice() memory.Sides {
	text := func(x string) []byte { return []byte(strings.Repeat("a\n"+x+"\nb\nb\nb\nb\nb\n", 2)) }
	return memory.Sides{Path: "x.txt", Base: text("base"), Ours: text("ours"), Theirs: text("theirs")}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"conflict", "two-places", "hidden"} {
		seed, err := os.ReadFile(filepath.Join("testdata", name+".resolution.golden"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := memory.Parse("r", content)
		if err != nil {
			return
		}
		if diff := cmp.Diff(string(content), string(r.Format())); diff != "" {
			t.Errorf("formatting what was parsed changes it:\n%s", diff)
		}
		l, err := memory.NewLibrary([]*memory.Record{r})
		if err != nil {
			t.Fatal(err)
		}
		a, err := l.Resolve(sides())
		if _, unfit := errors.AsType[*memory.UnfitError](err); err != nil && !unfit {
			t.Error(err)
		}
		if a != nil && a.Exact && r.Path != sides().Path {
			t.Errorf("%s answers %s exactly", r.Path, sides().Path)
		}
	})
}

// FuzzLearn: what was learned answers its own conflict with the person's bytes, also when lines are put before it, and never the sides of a file
// without that conflict.
func FuzzLearn(f *testing.F) {
	s := sides()
	f.Add("store.go", s.Base, s.Ours, s.Theirs, []byte(resolved()))
	f.Add("a.txt", []byte("a\nb\nc"), []byte("a\nx\nc"), []byte("a\ny\nc"), []byte("a\nxy"))
	w := twice()
	f.Add("x.txt", w.Base, w.Ours, w.Theirs, []byte("a\nz\nb\nb\nb\nb\nb\na\nz\nb\nb\nb\nb\nb\n"))
	f.Add("x.go", []byte("package p\nvar a = `\n`\n"), []byte("package p\nvar b = `\n`\n"), []byte("package p\nvar c = `\n`\n"), []byte("package p\n"))
	f.Fuzz(func(t *testing.T, path string, base, ours, theirs, resolved []byte) {
		s := memory.Sides{Path: path, Base: base, Ours: ours, Theirs: theirs}
		r, err := memory.Learn(s, resolved, about())
		if err != nil {
			return
		}
		l, err := memory.NewLibrary([]*memory.Record{r})
		if err != nil {
			t.Fatal(err)
		}
		a, err := l.Resolve(s)
		if err != nil || a == nil || !a.Exact {
			t.Fatalf("its own conflict: %+v, %v", a, err)
		}
		if diff := cmp.Diff(string(resolved), string(a.Text)); diff != "" {
			t.Errorf("its own conflict:\n%s", diff)
		}
		swapped := memory.Sides{Path: path, Base: ours, Ours: base, Theirs: theirs}
		if a, err := l.Resolve(swapped); err == nil && a != nil && a.Exact && string(base) != string(ours) {
			t.Errorf("another conflict has an exact answer: %q", a.Text)
		}
	})
}
