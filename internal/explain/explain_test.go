package explain_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubelts/kubelts/internal/backport"
	"github.com/kubelts/kubelts/internal/explain"
	"github.com/kubelts/kubelts/internal/git"
	"github.com/kubelts/kubelts/internal/gittest"
	"github.com/kubelts/kubelts/internal/merge"
)

var update = flag.Bool("update", false, "write the golden files anew")

// texts are the versions of a file; one that is empty is not there.
type texts struct{ base, ours, theirs, result string }

// document makes a document of one file. Conflicts that have a line stand in the result.
func document(tb testing.TB, path string, t texts, conflicts ...backport.Conflict) *explain.Document {
	tb.Helper()
	store := gittest.NewMemory()
	put := func(s string) git.OID {
		if s == "" {
			return git.OID{}
		}
		id, err := store.WriteBlob(tb.Context(), []byte(s))
		if err != nil {
			tb.Fatal(err)
		}
		return id
	}
	f := backport.File{
		Path: path, Rung: "verbatim", Conflicts: conflicts,
		Steps:    []backport.Step{{Rung: "verbatim", Did: backport.Decided, Note: "merged by line"}},
		Versions: &backport.Versions{Base: put(t.base), Ours: put(t.ours), Theirs: put(t.theirs), Result: put(t.result)},
	}
	res := backport.Result{
		Commit: strings.Repeat("a1", 20), Onto: strings.Repeat("b2", 20), Outcome: backport.Clean, Confidence: backport.Verbatim, Rung: "verbatim",
		Files: []backport.File{f},
	}
	if len(conflicts) > 0 {
		res.Outcome, res.Confidence = backport.Conflicted, backport.Review
	}
	fix := &git.Commit{Message: "Fix " + path + "\n", Author: git.Signature{Name: "A <b>", When: time.Unix(1_600_000_000, 0)}}
	d, err := explain.New(tb.Context(), store, explain.Input{Result: res, Fix: fix, OntoName: "release-1.2"})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func text(tb testing.TB, d *explain.Document, style explain.Style) string {
	tb.Helper()
	var b bytes.Buffer
	if err := d.WriteText(&b, style); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func html(tb testing.TB, d *explain.Document) string {
	tb.Helper()
	var b bytes.Buffer
	if err := d.WriteHTML(&b); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

const (
	parent = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n"
	fixed  = "one\ntwo\nthree\nfour\nfive, mended\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n"
)

func cases() map[string]struct {
	texts
	conflicts []backport.Conflict
} {
	return map[string]struct {
		texts
		conflicts []backport.Conflict
	}{
		"verbatim": {texts: texts{parent, parent, fixed, fixed}},
		"adapted": {texts: texts{
			parent, strings.Replace(parent, "five\nsix", "five of ours\nsix", 1), fixed, strings.Replace(parent, "five\nsix", "five of ours, mended\nsix", 1),
		}},
		"conflict": {
			texts: texts{
				parent, strings.Replace(parent, "five\n", "cinq\nand more\n", 1), fixed,
				strings.Replace(parent, "five\n", "<<<<<<< onto b2\ncinq\nand more\n||||||| parent of a1\nfive\n=======\nfive, mended\n>>>>>>> a1 Fix\n", 1),
			},
			conflicts: []backport.Conflict{{Reason: backport.ReasonContent, Line: 5}, {Reason: backport.ReasonNear, Note: "too close"}},
		},
		"new":     {texts: texts{theirs: "a\nb\n", result: "a\nb\n"}},
		"deleted": {texts: texts{base: "a\nb\n", ours: "a\nb\n"}},
		"long":    {texts: texts{theirs: strings.Repeat("row\n", 300), result: strings.Repeat("row\n", 300)}},
		"end":     {texts: texts{parent, parent, strings.TrimSuffix(parent, "\n"), strings.TrimSuffix(parent, "\n")}},
		"hostile": {texts: texts{
			"<script>alert(1)</script>\n", "<script>alert(1)</script>\n", "</style><img src=x onerror=alert(1)>\x1b[2Jhidden\u202eback\xff\n",
			"</style><img src=x onerror=alert(1)>\x1b[2Jhidden\u202eback\xff\n",
		}},
	}
}

func TestText(t *testing.T) {
	for name, tt := range cases() {
		for _, style := range []explain.Style{{Width: 80}, {Width: 200}} {
			golden := name + "-80.txt"
			if style.Width == 200 {
				golden = name + "-200.txt"
			}
			t.Run(golden, func(t *testing.T) {
				compare(t, golden, text(t, document(t, name+"/file.go", tt.texts, tt.conflicts...), style))
			})
		}
	}
}

func TestHTML(t *testing.T) {
	for name, tt := range cases() {
		t.Run(name, func(t *testing.T) {
			page := html(t, document(t, name+"/file.go", tt.texts, tt.conflicts...))
			sound(t, page)
			_, body, _ := strings.Cut(page, "</style>")
			compare(t, name+".html", body)
		})
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	path := filepath.Join("testdata", golden)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// sound checks that a page is well-formed, has no element or attribute that could do something, and leads nowhere.
func sound(tb testing.TB, page string) {
	tb.Helper()
	elements := strings.Fields("html head meta title style body header main article section nav div p h1 h2 h3 dl dt dd ul ol li a b i code pre small span details summary")
	attributes := strings.Fields("lang charset name content http-equiv id class style href tabindex open aria-label")
	in := xml.NewDecoder(strings.NewReader(page))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			tb.Fatalf("the page is not well-formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, start.Name.Local) {
			tb.Errorf("element %s", start.Name.Local)
		}
		for _, a := range start.Attr {
			switch {
			case !slices.Contains(attributes, a.Name.Local):
				tb.Errorf("attribute %s of %s", a.Name.Local, start.Name.Local)
			case a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#"):
				tb.Errorf("a link to %q", a.Value)
			case a.Name.Local == "style" && !strings.HasPrefix(a.Value, "--rows: "):
				tb.Errorf("style %q", a.Value)
			}
		}
	}
}

func TestHostileNamesAreShownNotSent(t *testing.T) {
	const evil = "</title><script>alert(1)</script>\x1b]0;owned\a\u202e.go"
	d := document(t, evil, cases()["verbatim"].texts, backport.Conflict{Reason: backport.ReasonBinary, Note: evil})
	d.Result.Notes = []string{evil}
	d.Result.Steps = []backport.Step{{Rung: evil, Did: backport.Left, Note: evil}}
	d.Result.Prerequisites = []backport.Prerequisite{{Subject: evil, Explains: []string{evil}}}
	page := html(t, d)
	sound(t, page)
	if strings.Contains(page, "<script") || strings.ContainsAny(page, "\x1b\a\u202e") {
		t.Error("the page has what it was given as it is")
	}
	if out := text(t, d, explain.Style{Width: 80}); strings.ContainsAny(out, "\x1b\a\u202e") {
		t.Errorf("control characters reach the terminal: %q", out)
	}
}

func TestColour(t *testing.T) {
	d := document(t, "a.go", cases()["verbatim"].texts)
	if out := text(t, d, explain.Style{Width: 80, Colour: true}); !strings.Contains(out, "\x1b[32m+five, mended\x1b[0m") {
		t.Errorf("no green line: %q", out)
	}
	if out := text(t, d, explain.Style{Width: 80}); strings.Contains(out, "\x1b") {
		t.Errorf("colours where none are wanted: %q", out)
	}
}

func TestWhatCannotBeShownIsSaid(t *testing.T) {
	store := gittest.NewMemory()
	image, err := store.WriteBlob(t.Context(), []byte("\x89PNG\x00"))
	if err != nil {
		t.Fatal(err)
	}
	absent := git.MustOID(strings.Repeat("c", 40))
	for name, tt := range map[string]struct {
		versions *backport.Versions
		want     string
	}{
		"binary":       {&backport.Versions{Base: image, Ours: image, Theirs: image, Result: image}, "not shown: no text"},
		"absent":       {&backport.Versions{Base: absent}, "not shown: blob cccccccccc"},
		"not recorded": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			conflict := backport.Conflict{Reason: backport.ReasonBinary, Note: "base is binary"}
			res := backport.Result{Files: []backport.File{{Path: "a", Versions: tt.versions, Conflicts: []backport.Conflict{conflict}}}}
			d, err := explain.New(t.Context(), store, explain.Input{Result: res})
			if err != nil {
				t.Fatal(err)
			}
			if why := d.Files[0].Why; !strings.HasPrefix(why, tt.want) || tt.want == "" && why != "" {
				t.Errorf("why %q, want %q", why, tt.want)
			}
			if out := text(t, d, explain.Style{Width: 80}); !strings.Contains(out, "base is binary") {
				t.Errorf("the reason is lost: %s", out)
			}
		})
	}
}

// FuzzDocument: whatever the versions are, a document can be made, its page is well-formed and both forms send nothing that acts.
func FuzzDocument(f *testing.F) {
	for _, tt := range cases() {
		f.Add(tt.base, tt.ours, tt.theirs, tt.result, "a/b.go", 5)
	}
	f.Add("<<<<<<< \n", "=======\n", ">>>>>>> \n", "<<<<<<< \n||||||| \n=======\n>>>>>>> \n<<<<<<<\n", "<b>", 1)
	f.Fuzz(func(t *testing.T, base, ours, theirs, result, name string, line int) {
		if len(base)+len(ours)+len(theirs)+len(result) > 20_000 {
			return
		}
		v := texts{base, ours, theirs, result}
		d := document(t, name, v, backport.Conflict{Reason: backport.ReasonContent, Line: line, Note: name}, backport.Conflict{Reason: backport.ReasonNear, Note: theirs})
		sound(t, html(t, d))
		for _, width := range []int{0, 80, 150} {
			out := text(t, d, explain.Style{Width: width})
			if strings.ContainsFunc(out, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\u202e' }) {
				t.Errorf("a control character is sent: %q", out)
			}
		}
		complete(t, d, v)
	})
}

// complete: every line of the fix that base does not have stands in a region, unless something is not shown.
func complete(t *testing.T, d *explain.Document, v texts) {
	t.Helper()
	f := d.Files[0]
	if f.Why != "" {
		return
	}
	changes, err := merge.Diff([]byte(v.base), []byte(v.theirs), merge.Histogram)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, r := range f.Regions {
		for _, row := range r.Rows {
			seen[row.Cells[explain.Theirs].Number] = true
		}
	}
	for _, c := range changes {
		for i := c.New.Lo; i < c.New.Hi; i++ {
			if !seen[i+1] {
				t.Errorf("line %d of the fix is not shown", i+1)
			}
		}
	}
}
