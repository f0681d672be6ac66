package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubelts/kubelts/internal/candidate"
	"github.com/kubelts/kubelts/internal/datadir"
	"github.com/kubelts/kubelts/internal/errs"
	"github.com/kubelts/kubelts/internal/gitrepo"
	"github.com/kubelts/kubelts/internal/release"
	"github.com/kubelts/kubelts/internal/vuln"
)

// candidateFlags are the flags of triage that are about candidates.
type candidateFlags struct {
	wanted, withMain bool
	since, asOf      string
	limit            int
	severity         []string
}

// defaultCandidates is how many candidates are shown of each branch.
const defaultCandidates = 20

func (c *candidateFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&c.wanted, "candidates", false, "find what newer branches took that these branches lack and should consider")
	flags.StringVar(&c.since, "since", "", "with --candidates: what newer branches took after this day or commit, `DATE|REV` (default: the branch's last release)")
	flags.StringVar(&c.asOf, "as-of", "", "with --candidates: look at the branch as it was at `REV`, such as a tag")
	flags.IntVar(&c.limit, "limit", defaultCandidates, "with --candidates: show the first `N` of each branch; 0 shows all")
	flags.StringSliceVar(&c.severity, "severity", nil, "with --candidates: only those that speak of `WORD`: "+strings.Join(candidate.Severities(), ", "))
	flags.BoolVar(&c.withMain, "with-main", false, "with --candidates: also what only the main branch has, when it speaks of a severe fault")
	err := cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions(candidate.Severities(), cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was defined a line above
	}
}

// check refuses flags that do not go together, and words that are none.
func (c *candidateFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"since", "as-of", "limit", "severity", "with-main"} {
		if !c.wanted && cmd.Flags().Changed(name) {
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--%s: only with --candidates", name), "add --candidates"))
		}
	}
	for _, name := range []string{"vuln", "without"} {
		if c.wanted && cmd.Flags().Changed(name) {
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--%s: not with --candidates", name), "candidates are changes that no record names"))
		}
	}
	for _, word := range c.severity {
		if !slices.Contains(candidate.Severities(), word) {
			return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--severity %q is not known", word), "use one of %s", strings.Join(candidate.Severities(), ", ")))
		}
	}
	if c.limit < 0 {
		return usage(cmd, errs.WithHint(errs.New(errs.Invalid, "--limit %d: must not be negative", c.limit), "0 shows all"))
	}
	return nil
}

// findCandidates prints the candidates for each branch that was asked for.
func (t *triageRun) findCandidates(ctx context.Context, repo *gitrepo.Repo, records []*vuln.Record, wanted targets) error {
	lines, err := t.candidateLines(ctx, repo, wanted)
	if err != nil {
		return err
	}
	branches, main, err := t.candidateBranches(repo, lines)
	if err != nil {
		return err
	}
	pulls, err := t.pullFacts()
	if err != nil {
		return err
	}
	o := candidate.Options{Main: t.candidates.withMain}
	if o.Since, err = t.sinceWhen(ctx, repo); err != nil {
		return err
	}
	finder, err := candidate.Open(ctx, repo, candidate.Repository{Name: t.repository, Branches: branches, Main: main, Records: records, Pulls: pulls})
	if err != nil {
		return err
	}
	var reports []*candidate.Report
	for _, line := range lines {
		report, err := finder.Find(ctx, line, o)
		if err != nil {
			return fmt.Errorf("candidates for %q: %w", line.Name, err)
		}
		reports = append(reports, report)
	}
	return t.showCandidates(reports)
}

// candidateLines are the branches to find candidates for.
func (t *triageRun) candidateLines(ctx context.Context, repo *gitrepo.Repo, wanted targets) ([]candidate.Branch, error) {
	var lines []candidate.Branch
	for _, target := range wanted.judged {
		if m, ok := release.MinorOfBranch(t.repository, target.Name); ok {
			lines = append(lines, candidate.Branch{Name: target.Name, Commit: target.Commit, Minor: m})
		}
	}
	if len(lines) == 0 {
		return nil, errs.WithHint(errs.New(errs.Invalid, "--candidates: none of the branches is for a minor"), "choose release branches with --branches, such as release-1.20")
	}
	if t.candidates.asOf == "" {
		return lines, nil
	}
	if len(lines) > 1 {
		return nil, errs.WithHint(errs.New(errs.Invalid, "--as-of %q: there are %d branches", t.candidates.asOf, len(lines)), "choose one with --branches")
	}
	at, err := repo.Resolve(ctx, t.candidates.asOf)
	if err != nil {
		return nil, fmt.Errorf("--as-of: %w", err)
	}
	lines[0].Name, lines[0].Commit = t.candidates.asOf, at
	return lines, nil
}

