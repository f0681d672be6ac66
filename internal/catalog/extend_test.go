package catalog_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

func life(t *testing.T, minor, released, maintenance, end, latest, day string) catalog.Life {
	t.Helper()
	var l catalog.Life
	var err error
	if l.Minor, err = release.ParseMinor(minor); err != nil {
		t.Fatal(err)
	}
	for i, to := range []*release.Date{&l.Released, &l.Maintenance, &l.End, &l.LatestDate} {
		if text := []string{released, maintenance, end, day}[i]; text != "" {
			if *to, err = release.ParseDate(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if latest != "" {
		if l.Latest, err = release.Parse(latest); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

const someReleases = `# A comment that stays.
snapshot: 2020-02-01
sources: {here: "this test"}
minors:
  - minor: "1.2"
    released: {date: 2020-01-01, source: here, confidence: high}
    patches:
      - {version: 1.2.0, date: 2020-01-01, source: here, confidence: high}
      - {version: 1.2.3, date: 2020-04-01, source: here, confidence: high}
  - minor: "1.4" # and this one
    note: "no dates are known"
`

func TestExtendReleases(t *testing.T) {
	tests := []struct {
		name  string
		lives []catalog.Life
		want  []string // lines that are new; then disagreements
	}{
		{"nothing new", []catalog.Life{life(t, "1.2", "2020-01-01", "", "", "1.2.3", "2020-04-01")}, nil},
		{"days and the newest patch", []catalog.Life{life(t, "1.2", "", "2020-11-01", "2021-01-01", "1.2.4", "2020-05-01")}, []string{
			"  new: endoflife.date", "    maintenance: {date: 2020-11-01, source: new, confidence: medium}", "    end: {date: 2021-01-01, source: new, confidence: medium}",
			"      - {version: 1.2.4, date: 2020-05-01, source: new, confidence: medium}",
		}},
		{"a patch in between", []catalog.Life{life(t, "1.2", "", "", "", "1.2.2", "2020-03-01")}, []string{"  new: endoflife.date", "      - {version: 1.2.2, date: 2020-03-01, source: new, confidence: medium}"}},
		{"a minor in between", []catalog.Life{life(t, "1.3", "2020-05-01", "", "", "1.3.0", "2020-05-01")}, []string{
			"  new: endoflife.date", `  - minor: "1.3"`, "    released: {date: 2020-05-01, source: new, confidence: medium}", "      - {version: 1.3.0, date: 2020-05-01, source: new, confidence: medium}",
		}},
		{"a minor at the end, and one that had no dates", []catalog.Life{life(t, "1.5", "2021-05-01", "", "", "", ""), life(t, "1.4", "2021-01-01", "", "", "", "")}, []string{
			"  new: endoflife.date", "    released: {date: 2021-01-01, source: new, confidence: medium}", `  - minor: "1.5"`, "    released: {date: 2021-05-01, source: new, confidence: medium}",
		}},
		{"the file is followed", []catalog.Life{life(t, "1.2", "2020-01-02", "", "", "1.2.0", "2019-12-31")}, []string{
			"1.2 released: 2020-01-01, not 2020-01-02", "1.2 v1.2.0: 2020-01-01, not 2019-12-31",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, disagreements, err := catalog.ExtendReleases([]byte(someReleases), "new", "endoflife.date", tt.lives)
			if err != nil {
				t.Fatal(err)
			}
			old := map[string]bool{}
			for line := range strings.Lines(strings.ReplaceAll(someReleases, `sources: {here: "this test"}`, "")) {
				old[line] = true
			}
			var got []string
			for line := range strings.Lines(string(out)) {
				if !old[line] && !strings.HasPrefix(line, "sources:") {
					got = append(got, strings.TrimRight(line, "\n"))
				}
			}
			for _, d := range disagreements {
				got = append(got, fmt.Sprintf("%s %s: %s, not %s", d.Minor, d.Field, d.Ours, d.Theirs))
			}
			// The table of sources is on one line here.
			want := tt.want
			if len(want) > 0 && strings.HasPrefix(want[0], "  new:") {
				want = want[1:]
				if !strings.Contains(string(out), "new: endoflife.date") {
					t.Error("the source is not in the table")
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(string(out), "# A comment that stays.") || !strings.Contains(string(out), "# and this one") {
				t.Error("comments are lost")
			}
		})
	}
	if _, _, err := catalog.ExtendReleases([]byte("minors: 7"), "new", "x", nil); !errs.Is(err, errs.Invalid) {
		t.Errorf("a file of another form: %v", err)
	}
}

// TestExtendBuiltInReleases: what comes out of the real file is read again, with what was added.
func TestExtendBuiltInReleases(t *testing.T) {
	file, err := fs.ReadFile(data.Files, "releases.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out, disagreements, err := catalog.ExtendReleases(file, "endoflife", "endoflife.date", []catalog.Life{
		life(t, "1.38", "2026-12-09", "2027-12-28", "2028-02-28", "1.38.0", "2026-12-09"), life(t, "1.37", "2026-08-12", "", "", "1.37.2", "2026-10-14"),
	})
	if err != nil {
		t.Fatal(err)
	}
	archive := &txtar.Archive{Files: []txtar.File{{Name: "releases.yaml", Data: out}}}
	for _, name := range []string{"support.yaml", "vendors.yaml"} {
		if file, err = fs.ReadFile(data.Files, name); err != nil {
			t.Fatal(err)
		}
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: file})
	}
	fsys, err := txtar.FS(archive)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	v, err := release.Parse("v1.37.2")
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Resolve(v)
	if err != nil || len(m.Patches) != 3 || len(disagreements) != 1 {
		t.Errorf("%v, %d patches, disagreements %v", err, len(m.Patches), disagreements)
	}
	if newest := c.Minors()[len(c.Minors())-1]; newest.End.Date.String() != "2028-02-28" || newest.Note == "" {
		t.Errorf("1.38: %+v", newest)
	}
}
