package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

func newVuln(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vuln",
		Short: "What is known about vulnerabilities of Kubernetes",
		Example: `  kubelts vuln list --version v1.24.17
  kubelts vuln show CVE-2022-3172`,
		RunE: parent,
	}
	cmd.AddCommand(newVulnList(a), newVulnShow(a), newVulnDiff(a))
	return cmd
}

// vulnList is the command's flags.
type vulnList struct {
	*app

	version, component, format, failOn string
	unfixed                            bool
}

func newVulnList(a *app) *cobra.Command {
	l := &vulnList{app: a}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Vulnerabilities, or those that a version has",
		Long: `List the vulnerabilities that are known, or with --version those that a version has, in three parts: fixed in a later patch release of the
same minor, fixed only in newer minors, never fixed. A minor (1.28) has what any of its releases has. Ranges are upstream's: what a vendor
has cured in its own builds is not known here.

With --unfixed, only what no release fixes; with --version beside it, what no patch release of that minor fixes.
With --fail-on, the exit status is 3 if something of that rating or a higher one is listed; what nobody has rated counts as well.`,
		Example: `  kubelts vuln list --version v1.24.17
  kubelts vuln list --version v1.28.15-eks-113cf36 --unfixed --component kubelet
  kubelts vuln list --unfixed -o json
  kubelts vuln list --version 1.34 --fail-on high`,
		Args: needArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&l.version, "version", "", "only what `VERSION` has")
	flags.StringVar(&l.component, "component", "", "only those of `COMPONENT` (kube-apiserver, kubelet, kubectl, ...)")
	flags.BoolVar(&l.unfixed, "unfixed", false, "only what is not fixed")
	flags.StringVar(&l.failOn, "fail-on", "", "exit with status 3 if something of this `RATING` is listed: "+strings.Join(ratings, "|"))
	addOutput(cmd, &l.format, tableFormats)
	return cmd
}

// ratings are what --fail-on can be, in rising order.
var ratings = []string{"any", "low", "medium", "high", "critical"} //nolint:gochecknoglobals // a constant list

// vulnItem is one line of the list, and one object of its JSON.
type vulnItem struct {
	ID         string          `json:"id"`
	Aliases    []string        `json:"aliases"`
	Summary    string          `json:"summary"`
	Published  release.Date    `json:"published"`
	Score      *float64        `json:"score"` // CVSS base score; null when nobody has rated it
	Rating     string          `json:"rating"`
	Class      string          `json:"class"`
	Project    string          `json:"project"`
	Components []string        `json:"components"`
	OS         string          `json:"os"`
	Unfixed    bool            `json:"unfixed"` // no release cures it
	Outlook    catalog.Outlook `json:"outlook,omitempty"`
	FixedIn    string          `json:"fixedIn,omitempty"`
	LowerBound string          `json:"practicalLowerBound,omitempty"`
	Confidence string          `json:"confidence"`
}

const unrated = "unrated"

func newVulnItem(r *vuln.Record) vulnItem {
	item := vulnItem{
		ID: r.ID, Aliases: append([]string{}, r.Aliases...), Summary: r.Summary, Rating: unrated, Class: r.Kubelts.Class, Project: r.Kubelts.Project,
		Components: append([]string{}, r.Kubelts.Components...), OS: r.Kubelts.OS, Unfixed: r.Kubelts.Unfixed,
		LowerBound: r.Kubelts.PracticalLowerBound, Confidence: r.Kubelts.Confidence,
	}
	if !r.Published.IsZero() {
		item.Published = release.DateOf(r.Published)
	}
	if score, ok := r.Score(); ok {
		item.Score, item.Rating = &score, vuln.Rating(score)
	}
	return item
}

func (l *vulnList) run(cmd *cobra.Command) error {
	if l.failOn != "" && !slices.Contains(ratings, l.failOn) {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--fail-on %q", l.failOn), "use one of %s", strings.Join(ratings, ", ")))
	}
	facts, err := l.facts()
	if err != nil {
		return err
	}
	if err = facts.CheckComponent(l.component); err != nil {
		return err
	}
	items, err := l.items(facts)
	if err != nil {
		return err
	}
	if err = l.printItems(items); err != nil {
		return err
	}
	if l.failOn != "" && slices.ContainsFunc(items, l.counts) {
		return errAct
	}
	return nil
}

