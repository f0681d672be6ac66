package lint

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/kubelts/kubelts/internal/visible"
)

//go:embed page.html.tmpl page.css
var assets embed.FS

// shown is how many findings of one rule, and items of one finding, a Markdown report lists; JSON and HTML list all.
const (
	shownFindings = 12
	shownItems    = 5
)

// markdown keeps a stranger's text from being markup.
func markdown(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `|`, `\|`, `<`, `&lt;`, `>`, `&gt;`, `&`, `&amp;`, `#`, `\#`, `!`, `\!`, `~`, `\~`,
	).Replace(visible.Text(s))
}

// Summary is the report in a sentence.
func (r *Report) Summary() string {
	return fmt.Sprintf("%s, %s and %s in %s", plural(r.Totals.Errors, "error", "errors"), plural(r.Totals.Warnings, "warning", "warnings"), plural(r.Totals.Notes, "note", "notes"),
		plural(len(r.Lines), "line", "lines"))
}

// What names the repository's kind.
func (r *Report) What() string {
	switch r.Kind {
	case KindKLTS:
		return "releases.yml of KLTS"
	case KindEKSD:
		return "patches of EKS Distro"
	case KindQuilt:
		return "quilt series"
	}
	return "project of kubelts"
}

// Markdown writes a report that fits into a README or an issue.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Lint of %s\n\n%s, %s: **%s**.\n", markdown(r.Path), r.What(), r.Date, r.Summary())
	if r.Compared > 0 {
		fmt.Fprintf(&b, "\n%s compared with what they say they carry.\n", plural(r.Compared, "patch was", "patches were"))
	}
	if len(r.Lines) > 0 {
		b.WriteString("\n| line | base | patches | not there | errors | warnings |\n|---|---|---:|---:|---:|---:|\n")
		for _, l := range r.Lines {
			fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d |\n", markdown(l.Name), markdown(l.Base), l.Patches, l.Absent, l.Errors, l.Warnings)
		}
	}
	for _, g := range r.Rules() {
		fmt.Fprintf(&b, "\n## %s (%d, %s)\n\n%s **%s**\n\n", g.Title, len(g.Findings), g.ID, g.Why, g.Do)
		for i, f := range g.Findings {
			if i == shownFindings {
				fmt.Fprintf(&b, "* and %d more\n", len(g.Findings)-i)
				break
			}
			b.WriteString(bullet(f))
		}
	}
	if len(r.NotObserved) > 0 {
		b.WriteString("\n## Not observed\n\n")
		for i, text := range r.NotObserved {
			if i == shownFindings {
				fmt.Fprintf(&b, "* and %d more\n", len(r.NotObserved)-i)
				break
			}
			fmt.Fprintf(&b, "* %s\n", markdown(text))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// bullet is a finding in Markdown.
func bullet(f Finding) string {
	var b strings.Builder
	b.WriteString("* " + markdown(f.Message))
	if len(f.Items) > 0 && !told(f) {
		b.WriteString(": " + markdown(few(f.Items)))
	}
	if where := f.Where(); where != "" && where != f.Subject {
		b.WriteString(" (" + markdown(where) + ")")
	}
	if f.Hint != "" {
		b.WriteString(". " + markdown(f.Hint))
	}
	return b.String() + "\n"
}

// told reports whether the sentence names the items already.
func told(f Finding) bool {
	for _, item := range f.Items {
		if !strings.Contains(f.Message, item) {
			return false
		}
	}
	return true
}

func few(items []string) string {
	if len(items) <= shownItems {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:shownItems], ", ") + fmt.Sprintf(" and %d more", len(items)-shownItems)
}

// folded reports whether what a finding counts is too much to stand in its sentence.
func folded(f Finding) bool { return len(f.Evidence) > 0 || len(f.Items) > 3 && !told(f) }

// evidence is why the i-th item of a finding is one; empty where nothing more is to say.
func evidence(f Finding, i int) string {
	if i >= len(f.Evidence) {
		return ""
	}
	return f.Evidence[i]
}

// page is what the template sees.
type page struct {
	*Report

	CSS    template.CSS
	Groups []Group
}

// HTML writes a page that needs nothing else and runs nothing.
func (r *Report) HTML(w io.Writer) error {
	css, err := assets.ReadFile("page.css")
	if err != nil {
		return fmt.Errorf("read the page's style: %w", err)
	}
	functions := template.FuncMap{"visible": visible.Text, "folded": folded, "evidence": evidence}
	t, err := template.New("page.html.tmpl").Funcs(functions).ParseFS(assets, "page.html.tmpl")
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, page{Report: r, CSS: template.CSS(css), Groups: r.Rules()}); err != nil { //nolint:gosec // our own file
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}
