package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/findings"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/upgrade"
)

//go:embed page.css *.html.tmpl
var assets embed.FS

// unfolded is how many vulnerabilities and deadlines are shown without a click.
const unfolded = 15

// page is what the template sees.
type page struct {
	*Fleet

	Title   string
	CSS     template.CSS
	Many    bool
	Summary string
	Picture template.HTML // what is supported until when; "" where nothing is known
	Pages   []clusterPage
}

// clusterPage is one cluster's part of the page.
type clusterPage struct {
	*findings.Report

	Anchor string
	Counts []severityCount
	// Ends are the deadlines; those behind More are folded.
	Ends, More []findings.Deadline
	// Worse are findings to act on; Lesser ones are folded.
	Worse, Lesser []findings.Finding
	Groups        []holeGroup
	Holes         int
}

type severityCount struct {
	Severity findings.Severity
	N        int
}

// WriteHTML prints the fleet as one page that needs nothing else and runs nothing.
func (f *Fleet) WriteHTML(w io.Writer) error {
	clean := f.Clean()
	p := page{Fleet: clean, Many: len(clean.Clusters) != 1 || len(clean.Missed) > 0, Summary: clean.summary(), Title: "Kubernetes clusters"}
	if !p.Many {
		p.Title = name(clean.Clusters[0])
	}
	var states []*catalog.Support
	seen := map[string]bool{}
	for i, r := range clean.Clusters {
		p.Pages = append(p.Pages, newClusterPage(r, "cluster-"+strconv.Itoa(i+1)))
		if s := r.Support; s != nil && !seen[s.Minor] {
			seen[s.Minor] = true
			minor := *s
			minor.Version = s.Minor // the picture is about the minor, and its labels are short
			states = append(states, &minor)
		}
	}
	if len(states) > 0 {
		slices.SortStableFunc(states, func(a, b *catalog.Support) int { return a.Released.Compare(b.Released) })
		var b bytes.Buffer
		if err := SupportPicture(states, release.DateOf(f.At)).SVG(&b); err != nil {
			return err
		}
		p.Picture = template.HTML(b.String()) //nolint:gosec // the room timeline escapes
	}
	return execute(w, "page.html.tmpl", &p.CSS, &p)
}

// execute reads the style sheet into css and writes the page.
func execute(w io.Writer, file string, css *template.CSS, data any) error {
	text, err := assets.ReadFile("page.css")
	if err != nil {
		return fmt.Errorf("read the style sheet: %w", err)
	}
	*css = template.CSS(text) //nolint:gosec // our own file
	t, err := template.New(file).Funcs(functions()).ParseFS(assets, "*.html.tmpl")
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, data); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func newClusterPage(r *findings.Report, anchor string) clusterPage {
	c := clusterPage{Report: r, Anchor: anchor, Ends: r.Deadlines, Groups: groupHoles(r.Holes), Holes: len(r.Holes)}
	if len(c.Ends) > unfolded {
		c.Ends, c.More = r.Deadlines[:unfolded], r.Deadlines[unfolded:]
	}
	for _, f := range r.Findings {
		if f.Accepted == nil && rank(f.Severity) <= rank(findings.Medium) {
			c.Worse = append(c.Worse, f)
		} else {
			c.Lesser = append(c.Lesser, f)
		}
	}
	counted := count(r)
	for _, s := range findings.Severities() {
		if counted.of[s] > 0 {
			c.Counts = append(c.Counts, severityCount{s, counted.of[s]})
		}
	}
	if counted.accepted > 0 {
		c.Counts = append(c.Counts, severityCount{"accepted", counted.accepted})
	}
	return c
}

// tick is a mark of the deadlines' scale.
type tick struct {
	Percent float64
	Text    string
}

func functions() template.FuncMap {
	all := template.FuncMap{
		"name":         name,
		"verdict":      verdictWords,
		"distribution": distribution,
		"left":         left,
		"stamp":        stamp,
		"day":          deadlineAt,
		"when": func(f findings.Finding) string {
			if f.When == nil || strings.Contains(f.Title, f.When.UTC().Format(time.DateOnly)) {
				return ""
			}
			return when(&f)
		},
		"address":  func(l findings.InstanceLine) string { return address(&l) },
		"loopback": func(l findings.InstanceLine) string { return loopbackText(&l) },
		"header": func() []string {
			return []string{"Version", "Verdict", "Support ends", "Loopback ends", "Crit./high/med./low", "Unseen", "Worst finding"}
		},
		"subjects": func(f findings.Finding) string { return subjects(&f, len(f.Subjects)) },
		"row": func(r *findings.Report) []string {
			row := fleetRow(r)
			return []string{row[1], row[2], row[3], row[4], strings.Join(row[5:9], " / "), row[9], row[10]}
		},
		"plural": plural,
		"instances": func(r *findings.Report) string {
			n, more := instances(r)
			if more {
				return "at least " + plural(n, "API server")
			}
			return plural(n, "API server")
		},
		"versions": func(r *findings.Report) string {
			if len(r.Cluster.Versions) == 0 {
				return "version not observed"
			}
			return strings.Join(r.Cluster.Versions, " and ")
		},
		"minute": func(r *findings.Report) string { return r.Cluster.Taken.UTC().Format(minute) },
		"at":     func(f *Fleet) string { return f.At.UTC().Format(minute) },
		// percent is how long a deadline's bar is; one that is over has none.
		"percent": func(days int) float64 { return round(along(days)) },
		"ticks": func() []tick {
			var out []tick
			for _, t := range ticks() {
				out = append(out, tick{round(along(t.Days)), t.Text})
			}
			return out
		},
		"soon": func(days *int) bool { return days != nil && *days < 30 },
		"link": func(u string) bool { return strings.HasPrefix(u, "https://") },
	}
	maps.Copy(all, planFunctions())
	return all
}

func planFunctions() template.FuncMap {
	return template.FuncMap{
		"hopRow": func(i int, h upgrade.Hop) []string { return hopRow(i+1, &h)[1:] },
		"hopHeader": func() []string {
			return []string{"To", "Do it by", "Days", "Supported until", "Blockers", "APIs that go"}
		},
		"stayHeader": func() []string { return []string{"Until", "Days", "Phase", "Note"} },
		"stayRow":    func(s upgrade.Stay) []string { return stayRow(&s)[1:] },
		"stayName":   func(s upgrade.Stay) string { return stayName(&s) },
		"removed":    func(r upgrade.Removed) string { return removedText(&r) },
		"blocked":    func(h upgrade.Hop) bool { n, _ := blockers(h.Blockers); return n > 0 },
		"about":      func(b upgrade.Blocker) string { return blockerSubjects(&b, len(b.Subjects)) },
		"add":        func(a, b int) int { return a + b },
	}
}

// round keeps a share of one as percent with one digit.
func round(share float64) float64 { return float64(int(share*1000+0.5)) / 10 }
