package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/catalog"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/release"
)

// support is the command's flags.
type support struct {
	*app

	vendor, format, failOn string
	all, timeline, policy  bool
}

func newSupport(a *app) *cobra.Command {
	s := &support{app: a}
	cmd := &cobra.Command{
		Use:   "support [VERSION...]",
		Short: "What is supported until when, by upstream and by vendors",
		Long: `Say where versions of Kubernetes stand on a day: phase, dates, days left, the policy that decided it, the latest patch release, and which
vendors still support them. Any spelling that clusters print is understood. A version is supported through its last day.

Without VERSION, the minors are listed that upstream or a vendor supports on that day; with --all, every one. With --policy, the real days
stand beside those that upstream's policy would give. A day that no source gives is "not published", never a guess.

With --fail-on, the exit status is 3 if a version is in that phase or a later one, or ends within so many days (30d). What the vendor named
by --vendor still supports does not count.`,
		Example: `  kubelts support 1.24 v1.28.15-eks-113cf36
  kubelts support 1.24 --at 2023-06-15
  kubelts support --vendor eks
  kubelts support --all --timeline
  kubelts support --all --timeline -o html >support.html
  kubelts support --policy 1.18 1.22
  kubelts support 1.34 --fail-on 30d`,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&s.vendor, "vendor", "", "tell only the support of `VENDOR` (eks, aks, gke, openshift, ...)")
	flags.BoolVar(&s.all, "all", false, "all minors")
	flags.BoolVar(&s.timeline, "timeline", false, "draw the minors as bars over time, on the terminal or with -o svg|html")
	flags.BoolVar(&s.policy, "policy", false, "the days that the policy gives beside the real ones")
	flags.StringVar(&s.failOn, "fail-on", "", "exit with status 3 at this `PHASE` (maintenance, end-of-life) or with so few days left (30d)")
	addOutput(cmd, &s.format, append(slices.Clone(tableFormats), "svg", "html"))
	return cmd
}

func (s *support) run(cmd *cobra.Command, args []string) error {
	threshold, err := parseThreshold(s.failOn)
	if err != nil {
		return usage(cmd, err)
	}
	if s.timeline && (!slices.Contains(pictureFormats, s.format) || s.policy) {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--timeline is a drawing: it does not go with -o %s or --policy", s.format), "use -o svg or -o html, or none for the terminal"))
	}
	if !s.timeline && !slices.Contains(tableFormats, s.format) {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "-o %s is a drawing", s.format), "add --timeline"))
	}
	if s.policy && s.failOn != "" {
		return usage(cmd, errs.New(errs.Invalid, "--policy compares days and has nothing to act on: it does not go with --fail-on"))
	}
	facts, err := s.facts()
	if err != nil {
		return err
	}
	if s.policy {
		return s.printPolicy(facts, args)
	}
	states, err := s.states(facts, args)
	if err != nil {
		return err
	}
	if s.timeline {
		err = s.draw(states)
	} else {
		err = s.printStates(states)
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(states, func(st *catalog.Support) bool { return threshold.reached(st, s.vendor != "") }) {
		return errAct
	}
	return nil
}

// threshold is what --fail-on says.
type threshold struct {
	phase release.Phase
	days  int // -1 when a phase was named
}

func parseThreshold(text string) (threshold, error) {
	switch p := release.Phase(text); {
	case text == "", p == release.Maintenance, p == release.EndOfLife:
		return threshold{p, -1}, nil
	}
	digits, ok := strings.CutSuffix(text, "d")
	if n, err := strconv.Atoi(digits); ok && err == nil && n >= 0 {
		return threshold{"", n}, nil
	}
	return threshold{}, errs.WithHint(errs.New(errs.Invalid, "--fail-on %q", text), "use maintenance, end-of-life, or a number of days such as 30d")
}

// reached reports whether there is something to act on. An end that is not published is reached when the phase says so.
func (t threshold) reached(s *catalog.Support, byVendor bool) bool { //nolint:revive // flag-parameter: whether --vendor was given is a fact, not a mode
	if byVendor && slices.ContainsFunc(s.Vendors, catalog.VendorSupport.Supported) {
		return false
	}
	switch {
	case t.days >= 0:
		return s.Phase == release.EndOfLife || s.DaysLeft != nil && *s.DaysLeft <= t.days
	case t.phase == release.Maintenance:
		return s.Phase == release.Maintenance || s.Phase == release.EndOfLife
	case t.phase == release.EndOfLife:
		return s.Phase == release.EndOfLife
	}
	return false
}

// states asks for the versions, or for the minors that are worth telling.
func (s *support) states(facts *catalog.Catalog, args []string) ([]*catalog.Support, error) {
	at, err := s.today()
	if err != nil {
		return nil, err
	}
	versions, err := parseVersions(args)
	if err != nil {
		return nil, err
	}
	chosen := len(versions) > 0 || s.all
	if len(versions) == 0 {
		for _, m := range facts.Minors() {
			versions = append(versions, release.Version{Minor: m.Minor, Patch: release.NoPatch})
		}
	}
	states := []*catalog.Support{}
	for _, v := range versions {
		st, err := facts.Support(v, at, s.vendor)
		if err != nil {
			return nil, err
		}
		if chosen || st.Phase.Supported() || slices.ContainsFunc(st.Vendors, catalog.VendorSupport.Supported) {
			states = append(states, st)
		}
	}
	return states, nil
}

