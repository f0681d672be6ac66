package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	ical "github.com/emersion/go-ical"
	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// formats are all renderings of a fleet.
func formats() map[string]func(*report.Fleet, io.Writer) error {
	return map[string]func(*report.Fleet, io.Writer) error{
		"sarif":      (*report.Fleet).WriteSARIF,
		"junit":      func(f *report.Fleet, w io.Writer) error { return f.WriteJUnit(w, findings.High) },
		"prometheus": (*report.Fleet).WriteMetrics,
		"ics":        (*report.Fleet).WriteCalendar,
		"csv":        (*report.Fleet).WriteCSV,
		"markdown":   (*report.Fleet).WriteMarkdown,
		"html":       (*report.Fleet).WriteHTML,
		"table": func(f *report.Fleet, w io.Writer) error {
			err := f.WriteText(w, report.Style{Width: 80})
			for _, r := range f.Clusters {
				err = errors.Join(err, report.WriteText(w, r, report.Style{Width: 80, All: true}))
			}
			return err
		},
		"colour": func(f *report.Fleet, w io.Writer) error {
			err := f.WriteText(w, report.Style{Width: 200, Colour: true})
			for _, r := range f.Clusters {
				err = errors.Join(err, report.WriteText(w, r, report.Style{Width: 200, Colour: true}))
			}
			return err
		},
	}
}

func render(t *testing.T, f *report.Fleet, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := formats()[format](f, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for format := range formats() {
		t.Run(format, func(t *testing.T) {
			got := render(t, fleet(), format)
			file := filepath.Join("testdata", "fleet."+format)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
			if again := render(t, fleet(), format); !bytes.Equal(again, got) {
				t.Error("the same fleet gives other bytes the second time")
			}
		})
	}
}

func TestSARIFIsValid(t *testing.T) {
	for name, f := range map[string]*report.Fleet{"sample": fleet(), "hostile": hostile(t), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			out := render(t, f, "sarif")
			dec := json.NewDecoder(bytes.NewReader(out))
			dec.DisallowUnknownFields()
			if err := dec.Decode(new(sarif.Report)); err != nil {
				t.Errorf("a field that SARIF does not have: %v", err)
			}
			parsed, err := sarif.FromBytes(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, run := range parsed.Runs { // the library writes these empty where they are absent, which the schema forbids
				run.Language, run.Tool.Driver.Language, run.NewlineSequences = "en-US", "en-US", []string{"\n"}
			}
			if err := parsed.Validate(); err != nil {
				t.Error(err)
			}
			if len(parsed.Runs) != len(f.Clusters)+len(f.Missed) {
				t.Errorf("%d runs for %d clusters", len(parsed.Runs), len(f.Clusters)+len(f.Missed))
			}
		})
	}
}

