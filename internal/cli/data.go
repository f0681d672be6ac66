package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/data"
	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/feed"
	"github.com/kubelts/kubelts/internal/provenance"
)

func newData(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "The facts: where they are from, how old they are, and newer ones",
		Long: `The facts that kubelts judges by are built in. "data update" joins them with what others publish, in a folder of your own, which all commands
then read: $XDG_DATA_HOME/kubelts (~/.local/share/kubelts), or the one that --data names. "--data built-in" reads what is built in.

Git evidence goes before the reviewed facts, these before the project's announcements, and these before other feeds. What disagrees is kept, and shown by
"data conflicts".`,
		Example: `  kubelts data update
  kubelts data status --max-age 7d
  kubelts data export facts.kubelts --key release.key`,
		RunE: parent,
	}
	cmd.AddCommand(newDataUpdate(a), newDataStatus(a), newDataConflicts(a), newDataExport(a), newDataImport(a), newDataKeygen(a))
	return cmd
}

// openData reads a folder of facts whole; nil where there is none.
func openData(folder string) (*datadir.Snapshot, error) {
	s, err := datadir.OpenAll(folder)
	if errs.Is(err, errs.NotFound) {
		return nil, nil //nolint:nilnil // no facts yet is no fault
	}
	return s, err
}

// generation is the one that holds, "" for none.
func generation(s *datadir.Snapshot) string {
	if s == nil {
		return ""
	}
	return s.Pointer.Generation
}

// knownNames are the names of vulnerabilities, in capitals, that sources are asked about whatever package they name.
func knownNames(items provenance.Items) (map[string]bool, error) {
	facts, err := catalog.Load(data.Files)
	if err != nil {
		return nil, err
	}
	records, err := facts.Vulnerabilities()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, r := range records {
		for _, n := range r.Names() {
			known[strings.ToUpper(n)] = true
		}
	}
	learn(known, items)
	return known, nil
}

func learn(known map[string]bool, items provenance.Items) {
	for _, c := range items.Candidates {
		if c.Origin.Rank == provenance.Other {
			continue // what anybody may name does not make us ask others about it
		}
		for _, n := range c.Record.Names() {
			known[strings.ToUpper(n)] = true
		}
	}
}

// assemble joins the built-in facts with what sources say, as the contents of a folder.
func (a *app) assemble(now time.Time, states []provenance.State, files map[string][]byte) (datadir.Contents, *provenance.Facts, error) {
	c := datadir.Contents{Files: map[string][]byte{}}
	var items provenance.Items
	for _, s := range states {
		content, ok := files[provenance.SourceFile(s.Name)]
		if !ok {
			continue
		}
		said, err := provenance.ParseItems(s.Name, content)
		if err != nil {
			return c, nil, err
		}
		items.Add(said)
		c.Files[provenance.SourceFile(s.Name)] = content
	}
	joined, err := provenance.Assemble(data.Files, items)
	if err != nil {
		return c, nil, err
	}
	for name, content := range joined.Files {
		c.Files["facts/"+name] = content
	}
	for name, list := range map[string]any{"conflicts.json": slices.Concat([]provenance.Conflict{}, joined.Conflicts, joined.Malformed), "leads.json": append([]provenance.Lead{}, joined.Leads...)} {
		if c.Files[name], err = jsonLines(list); err != nil {
			return c, nil, err
		}
	}
	m := &c.Manifest
	m.Created, m.Program, m.Reviewed, m.Sources = now, version(), joined.Reviewed, states
	m.Records, m.New, m.Conflicts, m.Leads = len(joined.Records), len(joined.New), len(joined.Conflicts), len(joined.Leads)
	m.Malformed = len(joined.Malformed)
	for i := range m.Sources {
		m.Sources[i].Malformed = 0
		for _, fault := range joined.Malformed {
			if fault.Other.Source == m.Sources[i].Name {
				m.Sources[i].Malformed++
			}
		}
	}
	for _, conflict := range joined.Conflicts {
		if conflict.Newer {
			m.Newer++
		}
	}
	if m.Base, err = provenance.Digest(data.Files); err != nil {
		return c, nil, err
	}
	slices.SortFunc(m.Sources, func(a, b provenance.State) int { return cmp.Compare(sourceOrder(a.Name), sourceOrder(b.Name)) })
	c.Seal()
	return c, joined, nil
}

func sourceOrder(name string) int {
	return slices.IndexFunc(feed.Sources(), func(s feed.Source) bool { return s.Name == name })
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// duration is a flag's value such as 36h, 7d or 2w.
func duration(text string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			if n, err := strconv.ParseUint(number, 10, 16); err == nil {
				return time.Duration(n) * unit, nil
			}
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, errs.WithHint(errs.New(errs.Invalid, "duration %q is not well formed", text), "write it as 36h, 7d or 2w")
	}
	return d, nil
}

// age says how old something is, in the largest unit that is not none.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "of the future"
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	case d >= time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Minute)) + "m"
}
