package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"golang.org/x/term"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/visible"
)

// The formats that most commands can print.
var tableFormats = []string{"table", "wide", "json", "yaml", "csv", "markdown"} //nolint:gochecknoglobals // a constant list

// addOutput gives a command the flag -o, with completion; its value is checked by checkOutput.
func addOutput(cmd *cobra.Command, format *string, formats []string) {
	cmd.Flags().StringVarP(format, "output", "o", formats[0], "`FORMAT`: "+strings.Join(formats, "|"))
	err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was defined a line above
	}
	next := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(formats, *format) {
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "output format %q is not known", *format), "use one of %s", strings.Join(formats, ", ")))
		}
		if next != nil {
			return next(cmd, args)
		}
		return nil
	}
}

// grid is a table to print. Columns from narrow on are left out of the plain table and shown with -o wide; 0 shows all.
type grid struct {
	header []string
	rows   [][]string
	narrow int
	fold   bool // on a terminal, break the last column that is shown into lines
}

// print writes data as JSON or YAML, or the grid as text, CSV or Markdown.
func (a *app) print(format string, data any, g grid) error {
	switch format {
	case "json":
		return a.printJSON(data)
	case "yaml":
		return a.printYAML(data)
	}
	columns := len(g.header)
	if format == "table" && g.narrow > 0 {
		columns = g.narrow
	}
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	const least = 24 // columns: narrower text is worse to read than lines that the terminal breaks
	if width := a.foldWidth(); width > 0 && g.fold && format == "table" && g.room(columns, width) >= least {
		t.SetColumnConfigs([]table.ColumnConfig{{Number: columns, WidthMax: g.room(columns, width), WidthMaxEnforcer: text.WrapSoft}})
	}
	t.AppendHeader(cells(g.header[:columns]))
	for _, row := range g.rows {
		t.AppendRow(cells(row[:columns]))
	}
	var out string
	switch format {
	case "csv":
		out = t.RenderCSV()
	case "markdown":
		out = t.RenderMarkdown()
	default:
		out = trimLines(t.Render())
	}
	_, err := io.WriteString(a.Stdout, out+"\n")
	return err
}

// room is how wide the last of the columns may be for the table to fit into a width; less than nothing where it does not fit at all.
func (g grid) room(columns, width int) int {
	const gap = 3
	for c := range columns - 1 {
		widest := text.StringWidthWithoutEscSequences(g.header[c])
		for _, row := range g.rows {
			widest = max(widest, text.StringWidthWithoutEscSequences(clean(row[c])))
		}
		width -= widest + gap
	}
	return width
}

func (a *app) printJSON(data any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(data); err != nil {
		return err
	}
	_, err := a.Stdout.Write(visible.JSON(b.Bytes()))
	return err
}

// printYAML writes what printJSON would, as YAML with the same names in the same order: JSON is YAML, so it is read as such.
func (a *app) printYAML(data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err = yaml.Unmarshal(b, &node); err != nil {
		return err
	}
	blockStyle(&node)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err = enc.Encode(&node); err != nil {
		return err
	}
	if err = enc.Close(); err != nil {
		return err
	}
	_, err = a.Stdout.Write(visible.YAML(out.Bytes()))
	return err
}

func blockStyle(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && visible.Suspicious(n.Value) {
		n.Style = yaml.DoubleQuotedStyle // in which escapes mean something
	}
	for _, c := range n.Content {
		blockStyle(c)
	}
}

// plainStyle is kubectl's: columns by spaces, no lines, so that it can be piped.
func plainStyle() table.Style {
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "   "
	style.Format.Header = text.FormatUpper
	return style
}

func cells(values []string) table.Row {
	row := make(table.Row, len(values))
	for i, v := range values {
		row[i] = clean(v)
	}
	return row
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// terminal returns the file behind w when it is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// colour reports whether colours may be written to standard output: a terminal, and NO_COLOR is not set (https://no-color.org).
func (a *app) colour() bool {
	_, ok := terminal(a.Stdout)
	return ok && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

// width is the width of the terminal behind standard output, of COLUMNS, or 100.
func (a *app) width() int {
	if f, ok := terminal(a.Stdout); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	if w := parseInt(a.Getenv("COLUMNS")); w >= 40 {
		return w
	}
	return 100
}

// foldWidth is the width at which text for people is broken: that of the terminal; 0 where nothing is to be broken, since a program may read it.
func (a *app) foldWidth() int {
	if _, ok := terminal(a.Stdout); !ok {
		return 0
	}
	return a.width()
}

func parseInt(s string) int {
	n := 0
	for _, r := range s {
		if r < '0' || r > '9' || n > 100_000 {
			return 0
		}
		n = 10*n + int(r-'0')
	}
	return n
}
