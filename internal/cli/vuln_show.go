package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
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
			_, err = io.WriteString(a.Stdout, clean(describe(r, a.foldWidth())))
			return err
		},
	}
	addOutput(cmd, &format, []string{"table", "json", "yaml"})
	return cmd
}

// sheet collects named lines for people; those that are wider than the width, if there is one, are broken.
type sheet struct {
	strings.Builder

	width int
}

const sheetLabel = 18

// add writes a named entry, its values one below the other; nothing when there are none.
func (s *sheet) add(name string, values ...string) {
	for _, v := range values {
		if v == "" {
			continue
		}
		if s.width > 0 {
			plain := strings.TrimLeft(v, " ")
			lead := v[:len(v)-len(plain)] // lists within an entry stay lists
			lines := text.WrapSoft(plain, max(40, s.width-sheetLabel-len(lead)))
			v = trimLines(lead + strings.ReplaceAll(lines, "\n", "\n"+strings.Repeat(" ", sheetLabel)+lead))
		}
		fmt.Fprintf(s, "%-*s%s\n", sheetLabel, name, v)
		name = ""
	}
}

func describe(r *vuln.Record, width int) string {
	s := sheet{width: width}
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
	s.add("seen fixed in", seenFixed(k.VerifiedFixed))
	if len(k.JudgedByGit) > 0 {
		s.add("judged by git", "releases of "+strings.Join(minorSpans(k.JudgedByGit), ", "))
	}
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

// seenFixed is the first fixed release of each minor. Minors at the end that had the fix from their beginning are not listed one by one.
func seenFixed(fixed map[string]string) string {
	minors := branchOrder(fixed)
	whole := len(minors)
	for whole > 0 && fixed[minors[whole-1]] == minors[whole-1]+".0" {
		whole--
	}
	var parts []string
	for _, m := range minors[:whole] {
		parts = append(parts, fixed[m])
	}
	switch len(minors) - whole {
	case 0:
	case 1:
		parts = append(parts, fixed[minors[whole]])
	default:
		parts = append(parts, fixed[minors[whole]]+" and all of "+strings.Join(minorSpans(minors[whole+1:]), ", "))
	}
	return strings.Join(parts, ", ")
}

// minorSpans writes minors that follow each other as 1.20-1.36.
func minorSpans(minors []string) []string {
	var spans []string
	for i := 0; i < len(minors); i++ {
		first := i
		for i+1 < len(minors) && following(minors[i], minors[i+1]) {
			i++
		}
		if i == first {
			spans = append(spans, minors[first])
			continue
		}
		spans = append(spans, minors[first]+"-"+minors[i])
	}
	return spans
}

// following reports whether a minor comes right after another.
func following(before, after string) bool {
	a, err := release.ParseMinor(before)
	b, bad := release.ParseMinor(after)
	return err == nil && bad == nil && a.Major == b.Major && a.Minor+1 == b.Minor
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
			var said strings.Builder
			for i, e := range rg.Events {
				switch {
				case i == 0:
				case e.Introduced != "":
					said.WriteString("; ")
				default:
					said.WriteString(" ")
				}
				said.WriteString(eventText(e))
			}
			lines = append(lines, cmp.Or(a.Package.Name, rg.Repo)+": "+said.String())
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
