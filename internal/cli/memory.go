package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/memory"
	"github.com/kubelts/kubelts/internal/upkeep"
)

// memoryFlag is where recorded resolutions are: --memory, or the project's directory when the command runs in a project.
type memoryFlag struct {
	dir string
	cmd *cobra.Command
}

func (m *memoryFlag) add(cmd *cobra.Command) {
	m.cmd = cmd
	cmd.Flags().StringVar(&m.dir, "memory", "", "recorded resolutions are in `DIR` (default: memory, when run in a project; empty: none)")
}

// memoryDir is an opened directory of records.
type memoryDir struct {
	*projectFiles

	below string // where in the files the records are
	shown string // how people know it
}

// open opens the directory; nil if there is none to use. With make, one that is named is made when it is not there.
func (m *memoryFlag) open(make bool) (*memoryDir, error) { //nolint:revive // it is written to or it is not
	switch {
	case m.cmd.Flags().Changed("memory") && m.dir == "":
		return nil, nil //nolint:nilnil // none is wanted
	case m.dir != "":
		if make {
			if err := os.MkdirAll(m.dir, 0o755); err != nil { //nolint:gosec // it is for people to read
				return nil, errs.New(errs.Unavailable, "make memory %q: %w", m.dir, unwrapPath(err))
			}
		}
		files, err := openFiles(m.dir)
		if err != nil {
			return nil, errs.WithHint(errs.New(errs.NotFound, "memory %q: there is no such directory", m.dir), "name the directory of a project that has resolutions")
		}
		files.temp = ".tmp"
		return &memoryDir{files, ".", m.dir}, nil
	}
	if info, _ := os.Lstat(upkeep.ProjectFile); info == nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilnil // this is no project
	}
	files, err := openFiles(".")
	if err != nil {
		return nil, err
	}
	files.temp = upkeep.MemoryDir + "/.tmp"
	return &memoryDir{files, upkeep.MemoryDir, upkeep.MemoryDir}, nil
}

// library reads the records.
func (m *memoryFlag) library() (*memory.Library, error) {
	dir, err := m.open(false)
	if err != nil || dir == nil {
		return nil, err
	}
	known, err := dir.library()
	return known, errors.Join(err, dir.Close())
}

func (d *memoryDir) library() (*memory.Library, error) {
	known, err := upkeep.ReadMemory(d.projectFiles, d.below)
	if err != nil && d.below == "." {
		err = fmt.Errorf("memory %s: %w", d.shown, err)
	}
	return known, err
}

// record writes a record unless it is there, and says how people find it.
func (d *memoryDir) record(r *memory.Record) (string, error) {
	name := path.Join(d.below, r.FileName())
	if _, err := d.Read(name, memory.MaxRecord); errors.Is(err, fs.ErrNotExist) {
		if err := d.Write(name, r.Format()); err != nil {
			return "", err
		}
	}
	return path.Join(d.shown, r.FileName()), d.Remove(d.temp)
}

// memories is the command's flags.
type memories struct {
	*app

	at     memoryFlag
	format string
}

func newMemory(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "memory",
		Short: "Look at recorded resolutions of conflicts, or forget them",
		Long: `Look at the resolutions of conflicts that people made, or forget them.

"kubelts line resolve" and "kubelts pick --continue" record them, "kubelts line update" and "kubelts pick" use them. Each is a text file, named by
a digest of what it says.`,
		RunE: parent,
	}
	cmd.AddCommand(newMemoryList(a), newMemoryShow(a), newMemoryForget(a))
	return cmd
}

func newMemoryList(a *app) *cobra.Command {
	m := &memories{app: a}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List recorded resolutions",
		Example: `  kubelts memory list
  kubelts memory list --memory ~/k8s-lines/memory -o wide`,
		Args: needArgs(0, 0, ""),
		RunE: func(*cobra.Command, []string) error { return m.list() },
	}
	m.at.add(cmd)
	addOutput(cmd, &m.format, tableFormats)
	return cmd
}

