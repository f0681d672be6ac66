package explain

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"github.com/kubelts/kubelts/internal/visible"

	"github.com/kubelts/kubelts/internal/backport"
)

//go:embed page.html.tmpl page.css
var assets embed.FS

// open is how many rows a region has at most that is unfolded from the start.
const open = 120

// page is what the template sees.
type page struct {
	*Document

	CSS   template.CSS
	Files []pageFile
}

type pageFile struct {
	*File

	Anchor, Previous, Next string
	Regions                []pageRegion
}

type pageRegion struct {
	*Region

	Title   string
	Open    bool
	Columns []Column
}

// WriteHTML prints the document as one page that needs nothing else and runs nothing.
func (d *Document) WriteHTML(w io.Writer) error {
	css, err := assets.ReadFile("page.css")
	if err != nil {
		return fmt.Errorf("read the style sheet: %w", err)
	}
	t, err := template.New("page.html.tmpl").Funcs(functions()).ParseFS(assets, "page.html.tmpl")
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	p := page{Document: d, CSS: template.CSS(css)} //nolint:gosec // our own file
	for i := range d.Files {
		f := pageFile{File: &d.Files[i], Anchor: anchor(i)}
		if i > 0 {
			f.Previous = anchor(i - 1)
		}
		if i+1 < len(d.Files) {
			f.Next = anchor(i + 1)
		}
		for j := range d.Files[i].Regions {
			r := &d.Files[i].Regions[j]
			f.Regions = append(f.Regions, pageRegion{r, heading(r), len(r.Rows) <= open, r.Columns()})
		}
		p.Files = append(p.Files, f)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func anchor(i int) string { return "file-" + strconv.Itoa(i+1) }

// heading says where a region stands.
func heading(r *Region) string {
	if where := at(r, Ours); where != "" {
		return "target" + where
	}
	return "fix" + at(r, Theirs)
}

func functions() template.FuncMap {
	return template.FuncMap{
		"visible": visible.Text,
		"reason":  Reason,
		"rung":    Rung,
		"told":    Told,
		"short":   short,
		"names":   func(paths []string) string { return visible.Text(list(paths)) },
		// class is a cell's; a block that stands in the result is told from an empty line.
		"class": func(c Cell) string {
			switch {
			case c.Mark == Conflict:
				return "conflict"
			case c.Number == 0:
				return "none"
			}
			return string(c.Mark)
		},
		"left": func(cs []backport.Conflict) string {
			switch len(cs) {
			case 0:
				return ""
			case 1:
				return Reason(cs[0])
			}
			return fmt.Sprintf("%s, and %d more", Reason(cs[0]), len(cs)-1)
		},
	}
}

// list joins the first names.
func list(paths []string) string {
	const most = 6
	out := ""
	for i, p := range paths {
		if i == most {
			return out + fmt.Sprintf(" and %d more", len(paths)-most)
		}
		if i > 0 {
			out += ", "
		}
		out += p
	}
	return out
}