// candidateBranches are all release branches of the clone, those that are looked at as lines included, and its main branch.
func (t *triageRun) candidateBranches(repo *gitrepo.Repo, lines []candidate.Branch) (branches []candidate.Branch, main candidate.Branch, err error) {
	all := *t
	all.branches = nil
	found, err := all.targets(repo)
	if err != nil {
		return nil, main, err
	}
	for _, target := range found.judged {
		b := candidate.Branch{Name: target.Name, Commit: target.Commit}
		var ok bool
		if b.Minor, ok = release.MinorOfBranch(t.repository, target.Name); ok {
			branches = append(branches, b)
		} else {
			main = b
		}
	}
	for _, line := range lines {
		if !slices.ContainsFunc(branches, func(b candidate.Branch) bool { return b.Commit == line.Commit }) {
			branches = append(branches, line)
		}
	}
	return branches, main, nil
}

// sinceWhen reads --since: a day, or a revision whose committer date counts.
func (t *triageRun) sinceWhen(ctx context.Context, repo *gitrepo.Repo) (time.Time, error) {
	text := t.candidates.since
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	oid, err := repo.Resolve(ctx, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--since: neither a day such as 2024-05-31, nor: %w", err)
	}
	c, err := repo.Commit(ctx, oid)
	if err != nil {
		return time.Time{}, fmt.Errorf("--since %q: %w", text, err)
	}
	return c.Committer.When.UTC(), nil
}

// chosen are the candidates to show: those of the severities that were asked for, up to the limit.
func (c *candidateFlags) chosen(all []candidate.Candidate) (shown []candidate.Candidate, fitting int) {
	shown = slices.DeleteFunc(slices.Clone(all), func(o candidate.Candidate) bool {
		return len(c.severity) > 0 && !slices.ContainsFunc(o.Severity, func(word string) bool { return slices.Contains(c.severity, word) })
	})
	fitting = len(shown)
	if c.limit > 0 {
		shown = shown[:min(len(shown), c.limit)]
	}
	return shown, fitting
}

func (t *triageRun) showCandidates(reports []*candidate.Report) error {
	if t.format == "json" || t.format == "yaml" {
		for _, r := range reports {
			r.Candidates, _ = t.candidates.chosen(r.Candidates)
		}
		return t.print(t.format, reports, grid{})
	}
	for i, r := range reports {
		if err := t.showReport(r, i > 0); err != nil {
			return err
		}
	}
	return nil
}

// showReport prints the candidates of one line; for people with a heading, and with what was left out.
func (t *triageRun) showReport(r *candidate.Report, another bool) error {
	shown, fitting := t.candidates.chosen(r.Candidates)
	plain := t.format == "table" || t.format == "wide"
	var errHead, errFoot error
	if plain {
		errHead = t.candidateHead(r, another)
	}
	g := grid{header: []string{"branch", "score", "severity", "taken by", "pull request", "commit", "taken", "subject", "why", "code"}}
	if plain {
		g.header = g.header[1:]
		g.narrow = 7
	}
	room := max(t.width()-76, 40)
	for i := range shown {
		row := t.candidateRow(r, &shown[i], room)
		if plain {
			row = row[1:]
		}
		g.rows = append(g.rows, row)
	}
	if len(shown) == 0 && plain {
		return errors.Join(errHead, t.candidateFoot(r, shown, fitting))
	}
	err := t.print(t.format, nil, g)
	if plain {
		errFoot = t.candidateFoot(r, shown, fitting)
	}
	return errors.Join(errHead, err, errFoot)
}

func (t *triageRun) candidateRow(r *candidate.Report, c *candidate.Candidate, room int) []string {
	commit, subject := c.Commit.Short(), c.Headline()
	switch t.format {
	case "csv":
		names := make([]string, len(c.Commits))
		for i, oid := range c.Commits {
			names[i] = oid.String()
		}
		commit = strings.Join(names, " ")
	case "table":
		subject = clipLine(subject, room)
	}
	picked := 0
	for _, taken := range c.Taken {
		if !taken.Inherited {
			picked++
		}
	}
	if len(c.Commits) > 1 && t.format != "csv" {
		commit += fmt.Sprintf(" +%d", len(c.Commits)-1)
	}
	pulls := make([]string, len(c.Pulls))
	for i, n := range c.Pulls {
		pulls[i] = "#" + strconv.Itoa(n)
	}
	if t.format == "table" && len(pulls) > 1 {
		pulls = append(pulls[:1], fmt.Sprintf("+%d", len(pulls)-1))
	}
	severity := c.Severity
	if t.format == "table" {
		severity = severity[:min(len(severity), 2)]
	}
	code := fmt.Sprintf("%d before, %d drifted, %d absent, %d after", c.Code.Before, c.Code.Drifted, c.Code.Absent, c.Code.After)
	return []string{
		r.Line, strconv.Itoa(c.Score), strings.Join(severity, ","), strconv.Itoa(picked), strings.Join(pulls, " "), commit, c.First.Format(time.DateOnly), subject,
		signsText(c.Signs), code,
	}
}