// counts reports whether --fail-on means the item. What nobody has rated may be anything.
func (l *vulnList) counts(item vulnItem) bool {
	return item.Rating == unrated || slices.Index(ratings, item.Rating) >= slices.Index(ratings, l.failOn) || l.failOn == "any"
}

func (l *vulnList) items(facts *catalog.Catalog) ([]vulnItem, error) {
	items := []vulnItem{}
	if l.version == "" {
		records, err := facts.Vulnerabilities()
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			mine := l.component == "" || slices.ContainsFunc(r.Kubelts.Components, func(c string) bool { return strings.EqualFold(c, l.component) })
			if mine && (r.Kubelts.Unfixed || !l.unfixed) {
				items = append(items, newVulnItem(r))
			}
		}
		return items, nil
	}
	v, err := release.Parse(l.version)
	if err != nil {
		return nil, err
	}
	found, err := facts.Assess(v, catalog.Filter{Component: l.component, Unfixed: l.unfixed})
	if err != nil {
		return nil, err
	}
	count := map[catalog.Outlook]int{}
	for _, a := range found {
		item := newVulnItem(a.Record)
		item.Outlook = a.Outlook
		if !a.FixedIn.IsZero() {
			item.FixedIn = a.FixedIn.String()
		}
		count[a.Outlook]++
		items = append(items, item)
	}
	slices.SortStableFunc(items, func(a, b vulnItem) int {
		return cmp.Compare(slices.Index(outlooks, a.Outlook), slices.Index(outlooks, b.Outlook))
	})
	l.summarize(v, count)
	return items, nil
}

// outlooks are in the order of the list.
var outlooks = []catalog.Outlook{catalog.FixedInPatch, catalog.FixedInNewer, catalog.NeverFixed} //nolint:gochecknoglobals // a constant list

// summarize says on standard error what the list amounts to, and what it cannot know.
func (l *vulnList) summarize(v release.Version, count map[catalog.Outlook]int) {
	fmt.Fprintf(l.Stderr, "kubelts: %s: %d fixed in a later patch release, %d only in newer minors, %d never\n",
		v, count[catalog.FixedInPatch], count[catalog.FixedInNewer], count[catalog.NeverFixed])
	note := ""
	switch _, known := v.Upstream(); {
	case !known:
		note = "the patch number is the vendor's own, and does not tell what it is built on: listed is what any release of the minor has"
	case v.Vendor != "":
		note = "this is a vendor's build, which may have fixes of its own: listed is what upstream's " + base(v) + " has"
	default:
		return
	}
	fmt.Fprintf(l.Stderr, "kubelts: note: %s\n", note)
}

func base(v release.Version) string {
	upstream, _ := v.Upstream()
	return upstream.String()
}

func (l *vulnList) printItems(items []vulnItem) error {
	g := grid{header: []string{"vulnerability", "score", "rating", "components", "fix", "summary", "os", "published", "class", "confidence", "practical lower bound"}, narrow: 6, fold: true}
	for _, i := range items {
		score := "-"
		if i.Score != nil {
			score = strconv.FormatFloat(*i.Score, 'f', 1, 64)
		}
		g.rows = append(g.rows, []string{
			i.ID, score, i.Rating, strings.Join(i.Components, ","), fixText(i), i.Summary, i.OS, i.Published.String(), i.Class, i.Confidence,
			cmp.Or(i.LowerBound, "-"),
		})
	}
	return l.print(l.format, items, g)
}

func fixText(i vulnItem) string {
	switch i.Outlook {
	case catalog.FixedInPatch:
		return i.FixedIn
	case catalog.FixedInNewer:
		return "newer minor: " + i.FixedIn
	case catalog.NeverFixed:
		return "never"
	}
	if i.Unfixed {
		return "never"
	}
	return "-"
}
