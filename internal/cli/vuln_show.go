package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

func newVulnShow(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "All that is known about one vulnerability",
		Long: `Show one vulnerability by its name or an alias (CVE, GHSA, GO): affected versions, fixes with their commits by branch, where sources
disagree, and where the facts come from. With -o json it is an OSV document.`,
		Example: `  kubelts vuln show CVE-2022-3172
  kubelts vuln show GHSA-f5f7-6478-qm6p -o json`,
		Args: needArgs(1, 1, "the name of the vulnerability"),
		RunE: func(_ *cobra.Command, args []string) error {
			facts, err := a.facts()
			if err != nil {
				return err
			}
			r, err := facts.Vulnerability(args[0])
			if err != nil {
				return err
			}
			switch format {
			case "json":
				return a.printJSON(r)
			case "yaml":
				return a.printYAML(r)
			}
			_, err = io.WriteString(a.Stdout, clean(describe(r)))
			return err
		},
	}
	addOutput(cmd, &format, []string{"table", "json", "yaml"})
	return cmd
}

// sheet collects named lines for people.
type sheet struct{ strings.Builder }

const sheetLabel = 18

// add writes a named entry, its values one below the other; nothing when there are none.
func (s *sheet) add(name string, values ...string) {
	for _, v := range values {
		if v == "" {
			continue
		}
		fmt.Fprintf(s, "%-*s%s\n", sheetLabel, name, v)
		name = ""
	}
}

func describe(r *vuln.Record) string {
	var s sheet
	k := r.Kubelts
	s.add(r.ID, r.Summary)
	s.add("aliases", strings.Join(r.Aliases, ", "))
	s.add("details", r.Details)
	if score, ok := r.Score(); ok {
		s.add("severity", strconv.FormatFloat(score, 'f', 1, 64)+" "+vuln.Rating(score)+"   "+r.Severity[0].Score)
	} else {
		s.add("severity", unrated)
	}
	if !r.Published.IsZero() {
		s.add("published", release.DateOf(r.Published).String())
	}
	s.add("class", k.Class)
	s.add("project", k.Project)
	s.add("components", strings.Join(k.Components, ", "))
	s.add("system", k.OS)
	s.add("affected", affectedText(r)...)
	if k.Unfixed {
		s.add("fix", "none: no release cures it")
	}
	s.add("can be met from", k.PracticalLowerBound)
	s.add("seen fixed in", byBranch(k.VerifiedFixed, func(v string) string { return v }))
	s.add("pull requests", byBranch(k.PullRequests, numbers))
	s.add("related", numbers(k.RelatedPullRequests))
	s.add("vendors' fixes", byBranch(k.VendorBackports, func(v []string) string { return strings.Join(v, ", ") }))
	for _, f := range k.Fixes {
		s.add("fix", fixLines(f)...)
	}
	s.add("disagreement", k.Conflicts...)
	s.add("confidence", k.Confidence)
	s.add("sources", k.Sources...)
	var links []string
	for _, ref := range r.References {
		links = append(links, ref.URL)
	}
	s.add("references", links...)
	return s.String()
}

func numbers(n []int) string {
	var parts []string
	for _, i := range n {
		parts = append(parts, "#"+strconv.Itoa(i))
	}
	return strings.Join(parts, ", ")
}

// byBranch writes a map in the order of its keys, release branches and minors by number.
func byBranch[V any](m map[string]V, text func(V) string) string {
	var parts []string
	for _, key := range branchOrder(m) {
		parts = append(parts, key+": "+text(m[key]))
	}
	return strings.Join(parts, "; ")
}

func branchOrder[V any](m map[string]V) []string {
	number := func(key string) release.Minor {
		minor, _ := release.ParseMinor(strings.TrimPrefix(key, "release-"))
		return minor
	}
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(release.CompareMinors(number(a), number(b)), strings.Compare(a, b))
	})
}

// affectedText is one line a package and range.
func affectedText(r *vuln.Record) []string {
	var lines []string
	for _, a := range r.Affected {
		for _, rg := range a.Ranges {
			var parts []string
			for _, e := range rg.Events {
				parts = append(parts, eventText(e))
			}
			lines = append(lines, cmp.Or(a.Package.Name, rg.Repo)+": "+strings.Join(parts, " "))
		}
		if len(a.Versions) > 0 {
			lines = append(lines, a.Package.Name+": "+strings.Join(a.Versions, ", "))
		}
	}
	if len(lines) == 0 {
		return []string{"no source gives versions"}
	}
	return lines
}

func eventText(e vuln.Event) string {
	switch {
	case e.Introduced == "0":
		return "from the start"
	case e.Introduced != "":
		return "from " + e.Introduced
	case e.Fixed != "":
		return "before " + e.Fixed
	case e.LastAffected != "":
		return "to " + e.LastAffected + " (no fix there)"
	}
	return "up to the limit " + e.Limit
}

// shortCommit is how much of a commit's name people need.
const shortCommit = 12

func fixLines(f vuln.Fix) []string {
	head := fmt.Sprintf("%s (%s) %s", cmp.Or(f.Repository, "upstream"), f.Kind, f.Subject)
	if f.PullRequest > 0 {
		head += fmt.Sprintf(" #%d", f.PullRequest)
	}
	lines := []string{head}
	for _, branch := range branchOrder(f.Commits) {
		var short []string
		for _, c := range f.Commits[branch] {
			short = append(short, c[:min(len(c), shortCommit)])
		}
		name := branch
		if slices.Equal(f.Commits[branch], []string{branch}) {
			name = "branch not known"
		}
		line := fmt.Sprintf("  %-14s %s", name, strings.Join(short, " "))
		if pr := f.PullRequests[branch]; pr > 0 {
			line += fmt.Sprintf(" #%d", pr)
		}
		lines = append(lines, line)
	}
	return append(lines, fmt.Sprintf("  %s; confidence %s", f.Source, f.Confidence))
}