func parseVersions(args []string) ([]release.Version, error) {
	var versions []release.Version
	for _, arg := range args {
		v, err := release.Parse(arg)
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}

func (s *support) printStates(states []*catalog.Support) error {
	g := grid{
		header: []string{"version", "phase", "released", "maintenance", "last day", "days", "latest", "policy", "vendors", "all vendors", "confidence", "source", "notes"},
		narrow: 9,
	}
	still := catalog.VendorSupport.Supported
	if s.vendor != "" {
		still = nil // who asks for one vendor wants to know when it ended, too
	}
	for _, st := range states {
		g.rows = append(g.rows, []string{
			st.Version, string(st.Phase), dayOf(st.Released), dayOf(st.MaintenanceFrom), lastDay(st), daysLeft(st), cmp.Or(st.Latest, "none"), st.Policy,
			vendors(st.Vendors, still), vendors(st.Vendors, nil), st.Confidence, st.Source, strings.Join(st.Notes, "; "),
		})
	}
	if s.format == "table" {
		s.printNotes(states)
	}
	return s.print(s.format, states, g)
}

// printNotes writes each note once, with the versions that it is about.
func (s *support) printNotes(states []*catalog.Support) {
	var notes []string
	about := map[string][]string{}
	for _, st := range states {
		for _, n := range st.Notes {
			if about[n] == nil {
				notes = append(notes, n)
			}
			about[n] = append(about[n], st.Version)
		}
	}
	for _, n := range notes {
		fmt.Fprintf(s.Stderr, "kubelts: note: %s: %s\n", strings.Join(about[n], ", "), n)
	}
}

func dayOf(d release.Date) string {
	if d.IsZero() {
		return "-"
	}
	return d.String()
}

func lastDay(s *catalog.Support) string {
	if s.Released.IsZero() {
		return "-"
	}
	return day(s.EndOfLife)
}

func daysLeft(s *catalog.Support) string {
	switch {
	case s.DaysLeft == nil:
		return "-"
	case *s.DaysLeft == 0:
		return "last day"
	case *s.DaysLeft < 0:
		return fmt.Sprintf("%d over", -*s.DaysLeft)
	}
	return fmt.Sprintf("%d left", *s.DaysLeft)
}

// vendors lists who supports it until when: those that the filter lets pass, or all with their phases.
func vendors(all []catalog.VendorSupport, filter func(catalog.VendorSupport) bool) string {
	var parts []string
	for _, v := range all {
		name := strings.TrimSpace(v.Product + " " + v.Release)
		switch {
		case filter != nil && !filter(v):
			continue
		case filter != nil:
			parts = append(parts, name+" until "+day(v.Until))
		case v.Until.IsZero() && !v.LastRelease.IsZero():
			parts = append(parts, fmt.Sprintf("%s: end %s, last release seen %s", name, notPublished, v.LastRelease))
		default:
			parts = append(parts, fmt.Sprintf("%s: %s, until %s", name, v.Phase, day(v.Until)))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	if filter != nil {
		return strings.Join(parts, ", ")
	}
	return strings.Join(parts, "; ")
}

// printPolicy prints the policy's days beside the real ones, for the minors of the versions, or for all.
func (s *support) printPolicy(facts *catalog.Catalog, args []string) error {
	versions, err := parseVersions(args)
	if err != nil {
		return err
	}
	minors := facts.Minors()
	if len(versions) > 0 {
		minors = nil
		for _, v := range versions {
			m, err := facts.Resolve(v)
			if err != nil {
				return err
			}
			minors = append(minors, m)
		}
	}
	all := []catalog.Comparison{}
	g := grid{header: []string{"minor", "era", "released", "policy maintenance", "maintenance", "policy last day", "last day", "days", "why"}}
	for _, m := range minors {
		c := facts.ComparePolicy(m)
		all = append(all, c)
		days, last := "-", day(c.End)
		if c.Days != nil {
			days = fmt.Sprintf("%+d", *c.Days)
		}
		if c.Released.IsZero() {
			last = "-"
		}
		g.rows = append(g.rows, []string{
			c.Minor, c.Era, dayOf(c.Released), dayOf(c.PolicyMaintenance), dayOf(c.Maintenance), dayOf(c.PolicyEnd), last, days, c.Why,
		})
	}
	return s.print(s.format, all, g)
}

// draw prints the timeline.
func (s *support) draw(states []*catalog.Support) error {
	if s.format != "table" {
		return s.drawPicture(states)
	}
	_, err := io.WriteString(s.Stdout, drawTimeline(states, s.width(), s.colour()))
	return err
}