func TestMetricsAreReadAndLinted(t *testing.T) {
	for name, f := range map[string]*report.Fleet{"sample": fleet(), "hostile": hostile(t)} {
		t.Run(name, func(t *testing.T) {
			out := render(t, f, "prometheus")
			parser := expfmt.NewTextParser(model.UTF8Validation)
			families, err := parser.TextToMetricFamilies(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if len(families) < 5 {
				t.Errorf("only %d families", len(families))
			}
			problems, err := promlint.New(bytes.NewReader(out)).Lint()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
			if name != "sample" {
				return
			}
			ends := map[string]float64{}
			for _, m := range families["kubelts_certificate_not_after_timestamp_seconds"].GetMetric() {
				ends[m.GetLabel()[2].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetGauge().GetValue()
			}
			if got, want := ends["apiserver-loopback cp-1"], float64(at("2026-12-04 10:12").Unix()); got != want {
				t.Errorf("the first certificate ends at %v, want %v: %v", got, want, ends)
			}
		})
	}
}

func TestCalendarIsRead(t *testing.T) {
	for name, f := range map[string]*report.Fleet{"sample": fleet(), "hostile": hostile(t)} {
		t.Run(name, func(t *testing.T) {
			out := render(t, f, "ics")
			for l := range strings.SplitSeq(strings.TrimSuffix(string(out), "\r\n"), "\r\n") {
				if len(l) > 75 || strings.ContainsAny(l, "\r\n") {
					t.Errorf("line of %d bytes: %q", len(l), l)
				}
			}
			cal, err := ical.NewDecoder(bytes.NewReader(out)).Decode()
			if err != nil {
				t.Fatal(err)
			}
			n, ids := 0, map[string]bool{}
			for _, e := range cal.Events() {
				n++
				id, err := e.Props.Text(ical.PropUID)
				if err != nil || ids[id] {
					t.Errorf("event %d: UID %q is there twice, or none: %v", n, id, err)
				}
				ids[id] = true
				if start, err := e.DateTimeStart(time.UTC); err != nil || start.IsZero() {
					t.Errorf("event %d: start: %v", n, err)
				}
				if len(e.Children) != 2 || e.Children[0].Name != ical.CompAlarm {
					t.Errorf("event %d has no two alarms", n)
				}
			}
			want := 0
			for _, r := range f.Clusters {
				want += len(r.Deadlines)
			}
			if n != want {
				t.Errorf("%d events for %d deadlines", n, want)
			}
		})
	}
}

// TestCalendarMovesEvents: a certificate that was renewed is the same event on another day.
func TestCalendarMovesEvents(t *testing.T) {
	uids := func(f *report.Fleet) []string {
		var ids []string
		for l := range strings.SplitSeq(string(render(t, f, "ics")), "\r\n") {
			if id, ok := strings.CutPrefix(l, "UID:"); ok {
				ids = append(ids, id)
			}
		}
		return ids
	}
	before, after := fleet(), fleet()
	after.At = after.At.AddDate(0, 1, 0)
	for _, r := range after.Clusters {
		for i := range r.Deadlines {
			r.Deadlines[i].When = r.Deadlines[i].When.AddDate(1, 0, 0)
		}
	}
	if diff := cmp.Diff(uids(before), uids(after)); diff != "" {
		t.Errorf("UIDs changed (-before +after):\n%s", diff)
	}
}

func TestJUnitCounts(t *testing.T) {
	for _, tt := range []struct {
		name                      string
		threshold                 findings.Severity
		failures, errors, skipped int
	}{
		{"high", findings.High, 2, 2, 2},
		{"low", findings.Low, 3, 2, 2},
		{"none", "", 0, 2, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := fleet().WriteJUnit(&b, tt.threshold); err != nil {
				t.Fatal(err)
			}
			type counted struct {
				Failures int `xml:"failures,attr"`
				Errors   int `xml:"errors,attr"`
				Skipped  int `xml:"skipped,attr"`
				Tests    int `xml:"tests,attr"`
				Cases    []struct {
					Failure *struct{} `xml:"failure"`
					Error   *struct{} `xml:"error"`
					Skipped *struct{} `xml:"skipped"`
				} `xml:"testsuite>testcase"`
			}
			var got counted
			if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			var n counted
			for _, c := range got.Cases {
				switch {
				case c.Failure != nil:
					n.Failures++
				case c.Error != nil:
					n.Errors++
				case c.Skipped != nil:
					n.Skipped++
				}
			}
			n.Tests = len(got.Cases)
			if got.Failures != tt.failures || got.Errors != tt.errors || got.Skipped != tt.skipped {
				t.Errorf("%d failures, %d errors, %d skipped", got.Failures, got.Errors, got.Skipped)
			}
			if n.Failures != got.Failures || n.Errors != got.Errors || n.Skipped != got.Skipped || n.Tests != got.Tests {
				t.Errorf("the attributes say %+v, the cases are %+v", got, n)
			}
		})
	}
}

func TestCSVRunsNothing(t *testing.T) {
	f := fleet()
	for i, title := range []string{"=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-2+3"} {
		f.Clusters[0].Findings[i].Title = title
	}
	rows, err := csv.NewReader(bytes.NewReader(render(t, f, "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:5] {
		if !strings.HasPrefix(row[5], "'") {
			t.Errorf("cell %q", row[5])
		}
	}
	if got := rows[2][7]; got != "-1213" {
		t.Errorf("a number became %q", got)
	}
}

const nasty = "x\x1b[2J\u202e</script><img src=x onerror=alert(1)>\u009b31m\n| `y` [a](javascript:b) ]]>\xff,;\\ 節點"

// hostile is the sample with the same hostile text in every string.
func hostile(t *testing.T) *report.Fleet {
	t.Helper()
	f := fleet()
	set(reflect.ValueOf(f).Elem(), nasty)
	if f.Clusters[0].Findings[0].Remedy[0].Command != nasty {
		t.Fatal("the text did not reach everything")
	}
	for i, r := range f.Clusters {
		r.Cluster.UID += strings.Repeat("+", i)
	}
	return f
}

// set puts text into every string below v.
func set(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() {
			set(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			set(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				set(v.Field(i), text)
			}
		}
	default: // nothing that a stranger writes
	}
}

func TestHostileTextDoesNothing(t *testing.T) {
	for format := range formats() {
		t.Run(format, func(t *testing.T) {
			out := string(render(t, hostile(t), format))
			if format == "colour" { // our own colours aside
				for _, own := range []string{"0", "1", "2", "31", "32", "33", "36", "1;31"} {
					out = strings.ReplaceAll(out, "\x1b["+own+"m", "")
				}
			}
			if i := strings.IndexFunc(out, func(r rune) bool {
				return r != '\n' && r != '\r' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar)
			}); i >= 0 {
				t.Errorf("a character that does something at %d: %q", i, out[max(0, i-30):min(len(out), i+30)])
			}
			if format == "markdown" { // in fences nothing means anything
				out = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(out, "")
			}
			if (format == "html" || format == "markdown") && strings.Contains(strings.ReplaceAll(out, "\\<", ""), "<img") {
				t.Error("HTML of a stranger stands in it")
			}
		})
	}
}

// TestClustersOfOneName: contexts of kubeadm all have one name, and still no cluster hides another.
func TestClustersOfOneName(t *testing.T) {
	f := fleet()
	f.Clusters = append(f.Clusters, sample(), sample())
	for _, r := range f.Clusters {
		r.Cluster.Context = "kubernetes-admin@kubernetes"
	}
	f.Clusters[2].Cluster.UID = "another"
	var got []string
	for _, r := range f.Clean().Clusters {
		got = append(got, r.Cluster.Context)
	}
	want := []string{
		"kubernetes-admin@kubernetes at https://10.0.0.10:6443 5f0c7e0a-0a51-4b0a-9d53-26f1c4f6a1b1 #1",
		"kubernetes-admin@kubernetes at https://10.1.0.10:6443",
		"kubernetes-admin@kubernetes at https://10.0.0.10:6443 another",
		"kubernetes-admin@kubernetes at https://10.0.0.10:6443 5f0c7e0a-0a51-4b0a-9d53-26f1c4f6a1b1 #2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if n := strings.Count(string(render(t, f, "prometheus")), "kubelts_cluster_score{"); n != 4 {
		t.Errorf("metrics of %d clusters", n)
	}
}

// TestNoForgedLines: what a stranger wrote never stands at the start of a line, where it would look like a part of the report.
func TestNoForgedLines(t *testing.T) {
	const forged = "x\nFORGED\r\nFORGED"
	f := fleet()
	set(reflect.ValueOf(f).Elem(), forged)
	for format, out := range map[string][]byte{"table": render(t, f, "table"), "markdown": render(t, f, "markdown"), "ics": render(t, f, "ics")} {
		if regexp.MustCompile(`(?m)^FORGED`).Match(out) {
			t.Errorf("%s:\n%s", format, out)
		}
	}
	l := plan()
	set(reflect.ValueOf(l).Elem(), forged)
	var b bytes.Buffer
	if err := report.WritePlan(&b, l, report.Style{Width: 80, All: true}); err != nil {
		t.Fatal(err)
	}
	if err := report.WritePlanMarkdown(&b, l); err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)^FORGED`).Match(b.Bytes()) {
		t.Errorf("plan:\n%s", b.Bytes())
	}
}

func TestAct(t *testing.T) {
	quiet := func() *report.Fleet {
		f := fleet()
		f.Missed, f.Clusters = nil, f.Clusters[:1]
		f.Clusters[0].NotObserved = f.Clusters[0].NotObserved[1:]
		return f
	}
	for _, tt := range []struct {
		name      string
		threshold findings.Severity
		change    func(*report.Fleet)
		want      bool
	}{
		{"a critical finding", findings.High, func(*report.Fleet) {}, true},
		{"nothing counts", "", func(*report.Fleet) {}, false},
		{"only medium ones", findings.High, func(f *report.Fleet) { f.Clusters[0].Findings = f.Clusters[0].Findings[2:] }, false},
		{"at the threshold", findings.Medium, func(f *report.Fleet) { f.Clusters[0].Findings = f.Clusters[0].Findings[2:] }, true},
		{"an accepted one", findings.Low, func(f *report.Fleet) { f.Clusters[0].Findings = f.Clusters[0].Findings[3:] }, false},
		{"a severity that nobody knows", findings.Critical, func(f *report.Fleet) {
			f.Clusters[0].Findings = []findings.Finding{{Severity: "odd"}}
		}, true},
		{"asked for and not observed", "", func(f *report.Fleet) { f.Clusters[0].NotObserved[0].Asked = true }, true},
		{"no version was seen", "", func(f *report.Fleet) { f.Clusters[0].Cluster.Version = "" }, true},
		{"a cluster that was missed", "", func(f *report.Fleet) { f.Missed = []report.Missed{{Context: "x"}} }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := quiet()
			tt.change(f)
			if got := f.Act(tt.threshold); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