// clipLine cuts a line that has no room.
func clipLine(text string, room int) string {
	text = strings.Join(strings.Fields(clean(text)), " ")
	if runes := []rune(text); len(runes) > room {
		return string(runes[:room-3]) + "..."
	}
	return text
}

func signsText(signs []candidate.Sign) string {
	texts := make([]string, len(signs))
	for i, s := range signs {
		texts[i] = fmt.Sprintf("%+d %s: %s", s.Points, s.Kind, s.Note)
		if s.Path != "" {
			texts[i] += " (" + s.Path + ")"
		}
	}
	return strings.Join(texts, "; ")
}

func (t *triageRun) candidateHead(r *candidate.Report, another bool) error { //nolint:revive // flag-parameter: it is data
	gap := ""
	if another {
		gap = "\n"
	}
	since := r.Since.Format(time.DateOnly)
	if r.LastRelease != "" && t.candidates.since == "" {
		since += ", " + r.LastRelease
	}
	_, err := fmt.Fprintf(t.Stdout, "%s%s: %s since %s, of %d changes on %s\n", gap, clean(r.Line), countOf(len(r.Candidates), "candidate"), clean(since), r.Changes, countOf(len(r.Newer), "newer branch"))
	return err
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// leftOutTexts say why changes are no candidates, in the order in which they are listed.
func leftOutTexts() [][2]string {
	return [][2]string{
		{string(candidate.OnLine), "the branch has them"},
		{string(candidate.AlreadyThere), "their lines stand on it"},
		{string(candidate.RevertedHere), "it took them back"},
		{string(candidate.Known), "a record names them"},
		{string(candidate.BeforeEnd), "taken before that"},
		{string(candidate.Reverted), "taken back on the newer branches"},
		{string(candidate.CodeAbsent), "it has no such code"},
		{string(candidate.NewCode), "only new code"},
		{string(candidate.Tests), "only tests"},
		{string(candidate.Docs), "only documents"},
		{string(candidate.Generated), "only generated files"},
		{string(candidate.Building), "only building and versions"},
		{string(candidate.Dependencies), "only dependencies"},
		{string(candidate.NoSign), "on the main branch only, without a word of a severe fault"},
		{string(candidate.Variant), "in other lines on another branch"},
		{string(candidate.Together), "together with a candidate"},
		{string(candidate.NothingKept), "empty"},
	}
}

// candidateFoot says what was not shown, and what was not looked at.
func (t *triageRun) candidateFoot(r *candidate.Report, shown []candidate.Candidate, fitting int) error {
	var out strings.Builder
	if hidden := fitting - len(shown); hidden > 0 {
		fmt.Fprintf(&out, "and %d more: --limit 0 shows all\n", hidden)
	}
	var parts []string
	for _, text := range leftOutTexts() {
		if n := r.LeftOut[candidate.Reason(text[0])]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text[1]))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(&out, "left out: %s\n", strings.Join(parts, "; "))
	}
	for i, u := range r.NotObserved {
		if i == 0 {
			fmt.Fprintf(&out, "not observed: %s could not be read\n", countOf(len(r.NotObserved), "change"))
		}
		if i == maxUnseen {
			fmt.Fprintf(&out, "  and %d more: -o json has all\n", len(r.NotObserved)-maxUnseen)
			break
		}
		fmt.Fprintf(&out, "  %s %s: %s\n", u.Commit.Short(), clipLine(u.Subject, 60), clipLine(u.Why, 120))
	}
	_, err := io.WriteString(t.Stdout, out.String())
	return err
}

// maxUnseen bounds the changes that could not be read which a table lists.
const maxUnseen = 10

// pullFacts are what the person's folder of facts knows of pull requests. Those of staging repositories are in kubernetes/kubernetes.
func (t *triageRun) pullFacts() (map[int]candidate.Pull, error) {
	folder := cmp.Or(t.dataDir, t.dataHome())
	if folder == builtIn || folder == "" {
		return nil, nil
	}
	if made, err := datadir.Made(folder); err != nil || !made {
		return nil, err
	}
	snapshot, err := datadir.OpenAll(folder)
	if err != nil {
		return nil, err
	}
	items, err := snapshot.Items()
	if err != nil {
		return nil, err
	}
	repository := t.repository
	if strings.HasPrefix(repository, "kubernetes/") {
		repository = "kubernetes/kubernetes"
	}
	pulls := map[int]candidate.Pull{}
	for _, p := range items.PullRequests {
		if strings.HasSuffix(p.URL, "/"+repository+"/pull/"+strconv.Itoa(p.Number)) {
			pulls[p.Number] = candidate.Pull{Labels: p.Labels, Names: p.Names}
		}
	}
	return pulls, nil
}