func newMemoryShow(a *app) *cobra.Command {
	m := &memories{app: a}
	cmd := &cobra.Command{
		Use:     "show NAME...",
		Short:   "Print recorded resolutions",
		Example: `  kubelts memory show 29e7ea6a`,
		Args:    needArgs(1, -1, "the name of a resolution"),
		RunE: func(_ *cobra.Command, args []string) error {
			return m.each(args, func(_ *memoryDir, r *memory.Record) error {
				_, err := m.Stdout.Write(r.Format()) // nothing in it can be hidden from a terminal
				return err
			})
		},
	}
	m.at.add(cmd)
	return cmd
}

func newMemoryForget(a *app) *cobra.Command {
	m := &memories{app: a}
	cmd := &cobra.Command{
		Use:     "forget NAME...",
		Short:   "Remove recorded resolutions",
		Example: `  kubelts memory forget 29e7ea6a`,
		Args:    needArgs(1, -1, "the name of a resolution"),
		RunE: func(_ *cobra.Command, args []string) error {
			return m.each(args, func(dir *memoryDir, r *memory.Record) error {
				if err := dir.Remove(path.Join(dir.below, r.FileName())); err != nil {
					return err
				}
				_, err := fmt.Fprintf(m.Stdout, "forgot %s, which %s made for %s\n", r.Name(), clean(r.Author), clean(r.Path))
				return err
			})
		},
	}
	m.at.add(cmd)
	return cmd
}

// opened opens the directory for a command that needs one.
func (m *memories) opened() (*memoryDir, *memory.Library, error) {
	dir, err := m.at.open(false)
	if err != nil {
		return nil, nil, err
	}
	if dir == nil {
		return nil, nil, errs.WithHint(errs.New(errs.NotFound, "this is no project of release lines, and no memory is named"), "name its directory with --memory")
	}
	known, err := dir.library()
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	return dir, known, nil
}

func (m *memories) each(names []string, do func(*memoryDir, *memory.Record) error) (err error) {
	dir, known, err := m.opened()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	wanted := make([]*memory.Record, len(names))
	for i, name := range names {
		if wanted[i], err = findResolution(known, name); err != nil {
			return err
		}
	}
	for _, r := range wanted {
		if err = do(dir, r); err != nil {
			return err
		}
	}
	return nil
}

// findResolution finds a record by its name, the start of it, or its file.
func findResolution(known *memory.Library, name string) (*memory.Record, error) {
	const least = 4
	wanted := strings.TrimSuffix(path.Base(name), memory.Suffix)
	var found []*memory.Record
	for _, r := range known.Records() {
		if r.Name() == wanted {
			return r, nil
		}
		if len(wanted) >= least && strings.HasPrefix(r.Name(), wanted) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return nil, errs.WithHint(errs.New(errs.NotFound, "no resolution %q is recorded", name), "see them with: kubelts memory list")
	case 1:
		return found[0], nil
	}
	return nil, errs.New(errs.Invalid, "resolution %q: %d have names that begin so", name, len(found))
}

// recorded is a resolution in a list.
type recorded struct {
	Name    string   `json:"name"`
	Path    string   `json:"path"`
	Places  int      `json:"places"`
	Commit  string   `json:"commit"`
	Subject string   `json:"subject"`
	Target  string   `json:"target"`
	Author  string   `json:"author"`
	Date    string   `json:"date"`
	Reason  string   `json:"reason,omitempty"`
	Also    []string `json:"also,omitempty"`
}

func (m *memories) list() (err error) {
	dir, known, err := m.opened()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	out := []recorded{}
	g := grid{header: []string{"name", "path", "places", "commit", "by", "date", "subject", "reason"}, narrow: 6}
	for _, r := range known.Records() {
		out = append(out, recorded{
			Name: r.Name(), Path: r.Path, Places: len(r.Places), Commit: r.Commit.String(), Subject: r.Subject, Target: r.Target.String(),
			Author: r.Author, Date: r.Date, Reason: r.Reason, Also: r.Also,
		})
		g.rows = append(g.rows, []string{r.Name(), r.Path, strconv.Itoa(len(r.Places)), r.Commit.Short(), r.Author, r.Date, r.Subject, r.Reason})
	}
	return m.print(m.format, out, g)
}
