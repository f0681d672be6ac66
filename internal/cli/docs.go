package cli

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/kubelts/kubelts/internal/errs"
)

// newDocs is for packagers and for our own docs/cli, which "make check" compares with it.
func newDocs(_ *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:    "docs man|markdown",
		Short:  "Write the reference of all commands as man pages or Markdown",
		Hidden: true,
		Example: `  kubelts docs man --dir /usr/share/man/man1
  kubelts docs markdown --dir docs/cli`,
		Args:      needArgs(1, 1, "the format, man or markdown,"),
		ValidArgs: []string{"man", "markdown"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documentation is for everybody
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			root.InitDefaultCompletionCmd()
			switch args[0] {
			case "man":
				return doc.GenManTree(root, &doc.GenManHeader{Title: "KUBELTS", Section: "1", Source: "kubelts", Manual: "kubelts"}, dir)
			case "markdown":
				return doc.GenMarkdownTree(root, filepath.Clean(dir))
			}
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "format %q", args[0]), "use man or markdown"))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "write into `DIR`")
	return cmd
}
